//! Rows with everything that goes wrong in life: gaps, uneven ticks, resets, missing figures.

use std::fmt::Write as _;

use super::*;
use testkit::Dice;

/// A row of one of the tables below.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) at: Timestamp,
    /// Interface, or name of the process.
    pub(super) key: String,
    /// `pid.start` of a process.
    pub(super) identity: String,
    /// Counter; of processes it may be missing.
    pub(super) counter: Option<i64>,
    /// Level.
    pub(super) level: Option<f64>,
    /// Busy share of each core.
    pub(super) cores: Vec<(i64, f64)>,
}

/// Ticks over an hour: mostly every ten seconds, some late, some missing, one long gap.
pub(super) fn ticks(dice: &mut Dice) -> Vec<Timestamp> {
    let mut ticks = Vec::new();
    for tick in 0..1000u64 {
        let missing = dice.one_in(15) || (400..460).contains(&tick);
        let late = if dice.one_in(5) {
            dice.below(4_000_000)
        } else {
            dice.below(3_000)
        };
        if !missing {
            let micros = tick * 10_000_000 + late;
            ticks.push(Timestamp(
                START.as_micros() + i64::try_from(micros).unwrap(),
            ));
        }
    }
    ticks
}

pub(super) fn rows(dice: &mut Dice, ticks: &[Timestamp], keys: &[(&str, &str)]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut counters = vec![0i64; keys.len()];
    for at in ticks {
        for (index, (key, identity)) in keys.iter().enumerate() {
            // Not everything is there all the time.
            let absent = index > 0 && dice.one_in(12);
            let counter = &mut counters[index];
            *counter += i64::try_from(dice.below(5_000_000)).unwrap();
            if dice.one_in(90) {
                *counter = i64::try_from(dice.below(1000)).unwrap();
            }
            if absent {
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let level = dice.below(100_000) as f64 / 1000.0;
            rows.push(Row {
                at: *at,
                key: (*key).to_owned(),
                identity: (*identity).to_owned(),
                counter: (!dice.one_in(40)).then_some(*counter),
                level: (!dice.one_in(20)).then_some(level),
                cores: (0..3)
                    .map(|core| (core, (level * 7.0 + 13.0) % 100.0))
                    .collect(),
            });
        }
    }
    rows
}

fn sql<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())
}

pub(super) fn time(at: Timestamp) -> String {
    format!(
        "'epoch'::timestamptz + interval '{} microseconds'",
        at.as_micros()
    )
}

pub(super) async fn insert(database: &Database, table: &str, columns: &str, values: Vec<String>) {
    for chunk in values.chunks(2000) {
        let text = format!(
            "INSERT INTO collector.{table} ({columns}) VALUES {}",
            chunk.join(",")
        );
        database.sql(&text).await.unwrap();
    }
}

pub(super) async fn interfaces(database: &Database, rows: &[Row]) {
    let columns = "ts, host_id, interface, rx_bytes_total, tx_bytes_total, rx_packets_total, \
        tx_packets_total, rx_errors_total, tx_errors_total, rx_drops_total, tx_drops_total";
    let line = |row: &Row| {
        let counter = row.counter.unwrap_or_default();
        format!(
            "({}, 1, '{}', {counter}, 0, 0, 0, {counter}, 7, 0, 0)",
            time(row.at),
            row.key
        )
    };
    insert(
        database,
        "network_metrics_raw",
        columns,
        rows.iter().map(line).collect(),
    )
    .await;
}

pub(super) async fn processes(database: &Database, rows: &[Row]) {
    let columns = "ts, host_id, process_name, pid, start_ticks, cpu_pct, rss_bytes, vsz_bytes, \
        thread_count, state, uptime_secs, read_bytes_total, parent_pid, watched";
    let line = |row: &Row| {
        let (pid, start) = row.identity.split_once('.').unwrap();
        format!(
            "({}, 1, '{}', {pid}, {start}, {}, 1, 1, 1, 'S', 1, {}, 1, false)",
            time(row.at),
            row.key,
            sql(row.level),
            sql(row.counter)
        )
    };
    insert(
        database,
        "process_metrics_raw",
        columns,
        rows.iter().map(line).collect(),
    )
    .await;
    // As autovacuum does soon after rows come: without statistics a join of samples and processes takes seconds.
    database.sql("ANALYZE").await.unwrap();
}

pub(super) async fn systems(database: &Database, rows: &[Row]) {
    let columns = "ts, host_id, load_1, ctxt_total, cpu_cores";
    let line = |row: &Row| {
        let mut cores = String::new();
        for (core, busy) in &row.cores {
            let comma = if cores.is_empty() { "" } else { "," };
            let idle = 100.0 - busy;
            let _infallible = write!(
                cores,
                "{comma}{{\"core\":{core},\"user\":1,\"idle\":{idle}}}"
            );
        }
        let cores = row.level.map(|_| format!("'[{cores}]'"));
        format!(
            "({}, 1, {}, {}, {})",
            time(row.at),
            sql(row.level),
            sql(row.counter),
            sql(cores)
        )
    };
    insert(
        database,
        "system_metrics_raw",
        columns,
        rows.iter().map(line).collect(),
    )
    .await;
}
