//! Changes of the host, from its logs and as collectors see them.

use super::stored::{Lookback, Stored};
use super::{Col, Filter, Source, View};
use crate::wire::Unit;

const CHANGE: &[Col] = &[
    Col::new(
        "ts_ms",
        "Time",
        Unit::TimeMs,
        "When it was changed, or when that was noticed.",
    )
    .primary(),
    Col::new(
        "kind",
        "Kind",
        Unit::Text,
        "Package, unit, program, kernel, server, setting, schema or configuration.",
    ),
    Col::new("subject", "What", Unit::Text, "What was changed.").primary(),
    Col::new("action", "Change", Unit::Text, "What was done.").primary(),
    Col::new("before", "Before", Unit::Text, "Version or value before."),
    Col::new("after", "After", Unit::Text, "Version or value after."),
    Col::new(
        "source",
        "Reported by",
        Unit::Text,
        "A log, or the collector.",
    ),
];

pub(super) const CHANGES: View = View {
    name: "changes",
    title: "Changes",
    columns: CHANGE,
    filters: &[Filter {
        id: "kind",
        label: "Kind",
        values: &[],
    }],
    default_sort: "-ts_ms",
    ranged: true,
    empty: "No package, service, server or setting was changed in this range.",
    families: &[],
    source: Source::Stored(Stored::new(
        include_str!("../sql/changes.sql"),
        Lookback::Range,
    )),
};
