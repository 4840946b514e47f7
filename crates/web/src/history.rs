//! Closed buckets of metrics with keys, kept in memory.
//!
//! Which keys have the highest values can be told only from all of them over the whole range, and
//! for processes that is a million rows a day. A bucket before the newest sample changes only with
//! the generation of the history, so it is read once and kept: afterwards a question reads what is
//! new. The first reading of a long range goes from the newest sample back, an hour of processes at
//! a time; what is not done within [`BUDGET`] is said to be missing and read on behind the answer.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use schema::{Class, Metric, Timestamp};
use store::series::{self, Ask, Bucket, Found, Pick, ReadError};
use tokio::sync::Mutex as Turn;
use tokio::time::Instant;
use tokio_postgres::Client;

use crate::app::App;
use crate::database::Failure;
use crate::wide;

/// How long a question reads what it lacks.
const BUDGET: Duration = Duration::from_millis(1200);
/// How much is read at once of tables with many rows a tick, microseconds.
const CHUNK: i64 = 3_600_000_000;
/// Below this a chunk is not cut further.
const LEAST_CHUNK: i64 = 60_000_000;
/// Questions of which buckets are kept.
const KEPT: usize = 32;
/// Buckets kept in all; 32 bytes each.
const KEPT_BUCKETS: usize = 1_500_000;
/// How long one reading behind an answer may last.
const BEHIND: Duration = Duration::from_secs(60);

/// What buckets belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    host: i32,
    generation: String,
    step: i64,
    metrics: Vec<String>,
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
    fn take(&mut self, found: &Found) {
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

/// Buckets over one unbroken span.
#[derive(Debug, Default)]
struct Entry {
    covered: Option<(i64, i64)>,
    columns: Vec<Column>,
    /// How much is read at once; cut when that took too long.
    chunk: i64,
}

type Shelf = VecDeque<(Name, Arc<Turn<Entry>>)>;

/// Closed buckets of late.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<Shelf>);

/// A question about metrics with keys.
#[derive(Clone, Debug)]
pub(crate) struct Question {
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
    /// Only this key and those that begin with it and a dot: what belongs to one server.
    pub(crate) within: Option<String>,
    pub(crate) metrics: Vec<&'static Metric>,
}

/// The keys with the highest values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Highest {
    pub(crate) series: Vec<Found>,
    /// What lies before has not been read yet.
    pub(crate) complete_from: Timestamp,
}

/// Answers a question, reading what is not kept.
///
/// # Errors
/// When the database does not answer, or even a minute of samples takes too long.
pub(crate) async fn highest(app: &App, question: &Question) -> Result<Highest, Failure> {
    let (wide, narrow): (Vec<_>, Vec<_>) = question
        .metrics
        .iter()
        .partition(|metric| wide::is_wide(metric));
    let of = |metrics: Vec<&'static Metric>| Question {
        metrics,
        ..question.clone()
    };
    if wide.is_empty() {
        return kept(app, question).await;
    }
    if narrow.is_empty() {
        return wide::highest(app, question).await;
    }
    let (wide, narrow) = (of(wide), of(narrow));
    let (wide, narrow) = tokio::join!(wide::highest(app, &wide), kept(app, &narrow));
    let (mut both, narrow) = (wide?, narrow?);
    both.series.extend(narrow.series);
    both.complete_from = both.complete_from.max(narrow.complete_from);
    Ok(both)
}

/// Answers a question about metrics whose buckets are all kept.
async fn kept(app: &App, question: &Question) -> Result<Highest, Failure> {
    if question.metrics.is_empty() {
        return Ok(Highest {
            complete_from: question.from,
            ..Highest::default()
        });
    }
    let entry = app.history.entry(question);
    let asked = Instant::now();
    let found = app
        .database
        .read("series by key", |session| {
            let entry = Arc::clone(&entry);
            async move {
                let mut entry = entry.lock().await;
                entry
                    .read(&session.client, question, asked + BUDGET)
                    .await?;
                let open = open(&session.client, question).await?;
                Ok(entry.highest(question, open))
            }
        })
        .await?;
    if found.complete_from > question.from {
        tokio::spawn(read_on(app.clone(), question.clone(), entry));
    }
    Ok(found)
}

/// Reads the rest of a range behind the answer, giving way between chunks.
async fn read_on(app: App, question: Question, entry: Arc<Turn<Entry>>) {
    let until = Instant::now() + BEHIND;
    let question = &question;
    while Instant::now() < until {
        let read = app.database.read("series by key", |session| {
            let entry = Arc::clone(&entry);
            async move {
                let Ok(mut entry) = entry.try_lock() else {
                    // A question is at it.
                    return Ok(true);
                };
                entry
                    .read(&session.client, question, Instant::now() + BUDGET)
                    .await?;
                Ok(entry
                    .covered
                    .is_some_and(|(from, _)| from <= question.from.as_micros()))
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

/// The last bucket, which may still change, with every key in it.
async fn open(client: &Client, question: &Question) -> Result<Vec<Found>, ReadError> {
    let (from, to) = (question.seam.as_micros(), question.to.as_micros());
    fetch(client, question, from, to).await
}

async fn fetch(
    client: &Client,
    question: &Question,
    from: i64,
    to: i64,
) -> Result<Vec<Found>, ReadError> {
    let ask = Ask {
        host_id: question.host_id,
        from: Timestamp(from),
        to: Timestamp(to),
        give_from: Timestamp(from),
        within: None,
        // Of the open bucket alone.
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
    let mut answer = series::buckets(client, &ask).await;
    match answer.faults.pop() {
        Some(fault) => Err(fault.error),
        None => Ok(answer.series),
    }
}

impl Question {
    fn wants(&self, key: &str) -> bool {
        self.within.as_deref().is_none_or(|within| {
            let rest = key.strip_prefix(within);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

impl History {
    fn entry(&self, question: &Question) -> Arc<Turn<Entry>> {
        let name = Name {
            host: question.host_id,
            generation: question.generation.clone(),
            step: question.step,
            metrics: question.metrics.iter().map(|metric| metric.id()).collect(),
        };
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A host whose history changed is read anew.
        shelf.retain(|(known, _)| known.host != name.host || known.generation == name.generation);
        if let Some(at) = shelf.iter().position(|(known, _)| *known == name)
            && let Some(found) = shelf.remove(at)
        {
            let entry = Arc::clone(&found.1);
            shelf.push_back(found);
            return entry;
        }
        // An entry in use is not counted; it will be when it is not.
        let size = |shelf: &Shelf| -> usize {
            let sizes = shelf
                .iter()
                .filter_map(|(_, entry)| Some(entry.try_lock().ok()?.size()));
            sizes.sum()
        };
        while shelf.len() >= KEPT || (!shelf.is_empty() && size(&shelf) > KEPT_BUCKETS) {
            shelf.pop_front();
        }
        let entry = Arc::new(Turn::new(Entry::default()));
        shelf.push_back((name, Arc::clone(&entry)));
        entry
    }
}

impl Entry {
    fn size(&self) -> usize {
        let columns = self
            .columns
            .iter()
            .flat_map(|column| column.points.values());
        columns.map(Vec::len).sum()
    }

    /// Reads what is missing of the closed buckets of the range, as far as time allows.
    async fn read(
        &mut self,
        client: &Client,
        question: &Question,
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
            match fetch(client, question, first, last).await {
                Ok(found) => self.take(question, &found, first, last),
                Err(error) if error.is_timeout() && chunk > LEAST_CHUNK.max(question.step) => {
                    self.chunk = chunk.min(last - first) / 2;
                }
                Err(error) => return Err(error),
            }
            if Instant::now() >= until {
                break;
            }
        }
        // What left the range is not asked for again.
        for column in &mut self.columns {
            column.points = column.points.split_off(&from);
        }
        self.covered = self.covered.map(|(start, end)| (start.max(from), end));
        Ok(())
    }

    fn first_chunk(question: &Question) -> i64 {
        let bulk = |metric: &Metric| metric.series.table().class == Class::Bulk;
        if question.metrics.iter().any(|metric| bulk(metric)) {
            CHUNK
        } else {
            i64::MAX / 4
        }
    }

    fn take(&mut self, question: &Question, found: &[Found], first: i64, last: i64) {
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

    /// The keys with the highest values of the range, with their buckets.
    fn highest(&self, question: &Question, open: Vec<Found>) -> Highest {
        let start = self
            .covered
            .map_or(question.seam.as_micros(), |(start, _)| start);
        let (from, seam) = (
            question.from.as_micros().max(start),
            question.seam.as_micros(),
        );
        let mut series = Vec::new();
        for (metric, column) in question.metrics.iter().zip(&self.columns) {
            let mut highest: HashMap<&str, f64> = HashMap::new();
            let mut note = |key, value: f64| {
                let known = highest.entry(key).or_insert(f64::NEG_INFINITY);
                *known = known.max(value);
            };
            let closed = || {
                column
                    .points
                    .range(from..seam)
                    .flat_map(|(_, points)| points)
            };
            for point in closed() {
                note(column.keys[point.key as usize].as_str(), point.bucket.hi);
            }
            let mine = || open.iter().filter(|found| found.metric == *metric);
            for found in mine() {
                for bucket in &found.buckets {
                    note(found.key.as_deref().unwrap_or_default(), bucket.hi);
                }
            }
            highest.retain(|key, _| question.wants(key));
            let mut ranked: Vec<(&str, f64)> = highest.into_iter().collect();
            ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
            ranked.truncate(usize::try_from(question.limit).unwrap_or(usize::MAX));
            let places: HashMap<&str, usize> = ranked
                .iter()
                .enumerate()
                .map(|(place, (key, _))| (*key, place))
                .collect();
            let mut found: Vec<Found> = ranked
                .iter()
                .map(|(key, _)| Found {
                    metric,
                    key: Some((*key).to_owned()),
                    buckets: Vec::new(),
                    last: None,
                })
                .collect();
            for point in closed() {
                if let Some(place) = places.get(column.keys[point.key as usize].as_str()) {
                    found[*place].buckets.push(point.bucket);
                }
            }
            for last in mine() {
                if let Some(place) = places.get(last.key.as_deref().unwrap_or_default()) {
                    found[*place].buckets.extend_from_slice(&last.buckets);
                    found[*place].last = last.last;
                }
            }
            series.extend(found);
        }
        Highest {
            series,
            complete_from: Timestamp(from),
        }
    }
}
