//! Which logs are read, and how: what the configuration says, ready to be used.

use config::{Config, LogSource};
use logs::intake::{Limits, Wanted};
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
        let wanted = self.sources.iter().filter_map(|source| {
            Wanted::of(source)
                .inspect_err(|error| tracing::error!(source = source.name, %error, "is not read"))
                .ok()
        });
        wanted.collect()
    }
}
