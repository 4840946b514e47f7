//! Spans without samples.

use schema::Timestamp;
use tokio_postgres::Client;

use super::newest::TICKS;
use super::sql::{Param, Statement};
use super::value::Instant;
use super::{GAP_PERMILLE, ReadError, history, is_of_hours};

/// Reads the spans within `from..to` in which no tick was stored, oldest first. A span lies
/// between two neighbouring ticks that are further apart than one and a half intervals, or
/// between the edge of the range and its first or last tick; at most 500 of them. For buckets of whole hours (`step`)
/// spans that are rolled up count as a whole: an hour with a tick has no gap.
///
/// # Errors
/// When the database does not answer.
pub async fn gaps(
    client: &Client,
    host_id: i32,
    from: Timestamp,
    to: Timestamp,
    interval: i64,
    step: i64,
) -> Result<Vec<(Timestamp, Timestamp)>, ReadError> {
    if !is_of_hours(step) {
        return between_ticks(client, host_id, from, to, interval).await;
    }
    let (missing, sampled) = history::unsampled(client, host_id, from, to, interval, step).await?;
    let mut found = missing;
    for (from, to) in sampled {
        found.extend(between_ticks(client, host_id, from, to, interval).await?);
    }
    found.sort_unstable();
    Ok(joined(found))
}

/// Joins spans that touch.
fn joined(spans: Vec<(Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, to) in spans {
        match joined.last_mut() {
            Some(last) if last.1 >= from => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

async fn between_ticks(
    client: &Client,
    host_id: i32,
    from: Timestamp,
    to: Timestamp,
    interval: i64,
) -> Result<Vec<(Timestamp, Timestamp)>, ReadError> {
    let sql = statement(host_id, from, to, interval);
    let rows = sql.query(client, TICKS.name).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let fault = |source| ReadError::new(TICKS.name, source);
        let start = row.try_get::<_, Instant>(0).map_err(fault)?.0.max(from);
        let end = row.try_get::<_, Instant>(1).map_err(fault)?.0.min(to);
        if start < end {
            found.push((start, end));
        }
    }
    Ok(found)
}

/// Returns the statement. The scan begins one allowance early, so that a tick just before the range closes its start; a
/// gap that is longer than that reaches the edge of the range anyway.
pub(super) fn statement(host_id: i32, from: Timestamp, to: Timestamp, interval: i64) -> Statement {
    let mut sql = Statement::default();
    let allowed = interval * GAP_PERMILLE / 1000;
    let early = Timestamp(from.as_micros().saturating_sub(allowed));
    let host = sql.bind(Param::Int4(host_id));
    let early = sql.bind(Param::Time(early));
    let end = sql.bind(Param::Time(to));
    let allowed = sql.bind(Param::Float8(super::sql::secs(allowed)));
    sql.text = format!(
        "SELECT earlier, ts FROM (\n  SELECT ts, lag(ts, 1, {early}) OVER (ORDER BY ts) AS earlier FROM (\n    \
         SELECT ts FROM collector.{} WHERE host_id = {host} AND ts >= {early} AND ts < {end}\n    \
         UNION ALL SELECT {end}) t) pairs\nWHERE ts - earlier > make_interval(secs => {allowed})\n\
         ORDER BY ts\nLIMIT 500",
        TICKS.name
    );
    sql
}
