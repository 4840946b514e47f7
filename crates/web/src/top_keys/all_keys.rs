//! All closed buckets of all keys, for metrics with at most some hundreds of keys at a time, such as
//! processes.
//!
//! A bucket is read once and cached: afterwards a query reads only what is new. The first read takes as much
//! of processes at a time as the server reads quickly, an hour at most.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use schema::micros::{DAY, HOUR, MINUTE};
use schema::{Class, Metric, Timestamp};
use store::series::{Bucket, FoundSeries, Pick, RangeQuery, ReadError, is_of_hours};
use tokio::time::Instant;
use tokio_postgres::Client;

use super::{Cache, Highest, Kept, TopKeysQuery};

/// Span of the first read of tables with many rows a tick, microseconds: 27,000 rows of 300 processes, and of 3,000 as many as are read before a
/// statement is given up.
const CHUNK: i64 = 15 * MINUTE;
/// Longest span of one read of theirs.
const LONGEST_CHUNK: i64 = HOUR;
/// A read that took less is followed by one of four times the span, one that took four times as long by one of a quarter.
const QUICK: Duration = Duration::from_millis(150);
/// The same where hours are rolled up.
const HOURS_CHUNK: i64 = 60 * DAY;
/// Shortest chunk.
const LEAST_CHUNK: i64 = MINUTE;
/// Most queries in the cache.
pub(super) const KEPT: usize = 32;
/// Most buckets in the cache; 32 bytes each.
pub(super) const KEPT_BUCKETS: usize = 1_500_000;

/// Returns an empty cache.
pub(super) fn cache() -> Cache<Buckets> {
    // An entry in use is not counted until it is released.
    Cache::new(KEPT, KEPT_BUCKETS, |entry| {
        entry.try_lock().map_or(0, |buckets| buckets.size())
    })
}

/// One key in one bucket.
#[derive(Clone, Copy, Debug)]
struct Point {
    key: u32,
    bucket: Bucket,
}

/// The buckets of one metric.
#[derive(Debug, Default)]
struct Column {
    keys: Vec<String>,
    numbers: HashMap<String, u32>,
    points: BTreeMap<i64, Vec<Point>>,
}

impl Column {
    fn take(&mut self, found: &FoundSeries) {
        let key = found.key.clone().unwrap_or_default();
        let next = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(key.clone()).or_insert(next);
        if number == next {
            self.keys.push(key);
        }
        for bucket in &found.buckets {
            let points = self.points.entry(bucket.at.as_micros()).or_default();
            points.push(Point {
                key: number,
                bucket: *bucket,
            });
        }
    }
}

impl Column {
    /// Returns the keys with the highest values of a span and of the open bucket, with their buckets.
    fn highest(
        &self,
        metric: &'static Metric,
        question: &TopKeysQuery,
        span: Range<i64>,
        open: &[&FoundSeries],
    ) -> Vec<FoundSeries> {
        let closed = || {
            let points = self.points.range(span.clone());
            points.flat_map(|(_, points)| points)
        };
        let mut highest: HashMap<&str, f64> = HashMap::new();
        let mut note = |key, value: f64| {
            let known = highest.entry(key).or_insert(f64::NEG_INFINITY);
            *known = known.max(value);
        };
        for point in closed() {
            note(self.keys[point.key as usize].as_str(), point.bucket.hi);
        }
        for found in open {
            for bucket in &found.buckets {
                note(found.key.as_deref().unwrap_or_default(), bucket.hi);
            }
        }
        highest.retain(|key, _| question.wants(key));
        let mut ranked: Vec<(&str, f64)> = highest.into_iter().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        ranked.truncate(usize::try_from(question.limit).unwrap_or(usize::MAX));
        let numbered = ranked.iter().enumerate();
        let places: HashMap<&str, usize> =
            numbered.map(|(place, (key, _))| (*key, place)).collect();
        let empty = |(key, _): &(&str, f64)| FoundSeries {
            metric,
            key: Some((*key).to_owned()),
            buckets: Vec::new(),
            last: None,
        };
        let mut found: Vec<FoundSeries> = ranked.iter().map(empty).collect();
        for point in closed() {
            if let Some(place) = places.get(self.keys[point.key as usize].as_str()) {
                found[*place].buckets.push(point.bucket);
            }
        }
        for last in open {
            if let Some(place) = places.get(last.key.as_deref().unwrap_or_default()) {
                found[*place].buckets.extend_from_slice(&last.buckets);
                found[*place].last = last.last;
            }
        }
        found
    }
}

/// Buckets over one contiguous span.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    covered: Option<(i64, i64)>,
    columns: Vec<Column>,
    /// Span of one read; follows from how long the last one took.
    chunk: i64,
}

/// Reads the last bucket, which may still change, with all keys.
pub(super) async fn open(
    client: &Client,
    question: &TopKeysQuery,
) -> Result<Vec<FoundSeries>, ReadError> {
    let (from, to) = (question.seam.as_micros(), question.to.as_micros());
    fetch(client, question, from, to).await
}

async fn fetch(
    client: &Client,
    question: &TopKeysQuery,
    from: i64,
    to: i64,
) -> Result<Vec<FoundSeries>, ReadError> {
    let ask = RangeQuery {
        host_id: question.host_id,
        from: Timestamp(from),
        to: Timestamp(to),
        give_from: Timestamp(from),
        key_prefix: None,
        // Only the open bucket.
        last: from >= question.seam.as_micros(),
        step: question.step,
        interval: question.interval,
        limit: i64::MAX,
        picks: question
            .metrics
            .iter()
            .map(|metric| Pick { metric, key: None })
            .collect(),
    };
    super::buckets(client, &ask).await
}

/// Returns the span of the read after one of `chunk` that took so long.
fn next_chunk(chunk: i64, took: Duration) -> i64 {
    if chunk <= LONGEST_CHUNK && took < QUICK {
        (4 * chunk).min(LONGEST_CHUNK)
    } else if chunk <= LONGEST_CHUNK && took > 4 * QUICK {
        (chunk / 4).max(LEAST_CHUNK)
    } else {
        chunk
    }
}

impl TopKeysQuery {
    fn wants(&self, key: &str) -> bool {
        self.key_prefix.as_deref().is_none_or(|prefix| {
            let rest = key.strip_prefix(prefix);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

impl Kept for Buckets {
    const BUDGET: Duration = Duration::from_millis(1200);

    async fn read(
        &mut self,
        client: &Client,
        question: &TopKeysQuery,
        until: Instant,
    ) -> Result<(), ReadError> {
        let (from, seam) = (question.from.as_micros(), question.seam.as_micros());
        let apart = self
            .covered
            .is_none_or(|(start, end)| end < from || start > seam);
        if apart {
            *self = Self {
                covered: Some((seam, seam)),
                columns: question.metrics.iter().map(|_| Column::default()).collect(),
                chunk: Self::first_chunk(question),
            };
        }
        loop {
            let Some((start, end)) = self.covered else {
                return Ok(());
            };
            let chunk = (self.chunk / question.step).max(1) * question.step;
            let (first, last) = if end < seam {
                (end, seam.min(end.saturating_add(chunk)))
            } else if start > from {
                (from.max(start.saturating_sub(chunk)), start)
            } else {
                break;
            };
            let begun = Instant::now();
            match fetch(client, question, first, last).await {
                Ok(found) => {
                    self.take(question, &found, first, last);
                    self.chunk = next_chunk(self.chunk, begun.elapsed());
                }
                Err(error) if error.is_timeout() && chunk > LEAST_CHUNK.max(question.step) => {
                    self.chunk = chunk.min(last - first) / 2;
                }
                Err(error) => return Err(error),
            }
            if Instant::now() >= until {
                break;
            }
        }
        // Buckets before the range are not read again.
        for column in &mut self.columns {
            column.points = column.points.split_off(&from);
        }
        self.covered = self.covered.map(|(start, end)| (start.max(from), end));
        Ok(())
    }

    fn start(&self) -> Option<i64> {
        self.covered.map(|(start, _)| start)
    }

    async fn answer(
        &mut self,
        client: &Client,
        question: &TopKeysQuery,
    ) -> Result<Highest, ReadError> {
        let open = open(client, question).await?;
        Ok(self.highest(question, &open))
    }
}

impl Buckets {
    pub(super) fn size(&self) -> usize {
        let columns = self
            .columns
            .iter()
            .flat_map(|column| column.points.values());
        columns.map(Vec::len).sum()
    }

    fn first_chunk(question: &TopKeysQuery) -> i64 {
        let bulk = |metric: &Metric| metric.series.table().class == Class::Bulk;
        if is_of_hours(question.step) {
            return HOURS_CHUNK;
        }
        if question.metrics.iter().any(|metric| bulk(metric)) {
            CHUNK
        } else {
            i64::MAX / 4
        }
    }

    fn take(&mut self, question: &TopKeysQuery, found: &[FoundSeries], first: i64, last: i64) {
        for one in found {
            let at = question
                .metrics
                .iter()
                .position(|metric| *metric == one.metric);
            if let Some(column) = at.and_then(|at| self.columns.get_mut(at)) {
                column.take(one);
            }
        }
        self.covered = self
            .covered
            .map(|(start, end)| (start.min(first), end.max(last)));
    }

    /// Returns the keys with the highest values of the range, with their buckets.
    pub(super) fn highest(&self, question: &TopKeysQuery, open: &[FoundSeries]) -> Highest {
        let start = self
            .covered
            .map_or(question.seam.as_micros(), |(start, _)| start);
        let (from, seam) = (
            question.from.as_micros().max(start),
            question.seam.as_micros(),
        );
        let mut series = Vec::new();
        for (metric, column) in question.metrics.iter().zip(&self.columns) {
            let open: Vec<&FoundSeries> = open
                .iter()
                .filter(|found| found.metric == *metric)
                .collect();
            series.extend(column.highest(metric, question, from..seam, &open));
        }
        Highest {
            series,
            complete_from: Timestamp(from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_as_long_as_their_rows_allow() {
        let secs = Duration::from_secs;
        for (case, chunk, took, expected) in [
            ("quick", CHUNK, secs(0), LONGEST_CHUNK),
            ("the longest", LONGEST_CHUNK, secs(0), LONGEST_CHUNK),
            ("slow", 20 * MINUTE, secs(1), 5 * MINUTE),
            ("the shortest", 2 * MINUTE, secs(1), LEAST_CHUNK),
            ("neither", CHUNK, 2 * QUICK, CHUNK),
            (
                "hours that are rolled up",
                HOURS_CHUNK,
                secs(1),
                HOURS_CHUNK,
            ),
        ] {
            assert_eq!(next_chunk(chunk, took), expected, "{case}");
        }
    }
}
