//! The metrics of the catalogue, read from the rows of the ticks in memory: what they are now, and over the window in which
//! they are evaluated.
//!
//! [`Live`] is given each row as it is collected and answers after each tick, without the database. Its values are those
//! that `store::series::latest_over` reads from the same rows once these are stored; a test compares the two. So the
//! following is defined there and only repeated here:
//!
//! * A level is folded per instant and key, then averaged over the window that ends with the tick.
//! * A counter is read as steps between neighbouring samples of a source. A step down, and one across more than
//!   [`MAX_STEP_INTERVALS`](store::series::MAX_STEP_INTERVALS) intervals, has no value; steps weigh by their time.
//! * A share adds up the steps of part and whole before it divides, and has no value below its least whole.
//! * Amounts are steps; the time is that which rows of any key cover.
//! * The keys are those with a sample in the window. A single series without a sample has one unknown value.
//!
//! Metrics that share table, key, window and kind share a `Scan`, which keeps the values of the expressions, not the rows:
//! no longer than the window, the longest step before it, and two ticks, as a reading may be that late. A key is
//! forgotten with its last sample. Rows may come in any order and in several batches. A reading at an instant ignores
//! later samples; those that are later by more than all of that are dropped, as the clock was set back.

mod elements;
mod history;
mod read;
mod scan;
mod slots;
#[cfg(test)]
mod tests;

use schema::expr::ExprError;
use schema::{METRICS, Metric, Row, Timestamp};

use read::Scratch;
use scan::{Buffers, Scan, Shared};

/// The value of a metric and key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading<'a> {
    /// The metric.
    pub metric: &'static Metric,
    /// The key, where it has one.
    pub key: Option<&'a str>,
    /// The value of the newest sample: a level, the rate of the newest step, or the quotient of the newest steps, however
    /// small. `None`: unknown.
    pub now: Option<f64>,
    /// The value over the window in which it is evaluated. `None`: unknown.
    pub over: Option<f64>,
    /// Of a share the quotient of the newest steps that have the least whole for an evaluation, at most those of the
    /// window: of few events the whole window, of many the newest sample. Of other metrics as `over`.
    pub recent: Option<f64>,
    /// The seconds that `over` covers, of a counter: less than the window where it was not sampled for as long.
    pub covered_secs: Option<f64>,
    /// The instant of the newest sample. A sample of a metric that is filled more rarely than its table is a row in which it
    /// is filled.
    pub sampled_at: Option<Timestamp>,
}

/// The sampling intervals, microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// Of the host.
    pub host: i64,
    /// Of PostgreSQL servers and applications.
    pub services: i64,
}

impl Intervals {
    pub(crate) const fn of(self, is_of_service: bool) -> i64 {
        if is_of_service {
            self.services
        } else {
            self.host
        }
    }
}

/// Over how long a metric is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    secs: u32,
    is_of_service: bool,
}

impl Window {
    /// Returns its length, microseconds: of a service at least two intervals, so that there are two samples.
    fn micros(self, intervals: Intervals) -> i64 {
        let micros = i64::from(self.secs) * 1_000_000;
        if self.is_of_service {
            micros.max(intervals.services.saturating_mul(2))
        } else {
            micros
        }
    }
}

/// The samples that the windows of metrics need.
#[derive(Debug)]
pub struct Live {
    scans: Vec<Scan>,
    /// Tables with their scans.
    tables: Vec<(&'static str, Vec<usize>)>,
    /// The table of the last row, as rows of a table come together; `None` when no metric reads it.
    last: Option<(&'static str, Option<usize>)>,
    buffers: Buffers,
    scratch: Scratch,
}

impl Live {
    /// Prepares for every metric that is evaluated.
    ///
    /// # Errors
    /// When an expression of the catalogue cannot be evaluated here; a test shows that all can.
    pub fn new(intervals: Intervals) -> Result<Self, ExprError> {
        let evaluated = METRICS
            .iter()
            .filter(|metric| metric.evaluated_over_secs > 0);
        Self::over(
            evaluated.map(|metric| (metric, metric.evaluated_over_secs)),
            intervals,
        )
    }

    /// Prepares for metrics with the seconds of their windows; those of services are at least two intervals long.
    ///
    /// # Errors
    /// When an expression cannot be evaluated here.
    pub fn over(
        windows: impl IntoIterator<Item = (&'static Metric, u32)>,
        intervals: Intervals,
    ) -> Result<Self, ExprError> {
        let mut scans: Vec<Scan> = Vec::new();
        for (metric, secs) in windows {
            let is_of_service = metric.domain.is_of_service();
            let shared = Shared::of(
                metric,
                Window {
                    secs,
                    is_of_service,
                },
            )?;
            match scans.iter_mut().find(|scan| scan.shared == shared) {
                Some(scan) => scan.add(metric)?,
                None => scans.push(Scan::new(shared, metric)?),
            }
        }
        let mut tables: Vec<(&'static str, Vec<usize>)> = Vec::new();
        for (index, scan) in scans.iter().enumerate() {
            let table = scan.shared.table();
            match tables.iter_mut().find(|(name, _)| *name == table) {
                Some((_, indices)) => indices.push(index),
                None => tables.push((table, vec![index])),
            }
        }
        let mut live = Self {
            scans,
            tables,
            last: None,
            buffers: Buffers::default(),
            scratch: Scratch::default(),
        };
        live.set_intervals(intervals);
        Ok(live)
    }

    /// Changes the sampling intervals. Samples are kept, except that a window that becomes longer fills as time passes.
    pub fn set_intervals(&mut self, intervals: Intervals) {
        for scan in &mut self.scans {
            scan.pace(intervals);
        }
    }

    /// Takes the samples of a row; of a table that no metric reads, nothing.
    pub fn ingest(&mut self, row: &Row) {
        let name = row.table.name;
        let place = match self.last {
            Some((last, place)) if last == name => place,
            _ => {
                let place = self.tables.iter().position(|(table, _)| *table == name);
                self.last = Some((name, place));
                place
            }
        };
        let Some(place) = place else { return };
        for index in &self.tables[place].1 {
            self.scans[*index].ingest(row, &mut self.buffers);
        }
    }

    /// Reads every metric at the instant of a tick and calls `each` with its keys, which are in no particular order.
    pub fn read(
        &mut self,
        at: Timestamp,
        mut each: impl FnMut(&'static Metric, &mut dyn Iterator<Item = Reading<'_>>),
    ) {
        let at = at.as_micros();
        for scan in &mut self.scans {
            scan.expire(at, at.saturating_add(scan.reach()));
            read::read(scan, at, &mut self.scratch, &mut each);
        }
    }
}
