//! Views over two stored tables: conditions by which a query reads few partitions and a part of an index.
//!
//! Such a view joins samples with what identifies their subject (see [`Samples`]). The identities of a day lie in a
//! partition of that day, and the index of the samples of one subject is ordered by windows; neither follows from a
//! condition on `ts` alone, so both are stated.

use std::fmt::Write as _;

use schema::{Samples, TableDef};

/// The instant from which windows and days are counted.
const EPOCH: &str = "timestamptz '2000-01-01 00:00:00+00'";

/// Returns the start of the span of this length, SQL of an interval, that an instant lies in.
fn start_of(span: &str, instant: &str) -> String {
    format!("date_bin('{span}', {instant}, {EPOCH})")
}

/// Returns conditions (` AND …`) that restrict a view to `from <= ts < to`; empty for a stored table.
/// `by_key`: the rows of few keys are asked for, which the index has together within each window.
pub(super) fn narrowed(table: &TableDef, from: &str, to: &str, by_key: bool) -> String {
    if table.samples.is_none() {
        return String::new();
    }
    let day = start_of("1 day", from);
    let mut text = format!(" AND identity_day >= {day} AND identity_day < {to}");
    if by_key {
        let window = format!("{} seconds", Samples::WINDOW_SECS);
        let first = start_of(&window, from);
        // Writing to a String cannot fail.
        let _infallible = write!(
            text,
            " AND sample_window = ANY (ARRAY(SELECT generate_series({first}, {to}, interval '{window}')))"
        );
    }
    text
}
