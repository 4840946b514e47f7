//! Addresses of the endpoints that are scraped, and which of them are refused.
//!
//! Refused are schemes other than `http` and `https`, names and passwords inside the address (they
//! would end up in logs), and hosts that no metrics endpoint has but that an attacker would like us
//! to ask: link-local addresses with the metadata service of a cloud, multicast, broadcast and the
//! unspecified address. A name resolves later, so whoever connects asks [`refused`] again.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::field::{Field, wrong_kind};
use crate::key::{Kind, Problem, Value};

/// An `http` or `https` address without user and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    /// Whether the scheme is `https`.
    pub tls: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// Port; 80 or 443 when the text names none.
    pub port: u16,
    /// Path and query, beginning with a slash.
    pub path: String,
}

impl HttpUrl {
    /// Parses `text`.
    ///
    /// # Errors
    /// What is wrong with it; a password inside is not repeated.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let remedy = "write http://HOST:PORT/PATH or https://HOST:PORT/PATH";
        if text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '\\')
        {
            return Err(Problem::new(
                "holds a blank, a backslash or a control character",
                remedy,
            ));
        }
        let (scheme, rest) = text
            .split_once("://")
            .or_else(|| text.split_once(':'))
            .ok_or_else(|| Problem::new("has no scheme", remedy))?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => {
                return Err(Problem::new(
                    "has a scheme other than http and https",
                    remedy,
                ));
            }
        };
        if !text[scheme.len()..].starts_with("://") {
            return Err(Problem::new("has no host", remedy));
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if authority.contains('@') {
            return Err(Problem::new(
                "holds a user or password",
                "remove what stands before the @; a token belongs in scrape.proxy_admin_token",
            ));
        }
        let (host, port) = split_port(authority, if tls { 443 } else { 80 })
            .ok_or_else(|| Problem::new("has no valid host and port", remedy))?;
        check_host(&host)?;
        let tail = tail.split_once('#').map_or(tail, |(before, _)| before);
        let path = if tail.starts_with('/') {
            tail.to_owned()
        } else {
            format!("/{tail}")
        };
        Ok(Self {
            tls,
            host,
            port,
            path,
        })
    }

    /// Returns whether the host is this machine by name or address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}{}", self.host, self.port, self.path)
        } else {
            write!(f, "{scheme}://{}:{}{}", self.host, self.port, self.path)
        }
    }
}

/// Returns whether `host` names this machine: `localhost`, 127.0.0.0/8, `::1`, or one of these mapped into
/// IPv6.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Returns why nothing may be scraped from `address`, or `None` when it may.
#[must_use]
pub fn refused(address: IpAddr) -> Option<&'static str> {
    const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    const METADATA_V4: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
    match address.to_canonical() {
        address if address.is_unspecified() => Some("is the unspecified address"),
        address if address.is_multicast() => Some("is a multicast address"),
        IpAddr::V4(v4) if v4.is_link_local() => {
            Some("is a link-local address, where clouds keep their metadata service")
        }
        IpAddr::V4(v4) if v4.is_broadcast() => Some("is the broadcast address"),
        IpAddr::V4(METADATA_V4) | IpAddr::V6(METADATA_V6) => {
            Some("is the metadata service of a cloud")
        }
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some("is a link-local address"),
        _ => None,
    }
}

fn split_port(authority: &str, default: u16) -> Option<(String, u16)> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (host, rest) = inner.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, rest)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
        Some(_) => return None,
        None if rest.is_empty() => default,
        None => return None,
    };
    (!host.is_empty() && port != 0).then(|| (host.to_owned(), port))
}

fn check_host(host: &str) -> Result<(), Problem> {
    let remedy = "name the host that serves the metrics";
    if let Ok(address) = host.parse::<IpAddr>() {
        return match refused(address) {
            Some(why) => Err(Problem::new(format!("asks {host}, which {why}"), remedy)),
            None => Ok(()),
        };
    }
    if !is_host_name(host) {
        return Err(Problem::new(
            format!("has the host {host:?}, which is not a name"),
            remedy,
        ));
    }
    // 2130706433, 0x7f.1 and 127.1 are read as addresses by some resolvers.
    let last = host
        .trim_end_matches('.')
        .rsplit('.')
        .next()
        .unwrap_or(host);
    if last.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Problem::new(
            format!("has the host {host:?}, an address in an unusual form"),
            "write an IPv4 address as four numbers, e.g. 127.0.0.1",
        ));
    }
    if matches!(
        host.to_ascii_lowercase().as_str(),
        "metadata.google.internal"
    ) {
        return Err(Problem::new(
            format!("asks {host}, which is the metadata service of a cloud"),
            remedy,
        ));
    }
    Ok(())
}

/// Returns whether `text` can be a host name.
pub(crate) fn is_host_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// An empty text stands for nothing.
impl Field for Option<HttpUrl> {
    const KIND: Kind = Kind::Text;

    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Text(text) if text.is_empty() => Ok(None),
            Value::Text(text) => HttpUrl::parse(&text).map(Some),
            _ => Err(wrong_kind()),
        }
    }

    fn to_value(&self) -> Value {
        Value::Text(self.as_ref().map(ToString::to_string).unwrap_or_default())
    }
}
