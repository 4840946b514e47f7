//! What the store takes, how it grows, and what the configured retention will need.
//!
//! Sizes are measured in the database once an hour ([`measure`]) and read from there ([`read`]): a session that has not
//! opened a thousand partitions yet needs 200 ms to read their sizes, and less than a millisecond to read them as
//! measured. A measurement looks only at what has changed.
//!
//! Growth needs no history of sizes, since partitions have it: those of the last [`GROWTH_DAYS`] complete days. A table
//! without partitions counts with its present size.

mod forecast;
mod sealing;

use crate::expiry;
use crate::partitions::day_of;
use crate::series::{Instant, ReadError};
use schema::micros::{DAY, HOUR};
use schema::{Keep, Timestamp};
use std::collections::{BTreeMap, HashMap};
use tokio_postgres::{Client, Error, Row};

pub use forecast::Forecast;
pub use sealing::Sealing;

/// Complete days whose mean is the growth per day: a week, so that a quiet Sunday does not decide.
pub const GROWTH_DAYS: i64 = 7;
/// Time after which what was stored so far is extrapolated to a day while no day is complete.
const GROWTH_AFTER: i64 = HOUR;
/// A measurement younger than this is as good as another one: half of the interval of the job, so that one per hour
/// serves all hosts.
const MEASURED_FOR: &str = "30 minutes";

/// Measures what has changed, unless that was done a moment ago.
///
/// # Errors
/// The error that the server reported.
pub async fn measure(client: &Client) -> Result<(), Error> {
    let sql = "SELECT collector.measure_store($1::text::interval)";
    client.query_one(sql, &[&MEASURED_FOR]).await.map(drop)
}

/// What the store takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Store {
    /// The server's clock.
    pub at: Timestamp,
    /// When it was measured; `None`: never.
    pub measured_at: Option<Timestamp>,
    /// Complete days since the first host was seen.
    pub complete_days: i64,
    /// How much it may take; `None`: as much as there is.
    pub budget_bytes: Option<i64>,
    /// The host whose collector reports on it.
    pub keeper: Option<i32>,
    /// For how long rows are kept.
    pub kept: Vec<Kept>,
    /// Its tables, the largest first.
    pub tables: Vec<TableSize>,
}

/// For how long rows of one kind are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Which rows.
    pub keep: Keep,
    /// Days that hosts ask for.
    pub days: i64,
    /// The first day that is kept, days since 1970.
    pub first_day: i64,
    /// What the budget took of these days.
    pub cut: Option<Cut>,
}

/// Days that were dropped before their time.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// When that was decided.
    pub at: Timestamp,
    /// The first of them, as ISO 8601.
    pub oldest_day: String,
    /// The last of them.
    pub last_day: String,
    /// What they took.
    pub bytes: i64,
    /// The budget at that time.
    pub budget_bytes: i64,
}

/// The size of a table with all its partitions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableSize {
    /// Its name.
    pub name: String,
    /// How long its rows are kept; `None`: they do not expire by day.
    pub keep: Option<Keep>,
    /// The rows.
    pub data_bytes: i64,
    /// Their indexes.
    pub index_bytes: i64,
    /// Values that are stored out of line, with their index.
    pub toast_bytes: i64,
    /// The oldest day that has a partition, as ISO 8601.
    pub oldest_day: Option<String>,
    /// Bytes that a day adds; `None`: not known, or not by day.
    pub bytes_per_day: Option<f64>,
    /// Rows that a day adds, as the server's statistics have it.
    pub rows_per_day: Option<f64>,
    /// What it will take once the oldest day is as old as it may get.
    pub needed_bytes: Option<f64>,
    /// Days with bytes, days since 1970.
    pub by_day: Vec<(i64, i64)>,
    /// For how many days its rows are kept; `None`: they do not expire by day.
    pub kept_days: Option<i64>,
    /// Of a table of arrays: what is sealed.
    pub sealed: Option<SealedSize>,
}

/// What is sealed of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealedSize {
    /// The last day, as ISO 8601.
    pub until: String,
    /// How many days there are.
    pub days: i64,
    /// What they took before.
    pub bytes_before: i64,
}

impl TableSize {
    /// Returns its size.
    #[must_use]
    pub const fn bytes(&self) -> i64 {
        self.data_bytes + self.index_bytes + self.toast_bytes
    }

    /// Returns the bytes that are not of a day: all of a table without partitions, and the default partition.
    fn lasting_bytes(&self) -> i64 {
        self.bytes() - self.by_day.iter().map(|(_, bytes)| bytes).sum::<i64>()
    }

    /// Returns what it takes with so many days before today.
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    fn bytes_with(&self, days: i64) -> f64 {
        match self.bytes_per_day {
            Some(per_day) => self.lasting_bytes() as f64 + per_day * (days + 1) as f64,
            None => self.bytes() as f64,
        }
    }
}

impl Store {
    /// Returns the size of all tables.
    #[must_use]
    pub fn bytes(&self) -> i64 {
        self.tables.iter().map(TableSize::bytes).sum()
    }

    /// Returns the size without days that are expired and still wait to be dropped.
    #[must_use]
    pub fn kept_bytes(&self) -> i64 {
        let due = |table: &TableSize| -> i64 {
            let first = self
                .kept(table.keep)
                .map_or(i64::MIN, |kept| kept.first_day);
            let due = table.by_day.iter().filter(|(day, _)| *day < first);
            due.map(|(_, bytes)| bytes).sum()
        };
        self.bytes() - self.tables.iter().map(due).sum::<i64>()
    }

    /// Returns the bytes that a day adds, as far as they are known.
    #[must_use]
    pub fn bytes_per_day(&self) -> Option<f64> {
        let known = self.tables.iter().filter_map(|table| table.bytes_per_day);
        known.reduce(|sum, one| sum + one)
    }

    /// Returns what the configured retention will need in the end; `None` while the growth is not known.
    #[must_use]
    pub fn needed_bytes(&self) -> Option<f64> {
        self.bytes_per_day()?;
        Some(
            self.tables
                .iter()
                .filter_map(|table| table.needed_bytes)
                .sum(),
        )
    }

    /// Returns for how long rows of this kind are kept.
    fn kept(&self, keep: Option<Keep>) -> Option<&Kept> {
        self.kept.iter().find(|kept| Some(kept.keep) == keep)
    }
}

/// A part of a table: that of a day, or what is not of a day.
#[derive(Clone, Debug)]
struct Part {
    table: String,
    day: Option<(i64, String)>,
    bytes: [i64; 3],
    rows: Option<i64>,
}

/// Reads what the store takes, as measured last.
///
/// # Errors
/// The error that the server reported.
pub async fn read(client: &Client) -> Result<Store, ReadError> {
    let fault = |source| ReadError::new("the size of the store", source);
    let (state, kept, parts, sealed) = tokio::try_join!(
        client.query_typed(include_str!("state.sql"), &[]),
        client.query_typed(include_str!("kept.sql"), &[]),
        client.query_typed(include_str!("parts.sql"), &[]),
        client.query_typed(include_str!("sealed.sql"), &[]),
    )
    .map_err(fault)?;
    let mut store = assemble(&state, &kept, &parts).map_err(fault)?;
    for row in &sealed {
        let (name, sealed) = sealed_of(row).map_err(fault)?;
        store.add_sealed(&name, sealed);
    }
    Ok(store)
}

fn sealed_of(row: &Row) -> Result<(String, SealedSize), Error> {
    let sealed = SealedSize {
        until: row.try_get("until")?,
        days: row.try_get("days")?,
        bytes_before: row.try_get("bytes_before")?,
    };
    Ok((row.try_get("table_name")?, sealed))
}

fn assemble(state: &[Row], kept: &[Row], parts: &[Row]) -> Result<Store, Error> {
    let Some(state) = state.first() else {
        // An aggregate without GROUP BY always has a row.
        return Ok(Store::new(Timestamp::default(), None));
    };
    let Instant(at) = state.try_get("now")?;
    let began: Option<Instant> = state.try_get("began")?;
    let measured_at: Option<Instant> = state.try_get("measured_at")?;
    let mut store = Store::new(at, began.map(|began| began.0));
    store.measured_at = measured_at.map(|at| at.0);
    store.budget_bytes = state.try_get("budget_bytes")?;
    store.keeper = state.try_get("keeper")?;
    for row in kept {
        store.kept.extend(kept_of(row)?);
    }
    let parts = parts.iter().map(part).collect::<Result<Vec<_>, _>>()?;
    store.fill(parts, began.map(|began| began.0));
    Ok(store)
}

fn kept_of(row: &Row) -> Result<Option<Kept>, Error> {
    let Some(keep) = Keep::parse(row.try_get("keep")?) else {
        return Ok(None);
    };
    let cut_at: Option<Instant> = row.try_get("cut_at")?;
    let cut = match cut_at {
        None => None,
        Some(Instant(at)) => Some(Cut {
            at,
            oldest_day: row.try_get("oldest_day")?,
            last_day: row.try_get("last_day")?,
            bytes: row.try_get("bytes")?,
            budget_bytes: row.try_get("budget_bytes")?,
        }),
    };
    Ok(Some(Kept {
        keep,
        days: row.try_get("days")?,
        first_day: row.try_get("first_day")?,
        cut,
    }))
}

fn part(row: &Row) -> Result<Part, Error> {
    let day: Option<i64> = row.try_get("day")?;
    let text: Option<String> = row.try_get("day_text")?;
    Ok(Part {
        table: row.try_get("table_name")?,
        day: day.zip(text),
        bytes: [
            row.try_get("data_bytes")?,
            row.try_get("index_bytes")?,
            row.try_get("toast_bytes")?,
        ],
        rows: row.try_get("row_count")?,
    })
}

impl Store {
    fn new(at: Timestamp, began: Option<Timestamp>) -> Self {
        let complete_days = began.map_or(0, |began| (day_of(at) - day_of(began) - 1).max(0));
        Self {
            at,
            measured_at: None,
            complete_days,
            budget_bytes: None,
            keeper: None,
            kept: Vec::new(),
            tables: Vec::new(),
        }
    }

    /// Adds what is sealed of a table. Of its rows a day at most is left.
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    fn add_sealed(&mut self, table: &str, sealed: SealedSize) {
        let declared = schema::table(table).and_then(|table| table.sealed);
        for one in &mut self.tables {
            if one.name == table {
                let day = sealed.bytes_before as f64 / sealed.days.max(1) as f64;
                one.needed_bytes = Some(one.lasting_bytes() as f64 + day);
            } else if declared.is_some_and(|declared| declared.table == one.name) {
                one.sealed = Some(sealed.clone());
            }
        }
    }

    /// Adds up the parts by table.
    fn fill(&mut self, parts: Vec<Part>, began: Option<Timestamp>) {
        let keeps: HashMap<&str, Keep> = expiry::tables()
            .filter(|expiring| expiring.is_partitioned)
            .map(|expiring| (expiring.table, expiring.keep))
            .collect();
        let mut by_table: BTreeMap<String, Vec<Part>> = BTreeMap::new();
        for part in parts {
            by_table.entry(part.table.clone()).or_default().push(part);
        }
        for (name, parts) in by_table {
            let keep = keeps.get(name.as_str()).copied();
            let kept_days = self.kept(keep).map(|kept| kept.days);
            let days = || parts.iter().filter_map(|part| part.day.as_ref());
            let sum = |kind: usize| parts.iter().map(|part| part.bytes[kind]).sum();
            let bytes_of = |part: &Part| Some(part.bytes.iter().sum());
            let mut table = TableSize {
                keep,
                data_bytes: sum(0),
                index_bytes: sum(1),
                toast_bytes: sum(2),
                oldest_day: days().min().map(|(_, text)| text.clone()),
                bytes_per_day: per_day(&parts, bytes_of, began, self.at),
                rows_per_day: per_day(&parts, |part| part.rows, began, self.at),
                by_day: parts
                    .iter()
                    .filter_map(|part| Some((part.day.as_ref()?.0, part.bytes.iter().sum())))
                    .collect(),
                kept_days,
                sealed: None,
                name,
                needed_bytes: None,
            };
            table.needed_bytes = match (table.by_day.is_empty(), table.bytes_per_day, kept_days) {
                (false, None, _) => None,
                (_, _, days) => Some(table.bytes_with(days.unwrap_or(0))),
            };
            self.tables.push(table);
        }
        self.tables
            .sort_by(|a, b| b.bytes().cmp(&a.bytes()).then_with(|| a.name.cmp(&b.name)));
    }
}

/// Returns what a day adds: the mean of the last complete days, of which the first is the day after the table's first
/// rows or the store's first host, whichever was earlier. While none is complete, what was stored since then.
#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
fn per_day(
    parts: &[Part],
    of: impl Fn(&Part) -> Option<i64>,
    began: Option<Timestamp>,
    now: Timestamp,
) -> Option<f64> {
    let days = || {
        parts
            .iter()
            .filter_map(|part| Some((part.day.as_ref()?.0, part)))
    };
    let today = day_of(now);
    let oldest = days().map(|(day, _)| day).min()?;
    let began = began
        .map_or(today * DAY, Timestamp::as_micros)
        .min((oldest + 1) * DAY);
    let first = (day_of(Timestamp(began)) + i64::from(began % DAY != 0)).max(today - GROWTH_DAYS);
    let sum = |from: i64, to: i64| -> Option<i64> {
        let mut within = days().filter(|(day, _)| (from..=to).contains(day));
        within.try_fold(0, |sum, (_, part)| Some(sum + of(part)?))
    };
    if first < today {
        return Some(sum(first, today - 1)? as f64 / (today - first) as f64);
    }
    let elapsed = now.as_micros() - began;
    if elapsed < GROWTH_AFTER {
        return None;
    }
    Some(sum(day_of(Timestamp(began)), today)? as f64 * DAY as f64 / elapsed as f64)
}

#[cfg(test)]
mod tests;
