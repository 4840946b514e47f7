//! Logs: sources, patterns and security events. Lines are too many for a table of this kind
//! (`api::logs`).

use schema::{LogLevel, Severity};

use super::stored::{Lookback, Stored};
use super::{Col, Filter, Source, View};
use crate::wire::Unit;

const BY_SOURCE: Filter = Filter {
    id: "source",
    label: "Source",
    values: &[],
};

const BY_LEVEL: Filter = Filter {
    id: "level",
    label: "Level",
    values: &[
        (LogLevel::Error.as_str(), "Error"),
        (LogLevel::Warn.as_str(), "Warn"),
        (LogLevel::Info.as_str(), "Info"),
        (LogLevel::Debug.as_str(), "Debug"),
    ],
};

const SOURCE: &[Col] = &[
    Col::new(
        "source",
        "Source",
        Unit::Text,
        "Its name in the configuration.",
    )
    .primary(),
    Col::new(
        "status",
        "State",
        Unit::Text,
        "ok, or why it is not read: missing, denied, refused or failed.",
    )
    .primary(),
    Col::new("error", "Cause", Unit::Text, "Why it cannot be read."),
    Col::new(
        "last_line_ms",
        "Last line",
        Unit::TimeMs,
        "Time of its newest entry; silent after an hour without one.",
    )
    .primary(),
    Col::new(
        "lines",
        "Lines",
        Unit::Count,
        "Entries within the last hour.",
    )
    .summed(),
    Col::new(
        "error_lines",
        "Errors",
        Unit::Count,
        "Entries of level error within the last hour.",
    )
    .summed(),
    Col::new(
        "warn_lines",
        "Warnings",
        Unit::Count,
        "Entries of level warn within the last hour.",
    )
    .summed(),
    Col::new(
        "info_lines",
        "Info",
        Unit::Count,
        "Entries of level info within the last hour.",
    )
    .summed(),
    Col::new(
        "debug_lines",
        "Debug",
        Unit::Count,
        "Entries of level debug within the last hour.",
    )
    .summed(),
    Col::new(
        "error_warn_pct",
        "Error and warning share",
        Unit::Percent,
        "Share of errors and warnings within the last hour.",
    ),
    Col::new(
        "unread_pct",
        "Not understood",
        Unit::Percent,
        "Share of entries within the last hour that the parser does not fit: they have the time of reading and no level of their own. None where an older collector did not count them.",
    ),
    Col::new(
        "unread_lines",
        "Lines not understood",
        Unit::Count,
        "Entries within the last hour that the parser does not fit.",
    )
    .summed(),
    Col::new(
        "backlog_bytes",
        "Not yet read",
        Unit::Bytes,
        "Bytes that wait in its files; unknown for the journal.",
    )
    .metric("log.backlog_bytes")
    .summed(),
    Col::new(
        "bytes",
        "Read",
        Unit::Bytes,
        "Bytes read within the last hour.",
    )
    .summed(),
    Col::new(
        "overflowed",
        "Beyond the patterns",
        Unit::Count,
        "Entries of the last hour stored under no pattern of their own.",
    )
    .summed(),
    Col::new("kind", "Kind", Unit::Text, "file or journal."),
    Col::new("place", "Path", Unit::Text, "Path, glob or unit."),
    Col::new(
        "parser",
        "Parser",
        Unit::Text,
        "How its lines are understood.",
    ),
];

pub(super) const SOURCES: View = View {
    name: "log_sources",
    title: "Sources",
    columns: SOURCE,
    filters: &[Filter {
        id: "state",
        label: "State",
        values: &[
            ("blocked", "Not stored"),
            ("unreadable", "Unreadable"),
            ("misread", "Not understood"),
            ("silent", "Silent"),
            ("ok", "OK"),
        ],
    }],
    default_sort: "source",
    ranged: false,
    empty: "No log is read on this host. Add a [[logs.source]] to the configuration of the collector.",
    families: &[],
    source: Source::Stored(Stored::new(
        include_str!("../sql/log_sources.sql"),
        Lookback::Hour,
    )),
};

const PATTERN: &[Col] = &[
    Col::new(
        "template",
        "Pattern",
        Unit::Text,
        "The common text of its lines; <*> replaces the variable parts.",
    )
    .primary(),
    Col::new("level", "Level", Unit::Text, "Level of its lines.").primary(),
    Col::new("source", "Source", Unit::Text, "Where its lines come from."),
    Col::new(
        "count",
        "Count",
        Unit::Count,
        "Lines in the hours that the range touches.",
    )
    .primary()
    .summed(),
    Col::new(
        "trend",
        "By hour",
        Unit::Text,
        "Counts over the range, and at least a day, oldest first.",
    ),
    Col::new(
        "tag",
        "Tags",
        Unit::Text,
        "new: first seen within a day. rare: seen three times or less in all.",
    ),
    Col::new(
        "first_seen_ms",
        "First seen",
        Unit::TimeMs,
        "When it was first seen.",
    ),
    Col::new(
        "last_seen_ms",
        "Last seen",
        Unit::TimeMs,
        "When it was last seen.",
    ),
    Col::new(
        "occurrences",
        "In all",
        Unit::Count,
        "Lines since it was first seen.",
    ),
    Col::new("sample", "Sample", Unit::Text, "One of its lines."),
];

pub(super) const PATTERNS: View = View {
    name: "log_patterns",
    title: "Patterns",
    columns: PATTERN,
    filters: &[
        BY_LEVEL,
        Filter {
            id: "tag",
            label: "Tag",
            values: &[("new", "New"), ("rare", "Rare")],
        },
        BY_SOURCE,
    ],
    default_sort: "-count",
    ranged: true,
    empty: "No log lines in this range.",
    families: &[],
    source: Source::Stored(Stored::new(
        include_str!("../sql/log_patterns.sql"),
        Lookback::Range,
    )),
};

/// By severity, as stored.
pub(super) const BY_SEVERITY: Filter = Filter {
    id: "severity",
    label: "Severity",
    values: &[
        (Severity::Critical.as_str(), "Critical"),
        (Severity::Warn.as_str(), "Warning"),
        (Severity::Info.as_str(), "Info"),
    ],
};

const EVENT: &[Col] = &[
    Col::new("ts_ms", "Time", Unit::TimeMs, "When this was reached.").primary(),
    Col::new(
        "event_type",
        "Event",
        Unit::Text,
        "As SSH brute force, fail2ban ban or Blocked by firewall.",
    )
    .primary(),
    Col::new(
        "severity",
        "Severity",
        Unit::Text,
        "info, warn or critical.",
    ),
    Col::new(
        "source_ip",
        "Address",
        Unit::Text,
        "Where it came from; none when not known or when there are many.",
    )
    .primary(),
    Col::new(
        "username",
        "Account",
        Unit::Text,
        "The account it is about.",
    ),
    Col::new("count", "Count", Unit::Count, "Attempts, bans or packets.").summed(),
    Col::new("first_ms", "First", Unit::TimeMs, "The first of them."),
    Col::new("source", "Source", Unit::Text, "The log it was found in."),
    Col::new(
        "details",
        "Details",
        Unit::Text,
        "Addresses, accounts, jail, what to do.",
    ),
];

pub(super) const SECURITY: View = View {
    name: "security_events",
    title: "Security events",
    columns: EVENT,
    filters: &[
        Filter {
            id: "event_type",
            label: "Event",
            values: &[],
        },
        BY_SEVERITY,
    ],
    default_sort: "-ts_ms",
    ranged: true,
    empty: "No security events in this range.",
    families: &[],
    source: Source::Stored(Stored::new(
        include_str!("../sql/security_events.sql"),
        Lookback::Range,
    )),
};
