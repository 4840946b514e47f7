//! What a detector would have seen: stored samples as means of cycles, to warm it after a first start or an upgrade.
//!
//! The last week is read, of metrics with few keys: what processes and tables do is learned within a day, and a week of
//! their samples would be millions of rows.

use super::CYCLE;
use schema::micros::DAY;
use schema::{Domain, Metric, Timestamp};
use store::series::{self, Pick, RangeQuery};
use tokio_postgres::Client;

/// Days that are read, one at a time.
const DAYS: i64 = 7;
/// Most keys of a metric.
const MOST_KEYS: i64 = 32;

/// The past of a series: values of cycles, oldest first.
#[derive(Clone, Debug)]
pub struct Past {
    /// The metric.
    pub metric: &'static Metric,
    /// The key; empty of a single series.
    pub key: String,
    /// Instants in the middle of each cycle, and its mean.
    pub values: Vec<(Timestamp, f64)>,
}

/// Returns whether the past of a group of metrics is read.
#[must_use]
pub fn is_read(group: &[&'static Metric]) -> bool {
    let is_large = |domain| matches!(domain, Domain::Process | Domain::Table | Domain::Io);
    !group.iter().any(|metric| is_large(metric.domain))
}

/// Reads the past of a group of metrics up to `at`, of which `interval` is the sampling interval, microseconds. What cannot be
/// read is learned as time passes.
pub async fn read(
    client: &Client,
    host_id: i32,
    group: &[&'static Metric],
    at: Timestamp,
    interval: i64,
) -> Vec<Past> {
    let end = at.as_micros().div_euclid(CYCLE) * CYCLE;
    let mut all: Vec<Past> = Vec::new();
    for day in (1..=DAYS).rev() {
        let from = Timestamp(end - day * DAY);
        let pick = |metric: &&'static Metric| Pick { metric, key: None };
        let ask = RangeQuery {
            host_id,
            from,
            to: Timestamp(from.as_micros() + DAY),
            give_from: from,
            step: CYCLE,
            interval,
            limit: MOST_KEYS,
            key_prefix: None,
            last: false,
            picks: group.iter().map(pick).collect(),
        };
        for found in series::buckets(client, &ask).await.series {
            let key = found.key.unwrap_or_default();
            let middle = |at: Timestamp| Timestamp(at.as_micros() + CYCLE / 2);
            let values = found.buckets.iter().map(|one| (middle(one.at), one.avg));
            let known = all
                .iter_mut()
                .find(|one| one.metric == found.metric && one.key == key);
            match known {
                Some(known) => known.values.extend(values),
                None => all.push(Past {
                    metric: found.metric,
                    key,
                    values: values.collect(),
                }),
            }
        }
    }
    all
}
