//! What to do, why, and what became of it.

use super::logs::BY_SEVERITY;
use super::stored::{Lookback, Stored};
use super::{Col, Filter, Source, View};
use crate::wire::Unit;

const COLUMNS: &[Col] = &[
    Col::new("title", "Recommendation", Unit::Text, "What to do.").primary(),
    Col::new(
        "target",
        "Subject",
        Unit::Text,
        "What it is about: a table, an index, a process, a mount, a server.",
    )
    .primary(),
    Col::new(
        "evidence",
        "Evidence",
        Unit::Text,
        "The observation that it follows from, with figures.",
    )
    .primary(),
    Col::new(
        "action",
        "Action",
        Unit::Text,
        "A statement or command to copy; nothing is run from here.",
    )
    .primary(),
    Col::new(
        "state",
        "State",
        Unit::Text,
        "open, acknowledged (somebody knows), dismissed (in no other list), or resolved: the cause has ended.",
    ),
    Col::new(
        "verified",
        "A day later",
        Unit::Text,
        "What became of it a day after its cause had ended.",
    ),
    Col::new(
        "steps",
        "What to do",
        Unit::Text,
        "Steps to take, in order; commands between backticks.",
    ),
    Col::new(
        "since_ms",
        "Since",
        Unit::TimeMs,
        "Since when its cause holds.",
    ),
    Col::new(
        "resolved_ms",
        "Resolved",
        Unit::TimeMs,
        "When its cause ended.",
    ),
    Col::new(
        "ack",
        "Acknowledge",
        Unit::Text,
        "The command that notes that somebody knows.",
    ),
    Col::new(
        "dismiss",
        "Dismiss",
        Unit::Text,
        "The command that takes it out of the lists.",
    ),
    Col::new(
        "marked",
        "Marked",
        Unit::Text,
        "Who acknowledged or dismissed it, and until when.",
    ),
    Col::new(
        "category",
        "Category",
        Unit::Text,
        "vacuum, system, api, proxy, db, performance, process, index, logs or security.",
    ),
    Col::new(
        "position",
        "Order",
        Unit::Count,
        "Open ones first, then the worst, then the newest.",
    ),
];

pub(super) const VIEW: View = View {
    name: "recommendations",
    title: "Recommendations",
    columns: COLUMNS,
    filters: &[
        Filter {
            id: "state",
            label: "State",
            values: &[
                ("open", "Open"),
                ("acknowledged", "Acknowledged"),
                ("dismissed", "Dismissed"),
                ("resolved", "Resolved"),
            ],
        },
        BY_SEVERITY,
        Filter {
            id: "category",
            label: "Category",
            values: &[],
        },
    ],
    default_sort: "position",
    ranged: false,
    empty: "Nothing is recommended.",
    families: &[],
    source: Source::Stored(Stored::new(
        include_str!("../sql/recommendations.sql"),
        Lookback::Hour,
    )),
};
