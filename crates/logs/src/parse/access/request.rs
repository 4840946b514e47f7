//! Requests as a visitor made them, with their query: for who counts visits. Events of logs keep less of them.

use std::borrow::Cow;

use schema::Timestamp;
use serde::Deserialize;

use super::{parties, quoted, time_in};
use crate::parse::caddy;

/// A request of an access log: `common`, `combined`, with a virtual host in front, or Caddy's JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The host that was asked, without port; empty where the log does not state it.
    pub host: Cow<'a, str>,
    /// Address of the client.
    pub client: Cow<'a, str>,
    /// When it was answered; some servers state when it came.
    pub at: Timestamp,
    /// Method.
    pub method: Cow<'a, str>,
    /// Path with its query, as it was asked.
    pub target: Cow<'a, str>,
    /// Status of the answer.
    pub status: u16,
    /// Page of the link; empty where there is none.
    pub referer: Cow<'a, str>,
    /// User agent; empty where there is none.
    pub agent: Cow<'a, str>,
}

/// Reads a line of an access log; `None` when it is none, or not of a request.
#[must_use]
pub fn request(line: &str) -> Option<Request<'_>> {
    if line.starts_with('{') {
        of_caddy(line)
    } else {
        combined(line)
    }
}

fn combined(line: &str) -> Option<Request<'_>> {
    let (who, (civil, offset), rest) = time_in(line)?;
    let (request, rest) = quoted(rest)?;
    let (status, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
    let (_, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (referer, rest) = rest.strip_prefix('"').and_then(quoted).unwrap_or(("", ""));
    let agent = rest.trim_start().strip_prefix('"').and_then(quoted);
    let (host, client, _) = parties(who);
    let (method, rest) = request.split_once(' ')?;
    // HTTP/0.9 has no third word.
    let target = rest.rsplit_once(' ').map_or(rest, |(target, _)| target);
    Some(Request {
        host: without_port(Cow::Borrowed(host)),
        client: Cow::Borrowed(client),
        at: Timestamp((civil.seconds() - i64::from(offset)) * 1_000_000 + i64::from(civil.micros)),
        method: Cow::Borrowed(method),
        target: unescaped(target),
        status: status.parse().ok().filter(|_| status.len() == 3)?,
        referer: stated(unescaped(referer)),
        agent: stated(unescaped(agent.map_or("", |(agent, _)| agent))),
    })
}

/// A line of Caddy, as far as it tells of a visitor.
#[derive(Deserialize)]
struct Caddy<'a> {
    ts: serde_json::Number,
    status: u16,
    #[serde(borrow)]
    request: caddy::Request<'a>,
}

fn of_caddy(line: &str) -> Option<Request<'_>> {
    let Caddy {
        ts,
        status,
        request,
    } = serde_json::from_str(line).ok()?;
    let seconds = ts.as_f64()?;
    let first = |values: Vec<String>| Cow::Owned(values.into_iter().next().unwrap_or_default());
    Some(Request {
        host: without_port(request.host.unwrap_or_default()),
        client: request.client_ip.or(request.remote_ip)?,
        #[expect(clippy::cast_possible_truncation, reason = "such a cast saturates")]
        at: Timestamp((seconds * 1e6) as i64),
        method: request.method,
        target: request.uri,
        status,
        referer: first(request.headers.referer),
        agent: first(request.headers.agent),
    })
}

/// `-` stands for nothing.
fn stated(text: Cow<'_, str>) -> Cow<'_, str> {
    if text == "-" { Cow::Borrowed("") } else { text }
}

fn without_port(host: Cow<'_, str>) -> Cow<'_, str> {
    let end = host
        .rsplit_once(':')
        .filter(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        .map(|(name, _)| name.len());
    match (end, host) {
        (Some(end), Cow::Borrowed(host)) => Cow::Borrowed(&host[..end]),
        (Some(end), Cow::Owned(mut host)) => {
            host.truncate(end);
            Cow::Owned(host)
        }
        (None, host) => host,
    }
}

/// Undoes what servers do to quotes, backslashes and bytes that are not printable: `\"`, `\\`, `\x22`.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = text
            .get(at..at + 4)
            .and_then(|four| four.strip_prefix("\\x"))
            .filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, hex, bytes.get(at + 1)) {
            (b'\\', Some(code), _) => {
                plain.push(code);
                at += 4;
            }
            (b'\\', None, Some(quote @ (b'"' | b'\\'))) => {
                plain.push(*quote);
                at += 2;
            }
            _ => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_every_format_are_read() {
        let text = |line: &str| {
            request(line).map(|r| {
                format!(
                    "{}|{}|{}|{}|{}|{}|{}|{}",
                    r.host, r.client, r.at.0, r.method, r.target, r.status, r.referer, r.agent
                )
            })
        };
        for (line, wanted) in [
            (
                r#"192.0.2.1 - - [23/Nov/2026:00:10:49 +0100] "GET /a?utm_source=x HTTP/1.1" 200 123"#,
                Some("|192.0.2.1|1795389049000000|GET|/a?utm_source=x|200||"),
            ),
            (
                r#"2001:db8::1 - joe [23/Nov/2026:00:10:49 +0000] "GET /b HTTP/2.0" 304 - "http://example.com/?q" "a \x22b\" c" 12"#,
                Some("|2001:db8::1|1795392649000000|GET|/b|304|http://example.com/?q|a \"b\" c"),
            ),
            (
                r#"example.com:443 192.0.2.1 - - [23/Nov/2026:00:10:49 +0000] "GET /c HTTP/1.1" 404 1 "-" "-" 5123"#,
                Some("example.com|192.0.2.1|1795392649000000|GET|/c|404||"),
            ),
            (
                r#"{"ts":1795395190.25,"msg":"handled request","request":{"remote_ip":"192.0.2.10","client_ip":"192.0.2.9","method":"GET","host":"[2001:db8::2]:8097","uri":"/d?x","headers":{"User-Agent":["x"]}},"status":200}"#,
                Some("[2001:db8::2]|192.0.2.9|1795395190250000|GET|/d?x|200||x"),
            ),
            (
                r#"192.0.2.1 - - [23/Nov/2026:00:10:49 +0000] "\x16\x03\x01" 400 226 "-" "-""#,
                None,
            ),
            (r#"{"ts":1,"msg":"something else"}"#, None),
            ("not a request", None),
            ("", None),
        ] {
            assert_eq!(text(line).as_deref(), wanted, "{line}");
        }
    }

    #[test]
    fn fixtures_of_access_logs_are_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/logs");
        for (name, requests) in [
            ("access/apache-combined", 4),
            ("access/nginx-combined", 4),
            ("access/apache-vhost", 4),
            ("caddy/access", 3),
        ] {
            let text = std::fs::read_to_string(format!("{folder}/{name}.log")).unwrap();
            let read = text.lines().filter_map(request).count();
            assert!(read >= requests, "{name}: {read}");
        }
    }
}
