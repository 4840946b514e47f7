//! Endpoints whose answers were server errors lately.

use super::fields::Fields;
use schema::{Row, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// Failures are counted over this time, microseconds: the longest window over which their share is evaluated.
const WINDOW: i64 = 300_000_000;
/// Answers with this status or a greater one are failures.
const FAILURE: i64 = 500;
/// More endpoints with failures are not kept.
const MOST: usize = 1000;

/// Target, endpoint and status.
type Key = (String, String, i64);

/// Failures by endpoint.
#[derive(Debug, Default)]
pub(crate) struct Endpoints(BTreeMap<Key, Failures>);

#[derive(Debug, Default)]
struct Failures {
    total: i64,
    /// Instants and steps within the window.
    steps: VecDeque<(Timestamp, i64)>,
}

impl Endpoints {
    /// Takes a row of endpoint_metrics_raw.
    pub(super) fn take(&mut self, row: &Row) {
        let fields = Fields(row);
        let (Some(status), Some(total)) = (fields.int("status"), fields.int("responses")) else {
            return;
        };
        if status < FAILURE {
            return;
        }
        let text = |name| fields.text(name).to_owned();
        let key = (text("target"), text("endpoint"), status);
        let is_full = self.0.len() >= MOST;
        let failures = match self.0.get_mut(&key) {
            Some(failures) => failures,
            None if is_full => return,
            // What was counted before it was seen did not happen lately.
            None => self.0.entry(key).or_insert(Failures {
                total,
                steps: VecDeque::new(),
            }),
        };
        let step = total - failures.total;
        failures.total = total;
        if step > 0 {
            failures.steps.push_back((row.ts, step));
        }
        let from = row.ts.as_micros() - WINDOW;
        failures.steps.retain(|(ts, _)| ts.as_micros() > from);
    }

    /// Returns a sentence about the two endpoints of a target that failed most.
    pub(crate) fn most(&self, target: &str) -> Option<String> {
        let mut found: Vec<(i64, &str, i64)> = self
            .0
            .iter()
            .filter(|((of, _, _), _)| of == target)
            .map(|((_, endpoint, status), failures)| {
                let failed = failures.steps.iter().map(|(_, step)| step).sum();
                (failed, endpoint.as_str(), *status)
            })
            .filter(|(failed, _, _)| *failed > 0)
            .collect();
        found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let named: Vec<String> = found
            .into_iter()
            .take(2)
            .map(|(failed, endpoint, status)| {
                format!(
                    "{} with status {status} ({failed} times)",
                    words::cut(endpoint, 80)
                )
            })
            .collect();
        (!named.is_empty()).then(|| {
            format!(
                "Most fail at {} in the last 5 min.",
                named.join(", then at ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Sample;
    use schema::tables::EndpointSample;

    #[test]
    fn the_endpoints_that_fail_most_are_named_and_old_failures_are_forgotten() {
        let mut endpoints = Endpoints::default();
        let mut sample = |secs: i64, endpoint: &str, status: i32, responses: i64| {
            let row = EndpointSample {
                target: "api".to_owned(),
                endpoint: endpoint.to_owned(),
                status,
                responses,
                last_seen: None,
            };
            endpoints.take(&row.into_row(Timestamp(secs * 1_000_000)));
        };
        for (endpoint, status, counts) in [
            ("/a", 500, [90, 93, 93]),
            ("/b", 503, [0, 7, 9]),
            ("/c", 500, [5, 6, 0]),
            ("/d", 404, [0, 50, 90]),
        ] {
            for (secs, count) in [0, 10, 20].into_iter().zip(counts) {
                sample(secs, endpoint, status, count);
            }
        }
        assert_eq!(
            endpoints.most("api").as_deref(),
            Some(
                "Most fail at /b with status 503 (9 times), then at /a with status 500 (3 times) in the last 5 min."
            )
        );
        assert_eq!(endpoints.most("other"), None);
        let mut sample = |secs: i64, endpoint: &str, status: i32, responses: i64| {
            let row = EndpointSample {
                target: "api".to_owned(),
                endpoint: endpoint.to_owned(),
                status,
                responses,
                last_seen: None,
            };
            endpoints.take(&row.into_row(Timestamp(secs * 1_000_000)));
        };
        for (endpoint, status, count) in [("/a", 500, 93), ("/b", 503, 9), ("/c", 500, 0)] {
            sample(400, endpoint, status, count);
        }
        assert_eq!(endpoints.most("api"), None);
    }
}
