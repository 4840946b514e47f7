//! The one wrapper around every collector.
//!
//! [`run_one`] holds the deadline, measures the time, counts the rows and reports how the run ended,
//! once, as a `collector_runs_raw` row. Rows that a collector gave before it failed, or before its
//! deadline passed, are kept: they are true.

use std::borrow::Cow;
use std::future::Future;
use std::time::Duration;

use schema::tables::CollectorRun;
use schema::{Row, RunOutcome, Sample};

use crate::{CollectError, Moment};

/// One source of rows.
pub trait Collector {
    /// What `collector_runs_raw.collector` calls it.
    fn name(&self) -> Cow<'static, str>;
    /// How long a run may take. It bounds what is awaited; reading the kernel's own files is not
    /// interrupted, as it does not wait for anybody.
    fn deadline(&self) -> Duration;

    /// Takes one sample and appends its rows. Dropped when the deadline passes, at any `await`.
    fn collect(
        &mut self,
        at: &Moment,
        out: &mut Vec<Row>,
    ) -> impl Future<Output = Result<Outcome, CollectError>>;
}

/// How a collector ended when it did not fail as a whole.
#[derive(Debug)]
pub enum Outcome {
    /// Everything there is was read.
    Collected,
    /// There is nothing of this kind here; not an error.
    NoData,
    /// The rows given hold, and some values are missing for this cause.
    Partial(CollectError),
}

/// Returns how a run ended that met this error.
fn outcome_of(error: &CollectError) -> RunOutcome {
    match error {
        CollectError::Unanswered { .. } => RunOutcome::Timeout,
        CollectError::Denied { .. }
        | CollectError::TooMany { .. }
        | CollectError::Unseen { .. } => RunOutcome::Ok,
        CollectError::Server(error) => match **error {
            pg::PgError::Timeout { .. } | pg::PgError::ConnectTimeout { .. } => RunOutcome::Timeout,
            _ => RunOutcome::Failed,
        },
        _ => RunOutcome::Failed,
    }
}

/// The report of [`run_one`]; the same is stored.
#[derive(Debug)]
pub struct RunReport {
    /// [`Collector::name`].
    pub collector: Cow<'static, str>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Time taken.
    pub duration: Duration,
    /// Rows given, without the row about the run.
    pub rows: usize,
    /// What is missing and why.
    pub error: Option<CollectError>,
}

/// Runs a collector once within its deadline and appends its rows, then one row about the run.
/// Must be called within a tokio runtime with its timer enabled.
pub async fn run_one<C: Collector>(
    collector: &mut C,
    at: &Moment,
    out: &mut Vec<Row>,
) -> RunReport {
    let before = out.len();
    let started = tokio::time::Instant::now();
    let (name, deadline) = (collector.name(), collector.deadline());
    let result = tokio::time::timeout(deadline, collector.collect(at, out)).await;
    let duration = started.elapsed();
    let rows = out.len().saturating_sub(before);
    let (outcome, error) = match result {
        Ok(Ok(Outcome::Collected)) => (RunOutcome::Ok, None),
        Ok(Ok(Outcome::NoData)) => (RunOutcome::NoData, None),
        Ok(Ok(Outcome::Partial(error)) | Err(error)) => (outcome_of(&error), Some(error)),
        Err(_elapsed) => {
            let error = CollectError::Unanswered {
                what: format!("collector {name}"),
                deadline,
            };
            (RunOutcome::Timeout, Some(error))
        }
    };
    out.push(
        CollectorRun {
            collector: name.clone().into_owned(),
            outcome: outcome.as_str().to_owned(),
            duration_ms: duration.as_secs_f64() * 1000.0,
            rows: i64::try_from(rows).unwrap_or(i64::MAX),
            error: error.as_ref().map(ToString::to_string),
        }
        .into_row(at.ts),
    );
    RunReport {
        collector: name,
        outcome,
        duration,
        rows,
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Cell;

    struct Stub(fn() -> Result<Outcome, CollectError>, Duration);

    impl Collector for Stub {
        fn name(&self) -> Cow<'static, str> {
            Cow::Borrowed("stub")
        }

        fn deadline(&self) -> Duration {
            Duration::from_secs(2)
        }

        async fn collect(
            &mut self,
            at: &Moment,
            out: &mut Vec<Row>,
        ) -> Result<Outcome, CollectError> {
            out.push(schema::tables::NetworkSample::default().into_row(at.ts));
            tokio::time::sleep(self.1).await;
            (self.0)()
        }
    }

    fn text(row: &Row, column: &str) -> Cell {
        let at = row
            .table
            .columns
            .iter()
            .position(|declared| declared.name == column)
            .unwrap();
        row.cells[at].clone()
    }

    #[tokio::test(start_paused = true)]
    async fn every_ending_gives_one_row_about_the_run() {
        let denied = || {
            Ok(Outcome::Partial(CollectError::Denied {
                what: "io of 3 processes".to_owned(),
            }))
        };
        let failed = || Err(CollectError::read("/proc/stat", rustix::io::Errno::MFILE));
        type Ending = fn() -> Result<Outcome, CollectError>;
        let cases: [(Ending, u64, &str, Option<&str>); 5] = [
            (|| Ok(Outcome::Collected), 1, "ok", None),
            (|| Ok(Outcome::NoData), 1, "no_data", None),
            (denied, 1, "ok", Some("io of 3 processes: permission")),
            (failed, 1, "failed", Some("cannot read /proc/stat: ")),
            (
                || Ok(Outcome::Collected),
                3,
                "timeout",
                Some("collector stub gave no answer within 2000 ms"),
            ),
        ];
        for (ending, seconds, outcome, error) in cases {
            let mut out = Vec::new();
            let mut stub = Stub(ending, Duration::from_secs(seconds));
            let report = run_one(&mut stub, &Moment::default(), &mut out).await;
            assert_eq!(report.outcome.as_str(), outcome);
            assert_eq!(report.rows, 1, "the row given before the end is kept");
            assert_eq!(out.len(), 2);
            assert_eq!(text(&out[1], "outcome"), Cell::Text(outcome.into()));
            match (text(&out[1], "error"), error) {
                (Cell::Null, None) => {}
                (Cell::Text(found), Some(expected)) => {
                    assert!(found.starts_with(expected), "{found}");
                }
                other => panic!("{outcome}: {other:?}"),
            }
            let Cell::Float(took) = text(&out[1], "duration_ms") else {
                panic!("no duration");
            };
            assert!(took <= 2001.0, "{took}");
        }
    }
}
