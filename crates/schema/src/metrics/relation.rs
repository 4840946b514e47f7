//! Tables and indexes.

use crate::tables::{IndexSample, TableSample};
use crate::{Better, Domain, Fold, Levels, Metric, Sample, Series, Unit};

const fn level(expr: &'static str) -> Series {
    Series::Level {
        table: TableSample::TABLE,
        expr,
        fold: Fold::Avg,
    }
}

/// A rate.
const fn steps(expr: &'static str, scale: f64) -> Series {
    Series::Steps {
        table: TableSample::TABLE,
        expr,
        identity: "epoch",
        scale,
    }
}

/// A share in percent; judged from `least` on.
const fn share(part: &'static str, whole: &'static str, least: f64) -> Series {
    Series::Share {
        table: TableSample::TABLE,
        part,
        whole,
        identity: "epoch",
        scale: 100.0,
        least,
    }
}

const fn index_level(expr: &'static str) -> Series {
    Series::Level {
        table: IndexSample::TABLE,
        expr,
        fold: Fold::Avg,
    }
}

/// A rate.
const fn index_steps(expr: &'static str, scale: f64) -> Series {
    Series::Steps {
        table: IndexSample::TABLE,
        expr,
        identity: "epoch",
        scale,
    }
}

/// What the metrics here have in common unless they say otherwise.
const SHOWN: Metric = Metric {
    domain: Domain::Table,
    name: "",
    label: "",
    unit: Unit::None,
    series: level(""),
    key: Some("instance || '.' || database || '.' || schema_name || '.' || table_name"),
    better: Better::Neither,
    levels: None,
    judged_over_secs: 0,
    what: "",
    how: "",
    fix: "",
};

/// The same of indexes.
const INDEX_SHOWN: Metric = Metric {
    domain: Domain::Index,
    key: Some("instance || '.' || database || '.' || schema_name || '.' || index_name"),
    ..SHOWN
};

/// By server, database, schema and table.
pub(super) const TABLE: &[Metric] = &[
    Metric {
        name: "dead_pct",
        label: "Dead rows",
        unit: Unit::Percent,
        series: level(
            "CASE WHEN n_live_tup + n_dead_tup >= 1000 THEN 100.0 * n_dead_tup / (n_live_tup + n_dead_tup) END",
        ),
        better: Better::Lower,
        levels: Some(Levels::with_info(10.0, 20.0, 50.0)),
        judged_over_secs: 600,
        what: "Dead rows as a share of all rows of a table, estimated.",
        how: "pg_stat_user_tables; no value below 1000 rows. Autovacuum comes at 20 percent by default: 10 is worth a look, 20 a warning, at 50 it does not get through.",
        fix: "VACUUM (ANALYZE) it; then lower its autovacuum_vacuum_scale_factor.",
        ..SHOWN
    },
    Metric {
        name: "n_dead_tup",
        label: "Dead rows",
        unit: Unit::Count,
        series: level("n_dead_tup"),
        better: Better::Lower,
        what: "Dead rows, estimated.",
        how: "pg_stat_user_tables.",
        ..SHOWN
    },
    Metric {
        name: "n_live_tup",
        label: "Live rows",
        unit: Unit::Count,
        series: level("n_live_tup"),
        what: "Live rows, estimated.",
        how: "pg_stat_user_tables.",
        ..SHOWN
    },
    Metric {
        name: "total_bytes",
        label: "Size",
        unit: Unit::Bytes,
        series: level("total_bytes"),
        what: "Size of heap, indexes and TOAST.",
        how: "pg_class.relpages, as of the last vacuum or analyze; the files where there was none. Of a partitioned table, all its partitions.",
        ..SHOWN
    },
    Metric {
        name: "index_bytes",
        label: "Size of indexes",
        unit: Unit::Bytes,
        series: level("index_bytes"),
        what: "Size of the indexes of a table.",
        how: "pg_class.relpages, as of the last vacuum or analyze.",
        ..SHOWN
    },
    Metric {
        name: "seq_scan_per_sec",
        label: "Sequential scans",
        unit: Unit::PerSec,
        series: steps("seq_scan", 1.0),
        what: "Sequential scans per second.",
        how: "Steps of pg_stat_user_tables.",
        ..SHOWN
    },
    Metric {
        name: "idx_scan_per_sec",
        label: "Index scans",
        unit: Unit::PerSec,
        series: steps("idx_scan", 1.0),
        what: "Index scans per second.",
        how: "Steps of pg_stat_user_tables.",
        ..SHOWN
    },
    Metric {
        name: "seq_rows_per_sec",
        label: "Rows read by scans",
        unit: Unit::PerSec,
        series: steps("seq_tup_read", 1.0),
        what: "Rows read by sequential scans per second.",
        how: "Steps of pg_stat_user_tables.",
        ..SHOWN
    },
    Metric {
        name: "writes_per_sec",
        label: "Rows written",
        unit: Unit::PerSec,
        series: steps("n_tup_ins + n_tup_upd + n_tup_del", 1.0),
        what: "Rows inserted, updated and deleted per second.",
        how: "Steps of pg_stat_user_tables.",
        ..SHOWN
    },
    Metric {
        name: "hot_pct",
        label: "Updates in place",
        unit: Unit::Percent,
        series: share("n_tup_hot_upd", "n_tup_upd", 0.0),
        better: Better::Higher,
        what: "Updates that needed no new index entry (HOT), as a share of all.",
        how: "Steps of pg_stat_user_tables.",
        ..SHOWN
    },
    Metric {
        name: "cache_hit_pct",
        label: "Cache hits",
        unit: Unit::Percent,
        series: share(
            "heap_blks_hit + coalesce(idx_blks_hit, 0)",
            "heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0)",
            0.0,
        ),
        better: Better::Higher,
        what: "Blocks of a table and its indexes found in shared buffers, as a share of those asked for.",
        how: "Steps of pg_statio_user_tables.",
        ..SHOWN
    },
    Metric {
        name: "xid_age_pct",
        label: "Transaction ids used",
        unit: Unit::Percent,
        series: level("100.0 * xid_age / 2147483647.0"),
        better: Better::Lower,
        levels: Some(Levels::new(25.0, 75.0)),
        what: "Age of the oldest unfrozen row as a share of what there is.",
        how: "age(relfrozenxid). Judged for the server as a whole; thresholds as there.",
        fix: "VACUUM (FREEZE) it by hand.",
        ..SHOWN
    },
];

/// By server, database, schema and index.
pub(super) const INDEX: &[Metric] = &[
    Metric {
        name: "size_bytes",
        label: "Size",
        unit: Unit::Bytes,
        series: index_level("size_bytes"),
        what: "Size of an index.",
        how: "pg_class.relpages.",
        ..INDEX_SHOWN
    },
    Metric {
        name: "scans_per_sec",
        label: "Scans",
        unit: Unit::PerSec,
        series: index_steps("idx_scan", 1.0),
        what: "Scans of an index per second.",
        how: "Steps of pg_stat_user_indexes.",
        ..INDEX_SHOWN
    },
    Metric {
        name: "entries_per_sec",
        label: "Entries read",
        unit: Unit::PerSec,
        series: index_steps("idx_tup_read", 1.0),
        what: "Entries of an index read per second.",
        how: "Steps of pg_stat_user_indexes.",
        ..INDEX_SHOWN
    },
    Metric {
        name: "invalid",
        label: "Invalid index",
        unit: Unit::Bool,
        series: index_level("(NOT is_valid)::int::float8"),
        better: Better::Lower,
        levels: Some(Levels::warn(1.0)),
        judged_over_secs: 600,
        what: "Whether queries cannot use the index: 1 yes, 0 no. It costs on every write all the same.",
        how: "pg_index over ten minutes. A concurrent build that failed leaves one behind.",
        fix: "If no build is running: REINDEX INDEX CONCURRENTLY, or DROP INDEX CONCURRENTLY.",
        ..INDEX_SHOWN
    },
];
