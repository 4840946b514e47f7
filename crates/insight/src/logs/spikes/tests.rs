use super::*;
use std::f64::consts::TAU;
use testkit::Dice;

const TWELFTH: f64 = 1.0 / 12.0;

/// Returns a Poisson-distributed number, by the times between events.
fn count(dice: &mut Dice, mean: f64) -> f64 {
    let (mut time, mut count) = (0.0, -1.0);
    while time <= mean {
        time -= dice.unit().max(1e-300).ln();
        count += 1.0;
    }
    count
}

/// A kind of source: how many lines its five minutes have, by number.
struct Life {
    name: &'static str,
    lines: fn(&mut Dice, usize) -> f64,
    /// Findings that six weeks may bring: what happens by chance in this life.
    most: usize,
}

const FIVES: usize = 12 * 24 * 7 * 6;

fn at_hour(five: usize) -> f64 {
    (five as f64 / 12.0) % 24.0
}

const LIVES: &[Life] = &[
    Life {
        name: "silent",
        lines: |_, _| 0.0,
        most: 0,
    },
    Life {
        name: "one a day",
        lines: |dice, _| count(dice, 1.0 / 288.0),
        most: 0,
    },
    Life {
        name: "a trickle",
        lines: |dice, _| count(dice, 0.5),
        most: 0,
    },
    Life {
        name: "busy by day",
        lines: |dice, five| count(dice, 20.0 * (1.2 + (at_hour(five) / 24.0 * TAU).sin())),
        most: 0,
    },
    Life {
        name: "bundles of thirty, one in fifteen hours",
        lines: |dice, _| {
            if dice.unit() < 1.0 / 180.0 { 30.0 } else { 0.0 }
        },
        most: 1,
    },
    Life {
        name: "sixty each hour at once",
        lines: |_, five| if five % 12 == 3 { 60.0 } else { 0.0 },
        most: 0,
    },
    Life {
        name: "five hundred each night",
        lines: |dice, five| {
            let job = if five % 288 == 38 { 500.0 } else { 0.0 };
            job + count(dice, 0.2)
        },
        most: 0,
    },
    Life {
        name: "two thousand each Sunday",
        lines: |dice, five| {
            let job = if five % 2016 == 40 { 2000.0 } else { 0.0 };
            job + count(dice, 0.2)
        },
        // The first three Sundays are not known to be Sundays.
        most: 3,
    },
];

/// The part of the fullest five minutes, as the statement has it: over the last day.
fn burst(fives: &[f64]) -> f64 {
    let day = &fives[fives.len().saturating_sub(288)..];
    let (most, all) = day.chunks(12).fold((0.0, 0.0), |(most, all), hour| {
        let fullest = hour.iter().copied().fold(0.0, f64::max);
        (most + fullest, all + hour.iter().sum::<f64>())
    });
    if all > 0.0 { most / all } else { 1.0 }
}

/// Returns the findings of each five minutes of a life, from the second day on.
fn evaluated(fives: &[f64]) -> Vec<(usize, Finding)> {
    let hours: Vec<f64> = fives.chunks(12).map(|hour| hour.iter().sum()).collect();
    let mut found = Vec::new();
    for hour in 24..hours.len() {
        let Some(expected) = expect(&hours[..hour], burst(&fives[..hour * 12])) else {
            continue;
        };
        for (five, lines) in fives.iter().enumerate().skip(hour * 12).take(12) {
            let recent = Recent {
                source: "api".to_owned(),
                level: LogLevel::Error,
                lines: *lines as i64,
                span: (Timestamp(0), Timestamp(0)),
                pattern: None,
            };
            found.extend(evaluate_one(&recent, &expected).map(|one| (five, one)));
        }
    }
    found
}

fn live(life: &Life, seed: u64) -> Vec<f64> {
    let mut dice = Dice::new(seed);
    (0..FIVES)
        .map(|five| (life.lines)(&mut dice, five))
        .collect()
}

#[test]
fn what_is_usual_is_not_reported() {
    for life in LIVES {
        for seed in 0..3 {
            let found = evaluated(&live(life, seed));
            assert!(
                found.len() <= life.most,
                "{}: {} findings, the first {:?}",
                life.name,
                found.len(),
                found.first()
            );
        }
    }
}

#[test]
fn what_is_unusual_is_reported_at_once() {
    // In the fifth week, at an hour when nothing else happens.
    let at = 2016 * 4 + 288 * 2 + 12 * 15 + 5;
    for (life, lines, severity) in [
        ("silent", 5.0, Some(Severity::Warn)),
        ("silent", 4.0, None),
        ("silent", 60.0, Some(Severity::Critical)),
        ("one a day", 6.0, Some(Severity::Warn)),
        ("a trickle", 15.0, Some(Severity::Warn)),
        ("busy by day", 70.0, Some(Severity::Warn)),
        ("busy by day", 2000.0, Some(Severity::Critical)),
        (
            "bundles of thirty, one in fifteen hours",
            3000.0,
            Some(Severity::Critical),
        ),
        ("sixty each hour at once", 60.0, None),
        ("sixty each hour at once", 700.0, Some(Severity::Critical)),
        ("five hundred each night", 40.0, Some(Severity::Warn)),
        ("two thousand each Sunday", 300.0, Some(Severity::Critical)),
    ] {
        let life = LIVES.iter().find(|one| one.name == life).unwrap();
        let mut fives = live(life, 1);
        fives[at] += lines;
        let found = evaluated(&fives[..at + 1 + (12 - (at + 1) % 12) % 12]);
        let there = found.iter().find(|(five, _)| *five == at);
        let found = there.map(|(_, finding)| finding.severity);
        assert_eq!(found, severity, "{} with {lines} more", life.name);
    }
}

#[test]
fn a_burst_of_the_past_hides_none_of_today() {
    let life = &LIVES[2];
    let mut fives = live(life, 5);
    let (past, today) = (2016 * 2 + 7, 2016 * 3 + 288 + 7);
    fives[past] += 5000.0;
    fives[today] += 40.0;
    let found = evaluated(&fives[..2016 * 3 + 288 * 2]);
    let reported: Vec<usize> = found.iter().map(|(five, _)| *five).collect();
    assert_eq!(reported, [past, today]);
}

#[test]
fn warnings_are_only_worth_knowing_and_nothing_is_reported_of_the_first_day() {
    assert_eq!(expect(&[1.0; 23], 1.0), None);
    let expected = expect(&[1.0; 24], TWELFTH).unwrap();
    let recent = |level: &str, lines| Recent {
        source: "api".to_owned(),
        level: LogLevel::parse(level).unwrap(),
        lines,
        span: (Timestamp(0), Timestamp(0)),
        pattern: Some("f".to_owned()),
    };
    let found = evaluate_one(&recent("warn", 500), &expected).unwrap();
    assert_eq!(found.severity, Severity::Info);
    assert_eq!(found.target, "api warn");
    assert_eq!(
        found.message,
        "api wrote 500 warnings in five minutes; hardly any are usual at this hour."
    );
    assert!(evaluate(&[recent("error", 500)], &HashMap::new()).is_empty());
}
