//! Tables, indexes, statements and I/O of the PostgreSQL server, at slow ticks.

use super::Area;
use super::plan::Size;
use super::postgres::INSTANCE;
use super::random::{Counter, count};
use super::state::State;
use crate::Dice;
use schema::tables::{IndexSample, IoSample, StatementSample, StatementStore, TableSample};
use schema::{Row, Sample};

const DATABASE: &str = "shop";
/// Share of dead rows at which a vacuum comes.
const VACUUM_AT: f64 = 0.06;
/// Kinds of processes that read and write, and their share of it.
const BACKENDS: [(&str, f64); 3] = [
    ("client backend", 0.7),
    ("checkpointer", 0.25),
    ("autovacuum worker", 0.05),
];

#[derive(Clone, Debug)]
struct Table {
    name: String,
    /// Rows that are changed per second at a traffic of 1.
    changes: f64,
    live: f64,
    dead: f64,
    scans: Counter,
    inserted: Counter,
    updated: Counter,
    vacuums: Counter,
}

#[derive(Clone, Copy, Debug, Default)]
struct Io {
    reads: Counter,
    read_ms: Counter,
    writes: Counter,
    write_ms: Counter,
}

#[derive(Debug)]
pub(super) struct Relations {
    dice: Dice,
    tables: Vec<Table>,
    statements: usize,
    io: [Io; BACKENDS.len()],
    /// Seconds, and traffic times seconds, since the slow tick before.
    since: (f64, f64),
}

impl Relations {
    pub(super) fn new(size: Size, mut dice: Dice) -> Self {
        let tables = (0..size.tables).map(|nth| {
            // Few are large.
            let live = 500.0 * (1.0 + 20_000.0 * dice.unit().powi(8));
            Table {
                name: format!("table_{nth}"),
                changes: live * 1e-5 * dice.unit(),
                live,
                dead: live * VACUUM_AT * dice.unit(),
                scans: Counter::default(),
                inserted: Counter::default(),
                updated: Counter::default(),
                vacuums: Counter::default(),
            }
        });
        Self {
            tables: tables.collect(),
            dice,
            statements: size.statements,
            io: Default::default(),
            since: (0.0, 0.0),
        }
    }

    fn tables(&mut self, state: &State, traffic_secs: f64, rows: &mut Vec<Row>) {
        let Self { dice, tables, .. } = self;
        for table in tables {
            let changed = table.changes * traffic_secs;
            table.live += 0.1 * changed;
            table.dead += changed;
            if table.dead > VACUUM_AT * table.live {
                table.dead = 0.0;
                table.vacuums.exactly(1.0);
            }
            let bytes = count(table.live * 300.0);
            let scans = table.scans.add(20.0 * changed, dice);
            let sample = TableSample {
                instance: INSTANCE.to_owned(),
                database: DATABASE.to_owned(),
                schema_name: "public".to_owned(),
                table_name: table.name.clone(),
                epoch: "0".to_owned(),
                total_bytes: Some(bytes),
                index_bytes: Some(bytes / 4),
                n_live_tup: Some(count(table.live)),
                n_dead_tup: Some(count(table.dead)),
                vacuum_threshold: Some(50.0 + VACUUM_AT * table.live),
                autovacuum_enabled: Some(true),
                xid_age: Some(60_000_000),
                seq_scan: Some(0),
                idx_scan: Some(scans),
                n_tup_ins: Some(table.inserted.add(0.1 * changed, dice)),
                n_tup_upd: Some(table.updated.add(changed, dice)),
                autovacuum_count: Some(table.vacuums.exactly(0.0)),
                ..TableSample::default()
            };
            rows.push(sample.into_row(state.ts));
            let index = IndexSample {
                instance: INSTANCE.to_owned(),
                database: DATABASE.to_owned(),
                schema_name: "public".to_owned(),
                table_name: table.name.clone(),
                index_name: format!("{}_pkey", table.name),
                epoch: "0".to_owned(),
                size_bytes: Some(bytes / 4),
                idx_scan: Some(scans),
                is_unique: true,
                is_needed: true,
                is_valid: true,
                definition: format!(
                    "CREATE UNIQUE INDEX {0}_pkey ON public.{0} USING btree (id)",
                    table.name
                ),
                ..IndexSample::default()
            };
            rows.push(index.into_row(state.ts));
        }
    }

    fn statements(&mut self, state: &State, (secs, traffic_secs): (f64, f64), rows: &mut Vec<Row>) {
        let slowed = 1.0 + state.disk_ms;
        for nth in 0..self.statements {
            let dice = &mut self.dice;
            // The first run most often: Zipf's law.
            #[expect(clippy::cast_precision_loss, reason = "few statements")]
            let share = 1.0 / (1.0 + nth as f64);
            let calls = count(60.0 * share * traffic_secs * (0.9 + 0.2 * dice.unit()));
            if calls == 0 {
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let number = calls as f64;
            let blocks = count(number * 30.0);
            let sample = StatementSample {
                instance: INSTANCE.to_owned(),
                database: DATABASE.to_owned(),
                role: "app".to_owned(),
                queryid: 1_000_003 * i64::try_from(nth + 1).unwrap_or(i64::MAX),
                major: 17,
                toplevel: true,
                interval_secs: secs,
                calls,
                rows: calls * 3,
                exec_ms: number * 0.3 * slowed,
                max_exec_ms: 40.0,
                stddev_exec_ms: 0.2,
                shared_blks_hit: blocks,
                shared_blks_read: blocks / 100,
                wal_records: calls,
                wal_bytes: calls * 200,
                ..StatementSample::default()
            };
            rows.push(sample.into_row(state.ts));
        }
        let store = StatementStore {
            instance: INSTANCE.to_owned(),
            epoch: "0".to_owned(),
            entries: i64::try_from(self.statements).unwrap_or(i64::MAX),
            max_entries: 5000,
            dealloc: 0,
            extension: "1.11".to_owned(),
        };
        rows.push(store.into_row(state.ts));
    }

    fn io(&mut self, state: &State, traffic_secs: f64, rows: &mut Vec<Row>) {
        let dice = &mut self.dice;
        for ((backend, share), io) in BACKENDS.into_iter().zip(&mut self.io) {
            let reads = 40.0 * share * traffic_secs;
            let writes = 60.0 * share * traffic_secs;
            let sample = IoSample {
                instance: INSTANCE.to_owned(),
                backend_type: backend.to_owned(),
                object: "relation".to_owned(),
                context: "normal".to_owned(),
                epoch: "0".to_owned(),
                reads: Some(io.reads.exactly(reads)),
                read_bytes: Some(count(io.reads.total() * 8192.0)),
                read_ms_total: Some(ms(io.read_ms.add(reads * state.disk_ms, dice))),
                writes: Some(io.writes.exactly(writes)),
                write_bytes: Some(count(io.writes.total() * 8192.0)),
                write_ms_total: Some(ms(io.write_ms.add(writes * 0.3 * state.disk_ms, dice))),
                ..IoSample::default()
            };
            rows.push(sample.into_row(state.ts));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "totals are far below 2^53")]
fn ms(total: i64) -> f64 {
    total as f64
}

impl Area for Relations {
    fn sample(&mut self, state: &State, rows: &mut Vec<Row>) {
        if !state.server_up {
            return;
        }
        self.since.0 += state.secs;
        self.since.1 += state.traffic * state.secs;
        if !state.is_slow {
            return;
        }
        let since = std::mem::take(&mut self.since);
        self.tables(state, since.1, rows);
        self.statements(state, since, rows);
        self.io(state, since.1, rows);
    }
}
