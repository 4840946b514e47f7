//! Slices that are folded here instead of by the server: it sends the arrays of an hour as they are stored, cut to the range.
//!
//! The statements make a row of each slice of an hour and leave out those that are not in the range: of a snapshot 60 of 72, which took
//! the server 60 ms of each.

use schema::micros::HOUR;
use schema::{Metric, Timestamp};
use tokio_postgres::{Client, Row};

use super::ReadError;
use super::added::Added;
use super::buckets::{Answer, Fault, RangeQuery};
use super::history::History;
use super::pieces::hour_of;
use super::slices::{COLUMNS, IN_HOUR, SLICE};
use super::sql::{Param, Statement};
use super::value::Instant;

/// The figures of an array; one stands for all.
type Figures = Vec<Option<f64>>;

/// Answers a query of all keys, whose range has slices from its beginning to its end (`history`) and begins with one.
pub(super) async fn read(client: &Client, ask: &RangeQuery, history: &History) -> Answer {
    let metrics: Vec<&'static Metric> = ask.picks.iter().map(|pick| pick.metric).collect();
    let mut found = Added::new(ask);
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
    answer.series = found.series();
    answer
}

/// Adds the slices of a layout, whose places of the metrics are given.
async fn add(
    client: &Client,
    ask: &RangeQuery,
    layout: i32,
    places: &[Option<usize>],
    found: &mut Added,
) -> Result<(), ReadError> {
    const WHAT: &str = "metric_slices";
    let fault = |source| ReadError::new(WHAT, source);
    let (from, to) = (ask.give_from.max(ask.from).as_micros(), ask.to.as_micros());
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
        let (first, last) = within(hour, (from, to));
        let begins = |nth: usize| hour + i64::try_from(nth).unwrap_or_default() * SLICE;
        let places: Vec<usize> = (first..=last).map(|nth| found.nth(begins(nth))).collect();
        let buckets = found.buckets(metric, key);
        for (nth, place) in places.into_iter().enumerate() {
            let figure = |figures: &Figures| match figures.len() {
                1 => figures[0],
                _ => figures.get(nth).copied().flatten(),
            };
            if let Some(sums) = buckets.get_mut(place) {
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
}
