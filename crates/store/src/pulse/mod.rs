//! How many visits sites have at this moment, as samples.

use schema::Timestamp;
use schema::tables::TrafficSample;
use tokio_postgres::{Client, Error};

use crate::series::Instant;

/// Reads the samples of sites, by their domains; one that was never counted has none.
///
/// # Errors
/// When the database refuses.
pub async fn read(
    client: &Client,
    sites: &[String],
    at: Timestamp,
) -> Result<Vec<TrafficSample>, Error> {
    let rows = client
        .query(include_str!("pulse.sql"), &[&sites, &Instant(at)])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(TrafficSample {
                site: row.try_get(0)?,
                views: row.try_get(1)?,
                visitors_live: row.try_get(2)?,
                refused: row.try_get(3)?,
                silent_secs: row.try_get(4)?,
                missed_views: row.try_get(5)?,
            })
        })
        .collect()
}
