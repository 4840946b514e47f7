//! The values of a target at one tick, and their rows.
//!
//! Both formats end here: numbers by column, buckets, answers by endpoint, failures. Which columns
//! there are and of what type is read off the declared tables, so that no format lists them. A number that the column cannot hold is left out and counted: not finite, negative, larger
//! than 64 bits.

use std::collections::BTreeMap;

use config::TargetKind;
use schema::tables::{EndpointSample, LatencyBucket, RequestFailure};
use schema::{Cell, Column, PgType, Row, Sample, Timestamp};

/// Endpoint and status pairs kept of a tick, the busiest first; a target that puts identifiers into
/// its paths would otherwise fill the database.
const MOST_ENDPOINTS: usize = 500;

/// Buckets kept of a histogram; programs document 10 to 20.
const MOST_BUCKETS: usize = 100;

/// New failures stored of one tick; during an outage the counters have the number.
const MOST_FAILURES: usize = 200;

/// Characters kept of a path.
const LONGEST_PATH: usize = 200;

/// A number as it was written: whole ones keep every digit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Whole(i128),
    Real(f64),
}

/// Answers of one endpoint with one status.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Endpoint {
    pub(super) path: String,
    pub(super) status: i32,
    pub(super) responses: Number,
    pub(super) last_seen: Option<Timestamp>,
}

/// One failed request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) at: Timestamp,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) status: i32,
    pub(super) duration_ms: Option<f64>,
}

/// The values of a target at one tick.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) numbers: BTreeMap<&'static str, Number>,
    /// Columns whose series or paths are there, whether they have a value at this tick or not.
    pub(super) found: Vec<&'static str>,
    /// Upper bound in milliseconds and answers up to it; the last bound is infinite.
    pub(super) buckets: Vec<(f64, f64)>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) failures: Vec<Failure>,
    /// Values that cannot be used.
    pub(super) bad: usize,
    /// Notes about values that were left out.
    pub(super) notes: Vec<String>,
}

/// Failures that were there at the last tick, and how often each.
#[derive(Debug, Default)]
pub(super) struct KnownFailures(Option<BTreeMap<(i64, String, String, i32), usize>>);

impl Reading {
    /// Appends the rows; `known` are the failures that have a row already. Returns the number of bad values and the
    /// notes.
    pub(super) fn into_rows(
        mut self,
        target: &str,
        kind: TargetKind,
        ts: Timestamp,
        known: &mut KnownFailures,
        out: &mut Vec<Row>,
    ) -> (usize, Vec<String>) {
        let mut bad = self.bad;
        let cells = kind.table().columns.iter().map(|column| {
            if column.name == "target" {
                return Cell::Text(target.into());
            }
            match self.numbers.get(column.name) {
                Some(number) => cell(column, *number).unwrap_or_else(|| {
                    bad += 1;
                    Cell::Null
                }),
                None => Cell::Null,
            }
        });
        let cells = cells.collect();
        out.push(Row {
            table: kind.table(),
            ts,
            cells,
        });
        let buckets = std::mem::take(&mut self.buckets);
        let all = buckets.last().filter(|(bound, _)| bound.is_infinite());
        let all_responses = all.and_then(|(_, all)| whole(Number::Real(*all)));
        for (bound, responses) in buckets.into_iter().take(MOST_BUCKETS) {
            match whole(Number::Real(responses)) {
                Some(responses) => out.push(
                    LatencyBucket {
                        target: target.to_owned(),
                        le_ms: bound_text(bound),
                        responses,
                        all_responses,
                    }
                    .into_row(ts),
                ),
                None => bad += 1,
            }
        }
        bad += self.endpoint_rows(target, ts, out);
        self.failure_rows(target, ts, known, out);
        (bad, self.notes)
    }

    /// Appends the rows of endpoints. Returns the number of bad values.
    fn endpoint_rows(&mut self, target: &str, ts: Timestamp, out: &mut Vec<Row>) -> usize {
        let (mut bad, mut sums) = (0, BTreeMap::new());
        for endpoint in std::mem::take(&mut self.endpoints) {
            let Some(responses) = whole(endpoint.responses) else {
                bad += 1;
                continue;
            };
            // Paths that differ in their query alone are one endpoint.
            let sum = sums
                .entry((without_query(&endpoint.path), endpoint.status))
                .or_insert((0_i64, None));
            sum.0 = sum.0.saturating_add(responses);
            sum.1 = sum.1.max(endpoint.last_seen);
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        if sums.len() > MOST_ENDPOINTS {
            self.notes.push(format!(
                "{} pairs of endpoint and status; the {MOST_ENDPOINTS} with the most answers are kept",
                sums.len()
            ));
            sums.sort_by_key(|(_, (responses, _))| std::cmp::Reverse(*responses));
            sums.truncate(MOST_ENDPOINTS);
        }
        for ((endpoint, status), (responses, last_seen)) in sums {
            out.push(
                EndpointSample {
                    target: target.to_owned(),
                    endpoint,
                    status,
                    responses,
                    last_seen,
                }
                .into_row(ts),
            );
        }
        bad
    }

    /// Appends the rows of failures. Targets repeat their recent failures: only new ones make a row. Those of the first
    /// tick may have been stored by the previous process.
    fn failure_rows(
        &mut self,
        target: &str,
        ts: Timestamp,
        known: &mut KnownFailures,
        out: &mut Vec<Row>,
    ) {
        let mut now = BTreeMap::new();
        let mut fresh = Vec::new();
        for failure in std::mem::take(&mut self.failures) {
            let path = without_query(&failure.path);
            let key = (
                failure.at.as_micros(),
                failure.method.clone(),
                path,
                failure.status,
            );
            let times = now.entry(key.clone()).or_insert(0_usize);
            *times += 1;
            let stored = known
                .0
                .as_ref()
                .map_or(usize::MAX, |known| known.get(&key).copied().unwrap_or(0));
            if *times > stored {
                fresh.push((failure, key.2));
            }
        }
        known.0 = Some(now);
        if fresh.len() > MOST_FAILURES {
            self.notes.push(format!(
                "{} failures since the last scrape; {MOST_FAILURES} are kept",
                fresh.len()
            ));
        }
        for (failure, path) in fresh.into_iter().take(MOST_FAILURES) {
            out.push(
                RequestFailure {
                    target: target.to_owned(),
                    failed_at: failure.at,
                    method: failure.method,
                    path,
                    status: failure.status,
                    duration_ms: failure.duration_ms,
                }
                .into_row(ts),
            );
        }
    }
}

/// Returns the number as the column holds it.
fn cell(column: &Column, number: Number) -> Option<Cell> {
    match column.pg {
        PgType::Float8 => real(number).map(Cell::Float),
        PgType::Bool => real(number).map(|number| Cell::Bool(number != 0.0)),
        _ => whole(number).map(Cell::Int),
    }
}

/// Returns a finite number that is not negative.
pub(super) fn real(number: Number) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a measurement has fewer digits")]
    let real = match number {
        Number::Whole(whole) => whole as f64,
        Number::Real(real) => real,
    };
    (real.is_finite() && real >= 0.0).then_some(real)
}

/// Returns a whole number that fits 64 bits; fractions are rounded, as of a gauge that is a mean.
fn whole(number: Number) -> Option<i64> {
    match number {
        Number::Whole(whole) => i64::try_from(whole).ok().filter(|whole| *whole >= 0),
        Number::Real(_) => {
            let rounded = real(number)?.round();
            // 2^63 is the first that does not fit.
            #[expect(clippy::cast_possible_truncation, reason = "checked against the bound")]
            (rounded < 9_223_372_036_854_775_808.0).then_some(rounded as i64)
        }
    }
}

/// Returns a bound as a label: nine digits are more than a bucket has, and fewer than a product of floats
/// spoils.
fn bound_text(bound: f64) -> String {
    if bound.is_infinite() {
        return "+Inf".to_owned();
    }
    let rounded: f64 = format!("{bound:.8e}").parse().unwrap_or(bound);
    rounded.to_string()
}

/// Returns a path without its query, which may hold what must not be stored, and of bounded length.
fn without_query(path: &str) -> String {
    let end = path.find(['?', '#']).unwrap_or(path.len());
    path[..end].chars().take(LONGEST_PATH).collect()
}
