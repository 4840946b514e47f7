//! Slices: partials of [`SLICE`] microseconds, of what an hour has too many samples of.
//!
//! A chart of a day has buckets of some minutes: too narrow for hours, and made of too many samples where many sources make one
//! value, as the processes of a name do (2.6 million of 300 processes a day), or where a tick has rows of many keys (112,000 a day of 13 log
//! sources). Their roll-up reads all samples of an hour anyway, and keeps a partial (`partials`) of each slice beside that of the hour.
//! Slices add up to every bucket whose width is a multiple of theirs.
//!
//! Of amounts only the cover is kept: statements are many, and few of them are drawn. The samples of those are read by key, and those of
//! others are not needed then. Of shares those of a part and its whole are kept, in per cent; means, as time per request, have none: where
//! the divisor has no step, what the dividend has counts in a bucket, and has no weight in a slice.
//!
//! A row of `metric_slices` has the slices of an hour of one metric and key, an array for each figure; an array whose elements are
//! all the same has one. They are used like hours, while the hour has not changed since, and kept for some days: narrow buckets of what is
//! older are rare, and made of samples.

use schema::micros::{HOUR, SECOND};
use schema::{Every, METRICS, Timestamp, Unit};

use super::partials;
use super::pieces::{Piece, hour_of};
use super::scan::{Kind, Scan};
use super::sql::{Param, Source, Statement};

/// Length of a slice, microseconds. It divides the width of buckets from 50 s on (1, 2 or 5 times a power of ten, and whole
/// hours), which a chart of six hours has.
pub(crate) const SLICE: i64 = 50 * SECOND;
/// Slices of an hour.
pub(crate) const IN_HOUR: usize = (HOUR / SLICE) as usize;
/// Figures of a slice, in the order of [`partials`](partials::FIGURES).
pub(crate) const COLUMNS: [&str; 4] = ["lo", "hi", "avg", "weight"];

/// What of a scan is kept as slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Nothing: a day has few of its samples.
    Nothing,
    /// Every key.
    Keys,
    /// How long rows of any key cover; the rows of chosen keys are read as samples.
    Cover,
}

/// Returns what of a scan is kept as slices.
pub(crate) fn kept(scan: &Scan) -> Kept {
    if !scan.filled().is_empty() {
        return Kept::Nothing;
    }
    if scan.table.samples.is_some() {
        // A single process ends soon.
        let is_kept = is_of_sources(scan);
        return if is_kept { Kept::Keys } else { Kept::Nothing };
    }
    match scan.kind {
        Kind::Amounts => Kept::Cover,
        Kind::AmountShare => Kept::Nothing,
        Kind::Share { .. } if !is_of_parts(scan) => Kept::Nothing,
        _ if scan.table.every == Every::Tick && has_many_rows(scan) => Kept::Keys,
        _ => Kept::Nothing,
    }
}

/// Returns whether each quotient that is rolled up with those of a scan is of a part and its whole, so that the part has no step where the whole
/// has none.
fn is_of_parts(scan: &Scan) -> bool {
    let alike = METRICS
        .iter()
        .filter(|metric| metric.is_rolled_up() && Scan::of(metric).serves(scan));
    alike
        .map(|metric| metric.unit)
        .all(|unit| unit == Unit::Percent)
}

/// Returns whether a tick has several rows of a scan: of each key, or of sources that are added up.
fn has_many_rows(scan: &Scan) -> bool {
    scan.key.is_some() || is_of_sources(scan)
}

/// Returns whether several sources make a value.
fn is_of_sources(scan: &Scan) -> bool {
    match scan.kind {
        Kind::Level { folded } => folded,
        Kind::Steps { identity } | Kind::Share { identity } => !identity.is_empty(),
        _ => false,
    }
}

/// Returns whether every key of a scan is kept as slices.
pub(crate) fn is_sliced(scan: &Scan) -> bool {
    kept(scan) == Kept::Keys
}

/// Returns whether a metric's samples are kept as slices.
#[must_use]
pub fn is_sliced_metric(metric: &'static schema::Metric) -> bool {
    metric.is_rolled_up() && is_sliced(&Scan::of(metric))
}

/// Returns `SELECT ts, k, lo0, hi0, avg0, w0 …` of the slices of a piece, of the metric at position `at` of `count`, which the
/// layout has at `place`; the figures of the others are NULL.
pub(super) fn stored(
    sql: &mut Statement,
    source: &Source<'_>,
    piece: &Piece,
    (layout, place): (i32, usize),
    (at, count): (usize, usize),
) -> String {
    let host = sql.bind(Param::Int4(source.host_id));
    let layout = sql.bind(Param::Int4(layout));
    let place = sql.bind(Param::Int4(i32::try_from(place).unwrap_or(i32::MAX)));
    let first = sql.bind(Param::Time(Timestamp(hour_of(piece.from))));
    let from = sql.bind(Param::Time(Timestamp(piece.from)));
    let to = sql.bind(Param::Time(Timestamp(piece.to)));
    let keys = source.keys.map_or_else(String::new, |keys| {
        let keys = sql.bind(Param::Texts(keys.to_vec()));
        format!(" AND key = ANY({keys})")
    });
    let figures: String = (0..count)
        .flat_map(|one| {
            let names = partials::FIGURES.iter().zip(COLUMNS);
            names.map(move |(name, column)| match one == at {
                true => format!(", {} AS {name}{one}", nth(column)),
                false => format!(", NULL::float8 AS {name}{one}"),
            })
        })
        .collect();
    let secs = SLICE / SECOND;
    format!(
        "SELECT ts, nullif(key, '') AS k{figures} FROM collector.metric_slices, generate_series(0, {}) n, \
         LATERAL (SELECT bucket + n * interval '{secs} s' AS ts) s \
         WHERE host_id = {host} AND layout = {layout} AND place = {place} AND bucket >= {first} AND bucket < {to}{keys} \
         AND ts >= {from} AND ts < {to} AND {} IS NOT NULL",
        IN_HOUR - 1,
        nth("weight")
    )
}

/// Returns SQL for a figure of slice `n`.
fn nth(column: &str) -> String {
    format!("CASE WHEN cardinality({column}) = 1 THEN {column}[1] ELSE {column}[n + 1] END")
}
