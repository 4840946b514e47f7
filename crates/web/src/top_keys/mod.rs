//! The keys with the highest values of a range, and their buckets.
//!
//! The keys with the highest values are known only from all keys over the whole range, which is a
//! million rows a day for processes. A bucket before the newest sample changes only with the
//! generation of the history, so such buckets are cached, in one of three ways:
//! [`all_keys`] keeps the buckets of every key, [`high_cardinality`] only those of the highest, and [`sliced`] does the one
//! for hours that are over and the other for the rest.
//!
//! The first read of a long range goes backwards from the newest sample. The part not read within the
//! budget of a query is reported as missing and read after the answer, by a task that yields to queries
//! between reads.

mod all_keys;
mod high_cardinality;
mod sliced;

use std::sync::Arc;
use std::time::Duration;

use schema::{Class, Every, Metric, Timestamp};
use store::series::{self, FoundSeries, RangeQuery, ReadError, is_of_slices};
use tokio::sync::Mutex as Turn;
use tokio::time::Instant;
use tokio_postgres::Client;

use crate::database::{Database, Failure};
use crate::lru::Lru;

/// Timeout of a read after an answer.
const READ_AFTER: Duration = Duration::from_secs(60);
/// The name of a read in errors.
const WHAT: &str = "series by key";

/// Returns whether a metric has thousands of keys and is sampled rarely: its values are too many to be
/// kept whole.
fn is_high_cardinality(metric: &Metric) -> bool {
    let table = metric.series.table();
    table.class == Class::Bulk && table.every == Every::Slow
}

type Metrics = Vec<&'static Metric>;

/// A query of the highest keys of metrics.
#[derive(Clone, Debug)]
pub(crate) struct TopKeysQuery {
    pub(crate) host_id: i32,
    pub(crate) generation: String,
    /// Start of the first bucket.
    pub(crate) from: Timestamp,
    /// Start of the last bucket that may still change.
    pub(crate) seam: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) step: i64,
    pub(crate) interval: i64,
    pub(crate) limit: i64,
    /// Restricts the keys to this one and those that begin with it and a dot, as those of one server do.
    pub(crate) key_prefix: Option<String>,
    pub(crate) metrics: Vec<&'static Metric>,
}

/// The keys with the highest values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Highest {
    pub(crate) series: Vec<FoundSeries>,
    /// Start of the part that was read.
    pub(crate) complete_from: Timestamp,
}

/// The key of the caches: one query of one history.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CacheKey {
    host: i32,
    generation: String,
    step: i64,
    key_prefix: Option<String>,
    metrics: Vec<String>,
}

/// The cached state of a query, how it is completed, and how it answers.
trait Kept: Default + Send + 'static {
    /// How long a query reads missing buckets.
    const BUDGET: Duration;

    /// Reads the missing closed buckets of the range, as far as time allows.
    fn read(
        &mut self,
        client: &Client,
        question: &TopKeysQuery,
        until: Instant,
    ) -> impl Future<Output = Result<(), ReadError>> + Send;

    /// Returns the start of the part that was read; `None` when nothing was.
    fn start(&self) -> Option<i64>;

    /// Returns the keys with the highest values of that part, with their buckets.
    fn answer(
        &mut self,
        client: &Client,
        question: &TopKeysQuery,
    ) -> impl Future<Output = Result<Highest, ReadError>> + Send;
}

type Entry<K> = Arc<Turn<K>>;
type Cache<K> = Lru<CacheKey, Turn<K>>;

/// Recent reads.
#[derive(Debug)]
pub(crate) struct TopKeys {
    all_keys: Cache<all_keys::Buckets>,
    high_cardinality: Cache<high_cardinality::Ranking>,
    sliced: Cache<sliced::Sliced>,
}

impl Default for TopKeys {
    fn default() -> Self {
        Self {
            all_keys: all_keys::cache(),
            high_cardinality: high_cardinality::cache(),
            sliced: sliced::cache(),
        }
    }
}

impl TopKeys {
    /// Answers a query, reading the buckets that are not cached.
    ///
    /// # Errors
    /// When the database does not answer, or even the shortest read times out.
    pub(crate) async fn highest(
        &self,
        database: &Database,
        question: &TopKeysQuery,
    ) -> Result<Highest, Failure> {
        let (high, others): (Metrics, Metrics) = question
            .metrics
            .iter()
            .copied()
            .partition(|metric| is_high_cardinality(metric));
        let (sliced, others): (Metrics, Metrics) = others
            .into_iter()
            .partition(|metric| is_of_slices(question.step) && series::is_sliced(metric));
        let of = |metrics: Metrics| TopKeysQuery {
            metrics,
            ..question.clone()
        };
        let (high, sliced, others) = (of(high), of(sliced), of(others));
        // All keys are cached, whatever keys are requested.
        let (high, sliced, others) = tokio::join!(
            highest(
                &self.high_cardinality,
                database,
                &high,
                high.key_prefix.clone()
            ),
            highest(&self.sliced, database, &sliced, sliced.key_prefix.clone()),
            highest(&self.all_keys, database, &others, None),
        );
        let mut all = high?;
        for more in [sliced?, others?] {
            all.series.extend(more.series);
            all.complete_from = all.complete_from.max(more.complete_from);
        }
        Ok(all)
    }
}

/// Answers a query from one of the caches.
async fn highest<K: Kept>(
    cache: &Cache<K>,
    database: &Database,
    question: &TopKeysQuery,
    key_prefix: Option<String>,
) -> Result<Highest, Failure> {
    if question.metrics.is_empty() {
        return Ok(Highest {
            complete_from: question.from,
            ..Highest::default()
        });
    }
    let key = CacheKey {
        host: question.host_id,
        generation: question.generation.clone(),
        step: question.step,
        key_prefix,
        metrics: question.metrics.iter().map(|metric| metric.id()).collect(),
    };
    let (host, generation) = (key.host, key.generation.clone());
    // A changed history is read again.
    let entry = cache.get(key, |known| {
        known.host != host || known.generation == generation
    });
    let until = Instant::now() + K::BUDGET;
    let found = database
        .read(WHAT, |session| {
            let entry = Arc::clone(&entry);
            async move {
                let mut entry = entry.lock().await;
                entry.read(&session.client, question, until).await?;
                entry.answer(&session.client, question).await
            }
        })
        .await?;
    if found.complete_from > question.from {
        tokio::spawn(read_after(database.clone(), question.clone(), entry));
    }
    Ok(found)
}

/// Reads the rest of a range after the answer, yielding to queries between reads.
async fn read_after<K: Kept>(database: Database, question: TopKeysQuery, entry: Entry<K>) {
    let until = Instant::now() + READ_AFTER;
    let question = &question;
    while Instant::now() < until {
        let read = database.read(WHAT, |session| {
            let entry = Arc::clone(&entry);
            async move {
                let Ok(mut entry) = entry.try_lock() else {
                    // A query is reading it.
                    return Ok(true);
                };
                let until = Instant::now() + K::BUDGET;
                entry.read(&session.client, question, until).await?;
                let from = question.from.as_micros();
                Ok(entry.start().is_none_or(|start| start <= from))
            }
        });
        match read.await {
            Ok(false) => {}
            Ok(true) => return,
            Err(failure) => {
                tracing::debug!(?failure, "older samples were not read");
                return;
            }
        }
    }
}

/// Reads buckets; a scan that fails fails the query.
async fn buckets(client: &Client, ask: &RangeQuery) -> Result<Vec<FoundSeries>, ReadError> {
    let mut answer = series::of_few_samples(client, ask).await;
    match answer.faults.pop() {
        Some(fault) => Err(fault.error),
        None => Ok(answer.series),
    }
}
