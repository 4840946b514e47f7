//! Which of the areas that a host may do without are there.
//!
//! A service is there as long as each tick tells whether it answers, and replication as long as a
//! figure of it is known. What was sampled since the agent's start and is no more is there too, and
//! dark: it went silent, which is never good, whatever figures of long windows still say. What the
//! agent was never told of is absent.

use schema::micros::{DAY, MINUTE};
use schema::tables::{DbSample, LogSource, ReplicationSample, TargetSample};
use schema::{Cell, Sample, TableDef, Timestamp};
use store::series::{self, Latest, ReadError};
use tokio_postgres::Client;

use crate::areas::{AREAS, Kinds, area_of};
use crate::hosts::Host;

/// Within this a service that is well was sampled, microseconds.
const RECENT: i64 = MINUTE;

/// What is known of the areas.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Presence {
    /// Kinds of the targets.
    pub(super) kinds: Kinds,
    /// Areas that are there.
    pub(super) present: Vec<&'static str>,
    /// Areas that are there and of which no figure is known.
    pub(super) dark: Vec<&'static str>,
}

/// Kinds of the targets that were sampled of late.
pub(super) async fn kinds(client: &Client, host: &Host, at: Timestamp) -> Result<Kinds, ReadError> {
    let from = Timestamp(at.as_micros() - RECENT.max(3 * host.app_interval));
    let columns = ["target", "kind"];
    let rows = series::rows(
        client,
        TargetSample::TABLE,
        host.id,
        from,
        end(at),
        &columns,
    );
    let cells = rows.await?.into_iter().map(|(_, cells)| cells);
    Ok(cells.filter_map(|cells| named(&cells)).collect())
}

/// Sorts the latest values into areas.
pub(super) async fn presence(
    client: &Client,
    host: &Host,
    at: Timestamp,
    values: &[Latest],
    mut kinds: Kinds,
) -> Result<Presence, ReadError> {
    let mut silent = Vec::new();
    let told = kinds.clone();
    if kinds.is_empty() {
        let last = last(client, host, at, TargetSample::TABLE, &["target", "kind"]).await?;
        kinds = last.iter().filter_map(|cells| named(cells)).collect();
        for kind in ["api", "proxy"] {
            if kinds.values().any(|known| known == kind) {
                silent.push(kind);
            }
        }
    }
    let mut ups = values.iter().filter(|one| one.metric.id() == "db.up");
    let logs_tell = values
        .iter()
        .any(|one| one.metric.id() == "log.readable" && one.value.is_some());
    let servers_tell = ups.clone().any(|one| one.value.is_some());
    let one_is_up = ups.any(|one| one.value.is_some_and(|up| up > 0.0));
    let known = |area: &str| match area {
        "postgres" => servers_tell,
        "api" | "proxy" => told.values().any(|kind| kind == area),
        _ => values.iter().any(|one| {
            let of = area_of(one.metric, one.key.as_deref(), &kinds);
            one.value.is_some() && of.is_some_and(|of| of.id == area)
        }),
    };
    for (area, tells, table) in [
        ("postgres", servers_tell, DbSample::TABLE),
        // A slot that was dropped is gone; one whose server is away is not known to be.
        ("replication", one_is_up, ReplicationSample::TABLE),
        ("logs", logs_tell, LogSource::TABLE),
    ] {
        if !tells && !last(client, host, at, table, &[]).await?.is_empty() {
            silent.push(area);
        }
    }
    let mut found = Presence::default();
    for area in AREAS {
        let known = known(area.id) && !silent.contains(&area.id);
        if known || silent.contains(&area.id) || !area.may_be_absent {
            found.present.push(area.id);
            if !known {
                found.dark.push(area.id);
            }
        }
    }
    found.kinds = kinds;
    Ok(found)
}

fn end(at: Timestamp) -> Timestamp {
    Timestamp(at.as_micros().saturating_add(1))
}

fn named(cells: &[Cell]) -> Option<(String, String)> {
    match cells {
        [Cell::Text(target), Cell::Text(kind)] => Some((target.to_string(), kind.to_string())),
        _ => None,
    }
}

/// The rows of the newest instant since the agent's start, at most a day back.
async fn last(
    client: &Client,
    host: &Host,
    at: Timestamp,
    table: &'static TableDef,
    columns: &[&str],
) -> Result<Vec<Vec<Cell>>, ReadError> {
    let day = Timestamp(at.as_micros().saturating_sub(DAY));
    let from = host.started.map_or(day, |started| started.max(day));
    let tick = series::tick(client, table, host.id, from, end(at), columns);
    Ok(tick.await?.rows)
}
