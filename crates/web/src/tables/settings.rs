//! The settings the collector runs with.

use store::series::{Instant, ReadError};
use tokio_postgres::types::{ToSql, Type};

use super::{Cell, Col, Line, Lines, Reading, Source, View};
use crate::api::Unit;

const COLUMNS: &[Col] = &[
    Col::new("key", "Setting", Unit::Text, "Section and name.").primary(),
    Col::new(
        "value",
        "Value",
        Unit::Text,
        "As it is in effect; secrets are masked.",
    )
    .primary(),
    Col::new(
        "source",
        "Source",
        Unit::Text,
        "Where the value comes from.",
    )
    .primary(),
];

pub(super) const VIEW: View = View {
    name: "settings",
    title: "Settings in effect",
    columns: COLUMNS,
    chips: &[],
    default_sort: "key",
    ranged: false,
    empty: "The collector has told no settings.",
    families: &[],
    source: Source::Settings,
};

pub(super) async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    let at = Instant(reading.at);
    let params = [
        (&reading.host.id as &(dyn ToSql + Sync), Type::INT4),
        (&at, Type::TIMESTAMPTZ),
    ];
    let fault = |source| ReadError::new("settings", source);
    let sql = include_str!("../sql/settings.sql");
    let rows = reading
        .client
        .query_typed(sql, &params)
        .await
        .map_err(fault)?;
    let lines: Result<Vec<Line>, tokio_postgres::Error> = rows
        .iter()
        .map(|row| {
            let key: String = row.try_get(0)?;
            let cells = vec![
                Cell::Text(key.clone()),
                Cell::text(row.try_get(1)?),
                Cell::text(row.try_get(2)?),
            ];
            Ok(Line::new(key, cells, COLUMNS))
        })
        .collect();
    Ok(Lines {
        at: None,
        lines: lines.map_err(fault)?,
        note: String::new(),
    })
}
