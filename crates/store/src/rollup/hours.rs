//! The roll-up of an hour.

use schema::Timestamp;
use schema::micros::HOUR;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::fill::{Hour, fill};
use super::scans::{Host, scans};
use super::{AT_ONCE, Instant, RollupError, SETTLE, SILENT, Unit, begin, ensure_partition};
use crate::failpoint::failpoint;
use crate::migrations;
use crate::series::pieces::reach;
use crate::series::sql::secs;
use crate::series::{MAX_STEP_INTERVALS, TICKS, steps};

#[cfg(debug_assertions)]
impl From<std::io::Error> for RollupError {
    fn from(error: std::io::Error) -> Self {
        Self {
            what: "a failpoint".to_owned(),
            message: error.to_string(),
        }
    }
}

/// Settings of the transaction. The planner takes the samples of an hour for a few of them, and sorts where hashing is
/// cheaper; 108,000 samples of processes, which are sent in the order of their instants, are sorted in memory.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL enable_sort = off; \
    SET LOCAL work_mem = '64MB'; SET LOCAL max_parallel_workers_per_gather = 0";

/// What is kept of latencies beside their metrics: weighted by the requests of each sample, since the mean of a percentile
/// says nothing.
const WEIGHTED: [&str; 4] = [
    "api.avg_ms_by_requests",
    "api.p50_ms_by_requests",
    "api.p95_ms_by_requests",
    "api.p99_ms_by_requests",
];

/// Reads the hours that are due, the first [`AT_ONCE`] of them.
pub(super) async fn due(
    client: &Client,
    now: Timestamp,
    is_schema_known: bool,
) -> Result<Vec<Unit>, RollupError> {
    let sql = concat!(include_str!("due_hours.sql"), "LIMIT $4");
    let (over, silent) = limits(now);
    let rows = client
        .query(sql, &[&over, &silent, &is_schema_known, &AT_ONCE])
        .await
        .map_err(|source| RollupError::new("reading the hours that are due", source))?;
    let unit = |row: &tokio_postgres::Row| Unit {
        host_id: row.get(0),
        start: row.get::<_, Instant>(1).0.as_micros(),
    };
    Ok(rows.iter().map(unit).collect())
}

/// Counts the hours that are due, and reads the oldest of them.
pub(super) async fn left(
    client: &Client,
    now: Timestamp,
    is_schema_known: bool,
) -> Result<(usize, Option<Timestamp>), RollupError> {
    let sql = format!(
        "SELECT count(*), min(bucket) FROM (\n{}\n) d",
        include_str!("due_hours.sql")
    );
    let (over, silent) = limits(now);
    let row = client
        .query_one(&sql, &[&over, &silent, &is_schema_known])
        .await
        .map_err(|source| RollupError::new("counting the hours that are due", source))?;
    let oldest: Option<Instant> = row.get(1);
    let left = usize::try_from(row.get::<_, i64>(0)).unwrap_or(0);
    Ok((left, oldest.map(|oldest| oldest.0)))
}

fn limits(now: Timestamp) -> (Instant, Instant) {
    let before = |micros| Instant(Timestamp(now.as_micros() - micros));
    (before(SETTLE), before(SILENT))
}

/// Rolls up an hour of a host, and those that change with it, in one transaction; `false` while another session rolls up.
pub(super) async fn roll_up(client: &Client, host: &Host, start: i64) -> Result<bool, RollupError> {
    let reach = reach(host.longest());
    for table in ["metric_hours", "metric_slices"] {
        ensure_partition(client, table, start).await?;
        ensure_partition(client, table, start + reach * HOUR).await?;
    }
    let outcome = transaction(client, host, start, reach).await;
    if !matches!(outcome, Ok(true)) {
        // The connection may be gone, in which case the server has rolled back already.
        if let Err(error) = client.batch_execute("ROLLBACK").await {
            tracing::debug!(%error, "rollback after a failed roll-up");
        }
    }
    outcome
}

async fn transaction(
    client: &Client,
    host: &Host,
    start: i64,
    reach: i64,
) -> Result<bool, RollupError> {
    failpoint!("rollup.begin");
    let begun = begin(client, BEGIN).await;
    if !begun.map_err(|source| RollupError::new("beginning a transaction", source))? {
        return Ok(false);
    }
    let changed = Instant(Timestamp(start));
    let reach = i32::try_from(reach).unwrap_or(i32::MAX);
    let parameters: [&(dyn ToSql + Sync); 3] = [&host.id, &changed, &reach];
    let affected = client
        .query(include_str!("affected_hours.sql"), &parameters)
        .await
        .map_err(|source| RollupError::new("reading what changes with an hour", source))?;
    let layouts = layouts(client, host.id).await?;
    // In the snapshot of the hour: whatever a migration adds later is not in it.
    let is_whole = migrations::is_known(client)
        .await
        .map_err(|source| RollupError::new("reading the schema version", source))?;
    for row in affected {
        let hour: Instant = row.get(0);
        let version: Option<i64> = row.get(1);
        store(client, host, hour.0.as_micros(), version, &layouts).await?;
        failpoint!("rollup.note");
        note(client, host.id, hour, is_whole).await?;
    }
    failpoint!("rollup.settle");
    client
        .execute(
            "SELECT collector.settle_hour($1, $2)",
            &[&host.id, &changed],
        )
        .await
        .map_err(|source| RollupError::new("settling an hour", source))?;
    failpoint!("rollup.commit");
    client
        .batch_execute("COMMIT")
        .await
        .map_err(|source| RollupError::new("committing an hour", source))?;
    Ok(true)
}

/// Returns the number of each scan's layout and, last, of latencies that are weighted by requests; one that is new is stored.
async fn layouts(client: &Client, host_id: i32) -> Result<Vec<i32>, RollupError> {
    let fault = |source| RollupError::new("reading the layouts", source);
    let rows = client
        .query(
            "SELECT metrics, layout FROM collector.rollup_layouts WHERE host_id = $1",
            &[&host_id],
        )
        .await
        .map_err(fault)?;
    let mut known: Vec<(Vec<String>, i32)> =
        rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut layouts = Vec::new();
    let weighted = WEIGHTED.map(str::to_owned).to_vec();
    for wanted in scans().iter().map(|scan| &scan.metrics).chain([&weighted]) {
        let found = known.iter().find(|(metrics, _)| metrics == wanted);
        if let Some((_, layout)) = found {
            layouts.push(*layout);
            continue;
        }
        let next = known
            .iter()
            .map(|(_, layout)| layout + 1)
            .max()
            .unwrap_or(1);
        client
            .execute(
                "INSERT INTO collector.rollup_layouts (host_id, layout, metrics) VALUES ($1, $2, $3)",
                &[&host_id, &next, wanted],
            )
            .await
            .map_err(|source| RollupError::new("storing a layout", source))?;
        known.push((wanted.clone(), next));
        layouts.push(next);
    }
    Ok(layouts)
}

/// Replaces the rows of an hour.
async fn store(
    client: &Client,
    host: &Host,
    hour: i64,
    version: Option<i64>,
    layouts: &[i32],
) -> Result<(), RollupError> {
    let start = Instant(Timestamp(hour));
    failpoint!("rollup.clear");
    if version.is_some() {
        client
            .execute(
                "SELECT collector.clear_rollup($1, 'hour', $2), collector.clear_slices($1, $2)",
                &[&host.id, &start],
            )
            .await
            .map_err(|source| RollupError::new("clearing an hour", source))?;
    }
    let parts = scans().iter().zip(layouts.iter().copied());
    fill(client, Hour { host, start: hour }, parts).await?;
    let end = Instant(Timestamp(hour + HOUR));
    if let Some(layout) = layouts.get(scans().len()) {
        failpoint!("rollup.weighted");
        let longest = secs(host.app_interval * MAX_STEP_INTERVALS);
        let sql = steps::expand(include_str!("weighted_latencies.sql"));
        client
            .execute(&*sql, &[&host.id, &start, &end, &longest, layout])
            .await
            .map_err(|source| RollupError::new("weighting latencies", source))?;
    }
    Ok(())
}

/// Notes an hour that was stored. One that lacks what the schema has and this program does not know is no whole version, so
/// that a newer one takes it again.
async fn note(
    client: &Client,
    host_id: i32,
    start: Instant,
    is_whole: bool,
) -> Result<(), RollupError> {
    let end = Instant(Timestamp(start.0.as_micros() + HOUR));
    let sql = format!(
        "INSERT INTO collector.rollups AS r (host_id, grain, bucket, version, ticks, has_slices, whole_version) \
         SELECT $1, 'hour', $2, 1, count(DISTINCT ts), true, CASE WHEN $4::bool THEN 1 END \
         FROM collector.{} WHERE host_id = $1 AND ts >= $2 AND ts < $3 \
         ON CONFLICT (host_id, grain, bucket) DO UPDATE \
         SET version = r.version + 1, ticks = excluded.ticks, has_slices = true, has_sums = false, rolled_at = excluded.rolled_at, \
             whole_version = r.version + excluded.whole_version",
        TICKS.name
    );
    client
        .execute(&sql, &[&host_id, &start, &end, &is_whole])
        .await
        .map_err(|source| RollupError::new("noting an hour", source))?;
    Ok(())
}
