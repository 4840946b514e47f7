//! A time in which a series is unusual.
//!
//! A detector learns what it sees, so the score of a level that stays falls from point to point. So whether something
//! unusual goes on follows from the values: it does while they are more than half as far from what was expected as when it
//! began. What is expected is that of the half hour, as it was before values of the episode were learned.

use schema::Better;
use stats::anomaly::{Direction, Judgement, Level};

/// Part of the first deviation below which it is over.
const OVER_BELOW: f64 = 0.5;
/// Part of what is expected that a deviation has at least: less is not worth a finding, whatever its unit.
const LEAST_OF_EXPECTED: f64 = 0.1;
/// Cycles after which what is unusual is the new normal: half a day. Detectors have then learned the level.
const NORMAL_AFTER: i64 = 144;
/// Cycles of half an hour, the season of a detector.
const SLOT: i64 = 6;

/// When a deviation is worth a finding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Score of each level.
    pub(super) levels: [f64; 3],
    /// Least deviation, in the metric's unit.
    pub(super) least: f64,
    /// Which direction is an improvement, and so none.
    pub(super) better: Better,
}

impl Limits {
    fn level(&self, score: f64) -> Option<Level> {
        let levels = Level::ALL.into_iter().zip(self.levels);
        let reached = levels.filter(|(_, from)| score >= *from);
        reached.map(|(level, _)| level).next_back()
    }

    fn is_large(&self, deviation: f64, expected: f64) -> bool {
        deviation.abs() >= self.least.max(LEAST_OF_EXPECTED * expected.abs())
    }

    fn is_better(&self, deviation: f64) -> bool {
        match self.better {
            Better::Lower => deviation < 0.0,
            Better::Higher => deviation > 0.0,
            Better::Neither => false,
        }
    }
}

/// What is unusual: the part that contributes most to the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// The value of this cycle.
    Deviation,
    /// The level of the last hours.
    Shift,
    /// All values of the last hours, by a little.
    Drift,
}

impl Lead {
    pub(super) const ALL: [Self; 3] = [Self::Deviation, Self::Shift, Self::Drift];

    fn of(judgement: &Judgement) -> Self {
        let parts = &judgement.parts;
        let deviation = parts.deviation + parts.extreme;
        if deviation >= parts.shift.max(parts.drift) {
            Self::Deviation
        } else if parts.shift >= parts.drift {
            Self::Shift
        } else {
            Self::Drift
        }
    }

    /// Returns what is unusual and what is expected of it.
    fn compared(self, judgement: &Judgement, value: f64) -> (f64, f64) {
        match self {
            Self::Deviation => (value, judgement.expected),
            Self::Shift => (judgement.recent, judgement.usual),
            Self::Drift => (judgement.expected + judgement.bias, judgement.expected),
        }
    }
}

/// A time in which a series is unusual.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Episode {
    /// The cycle in which it began.
    pub(super) begun: i64,
    /// The highest level and score so far.
    pub(super) level: Level,
    pub(super) score: f64,
    pub(super) lead: Lead,
    /// The deviation when it began, with its sign.
    pub(super) deviation: f64,
    /// What is expected in the present half hour, and the usual deviation from it.
    pub(super) expected: f64,
    pub(super) spread: f64,
    /// What is unusual now.
    pub(super) value: f64,
}

impl Episode {
    /// Returns the episode that begins with a judgement, if it is worth one.
    pub(super) fn begun(
        judgement: &Judgement,
        cycle: i64,
        value: f64,
        limits: &Limits,
    ) -> Option<Self> {
        let level = limits.level(judgement.score).filter(|_| judgement.is_new)?;
        let lead = Lead::of(judgement);
        let (value, expected) = lead.compared(judgement, value);
        let deviation = value - expected;
        let is_expected_side = match judgement.direction {
            Direction::Above => deviation >= 0.0,
            Direction::Below => deviation <= 0.0,
        };
        let is_worth_it = is_expected_side
            && limits.is_large(deviation, expected)
            && !limits.is_better(deviation);
        is_worth_it.then_some(Self {
            begun: cycle,
            level,
            score: judgement.score,
            lead,
            deviation,
            expected,
            spread: judgement.spread,
            value,
        })
    }

    /// Takes the judgement of a later cycle; returns whether it goes on.
    pub(super) fn goes_on(
        &mut self,
        judgement: &Judgement,
        cycle: i64,
        value: f64,
        limits: &Limits,
    ) -> bool {
        if cycle - self.begun >= NORMAL_AFTER {
            return false;
        }
        let (value, expected) = self.lead.compared(judgement, value);
        // The cycle that ends at the full half hour belongs to the one before.
        if self.lead == Lead::Deviation && cycle.rem_euclid(SLOT) == 1 {
            (self.expected, self.spread) = (expected, judgement.spread);
        }
        self.value = value;
        let deviation = value - self.expected;
        if deviation * self.deviation.signum() < OVER_BELOW * self.deviation.abs() {
            return false;
        }
        let level = limits.level(judgement.score);
        self.level = level.map_or(self.level, |level| level.max(self.level));
        self.score = judgement.score.max(self.score);
        true
    }

    /// Returns the deviation in multiples of the usual one; `None` where there is none.
    pub(super) fn z(&self) -> Option<f64> {
        let z = (self.value - self.expected) / self.spread;
        z.is_finite().then_some(z)
    }

    /// Returns the deviation in percent of what is expected; `None` where that is 0.
    pub(super) fn drift_pct(&self) -> Option<f64> {
        let drift = 100.0 * (self.value - self.expected) / self.expected.abs();
        drift.is_finite().then_some(drift)
    }
}
