//! What the detector reports of series in which nothing is wrong, and what it finds when something is.
//!
//! Five weeks of five-minute points each, of which the last three count: the first two are what a new
//! metric has no history for.

mod simulated;

use simulated::{Dice, wave};
use stats::anomaly::{Detector, Level};
use stats::moment::Moment;

const DAY: usize = 288;
const WEEK: usize = 7 * DAY;
const POINTS: usize = 5 * WEEK;
const COUNTED_FROM: usize = 2 * WEEK;
const WEEKS_COUNTED: f64 = 3.0;
const SERIES_PER_KIND: usize = 12;

/// Kinds of series: name, and values of the n-th series.
type Kind = (&'static str, fn(f64, &mut Dice) -> Vec<f64>);

/// What a host has.
const COMMON: [Kind; 8] = [
    ("CPU: day, week and trend", |nth, dice| {
        made(dice, |at, dice| {
            let load = 12.0 * wave(at.day + nth / 12.0) * at.at_weekend(0.5);
            30.0 + load + 10.0 * at.part + 2.0 * dice.normal()
        })
    }),
    ("requests", |nth, dice| {
        made(dice, |at, dice| {
            let rate = 40.0 + 30.0 * wave(at.day + nth / 12.0);
            poisson(dice, rate * at.at_weekend(0.6) * (1.0 + nth))
        })
    }),
    ("memory: wandering, with trend", |_, dice| {
        let mut wander = 0.0;
        made(dice, |at, dice| {
            wander = 0.98 * wander + 0.6 * dice.normal();
            50.0 + 20.0 * at.part + wander
        })
    }),
    ("latency: skewed", |nth, dice| {
        made(dice, |at, dice| {
            (3.0 + 0.4 * wave(at.day + nth / 12.0) + 0.35 * dice.normal()).exp()
        })
    }),
    ("errors: few", |nth, dice| {
        made(dice, |_, dice| poisson(dice, 0.05 * (1.0 + nth % 4.0)))
    }),
    ("cron: hourly and nightly", |nth, dice| {
        made(dice, |at, dice| {
            let hourly = if at.slot % 12 == nth as usize {
                40.0 + dice.normal()
            } else {
                0.0
            };
            let nightly = if at.slot == 40 {
                80.0 + 2.0 * dice.normal()
            } else {
                0.0
            };
            5.0 + 0.5 * dice.normal() + hourly + nightly
        })
    }),
    ("disk: rotated daily", |nth, dice| {
        made(dice, |at, dice| {
            40.0 + 20.0 * (at.day + nth / 12.0).fract() + 0.3 * dice.normal()
        })
    }),
    ("constant", |_, dice| made(dice, |_, _| 7.0)),
];

/// What is hard: growth, stairs, jobs at exact slots, bursts.
const HARD: [Kind; 10] = [
    ("steady growth", |nth, dice| {
        made(dice, |at, dice| {
            at.part * 100.0 * (1.0 + nth) + 0.05 * (nth % 3.0) * dice.normal()
        })
    }),
    ("growth and day", |nth, dice| {
        made(dice, |at, dice| {
            100.0 + 5.0 * wave(at.day) + at.part * 100.0 * (1.0 + nth) + 0.5 * dice.normal()
        })
    }),
    ("growth by stairs", |nth, dice| {
        let mut level = 0.0;
        let chance = 1.0 / (36.0 * (1.0 + nth % 8.0));
        made(dice, |_, dice| {
            if dice.share() < chance {
                level += 1.0 + (3.0 * dice.share()).floor();
            }
            level
        })
    }),
    ("random walk", |_, dice| {
        let mut level = 0.0;
        made(dice, |_, dice| {
            level = 0.995 * level + dice.normal();
            100.0 + level
        })
    }),
    ("backup every night", |nth, dice| {
        made(dice, |at, dice| {
            let backup = if (26..30 + nth as usize % 3).contains(&at.slot) {
                30.0 + 3.0 * dice.normal()
            } else {
                0.0
            };
            4.0 + 0.3 * dice.normal() + backup
        })
    }),
    ("one point a day", |nth, dice| {
        made(dice, |at, dice| {
            let job = if at.slot == (37 + 13 * nth as usize) % DAY {
                60.0 + 5.0 * dice.normal()
            } else {
                0.0
            };
            20.0 + 2.0 * dice.normal() + job
        })
    }),
    ("one point every six hours", |nth, dice| {
        made(dice, |at, dice| {
            let job = if at.slot % 72 == (3 + 7 * nth as usize) % 72 {
                30.0 + 3.0 * dice.normal()
            } else {
                0.0
            };
            20.0 + 2.0 * dice.normal() + job
        })
    }),
    ("hourly job of uneven size", |nth, dice| {
        made(dice, |at, dice| {
            let job = if at.slot % 12 == nth as usize {
                20.0 + 6.0 * dice.normal()
            } else {
                0.0
            };
            (5.0 + 0.3 * dice.normal() + job).max(0.0)
        })
    }),
    ("nightly job that starts unpunctually", |_, dice| {
        let mut delay = 0;
        made(dice, |at, dice| {
            if at.slot == 0 {
                delay = dice.between(0.0, 3.0) as usize;
            }
            let job = if (100 + delay..102 + delay).contains(&at.slot) {
                40.0 + 4.0 * dice.normal()
            } else {
                0.0
            };
            20.0 + 2.0 * dice.normal() + job
        })
    }),
    ("office hours", |_, dice| {
        made(dice, |at, dice| {
            if at.is_weekend {
                20.0 + 2.0 * dice.normal()
            } else {
                50.0 + 20.0 * wave(at.day) + 3.0 * dice.normal()
            }
        })
    }),
];

/// When a point is.
struct At {
    /// Part of the five weeks, 0 to 1.
    part: f64,
    /// Days since the beginning.
    day: f64,
    /// Five minutes of the day.
    slot: usize,
    is_weekend: bool,
}

impl At {
    fn at_weekend(&self, factor: f64) -> f64 {
        if self.is_weekend { factor } else { 1.0 }
    }
}

fn moment(point: usize) -> Moment {
    Moment::new((point / DAY % 7) as u8, (point % DAY * 300) as u32)
}

fn made(dice: &mut Dice, mut value: impl FnMut(&At, &mut Dice) -> f64) -> Vec<f64> {
    let at = |point| At {
        part: point as f64 / POINTS as f64,
        day: point as f64 / DAY as f64,
        slot: point % DAY,
        is_weekend: moment(point).is_weekend(),
    };
    (0..POINTS).map(|point| value(&at(point), dice)).collect()
}

fn poisson(dice: &mut Dice, mean: f64) -> f64 {
    if mean > 60.0 {
        return (mean + mean.sqrt() * dice.normal()).round().max(0.0);
    }
    let (limit, mut product, mut count) = ((-mean).exp(), dice.share(), 0.0);
    while product > limit {
        product *= dice.share();
        count += 1.0;
    }
    count
}

/// Returns how many new findings a metric has per week, averaged over kinds: from each level on, and
/// warnings on a host with ten times the usual metrics.
fn per_week(kinds: &[Kind]) -> [f64; 4] {
    let [notice, warn, critical] = Level::ALL.map(Level::from_score);
    let bars = [notice, warn, critical, Level::Warn.from_score_among(2000)];
    let mut mean = [0.0; 4];
    for (nth, (name, make)) in kinds.iter().enumerate() {
        let mut counts = [0; 4];
        for series in 0..SERIES_PER_KIND {
            let mut dice = Dice::new((100 * nth + series) as u64);
            let mut detector = Detector::new();
            for (point, value) in make(series as f64, &mut dice).into_iter().enumerate() {
                let judgement = detector.observe(moment(point), value);
                let judgement = judgement.expect("simulated values are finite");
                if point >= COUNTED_FROM && judgement.is_new {
                    for (count, bar) in counts.iter_mut().zip(bars) {
                        *count += usize::from(judgement.score >= bar);
                    }
                }
            }
        }
        let weeks = SERIES_PER_KIND as f64 * WEEKS_COUNTED;
        let rates = counts.map(|count| count as f64 / weeks);
        println!("{name}: {rates:.2?}");
        for (mean, rate) in mean.iter_mut().zip(rates) {
            *mean += rate / kinds.len() as f64;
        }
    }
    println!("mean: {mean:.3?}");
    mean
}

#[test]
fn clean_series_are_quiet() {
    let [notice, warn, critical, warn_among_many] = per_week(&COMMON);
    assert!(notice <= 1.5 && warn <= 0.2 && critical <= 0.02);
    assert!(10.0 * warn_among_many <= 0.2 && warn_among_many > 0.0);
}

#[test]
fn growth_and_jobs_are_no_anomalies() {
    let [notice, warn, critical, warn_among_many] = per_week(&HARD);
    assert!(notice <= 0.3 && warn <= 0.1 && critical <= 0.02);
    assert!(10.0 * warn_among_many <= 0.1);
}
