//! Sources whose lines do not fit their parser.
//!
//! A line that no head of its parser fits is stored all the same, with the time of reading and an
//! assumed level. When that is so of most lines of a source, its errors are missed, though the file is readable.

use crate::rule::{Life, Rule};
use schema::finding::{Figures, Kind};
use schema::tables::LogSource;
use schema::{Finding, Severity, Timestamp};
use serde_json::json;
use words::counted;

/// Most lines of a source fit no head of its parser.
pub const NOT_UNDERSTOOD: Rule = Rule {
    id: "log_not_understood",
    kind: Kind::Alert,
    domain: "logs",
    title: "Log lines not understood",
    life: Life::counted(600),
    because: &[],
};

/// The configuration was corrected when for so long every line fits. Microseconds.
const CORRECTED: i64 = 60_000_000;
/// The parser of a source whose configuration names none.
const AUTO: &str = "auto";

/// Lines of a source in the last hour, and how many fit its parser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub source: String,
    /// Parser in use.
    pub parser: String,
    /// Parser that the configuration names; `None` where an older collector did not report it.
    pub configured: Option<String>,
    /// Events.
    pub lines: i64,
    /// Of these, those that no head fits.
    pub unread: i64,
    /// First and last time that such lines were stored.
    pub span: (Timestamp, Timestamp),
    /// Last time that lines were stored which fit.
    pub read: Option<Timestamp>,
}

/// Returns a finding for each source most lines of which do not fit.
#[must_use]
pub fn evaluate(sources: &[Source]) -> Vec<Finding> {
    sources
        .iter()
        .filter(|source| {
            LogSource::is_misread(source.unread, source.lines) && !is_corrected(source)
        })
        .map(found)
        .collect()
}

fn is_corrected(source: &Source) -> bool {
    let (_, last) = source.span;
    source
        .read
        .is_some_and(|read| read.as_micros() - last.as_micros() >= CORRECTED)
}

fn found(source: &Source) -> Finding {
    let is_prefix = source.parser == "postgresql";
    let what = if is_prefix {
        "log_line_prefix".to_owned()
    } else {
        format!("the parser {}", source.parser)
    };
    let shares = if source.unread >= source.lines {
        format!("none of {} fits", counted(source.lines, "line"))
    } else {
        format!("{} of {} lines do not fit", source.unread, source.lines)
    };
    // A parser that is configured is expected to fit. A log that is not configured explicitly may have no times.
    let severity = if source.configured.as_deref() == Some(AUTO) {
        Severity::Info
    } else {
        Severity::Warn
    };
    let set = if is_prefix {
        "Ask the server for its prefix, `SHOW log_line_prefix`, and set it as log_line_prefix of this [[logs.source]]"
    } else {
        "Set the parser of this [[logs.source]] to what writes the file; docs/LOGS.md lists them"
    };
    let message = format!(
        "{}: {shares} {what}; such lines have the time of reading, and no level of their own.",
        source.source
    );
    Finding {
        steps: vec![
            set.to_owned(),
            "See how many of its last lines fit: `pqcrypta doctor`".to_owned(),
        ],
        figures: Figures::of(100.0 * source.unread as f64 / source.lines.max(1) as f64),
        details: Some(json!({"source": source.source}).to_string()),
        span: Some(source.span),
        ..NOT_UNDERSTOOD.finding(&source.source, severity, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(lines: i64, unread: i64) -> Source {
        Source {
            source: "db".to_owned(),
            parser: "postgresql".to_owned(),
            configured: Some("postgresql".to_owned()),
            lines,
            unread,
            span: (Timestamp(0), Timestamp(1_000_000)),
            read: None,
        }
    }

    #[test]
    fn a_finding_names_what_does_not_fit_and_the_remedy() {
        let found = evaluate(&[source(3, 3)]);
        assert_eq!(
            found[0].message,
            "db: none of 3 lines fits log_line_prefix; such lines have the time of reading, and no level of their own."
        );
        assert_eq!(found[0].severity, Severity::Warn);
        assert!(found[0].steps[0].contains("`SHOW log_line_prefix`"));
        let other = Source {
            parser: "syslog".to_owned(),
            configured: Some("auto".to_owned()),
            ..source(40, 30)
        };
        let found = evaluate(&[other]);
        assert_eq!(found[0].severity, Severity::Info);
        assert!(
            found[0]
                .message
                .starts_with("db: 30 of 40 lines do not fit the parser syslog;")
        );
    }

    #[test]
    fn it_ends_when_the_configuration_was_corrected() {
        for (read, is_found) in [(None, true), (Some(60), true), (Some(61), false)] {
            let one = Source {
                read: read.map(|secs: i64| Timestamp(secs * 1_000_000)),
                ..source(100, 90)
            };
            assert_eq!(evaluate(&[one]).len() == 1, is_found);
        }
    }
}
