//! What holds for the detector whatever the series.

mod simulated;

use proptest::prelude::*;
use simulated::{Dice, wave};
use stats::StateError;
use stats::anomaly::{Detector, Direction, Judgement, Level};
use stats::moment::Moment;

const DAY: usize = 288;

fn moment(point: usize) -> Moment {
    Moment::new((point / DAY % 7) as u8, (point % DAY * 300) as u32)
}

fn judged(values: impl IntoIterator<Item = f64>) -> Vec<Option<Judgement>> {
    let mut detector = Detector::new();
    let values = values.into_iter().enumerate();
    values
        .map(|(point, value)| detector.observe(moment(point), value))
        .collect()
}

/// A clean series with a daily season.
fn clean(points: usize) -> Vec<f64> {
    let mut dice = Dice::new(5);
    let value = |point| {
        40.0 + 10.0 * wave(point as f64 / DAY as f64)
            + dice.between(-1.5, 1.5)
            + 0.5 * dice.normal()
    };
    (0..points).map(value).collect()
}

/// What is added to how many points, and what is to be found: side, least level, and a part that contributes.
type Planted = (usize, f64, Direction, Level, fn(&Judgement) -> f64);

#[test]
fn what_is_planted_is_found_with_its_direction_and_part() {
    let at = 20 * DAY + 100;
    let planted: [Planted; 4] = [
        (1, 30.0, Direction::Above, Level::Warn, |one| {
            one.parts.extreme
        }),
        (1, -35.0, Direction::Below, Level::Warn, |one| {
            one.parts.extreme
        }),
        (48, 6.0, Direction::Above, Level::Notice, |one| {
            one.parts.deviation
        }),
        (144, -3.0, Direction::Below, Level::Notice, |one| {
            one.parts.drift
        }),
    ];
    for (length, height, direction, level, part) in planted {
        let mut values = clean(at + length);
        values[at..].iter_mut().for_each(|value| *value += height);
        let judgements = judged(values);
        let best = judgements[at..]
            .iter()
            .flatten()
            .max_by(|a, b| a.score.total_cmp(&b.score))
            .unwrap();
        assert!(best.level >= Some(level), "{height} for {length}: {best:?}");
        assert_eq!(best.direction, direction, "{height} for {length}");
        assert!(part(best) > 0.0, "{height} for {length}: {best:?}");
        assert_eq!(best.z > 0.0, height > 0.0);
        let before = judgements[14 * DAY..at].iter().flatten();
        assert_eq!(
            before.filter(|one| one.level >= Some(Level::Warn)).count(),
            0
        );
    }
}

#[test]
fn a_finding_that_goes_on_is_no_new_one() {
    let mut values = clean(20 * DAY);
    values[19 * DAY..19 * DAY + 36]
        .iter_mut()
        .for_each(|value| *value += 20.0);
    let judgements = judged(values);
    let new = judgements[19 * DAY..19 * DAY + 100]
        .iter()
        .flatten()
        .filter(|one| one.is_new && one.level.is_some())
        .count();
    // The first hours may still get worse.
    assert!((1..=5).contains(&new), "{new}");
}

#[test]
fn levels_ascend() {
    for (score, level) in [
        (0.0, None),
        (4.29, None),
        (4.3, Some(Level::Notice)),
        (6.5, Some(Level::Warn)),
        (8.7, Some(Level::Critical)),
        (28.0, Some(Level::Critical)),
        (f64::NAN, None),
    ] {
        assert_eq!(Level::of(score), level, "{score}");
    }
    assert!(Level::ALL.is_sorted());
}

#[test]
fn a_counter_that_is_reset_is_no_anomaly() {
    // Steps of a counter that grows by about 600 per point and begins anew now and then: the step across a
    // reset is absent.
    let mut dice = Dice::new(9);
    let (mut counter, mut before) = (0.0, None);
    let steps: Vec<f64> = (0..35 * DAY)
        .map(|point| {
            if point % 1500 == 1499 {
                (counter, before) = (0.0, None);
            }
            counter += 600.0 + 30.0 * dice.normal();
            let step = before.map_or(f64::NAN, |before| counter - before);
            before = Some(counter);
            step
        })
        .collect();
    let judgements = judged(steps);
    let warned = judgements[14 * DAY..]
        .iter()
        .flatten()
        .filter(|one| one.level >= Some(Level::Warn));
    assert_eq!(warned.count(), 0);
    assert_eq!(judgements.iter().filter(|one| one.is_none()).count(), 7);
}

#[test]
fn the_place_of_zero_does_not_matter() {
    let values = clean(15 * DAY);
    let moved = values.iter().map(|value| value + 1000.0);
    let pairs = judged(values.iter().copied())
        .into_iter()
        .zip(judged(moved));
    let (mut farthest, mut differing): (f64, _) = (0.0, 0);
    // Before that, a spread is little more than rounding.
    for (one, other) in pairs.skip(2 * DAY) {
        let (one, other) = (one.unwrap(), other.unwrap());
        farthest = farthest.max((one.score - other.score).abs());
        differing += usize::from(one.level != other.level);
        assert!(
            (one.z - other.z).abs() < 0.01 * (1.0 + one.z.abs()),
            "{one:?} {other:?}"
        );
    }
    // Multiples near the edge of a bucket may fall on its other side.
    assert!(farthest < 1.0 && differing <= 2, "{farthest} {differing}");
}

#[test]
fn a_state_of_another_program_is_refused() {
    let state = Detector::new().save();
    assert!(size_of::<Detector>() <= 3000 && state.len() <= 3000);
    let mut older = state.clone();
    older[0] = 0;
    assert_eq!(
        Detector::restore(&older),
        Err(StateError::Version {
            found: 0,
            expected: 1
        })
    );
    assert!(matches!(
        Detector::restore(&state[1..]),
        Err(StateError::Version { .. })
    ));
    assert!(matches!(
        Detector::restore(&state[..9]),
        Err(StateError::Length { .. })
    ));
}

proptest! {
    #[test]
    fn a_constant_is_no_anomaly(value in prop::num::f64::ANY, points in 1_usize..2000) {
        for judgement in judged(vec![value; points]).into_iter().flatten() {
            prop_assert!(judgement.level.is_none() && judgement.score < 0.1, "{judgement:?}");
            prop_assert!(judgement.spread > 0.0 && judgement.z.abs() < 1.0);
        }
    }

    #[test]
    fn what_is_absent_teaches_nothing(
        values in prop::collection::vec((-1e9_f64..1e9, prop::option::of(prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)])), 1..300),
    ) {
        let (mut one, mut other) = (Detector::new(), Detector::new());
        for (point, (value, absent)) in values.into_iter().enumerate() {
            if let Some(absent) = absent {
                prop_assert_eq!(one.observe(moment(point), absent), None);
            }
            prop_assert_eq!(one.observe(moment(point), value), other.observe(moment(point), value));
        }
        prop_assert_eq!(one.save(), other.save());
    }

    #[test]
    fn a_restored_detector_goes_on_as_the_saved_one(
        values in prop::collection::vec(prop::num::f64::ANY, 0..400), more in prop::collection::vec(-1e6_f64..1e6, 1..100),
    ) {
        let mut one = Detector::new();
        for (point, value) in values.into_iter().enumerate() {
            one.observe(moment(point), value);
        }
        let mut other = Detector::restore(&one.save()).unwrap();
        prop_assert_eq!(&one, &other);
        for (point, value) in more.into_iter().enumerate() {
            prop_assert_eq!(one.observe(moment(point), value), other.observe(moment(point), value));
        }
        prop_assert_eq!(one.save(), other.save());
    }

    #[test]
    fn a_damaged_state_is_refused_or_does_no_harm(
        damage in prop::collection::vec((0_usize..2600, any::<u8>()), 1..40), value in -1e6_f64..1e6,
    ) {
        let mut state = Detector::new().save();
        for (at, byte) in damage {
            if let Some(place) = state.get_mut(at) {
                *place = byte;
            }
        }
        if let Ok(mut detector) = Detector::restore(&state) {
            for point in 0..100 {
                let judgement = detector.observe(moment(point), value).unwrap();
                prop_assert!(judgement.score.is_finite() && judgement.z.is_finite(), "{judgement:?}");
            }
        }
    }

    #[test]
    fn what_is_said_is_finite(values in prop::collection::vec(prop::num::f64::ANY, 0..400)) {
        for judgement in judged(values).into_iter().flatten() {
            let numbers = [judgement.score, judgement.expected, judgement.spread, judgement.z, judgement.range.0, judgement.range.1];
            prop_assert!(numbers.into_iter().chain(judgement.drift_pct).all(f64::is_finite), "{judgement:?}");
            prop_assert!((0.0..=28.0).contains(&judgement.score));
        }
    }

    #[test]
    fn the_unit_does_not_matter(values in prop::collection::vec(1.0_f64..1000.0, 60..500), power in -6_i32..30) {
        let scale = 2_f64.powi(power);
        let scaled = judged(values.iter().map(|value| value * scale));
        // Before that, a spread is little more than rounding.
        let pairs = judged(values.iter().copied()).into_iter().flatten().zip(scaled.into_iter().flatten()).skip(30);
        for (one, other) in pairs {
            prop_assert!((one.score - other.score).abs() < 0.3, "{one:?} {other:?}");
            prop_assert!((one.z - other.z).abs() < 1e-3 * (1.0 + one.z.abs()), "{one:?} {other:?}");
            prop_assert_eq!(one.direction, other.direction);
        }
    }
}
