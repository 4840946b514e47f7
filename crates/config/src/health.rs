//! `[health]` and `[[health.check]]`: services that are asked as their users ask them.

use std::path::PathBuf;

use crate::field::choice;
use crate::key::{Problem, Value};
use crate::pg_url::PgUrl;
use crate::postgres::name;
use crate::secret::Secret;
use crate::section::section;
use crate::url::{HttpUrl, is_host_name};

section! {
    /// Health checks: who makes them, and where `pqcrypta-health-check` writes.
    pub struct Health = "health" {
        /// `collector`: the collector makes the checks at its slow tick, stores and judges the results, and
        /// `pqcrypta-health-check` only logs. `timer`: only `pqcrypta-health-check` makes them, and stores the results itself.
        run_by: HealthRunner = HealthRunner::Collector => live();
        /// Log to which `pqcrypta-health-check` appends; the source `health_check` reads it. Nothing is written when empty.
        log_path: Option<PathBuf> = Some(PathBuf::from("/var/log/pqcrypta_health_check.log")) => with(crate::machine::absolute);
        /// Folder of its lock and of results that wait for the database.
        state_dir: PathBuf = PathBuf::from("/var/lib/pqcrypta-health-check") => with(crate::machine::absolute);
    } with {
        /// The checks: `[[health.check]]`.
        check: Vec<HealthCheck>;
    }
}

section! {
    /// A service that is asked as its users ask it, written once for each.
    pub struct HealthCheck = ["health.check"] {
        /// Name of the check in every view; small letters, digits, `-` and `_`.
        name: String = String::new() => with(name) live();
        /// What is asked: `http` (an address), `tcp` (whether a port accepts, and its banner), `tls` (the certificate),
        /// `dns` (a name), `postgres` (`SELECT 1` as a role), `ingest` (an event that web analytics accept).
        kind: CheckKind = CheckKind::Http => live();
        /// `http` and `ingest`: `https://HOST/PATH`. `tcp` and `tls`: `HOST:PORT`. `dns`: the name.
        /// `postgres`: `postgresql://USER@HOST:PORT/DATABASE`.
        target: String = String::new() => with(target) live();
        /// Time of one attempt, seconds.
        timeout_secs: u64 = 10 => range(1, 60) live();
        /// Attempts before it is down, 2 s apart.
        attempts: u64 = 2 => range(1, 5) live();
        /// An answer that takes longer is slow, milliseconds.
        warn_ms: u64 = 2_000 => range(1, 60_000) live();
        /// `http`: the status that the answer must have.
        status: u16 = 200 => range(100, 599) live();
        /// `http` and `tcp`: a text that the body or banner must contain; none when empty.
        contains: String = String::new() => live();
        /// `http`: a text that the body must not contain; none when empty.
        lacks: String = String::new() => live();
        /// File with the certificates that may have signed the server's; the bundle of the system when empty.
        root_cert: Option<PathBuf> = None => with(crate::machine::absolute) live();
        /// `dns`: `A`, `AAAA`, `CNAME`, `MX`, `NS` or `TXT`.
        record: RecordType = RecordType::A => live();
        /// `dns`: answers of which each must be there; any answer does when empty.
        answers: Vec<String> = Vec::new() => live();
        /// `dns`: address of the resolver, as `192.0.2.53` or `192.0.2.53:53`; the first of /etc/resolv.conf when empty.
        resolver: String = String::new() => with(resolver) live();
        /// `ingest`: the site whose event is sent.
        site: String = String::new() => live();
        /// `postgres`: password of the role; better kept in `password_file`.
        password: Secret = Secret::default() => live();
        /// `postgres`: file that holds the password and nothing else.
        password_file: Option<PathBuf> = None => with(crate::machine::absolute) live();
    }
}

choice! {
    /// Who makes the health checks.
    pub enum HealthRunner {
        /// The collector, at its slow tick.
        Collector = "collector",
        /// `pqcrypta-health-check`, started by a timer.
        Timer = "timer",
    }
}

choice! {
    /// What a health check asks.
    pub enum CheckKind {
        /// An address, over HTTP.
        Http = "http",
        /// A port.
        Tcp = "tcp",
        /// A certificate.
        Tls = "tls",
        /// A name.
        Dns = "dns",
        /// A PostgreSQL server.
        Postgres = "postgres",
        /// The ingest of web analytics.
        Ingest = "ingest",
    }
}

choice! {
    /// Type of a DNS record.
    pub enum RecordType {
        /// An IPv4 address.
        A = "A",
        /// An IPv6 address.
        Aaaa = "AAAA",
        /// Another name.
        Cname = "CNAME",
        /// A mail server.
        Mx = "MX",
        /// A name server.
        Ns = "NS",
        /// A text.
        Txt = "TXT",
    }
}

/// A target that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckTarget {
    /// Of `http` and `ingest`.
    Url(HttpUrl),
    /// Of `tcp` and `tls`: host and port.
    Port(String, u16),
    /// Of `dns`.
    Name(String),
    /// Of `postgres`.
    Server(PgUrl),
}

impl HealthCheck {
    /// Reads the target as that of its kind.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read_target(&self) -> Result<CheckTarget, Problem> {
        let text = self.target.as_str();
        match self.kind {
            CheckKind::Http | CheckKind::Ingest => HttpUrl::parse(text).map(CheckTarget::Url),
            CheckKind::Tcp | CheckKind::Tls => {
                let scheme = HttpUrl::parse(&format!("https://{text}"));
                match scheme {
                    Ok(url)
                        if url.path == "/"
                            && text
                                .rsplit_once(':')
                                .is_some_and(|(_, port)| port.parse::<u16>().is_ok()) =>
                    {
                        Ok(CheckTarget::Port(url.host, url.port))
                    }
                    _ => Err(Problem::new(
                        "is not a host and port",
                        "write HOST:PORT, e.g. example.org:443",
                    )),
                }
            }
            CheckKind::Dns if is_host_name(text) => Ok(CheckTarget::Name(text.to_owned())),
            CheckKind::Dns => Err(Problem::new(
                "is not a name",
                "write the name that is looked up, e.g. example.org",
            )),
            CheckKind::Postgres => PgUrl::parse(text).map(CheckTarget::Server),
        }
    }
}

/// Refuses what would end up in logs and rows: a user or password of an address.
fn target(value: &Value) -> Result<(), Problem> {
    match value {
        Value::Text(text) if text.chars().any(char::is_control) => Err(Problem::new(
            "holds a control character",
            "write it as one line",
        )),
        Value::Text(text) if has_password(text) => {
            Err(Problem::new("holds a password", "keep it in password_file"))
        }
        _ => Ok(()),
    }
}

fn has_password(text: &str) -> bool {
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or(authority);
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.is_some_and(|user| user.contains(':')) || text.contains("password=")
}

fn resolver(value: &Value) -> Result<(), Problem> {
    match value {
        Value::Text(text) if !text.is_empty() && resolver_address(text).is_none() => {
            Err(Problem::new(
                "is not an address",
                "write e.g. 192.0.2.53 or [2001:db8::53]:53",
            ))
        }
        _ => Ok(()),
    }
}

/// Returns the address and port of a resolver.
#[must_use]
pub fn resolver_address(text: &str) -> Option<std::net::SocketAddr> {
    let alone = text
        .parse()
        .ok()
        .map(|ip| std::net::SocketAddr::new(ip, 53));
    alone.or_else(|| text.parse().ok())
}
