//! `[monitor]`: where the dashboard listens.

use std::net::{Ipv4Addr, SocketAddr};

use crate::key::{Problem, Value};
use crate::section::section;
use crate::url::is_host_name;

section! {
    /// Where the dashboard listens.
    pub struct Monitor = "monitor" {
        /// Address and port; port 0 takes a free one. Only this machine's own addresses are allowed
        /// as long as the dashboard asks nobody for a password.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8088)) => env("MONITOR_LISTEN");
        /// Path below which everything lies; begins and ends with a slash.
        base_path: String = "/monitor/".to_owned() => env("MONITOR_BASE_PATH") with(base_path);
        /// Further names under which a browser may ask for the dashboard, besides `localhost` and
        /// the address itself; for a proxy in front of it.
        allowed_hosts: Vec<String> = Vec::new() => env("MONITOR_ALLOWED_HOSTS") with(hosts);
    }
}

impl Monitor {
    /// Checks that an address of the dashboard is one of this machine alone.
    ///
    /// # Errors
    /// The problem where other machines can reach it.
    pub fn check_listen(address: SocketAddr) -> Result<(), Problem> {
        if address.ip().to_canonical().is_loopback() {
            return Ok(());
        }
        Err(Problem::new(
            format!(
                "is {address}, which other machines can reach, and the dashboard asks nobody for a password yet"
            ),
            "listen on 127.0.0.1 or [::1] and put a proxy that authenticates in front",
        ))
    }
}

pub(crate) fn base_path(value: &Value) -> Result<(), Problem> {
    let Value::Text(path) = value else {
        return Ok(());
    };
    let plain = |part: &str| {
        !matches!(part, "." | "..")
            && !part.is_empty()
            && part.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
            })
    };
    let inner = path
        .strip_prefix('/')
        .map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let closed = path.starts_with('/') && path.ends_with('/');
    if closed && inner.is_some_and(|inner| inner.is_empty() || inner.split('/').all(plain)) {
        return Ok(());
    }
    Err(Problem::new(
        format!("{} is not a base path", crate::key::quoted(path)),
        "begin and end it with a slash and use letters, digits, - _ . ~ only, e.g. /monitor/",
    ))
}

fn hosts(value: &Value) -> Result<(), Problem> {
    let Value::List(names) = value else {
        return Ok(());
    };
    match names.iter().find(|name| !is_host(name)) {
        Some(name) => Err(Problem::new(
            format!(
                "lists {}, which is not a host name",
                crate::key::quoted(name)
            ),
            "write the name alone, without scheme and path, e.g. status.example.org",
        )),
        None => Ok(()),
    }
}

fn is_host(name: &str) -> bool {
    let (host, port) = name.rsplit_once(':').unwrap_or((name, "80"));
    is_host_name(host) && port.parse::<u16>().is_ok()
}
