//! PostgreSQL: starts and stops, settings that came into force, and changes of the schema where they are logged.
//!
//! The messages are those of the English catalogue; of a server that logs in another language the collector sees settings
//! and tables by itself.

use super::{Action, Change};
use crate::event::Event;

/// Kinds of objects whose statements are recorded; of those with several words the longest comes first.
const OBJECTS: &[&str] = &[
    "MATERIALIZED VIEW",
    "FOREIGN TABLE",
    "TABLE",
    "INDEX",
    "VIEW",
    "SEQUENCE",
    "FUNCTION",
    "PROCEDURE",
    "TRIGGER",
    "TYPE",
    "SCHEMA",
    "DATABASE",
    "EXTENSION",
    "ROLE",
    "USER",
    "POLICY",
    "PUBLICATION",
    "SUBSCRIPTION",
];
/// Words between the verb and the kind, or between kind and name, that do not matter.
const FILLERS: &[&str] = &[
    "OR",
    "REPLACE",
    "UNIQUE",
    "UNLOGGED",
    "CONCURRENTLY",
    "IF",
    "NOT",
    "EXISTS",
    "ONLY",
];

/// Reads a message of the server.
pub(super) fn read(event: &Event) -> Option<Change<'_>> {
    let message = event.message.as_str();
    match message {
        "database system is ready to accept connections"
        | "database system is ready to accept read-only connections" => {
            return Some(Change::new("server", "", Action::Started));
        }
        "database system is shut down" => return Some(Change::new("server", "", Action::Stopped)),
        _ => {}
    }
    if let Some(rest) = message.strip_prefix("parameter \"") {
        return setting(rest);
    }
    let statement = match message.strip_prefix("statement: ") {
        Some(statement) => statement,
        // Of `log_min_duration_statement`, and of the extended protocol.
        None => match message.strip_prefix("execute ") {
            Some(rest) => rest.split_once(": ")?.1,
            None => {
                message
                    .strip_prefix("duration: ")?
                    .split_once(" ms  statement: ")?
                    .1
            }
        },
    };
    schema_change(statement)
}

/// `work_mem" changed to "8MB"`. Source: `ProcessConfigFileInternal`, guc.c.
fn setting(rest: &str) -> Option<Change<'_>> {
    let (name, what) = rest.split_once("\" ")?;
    let change = Change::new("setting", name, Action::Changed);
    // What stands in quotes was replaced by the parser; the collector sees the values.
    if what.starts_with("changed to \"") {
        return Some(change);
    }
    (what == "removed from configuration file, reset to default")
        .then(|| change.after(Some("default")))
}

/// Returns the change of a statement of the definition language: verb, kind and name, nothing else of it.
fn schema_change(statement: &str) -> Option<Change<'_>> {
    let statement = statement.trim_start();
    let (verb, rest) = statement.split_once(char::is_whitespace)?;
    let action = match verb {
        _ if verb.eq_ignore_ascii_case("create") => Action::Created,
        _ if verb.eq_ignore_ascii_case("alter") => Action::Altered,
        _ if verb.eq_ignore_ascii_case("drop") => Action::Dropped,
        _ => return None,
    };
    let rest = without_fillers(rest);
    let object = OBJECTS.iter().find(|object| {
        rest.get(..object.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(object))
            && rest[object.len()..].starts_with(char::is_whitespace)
    })?;
    let name = name(without_fillers(&rest[object.len()..]))?;
    let subject = format!("{} {name}", object.to_ascii_lowercase());
    Some(Change::new("schema", subject, action))
}

fn without_fillers(text: &str) -> &str {
    let mut rest = text.trim_start();
    while let Some((word, after)) = rest.split_once(char::is_whitespace) {
        if !FILLERS
            .iter()
            .any(|filler| word.eq_ignore_ascii_case(filler))
        {
            break;
        }
        rest = after.trim_start();
    }
    rest
}

/// Returns the name that a text begins with, quoted or not, with its schema.
fn name(text: &str) -> Option<&str> {
    let mut is_quoted = false;
    let end = text.find(|letter: char| {
        is_quoted ^= letter == '"';
        !(is_quoted || letter.is_alphanumeric() || matches!(letter, '_' | '.' | '$' | '"'))
    });
    let name = &text[..end.unwrap_or(text.len())];
    // `CREATE INDEX ON t` has none.
    (!name.is_empty() && !is_quoted && !name.eq_ignore_ascii_case("on")).then_some(name)
}
