//! Lines of logs: which are read, in which order, and where to look for them.
//!
//! * A line's [`Key`] is its place in the order of all: instant, source, place in the source, and the
//!   identifier it was stored with, for two files of one source may have a line at one offset in one
//!   microsecond. It never changes. Pages go on after a key, so a line is on one page whatever is stored
//!   meanwhile.
//! * A question with a filter is put to one slice of time after the other, the newest first, until
//!   the page is full: what is frequent is found at once in the order of the index, what is rare by
//!   scanning in parallel. Hours that cannot hold an answer, as their counts say, are left out. When
//!   its time has passed, the page ends where the search stands.

mod counts;
mod find;

use store::series::Instant;
use tokio_postgres::Row;

pub(crate) use counts::{Counts, counts, family};
pub(crate) use find::{Ask, Found, find};

/// The place of a line in the order of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its instant, microseconds.
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

    /// Returns it as [`Key::parse`] reads it.
    pub(crate) fn text(&self) -> String {
        format!("{}.{}.{}.{}", self.ts, self.at, self.line_id, self.source)
    }

    /// Returns the place right after this line.
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

    /// The source it is from.
    pub(crate) fn source(&self) -> &str {
        &self.key.source
    }
}

/// What lines have to be like.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter {
    /// Levels; none: all.
    pub(crate) levels: Option<Vec<String>>,
    /// Sources; none: all.
    pub(crate) sources: Option<Vec<String>>,
    /// Fingerprints; none: all.
    pub(crate) fingerprints: Option<Vec<String>>,
    /// Text within the message, whatever the case; empty: any.
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
