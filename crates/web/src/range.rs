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
    /// Returns a grid of buckets of 1, 2 or 5 times a power of ten milliseconds, about `px` of them and none
    /// narrower than the sampling interval.
    #[must_use]
    pub(crate) fn grid(self, px: i64, interval: i64) -> Grid {
        let span = self.to.as_micros() - self.from.as_micros();
        let wanted = (span / px.max(1)).max(interval).max(1000);
        let mut decade = 1000;
        let step = loop {
            let fits = [decade, 2 * decade, 5 * decade]
                .into_iter()
                .find(|step| *step >= wanted);
            match fits {
                Some(step) => break step,
                None => decade *= 10,
            }
        };
        let start = self.from.as_micros().div_euclid(step) * step;
        let n = (self.to.as_micros() - start + step - 1) / step;
        Grid {
            start: Timestamp(start),
            step,
            n: usize::try_from(n).unwrap_or(0),
        }
    }
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
}
