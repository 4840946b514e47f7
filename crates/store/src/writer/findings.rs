//! Findings follow from the transitions that a batch brings, in its transaction.

use super::batch::TableBatch;
use super::copy::{Failed, Statements};
use super::transaction::Stop;
use crate::failpoint::failpoint;
use crate::series::Instant;
use schema::Sample;
use schema::tables::FindingTransition;
use std::collections::BTreeSet;
use tokio_postgres::Client;

/// Table of transitions.
const TRANSITIONS: &str = FindingTransition::TABLE.name;

/// Updates the findings whose transitions were just stored: one statement, and none for a batch without
/// transitions. Rows that were dead-lettered instead are not there, so they change nothing.
///
/// # Errors
/// When the server refuses, for whatever reason: every row is stored, so there is none to look for, and the
/// transitions are deferred as a whole.
pub(super) async fn follow(
    client: &Client,
    statements: &mut Statements,
    tables: &[&TableBatch],
    host_id: i32,
) -> Result<(), Stop> {
    let entry = tables.iter().find(|entry| entry.table.name == TRANSITIONS);
    let groups = entry.into_iter().flat_map(|entry| &entry.groups);
    let instants: BTreeSet<_> = groups.flat_map(|group| group.instants()).collect();
    if instants.is_empty() {
        return Ok(());
    }
    failpoint!("writer.findings");
    let instants: Vec<Instant> = instants.into_iter().map(Instant).collect();
    let followed = async {
        let sql = "SELECT collector.apply_transitions($1, $2)";
        let statement = statements.get(client, sql).await?;
        client.query_one(&statement, &[&host_id, &instants]).await
    };
    match followed.await {
        Ok(_) => Ok(()),
        Err(error) => Err(match Failed::from(error).stop(TRANSITIONS) {
            Stop::Table {
                class: pg::Class::Poison,
                table,
                error,
                desynced,
            } => Stop::Table {
                class: pg::Class::Refused,
                table,
                error,
                desynced,
            },
            stop => stop,
        }),
    }
}
