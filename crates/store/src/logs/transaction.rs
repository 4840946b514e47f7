//! The transaction that stores a batch: positions first, so that the second of two writers stops before it
//! has written anything.

use super::{Batch, LogError, LogLink, Stored, failed};
use crate::failpoint::failpoint;
use crate::partitions::lacks_partition;
use crate::tuple::Group;
use crate::writer::copy::{Failed, Statements, bisect, copy_all};
use schema::logs::PatternCount;
use std::slice;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

#[cfg(debug_assertions)]
impl From<std::io::Error> for LogError {
    fn from(error: std::io::Error) -> Self {
        Self::Statement {
            what: "a failpoint",
            message: error.to_string(),
        }
    }
}

pub(super) async fn run(
    link: &mut LogLink,
    batch: &Batch,
    by_halves: bool,
) -> Result<Stored, LogError> {
    failpoint!("logs.begin");
    move_positions(link, batch).await?;
    let mut stored = Stored::default();
    for group in &batch.groups {
        failpoint!("logs.copy");
        copy(link, group, by_halves, &mut stored).await?;
    }
    add_sums(link, batch).await?;
    failpoint!("logs.commit");
    link.session
        .client
        .batch_execute("COMMIT")
        .await
        .map_err(failed("committing lines"))?;
    failpoint!("logs.committed");
    Ok(stored)
}

async fn copy(
    link: &mut LogLink,
    group: &Group,
    by_halves: bool,
    stored: &mut Stored,
) -> Result<(), LogError> {
    let (client, statements) = (&link.session.client, &mut link.statements);
    let groups = slice::from_ref(group);
    let copied = if by_halves {
        bisect(client, statements, groups, link.host_id).await
    } else {
        let copied = copy_all(client, statements, groups, link.host_id).await;
        copied.map(|rows| (rows, 0))
    };
    match copied {
        Ok((rows, dead_letters)) => {
            stored.rows += rows;
            stored.dead_letters += dead_letters;
            Ok(())
        }
        Err(Failed { error, .. })
            if pg::Class::of_error(&error) == pg::Class::Poison && !lacks_partition(&error) =>
        {
            Err(LogError::Poison(crate::writer::describe(&error)))
        }
        Err(Failed { error, .. }) => Err(failed("copying lines")(error)),
    }
}

/// Begins the transaction and updates the positions.
async fn move_positions(link: &mut LogLink, batch: &Batch) -> Result<(), LogError> {
    let client = &link.session.client;
    let begin = async {
        let begun = client.batch_execute("BEGIN").await;
        begun.map_err(failed("beginning a transaction"))
    };
    if batch.positions.is_empty() {
        return begin.await;
    }
    failpoint!("logs.positions");
    let columns = |of: fn(&super::Position) -> &str| -> Vec<&str> {
        batch.positions.iter().map(of).collect()
    };
    let versions: Vec<i64> = batch.positions.iter().map(|one| one.version).collect();
    let what = "updating the positions of logs";
    let statement = link
        .statements
        .get(client, include_str!("move_positions.sql"));
    let statement = statement.await.map_err(failed(what))?;
    let (sources, streams) = (columns(|one| &one.at.source), columns(|one| &one.at.stream));
    let positions = columns(|one| &one.at.position);
    let parameters: [&(dyn ToSql + Sync); 5] =
        [&link.host_id, &sources, &streams, &versions, &positions];
    let moving = async {
        let moved = client.query_one(&statement, &parameters).await;
        moved.map_err(failed(what))
    };
    let ((), row) = futures_util::try_join!(begin, moving)?;
    let moved: i64 = row.get(0);
    if usize::try_from(moved) == Ok(batch.positions.len()) {
        Ok(())
    } else {
        Err(LogError::Fenced)
    }
}

/// Adds to the sums by hour and by pattern. Statements are sent together where they may, so that none waits for
/// the answer of the one before; the server executes them in order.
async fn add_sums(link: &mut LogLink, batch: &Batch) -> Result<(), LogError> {
    failpoint!("logs.sums");
    let (client, host) = (&link.session.client, link.host_id);
    let hours = prepared(
        (client, &mut link.statements),
        include_str!("add_counts.sql"),
        "adding to the sums by hour",
    );
    let hours = hours.await?;
    let patterns = prepared(
        (client, &mut link.statements),
        include_str!("add_patterns.sql"),
        "adding to the patterns of logs",
    );
    let patterns = patterns.await?;
    let families = prepared(
        (client, &mut link.statements),
        include_str!("keep_families.sql"),
        "keeping families of patterns",
    );
    let families = families.await?;
    let counted = add_counts(client, &hours, host, batch);
    let seen = add_patterns(client, &patterns, host, batch);
    let kept = keep_families(client, &families, host, batch);
    if batch.merged.is_empty() {
        futures_util::try_join!(counted, seen, kept)?;
    } else {
        // The aliases decide which families are kept, so they come first.
        futures_util::try_join!(counted, seen)?;
        add_aliases(client, host, batch).await?;
        kept.await?;
    }
    Ok(())
}

/// A prepared statement with the name of its operation.
struct Operation {
    statement: Statement,
    what: &'static str,
}

impl Operation {
    async fn execute(
        &self,
        client: &Client,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<(), LogError> {
        let executed = client.execute(&self.statement, parameters).await;
        executed.map(drop).map_err(failed(self.what))
    }
}

async fn prepared(
    (client, statements): (&Client, &mut Statements),
    sql: &str,
    what: &'static str,
) -> Result<Operation, LogError> {
    let statement = statements.get(client, sql).await.map_err(failed(what))?;
    Ok(Operation { statement, what })
}

async fn add_counts(
    client: &Client,
    operation: &Operation,
    host: i32,
    batch: &Batch,
) -> Result<(), LogError> {
    let counts = &batch.counts;
    if counts.is_empty() {
        return Ok(());
    }
    let hours: Vec<i64> = counts.iter().map(|one| one.hour.as_micros()).collect();
    let sources: Vec<&str> = counts.iter().map(|one| &*one.source).collect();
    let levels: Vec<&str> = counts.iter().map(|one| one.level.as_str()).collect();
    let numbers: Vec<i64> = counts.iter().map(|one| one.count).collect();
    operation
        .execute(client, &[&host, &hours, &sources, &levels, &numbers])
        .await
}

async fn add_aliases(client: &Client, host: i32, batch: &Batch) -> Result<(), LogError> {
    let merged = batch.merged.iter();
    let (old, into): (Vec<&str>, Vec<&str>) = merged
        .map(|alias| (alias.old.as_str(), alias.into.as_str()))
        .unzip();
    client
        .execute(
            "UPDATE collector.log_patterns p SET alias_of = g.canonical \
             FROM unnest($2::text[], $3::text[]) AS g(alias, canonical) \
             WHERE p.host_id = $1 AND p.fingerprint = g.alias",
            &[&host, &old, &into],
        )
        .await
        .map_err(failed("merging patterns of logs"))?;
    Ok(())
}

async fn keep_families(
    client: &Client,
    operation: &Operation,
    host: i32,
    batch: &Batch,
) -> Result<(), LogError> {
    if batch.patterns.is_empty() {
        return Ok(());
    }
    let mut seen: Vec<&str> = batch
        .patterns
        .iter()
        .map(|one| one.fingerprint.as_str())
        .collect();
    seen.sort_unstable();
    seen.dedup();
    operation.execute(client, &[&host, &seen]).await
}

async fn add_patterns(
    client: &Client,
    operation: &Operation,
    host: i32,
    batch: &Batch,
) -> Result<(), LogError> {
    let patterns = &batch.patterns;
    if patterns.is_empty() {
        return Ok(());
    }
    let texts = |of: fn(&PatternCount) -> &str| -> Vec<&str> { patterns.iter().map(of).collect() };
    let topics: Vec<Option<&str>> = patterns.iter().map(|one| one.topic).collect();
    let hours: Vec<i64> = patterns.iter().map(|one| one.hour.as_micros()).collect();
    let numbers: Vec<i64> = patterns.iter().map(|one| one.count).collect();
    let first: Vec<i64> = patterns.iter().map(|one| one.first.as_micros()).collect();
    let last: Vec<i64> = patterns.iter().map(|one| one.last.as_micros()).collect();
    operation
        .execute(
            client,
            &[
                &host,
                &hours,
                &texts(|one| one.fingerprint.as_str()),
                &texts(|one| &one.source),
                &texts(|one| one.level.as_str()),
                &numbers,
                &first,
                &last,
                &texts(|one| &one.template),
                &texts(|one| &one.sample),
                &topics,
            ],
        )
        .await
}
