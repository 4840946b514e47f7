//! Statements of PostgreSQL without their constants.
//!
//! A lexer for exactly the parts of the grammar that can hide a quote: constants (`'…'`, with prefix
//! `E`, `B`, `X`, `N`, `U&`), dollar quotes, quoted identifiers and comments; and for numbers.
//! Everything else passes.

use crate::MARK;

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

/// First words of all other commands of PostgreSQL, from the list of its reference.
const UTILITIES: &[&str] = &[
    "abort",
    "alter",
    "analyze",
    "analyse",
    "call",
    "checkpoint",
    "close",
    "cluster",
    "comment",
    "copy",
    "create",
    "deallocate",
    "declare",
    "discard",
    "do",
    "drop",
    "execute",
    "explain",
    "grant",
    "import",
    "listen",
    "load",
    "lock",
    "move",
    "notify",
    "perform",
    "prepare",
    "reassign",
    "refresh",
    "reindex",
    "reset",
    "revoke",
    "security",
    "set",
    "show",
    "truncate",
    "unlisten",
    "vacuum",
];

/// Words of `ALTER ROLE` and its like; any other may be a password that was not quoted.
const ROLE_WORDS: &[&str] = &[
    "alter",
    "create",
    "role",
    "user",
    "group",
    "with",
    "superuser",
    "nosuperuser",
    "createdb",
    "nocreatedb",
    "createrole",
    "nocreaterole",
    "inherit",
    "noinherit",
    "login",
    "nologin",
    "replication",
    "noreplication",
    "bypassrls",
    "nobypassrls",
    "connection",
    "limit",
    "encrypted",
    "unencrypted",
    "password",
    "null",
    "valid",
    "until",
    "in",
    "admin",
    "sysid",
    "rename",
    "to",
    "add",
    "drop",
    "all",
    "database",
    "set",
    "reset",
    "if",
    "exists",
    "not",
    "current_user",
    "current_role",
    "session_user",
    "infinity",
    "from",
    "default",
    "mapping",
    "for",
    "server",
    "options",
];

/// Words of `ALTER ROLE` after which a name follows.
const NAMING: &[&str] = &[
    "role", "user", "group", "to", "admin", "database", "for", "server", "set", "reset", "exists",
];

/// How PostgreSQL 18 writes a list of constants that it has folded; holds nothing of them.
const FOLDED: &str = "/*, ... */";

/// Returns the statement without constants and comments: `'…'` for a text, `…` for a number. Names and
/// parameters stay, and so does the empty string.
#[must_use]
pub fn sql(statement: &str) -> String {
    lexed(statement, None, |_| ()).0
}

/// Returns the constants of a statement as they are in it: texts without their quotes, and numbers.
#[must_use]
pub fn constants(statement: &str) -> Vec<&str> {
    let mut found = Vec::new();
    lexed(statement, None, |constant| found.push(constant));
    found
}

/// Returns the statement that `quote` closes, as the context of a function quotes it: up to a quote that is
/// not one of the statement's own and ends a line. Also how many bytes it has.
#[must_use]
pub fn quoted_sql(text: &str, quote: &str) -> (String, usize) {
    lexed(text, Some(quote), |_| ())
}

/// Returns whether a text begins as a statement does.
#[must_use]
pub fn is_sql(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    if text.starts_with("--") || text.starts_with("/*") {
        return true;
    }
    let end = text
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let goes_on = text[end..].starts_with(|c: char| c == '_' || c == '.' || c.is_alphanumeric());
    let known = |list: &[&str]| {
        list.iter()
            .any(|word| word.eq_ignore_ascii_case(&text[..end]))
    };
    !goes_on && (known(QUERIES) || known(UTILITIES))
}

fn lexed<'a>(
    statement: &'a str,
    closing_quote: Option<&str>,
    mut found: impl FnMut(&'a str),
) -> (String, usize) {
    let mut out = String::with_capacity(statement.len());
    let mut rest = statement;
    // Whether the character before belongs to a name, so that a dollar or a digit is part of it too.
    let mut in_name = false;
    while let Some(next) = rest.chars().next() {
        if closing_quote.is_some_and(|quote| ends_with_line(rest, quote)) {
            break;
        }
        let end = if let Some(end) = replaced(rest, in_name, closing_quote, &mut out, &mut found) {
            in_name = false;
            end
        } else {
            in_name = next == '_' || next == '$' || next.is_alphanumeric();
            out.push(next);
            next.len_utf8()
        };
        rest = &rest[end..];
    }
    (without_secrets(out), statement.len() - rest.len())
}

/// Adds what is shown for a constant, a comment or a quoted name with which `rest` begins. Returns its bytes;
/// `None` when it begins with something else.
fn replaced<'a>(
    rest: &'a str,
    in_name: bool,
    closing_quote: Option<&str>,
    out: &mut String,
    found: &mut impl FnMut(&'a str),
) -> Option<usize> {
    let (end, shown) = match rest.as_bytes().first()? {
        first @ (b'\'' | b'$') => {
            let end = match first {
                b'\'' => constant(rest, escapes(out)),
                _ if in_name => return None,
                _ => dollar(rest)?,
            };
            found(content(&rest[..end]));
            (end, if &rest[..end] == "''" { "''" } else { "'…'" })
        }
        b'"' => {
            let (end, is_name) = double_quoted(rest, closing_quote, out);
            if !is_name {
                found(rest[..end].trim_matches('"'));
            }
            (end, if is_name { &rest[..end] } else { "\"…\"" })
        }
        b'-' if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), " "),
        b'/' if rest.starts_with(FOLDED) => (comment(rest), FOLDED),
        b'/' if rest.starts_with("/*") => (comment(rest), " "),
        b'0'..=b'9' if !in_name => {
            let end = number(rest);
            found(&rest[..end]);
            (end, MARK)
        }
        _ => return None,
    };
    out.push_str(shown);
    Some(end)
}

/// Returns where the double-quoted text at the beginning ends, and whether it is a name. `before` is the
/// statement up to here.
fn double_quoted(rest: &str, closing_quote: Option<&str>, before: &str) -> (usize, bool) {
    let end = closing(rest, closing_quote == Some("\""));
    // As an operand of a comparison it is a text in other systems.
    let is_operand = before.trim_end().ends_with(['=', '<', '>', '~']);
    let is_name = end.is_some_and(|end| !is_operand || rest[end..].trim_start().starts_with('.'));
    (end.unwrap_or(rest.len()), is_name)
}

/// Returns a statement without constants also without secrets in its words.
fn without_secrets(statement: String) -> String {
    if is_query(&statement) {
        statement
    } else if is_about_roles(&statement) {
        crate::text(&without_bare_words(&statement))
    } else {
        crate::text(&statement)
    }
}

/// Returns what is within the quotes of a constant.
fn content(constant: &str) -> &str {
    if let Some(tagged) = constant.strip_prefix('$') {
        let tag = &constant[..tagged.find('$').map_or(1, |end| end + 2)];
        let body = &constant[tag.len().min(constant.len())..];
        return body.strip_suffix(tag).unwrap_or(body);
    }
    let body = constant.strip_prefix('\'').unwrap_or(constant);
    body.strip_suffix('\'').unwrap_or(body)
}

/// Returns whether the text begins with a quote that ends a line.
fn ends_with_line(text: &str, quote: &str) -> bool {
    let text = text
        .strip_prefix([' ', '\u{a0}', '\u{202f}'])
        .unwrap_or(text);
    text.strip_prefix(quote)
        .is_some_and(|after| after.is_empty() || after.starts_with('\n'))
}

/// Bytes of the number that `text` begins with: `1`, `0x1f`, `1_000`, `1.5e-7`.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1);
        let goes_on = byte.is_ascii_alphanumeric()
            || *byte == b'_'
            || (*byte == b'.' && next.is_some_and(u8::is_ascii_digit))
            || (matches!(byte, b'+' | b'-')
                && matches!(bytes[at - 1], b'e' | b'E')
                && next.is_some_and(u8::is_ascii_digit)
                && !text.starts_with("0x"));
        if !goes_on {
            break;
        }
        at += 1;
    }
    at
}

fn words(statement: &str) -> impl Iterator<Item = &str> {
    statement
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')'))
        .filter(|word| !word.is_empty())
}

fn among(list: &[&str], word: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn is_about_roles(statement: &str) -> bool {
    let mut words = words(statement);
    words
        .next()
        .is_some_and(|word| among(&["alter", "create"], word))
        && words
            .next()
            .is_some_and(|word| among(&["role", "user", "group"], word))
}

/// Returns the statement about roles without words that are neither its own nor names.
fn without_bare_words(statement: &str) -> String {
    let mut out = String::with_capacity(statement.len());
    let (mut rest, mut before) = (statement, "");
    while !rest.is_empty() {
        let blank = rest
            .find(|c: char| !(c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')')))
            .unwrap_or(rest.len());
        let listed = rest[..blank].contains(',');
        out.push_str(&rest[..blank]);
        rest = &rest[blank..];
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')'))
            .unwrap_or(rest.len());
        let word = &rest[..end];
        if among(&["set", "options"], before) && !word.is_empty() {
            out.push_str(rest);
            break;
        }
        let named = (among(NAMING, before) || listed) && !before.eq_ignore_ascii_case("password");
        let constant = word.starts_with(['\'', '"']) || word.contains(MARK);
        out.push_str(
            if named || constant || among(ROLE_WORDS, word) || word.is_empty() {
                word
            } else {
                MARK
            },
        );
        before = word;
        rest = &rest[end..];
    }
    out
}

fn is_query(statement: &str) -> bool {
    let trimmed = statement.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let word = trimmed
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    QUERIES.iter().any(|query| query.eq_ignore_ascii_case(word))
}

/// Returns whether a constant that follows this text takes a backslash for an escape: prefix `E`.
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
            // Ends the constant or not, as standard_conforming_strings states: unknown here.
            b'\\' if bytes.get(at + 1) == Some(&b'\'') => return text.len(),
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 2,
            b'\'' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Bytes of the quoted name that `text` begins with. Within other quotes of the same kind the last two
/// of a line are its own and theirs.
fn closing(text: &str, within: bool) -> Option<usize> {
    let mut from = 1;
    loop {
        let end = from + text[from..].find('"')? + 1;
        let doubled = text[end..].starts_with('"');
        if !doubled || (within && ends_with_line(&text[end..], "\"")) {
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
mod tests;
