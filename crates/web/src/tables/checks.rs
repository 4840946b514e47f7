//! Results of the checks of PostgreSQL servers.

use super::place::{BY_DATABASE, BY_SERVER, DATABASE, SERVER};
use super::stored::{Lookback, Stored};
use super::{Col, Filter, Source, View};
use crate::wire::Unit;

const COLUMNS: &[Col] = &[
    Col::new("check_name", "Check", Unit::Text, "What was looked for.").primary(),
    Col::new("object", "Object", Unit::Text, "What it is about.").primary(),
    Col::new(
        "value",
        "Value",
        Unit::Text,
        "The number the check is about, with its unit.",
    ),
    Col::new("detail", "Details", Unit::Text, "What else is known.").primary(),
    Col::new("advice", "Advice", Unit::Text, "What to do."),
    DATABASE,
    SERVER,
];

pub(super) const VIEW: View = View {
    name: "checks",
    title: "Checks",
    columns: COLUMNS,
    filters: &[
        BY_SERVER,
        BY_DATABASE,
        Filter {
            id: "check_name",
            label: "Check",
            values: &[],
        },
    ],
    default_sort: "check_name",
    ranged: false,
    empty: "All checks passed.",
    families: &[
        "archive_pending",
        "autovacuum",
        "checkpoint_pressure",
        "collation_mismatch",
        "connection_saturation",
        "duplicate_indexes",
        "fk_without_index",
        "index_bloat",
        "invalid_indexes",
        "logical_lag",
        "missing_replica_identity",
        "prepared_xacts",
        "recovery_conflicts",
        "sequences",
        "slot_retention",
        "table_bloat",
        "temp_",
        "vacuum_progress",
        "wal_dir",
        "wraparound",
        "xmin_horizon",
    ],
    source: Source::Stored(Stored::new(
        include_str!("../sql/checks.sql"),
        Lookback::Slow,
    )),
};
