//! Days of a site, in its time zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use schema::Timestamp;

/// A day with its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Its date.
    pub date: Date,
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant of the next day.
    pub end: Timestamp,
}

impl Day {
    /// Returns the day in which an instant lies; an instant beyond the calendar is in its first or last day.
    #[must_use]
    pub fn of(instant: Timestamp, zone: &TimeZone) -> Self {
        let end_of_time = if instant.as_micros() < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        };
        let stamp = jiff::Timestamp::from_microsecond(instant.as_micros()).unwrap_or(end_of_time);
        let date = zone.to_datetime(stamp).date();
        let first = |date: Date, otherwise: jiff::Timestamp| {
            let start = date.to_zoned(zone.clone()).map(|zoned| zoned.timestamp());
            Timestamp(start.unwrap_or(otherwise).as_microsecond())
        };
        Self {
            date,
            start: first(date, jiff::Timestamp::MIN),
            end: date.tomorrow().map_or(Timestamp(i64::MAX), |next| {
                first(next, jiff::Timestamp::MAX)
            }),
        }
    }

    /// Returns whether an instant lies in it.
    #[must_use]
    pub fn contains(&self, instant: Timestamp) -> bool {
        (self.start..self.end).contains(&instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_the_hours_of_their_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        for (instant, date, hours) in [
            ("2026-03-29T00:30:00Z", "2026-03-29", 23),
            ("2026-10-25T00:30:00Z", "2026-10-25", 25),
            ("2026-11-23T23:30:00Z", "2026-11-24", 24),
        ] {
            let instant = Timestamp(instant.parse::<jiff::Timestamp>().unwrap().as_microsecond());
            let day = Day::of(instant, &zone);
            assert_eq!(day.date.to_string(), date);
            assert_eq!(
                (day.end.as_micros() - day.start.as_micros()) / 3_600_000_000,
                hours
            );
            assert!(day.contains(instant) && !day.contains(day.end));
        }
    }

    #[test]
    fn the_ends_of_time_are_in_a_day() {
        for micros in [i64::MIN, -1, 0, i64::MAX] {
            let day = Day::of(Timestamp(micros), &TimeZone::UTC);
            assert!(day.start < day.end);
        }
    }
}
