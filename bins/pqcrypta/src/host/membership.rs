//! `pqcrypta host add` and `revoke`: a role for each host, so that one can be shut out without the others.
//!
//! The role is a member of the collector's role and has its rights. Its password is made here, printed once and kept by the server as
//! SCRAM; `pqcrypta enroll` gives the role another one, so the line is good for one machine.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use config::{Database, Secret};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::ticket::Ticket;
use crate::settings::{Source, connect, refuse};
use crate::{print, roles};

/// How long the sessions of a role that was shut out may take to end.
const END_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Let a further host in: makes a role for it and prints one line for `pqcrypta enroll` on that host
///
/// The line holds a password and is printed this once. Acts as a role that may make roles, as the superuser:
/// `runuser -u postgres -- env DB_USER=postgres pqcrypta host add web-2 --address store.example`.
#[derive(Debug, clap::Args)]
pub(super) struct Add {
    #[command(flatten)]
    source: Source,
    /// Name of the host: small letters, digits, - and _
    name: String,
    /// Where the host reaches the store, as HOST or HOST:PORT [default: as section [database] says]
    #[arg(long, value_name = "HOST")]
    address: Option<String>,
    /// Certificates that may have signed the server's, PEM [default: as section [database] says, else those of the system]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Role of collectors, of which the new one is a member
    #[arg(long, value_name = "ROLE", default_value = "pqcrypta_collector")]
    role: String,
}

/// Shut a host out: its role is gone and its sessions end
///
/// What it stored stays; `pqcrypta host remove` takes it out of every view.
#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    source: Source,
    /// Name that `pqcrypta host add` was given
    name: String,
}

/// What the roles of hosts begin with.
const ROLES: &str = "pqcrypta_host_";

/// Returns the name that `host add` was given, from the role that it made.
pub(crate) fn name_of(role: &str) -> Option<&str> {
    role.strip_prefix(ROLES)
}

/// Returns the role of a host.
fn role_of(name: &str) -> Result<String> {
    /// Names of roles have at most 63 bytes.
    const LONGEST: usize = 48;
    let is_plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
    };
    if name.is_empty() || name.len() > LONGEST || !name.bytes().all(is_plain) {
        bail!("{name:?} is no name: use at most {LONGEST} small letters, digits, - and _");
    }
    Ok(format!("{ROLES}{name}"))
}

/// Returns an identifier as SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns a password of 244 random bits.
pub(crate) fn random_password() -> Secret {
    Secret::new(format!(
        "{}{}",
        Uuid::new_v4().simple(),
        Uuid::new_v4().simple()
    ))
}

/// Returns name and port under which a host reaches the store.
fn address(asked: Option<&str>, store: &Database) -> Result<(String, u16)> {
    let Some(asked) = asked else {
        if store.is_socket() || config::url::is_loopback(&store.host) {
            bail!(
                "{} leads to this machine only: say where other hosts reach the store, --address HOST",
                store.host
            );
        }
        return Ok((store.host.clone(), store.port));
    };
    let (host, port) = match asked.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            let port = port.parse::<u16>();
            (
                host,
                port.with_context(|| format!("{asked} has no port that is a number"))?,
            )
        }
        _ => (asked, store.port),
    };
    if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
        bail!("{asked:?} is no address");
    }
    Ok((host.to_owned(), port))
}

/// Makes the role of a host.
///
/// # Errors
/// Why there is none; nothing has changed then.
pub(super) async fn add(options: &Add) -> Result<ExitCode> {
    let loaded = match options.source.load() {
        Ok(loaded) => loaded,
        Err(faults) => return Ok(refuse(&faults)),
    };
    let store = &loaded.config.database;
    let role = role_of(&options.name)?;
    let (host, port) = address(options.address.as_deref(), store)?;
    let ca = options.ca.as_ref().or(store.ssl_root_cert.as_ref());
    let authority = ca.map(|path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    });
    let ticket = Ticket {
        host,
        port,
        database: store.name.clone(),
        user: role.clone(),
        password: random_password(),
        authority: authority.transpose()?,
    };
    let session = connect(&loaded, "pqcrypta host add").await?;
    let sql = format!(
        "CREATE ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD '{}' IN ROLE {}",
        quoted(&role),
        store::crowding::SESSIONS,
        pg::kept_password(&ticket.password),
        quoted(&options.role)
    );
    match session.client.batch_execute(&sql).await {
        Ok(()) => {}
        Err(error) if error.code() == Some(&SqlState::DUPLICATE_OBJECT) => bail!(
            "{} was let in before: `pqcrypta host revoke {}` first, or choose another name",
            options.name,
            options.name
        ),
        Err(error) => {
            return Err(roles::server_words(error)).context(
                "cannot make a role; run this as the superuser, e.g. runuser -u postgres -- env DB_USER=postgres pqcrypta host add",
            );
        }
    }
    print(&format!("{}\n", ticket.line()))?;
    crate::say(
        "on the new host, as root: `pqcrypta enroll`, then paste this line. It holds a password and is good for one enrolment",
    );
    Ok(ExitCode::SUCCESS)
}

/// Ends the role of a host and its sessions.
///
/// # Errors
/// Why they did not end.
pub(super) async fn revoke(options: &Revoke) -> Result<ExitCode> {
    let loaded = match options.source.load() {
        Ok(loaded) => loaded,
        Err(faults) => return Ok(refuse(&faults)),
    };
    let role = role_of(&options.name)?;
    let session = connect(&loaded, "pqcrypta host revoke").await?;
    let client = &session.client;
    let known = client
        .query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&role])
        .await
        .map_err(roles::server_words)?;
    if known.is_none() {
        let sql = "SELECT coalesce(string_agg(substr(rolname, $1), ', ' ORDER BY rolname), 'none') \
                   FROM pg_roles WHERE starts_with(rolname, $2) AND rolcanlogin";
        let first = i32::try_from(ROLES.len() + 1)?;
        let others = client.query_one(sql, &[&first, &ROLES]).await;
        let others: String = others.map_err(roles::server_words)?.try_get(0)?;
        bail!(
            "{} was not let in under this name, or is shut out already; let in are: {others}",
            options.name
        );
    }
    let shut = format!("ALTER ROLE {} NOLOGIN PASSWORD NULL", quoted(&role));
    client
        .batch_execute(&shut)
        .await
        .map_err(roles::server_words)
        .context("cannot shut it out; run this as the superuser")?;
    let ended = tokio::time::timeout(END_WITHIN, end_sessions(client, &role)).await;
    let ended =
        ended.context("its sessions do not end within 5 s; its role can log in no more")??;
    let drop = format!("DROP ROLE {}", quoted(&role));
    if let Err(error) = client.batch_execute(&drop).await {
        crate::say(&format!(
            "the role {role} stays, without login: {}",
            roles::server_words(error)
        ));
    }
    print(&format!(
        "shut out {}; sessions ended: {ended}\n",
        options.name
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Ends every session of a role and waits until there is none. Returns how many there were at first.
async fn end_sessions(client: &Client, role: &str) -> Result<usize> {
    let mut first = None;
    loop {
        let ended = client
            .query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1",
                &[&role],
            )
            .await
            .map_err(roles::server_words)
            .context("cannot end its sessions")?;
        let count = *first.get_or_insert(ended.len());
        if ended.is_empty() {
            return Ok(count);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_leads_nowhere_else_is_refused() {
        let mut store = Database {
            host: "/run/postgresql".to_owned(),
            ..Database::default()
        };
        assert!(address(None, &store).is_err());
        let given = |asked| address(Some(asked), &store).unwrap();
        assert_eq!(given("store.example"), ("store.example".to_owned(), 5432));
        assert_eq!(
            given("store.example:6432"),
            ("store.example".to_owned(), 6432)
        );
        assert_eq!(given("fd00::1"), ("fd00::1".to_owned(), 5432));
        assert!(address(Some("store.example:x"), &store).is_err());
        assert!(address(Some("a b"), &store).is_err());
        store.host = "store.example".to_owned();
        assert_eq!(address(None, &store).unwrap().0, "store.example");
    }

    #[test]
    fn names_become_roles() {
        assert_eq!(role_of("web-2").unwrap(), "pqcrypta_host_web-2");
        assert_eq!(name_of("pqcrypta_host_web-2"), Some("web-2"));
        assert_eq!(name_of("pqcrypta_collector"), None);
        for bad in ["", "Web", "a b", "a\"b", &"a".repeat(49)] {
            assert!(role_of(bad).is_err(), "{bad}");
        }
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
