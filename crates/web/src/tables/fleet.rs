//! All hosts, the worst first: what is wrong with each, since when, and how old its data are.

use schema::{Severity, Timestamp};

use super::{Col, Filter, Line, Lines, Source, Tag, View};
use crate::judge::{Fleet, Member};
use crate::wire::now::FreshnessState;
use crate::wire::{Cell, Unit};

const COLUMNS: &[Col] = &[
    Col::new("host", "Host", Unit::Text, "Its name.").primary(),
    Col::new(
        "verdict",
        "Verdict",
        Unit::Severity,
        "As on its first page; unknown while it is not read: its data are old, or its collector is silent or was stopped.",
    )
    .primary(),
    Col::new(
        "problem",
        "Worst problem",
        Unit::Text,
        "What decides the verdict.",
    )
    .primary(),
    Col::new(
        "since_ms",
        "Since",
        Unit::TimeMs,
        "Since when that exists.",
    ),
    Col::new(
        "problems",
        "Problems",
        Unit::Count,
        "Number of its problems; what follows from another one is not counted.",
    ),
    Col::new(
        "age_secs",
        "Age of data",
        Unit::Secs,
        "Age of the newest stored sample when all hosts were looked at; marked after two intervals without another one.",
    ),
    Col::new(
        "version",
        "Version",
        Unit::Text,
        "The version of its collector.",
    ),
    Col::new(
        "view",
        "View",
        Unit::Text,
        "The view that shows the problem.",
    ),
    Col::new(
        "subject",
        "Subject",
        Unit::Text,
        "What the problem is about, where its metric has several: a server, a target, a mount.",
    ),
    Col::new(
        "newest_ms",
        "Newest sample",
        Unit::TimeMs,
        "When it was taken.",
    ),
    Col::new(
        "position",
        "Order",
        Unit::Count,
        "Critical ones first, then unread ones, warnings, those without some data, normal ones.",
    ),
];

const AGE: usize = 5;
const PROBLEMS: usize = 4;

pub(super) const VIEW: View = View {
    name: "fleet",
    title: "Hosts",
    columns: COLUMNS,
    filters: &[Filter {
        id: "state",
        label: "State",
        values: &[
            ("critical", "Critical"),
            ("unread", "Unread"),
            ("warn", "Warning"),
            ("incomplete", "Without some data"),
            ("normal", "Normal"),
        ],
    }],
    default_sort: "position",
    ranged: false,
    empty: "No collector has stored a sample yet.",
    families: &[],
    source: Source::Fleet,
};

/// Returns the column whose values order the rows by a column: verdicts are words.
pub(crate) fn sorted_by(column: usize) -> usize {
    let place = |id| COLUMNS.iter().position(|column| column.id == id);
    match place("verdict") == Some(column) {
        true => place("position").unwrap_or(column),
        false => column,
    }
}

/// Makes the lines of all hosts.
pub(crate) fn lines(fleet: &Fleet) -> Lines {
    let members = fleet.members.iter().enumerate();
    Lines {
        lines: members.map(|(place, member)| line(place, member)).collect(),
        ..Lines::default()
    }
}

fn line(place: usize, member: &Member) -> Line {
    let worst = member.worst.as_ref();
    let int = |count: usize| Cell::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let instant = |at: Option<i64>| at.map_or(Cell::Null, Cell::Int);
    // Without a problem of its own the verdict states why it is not good.
    let condition = match (worst, member.verdict.severity) {
        (Some(problem), _) => Some(problem.title.clone()),
        (None, Severity::Ok) => None,
        (None, _) => Some(member.verdict.text.clone()),
    };
    let cells = vec![
        Cell::Text(member.host.name.clone()),
        Cell::Text(member.verdict.severity.as_str().to_owned()),
        Cell::text(condition),
        instant(member.verdict.since_ms),
        int(member.problems),
        member.age_secs.map_or(Cell::Null, Cell::Float),
        Cell::text(Some(member.host.version.clone()).filter(|version| !version.is_empty())),
        Cell::text(worst.map(|problem| problem.view.clone())),
        Cell::text(worst.and_then(|problem| problem.key.clone())),
        instant(member.host.newest.map(Timestamp::as_millis)),
        int(place),
    ];
    let mut line = Line::new(member.host.id.to_string(), cells, COLUMNS);
    line.severities[AGE] = match member.freshness {
        FreshnessState::Live => None,
        FreshnessState::Late => Some(Severity::Warn),
        FreshnessState::Stale | FreshnessState::Empty => Some(Severity::Unknown),
    };
    // The figure is of when the host was read last.
    line.severities[PROBLEMS] = match member.verdict.severity {
        Severity::Unknown if member.problems > 0 => Some(Severity::Unknown),
        _ => None,
    };
    line.tags.push(Tag {
        filter: "state",
        value: member.state.as_str().to_owned(),
        severity: member.verdict.severity,
    });
    line
}
