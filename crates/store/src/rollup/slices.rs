//! Storing the slices of an hour (`series::slices`).

use std::collections::BTreeMap;
use std::ops::Range;
use std::pin::pin;

use schema::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use super::scans::{Host, RolledScan};
use super::{Instant, RollupError};
use crate::series::fold::{Five, Folded};
use crate::series::slices::{COLUMNS, IN_HOUR, SLICE, of_hour};
use crate::series::sql::Source;

/// Types of the columns of a row.
const TYPES: [Type; 9] = [
    Type::TIMESTAMPTZ,
    Type::INT4,
    Type::INT4,
    Type::INT4,
    Type::TEXT,
    Type::FLOAT8_ARRAY,
    Type::FLOAT8_ARRAY,
    Type::FLOAT8_ARRAY,
    Type::FLOAT8_ARRAY,
];

/// Reads the slices of an hour of a scan that the server computes, and adds them up to the hour.
pub(super) async fn read(
    client: &Client,
    host: &Host,
    hour: i64,
    rolled: &RolledScan,
) -> Result<Vec<Folded>, RollupError> {
    let source = Source {
        host_id: host.id,
        interval: host.interval_of(rolled),
        keys: None,
    };
    let scan = &rolled.scan;
    let count = scan.metrics.len();
    let rows = of_hour(scan, &source, hour)
        .query(client, scan.table.name)
        .await?;
    let fault = |source| RollupError::new(format!("reading slices of {}", scan.table.name), source);
    let mut keys: BTreeMap<Option<String>, Folded> = BTreeMap::new();
    for row in rows {
        let at: Instant = row.try_get(0).map_err(fault)?;
        let key: Option<String> = row.try_get(1).map_err(fault)?;
        let folded = keys.entry(key.clone()).or_insert_with(|| Folded {
            name: key,
            figures: vec![[None; 5]; count],
            slices: vec![vec![[None; 4]; IN_HOUR]; count],
        });
        let nth = usize::try_from((at.0.as_micros() - hour) / SLICE).unwrap_or(usize::MAX);
        let metrics = folded.figures.iter_mut().zip(&mut folded.slices);
        for (metric, (figures, slices)) in metrics.enumerate() {
            let mut five: Five = [None; 5];
            for (figure, value) in five.iter_mut().enumerate() {
                *value = row.try_get(2 + 5 * metric + figure).map_err(fault)?;
            }
            if let Some(four) = slices.get_mut(nth) {
                four.copy_from_slice(&five[..4]);
            }
            add(figures, &five);
        }
    }
    Ok(keys.into_values().collect())
}

/// Adds the partial of a slice to that of the hour (`series::partials`).
fn add(hour: &mut Five, slice: &Five) {
    let either = |a: Option<f64>, b: Option<f64>, one: fn(f64, f64) -> f64| match (a, b) {
        (Some(a), Some(b)) => Some(one(a, b)),
        (a, b) => a.or(b),
    };
    let sum = |five: &Five| five[2].zip(five[3]).map(|(mean, weight)| mean * weight);
    let weight = either(hour[3], slice[3], |a, b| a + b);
    let whole = either(sum(hour), sum(slice), |a, b| a + b);
    *hour = [
        either(hour[0], slice[0], f64::min),
        either(hour[1], slice[1], f64::max),
        whole.zip(weight).map(|(whole, weight)| whole / weight),
        weight,
        slice[4].or(hour[4]),
    ];
}

/// Stores the slices of metrics of what is folded, those from `metrics`, which the layout has from place 0 on. They are sent as
/// numbers, as the server would parse each of them otherwise.
pub(super) async fn copy(
    client: &Client,
    host: &Host,
    hour: i64,
    layout: i32,
    folded: &[Folded],
    metrics: Range<usize>,
) -> Result<(), RollupError> {
    let fault = |source| RollupError::new("storing the slices of an hour", source);
    let sql = format!(
        "COPY collector.metric_slices (bucket, host_id, layout, place, key, {}) FROM STDIN (FORMAT binary)",
        COLUMNS.join(", ")
    );
    let rows = client.copy_in(&sql).await.map_err(fault)?;
    let mut rows = pin!(BinaryCopyInWriter::new(rows, &TYPES));
    let start = Instant(Timestamp(hour));
    for one in folded {
        let name = one.name.as_deref().unwrap_or_default();
        let of_metrics = one.slices.get(metrics.clone()).unwrap_or_default();
        for (place, slices) in (0_i32..).zip(of_metrics) {
            if slices.iter().all(|four| four[3].is_none()) {
                continue;
            }
            let [lo, hi, avg, weight] =
                [0, 1, 2, 3].map(|figure| packed(slices.iter().map(|four| four[figure])));
            let row: [&(dyn ToSql + Sync); 9] = [
                &start, &host.id, &layout, &place, &name, &lo, &hi, &avg, &weight,
            ];
            rows.as_mut().write(&row).await.map_err(fault)?;
        }
    }
    rows.finish().await.map_err(fault)?;
    Ok(())
}

/// Returns the elements of an array of figures: one where they are all the same.
fn packed(figures: impl Iterator<Item = Option<f64>> + Clone) -> Vec<Option<f64>> {
    let bits = |figure: Option<f64>| figure.map(f64::to_bits);
    let first = figures.clone().next().flatten();
    let lasts = figures.clone().all(|figure| bits(figure) == bits(first));
    let taken = if lasts { 1 } else { usize::MAX };
    figures.take(taken).collect()
}
