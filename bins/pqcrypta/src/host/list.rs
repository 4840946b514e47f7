//! `pqcrypta host list`.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use store::migrations;
use tokio_postgres::Client;

use crate::settings::{Source, connect, refuse};
use crate::{print, roles};

/// List the hosts of the store
///
/// One line per host: number, name, whether its collector delivers, how long ago it last did (by the clock of the store), its version and
/// machine id. A host that was removed is listed with --all.
///
/// Exit status: 0, or 2 when the database does not answer.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    source: Source,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Those that were removed, too
    #[arg(long)]
    all: bool,
}

/// A host, as `list.sql` gives it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) id: i32,
    pub(super) name: String,
    pub(super) machine_id: String,
    pub(super) is_renamed: bool,
    pub(super) is_removed: bool,
    pub(super) silent_secs: Option<f64>,
    /// Whether its collector delivers, or did until less than 30 s ago and did not end in order.
    pub(super) is_present: bool,
    pub(super) version: Option<String>,
}

impl Known {
    fn state(&self) -> &'static str {
        match (self.is_removed, self.is_present) {
            (true, _) => "removed",
            (false, true) => "delivers",
            (false, false) => "silent",
        }
    }
}

/// Reads every host.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn read(client: &Client) -> Result<Vec<Known>> {
    let rows = client.query(include_str!("list.sql"), &[]).await;
    let rows = rows
        .map_err(roles::server_words)
        .context("cannot read the hosts")?;
    let known = rows.iter().map(|row| {
        Ok(Known {
            id: row.try_get("host_id")?,
            name: row.try_get("hostname")?,
            machine_id: row.try_get("machine_id")?,
            is_renamed: row.try_get("is_renamed")?,
            is_removed: row.try_get("is_removed")?,
            silent_secs: row.try_get("silent_secs")?,
            is_present: row.try_get("is_present")?,
            version: row.try_get("version")?,
        })
    });
    known
        .collect::<Result<_, tokio_postgres::Error>>()
        .context("the database answers in another form")
}

/// Prints the hosts.
///
/// # Errors
/// When standard output cannot be written.
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let loaded = match options.source.load() {
        Ok(loaded) => loaded,
        Err(faults) => return Ok(refuse(&faults)),
    };
    let known = async {
        let session = connect(&loaded, "pqcrypta host list").await?;
        migrations::check(&session.client).await?;
        read(&session.client).await
    };
    let mut known = match known.await {
        Ok(known) => known,
        Err(error) => return crate::report_failure(&error, options.json),
    };
    known.retain(|host| options.all || !host.is_removed);
    if options.json {
        let hosts = known.iter().map(as_json).collect::<Vec<_>>();
        print(&format!("{:#}\n", Value::from(hosts)))?;
    } else {
        print(&text(&known))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(host: &Known) -> Value {
    json!({
        "id": host.id,
        "name": host.name,
        "machine_id": host.machine_id,
        "is_renamed": host.is_renamed,
        "state": host.state(),
        "silent_secs": host.silent_secs,
        "version": host.version,
    })
}

fn text(hosts: &[Known]) -> String {
    if hosts.is_empty() {
        return "no host has stored anything yet\n".to_owned();
    }
    let widest = hosts.iter().map(|host| host.name.chars().count()).max();
    let width = widest.unwrap_or_default().max(4);
    let mut out = format!(
        "{:>6}  {:<width$}  {:<8}  {:>10}  {:<10}  machine id\n",
        "number", "name", "state", "last", "version"
    );
    for host in hosts {
        let last = host
            .silent_secs
            .map_or_else(|| "never".to_owned(), |secs| words::duration(secs.max(0.0)));
        let _infallible = writeln!(
            out,
            "{:>6}  {:<width$}  {:<8}  {:>10}  {:<10}  {}",
            host.id,
            host.name,
            host.state(),
            last,
            host.version.as_deref().unwrap_or("-"),
            host.machine_id
        );
    }
    out
}
