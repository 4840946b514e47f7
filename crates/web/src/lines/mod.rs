//! Lines of logs: which are read, in which order, and where to look for them.
//!
//! * A line's [`Key`] is its place in the order of all: instant, source, place in the source, and row,
//!   for two files of one source may say something at one offset in one microsecond. Pages go on behind
//!   a key, so a line is on one page whatever is stored meanwhile.
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
    row: (u32, u32),
}

impl Key {
    /// `<microseconds>.<place>.<page>.<row>.<source>`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, '.');
        let mut next = || parts.next();
        let (ts, at, page, row, source) = (next()?, next()?, next()?, next()?, next()?);
        Some(Self {
            ts: ts.parse().ok()?,
            at: at.parse().ok()?,
            row: (page.parse().ok()?, row.parse().ok()?),
            source: source.to_owned(),
        })
    }

    /// As [`Key::parse`] reads it.
    pub(crate) fn text(&self) -> String {
        let (page, row) = self.row;
        format!("{}.{}.{page}.{row}.{}", self.ts, self.at, self.source)
    }

    /// Right behind this line.
    #[must_use]
    pub(crate) fn behind(&self) -> Self {
        let (page, row) = self.row;
        Self {
            row: (page, row.saturating_add(1)),
            ..self.clone()
        }
    }

    fn ctid(&self) -> String {
        let (page, row) = self.row;
        format!("({page},{row})")
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
        let ctid: String = row.try_get("ctid")?;
        let place = ctid.trim_matches(['(', ')']).split_once(',');
        let number = |text: &str| text.parse().unwrap_or(0);
        Ok(Self {
            key: Key {
                ts: ts.0.as_micros(),
                source: row.try_get("source")?,
                at: row.try_get("at")?,
                row: place.map_or((0, 0), |(page, row)| (number(page), number(row))),
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
            "1790000000000000.108.3.7.auth",
            "-5.-1.0.1.a.b c",
            "0.0.0.0.",
        ] {
            assert_eq!(Key::parse(text).unwrap().text(), text);
        }
        for text in [
            "",
            "1.2.3.4",
            "x.2.3.4.s",
            "1.2.-3.4.s",
            "1.2.3.99999999999.s",
        ] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
    }
}
