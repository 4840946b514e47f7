//! What PostgreSQL's lines hold of data and passwords, and how it is taken out.
//!
//! Where the format states what a text *is*, that decides: a statement loses its constants, a detail also
//! what is in parentheses. Elsewhere the *shape* of a constant does, in whatever language the
//! sentence around it is:
//!
//! | shape | example | stays |
//! |---|---|---|
//! | a statement after a colon | `Anweisung: INSERT …` | the statement without constants |
//! | quotes of any kind | `»Schwertfisch«`, `「x」` | names, see [`super::names`] |
//! | apostrophes that begin a text | `= 'x'` | nothing of it |
//! | columns and their values | `(email)=(x)` | the columns |
//! | a plan | `Query Text: …` | see [`super::plan`] |
//! | parentheses of a detail | `Failing row contains (…)` | nothing of it |
//! | what follows the colon of a detail or a context | `JSON data, line 1: {"a…` | nothing of it |
//! | a line above a caret | pieces of XML | nothing of it |
//!
//! A quoted text that is not a name continues to the last such quote: it may hold quotes itself. And what was a
//! constant of the statement is taken out of every other text of the event, whatever is around it.

use std::borrow::Cow;

use redact::MARK;

use super::super::Redact;
use super::words::{self, Word};
use super::{audit, names, plan, raised, vocabulary};

/// What may open a quotation, and what closes it.
const QUOTES: &[(char, char)] = &[
    ('"', '"'),
    ('«', '»'),
    ('»', '«'),
    ('„', '“'),
    ('“', '”'),
    ('”', '”'),
    ('‘', '’'),
    ('‚', '‘'),
    ('「', '」'),
    ('『', '』'),
    ('《', '》'),
    ('〈', '〉'),
    ('＂', '＂'),
];

/// Which text of an event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Message,
    Detail,
    Context,
}

/// The statement of an event: as it is, and without its constants.
#[derive(Debug, Default)]
struct Statement<'a> {
    raw: &'a str,
    clean: Option<String>,
}

/// Constants of a statement that are searched for in other texts.
const CONSTANTS: usize = 200;

impl<'a> Statement<'a> {
    /// Returns the inner statement of a function, or that of the client.
    fn of(parts: &'a [(&'static str, String)]) -> Self {
        let named = |wanted: &&str| parts.iter().find(|(name, _)| name == wanted);
        Self {
            raw: ["query", "statement"]
                .iter()
                .find_map(named)
                .map_or("", |(_, text)| text),
            clean: None,
        }
    }

    fn clean(&mut self) -> &str {
        self.clean.get_or_insert_with(|| redact::sql(self.raw))
    }

    /// Returns whether the statement shows this as a name (`Some(true)`) or it was taken out of it.
    fn shows(&mut self, text: &str) -> Option<bool> {
        if text.is_empty() || !has_word(self.raw, text) {
            return None;
        }
        Some(has_word(self.clean(), text))
    }

    /// Returns the text without what is a constant of the statement, where that is not a common word.
    fn without_constants(&mut self, mut text: String) -> String {
        for constant in redact::constants(self.raw).into_iter().take(CONSTANTS) {
            let plain = constant.replace("''", "'");
            let common = plain.len() < 8 && plain.bytes().all(|byte| byte.is_ascii_lowercase());
            if plain.chars().count() >= 4
                && !common
                && text.contains(&plain)
                && !has_word(self.clean(), &plain)
            {
                text = text.replace(&plain, MARK);
            }
        }
        text
    }
}

/// Returns whether a text holds the word, not as a part of another.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

/// Returns an event's message. `parts` are the others, for which the statement has the names.
pub(crate) fn message(redact: Redact, message: &str, parts: &[(&'static str, String)]) -> String {
    // What continues from a line that was not seen: of a statement, most likely.
    if message.starts_with('\t') {
        return redact::sql(message);
    }
    let mut statement = Statement::of(parts);
    if let Some(fields) = message.strip_prefix("AUDIT: ") {
        return ["AUDIT: ", &audit::clean(fields)].concat();
    }
    // A constant may read like a plan.
    let plan = plan::begins(message).filter(|at| statement_at(&message[..*at]).is_none());
    let clean = match plan {
        Some(at) => [
            prose(&message[..at], Kind::Message, &mut statement),
            plan::clean(&message[at..]),
        ]
        .concat(),
        None => prose(message, Kind::Message, &mut statement),
    };
    redact(&statement.without_constants(clean)).into_owned()
}

/// Returns whether a program of syslog or of the journal is the server.
pub(crate) fn is_server(component: &str) -> bool {
    matches!(component, "postgres" | "postmaster" | "postgresql")
}

/// Returns a line of the server within syslog or the journal.
pub(crate) fn embedded(text: &str) -> Cow<'_, str> {
    // `[5-2] …` continues with `[5-1]`, from within a constant even, unless a part begins with it.
    let chunk = text
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "));
    let numbers = chunk.and_then(|(numbers, rest)| Some((numbers.split_once('-')?, rest)));
    if let Some(((_, number), rest)) = numbers
        && number != "1"
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !rest.match_indices(":  ").any(|(at, _)| labels(&rest[..at]))
    {
        return Cow::Owned([&text[..text.len() - rest.len()], MARK].concat());
    }
    if let Some(at) = raised::begins(text) {
        return Cow::Owned([&text[..at], &vocabulary::keep(&text[at..])].concat());
    }
    Cow::Owned(message(redact::clean, text, &[]))
}

/// Returns whether a text ends with the word of a severity or of a part.
fn labels(text: &str) -> bool {
    words::of(last_word(text)).is_some()
}

/// Returns a part of an event, by its name in the context. `parts` are all of them.
pub(crate) fn part(name: &str, text: &str, parts: &[(&'static str, String)]) -> String {
    let kind = match name {
        "statement" | "query" => return redact::sql(text),
        "detail" => Kind::Detail,
        "context" => Kind::Context,
        "hint" => Kind::Message,
        _ => return redact::text(text),
    };
    let mut statement = Statement::of(parts);
    let clean = prose(text, kind, &mut statement);
    redact::text(&statement.without_constants(clean))
}

/// Returns a text of sentences without constants.
fn prose(text: &str, kind: Kind, statement: &mut Statement<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    // The values of columns; nothing within them is examined. Within a statement they are not values.
    let columns = columns(text).filter(|(at, _)| {
        kind != Kind::Context && statement_at(text).is_none_or(|begin| begin > *at)
    });
    if let Some((columns, values)) = columns {
        let blank = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}');
        let opens = |c: char| QUOTES.iter().any(|(open, _)| *open == c);
        let head = text[..opening(text, columns)].trim_end_matches(|c| blank(c) || opens(c));
        sentence(&mut out, head, kind, statement);
        out.push_str(&text[head.len()..values]);
        out.push_str(MARK);
        let Some(end) = text[values..].rfind(')') else {
            return out;
        };
        let tail = &text[values + end..];
        let behind = tail[1..].trim_start_matches(blank);
        let quote = behind
            .chars()
            .next()
            .filter(|c| QUOTES.iter().any(|(_, close)| close == c));
        let kept = quote.map_or(1, |c| tail.len() - behind.len() + c.len_utf8());
        out.push_str(&tail[..kept]);
        sentence(&mut out, &tail[kept..], kind, statement);
        return out;
    }
    if kind == Kind::Detail && text.lines().any(is_caret) {
        pieces(&mut out, text, statement);
        return out;
    }
    sentence(&mut out, text, kind, statement);
    out
}

/// Returns where the columns of `(email)=(x)` end and where their values begin.
fn columns(text: &str) -> Option<(usize, usize)> {
    [")=(", ") = ("]
        .iter()
        .find_map(|between| text.find(between).map(|at| (at, at + between.len())))
}

/// Returns where the colon is after which the first statement begins.
fn statement_at(text: &str) -> Option<usize> {
    text.match_indices([':', '：'])
        .map(|(at, colon)| (at, at + colon.len()))
        .find_map(|(at, end)| {
            let rest = &text[end..];
            let apart = rest.starts_with(char::is_whitespace)
                || text[..at].ends_with(|c: char| !c.is_ascii());
            (apart && redact::is_sql(rest)).then_some(at)
        })
}

/// Returns where the parenthesis is opened that is closed at `close`.
fn opening(text: &str, close: usize) -> usize {
    let mut depth = 0_u32;
    for (at, byte) in text.as_bytes()[..=close].iter().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at;
        }
    }
    0
}

fn is_caret(line: &str) -> bool {
    line.trim() == "^"
}

/// Errors of XML: each line above a caret is a piece of the data.
fn pieces(out: &mut String, text: &str, statement: &mut Statement<'_>) {
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_some_and(|next| is_caret(next)) {
            out.push_str(MARK);
        } else {
            sentence(out, line, Kind::Detail, statement);
        }
        if lines.peek().is_some() {
            out.push('\n');
        }
    }
}

/// Goes through the sentences of a text.
fn sentence(out: &mut String, text: &str, kind: Kind, statement: &mut Statement<'_>) {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let end = at + c.len_utf8();
        let rest = &text[end..];
        match c {
            ':' | '：' => {
                out.push(c);
                at = end;
                if let Some(length) = behind_colon(out, &text[..at - c.len_utf8()], rest, kind) {
                    at += length;
                }
            }
            '(' if kind == Kind::Detail => {
                out.push(c);
                out.push_str(MARK);
                let close = rest.rfind(')').map_or(text.len(), |close| end + close);
                at = passed(out, text, at, close);
            }
            '\'' if begins_constant(&text[..at], rest) => {
                out.push_str("'…'");
                let close = last(rest, '\'').map_or(text.len(), |close| end + close + 1);
                at = passed(out, text, at, close);
            }
            c => match QUOTES.iter().find(|(open, _)| *open == c) {
                Some((_, close)) => at = quotation(out, text, at, *close, kind, statement),
                None => {
                    out.push(c);
                    at = end;
                }
            },
        }
    }
}

/// Returns where to continue after what was taken out. Where a statement began within it, the rest is its.
fn passed(out: &mut String, text: &str, from: usize, to: usize) -> usize {
    if statement_at(&text[from..to]).is_none() {
        return to;
    }
    out.push_str(&redact::sql(&text[to..]));
    text.len()
}

/// Writes what follows a colon where that is not a sentence: a statement, parameters, the text of a part
/// whose label was not read, data. How many bytes it was.
fn behind_colon(out: &mut String, before: &str, rest: &str, kind: Kind) -> Option<usize> {
    let content = rest.trim_start_matches([' ', '\u{a0}', '\u{3000}', '\n', '\t']);
    let blank = rest.len() - content.len();
    let ends_word = blank > 0 || rest.is_empty() || before.ends_with(|c: char| !c.is_ascii());
    if !ends_word || content.is_empty() {
        return None;
    }
    // A line whose prefix was not read holds its label.
    let word = last_word(before);
    if let Some(Word::Part(name)) = words::of(word).filter(|_| rest.starts_with("  ")) {
        out.push_str(&rest[..blank]);
        out.push_str(&part(name, content, &[]));
        return Some(rest.len());
    }
    if redact::is_sql(content) || content.starts_with("$1 = ") {
        out.push_str(&rest[..blank]);
        out.push_str(&redact::sql(content));
        return Some(rest.len());
    }
    let quoted =
        content.starts_with(|c: char| c == '\'' || QUOTES.iter().any(|(open, _)| *open == c));
    if kind == Kind::Message || quoted {
        return None;
    }
    let line = &content[..content.find('\n').unwrap_or(content.len())];
    if lists_processes(line) {
        out.push_str(&rest[..blank + line.len()]);
        return Some(blank + line.len());
    }
    out.push_str(&rest[..blank]);
    out.push_str(MARK);
    Some(blank + line.len())
}

/// Returns the word that a text ends with.
fn last_word(text: &str) -> &str {
    let mut near = text.len().saturating_sub(words::LONGEST);
    while !text.is_char_boundary(near) {
        near += 1;
    }
    text[near..]
        .rsplit(|c: char| !(c.is_alphabetic() || c == '\''))
        .find(|word| !word.is_empty())
        .unwrap_or_default()
}

/// Returns whether the text is `12, 13. Wait queue: 14.`: who holds a lock, and who waits for it.
fn lists_processes(content: &str) -> bool {
    let rest = content.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ',' | ' '));
    let listed = content.starts_with(|c: char| c.is_ascii_digit());
    let sentence = rest.strip_prefix(['.', '。']).unwrap_or_default();
    let queue = sentence.split_once([':', '：']).map(|(_, queue)| queue);
    listed
        && queue.is_some_and(|queue| {
            queue
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, ',' | ' ' | '.' | '。'))
        })
}

/// Returns whether an apostrophe begins a constant: not within a word, and something closes it.
fn begins_constant(before: &str, rest: &str) -> bool {
    // `E'…'`, `X'…'`; `N'…'` would be French.
    let prefix = before.ends_with(['E', 'e', 'B', 'b', 'X', 'x', '&'])
        && !before[..before.len() - 1].ends_with(char::is_alphanumeric);
    let elided =
        before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '’' | ')')) && !prefix;
    !elided && !rest.starts_with(char::is_whitespace) && rest.contains('\'')
}

/// Returns the last apostrophe that ends a word.
fn last(text: &str, quote: char) -> Option<usize> {
    text.match_indices(quote)
        .map(|(at, _)| at)
        .rfind(|at| !text[at + 1..].starts_with(char::is_alphanumeric))
        .or_else(|| text.rfind(quote))
}

/// Writes the quotation that begins here; where it ends.
fn quotation(
    out: &mut String,
    text: &str,
    at: usize,
    close: char,
    kind: Kind,
    statement: &mut Statement<'_>,
) -> usize {
    let open = text[at..].chars().next().map_or(0, char::len_utf8);
    let inner = &text[at + open..];
    let lead = inner.len() - inner.trim_start_matches([' ', '\u{a0}', '\u{202f}']).len();
    out.push_str(&text[at..at + open + lead]);
    let content = &inner[lead..];
    let from = at + open + lead;
    if kind == Kind::Context && redact::is_sql(content) {
        let mut buffer = [0; 4];
        let (clean, length) = redact::quoted_sql(content, close.encode_utf8(&mut buffer));
        out.push_str(&clean);
        let rest = &content[length..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\u{a0}', '\u{202f}']).len();
        let closed = if rest[blank..].starts_with(close) {
            blank + close.len_utf8()
        } else {
            0
        };
        out.push_str(&rest[..closed]);
        return from + length + closed;
    }
    let Some(first) = content.find(close) else {
        // Nothing closes it: a quote at the end of a piece, or a text that was cut.
        if !content.trim().is_empty() {
            out.push_str(MARK);
        }
        return text.len();
    };
    let name = content[..first].trim_end_matches([' ', '\u{a0}', '\u{202f}']);
    let after = &content[first + close.len_utf8()..];
    // No name holds an apostrophe; an expression does.
    let named = || !name.contains('\'') && names::names(&text[..at], after);
    // An empty one may be the beginning of a text that begins with a quote.
    let empty = name.is_empty() && !after.contains(close);
    if empty || !name.is_empty() && statement.shows(name).unwrap_or_else(named) {
        out.push_str(&content[..first + close.len_utf8()]);
        return from + first + close.len_utf8();
    }
    let last = content.rfind(close).unwrap_or(first);
    let blank = &content[content[..last]
        .trim_end_matches([' ', '\u{a0}', '\u{202f}'])
        .len()..last];
    out.push_str(MARK);
    out.push_str(blank);
    out.push(close);
    passed(out, text, at, from + last + close.len_utf8())
}

#[cfg(test)]
mod tests;
