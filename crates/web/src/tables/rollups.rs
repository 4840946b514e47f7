//! How far hours and days are rolled up.

use schema::Timestamp;
use schema::micros::DAY;
use store::rollup;
use store::series::{Instant, ReadError};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::{Col, Line, Lines, Reading, Source, View};
use crate::wire::{Cell, Unit};

const COLUMNS: &[Col] = &[
    Col::new(
        "grain",
        "Buckets",
        Unit::Text,
        "Hours are computed from samples, days from hours.",
    )
    .primary(),
    Col::new(
        "until_ms",
        "Rolled up until",
        Unit::TimeMs,
        "End of the newest hour or day that is rolled up. What is newer is read from samples.",
    )
    .primary(),
    Col::new(
        "behind_secs",
        "Behind",
        Unit::Secs,
        "Time since the oldest hour or day ended that waits; none where none does.",
    )
    .primary(),
    Col::new(
        "waiting",
        "Waiting",
        Unit::Count,
        "Hours or days that are over and not rolled up yet, got rows since, or were rolled up by an earlier version that knew fewer metrics.",
    )
    .primary(),
    Col::new(
        "next_run_ms",
        "Next run",
        Unit::TimeMs,
        "When the collector looks for them next.",
    )
    .primary(),
    Col::new(
        "last_run_ms",
        "Last run",
        Unit::TimeMs,
        "When this host's collector looked for them last, within the last hour. One collector rolls up for all hosts at a time.",
    ),
    Col::new("outcome", "Outcome", Unit::Text, "Outcome of that run."),
    Col::new(
        "from_ms",
        "Kept from",
        Unit::TimeMs,
        "Start of the oldest hour or day that is rolled up.",
    ),
];

pub(super) const VIEW: View = View {
    name: "rollups",
    title: "Hours and days",
    columns: COLUMNS,
    filters: &[],
    default_sort: "-grain",
    ranged: false,
    empty: "Nothing is rolled up yet: the first hour is, a few minutes after it ends.",
    families: &[],
    source: Source::Current(|reading| Box::pin(read(reading))),
};

/// Days whose hours are compared with them: more than samples are kept by default, of which late ones change an hour.
const COMPARED: i64 = 32 * DAY;

async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    let at = reading.at.as_micros();
    let (now, from) = (Instant(reading.at), Instant(Timestamp(at - COMPARED)));
    let params = [
        (&reading.host.id as &(dyn ToSql + Sync), Type::INT4),
        (&now, Type::TIMESTAMPTZ),
        (&from, Type::TIMESTAMPTZ),
    ];
    let fault = |source| ReadError::new("rollups", source);
    let sql = include_str!("../sql/rollups.sql");
    let rows = reading
        .client
        .query_typed(sql, &params)
        .await
        .map_err(fault)?;
    let lines = rows.iter().map(|row| line(row, at));
    let lines: Result<Vec<Option<Line>>, _> = lines.collect();
    Ok(Lines {
        at: None,
        lines: lines.map_err(fault)?.into_iter().flatten().collect(),
        ..Lines::default()
    })
}

/// Returns the line of a grain at an instant in microseconds; `None` where nothing of it is rolled up or waits.
fn line(row: &Row, at: i64) -> Result<Option<Line>, tokio_postgres::Error> {
    let time = |name| -> Result<Option<Timestamp>, tokio_postgres::Error> {
        let found: Option<Instant> = row.try_get(name)?;
        Ok(found.map(|found| found.0))
    };
    let grain: &str = row.try_get("grain")?;
    let (name, length) = match grain {
        "hour" => ("Hours", schema::micros::HOUR),
        _ => ("Days", DAY),
    };
    let waiting: i64 = row.try_get("waiting")?;
    let until = time("rolled_until")?;
    if until.is_none() && waiting == 0 {
        return Ok(None);
    }
    let behind =
        time("waiting_from")?.map(|from| (at - from.as_micros() - length).max(0) / 1_000_000);
    let every = i64::from(rollup::EVERY_SECS) * 1_000_000;
    let next = Timestamp((at.div_euclid(every) + 1) * every);
    let last = time("last_run")?;
    let outcome: Option<String> = row.try_get("outcome")?;
    let cells = vec![
        Cell::Text(name.to_owned()),
        Cell::time(until),
        Cell::of(behind, Cell::Int),
        Cell::Int(waiting),
        // A collector that has not looked for an hour does not look next either.
        Cell::time(last.map(|_| next)),
        Cell::time(last),
        Cell::text(outcome),
        Cell::time(time("rolled_from")?),
    ];
    Ok(Some(Line::new(grain.to_owned(), cells, COLUMNS)))
}
