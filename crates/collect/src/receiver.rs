//! The receiver of web analytics on this host: its own figures, as `GET metrics` has them.
//!
//! Counters are stored as they are. Of the histogram one number is stored: within which time 99 of 100 reports since the answer before
//! were on disk, interpolated within its bucket. A receiver that was restarted counts anew, and so does the histogram.

use config::{Format, HttpUrl, Secret};
use http::Received;
use schema::tables::{ReceiverRefusal, ReceiverSample};
use schema::{Row, Sample, Timestamp};

use crate::application::ScrapeError;
use crate::application::client::Client;
use crate::application::exposition::Exposition;

const PREFIX: &str = "pqcrypta_analytics_";
const DURATIONS: &str = "pqcrypta_analytics_acknowledge_duration_seconds_bucket";

/// The receiver, with the histogram of its last answer.
#[derive(Debug)]
pub struct Receiver {
    client: Client,
    before: Option<Vec<Bucket>>,
}

/// Reports that took at most `bound` seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bucket {
    bound: f64,
    count: f64,
}

impl Receiver {
    /// Returns the receiver with its figures at an address.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn new(url: HttpUrl, token: Secret) -> Result<Self, ScrapeError> {
        Ok(Self {
            client: Client::new(url, token, Format::Prometheus, None)?,
            before: None,
        })
    }

    /// Asks it once and appends its rows.
    ///
    /// # Errors
    /// When it does not answer, or is another program.
    pub async fn collect(&mut self, at: Timestamp, out: &mut Vec<Row>) -> Result<(), ScrapeError> {
        let asked = self.client.get(&mut Received::default()).await;
        if asked.is_err() {
            // What happened meanwhile is not the time between two samples.
            self.before = None;
        }
        self.take(&asked?.body, at, out)
    }

    fn take(&mut self, body: &[u8], at: Timestamp, out: &mut Vec<Row>) -> Result<(), ScrapeError> {
        let unread = |problem: String| ScrapeError::Body {
            address: self.client.address(),
            format: "Prometheus text",
            problem,
        };
        let page =
            Exposition::parse(body, false, |name| name.starts_with(PREFIX)).map_err(unread)?;
        let sum = |name: &str| {
            let name = format!("{PREFIX}{name}");
            let found = page.named(&name)?;
            Some(found.map(|series| series.value).sum::<f64>())
        };
        let count = |name: &str| sum(name).map(|value| value as i64);
        let (Some(accepted_total), Some(stored_total), Some(database_up)) = (
            count("events_accepted_total"),
            count("hits_stored_total"),
            sum("database_up"),
        ) else {
            return Err(unread(format!("it has no series {PREFIX}…")));
        };
        let buckets = buckets(&page);
        let before = self.before.replace(buckets.clone());
        let files = format!("{PREFIX}file_readable");
        let unreadable = page
            .named(&files)
            .map_or(0, |files| files.filter(|file| file.value == 0.0).count());
        let sample = ReceiverSample {
            accepted_total,
            stored_total,
            ack_p99_ms: before
                .and_then(|before| quantile(&since(&buckets, &before), 0.99))
                .map(|secs| secs * 1000.0),
            queue_bytes: count("queue_bytes"),
            queue_limit_bytes: count("queue_limit_bytes"),
            queue_oldest_secs: sum("queue_oldest_seconds"),
            takes_reports: sum("queue_takes_reports").map(|takes| takes > 0.0),
            database_up: database_up > 0.0,
            unreadable_files: i64::try_from(unreadable).unwrap_or(i64::MAX),
        };
        out.push(sample.into_row(at));
        let refusals = format!("{PREFIX}refused_total");
        for series in page.named(&refusals).into_iter().flatten() {
            let refusal = ReceiverRefusal {
                reason: series.label("reason").to_owned(),
                refused_total: series.value as i64,
            };
            out.push(refusal.into_row(at));
        }
        Ok(())
    }
}

/// Returns the buckets by ascending bound.
fn buckets(page: &Exposition<'_>) -> Vec<Bucket> {
    let found = page.named(DURATIONS).into_iter().flatten();
    let mut buckets: Vec<Bucket> = found
        .filter_map(|series| {
            let bound = match series.label("le") {
                "+Inf" => f64::INFINITY,
                bound => bound.parse().ok()?,
            };
            let count = series.value;
            Some(Bucket { bound, count })
        })
        .collect();
    buckets.sort_by(|one, other| one.bound.total_cmp(&other.bound));
    buckets
}

/// Returns the buckets of what came since others; all of them where the program began anew.
fn since(now: &[Bucket], before: &[Bucket]) -> Vec<Bucket> {
    let is_same = now.len() == before.len()
        && now
            .iter()
            .zip(before)
            .all(|(now, before)| now.bound == before.bound && now.count >= before.count);
    if !is_same {
        return now.to_vec();
    }
    let steps = now.iter().zip(before).map(|(now, before)| Bucket {
        bound: now.bound,
        count: now.count - before.count,
    });
    steps.collect()
}

/// Returns a quantile, linear within its bucket; nothing without values, and the last bound for what is beyond it.
fn quantile(buckets: &[Bucket], share: f64) -> Option<f64> {
    let all = buckets.last()?.count;
    if all <= 0.0 {
        return None;
    }
    let wanted = share * all;
    let (mut low, mut below) = (0.0, 0.0);
    for bucket in buckets {
        if bucket.bound.is_infinite() {
            break;
        }
        if bucket.count >= wanted {
            let within = bucket.count - below;
            let part = if within > 0.0 {
                (wanted - below) / within
            } else {
                1.0
            };
            return Some(low + (bucket.bound - low) * part);
        }
        (low, below) = (bucket.bound, bucket.count);
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(fast: u32, all: u32) -> Vec<u8> {
        format!(
            "# HELP x y\npqcrypta_analytics_events_accepted_total{{site=\"a\"}} 4\n\
             pqcrypta_analytics_events_accepted_total{{site=\"b\"}} 3\n\
             pqcrypta_analytics_refused_total{{reason=\"bot\"}} 2\n\
             pqcrypta_analytics_hits_stored_total 5\npqcrypta_analytics_database_up 1\n\
             pqcrypta_analytics_file_readable{{file=\"country_db\"}} 0\n\
             pqcrypta_analytics_file_readable{{file=\"asn_db\"}} 1\n\
             pqcrypta_analytics_queue_bytes 2097152\npqcrypta_analytics_queue_oldest_seconds 0\n\
             {DURATIONS}{{le=\"0.01\"}} {fast}\n{DURATIONS}{{le=\"0.05\"}} {all}\n{DURATIONS}{{le=\"+Inf\"}} {all}\n\
             process_open_fds 7\n"
        )
        .into_bytes()
    }

    fn receiver() -> Receiver {
        let url = HttpUrl::parse("http://127.0.0.1:1/metrics").unwrap();
        Receiver::new(url, Secret::default()).unwrap()
    }

    #[test]
    fn a_page_becomes_rows() {
        let mut receiver = receiver();
        let mut rows = Vec::new();
        receiver
            .take(&page(10, 10), Timestamp(1), &mut rows)
            .unwrap();
        receiver
            .take(&page(100, 110), Timestamp(2), &mut rows)
            .unwrap();
        let text = format!("{rows:?}");
        assert_eq!(rows.len(), 4, "{text}");
        // Of the hundred since the first, ninety took 10 ms and ten up to 50: the 99th is nine tenths on the way.
        assert!(text.contains("46.0"), "{text}");
        assert_eq!(rows[0].table.name, "receiver_samples_raw");
        assert_eq!(rows[3].table.name, "receiver_refusals_raw");
    }

    #[test]
    fn another_program_is_no_receiver() {
        for body in [&b"up 1\n"[..], b"<html>", b""] {
            let mut rows = Vec::new();
            assert!(receiver().take(body, Timestamp(1), &mut rows).is_err());
            assert!(rows.is_empty());
        }
    }

    #[test]
    fn quantiles_are_within_their_bucket() {
        let of = |counts: [f64; 3]| {
            let bounds = [0.1, 1.0, f64::INFINITY];
            let mut buckets = Vec::new();
            for (bound, count) in bounds.into_iter().zip(counts) {
                buckets.push(Bucket { bound, count });
            }
            buckets
        };
        assert_eq!(quantile(&of([0.0, 0.0, 0.0]), 0.99), None);
        assert_eq!(quantile(&[], 0.99), None);
        assert_eq!(quantile(&of([100.0, 100.0, 100.0]), 0.5), Some(0.05));
        assert_eq!(quantile(&of([0.0, 0.0, 9.0]), 0.99), Some(1.0));
        // Began anew.
        let (old, new) = (of([5.0, 5.0, 5.0]), of([1.0, 2.0, 2.0]));
        assert_eq!(since(&new, &old), new);
        assert_eq!(since(&old, &new), of([4.0, 3.0, 3.0]));
    }
}
