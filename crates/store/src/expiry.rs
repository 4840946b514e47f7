//! Expiry: which rows go, and how.
//!
//! The tables are shared by all hosts, so what expires is the store's business: it follows from the
//! server's clock and from the longest retention that any host seen within 30 days asks for
//! (`collector.retention`, which each host keeps up to date about itself). The functions in the database
//! take neither a day nor a number of days from their caller. They take the caller's clock, and do
//! nothing when it is more than [`CLOCK_TOLERANCE_MICROS`] from the server's: one of the two is wrong
//! then, and rows that were dropped do not come back.
//!
//! Any host may do the work, one partition at a time: each drop is one transaction, so that
//! readers are held up for a moment at most, and is logged with its reason. Rows of days
//! without a partition lie in the default partition of their table. They are deleted 8 MB at a time, however
//! many there are, and when nothing would be left of a small one it is truncated. Their dates are often wrong,
//! so it counts since when they are there, too: an old row stays for a day, one of a day to come for the
//! retention of its table.
//!
//! Tables without partitions (`WHOLE`) hold few rows, which are deleted up to a thousand at a time. Each step
//! is one transaction: when the work is interrupted, the steps so far are kept, and the next hour continues.

use schema::{Keep, TABLES};
use tokio_postgres::{Client, Error};

/// By so much the clocks of host and server may differ: NTP keeps them within milliseconds, and a minute
/// is what the slowest heartbeat and a loaded server take together.
pub const CLOCK_TOLERANCE_MICROS: i64 = 60 * 1_000_000;

/// Sums that are kept beside the declared tables.
const SUMS: [(&str, Keep); 2] = [
    ("log_metrics_hourly", Keep::Hourly),
    ("log_fingerprint_hourly", Keep::Hourly),
];

/// Tables without partitions. A refused row is kept as long as an event, so that there is time to notice it
/// and to repair it by hand.
const WHOLE: [(&str, Keep); 2] = [("dead_letter", Keep::Events), ("agent_runs", Keep::Long)];

/// A table that expires.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expiring {
    /// Its name.
    pub(crate) table: &'static str,
    /// Setting that decides for how long it is kept.
    pub(crate) keep: Keep,
    /// Whether it has partitions.
    pub(crate) is_partitioned: bool,
}

/// Retention of a host, days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Raw rows.
    pub raw_days: i32,
    /// Hourly sums.
    pub hourly_days: i32,
    /// Long-lived rows.
    pub long_days: i32,
    /// Lines of logs.
    pub log_days: i32,
    /// Security events.
    pub event_days: i32,
}

/// Returns every table that expires.
pub(crate) fn tables() -> impl Iterator<Item = Expiring> {
    let of = |is_partitioned| {
        move |(table, keep)| Expiring {
            table,
            keep,
            is_partitioned,
        }
    };
    let declared = TABLES.iter().map(|table| (table.name, table.keep));
    WHOLE
        .into_iter()
        .map(of(false))
        .chain(declared.chain(SUMS).map(of(true)))
}

/// Returns the name that the database's functions take.
const fn word(keep: Keep) -> &'static str {
    match keep {
        Keep::Raw => "raw",
        Keep::Brief => "brief",
        Keep::Hourly => "hourly",
        Keep::Long => "long",
        Keep::Lines => "lines",
        Keep::Events => "events",
    }
}

/// Returns whether clocks that differ by so much agree.
#[must_use]
pub const fn clocks_agree(ahead_micros: i64) -> bool {
    ahead_micros.abs() <= CLOCK_TOLERANCE_MICROS
}

/// Stores the retention of a host, and by how much its clock is ahead of the server's.
pub(crate) async fn report(
    client: &Client,
    host_id: i32,
    retention: &Retention,
    clock_ahead_micros: i64,
) -> Result<(), Error> {
    let ahead_secs = clock_ahead_micros as f64 / 1e6;
    let agree = clocks_agree(clock_ahead_micros);
    client
        .execute(
            include_str!("report_retention.sql"),
            &[
                &host_id,
                &retention.raw_days,
                &retention.hourly_days,
                &retention.long_days,
                &retention.log_days,
                &retention.event_days,
                &ahead_secs,
                &agree,
            ],
        )
        .await?;
    Ok(())
}

/// Drops the oldest expired partition of a table. Returns its name; `None` when there is none.
pub(crate) async fn drop_one(
    client: &Client,
    table: &str,
    keep: Keep,
    clock_micros: i64,
) -> Result<Option<String>, Error> {
    let row = client
        .query_one(
            "SELECT collector.expire_partition($1, $2, $3)",
            &[&table, &word(keep), &clock_micros],
        )
        .await?;
    Ok(row.get(0))
}

/// Deletes expired rows in a part of a table's default partition. Returns how many rows were deleted and, unless
/// that was the end, the block to go on with.
pub(crate) async fn delete_strays(
    client: &Client,
    table: &str,
    keep: Keep,
    clock_micros: i64,
    block: i64,
) -> Result<(i64, Option<i64>), Error> {
    let row = client
        .query_one(
            "SELECT expired, next_block FROM collector.expire_strays($1, $2, $3, $4)",
            &[&table, &word(keep), &clock_micros, &block],
        )
        .await?;
    Ok((row.get(0), row.get(1)))
}

/// Deletes expired rows of a table without partitions. Returns how many were deleted; there may be more while it is
/// not 0.
pub(crate) async fn delete_rows(
    client: &Client,
    table: &str,
    keep: Keep,
    clock_micros: i64,
) -> Result<i64, Error> {
    let row = client
        .query_one(
            "SELECT collector.expire_rows($1, $2, $3)",
            &[&table, &word(keep), &clock_micros],
        )
        .await?;
    Ok(row.get(0))
}
