//! What a batch of log lines consists of beside its rows: positions, counts and patterns.
//!
//! `logs` fills these types, `store` writes and reads them; both use one declaration.

use crate::{LogLevel, Timestamp};
use std::fmt;
use std::sync::Arc;

/// Identifier of a pattern: 16 lower-case hexadecimal digits of a hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Returns the fingerprint of a hash.
    #[must_use]
    pub fn from_hash(hash: u64) -> Self {
        let mut digits = [0; 16];
        for (index, digit) in digits.iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(hash >> (60 - 4 * index)) as usize & 15];
        }
        Self(digits)
    }

    /// Parses what [`Fingerprint::as_str`] returns.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        let hash = u64::from_str_radix(digits, 16).ok()?;
        Some(Self::from_hash(hash)).filter(|parsed| parsed.as_str() == digits)
    }

    /// Returns the hash.
    #[must_use]
    pub fn hash(&self) -> u64 {
        u64::from_str_radix(self.as_str(), 16).unwrap_or_default()
    }

    /// Returns the digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How far a stream has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamPosition {
    /// Name of the source.
    pub source: Arc<str>,
    /// Stream within the source.
    pub stream: Arc<str>,
    /// The position as JSON.
    pub position: String,
}

/// A pattern: messages of one source and level that differ only in their variable parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Name of the source.
    pub source: Arc<str>,
    /// Level of its events.
    pub level: LogLevel,
    /// Its identifier.
    pub fingerprint: Fingerprint,
    /// The message with its variable parts replaced by `<*>`.
    pub template: String,
    /// The pattern it was merged into; `None` while it stands for itself.
    pub alias_of: Option<Fingerprint>,
}

/// A pattern was merged into another. Rows stored under `old` keep that fingerprint; queries follow the alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternAlias {
    /// Name of the source.
    pub source: Arc<str>,
    /// The fingerprint that is an alias from now on.
    pub old: Fingerprint,
    /// The fingerprint it stands for.
    pub into: Fingerprint,
}

/// Lines of one source and level within an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourCount {
    /// Start of the hour.
    pub hour: Timestamp,
    /// Name of the source.
    pub source: Arc<str>,
    /// Level.
    pub level: LogLevel,
    /// Number of lines.
    pub count: i64,
}

/// Lines of one pattern within an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternCount {
    /// Start of the hour.
    pub hour: Timestamp,
    /// Identifier of the pattern.
    pub fingerprint: Fingerprint,
    /// Name of the source.
    pub source: Arc<str>,
    /// Level.
    pub level: LogLevel,
    /// Number of lines.
    pub count: i64,
    /// Time of the first line.
    pub first: Timestamp,
    /// Time of the last line.
    pub last: Timestamp,
    /// Template of the pattern; empty unless the pattern is new.
    pub template: String,
    /// One of the messages; one in which the topic was found, if there is one.
    pub sample: String,
    /// Topic of the messages, if it is known.
    pub topic: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_parsed_as_it_is_written() {
        let fingerprint = Fingerprint::from_hash(0x0123_4567_89ab_cdef);
        assert_eq!(fingerprint.as_str(), "0123456789abcdef");
        assert_eq!(fingerprint.hash(), 0x0123_4567_89ab_cdef);
        assert_eq!(Fingerprint::parse(fingerprint.as_str()), Some(fingerprint));
        for other in [
            "",
            "0123456789ABCDEF",
            "123456789abcdef",
            "+123456789abcdef",
            "0123456789abcdefg",
        ] {
            assert_eq!(Fingerprint::parse(other), None, "{other}");
        }
    }
}
