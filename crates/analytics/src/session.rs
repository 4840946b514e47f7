//! When a visit ends: after thirty minutes without an event, and at the site's midnight.
//!
//! One pure function; `fixtures/analytics/session_cases.json` holds its cases. The tracker knows nothing of visits: where a page would
//! have to remember them, it would store something on the visitor's device. A visit never
//! spans two days of the site, so that each is counted in the day in which it lies. A clock that is set back
//! within a day ends nothing.

use crate::day::Day;
use jiff::tz::TimeZone;
use schema::Timestamp;

/// Longest pause within a visit, as in the analytics tools that operators know.
pub const IDLE_MICROS: i64 = 30 * 60 * 1_000_000;

/// Returns whether an event at `now` belongs to the visit whose last event was at `previous`.
#[must_use]
pub fn continues(previous: Timestamp, now: Timestamp, zone: &TimeZone) -> bool {
    now.as_micros() - previous.as_micros() <= IDLE_MICROS
        && Day::of(previous, zone) == Day::of(now, zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        zone: String,
        previous: Option<String>,
        now: String,
        same: bool,
    }

    fn instant(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    #[test]
    fn visits_end_as_in_the_fixture() {
        let text = include_str!("../../../fixtures/analytics/session_cases.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        assert!(cases.len() >= 20);
        for case in cases {
            let zone = TimeZone::get(&case.zone).unwrap();
            let previous = case.previous.as_deref().map(instant);
            let same =
                previous.is_some_and(|previous| continues(previous, instant(&case.now), &zone));
            assert_eq!(same, case.same, "{}", case.name);
        }
    }

    proptest! {
        #[test]
        fn nothing_overflows(previous in proptest::num::i64::ANY, now in proptest::num::i64::ANY) {
            let bounded = |micros: i64| Timestamp(micros / 4);
            let (previous, now) = (bounded(previous), bounded(now));
            let is_later = now.0 - previous.0 > IDLE_MICROS;
            prop_assert!(!(is_later && continues(previous, now, &TimeZone::UTC)));
        }
    }
}
