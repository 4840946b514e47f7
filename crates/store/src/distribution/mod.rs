//! The store over several machines: its tables distributed by host with Citus.
//!
//! One PostgreSQL is enough for a thousand hosts; what a cluster buys is disk, memory and reads. Every table whose keys have `host_id` is
//! distributed by it and lies with `spool_watermark`, so the transaction that delivers a host's rows stays on one
//! machine. `hosts` is the one reference table. What belongs to no host (versions of the schema, days that are sealed, visits of
//! sites) stays on the coordinator.
//!
//! [`distribute`] does this in one transaction, one table after the other, so it succeeds as a whole or changes nothing. It is
//! refused before anything is changed when [`Refusal`] says what is missing and how to get it. A second run finds
//! the tables that are new since the first, as does every migration (`follow`).
//!
//! What a statement has to be like is held by `tests/distribution`.

mod cluster;

pub use cluster::{Cluster, Refusal};

use pg::SessionOptions;
use tokio_postgres::Client;

/// The table that all others lie with.
pub const ANCHOR: &str = "spool_watermark";
/// The table that every machine has whole.
pub const REFERENCE: &str = "hosts";
/// Fewest and most shards that are made unless their number is stated: with eight a worker has a thousand tables at five days
/// of partitions, and each of them costs planning time.
const SHARDS: (i64, i64) = (4, 16);
/// Most shards that may be asked for.
pub const MOST_SHARDS: u32 = 128;

/// Where the rows of a table lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placement {
    /// Whole on every machine.
    Everywhere,
    /// In shards by host.
    ByHost,
    /// On the coordinator.
    Coordinator,
}

/// A table with where its rows are to lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedTable {
    /// Its name, in the schema `collector`.
    pub name: String,
    /// Where its rows are to lie.
    pub placement: Placement,
    /// Tables that its foreign keys refer to.
    pub parents: Vec<String>,
    /// Number of its triggers, which do not run where its shards are.
    pub triggers: i64,
    /// Identity columns that are too narrow for the numbers that workers give.
    pub narrow: Vec<String>,
}

/// Why the store was not distributed.
#[derive(Debug, thiserror::Error)]
pub enum DistributeError {
    /// Something is missing; nothing was changed.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// A statement failed, and all was rolled back.
    #[error("{attempt} failed; nothing was changed")]
    Failed {
        /// What was attempted.
        attempt: String,
        /// The server's error.
        #[source]
        source: tokio_postgres::Error,
    },
}

impl DistributeError {
    pub(crate) fn failed(attempt: &str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| Self::Failed {
            attempt: attempt.to_owned(),
            source,
        }
    }
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distributed {
    /// Tables that were distributed, in order.
    pub tables: Vec<String>,
    /// Tables that stay on the coordinator.
    pub kept: Vec<String>,
    /// Number of shards; 0 when nothing was new.
    pub shards: u32,
}

/// Returns all tables with where their rows are to lie: first the reference table, then the one that others lie with, then by name.
///
/// # Errors
/// When the catalogue cannot be read.
pub async fn tables(client: &Client) -> Result<Vec<PlacedTable>, tokio_postgres::Error> {
    let rows = client.query(include_str!("tables.sql"), &[]).await?;
    let mut tables = Vec::with_capacity(rows.len());
    for row in &rows {
        let name: String = row.try_get("name")?;
        let has_host: bool = row.try_get("has_host")?;
        let keys: Vec<String> = row.try_get("keys")?;
        // Rows that are found by something else than their host have to lie in one place.
        let placement = match (name.as_str(), has_host && keys.is_empty()) {
            (REFERENCE, _) => Placement::Everywhere,
            (_, true) => Placement::ByHost,
            (_, false) => Placement::Coordinator,
        };
        tables.push(PlacedTable {
            name,
            placement,
            parents: row.try_get("parents")?,
            triggers: row.try_get("triggers")?,
            narrow: row.try_get("narrow")?,
        });
    }
    tables.sort_by_key(|table| (table.placement, table.name != ANCHOR));
    Ok(tables)
}

/// Returns the number of shards that fits a number of workers: two of each, at least 4 and at most 16.
#[must_use]
pub fn usual_shards(workers: i64) -> u32 {
    let shards = workers.saturating_mul(2).clamp(SHARDS.0, SHARDS.1);
    u32::try_from(shards).unwrap_or(4)
}

/// Returns the statements that distribute `tables`, with the names of the tables; `shards` of the first one.
#[must_use]
pub fn statements<'a>(tables: &[&'a PlacedTable], shards: u32) -> Vec<(&'a str, String)> {
    let place = |table: &&'a PlacedTable| {
        let name = table.name.as_str();
        let call = match (table.placement, name) {
            (Placement::Coordinator, _) => return None,
            (Placement::Everywhere, _) => format!("create_reference_table('collector.{name}')"),
            (Placement::ByHost, ANCHOR) => format!(
                "create_distributed_table('collector.{name}', 'host_id', shard_count => {shards})"
            ),
            (Placement::ByHost, _) => format!(
                "create_distributed_table('collector.{name}', 'host_id', colocate_with => 'collector.{ANCHOR}')"
            ),
        };
        Some((name, format!("SELECT pg_catalog.{call}")))
    };
    // The copies that stay behind would be read by nobody and kept for ever; those that others refer to go last.
    let clear = |table: &&'a PlacedTable| {
        let name = table.name.as_str();
        let call = format!("truncate_local_data_after_distributing_table('collector.{name}')");
        let is_placed = table.placement != Placement::Coordinator;
        is_placed.then(|| (name, format!("SELECT pg_catalog.{call}")))
    };
    let placing = tables.iter().filter_map(place);
    let clearing = tables.iter().rev().filter_map(clear);
    placing.chain(clearing).collect()
}

/// Distributes what is not distributed yet, in `shards` or as many as fit the workers. `writer` is the role of the collectors.
///
/// # Errors
/// When something is missing, or a statement fails; in both cases nothing was changed.
pub async fn distribute(
    client: &Client,
    shards: Option<u32>,
    writer: Option<&str>,
) -> Result<Distributed, DistributeError> {
    let cluster = Cluster::read(client).await?;
    cluster.check()?;
    let shards = shards.unwrap_or_else(|| usual_shards(cluster.workers));
    run(client, shards, writer).await
}

/// Distributes the tables that a migration made, if the others are distributed. A store that is not costs one question.
///
/// # Errors
/// When a statement fails.
pub(crate) async fn follow(client: &Client) -> Result<Vec<String>, DistributeError> {
    if !is_distributed(client).await? {
        return Ok(Vec::new());
    }
    // Their number is that of the table that they lie with.
    Ok(run(client, MOST_SHARDS, None).await?.tables)
}

/// Returns whether the store is distributed.
pub(crate) async fn is_distributed(client: &Client) -> Result<bool, DistributeError> {
    let failed = || DistributeError::failed("asking whether the store is distributed");
    let row = client
        .query_one(
            "SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL",
            &[],
        )
        .await
        .map_err(failed())?;
    if !row.get::<_, bool>(0) {
        return Ok(false);
    }
    let placed = placed(client).await?;
    Ok(placed.iter().any(|name| name == ANCHOR))
}

/// Returns the names of the tables that are distributed.
async fn placed(client: &Client) -> Result<Vec<String>, DistributeError> {
    let sql = "SELECT c.relname::text FROM pg_catalog.pg_dist_partition d JOIN pg_catalog.pg_class c ON c.oid = d.logicalrelid \
               WHERE c.relnamespace = 'collector'::regnamespace AND d.partmethod IN ('h', 'n') \
                 AND NOT (d.partmethod = 'n' AND d.repmodel = 's')";
    let rows = client.query(sql, &[]).await;
    let rows = rows.map_err(DistributeError::failed("reading what is distributed"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn run(
    client: &Client,
    shards: u32,
    writer: Option<&str>,
) -> Result<Distributed, DistributeError> {
    let all = tables(client)
        .await
        .map_err(DistributeError::failed("reading the tables"))?;
    let placed = placed(client).await?;
    let missing: Vec<&PlacedTable> = all
        .iter()
        .filter(|table| table.placement != Placement::Coordinator && !placed.contains(&table.name))
        .collect();
    let kept = all
        .iter()
        .filter(|table| table.placement == Placement::Coordinator);
    let mut done = Distributed {
        tables: Vec::new(),
        kept: kept.map(|table| table.name.clone()).collect(),
        shards: if missing.is_empty() { 0 } else { shards },
    };
    let result = in_one_transaction(client, &statements(&missing, shards), writer).await;
    if result.is_err()
        && let Err(error) = client.batch_execute("ROLLBACK").await
    {
        // The connection may be gone, in which case the server has rolled back already.
        tracing::debug!(%error, "rollback after a failed distribution");
    }
    result?;
    done.tables
        .extend(missing.iter().map(|table| table.name.clone()));
    Ok(done)
}

async fn in_one_transaction(
    client: &Client,
    statements: &[(&str, String)],
    writer: Option<&str>,
) -> Result<(), DistributeError> {
    // One connection to each worker, so each step sees what the one before it made. Local tables stay as they are: identity columns
    // of tables that refer to them could not be converted.
    client
        .batch_execute(
            "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '1min'; \
             SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL client_min_messages = warning; \
             SELECT pg_catalog.set_config('citus.multi_shard_modify_mode', 'sequential', true), \
                    pg_catalog.set_config('citus.enable_local_reference_table_foreign_keys', 'off', true)",
        )
        .await
        .map_err(DistributeError::failed("beginning"))?;
    for (table, sql) in statements {
        client
            .batch_execute(sql)
            .await
            .map_err(|source| DistributeError::Failed {
                attempt: format!("distributing {table}"),
                source,
            })?;
    }
    if let Some(writer) = writer {
        // A session's own setting stays on the coordinator; a role's reaches the workers, so a row that is locked there is reported in
        // time. Numbers of findings come from a sequence on each of them.
        let sql = "SELECT format('ALTER ROLE %I SET lock_timeout = %L', $1::text, $2::text), \
                          format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA collector TO %I', $1::text)";
        let attempt = "setting up the role of the collectors";
        let patience = SessionOptions::default()
            .lock_timeout
            .as_millis()
            .to_string();
        let row = client.query_one(sql, &[&writer, &patience]).await;
        let row = row.map_err(DistributeError::failed(attempt))?;
        for column in 0..2 {
            let sql: String = row.get(column);
            client
                .batch_execute(&sql)
                .await
                .map_err(DistributeError::failed(attempt))?;
        }
    }
    client
        .batch_execute("COMMIT")
        .await
        .map_err(DistributeError::failed("committing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, placement: Placement) -> PlacedTable {
        PlacedTable {
            name: name.to_owned(),
            placement,
            parents: Vec::new(),
            triggers: 0,
            narrow: Vec::new(),
        }
    }

    #[test]
    fn every_table_lies_with_the_first_and_local_copies_go_last_to_first() {
        let tables = [
            table("hosts", Placement::Everywhere),
            table("spool_watermark", Placement::ByHost),
            table("findings", Placement::ByHost),
            table("schema_migrations", Placement::Coordinator),
        ];
        let tables: Vec<&PlacedTable> = tables.iter().collect();
        let made: Vec<String> = statements(&tables, 8)
            .into_iter()
            .map(|(_, sql)| sql)
            .collect();
        assert_eq!(
            made,
            [
                "SELECT pg_catalog.create_reference_table('collector.hosts')",
                "SELECT pg_catalog.create_distributed_table('collector.spool_watermark', 'host_id', shard_count => 8)",
                "SELECT pg_catalog.create_distributed_table('collector.findings', 'host_id', colocate_with => 'collector.spool_watermark')",
                "SELECT pg_catalog.truncate_local_data_after_distributing_table('collector.findings')",
                "SELECT pg_catalog.truncate_local_data_after_distributing_table('collector.spool_watermark')",
                "SELECT pg_catalog.truncate_local_data_after_distributing_table('collector.hosts')",
            ]
        );
        assert!(statements(&[], 8).is_empty());
    }

    #[test]
    fn the_number_of_shards_follows_that_of_the_workers() {
        let usual = [0, 1, 2, 3, 8, 9, 400].map(usual_shards);
        assert_eq!(usual, [4, 4, 4, 6, 16, 16, 16]);
    }
}
