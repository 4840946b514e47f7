//! Metrics with thousands of keys that are sampled rarely: tables, indexes, statements.
//!
//! A day of 5,000 tables is 1.4 million values, of which a chart draws eight series; kept whole, as
//! [`all_keys`](super::all_keys) does, six such charts would take hundreds of megabytes. So two
//! queries replace it. To find the highest keys, each piece of the range, a twenty-fourth of
//! it, is ranked by the database, and its [`CANDIDATES`] highest keys are kept with their peaks; a
//! key that is among the highest of the whole range is among those of the piece its peak lies in.
//! Then the buckets of the chosen keys are read, and cached as long as the keys are chosen. A piece that
//! begins before the range counts as a whole, so a peak counts for up to a twenty-fourth of the range
//! longer than it is visible. What is rolled up is ranked in one piece, from days or hours: these are few, and each read takes its time
//! whatever it reads. That piece is read anew when the range has left a bucket behind.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use schema::micros::HOUR;
use schema::{Metric, Timestamp};
use store::series::{self, Bucket, FoundSeries, Peak, Pick, RangeQuery, ReadError};
use tokio::time::Instant;
use tokio_postgres::Client;

use super::{Cache, Highest, Kept, TopKeysQuery, buckets};

/// Pieces of a range.
const PIECES: i64 = 24;
/// Longest piece of samples, microseconds: an hour of 5,000 tables is ranked in a tenth of a second.
const LONGEST_PIECE: i64 = HOUR;
/// Keys kept of each piece: the highest limit of a request.
const CANDIDATES: i64 = 64;
/// Most queries in the cache; each holds at most some ten thousand numbers.
const KEPT: usize = 64;

/// Returns an empty cache.
pub(super) fn cache() -> Cache<Ranking> {
    Cache::new(KEPT, usize::MAX, |_| 0)
}

/// A metric, by its position in the query, and a key.
pub(super) type Key = (usize, String);

/// The candidates of a piece with their peaks.
#[derive(Debug)]
struct Piece {
    end: i64,
    peaks: Vec<(Key, f64)>,
}

/// Buckets of one key over a contiguous span.
#[derive(Debug, Default)]
struct Line {
    from: i64,
    to: i64,
    buckets: BTreeMap<i64, Bucket>,
}

/// The cached state of one query.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    /// By their start; contiguous.
    pieces: BTreeMap<i64, Piece>,
    lines: HashMap<Key, Line>,
}

impl Kept for Ranking {
    const BUDGET: Duration = Duration::from_millis(1000);

    async fn read(
        &mut self,
        client: &Client,
        question: &TopKeysQuery,
        until: Instant,
    ) -> Result<(), ReadError> {
        let (from, seam) = (question.from.as_micros(), question.seam.as_micros());
        let range = question.to.as_micros() - from;
        let in_one_piece = is_stored(question);
        let length = match in_one_piece {
            true => range,
            false => (range / PIECES).min(LONGEST_PIECE),
        };
        let whole = |length: i64| (length / question.step).max(1) * question.step;
        let mut length = whole(length);
        self.pieces.retain(|_, piece| piece.end > from);
        // A piece of what is stored is as long as the range, and read in no time: its peaks are those of the range.
        if in_one_piece && self.start().is_some_and(|start| start < from) {
            self.pieces.clear();
        }
        if self.end().is_some_and(|end| end > seam || end < from) {
            *self = Self::default();
        }
        loop {
            let (start, end) = match (self.start(), self.end()) {
                (Some(start), Some(end)) if end >= seam && start <= from => return Ok(()),
                (_, Some(end)) if end < seam => (end, seam.min(end + length)),
                (Some(start), _) => (from.max(start - length), start),
                (None, _) if seam <= from => return Ok(()),
                (None, _) => (from.max(seam - length), seam),
            };
            let peaks = match peaks(client, question, start, end).await {
                // Where the roll-up is behind, samples are read.
                Err(error) if error.is_timeout() && length > whole(LONGEST_PIECE) => {
                    length = whole(LONGEST_PIECE);
                    continue;
                }
                peaks => peaks?,
            };
            self.pieces.insert(start, Piece { end, peaks });
            if Instant::now() >= until {
                return Ok(());
            }
        }
    }

    fn start(&self) -> Option<i64> {
        self.pieces.first_key_value().map(|(start, _)| *start)
    }

    async fn answer(
        &mut self,
        client: &Client,
        question: &TopKeysQuery,
    ) -> Result<Highest, ReadError> {
        let (seam, to) = (question.seam.as_micros(), question.to.as_micros());
        let open = peaks(client, question, seam, to).await?;
        self.highest(client, question, open).await
    }
}

impl Ranking {
    /// Returns the keys with the highest values of what was read and of these peaks of what follows, with their buckets as far as
    /// the question goes.
    pub(super) async fn highest(
        &mut self,
        client: &Client,
        question: &TopKeysQuery,
        open: Vec<(Key, f64)>,
    ) -> Result<Highest, ReadError> {
        let (from, seam) = (question.from.as_micros(), question.seam.as_micros());
        let start = self.start().unwrap_or(seam).max(from);
        let mut highest: HashMap<&Key, f64> = HashMap::new();
        let closed = self.pieces.values().flat_map(|piece| &piece.peaks);
        for (key, peak) in closed.chain(&open) {
            let known = highest.entry(key).or_insert(f64::NEG_INFINITY);
            *known = known.max(*peak);
        }
        let mut ranked: Vec<(Key, f64)> = highest
            .into_iter()
            .map(|(key, peak)| (key.clone(), peak))
            .collect();
        ranked.sort_by(|(a, high), (b, low)| {
            let by_peak = low.total_cmp(high).then_with(|| a.1.cmp(&b.1));
            a.0.cmp(&b.0).then(by_peak)
        });
        let limit = usize::try_from(question.limit).unwrap_or(usize::MAX);
        let mut taken = vec![0; question.metrics.len()];
        ranked.retain(|((metric, _), _)| {
            taken[*metric] += 1;
            taken[*metric] <= limit
        });
        let chosen: Vec<Key> = ranked.into_iter().map(|(key, _)| key).collect();
        self.lines.retain(|key, _| chosen.contains(key));
        let fresh = self.complete(client, question, &chosen, start).await?;
        let series = chosen.iter().zip(fresh).map(|(key, fresh)| {
            let line = self.lines.get(key);
            let closed = line
                .into_iter()
                .flat_map(|line| line.buckets.range(start..seam));
            let closed = closed.map(|(_, bucket)| *bucket);
            FoundSeries {
                metric: question.metrics[key.0],
                key: Some(key.1.clone()),
                buckets: closed.chain(fresh.buckets).collect(),
                last: fresh.last,
            }
        });
        Ok(Highest {
            series: series.collect(),
            complete_from: Timestamp(start),
        })
    }

    fn end(&self) -> Option<i64> {
        self.pieces.last_key_value().map(|(_, piece)| piece.end)
    }

    /// Reads the missing closed buckets of the chosen keys, and returns their open ones.
    async fn complete(
        &mut self,
        client: &Client,
        question: &TopKeysQuery,
        chosen: &[Key],
        start: i64,
    ) -> Result<Vec<FoundSeries>, ReadError> {
        let (seam, to) = (question.seam.as_micros(), question.to.as_micros());
        let is_known = |key: &&Key| self.lines.get(*key).is_some_and(|line| line.from <= start);
        let missing: Vec<Key> = chosen
            .iter()
            .filter(|key| !is_known(key))
            .cloned()
            .collect();
        // Where nothing is known, what is closed is read with what is open: each read takes its time whatever it reads.
        let is_first = missing.len() == chosen.len();
        let found = match is_first {
            true => Vec::new(),
            false => lines(client, question, &missing, start, seam).await?,
        };
        let mut found = found.into_iter();
        for key in &missing {
            let buckets = found.next().map(|one| one.buckets).unwrap_or_default();
            let buckets = buckets.into_iter().map(|one| (one.at.as_micros(), one));
            let line = Line {
                from: start,
                to: if is_first { start } else { seam },
                buckets: buckets.collect(),
            };
            self.lines.insert(key.clone(), line);
        }
        // All end where the last query ended, or here.
        let ends = chosen.iter().filter_map(|key| self.lines.get(key));
        let begin = ends.map(|line| line.to).min().unwrap_or(seam).min(seam);
        let mut fresh = lines(client, question, chosen, begin, to).await?;
        for (key, found) in chosen.iter().zip(&mut fresh) {
            let open = found
                .buckets
                .partition_point(|one| one.at.as_micros() < seam);
            let Some(line) = self.lines.get_mut(key) else {
                continue;
            };
            let closed = found.buckets.drain(..open);
            line.buckets
                .extend(closed.map(|one| (one.at.as_micros(), one)));
            line.buckets = line.buckets.split_off(&start);
            line.to = seam;
        }
        Ok(fresh)
    }
}

/// Returns whether the highest keys are found in roll-ups.
fn is_stored(question: &TopKeysQuery) -> bool {
    let mut metrics = question.metrics.iter();
    metrics.all(|metric| metric.is_rolled_up())
}

fn ask(question: &TopKeysQuery, from: i64, to: i64) -> RangeQuery {
    RangeQuery {
        host_id: question.host_id,
        from: Timestamp(from),
        to: Timestamp(to),
        give_from: Timestamp(from),
        step: question.step,
        interval: question.interval,
        limit: CANDIDATES,
        key_prefix: question.key_prefix.clone(),
        last: to > question.seam.as_micros(),
        picks: Vec::new(),
    }
}

/// Reads the highest keys of a span with their peaks.
async fn peaks(
    client: &Client,
    question: &TopKeysQuery,
    from: i64,
    to: i64,
) -> Result<Vec<(Key, f64)>, ReadError> {
    if from >= to {
        return Ok(Vec::new());
    }
    let pick = |metric: &&'static Metric| Pick { metric, key: None };
    let ask = RangeQuery {
        picks: question.metrics.iter().map(pick).collect(),
        last: false,
        ..ask(question, from, to)
    };
    let found = series::peaks(client, &ask).await?;
    let peak = |found: Peak| {
        let place = question.metrics.iter().position(|one| *one == found.metric);
        Some(((place?, found.key), found.high))
    };
    Ok(found.into_iter().filter_map(peak).collect())
}

/// Reads the buckets of some keys, in their order.
async fn lines(
    client: &Client,
    question: &TopKeysQuery,
    keys: &[Key],
    from: i64,
    to: i64,
) -> Result<Vec<FoundSeries>, ReadError> {
    let found = if keys.is_empty() || from >= to {
        Vec::new()
    } else {
        let pick = |(metric, key): &Key| Pick {
            metric: question.metrics[*metric],
            key: Some(key.clone()),
        };
        let ask = RangeQuery {
            picks: keys.iter().map(pick).collect(),
            ..ask(question, from, to)
        };
        buckets(client, &ask).await?
    };
    let mine = |(metric, key): &Key| {
        let metric = question.metrics[*metric];
        let is_mine = |one: &&FoundSeries| one.metric == metric && one.key.as_ref() == Some(key);
        found.iter().find(is_mine).cloned().unwrap_or(FoundSeries {
            metric,
            key: Some(key.clone()),
            buckets: Vec::new(),
            last: None,
        })
    };
    Ok(keys.iter().map(mine).collect())
}
