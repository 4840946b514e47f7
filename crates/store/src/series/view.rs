//! Views over two stored tables: conditions by which a query reads few partitions and a part of an index.
//!
//! Such a view joins samples with what identifies their subject (see [`Samples`]). The identities of a day lie in a
//! partition of that day, and the only index of the samples is ordered by windows, and within one by subject;
//! neither follows from a condition on `ts` alone, so both are stated.

use schema::{Samples, TableDef};

/// The instant from which windows and days are counted.
const EPOCH: &str = "timestamptz '2000-01-01 00:00:00+00'";

/// Returns the start of the span of this length, SQL of an interval, that an instant lies in.
fn start_of(span: &str, instant: &str) -> String {
    format!("date_bin('{span}', {instant}, {EPOCH})")
}

/// Returns the start of the window that an instant lies in, as the index of samples has it.
fn window_of(instant: &str) -> String {
    start_of(&window(), instant)
}

fn window() -> String {
    format!("{} seconds", Samples::WINDOW_SECS)
}

/// Returns conditions (` AND …`) that restrict a view to `from <= ts < to`; empty for a stored table.
/// `by_key`: the rows of few keys are asked for, which the index has together within each window.
pub(super) fn narrowed(table: &TableDef, from: &str, to: &str, by_key: bool) -> String {
    if table.samples.is_none() {
        return String::new();
    }
    let (day, first) = (start_of("1 day", from), window_of(from));
    let windows = if by_key {
        format!(
            "= ANY (ARRAY(SELECT generate_series({first}, {to}, interval '{}')))",
            window()
        )
    } else {
        format!(">= {first} AND sample_window < {to}")
    };
    format!(" AND identity_day >= {day} AND identity_day < {to} AND sample_window {windows}")
}

/// Returns SQL for the newest instant in `from <= ts < to` among the rows of `table` that `condition` selects.
pub(super) fn newest(table: &TableDef, condition: &str, from: &str, to: &str) -> String {
    let condition = format!("{condition} AND ts >= {from} AND ts < {to}");
    let stored = table.instants();
    if table.samples.is_none() {
        return format!("(SELECT max(ts) FROM collector.{stored} WHERE {condition})");
    }
    // The index has the windows in order, but not the instants within one.
    let (window, first) = (window_of("ts"), window_of(from));
    format!(
        "(SELECT max(ts) FROM collector.{stored} WHERE {condition} AND {window} = \
         (SELECT {window} FROM collector.{stored} WHERE {condition} AND {window} >= {first} AND {window} < {to} \
         ORDER BY {window} DESC LIMIT 1))"
    )
}
