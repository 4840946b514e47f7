//! Findings: what the collector concluded from what it stored, from when it was found until it was over.

use super::logs::BY_SEVERITY;
use super::stored::{Lookback, Stored};
use super::{Col, Filter, Source, View};
use crate::wire::Unit;

const FINDING: &[Col] = &[
    Col::new("title", "Finding", Unit::Text, "What stands out.").primary(),
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
    Col::new(
        "state",
        "State",
        Unit::Text,
        "open as long as it lasts, then resolved.",
    ),
    Col::new(
        "since_ms",
        "Since",
        Unit::TimeMs,
        "Time of the first line, attempt or packet that it is about.",
    ),
    Col::new(
        "seen_ms",
        "Last seen",
        Unit::TimeMs,
        "Time of the last of them.",
    ),
    Col::new(
        "over_ms",
        "Resolved",
        Unit::TimeMs,
        "When it was over; none while it lasts.",
    ),
    Col::new(
        "message",
        "What was seen",
        Unit::Text,
        "What was seen, with figures.",
    ),
    Col::new(
        "steps",
        "What to do",
        Unit::Text,
        "What to do, in this order; one step per line, commands between backticks.",
    ),
    Col::new(
        "value",
        "Measured",
        Unit::Count,
        "What was measured, in the unit the message names.",
    ),
    Col::new(
        "expected",
        "Expected",
        Unit::Count,
        "What was to be expected; none where there was nothing to compare with.",
    ),
    Col::new(
        "times",
        "Times",
        Unit::Count,
        "How often more of it was found.",
    ),
    Col::new(
        "kind",
        "Kind",
        Unit::Text,
        "alert: act on it. insight: worth knowing. recommendation: says what to do.",
    ),
    Col::new("domain", "Domain", Unit::Text, "logs or security."),
    Col::new("rule", "Rule", Unit::Text, "The rule that says so."),
    Col::new(
        "source",
        "Source",
        Unit::Text,
        "The log that told it; none where there are many.",
    ),
    Col::new(
        "pattern",
        "Pattern",
        Unit::Text,
        "Fingerprint of the lines it is about, a row of log_patterns; none where there is none.",
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
