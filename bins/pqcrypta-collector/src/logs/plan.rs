//! Which logs are read and how, from the configuration.

use config::{Config, LogSource};
use logs::intake::{Limits, Wanted};
use std::time::Duration;

/// Settings of reading; a change restarts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) sources: Vec<LogSource>,
    /// Whether the sources are the defaults and not configured explicitly: a missing one is not a fault.
    pub(crate) is_assumed: bool,
    pub(crate) limits: Limits,
    pub(crate) tick: Duration,
    /// Deadline of one transaction.
    pub(crate) deadline: Duration,
    /// Days for which patterns are kept after they were last seen.
    pub(crate) pattern_days: i64,
}

impl Plan {
    /// Returns the plan of a configuration.
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
            // As long as their counts: without its pattern a count is of nothing.
            pattern_days: i64::from(config.retention.hourly_days),
        }
    }

    /// Returns the sources as the intake takes them. One with invalid settings is logged and left out.
    pub(crate) fn wanted(&self) -> Vec<Wanted> {
        let wanted = self.sources.iter().filter_map(|source| {
            Wanted::of(source)
                .inspect_err(|error| tracing::error!(source = source.name, %error, "is not read"))
                .ok()
        });
        wanted.collect()
    }
}
