//! What the store takes, as a table of 80 columns and as JSON.

use std::fmt::Write as _;

use schema::Unit;
use serde_json::{Value, json};
use store::sizes::{Cut, Store, TableSize};

/// Tables that are listed unless all are asked for: with these the list fits a terminal, and the rest is small.
const LISTED: usize = 15;
const HEADS: [&str; 8] = [
    "table", "data", "index", "toast", "per day", "rows/day", "oldest", "needs",
];
/// Widths of the columns, with the gap in front of them.
const WIDTHS: [usize; 8] = [28, 6, 6, 6, 8, 9, 11, 6];

/// Returns the summary and the table.
pub(super) fn text(store: &Store, all: bool) -> String {
    let mut out = String::new();
    for line in summary(store) {
        let _infallible = writeln!(out, "{line}");
    }
    if store.tables.is_empty() {
        return out;
    }
    out.push('\n');
    line(&mut out, &HEADS.map(str::to_owned));
    let listed = if all { store.tables.len() } else { LISTED };
    let (large, small) = store.tables.split_at(listed.min(store.tables.len()));
    for table in large {
        line(&mut out, &cells(table));
    }
    if !small.is_empty() {
        line(&mut out, &rest(small));
    }
    out
}

fn summary(store: &Store) -> Vec<String> {
    let Some(measured_at) = store.measured_at else {
        return vec!["store: not measured yet; a collector does so within an hour".to_owned()];
    };
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    let size = |bytes: i64| words::value(bytes as f64, Unit::Bytes);
    let mut first = format!("store: {}", size(store.bytes()));
    if let Some(budget) = store.budget_bytes {
        let _infallible = write!(first, " of {}", size(budget));
    }
    let known = store.bytes_per_day().zip(store.needed_bytes());
    if let Some((per_day, needed)) = known {
        let _infallible = write!(
            first,
            ", {} a day, will need {}",
            words::value(per_day, Unit::Bytes),
            words::value(needed, Unit::Bytes)
        );
    }
    let age = store.at.as_micros() - measured_at.as_micros();
    #[expect(clippy::cast_precision_loss, reason = "a span of at most years")]
    let age = words::duration(age as f64 / 1e6);
    let _infallible = write!(first, " (measured {age} ago)");
    let mut lines = vec![first];
    for kept in &store.kept {
        if let Some(Cut {
            oldest_day,
            last_day,
            ..
        }) = &kept.cut
        {
            lines.push(format!(
                "store: to stay within its size, {} days {oldest_day} to {last_day} were dropped",
                kept.keep.as_str()
            ));
        }
    }
    if let Some(sealing) = store.sealing() {
        let waiting = match sealing.waiting_days {
            0 => String::new(),
            days => format!("; {} to seal", words::counted(days, "day")),
        };
        lines.push(format!(
            "store: sealed until {}, {} instead of {}{waiting}",
            sealing.until,
            size(sealing.bytes),
            size(sealing.bytes_before)
        ));
    }
    if let Some(forecast) = store.forecast() {
        lines.push(format!(
            "store: full in {}; raw samples then stay {} of {} days",
            words::counted(usize::try_from(forecast.in_days).unwrap_or(0), "day"),
            forecast.raw_days,
            forecast.asked_days
        ));
    }
    lines
}

fn line(out: &mut String, cells: &[String; 8]) {
    let [name, rest @ ..] = cells;
    let mut text = format!("{name:0$}", WIDTHS[0]);
    for (cell, width) in rest.iter().zip(&WIDTHS[1..]) {
        let _infallible = write!(text, " {cell:>0$}", width - 1);
    }
    let _infallible = writeln!(out, "{}", text.trim_end());
}

fn cells(table: &TableSize) -> [String; 8] {
    let unknown = || "?".to_owned();
    // Of what does not come by day, growth is not a question.
    let by_day = |value: Option<f64>, base: f64| match (value, &table.oldest_day) {
        (Some(value), _) => short(value, base),
        (None, Some(_)) => unknown(),
        (None, None) => String::new(),
    };
    [
        table.name.clone(),
        size(table.data_bytes),
        size(table.index_bytes),
        size(table.toast_bytes),
        by_day(table.bytes_per_day, 1024.0),
        by_day(table.rows_per_day, 1000.0),
        table.oldest_day.clone().unwrap_or_default(),
        table
            .needed_bytes
            .map_or_else(unknown, |bytes| short(bytes, 1024.0)),
    ]
}

/// Returns the sums of the tables that are not listed.
fn rest(tables: &[TableSize]) -> [String; 8] {
    let sum = |of: fn(&TableSize) -> i64| size(tables.iter().map(of).sum());
    let known = |of: fn(&TableSize) -> Option<f64>, base| {
        let known = tables.iter().filter_map(of);
        known
            .reduce(|sum, one| sum + one)
            .map_or_else(String::new, |sum| short(sum, base))
    };
    [
        format!("{} smaller tables", tables.len()),
        sum(|table| table.data_bytes),
        sum(|table| table.index_bytes),
        sum(|table| table.toast_bytes),
        known(|table| table.bytes_per_day, 1024.0),
        known(|table| table.rows_per_day, 1000.0),
        String::new(),
        known(|table| table.needed_bytes, 1024.0),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
fn size(bytes: i64) -> String {
    short(bytes as f64, 1024.0)
}

/// Formats a number in at most five characters: `0`, `940K`, `1.2G`.
fn short(value: f64, base: f64) -> String {
    let mut value = value;
    let mut units = ["", "K", "M", "G", "T", "P"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    // 999.5 would be rounded to four digits.
    while value >= 999.5 {
        let Some(next) = units.next() else { break };
        unit = next;
        value /= base;
    }
    if unit.is_empty() || value >= 9.95 {
        format!("{value:.0}{unit}")
    } else {
        format!("{value:.1}{unit}")
    }
}

/// Returns the same, and every table.
pub(super) fn json(store: &Store) -> Value {
    let table = |table: &TableSize| {
        json!({
            "table": table.name,
            "bytes": table.bytes(),
            "data_bytes": table.data_bytes,
            "index_bytes": table.index_bytes,
            "toast_bytes": table.toast_bytes,
            "bytes_per_day": table.bytes_per_day.map(f64::round),
            "rows_per_day": table.rows_per_day.map(f64::round),
            "oldest_day": table.oldest_day,
            "needed_bytes": table.needed_bytes.map(f64::round),
        })
    };
    let forecast = store.forecast().map(|forecast| {
        json!({
            "days": forecast.in_days,
            "raw_days": forecast.raw_days,
        })
    });
    let cut = |(keep, cut): (&str, &Cut)| {
        json!({
            "grain": keep,
            "oldest_day": cut.oldest_day,
            "last_day": cut.last_day,
            "bytes": cut.bytes,
            "budget_bytes": cut.budget_bytes,
        })
    };
    let cuts = store
        .kept
        .iter()
        .filter_map(|kept| Some((kept.keep.as_str(), kept.cut.as_ref()?)));
    json!({
        "measured_ms": store.measured_at.map(schema::Timestamp::as_millis),
        "bytes": store.bytes(),
        "bytes_per_day": store.bytes_per_day().map(f64::round),
        "needed_bytes": store.needed_bytes().map(f64::round),
        "budget_bytes": store.budget_bytes,
        "budget_reached": forecast,
        "sealed": store.sealing().map(|sealing| {
            json!({
                "until": sealing.until,
                "bytes": sealing.bytes,
                "bytes_before": sealing.bytes_before,
                "waiting_days": sealing.waiting_days,
            })
        }),
        "dropped": cuts.map(cut).collect::<Vec<_>>(),
        "tables": store.tables.iter().map(table).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Timestamp;

    fn store() -> Store {
        let table = |name: &str, bytes: i64, oldest: Option<&str>| TableSize {
            name: name.to_owned(),
            data_bytes: bytes,
            index_bytes: bytes / 10,
            toast_bytes: 0,
            oldest_day: oldest.map(str::to_owned),
            bytes_per_day: oldest.map(|_| bytes as f64 / 14.0),
            needed_bytes: Some(bytes as f64),
            ..TableSize::default()
        };
        let mut tables = vec![
            table("process_samples", 4_400_000_000, Some("2026-11-15")),
            table(
                "subscription_metrics_raw",
                1_073_000_000,
                Some("2026-11-15"),
            ),
            table("findings", 20_000, None),
        ];
        tables.extend((0..20).map(|n| table(&format!("small_{n}"), 8192, Some("2026-11-28"))));
        Store {
            at: Timestamp(1_800_000_600_000_000),
            measured_at: Some(Timestamp(1_800_000_000_000_000)),
            complete_days: 20,
            budget_bytes: None,
            keeper: None,
            kept: Vec::new(),
            tables,
        }
    }

    #[test]
    fn the_table_fits_eighty_columns_with_the_largest_first() {
        let printed = text(&store(), false);
        let lines: Vec<&str> = printed.lines().collect();
        assert!(
            lines.iter().all(|line| line.chars().count() <= 80),
            "{printed}"
        );
        assert_eq!(
            lines[0],
            "store: 5.6 GiB, 372.8 MiB a day, will need 5.1 GiB (measured 10 min ago)"
        );
        assert_eq!(
            lines[3],
            "process_samples               4.1G  420M     0    300M        ? 2026-11-15  4.1G"
        );
        assert_eq!(
            lines[5],
            "findings                       20K  2.0K     0                               20K"
        );
        assert!(lines.last().unwrap().starts_with("8 smaller tables "));
        assert_eq!(lines.len(), 3 + LISTED + 1);
        assert_eq!(text(&store(), true).lines().count(), 3 + 23);
    }

    #[test]
    fn a_number_has_five_characters_at_most() {
        for (value, base, expected) in [
            (0.0, 1024.0, "0"),
            (999.0, 1024.0, "999"),
            (1000.0, 1024.0, "1.0K"),
            (8192.0, 1024.0, "8.0K"),
            (10_239.0, 1024.0, "10K"),
            (1_023_999.0, 1024.0, "1.0M"),
            (2_592_000.0, 1000.0, "2.6M"),
            (1e18, 1000.0, "1000P"),
        ] {
            assert_eq!(short(value, base), expected);
        }
    }

    #[test]
    fn what_was_never_measured_is_not_zero() {
        let store = Store {
            measured_at: None,
            tables: Vec::new(),
            ..store()
        };
        assert!(text(&store, false).starts_with("store: not measured yet"));
        assert_eq!(json(&store)["measured_ms"], Value::Null);
    }
}
