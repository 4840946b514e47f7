//! Tokens of SQL, with parentheses as a tree; and the SQL among the text literals of Rust sources.

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// An identifier or keyword; unquoted ones in lower case.
    Word(String),
    /// A number, text, parameter or operator.
    Other(String),
    /// The contents of a dollar-quoted text, which may be a body.
    Body(String),
    /// What is between parentheses.
    Group(Vec<Self>),
}

impl Token {
    /// Returns whether it is this word.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(found) if found == word)
    }

    /// Returns whether it is this operator or sign.
    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        matches!(self, Self::Other(found) if found == sign)
    }

    /// Returns its word.
    pub(crate) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// Reads tokens until the text ends; a closing parenthesis without an opening one is left out.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    let mut found = Vec::new();
    while at < chars.len() {
        found.extend(level(&chars, &mut at));
        at += 1;
    }
    found
}

/// Reads up to the parenthesis that closes this level.
fn level(chars: &[char], at: &mut usize) -> Vec<Token> {
    let mut found = Vec::new();
    while let Some(&sign) = chars.get(*at) {
        let next = chars.get(*at + 1).copied();
        match sign {
            ')' => break,
            '(' => {
                *at += 1;
                found.push(Token::Group(level(chars, at)));
                *at += 1;
            }
            '-' if next == Some('-') => {
                while chars.get(*at).is_some_and(|one| *one != '\n') {
                    *at += 1;
                }
            }
            '/' if next == Some('*') => skip_comment(chars, at),
            '\'' => found.push(text(chars, at, false)),
            'e' | 'E' if next == Some('\'') => {
                *at += 1;
                found.push(text(chars, at, true));
            }
            '"' => {
                let word = until(chars, *at + 1, '"');
                *at += word.chars().count() + 2;
                found.push(Token::Word(word));
            }
            '$' => found.push(dollar(chars, at)),
            one if one.is_alphabetic() || one == '_' => {
                let word: String = run(chars, at, |one| {
                    one.is_alphanumeric() || one == '_' || one == '$'
                });
                found.push(Token::Word(word.to_lowercase()));
            }
            one if one.is_ascii_digit() => {
                found.push(Token::Other(run(chars, at, |one| {
                    one.is_alphanumeric() || one == '.'
                })));
            }
            one if one.is_whitespace() => *at += 1,
            one => {
                found.push(Token::Other(one.to_string()));
                *at += 1;
            }
        }
    }
    found
}

fn run(chars: &[char], at: &mut usize, takes: impl Fn(char) -> bool) -> String {
    let taken: String = chars[*at..]
        .iter()
        .copied()
        .take_while(|one| takes(*one))
        .collect();
    *at += taken.chars().count();
    taken
}

fn until(chars: &[char], from: usize, end: char) -> String {
    chars[from.min(chars.len())..]
        .iter()
        .copied()
        .take_while(|one| *one != end)
        .collect()
}

fn skip_comment(chars: &[char], at: &mut usize) {
    let mut depth = 0;
    while *at < chars.len() {
        match (chars[*at], chars.get(*at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                *at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                *at += 2;
                if depth == 0 {
                    return;
                }
            }
            _ => *at += 1,
        }
    }
}

fn text(chars: &[char], at: &mut usize, escapes: bool) -> Token {
    let begin = *at;
    *at += 1;
    while let Some(&one) = chars.get(*at) {
        match one {
            '\\' if escapes => *at += 2,
            '\'' if chars.get(*at + 1) == Some(&'\'') => *at += 2,
            '\'' => break,
            _ => *at += 1,
        }
    }
    *at += 1;
    Token::Other(chars[begin..(*at).min(chars.len())].iter().collect())
}

/// Reads a parameter, or a text between dollar signs.
fn dollar(chars: &[char], at: &mut usize) -> Token {
    let name = chars[*at + 1..]
        .iter()
        .copied()
        .take_while(|one| one.is_alphanumeric() || *one == '_');
    let name: String = name.collect();
    let begin = *at + name.chars().count() + 2;
    if chars.get(begin - 1) != Some(&'$') || name.starts_with(|one: char| one.is_ascii_digit()) {
        *at += name.chars().count() + 1;
        return Token::Other(format!("${name}"));
    }
    let mark: Vec<char> = format!("${name}$").chars().collect();
    let rest = &chars[begin.min(chars.len())..];
    let length = rest.windows(mark.len()).position(|window| window == mark);
    let length = length.unwrap_or(rest.len());
    *at = begin + length + mark.len();
    Token::Body(rest[..length].iter().collect())
}

/// Returns the text literals of a Rust source, without those of its unit tests.
pub(crate) fn literals(source: &str) -> Vec<String> {
    let end = source
        .find("#[cfg(test)]\nmod tests")
        .unwrap_or(source.len());
    let chars: Vec<char> = source[..end].chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let next = chars.get(at + 1).copied();
        match chars[at] {
            '/' if next == Some('/') => {
                while chars.get(at).is_some_and(|one| *one != '\n') {
                    at += 1;
                }
            }
            '/' if next == Some('*') => skip_comment(&chars, &mut at),
            // A character, or a lifetime.
            '\'' if next == Some('\\') => {
                at += 3;
                while chars.get(at).is_some_and(|one| *one != '\'') {
                    at += 1;
                }
                at += 1;
            }
            '\'' if chars.get(at + 2) == Some(&'\'') => at += 3,
            'r' if matches!(next, Some('"' | '#'))
                && !(at > 0 && chars[at - 1].is_alphanumeric()) =>
            {
                let marks = chars[at + 1..]
                    .iter()
                    .take_while(|one| **one == '#')
                    .count();
                at += marks + 1;
                if chars.get(at) == Some(&'"') {
                    let end: Vec<char> = format!("\"{}", "#".repeat(marks)).chars().collect();
                    let rest = &chars[at + 1..];
                    let length = rest.windows(end.len()).position(|window| window == end);
                    let length = length.unwrap_or(rest.len());
                    found.push(rest[..length].iter().collect());
                    at += 1 + length + end.len();
                }
            }
            '"' => found.push(literal(&chars, &mut at)),
            _ => at += 1,
        }
    }
    found
}

/// Reads a literal with escapes; a line that ends in a backslash goes on with the next.
fn literal(chars: &[char], at: &mut usize) -> String {
    let mut text = String::new();
    *at += 1;
    while let Some(&one) = chars.get(*at) {
        *at += 1;
        match one {
            '"' => break,
            '\\' => {
                let escaped = chars.get(*at).copied().unwrap_or(' ');
                *at += 1;
                match escaped {
                    'n' => text.push('\n'),
                    '\n' => {
                        while chars.get(*at).is_some_and(|one| one.is_whitespace()) {
                            *at += 1;
                        }
                    }
                    other => text.push(other),
                }
            }
            one => text.push(one),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Token {
        Token::Word(text.to_owned())
    }

    fn other(text: &str) -> Token {
        Token::Other(text.to_owned())
    }

    #[test]
    fn sql_becomes_tokens() {
        assert_eq!(
            tokens(
                "SELECT \"End\", 'it''s -- (' FROM a.b /* (x /* y */) */ WHERE x = $1 AND f(1.5, (2)) -- )\n;"
            ),
            [
                word("select"),
                word("End"),
                other(","),
                other("'it''s -- ('"),
                word("from"),
                word("a"),
                other("."),
                word("b"),
                word("where"),
                word("x"),
                other("="),
                other("$1"),
                word("and"),
                word("f"),
                Token::Group(vec![
                    other("1.5"),
                    other(","),
                    Token::Group(vec![other("2")])
                ]),
                other(";"),
            ]
        );
        assert_eq!(tokens("E'a\\'b' x"), [other("'a\\'b'"), word("x")]);
        assert_eq!(
            tokens("AS $f$ SELECT '$$' $f$ y"),
            [
                word("as"),
                Token::Body(" SELECT '$$' ".to_owned()),
                word("y")
            ]
        );
        assert_eq!(tokens("a) b"), [word("a"), word("b")]);
    }

    #[test]
    fn literals_are_found_in_rust() {
        let source = "// \"no\"\nlet a = \"SELECT \\\"x\\\" \\\n   FROM y\"; let b: &'a str = r#\"raw \"q\" \"#; let c = '\"'; let d = '\\'';\n\
                      let e = \"last\"; #[cfg(test)]\nmod tests { \"not\" }";
        assert_eq!(
            literals(source),
            ["SELECT \"x\" FROM y", "raw \"q\" ", "last"]
        );
    }
}
