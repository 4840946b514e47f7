//! The roll-up of a day, from its hours.

use schema::Timestamp;
use schema::micros::DAY;
use tokio_postgres::Client;

use super::{Instant, RollupError, Unit, begin, ensure_partition};
use crate::failpoint::failpoint;
use crate::series::partials;

/// Reads the days that are due.
pub(super) async fn due(client: &Client, now: Timestamp) -> Result<Vec<Unit>, RollupError> {
    let rows = client
        .query(include_str!("due_days.sql"), &[&Instant(now)])
        .await
        .map_err(|source| RollupError::new("reading the days that are due", source))?;
    let unit = |row: &tokio_postgres::Row| Unit {
        host_id: row.get(0),
        start: row.get::<_, Instant>(1).0.as_micros(),
    };
    Ok(rows.iter().map(unit).collect())
}

/// Rolls up a day of a host in one transaction; `false` while another session rolls up.
pub(super) async fn roll_up(client: &Client, unit: Unit) -> Result<bool, RollupError> {
    ensure_partition(client, "metric_days", unit.start).await?;
    let outcome = transaction(client, unit).await;
    if !matches!(outcome, Ok(true)) {
        // The connection may be gone, in which case the server has rolled back already.
        if let Err(error) = client.batch_execute("ROLLBACK").await {
            tracing::debug!(%error, "rollback after a failed roll-up");
        }
    }
    outcome
}

async fn transaction(client: &Client, unit: Unit) -> Result<bool, RollupError> {
    let (start, end) = (
        Instant(Timestamp(unit.start)),
        Instant(Timestamp(unit.start + DAY)),
    );
    failpoint!("rollup.day");
    let begun = begin(client, "BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    if !begun.map_err(|source| RollupError::new("beginning a transaction", source))? {
        return Ok(false);
    }
    client
        .execute(
            "SELECT collector.clear_rollup($1, 'day', $2)",
            &[&unit.host_id, &start],
        )
        .await
        .map_err(|source| RollupError::new("clearing a day", source))?;
    let layouts = client
        .query(
            "SELECT layout, cardinality(metrics) FROM collector.rollup_layouts WHERE host_id = $1",
            &[&unit.host_id],
        )
        .await
        .map_err(|source| RollupError::new("reading the layouts", source))?;
    for row in layouts {
        let (layout, metrics): (i32, i32) = (row.get(0), row.get(1));
        failpoint!("rollup.day.layout");
        let sql = insert_sql(usize::try_from(metrics).unwrap_or(0));
        client
            .execute(&sql, &[&unit.host_id, &layout, &start, &end])
            .await
            .map_err(|source| RollupError::new("storing a day", source))?;
    }
    failpoint!("rollup.day.note");
    client
        .execute(include_str!("note_day.sql"), &[&unit.host_id, &start, &end])
        .await
        .map_err(|source| RollupError::new("noting a day", source))?;
    client
        .batch_execute("COMMIT")
        .await
        .map_err(|source| RollupError::new("committing a day", source))?;
    Ok(true)
}

/// Returns the statement that stores the day of a layout: $1 host, $2 layout, $3 start, $4 end.
fn insert_sql(metrics: usize) -> String {
    let stats = partials::array(metrics, |at, figure| {
        let of = |figure| partials::stored(at, figure);
        match figure {
            "lo" => format!("min({})", of(0)),
            "hi" => format!("max({})", of(1)),
            "avg" => format!("sum({0} * {1}) / nullif(sum({1}), 0)", of(2), of(3)),
            "w" => format!("sum({})", of(3)),
            _ => format!("max({}) FILTER (WHERE bucket = newest)", of(4)),
        }
    });
    let filter = "host_id = $1 AND layout = $2 AND bucket >= $3 AND bucket < $4";
    // Materialized: hours of which the server has no statistics yet look like one, for which it would look for the newest
    // again at each row.
    format!(
        "INSERT INTO collector.metric_days (bucket, host_id, layout, key, stats)\n\
         WITH n AS MATERIALIZED (SELECT max(bucket) AS newest FROM collector.metric_hours WHERE {filter})\n\
         SELECT $3, $1, $2, key, {stats}\nFROM collector.metric_hours, n\nWHERE {filter}\nGROUP BY key"
    )
}
