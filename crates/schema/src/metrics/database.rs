//! The databases of a PostgreSQL server, one by one.

use crate::tables::{CheckSample, DatabaseSample};
use crate::{Better, Capacity, Domain, Fold, Levels, Metric, Sample, Scoring, Source, Unit};

const DATABASE: Source = Source::new(DatabaseSample::TABLE).identity("epoch");

/// What the checks of a slow tick report, the greatest object of a database.
const CHECKS: Source = Source::new(CheckSample::TABLE).fold(Fold::Max);

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(
    Domain::Database,
    DATABASE,
    Some("instance || '.' || database"),
);

/// By server and database.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "cache_hit_pct",
        label: "Cache hit ratio",
        unit: Unit::Percent,
        series: DATABASE.percent("blks_hit", "blks_hit + blks_read", 0.0),
        better: Better::Higher,
        levels: Some(Levels::new(97.0, 90.0)),
        scoring: Scoring::Scored { least: 5.0 },
        what: "Blocks found in shared buffers as a share of those requested, by database.",
        how: "Change in pg_stat_database counters. Evaluated for the server as a whole; thresholds as there.",
        fix: "See which statements read most under Queries.",
        ..BASE
    },
    Metric {
        name: "backends",
        label: "Sessions",
        unit: Unit::Count,
        series: DATABASE.level("numbackends"),
        better: Better::Lower,
        what: "Sessions of any kind, by database.",
        how: "pg_stat_database.",
        ..BASE
    },
    Metric {
        name: "xact_commit_per_sec",
        label: "Commits",
        unit: Unit::PerSec,
        series: DATABASE.rate("xact_commit"),
        scoring: Scoring::Scored { least: 5.0 },
        what: "Transactions committed per second, by database.",
        how: "Change in pg_stat_database counters.",
        ..BASE
    },
    Metric {
        name: "xact_rollback_per_sec",
        label: "Rollbacks",
        unit: Unit::PerSec,
        series: DATABASE.rate("xact_rollback"),
        better: Better::Lower,
        what: "Transactions rolled back per second, by database.",
        how: "Change in pg_stat_database counters.",
        ..BASE
    },
    Metric {
        name: "rollback_pct",
        label: "Rollback ratio",
        unit: Unit::Percent,
        series: DATABASE.percent("xact_rollback", "xact_commit + xact_rollback", 0.0),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 5.0 },
        what: "Rollbacks as a share of all transactions, by database.",
        how: "Change in pg_stat_database counters.",
        ..BASE
    },
    Metric {
        name: "blks_read_per_sec",
        label: "Blocks read",
        unit: Unit::PerSec,
        series: DATABASE.rate("blks_read"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 200.0 },
        what: "Blocks read from the kernel per second, by database.",
        how: "Change in pg_stat_database counters.",
        ..BASE
    },
    Metric {
        name: "read_ms",
        label: "Block read time",
        unit: Unit::Ms,
        series: DATABASE.mean("blk_read_ms_total", "blks_read", 0.0),
        better: Better::Lower,
        what: "Mean time to read a block. No value without track_io_timing.",
        how: "Change in the read time over change in the blocks read.",
        ..BASE
    },
    Metric {
        name: "deadlocks_per_sec",
        label: "Deadlocks",
        unit: Unit::PerSec,
        series: DATABASE.rate("deadlocks"),
        better: Better::Lower,
        scoring: Scoring::Unscored(Scoring::EVENTS),
        what: "Deadlocks per second, by database.",
        how: "Change in pg_stat_database counters. Evaluated for the server as a whole.",
        ..BASE
    },
    Metric {
        name: "conflicts_per_sec",
        label: "Recovery conflicts",
        unit: Unit::PerSec,
        series: DATABASE.rate("conflicts"),
        better: Better::Lower,
        levels: Some(Levels::warn(0.000001)),
        evaluated_over_secs: 600,
        confirm_secs: 0,
        counts_events: true,
        scoring: Scoring::Unscored(Scoring::EVENTS),
        what: "Statements per second that a standby cancelled to go on replaying.",
        how: "Change in pg_stat_database counters, evaluated over ten minutes. Each was an error for a client.",
        fix: "Set hot_standby_feedback, or a longer max_standby_streaming_delay.",
        ..BASE
    },
    Metric {
        name: "temp_bytes_per_sec",
        label: "Temporary file writes",
        unit: Unit::BytesPerSec,
        series: DATABASE.rate("temp_bytes"),
        better: Better::Lower,
        what: "Bytes of temporary files written per second, by database: work_mem was too small.",
        how: "Change in pg_stat_database counters.",
        ..BASE
    },
    Metric {
        name: "checksum_failures_per_sec",
        label: "Checksum failures",
        unit: Unit::PerSec,
        series: DATABASE.rate("checksum_failures"),
        better: Better::Lower,
        levels: Some(Levels::critical(0.0000001)),
        evaluated_over_secs: 3600,
        confirm_secs: 0,
        counts_events: true,
        scoring: Scoring::Unscored(Scoring::EVENTS),
        what: "Blocks per second whose checksum did not match: data is corrupted.",
        how: "Change in pg_stat_database counters over an hour. A single one is critical.",
        fix: "Stop writing, check the disk, and restore from a backup; the server's log names the block.",
        ..BASE
    },
    Metric {
        name: "active_pct",
        label: "Time running statements",
        unit: Unit::Percent,
        series: DATABASE.rate_times("active_ms_total", 0.1),
        what: "Time sessions spent running statements, percent: 100 is one session always active.",
        how: "Change in pg_stat_database counters.",
        ..BASE
    },
    Metric {
        name: "sessions_lost_per_sec",
        label: "Sessions lost",
        unit: Unit::PerSec,
        series: DATABASE.rate("sessions_abandoned + sessions_fatal + sessions_killed"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 0.1 },
        what: "Sessions per second whose client disconnected, or that were ended by an error or an operator.",
        how: "Change in pg_stat_database counters.",
        ..BASE
    },
    Metric {
        name: "size_bytes",
        label: "Size",
        unit: Unit::Bytes,
        series: DATABASE.level("size_bytes"),
        scoring: Scoring::Unscored(Scoring::GROWS),
        what: "Size on disk, by database.",
        how: "pg_database_size at the slow tick. No value where our role may not connect.",
        ..BASE
    },
    Metric {
        name: "sequence_used_pct",
        label: "Fullest sequence",
        unit: Unit::Percent,
        series: CHECKS.level("CASE WHEN check_name = 'sequences' THEN value END"),
        better: Better::Lower,
        scoring: Scoring::Unscored(Scoring::GROWS),
        capacity: Capacity::full("inserts that take its next number fail"),
        what: "Numbers that are used of the fullest sequence, by database, percent.",
        how: "pg_sequence once an hour: of the sequence, or of what fits the column that owns it. The check names it.",
        ..BASE
    },
    Metric {
        name: "xid_age",
        label: "Transaction age",
        unit: Unit::Count,
        series: DATABASE.level("xid_age"),
        better: Better::Lower,
        scoring: Scoring::Unscored(Scoring::GROWS),
        what: "Transactions since the oldest unfrozen row, by database.",
        how: "age(datfrozenxid) at the slow tick.",
        ..BASE
    },
];
