//! Results of health checks as stored, for who did not make them.

use schema::Timestamp;
use schema::tables::HealthCheck;
use tokio_postgres::Client;

use crate::series::{Instant, ReadError};

/// Reads the newest result of each check of a host that is stored after an instant and no later than another.
///
/// # Errors
/// When the database refuses.
pub async fn newest(
    client: &Client,
    host_id: i32,
    after: Timestamp,
    until: Timestamp,
) -> Result<Vec<(Timestamp, HealthCheck)>, ReadError> {
    let failed = |source| ReadError::new("read results of health checks", source);
    let rows = client
        .query(
            include_str!("health_checks.sql"),
            &[&host_id, &Instant(after), &Instant(until)],
        )
        .await
        .map_err(failed)?;
    let read = |row: &tokio_postgres::Row| {
        let at: Instant = row.try_get(0)?;
        let expires_at: Option<Instant> = row.try_get(8)?;
        Ok((
            at.0,
            HealthCheck {
                check_name: row.try_get(1)?,
                kind: row.try_get(2)?,
                target: row.try_get(3)?,
                state: row.try_get(4)?,
                answer_ms: row.try_get(5)?,
                attempts: row.try_get(6)?,
                status: row.try_get(7)?,
                expires_at: expires_at.map(|at| at.0),
                expires_days: row.try_get(9)?,
                error: row.try_get(10)?,
            },
        ))
    };
    rows.iter().map(|row| read(row).map_err(failed)).collect()
}
