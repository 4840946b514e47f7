//! Which logs are read, and how: what the configuration says, ready to be used.

use config::{Config, LogKind, LogSource};
use jiff::tz::TimeZone;
use logs::intake::{Limits, Place, Wanted};
use logs::parse::{ParserKind, ParserOptions};
use std::sync::Arc;
use std::time::Duration;

/// What a change of which begins reading anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) sources: Vec<LogSource>,
    /// Whether nobody named them, so that one which is not there is no fault.
    pub(crate) is_assumed: bool,
    pub(crate) limits: Limits,
    pub(crate) tick: Duration,
    /// Deadline of one transaction.
    pub(crate) deadline: Duration,
    /// Days that patterns are kept after they were last seen.
    pub(crate) event_days: i64,
}

impl Plan {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            sources: if config.logs.enabled {
                config.logs.sources()
            } else {
                Vec::new()
            },
            is_assumed: config.logs.is_assumed(),
            limits: Limits {
                events: config.logs.batch_size as usize,
                lines: config.logs.max_lines_per_tick as usize,
                bytes: config.logs.chunk_size as usize,
                fingerprints: config.collector.max_fingerprints_per_source,
            },
            tick: Duration::from_secs(u64::from(config.logs.tick_secs)),
            deadline: config.collector.query_timeout(),
            event_days: i64::from(config.retention.event_days),
        }
    }

    /// The sources as the intake takes them. One that cannot be read is said and left out.
    pub(crate) fn wanted(&self) -> Vec<Wanted> {
        self.sources.iter().filter_map(wanted).collect()
    }
}

fn wanted(source: &LogSource) -> Option<Wanted> {
    let parser = ParserKind::parse(source.used_parser().as_str())?;
    let zone = if source.timezone.is_empty() {
        TimeZone::system()
    } else {
        match TimeZone::get(&source.timezone) {
            Ok(zone) => zone,
            Err(error) => {
                tracing::error!(
                    source = source.name,
                    %error,
                    "this machine does not know the time zone; its own is used"
                );
                TimeZone::system()
            }
        }
    };
    let place = match (source.kind, &source.path) {
        (LogKind::File, Some(path)) => Place::File(path.clone()),
        (LogKind::File, None) => return None,
        (LogKind::Journal, _) => Place::Unit(source.unit.clone()),
    };
    Some(Wanted {
        name: Arc::from(source.name.as_str()),
        place,
        parser,
        options: ParserOptions {
            zone,
            log_line_prefix: Some(source.log_line_prefix.clone()).filter(|text| !text.is_empty()),
        },
    })
}
