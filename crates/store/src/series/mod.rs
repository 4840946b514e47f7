//! The only reader of stored samples.
//!
//! Every query is about a [`Metric`](schema::Metric) and answered through its
//! [`Series`](schema::Series), so a chart, a card, a table and the verdict read the same expression.
//!
//! * SQL is generated from the catalogue alone: identifiers come from our constants,
//!   every value is a parameter, and so is the instant: an answer about an earlier instant is the answer
//!   given then.
//! * Metrics of one table that are read the same way share one scan. Every scan is
//!   bounded by `host_id` and by `ts` from both sides, so only the partitions it needs are read.
//! * A level is read as stored. Where several rows make one value (processes of one name) they
//!   are folded per instant first, and only then reduced to buckets: the greatest value of a bucket
//!   is the greatest sum, not the sum of the greatest.
//! * A counter is read as steps between neighbouring samples over the elapsed time. A
//!   step down is a reset, a step across a gap longer than [`MAX_STEP_INTERVALS`] intervals is
//!   unknown; neither gives a value. Scans begin that much before the range, so that the first
//!   sample in it has a step too.
//! * A share is the steps of one counter over those of another. Both are added up before they are
//!   divided, over keys, buckets and windows alike; an evaluated share requires a least number of events.
//! * Amounts are steps already: a tick with rows of other keys only counts as 0 of this one.
//! * Of few samples and many keys the server sends the samples in order, and they are folded here (`folded`): the same
//!   figures at a fraction of the cost of its sorts.
//! * Of all keys in buckets of whole hours the server adds up what is rolled up, and the hour that is open is folded here (`merged`).
//! * Values of slow ticks are looked up as far back as two of them.
//! * Absent is not zero: a bucket without a value is not in the answer.
//! * Buckets of whole hours are read from roll-ups, where there are any, and from samples where not (`pieces`,
//!   `partials`): that changes what an answer costs and how far back it reaches, but not what it is.

mod added;
mod buckets;
pub(crate) mod fold;
pub(crate) mod folded;
mod gaps;
mod history;
mod latest;
mod merged;
mod newest;
pub(crate) mod partials;
mod peaks;
pub(crate) mod pieces;
mod rows;
pub(crate) mod scan;
mod share;
mod sliced;
pub(crate) mod slices;
pub(crate) mod sql;
pub mod steps;
pub mod tallies;
mod value;
mod view;

#[cfg(test)]
mod tests;

pub use buckets::{ALL, Answer, Bucket, Fault, FoundSeries, Pick, RangeQuery, buckets};
pub use folded::of_few_samples;
pub use gaps::gaps;
pub use history::{is_of_hours, is_of_slices};
pub use latest::{KeyedRow, Latest, column_of, latest, latest_of_rows, latest_over};
pub use newest::{HostTick, TICKS, newest};
pub use peaks::{Peak, peaks};
pub use rows::{Tick, TimedRow, rows, tick, tick_and_before};
pub use slices::is_sliced_metric as is_sliced;
pub use sql::{Param, Statement};
pub use value::Instant;

/// Greatest interval of a counter's step, in sampling intervals.
pub const MAX_STEP_INTERVALS: i64 = 6;

/// Two samples further apart than this many thousandths of an interval have a gap between them.
pub const GAP_PERMILLE: i64 = 1500;

/// A query failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {what}")]
pub struct ReadError {
    /// The table or metric that was read.
    pub what: String,
    /// The error of the server or the link.
    #[source]
    pub source: tokio_postgres::Error,
}

impl ReadError {
    /// Wraps a failure of the driver while reading `what`.
    pub fn new(what: impl Into<String>, source: tokio_postgres::Error) -> Self {
        Self {
            what: what.into(),
            source,
        }
    }

    /// Returns whether the statement timed out.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.source.code() == Some(&tokio_postgres::error::SqlState::QUERY_CANCELED)
    }
}
