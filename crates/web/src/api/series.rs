//! `GET series`: metrics over a range, reduced to buckets.
//!
//! The grid is aligned to the epoch, so a bucket means the same in every answer and an increment
//! can replace whole buckets. A cursor names the last bucket that may still change, and a
//! fingerprint of everything an increment relies on: the generation of the history, the width of
//! the buckets, and which series there are. When that differs, the answer is whole.

use std::fmt::Write as _;

use schema::micros::{DAY, HOUR};
use schema::{Every, Metric, SLOW_SECS, Timestamp};
use snapshot::marks::marks;
use store::series::{self, Fault, FoundSeries, Pick, RangeQuery};

use super::{Params, params};
use crate::answers::{Answer, fingerprint};
use crate::app::App;
use crate::areas::of_service;
use crate::error::ApiError;
use crate::hosts::Host;
use crate::range::{Grid, Range, range};
use crate::top_keys;
use crate::wire::series::{Mark, Series, SeriesAnswer, SeriesError};
use words::round;

/// Most metrics of a request.
const MOST: usize = 24;

/// The parameters of a request.
#[derive(Debug)]
struct SeriesQuery {
    picks: Vec<Pick>,
    range: Range,
    grid: Grid,
    limit: i64,
    /// Restricts the keys to this one and those that begin with it and a dot.
    key_prefix: Option<String>,
    interval: i64,
    /// The longest interval at which any of the metrics is sampled.
    step_interval: i64,
    host_id: i32,
    /// How much later than the newest tick a sample may arrive, microseconds.
    lag: i64,
}

/// Answers `GET series`.
///
/// # Errors
/// When a parameter does not parse, a metric does not exist, or nothing at all could be read.
pub async fn series(app: &App, asked: &Params) -> Result<Answer, ApiError> {
    let now = app.now();
    let picks = picks(asked.get("m").unwrap_or_default())?;
    let range = range(asked.get("from"), asked.get("to"), now)?;
    let px = asked.number("px", 620, 10, 2000)?;
    let limit = asked.number("limit", 8, 1, 64)?;
    let host = app.host(asked.get("host")).await?;
    let host = host.as_ref();
    let assumed = i64::try_from(app.settings.interval.as_micros()).unwrap_or(i64::MAX);
    let interval = host.map_or(assumed, |host| host.interval);
    let interval_of = |pick: &Pick| host.map_or(assumed, |host| host.interval_of(pick.metric));
    let grid = range.grid(px, interval.max(least_step(&picks, range, host)));
    let question = SeriesQuery {
        step_interval: picks.iter().map(interval_of).max().unwrap_or(interval),
        lag: picks
            .iter()
            .map(|pick| lag(pick.metric, interval_of(pick)))
            .max()
            .unwrap_or(0),
        picks,
        range,
        grid,
        limit,
        key_prefix: asked.get("key_prefix").map(str::to_owned),
        interval,
        host_id: host.map_or(0, |host| host.id),
    };
    let since = asked.get("since").and_then(Cursor::parse);
    let mut name = format!(
        "series {}",
        asked.question(&["since", "host", "from", "to"])
    );
    let _infallible = write!(
        name,
        " {} {} {} {} {} {since:?}",
        host.map_or_else(String::new, Host::stamp),
        grid.start.as_micros(),
        grid.step,
        grid.n,
        // A range that ends now is cut at the newest sample anyway.
        if range.to >= now {
            0
        } else {
            range.to.as_micros()
        },
    );
    app.answers
        .get(name, async || answer(app, host, &question, since).await)
        .await
}

/// Longest range whose buckets are narrower than an hour, microseconds: of longer ones the samples are too many to be read in the
/// time of a page.
const LONGEST_OF_SAMPLES: i64 = 2 * DAY;

/// Returns the least width of buckets over a range: of whole hours or days where it is long, or where nothing else is kept.
fn least_step(picks: &[Pick], range: Range, host: Option<&Host>) -> i64 {
    if !picks.iter().any(|pick| pick.metric.is_rolled_up()) {
        return 0;
    }
    let is_gone = |kept_from: Option<Timestamp>| kept_from.is_some_and(|from| range.from < from);
    if is_gone(host.and_then(|host| host.hours_from)) {
        DAY
    } else if range.span() > LONGEST_OF_SAMPLES || is_gone(host.and_then(|host| host.raw_from)) {
        HOUR
    } else {
        0
    }
}

/// Returns what buckets of this width are read from.
const fn source(step: i64) -> &'static str {
    if step % DAY == 0 {
        "daily"
    } else if series::is_of_hours(step) {
        "hourly"
    } else {
        "raw"
    }
}

/// Parses `id` or `id@key`, separated by commas.
fn picks(text: &str) -> Result<Vec<Pick>, ApiError> {
    let mut picks = Vec::new();
    for item in text.split(',').filter(|item| !item.is_empty()) {
        if picks.len() == MOST {
            return Err(ApiError::bad("m", "names more than 24 metrics"));
        }
        let (id, key) = match item.split_once('@') {
            Some((id, key)) => {
                let bad = || ApiError::bad("m", "has a key that is not percent-encoded UTF-8");
                (id, Some(params::decode(key, false).ok_or_else(bad)?))
            }
            None => (item, None),
        };
        let metric = schema::metric(id).ok_or(ApiError::NotFound("no such metric"))?;
        let pick = Pick {
            metric,
            // A single series has no keys to choose from.
            key: key.filter(|_| metric.key.is_some()),
        };
        if !picks.contains(&pick) {
            picks.push(pick);
        }
    }
    if picks.is_empty() {
        return Err(ApiError::bad("m", "names no metric"));
    }
    Ok(picks)
}

/// Where an answer ended, and the state that a continuation depends on.
#[derive(Clone, Debug, PartialEq)]
struct Cursor {
    seam: Timestamp,
    relies_on: String,
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let (seam, relies_on) = text.split_once('-')?;
        let seam: i64 = seam.parse().ok()?;
        (relies_on.len() == 16).then(|| Self {
            seam: Timestamp::from_millis(seam),
            relies_on: relies_on.to_owned(),
        })
    }

    fn text(&self) -> String {
        format!("{}-{}", self.seam.as_millis(), self.relies_on)
    }
}

/// Returns a fingerprint of the state that a continuation depends on.
fn relies_on(host: Option<&Host>, grid: Grid, read: &Read) -> String {
    let mut text = String::new();
    for found in &read.series {
        let key = found.key.as_deref().unwrap_or_default();
        let _infallible = write!(text, "{}@{}:{key};", found.metric.id(), key.len());
    }
    if read.complete_from > grid.start {
        let _infallible = write!(text, "from {}", read.complete_from.as_micros());
    }
    let stamp = host.map_or_else(String::new, |host| {
        format!("{}/{}", host.id, host.generation)
    });
    fingerprint([stamp.as_bytes(), &grid.step.to_le_bytes(), text.as_bytes()])
}

/// The result of the reads.
struct Read {
    series: Vec<FoundSeries>,
    faults: Vec<Fault>,
    /// What lies before has not been read yet of metrics with keys.
    complete_from: Timestamp,
    gaps: Vec<(Timestamp, Timestamp)>,
    marks: Vec<Mark>,
}

async fn answer(
    app: &App,
    host: Option<&Host>,
    question: &SeriesQuery,
    since: Option<Cursor>,
) -> Result<Answer, ApiError> {
    let grid = question.grid;
    let end = Timestamp(grid.start.as_micros() + grid.step * i64::try_from(grid.n).unwrap_or(0));
    let within = |at: Timestamp| {
        at >= grid.start && at < end && (at.as_micros() - grid.start.as_micros()) % grid.step == 0
    };
    if let Some(cursor) = since.filter(|cursor| within(cursor.seam)) {
        let read = read_from(app, host, question, cursor.seam).await?;
        if read.faults.is_empty() && relies_on(host, grid, &read) == cursor.relies_on {
            return Answer::new(&shape(host, question, read, cursor.seam, true));
        }
    }
    let read = read_from(app, host, question, grid.start).await?;
    Answer::new(&shape(host, question, read, grid.start, false))
}

impl SeriesQuery {
    /// Returns the query of the picks that are single series or chosen keys.
    fn plain(&self, give_from: Timestamp) -> RangeQuery {
        let picks = self.picks.iter().filter(|pick| !is_by_key(pick));
        RangeQuery {
            host_id: self.host_id,
            from: self.grid.start,
            to: self.range.to,
            give_from,
            step: self.grid.step,
            interval: self.step_interval,
            limit: self.limit,
            key_prefix: None,
            last: true,
            picks: picks.cloned().collect(),
        }
    }

    /// Returns the query of the picks whose keys are those with the highest values.
    fn top_keys(&self, host: Option<&Host>, seam: Timestamp) -> top_keys::TopKeysQuery {
        let picks = self.picks.iter().filter(|pick| is_by_key(pick));
        top_keys::TopKeysQuery {
            host_id: self.host_id,
            generation: host.map_or_else(String::new, |host| host.generation.clone()),
            from: self.grid.start,
            seam,
            to: self.range.to,
            step: self.grid.step,
            interval: self.step_interval,
            limit: self.limit,
            key_prefix: self.key_prefix.clone(),
            metrics: picks.map(|pick| pick.metric).collect(),
        }
    }
}

fn is_by_key(pick: &Pick) -> bool {
    pick.key.is_none() && pick.metric.key.is_some()
}

async fn read_from(
    app: &App,
    host: Option<&Host>,
    question: &SeriesQuery,
    give_from: Timestamp,
) -> Result<Read, ApiError> {
    let grid = question.grid;
    let highest = question.top_keys(host, seam(host, grid, question.lag));
    let ask = &question.plain(give_from);
    let plain = app.database.read("series", |session| async move {
        let client = &session.client;
        let mut found = series::buckets(client, ask).await;
        // A scan that fails is reported next to the others; a link that fails fails them all.
        if found.series.is_empty()
            && let Some(at) = found
                .faults
                .iter()
                .position(|fault| !fault.error.is_timeout())
        {
            return Err(found.faults.swap_remove(at).error);
        }
        let (id, interval) = (question.host_id, question.interval);
        let gaps = series::gaps(client, id, give_from, ask.to, interval, ask.step);
        let (gaps, marks) = tokio::join!(gaps, marks(client, id, give_from, ask.to));
        Ok((found, gaps?, marks?))
    });
    let (plain, highest) = tokio::join!(plain, app.top_keys.highest(&app.database, &highest));
    let (found, gaps, marks) = plain?;
    let highest = highest?;
    let mut series = found.series;
    series.extend(highest.series);
    series.sort_by_key(|found| {
        question.picks.iter().position(|pick| {
            pick.metric == found.metric && (pick.key.is_none() || pick.key == found.key)
        })
    });
    let marks = marks.into_iter().map(|mark| Mark {
        at_ms: mark.at.as_millis(),
        text: mark.text,
        severity: mark.severity,
    });
    Ok(Read {
        series,
        faults: found.faults,
        complete_from: highest.complete_from,
        gaps,
        marks: marks.collect(),
    })
}

fn shape(
    host: Option<&Host>,
    question: &SeriesQuery,
    read: Read,
    from: Timestamp,
    partial: bool,
) -> SeriesAnswer {
    let grid = question.grid;
    let skipped = (from.as_micros() - grid.start.as_micros()) / grid.step;
    let n = grid.n - usize::try_from(skipped).unwrap_or(0).min(grid.n);
    let relies_on = relies_on(host, grid, &read);
    let error = |metric: &Metric, message: &str| SeriesError {
        metric: metric.id(),
        message: message.to_owned(),
    };
    let mut errors = Vec::new();
    for fault in &read.faults {
        let message = if fault.error.is_timeout() {
            "this took too long; choose a shorter range"
        } else {
            let cause = std::error::Error::source(&fault.error).map(ToString::to_string);
            tracing::error!(error = %fault.error, cause, "a metric cannot be read");
            "the metric could not be read; see the server's log"
        };
        errors.extend(fault.metrics.iter().map(|metric| error(metric, message)));
    }
    if read.complete_from > grid.start {
        let by_key = |pick: &&Pick| pick.key.is_none() && pick.metric.key.is_some();
        let lacking = question.picks.iter().filter(by_key);
        let message = "older samples are still being read; they follow in a moment";
        errors.extend(lacking.map(|pick| error(pick.metric, message)));
    }
    SeriesAnswer {
        now_ms: 0,
        t0_ms: from.as_millis(),
        step_ms: grid.step / 1000,
        n,
        source: source(grid.step),
        generation: host.map_or_else(String::new, |host| host.generation.clone()),
        cursor: Cursor {
            seam: seam(host, grid, question.lag),
            relies_on,
        }
        .text(),
        partial,
        series: read
            .series
            .iter()
            .map(|found| columns(found, grid.step, from, n))
            .collect(),
        gaps: read
            .gaps
            .iter()
            .map(|(from, to)| (from.as_millis(), to.as_millis()))
            .collect(),
        marks: read.marks,
        errors,
    }
}

/// Returns how late samples of a metric may be stored: services answer after the host was sampled, so
/// their rows of a tick may be stored after the next one, and slow queries up to a minute later.
fn lag(metric: &Metric, interval: i64) -> i64 {
    if metric.every() == Every::Slow {
        return i64::from(SLOW_SECS + 60) * 1_000_000;
    }
    if of_service(metric) {
        return 2 * interval;
    }
    0
}

/// Returns the start of the first bucket that may still change: the one with the newest sample, less the lag.
fn seam(host: Option<&Host>, grid: Grid, lag: i64) -> Timestamp {
    let newest = host.and_then(|host| host.newest).unwrap_or(grid.start);
    let bucket = (newest.as_micros() - lag - grid.start.as_micros()).div_euclid(grid.step);
    let last = i64::try_from(grid.n).unwrap_or(1) - 1;
    Timestamp(grid.start.as_micros() + bucket.clamp(0, last.max(0)) * grid.step)
}

fn columns(found: &FoundSeries, step: i64, from: Timestamp, n: usize) -> Series {
    let empty = vec![None; n];
    let mut series = Series {
        metric: found.metric.id(),
        key: found.key.clone(),
        lo: empty.clone(),
        hi: empty.clone(),
        avg: empty,
        last: found.last.map(round),
    };
    for bucket in &found.buckets {
        let at = (bucket.at.as_micros() - from.as_micros()).div_euclid(step);
        let Some(at) = usize::try_from(at).ok().filter(|at| *at < n) else {
            continue;
        };
        series.lo[at] = Some(round(bucket.lo));
        series.hi[at] = Some(round(bucket.hi));
        series.avg[at] = Some(round(bucket.avg));
    }
    series
}
