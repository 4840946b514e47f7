//! Comma-separated values, as RFC 4180 has them.

/// Returns the rows of a text.
pub(super) fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut chars = text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .chars()
        .peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            char => field.push(char),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

/// Returns a field as it is written.
pub(super) fn quote(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_what_they_hold() {
        let text = "a,b\r\n\"x, \"\"y\"\"\nz\",\n,2";
        assert_eq!(
            rows(text),
            [vec!["a", "b"], vec!["x, \"y\"\nz", ""], vec!["", "2"]]
        );
        assert_eq!(
            rows(&format!("{}\n", quote("x, \"y\"\n"))),
            [["x, \"y\"\n"]]
        );
    }
}
