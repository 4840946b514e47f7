//! What a period or an hour of an objective counts.

use super::definition::{Counts, Slo};
use schema::micros::{HOUR, MINUTE, SECOND};
use store::series::tallies::{Tallied, Weight, weight};
use store::slos::Counted;

/// Returns what a period read from samples counts; `None` without data. `step` is its width.
pub(super) fn of_period(slo: &Slo, period: &Tallied, step: i64) -> Option<Counted> {
    of_span(slo, period, minutes(step))
}

fn of_span(slo: &Slo, span: &Tallied, judged: f64) -> Option<Counted> {
    match slo.counts {
        Counts::Events => Some(Counted {
            bad: span.weight * span.mean.map_or(0.0, |mean| slo.bad_share(mean)),
            total: span.weight,
            judged,
            ..Counted::default()
        }),
        Counts::Minutes => {
            let mean = span.mean?;
            Some(Counted {
                bad: if slo.is_bad(mean) { judged } else { 0.0 },
                total: judged,
                judged,
                down: 0.0,
                value_sum: mean * judged,
            })
        }
    }
}

/// What a stored hour tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum OfHour {
    /// What it counts.
    Counted(Counted),
    /// Some of its periods may be bad and others not: only its samples tell.
    Mixed,
    /// Nothing.
    Absent,
}

/// Returns what a stored hour counts. In `sampled` minutes of it the host was sampled, `interval` is the time between two samples of the metric.
pub(super) fn of_hour(slo: &Slo, hour: &Tallied, sampled: f64, interval: i64) -> OfHour {
    if slo.counts == Counts::Minutes {
        let (Some(lo), Some(hi)) = (hour.lo, hour.hi) else {
            return OfHour::Absent;
        };
        // In seconds without a row an amount is 0.
        let lo = if weight(slo.metric) == Weight::Amounts {
            lo.min(0.0)
        } else {
            lo
        };
        if slo.is_bad(lo) != slo.is_bad(hi) {
            return OfHour::Mixed;
        }
    }
    of_whole_hour(slo, hour, sampled, interval)
}

/// Returns what a stored hour counts when all of it is judged by its mean.
pub(super) fn of_whole_hour(slo: &Slo, hour: &Tallied, sampled: f64, interval: i64) -> OfHour {
    let judged = match weight(slo.metric) {
        Weight::Samples => hour.weight * minutes(slo.metric.every().micros(interval)),
        Weight::Seconds => hour.weight / 60.0,
        Weight::Events | Weight::Amounts => sampled,
    };
    let judged = judged.min(minutes(HOUR));
    let mut whole = hour.clone();
    if weight(slo.metric) == Weight::Amounts {
        let covered = judged.max(hour.weight / 60.0) * 60.0;
        whole.mean = hour.mean.map(|mean| mean * hour.weight / covered);
    }
    of_span(slo, &whole, judged).map_or(OfHour::Absent, OfHour::Counted)
}

/// Returns the minutes of an hour in which there was no answer.
pub(super) fn down_in_hour(up: &Tallied, interval: i64) -> f64 {
    let sampled = (up.weight * minutes(interval)).min(minutes(HOUR));
    sampled * (1.0 - up.mean.unwrap_or(1.0)).clamp(0.0, 1.0)
}

/// Returns the minutes of a period in which there was no answer.
pub(super) fn down_in_period(up: &Tallied, step: i64) -> f64 {
    minutes(step) * (1.0 - up.mean.unwrap_or(1.0)).clamp(0.0, 1.0)
}

/// Converts microseconds to minutes.
#[expect(
    clippy::cast_precision_loss,
    reason = "spans of time are far below 2^53 µs"
)]
pub(super) fn minutes(micros: i64) -> f64 {
    (micros / SECOND) as f64 / (MINUTE / SECOND) as f64
}

/// Adds figures.
pub(super) fn add(to: &mut Counted, other: &Counted) {
    to.bad += other.bad;
    to.total += other.total;
    to.judged += other.judged;
    to.down += other.down;
    to.value_sum += other.value_sum;
}
