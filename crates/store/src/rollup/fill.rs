//! Filling an hour: the samples of a table are sent by the server once, folded here, and stored as hours and slices
//! (`series::slices`).
//!
//! An hour of 300 processes are 108,000 samples. A statement that sorts them for the steps of their counters and groups them by
//! instant and name, and one for their levels, took the server 255 ms; to send them in order takes 60 ms, and to fold them here
//! 20 ms. Expressions are evaluated by the server in both ways. Rows are stored as numbers, as the server would parse each of
//! them otherwise.

use std::error::Error;
use std::ops::Range;
use std::pin::pin;

use bytes::{BufMut, BytesMut};
use schema::Timestamp;
use schema::micros::HOUR;
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::scans::{Host, RolledScan};
use super::{Instant, RollupError};
use crate::failpoint::failpoint;
use crate::series::fold::{Five, Whole};
use crate::series::folded::{self, Cut};
use crate::series::scan::{Kind, Scan};
use crate::series::slices::{COLUMNS, Kept, SLICE, kept};
use crate::series::sql::Source;

/// The first four figures of a metric, of a slice.
type Four = [Option<f64>; 4];
/// A scan with the number of its layout.
type Part = (&'static RolledScan, i32);

/// An hour of a host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hour<'a> {
    pub(super) host: &'a Host,
    /// Its start, microseconds.
    pub(super) start: i64,
}

/// What a scan makes.
struct Filled<'a> {
    scan: &'static Scan,
    layout: i32,
    whole: &'a Whole,
    /// Its metrics among those of `whole`.
    metrics: Range<usize>,
}

/// Returns what each scan of a table makes.
fn each<'a>(table: &'a [Vec<Part>], wholes: &'a [Whole]) -> Vec<Filled<'a>> {
    let of_group = |(group, whole): (&'a Vec<Part>, &'a Whole)| {
        let mut first = 0;
        group.iter().map(move |(rolled, layout)| {
            let metrics = first..first + rolled.scan.metrics.len();
            first = metrics.end;
            Filled {
                scan: &rolled.scan,
                layout: *layout,
                whole,
                metrics,
            }
        })
    };
    table.iter().zip(wholes).flat_map(of_group).collect()
}

/// Stores an hour of these scans.
pub(super) async fn fill(
    client: &Client,
    hour: Hour<'_>,
    parts: impl Iterator<Item = Part>,
) -> Result<(), RollupError> {
    let (of_services, others): (Vec<Part>, Vec<Part>) =
        parts.partition(|(rolled, _)| rolled.is_of_service);
    for parts in [others, of_services] {
        for table in folded::tables(parts.into_iter(), |(rolled, _)| &rolled.scan) {
            failpoint!("rollup.read");
            let wholes = fold(client, hour, &table).await?;
            let filled = each(&table, &wholes);
            failpoint!("rollup.hours");
            copy_hours(client, hour, &filled).await?;
            failpoint!("rollup.slices");
            copy_slices(client, hour, &filled).await?;
        }
    }
    Ok(())
}

/// Reads the samples of a table, and folds those of each group.
async fn fold(
    client: &Client,
    hour: Hour<'_>,
    table: &[Vec<Part>],
) -> Result<Vec<Whole>, RollupError> {
    let Some((first, _)) = table.iter().flatten().next() else {
        return Ok(Vec::new());
    };
    let source = Source {
        host_id: hour.host.id,
        interval: hour.host.interval_of(first),
        keys: None,
    };
    let scans = |group: &Vec<Part>| group.iter().map(|(rolled, _)| &rolled.scan).collect();
    let groups: Vec<Vec<&Scan>> = table.iter().map(scans).collect();
    let cut = Cut {
        length: SLICE,
        of_metrics: groups.iter().flatten().any(|scan| kept(scan) == Kept::Keys),
    };
    let span = (Timestamp(hour.start), Timestamp(hour.start + HOUR));
    let read = folded::read_table(client, &groups, &source, span, cut).await;
    read.map_err(|error| RollupError::new(format!("reading {}", error.what), error.source))
}

/// Stores the hours of each key.
async fn copy_hours(
    client: &Client,
    hour: Hour<'_>,
    filled: &[Filled<'_>],
) -> Result<(), RollupError> {
    const TYPES: [Type; 5] = [
        Type::TIMESTAMPTZ,
        Type::INT4,
        Type::INT4,
        Type::TEXT,
        Type::FLOAT8_ARRAY,
    ];
    let fault = |source| RollupError::new("storing an hour", source);
    let sql = "COPY collector.metric_hours (bucket, host_id, layout, key, stats) FROM STDIN (FORMAT binary)";
    let rows = client.copy_in(sql).await.map_err(fault)?;
    let mut rows = pin!(BinaryCopyInWriter::new(rows, &TYPES));
    let (start, host_id) = (Instant(Timestamp(hour.start)), hour.host.id);
    for one in filled {
        // How long rows of any key cover is that of no key.
        let cover = one.whole.cover;
        let known = one.scan.kind == Kind::Amounts && cover > 0.0;
        let cover = known.then(|| vec![[None, None, None, Some(cover), None]; one.metrics.len()]);
        let keys = one.whole.keys.iter().map(|key| {
            let figures = key.figures.get(one.metrics.clone());
            (
                key.name.as_deref().unwrap_or_default(),
                figures.unwrap_or_default(),
            )
        });
        for (name, figures) in keys.chain(cover.as_deref().map(|cover| ("", cover))) {
            if figures.iter().any(|[_, _, _, weight, _]| weight.is_some()) {
                let row: [&(dyn ToSql + Sync); 5] =
                    [&start, &host_id, &one.layout, &name, &Stats(figures)];
                rows.as_mut().write(&row).await.map_err(fault)?;
            }
        }
    }
    rows.finish().await.map_err(fault)?;
    Ok(())
}

/// Stores the slices of each metric and key that has some.
async fn copy_slices(
    client: &Client,
    hour: Hour<'_>,
    filled: &[Filled<'_>],
) -> Result<(), RollupError> {
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
    if filled.iter().all(|one| kept(one.scan) == Kept::Nothing) {
        return Ok(());
    }
    let fault = |source| RollupError::new("storing the slices of an hour", source);
    let sql = format!(
        "COPY collector.metric_slices (bucket, host_id, layout, place, key, {}) FROM STDIN (FORMAT binary)",
        COLUMNS.join(", ")
    );
    let rows = client.copy_in(&sql).await.map_err(fault)?;
    let mut rows = pin!(BinaryCopyInWriter::new(rows, &TYPES));
    let (start, host_id) = (Instant(Timestamp(hour.start)), hour.host.id);
    for one in filled {
        let covers = one.whole.covers.iter().map(|cover| {
            let known = Some(*cover).filter(|cover| *cover > 0.0);
            [None, None, None, known]
        });
        let covers: Vec<Four> = covers.collect();
        for (place, metric) in (0_i32..).zip(one.metrics.clone()) {
            let of_keys: Vec<(&str, &[Four])> = match kept(one.scan) {
                Kept::Nothing => Vec::new(),
                Kept::Cover => vec![("", &covers)],
                Kept::Keys => {
                    let keys = one.whole.keys.iter();
                    let of_key = keys.filter_map(|key| {
                        let slices = key.slices.get(metric)?;
                        Some((key.name.as_deref().unwrap_or_default(), slices.as_slice()))
                    });
                    of_key.collect()
                }
            };
            for (name, slices) in of_keys {
                if slices.iter().all(|[_, _, _, weight]| weight.is_none()) {
                    continue;
                }
                let [lo, hi, avg, weight] =
                    [0, 1, 2, 3].map(|figure| packed(slices.iter().map(|four| four[figure])));
                let row: [&(dyn ToSql + Sync); 9] = [
                    &start,
                    &host_id,
                    &one.layout,
                    &place,
                    &name,
                    &lo,
                    &hi,
                    &avg,
                    &weight,
                ];
                rows.as_mut().write(&row).await.map_err(fault)?;
            }
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

/// The figures of each metric of a row, as an array of two dimensions (`array_recv` of PostgreSQL: dimensions, whether there
/// are NULLs, the type of elements, length and lower bound of each dimension, elements with their lengths).
#[derive(Debug)]
struct Stats<'a>(&'a [Five]);

impl ToSql for Stats<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_i32(2);
        let has_nulls = self.0.iter().flatten().any(Option::is_none);
        out.put_i32(i32::from(has_nulls));
        out.put_u32(Type::FLOAT8.oid());
        for length in [self.0.len(), 5] {
            out.put_i32(i32::try_from(length)?);
            out.put_i32(1);
        }
        for figure in self.0.iter().flatten() {
            match figure {
                Some(figure) => {
                    out.put_i32(8);
                    out.put_f64(*figure);
                }
                None => out.put_i32(-1),
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::FLOAT8_ARRAY
    }

    to_sql_checked!();
}
