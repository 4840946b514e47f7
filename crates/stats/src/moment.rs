//! Place of an instant in the week of a host.
//!
//! Load follows people and cron, and both follow the clock on the wall. So seasons are counted in the
//! host's time zone: 08:00 is 08:00 on either side of a change to or from summer time. The hour that
//! such a day lacks has no sample, the one that it has twice has two.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Hours in a week, the slots of a weekly season.
pub const HOURS_OF_WEEK: usize = 168;

const DAY_SECS: u32 = 86_400;

/// A place in the week: the day and the second of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Days since Monday, 0 to 6.
    day: u8,
    /// Seconds since midnight by the clock on the wall, below 86,400.
    second: u32,
}

impl Moment {
    /// Returns the place of an instant in the week of a time zone.
    #[must_use]
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        let local = zone.to_datetime(at);
        let part = |value: i8| value.unsigned_abs();
        Self::new(
            part(local.weekday().to_monday_zero_offset()),
            u32::from(part(local.hour())) * 3600
                + u32::from(part(local.minute())) * 60
                + u32::from(part(local.second())),
        )
    }

    /// Returns a place by the days since Monday and the seconds since midnight; both wrap around.
    #[must_use]
    pub fn new(day: u8, second: u32) -> Self {
        Self {
            day: day % 7,
            second: second % DAY_SECS,
        }
    }

    /// Returns the hours since Monday 00:00, below [`HOURS_OF_WEEK`].
    #[must_use]
    pub fn hour_of_week(self) -> usize {
        usize::from(self.day) * 24 + (self.second / 3600) as usize
    }

    /// Tells whether this is a Saturday or a Sunday.
    #[must_use]
    pub fn is_weekend(self) -> bool {
        self.day >= 5
    }

    /// Returns the slot of the day where a day has `slots` equal ones.
    pub(crate) fn slot_of_day(self, slots: usize) -> usize {
        self.second as usize * slots / DAY_SECS as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn at(text: &str) -> Moment {
        Moment::of(text.parse().unwrap(), &berlin())
    }

    #[test]
    fn hours_are_those_of_the_wall() {
        for (instant, hour) in [
            // Monday 2026-01-05
            ("2026-01-04T23:00:00Z", 0),
            ("2026-01-05T07:00:00Z", 8),
            ("2026-01-11T22:59:59Z", 167),
            // Monday in summer: 08:00 is an hour earlier in UTC.
            ("2026-07-06T06:00:00Z", 8),
            // Sunday 2026-03-29: 02:00 does not exist.
            ("2026-03-29T00:59:59Z", 145),
            ("2026-03-29T01:00:00Z", 147),
            // Sunday 2026-10-25: 02:00 comes twice.
            ("2026-10-25T00:30:00Z", 146),
            ("2026-10-25T01:30:00Z", 146),
            ("2026-10-25T02:30:00Z", 147),
        ] {
            assert_eq!(at(instant).hour_of_week(), hour, "{instant}");
        }
    }

    #[test]
    fn slots_and_weekends() {
        assert_eq!(Moment::new(0, 86_399).slot_of_day(288), 287);
        assert_eq!(Moment::new(0, 300).slot_of_day(288), 1);
        assert_eq!(Moment::new(0, 299).slot_of_day(288), 0);
        assert!(!at("2026-01-09T22:59:59Z").is_weekend());
        assert!(at("2026-01-09T23:00:00Z").is_weekend());
        assert_eq!(Moment::new(7, 86_400), Moment::new(0, 0));
    }
}
