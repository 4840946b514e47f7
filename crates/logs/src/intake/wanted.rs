//! A source of the configuration, ready to be read.

use std::path::PathBuf;
use std::sync::Arc;

use config::{LogKind, LogSource};
use jiff::tz::TimeZone;

use crate::parse::{ParserKind, ParserOptions};

/// A source to be read.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name.
    pub name: Arc<str>,
    /// Where it is.
    pub place: Place,
    /// Parser of its lines.
    pub parser: ParserKind,
    /// Options of the parser.
    pub options: ParserOptions,
}

/// Where a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file, or a pattern for several.
    File(PathBuf),
    /// A unit of the journal.
    Unit(String),
}

/// Why a source of the configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WantedError {
    /// Neither path nor unit; the check of the configuration finds it, too.
    #[error("neither path nor unit is configured")]
    Nowhere,
    /// No such parser.
    #[error("unknown parser {0}")]
    Parser(&'static str),
    /// No such time zone on this machine.
    #[error("unknown time zone {zone}: {source}")]
    Zone {
        /// As written.
        zone: String,
        /// Why.
        source: jiff::Error,
    },
}

impl Wanted {
    /// Returns what an entry of `[[logs.source]]` asks for.
    ///
    /// # Errors
    /// What is wrong with the entry.
    pub fn of(source: &LogSource) -> Result<Self, WantedError> {
        let parser = source.used_parser().as_str();
        let zone = match source.timezone.as_str() {
            "" => TimeZone::system(),
            zone => TimeZone::get(zone).map_err(|error| WantedError::Zone {
                zone: zone.to_owned(),
                source: error,
            })?,
        };
        let place = match (source.kind, &source.path) {
            (LogKind::File, Some(path)) => Place::File(path.clone()),
            (LogKind::File, None) => return Err(WantedError::Nowhere),
            (LogKind::Journal, _) => Place::Unit(source.unit.clone()),
        };
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Ok(Self {
            name: Arc::from(source.name.as_str()),
            place,
            parser: ParserKind::parse(parser).ok_or(WantedError::Parser(parser))?,
            options: ParserOptions {
                zone,
                log_line_prefix: some(&source.log_line_prefix),
                access_format: some(&source.access_format),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::LogParser;

    #[test]
    fn every_parser_of_the_configuration_is_there() {
        for parser in LogParser::ALL {
            let source = LogSource {
                name: "one".to_owned(),
                path: Some(PathBuf::from("/var/log/one")),
                unit: "one".to_owned(),
                parser: *parser,
                ..LogSource::default()
            };
            for kind in LogKind::ALL {
                let source = LogSource {
                    kind: *kind,
                    ..source.clone()
                };
                let wanted = Wanted::of(&source).unwrap();
                assert_eq!(wanted.parser.name(), source.used_parser().as_str());
            }
        }
    }

    #[test]
    fn a_zone_that_nobody_knows_is_named() {
        let source = LogSource {
            path: Some(PathBuf::from("/var/log/one")),
            timezone: "Mars/Olympus".to_owned(),
            ..LogSource::default()
        };
        let error = Wanted::of(&source).unwrap_err().to_string();
        assert!(error.contains("Mars/Olympus"), "{error}");
    }
}
