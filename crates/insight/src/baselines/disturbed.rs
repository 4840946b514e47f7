//! Hours inside an incident, which are not what is usual.
//!
//! While a warning or a critical finding of a series was open, or an incident that it belongs to, its hours count neither for
//! baselines nor for hours of the week. What lasts for twelve hours is the new normal, as it is for the detectors, so its hours
//! count, from the first one on: a disk that has been 80 % full for weeks is usually 80 % full.

use super::Calendar;
use schema::Timestamp;
use schema::micros::HOUR;
use std::collections::HashMap;
use store::findings::Disturbance;

/// What has lasted so long is normal: as long as something unusual is reported.
const NORMAL_AFTER: i64 = 12 * HOUR;
/// Share of the known hours that count at least: what is disturbed more often is usually so.
const LEAST_SHARE: f64 = 0.5;

/// Spans in which a series was disturbed, by metric and key.
#[derive(Debug, Default)]
pub struct Disturbed(HashMap<(String, String), Vec<(i64, i64)>>);

impl Disturbed {
    /// Takes what was open up to `at`.
    #[must_use]
    pub fn new(all: Vec<Disturbance>, at: Timestamp) -> Self {
        let mut spans: HashMap<(String, String), Vec<(i64, i64)>> = HashMap::new();
        for one in all {
            let (from, to) = (one.from.as_micros(), one.to.unwrap_or(at).as_micros());
            if (0..NORMAL_AFTER).contains(&(to - from)) {
                spans
                    .entry((one.metric, one.key))
                    .or_default()
                    .push((from, to));
            }
        }
        Self(spans)
    }

    /// Returns the spans of a series.
    pub(super) fn of(&self, metric: &str, key: &str) -> &[(i64, i64)] {
        // Most series have none, so the key is not looked up by reference for their sake.
        if self.0.is_empty() {
            return &[];
        }
        let found = self.0.get(&(metric.to_owned(), key.to_owned()));
        found.map_or(&[], Vec::as_slice)
    }
}

/// Returns the means of a series without those of its disturbed hours.
pub(super) fn without(means: &[f64], spans: &[(i64, i64)], calendar: &Calendar) -> Vec<f64> {
    let is_disturbed = |hour: usize| {
        let start = calendar.start(hour).as_micros();
        spans
            .iter()
            .any(|(from, to)| *from < start + HOUR && *to >= start)
    };
    let usual: Vec<f64> = means
        .iter()
        .enumerate()
        .map(|(hour, mean)| if is_disturbed(hour) { f64::NAN } else { *mean })
        .collect();
    let known = |means: &[f64]| means.iter().filter(|mean| mean.is_finite()).count() as f64;
    if known(&usual) < LEAST_SHARE * known(means) {
        return means.to_vec();
    }
    usual
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baselines::HOURS;
    use jiff::tz::TimeZone;

    /// Monday 2026-11-30 12:20 UTC.
    const NOW: Timestamp = Timestamp(1_796_041_200_000_000);

    fn disturbance(key: &str, hours_ago: i64, lasts: Option<i64>) -> Disturbance {
        let from = NOW.as_micros() - hours_ago * HOUR;
        Disturbance {
            metric: "system.cpu_busy_pct".to_owned(),
            key: key.to_owned(),
            from: Timestamp(from),
            to: lasts.map(|hours| Timestamp(from + hours * HOUR)),
        }
    }

    fn left(disturbances: Vec<Disturbance>) -> usize {
        let calendar = Calendar::before(NOW, &TimeZone::UTC);
        let disturbed = Disturbed::new(disturbances, NOW);
        let means = vec![1.0; HOURS];
        let usual = without(&means, disturbed.of("system.cpu_busy_pct", ""), &calendar);
        usual.iter().filter(|mean| mean.is_finite()).count()
    }

    #[test]
    fn hours_in_which_something_was_open_do_not_count() {
        assert_eq!(left(vec![]), HOURS);
        // From 02:20 to 05:20, four hours; and what is open since 11:20, of which one hour is whole.
        assert_eq!(left(vec![disturbance("", 10, Some(3))]), HOURS - 4);
        assert_eq!(left(vec![disturbance("", 1, None)]), HOURS - 1);
        assert_eq!(left(vec![disturbance("another", 10, Some(3))]), HOURS);
    }

    #[test]
    fn what_lasts_half_a_day_or_comes_all_the_time_is_normal() {
        assert_eq!(left(vec![disturbance("", 40, Some(12))]), HOURS);
        assert_eq!(left(vec![disturbance("", 13, None)]), HOURS);
        let daily = (0..30).map(|day| disturbance("", 24 * day + 11, Some(11)));
        assert!(left(daily.clone().collect()) < HOURS);
        let more = (0..30).map(|day| disturbance("", 24 * day + 23, Some(11)));
        assert_eq!(left(daily.chain(more).collect()), HOURS);
    }
}
