//! The transitions of one finding.

use super::stored::{Lookback, Stored};
use super::{Col, Source, View};
use crate::wire::Unit;

const COLUMNS: &[Col] = &[
    Col::new("at_ms", "Time", Unit::TimeMs, "When it changed.").primary(),
    Col::new(
        "transition",
        "Change",
        Unit::Text,
        "opened, confirmed (it held for as long as its rule asks for), worse, better, refreshed (only the figures are new), unknown (no data), resolved, or verified a day later.",
    )
    .primary(),
    Col::new(
        "severity",
        "Severity",
        Unit::Severity,
        "Its severity from then on.",
    ),
    Col::new(
        "message",
        "Observation",
        Unit::Text,
        "The observation, with figures.",
    ),
    Col::new(
        "value",
        "Measured",
        Unit::Count,
        "The measured value, in the unit of the metric.",
    ),
    Col::new(
        "current",
        "Newest sample",
        Unit::Count,
        "The value of the newest sample, where a mean was evaluated.",
    ),
    Col::new(
        "threshold",
        "Threshold",
        Unit::Count,
        "The threshold that was reached.",
    ),
    Col::new(
        "occurrences",
        "Occurrences",
        Unit::Count,
        "How often it had begun or returned.",
    ),
];

pub(super) const VIEW: View = View {
    name: "finding_history",
    title: "History of a finding",
    columns: COLUMNS,
    filters: &[],
    default_sort: "-at_ms",
    ranged: false,
    empty: "Nothing is known of this finding any more.",
    families: &[],
    source: Source::Stored(
        Stored::new(include_str!("../sql/finding_history.sql"), Lookback::Range).detail(),
    ),
};
