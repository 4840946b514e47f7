//! Programs and statements that cost most.

use std::collections::BTreeMap;

use schema::micros::SECOND;
use schema::{SLOW_SECS, Timestamp};
use store::series::{Bucket, Instant, ReadError};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};
use words::round;

use crate::model::{TopProcess, TopStatement};
use crate::readings::Readings;
use crate::spans::Window;

/// How many of each are listed.
const MOST: usize = 10;

fn highest(buckets: &[Bucket]) -> Option<f64> {
    let highest = buckets
        .iter()
        .map(|bucket| bucket.hi)
        .max_by(f64::total_cmp);
    highest.map(round)
}

/// Returns the programs with the greatest use of the processor, that of all processes of a name together.
pub(crate) fn processes(readings: &Readings) -> Vec<TopProcess> {
    let mut found: BTreeMap<String, TopProcess> = BTreeMap::new();
    for reading in readings.of("process.cpu_pct") {
        let (Some(name), Some(cpu)) = (reading.key.clone(), highest(&reading.within)) else {
            continue;
        };
        let process = TopProcess {
            name: name.clone(),
            cpu_pct: Some(cpu),
            cpu_pct_before: highest(&reading.before),
            rss_bytes: None,
        };
        found.insert(name, process);
    }
    for reading in readings.of("process.rss_bytes") {
        let known = reading.key.as_ref().and_then(|name| found.get_mut(name));
        if let Some(process) = known {
            process.rss_bytes = highest(&reading.within);
        }
    }
    let mut found: Vec<TopProcess> = found.into_values().collect();
    let cpu = |one: &TopProcess| one.cpu_pct.unwrap_or_default();
    found.sort_by(|a, b| cpu(b).total_cmp(&cpu(a)));
    found.truncate(MOST);
    found
}

/// Reads the statements that took most time. Their statistics are read at slow ticks, so a shorter window is extended
/// backwards to one of these.
pub(crate) async fn statements(
    client: &Client,
    host_id: i32,
    window: Window,
) -> Result<Vec<TopStatement>, ReadError> {
    let slow = i64::from(SLOW_SECS + 60) * SECOND;
    let latest = Timestamp(window.to().as_micros().saturating_sub(slow));
    let (from, to) = (Instant(window.from().min(latest)), Instant(window.to()));
    let most = i64::try_from(MOST).unwrap_or(i64::MAX);
    let params: [(&(dyn ToSql + Sync), Type); 4] = [
        (&host_id, Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&most, Type::INT8),
    ];
    let fault = |source| ReadError::new("statements", source);
    let rows = client.query_typed(include_str!("statements.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    rows.iter()
        .map(|row| statement(row).map_err(fault))
        .collect()
}

fn statement(row: &Row) -> Result<TopStatement, tokio_postgres::Error> {
    Ok(TopStatement {
        id: row.try_get("id")?,
        instance: row.try_get("instance")?,
        database: row.try_get("database")?,
        query: row.try_get("query")?,
        calls: row.try_get("calls")?,
        exec_ms: round(row.try_get("exec_ms")?),
        share_pct: row.try_get::<_, Option<f64>>("share_pct")?.map(round),
    })
}
