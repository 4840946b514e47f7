//! Texts that a function of the user wrote: `RAISE EXCEPTION 'customer % is blocked', name`.
//!
//! Values are in them as they are, without quotes, in sentences of any language, so that no shape shows
//! a value from a word. What the fields *are* decides: where they state that the user wrote message, detail
//! and hint, of all three only the words of a closed list are kept ([`super::vocabulary`]). With them is stored where
//! they were raised, of which there is one line of code:
//!
//! `customer … is blocked (PL/pgSQL function transfer(integer,numeric) line 12 at RAISE)`
//!
//! Two fields state so, whichever the log has:
//!
//! * **The error code**: class P0 is raised by PL/pgSQL itself (`P0001` is `RAISE` without a code), class
//!   38 by functions in other languages, and a class that PostgreSQL does not have was chosen by the user.
//! * **The context**: its first line names the innermost function and, for PL/pgSQL, the statement, whose
//!   keyword is not translated. `RAISE` and `ASSERT` write texts of the user under any code, as does
//!   a function in another language than PL/pgSQL.
//!
//! The other way round a text of PostgreSQL under one of these codes (`P0002`, no rows) is lost; its code
//! is stored.

use super::{part, vocabulary};

/// Classes of error codes that PostgreSQL gives its own messages: appendix A of its documentation.
#[rustfmt::skip]
const CLASSES: &[&str] = &[
    "00", "01", "02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21", "22", "23", "24", "25", "26",
    "27", "28", "2B", "2D", "2F", "34", "39", "3B", "3D", "3F", "40", "42", "44", "53", "54", "55", "57", "58", "72", "F0",
    "HV", "XX",
];

/// Statements of PL/pgSQL that write a text of the user.
const STATEMENTS: &[&str] = &["RAISE", "ASSERT"];

/// Returns whether the error code states that the user wrote the texts.
pub(super) fn is_users_code(sqlstate: &str) -> bool {
    let is_code = sqlstate.len() == 5 && sqlstate.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code && !CLASSES.contains(&&sqlstate[..2])
}

/// Returns whether the first line of a context states it.
fn is_users_place(line: &str) -> bool {
    let Some((_, language)) = line.split_once("PL/") else {
        return false;
    };
    let mut words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    language.starts_with(|c: char| c.is_ascii_alphabetic())
        && (!language.starts_with("pgSQL") || words.any(|word| STATEMENTS.contains(&word)))
}

/// Returns where the text begins that the user wrote, in a line that holds an error code before it, as
/// `log_error_verbosity = verbose` writes it to syslog: `ERROR:  P0001: text`.
pub(super) fn begins(line: &str) -> Option<usize> {
    line.match_indices(":  ").find_map(|(at, colon)| {
        let rest = &line[at + colon.len()..];
        let (code, text) = super::sqlstate(rest)?;
        is_users_code(code).then_some(line.len() - text.len())
    })
}

/// An event whose texts a function of the user wrote.
#[derive(Debug)]
pub(crate) struct Raised {
    /// Where, without constants.
    place: Option<String>,
}

impl Raised {
    /// Returns what an event is, by its error code and its parts; `None` when PostgreSQL wrote it.
    pub(crate) fn of(by_code: bool, parts: &[(&'static str, String)]) -> Option<Self> {
        let context = parts.iter().find(|(name, _)| *name == "context");
        let first = context.and_then(|(_, text)| text.lines().next());
        if !by_code && !first.is_some_and(is_users_place) {
            return None;
        }
        let place = first.map(|line| part("context", line, parts));
        Some(Self { place })
    }

    /// Returns the message that is stored instead of `text`.
    pub(crate) fn message(&self, text: &str) -> String {
        let words = vocabulary::keep(text);
        match &self.place {
            Some(place) => format!("{words} ({place})"),
            None => words,
        }
    }

    /// Returns a part of the event as it is stored.
    pub(crate) fn part(&self, name: &str, text: &str, parts: &[(&'static str, String)]) -> String {
        match name {
            "detail" | "hint" => vocabulary::keep(text),
            _ => part(name, text, parts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::ParserOptions;
    use super::super::super::testing::{events_in, summary};
    use super::*;

    #[test]
    fn codes_of_the_user_are_known() {
        for (code, expected) in [
            ("P0001", true),
            ("P0004", true),
            ("38000", true),
            ("AB123", true),
            ("99001", true),
            ("U0001", true),
            ("23505", false),
            ("42P01", false),
            ("XX000", false),
            ("HV00N", false),
            ("57P01", false),
            ("00000", false),
            ("", false),
            ("P0", false),
            ("ä0001", false),
        ] {
            assert_eq!(is_users_code(code), expected, "{code}");
        }
    }

    #[test]
    fn places_of_the_user_are_known_in_any_language() {
        for (line, expected) in [
            ("PL/pgSQL function f(integer) line 3 at RAISE", true),
            ("PL/pgSQL-Funktion f(integer) Zeile 3 bei RAISE", true),
            ("fonction PL/pgSQL f(integer), ligne 3 à RAISE", true),
            (
                "функция PL/pgSQL f(integer), строка 3, оператор RAISE",
                true,
            ),
            ("función PL/pgSQL f(integer) en la línea 3 en RAISE", true),
            ("PL/pgSQL関数f(integer)の3行目 - RAISE", true),
            ("在RAISE的第3行的PL/pgSQL函数f(integer)", true),
            ("PL/pgSQL函数f(integer)的第3行的RAISE", true),
            ("PL/pgSQL function inline_code_block line 1 at ASSERT", true),
            ("PL/Python function \"f\"", true),
            ("PL/Perl-Funktion »f«", true),
            ("PL/pgSQL function f() line 1 at SQL statement", false),
            ("PL/pgSQL function raise_price(integer) line 3 at IF", false),
            ("SQL statement \"select 1\"", false),
            ("COPY t, line 1", false),
        ] {
            assert_eq!(is_users_place(line), expected, "{line}");
        }
    }

    /// The same error on stderr with and without the code in the prefix, and in the two records.
    #[test]
    fn no_value_that_a_user_raised_is_stored() {
        let place = "PL/pgSQL function block(integer) line 3 at RAISE";
        let stderr = format!(
            "\
2026-11-23 00:10:50.000 UTC [9] me@shop ERROR:  customer 12345 Jane Doe is blocked
2026-11-23 00:10:50.000 UTC [9] me@shop DETAIL:  card 4711 of jane
\tand more of jane
2026-11-23 00:10:50.000 UTC [9] me@shop HINT:  call jane
2026-11-23 00:10:50.000 UTC [9] me@shop CONTEXT:  {place}
\tSQL statement \"select block(12345)\"
2026-11-23 00:10:50.000 UTC [9] me@shop STATEMENT:  select f(12345)
"
        );
        let csv = format!(
            "2026-11-23 00:10:50.000 UTC,\"me\",\"shop\",9,\"[local]\",6b.5,1,\"SELECT\",2026-11-23 00:10:49 UTC,3/4,0,ERROR,P0001,\"customer 12345 Jane Doe is blocked\",\"card 4711 of jane\",\"call jane\",,,\"{place}\",\"select f(12345)\",,,\"psql\",\"client backend\",,0\n"
        );
        let json = format!(
            "{{\"timestamp\":\"2026-11-23 00:10:50.000 UTC\",\"pid\":9,\"error_severity\":\"ERROR\",\"state_code\":\"AB123\",\"message\":\"customer 12345 Jane Doe is blocked\",\"detail\":\"card 4711 of jane\",\"hint\":\"call jane\",\"context\":\"{place}\"}}\n"
        );
        for text in [&stderr, &csv, &json] {
            let events = events_in("postgresql", ParserOptions::default(), text);
            assert_eq!(events.len(), 1, "{text}");
            let stored = summary(&events[0]);
            assert_eq!(
                events[0].message,
                format!("customer … is blocked ({place})")
            );
            for secret in ["12345", "ane", "4711", "Doe", "card"] {
                assert!(!stored.contains(secret), "{secret}: {stored}");
            }
        }
    }

    /// `%e` in the prefix states it where the context is not logged.
    #[test]
    fn a_code_without_a_context_is_enough() {
        let options = ParserOptions {
            log_line_prefix: Some("%m [%p] %e ".to_owned()),
            ..ParserOptions::default()
        };
        let lines = "\
2026-11-23 00:10:49.5 UTC [7] P0001 ERROR:  customer Jane Doe is blocked
2026-11-23 00:10:49.5 UTC [7] P0001 DETAIL:  card 4711
2026-11-23 00:10:50.5 UTC [7] 42P01 ERROR:  relation \"x\" does not exist
";
        let events = events_in("postgresql", options, lines);
        let messages: Vec<&str> = events.iter().map(|event| event.message.as_str()).collect();
        assert_eq!(
            messages,
            ["customer … is blocked", "relation \"x\" does not exist"]
        );
        assert!(!summary(&events[0]).contains("4711"));
    }
}
