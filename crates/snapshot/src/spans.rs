//! The spans of time that are read, and how finely.

use schema::Timestamp;
use schema::micros::{DAY, HOUR, MINUTE, SECOND};

use crate::Host;

/// The widths that a page offers, minutes on each side.
pub const MINUTES: [i64; 5] = [2, 5, 10, 15, 30];
/// Least and greatest width of one side, minutes.
pub const LIMITS: (i64, i64) = (1, 60);

/// An instant and how much around it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The instant.
    pub at: Timestamp,
    before: i64,
    after: i64,
}

impl Window {
    /// Creates a window of so many minutes before and after an instant, 1 to 60 each.
    #[must_use]
    pub fn new(at: Timestamp, before: i64, after: i64) -> Self {
        let micros = |minutes: i64| minutes.clamp(LIMITS.0, LIMITS.1) * MINUTE;
        Self {
            at,
            before: micros(before),
            after: micros(after),
        }
    }

    /// Returns its start.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        Timestamp(self.at.as_micros().saturating_sub(self.before))
    }

    /// Returns its end, not included.
    #[must_use]
    pub fn to(&self) -> Timestamp {
        Timestamp(self.at.as_micros().saturating_add(self.after))
    }
}

/// A span, `from <= ts < to`.
type Span = (Timestamp, Timestamp);

/// What is read: a window and what it is compared with, both of whole buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans {
    /// The instant, or the middle of the range.
    middle: Timestamp,
    /// The window.
    pub window: Span,
    /// What it is compared with.
    pub before: Span,
    /// Width of a bucket, microseconds.
    pub step: i64,
    /// The sampling interval, microseconds.
    interval: i64,
}

/// About so many buckets of the window: fewer hide a short event, more are moved by single samples.
const BUCKETS: i64 = 10;
/// Widths of buckets below an hour, seconds; each divides an hour.
const STEPS: [i64; 10] = [1, 5, 10, 20, 30, 60, 120, 300, 600, 1200];
/// The longest window that is read from samples: of longer ones these are too many for the time of a page.
const LONGEST_OF_SAMPLES: i64 = 3 * HOUR;
/// The longest that is read by the hour.
const LONGEST_OF_HOURS: i64 = 2 * DAY;
/// How much of tables with many rows at every tick is read around the instant, on each side, and before.
const NEAR: (i64, i64) = (3 * MINUTE, 4 * MINUTE);
/// Width of a bucket of these: it is that of the slices that are kept of closed hours, and a short span has as many buckets as a
/// long one.
const NEAR_STEP: i64 = 50 * SECOND;
/// Width of a bucket of tables that are read every five minutes: each bucket has two samples, and there are fewer.
const SLOW_STEP: i64 = 10 * MINUTE;
/// How much of these is read before: thousands of rows each five minutes take a third of a snapshot's time.
const SLOW_BEFORE: i64 = 30 * MINUTE;
/// How many hours before are read where only hours are kept: one mean has no spread.
const HOURS_BEFORE: i64 = 6;

impl Spans {
    /// Returns what is read.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        if self.step % DAY == 0 {
            "daily"
        } else if self.step % HOUR == 0 {
            "hourly"
        } else {
            "raw"
        }
    }

    /// Returns the spans of tables with many rows at every tick: the middle of the window, and the minutes just before it or
    /// the middle of what it is compared with.
    pub(crate) fn near(&self) -> Self {
        if self.source() != "raw" {
            return *self;
        }
        let cut = |(from, to): Span, middle: i64, side: i64| {
            let (from, to) = (from.as_micros(), to.as_micros());
            let span = (from.max(middle - side), to.min(middle + side));
            (Timestamp(span.0), Timestamp(span.1))
        };
        let half = |(from, to): Span| i64::midpoint(from.as_micros(), to.as_micros());
        let step = match self.interval <= NEAR_STEP {
            true => self.step.min(NEAR_STEP),
            false => self.step,
        };
        let window = cut(self.window, self.middle.as_micros(), NEAR.0);
        let whole = Self::new(self.middle, window, window, step).window;
        let before = match self.before.1 == self.window.0 {
            true => (Timestamp(whole.0.as_micros() - NEAR.1), whole.0),
            false => cut(self.before, half(self.before), NEAR.0),
        };
        Self {
            interval: self.interval,
            ..Self::new(self.middle, window, before, step)
        }
    }

    /// Returns the spans of tables that are read every few minutes: wider buckets, and half of the hour before.
    pub(crate) fn slow(&self) -> Self {
        if self.source() != "raw" {
            return *self;
        }
        let step = self.step.max(SLOW_STEP);
        let wide = Self::new(self.middle, self.window, self.before, step);
        if self.before.1 != self.window.0 {
            return wide;
        }
        let start = wide.window.0.as_micros() - SLOW_BEFORE;
        Self::new(
            self.middle,
            wide.window,
            (Timestamp(start), wide.window.0),
            step,
        )
    }

    /// Returns the window alone.
    pub(crate) const fn of_window(&self) -> Self {
        Self {
            before: (self.before.0, self.before.0),
            ..*self
        }
    }

    /// Returns what it is compared with alone.
    pub(crate) const fn of_before(&self) -> Self {
        Self {
            window: (self.window.0, self.window.0),
            ..*self
        }
    }

    fn new(middle: Timestamp, window: Span, before: Span, step: i64) -> Self {
        let whole = |(from, to): Span| {
            let from = from.as_micros().div_euclid(step) * step;
            let to = (to.as_micros() + step - 1).div_euclid(step) * step;
            (Timestamp(from), Timestamp(to.max(from + step)))
        };
        Self {
            middle,
            window: whole(window),
            before: whole(before),
            step,
            interval: 0,
        }
    }
}

fn step(span: i64, from: Timestamp, host: &Host) -> i64 {
    let is_gone = |kept: Option<Timestamp>| kept.is_some_and(|kept| from < kept);
    if is_gone(host.hours_from) || span > LONGEST_OF_HOURS {
        return DAY;
    }
    if is_gone(host.raw_from) || span > LONGEST_OF_SAMPLES {
        return HOUR;
    }
    let wanted = (span / BUCKETS).max(host.interval);
    let steps = STEPS.map(|secs| secs * SECOND);
    steps
        .into_iter()
        .find(|step| *step >= wanted)
        .unwrap_or(HOUR)
}

/// Returns what is read of a window: it and the hour before it; where only hours or days are kept, several of these.
#[must_use]
pub(crate) fn around(window: Window, host: &Host) -> Spans {
    let (from, to) = (window.from(), window.to());
    let earlier = |micros: i64| Timestamp(from.as_micros().saturating_sub(micros));
    let step = step(to.as_micros() - from.as_micros(), earlier(HOUR), host);
    let whole = Spans::new(window.at, (from, to), (from, to), step).window;
    let before = match step {
        step if step % HOUR == 0 => HOURS_BEFORE * step,
        _ => HOUR,
    };
    let start = Timestamp(whole.0.as_micros().saturating_sub(before));
    Spans {
        interval: host.interval,
        ..Spans::new(window.at, (from, to), (start, whole.0), step)
    }
}

/// Returns what is read of two ranges.
#[must_use]
pub(crate) fn of_ranges(window: Span, before: Span, host: &Host) -> Spans {
    let span = |(from, to): Span| to.as_micros() - from.as_micros();
    let longer = span(window).max(span(before));
    let middle = Timestamp(i64::midpoint(window.0.as_micros(), window.1.as_micros()));
    let step = step(longer, window.0.min(before.0), host);
    let mut spans = Spans {
        interval: host.interval,
        ..Spans::new(middle, window, before, step)
    };
    // A bucket on the seam of two ranges of which one follows the other belongs to the window.
    if before.1 <= window.0 && spans.before.0 < spans.window.0 {
        spans.before.1 = spans.before.1.min(spans.window.0);
    }
    if window.1 <= before.0 && spans.window.1 < spans.before.1 {
        spans.before.0 = spans.before.0.max(spans.window.1);
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_790_000_123_000_000);

    fn host() -> Host {
        Host {
            id: 1,
            name: "alpha".to_owned(),
            tick: 10 * SECOND,
            interval: 10 * SECOND,
            raw_from: Some(Timestamp(AT.as_micros() - 7 * DAY)),
            hours_from: Some(Timestamp(AT.as_micros() - 90 * DAY)),
        }
    }

    fn minutes(micros: i64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a few hours")]
        let micros = micros as f64;
        micros / 6e7
    }

    #[test]
    fn a_window_is_whole_buckets_and_follows_the_hour_before() {
        let spans = around(Window::new(AT, 10, 10), &host());
        assert_eq!(spans.step, 120 * SECOND);
        assert_eq!(spans.source(), "raw");
        assert_eq!(spans.before.1, spans.window.0);
        assert!(spans.window.0 <= AT && AT < spans.window.1);
        let width = |(from, to): Span| minutes(to.as_micros() - from.as_micros());
        assert!((width(spans.before) - 60.0).abs() < f64::EPSILON);
        assert!((20.0..=24.0).contains(&width(spans.window)));
    }

    #[test]
    fn both_sides_are_1_to_60_minutes() {
        let window = Window::new(AT, 0, 1000);
        assert_eq!(AT.as_micros() - window.from().as_micros(), MINUTE);
        assert_eq!(window.to().as_micros() - AT.as_micros(), 60 * MINUTE);
    }

    #[test]
    fn what_is_gone_is_read_from_what_is_kept() {
        let at = |days: i64| Timestamp(AT.as_micros() - days * DAY);
        let of = |days: i64| around(Window::new(at(days), 5, 5), &host());
        assert_eq!(of(8).source(), "hourly");
        assert_eq!(of(100).source(), "daily");
        let hours = of(8).before;
        assert_eq!(hours.1.as_micros() - hours.0.as_micros(), 6 * HOUR);
    }

    #[test]
    fn two_ranges_that_follow_each_other_share_no_bucket() {
        let at = |minutes: i64| Timestamp(AT.as_micros() + minutes * MINUTE);
        for (window, before) in [
            ((0, 60), (-60, 0)),
            ((0, 240), (-240, 0)),
            ((0, 60), (60, 120)),
            ((0, 4320), (-4320, 0)),
            ((0, 60), (-30, 30)),
        ] {
            let of = |(from, to): (i64, i64)| (at(from), at(to));
            let spans = of_ranges(of(window), of(before), &host());
            let overlap = |a: Span, b: Span| a.0.max(b.0) < a.1.min(b.1);
            let is_asked = overlap(of(window), of(before));
            assert_eq!(
                overlap(spans.window, spans.before),
                is_asked,
                "{window:?} {before:?} {spans:?}"
            );
            assert!(spans.before.0 < spans.before.1);
            assert!(spans.window.0 <= of(window).0 && of(window).1 <= spans.window.1);
        }
    }

    #[test]
    fn of_many_rows_only_those_near_the_instant_are_read() {
        let minutes = |(from, to): Span| minutes(to.as_micros() - from.as_micros());
        let near = around(Window::new(AT, 30, 30), &host()).near();
        assert!(near.window.0 <= AT && AT < near.window.1);
        assert!(minutes(near.window) <= 20.0, "{near:?}");
        assert!(minutes(near.before) <= 20.0, "{near:?}");
        let slow = around(Window::new(AT, 10, 10), &host()).slow();
        assert!(
            (minutes(slow.before) - 30.0).abs() < f64::EPSILON,
            "{slow:?}"
        );
        assert_eq!(slow.before.1, slow.window.0);
        let small = around(Window::new(AT, 2, 2), &host());
        assert_eq!(small.near().step, small.step);
        assert_eq!(small.near().window, small.window);
        let rare = Host {
            interval: 60 * SECOND,
            ..host()
        };
        assert_eq!(
            around(Window::new(AT, 30, 30), &rare).near().step % (60 * SECOND),
            0
        );
        let back = |hours: i64| Timestamp(AT.as_micros() - hours * HOUR);
        let apart = of_ranges((back(1), AT), (back(26), back(25)), &host()).near();
        assert!(apart.before.0 >= back(26) && apart.before.1 <= back(25));
    }

    #[test]
    fn a_bucket_is_never_narrower_than_the_interval() {
        let slow = Host {
            interval: 60 * SECOND,
            ..host()
        };
        assert_eq!(around(Window::new(AT, 1, 1), &slow).step, 60 * SECOND);
    }

    #[test]
    fn long_ranges_are_compared_by_hours_and_days() {
        let back = |hours: i64| Timestamp(AT.as_micros() - hours * HOUR);
        let of = |hours: i64| {
            of_ranges((back(hours), AT), (back(2 * hours), back(hours)), &host()).source()
        };
        assert_eq!([of(1), of(12), of(72)], ["raw", "hourly", "daily"]);
    }
}
