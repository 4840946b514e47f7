//! Slices that are folded here instead of by the server: it sends the arrays of an hour as they are stored, cut to the range.
//!
//! The statements make a row of each slice of an hour and leave out those that are not in the range: of a snapshot 60 of 72, which took
//! the server 60 ms of each.

use std::collections::HashMap;

use schema::micros::HOUR;
use schema::{Metric, Timestamp};
use tokio_postgres::{Client, Row};

use super::ReadError;
use super::buckets::{Answer, Bucket, Fault, FoundSeries, RangeQuery};
use super::history::History;
use super::pieces::hour_of;
use super::slices::{COLUMNS, IN_HOUR, SLICE};
use super::sql::{Param, Statement};
use super::value::Instant;

/// The figures of an array; one stands for all.
type Figures = Vec<Option<f64>>;

/// What slices add up to in a bucket.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    lo: Option<f64>,
    hi: Option<f64>,
    sum: Option<f64>,
    weight: f64,
}

impl Sums {
    fn add(&mut self, [lo, hi, avg, weight]: [Option<f64>; 4]) {
        let Some(weight) = weight else { return };
        let with =
            |known: Option<f64>, new: Option<f64>, one: fn(f64, f64) -> f64| match (known, new) {
                (Some(known), Some(new)) => Some(one(known, new)),
                (known, new) => known.or(new),
            };
        self.lo = with(self.lo, lo, f64::min);
        self.hi = with(self.hi, hi, f64::max);
        self.sum = with(self.sum, avg.map(|avg| avg * weight), |a, b| a + b);
        self.weight += weight;
    }

    /// Returns the bucket that begins at an instant; `None` where a figure is unknown.
    fn bucket(&self, at: i64) -> Option<Bucket> {
        let avg = self.sum.filter(|_| self.weight != 0.0)? / self.weight;
        Some(Bucket {
            at: Timestamp(at),
            lo: self.lo?,
            hi: self.hi?,
            avg,
        })
    }
}

/// Answers a query of all keys, whose range has slices from its beginning to its end (`history`) and begins with one.
pub(super) async fn read(client: &Client, ask: &RangeQuery, history: &History) -> Answer {
    let metrics: Vec<&'static Metric> = ask.picks.iter().map(|pick| pick.metric).collect();
    let mut found: HashMap<(usize, Option<String>), Vec<Sums>> = HashMap::new();
    let mut answer = Answer::default();
    for (layout, places) in history.layouts(&metrics) {
        if let Err(error) = add(client, ask, layout, &places, &mut found).await {
            let of = metrics
                .iter()
                .zip(&places)
                .filter(|(_, place)| place.is_some());
            answer.faults.push(Fault {
                metrics: of.map(|(metric, _)| *metric).collect(),
                error,
            });
        }
    }
    // A single series is in the answer without buckets, too.
    for (at, metric) in metrics.iter().enumerate() {
        if metric.key.is_none() {
            found.entry((at, None)).or_default();
        }
    }
    let from = ask.give_from.max(ask.from).as_micros();
    let series = found.into_iter().filter_map(|((at, key), sums)| {
        let metric = metrics[at];
        let buckets: Vec<Bucket> = (0..)
            .zip(&sums)
            .filter_map(|(nth, sums)| sums.bucket(from + nth * ask.step))
            .collect();
        (metric.key.is_none() || !buckets.is_empty()).then_some(FoundSeries {
            metric,
            key,
            buckets,
            last: None,
        })
    });
    answer.series.extend(series);
    answer
}

/// Adds the slices of a layout, whose places of the metrics are given.
async fn add(
    client: &Client,
    ask: &RangeQuery,
    layout: i32,
    places: &[Option<usize>],
    found: &mut HashMap<(usize, Option<String>), Vec<Sums>>,
) -> Result<(), ReadError> {
    const WHAT: &str = "metric_slices";
    let fault = |source| ReadError::new(WHAT, source);
    let (from, to) = (ask.give_from.max(ask.from).as_micros(), ask.to.as_micros());
    let count = usize::try_from((to - from + ask.step - 1) / ask.step).unwrap_or_default();
    for row in statement(ask.host_id, layout, places, (from, to))
        .query(client, WHAT)
        .await?
    {
        let Stored {
            hour,
            place,
            key,
            figures,
        } = Stored::of(&row).map_err(fault)?;
        let Some(metric) = places.iter().position(|known| *known == Some(place)) else {
            continue;
        };
        let sums = found
            .entry((metric, key))
            .or_insert_with(|| vec![Sums::default(); count]);
        let (first, last) = within(hour, (from, to));
        for nth in first..=last {
            let figure = |figures: &Figures| match figures.len() {
                1 => figures[0],
                _ => figures.get(nth - first).copied().flatten(),
            };
            let passed = hour + i64::try_from(nth).unwrap_or_default() * SLICE - from;
            let bucket = usize::try_from(passed / ask.step).unwrap_or(usize::MAX);
            if let Some(sums) = sums.get_mut(bucket) {
                sums.add([&figures[0], &figures[1], &figures[2], &figures[3]].map(figure));
            }
        }
    }
    Ok(())
}

/// Returns the first and the last slice of an hour that begin within a span, which begins with one.
fn within(hour: i64, (from, to): (i64, i64)) -> (usize, usize) {
    let nth =
        |micros: i64| usize::try_from(micros.clamp(0, HOUR - SLICE) / SLICE).unwrap_or_default();
    (nth(from - hour), nth(to - 1 - hour))
}

/// Returns the statement for `hour, place, key, lo, hi, avg, weight`: the arrays of each hour, cut to a span.
fn statement(
    host_id: i32,
    layout: i32,
    places: &[Option<usize>],
    (from, to): (i64, i64),
) -> Statement {
    let mut sql = Statement::default();
    let (first, last) = (hour_of(from), hour_of(to - 1));
    let host = sql.bind(Param::Int4(host_id));
    let layout = sql.bind(Param::Int4(layout));
    let known = places
        .iter()
        .flatten()
        .filter_map(|place| i64::try_from(*place).ok());
    let places = sql.bind(Param::Int8s(known.collect()));
    let [first_at, last_at] = [first, last].map(|hour| sql.bind(Param::Time(Timestamp(hour))));
    let (begin, end) = (
        within(first, (from, to)).0 + 1,
        within(last, (from, to)).1 + 1,
    );
    let figures: String = COLUMNS
        .iter()
        .map(|name| {
            format!(
                ", CASE WHEN cardinality({name}) = 1 THEN {name} ELSE {name}[CASE bucket WHEN {first_at} THEN {begin} ELSE 1 END \
                 : CASE bucket WHEN {last_at} THEN {end} ELSE {IN_HOUR} END] END"
            )
        })
        .collect();
    sql.text = format!(
        "SELECT bucket, place, nullif(key, ''){figures} FROM collector.metric_slices \
         WHERE host_id = {host} AND layout = {layout} AND place = ANY({places}) AND bucket >= {first_at} AND bucket <= {last_at} \
         ORDER BY bucket"
    );
    sql
}

/// A row of the statement.
struct Stored {
    hour: i64,
    place: usize,
    key: Option<String>,
    figures: [Figures; 4],
}

impl Stored {
    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            hour: row.try_get::<_, Instant>(0)?.0.as_micros(),
            place: usize::try_from(row.try_get::<_, i32>(1)?).unwrap_or(usize::MAX),
            key: row.try_get(2)?,
            figures: [
                row.try_get(3)?,
                row.try_get(4)?,
                row.try_get(5)?,
                row.try_get(6)?,
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_has_the_slices_that_begin_in_the_span() {
        let at = |slices: i64| slices * SLICE;
        assert_eq!(within(0, (at(10), at(22))), (10, 21));
        assert_eq!(within(0, (at(60), HOUR + at(5))), (60, 71));
        assert_eq!(within(HOUR, (at(60), HOUR + at(5))), (0, 4));
        assert_eq!(within(HOUR, (at(60), HOUR + at(5) + 1)), (0, 5));
    }

    #[test]
    fn slices_add_up_by_their_weight() {
        let mut sums = Sums::default();
        assert_eq!(sums.bucket(7), None);
        sums.add([Some(1.0), Some(3.0), Some(2.0), Some(5.0)]);
        sums.add([Some(9.0), Some(9.0), Some(9.0), None]);
        sums.add([Some(2.0), Some(8.0), Some(5.0), Some(10.0)]);
        let bucket = Bucket {
            at: Timestamp(7),
            lo: 1.0,
            hi: 8.0,
            avg: 4.0,
        };
        assert_eq!(sums.bucket(7), Some(bucket));
    }
}
