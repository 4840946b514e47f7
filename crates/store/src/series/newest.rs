//! The newest sample of each host.

use schema::micros::{DAY, MINUTE};
use schema::tables::SystemSample;
use schema::{Sample, TableDef, Timestamp};
use tokio_postgres::Client;

use super::ReadError;
use super::sql::{Param, Statement};
use super::value::Instant;

/// The table that has one row per tick; a tick without a row was not sampled.
pub const TICKS: &TableDef = SystemSample::TABLE;

/// How far back a newest sample is looked for, near first: most hosts have one within the hour.
const REACH: [i64; 3] = [60 * MINUTE, 3 * DAY, 400 * DAY];

/// A host with the instant of its newest tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostTick {
    /// The host.
    pub host_id: i32,
    /// Its newest tick; `None` when there is none.
    pub newest: Option<Timestamp>,
}

/// Reads the newest tick of every host as of `at`; a host has a watermark since its collector first connected. Samples more than
/// a day ahead of `at` are ignored: a clock that was once wrong by years must not hide later samples.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(client: &Client, at: Timestamp) -> Result<Vec<HostTick>, ReadError> {
    let mut found: Vec<HostTick> = Vec::new();
    let mut late = Timestamp(at.as_micros().saturating_add(DAY));
    for reach in REACH {
        let sql = statement(at, reach, late);
        let rows = sql.query(client, TICKS.name).await?;
        for row in &rows {
            let fault = |source| ReadError::new(TICKS.name, source);
            let host_id = row.try_get(0).map_err(fault)?;
            let newest = row.try_get::<_, Option<Instant>>(1).map_err(fault)?;
            let newest = newest.map(|instant| instant.0);
            match found.iter_mut().find(|host| host.host_id == host_id) {
                Some(host) => host.newest = host.newest.or(newest),
                None => found.push(HostTick { host_id, newest }),
            }
        }
        if found.iter().all(|host| host.newest.is_some()) {
            break;
        }
        late = Timestamp(at.as_micros().saturating_sub(reach));
    }
    Ok(found)
}

pub(super) fn statement(at: Timestamp, reach: i64, to: Timestamp) -> Statement {
    let mut sql = Statement::default();
    let from = sql.bind(Param::Time(Timestamp(at.as_micros().saturating_sub(reach))));
    let to = sql.bind(Param::Time(to));
    sql.text = format!(
        "SELECT w.host_id, s.newest\n\
         FROM (SELECT host_id FROM collector.spool_watermark GROUP BY host_id) w\n\
         LEFT JOIN LATERAL (SELECT max(ts) AS newest FROM collector.{} s\n  \
         WHERE s.host_id = w.host_id AND ts >= {from} AND ts < {to}) s ON true\n\
         JOIN collector.hosts h ON h.host_id = w.host_id\nWHERE h.removed_at IS NULL\nORDER BY w.host_id",
        TICKS.name
    );
    sql
}
