//! Settings of the agent's parts, taken from the configuration.

use config::{Config, Loaded};
use std::time::Duration;
use store::expiry::Retention;
use store::writer::WriterOptions;

/// Returns the budget of the spool.
pub(crate) fn budget_bytes(config: &Config) -> u64 {
    config.collector.queue_max_mb.saturating_mul(1024 * 1024)
}

/// Returns the options of the writer.
pub(crate) fn writer_options(config: &Config) -> WriterOptions {
    WriterOptions {
        deadline: config.collector.query_timeout(),
        batch_records: config.collector.batch_size as usize,
        heartbeat: Duration::from_secs(u64::from(config.intervals.heartbeat_secs)),
        retention: retention(config),
    }
}

/// Returns what this host asks to be kept.
pub(crate) fn retention(config: &Config) -> Retention {
    let asked = &config.retention;
    let max_bytes = i64::from(asked.max_gb) << 30;
    Retention {
        raw_days: days(asked.raw_days),
        hourly_days: days(asked.hourly_days),
        long_days: days(asked.daily_days),
        log_days: days(asked.log_days),
        event_days: days(asked.event_days),
        max_bytes: (max_bytes > 0).then_some(max_bytes),
    }
}

fn days(days: u32) -> i32 {
    i32::try_from(days).unwrap_or(i32::MAX)
}

/// Returns the limits of the writer's session.
pub(crate) fn writer_session(config: &Config) -> pg::SessionOptions {
    pg::SessionOptions {
        // A locked table is deferred rather than waited for.
        lock_timeout: Duration::from_millis(500),
        ..pg::SessionOptions::for_deadline(config.collector.query_timeout())
    }
}

/// Returns the limits of the sessions for log lines and findings. They are less urgent than samples, so they wait
/// for a table that is locked for a moment.
pub(crate) fn patient_session(config: &Config) -> pg::SessionOptions {
    pg::SessionOptions::for_deadline(config.collector.query_timeout())
}

/// Returns `{"intervals.system_secs": ["10", "default"]}`, secrets masked.
pub(crate) fn as_json(loaded: &Loaded) -> String {
    let map: serde_json::Map<String, serde_json::Value> = loaded
        .effective
        .iter()
        .map(|setting| {
            let pair = vec![setting.value.clone().into(), setting.origin.as_str().into()];
            (setting.key.to_string(), serde_json::Value::Array(pair))
        })
        .collect();
    serde_json::Value::Object(map).to_string()
}
