//! The databases of a PostgreSQL server, one by one.

use crate::tables::DatabaseSample;
use crate::{Better, Domain, Fold, Levels, Metric, Sample, Series, Unit};

const fn level(expr: &'static str) -> Series {
    Series::Level {
        table: DatabaseSample::TABLE,
        expr,
        fold: Fold::Avg,
    }
}

/// A rate.
const fn steps(expr: &'static str, scale: f64) -> Series {
    Series::Steps {
        table: DatabaseSample::TABLE,
        expr,
        identity: "epoch",
        scale,
    }
}

/// A share in percent; judged from `least` on.
const fn share(part: &'static str, whole: &'static str, least: f64) -> Series {
    Series::Share {
        table: DatabaseSample::TABLE,
        part,
        whole,
        identity: "epoch",
        scale: 100.0,
        least,
    }
}

/// So much of the one per one of the other.
const fn per(part: &'static str, whole: &'static str) -> Series {
    Series::Share {
        table: DatabaseSample::TABLE,
        part,
        whole,
        identity: "epoch",
        scale: 1.0,
        least: 0.0,
    }
}

/// What the metrics here have in common unless they say otherwise.
const SHOWN: Metric = Metric {
    domain: Domain::Database,
    name: "",
    label: "",
    unit: Unit::None,
    series: level(""),
    key: Some("instance || '.' || database"),
    better: Better::Neither,
    levels: None,
    judged_over_secs: 0,
    what: "",
    how: "",
    fix: "",
};

/// By server and database.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "cache_hit_pct",
        label: "Cache hits",
        unit: Unit::Percent,
        series: share("blks_hit", "blks_hit + blks_read", 0.0),
        better: Better::Higher,
        levels: Some(Levels::new(97.0, 90.0)),
        what: "Blocks found in shared buffers as a share of those asked for, by database.",
        how: "Steps of pg_stat_database. Judged for the server as a whole; thresholds as there.",
        fix: "See which statements read most under Queries.",
        ..SHOWN
    },
    Metric {
        name: "backends",
        label: "Sessions",
        unit: Unit::Count,
        series: level("numbackends"),
        better: Better::Lower,
        what: "Sessions of any kind, by database.",
        how: "pg_stat_database.",
        ..SHOWN
    },
    Metric {
        name: "xact_commit_per_sec",
        label: "Commits",
        unit: Unit::PerSec,
        series: steps("xact_commit", 1.0),
        what: "Transactions committed per second, by database.",
        how: "Steps of pg_stat_database.",
        ..SHOWN
    },
    Metric {
        name: "xact_rollback_per_sec",
        label: "Rollbacks",
        unit: Unit::PerSec,
        series: steps("xact_rollback", 1.0),
        better: Better::Lower,
        what: "Transactions rolled back per second, by database.",
        how: "Steps of pg_stat_database.",
        ..SHOWN
    },
    Metric {
        name: "rollback_pct",
        label: "Rolled back",
        unit: Unit::Percent,
        series: share("xact_rollback", "xact_commit + xact_rollback", 0.0),
        better: Better::Lower,
        what: "Rollbacks as a share of all transactions, by database.",
        how: "Steps of pg_stat_database.",
        ..SHOWN
    },
    Metric {
        name: "blks_read_per_sec",
        label: "Blocks read",
        unit: Unit::PerSec,
        series: steps("blks_read", 1.0),
        better: Better::Lower,
        what: "Blocks asked of the kernel per second, by database.",
        how: "Steps of pg_stat_database.",
        ..SHOWN
    },
    Metric {
        name: "read_ms",
        label: "Time of a block read",
        unit: Unit::Ms,
        series: per("blk_read_ms_total", "blks_read"),
        better: Better::Lower,
        what: "Mean time to read a block. No value without track_io_timing.",
        how: "Steps of time over steps of blocks.",
        ..SHOWN
    },
    Metric {
        name: "deadlocks_per_sec",
        label: "Deadlocks",
        unit: Unit::PerSec,
        series: steps("deadlocks", 1.0),
        better: Better::Lower,
        what: "Deadlocks per second, by database.",
        how: "Steps of pg_stat_database. Judged for the server as a whole.",
        ..SHOWN
    },
    Metric {
        name: "conflicts_per_sec",
        label: "Recovery conflicts",
        unit: Unit::PerSec,
        series: steps("conflicts", 1.0),
        better: Better::Lower,
        what: "Statements per second that a standby cancelled to go on replaying.",
        how: "Steps of pg_stat_database.",
        ..SHOWN
    },
    Metric {
        name: "temp_bytes_per_sec",
        label: "Temporary files",
        unit: Unit::BytesPerSec,
        series: steps("temp_bytes", 1.0),
        better: Better::Lower,
        what: "Bytes of temporary files written per second, by database: work_mem was too small.",
        how: "Steps of pg_stat_database.",
        ..SHOWN
    },
    Metric {
        name: "checksum_failures_per_sec",
        label: "Checksum failures",
        unit: Unit::PerSec,
        series: steps("checksum_failures", 1.0),
        better: Better::Lower,
        levels: Some(Levels::critical(0.0000001)),
        judged_over_secs: 3600,
        what: "Blocks per second whose checksum did not hold: data are damaged.",
        how: "Steps of pg_stat_database over an hour. A single one is critical.",
        fix: "Stop writing, check the disk, and restore from a backup; the server's log names the block.",
        ..SHOWN
    },
    Metric {
        name: "active_pct",
        label: "Time in statements",
        unit: Unit::Percent,
        series: steps("active_ms_total", 0.1),
        what: "Time sessions spent running statements, percent: 100 is one session always at work.",
        how: "Steps of pg_stat_database.",
        ..SHOWN
    },
    Metric {
        name: "sessions_lost_per_sec",
        label: "Sessions lost",
        unit: Unit::PerSec,
        series: steps("sessions_abandoned + sessions_fatal + sessions_killed", 1.0),
        better: Better::Lower,
        what: "Sessions per second whose client vanished, or that were ended by an error or an operator.",
        how: "Steps of pg_stat_database.",
        ..SHOWN
    },
    Metric {
        name: "size_bytes",
        label: "Size",
        unit: Unit::Bytes,
        series: level("size_bytes"),
        what: "Size on disk, by database.",
        how: "pg_database_size at the slow tick. No value where our role may not connect.",
        ..SHOWN
    },
    Metric {
        name: "xid_age",
        label: "Transaction age",
        unit: Unit::Count,
        series: level("xid_age"),
        better: Better::Lower,
        what: "Transactions since the oldest unfrozen row, by database.",
        how: "age(datfrozenxid) at the slow tick.",
        ..SHOWN
    },
];
