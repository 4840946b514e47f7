//! Lost samples.

use schema::micros::DAY;
use schema::tables::DataGap;
use schema::{Cell as Stored, Sample, Severity, Timestamp};
use store::series::{self, ReadError};

use super::{Col, Filter, Line, Lines, Reading, Source, Tag, View};
use crate::wire::{Cell, Unit};

const COLUMNS: &[Col] = &[
    Col::new(
        "noticed_ms",
        "Noticed",
        Unit::TimeMs,
        "When the loss was noticed.",
    )
    .primary(),
    Col::new("from_ms", "From", Unit::TimeMs, "Start of the span.").primary(),
    Col::new("to_ms", "To", Unit::TimeMs, "End of the span.").primary(),
    Col::new(
        "class",
        "Class",
        Unit::Text,
        "What was lost: a class of the spool, or sampling.",
    ),
    Col::new("count", "Records", Unit::Count, "Records lost."),
    Col::new(
        "rows",
        "Rows",
        Unit::Count,
        "Rows lost; none when damage made them uncountable.",
    ),
    Col::new(
        "reason",
        "Reason",
        Unit::Text,
        "overflow, damage, missing, superseded or spool_down.",
    )
    .primary(),
];

pub(super) const VIEW: View = View {
    name: "gaps",
    title: "Gaps in the data",
    columns: COLUMNS,
    filters: &[Filter {
        id: "class",
        label: "Class",
        values: &[
            ("bulk", "Bulk"),
            ("core", "Core"),
            ("event", "Event"),
            ("sampling", "Sampling"),
        ],
    }],
    default_sort: "-noticed_ms",
    ranged: false,
    empty: "No samples were lost in the last 30 days.",
    families: &[],
    source: Source::Current(|reading| Box::pin(read(reading))),
};

/// How far back losses are listed, microseconds.
const BACK: i64 = 30 * DAY;

pub(super) async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    let Reading {
        client, host, at, ..
    } = *reading;
    let columns = ["class", "from_ts", "to_ts", "count", "rows", "reason"];
    let from = Timestamp(at.as_micros().saturating_sub(BACK));
    let rows = series::rows(
        client,
        DataGap::TABLE,
        host.id,
        from,
        reading.end(),
        &columns,
    )
    .await?;
    let lines = rows.into_iter().map(|(noticed, cells)| {
        let class = match cells.first() {
            Some(Stored::Text(class)) => class.to_string(),
            _ => String::new(),
        };
        let mut shown: Vec<Cell> = cells.into_iter().map(Cell::from).collect();
        // The class follows the span.
        shown[..3].rotate_left(1);
        let from = match shown[0] {
            Cell::Int(from) => from,
            _ => 0,
        };
        shown.insert(0, Cell::Int(noticed.as_millis()));
        let id = format!("{}.{class}.{from}", noticed.as_micros());
        let mut line = Line::new(id, shown, COLUMNS);
        let severity = Severity::Warn;
        line.tags.push(Tag {
            filter: "class",
            value: class,
            severity,
        });
        line
    });
    Ok(Lines {
        at: None,
        lines: lines.collect(),
        ..Lines::default()
    })
}
