//! What PostgreSQL's lines hold of data and passwords, and how it is taken out.

use std::borrow::Cow;

use super::super::Redact;

/// How messages begin that quote a statement, and what stands before it.
const QUOTING: &[(&str, &str)] = &[
    ("statement: ", "statement: "),
    ("execute ", ": "),
    ("fastpath function call: ", ": "),
    ("duration: ", " ms  "),
    ("AUDIT: ", ","),
    ("could not execute query: ", ": "),
];

/// How messages begin that quote a constant that never ended: all of it may be a password.
const UNENDED: &[&str] = &["unterminated ", "invalid Unicode escape"];

/// How messages begin that quote data behind a colon.
const VALUES: &[&str] = &[
    "invalid input syntax for ",
    "invalid input value for ",
    "date/time field value out of range: ",
    "malformed array literal: ",
    "malformed record literal: ",
    "malformed range literal: ",
];

/// An event's message. `parts` tell what kind of statement it is about.
pub(crate) fn message(redact: Redact, message: &str, parts: &[(&'static str, String)]) -> String {
    for (begin, before) in QUOTING {
        if message.starts_with(begin)
            && let Some(at) = message.find(before)
        {
            let (head, statement) = message.split_at(at + before.len());
            return [head, &quoted(statement)].concat();
        }
    }
    let begins = |list: &[&str]| list.iter().any(|begin| message.starts_with(begin));
    // The piece at which a statement could not be read is a password where that was not quoted.
    let unread = message.starts_with("syntax error at ") && !about_query(parts);
    if unread || begins(UNENDED) {
        return without(message, message.find('"'));
    }
    if begins(VALUES) {
        return without(message, message.find(": \"").map(|at| at + 2));
    }
    redact(message).into_owned()
}

/// The message without what follows from there on.
fn without(message: &str, from: Option<usize>) -> String {
    from.map_or_else(
        || message.to_owned(),
        |from| [&message[..from], redact::MARK].concat(),
    )
}

/// `statement: …`, `execute name: …`, `plan:\nQuery Text: …`: all of it is redacted as a statement.
fn quoted(statement: &str) -> String {
    redact::sql(statement)
}

/// Whether the statement, where one is told, is an ordinary query.
fn about_query(parts: &[(&'static str, String)]) -> bool {
    parts
        .iter()
        .filter(|(name, _)| *name == "statement")
        .all(|(_, statement)| {
            let word = statement
                .trim_start()
                .split(|c: char| !c.is_ascii_alphabetic())
                .next();
            word.is_some_and(|word| {
                !["alter", "create", "set", "do"]
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(word))
            })
        })
}

/// A part of an event, by its name in the context.
pub(crate) fn part(name: &str, text: &str) -> String {
    match name {
        "statement" | "query" => redact::sql(text),
        "detail" => detail(text),
        "context" => text.split('\n').map(context).collect::<Vec<_>>().join("\n"),
        _ => redact::text(text),
    }
}

/// `Key (id)=(42) already exists.`, `Failing row contains (…)`, `parameters: $1 = '…'`.
fn detail(text: &str) -> String {
    if text.starts_with("Failing row contains (") {
        return format!("Failing row contains ({}).", redact::MARK);
    }
    if let Some((columns, values)) = text
        .strip_prefix("Key (")
        .and_then(|key| key.split_once(")=("))
    {
        // The value may hold anything, so the sentence after it begins at the last parenthesis.
        let sentence = values.rsplit_once(')').map_or("", |(_, sentence)| sentence);
        return redact::text(&format!("Key ({columns})=({}){sentence}", redact::MARK));
    }
    // `Process 12: update …` of a deadlock holds statements.
    if ["parameters: ", "Parameters: ", "Process "]
        .iter()
        .any(|begin| text.starts_with(begin))
    {
        return redact::sql(text);
    }
    redact::text(text)
}

/// A line of a `CONTEXT`: data of COPY, statements of functions, parameters.
fn context(line: &str) -> Cow<'_, str> {
    if line.starts_with("COPY ") {
        let end = line.find(": \"").unwrap_or(line.len());
        let mark = if end < line.len() { ": …" } else { "" };
        return Cow::Owned([&line[..end], mark].concat());
    }
    Cow::Owned(redact::sql(line))
}
