//! Health of the parts of the system.

use super::stored::{Lookback, Stored};
use super::{Col, Source, View};
use crate::wire::Unit;

const COLUMNS: &[Col] = &[
    Col::new("domain", "Part", Unit::Text, "The part of the system.").primary(),
    Col::new(
        "score",
        "Health",
        Unit::Count,
        "0 to 100; critical below 40, degraded below 70. None where something is silent and nothing else is known.",
    )
    .primary(),
    Col::new(
        "day",
        "24 h",
        Unit::Text,
        "The lowest score of each half hour of 24 h: when the first begins, milliseconds, and the scores, empty where there is none.",
    )
    .primary(),
    Col::new(
        "capped_by",
        "Capped by",
        Unit::Text,
        "What keeps the score down whatever the mean is: a critical alert, or something without data.",
    )
    .primary(),
    Col::new(
        "worst",
        "Worst components",
        Unit::Text,
        "The components below 100, each with its score.",
    )
    .primary(),
    Col::new(
        "mean_score",
        "Mean",
        Unit::Count,
        "The weighted mean of the components.",
    ),
    Col::new(
        "component_count",
        "Components",
        Unit::Count,
        "Metrics with thresholds, objectives that are missed, and findings.",
    ),
];

pub(super) const VIEW: View = View {
    name: "health",
    title: "Health",
    columns: COLUMNS,
    filters: &[],
    default_sort: "score",
    ranged: false,
    empty: "No score yet; the collector stores the first one two minutes after its start.",
    families: &[],
    source: Source::Stored(Stored::new(
        include_str!("../sql/health.sql"),
        Lookback::Hour,
    )),
};
