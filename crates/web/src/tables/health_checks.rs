//! Health checks: what those who use a service would have seen.

use super::stored::{Lookback, Stored};
use super::{Col, Filter, Source, View};
use crate::wire::Unit;

const COLUMNS: &[Col] = &[
    Col::new(
        "check_name",
        "Check",
        Unit::Text,
        "Its name in the configuration.",
    )
    .primary(),
    Col::new(
        "kind",
        "Kind",
        Unit::Text,
        "http, tcp, tls, dns, postgres or ingest.",
    ),
    Col::new("target", "Target", Unit::Text, "What is asked."),
    Col::new(
        "state",
        "State",
        Unit::Text,
        "up, slow, down, or unknown where nothing was learnt of the service.",
    )
    .primary(),
    Col::new(
        "since_ms",
        "Since",
        Unit::TimeMs,
        "When it came into this state; empty where that is more than a week ago.",
    )
    .primary(),
    Col::new(
        "answer_ms",
        "Response time",
        Unit::Ms,
        "Of the last check that had an answer.",
    )
    .primary(),
    Col::new("attempts", "Attempts", Unit::Count, "Of the last check."),
    Col::new(
        "status",
        "Status",
        Unit::Text,
        "HTTP status of the last answer.",
    ),
    Col::new(
        "cert_days",
        "Certificate, days",
        Unit::Count,
        "Days until the first certificate of the chain expires.",
    )
    .metric("check.cert_days")
    .primary(),
    Col::new(
        "expires_ms",
        "Expires",
        Unit::TimeMs,
        "When that certificate expires.",
    ),
    Col::new(
        "error",
        "Error",
        Unit::Text,
        "Why it is not up, or why an earlier attempt was not.",
    )
    .primary(),
    Col::new("seen_ms", "Last check", Unit::TimeMs, "When it was made."),
];

pub(super) const VIEW: View = View {
    name: "health_checks",
    title: "Health checks",
    columns: COLUMNS,
    filters: &[Filter {
        id: "state",
        label: "State",
        values: &[
            ("up", "up"),
            ("slow", "slow"),
            ("down", "down"),
            ("unknown", "unknown"),
        ],
    }],
    default_sort: "check_name",
    ranged: false,
    empty: "No health check is made: add [[health.check]] to the configuration.",
    families: &[],
    source: Source::Stored(Stored::new(
        include_str!("../sql/health_checks.sql"),
        Lookback::Hour,
    )),
};
