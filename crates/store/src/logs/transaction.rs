//! The one transaction: positions first, so that whoever comes second stops before it has written.

use super::{Batch, LogError, LogLink, Stored, failed};
use crate::failpoint::failpoint;
use crate::partitions::is_homeless;
use crate::tuple::Group;
use crate::writer::copy::{Failed, bisect, copy_all};
use std::slice;

#[cfg(feature = "failpoints")]
impl From<std::io::Error> for LogError {
    fn from(error: std::io::Error) -> Self {
        Self::Statement {
            what: "a named place",
            said: error.to_string(),
        }
    }
}

pub(super) async fn run(
    link: &mut LogLink,
    batch: &Batch,
    by_halves: bool,
) -> Result<Stored, LogError> {
    failpoint!("logs.begin");
    link.session
        .client
        .batch_execute("BEGIN")
        .await
        .map_err(failed("beginning a transaction"))?;
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
        Ok((rows, set_aside)) => {
            stored.rows += rows;
            stored.set_aside += set_aside;
            Ok(())
        }
        Err(Failed { error, .. })
            if pg::Class::of_error(&error) == pg::Class::Poison && !is_homeless(&error) =>
        {
            Err(LogError::Poison(crate::writer::describe(&error)))
        }
        Err(Failed { error, .. }) => Err(failed("copying lines")(error)),
    }
}

async fn move_positions(link: &mut LogLink, batch: &Batch) -> Result<(), LogError> {
    if batch.positions.is_empty() {
        return Ok(());
    }
    failpoint!("logs.positions");
    let columns = |of: fn(&super::Position) -> &str| -> Vec<&str> {
        batch.positions.iter().map(of).collect()
    };
    let versions: Vec<i64> = batch.positions.iter().map(|one| one.version).collect();
    let client = &link.session.client;
    let what = "moving the positions of logs";
    let statement = link
        .statements
        .get(client, include_str!("move_positions.sql"));
    let statement = statement.await.map_err(failed(what))?;
    let row = client
        .query_one(
            &statement,
            &[
                &link.host_id,
                &columns(|one| &one.source),
                &columns(|one| &one.stream),
                &versions,
                &columns(|one| &one.position),
            ],
        )
        .await
        .map_err(failed(what))?;
    let moved: i64 = row.get(0);
    if usize::try_from(moved) == Ok(batch.positions.len()) {
        Ok(())
    } else {
        Err(LogError::Fenced)
    }
}

async fn add_sums(link: &mut LogLink, batch: &Batch) -> Result<(), LogError> {
    failpoint!("logs.sums");
    let client = &link.session.client;
    let host = link.host_id;
    if !batch.counts.is_empty() {
        let what = "adding to the sums by hour";
        let statement = link.statements.get(client, include_str!("add_counts.sql"));
        let statement = statement.await.map_err(failed(what))?;
        let counts = &batch.counts;
        let hours: Vec<i64> = counts.iter().map(|one| one.hour.as_micros()).collect();
        let sources: Vec<&str> = counts.iter().map(|one| one.source.as_str()).collect();
        let levels: Vec<&str> = counts.iter().map(|one| one.level).collect();
        let numbers: Vec<i64> = counts.iter().map(|one| one.count).collect();
        client
            .execute(&statement, &[&host, &hours, &sources, &levels, &numbers])
            .await
            .map_err(failed(what))?;
    }
    if !batch.patterns.is_empty() {
        add_patterns(link, batch).await?;
    }
    if !batch.merged.is_empty() {
        let (young, old): (Vec<&str>, Vec<&str>) = batch
            .merged
            .iter()
            .map(|(young, old)| (young.as_str(), old.as_str()))
            .unzip();
        link.session
            .client
            .execute(
                "UPDATE collector.log_patterns p SET alias_of = g.old \
                 FROM unnest($2::text[], $3::text[]) AS g(young, old) \
                 WHERE p.host_id = $1 AND p.fingerprint = g.young",
                &[&host, &young, &old],
            )
            .await
            .map_err(failed("merging patterns of logs"))?;
    }
    if !batch.patterns.is_empty() {
        keep_families(link, batch).await?;
    }
    Ok(())
}

async fn keep_families(link: &mut LogLink, batch: &Batch) -> Result<(), LogError> {
    let what = "keeping families of patterns";
    let client = &link.session.client;
    let statement = link
        .statements
        .get(client, include_str!("keep_families.sql"));
    let statement = statement.await.map_err(failed(what))?;
    let mut seen: Vec<&str> = batch
        .patterns
        .iter()
        .map(|one| one.fingerprint.as_str())
        .collect();
    seen.sort_unstable();
    seen.dedup();
    client
        .execute(&statement, &[&link.host_id, &seen])
        .await
        .map_err(failed(what))?;
    Ok(())
}

async fn add_patterns(link: &mut LogLink, batch: &Batch) -> Result<(), LogError> {
    let client = &link.session.client;
    let what = "adding to the patterns of logs";
    let statement = link
        .statements
        .get(client, include_str!("add_patterns.sql"));
    let statement = statement.await.map_err(failed(what))?;
    let patterns = &batch.patterns;
    let texts =
        |of: fn(&super::PatternCount) -> &str| -> Vec<&str> { patterns.iter().map(of).collect() };
    let topics: Vec<Option<&str>> = patterns.iter().map(|one| one.topic).collect();
    let hours: Vec<i64> = patterns.iter().map(|one| one.hour.as_micros()).collect();
    let numbers: Vec<i64> = patterns.iter().map(|one| one.count).collect();
    let first: Vec<i64> = patterns.iter().map(|one| one.first.as_micros()).collect();
    let last: Vec<i64> = patterns.iter().map(|one| one.last.as_micros()).collect();
    client
        .execute(
            &statement,
            &[
                &link.host_id,
                &hours,
                &texts(|one| &one.fingerprint),
                &texts(|one| &one.source),
                &texts(|one| one.level),
                &numbers,
                &first,
                &last,
                &texts(|one| &one.template),
                &texts(|one| &one.sample),
                &topics,
            ],
        )
        .await
        .map_err(failed(what))?;
    Ok(())
}
