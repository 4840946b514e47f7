//! How often "full within 24 hours" is right, on simulated disks and memories whose future is known.

mod simulated;

use simulated::{Dice, wave};
use stats::capacity::{Growth, LOOKED_AT};

/// Percent that counts as full.
const LIMIT: f64 = 90.0;
const HORIZON: usize = 24;
const HOURS: usize = 15 * 24;
const SERIES_PER_KIND: u64 = 60;

/// Kinds of series: name, and value by hour.
type Kind = (&'static str, fn(&mut Dice) -> Vec<f64>);

const KINDS: [Kind; 8] = [
    ("linear growth", |dice| {
        let (full_at, slope, noise) = (
            dice.between(180.0, 480.0),
            dice.between(0.02, 0.3),
            dice.between(0.1, 0.5),
        );
        made(dice, |hour, dice| {
            LIMIT + slope * (hour - full_at) + noise * dice.normal()
        })
    }),
    ("growth and cycle", |dice| {
        let (full_at, slope, height) = (
            dice.between(180.0, 480.0),
            dice.between(0.05, 0.3),
            dice.between(2.0, 8.0),
        );
        let phase = dice.share();
        made(dice, |hour, dice| {
            LIMIT - height
                + slope * (hour - full_at)
                + height * wave(hour / 24.0 + phase)
                + 0.4 * dice.normal()
        })
    }),
    ("daily rotation", |dice| {
        let (base, height, phase) = (
            dice.between(40.0, 62.0),
            dice.between(8.0, 25.0),
            dice.between(0.0, 24.0).floor(),
        );
        made(dice, |hour, dice| {
            base + height * ((hour + phase) % 24.0) / 24.0 + 0.3 * dice.normal()
        })
    }),
    ("cycle", |dice| {
        let (base, height, phase) = (
            dice.between(50.0, 76.0),
            dice.between(3.0, 11.0),
            dice.share(),
        );
        made(dice, |hour, dice| {
            base + height * wave(hour / 24.0 + phase) + 0.6 * dice.normal()
        })
    }),
    ("office hours", |dice| {
        let (weekend, weekday) = (dice.between(30.0, 50.0), dice.between(55.0, 75.0));
        let (height, phase) = (dice.between(2.0, 8.0), dice.between(0.0, 168.0));
        made(dice, |hour, dice| {
            let is_weekend = (hour + phase) % 168.0 < 48.0;
            let level = if is_weekend {
                weekend
            } else {
                weekday + height * wave(hour / 24.0)
            };
            level + 0.6 * dice.normal()
        })
    }),
    ("noise", |dice| {
        let (base, noise) = (dice.between(74.0, 87.0), dice.between(0.5, 2.0));
        made(dice, |_, dice| base + noise * dice.normal())
    }),
    ("step", |dice| {
        let (base, at, height) = (
            dice.between(40.0, 65.0),
            dice.between(100.0, 330.0),
            dice.between(5.0, 20.0),
        );
        made(dice, |hour, dice| {
            base + if hour >= at { height } else { 0.0 } + 0.4 * dice.normal()
        })
    }),
    ("new leak", |dice| {
        let (base, at, slope) = (
            dice.between(40.0, 70.0),
            dice.between(150.0, 300.0),
            dice.between(0.2, 1.5),
        );
        made(dice, |hour, dice| {
            base + slope * (hour - at).max(0.0) + 0.4 * dice.normal()
        })
    }),
];

fn made(dice: &mut Dice, mut value: impl FnMut(f64, &mut Dice) -> f64) -> Vec<f64> {
    (0..HOURS)
        .map(|hour| value(hour as f64, dice).clamp(0.0, 100.0))
        .collect()
}

#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    checks: usize,
    right: usize,
    wrong: usize,
    missed: usize,
    hours_off: usize,
}

impl Tally {
    fn precision(&self) -> f64 {
        self.right as f64 / (self.right + self.wrong) as f64
    }

    fn recall(&self) -> f64 {
        self.right as f64 / (self.right + self.missed) as f64
    }
}

fn tally(series: &[f64], tally: &mut Tally) {
    for now in (LOOKED_AT..HOURS - HORIZON).step_by(6) {
        if series[now] >= LIMIT {
            break;
        }
        let truth = (1..=HORIZON).find(|hour| series[now + hour] >= LIMIT);
        let growth = Growth::of(&series[..=now]).expect("there is a week of values");
        let breach = growth.breach(LIMIT, HORIZON);
        tally.checks += 1;
        match (truth, breach) {
            (Some(truth), Some(breach)) => {
                tally.right += 1;
                tally.hours_off += truth.abs_diff(breach.hours);
            }
            (Some(_), None) => tally.missed += 1,
            (None, Some(_)) => tally.wrong += 1,
            (None, None) => {}
        }
    }
}

#[test]
fn breaches_are_foreseen_where_growth_is_real_and_there_alone() {
    let mut all = Tally::default();
    for (nth, (name, make)) in KINDS.iter().enumerate() {
        let mut of_kind = Tally::default();
        for seed in 0..SERIES_PER_KIND {
            tally(
                &make(&mut Dice::new(1000 * nth as u64 + seed)),
                &mut of_kind,
            );
        }
        println!("{name}: {of_kind:?}");
        all.checks += of_kind.checks;
        all.right += of_kind.right;
        all.wrong += of_kind.wrong;
        all.missed += of_kind.missed;
        all.hours_off += of_kind.hours_off;
    }
    println!(
        "all: {all:?}, precision {:.3}, recall {:.3}, {:.1} hours off",
        all.precision(),
        all.recall(),
        all.hours_off as f64 / all.right as f64
    );
    assert!(all.precision() >= 0.95, "{all:?}");
    assert!(all.recall() >= 0.75, "{all:?}");
}

#[test]
fn what_does_not_grow_is_not_full_within_a_month() {
    let (mut checks, mut wrong) = (0, 0);
    for (nth, (name, make)) in KINDS.iter().enumerate() {
        if !["daily rotation", "cycle", "office hours", "noise"].contains(name) {
            continue;
        }
        for seed in 0..SERIES_PER_KIND {
            let series = make(&mut Dice::new(1000 * nth as u64 + seed));
            for now in (LOOKED_AT..HOURS).step_by(6) {
                let growth = Growth::of(&series[..=now]).unwrap();
                checks += 1;
                wrong += usize::from(growth.breach(LIMIT, 30 * 24).is_some());
            }
        }
    }
    println!("{wrong} of {checks} checks");
    assert!(wrong * 100 <= checks, "{wrong} of {checks}");
}
