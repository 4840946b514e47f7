//! Tables of named objects: columns are stored values, or metrics by key.

use std::collections::HashMap;

use schema::{Metric, TableDef};
use store::series::{self, Latest, ReadError};

use super::{Col, Line, Lines, Reading};
use crate::wire::Cell;

/// Reads one line per row of the newest sample. Columns with a metric show its value over the evaluation
/// window, as facts and problems do; the others are read from the row. The first column is the key.
pub(super) async fn read(
    reading: &Reading<'_>,
    table: &'static TableDef,
    columns: &'static [Col],
) -> Result<Lines, ReadError> {
    let Reading { client, host, .. } = *reading;
    let stored: Vec<&str> = columns
        .iter()
        .filter(|column| column.metric.is_none())
        .map(|column| column.id)
        .collect();
    let tick = series::tick(
        client,
        table,
        host.id,
        reading.reach(),
        reading.end(),
        &stored,
    )
    .await?;
    let Some(at) = tick.at else {
        return Ok(Lines::default());
    };
    let metrics: Vec<&'static Metric> = columns
        .iter()
        .filter_map(|column| schema::metric(column.metric?))
        .collect();
    let values = series::latest(client, host.id, &metrics, at, host.interval).await?;
    let values = by_key(values);
    let lines = tick.rows.into_iter().map(|row| {
        let key = match row.first() {
            Some(schema::Cell::Text(key)) => key.to_string(),
            _ => String::new(),
        };
        let mut stored = row.into_iter();
        let cells = columns
            .iter()
            .map(|column| match column.metric {
                None => stored.next().map_or(Cell::Null, Cell::from),
                Some(id) => values
                    .get(&(id.to_owned(), key.clone()))
                    .map_or(Cell::Null, |value| Cell::Float(*value)),
            })
            .collect();
        Line::new(key, cells, columns)
    });
    Ok(Lines {
        at: Some(at),
        lines: lines.collect(),
        ..Lines::default()
    })
}

/// Groups rounded values by metric and key.
pub(super) fn by_key(values: Vec<Latest>) -> HashMap<(String, String), f64> {
    values
        .into_iter()
        .filter_map(|one| {
            let value = words::round(one.value?);
            Some(((one.metric.id(), one.key?), value))
        })
        .collect()
}

/// Groups rounded values by metric, and by key within it.
pub(super) fn by_metric(values: Vec<Latest>) -> HashMap<String, HashMap<String, f64>> {
    let mut metrics: HashMap<String, HashMap<String, f64>> = HashMap::new();
    for one in values {
        if let (Some(value), Some(key)) = (one.value, one.key) {
            let keys = metrics.entry(one.metric.id()).or_default();
            keys.insert(key, words::round(value));
        }
    }
    metrics
}
