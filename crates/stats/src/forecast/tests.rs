use super::*;
use proptest::prelude::*;

fn fed(values: impl IntoIterator<Item = f64>) -> Forecaster {
    let mut forecaster = Forecaster::new();
    for (hour, value) in values.into_iter().enumerate() {
        forecaster.observe(hour % HOURS_OF_WEEK, value);
    }
    forecaster
}

fn season(hour: usize) -> f64 {
    50.0 + 20.0 * (hour as f64 / 24.0 * std::f64::consts::TAU).sin()
}

#[test]
fn a_day_that_repeats_is_known_after_two() {
    let forecaster = fed((0..72).map(season));
    for hours in [1, 6, 24] {
        let forecast = forecaster.forecast(hours).unwrap();
        assert!(
            (forecast.value - season(71 + hours)).abs() < 0.1,
            "{forecast:?}"
        );
    }
}

#[test]
fn a_week_with_a_weekend_is_known_after_two() {
    let week = |hour: usize| {
        if hour % HOURS_OF_WEEK >= 120 {
            10.0
        } else {
            season(hour)
        }
    };
    // Friday 23:00
    let forecaster = fed((0..3 * HOURS_OF_WEEK + 120).map(week));
    let forecast = forecaster.forecast(13).unwrap();
    assert!((forecast.value - 10.0).abs() < 3.0, "{forecast:?}");
    assert!(forecaster.mase(24).unwrap() < 0.5);
}

#[test]
fn nothing_is_forecast_from_nothing() {
    assert_eq!(Forecaster::new().forecast(1), None);
    assert_eq!(fed([f64::NAN; 50]).forecast(1), None);
    let one = fed([7.0]).forecast(6).unwrap();
    assert_eq!((one.value, one.band), (7.0, None));
    assert_eq!(fed([7.0; 500]).mase(1), None);
    let flat = fed([7.0; 500]).forecast(24).unwrap();
    assert_eq!((flat.value, flat.band), (7.0, Some((7.0, 7.0))));
}

#[test]
fn a_tenth_of_the_values_lies_below_the_band_and_a_tenth_above() {
    let mut dice = 1_u64;
    let mut noise = || {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // Skewed: many small, few large.
        10.0 * ((dice >> 33) as f64 / (1_u64 << 31) as f64).powi(8)
    };
    let values: Vec<f64> = (0..3000).map(|hour| season(hour) + noise()).collect();
    for horizon in HORIZONS {
        let mut forecaster = Forecaster::new();
        let mut outside = [0, 0];
        for (hour, value) in values[..2976].iter().enumerate() {
            forecaster.observe(hour % HOURS_OF_WEEK, *value);
            if hour >= 976 {
                let (low, high) = forecaster.forecast(horizon).unwrap().band.unwrap();
                outside[0] += usize::from(values[hour + horizon] < low);
                outside[1] += usize::from(values[hour + horizon] > high);
            }
        }
        let is_tenth = |count: &usize| (180..=220).contains(count);
        assert!(
            outside.iter().all(is_tenth),
            "{outside:?} of 2000 at {horizon} h"
        );
    }
}

#[test]
fn what_grows_from_day_to_day_goes_on_growing() {
    let growing = |hour: usize| season(hour) + 0.4 * hour as f64;
    let forecaster = fed((0..240).map(growing));
    for hours in [1, 6, 24] {
        let forecast = forecaster.forecast(hours).unwrap();
        let truth = growing(239 + hours);
        assert!((forecast.value - truth).abs() < 0.5, "{forecast:?} {truth}");
    }
}

#[test]
fn what_lasts_for_hours_is_carried_on() {
    let (mut dice, mut wander) = (1_u64, 0.0);
    let forecaster = fed((0..1000).map(|hour| {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        wander = 0.9 * wander + (dice >> 33) as f64 / (1_u64 << 31) as f64 - 0.5;
        season(hour) + 5.0 * wander
    }));
    assert!(
        forecaster.mase(1).unwrap() < 0.45,
        "{:?}",
        forecaster.mase(1)
    );
}

#[test]
fn gaps_do_not_shift_the_season() {
    let gappy = |hour: usize| {
        if hour % 7 == 3 || (200..230).contains(&hour) {
            f64::NAN
        } else {
            season(hour)
        }
    };
    let forecaster = fed((0..400).map(gappy));
    let forecast = forecaster.forecast(6).unwrap();
    assert!((forecast.value - season(405)).abs() < 1.0, "{forecast:?}");
}

proptest! {
    #[test]
    fn a_restored_forecaster_goes_on_as_the_saved_one(
        values in prop::collection::vec(prop_oneof![9 => -1e6_f64..1e6, 1 => Just(f64::NAN)], 1..300), more in prop::collection::vec(-1e6_f64..1e6, 1..60),
    ) {
        let mut one = fed(values.iter().copied());
        let mut other = Forecaster::restore(&one.save()).unwrap();
        for (hour, value) in more.into_iter().enumerate() {
            one.observe(hour % HOURS_OF_WEEK, value);
            other.observe(hour % HOURS_OF_WEEK, value);
        }
        prop_assert_eq!(one.save(), other.save());
        prop_assert_eq!(one.forecast(6), other.forecast(6));
    }

    #[test]
    fn a_damaged_state_is_refused_or_does_no_harm(damage in prop::collection::vec((0_usize..1700, any::<u8>()), 1..40), value in -1e6_f64..1e6) {
        let mut state = fed((0..50).map(season)).save();
        for (at, byte) in damage {
            if let Some(place) = state.get_mut(at) {
                *place = byte;
            }
        }
        if let Ok(mut forecaster) = Forecaster::restore(&state) {
            for hour in 0..50 {
                forecaster.observe(hour, value);
                prop_assert!(forecaster.forecast(6).unwrap().value.is_finite());
            }
        }
    }

    #[test]
    fn what_is_forecast_is_finite(values in prop::collection::vec(prop::num::f64::ANY, 0..200), hours in 1_usize..400) {
        let forecaster = fed(values.iter().copied());
        let is_known = values.iter().any(|value| value.is_finite());
        let forecast = forecaster.forecast(hours);
        prop_assert_eq!(forecast.is_some(), is_known);
        if let Some(forecast) = forecast {
            prop_assert!(forecast.value.is_finite());
            prop_assert!(forecast.band.is_none_or(|(low, high)| low <= forecast.value && forecast.value <= high && (high - low).is_finite()));
        }
        prop_assert!(Forecaster::restore(&forecaster.save()).is_ok());
    }

    #[test]
    fn forecasts_stretch_with_the_values(values in prop::collection::vec(1.0_f64..100.0, 30..250), power in -8_i32..8) {
        let scale = 2_f64.powi(power);
        let one = fed(values.iter().copied()).forecast(6).unwrap();
        let other = fed(values.iter().map(|value| value * scale)).forecast(6).unwrap();
        prop_assert!((one.value * scale - other.value).abs() < 1e-3 * scale);
    }
}
