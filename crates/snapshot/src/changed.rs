//! What changed most: how far a series is from before, and from what is usual at this hour.
//!
//! The distance from before is that of the bucket of the window that is furthest from the median before, in multiples of the robust
//! spread before. A spread has a floor, so that a series that never moved is not infinitely far: a third of the least effect
//! that the catalogue states for a scored metric ([`schema::Scoring`]) or `trifle` states for another one, and what chance
//! alone does to a count (`by_chance`). The
//! distance from what is usual is the same bucket's from the mean of this hour of the week. Both count by their logarithm, so that
//! ten and a hundred spreads are not ten times different, and rows are ranked by the mean of both. A series of which only
//! one is known counts `ONE_SIDED` of it.

use std::collections::HashMap;

use schema::micros::{HOUR, SECOND};
use schema::{Better, Every, Metric, SLOW_SECS, Series, Timestamp, Unit};
use stats::order::{median, robust_spread};
use store::baselines;
use store::series::{Bucket, ReadError};
use tokio_postgres::Client;
use words::round;

use crate::model::{Appearance, Change, Changed};
use crate::readings::{Reading, Readings};

/// A distance that is a change: three deviations, which one in 400 normal values reaches. A choice of ours.
const LEAST_EFFECT: f64 = 3.0;
/// Rows that are listed.
const ROWS: usize = 30;
/// Keys of one metric that are listed: a full disk of ten tables must not hide what else changed.
const KEYS_OF_ONE: usize = 3;
/// Series with values on one side only that are listed.
const APPEARANCES: usize = 10;
/// Greatest distance that counts.
const FURTHEST: f64 = 100.0;
/// What a series counts of which only the distance from before is known.
const ONE_SIDED: f64 = 0.8;
/// What a metric counts that is not scored: most often a scored one shows the same, and is to be seen first.
const UNSCORED: f64 = 0.8;

/// What is usual at an hour, by metric and key.
#[derive(Debug, Default)]
pub struct Usuals(HashMap<(String, String), Usual>);

/// Mean and standard deviation of an hour of the week.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub stddev: f64,
}

impl Usuals {
    /// Reads what is usual at the hour of an instant.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn read(client: &Client, host_id: i32, at: Timestamp) -> Result<Self, ReadError> {
        let hour = Timestamp(at.as_micros().div_euclid(HOUR) * HOUR);
        let found = baselines::bands(client, host_id, None, &[hour]).await?;
        let each = found.into_iter().filter_map(|band| {
            let (mean, stddev) = band.hours.first().copied()?.slot?;
            Some(((band.metric, band.key), Usual { mean, stddev }))
        });
        Ok(Self(each.collect()))
    }

    /// Returns what is usual for a series.
    #[must_use]
    pub fn of(&self, metric: &Metric, key: Option<&str>) -> Option<Usual> {
        let key = (metric.id(), key.unwrap_or_default().to_owned());
        self.0.get(&key).copied()
    }
}

/// Returns the least effect of a metric that is not scored: what nobody would act on. A choice of ours for each unit.
const fn trifle(unit: Unit) -> f64 {
    match unit {
        Unit::Bytes => 4e6,
        Unit::BytesPerSec => 1e5,
        Unit::Percent => 10.0,
        Unit::Ms | Unit::Us => 5.0,
        Unit::Secs => 30.0,
        Unit::Count => 2.0,
        Unit::PerSec | Unit::Ratio => 0.5,
        Unit::Bool | Unit::Text | Unit::Time | Unit::None => 1.0,
    }
}

/// Returns how much the mean of a bucket of counted events varies by chance: by the square root of their number.
fn by_chance(metric: &Metric, mean: f64, step: i64) -> f64 {
    let Series::Steps { scale, .. } = metric.series else {
        return 0.0;
    };
    let secs = match metric.every() {
        Every::Slow => step.max(i64::from(SLOW_SECS) * SECOND),
        Every::Tick => step,
    };
    #[expect(clippy::cast_precision_loss, reason = "a span of at most days")]
    let one = scale * SECOND as f64 / secs as f64;
    one * (mean / one).abs().max(1.0).sqrt()
}

/// Returns the least spread that a series is judged by.
fn floor(metric: &Metric, before: f64, step: i64) -> f64 {
    let least = metric
        .scoring
        .least()
        .unwrap_or_else(|| trifle(metric.unit));
    let share = match metric.scoring.least() {
        Some(_) => 0.01,
        None => 0.05,
    };
    (least / 3.0)
        .max(share * before.abs())
        .max(by_chance(metric, before, step))
}

/// Returns a distance in multiples of a spread; 0 where there is none.
fn distance(value: f64, middle: f64, spread: f64) -> f64 {
    let distance = (value - middle) / spread;
    match distance.is_nan() {
        true => 0.0,
        false => distance.clamp(-FURTHEST, FURTHEST),
    }
}

/// Compares a series; `None` where one side has no value, or nothing changed.
fn change(reading: &Reading, usual: Option<Usual>, step: i64) -> Option<Change> {
    let metric = reading.metric;
    let before = reading.means_before();
    let (middle, spread) = (median(&before)?, robust_spread(&before)?);
    let away = |bucket: &Bucket| (bucket.avg - middle).abs();
    // Of equals the first, as that is when it began.
    let furthest = reading
        .within
        .iter()
        .rev()
        .max_by(|a, b| away(a).total_cmp(&away(b)))?;
    let value = furthest.avg;
    let effect = distance(value, middle, spread.max(floor(metric, middle, step)));
    let usual_effect = usual.map(|usual| {
        let floor = floor(metric, usual.mean, step);
        distance(value, usual.mean, usual.stddev.max(floor))
    });
    let furthest_effect = effect.abs().max(usual_effect.map_or(0.0, f64::abs));
    if furthest_effect < LEAST_EFFECT {
        return None;
    }
    let weight = |effect: f64| effect.abs().ln_1p();
    let score = match usual_effect {
        Some(usual) => f64::midpoint(weight(effect), weight(usual)),
        None => ONE_SIDED * weight(effect),
    };
    let score = match metric.scoring.least() {
        Some(_) => score,
        None => UNSCORED * score,
    };
    // What is further from usual than from before is judged by the former.
    let direction = match usual_effect {
        Some(usual) if usual.abs() > effect.abs() => usual,
        _ => effect,
    };
    Some(Change {
        metric: metric.id(),
        key: reading.key.clone(),
        label: metric.label,
        unit: metric.unit.as_str(),
        domain: metric.domain.as_str(),
        value: round(value),
        at_ms: furthest.at.as_millis(),
        before: round(middle),
        effect: round(effect),
        usual: usual.map(|usual| round(usual.mean)),
        usual_effect: usual_effect.map(round),
        is_worse: match metric.better {
            Better::Lower => Some(direction > 0.0),
            Better::Higher => Some(direction < 0.0),
            Better::Neither => None,
        },
        score: round(score),
        more_keys: 0,
    })
}

fn appearance(reading: &Reading, buckets: &[Bucket]) -> Option<Appearance> {
    let value = buckets
        .iter()
        .map(|bucket| bucket.avg)
        .max_by(f64::total_cmp)?;
    Some(Appearance {
        metric: reading.metric.id(),
        key: reading.key.clone(),
        label: reading.metric.label,
        unit: reading.metric.unit.as_str(),
        value: round(value),
    })
}

/// Takes the first of a list that is sorted, and returns how many are left out.
fn cut<T>(list: &mut Vec<T>, most: usize) -> usize {
    let more = list.len().saturating_sub(most);
    list.truncate(most);
    more
}

/// Ranks every series; `step` is the width of a bucket, microseconds.
#[must_use]
pub fn rank(readings: &Readings, usuals: &Usuals, step: i64) -> Changed {
    let mut changed = Changed::default();
    let mut all: Vec<Change> = Vec::new();
    let (mut appeared, mut silent) = (Vec::new(), Vec::new());
    for reading in &readings.series {
        match (reading.before.is_empty(), reading.within.is_empty()) {
            (true, true) => {}
            (true, false) => appeared.extend(weighed(reading, &reading.within)),
            (false, true) => silent.extend(weighed(reading, &reading.before)),
            (false, false) => {
                changed.compared += 1;
                let usual = usuals.of(reading.metric, reading.key.as_deref());
                all.extend(change(reading, usual, step));
            }
        }
    }
    all.sort_by(|a, b| {
        let by_name = || (&a.metric, &a.key).cmp(&(&b.metric, &b.key));
        b.score.total_cmp(&a.score).then_with(by_name)
    });
    let mut rows: Vec<Change> = Vec::new();
    for one in all {
        let mut same = rows.iter_mut().filter(|row| row.metric == one.metric);
        match (same.next(), same.count()) {
            (Some(first), others) if others + 1 >= KEYS_OF_ONE => first.more_keys += 1,
            _ => rows.push(one),
        }
    }
    changed.more = cut(&mut rows, ROWS);
    changed.rows = rows;
    let ranked = |mut list: Vec<(f64, Appearance)>| {
        list.sort_by(|a, b| {
            let by_name = || (&a.1.metric, &a.1.key).cmp(&(&b.1.metric, &b.1.key));
            b.0.total_cmp(&a.0).then_with(by_name)
        });
        let list = list.into_iter().map(|(_, one)| one);
        list.collect::<Vec<Appearance>>()
    };
    let (mut appeared, mut silent) = (ranked(appeared), ranked(silent));
    changed.more_appeared = cut(&mut appeared, APPEARANCES);
    changed.more_silent = cut(&mut silent, APPEARANCES);
    (changed.appeared, changed.silent) = (appeared, silent);
    changed
}

/// Returns a series of one side with how much it matters: its value in multiples of the least effect; what has none comes last.
fn weighed(reading: &Reading, buckets: &[Bucket]) -> Option<(f64, Appearance)> {
    let one = appearance(reading, buckets)?;
    let least = reading.metric.scoring.least();
    Some((least.map_or(0.0, |least| one.value.abs() / least), one))
}

#[cfg(test)]
mod tests;
