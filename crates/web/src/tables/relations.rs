//! Tables and indexes.

use super::place::{BY_DATABASE, BY_SERVER, DATABASE, SERVER};
use super::stored::{Lookback, Stored};
use super::{Col, Filter, Source, View};
use crate::wire::Unit;

const TABLE: &[Col] = &[
    Col::new("table_name", "Table", Unit::Text, "Its name.").primary(),
    Col::new("schema_name", "Schema", Unit::Text, "Its schema."),
    Col::new(
        "total_bytes",
        "Size",
        Unit::Bytes,
        "Heap, indexes and TOAST, with those of its partitions; none while it is locked and was never vacuumed.",
    )
    .primary()
    .summed(),
    Col::new(
        "partitions",
        "Partitions",
        Unit::Count,
        "Number of its partitions, whose figures it includes; empty for other tables.",
    ),
    Col::new(
        "n_live_tup",
        "Live rows",
        Unit::Count,
        "Live rows, estimated.",
    )
    .summed(),
    Col::new(
        "n_dead_tup",
        "Dead rows",
        Unit::Count,
        "Dead rows, estimated.",
    )
    .summed(),
    Col::new(
        "dead_pct",
        "Dead",
        Unit::Percent,
        "Dead rows as a share of all; none below 2500 rows.",
    )
    .metric("table.dead_pct")
    .primary(),
    Col::new(
        "seq_scan_per_sec",
        "Sequential scans",
        Unit::PerSec,
        "Sequential scans per second.",
    )
    .metric("table.seq_scan_per_sec"),
    Col::new(
        "idx_scan_per_sec",
        "Index scans",
        Unit::PerSec,
        "Index scans per second.",
    )
    .metric("table.idx_scan_per_sec"),
    Col::new(
        "writes_per_sec",
        "Rows written",
        Unit::PerSec,
        "Rows inserted, updated and deleted per second.",
    )
    .metric("table.writes_per_sec"),
    Col::new(
        "cache_hit_pct",
        "Cache hit ratio",
        Unit::Percent,
        "Blocks found in shared buffers.",
    )
    .metric("table.cache_hit_pct"),
    Col::new(
        "index_bytes",
        "Indexes",
        Unit::Bytes,
        "Size of its indexes.",
    )
    .summed(),
    Col::new("toast_bytes", "TOAST", Unit::Bytes, "Size of its TOAST.").summed(),
    Col::new(
        "last_vacuum_ms",
        "Vacuumed",
        Unit::TimeMs,
        "The last vacuum, by hand or not.",
    ),
    Col::new(
        "last_analyze_ms",
        "Analyzed",
        Unit::TimeMs,
        "The last analyze, by hand or not.",
    ),
    Col::new(
        "last_autovacuum_ms",
        "Autovacuum",
        Unit::TimeMs,
        "The last vacuum by autovacuum.",
    ),
    Col::new(
        "last_autoanalyze_ms",
        "Autoanalyze",
        Unit::TimeMs,
        "The last analyze by autovacuum.",
    ),
    Col::new(
        "xid_age_pct",
        "Transaction ids",
        Unit::Percent,
        "Age of its oldest unfrozen row as a share of what there is.",
    )
    .metric("table.xid_age_pct"),
    DATABASE,
    SERVER,
];

pub(super) const TABLES: View = View {
    name: "tables",
    title: "Tables",
    columns: TABLE,
    filters: &[
        BY_SERVER,
        BY_DATABASE,
        Filter {
            id: "schema_name",
            label: "Schema",
            values: &[],
        },
    ],
    default_sort: "-total_bytes",
    ranged: false,
    empty: "No user table has been sampled yet; the slow tick reads them. Those of the collector itself are left out, unless include_own of its [[postgres]] entry is true.",
    families: &["tables"],
    source: Source::Stored(Stored::new(
        include_str!("../sql/tables.sql"),
        Lookback::Slow,
    )),
};

const VACUUM: &[Col] = &[
    Col::new("table_name", "Table", Unit::Text, "Its name.").primary(),
    Col::new("schema_name", "Schema", Unit::Text, "Its schema."),
    Col::new("why", "Reason", Unit::Text, "Why it needs vacuuming.").primary(),
    Col::new(
        "n_dead_tup",
        "Dead rows",
        Unit::Count,
        "Dead rows, estimated.",
    )
    .summed(),
    Col::new(
        "dead_pct",
        "Dead",
        Unit::Percent,
        "Dead rows as a share of all; none below 2500 rows.",
    )
    .metric("table.dead_pct"),
    Col::new(
        "vacuum_threshold",
        "Threshold",
        Unit::Count,
        "Dead rows at which autovacuum comes.",
    ),
    Col::new(
        "last_vacuum_ms",
        "Vacuumed",
        Unit::TimeMs,
        "The last vacuum, by hand or not.",
    ),
    Col::new("command", "Command", Unit::Text, "The command, to copy.").primary(),
    Col::new(
        "total_bytes",
        "Size",
        Unit::Bytes,
        "Heap, indexes and TOAST.",
    )
    .summed(),
    DATABASE,
    SERVER,
];

pub(super) const VACUUM_NEEDED: View = View {
    name: "vacuum_needed",
    title: "Vacuum needed",
    columns: VACUUM,
    filters: &[
        BY_SERVER,
        BY_DATABASE,
        Filter {
            id: "why",
            label: "Reason",
            values: &[
                ("dead", "Dead rows"),
                ("overdue", "Beyond its threshold"),
                ("disabled", "Autovacuum is off"),
                ("wraparound", "Old transaction ids"),
            ],
        },
    ],
    default_sort: "-n_dead_tup",
    ranged: false,
    empty: "No table needs vacuuming.",
    families: &["tables"],
    source: Source::Stored(Stored::new(
        include_str!("../sql/vacuum_needed.sql"),
        Lookback::Slow,
    )),
};

const INDEX: &[Col] = &[
    Col::new("index_name", "Index", Unit::Text, "Its name.").primary(),
    Col::new("table_name", "Table", Unit::Text, "Its table.").primary(),
    Col::new("schema_name", "Schema", Unit::Text, "Its schema."),
    Col::new("size_bytes", "Size", Unit::Bytes, "Its size.")
        .primary()
        .summed(),
    Col::new("scans_per_sec", "Scans", Unit::PerSec, "Scans per second.")
        .metric("index.scans_per_sec"),
    Col::new(
        "idx_scan",
        "All scans",
        Unit::Count,
        "Scans since counting began.",
    ),
    Col::new(
        "last_scan_ms",
        "Last scan",
        Unit::TimeMs,
        "The last scan; from PostgreSQL 16 on.",
    ),
    Col::new("is_unique", "Unique", Unit::Bool, "Whether it is unique."),
    Col::new(
        "is_needed",
        "Needed",
        Unit::Bool,
        "Whether it must stay although it is not scanned: constraint, unique, replica identity, part of a partitioned index.",
    ),
    Col::new(
        "is_valid",
        "Valid",
        Unit::Bool,
        "Whether queries can use it.",
    ),
    Col::new(
        "definition",
        "Definition",
        Unit::Text,
        "The statement that makes it.",
    ),
    DATABASE,
    SERVER,
];

pub(super) const INDEXES: View = View {
    name: "indexes",
    title: "Indexes",
    columns: INDEX,
    filters: &[
        BY_SERVER,
        BY_DATABASE,
        Filter {
            id: "issue",
            label: "Issue",
            values: &[("unused", "Never scanned"), ("invalid", "Invalid")],
        },
    ],
    default_sort: "-size_bytes",
    ranged: false,
    empty: "No user index has been sampled yet; the slow tick reads them. Those of the collector itself are left out, unless include_own of its [[postgres]] entry is true.",
    families: &["indexes"],
    source: Source::Stored(Stored::new(
        include_str!("../sql/indexes.sql"),
        Lookback::Slow,
    )),
};

const UNUSED: &[Col] = &[
    Col::new("index_name", "Index", Unit::Text, "Its name.").primary(),
    Col::new("table_name", "Table", Unit::Text, "Its table.").primary(),
    Col::new("schema_name", "Schema", Unit::Text, "Its schema."),
    Col::new("size_bytes", "Size", Unit::Bytes, "Its size.")
        .primary()
        .summed(),
    Col::new(
        "idx_scan",
        "Scans",
        Unit::Count,
        "Scans since counting began.",
    ),
    Col::new(
        "counted_since_ms",
        "Counted since",
        Unit::TimeMs,
        "Since when scans are counted.",
    ),
    Col::new(
        "counted_secs",
        "Counted for",
        Unit::Secs,
        "For how long scans have been counted: the longer, the surer.",
    ),
    Col::new(
        "first_seen_ms",
        "Watched since",
        Unit::TimeMs,
        "When it was first met: it is at least as old.",
    ),
    Col::new(
        "last_scan_ms",
        "Last scan",
        Unit::TimeMs,
        "The last scan; from PostgreSQL 16 on.",
    ),
    Col::new(
        "advice",
        "Advice",
        Unit::Text,
        "Whether it may go: never before it was watched, and its scans counted, for 14 days.",
    )
    .primary(),
    Col::new(
        "command",
        "Command",
        Unit::Text,
        "The command that drops it, to copy; none where keeping it is advised.",
    ),
    Col::new(
        "definition",
        "Definition",
        Unit::Text,
        "The statement that makes it.",
    ),
    DATABASE,
    SERVER,
];

pub(super) const UNUSED_INDEXES: View = View {
    name: "unused_indexes",
    title: "Unused indexes",
    columns: UNUSED,
    filters: &[BY_SERVER, BY_DATABASE],
    default_sort: "-size_bytes",
    ranged: false,
    empty: "Every index that nothing else needs has been scanned.",
    families: &["indexes"],
    source: Source::Stored(Stored::new(
        include_str!("../sql/unused_indexes.sql"),
        Lookback::Slow,
    )),
};
