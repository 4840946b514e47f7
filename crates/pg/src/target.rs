//! Where a server is.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use config::{Database, Secret};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::PgError;

/// Socket directory or name of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// Directory of the Unix socket.
    Socket(PathBuf),
    /// Name or address.
    Tcp(String),
}

impl Host {
    /// Parses a host: a text that begins with a slash is a directory, anything else a name.
    #[must_use]
    pub fn new(text: &str) -> Self {
        if text.starts_with('/') {
            Self::Socket(PathBuf::from(text))
        } else {
            Self::Tcp(text.to_owned())
        }
    }

    /// Returns whether the connection stays on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Tcp(host) => config::url::is_loopback(host),
        }
    }
}

/// Where a server is and who logs in. `Display` and `Debug` show no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Socket directory or name.
    pub host: Host,
    /// Port; also part of the name of the socket.
    pub port: u16,
    /// Database.
    pub database: String,
    /// Role.
    pub user: String,
    /// Password; empty when there is none.
    pub password: Secret,
    /// Whether the link must be encrypted and verified. Ignored for a socket.
    pub tls: bool,
    /// File with the trusted certificates; the system's bundle when there is none.
    pub root_cert: Option<PathBuf>,
}

impl From<&Database> for Target {
    fn from(database: &Database) -> Self {
        Self {
            host: Host::new(&database.host),
            port: database.port,
            database: database.name.clone(),
            user: database.user.clone(),
            password: database.password.clone(),
            tls: database.needs_tls(),
            root_cert: database.ssl_root_cert.clone(),
        }
    }
}

impl Target {
    /// Returns a target without password; TLS is demanded exactly when `host` is another machine.
    #[must_use]
    pub fn new(host: &str, port: u16, database: &str, user: &str) -> Self {
        let host = Host::new(host);
        Self {
            tls: !host.is_local(),
            host,
            port,
            database: database.to_owned(),
            user: user.to_owned(),
            password: Secret::default(),
            root_cert: None,
        }
    }

    /// Reads a `postgresql://` URL or a list of `key=value`, as libpq understands them. `sslmode`
    /// may be `disable`, `prefer` (as `auto` in the settings), `require` or `verify-full` (the
    /// same here: TLS is always verified).
    ///
    /// # Errors
    /// [`PgError::Address`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, PgError> {
        let address = |problem: &str| PgError::Address {
            problem: problem.to_owned(),
        };
        let text = text.replace("sslmode=verify-full", "sslmode=require");
        let parsed = tokio_postgres::Config::from_str(&text)
            .map_err(|_| address("write postgresql://USER@HOST:PORT/DATABASE"))?;
        let host = match parsed.get_hosts() {
            [tokio_postgres::config::Host::Tcp(name)] => Host::new(name),
            [tokio_postgres::config::Host::Unix(path)] => Host::Socket(path.clone()),
            [] => return Err(address("it names no host")),
            _ => return Err(address("it names several hosts")),
        };
        let password = match parsed.get_password() {
            Some(bytes) => Secret::new(
                std::str::from_utf8(bytes).map_err(|_| address("its password is not UTF-8"))?,
            ),
            None => Secret::default(),
        };
        let user = parsed
            .get_user()
            .filter(|user| !user.is_empty())
            .ok_or_else(|| address("it names no user"))?;
        let tls = match parsed.get_ssl_mode() {
            tokio_postgres::config::SslMode::Disable => false,
            tokio_postgres::config::SslMode::Require => true,
            _ => !host.is_local(),
        };
        Ok(Self {
            host,
            port: parsed.get_ports().first().copied().unwrap_or(5432),
            database: parsed.get_dbname().unwrap_or(user).to_owned(),
            user: user.to_owned(),
            password,
            tls,
            root_cert: None,
        })
    }

    /// Returns the server of an entry of `[[postgres]]`: at its own address, or else that of the store.
    /// Certificates are trusted as for the store.
    ///
    /// # Errors
    /// [`PgError::Address`], which does not repeat the address.
    pub fn watched(server: &config::Postgres, store: &Database) -> Result<Self, PgError> {
        let mut target = match &server.url {
            Some(url) => Self::parse(url.expose())?,
            None => Self::from(store),
        };
        if !server.password.is_empty() {
            target.password = server.password.clone();
        }
        target.root_cert.clone_from(&store.ssl_root_cert);
        Ok(target)
    }

    /// Returns the same server, another database.
    #[must_use]
    pub fn with_database(mut self, database: &str) -> Self {
        database.clone_into(&mut self.database);
        self
    }

    /// Returns the same server, another role.
    #[must_use]
    pub fn with_user(mut self, user: &str, password: Secret) -> Self {
        user.clone_into(&mut self.user);
        self.password = password;
        self
    }

    /// Returns whether a session with this target is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.tls && !matches!(self.host, Host::Socket(_))
    }

    /// Returns the driver's form of it, without anything about the session; several when the server may be
    /// at more than one address. They are tried here and not by the driver, which would hide a
    /// refused login at the first after a closed port at the second.
    pub(crate) fn driver_configs(&self) -> Vec<tokio_postgres::Config> {
        let mut config = tokio_postgres::Config::new();
        config
            .port(self.port)
            .dbname(self.database.as_str())
            .user(self.user.as_str())
            .ssl_mode(if self.is_encrypted() {
                tokio_postgres::config::SslMode::Require
            } else {
                tokio_postgres::config::SslMode::Disable
            });
        if !self.password.is_empty() {
            config.password(self.password.expose());
        }
        let name = match &self.host {
            Host::Socket(path) => {
                config.host_path(path);
                return vec![config];
            }
            Host::Tcp(name) => name,
        };
        config.host(name.as_str());
        if !name.eq_ignore_ascii_case("localhost") {
            return vec![config];
        }
        // Never left to a resolver: a name that is trusted without TLS must mean this machine.
        [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ]
        .map(|address| {
            let mut config = config.clone();
            config.hostaddr(address);
            config
        })
        .to_vec()
    }
}

/// A URL that `psql` takes, without the password.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, database) = (encoded(&self.user), encoded(&self.database));
        match &self.host {
            Host::Socket(path) => write!(
                f,
                "postgresql:///{database}?host={}&port={}&user={user}",
                encoded(&path.display().to_string()),
                self.port,
            ),
            Host::Tcp(host) if host.contains(':') => {
                write!(f, "postgresql://{user}@[{host}]:{}/{database}", self.port)
            }
            Host::Tcp(host) => {
                write!(f, "postgresql://{user}@{host}:{}/{database}", self.port)
            }
        }
    }
}

/// Characters that have a meaning in a URL; slashes stay readable.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

/// Percent-encodes the characters that have a meaning in a URL.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_and_shown_without_its_password() {
        let cases = [
            (
                "postgresql://me:s3cret@db.example.org:6000/metrics",
                "postgresql://me@db.example.org:6000/metrics",
                true,
            ),
            (
                "postgresql://me@localhost/m",
                "postgresql://me@localhost:5432/m",
                false,
            ),
            (
                "postgresql:///m?host=/run/pg&port=5433&user=me",
                "postgresql:///m?host=/run/pg&port=5433&user=me",
                false,
            ),
            (
                "host=/run/pg user=me dbname=m",
                "postgresql:///m?host=/run/pg&port=5432&user=me",
                false,
            ),
            (
                "postgresql://me@127.0.0.1/m?sslmode=verify-full",
                "postgresql://me@127.0.0.1:5432/m",
                true,
            ),
        ];
        for (text, shown, encrypted) in cases {
            let target = Target::parse(text).unwrap();
            assert_eq!(target.to_string(), shown, "{text}");
            assert_eq!(target.is_encrypted(), encrypted, "{text}");
            assert!(!format!("{target:?}").contains("s3cret"), "{text}");
            assert_eq!(Target::parse(shown).unwrap().host, target.host, "{text}");
        }
    }

    #[test]
    fn a_watched_server_is_at_its_own_address_or_is_the_store() {
        let store = Database {
            name: "samples".to_owned(),
            ..Database::default()
        };
        let mut server = config::Postgres::store();
        let target = Target::watched(&server, &store).unwrap();
        assert_eq!(target, Target::from(&store));
        server.password = Secret::from("s3cret");
        // Every address that the settings let through is understood here.
        for url in [
            "postgresql:///m?host=/run/pg&port=5433&user=me",
            "postgresql:///m?host=%2Frun%2Fpg&user=me",
            "postgres://me@[::1]:5433/m",
            "postgresql://me@db.example.org/m?sslmode=verify-full",
        ] {
            server.url = Some(config::PgUrl::parse(url).unwrap());
            let target = Target::watched(&server, &store).unwrap();
            assert_eq!(
                (target.database.as_str(), target.user.as_str()),
                ("m", "me")
            );
            let (host, given) = (target.host, server.url.clone().unwrap());
            assert_eq!(host, Host::new(given.host()), "{url}");
            assert_eq!(target.password.expose(), "s3cret");
        }
    }

    #[test]
    fn an_address_that_is_not_understood_is_not_repeated() {
        for text in [
            "postgresql://me:s3cret@a:1,b:2/m",
            "postgresql://me:s3cret@host:port/m",
            "me:s3cret",
            "postgresql://:s3cret@host/m",
            "",
        ] {
            let error = Target::parse(text).unwrap_err();
            assert!(
                !format!("{error} {error:?}").contains("s3cret"),
                "{text}: {error:?}"
            );
        }
    }
}
