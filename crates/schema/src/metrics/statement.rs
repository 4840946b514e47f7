//! Statements, and what remembers them.

use crate::tables::{StatementSample, StatementStore};
use crate::{Better, Domain, Fold, Levels, Metric, Sample, Series, Unit};

/// A rate over the interval a row covers.
const fn steps(expr: &'static str, scale: f64) -> Series {
    Series::Steps {
        table: StatementSample::TABLE,
        expr,
        identity: "",
        scale,
    }
}

/// So much of the one per one of the other.
const fn per(part: &'static str, whole: &'static str) -> Series {
    Series::Share {
        table: StatementSample::TABLE,
        part,
        whole,
        identity: "",
        scale: 1.0,
        least: 0.0,
    }
}

/// A share in percent.
const fn percent(part: &'static str, whole: &'static str) -> Series {
    Series::Share {
        table: StatementSample::TABLE,
        part,
        whole,
        identity: "",
        scale: 100.0,
        least: 0.0,
    }
}

const fn store(expr: &'static str) -> Series {
    Series::Level {
        table: StatementStore::TABLE,
        expr,
        fold: Fold::Avg,
    }
}

/// What the metrics here have in common unless they say otherwise.
const SHOWN: Metric = Metric {
    domain: Domain::Statement,
    name: "",
    label: "",
    unit: Unit::None,
    series: store(""),
    key: Some("instance || '.' || database || '.' || queryid"),
    better: Better::Neither,
    levels: None,
    judged_over_secs: 0,
    what: "",
    how: "",
    fix: "",
};

/// By server, database and identifier.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "exec_ms_per_sec",
        label: "Time executing",
        unit: Unit::Ms,
        series: steps("exec_ms", 1.0),
        what: "Milliseconds per second spent executing a statement: 1000 is one session always at it.",
        how: "pg_stat_statements, differences between slow ticks.",
        ..SHOWN
    },
    Metric {
        name: "calls_per_sec",
        label: "Calls",
        unit: Unit::PerSec,
        series: steps("calls", 1.0),
        what: "Executions of a statement per second.",
        how: "pg_stat_statements, differences between slow ticks.",
        ..SHOWN
    },
    Metric {
        name: "rows_per_sec",
        label: "Rows",
        unit: Unit::PerSec,
        series: steps("rows", 1.0),
        what: "Rows per second that a statement returned or changed.",
        how: "pg_stat_statements, differences between slow ticks.",
        ..SHOWN
    },
    Metric {
        name: "mean_ms",
        label: "Mean time",
        unit: Unit::Ms,
        series: per("exec_ms", "calls"),
        better: Better::Lower,
        levels: Some(Levels::new(500.0, 1000.0)),
        what: "Mean time of an execution.",
        how: "Time over calls of the interval. 500 ms is slow for a service, 1 s too slow.",
        fix: "EXPLAIN (ANALYZE, BUFFERS) it: look for scans of whole tables and sorts on disk.",
        ..SHOWN
    },
    Metric {
        name: "max_ms",
        label: "Longest time",
        unit: Unit::Ms,
        series: Series::Level {
            table: StatementSample::TABLE,
            expr: "max_exec_ms",
            fold: Fold::Max,
        },
        better: Better::Lower,
        levels: Some(Levels::new(2000.0, 5000.0)),
        what: "Longest execution since its entry exists.",
        how: "pg_stat_statements. 2 s and 5 s: somebody waited.",
        fix: "Compare with the mean: a rare long one often waited for a lock.",
        ..SHOWN
    },
    Metric {
        name: "temp_blks",
        label: "Temporary blocks",
        unit: Unit::Count,
        series: Series::Level {
            table: StatementSample::TABLE,
            expr: "temp_blks_read + temp_blks_written",
            fold: Fold::Sum,
        },
        better: Better::Lower,
        levels: Some(Levels::new(1.0, 1000.0)),
        what: "Blocks of temporary files read and written within an interval: work_mem was too small.",
        how: "pg_stat_statements, differences between slow ticks. Any is worth knowing; a thousand are 8 MiB.",
        fix: "SET work_mem for this statement's role, or let an index give the order.",
        ..SHOWN
    },
    Metric {
        name: "cache_hit_pct",
        label: "Cache hits",
        unit: Unit::Percent,
        series: percent("shared_blks_hit", "shared_blks_hit + shared_blks_read"),
        better: Better::Higher,
        what: "Blocks a statement found in shared buffers, as a share of those asked for.",
        how: "pg_stat_statements, differences between slow ticks.",
        ..SHOWN
    },
    Metric {
        name: "blks_read_per_sec",
        label: "Blocks read",
        unit: Unit::PerSec,
        series: steps("shared_blks_read", 1.0),
        better: Better::Lower,
        what: "Blocks per second a statement asked of the kernel.",
        how: "pg_stat_statements, differences between slow ticks.",
        ..SHOWN
    },
    Metric {
        name: "wal_bytes_per_sec",
        label: "WAL",
        unit: Unit::BytesPerSec,
        series: steps("wal_bytes", 1.0),
        what: "Bytes of WAL per second that a statement made.",
        how: "pg_stat_statements, differences between slow ticks.",
        ..SHOWN
    },
    Metric {
        name: "store_used_pct",
        label: "Statements remembered",
        unit: Unit::Percent,
        series: store("100.0 * entries / nullif(max_entries, 0)"),
        key: Some("instance"),
        what: "Entries of pg_stat_statements as a share of its room.",
        how: "pg_stat_statements. Full is normal; what matters is how often entries are given up.",
        ..SHOWN
    },
    Metric {
        name: "evictions_per_hour",
        label: "Evictions per hour",
        unit: Unit::Count,
        series: Series::Steps {
            table: StatementStore::TABLE,
            expr: "dealloc",
            identity: "epoch",
            scale: 3600.0,
        },
        key: Some("instance"),
        better: Better::Lower,
        levels: Some(Levels::warn(2.0)),
        judged_over_secs: 3600,
        what: "Times per hour that pg_stat_statements gave up its least used twentieth.",
        how: "pg_stat_statements_info over an hour. More than one an hour and what was slow may be forgotten before it is read.",
        fix: "Raise pg_stat_statements.max, or let the client send parameters instead of literals.",
        ..SHOWN
    },
];
