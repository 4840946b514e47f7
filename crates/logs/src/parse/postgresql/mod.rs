//! PostgreSQL's server log.
//!
//! On stderr a line is `log_line_prefix`, a severity, a colon, two blanks and the message. Lines that
//! continue begin with a tab; `DETAIL`, `HINT`, `CONTEXT`, `QUERY`, `STATEMENT` and `LOCATION` are lines
//! with a prefix of their own that follow their event. csvlog and jsonlog hold the same in one record;
//! they are recognised by the beginning of each record, so that a changed `log_destination` needs no
//! other setting here.
//!
//! Severities and parts are known in every language PostgreSQL has a catalogue for ([`words`]); an
//! unknown one is recognised by its form, and its level by the error code if there is one.
//!
//! Nothing is stored with its constants: see [`secrets`].

mod audit;
mod names;
mod plan;
mod prefix;
mod raised;
mod record;
mod secrets;
mod vocabulary;
mod words;

use std::borrow::Cow;

use super::time::Clock;
use super::{Draft, Parsed, State, level};
use crate::event::Level;
use prefix::Field;
use words::Word;

pub(crate) use prefix::Prefix;
pub(crate) use raised::Raised;
pub(crate) use record::Record;
pub(crate) use secrets::{embedded, is_server, message, part};

/// Parses a line; see [`super::PARSERS`].
pub(crate) fn line<'a>(state: &mut State, line: &'a str, clock: &mut Clock) -> Parsed<'a> {
    if let Some(parsed) = record::line(&mut state.record, line, clock) {
        return parsed;
    }
    // What continues begins with a tab; no prefix does.
    if line.starts_with('\t') {
        return Parsed::Headless;
    }
    let Some((fields, (word, message))) = state.prefix.read(line, clock, severity) else {
        return Parsed::Headless;
    };
    let mut draft = Draft {
        stamp: fields.stamp,
        pid: fields.get(Field::Pid).parse().ok(),
        ..Draft::default()
    };
    if let Heading::Known(Word::Part(name)) = word {
        draft.message = Cow::Borrowed(message);
        return Parsed::Part(name, draft);
    }
    let (sqlstate, message) = match sqlstate(message) {
        Some((code, message)) => (code, message),
        None => (fields.get(Field::SqlState), message),
    };
    draft.message = Cow::Borrowed(message);
    match word {
        Heading::Known(Word::Severity(word) | Word::Part(word)) | Heading::Foreign(word) => {
            head(word, sqlstate, &mut draft)
        }
    }
    draft.context.digits("pid", fields.get(Field::Pid));
    for (field, key) in [
        (Field::User, "user"),
        (Field::Database, "database"),
        (Field::Client, "client"),
        (Field::Command, "command"),
        (Field::Session, "session"),
    ] {
        draft.context.name(key, fields.get(field));
    }
    draft
        .context
        .text("application", fields.get(Field::Application));
    if !matches!(fields.get(Field::Query), "" | "0") {
        draft.context.name("query_id", fields.get(Field::Query));
    }
    draft.component = Cow::Borrowed(fields.get(Field::Backend));
    Parsed::Event(draft)
}

/// Sets the level by severity and error code, for each of the three formats.
fn head(word: &str, sqlstate: &str, draft: &mut Draft<'_>) {
    let word = match words::of(word) {
        Some(Word::Severity(known)) => known,
        _ => word,
    };
    let level = level::of_word(word).unwrap_or_else(|| of_code(sqlstate));
    draft.level = Some(level);
    draft.raised = raised::is_users_code(sqlstate);
    if level::is_finer(word, level) {
        draft.context.name("severity", word);
    }
    if !matches!(sqlstate, "" | "00000") {
        draft.context.name("sqlstate", sqlstate);
    }
}

/// Returns the level where the severity is in another language: class 00 is success, 01 and 02 are warnings.
fn of_code(sqlstate: &str) -> Level {
    match sqlstate.get(..2) {
        None | Some("00") => Level::Info,
        Some("01" | "02") => Level::Warn,
        Some(_) => Level::Error,
    }
}

/// What is before a message.
#[derive(Clone, Copy, Debug)]
enum Heading<'a> {
    Known(Word),
    /// A severity of a language that is not known.
    Foreign(&'a str),
}

/// Parses `ERROR:  message`: a known word and a colon, or what looks like one in another language.
fn severity(text: &str) -> Option<(Heading<'_>, &str)> {
    let (word, rest) = words::leading(text)?;
    let message = rest.trim_start_matches([' ', '\u{a0}']);
    let blank = message.len() < rest.len();
    let known = words::of(word).map(|known| match known {
        Word::Severity(_) => (known, blank),
        // Some translators left the blanks out.
        Word::Part(_) => (known, blank || !word.is_ascii() || rest.is_empty()),
    });
    match known {
        Some((known, true)) => Some((Heading::Known(known), message)),
        Some(_) => None,
        None => {
            // At least it is in capitals, where its script has them, and two blanks follow.
            let foreign = word.len() >= 3
                && rest.starts_with("  ")
                && word.chars().all(|c| c.is_alphabetic() && !c.is_lowercase());
            foreign.then_some((Heading::Foreign(word), message))
        }
    }
}

/// Returns the error code that `log_error_verbosity = verbose` puts before the message.
fn sqlstate(message: &str) -> Option<(&str, &str)> {
    let (code, rest) = (message.get(..5)?, message.get(5..)?);
    let rest = rest.strip_prefix(": ")?;
    let is_code = code
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    (is_code && code.bytes().any(|byte| byte.is_ascii_digit())).then_some((code, rest))
}

#[cfg(test)]
mod tests {
    use super::super::ParserOptions;
    use super::super::testing::{events_in, expect, summary};

    #[test]
    fn lines_of_the_usual_prefix_are_joined_and_without_constants() {
        let text = "\
2026-11-23 00:10:49.123 UTC [7] LOG:  database system is ready to accept connections
2026-11-23 00:10:50.000 UTC [9] me@shop ERROR:  duplicate key value violates unique constraint \"p\"
2026-11-23 00:10:50.000 UTC [9] me@shop DETAIL:  Key (email)=(a@example.com) already exists.
2026-11-23 00:10:50.000 UTC [9] me@shop STATEMENT:  insert into p
\tvalues ('a@example.com',

\t 'x')
2026-11-23 00:10:51.000 UTC [9] me@shop LOG:  duration: 1.2 ms  statement: select 'x'
";
        expect(
            "postgresql",
            &[(
                text,
                "\
2026-11-23T00:10:49.123Z info : database system is ready to accept connections {\"pid\":7}
2026-11-23T00:10:50Z error : duplicate key value violates unique constraint \"p\" {\"pid\":9,\"user\":\"me\",\"database\":\"shop\",\"detail\":\"Key (email)=(…) already exists.\",\"statement\":\"insert into p\\nvalues ('…',\\n '…')\"}
2026-11-23T00:10:51Z info : duration: 1.2 ms  statement: select '…' {\"pid\":9,\"user\":\"me\",\"database\":\"shop\"}",
            )],
        );
    }

    #[test]
    fn any_prefix_is_read() {
        // Prefix, line, summary.
        let cases = [
            (
                "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
                "2026-11-23 00:10:49 UTC [7]: [3-1] user=a,db=b,app=psql,client=192.0.2.1 ERROR:  x",
                "2026-11-23T00:10:49Z error : x {\"pid\":7,\"user\":\"a\",\"database\":\"b\",\"client\":\"192.0.2.1\",\"application\":\"psql\"}",
            ),
            (
                "%t:%r:%u@%d:[%p]:",
                "2026-11-23 00:10:49 CET:192.0.2.1(5):a@b:[7]:WARNING:  x",
                "2026-11-22T23:10:49Z warn : x {\"pid\":7,\"user\":\"a\",\"database\":\"b\",\"client\":\"192.0.2.1(5)\"}",
            ),
            (
                "%n %-8p|%c|%e|%x|%v|%Q|%b|%i ",
                "1795392649.123 7       |6383b33a.258|42P01|0|3/4|-12|client backend|SELECT ERROR:  x",
                "2026-11-23T00:10:49.123Z error client backend: x {\"sqlstate\":\"42P01\",\"pid\":7,\"command\":\"SELECT\",\"session\":\"6383b33a.258\",\"query_id\":\"-12\"}",
            ),
            (
                "",
                "PANIC:  x",
                "2026-11-23T12:00:00Z error : x {\"severity\":\"PANIC\",\"ts_inferred\":true}",
            ),
            (
                "%m [%p] ",
                "2026-11-23 00:10:49.5 +0530 [7] ERROR:  42P01: relation \"x\" does not exist",
                "2026-11-22T18:40:49.5Z error : relation \"x\" does not exist {\"sqlstate\":\"42P01\",\"pid\":7}",
            ),
            (
                "%m [%p] %q%u@%d ",
                "2026-11-23 00:10:49.5 UTC [7] FATAL:  x@y FATAL:  no such user",
                "2026-11-23T00:10:49.5Z error : no such user {\"severity\":\"FATAL\",\"pid\":7,\"user\":\"FATAL:  x\",\"database\":\"y\"}",
            ),
            (
                "%m [%p] %q%u@%d ",
                "2026-11-23 00:10:49.5 UTC [7] a b@c d LOG:  x",
                "2026-11-23T00:10:49.5Z info : x {\"pid\":7,\"user\":\"a b\",\"database\":\"c d\"}",
            ),
            (
                "%m [%p] ",
                "2026-11-23 00:10:49.5 UTC [7] FEHLER:  x",
                "2026-11-23T00:10:49.5Z error : x {\"pid\":7}",
            ),
            (
                "%m [%p] ",
                "2026-11-23 00:10:49.5 UTC [7] CHYBA:  x",
                "2026-11-23T00:10:49.5Z info : x {\"severity\":\"CHYBA\",\"pid\":7}",
            ),
            (
                "%m [%p] %e ",
                "2026-11-23 00:10:49.5 UTC [7] 42P01 CHYBA:  x",
                "2026-11-23T00:10:49.5Z error : x {\"severity\":\"CHYBA\",\"sqlstate\":\"42P01\",\"pid\":7}",
            ),
            (
                "%t:%r:%u@%d:[%p]:",
                "2026-11-29 06:16:00 UTC:2001:db8::7(40112):anna@shop:[701]:ERROR:  division by zero",
                "2026-11-29T06:16:00Z error : division by zero {\"pid\":701,\"user\":\"anna\",\"database\":\"shop\",\"client\":\"2001:db8::7(40112)\"}",
            ),
            (
                "%t:%h:%u@%d:[%p]:",
                "2026-11-29 06:16:00 UTC:2001:db8::7:anna@shop:[701]:ERROR:  x",
                "2026-11-29T06:16:00Z error : x {\"pid\":701,\"user\":\"anna\",\"database\":\"shop\",\"client\":\"2001:db8::7\"}",
            ),
            (
                "%t:%r:%u@%d:[%p]:",
                "2026-11-29 06:16:00 UTC:fe80::1%eth0(5):abba@shop:[701]:ERROR:  x",
                "2026-11-29T06:16:00Z error : x {\"pid\":701,\"user\":\"abba\",\"database\":\"shop\",\"client\":\"fe80::1%eth0(5)\"}",
            ),
            (
                "%t:%r:%u@%d:[%p]:",
                "2026-11-29 06:16:00 UTC:::ffff:192.0.2.1(5):a@b:[7]:ERROR:  x",
                "2026-11-29T06:16:00Z error : x {\"pid\":7,\"user\":\"a\",\"database\":\"b\",\"client\":\"::ffff:192.0.2.1(5)\"}",
            ),
            (
                "%t:%r:%u@%d:[%p]:",
                "2026-11-29 06:16:00 UTC:[local]:a@b:[7]:ERROR:  x",
                "2026-11-29T06:16:00Z error : x {\"pid\":7,\"user\":\"a\",\"database\":\"b\",\"client\":\"[local]\"}",
            ),
            (
                "%m [%p] ",
                "another line ERROR:  x",
                "2026-11-23T12:00:00Z info : another line ERROR:  x {\"ts_inferred\":true}",
            ),
        ];
        for (prefix, line, expected) in cases {
            let options = ParserOptions {
                log_line_prefix: Some(prefix.to_owned()),
                ..ParserOptions::default()
            };
            let events = events_in("postgresql", options, line);
            let summary: Vec<String> = events.iter().map(summary).collect();
            assert_eq!(summary.join("\n"), expected, "{prefix}: {line}");
        }
    }
}
