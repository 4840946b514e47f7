//! Expiry: which rows go, and how.
//!
//! The tables are shared by all hosts, so what expires is the store's business: it follows from the
//! server's clock and from the longest retention that any host seen within 30 days asks for
//! (`collector.retention`, which each host keeps up to date about itself), or any web site (`collector.web_analytics_sites`). The functions in the database
//! take neither a day nor a number of days from their caller. They take the caller's clock, and do
//! nothing when it is more than [`CLOCK_TOLERANCE_MICROS`] from the server's: one of the two is wrong
//! then, and rows that were dropped do not come back.
//!
//! The host whose turn it is does the work ([`run`], `turn::UPKEEP`), one partition at a time: each drop is one transaction, so that readers are
//! held up for a moment at most, and is logged with its reason. A table that is read is not waited for: its
//! partition is tried once more at the end of the run, and with the next one, an hour later. Rows of days without a
//! partition lie in the default partition of their table. They are deleted 8 MB at a time, however
//! many there are, and when nothing would be left of a small one it is truncated. Their dates are often wrong,
//! so it counts since when they are there, too: an old row stays for a day, one of a day to come for the
//! retention of its table.
//!
//! Tables without partitions (`WHOLE`) hold few rows, which are deleted up to a thousand at a time. Each step
//! is one transaction: when the work is interrupted, the steps so far are kept, and the next run continues.
//!
//! **The budget.** Where the store takes more than hosts allow it, days go before their time ([`cut_to_budget`]). What is
//! kept then is noted in the database, and expires like what is old.

use crate::writer::{Clock, describe};
use schema::{Keep, TABLES};
use tokio_postgres::{Client, Error};

/// By so much the clocks of host and server may differ: NTP keeps them within milliseconds, and a minute
/// is what the slowest heartbeat and a loaded server take together.
pub const CLOCK_TOLERANCE_MICROS: i64 = 60 * 1_000_000;

/// Sums, roll-ups and rows of visits, which are kept beside the declared tables.
const SUMS: [(&str, Keep); 18] = [
    ("metric_slices", Keep::Brief),
    ("metric_hours", Keep::Hourly),
    ("metric_days", Keep::Long),
    ("statement_hours", Keep::Hourly),
    ("statement_days", Keep::Long),
    ("endpoint_hours", Keep::Hourly),
    ("endpoint_days", Keep::Long),
    ("io_hours", Keep::Hourly),
    ("io_days", Keep::Long),
    ("log_metrics_hourly", Keep::Hourly),
    ("log_fingerprint_hourly", Keep::Hourly),
    ("web_analytics_page_views_raw", Keep::Views),
    ("web_analytics_events_raw", Keep::Views),
    ("web_analytics_anonymous_views_raw", Keep::Views),
    ("web_analytics_refused_raw", Keep::Views),
    ("web_analytics_sessions_raw", Keep::Visits),
    ("web_analytics_days", Keep::VisitSums),
    ("web_analytics_hours", Keep::VisitSums),
];

/// Tables without partitions. A refused row is kept as long as an event, so that there is time to notice it
/// and to repair it by hand.
const WHOLE: [(&str, Keep); 7] = [
    ("dead_letter", Keep::Events),
    ("agent_runs", Keep::Long),
    ("rollups", Keep::Long),
    ("sealed_instants", Keep::Raw),
    ("sealed_days", Keep::Raw),
    ("web_analytics_words", Keep::VisitSums),
    ("web_analytics_settled", Keep::VisitSums),
];

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
    /// How much the store may take, bytes; `None`: as much as there is.
    pub max_bytes: Option<i64>,
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
    let declared = TABLES.iter().flat_map(|table| {
        let sealed = table.sealed.map(|sealed| (sealed.table, table.keep));
        std::iter::once((table.name, table.keep)).chain(sealed)
    });
    WHOLE
        .into_iter()
        .map(of(false))
        .chain(declared.chain(SUMS).map(of(true)))
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
                &retention.max_bytes,
            ],
        )
        .await?;
    Ok(())
}

/// A partition that was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Dropped {
    partition: String,
    /// Size and rows as they were measured; `None`: not yet.
    bytes: Option<i64>,
    rows: Option<i64>,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Partitions that were dropped.
    pub partitions: usize,
    /// Rows that were deleted.
    pub rows: i64,
    /// Tables whose expired rows could not be removed, with the reason.
    pub refused: Vec<(&'static str, String)>,
}

/// Removes everything that is expired. A table that is in use is tried once more at the end.
///
/// # Errors
/// When the link is gone.
pub async fn run(client: &Client, clock: Clock) -> Result<Expired, Error> {
    let mut expired = Expired::default();
    let mut refused = Vec::new();
    for expiring in tables() {
        if let Some(error) = settle(client, expiring, clock, &mut expired).await? {
            tracing::debug!(
                table = expiring.table,
                error,
                "cannot remove expired rows yet"
            );
            refused.push(expiring);
        }
    }
    for expiring in refused {
        if let Some(error) = settle(client, expiring, clock, &mut expired).await? {
            expired.refused.push((expiring.table, error));
        }
    }
    Ok(expired)
}

/// Removes what is expired of a table. Returns why it could not be removed.
async fn settle(
    client: &Client,
    expiring: Expiring,
    clock: Clock,
    expired: &mut Expired,
) -> Result<Option<String>, Error> {
    let settled = if expiring.is_partitioned {
        drop_partitions(client, expiring, clock, expired).await
    } else {
        delete_all(client, expiring, clock, expired).await
    };
    match settled {
        Ok(()) => Ok(None),
        Err(error) if error.as_db_error().is_some() && !client.is_closed() => {
            Ok(Some(describe(&error)))
        }
        Err(error) => Err(error),
    }
}

async fn drop_partitions(
    client: &Client,
    Expiring { table, keep, .. }: Expiring,
    clock: Clock,
    expired: &mut Expired,
) -> Result<(), Error> {
    while let Some(dropped) = drop_one(client, table, keep, clock().as_micros()).await? {
        expired.partitions += 1;
        let Dropped {
            partition,
            bytes,
            rows,
        } = dropped;
        tracing::info!(
            table,
            partition,
            bytes,
            rows,
            ?keep,
            "dropped an expired partition"
        );
    }
    let mut block = Some(0);
    while let Some(from) = block {
        let (rows, next) = delete_strays(client, table, keep, clock().as_micros(), from).await?;
        if rows > 0 {
            expired.rows += rows;
            tracing::info!(
                table,
                rows,
                ?keep,
                "deleted expired rows without a partition"
            );
        }
        block = next;
    }
    Ok(())
}

async fn delete_all(
    client: &Client,
    Expiring { table, keep, .. }: Expiring,
    clock: Clock,
    expired: &mut Expired,
) -> Result<(), Error> {
    loop {
        let rows = delete_rows(client, table, keep, clock().as_micros()).await?;
        if rows == 0 {
            return Ok(());
        }
        expired.rows += rows;
        tracing::info!(table, rows, ?keep, "deleted expired rows");
    }
}

/// Lets days go before their time where the store takes more than its budget: they expire with the next [`run`].
///
/// # Errors
/// The error that the server reported.
pub async fn cut_to_budget(client: &Client, clock: Clock) -> Result<(), Error> {
    let (tables, keeps): (Vec<&str>, Vec<&str>) = tables()
        .filter(|expiring| expiring.is_partitioned)
        .map(|expiring| (expiring.table, expiring.keep.as_str()))
        .unzip();
    let cuts = client
        .query(
            "SELECT grain, oldest_day::text, first_day::text, bytes, store_bytes, budget_bytes \
             FROM collector.cut_to_budget($1, $2, $3)",
            &[&tables, &keeps, &clock().as_micros()],
        )
        .await?;
    for cut in cuts {
        tracing::warn!(
            grain = cut.get::<_, &str>(0),
            from = cut.get::<_, &str>(1),
            first_kept = cut.get::<_, &str>(2),
            bytes = cut.get::<_, i64>(3),
            store_bytes = cut.get::<_, i64>(4),
            budget_bytes = cut.get::<_, i64>(5),
            "the store exceeds its budget: days are dropped before their time"
        );
    }
    Ok(())
}

/// Drops the oldest expired partition of a table; `None` when there is none.
async fn drop_one(
    client: &Client,
    table: &str,
    keep: Keep,
    clock_micros: i64,
) -> Result<Option<Dropped>, Error> {
    let row = client
        .query_opt(
            "SELECT partition, bytes, row_count FROM collector.expire_partition($1, $2, $3)",
            &[&table, &keep.as_str(), &clock_micros],
        )
        .await?;
    Ok(row.map(|row| Dropped {
        partition: row.get(0),
        bytes: row.get(1),
        rows: row.get(2),
    }))
}

/// Deletes expired rows in a part of a table's default partition. Returns how many rows were deleted and, unless
/// that was the end, the block to go on with.
async fn delete_strays(
    client: &Client,
    table: &str,
    keep: Keep,
    clock_micros: i64,
    block: i64,
) -> Result<(i64, Option<i64>), Error> {
    let row = client
        .query_one(
            "SELECT expired, next_block FROM collector.expire_strays($1, $2, $3, $4)",
            &[&table, &keep.as_str(), &clock_micros, &block],
        )
        .await?;
    Ok((row.get(0), row.get(1)))
}

/// Deletes expired rows of a table without partitions. Returns how many were deleted; there may be more while it is
/// not 0.
async fn delete_rows(
    client: &Client,
    table: &str,
    keep: Keep,
    clock_micros: i64,
) -> Result<i64, Error> {
    let row = client
        .query_one(
            "SELECT collector.expire_rows($1, $2, $3)",
            &[&table, &keep.as_str(), &clock_micros],
        )
        .await?;
    Ok(row.get(0))
}
