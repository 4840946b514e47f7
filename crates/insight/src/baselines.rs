//! What is stored about the usual values of each scored series: baselines, hours of the week, trend and forecast.
//!
//! Everything is computed from the hourly means of the last 30 days, which are read through the series reader, so that a
//! baseline and a chart agree. Nothing is kept between two runs: a forecaster is fed with the hours it would have seen,
//! absent ones included.
//!
//! * A baseline over 7 or 30 days begins with the present level: what lies before the last shift is left out
//!   ([`stats::shift`]), and so are hours in which something was wrong with the metric ([`Disturbed`]).
//! * An hour of the week has four means in four weeks, too few for a distribution. So the hours before and after
//!   it count, too. After the first run only the hours of the week that a new hour belongs to are written.
//! * A trend is that of 7 days, without the daily season; forecasts have a band and the skill they have had.

mod disturbed;

pub use disturbed::Disturbed;

use jiff::tz::TimeZone;
use schema::micros::HOUR;
use schema::{Domain, METRICS, Metric, Timestamp};
use stats::baseline::{Baseline, by_hour_of_week};
use stats::forecast::{Forecaster, HORIZONS};
use stats::moment::{HOURS_OF_WEEK, Moment};
use stats::order::median;
use stats::shift;
use stats::trend::{Direction, Trend};
use store::baselines::{Ahead, BaselineRow, Computed, Of, SlotRow, TrendRow};
use store::series::{self, Fault, RangeQuery};
use tokio_postgres::Client;

/// Hours that are read.
pub const HOURS: usize = 30 * DAY;
const DAY: usize = 24;
const WEEK: usize = 7 * DAY;
/// Weeks of which an hour of the week is the distribution.
const WEEKS: usize = 4;
/// Hours of a day without which it has no median.
const LEAST_OF_DAY: usize = 6;
/// Most keys of a metric, as many as the detector follows.
const MOST_KEYS: i64 = 200;

/// The hours of a run, and where they lie in the week of the host.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// End of the last hour.
    pub until: Timestamp,
    /// Of each hour, oldest first, and of the one that follows.
    moments: Vec<Moment>,
}

impl Calendar {
    /// Returns the whole hours before an instant.
    #[must_use]
    pub fn before(at: Timestamp, zone: &TimeZone) -> Self {
        let until = at.as_micros().div_euclid(HOUR) * HOUR;
        let moment = |back: usize| {
            let back = i64::try_from(back).unwrap_or_default() * HOUR;
            // The middle of the hour, as zones may be half an hour apart.
            let at = jiff::Timestamp::from_microsecond(until - back + HOUR / 2);
            Moment::of(at.unwrap_or_default(), zone)
        };
        Self {
            until: Timestamp(until),
            moments: (0..=HOURS).rev().map(moment).collect(),
        }
    }

    /// Returns the begin of the first hour.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        self.start(0)
    }

    /// Returns the begin of an hour.
    fn start(&self, hour: usize) -> Timestamp {
        let hours = i64::try_from(HOURS - hour.min(HOURS)).unwrap_or_default();
        Timestamp(self.until.as_micros() - hours * HOUR)
    }

    fn next(&self) -> Moment {
        self.moments[HOURS]
    }
}

/// The hourly means of a series.
#[derive(Clone, Debug)]
pub struct Hours {
    /// The metric.
    pub metric: &'static Metric,
    /// Its key.
    pub key: Option<String>,
    /// One for each hour that was read, oldest first; NaN for none.
    pub means: Vec<f64>,
}

/// Returns the scored metrics in groups that are read together: those of a domain, and those with many keys one by one, so
/// that no group takes more than some megabytes.
#[must_use]
pub fn groups() -> Vec<Vec<&'static Metric>> {
    let mut groups: Vec<Vec<&'static Metric>> = Vec::new();
    for metric in METRICS.iter().filter(|one| one.scoring.least().is_some()) {
        let is_large = matches!(metric.domain, Domain::Process | Domain::Table);
        match groups.last_mut() {
            Some(group) if !is_large && group[0].domain == metric.domain => group.push(metric),
            _ => groups.push(vec![metric]),
        }
    }
    groups
}

/// Reads the hours of a group, of which `interval` is the sampling interval, microseconds. A metric that cannot be read
/// does not affect the others.
pub async fn read(
    client: &Client,
    host_id: i32,
    group: &[&'static Metric],
    calendar: &Calendar,
    interval: i64,
) -> (Vec<Hours>, Vec<Fault>) {
    hours(client, host_id, group, calendar.until, HOURS, interval).await
}

/// Reads so many hourly means of a group up to an hour.
pub(crate) async fn hours(
    client: &Client,
    host_id: i32,
    group: &[&'static Metric],
    until: Timestamp,
    count: usize,
    interval: i64,
) -> (Vec<Hours>, Vec<Fault>) {
    let span = i64::try_from(count).unwrap_or_default() * HOUR;
    let from = Timestamp(until.as_micros() - span);
    let metrics = group.iter().copied();
    let ask = RangeQuery::of_metrics(host_id, (from, until), HOUR, interval, MOST_KEYS, metrics);
    let answer = series::buckets(client, &ask).await;
    let hours = answer.series.into_iter().map(|found| {
        let mut means = vec![f64::NAN; count];
        for bucket in &found.buckets {
            let hour = (bucket.at.as_micros() - from.as_micros()) / HOUR;
            let mean = usize::try_from(hour)
                .ok()
                .and_then(|hour| means.get_mut(hour));
            if let Some(mean) = mean {
                *mean = bucket.avg;
            }
        }
        Hours {
            metric: found.metric,
            key: found.key,
            means,
        }
    });
    (hours.collect(), answer.faults)
}

/// Computes what is stored of a series. `known` is the end of the last hour that its stored rows are computed from.
pub fn compute(
    hours: &Hours,
    calendar: &Calendar,
    disturbed: &Disturbed,
    known: Option<Timestamp>,
    out: &mut Computed,
) {
    let of = Of::new(hours.metric, hours.key.as_deref());
    let all = &hours.means[..];
    let level = present_level(all);
    let spans = disturbed.of(&hours.metric.id(), &of.key);
    let usual = (!spans.is_empty()).then(|| disturbed::without(all, spans, calendar));
    let means = usual.as_deref().unwrap_or(all);
    for (window, length) in [("7d", WEEK), ("30d", HOURS)] {
        let first = (HOURS - length).max(level);
        let known = means[first..].iter().position(|mean| mean.is_finite());
        let first = first + known.unwrap_or_default();
        if let Some(one) = Baseline::of(means[first..].iter().copied()) {
            out.baselines.push(BaselineRow {
                of: of.clone(),
                window,
                mean: one.mean,
                stddev: one.stddev,
                percentiles: [one.p5, one.p25, one.p50, one.p75, one.p95],
                robust_spread: one.robust_spread,
                count: one.count,
                since: calendar.start(first),
            });
        }
    }
    slots(&of, means, level, calendar, known, out);
    out.trends.extend(trend(of, all, calendar));
}

/// Returns the first hour of the present level.
fn present_level(means: &[f64]) -> usize {
    let day = |day: &[f64]| {
        let present: Vec<f64> = day
            .iter()
            .copied()
            .filter(|mean| mean.is_finite())
            .collect();
        let is_whole = present.len() >= LEAST_OF_DAY;
        median(&present).filter(|_| is_whole).unwrap_or(f64::NAN)
    };
    let days: Vec<f64> = means.chunks(DAY).map(day).collect();
    shift::present_since(&days) * DAY
}

fn slots(
    of: &Of,
    means: &[f64],
    level: usize,
    calendar: &Calendar,
    known: Option<Timestamp>,
    out: &mut Computed,
) {
    let first = (HOURS - WEEKS * WEEK).max(level);
    let near = |hour: usize| hour.saturating_sub(1)..=(hour + 1).min(HOURS);
    let values = (first..HOURS)
        .flat_map(|hour| near(hour).map(move |at| (calendar.moments[at], means[hour])));
    let new = usize::try_from(
        (calendar.until.as_micros() - known.map_or(0, Timestamp::as_micros)) / HOUR,
    );
    let new = new.unwrap_or(0).min(HOURS);
    let mut is_wanted = [new >= WEEK; HOURS_OF_WEEK];
    for moment in (HOURS - new..HOURS)
        .flat_map(near)
        .map(|at| calendar.moments[at])
    {
        is_wanted[moment.hour_of_week()] = true;
    }
    let slots = by_hour_of_week(values).into_iter().enumerate();
    let wanted = slots.filter(|(slot, _)| is_wanted[*slot]);
    out.slots.extend(wanted.filter_map(|(slot, one)| {
        let one = one?;
        Some(SlotRow {
            of: of.clone(),
            hour_of_week: slot,
            mean: one.mean,
            stddev: one.stddev,
            p50: one.p50,
            p95: one.p95,
            count: one.count,
        })
    }));
}

fn trend(of: Of, means: &[f64], calendar: &Calendar) -> Option<TrendRow> {
    let mut forecaster = Forecaster::new();
    // Hours before the first one that is known teach nothing.
    let first = means.iter().position(|mean| mean.is_finite())?;
    for (moment, mean) in calendar.moments.iter().zip(means).skip(first) {
        forecaster.observe(moment.hour_of_week(), *mean);
    }
    let mut ahead = [Ahead {
        value: 0.0,
        band: None,
    }; HORIZONS.len()];
    for (ahead, hours) in ahead.iter_mut().zip(HORIZONS) {
        let forecast = forecaster.forecast(hours)?;
        // No metric of the catalogue is negative.
        let least = |value: f64| value.max(0.0);
        ahead.value = least(forecast.value);
        ahead.band = forecast.band.map(|(low, high)| (least(low), least(high)));
    }
    let slope = Trend::of(&means[HOURS - WEEK..]).map(|trend| {
        let direction = match trend.direction {
            Direction::Rising => "rising",
            Direction::Falling => "falling",
            Direction::Flat => "stable",
        };
        (trend.slope, trend.r_squared, direction, trend.confidence)
    });
    Some(TrendRow {
        of,
        current: means.last().copied().filter(|mean| mean.is_finite()),
        slope,
        ahead,
        mase: forecaster.mase(DAY),
        hour_of_week: calendar.next().hour_of_week(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday 2026-11-30 12:20 UTC.
    const NOW: Timestamp = Timestamp(1_796_041_200_000_000);

    fn computed(means: Vec<f64>, known: Option<Timestamp>) -> Computed {
        let calendar = Calendar::before(NOW, &TimeZone::UTC);
        let hours = Hours {
            metric: schema::metric("system.cpu_busy_pct").unwrap(),
            key: None,
            means,
        };
        let mut out = Computed::default();
        compute(&hours, &calendar, &Disturbed::default(), known, &mut out);
        out
    }

    /// Returns means of hours that begin at midnight or noon: high from 8 to 18, and a little noise.
    fn office(hour: usize) -> f64 {
        let of_day = (hour + 12) % DAY;
        let noise = (hour * 7919 % 13) as f64 / 13.0;
        if (8..18).contains(&of_day) {
            60.0 + noise
        } else {
            20.0 + noise
        }
    }

    #[test]
    fn what_falls_to_zero_is_not_foreseen_below_it() {
        let falling = |hour: usize| (HOURS - hour) as f64 * 0.02;
        let out = computed((0..HOURS).map(falling).collect(), None);
        let [.., day] = out.trends[0].ahead;
        assert_eq!(day.value, 0.0, "{day:?}");
        assert!(day.band.unwrap().0 >= 0.0, "{day:?}");
    }

    #[test]
    fn hours_of_the_week_differ_and_the_forecast_knows_the_day() {
        let out = computed((0..HOURS).map(office).collect(), None);
        let calendar = Calendar::before(NOW, &TimeZone::UTC);
        assert_eq!(calendar.next().hour_of_week(), 12);
        assert_eq!(out.baselines.len(), 2);
        assert_eq!(
            (out.baselines[0].count, out.baselines[1].count),
            (WEEK, HOURS)
        );
        assert_eq!(out.baselines[1].since, calendar.from());
        assert_eq!(out.slots.len(), HOURS_OF_WEEK);
        let mean = |slot: usize| {
            out.slots
                .iter()
                .find(|one| one.hour_of_week == slot)
                .unwrap()
                .mean
        };
        assert!(
            mean(12) > 59.0 && mean(3) < 22.0,
            "{} {}",
            mean(12),
            mean(3)
        );
        let trend = &out.trends[0];
        assert_eq!(trend.hour_of_week, 12);
        assert_eq!(trend.slope.unwrap().2, "stable");
        let [hour, quarter, day] = trend.ahead;
        assert!((hour.value - 60.5).abs() < 2.0, "{hour:?}");
        assert!((quarter.value - 60.5).abs() < 2.0, "{quarter:?}");
        assert!((day.value - 60.5).abs() < 2.0, "{day:?}");
        let (low, high) = hour.band.unwrap();
        assert!(low <= hour.value && hour.value <= high);
    }

    #[test]
    fn a_new_hour_changes_its_neighbours_alone() {
        let means: Vec<f64> = (0..HOURS).map(office).collect();
        let calendar = Calendar::before(NOW, &TimeZone::UTC);
        let known = |hours: i64| Some(Timestamp(calendar.until.as_micros() - hours * HOUR));
        let slots = |known| {
            let slots = computed(means.clone(), known).slots;
            slots.iter().map(|one| one.hour_of_week).collect::<Vec<_>>()
        };
        assert_eq!(slots(known(0)), [] as [usize; 0]);
        assert_eq!(slots(known(1)), [10, 11, 12]);
        assert_eq!(slots(known(2)), [9, 10, 11, 12]);
        assert_eq!(slots(known(500)).len(), HOURS_OF_WEEK);
    }

    #[test]
    fn what_lies_before_a_shift_is_left_out() {
        let shifted =
            (0..HOURS).map(|hour| office(hour) + if hour >= 20 * DAY { 200.0 } else { 0.0 });
        let out = computed(shifted.collect(), None);
        let month = &out.baselines[1];
        assert_eq!(month.count, 10 * DAY);
        assert!(month.mean > 200.0);
    }

    #[test]
    fn what_is_absent_has_no_row() {
        assert!(computed(vec![f64::NAN; HOURS], None).is_empty());
        let mut few = vec![f64::NAN; HOURS];
        few[HOURS - 5..].fill(1.0);
        let out = computed(few, None);
        assert!(out.baselines.is_empty());
        // A forecast is the last value then.
        assert_eq!(out.trends.len(), 1);
        assert_eq!(out.trends[0].slope, None);
    }

    #[test]
    fn every_scored_metric_is_read_once() {
        let groups = groups();
        let read: usize = groups.iter().map(Vec::len).sum();
        let scored = METRICS.iter().filter(|one| one.scoring.least().is_some());
        assert_eq!(read, scored.count());
        for group in &groups {
            let first = group[0].domain.is_of_service();
            assert!(group.iter().all(|one| one.domain.is_of_service() == first));
        }
    }
}
