//! Instants in sentences.

use jiff::tz::TimeZone;
use schema::Timestamp;

/// Converts an instant to civil time in a zone.
fn zoned(at: Timestamp, zone: &TimeZone) -> Option<jiff::Zoned> {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
    Some(at.to_zoned(zone.clone()))
}

/// Formats an instant as `14:32`, with the date when it is not the day of `now`.
#[must_use]
pub(crate) fn clock(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (Some(at), Some(now)) = (zoned(at, zone), zoned(now, zone)) else {
        return "an unknown time".to_owned();
    };
    if at.date() == now.date() {
        at.strftime("%H:%M").to_string()
    } else if at.year() == now.year() {
        at.strftime("%b %-d, %H:%M").to_string()
    } else {
        at.strftime("%Y-%m-%d %H:%M").to_string()
    }
}

/// Formats an instant as `14:32:05`, with the date when it is not the day of `now`.
#[must_use]
pub(crate) fn exact(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let seconds = zoned(at, zone).map(|at| at.strftime(":%S").to_string());
    format!("{}{}", clock(at, now, zone), seconds.unwrap_or_default())
}

/// Formats an instant as RFC 3339 in UTC with milliseconds.
#[must_use]
pub(crate) fn iso(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms)
        .map_or_else(|_| at_ms.to_string(), |at| format!("{at:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_day_is_named() {
        let at = |ms| Timestamp::from_millis(ms);
        let now = at(1_790_000_000_000);
        let zone = TimeZone::UTC;
        assert_eq!(clock(at(1_789_999_000_000), now, &zone), "13:56");
        assert_eq!(exact(at(1_789_999_000_000), now, &zone), "13:56:40");
        assert_eq!(clock(at(1_789_900_000_000), now, &zone), "Sep 20, 10:26");
        assert_eq!(iso(1_790_000_000_123), "2026-09-21T14:13:20.123Z");
    }
}
