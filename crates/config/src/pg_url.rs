//! Addresses of PostgreSQL servers, which may hold a password and are shown without it.
//!
//! Only one form is taken, the URL, with the few parameters that locate the server; what they
//! mean is as for libpq. An address with more than one host, or with an option that would change
//! what our own time-outs and search path are, is refused.

use std::fmt;

use crate::field::{Field, wrong_kind};
use crate::key::{Kind, Problem, Value};
use crate::secret::Secret;
use crate::url::{is_host_name, is_loopback};

const REMEDY: &str = "write postgresql://USER@HOST:PORT/DATABASE, or over a Unix socket \
                      postgresql:///DATABASE?host=/DIRECTORY&user=USER";

/// Parameters behind the `?` that are taken.
const PARAMETERS: [&str; 5] = ["host", "port", "user", "password", "sslmode"];

/// The address of a server. `Debug` and `Display` show it without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct PgUrl {
    whole: Secret,
    shown: String,
    host: String,
    plain: bool,
}

impl PgUrl {
    /// Parses `text`.
    ///
    /// # Errors
    /// What is wrong with it; no part of the text that may be a password is repeated.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let refuse = |what: &str| Problem::new(what, REMEDY);
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(refuse("holds a blank or a control character"));
        }
        let rest = text
            .strip_prefix("postgresql://")
            .or_else(|| text.strip_prefix("postgres://"))
            .ok_or_else(|| refuse("does not begin with postgresql://"))?;
        let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = address.split_once('/').unwrap_or((address, ""));
        let (user_info, place) = authority.split_once('@').unwrap_or(("", authority));
        let (user, password) = match user_info.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (user_info, None),
        };
        let host = host_of(place).ok_or_else(|| refuse("has no valid host and port"))?;
        let given = Parameters::read(parameters)?;
        let host = match given.host {
            Some(_) if !host.is_empty() => return Err(refuse("names two hosts")),
            Some(named) => named,
            None => host.to_owned(),
        };
        let user = given.user.unwrap_or(user);
        if !(host.starts_with('/') || is_host(&host)) {
            return Err(refuse("names no host, or one that is not a name"));
        }
        if user.is_empty() {
            return Err(refuse("names no user"));
        }
        let has_password = password.is_some_and(|password| !password.is_empty());
        let shown = if has_password || given.has_password {
            let who = match (user_info.is_empty(), password) {
                (true, _) => String::new(),
                (false, None) => format!("{user_info}@"),
                (false, Some(_)) => format!("{user}:***@"),
            };
            let tail = match given.shown.is_empty() {
                true => String::new(),
                false => format!("?{}", given.shown.join("&")),
            };
            format!("postgresql://{who}{place}/{database}{tail}")
        } else {
            text.to_owned()
        };
        Ok(Self {
            whole: Secret::new(text),
            shown,
            host,
            plain: given.plain,
        })
    }

    /// Returns the address with its password; hand it to `pg::Target::parse` and to nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.whole.expose()
    }

    /// Returns whether a password is part of it.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.whole.expose() != self.shown
    }

    /// Returns the name or address of the server, or the directory of its socket.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns whether it asks for a link without encryption to another machine.
    #[must_use]
    pub fn is_plain_to_another_machine(&self) -> bool {
        self.plain && !self.host.starts_with('/') && !is_loopback(&self.host)
    }
}

impl fmt::Display for PgUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PgUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// An empty text stands for nothing.
impl Field for Option<PgUrl> {
    const KIND: Kind = Kind::Secret;

    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Secret(text) | Value::Masked(text, _) if text.is_empty() => Ok(None),
            Value::Secret(text) | Value::Masked(text, _) => PgUrl::parse(text.expose()).map(Some),
            _ => Err(wrong_kind()),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Some(url) => Value::Masked(url.whole.clone(), url.shown.clone()),
            None => Value::Secret(Secret::default()),
        }
    }
}

/// Returns the host of `HOST:PORT`, both of which may be left out.
fn host_of(place: &str) -> Option<&str> {
    let (host, rest) = match place.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    match rest.strip_prefix(':') {
        Some(port) => is_port(port).then_some(host),
        None => rest.is_empty().then_some(host),
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_host(text: &str) -> bool {
    is_host_name(text) || text.parse::<std::net::IpAddr>().is_ok()
}

/// What stands behind the question mark.
#[derive(Default)]
struct Parameters<'a> {
    host: Option<String>,
    user: Option<&'a str>,
    plain: bool,
    has_password: bool,
    /// The same, the password masked.
    shown: Vec<String>,
}

impl<'a> Parameters<'a> {
    fn read(text: &'a str) -> Result<Self, Problem> {
        let refuse = |what: &str| Problem::new(what, REMEDY);
        let mut given = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !PARAMETERS.contains(&name) {
                return Err(refuse(
                    "holds a parameter other than host, port, user, password and sslmode",
                ));
            }
            match name {
                "host" if given.host.is_some() => return Err(refuse("names two hosts")),
                "host" => {
                    let host = decoded(value).ok_or_else(|| refuse("has no valid host"))?;
                    given.host = Some(host);
                }
                "user" => given.user = Some(value),
                "port" if !is_port(value) => return Err(refuse("has no valid port")),
                "sslmode" => match value {
                    "disable" => given.plain = true,
                    "prefer" | "require" | "verify-full" => {}
                    _ => {
                        return Err(Problem::new(
                            "has an unknown sslmode",
                            "leave it out, or write sslmode=verify-full",
                        ));
                    }
                },
                _ => {}
            }
            given.shown.push(match name {
                "password" => "password=***".to_owned(),
                _ => pair.to_owned(),
            });
            given.has_password |= name == "password";
        }
        Ok(given)
    }
}

/// Decodes percent-encoded text; `None` where it is malformed.
fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            // A sign is not a digit, which `from_str_radix` would take.
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (text, shown, host) in [
            (
                "postgresql://me:canary@db.example.org:6000/m",
                "postgresql://me:***@db.example.org:6000/m",
                "db.example.org",
            ),
            (
                "postgres://me@localhost/m",
                "postgres://me@localhost/m",
                "localhost",
            ),
            (
                "postgresql://me@[::1]:5433/",
                "postgresql://me@[::1]:5433/",
                "::1",
            ),
            (
                "postgresql:///m?host=%2Frun%2Fpg&port=5433&user=me",
                "postgresql:///m?host=%2Frun%2Fpg&port=5433&user=me",
                "/run/pg",
            ),
            (
                "postgresql:///m?host=/run/pg&user=me&password=canary",
                "postgresql:///m?host=/run/pg&user=me&password=***",
                "/run/pg",
            ),
            (
                "postgresql://me@h/m?password=canary&sslmode=require",
                "postgresql://me@h/m?password=***&sslmode=require",
                "h",
            ),
        ] {
            let url = PgUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(url.host(), host, "{text}");
            assert_eq!(url.expose(), text);
            assert_eq!(url.has_password(), text.contains("canary"), "{text}");
            assert!(!format!("{url:?}").contains("canary"));
        }
    }

    #[test]
    fn an_invalid_address_is_refused_without_repeating_it() {
        for (text, words) in [
            ("me:canary@h/m", "does not begin"),
            ("postgresql://me:canary@a,b/m", "not a name"),
            ("postgresql://me:canary@h:port/m", "host and port"),
            ("postgresql://me:canary@h:0/m", "host and port"),
            ("postgresql://me:can@ary@h/m", "not a name"),
            ("postgresql://:canary@h/m", "no user"),
            ("postgresql://me:canary@/m", "no host"),
            ("postgresql://me:canary@h/m?options=-c%20a", "a parameter"),
            ("postgresql://me:canary@h/m?host=/run", "two hosts"),
            ("postgresql://me:canary@h/m?sslmode=allow", "sslmode"),
            ("postgresql://me:can ary@h/m", "blank"),
        ] {
            let problem = PgUrl::parse(text).unwrap_err();
            assert!(problem.text.contains(words), "{text}: {problem:?}");
            assert!(!format!("{problem:?}").contains("canary"), "{text}");
        }
    }

    #[test]
    fn plain_text_to_another_machine_is_noticed() {
        for (text, plain) in [
            ("postgresql://me@h/m?sslmode=disable", true),
            ("postgresql://me@h/m", false),
            ("postgresql://me@127.0.0.1/m?sslmode=disable", false),
            ("postgresql:///m?host=/run&user=me&sslmode=disable", false),
        ] {
            let url = PgUrl::parse(text).unwrap();
            assert_eq!(url.is_plain_to_another_machine(), plain, "{text}");
        }
    }
}
