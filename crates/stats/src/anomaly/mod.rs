//! What is unusual: a detector that reads a metric point by point.
//!
//! It keeps 2.5 kB per metric, whatever the length of its history, and needs some hundred nanoseconds per
//! point. Nothing is configured: every comparison is with the metric's own past, so one set of levels
//! serves all metrics.
//!
//! # Method
//!
//! Each point is compared with what was expected, in four ways:
//!
//! 1. **deviation**: the residual to the season, in multiples of the usual residual. The season is the mean
//!    of this half hour of the day, or that of this half hour on weekdays or at weekends, whichever
//!    explains the point better. Where this slot of five minutes usually deviates more (a cron job, a
//!    backup), its own usual deviation counts.
//! 2. **shift**: how far a short mean (of some 110 points) is from a long one (500), in multiples of the
//!    usual distance from the long one: the level has moved.
//! 3. **drift**: the smoothed residual (of some 80 points): a bias too small to see in any one point.
//! 4. **extreme**: the point leaves everything seen so far.
//!
//! The first three are multiples of something, and how rare a multiple is differs between metrics. So each
//! has a tail, a decayed histogram of its own past that returns -log10 of the probability of a value as
//! large. The score is their weighted sum, the logarithm of Fisher's combined probability (Statistical
//! methods for research workers, 1925), plus a constant for an extreme. An extreme counts only if
//!
//! * it exceeds the range by a fiftieth,
//! * one of the two residuals is among the rarest tenth: what the season expects is no surprise, and
//! * it exceeds what the level has recently gained (half the distance between short and long mean): a
//!   steady growth has a new maximum every day, and that is no news.
//!
//! Only then are the means updated, with the point limited to five usual deviations for the long one.
//!
//! # Levels
//!
//! [`Level`] has three, the same for all metrics. They come from clean series, on which a notice is to be
//! rarer than 1.5 per metric and week, a warning than 0.2 and a critical finding than 0.02
//! (`tests/false_alarms.rs`), and from those 28 series of the Numenta Anomaly Benchmark that were at hand
//! (Lavin and Ahmad, Evaluating real-time anomaly detection algorithms, 2015). Its scores, where 100 is
//! perfect and 0 is silence, in the profiles standard, low false positives and low false negatives:
//!
//! | notice from | 4.1 | 4.2 | **4.3** | 4.4 | 4.6 |
//! |---|---|---|---|---|---|
//! | as it is | 72.2 64.3 76.6 | 73.3 66.5 77.3 | 74.6 69.3 78.2 | 75.1 70.5 78.6 | 73.1 69.9 76.0 |
//! | mean of 30 variations of all constants by up to 15 % | 71.0 62.9 75.4 | 72.0 65.1 76.1 | 72.0 66.1 75.8 | 71.5 66.5 75.0 | 69.0 65.3 72.0 |
//!
//! The level of a notice was not tuned to the first line: chosen without a file and scored on it, for each
//! file in turn, it gives 73.5. Nor were the constants: the best of 60 variations by up to 30 %, chosen on
//! one half of the files and scored on the other, gives 70.6 instead of 74.6. What decided about a part is
//! the second line, and the clean series.
//!
//! Without a part, standard profile at 4.3, mean over 16 variations (71.8 with all of them): without
//! deviation 34.0, drift 53.6, extreme 54.0, shift 62.0. Without the deviation of five-minute slots 69.9,
//! and three times as many false notices. Without weekends 72.3, but of the anomalies planted into clean
//! series it finds 57 % instead of 66. Without the rule of growth 72.4, and half as many warnings again on
//! clean series. Without a limit for outliers the same; it is there because a single absurd value would
//! otherwise move the long mean for days.
//!
//! # Known limits
//!
//! A weekly job on a weekday is unusual each time. On a steep ramp, an extreme counts only above half of
//! what the level has gained. A new series has no past: 1.6 notices and half a warning per metric fall on
//! its first day, and from the second week on the figures above hold. [`Detector::points`] tells how much
//! has been seen.

mod slots;
mod tail;

use crate::moment::Moment;
use crate::state::{self, Fields, StateError, Visit};
use slots::Slots;
use tail::Tail;

/// Version of the state. A change of a constant that changes what a stored number means needs a new one.
const VERSION: u8 = 1;

/// Points before the first score.
const WARM_UP: u32 = 30;
/// Points before outliers are limited in the long mean.
const CLIP_AFTER: u32 = 50;
/// An outlier moves the long mean as a point of so many usual deviations does.
const CLIP: f64 = 5.0;

/// Half hours of the day. 24 slots score the same, 288 five points less: too few points per slot.
const SEASON_SLOTS: usize = 48;
/// Weekdays and weekends.
const WEEK_SLOTS: usize = 2 * SEASON_SLOTS;
/// Five minutes, the distance of points in the agent, and the finest start of a periodic job.
const SCATTER_SLOTS: usize = 288;
/// Points that a weekday or weekend slot, or the scatter of five minutes, has before it is used.
const LEAST_SEEN: u8 = 2;

/// Share of a new point in the long mean and its deviation.
const LONG_SHARE: f64 = 0.002;
/// Share of a new point in the short mean.
const SHORT_SHARE: f64 = 0.009;
/// Share of a new residual in the smoothed one.
const DRIFT_SHARE: f64 = 0.013;
/// Share of a new residual in the usual one.
const RESIDUAL_SHARE: f64 = 0.001;

/// Part of the range that no deviation is smaller than. The most important guard: without it false alarms
/// treble; 0.007 and 0.015 score the same.
const FLOOR_OF_RANGE: f64 = 0.01;
/// Part of the level that no deviation is smaller than: the rounding of `f32`, with a margin of ten.
const FLOOR_OF_LEVEL: f64 = 1e-6;
/// What no deviation is smaller than.
const FLOOR: f64 = 1e-9;

/// Weights of the three surprises. All 1 cost 1.6 points.
const DEVIATION_WEIGHT: f64 = 1.0;
const SHIFT_WEIGHT: f64 = 0.4;
const DRIFT_WEIGHT: f64 = 0.95;
/// What one part can contribute.
const MOST: f64 = 8.0;

/// What an extreme contributes: almost a notice by itself.
const EXTREME: f64 = 4.0;
/// Part of the range by which an extreme exceeds it. With 0, each clean series has one critical finding in
/// two weeks.
const EXTREME_BEYOND: f64 = 0.02;
/// Surprise of one of the residuals without which no extreme counts: one in ten.
const EXTREME_SURPRISE: f64 = 1.0;
/// Part of the distance between the short and the long mean that explains an extreme: they are 390 points
/// of growth apart, so half of it is what a series gains in 16 hours. 0.35 has twice as many warnings on
/// random walks, 0.75 costs a point.
const EXPLAINED_BY_GROWTH: f64 = 0.5;

/// Points after which a score is compared anew: 6.7 hours. 12 to 150 cost less than a point, none costs six.
const COOL_DOWN: u16 = 80;

/// Metrics of a host that the levels are made for.
const USUAL_METRICS: f64 = 200.0;
/// What a tenth of the false findings costs: the distance between two levels, which were chosen so. On
/// 2,160 weeks of clean series a metric has per week 0.27 scores from 4.5, 0.076 from 6.5, 0.0046 from 8.5,
/// 0.0005 from 10.0.
const SCORE_PER_TENFOLD: f64 = 2.2;

/// Largest value that is taken: sums and squares of it stay finite in `f32` and `f64`.
const LARGEST: f64 = 1e36;

/// Standard deviation of normal values in multiples of their mean absolute deviation: sqrt(pi/2).
const SIGMA: f64 = 1.253_314_137_315_5;

/// How unusual a point is. The levels are the same for all metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth a look in hindsight: less than 1.5 per metric and week on clean series.
    Notice,
    /// Less than 0.2 per metric and week on clean series.
    Warn,
    /// Less than 0.02 per metric and week on clean series.
    Critical,
}

impl Level {
    /// All levels, ascending.
    pub const ALL: [Self; 3] = [Self::Notice, Self::Warn, Self::Critical];

    /// Returns the score from which a point has this level.
    #[must_use]
    pub const fn from_score(self) -> f64 {
        match self {
            Self::Notice => 4.3,
            Self::Warn => 6.5,
            Self::Critical => 8.7,
        }
    }

    /// Returns the score from which a point has this level on a host that scores so many metrics. What may
    /// be false is the host's budget, not each metric's: one with 2,000 of them has no more false warnings
    /// than one with 200. Notices are no alarms and stay.
    #[must_use]
    pub fn from_score_among(self, metrics: usize) -> f64 {
        let tenfold = (metrics as f64 / USUAL_METRICS).max(1.0).log10();
        match self {
            Self::Notice => self.from_score(),
            Self::Warn | Self::Critical => self.from_score() + SCORE_PER_TENFOLD * tenfold,
        }
    }

    /// Returns the level of a score; `None` below all.
    #[must_use]
    pub fn of(score: f64) -> Option<Self> {
        let reached = |level: &Self| score >= level.from_score();
        Self::ALL.into_iter().rev().find(reached)
    }
}

/// Which side of the expected a point is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Higher than expected.
    Above,
    /// Lower than expected.
    Below,
}

/// What each part contributes to a score.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Parts {
    /// The point is far from its season.
    pub deviation: f64,
    /// The level has moved.
    pub shift: f64,
    /// The points of the last hours are all a little off.
    pub drift: f64,
    /// The point leaves the range of everything before it.
    pub extreme: f64,
}

impl Parts {
    fn sum(&self) -> f64 {
        self.deviation + self.shift + self.drift + self.extreme
    }
}

/// What the detector says about a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// Sum of the parts; 0 during warm-up.
    pub score: f64,
    /// Level of the score.
    pub level: Option<Level>,
    /// The score beats all of the last 80 points: a new finding, not the continuation of one.
    pub is_new: bool,
    /// Side of the part that contributes most.
    pub direction: Direction,
    /// What the season expects.
    pub expected: f64,
    /// Usual deviation from that, as a standard deviation.
    pub spread: f64,
    /// Deviation in multiples of `spread`, with its sign.
    pub z: f64,
    /// Distance from the long mean, in percent of it; `None` where the mean is 0.
    pub drift_pct: Option<f64>,
    /// The long mean: the usual level, before this point.
    pub usual: f64,
    /// The short mean, of some 110 points: what the level is now.
    pub recent: f64,
    /// The smoothed residual, of some 80 points, in multiples of what is usual at this time of day.
    pub bias: f64,
    /// Contributions to the score.
    pub parts: Parts,
    /// Smallest and largest value before this one.
    pub range: (f64, f64),
}

/// The state of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Detector {
    points: u32,
    /// Long mean, and the mean absolute deviation from it.
    level: f64,
    deviation: f64,
    /// Short mean.
    recent: f64,
    /// Mean absolute residual to the season, and the smoothed residual.
    residual: f64,
    drift: f64,
    lowest: f64,
    highest: f64,
    /// Score that a new finding must beat, and the points since it.
    bar: f64,
    since_bar: u16,
    tails: [Tail; 3],
    day: Slots<SEASON_SLOTS>,
    week: Slots<WEEK_SLOTS>,
    /// Mean absolute residual by five minutes of the day.
    scatter: Slots<SCATTER_SLOTS>,
}

/// A point as its season has it.
struct Seasonal {
    season_slot: usize,
    week_slot: usize,
    scatter_slot: usize,
    expected: f64,
    /// Usual residual here, without floor.
    usual: f64,
}

/// A point compared with what is known, before it is learned.
struct Measured {
    /// What no deviation is smaller than.
    floor: f64,
    season: Seasonal,
    residual: f64,
    /// Short mean and smoothed residual with this point.
    recent: f64,
    drift: f64,
    /// Deviation, shift and drift in multiples of the usual ones.
    multiples: [f64; 3],
}

impl Measured {
    /// Returns the side of the part that contributes most; of the residual where none does.
    fn direction(&self, parts: &Parts, level: f64) -> Direction {
        let mut leading = (parts.deviation.max(parts.extreme), self.residual);
        for part in [
            (parts.shift, self.recent - level),
            (parts.drift, self.drift),
        ] {
            if part.0 > leading.0 {
                leading = part;
            }
        }
        if leading.1 >= 0.0 {
            Direction::Above
        } else {
            Direction::Below
        }
    }
}

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

impl Detector {
    /// Returns a detector that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            points: 0,
            level: 0.0,
            deviation: 0.0,
            recent: 0.0,
            residual: 0.0,
            drift: 0.0,
            lowest: 0.0,
            highest: 0.0,
            bar: 0.0,
            since_bar: 0,
            tails: [Tail::new(), Tail::new(), Tail::new()],
            day: Slots::new(),
            week: Slots::new(),
            scatter: Slots::new(),
        }
    }

    /// Returns the number of points seen.
    #[must_use]
    pub fn points(&self) -> u32 {
        self.points
    }

    /// Judges the next point by those before it, and learns it. `None` when it is not a finite number:
    /// nothing is known then, and nothing learned. Of a counter, the step across a reset is to be absent.
    pub fn observe(&mut self, at: Moment, value: f64) -> Option<Judgement> {
        if !value.is_finite() {
            return None;
        }
        let value = value.clamp(-LARGEST, LARGEST);
        if self.points == 0 {
            (self.level, self.recent) = (value, value);
            (self.lowest, self.highest) = (value, value);
        }
        let measured = self.measure(at, value);
        let mut parts = self.surprises(measured.multiples);
        if self.is_extreme(value, &parts) {
            parts.extreme = EXTREME;
        }
        if self.points < WARM_UP {
            parts = Parts::default();
        }
        let score = parts.sum();
        let spread = SIGMA * (measured.season.usual + measured.floor);
        let distance = value - self.level;
        let judgement = Judgement {
            score,
            level: Level::of(score),
            is_new: self.beats_bar(score),
            direction: measured.direction(&parts, self.level),
            expected: measured.season.expected,
            spread,
            z: measured.residual / spread,
            drift_pct: (self.level.abs() > FLOOR).then(|| 100.0 * distance / self.level.abs()),
            usual: self.level,
            recent: measured.recent,
            bias: measured.drift,
            parts,
            range: (self.lowest, self.highest),
        };
        self.learn(value, &measured);
        Some(judgement)
    }

    /// Compares a point with what is known.
    fn measure(&self, at: Moment, value: f64) -> Measured {
        let range = self.highest - self.lowest;
        let floor = FLOOR_OF_LEVEL * self.level.abs() + FLOOR + FLOOR_OF_RANGE * range;
        let season = self.season(at, value);
        let residual = value - season.expected;
        let recent = self.recent + self.share(SHORT_SHARE) * (value - self.recent);
        // In multiples of what is usual here, so that a nightly backup does not read as drift.
        let scaled = residual * (self.residual + floor) / (season.usual + floor);
        let drift = self.drift + self.share(DRIFT_SHARE) * (scaled - self.drift);
        Measured {
            multiples: [
                residual.abs() / (season.usual + floor),
                (recent - self.level).abs() / (self.deviation + floor),
                drift.abs() / (self.residual + floor),
            ],
            floor,
            season,
            residual,
            recent,
            drift,
        }
    }

    /// Returns the share of a new point in a mean: at first all points count the same.
    fn share(&self, least: f64) -> f64 {
        least.max(1.0 / (f64::from(self.points) + 1.0))
    }

    fn season(&self, at: Moment, value: f64) -> Seasonal {
        let season_slot = at.slot_of_day(SEASON_SLOTS);
        let week_slot = season_slot + if at.is_weekend() { SEASON_SLOTS } else { 0 };
        let scatter_slot = at.slot_of_day(SCATTER_SLOTS);
        let mut expected = self.day.mean(season_slot, 1).unwrap_or(self.level);
        if let Some(weekly) = self.week.mean(week_slot, LEAST_SEEN)
            && (value - weekly).abs() < (value - expected).abs()
        {
            expected = weekly;
        }
        let scatter = self.scatter.mean(scatter_slot, LEAST_SEEN).unwrap_or(0.0);
        Seasonal {
            season_slot,
            week_slot,
            scatter_slot,
            expected,
            usual: self.residual.max(scatter),
        }
    }

    fn surprises(&self, multiples: [f64; 3]) -> Parts {
        let part =
            |nth: usize, weight: f64| (weight * self.tails[nth].surprise(multiples[nth])).min(MOST);
        Parts {
            deviation: part(0, DEVIATION_WEIGHT),
            shift: part(1, SHIFT_WEIGHT),
            drift: part(2, DRIFT_WEIGHT),
            extreme: 0.0,
        }
    }

    /// Tells whether a point leaves the range of all before it in a way that neither season nor growth
    /// explains.
    fn is_extreme(&self, value: f64, parts: &Parts) -> bool {
        let range = self.highest - self.lowest;
        let growth = self.recent - self.level;
        let (beyond, growth) = if value > self.highest {
            (value - self.highest, growth)
        } else if value < self.lowest {
            (self.lowest - value, -growth)
        } else {
            return false;
        };
        beyond > EXTREME_BEYOND * (range + FLOOR)
            && beyond > EXPLAINED_BY_GROWTH * growth
            && parts.deviation.max(parts.drift) >= EXTREME_SURPRISE
    }

    /// Tells whether a score beats those of the last points, and keeps it then.
    fn beats_bar(&mut self, score: f64) -> bool {
        self.since_bar = self.since_bar.saturating_add(1);
        let is_new = score > self.bar || self.since_bar > COOL_DOWN;
        if is_new {
            (self.bar, self.since_bar) = (score, 0);
        }
        is_new
    }

    fn learn(&mut self, value: f64, measured: &Measured) {
        for (tail, multiple) in self.tails.iter_mut().zip(measured.multiples) {
            tail.add(multiple);
        }
        (self.recent, self.drift) = (measured.recent, measured.drift);
        let (season, residual) = (&measured.season, measured.residual.abs());
        let distance = value - self.level;
        let limit = if self.points > CLIP_AFTER {
            CLIP * (self.deviation + measured.floor)
        } else {
            f64::INFINITY
        };
        let share = self.share(LONG_SHARE);
        self.level += share * distance.clamp(-limit, limit);
        self.deviation += share * (distance.abs().min(limit) - self.deviation);
        self.residual += self.share(RESIDUAL_SHARE) * (residual - self.residual);
        self.day.add(season.season_slot, value);
        self.week.add(season.week_slot, value);
        self.scatter.add(season.scatter_slot, residual);
        self.highest = self.highest.max(value);
        self.lowest = self.lowest.min(value);
        self.points = self.points.saturating_add(1);
    }

    /// Returns the state as bytes, for [`Detector::restore`].
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        state::write(VERSION, self)
    }

    /// Returns the detector whose state was saved.
    ///
    /// # Errors
    ///
    /// When the bytes are not a state of this version.
    pub fn restore(state: &[u8]) -> Result<Self, StateError> {
        state::read(VERSION, Self::new(), state)
    }
}

impl Fields for Detector {
    fn fields(&mut self, visit: &mut Visit<'_>) -> Result<(), StateError> {
        visit.number(&mut self.points)?;
        for number in [
            &mut self.level,
            &mut self.deviation,
            &mut self.recent,
            &mut self.residual,
            &mut self.drift,
            &mut self.lowest,
            &mut self.highest,
            &mut self.bar,
        ] {
            visit.number(number)?;
        }
        visit.number(&mut self.since_bar)?;
        self.tails
            .iter_mut()
            .try_for_each(|tail| tail.fields(visit))?;
        self.day.fields(visit)?;
        self.week.fields(visit)?;
        self.scatter.fields(visit)
    }
}
