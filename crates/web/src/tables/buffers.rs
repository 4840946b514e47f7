//! Rows in the queue of the host, by table.

use std::collections::BTreeMap;

use schema::tables::SelfSample;
use schema::{Cell as Stored, Sample};
use store::series::{self, ReadError};

use super::{Col, Line, Lines, Reading, Source, View};
use crate::wire::{Cell, Unit};

const COLUMNS: &[Col] = &[
    Col::new("table_name", "Table", Unit::Text, "Where the rows will go.").primary(),
    Col::new(
        "rows",
        "Rows waiting",
        Unit::Count,
        "Rows in the spool, before the tick adds its own.",
    )
    .primary(),
    Col::new(
        "class",
        "Class",
        Unit::Text,
        "What is given up first when the spool is full: bulk, then core, then event.",
    ),
];

pub(super) const VIEW: View = View {
    name: "buffers",
    title: "Rows waiting",
    columns: COLUMNS,
    filters: &[],
    default_sort: "-rows",
    ranged: false,
    empty: "No rows waiting: the database has stored all of them.",
    families: &[],
    source: Source::Sampled(|reading| Box::pin(read(reading))),
};

pub(super) async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    let Reading { client, host, .. } = *reading;
    let (from, to) = (reading.reach(), reading.end());
    let columns = ["buffer_depths"];
    let tick = series::tick(client, SelfSample::TABLE, host.id, from, to, &columns).await?;
    let depths: BTreeMap<String, i64> = match tick.rows.first().and_then(|row| row.first()) {
        // Rows that another version wrote in another form are not shown.
        Some(Stored::Json(text)) => serde_json::from_str(text).unwrap_or_default(),
        _ => BTreeMap::new(),
    };
    let lines = depths
        .into_iter()
        .filter(|(_, rows)| *rows > 0)
        .map(|(name, rows)| {
            let class = schema::table(&name).map(|table| table.class.as_str().to_owned());
            let cells = vec![Cell::Text(name.clone()), Cell::Int(rows), Cell::text(class)];
            Line::new(name, cells, COLUMNS)
        });
    Ok(Lines {
        at: tick.at,
        lines: lines.collect(),
        ..Lines::default()
    })
}
