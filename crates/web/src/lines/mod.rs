//! Queries for log lines: their order, and the search for matching ones.
//!
//! * A line's [`Key`] is its position in the order of all lines: time, source, position in the source, and the
//!   identifier it was stored with, because two files of one source may have a line at the same offset in the
//!   same microsecond. It never changes. Pages continue after a key, so a line is on one page whatever is stored
//!   meanwhile.
//! * A query with a filter searches one slice of time after the other, the newest first, until
//!   the page is full: frequent lines are found at once in the order of the index, rare ones by a
//!   parallel scan. Hours without matching lines according to their counts are skipped. When
//!   the time limit is reached, the page ends where the search stopped.

mod counts;
mod find;

use store::series::Instant;
use tokio_postgres::Row;

pub(crate) use counts::{Counts, counts, family, kept_from};
pub(crate) use find::{LinePage, LineQuery, find};

/// The position of a line in the order of all lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its time, microseconds.
    pub(crate) ts: i64,
    source: String,
    at: i64,
    line_id: i64,
}

impl Key {
    /// Parses `<microseconds>.<place>.<line_id>.<source>`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, '.');
        let mut next = || parts.next();
        let (ts, at, line_id, source) = (next()?, next()?, next()?, next()?);
        Some(Self {
            ts: ts.parse().ok()?,
            at: at.parse().ok()?,
            line_id: line_id.parse().ok().filter(|id| *id >= 0)?,
            source: source.to_owned(),
        })
    }

    /// Returns the text that [`Key::parse`] parses.
    pub(crate) fn text(&self) -> String {
        format!("{}.{}.{}.{}", self.ts, self.at, self.line_id, self.source)
    }

    /// Returns the position right after this line.
    #[must_use]
    pub(crate) fn after(&self) -> Self {
        Self {
            line_id: self.line_id.saturating_add(1),
            ..self.clone()
        }
    }
}

/// A line.
#[derive(Clone, Debug)]
pub(crate) struct LogLine {
    pub(crate) key: Key,
    pub(crate) level: String,
    pub(crate) component: String,
    pub(crate) message: String,
    pub(crate) message_chars: Option<i32>,
    pub(crate) context: Option<String>,
    pub(crate) fingerprint: String,
}

impl LogLine {
    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let ts: Instant = row.try_get("ts")?;
        Ok(Self {
            key: Key {
                ts: ts.0.as_micros(),
                source: row.try_get("source")?,
                at: row.try_get("at")?,
                line_id: row.try_get("line_id")?,
            },
            level: row.try_get("level")?,
            component: row.try_get("component")?,
            message: row.try_get("message")?,
            message_chars: row.try_get("message_chars")?,
            context: row.try_get("context")?,
            fingerprint: row.try_get("fingerprint")?,
        })
    }

    /// Returns the name of its source.
    pub(crate) fn source(&self) -> &str {
        &self.key.source
    }
}

/// A filter of lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter {
    /// Levels; `None`: all.
    pub(crate) levels: Option<Vec<String>>,
    /// Sources; `None`: all.
    pub(crate) sources: Option<Vec<String>>,
    /// Fingerprints; `None`: all.
    pub(crate) fingerprints: Option<Vec<String>>,
    /// Text in the message, case-insensitive; empty: any.
    pub(crate) text: String,
}

impl Filter {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_written() {
        for text in [
            "1790000000000000.108.3.auth",
            "-5.-1.8589934593.a.b c",
            "0.0.0.",
        ] {
            assert_eq!(Key::parse(text).unwrap().text(), text);
        }
        for text in [
            "",
            "1.2.3",
            "x.2.3.s",
            "1.2.-3.s",
            "1.2.99999999999999999999.s",
        ] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
    }
}
