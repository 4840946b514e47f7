//! Making sums: of hours from samples, of days from hours, of months from days.

use schema::Timestamp;
use schema::micros::HOUR;
use tokio::time::Instant as Clock;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use super::{ALL, Sums};
use crate::failpoint::failpoint;
use crate::rollup::{RollupError, begin, ensure_partition};
use crate::series::Instant;

/// Most hours that are taken from the list at a time.
const AT_ONCE: i64 = 24;

/// As for a roll-up; with parallel workers an hour costs more in all.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL enable_sort = on; \
    SET LOCAL work_mem = '64MB'; SET LOCAL max_parallel_workers_per_gather = 0";

/// What is summed at once.
#[derive(Clone, Copy, Debug)]
struct Unit {
    grain: &'static str,
    host_id: i32,
    from: Instant,
    to: Instant,
    version: i64,
}

impl Unit {
    fn of(grain: &'static str, row: &Row) -> Self {
        Self {
            grain,
            host_id: row.get(0),
            from: row.get(1),
            to: row.get(2),
            version: row.get(3),
        }
    }

    fn of_hour(row: &Row) -> Self {
        let from: Instant = row.get(1);
        Self {
            grain: "hour",
            host_id: row.get(0),
            from,
            to: Instant(Timestamp(from.0.as_micros() + HOUR)),
            version: row.get(2),
        }
    }
}

/// Makes the sums that are due, until `until`; those of `now` are not over. Returns how many of an hour, day or month.
///
/// # Errors
/// When a statement fails; what was made before is stored.
pub(crate) async fn fill(
    client: &Client,
    now: Timestamp,
    until: Clock,
) -> Result<usize, RollupError> {
    let is_over = || Clock::now() >= until;
    let mut all = 0;
    loop {
        let due = client
            .query(include_str!("due_hours.sql"), &[&AT_ONCE])
            .await;
        let due = due.map_err(|source| RollupError::new("reading the hours to sum", source))?;
        let before = all;
        for row in &due {
            if is_over() {
                return Ok(all);
            }
            all += usize::from(make(client, Unit::of_hour(row)).await?);
        }
        // None can be made if they are rolled up anew meanwhile, or another session is at it.
        if all == before {
            break;
        }
    }
    let days = client.query(include_str!("due_days.sql"), &[]).await;
    let days = days.map_err(|source| RollupError::new("reading the days to sum", source))?;
    for row in &days {
        if is_over() {
            return Ok(all);
        }
        all += usize::from(make(client, Unit::of("day", row)).await?);
    }
    let months = client
        .query(include_str!("due_months.sql"), &[&Instant(now)])
        .await;
    let months = months.map_err(|source| RollupError::new("reading the months to sum", source))?;
    for row in &months {
        if is_over() {
            return Ok(all);
        }
        all += usize::from(make(client, Unit::of("month", row)).await?);
    }
    Ok(all)
}

/// Makes the sums of an hour, day or month in one transaction. Returns whether they are those of its present version: not while
/// another session rolls up.
async fn make(client: &Client, unit: Unit) -> Result<bool, RollupError> {
    for sums in ALL {
        let table = table(sums, unit.grain);
        ensure_partition(client, &table, unit.from.0.as_micros()).await?;
    }
    let outcome = transaction(client, unit).await;
    if !matches!(outcome, Ok(true)) {
        // The connection may be gone, in which case the server has rolled back already.
        if let Err(error) = client.batch_execute("ROLLBACK").await {
            tracing::debug!(%error, "rollback of sums");
        }
    }
    outcome
}

async fn transaction(client: &Client, unit: Unit) -> Result<bool, RollupError> {
    let fault = |source: Error| RollupError::new(format!("summing up a {}", unit.grain), source);
    failpoint!("sums.begin");
    if !begin(client, BEGIN).await.map_err(fault)? {
        return Ok(false);
    }
    failpoint!("sums.note");
    let Unit {
        host_id,
        from,
        version,
        ..
    } = unit;
    let noted = match unit.grain {
        "month" => {
            let sql = "INSERT INTO collector.summed_months (host_id, bucket, version) VALUES ($1, $2, $3) \
                       ON CONFLICT (host_id, bucket) DO UPDATE SET version = excluded.version";
            client.execute(sql, &[&host_id, &from, &version]).await
        }
        grain => {
            // Earlier programs read has_sums alone.
            let sql = "UPDATE collector.rollups SET has_sums = true, summed_version = version \
                       WHERE host_id = $1 AND grain = $4 AND bucket = $2 AND version = $3 \
                         AND summed_version IS DISTINCT FROM version";
            client
                .execute(sql, &[&host_id, &from, &version, &grain])
                .await
        }
    };
    if noted.map_err(fault)? == 0 {
        return Ok(false);
    }
    failpoint!("sums.clear");
    client
        .execute(
            "SELECT collector.clear_sums($1, $2, $3)",
            &[&host_id, &unit.grain, &from],
        )
        .await
        .map_err(fault)?;
    for sums in ALL {
        failpoint!("sums.insert");
        insert(client, sums, unit).await.map_err(fault)?;
    }
    failpoint!("sums.commit");
    client.batch_execute("COMMIT").await.map_err(fault)?;
    Ok(true)
}

/// Stores one kind of sums.
async fn insert(client: &Client, sums: &Sums, unit: Unit) -> Result<u64, Error> {
    let (keys, names, table) = (sums.keys, sums.names(), table(sums, unit.grain));
    let before = |micros| Instant(Timestamp(unit.from.0.as_micros() - micros));
    let (early, host) = (before(HOUR), unit.host_id);
    let mut params: Vec<(&(dyn ToSql + Sync), Type)> = vec![
        (&host, Type::INT4),
        (&unit.from, Type::TIMESTAMPTZ),
        (&unit.to, Type::TIMESTAMPTZ),
    ];
    let sql = if unit.grain == "hour" {
        params.push((&early, Type::TIMESTAMPTZ));
        let samples = sums.of_samples("$2", "$3", "$2", "$4", "$4");
        format!(
            "INSERT INTO collector.{table} (bucket, host_id, {keys}, {names})\n\
             SELECT $2, $1, {keys}, {names} FROM (\n{samples}\n) samples"
        )
    } else {
        let part = match unit.grain {
            "day" => format!("{}_hours WHERE true", sums.name),
            _ => format!("{}_days WHERE grain = 'day'", sums.name),
        };
        params.push((&unit.grain, Type::TEXT));
        format!(
            "INSERT INTO collector.{table} (bucket, host_id, grain, {keys}, {names})\n\
             SELECT $2, $1, $4, {keys}, {} FROM collector.{part} AND host_id = $1 AND bucket >= $2 AND bucket < $3\n\
             GROUP BY {keys}",
            sums.added()
        )
    };
    // Planned for these instants: of the partitions only those of the span are looked at.
    let rows = client.query_typed(&sql, &params).await?;
    Ok(rows.len() as u64)
}

/// Returns the table of a grain.
fn table(sums: &Sums, grain: &str) -> String {
    let unit = if grain == "hour" { "hours" } else { "days" };
    format!("{}_{unit}", sums.name)
}
