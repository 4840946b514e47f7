//! Statements of PostgreSQL without their constants.
//!
//! A lexer for exactly the parts of the grammar that can hide a quote: constants (`'…'`, with prefix
//! `E`, `B`, `X`, `N`, `U&`), dollar quotes, quoted identifiers and comments. Everything else passes.

/// First words of statements whose unquoted words cannot be secrets. Everything else, `SET` and
/// `ALTER` among it, is also searched for what follows a secret's name.
const QUERIES: &[&str] = &[
    "select",
    "insert",
    "update",
    "delete",
    "merge",
    "with",
    "values",
    "table",
    "fetch",
    "begin",
    "commit",
    "rollback",
    "start",
    "end",
    "savepoint",
    "release",
];

/// How PostgreSQL 18 writes a list of constants that it has folded; holds nothing of them.
const FOLDED: &str = "/*, ... */";

/// The statement without string constants and comments. Names, numbers and parameters stay, and so
/// does the empty string.
#[must_use]
pub fn sql(statement: &str) -> String {
    let mut out = String::with_capacity(statement.len());
    let mut rest = statement;
    // Whether the character before belongs to a name, so that a dollar is part of it too.
    let mut in_name = false;
    while let Some(next) = rest.chars().next() {
        let quoted = match next {
            '\'' => Some(constant(rest, escapes(&out))),
            '"' => {
                let end = closing(rest, '"').unwrap_or(rest.len());
                out.push_str(&rest[..end]);
                Some(end)
            }
            '$' if !in_name => dollar(rest),
            '-' if rest.starts_with("--") => {
                out.push(' ');
                Some(rest.find('\n').unwrap_or(rest.len()))
            }
            '/' if rest.starts_with("/*") => {
                out.push_str(if rest.starts_with(FOLDED) {
                    FOLDED
                } else {
                    " "
                });
                Some(comment(rest))
            }
            _ => None,
        };
        match quoted {
            Some(end) => {
                let constant = next == '\'' || next == '$';
                if constant {
                    out.push_str(match &rest[..end] {
                        "''" => "''",
                        _ => "'…'",
                    });
                }
                in_name = false;
                rest = &rest[end..];
            }
            None => {
                in_name = next == '_' || next == '$' || next.is_alphanumeric();
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    if is_query(&out) {
        out
    } else {
        crate::text(&out)
    }
}

fn is_query(statement: &str) -> bool {
    let trimmed = statement.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let word = trimmed
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    QUERIES.iter().any(|query| query.eq_ignore_ascii_case(word))
}

/// Whether a constant that follows this text takes a backslash for an escape: prefix `E`.
fn escapes(before: &str) -> bool {
    let mut back = before.chars().rev();
    matches!(back.next(), Some('e' | 'E'))
        && !back
            .next()
            .is_some_and(|c| c == '_' || c == '$' || c.is_alphanumeric())
}

/// Bytes of the constant that `text` begins with.
fn constant(text: &str, escapes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 2,
            // Ends the constant or not, as standard_conforming_strings says: unknown here.
            b'\\' if bytes.get(at + 1) == Some(&b'\'') => return text.len(),
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 2,
            b'\'' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Bytes of the quoted name that `text` begins with.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut from = 1;
    loop {
        let end = from + text[from..].find(quote)? + 1;
        if !text[end..].starts_with(quote) {
            return Some(end);
        }
        from = end + 1;
    }
}

/// Bytes of the dollar-quoted constant that `text` begins with; `None` for a parameter such as `$1`.
fn dollar(text: &str) -> Option<usize> {
    let end = 1 + text[1..].find(|c: char| !(c == '_' || c.is_alphanumeric()))?;
    let tag = text.get(..=end).filter(|tag| tag.ends_with('$'))?;
    if tag[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let body = &text[tag.len()..];
    Some(
        body.find(tag)
            .map_or(text.len(), |at| tag.len() + at + tag.len()),
    )
}

/// Bytes of the comment that `text` begins with; comments nest.
fn comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (2, 1);
    while at < bytes.len() {
        match &bytes[at..(at + 2).min(bytes.len())] {
            b"/*" => (at, depth) = (at + 2, depth + 1),
            b"*/" => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn constants_and_comments_are_gone_and_the_rest_stays() {
        let cases = [
            ("select 1 + $1", "select 1 + $1"),
            (
                "select * from t where a = 'x' and b = ''",
                "select * from t where a = '…' and b = ''",
            ),
            (
                "create role r password 'Top''Secret1' login",
                "create role r password '…' login",
            ),
            (
                "alter role r PASSWORD E'a\\'b' valid until 'x'",
                "alter role r PASSWORD E'…' valid until '…'",
            ),
            (
                "do $$ begin perform 'x'; end $$; select 2",
                "do '…'; select 2",
            ),
            ("do $b$ x $$ y $b$", "do '…'"),
            ("select \"it's\", 'x'", "select \"it's\", '…'"),
            ("select 1 -- token=abc\n, 2", "select 1  \n, 2"),
            ("select 1 /* a /* b */ 'c' */, 2", "select 1  , 2"),
            ("select a in ($1 /*, ... */)", "select a in ($1 /*, ... */)"),
            ("select 'open", "select '…'"),
            ("select 'C:\\', 'secret'", "select '…'"),
            ("select a$b, c", "select a$b, c"),
            (
                "create subscription s connection 'host=h password=p' publication p",
                "create subscription s connection '…' publication p",
            ),
            ("set app.api_token = abc123", "set app.api_token = …"),
            (
                "select token = t.token from t",
                "select token = t.token from t",
            ),
        ];
        for (statement, expected) in cases {
            assert_eq!(sql(statement), expected, "{statement}");
            assert_eq!(sql(expected), expected, "again: {statement}");
        }
    }

    /// A constant holding `secret` in each of the ways that SQL has.
    fn quoted(secret: &str) -> Vec<String> {
        vec![
            format!("'{secret}'"),
            format!("'it''s {secret}'"),
            format!("E'\\'{secret}\\\\'"),
            format!("$${secret}$$"),
            format!("$t$ ' {secret} $$ $t$"),
            format!("/* {secret} /* ' */ */ 1"),
            format!("-- {secret} '\n 2"),
        ]
    }

    proptest! {
        #[test]
        fn no_way_of_quoting_lets_a_secret_through(
            ways in prop::collection::vec(0..7_usize, 1..6),
            cut in 0..400_usize,
        ) {
            let secret = "S3cretValue";
            let parts: Vec<String> = ways.iter().map(|way| quoted(secret)[*way].clone()).collect();
            let mut statement = format!("alter role \"o'dd\" set x = {}", parts.join(", "));
            // Views cut texts at any place.
            let end = cut.min(statement.len());
            if statement.is_char_boundary(end) && cut > 50 {
                statement.truncate(end);
            }
            let clean = sql(&statement);
            prop_assert!(!clean.contains("S3c"), "{statement} became {clean}");
        }

        #[test]
        fn any_text_is_taken(text in "\\PC{0,80}|['\"$/*\\\\a -]{0,40}") {
            let _clean = sql(&text);
        }
    }
}
