//! Findings of the collector, open and resolved.

use super::logs::BY_SEVERITY;
use super::stored::{Lookback, Stored};
use super::{Col, Filter, Source, View};
use crate::wire::Unit;

const FINDING: &[Col] = &[
    Col::new("title", "Finding", Unit::Text, "The condition.").primary(),
    Col::new(
        "severity",
        "Severity",
        Unit::Text,
        "info, warn or critical; the finding is marked with it as long as it is open.",
    ),
    Col::new(
        "target",
        "Subject",
        Unit::Text,
        "A source, the text of a pattern, an address or an account.",
    )
    .primary(),
    Col::new("state", "State", Unit::Text, "open, or resolved."),
    Col::new(
        "since_ms",
        "Since",
        Unit::TimeMs,
        "Time of the first line, attempt or packet that it counts.",
    ),
    Col::new(
        "seen_ms",
        "Last seen",
        Unit::TimeMs,
        "Time of the last of them.",
    ),
    Col::new(
        "resolved_ms",
        "Resolved",
        Unit::TimeMs,
        "When it was resolved; empty while it is open.",
    ),
    Col::new(
        "message",
        "Observation",
        Unit::Text,
        "The observation, with figures.",
    ),
    Col::new(
        "steps",
        "What to do",
        Unit::Text,
        "Steps to take, in order; one per line, commands between backticks.",
    ),
    Col::new(
        "value",
        "Measured",
        Unit::Count,
        "The measured value, in the unit of the message.",
    ),
    Col::new(
        "expected",
        "Expected",
        Unit::Count,
        "The expected value; empty without a basis for comparison.",
    ),
    Col::new(
        "occurrences",
        "Occurrences",
        Unit::Count,
        "How often it was found again.",
    ),
    Col::new(
        "kind",
        "Kind",
        Unit::Text,
        "alert: act on it. insight: worth knowing. recommendation: what to do.",
    ),
    Col::new("domain", "Domain", Unit::Text, "logs or security."),
    Col::new("rule", "Rule", Unit::Text, "The rule that found it."),
    Col::new(
        "source",
        "Source",
        Unit::Text,
        "The log with its lines; empty where there are several.",
    ),
    Col::new(
        "pattern",
        "Pattern",
        Unit::Text,
        "Fingerprint of the lines it is about, a row of log_patterns; empty where there is none.",
    ),
    Col::new(
        "position",
        "Order",
        Unit::Count,
        "Open ones first, then the worst, then the newest.",
    ),
];

pub(super) const VIEW: View = View {
    name: "findings",
    title: "Findings",
    columns: FINDING,
    filters: &[
        Filter {
            id: "state",
            label: "State",
            values: &[("open", "Open"), ("resolved", "Resolved")],
        },
        BY_SEVERITY,
        Filter {
            id: "kind",
            label: "Kind",
            values: &[
                ("alert", "Alerts"),
                ("insight", "Insights"),
                ("recommendation", "Recommendations"),
            ],
        },
        Filter {
            id: "domain",
            label: "Domain",
            values: &[("logs", "Logs"), ("security", "Security")],
        },
    ],
    default_sort: "position",
    ranged: true,
    empty: "No findings in this range.",
    families: &[],
    source: Source::Stored(Stored::new(
        include_str!("../sql/findings.sql"),
        Lookback::Range,
    )),
};
