//! Text from outside: cut at characters, without what a terminal or a table would act on.

/// Returns the longest beginning of at most so many bytes that ends at a character.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Returns whether a character changes how others are shown: controls, and marks that reorder text.
pub(crate) fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Returns the text without control characters, blanks at its ends removed and inner ones folded, at most so many
/// characters of it.
pub(crate) fn clean(text: &str, characters: usize) -> String {
    let mut clean = String::with_capacity(text.len().min(4 * characters));
    let mut count = 0;
    for character in text.chars() {
        // A tab or a line break separates words as a blank does.
        let character = if character.is_whitespace() {
            ' '
        } else {
            character
        };
        if is_control(character) || (character == ' ' && (clean.is_empty() || clean.ends_with(' ')))
        {
            continue;
        }
        if count == characters {
            break;
        }
        clean.push(character);
        count += 1;
    }
    clean.truncate(clean.trim_end().len());
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_go_and_blanks_fold() {
        for (text, wanted) in [
            ("", ""),
            ("  a \n\t b  ", "a b"),
            ("a\u{0}b\u{1b}[31mc", "ab[31mc"),
            ("abc\u{202e}fed", "abcfed"),
            ("é".repeat(40).as_str(), "é".repeat(10).as_str()),
        ] {
            assert_eq!(clean(text, 10), wanted, "{text:?}");
        }
        assert_eq!(cut("aé", 2), "a");
    }
}
