use super::*;

const TODAY: i64 = 20_000;
const MIB: i64 = 1 << 20;

fn at(day: i64, hours: i64) -> Timestamp {
    Timestamp(day * DAY + hours * HOUR)
}

fn part(table: &str, ago: i64, mib: i64) -> Part {
    Part {
        table: table.to_owned(),
        day: Some((TODAY - ago, format!("{ago} days ago"))),
        bytes: [mib * MIB, 0, 0],
        rows: Some(mib * 10),
    }
}

fn store(parts: Vec<Part>, began: Timestamp, now: Timestamp) -> Store {
    let mut store = Store::new(now, Some(began));
    for (keep, days) in [(Keep::Raw, 14), (Keep::Lines, 7), (Keep::Hourly, 90)] {
        store.kept.push(Kept {
            keep,
            days,
            first_day: day_of(now) - days,
            cut: None,
        });
    }
    store.fill(parts, Some(began));
    store
}

fn growth(parts: Vec<Part>, began: Timestamp, now: Timestamp) -> Option<f64> {
    let store = store(parts, began, now);
    let bytes = store.tables[0].bytes_per_day?;
    Some(bytes / MIB as f64)
}

#[test]
fn growth_is_the_mean_of_the_complete_days() {
    let raw = |ago, mib| part("system_metrics_raw", ago, mib);
    let long_ago = at(TODAY - 100, 0);
    let noon = at(TODAY, 12);
    // Today, tomorrow and what is older than a week do not count; a day without rows counts as one.
    let parts = vec![raw(-1, 1), raw(0, 500), raw(1, 14), raw(3, 7), raw(8, 900)];
    assert_eq!(growth(parts, long_ago, noon), Some(3.0));
    // The first day is not complete.
    let parts = || vec![raw(0, 6), raw(1, 10), raw(2, 4)];
    assert_eq!(growth(parts(), at(TODAY - 2, 15), noon), Some(10.0));
    // Rows that are older than the first host count: an import.
    assert_eq!(growth(parts(), noon, noon), Some(10.0));
}

#[test]
fn while_no_day_is_complete_the_rate_since_the_beginning_counts() {
    let raw = |ago, mib| part("system_metrics_raw", ago, mib);
    assert_eq!(
        growth(vec![raw(0, 3)], at(TODAY, 6), at(TODAY, 12)),
        Some(12.0)
    );
    assert_eq!(
        growth(vec![raw(0, 3), raw(1, 1)], at(TODAY - 1, 22), at(TODAY, 6)),
        Some(12.0)
    );
    let soon = Timestamp(at(TODAY, 6).0 + HOUR / 2);
    assert_eq!(growth(vec![raw(0, 3)], at(TODAY, 6), soon), None, "unknown");
}

#[test]
fn the_need_is_that_of_the_configured_days_and_today() {
    let mut parts = vec![part("system_metrics_raw", 1, 2), part("log_entries", 1, 3)];
    let whole = |table: &str, mib: i64| Part {
        day: None,
        ..part(table, 0, mib)
    };
    parts.extend([whole("system_metrics_raw", 1), whole("findings", 5)]);
    let store = store(parts, at(TODAY - 30, 0), at(TODAY, 1));
    let needed = |name: &str| {
        let table = store.tables.iter().find(|table| table.name == name);
        table.unwrap().needed_bytes.unwrap() / MIB as f64
    };
    // A seventh of what came within the week, of 14 days and today.
    assert!((needed("system_metrics_raw") - (1.0 + 15.0 * 2.0 / 7.0)).abs() < 1e-9);
    assert!((needed("log_entries") - 8.0 * 3.0 / 7.0).abs() < 1e-9);
    assert!((needed("findings") - 5.0).abs() < 1e-9, "its present size");
    let names: Vec<&str> = store.tables.iter().map(|table| &*table.name).collect();
    assert_eq!(names, ["findings", "log_entries", "system_metrics_raw"]);
}

/// Ten complete days of 10 MiB raw and 1 MiB of hourly sums.
fn ten_days(budget_mib: i64) -> Store {
    let mut parts: Vec<Part> = (0..=10)
        .map(|ago| part("system_metrics_raw", ago, 10))
        .collect();
    parts.extend((0..=10).map(|ago| part("log_metrics_hourly", ago, 1)));
    let mut store = store(parts, at(TODAY - 11, 1), at(TODAY, 1));
    store.budget_bytes = Some(budget_mib * MIB);
    store
}

#[test]
fn a_budget_that_suffices_has_no_forecast() {
    // 15 × 10 and 91 × 1.
    assert_eq!(ten_days(241).forecast(), None);
    let mut unlimited = ten_days(10);
    unlimited.budget_bytes = None;
    assert_eq!(unlimited.forecast(), None);
    let mut young = ten_days(10);
    young.complete_days = 0;
    assert_eq!(young.forecast(), None, "growth is not known yet");
}

#[test]
fn the_forecast_says_when_and_what_will_be_kept() {
    for (budget, in_days, raw_days) in [
        // Raw samples have their 14 days in four; then only hourly sums grow: 150 + 15 there, 240 a while later.
        (240, 80, 13),
        (166, 6, 6),
        (143, 3, 4),
        (121, 1, 2),
        (120, 1, 1),
        (95, 1, 1),
    ] {
        let forecast = ten_days(budget).forecast().unwrap();
        let found = (forecast.in_days, forecast.raw_days);
        assert_eq!(found, (in_days, raw_days), "{budget}");
        assert_eq!(forecast.asked_days, 14);
        assert!((forecast.needed_bytes - (241 * MIB) as f64).abs() < 1.0);
    }
}

#[test]
fn days_that_wait_to_be_dropped_are_not_kept() {
    let store = ten_days(0);
    assert_eq!(store.kept_bytes(), store.bytes());
    let mut cut = store;
    cut.kept[0].first_day = TODAY - 3;
    assert_eq!(cut.kept_bytes(), cut.bytes() - 7 * 10 * MIB);
}
