//! Since when a threshold has been reached.

use schema::{Better, Metric, Timestamp};
use tokio_postgres::Client;

use super::ReadError;
use super::scan::{Kind, Scan};
use super::sql::{Source, Span, Statement, samples};
use super::value::Instant;

/// One sample: its time, its value times its weight, and its weight: for a counter the seconds of its
/// step, for a share the whole.
type Sample = (Timestamp, f64, f64);

/// A query of since when a threshold has been reached.
#[derive(Clone, Copy, Debug)]
pub struct SinceQuery<'a> {
    /// Whose samples.
    pub host_id: i32,
    /// The metric.
    pub metric: &'static Metric,
    /// Its key, where it has one.
    pub key: Option<&'a str>,
    /// The threshold.
    pub level: f64,
    /// The instant of the evaluation.
    pub at: Timestamp,
    /// How far to look back, microseconds.
    pub back: i64,
    /// The sampling interval, microseconds.
    pub interval: i64,
}

/// Returns the instant since when the metric has reached the level without interruption, within the
/// look-back; `None` when it has not reached it at `at`.
///
/// Reached means that the value over the metric's window did. The instant is the first sample of
/// that run which reached the level by itself. A span without samples does not interrupt the run,
/// as it is not evidence of the contrary.
///
/// # Errors
/// When the database does not answer.
pub async fn since(
    client: &Client,
    reach: &SinceQuery<'_>,
) -> Result<Option<Timestamp>, ReadError> {
    let SinceQuery {
        host_id,
        metric,
        key,
        level,
        at,
        back,
        interval,
    } = *reach;
    let scan = Scan::of(metric);
    let keys: Option<Vec<String>> = key.map(|key| vec![key.to_owned()]);
    let source = Source {
        host_id,
        interval,
        keys: keys.as_deref(),
    };
    let sql = statement(&scan, &source, at, back);
    let fault = |source| ReadError::new(scan.table.name, source);
    let mut read: Vec<Sample> = Vec::new();
    for row in sql.query(client, scan.table.name).await? {
        let value: Option<f64> = row.try_get(1).map_err(fault)?;
        if let Some(value) = value {
            let at = row.try_get::<_, Instant>(0).map_err(fault)?.0;
            read.push((at, value, row.try_get(2).map_err(fault)?));
        }
    }
    let window = i64::from(metric.evaluated_over_secs) * 1_000_000;
    let least = Scan::whole(metric).1;
    Ok(first_of_run(&read, window, least, |mean| {
        reached(metric.better, mean, level)
    }))
}

/// Returns the statement for `ts, v0 times weight, weight`, oldest first.
pub(super) fn statement(scan: &Scan, source: &Source<'_>, at: Timestamp, back: i64) -> Statement {
    let mut sql = Statement::default();
    let end = at.as_micros().saturating_add(1);
    let start = end.saturating_sub(back);
    let span = Span::between(&mut sql, Timestamp(start), Timestamp(end));
    let inner = samples(&mut sql, scan, source, &span);
    let weighted = match scan.kind {
        Kind::Steps { .. } | Kind::Amounts => "v0 * dt, dt",
        Kind::Share { .. } | Kind::AmountShare => "p0, w0",
        Kind::Level { .. } | Kind::Elements { .. } => "v0, 1::float8",
    };
    sql.text = format!("SELECT ts, {weighted}\nFROM (\n  {inner}\n) samples\nORDER BY ts");
    sql
}

/// Returns whether a value has reached the level, tolerating the rounding errors of a sliding window.
fn reached(better: Better, value: f64, level: f64) -> bool {
    let near = (value - level).abs() <= 1e-9 * level.abs().max(1e-9);
    match better {
        Better::Lower => near || value >= level,
        Better::Higher => near || value <= level,
        Better::Neither => false,
    }
}

/// Returns the first instant of the run that ends with the last sample. `read` is ordered by time. A window
/// that holds less than `least` neither ends nor begins a run.
fn first_of_run(
    read: &[Sample],
    window: i64,
    least: f64,
    reached: impl Fn(f64) -> bool,
) -> Option<Timestamp> {
    let mut first = None;
    let mut start = read.len();
    let (mut sum, mut weights) = (0.0, 0.0);
    // From the newest sample back: [start, end) is the window that ends with sample end - 1.
    for end in (1..=read.len()).rev() {
        let edge = read[end - 1].0.as_micros() - window.max(1);
        if start >= end {
            start = end;
            (sum, weights) = (0.0, 0.0);
        }
        while start > 0 && read[start - 1].0.as_micros() > edge {
            start -= 1;
            sum += read[start].1;
            weights += read[start].2;
        }
        if weights > 0.0 && weights >= least {
            if !reached(sum / weights) {
                break;
            }
            first = Some(end - 1);
        } else if first.is_none() {
            break;
        }
        sum -= read[end - 1].1;
        weights -= read[end - 1].2;
    }
    let mut first = first?;
    let edge = read[first].0.as_micros() - window;
    let by_itself = |at: usize| read[at].2 > 0.0 && reached(read[at].1 / read[at].2);
    if by_itself(first) {
        while first > 0 && read[first - 1].0.as_micros() > edge && by_itself(first - 1) {
            first -= 1;
        }
    }
    Some(read[first].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Vec<Sample> {
        let at = |i: usize| Timestamp(i64::try_from(i).unwrap() * 10_000_000);
        values
            .iter()
            .enumerate()
            .map(|(i, v)| (at(i), *v, 1.0))
            .collect()
    }

    fn run(values: &[f64], window: i64, level: f64) -> Option<i64> {
        let reached = |mean| reached(Better::Lower, mean, level);
        first_of_run(&samples(values), window * 1_000_000, 0.0, reached)
            .map(|at| at.as_micros() / 10_000_000)
    }

    #[test]
    fn names_the_sample_at_which_it_began() {
        let step = [10.0, 10.0, 10.0, 10.0, 95.0, 95.0, 95.0, 95.0, 95.0, 95.0];
        for (window, expected) in [(0, Some(4)), (30, Some(4)), (60, Some(4))] {
            assert_eq!(run(&step, window, 85.0), expected, "window {window}");
        }
    }

    #[test]
    fn one_low_sample_within_the_window_ends_no_run() {
        let dip = [90.0, 95.0, 95.0, 95.0, 80.0, 95.0, 95.0, 95.0];
        assert_eq!(run(&dip, 60, 85.0), Some(0));
        assert_eq!(run(&dip, 0, 85.0), Some(5));
    }

    #[test]
    fn not_reached_now_is_not_a_run() {
        assert_eq!(run(&[95.0, 95.0, 10.0], 0, 85.0), None);
        assert_eq!(run(&[], 60, 85.0), None);
    }

    #[test]
    fn a_value_at_the_level_runs_for_as_long_as_it_is_looked_at() {
        assert_eq!(run(&[0.1; 500], 60, 0.1), Some(0));
    }

    #[test]
    fn a_window_that_holds_too_little_ends_no_run_and_begins_none() {
        let at = |i: i64| Timestamp(i * 10_000_000);
        let reached = |mean: f64| mean >= 5.0;
        let quiet = [
            (at(0), 100.0, 1000.0),
            (at(1), 1000.0, 100.0),
            (at(2), 0.0, 0.0),
            (at(3), 0.0, 1.0),
            (at(4), 900.0, 100.0),
        ];
        assert_eq!(first_of_run(&quiet, 0, 100.0, reached), Some(at(1)));
        assert_eq!(first_of_run(&quiet[..4], 0, 100.0, reached), None);
    }
}
