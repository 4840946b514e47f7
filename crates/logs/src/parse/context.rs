//! What a line states beside its message, as a JSON object that is written as it is read.

use std::fmt::Write as _;

use super::clean;

/// Characters of one text of the context. What may be longer (the lines of an event) has caps of its
/// own, see [`super::join`].
const TEXT_CHARS: usize = 1024;

/// Bytes of most names of hosts and programs.
const SHORT: usize = 64;

/// A JSON object under construction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Context {
    json: String,
    /// Whether it states that the time was inferred.
    is_inferred: bool,
}

impl Context {
    /// Returns an empty one that is written into `memory`.
    pub(crate) fn within(mut memory: String) -> Self {
        memory.clear();
        Self {
            json: memory,
            is_inferred: false,
        }
    }

    /// Flags that the line states no time.
    pub(crate) fn infer_time(&mut self) {
        self.flag("ts_inferred");
        self.is_inferred = true;
    }

    /// Returns whether the line states no time.
    pub(crate) const fn is_inferred(&self) -> bool {
        self.is_inferred
    }

    fn key(&mut self, key: &str) {
        if self.json.is_empty() {
            self.json.reserve(128);
            self.json.push('{');
        } else {
            self.json.push(',');
        }
        if key.bytes().all(is_plain) {
            quoted(&mut self.json, key);
        } else {
            string(&mut self.json, key);
        }
        self.json.push(':');
    }

    /// Adds a name, an address or a code, which cannot hold a secret. Empty ones and `-` are left out.
    pub(crate) fn name(&mut self, key: &str, value: &str) {
        if value.is_empty() || value == "-" {
            return;
        }
        self.key(key);
        if value.len() <= SHORT && value.bytes().all(is_plain) {
            quoted(&mut self.json, value);
        } else {
            string(&mut self.json, shortened(&clean::text(value)));
        }
    }

    /// Adds text of a client or a program: secrets are replaced. Empty ones are left out.
    pub(crate) fn text(&mut self, key: &str, value: &str) {
        if value.is_empty() || value == "-" {
            return;
        }
        let value = clean::text(value);
        self.key(key);
        string(&mut self.json, shortened(&redact::clean(&value)));
    }

    /// Adds a text that is redacted already and may be long.
    pub(crate) fn long(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.key(key);
            string(&mut self.json, value);
        }
    }

    /// Adds a number.
    pub(crate) fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        let _written = write!(self.json, "{value}");
    }

    /// Adds the digits of a number in the line; as text if they are not a number.
    pub(crate) fn digits(&mut self, key: &str, value: &str) {
        // Nearly always it is written as JSON writes it.
        if matches!(value.as_bytes(), [b'1'..=b'9', rest @ ..] if rest.len() < 15 && rest.iter().all(u8::is_ascii_digit))
        {
            self.json(key, value);
            return;
        }
        match value.parse::<u64>() {
            // Every JSON reader holds numbers up to 2^53.
            Ok(number) if number < 1 << 53 => self.number(key, number),
            _ => self.name(key, value),
        }
    }

    /// Adds a flag about the line itself.
    pub(crate) fn flag(&mut self, key: &str) {
        self.key(key);
        self.json.push_str("true");
    }

    /// Adds a value that is JSON already.
    pub(crate) fn json(&mut self, key: &str, value: &str) {
        self.key(key);
        self.json.push_str(value);
    }

    /// Takes over what another one has and this one has not.
    pub(crate) fn absorb(&mut self, other: Self) {
        const COMMON: &[&str] = &["pid", "host", "thread", "severity"];
        self.is_inferred |= other.is_inferred;
        let is_double = |key: &&str| other.has(key) && self.has(key);
        if COMMON.iter().any(is_double) {
            let members = other.finish().and_then(|json| {
                serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&json).ok()
            });
            for (key, value) in members.into_iter().flatten() {
                if !self.has(&key) {
                    self.json(&key, &value.to_string());
                }
            }
        } else if let Some(members) = other.json.strip_prefix('{') {
            self.json.push(if self.json.is_empty() { '{' } else { ',' });
            self.json.push_str(members);
        }
    }

    /// Returns whether a value of this name is there already.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.json.contains(&format!("\"{key}\":"))
    }

    /// Returns the object, if it has anything.
    pub(crate) fn finish(mut self) -> Option<String> {
        if self.json.is_empty() {
            return None;
        }
        self.json.push('}');
        Some(self.json)
    }
}

fn shortened(text: &str) -> &str {
    if text.len() <= TEXT_CHARS {
        return text;
    }
    text.char_indices()
        .nth(TEXT_CHARS)
        .map_or(text, |(end, _)| &text[..end])
}

/// Returns whether a byte is of ASCII and stands for itself in JSON and on a terminal.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// Writes a text of plain bytes as a JSON string.
fn quoted(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    out.push_str(text);
    out.push('"');
}

/// Writes a JSON string.
pub(crate) fn string(out: &mut String, text: &str) {
    out.push('"');
    // Without a branch per byte: nearly every text has nothing to escape.
    let special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    if !text
        .bytes()
        .fold(false, |found, byte| found | special(byte))
    {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut kept = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0 => "\u{2400}",
            0x01..=0x1f => {
                out.push_str(&text[kept..at]);
                out.push_str("\\u00");
                out.push(char::from(b'0' + (byte >> 4)));
                out.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
                kept = at + 1;
                continue;
            }
            _ => continue,
        };
        out.push_str(&text[kept..at]);
        out.push_str(escape);
        kept = at + 1;
    }
    out.push_str(&text[kept..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_another_has_is_taken_over_once() {
        let other = |keys: &[&str]| {
            let mut context = Context::default();
            for key in keys {
                context.number(key, 1);
            }
            context
        };
        for (one, two, expected) in [
            (&[][..], &["pid"][..], Some(r#"{"pid":1}"#)),
            (&["pid"], &["pid", "line"], Some(r#"{"pid":1,"line":1}"#)),
            (&["pid"], &["line"], Some(r#"{"pid":1,"line":1}"#)),
            (&["pid"], &[], Some(r#"{"pid":1}"#)),
            (&[], &[], None),
        ] {
            let mut context = other(one);
            context.absorb(other(two));
            assert_eq!(context.finish().as_deref(), expected);
        }
    }

    #[test]
    fn an_object_is_written_in_order() {
        let mut context = Context::default();
        context.name("host", "db1");
        context.name("user", "");
        context.name("request", "-");
        context.digits("pid", "12");
        context.digits("big", "18446744073709551615");
        context.text("agent", "x token=abc");
        context.flag("nul");
        assert_eq!(
            context.finish().unwrap(),
            r#"{"host":"db1","pid":12,"big":"18446744073709551615","agent":"x token=…","nul":true}"#
        );
        assert_eq!(Context::default().finish(), None);
    }

    proptest! {
        #[test]
        fn any_text_is_json(text in any::<String>(), key in "[a-z]{1,5}") {
            let mut context = Context::default();
            context.long(&key, &text);
            if let Some(json) = context.finish() {
                let read: serde_json::Value = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(read[&key].as_str().unwrap(), text.replace('\0', "\u{2400}"));
            }
        }
    }
}
