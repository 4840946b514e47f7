//! Which of Caddy's handlers count.
//!
//! Caddy counts a request in every handler of a top-level route that it passes through, by server and name
//! of the handler. A site with a host name is one handler, `subroute`, with everything else inside it and
//! not counted; without a host name the handlers stand in the open: `headers`, then `reverse_proxy`. So
//! neither one name nor the sum is what was served. Per server:
//!
//! * Handlers that answer ([`ANSWERS`]) take turns: added up, they are the requests that were answered
//!   there. A request may end before, as when `authentication` refuses it.
//! * All others pass requests on. The busiest of them saw some or all requests, each once.
//! * The greater of both counts, and its handler is marked `counts="yes"`. What the handler `metrics`
//!   served are scrapes: it is never marked, but `counts="scrapes"` where the busiest saw them, too.
//!
//! Older releases do not report the status of requests that a handler gave up with an error. Only where every request
//! that counts has a status, `sorted="yes"` marks them too: else the numbers of 4xx and 5xx are unknown, and
//! not too small.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::exposition::{Exposition, Series};

/// Handlers that answer a request instead of passing it on.
const ANSWERS: [&str; 9] = [
    "acme_server",
    "error",
    "file_server",
    "mercure",
    "php",
    "reverse_proxy",
    "static_response",
    "subroute",
    "webdav",
];
/// The handler that serves the metrics.
const METRICS: &str = "metrics";
/// Requests by handler, and the same by status.
const REQUESTS: [&str; 2] = [
    "caddy_http_requests_total",
    "caddy_http_request_duration_seconds_count",
];

/// Counts of a server's handlers.
#[derive(Debug, Default)]
struct Server {
    /// Requests by handler.
    handlers: BTreeMap<String, f64>,
    /// Of them those with a status.
    finished: BTreeMap<String, f64>,
    in_flight: BTreeMap<String, f64>,
}

impl Server {
    fn answered(&self) -> f64 {
        let answers = self
            .handlers
            .iter()
            .filter(|(name, _)| ANSWERS.contains(&name.as_str()));
        answers.map(|(_, count)| count).sum()
    }

    /// Returns the handler that passes on and saw most.
    fn busiest(&self) -> Option<(&str, f64)> {
        self.handlers
            .iter()
            .filter(|(name, _)| !ANSWERS.contains(&name.as_str()) && *name != METRICS)
            .map(|(name, count)| (name.as_str(), *count))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Returns whether this handler's series count, and how.
    fn mark(&self, handler: &str) -> Option<&'static str> {
        let scrapes = self.handlers.get(METRICS).copied().unwrap_or_default();
        match self.busiest().filter(|(_, seen)| *seen > self.answered()) {
            Some((busiest, _)) if busiest == handler => Some("yes"),
            // It saw the scrapes only if it saw more than what was answered beside them.
            Some((_, seen)) if handler == METRICS && seen >= self.answered() + scrapes => {
                Some("scrapes")
            }
            Some(_) => None,
            None => ANSWERS.contains(&handler).then_some("yes"),
        }
    }

    /// Returns whether every request that ended in this handler has a status.
    fn is_sorted(&self, handler: &str) -> bool {
        let of = |counts: &BTreeMap<String, f64>| counts.get(handler).copied().unwrap_or_default();
        of(&self.handlers) <= of(&self.finished) + of(&self.in_flight)
    }
}

/// Marks the series that count.
pub(super) fn mark(body: &mut Exposition<'_>) {
    let by_status = body.named(REQUESTS[0]).is_none();
    let mut servers: BTreeMap<String, Server> = BTreeMap::new();
    for one in &body.series {
        let server = servers.entry(one.label("server").to_owned()).or_default();
        let counts = match &*one.name {
            name if name == REQUESTS[0] => &mut server.handlers,
            name if name == REQUESTS[1] => &mut server.finished,
            "caddy_http_requests_in_flight" => &mut server.in_flight,
            _ => continue,
        };
        *counts.entry(one.label("handler").to_owned()).or_default() += one.value;
    }
    if by_status {
        for server in servers.values_mut() {
            server.handlers.clone_from(&server.finished);
        }
    }
    let is_sorted = servers.values().all(|server| {
        let counted = server
            .handlers
            .keys()
            .filter(|handler| server.mark(handler) == Some("yes"));
        counted.into_iter().all(|handler| server.is_sorted(handler))
    });
    for one in &mut body.series {
        mark_one(one, &servers, is_sorted);
    }
}

fn mark_one(one: &mut Series<'_>, servers: &BTreeMap<String, Server>, is_sorted: bool) {
    if !one.name.starts_with("caddy_http_") {
        return;
    }
    let Some(server) = servers.get(one.label("server")) else {
        return;
    };
    let handler = one.label("handler").to_owned();
    let Some(mark) = server.mark(&handler) else {
        return;
    };
    let mut add = |name: &'static str, value: &'static str| {
        one.labels.push((Cow::Borrowed(name), Cow::Borrowed(value)));
    };
    add("counts", mark);
    if mark == "yes" && is_sorted {
        add("sorted", "yes");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests that count, less the scrapes among them.
    fn served(handlers: &[(&str, u32)]) -> f64 {
        let lines = handlers.iter().map(|(handler, count)| {
            format!("caddy_http_requests_total{{handler=\"{handler}\",server=\"srv0\"}} {count}\n")
        });
        let body: String = lines.collect();
        let mut body = Exposition::parse(body.as_bytes(), false, |_| true).unwrap();
        mark(&mut body);
        let sum = |mark: &str| -> f64 {
            let marked = body.series.iter().filter(|one| one.label("counts") == mark);
            marked.map(|one| one.value).sum()
        };
        sum("yes") - sum("scrapes")
    }

    #[test]
    fn what_was_served_is_counted_once_whatever_handlers_there_are() {
        let cases: [(&[(&str, u32)], f64); 9] = [
            (&[("reverse_proxy", 9100)], 9100.0),
            (&[("subroute", 8)], 8.0),
            (&[("subroute", 8), ("static_response", 3)], 11.0),
            (&[("headers", 30), ("reverse_proxy", 30)], 30.0),
            (&[("static_response", 20), ("reverse_proxy", 6)], 26.0),
            (
                &[
                    ("headers", 30),
                    ("static_response", 20),
                    ("metrics", 4),
                    ("reverse_proxy", 6),
                ],
                26.0,
            ),
            (&[("metrics", 4), ("reverse_proxy", 6)], 6.0),
            (&[("authentication", 5), ("file_server", 2)], 5.0),
            (&[("rewrite", 2), ("encode", 7), ("file_server", 7)], 7.0),
        ];
        for (handlers, expected) in cases {
            assert_eq!(served(handlers), expected, "{handlers:?}");
        }
    }
}
