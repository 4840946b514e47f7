//! Time expressions: `now`, `now-6h`, epoch milliseconds, ISO 8601.

use schema::Timestamp;
use schema::micros::{DAY, HOUR, MINUTE, SECOND};

use crate::error::ApiError;

/// Ranges are cut to this length.
const LONGEST: i64 = 400 * DAY;
/// Shortest range.
const SHORTEST: i64 = 10 * SECOND;

/// A span of time, `from < to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// Start.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
}

/// Parses an expression as an instant. Instants before 1970 or more than a day ahead of `now` are
/// refused, as there can be no samples.
///
/// # Errors
/// When the expression is invalid; the message names the parameter.
pub(crate) fn instant(name: &str, text: &str, now: Timestamp) -> Result<Timestamp, ApiError> {
    let bad = || {
        ApiError::bad(
            name,
            "write now, now-6h (s m h d w), milliseconds since 1970, or ISO 8601 as 2026-11-22T14:00:00Z",
        )
    };
    if text.len() > 64 {
        return Err(bad());
    }
    let micros = if let Some(rest) = text.strip_prefix("now") {
        now.as_micros()
            .checked_add(offset(rest).ok_or_else(bad)?)
            .ok_or_else(bad)?
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let millis: i64 = text.parse().map_err(|_| bad())?;
        millis.checked_mul(1000).ok_or_else(bad)?
    } else {
        let at: jiff::Timestamp = text.parse().map_err(|_| bad())?;
        at.as_microsecond()
    };
    let latest = now.as_micros() + DAY;
    if (0..=latest).contains(&micros) {
        Ok(Timestamp(micros))
    } else {
        Err(ApiError::bad(name, "is out of reach"))
    }
}

/// Parses `-6h` or `+5m` as microseconds; an empty text is 0.
fn offset(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("-", rest) => (-1, rest),
        ("+", rest) => (1, rest),
        _ => return None,
    };
    let unit = match rest.chars().last()? {
        's' => SECOND,
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    let digits = &rest[..rest.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: i64 = digits.parse().ok()?;
    count.checked_mul(sign * unit)
}

/// Parses two expressions as a range; by default the last hour. A range that is too long is cut at its
/// start.
///
/// # Errors
/// When one does not parse or the range is empty.
pub(crate) fn range(
    from: Option<&str>,
    to: Option<&str>,
    now: Timestamp,
) -> Result<Range, ApiError> {
    let to = instant("to", to.unwrap_or("now"), now)?;
    let from = instant("from", from.unwrap_or("now-1h"), now)?;
    if from >= to {
        return Err(ApiError::bad("from", "does not lie before to"));
    }
    let least = to.as_micros() - LONGEST;
    let most = to.as_micros() - SHORTEST;
    Ok(Range {
        from: Timestamp(from.as_micros().clamp(least, most)),
        to,
    })
}

/// The grid of buckets over a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Start of the first bucket, a multiple of `step`.
    pub start: Timestamp,
    /// Width of a bucket, microseconds.
    pub step: i64,
    /// Number of buckets.
    pub n: usize,
}

impl Range {
    /// Returns the length, microseconds.
    #[must_use]
    pub(crate) fn span(self) -> i64 {
        self.to.as_micros() - self.from.as_micros()
    }

    /// Returns a grid of about `px` buckets, none narrower than `least` microseconds. Their width is 1, 2 or 5 times a power of
    /// ten milliseconds, or a number of whole hours or days, such that stored hours and days lie within one.
    #[must_use]
    pub(crate) fn grid(self, px: i64, least: i64) -> Grid {
        let wanted = (self.span() / px.max(1)).max(least).max(1000);
        let step = decimal(wanted).unwrap_or_else(|| whole_hours(wanted));
        let start = self.from.as_micros().div_euclid(step) * step;
        let n = (self.to.as_micros() - start + step - 1) / step;
        Grid {
            start: Timestamp(start),
            step,
            n: usize::try_from(n).unwrap_or(0),
        }
    }
}

/// Returns the width below an hour that is at least `wanted`.
fn decimal(wanted: i64) -> Option<i64> {
    let decades = std::iter::successors(Some(1000), |decade: &i64| decade.checked_mul(10));
    let steps = decades.flat_map(|decade| [decade, 2 * decade, 5 * decade]);
    let mut shorter = steps.take_while(|step| *step < HOUR);
    shorter.find(|step| *step >= wanted)
}

/// Returns the width of whole hours that is at least `wanted`: a divisor of a day, or days doubled.
fn whole_hours(wanted: i64) -> i64 {
    let hours = [1, 2, 3, 4, 6, 8, 12].map(|hours| hours * HOUR);
    let days = std::iter::successors(Some(DAY), |days| Some(2 * days));
    let mut steps = hours.into_iter().chain(days);
    // Ranges are cut to LONGEST.
    steps.find(|step| *step >= wanted).unwrap_or(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000_000);

    fn millis(text: &str) -> Option<i64> {
        instant("from", text, NOW).ok().map(Timestamp::as_millis)
    }

    #[test]
    fn expressions_name_instants() {
        for (text, expected) in [
            ("now", 1_790_000_000_000),
            ("now-90s", 1_789_999_910_000),
            ("now-6h", 1_789_978_400_000),
            ("now-1w", 1_789_395_200_000),
            ("now+1m", 1_790_000_060_000),
            ("1789000000123", 1_789_000_000_123),
            ("2026-09-21T14:13:20Z", 1_790_000_000_000),
            ("2026-09-21T16:13:20+02:00", 1_790_000_000_000),
        ] {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let long = "9".repeat(100);
        for text in [
            "",
            "'; --",
            "now-",
            "now-h",
            "now-1y",
            "now--1h",
            "now-9999999999999w",
            "-1",
            "1e9",
            "9999-01-01T00:00:00Z",
            "99999999999999999999",
            "now-99w99w",
            "yesterday",
            &long,
            "2026-09-21",
            "now-300000w",
            "ηow",
        ] {
            assert_eq!(millis(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_are_checked_and_cut() {
        let of = |from, to| range(Some(from), Some(to), NOW);
        assert!(of("now", "now-1h").is_err());
        assert!(of("now", "now").is_err());
        let long = of("now-5000d", "now").unwrap();
        assert_eq!(long.to.as_micros() - long.from.as_micros(), LONGEST);
        let short = of("now-1s", "now").unwrap();
        assert_eq!(short.to.as_micros() - short.from.as_micros(), SHORTEST);
    }

    #[test]
    fn buckets_lie_on_round_instants() {
        let hour = range(None, None, NOW).unwrap();
        let grid = hour.grid(620, 10 * SECOND);
        assert_eq!(grid.step, 10 * SECOND);
        assert_eq!(grid.n, 360);
        assert_eq!(grid.start.as_micros() % grid.step, 0);
        let day = range(Some("now-1d"), None, NOW)
            .unwrap()
            .grid(620, 10 * SECOND);
        assert_eq!(day.step, 200 * SECOND);
        assert!(day.n <= 433, "{}", day.n);
    }

    #[test]
    fn long_ranges_have_buckets_of_whole_hours() {
        for (from, px, least, expected) in [
            ("now-1d", 620, 10 * SECOND, 200 * SECOND),
            ("now-1d", 620, HOUR, HOUR),
            ("now-1d", 30, 10 * SECOND, HOUR),
            ("now-7d", 620, HOUR, HOUR),
            ("now-30d", 620, HOUR, 2 * HOUR),
            ("now-90d", 620, HOUR, 4 * HOUR),
            ("now-365d", 620, HOUR, DAY),
            ("now-365d", 100, HOUR, 4 * DAY),
            ("now-400d", 10, DAY, 64 * DAY),
        ] {
            let grid = range(Some(from), None, NOW).unwrap().grid(px, least);
            assert_eq!(grid.step, expected, "{from}");
            assert_eq!(grid.start.as_micros() % grid.step, 0);
        }
    }
}
