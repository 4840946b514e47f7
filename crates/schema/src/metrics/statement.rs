//! Statements, and what remembers them.

use crate::tables::{StatementSample, StatementStore};
use crate::{Better, Domain, Fold, Levels, Metric, Sample, Scoring, Source, Unit};

const STATEMENTS: Source = Source::new(StatementSample::TABLE);
const STORE: Source = Source::new(StatementStore::TABLE).identity("epoch");

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(
    Domain::Statement,
    STATEMENTS,
    Some("instance || '.' || database || '.' || queryid"),
);

/// By server, database and identifier.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "exec_ms_per_sec",
        label: "Execution time",
        unit: Unit::Ms,
        series: STATEMENTS.rate("exec_ms"),
        scoring: Scoring::Unscored(Scoring::MANY),
        what: "Milliseconds per second spent executing a statement: 1000 is one session always executing it.",
        how: "pg_stat_statements, differences between slow ticks.",
        ..BASE
    },
    Metric {
        name: "calls_per_sec",
        label: "Calls",
        unit: Unit::PerSec,
        series: STATEMENTS.rate("calls"),
        scoring: Scoring::Unscored(Scoring::MANY),
        what: "Executions of a statement per second.",
        how: "pg_stat_statements, differences between slow ticks.",
        ..BASE
    },
    Metric {
        name: "rows_per_sec",
        label: "Rows",
        unit: Unit::PerSec,
        series: STATEMENTS.rate("rows"),
        scoring: Scoring::Unscored(Scoring::MANY),
        what: "Rows per second that a statement returned or changed.",
        how: "pg_stat_statements, differences between slow ticks.",
        ..BASE
    },
    Metric {
        name: "mean_ms",
        label: "Mean execution time",
        unit: Unit::Ms,
        series: STATEMENTS.mean("exec_ms", "calls", 0.0),
        better: Better::Lower,
        levels: Some(Levels::new(500.0, 1000.0)),
        scoring: Scoring::Unscored(Scoring::MANY),
        what: "Mean time of an execution.",
        how: "Time over calls of the interval. 500 ms is slow for a service, 1 s too slow.",
        fix: "EXPLAIN (ANALYZE, BUFFERS) it: look for scans of whole tables and sorts on disk.",
        ..BASE
    },
    Metric {
        name: "max_ms",
        label: "Longest execution",
        unit: Unit::Ms,
        series: STATEMENTS.fold(Fold::Max).level("max_exec_ms"),
        better: Better::Lower,
        levels: Some(Levels::new(2000.0, 5000.0)),
        scoring: Scoring::Unscored(Scoring::MANY),
        what: "Longest execution since its entry exists.",
        how: "pg_stat_statements. 2 s and 5 s: a user waited.",
        fix: "Compare with the mean: a single long execution often waited for a lock.",
        ..BASE
    },
    Metric {
        name: "temp_blks",
        label: "Temporary blocks",
        unit: Unit::Count,
        series: STATEMENTS
            .fold(Fold::Sum)
            .level("temp_blks_read + temp_blks_written"),
        better: Better::Lower,
        levels: Some(Levels::new(1.0, 1000.0)),
        scoring: Scoring::Unscored(Scoring::MANY),
        what: "Blocks of temporary files read and written within an interval: work_mem was too small.",
        how: "pg_stat_statements, differences between slow ticks. Any is worth knowing; a thousand are 8 MiB.",
        fix: "SET work_mem for this statement's role, or let an index return the rows in order.",
        ..BASE
    },
    Metric {
        name: "cache_hit_pct",
        label: "Cache hit ratio",
        unit: Unit::Percent,
        series: STATEMENTS.percent("shared_blks_hit", "shared_blks_hit + shared_blks_read", 0.0),
        better: Better::Higher,
        scoring: Scoring::Unscored(Scoring::MANY),
        what: "Blocks a statement found in shared buffers, as a share of those requested.",
        how: "pg_stat_statements, differences between slow ticks.",
        ..BASE
    },
    Metric {
        name: "blks_read_per_sec",
        label: "Blocks read",
        unit: Unit::PerSec,
        series: STATEMENTS.rate("shared_blks_read"),
        better: Better::Lower,
        scoring: Scoring::Unscored(Scoring::MANY),
        what: "Blocks per second that a statement read from the kernel.",
        how: "pg_stat_statements, differences between slow ticks.",
        ..BASE
    },
    Metric {
        name: "wal_bytes_per_sec",
        label: "WAL written",
        unit: Unit::BytesPerSec,
        series: STATEMENTS.rate("wal_bytes"),
        scoring: Scoring::Unscored(Scoring::MANY),
        what: "Bytes of WAL per second that a statement wrote.",
        how: "pg_stat_statements, differences between slow ticks.",
        ..BASE
    },
    Metric {
        name: "store_used_pct",
        label: "Statement entries used",
        unit: Unit::Percent,
        series: STORE.level("100.0 * entries / nullif(max_entries, 0)"),
        key: Some("instance"),
        scoring: Scoring::Unscored(Scoring::GROWS),
        what: "Entries of pg_stat_statements as a share of pg_stat_statements.max.",
        how: "pg_stat_statements. Full is normal; what matters is how often entries are evicted.",
        ..BASE
    },
    Metric {
        name: "evictions_per_hour",
        label: "Statement evictions per hour",
        unit: Unit::Count,
        series: STORE.rate_times("dealloc", 3600.0),
        key: Some("instance"),
        better: Better::Lower,
        levels: Some(Levels::warn(2.0)),
        evaluated_over_secs: 3600,
        confirm_secs: 0,
        counts_events: true,
        scoring: Scoring::Unscored(Scoring::EVENTS),
        what: "Times per hour that pg_stat_statements evicted its least used entries.",
        how: "pg_stat_statements_info over an hour. With more than one an hour, a slow statement may be evicted before it is read.",
        fix: "Raise pg_stat_statements.max, or let the client send parameters instead of literals.",
        ..BASE
    },
];
