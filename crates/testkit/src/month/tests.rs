//! The month is what it promises.

use super::*;
use schema::Cell;
use std::collections::BTreeMap;

/// Returns a column of the rows of a table, tick by tick.
fn column(plan: &Plan, table: &str, column: &str) -> Vec<(i64, f64)> {
    let place = schema::table(table).unwrap();
    let place = place.columns.iter().position(|one| one.name == column);
    let mut found = Vec::new();
    for tick in Month::new(plan) {
        let secs = (tick.ts.as_micros() - plan.begin.as_micros()) / SECOND;
        for row in tick.rows.iter().filter(|row| row.table.name == table) {
            match row.cells[place.unwrap()] {
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                Cell::Int(value) => found.push((secs, value as f64)),
                Cell::Float(value) => found.push((secs, value)),
                _ => {}
            }
        }
    }
    found
}

#[test]
fn one_seed_gives_one_month_and_another_another() {
    let rows = |seed| {
        let plan = Plan::healthy(seed, 1, Size::SMALL);
        let ticks = Month::new(&plan).take(40);
        ticks.flat_map(|tick| tick.rows).collect::<Vec<_>>()
    };
    assert_eq!(rows(1), rows(1));
    assert_ne!(rows(1), rows(2));
}

#[test]
fn it_has_as_much_as_its_size_says() {
    let plan = Plan::healthy(1, 1, Size::USUAL);
    let first = Month::new(&plan).next().unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &first.rows {
        *counts.entry(row.table.name).or_default() += 1;
    }
    assert!((295..=301).contains(&counts["process_metrics_raw"]));
    assert_eq!(counts["table_metrics_raw"], 200);
    assert_eq!(counts["log_sources_raw"], 13);
    assert_eq!(counts["system_metrics_raw"], 1);
    let second = Month::new(&plan).nth(1).unwrap();
    assert!(
        second
            .rows
            .iter()
            .all(|row| row.table.every == schema::Every::Tick)
    );
    // All of them run at night, too.
    let statements = Month::new(&plan).nth(30).unwrap();
    let of = |row: &&Row| row.table.name == "statement_metrics_raw";
    assert!(statements.rows.iter().filter(of).count() > 400);
}

#[test]
fn load_has_a_day_and_a_week() {
    let plan = Plan {
        interval_secs: 600,
        ..Plan::healthy(3, 7, Size::SMALL)
    };
    let load = column(&plan, "api_metrics_raw", "rps");
    let mean = |day: i64, hours: std::ops::Range<i64>| {
        let of = load
            .iter()
            .filter(|(secs, _)| secs / 86_400 == day && hours.contains(&(secs % 86_400 / 3600)));
        let values: Vec<f64> = of.map(|(_, value)| *value).collect();
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let number = values.len() as f64;
        values.iter().sum::<f64>() / number
    };
    assert!(mean(1, 13..17) > 3.0 * mean(1, 1..5), "night and day");
    assert!(
        mean(1, 13..17) > 1.7 * mean(6, 13..17),
        "Tuesday and Sunday"
    );
}

#[test]
fn counters_begin_anew_with_what_counts_and_only_then() {
    let plan = Plan {
        interval_secs: 60,
        ..Plan::healthy(4, 7, Size::SMALL)
    };
    let resets = |table, name| {
        let values = column(&plan, table, name);
        let steps = values.windows(2);
        steps.filter(|pair| pair[1].1 < pair[0].1).count()
    };
    // A reboot; a reboot and two restarts of the collector.
    assert_eq!(resets("system_metrics_raw", "net_rx"), 1);
    assert_eq!(resets("collector_self_metrics", "total_rows_written"), 3);
    // Statistics of a server survive its restart in order.
    assert_eq!(resets("db_metrics_raw", "wal_bytes"), 0);
    // A reboot and a new version.
    assert_eq!(resets("api_metrics_raw", "total_requests"), 2);
    let starts = Month::new(&plan).filter(|tick| tick.is_first).count();
    assert_eq!(starts, 4);
}

#[test]
fn events_begin_and_end_when_the_plan_says() {
    let plan = Plan::healthy(5, 1, Size::SMALL)
        .with(Cause::DiskFills, 36_000, 3600)
        .with(Cause::Suspend, 50_000, 300);
    let used = column(&plan, "mount_metrics_raw", "usage_pct");
    let above = used.iter().filter(|(_, value)| *value > 75.0);
    let above: Vec<i64> = above.map(|(secs, _)| *secs).collect();
    assert!(above[0] > 36_000 && *above.last().unwrap() < 39_600);
    let seen = column(&plan, "system_metrics_raw", "uptime_secs");
    let during = seen
        .iter()
        .filter(|(secs, _)| (50_000..50_300).contains(secs));
    assert_eq!(during.count(), 0);
    let mut ticks = Month::new(&plan);
    let after = ticks.find(|tick| tick.ts >= plan.at(50_300)).unwrap();
    assert!(!after.is_first, "it was not started anew");
}
