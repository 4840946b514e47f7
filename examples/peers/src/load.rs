//! How much there is to do at a time.

use std::f64::consts::TAU;

/// The load goes up and down once in this time, seconds: a day in ten minutes.
pub const SWING_SECS: f64 = 600.0;

/// From the begin of one trouble to the next, seconds.
pub const TROUBLE_EVERY_SECS: f64 = 900.0;

/// When in that time the trouble begins, and how long it lasts.
const TROUBLE_AT_SECS: f64 = 240.0;
const TROUBLE_SECS: f64 = 60.0;

/// Share of requests that fail, when all is well and in trouble.
const FAILING: f64 = 0.004;
const FAILING_IN_TROUBLE: f64 = 0.12;

/// Requests per second on average, and how much more or less there are at most.
const MEAN: f64 = 60.0;
const SWING: f64 = 35.0;

/// The load at one instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Requests since the start.
    pub(crate) requests: f64,
    /// Requests since the start that failed.
    pub(crate) failures: f64,
    /// Whether there is trouble.
    pub(crate) trouble: bool,
    /// From 0, when little is to do, to 1.
    pub(crate) busy: f64,
}

impl Load {
    pub(crate) fn at(uptime: f64) -> Self {
        let rate = MEAN + SWING * (TAU * uptime / SWING_SECS).sin();
        let within = uptime.rem_euclid(TROUBLE_EVERY_SECS) - TROUBLE_AT_SECS;
        let in_trouble = requests_in_trouble(uptime);
        let requests = requests(uptime);
        Self {
            rate,
            requests,
            failures: (requests - in_trouble) * FAILING + in_trouble * FAILING_IN_TROUBLE,
            trouble: (0.0..TROUBLE_SECS).contains(&within),
            busy: (rate - MEAN + SWING) / (2.0 * SWING),
        }
    }
}

/// Returns the integral of the rate.
fn requests(uptime: f64) -> f64 {
    MEAN * uptime + SWING * SWING_SECS / TAU * (1.0 - (TAU * uptime / SWING_SECS).cos())
}

/// Returns the integral of the rate over the times of trouble.
fn requests_in_trouble(uptime: f64) -> f64 {
    let mut sum = 0.0;
    let mut begin = TROUBLE_AT_SECS;
    // One step a quarter of an hour: 35,000 after a year.
    while begin < uptime {
        sum += requests(uptime.min(begin + TROUBLE_SECS)) - requests(begin);
        begin += TROUBLE_EVERY_SECS;
    }
    sum
}

/// Returns a counter: whole, and never below zero.
pub(crate) fn count(value: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and far below 2^53"
    )]
    let whole = value.max(0.0).floor() as u64;
    whole
}

/// Returns a measurement with three digits behind the point.
pub(crate) fn level(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
