//! The condition of a threshold in a sentence, with value and number agreeing.
//!
//! One template per evaluated metric. `{key}` is the key of the metric, `{value}` the evaluated value with
//! its unit, `{n}` the same as an integer, `{window}` the time over which events are counted.

use schema::{Metric, Unit};

/// How the value of a metric becomes a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Title {
    /// One sentence for all values.
    Of(&'static str),
    /// Singular and plural.
    Count(&'static str, &'static str),
    /// Singular and plural for a rate of events, stated as their number in the window.
    Events(&'static str, &'static str),
}

use Title::{Count, Events, Of};

/// By metric, in the order of the catalogue.
const TITLES: &[(&str, Title)] = &[
    ("system.cpu_busy_pct", Of("CPU usage is high: {value}")),
    (
        "system.cpu_iowait_pct",
        Of("CPU waits for disk I/O {value} of the time"),
    ),
    ("system.load_per_core", Of("Load is high: {value} per core")),
    ("system.mem_used_pct", Of("Memory usage is high: {value}")),
    ("system.swap_used_pct", Of("Swap usage is high: {value}")),
    (
        "system.oom_kills_per_sec",
        Events(
            "{n} process was killed by the OOM killer in the last {window}",
            "{n} processes were killed by the OOM killer in the last {window}",
        ),
    ),
    (
        "system.open_files_pct",
        Of("{value} of the kernel's limit of open files is in use"),
    ),
    (
        "system.listen_overflows_per_sec",
        Events(
            "{n} connection was dropped at a full listen queue in the last {window}",
            "{n} connections were dropped at a full listen queue in the last {window}",
        ),
    ),
    (
        "system.conntrack_used_pct",
        Of("Connection tracking table is {value} full"),
    ),
    (
        "system.reboot_required",
        Of("An installed package asks for a restart of the host"),
    ),
    ("system.clock_synced", Of("The clock is not synchronised")),
    (
        "system.pressure_cpu_some_pct",
        Of("Tasks wait for CPU {value} of the time"),
    ),
    (
        "system.pressure_memory_full_pct",
        Of("All tasks wait for memory {value} of the time"),
    ),
    (
        "system.pressure_io_full_pct",
        Of("All tasks wait for disk I/O {value} of the time"),
    ),
    (
        "network.errors_per_sec",
        Events(
            "{n} error on interface {key} in the last {window}",
            "{n} errors on interface {key} in the last {window}",
        ),
    ),
    ("mount.used_pct", Of("File system {key} is {value} full")),
    (
        "mount.inodes_used_pct",
        Of("{value} of the inodes of {key} are in use"),
    ),
    ("disk.busy_pct", Of("Disk {key} is busy: {value}")),
    (
        "collector.cpu_pct",
        Of("CPU usage of the collector is high: {value}"),
    ),
    (
        "collector.rss_bytes",
        Of("Memory usage of the collector is high: {value}"),
    ),
    (
        "collector.fd_count",
        Count(
            "The collector holds {n} open file",
            "The collector holds {n} open files",
        ),
    ),
    (
        "collector.thread_count",
        Count(
            "The collector runs {n} thread",
            "The collector runs {n} threads",
        ),
    ),
    ("collector.tick_ms", Of("Collecting samples takes {value}")),
    (
        "collector.tick_late_ms",
        Of("Sample collection starts {value} late"),
    ),
    (
        "collector.pending_records",
        Count(
            "{n} record is waiting to be stored",
            "{n} records are waiting to be stored",
        ),
    ),
    (
        "collector.spool_used_pct",
        Of("The collector's queue on disk is {value} full"),
    ),
    (
        "collector.db_healthy",
        Of("The collector has no connection to the database"),
    ),
    (
        "collector.clock_difference_secs",
        Of("The clocks of host and database server differ by {value}"),
    ),
    ("db.up", Of("PostgreSQL {key} does not answer")),
    (
        "db.conn_waiting",
        Count(
            "{n} session is waiting for a lock on {key}",
            "{n} sessions are waiting for a lock on {key}",
        ),
    ),
    (
        "db.conn_used_pct",
        Of("{value} of the connections of {key} are in use"),
    ),
    (
        "db.slow_queries",
        Count(
            "{n} statement on {key} has been running for more than 5 s",
            "{n} statements on {key} have been running for more than 5 s",
        ),
    ),
    (
        "db.longest_query_secs",
        Of("A statement on {key} has been running for {value}"),
    ),
    (
        "db.oldest_xact_secs",
        Of("A transaction on {key} has been open for {value}"),
    ),
    (
        "db.oldest_idle_in_xact_secs",
        Of("A session on {key} has been idle in a transaction for {value}"),
    ),
    (
        "db.wraparound_pct",
        Of("{value} of the transaction IDs of {key} are used up"),
    ),
    (
        "db.multixact_wraparound_pct",
        Of("{value} of the multixact IDs of {key} are used up"),
    ),
    (
        "db.cache_hit_pct",
        Of("Cache hit ratio of {key} is low: {value}"),
    ),
    (
        "db.deadlocks_per_sec",
        Events(
            "{n} deadlock on {key} in the last {window}",
            "{n} deadlocks on {key} in the last {window}",
        ),
    ),
    (
        "db.checkpoints_req_pct",
        Of("{value} of the checkpoints of {key} were requested, not timed"),
    ),
    (
        "db.backend_fsyncs_per_sec",
        Events(
            "Sessions on {key} issued {n} fsync in the last {window}",
            "Sessions on {key} issued {n} fsyncs in the last {window}",
        ),
    ),
    ("db.archive_failing", Of("WAL archiving fails on {key}")),
    (
        "db.longest_lock_wait_secs",
        Of("A session on {key} has been waiting for a lock for {value}"),
    ),
    (
        "database.checksum_failures_per_sec",
        Events(
            "{n} checksum failure in {key} in the last {window}",
            "{n} checksum failures in {key} in the last {window}",
        ),
    ),
    (
        "database.conflicts_per_sec",
        Events(
            "{n} statement on {key} was cancelled by replay in the last {window}",
            "{n} statements on {key} were cancelled by replay in the last {window}",
        ),
    ),
    (
        "table.dead_pct",
        Of("{value} of the rows of {key} are dead"),
    ),
    ("index.invalid", Of("Index {key} is invalid")),
    (
        "replication.replay_lag_ms",
        Of("Replay on {key} lags by {value}"),
    ),
    (
        "replication.retained_bytes",
        Of("Slot {key} retains {value} of WAL"),
    ),
    (
        "replication.slot_lost",
        Of("Slot {key} has lost WAL its consumer needs"),
    ),
    (
        "replication.slot_inactive",
        Of("Slot {key} has no consumer"),
    ),
    (
        "replication.reply_age_secs",
        Of("Standby {key} has not replied for {value}"),
    ),
    (
        "replication.standby_delay_secs",
        Of("Standby {key} is {value} behind"),
    ),
    (
        "replication.standby_paused",
        Of("Replay is paused on standby {key}"),
    ),
    (
        "replication.receiver_down",
        Of("WAL receiver of standby {key} is not streaming"),
    ),
    (
        "replication.subscription_running",
        Of("Subscription {key} is not running"),
    ),
    (
        "replication.subscription_silent_secs",
        Of("The publisher of subscription {key} has been silent for {value}"),
    ),
    (
        "replication.subscription_errors_per_sec",
        Events(
            "{n} error of subscription {key} in the last {window}",
            "{n} errors of subscription {key} in the last {window}",
        ),
    ),
    (
        "statement.evictions_per_hour",
        Count(
            "pg_stat_statements on {key} evicted entries {n} time per hour",
            "pg_stat_statements on {key} evicted entries {n} times per hour",
        ),
    ),
    ("io.read_ms", Of("Reads of {key} take {value} each")),
    ("io.write_ms", Of("Writes of {key} take {value} each")),
    ("target.up", Of("Target {key} does not answer")),
    (
        "target.bad_values",
        Count(
            "{n} value of {key} could not be parsed",
            "{n} values of {key} could not be parsed",
        ),
    ),
    (
        "target.unfilled_pct",
        Of("{value} of the mapped columns of {key} have no data"),
    ),
    ("check.up", Of("Health check {key} failed")),
    ("check.slow", Of("Health check {key} is slow")),
    (
        "check.cert_days",
        Count(
            "The certificate of {key} expires in {n} day",
            "The certificate of {key} expires in {n} days",
        ),
    ),
    (
        "traffic.missed_views",
        Count(
            "{key} has no views, where {n} usually came by now",
            "{key} has no views, where {n} usually came by now",
        ),
    ),
    (
        "traffic.queue_pct",
        Of("The queue of web analytics is {value} full"),
    ),
    (
        "traffic.queue_oldest_secs",
        Of("Reports of web analytics wait {value} for the database"),
    ),
    (
        "traffic.unreadable_files",
        Count(
            "{n} file of countries, networks or spam cannot be read",
            "{n} files of countries, networks or spam cannot be read",
        ),
    ),
    ("api.error_pct", Of("{value} of the requests to {key} fail")),
    (
        "api.active_connections",
        Count(
            "{n} connection of {key} is open",
            "{n} connections of {key} are open",
        ),
    ),
    (
        "proxy.rl_limited_pct",
        Of("{key} limits the rate of {value} of the requests that it checks"),
    ),
    ("api.p95_ms", Of("p95 latency of {key} is high: {value}")),
    ("api.p99_ms", Of("p99 latency of {key} is high: {value}")),
    (
        "api.db_response_ms",
        Of("Database response time of {key} is high: {value}"),
    ),
    (
        "api.db_cache_hit_pct",
        Of("Database cache hit ratio of {key} is low: {value}"),
    ),
    (
        "proxy.error_pct",
        Of("{value} of the requests to {key} end in a server error"),
    ),
    (
        "proxy.requests_in_progress",
        Count(
            "{n} request is in progress at {key}",
            "{n} requests are in progress at {key}",
        ),
    ),
    (
        "proxy.latency_p95_ms",
        Of("p95 latency of {key} is high: {value}"),
    ),
    (
        "proxy.handshake_failure_pct",
        Of("{value} of the TLS handshakes with {key} fail"),
    ),
    (
        "log.backlog_bytes",
        Of("{value} of log {key} have not been read yet"),
    ),
    ("log.readable", Of("Log {key} cannot be read")),
    (
        "log.files_open",
        Of("Not all files of log {key} can be open at once"),
    ),
];

/// Returns the condition of a metric: `Memory usage is high: 91.2 %`, `2 sessions are waiting for a lock on
/// store`. `events` is the number of events where it is known; else it follows from their rate.
pub(super) fn title(metric: &Metric, key: Option<&str>, value: f64, events: Option<f64>) -> String {
    let id = metric.id();
    let key = key.map_or_else(String::new, cut);
    let Some((_, title)) = TITLES.iter().find(|(known, _)| *known == id) else {
        let place = if key.is_empty() {
            key
        } else {
            format!(" of {key}")
        };
        return format!(
            "{}{place}: {}",
            metric.label,
            words::value(value, metric.unit)
        );
    };
    let window = f64::from(metric.evaluated_over_secs);
    let (template, n) = match *title {
        Of(template) => (template, 0),
        Count(one, many) => one_or_many(value, one, many),
        Events(one, many) => one_or_many(events.unwrap_or(value * window), one, many),
    };
    template
        .replace("{value}", &words::value(value, metric.unit))
        .replace("{n}", &n.to_string())
        .replace("{window}", &words::duration(window))
        // Last, as an untrusted name may contain braces.
        .replace("{key}", &key)
}

/// Returns the title of the problem that counts the remaining keys: `Dead-row share: 296 more, the worst orders with 40.2 %`.
pub(super) fn rest(metric: &Metric, count: usize, worst: Option<&str>, value: f64) -> String {
    let worst = worst.map_or_else(String::new, |key| format!(" {}", cut(key)));
    match metric.unit {
        Unit::Bool => format!("{}: {count} more, one of them{worst}", metric.label),
        unit => format!(
            "{}: {count} more, the worst{worst} with {}",
            metric.label,
            words::value(value, unit)
        ),
    }
}

/// Returns the template for a number and that number, which is at least 1.
#[expect(clippy::cast_possible_truncation, reason = "counts are far below 2^53")]
fn one_or_many<'a>(value: f64, one: &'a str, many: &'a str) -> (&'a str, i64) {
    let n = (value.round() as i64).max(1);
    (if n == 1 { one } else { many }, n)
}

/// Shortens a key so that it fits in a sentence.
pub(super) fn cut(key: &str) -> String {
    words::cut(key, 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_evaluated_metric_has_a_title_that_names_what_it_is_about() {
        for metric in schema::METRICS {
            let id = metric.id();
            let is_judged = metric.evaluated_over_secs > 0 && metric.levels.is_some();
            let titles: Vec<_> = TITLES.iter().filter(|(known, _)| *known == id).collect();
            assert_eq!(titles.len(), usize::from(is_judged), "{id}");
            for (_, title) in titles {
                let forms: &[&str] = match title {
                    Of(one) => &[one],
                    Count(one, many) | Events(one, many) => &[one, many],
                };
                for form in forms {
                    assert_eq!(form.contains("{key}"), metric.key.is_some(), "{id}");
                    let is_counted = matches!(title, Count(..) | Events(..));
                    assert_eq!(form.contains("{n}"), is_counted, "{id}");
                    assert_eq!(
                        form.contains("{window}"),
                        matches!(title, Events(..)),
                        "{id}"
                    );
                    assert!(
                        !(metric.unit == Unit::Bool && form.contains("{value}")),
                        "{id}"
                    );
                }
            }
        }
        let mut ids: Vec<_> = TITLES.iter().map(|(id, _)| *id).collect();
        ids.retain(|id| schema::metric(id).is_none());
        assert_eq!(ids, [""; 0], "titles of metrics that do not exist");
    }

    #[test]
    fn number_and_unit_agree() {
        for (id, key, value, expected) in [
            (
                "system.mem_used_pct",
                None,
                91.24,
                "Memory usage is high: 91.2 %",
            ),
            (
                "db.conn_waiting",
                Some("store"),
                1.0,
                "1 session is waiting for a lock on store",
            ),
            (
                "db.conn_waiting",
                Some("store"),
                1.7,
                "2 sessions are waiting for a lock on store",
            ),
            (
                "collector.pending_records",
                None,
                33.3,
                "33 records are waiting to be stored",
            ),
            (
                "db.deadlocks_per_sec",
                Some("store"),
                1.0 / 600.0,
                "1 deadlock on store in the last 10 min",
            ),
            (
                "db.deadlocks_per_sec",
                Some("store"),
                0.01,
                "6 deadlocks on store in the last 10 min",
            ),
            (
                "db.deadlocks_per_sec",
                Some("store"),
                0.0001,
                "1 deadlock on store in the last 10 min",
            ),
            (
                "db.oldest_xact_secs",
                Some("store"),
                4000.0,
                "A transaction on store has been open for 67 min",
            ),
            (
                "mount.used_pct",
                Some("/var"),
                92.0,
                "File system /var is 92 % full",
            ),
            (
                "index.invalid",
                Some("s.d.p.{value}"),
                1.0,
                "Index s.d.p.{value} is invalid",
            ),
        ] {
            assert_eq!(
                title(schema::metric(id).unwrap(), key, value, None),
                expected
            );
        }
        let dead = schema::metric("table.dead_pct").unwrap();
        assert_eq!(
            rest(dead, 296, Some("s.d.p.t5"), 40.2),
            "Dead-row share: 296 more, the worst s.d.p.t5 with 40.2 %"
        );
    }
}
