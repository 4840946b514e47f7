//! Which of the optional areas of a host exist.
//!
//! A service exists as long as each tick reports whether it answers, and replication as long as one of its
//! figures is known. An area that was sampled since the agent's start and is not any more exists, too, but
//! has no data: it is unknown, whatever values of long windows remain. An area that was never sampled since
//! then is absent.

use schema::micros::{DAY, MINUTE};
use schema::tables::{DbSample, LogSource, ReplicationSample, TargetSample};
use schema::{Cell, Sample, TableDef, Timestamp};
use store::series::{self, Latest, ReadError};
use tokio_postgres::Client;

use crate::areas::{AREAS, Kinds, area_of};
use crate::hosts::Host;

/// Within this time a healthy service was sampled, microseconds.
const RECENT: i64 = MINUTE;

/// The areas of a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Presence {
    /// Kinds of the targets.
    pub(super) kinds: Kinds,
    /// Areas that exist.
    pub(super) present: Vec<&'static str>,
    /// Areas that exist and have no data.
    pub(super) without_data: Vec<&'static str>,
}

/// Reads the kinds of the recently sampled targets.
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
    let sampled = kinds.clone();
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
    let logs_reported = values
        .iter()
        .any(|one| one.metric.id() == "log.readable" && one.value.is_some());
    let servers_reported = ups.clone().any(|one| one.value.is_some());
    let one_is_up = ups.any(|one| one.value.is_some_and(|up| up > 0.0));
    let known = |area: &str| match area {
        "postgres" => servers_reported,
        "api" | "proxy" => sampled.values().any(|kind| kind == area),
        _ => values.iter().any(|one| {
            let of = area_of(one.metric, one.key.as_deref(), &kinds);
            one.value.is_some() && of.is_some_and(|of| of.id == area)
        }),
    };
    for (area, is_reported, table) in [
        ("postgres", servers_reported, DbSample::TABLE),
        // Without its server it is unknown whether a slot still exists.
        ("replication", one_is_up, ReplicationSample::TABLE),
        ("logs", logs_reported, LogSource::TABLE),
    ] {
        if !is_reported && !last(client, host, at, table, &[]).await?.is_empty() {
            silent.push(area);
        }
    }
    let mut found = Presence::default();
    for area in AREAS {
        let known = known(area.id) && !silent.contains(&area.id);
        if known || silent.contains(&area.id) || !area.may_be_absent {
            found.present.push(area.id);
            if !known {
                found.without_data.push(area.id);
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

/// Reads the rows of the newest instant since the agent's start, at most a day back.
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
