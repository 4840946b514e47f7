//! What the store takes, by table. It is the store's, whatever host is asked for.

use store::series::ReadError;
use store::sizes::{self, TableSize};

use super::{Col, Line, Lines, Reading, Source, View};
use crate::wire::{Cell, Unit};

const COLUMNS: &[Col] = &[
    Col::new("table_name", "Table", Unit::Text, "In the schema `collector`.").primary(),
    Col::new(
        "bytes",
        "Size",
        Unit::Bytes,
        "All partitions with their indexes, as measured within the last hour.",
    )
    .primary()
    .summed(),
    Col::new(
        "bytes_per_day",
        "Growth per day",
        Unit::Bytes,
        "Mean of the complete days of the last week; on the first day what came so far, extrapolated.",
    )
    .primary()
    .summed(),
    Col::new(
        "needed_bytes",
        "Will need",
        Unit::Bytes,
        "Its size once the oldest day is as old as it may get, at the present growth.",
    )
    .primary()
    .summed(),
    Col::new("oldest_day", "Oldest day", Unit::Text, "The oldest day that is kept (UTC)."),
    Col::new(
        "kept_days",
        "Days kept",
        Unit::Count,
        "Days before today that the configured retention keeps; none where rows do not expire by day.",
    ),
    Col::new("data_bytes", "Rows", Unit::Bytes, "The rows.").summed(),
    Col::new("index_bytes", "Indexes", Unit::Bytes, "Indexes of the rows.").summed(),
    Col::new(
        "toast_bytes",
        "Long values",
        Unit::Bytes,
        "Values that are stored out of line, with their index.",
    )
    .summed(),
    Col::new(
        "rows_per_day",
        "Rows per day",
        Unit::Count,
        "Rows that a day adds, as the server's statistics have them.",
    )
    .summed(),
    Col::new(
        "sealed_until",
        "Sealed until",
        Unit::Text,
        "The last day (UTC) of which rows are stored as arrays.",
    ),
    Col::new(
        "unsealed_bytes",
        "Before sealing",
        Unit::Bytes,
        "What the sealed days took before.",
    )
    .summed(),
];

pub(super) const VIEW: View = View {
    name: "store_sizes",
    title: "Size of the store",
    columns: COLUMNS,
    filters: &[],
    default_sort: "-bytes",
    ranged: false,
    empty: "Not measured yet; a collector does so within an hour.",
    families: &[],
    source: Source::Current(|reading| Box::pin(read(reading))),
};

async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    let store = sizes::read(reading.client).await?;
    Ok(Lines {
        at: store.measured_at,
        lines: store.tables.iter().map(line).collect(),
        ..Lines::default()
    })
}

fn line(table: &TableSize) -> Line {
    let rounded = |value: Option<f64>| Cell::of(value, |value| Cell::Float(value.round()));
    let cells = vec![
        Cell::Text(table.name.clone()),
        Cell::Int(table.bytes()),
        rounded(table.bytes_per_day),
        rounded(table.needed_bytes),
        Cell::text(table.oldest_day.clone()),
        Cell::of(table.kept_days, Cell::Int),
        Cell::Int(table.data_bytes),
        Cell::Int(table.index_bytes),
        Cell::Int(table.toast_bytes),
        rounded(table.rows_per_day),
        Cell::text(table.sealed.as_ref().map(|sealed| sealed.until.clone())),
        Cell::of(table.sealed.as_ref(), |sealed| {
            Cell::Int(sealed.bytes_before)
        }),
    ];
    Line::new(table.name.clone(), cells, COLUMNS)
}
