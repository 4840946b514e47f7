//! `pqcrypta host rename` and `remove`: what is done to a host that is known.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use pg::Session;
use store::migrations;
use tokio_postgres::Client;

use super::list::{self, Known};
use crate::settings::{Source, connect, refuse};
use crate::{print, roles};

/// Give a host another name in every view
///
/// Its data stay with it. Without NAME it has the name of its machine again, from the next start of its collector on.
#[derive(Debug, clap::Args)]
pub(super) struct Rename {
    #[command(flatten)]
    source: Source,
    /// Name or number of the host
    host: String,
    /// Its new name
    name: Option<String>,
}

/// Remove a host: it is in no view any more, its open findings are closed, and its data expire as others do
///
/// Stop its collector first, or let it in no more (`pqcrypta host revoke`): a host that delivers again is back, with all data that did not
/// expire meanwhile.
#[derive(Debug, clap::Args)]
pub(super) struct Remove {
    #[command(flatten)]
    source: Source,
    /// Name or number of the host
    host: String,
}

/// Finds a host by number or name, those that were removed last.
fn find(hosts: &[Known], asked: &str) -> Result<Known> {
    let number = asked.parse::<i32>().ok();
    if let Some(host) = hosts.iter().find(|host| Some(host.id) == number) {
        return Ok(host.clone());
    }
    let mut named: Vec<&Known> = hosts.iter().filter(|host| host.name == asked).collect();
    if named.iter().any(|host| !host.is_removed) {
        named.retain(|host| !host.is_removed);
    }
    match named.as_slice() {
        [host] => Ok((*host).clone()),
        [] => bail!(
            "there is no host {asked}: `pqcrypta host list --all` shows names and numbers; a machine that was in the store before it \
             was let in keeps the name it had"
        ),
        several => {
            let numbers: Vec<String> = several.iter().map(|host| host.id.to_string()).collect();
            bail!(
                "{asked} is the name of several hosts; say which by its number: {}",
                numbers.join(", ")
            )
        }
    }
}

/// Checks that a name will lead to this host alone.
fn check_name(name: &str, host: &Known, hosts: &[Known]) -> Result<()> {
    let is_plain =
        !name.trim().is_empty() && name.len() <= 64 && !name.chars().any(char::is_control);
    if !is_plain {
        bail!("{name:?} is no name: use 1 to 64 bytes without control characters");
    }
    if name.parse::<i32>().is_ok() {
        bail!("{name} would be read as the number of a host: use a name with a letter");
    }
    let is_taken = |other: &&Known| other.id != host.id && !other.is_removed && other.name == name;
    if let Some(other) = hosts.iter().find(is_taken) {
        bail!(
            "{name} is the name of host {} already: choose another, or first give that one another (`pqcrypta host rename {} NAME`) or remove it",
            other.id,
            other.id
        );
    }
    Ok(())
}

/// A host that was asked for, among all.
struct Opened {
    session: Session,
    host: Known,
    hosts: Vec<Known>,
}

async fn open(source: &Source, asked: &str, what: &str) -> Result<Option<Opened>> {
    let loaded = match source.load() {
        Ok(loaded) => loaded,
        Err(faults) => {
            let _status = refuse(&faults);
            return Ok(None);
        }
    };
    let session = connect(&loaded, what).await?;
    migrations::check(&session.client).await?;
    let hosts = list::read(&session.client).await?;
    let host = find(&hosts, asked)?;
    Ok(Some(Opened {
        session,
        host,
        hosts,
    }))
}

/// Renames a host.
///
/// # Errors
/// Why it was not renamed.
pub(super) async fn rename(options: &Rename) -> Result<ExitCode> {
    let Some(Opened {
        session,
        host,
        hosts,
    }) = open(&options.source, &options.host, "pqcrypta host rename").await?
    else {
        return Ok(ExitCode::from(config::EXIT_CONFIG));
    };
    if let Some(name) = &options.name {
        check_name(name, &host, &hosts)?;
    }
    let sql = "UPDATE collector.hosts SET hostname = coalesce($2, hostname), is_renamed = $2 IS NOT NULL WHERE host_id = $1";
    session
        .client
        .execute(sql, &[&host.id, &options.name])
        .await
        .map_err(roles::server_words)
        .context("cannot rename the host")?;
    match &options.name {
        Some(name) => print(&format!("host {} ({}) is {name} now\n", host.id, host.name))?,
        None => print(&format!(
            "host {} takes the name of its machine when its collector starts\n",
            host.id
        ))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Removes a host.
///
/// # Errors
/// Why it was not removed.
pub(super) async fn remove(options: &Remove) -> Result<ExitCode> {
    let Some(Opened { session, host, .. }) =
        open(&options.source, &options.host, "pqcrypta host remove").await?
    else {
        return Ok(ExitCode::from(config::EXIT_CONFIG));
    };
    let closed = take_out(&session.client, host.id)
        .await
        .map_err(roles::server_words)
        .context("cannot remove the host; nothing has changed")?;
    print(&format!(
        "removed host {} ({}); open findings closed: {closed}; its data expire as others do\n",
        host.id, host.name
    ))?;
    if host.is_present {
        crate::say(
            "its collector delivered less than 30 s ago: unless it has ended or was shut out since, stop it, or the host is back with its next transaction",
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Removes a host in one transaction. Returns how many findings were open.
async fn take_out(client: &Client, host_id: i32) -> Result<i64, tokio_postgres::Error> {
    client
        .query_one(
            "SELECT collector.ensure_partition('finding_transitions_raw', NULL), \
             collector.ensure_partition('finding_transitions_raw', (now() AT TIME ZONE 'UTC')::date)",
            &[],
        )
        .await?;
    client.batch_execute("BEGIN").await?;
    // Its lease is over, so that a collector that still runs begins anew, and brings the host back.
    client
        .execute(
            "UPDATE collector.spool_watermark SET lease_until = NULL, lease_run = NULL WHERE host_id = $1",
            &[&host_id],
        )
        .await?;
    client
        .execute(
            "UPDATE collector.hosts SET removed_at = now() WHERE host_id = $1",
            &[&host_id],
        )
        .await?;
    // What it asked to be kept counts no longer.
    client
        .execute(
            "UPDATE collector.retention SET reported_at = 'epoch' WHERE host_id = $1",
            &[&host_id],
        )
        .await?;
    let row = client
        .query_one(include_str!("remove.sql"), &[&host_id])
        .await?;
    let (open, instants): (i64, Vec<store::series::Instant>) = (row.try_get(0)?, row.try_get(1)?);
    client
        .query_one(
            "SELECT collector.apply_transitions($1, $2)",
            &[&host_id, &instants],
        )
        .await?;
    // Those whose history has expired.
    client
        .execute(
            "UPDATE collector.findings SET resolved_at = clock_timestamp() WHERE host_id = $1 AND resolved_at IS NULL",
            &[&host_id],
        )
        .await?;
    client.batch_execute("COMMIT").await?;
    Ok(open)
}
