//! Views over several stored tables: conditions by which a query reads few partitions and a part of an index.
//!
//! Such a view joins samples with what identifies their subject (see [`Samples`]). The identities of a day lie in a
//! partition of that day, and the only index of the samples is ordered by windows, and within one by subject;
//! neither follows from a condition on `ts` alone, so both are stated.
//!
//! Rows of closed days may be sealed (see [`Sealed`](schema::Sealed)): then the view gives those as well, and the hours that
//! they lie in are stated, too.

use std::fmt::Write as _;

use schema::micros::HOUR;
use schema::{Samples, TableDef, Timestamp};

use super::sql::{Param, Span, Statement};

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

/// Returns whether rows of this table, or of the samples of this view, are sealed.
fn is_sealed(table: &TableDef) -> bool {
    let stored = schema::table(table.instants());
    stored.is_some_and(|stored| stored.sealed.is_some())
}

/// Binds the start of the hour before which no row of a span is sealed.
fn first_hour(sql: &mut Statement, span: &Span) -> String {
    let first = span.least.as_micros().div_euclid(HOUR) * HOUR;
    sql.bind(Param::Time(Timestamp(first)))
}

/// Returns conditions (` AND …`) that restrict a view to a span; empty for a table whose rows all lie in it.
/// `by_key`: the rows of few keys are asked for, which the index has together within each window.
pub(super) fn narrowed(sql: &mut Statement, table: &TableDef, span: &Span, by_key: bool) -> String {
    let (from, to) = (&span.from, &span.to);
    let mut conditions = String::new();
    if table.samples.is_some() {
        let (day, first) = (start_of("1 day", from), window_of(from));
        let windows = if by_key {
            format!(
                "= ANY (ARRAY(SELECT generate_series({first}, {to}, interval '{}')))",
                window()
            )
        } else {
            format!(">= {first} AND sample_window < {to}")
        };
        conditions = format!(
            " AND identity_day >= {day} AND identity_day < {to} AND sample_window {windows}"
        );
    }
    if is_sealed(table) {
        let first = first_hour(sql, span);
        let _infallible = write!(
            conditions,
            " AND sample_hour >= {first} AND sample_hour < {to}"
        );
    }
    conditions
}

/// Returns SQL for the newest instant of a span among the rows of `table`, of the host `host`, for which `filled` (` AND …`)
/// holds.
pub(super) fn newest(
    sql: &mut Statement,
    table: &TableDef,
    host: &str,
    filled: &str,
    span: &Span,
) -> String {
    let (from, to) = (&span.from, &span.to);
    let condition = format!("host_id = {host}{filled} AND ts >= {from} AND ts < {to}");
    if is_sealed(table) && !filled.is_empty() {
        let (relation, narrowed) = (table.relation(), narrowed(sql, table, span, false));
        return format!("(SELECT max(ts) FROM collector.{relation} WHERE {condition}{narrowed})");
    }
    let stored = table.instants();
    let newest = if table.samples.is_none() {
        format!("(SELECT max(ts) FROM collector.{stored} WHERE {condition})")
    } else {
        // The index has the windows in order, but not the instants within one.
        let (window, first) = (window_of("ts"), window_of(from));
        format!(
            "(SELECT max(ts) FROM collector.{stored} WHERE {condition} AND {window} = \
             (SELECT {window} FROM collector.{stored} WHERE {condition} AND {window} >= {first} AND {window} < {to} \
             ORDER BY {window} DESC LIMIT 1))"
        )
    };
    if !is_sealed(table) {
        return newest;
    }
    // Instants of hours that are being sealed are those of rows that are there.
    let first = first_hour(sql, span);
    format!(
        "greatest({newest}, (SELECT max(t) FROM collector.sealed_instants i CROSS JOIN LATERAL unnest(i.instants) t \
         WHERE host_id = {host} AND table_name = '{stored}' AND i.ts >= {first} AND i.ts < {to} AND t >= {from} AND t < {to}))"
    )
}
