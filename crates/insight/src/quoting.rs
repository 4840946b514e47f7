//! Untrusted names in statements and commands to copy.

/// Quotes an identifier of SQL. Always, as the list of reserved words differs between versions.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a literal of SQL.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Quotes `schema.name`, the way the checks write objects. A name with more dots can be read in several ways: `None`.
pub(crate) fn qualified(object: &str) -> Option<String> {
    let (schema, name) = object.split_once('.')?;
    let is_plain = |part: &str| !part.is_empty() && !part.contains('.');
    (is_plain(schema) && is_plain(name))
        .then(|| format!("{}.{}", identifier(schema), identifier(name)))
}

/// Quotes a word for a shell, unless it needs none. A word with a control character belongs in no command: `None`.
pub(crate) fn shell(word: &str) -> Option<String> {
    if word.chars().any(char::is_control) {
        return None;
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain) {
        return Some(word.to_owned());
    }
    Some(format!("'{}'", word.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names() {
        assert_eq!(identifier("a\"; DROP"), "\"a\"\"; DROP\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(
            qualified("public.orders").as_deref(),
            Some("\"public\".\"orders\"")
        );
        assert_eq!(shell("-rf").as_deref(), Some("'-rf'"));
        assert_eq!(shell("a'b").as_deref(), Some(r"'a'\''b'"));
        assert_eq!(shell("a\nb"), None);
        for ambiguous in ["orders", "a.b.c", ".b", "a."] {
            assert_eq!(qualified(ambiguous), None, "{ambiguous}");
        }
    }
}
