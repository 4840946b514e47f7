//! Requests in access logs: responses by endpoint and status, and the latest failures, in the same tables
//! as those of scraped targets. Each source of access logs is a target named like the source.
//!
//! The counters of all endpoints of a source are written together, so that readers can tell which are
//! new; without a request since the last time they are not written again.

use logs::event::Access;
use schema::micros::MINUTE;
use schema::tables::{EndpointSample, RequestFailure};
use schema::{Row, Sample, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// Endpoints of a source that are counted separately; the rest is counted as [`OTHERS`].
const MAX_ENDPOINTS: usize = 100;
const OTHERS: &str = "(others)";
/// Failed requests kept per source between two writes.
const MAX_FAILURES: usize = 50;
/// How often the counters are written: they are many rows.
const WRITE_EVERY: i64 = MINUTE;

/// The requests of one source.
#[derive(Debug, Default)]
struct Target {
    /// Number of responses and time of the last, by endpoint and status.
    responses: BTreeMap<(String, u16), (i64, Timestamp)>,
    endpoints: usize,
    failures: VecDeque<(Timestamp, Access)>,
    changed: bool,
}

/// The requests of every source.
#[derive(Debug, Default)]
pub(super) struct Requests {
    targets: BTreeMap<String, Target>,
    written: Option<Timestamp>,
}

impl Requests {
    /// Counts a request.
    pub(super) fn add(&mut self, source: &str, ts: Timestamp, access: Access) {
        if !self.targets.contains_key(source) {
            self.targets.insert(source.to_owned(), Target::default());
        }
        if let Some(target) = self.targets.get_mut(source) {
            target.add(ts, access);
        }
    }

    /// Returns the rows of a tick; none before the interval is over or without a new request.
    pub(super) fn rows(&mut self, ts: Timestamp) -> Vec<Row> {
        let early = |written: Timestamp| (0..WRITE_EVERY).contains(&(ts.0 - written.0));
        if self.written.is_some_and(early) {
            return Vec::new();
        }
        self.written = Some(ts);
        let mut rows = Vec::new();
        for (name, target) in &mut self.targets {
            if std::mem::take(&mut target.changed) {
                target.write(name, ts, &mut rows);
            }
        }
        rows
    }
}

impl Target {
    fn add(&mut self, ts: Timestamp, access: Access) {
        self.changed = true;
        let endpoint = endpoint(&access.path);
        let known = self
            .responses
            .range((endpoint.clone(), 0)..=(endpoint.clone(), u16::MAX))
            .next()
            .is_some();
        let endpoint = if known {
            endpoint
        } else if self.endpoints < MAX_ENDPOINTS {
            self.endpoints += 1;
            endpoint
        } else {
            OTHERS.to_owned()
        };
        let (count, last) = self.responses.entry((endpoint, access.status)).or_default();
        *count += 1;
        *last = (*last).max(ts);
        if access.status >= 400 {
            if self.failures.len() == MAX_FAILURES {
                self.failures.pop_front();
            }
            self.failures.push_back((ts, access));
        }
    }

    /// Adds the rows of the target, and forgets its failures.
    fn write(&mut self, name: &str, ts: Timestamp, rows: &mut Vec<Row>) {
        let responses = self.responses.iter();
        rows.extend(responses.map(|((endpoint, status), (count, last))| {
            EndpointSample {
                target: name.to_owned(),
                endpoint: endpoint.clone(),
                status: i32::from(*status),
                responses: *count,
                last_seen: Some(*last),
            }
            .into_row(ts)
        }));
        rows.extend(self.failures.drain(..).map(|(failed_at, access)| {
            RequestFailure {
                target: name.to_owned(),
                failed_at,
                method: access.method,
                path: access.path,
                status: i32::from(access.status),
                duration_ms: access.duration_ms,
            }
            .into_row(ts)
        }));
    }
}

/// Returns the path with `*` for each segment that is an identifier: a number, or 16 and more hexadecimal digits.
fn endpoint(path: &str) -> String {
    let name = |part: &str| {
        let number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let long = part.len() >= 16
            && part
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        number || long
    };
    let parts = path
        .split('/')
        .map(|part| if name(part) { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(path: &str, status: u16) -> Access {
        Access {
            method: "GET".to_owned(),
            path: path.to_owned(),
            status,
            ..Access::default()
        }
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp(secs * 1_000_000)
    }

    fn tables(rows: &[Row]) -> (usize, usize) {
        let count = |name| rows.iter().filter(|row| row.table.name == name).count();
        (count("endpoint_metrics_raw"), count("request_failures_raw"))
    }

    #[test]
    fn paths_are_endpoints() {
        for (path, wanted) in [
            ("/", "/"),
            ("/v1/orders/17", "/v1/orders/*"),
            ("/v1/orders/17/lines/3", "/v1/orders/*/lines/*"),
            ("/f/0b9f7e2a-1c1d-4a6b-9d70-2f6a1d1c9e55", "/f/*"),
            ("/cafe", "/cafe"),
            ("", ""),
        ] {
            assert_eq!(endpoint(path), wanted);
        }
    }

    #[test]
    fn counters_are_told_together_and_only_when_something_is_new() {
        let mut requests = Requests::default();
        requests.add("web", at(1), access("/a", 200));
        requests.add("web", at(2), access("/a", 404));
        assert_eq!(tables(&requests.rows(at(10))), (2, 1));
        requests.add("web", at(11), access("/a", 200));
        assert_eq!(tables(&requests.rows(at(20))), (0, 0), "too early");
        assert_eq!(
            tables(&requests.rows(at(70))),
            (2, 0),
            "both, though one is new"
        );
        assert_eq!(tables(&requests.rows(at(130))), (0, 0), "nothing new");
        // A clock that was set back does not delay the next write.
        requests.add("web", at(131), access("/a", 200));
        assert_eq!(tables(&requests.rows(at(50))), (2, 0));
    }

    #[test]
    fn endpoints_and_failures_are_bounded() {
        let mut requests = Requests::default();
        for number in 0..5_000 {
            requests.add("web", at(number), access(&format!("/page-{number}"), 500));
        }
        let rows = requests.rows(at(10_000));
        assert_eq!(tables(&rows), (MAX_ENDPOINTS + 1, MAX_FAILURES));
    }
}
