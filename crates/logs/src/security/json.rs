//! Members of an object, found by their place in its text and borrowed from it.
//!
//! A message is cut at some length, so the object need not be whole: members come while they are.

/// Returns the members of the object that the text begins with: key and value as they are written.
pub(super) fn members(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text.trim_start().strip_prefix('{');
    std::iter::from_fn(move || {
        let text = rest?.trim_start_matches([',', ' ', '\t', '\n', '\r']);
        let end = quoted(text)?;
        let key = &text[1..end - 1];
        let value = text[end..].trim_start().strip_prefix(':')?.trim_start();
        let length = value_len(value);
        rest = length.map(|length| &value[length..]);
        Some((key, length.map_or(value, |length| &value[..length])))
    })
}

/// Returns the text of a string; escapes stay as they are written.
pub(super) fn string(value: &str) -> Option<&str> {
    (quoted(value)? == value.len()).then(|| &value[1..value.len() - 1])
}

/// Returns the length of the string that the text begins with, with its quotes.
fn quoted(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('"')?;
    let mut escaped = false;
    let end = inner.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some(end + 2)
}

/// Returns the length of the value that the text begins with; `None` when its end is not there.
fn value_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_u32);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += quoted(&text[at..])?;
                if depth == 0 {
                    return Some(at);
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_order_and_while_they_are_there() {
        let text = r#"{ "a" : "x\"}", "b":{"c":[1,{"d":"]"}]},"e":-1.5,"f":null}"#;
        let expected = [
            ("a", r#""x\"}""#),
            ("b", r#"{"c":[1,{"d":"]"}]}"#),
            ("e", "-1.5"),
            ("f", "null"),
        ];
        assert_eq!(members(text).collect::<Vec<_>>(), expected);
        assert_eq!(string(expected[0].1), Some("x\\\"}"));
        assert_eq!(string("17"), None);
        for end in 0..text.len() {
            let known = members(&text[..end]).count();
            assert!(known <= 4);
        }
        let cut = r#"{"sudo":{"reject":{"reason":"no","runenv":["A=b"#;
        let (_, sudo) = members(cut).next().unwrap();
        let (kind, about) = members(sudo).next().unwrap();
        assert_eq!(
            (kind, members(about).next().unwrap()),
            ("reject", ("reason", "\"no\""))
        );
    }
}
