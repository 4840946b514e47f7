//! Whether findings would begin together by chance.
//!
//! The model: what has nothing to do with each other begins by itself, as a Poisson process with the rate of this host. Beside one
//! beginning, `others` more fall into the same window with probability p = P(N ≥ others), N of mean rate × window; of those that
//! must be linked with it only the share of this host's findings that would be linked counts ([`History::linked_share`]).
//! Each beginning is one trial, so chance makes rate × p groups a day. A group is one where that is at most [`PER_YEAR`] a year.
//!
//! [`History::linked_share`]: super::history::History::linked_share

use super::history::Rates;
use stats::counts;

/// Groups that chance may make in a year, by each of the two looks at a host: at problems alone, and at all findings. A
/// correlation that is none sends its reader to the wrong place; one in a year is rare beside those that are some.
const PER_YEAR: f64 = 1.0;
const DAYS_OF_YEAR: f64 = 365.0;
const DAY: f64 = 86_400.0;
/// The least window, seconds: two cycles of five minutes, as the beginning of what is unusual is known to one.
pub(super) const WINDOW_SECS: i64 = 600;

/// A group of findings: the number of its parts, all and those of problems, and the seconds within which they began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) parts: usize,
    pub(super) of_problems: usize,
    pub(super) secs: f64,
    /// The share of findings that would be linked with them; 1 where they need not be.
    pub(super) share: f64,
}

/// Returns whether chance would hardly have made a group.
pub(super) fn is_unlikely(size: Size, rates: Rates) -> bool {
    let is_rare = |parts: usize, per_day: f64| {
        parts >= 2 && per_year(parts - 1, per_day, size.secs, size.share) <= PER_YEAR
    };
    is_rare(size.of_problems, rates.problems) || is_rare(size.parts, rates.all)
}

/// Returns whether `count` causes more than one that is open would begin within its time by chance.
pub(super) fn would_join(count: usize, secs: f64, rates: Rates) -> bool {
    count > 0 && per_year(count, rates.all, secs, 1.0) <= PER_YEAR
}

/// Returns the expected number of groups a year.
fn per_year(others: usize, per_day: f64, secs: f64, share: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "seconds of a window are few")]
    let window = secs.max(WINDOW_SECS as f64);
    let mean = per_day * share * window / DAY;
    let count = u64::try_from(others).unwrap_or(u64::MAX);
    DAYS_OF_YEAR * per_day * counts::at_least(count, mean, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes::structure::linked_share;

    fn group(parts: usize, is_linked: bool, per_day: f64) -> bool {
        let size = Size {
            parts,
            of_problems: 0,
            secs: 0.0,
            share: if is_linked { linked_share() } else { 1.0 },
        };
        let rates = Rates {
            all: per_day,
            problems: per_day,
        };
        is_unlikely(size, rates)
    }

    #[test]
    fn the_busier_a_host_the_more_must_begin_together() {
        // Parts that are needed: of a quiet host, one with ten findings a day, and one with forty.
        for (per_day, linked, others) in [(1.0, 2, 3), (10.0, 3, 4), (40.0, 4, 6)] {
            for parts in 1..9 {
                assert_eq!(
                    group(parts, true, per_day),
                    parts >= linked,
                    "{per_day} {parts}"
                );
                assert_eq!(
                    group(parts, false, per_day),
                    parts >= others,
                    "{per_day} {parts}"
                );
            }
        }
    }

    #[test]
    fn notices_do_not_hide_problems() {
        let rates = Rates {
            all: 40.0,
            problems: 1.0,
        };
        let size = |of_problems| Size {
            parts: 3,
            of_problems,
            secs: 0.0,
            share: linked_share(),
        };
        assert!(is_unlikely(size(2), rates));
        assert!(!is_unlikely(size(1), rates));
    }

    #[test]
    fn one_more_may_be_chance_and_two_are_not() {
        let rates = Rates {
            all: 1.0,
            problems: 1.0,
        };
        assert!(!would_join(0, 0.0, rates));
        assert!(!would_join(1, 0.0, rates));
        assert!(would_join(2, 0.0, rates));
    }
}
