//! Tables and indexes.

use crate::tables::{IndexSample, TableSample};
use crate::{Better, Domain, Levels, Metric, Sample, Scoring, Source, Unit};

const TABLES: Source = Source::new(TableSample::TABLE).identity("epoch");
const INDEXES: Source = Source::new(IndexSample::TABLE).identity("epoch");

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(
    Domain::Table,
    TABLES,
    Some("instance || '.' || database || '.' || schema_name || '.' || table_name"),
);

/// The same of indexes.
const INDEX_BASE: Metric = Metric {
    domain: Domain::Index,
    key: Some("instance || '.' || database || '.' || schema_name || '.' || index_name"),
    ..BASE
};

/// By server, database, schema and table.
pub(super) const TABLE: &[Metric] = &[
    Metric {
        name: "dead_pct",
        label: "Dead-row share",
        unit: Unit::Percent,
        series: TABLES.level("CASE WHEN n_live_tup + n_dead_tup >= 2500 THEN 100.0 * n_dead_tup / (n_live_tup + n_dead_tup) END"),
        better: Better::Lower,
        levels: Some(Levels::with_info(10.0, 20.0, 50.0)),
        evaluated_over_secs: 600,
        confirm_secs: 600,
        scoring: Scoring::Scored { least: 10.0 },
        what: "Dead rows as a share of all rows of a table, estimated.",
        how: "pg_stat_user_tables; no value below 2500 rows, a fifth of which are 500 dead ones. Autovacuum starts at 20 percent by default: 10 is notable, 20 a warning, at 50 it does not keep up.",
        fix: "VACUUM (ANALYZE) it; then lower its autovacuum_vacuum_scale_factor.",
        ..BASE
    },
    Metric {
        name: "n_dead_tup",
        label: "Dead rows",
        unit: Unit::Count,
        series: TABLES.level("n_dead_tup"),
        better: Better::Lower,
        what: "Dead rows, estimated.",
        how: "pg_stat_user_tables.",
        ..BASE
    },
    Metric {
        name: "n_live_tup",
        label: "Live rows",
        unit: Unit::Count,
        series: TABLES.level("n_live_tup"),
        scoring: Scoring::Unscored(Scoring::GROWS),
        what: "Live rows, estimated.",
        how: "pg_stat_user_tables.",
        ..BASE
    },
    Metric {
        name: "total_bytes",
        label: "Size",
        unit: Unit::Bytes,
        series: TABLES.level("total_bytes"),
        scoring: Scoring::Unscored(Scoring::GROWS),
        what: "Size of heap, indexes and TOAST.",
        how: "pg_class.relpages, as of the last vacuum or analyze; the files where there was none. Of a partitioned table, all its partitions.",
        ..BASE
    },
    Metric {
        name: "index_bytes",
        label: "Index size",
        unit: Unit::Bytes,
        series: TABLES.level("index_bytes"),
        scoring: Scoring::Unscored(Scoring::GROWS),
        what: "Size of the indexes of a table.",
        how: "pg_class.relpages, as of the last vacuum or analyze.",
        ..BASE
    },
    Metric {
        name: "seq_scan_per_sec",
        label: "Sequential scans",
        unit: Unit::PerSec,
        series: TABLES.rate("seq_scan"),
        what: "Sequential scans per second.",
        how: "Change in pg_stat_user_tables counters.",
        ..BASE
    },
    Metric {
        name: "idx_scan_per_sec",
        label: "Index scans",
        unit: Unit::PerSec,
        series: TABLES.rate("idx_scan"),
        what: "Index scans per second.",
        how: "Change in pg_stat_user_tables counters.",
        ..BASE
    },
    Metric {
        name: "seq_rows_per_sec",
        label: "Rows read by scans",
        unit: Unit::PerSec,
        series: TABLES.rate("seq_tup_read"),
        what: "Rows read by sequential scans per second.",
        how: "Change in pg_stat_user_tables counters.",
        ..BASE
    },
    Metric {
        name: "writes_per_sec",
        label: "Rows written",
        unit: Unit::PerSec,
        series: TABLES.rate("n_tup_ins + n_tup_upd + n_tup_del"),
        what: "Rows inserted, updated and deleted per second.",
        how: "Change in pg_stat_user_tables counters.",
        ..BASE
    },
    Metric {
        name: "hot_pct",
        label: "HOT updates",
        unit: Unit::Percent,
        series: TABLES.percent("n_tup_hot_upd", "n_tup_upd", 0.0),
        better: Better::Higher,
        what: "Updates that needed no new index entry (HOT), as a share of all.",
        how: "Change in pg_stat_user_tables counters.",
        ..BASE
    },
    Metric {
        name: "cache_hit_pct",
        label: "Cache hit ratio",
        unit: Unit::Percent,
        series: TABLES.percent("heap_blks_hit + coalesce(idx_blks_hit, 0)", "heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0)", 0.0),
        better: Better::Higher,
        what: "Blocks of a table and its indexes found in shared buffers, as a share of those requested.",
        how: "Change in pg_statio_user_tables counters.",
        ..BASE
    },
    Metric {
        name: "xid_age_pct",
        label: "Transaction IDs used",
        unit: Unit::Percent,
        series: TABLES.level("100.0 * xid_age / 2147483647.0"),
        better: Better::Lower,
        levels: Some(Levels::new(25.0, 75.0)),
        scoring: Scoring::Unscored(Scoring::GROWS),
        what: "Age of the oldest unfrozen row as a share of all IDs.",
        how: "age(relfrozenxid). Evaluated for the server as a whole; thresholds as there.",
        fix: "VACUUM (FREEZE) it by hand.",
        ..BASE
    },
];

/// By server, database, schema and index.
pub(super) const INDEX: &[Metric] = &[
    Metric {
        name: "size_bytes",
        label: "Size",
        unit: Unit::Bytes,
        series: INDEXES.level("size_bytes"),
        scoring: Scoring::Unscored(Scoring::GROWS),
        what: "Size of an index.",
        how: "pg_class.relpages.",
        ..INDEX_BASE
    },
    Metric {
        name: "scans_per_sec",
        label: "Scans",
        unit: Unit::PerSec,
        series: INDEXES.rate("idx_scan"),
        what: "Scans of an index per second.",
        how: "Change in pg_stat_user_indexes counters.",
        ..INDEX_BASE
    },
    Metric {
        name: "entries_per_sec",
        label: "Index entries read",
        unit: Unit::PerSec,
        series: INDEXES.rate("idx_tup_read"),
        what: "Entries of an index read per second.",
        how: "Change in pg_stat_user_indexes counters.",
        ..INDEX_BASE
    },
    Metric {
        name: "invalid",
        label: "Invalid index",
        unit: Unit::Bool,
        series: INDEXES.level("(NOT is_valid)::int::float8"),
        better: Better::Lower,
        levels: Some(Levels::warn(1.0)),
        evaluated_over_secs: 600,
        confirm_secs: 0,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether queries cannot use the index: 1 yes, 0 no. Every write still maintains it.",
        how: "pg_index over ten minutes. A concurrent build that failed leaves an invalid index.",
        fix: "If no build is running: REINDEX INDEX CONCURRENTLY, or DROP INDEX CONCURRENTLY.",
        ..INDEX_BASE
    },
];
