//! How fast an error budget is spent.
//!
//! An objective tolerates a share of bad events, or of bad minutes: its budget. The burn rate of a window is the share
//! that was bad, divided by the share that is tolerated: at 1 the budget lasts exactly as long as the period it is for. One
//! window alone is either slow to notice or slow to calm down, so each pair has a long one, which tells that it matters, and a
//! short one, which tells that it goes on.

/// What was counted in a window. Tallies of neighbouring windows add up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Bad events, or minutes.
    pub bad: f64,
    /// All of them.
    pub total: f64,
    /// Minutes with data.
    pub judged: f64,
    /// Minutes without an answer of what is watched.
    pub down: f64,
}

impl Tally {
    /// Adds another tally.
    pub fn add(&mut self, other: Self) {
        self.bad += other.bad;
        self.total += other.total;
        self.judged += other.judged;
        self.down += other.down;
    }

    /// Returns the tally in which minutes without an answer are bad. Each minute with data has one good event more, the
    /// answer itself; one without counts as many bad events as such a minute has on average. So an hour without an answer
    /// costs the same at any traffic, and a target that is up without traffic has been up.
    #[must_use]
    pub fn with_downtime(self) -> Self {
        let answered = self.total + self.judged;
        let each = if self.judged > 0.0 {
            answered / self.judged
        } else {
            1.0
        };
        Self {
            bad: self.bad + self.down * each,
            total: answered + self.down * each,
            judged: self.judged + self.down,
            down: 0.0,
        }
    }

    /// Returns the share that was bad; `None` where nothing was counted.
    #[must_use]
    pub fn bad_share(&self) -> Option<f64> {
        (self.total > 0.0).then(|| (self.bad / self.total).clamp(0.0, 1.0))
    }

    /// Returns whether there are data for half of `minutes`.
    #[must_use]
    pub fn covers_half(&self, minutes: f64) -> bool {
        self.judged >= minutes / 2.0
    }

    /// Returns the burn rate: 1 spends exactly the budget. `None` where nothing was counted, or nothing is tolerated.
    #[must_use]
    pub fn burn_rate(&self, tolerated: f64) -> Option<f64> {
        let share = self.bad_share()?;
        (tolerated > 0.0).then(|| share / tolerated)
    }
}

/// A tally and the minutes of its window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// What was counted.
    pub tally: Tally,
    /// The length of the window.
    pub minutes: f64,
}

/// Fewest events of the long window: a share of fewer says little.
pub const LEAST_EVENTS: f64 = 20.0;
/// Fewest bad events of the long window: fewer may be one user who tries again.
pub const LEAST_BAD: f64 = 5.0;
/// A share of bad events that is never tolerated, however large budget and factor are.
const MOST_SHARE: f64 = 0.9;

/// Returns the share of bad events at which an objective that tolerates this share burns at `factor`.
#[must_use]
pub fn limit(tolerated: f64, factor: f64) -> f64 {
    (factor * tolerated).min(MOST_SHARE)
}

/// Returns whether the budget burns at `factor` in both windows, each of which has data for half of its time, and the long
/// one enough events.
#[must_use]
pub fn burns(tolerated: f64, factor: f64, long: &Window, short: &Window) -> bool {
    let limit = limit(tolerated, factor);
    let has_reached = |window: &Window| {
        let share = window.tally.bad_share();
        window.tally.covers_half(window.minutes) && share.is_some_and(|share| share >= limit)
    };
    tolerated > 0.0 && has_events(long) && has_reached(long) && has_reached(short)
}

/// Returns whether a long window has enough events.
#[must_use]
pub fn has_events(long: &Window) -> bool {
    long.tally.total >= LEAST_EVENTS && long.tally.bad >= LEAST_BAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(bad: f64, total: f64, judged: f64, minutes: f64) -> Window {
        let tally = Tally {
            bad,
            total,
            judged,
            down: 0.0,
        };
        Window { tally, minutes }
    }

    #[test]
    fn both_windows_have_to_burn_and_be_guarded() {
        let short = window(20.0, 100.0, 5.0, 5.0);
        let long = window(150.0, 1000.0, 60.0, 60.0);
        assert!(burns(0.01, 14.4, &long, &short));
        for (case, long, short) in [
            ("it is over", long, window(0.0, 100.0, 5.0, 5.0)),
            ("it has just begun", window(20.0, 1000.0, 60.0, 60.0), short),
            ("few events", window(19.0, 19.0, 60.0, 60.0), short),
            ("few bad ones", window(4.0, 20.0, 60.0, 60.0), short),
            (
                "data of less than half",
                window(150.0, 1000.0, 29.0, 60.0),
                short,
            ),
            ("short without data", long, window(20.0, 100.0, 2.0, 5.0)),
            ("short without events", long, window(0.0, 0.0, 5.0, 5.0)),
        ] {
            assert!(!burns(0.01, 14.4, &long, &short), "{case}");
        }
        assert!(!burns(0.0, 14.4, &long, &short), "no budget, no burn rate");
    }

    #[test]
    fn a_large_budget_still_ends() {
        let at = |share: f64| window(1000.0 * share, 1000.0, 60.0, 60.0);
        assert!(burns(0.1, 14.4, &at(0.91), &at(0.91)));
        assert!(!burns(0.1, 14.4, &at(0.89), &at(0.89)));
    }

    #[test]
    fn no_answer_costs_the_same_at_any_traffic() {
        for total in [0.0, 1.0, 60_000.0] {
            let tally = Tally {
                bad: 0.0,
                total,
                judged: 45.0,
                down: 15.0,
            };
            let share = tally.with_downtime().bad_share().unwrap();
            assert!((share - 0.25).abs() < 1e-12, "{total}: {share}");
        }
        let silent = Tally {
            down: 5.0,
            ..Tally::default()
        };
        assert_eq!(silent.with_downtime().bad_share(), Some(1.0));
        assert_eq!(Tally::default().with_downtime().bad_share(), None);
    }

    #[test]
    fn a_burn_rate_of_one_spends_the_budget_in_its_period() {
        let tally = window(10.0, 1000.0, 60.0, 60.0).tally;
        let rate = tally.burn_rate(0.01).unwrap();
        assert!((rate - 1.0).abs() < 1e-12);
        assert_eq!(tally.burn_rate(0.0), None);
        assert_eq!(Tally::default().burn_rate(0.01), None);
    }
}
