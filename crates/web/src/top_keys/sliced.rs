//! Metrics of which slices of an hour are stored, as the processes of a name: hours that are over are ranked and read from those as
//! [`high_cardinality`](super::high_cardinality) does, and what came after, which only the samples have, with all keys, as in
//! [`all_keys`](super::all_keys).
//!
//! A key that is among the highest of the range is among those of one part or the other. Where the roll-up is behind, or an hour has
//! changed, the store reads samples instead: that takes longer, and the answer is the same.

use std::collections::HashMap;
use std::time::Duration;

use schema::Timestamp;
use schema::micros::{HOUR, MINUTE};
use store::series::{FoundSeries, ReadError};
use tokio::time::Instant;
use tokio_postgres::Client;

use super::all_keys::{Buckets, KEPT, KEPT_BUCKETS, open};
use super::high_cardinality::Ranking;
use super::{Cache, Highest, Kept, TopKeysQuery};

/// So long after its end an hour is rolled up: two minutes for what is late, and five until the next run.
const ROLLED_UP_AFTER: i64 = 8 * MINUTE;

/// Returns an empty cache.
pub(super) fn cache() -> Cache<Sliced> {
    // An entry in use is not counted until it is released.
    Cache::new(KEPT, KEPT_BUCKETS, |entry| {
        entry.try_lock().map_or(0, |sliced| sliced.rest.size())
    })
}

/// The cached state of one query.
#[derive(Debug, Default)]
pub(super) struct Sliced {
    closed: Ranking,
    rest: Buckets,
    /// Start of what was read.
    start: Option<i64>,
}

/// Returns the questions about the hours that are over and about the rest.
fn parts(question: &TopKeysQuery) -> (TopKeysQuery, TopKeysQuery) {
    let seam = question.seam.as_micros();
    let hour = (seam - ROLLED_UP_AFTER).div_euclid(HOUR) * HOUR;
    // A bucket that lies across belongs to the rest.
    let edge = hour.div_euclid(question.step) * question.step;
    let edge = Timestamp(edge.clamp(question.from.as_micros(), seam));
    let closed = TopKeysQuery {
        seam: edge,
        to: edge,
        ..question.clone()
    };
    let rest = TopKeysQuery {
        from: edge,
        limit: i64::MAX,
        ..question.clone()
    };
    (closed, rest)
}

impl Kept for Sliced {
    const BUDGET: Duration = Duration::from_millis(1200);

    async fn read(
        &mut self,
        client: &Client,
        question: &TopKeysQuery,
        until: Instant,
    ) -> Result<(), ReadError> {
        let (closed, rest) = parts(question);
        self.rest.read(client, &rest, until).await?;
        self.start = self.rest.start();
        let has_rest = self
            .start
            .is_some_and(|start| start <= rest.from.as_micros());
        if has_rest && closed.from < closed.seam {
            self.closed.read(client, &closed, until).await?;
            self.start = self.closed.start().or(self.start);
        }
        Ok(())
    }

    fn start(&self) -> Option<i64> {
        self.start
    }

    async fn answer(
        &mut self,
        client: &Client,
        question: &TopKeysQuery,
    ) -> Result<Highest, ReadError> {
        let (closed, rest) = parts(question);
        let rest = self.rest.highest(&rest, &open(client, &rest).await?);
        let place = |found: &FoundSeries| {
            let mut metrics = question.metrics.iter();
            metrics.position(|metric| *metric == found.metric)
        };
        let mut of_rest = HashMap::new();
        for found in rest.series {
            if let (Some(place), Some(key)) = (place(&found), found.key.clone()) {
                of_rest.insert((place, key), found);
            }
        }
        let peaks = of_rest.iter().filter_map(|(key, found)| {
            let high = found.buckets.iter().map(|one| one.hi).reduce(f64::max);
            Some((key.clone(), high?))
        });
        let mut highest = self
            .closed
            .highest(client, &closed, peaks.collect())
            .await?;
        for found in &mut highest.series {
            let key = place(found).zip(found.key.clone());
            if let Some(rest) = key.and_then(|key| of_rest.remove(&key)) {
                found.buckets.extend(rest.buckets);
                found.last = rest.last;
            }
        }
        if rest.complete_from > closed.seam {
            highest.complete_from = rest.complete_from;
        }
        Ok(highest)
    }
}
