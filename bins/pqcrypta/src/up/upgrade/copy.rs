//! The contents of a store, copied from one server to another that has an empty one of the same schema.

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_postgres::Client;

use crate::roles::server_words;
use crate::up::database::{INGEST, OWNER, READER, WRITER};

/// Most tables that a message names.
const NAMED: usize = 5;

/// A table with rows of its own: an ordinary one, or a partition.
#[derive(Debug)]
struct Table {
    name: String,
    columns: String,
    is_binary: bool,
    is_referred_to: bool,
}

/// The tables of a store.
#[derive(Debug)]
pub(super) struct Contents(Vec<Table>);

impl Contents {
    /// Reads which tables there are.
    pub(super) async fn of(client: &Client) -> Result<Self> {
        let rows = client.query(include_str!("tables.sql"), &[]).await?;
        let table = |row: &tokio_postgres::Row| Table {
            name: row.get(0),
            columns: row.get::<_, Vec<String>>(1).join(", "),
            is_binary: row.get(2),
            is_referred_to: row.get(3),
        };
        Ok(Self(rows.iter().map(table).collect()))
    }

    /// Copies every row; returns how many there are.
    ///
    /// # Errors
    /// When a statement of either server fails.
    pub(super) async fn copy(&self, old: &Client, new: &Client) -> Result<u64> {
        make_tables(old, new).await?;
        empty(new).await?;
        // The rows are consistent as they are: no trigger is to add to them, and references need no look-up.
        new.batch_execute("SET session_replication_role = replica")
            .await
            .map_err(server_words)?;
        let mut copied = 0;
        for table in &self.0 {
            copied += table
                .copy(old, new)
                .await
                .with_context(|| format!("cannot copy {}", table.name))?;
        }
        set_sequences(old, new).await?;
        new.batch_execute("RESET session_replication_role; ANALYZE")
            .await
            .map_err(server_words)
            .context("cannot read statistics")?;
        Ok(copied)
    }

    /// Compares how many rows each table has.
    ///
    /// # Errors
    /// When a number differs.
    pub(super) async fn compare(&self, old: &Client, new: &Client) -> Result<()> {
        let mut differing = Vec::new();
        for table in &self.0 {
            let sql = format!("SELECT count(*) FROM collector.{}", quoted(&table.name));
            let (before, after): (i64, i64) = (
                old.query_one(&sql, &[]).await?.get(0),
                new.query_one(&sql, &[]).await?.get(0),
            );
            if before != after {
                differing.push(format!("{} ({before}, now {after})", table.name));
            }
        }
        if differing.is_empty() {
            return Ok(());
        }
        let count = differing.len();
        differing.truncate(NAMED);
        bail!(
            "{} without the same number of rows: {}",
            words::counted(count, "table"),
            differing.join(", ")
        )
    }
}

impl Table {
    async fn copy(&self, old: &Client, new: &Client) -> Result<u64> {
        let name = quoted(&self.name);
        let format = if self.is_binary { "binary" } else { "text" };
        // Rows that nobody else can see yet need no later look at who may; emptied here, they need no WAL either.
        let (begin, frozen) = match self.is_referred_to {
            true => ("BEGIN".to_owned(), ""),
            false => (format!("BEGIN; TRUNCATE collector.{name}"), ", FREEZE"),
        };
        new.batch_execute(&begin).await.map_err(server_words)?;
        let columns = &self.columns;
        let rows = old
            .copy_out(&format!(
                "COPY collector.{name} ({columns}) TO STDOUT (FORMAT {format})"
            ))
            .await
            .map_err(server_words)?;
        let places = new
            .copy_in(&format!(
                "COPY collector.{name} ({columns}) FROM STDIN (FORMAT {format}{frozen})"
            ))
            .await
            .map_err(server_words)?;
        let (mut rows, mut places) = (Box::pin(rows), Box::pin(places));
        while let Some(chunk) = rows.next().await {
            places
                .feed(chunk.map_err(server_words)?)
                .await
                .map_err(server_words)?;
        }
        let copied = places.as_mut().finish().await.map_err(server_words)?;
        new.batch_execute("COMMIT").await.map_err(server_words)?;
        Ok(copied)
    }
}

/// Makes partitions, and the tables that no migration makes, as the old store has them.
async fn make_tables(old: &Client, new: &Client) -> Result<()> {
    for row in old.query(include_str!("partitions.sql"), &[]).await? {
        let (parent, name, day): (String, String, Option<String>) =
            (row.get(0), row.get(1), row.get(2));
        let sql = "SELECT collector.ensure_partition($1, $2::text::date) OR collector.is_partition($1, $3)";
        let made: bool = new
            .query_one(sql, &[&parent, &day, &name])
            .await
            .map_err(server_words)
            .with_context(|| format!("cannot make {name}"))?
            .get(0);
        if !made {
            bail!("the new store has no partition {name}");
        }
    }
    for row in old
        .query(include_str!("tables_beside.sql"), &[&OWNER])
        .await?
    {
        let (name, statements): (String, String) = (row.get(0), row.get(1));
        let is_there: bool = new
            .query_one(
                "SELECT to_regclass('collector.' || quote_ident($1)) IS NOT NULL",
                &[&name],
            )
            .await?
            .get(0);
        if !is_there {
            new.batch_execute(&statements)
                .await
                .map_err(server_words)
                .with_context(|| format!("cannot make {name}"))?;
        }
    }
    Ok(())
}

/// Removes what the migrations filled in.
async fn empty(new: &Client) -> Result<()> {
    let tables: Option<String> = new
        .query_one(
            "SELECT string_agg(c.oid::regclass::text, ', ') FROM pg_class c \
             WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition",
            &[],
        )
        .await?
        .get(0);
    new.batch_execute(&format!("TRUNCATE {}", tables.unwrap_or_default()))
        .await
        .map_err(server_words)
        .context("cannot empty the new store")
}

/// Sets every sequence to where the old one is.
async fn set_sequences(old: &Client, new: &Client) -> Result<()> {
    let rows = old
        .query(
            "SELECT sequencename::text, last_value FROM pg_sequences \
             WHERE schemaname = 'collector' AND last_value IS NOT NULL",
            &[],
        )
        .await?;
    for row in rows {
        let (name, value): (String, i64) = (row.get(0), row.get(1));
        new.execute(
            "SELECT setval(('collector.' || quote_ident($1))::regclass, $2)",
            &[&name, &value],
        )
        .await
        .map_err(server_words)
        .with_context(|| format!("cannot set {name}"))?;
    }
    Ok(())
}

/// Returns what the old server has that is not of this program.
pub(super) async fn strangers(old: &Client, database: &str) -> Result<Vec<String>> {
    let roles = [OWNER, WRITER, READER, INGEST].map(str::to_owned).to_vec();
    let rows = old
        .query(include_str!("strangers.sql"), &[&database, &roles])
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
