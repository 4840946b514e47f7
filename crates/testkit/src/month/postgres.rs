//! The PostgreSQL server at every tick: the server, its databases, its sessions.

use super::Area;
use super::random::{Counter, count};
use super::state::State;
use crate::Dice;
use schema::tables::{CollectorRun, DatabaseSample, DbSample, SessionSample};
use schema::{Row, Sample, Timestamp};

pub(super) const INSTANCE: &str = "main";
const DATABASES: [&str; 2] = ["shop", "metrics"];
/// Transactions per second at a traffic of 1, of each database.
const TRANSACTIONS: f64 = 300.0;
/// The session that is idle in its transaction.
const HOLDER: i32 = 9150;
/// Sessions that wait for a lock.
const WAITERS: i32 = 3;

/// Counters of the server. They survive its restart.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    checkpoints: Counter,
    written: Counter,
    allocated: Counter,
    records: Counter,
    wal: Counter,
    syncs: Counter,
}

/// Counters of a database.
#[derive(Clone, Copy, Debug, Default)]
struct OfDatabase {
    commits: Counter,
    rollbacks: Counter,
    read: Counter,
    hit: Counter,
    returned: Counter,
    fetched: Counter,
    inserted: Counter,
    updated: Counter,
    deleted: Counter,
    active: Counter,
    sessions: Counter,
}

#[derive(Debug)]
pub(super) struct Server {
    dice: Dice,
    counters: Counters,
    databases: [OfDatabase; DATABASES.len()],
}

impl Server {
    pub(super) fn new(dice: Dice) -> Self {
        Self {
            dice,
            counters: Counters::default(),
            databases: Default::default(),
        }
    }

    fn server(&mut self, state: &State) -> DbSample {
        let Self { dice, counters, .. } = self;
        if !state.server_up {
            return DbSample {
                instance: INSTANCE.to_owned(),
                up: false,
                duration_ms: 2.0,
                error: Some("cannot connect: Connection refused".to_owned()),
                ..DbSample::default()
            };
        }
        let waiting = if state.lock_secs > 0.0 {
            i64::from(WAITERS)
        } else {
            0
        };
        let total = count(30.0 + 40.0 * state.traffic) + waiting;
        let statement = if state.disk_ms > 50.0 {
            8.0
        } else {
            0.4 * state.traffic
        };
        let is_slow = statement > 5.0 || state.lock_secs > 5.0;
        let written = state.traffic * 90.0 * state.secs;
        let longest_query = state.lock_secs.max(statement);
        // Every transaction is idle for a moment.
        let idle = state.idle_secs.max(0.05 * dice.unit());
        DbSample {
            instance: INSTANCE.to_owned(),
            up: true,
            duration_ms: 6.0,
            version_num: Some(170_002),
            in_recovery: Some(false),
            started_at: Some(Timestamp(
                state.ts.as_micros() - count(state.server.secs * 1e6),
            )),
            epoch: "0".to_owned(),
            conn_total: Some(total),
            conn_active: Some(count(1.0 + 6.0 * state.traffic) + waiting),
            conn_idle: Some(total / 2),
            conn_idle_in_xact: Some(count(state.traffic)),
            conn_waiting: Some(waiting),
            conn_max: Some(200),
            conn_reserved: Some(3),
            conn_hidden: Some(0),
            slow_queries: Some(if is_slow { waiting.max(1) } else { 0 }),
            longest_query_secs: Some(longest_query),
            oldest_xact_secs: Some(idle.max(longest_query)),
            oldest_idle_in_xact_secs: Some(idle),
            oldest_xmin_age: Some(40),
            wraparound_pct: Some(6.0),
            multixact_wraparound_pct: Some(0.1),
            prepared_xacts: Some(0),
            checkpoints_timed: Some(counters.checkpoints.exactly(state.secs / 300.0)),
            checkpoints_req: Some(0),
            buffers_checkpoint: Some(counters.written.add(written, dice)),
            buffers_backend_fsync: Some(0),
            buffers_alloc: Some(counters.allocated.add(written, dice)),
            wal_records: Some(counters.records.add(20.0 * written, dice)),
            wal_bytes: Some(counters.wal.add(2000.0 * written, dice)),
            wal_sync: Some(counters.syncs.add(state.traffic * 200.0 * state.secs, dice)),
            wait_lock: Some(waiting),
            wait_none: Some(count(4.0 * state.traffic)),
            lock_access_share: Some(count(20.0 * state.traffic)),
            lock_row_exclusive: Some(count(8.0 * state.traffic)),
            locks_waiting: Some(waiting),
            longest_lock_wait_secs: Some(state.lock_secs),
            ..DbSample::default()
        }
    }

    fn databases(&mut self, state: &State, rows: &mut Vec<Row>) {
        let Self {
            dice, databases, ..
        } = self;
        for (name, counters) in DATABASES.into_iter().zip(databases) {
            let done = state.traffic * TRANSACTIONS * state.secs;
            let blocks = done * 60.0;
            let is_slow = |value| state.is_slow.then_some(value);
            let sample = DatabaseSample {
                instance: INSTANCE.to_owned(),
                database: name.to_owned(),
                epoch: "0".to_owned(),
                numbackends: Some(count(10.0 + 20.0 * state.traffic)),
                xact_commit: Some(counters.commits.add(done, dice)),
                xact_rollback: Some(counters.rollbacks.add(0.002 * done, dice)),
                blks_read: Some(counters.read.exactly(blocks * (1.0 - state.cache_hit))),
                blks_hit: Some(counters.hit.exactly(blocks * state.cache_hit)),
                tup_returned: Some(counters.returned.add(40.0 * done, dice)),
                tup_fetched: Some(counters.fetched.add(20.0 * done, dice)),
                tup_inserted: Some(counters.inserted.add(done, dice)),
                tup_updated: Some(counters.updated.add(0.5 * done, dice)),
                tup_deleted: Some(counters.deleted.add(0.1 * done, dice)),
                conflicts: Some(0),
                temp_files: Some(0),
                temp_bytes: Some(0),
                deadlocks: Some(0),
                checksum_failures: Some(0),
                active_ms_total: f64_of(counters.active.add(2.0 * done, dice)),
                sessions: Some(counters.sessions.add(0.02 * done, dice)),
                size_bytes: is_slow(count(20e9 + 1000.0 * counters.inserted.total())),
                xid_age: is_slow(80_000_000),
                mxid_age: is_slow(1_000_000),
                ..DatabaseSample::default()
            };
            rows.push(sample.into_row(state.ts));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "totals are far below 2^53")]
fn f64_of(total: i64) -> Option<f64> {
    Some(total as f64)
}

/// Returns the sessions that are notable: the one that holds a lock and those that wait, or the one that is idle.
fn sessions(state: &State) -> Vec<SessionSample> {
    // Whoever waits for seconds only is not noted.
    let is_locked = state.lock_secs > 5.0;
    let mut found = Vec::new();
    if is_locked || state.idle_secs > 60.0 {
        found.push(SessionSample {
            pid: HOLDER,
            state: "idle in transaction".to_owned(),
            wait: "Client:ClientRead".to_owned(),
            query_secs: Some(state.idle_secs),
            xact_secs: Some(state.idle_secs),
            victims: if is_locked { i64::from(WAITERS) } else { 0 },
            query: "UPDATE orders SET state = $1 WHERE id = $2".to_owned(),
            ..session()
        });
    }
    let waiters = if is_locked { WAITERS } else { 0 };
    found.extend((1..=waiters).map(|nth| SessionSample {
        pid: HOLDER + nth,
        state: "active".to_owned(),
        wait: "Lock:transactionid".to_owned(),
        query_secs: Some(state.lock_secs),
        xact_secs: Some(state.lock_secs),
        root_pid: Some(HOLDER),
        blocked_by: Some(HOLDER),
        depth: 1,
        query: "UPDATE orders SET state = $1 WHERE id = $2".to_owned(),
        ..session()
    }));
    found
}

fn session() -> SessionSample {
    SessionSample {
        instance: INSTANCE.to_owned(),
        database: "shop".to_owned(),
        role: "app".to_owned(),
        application: "api".to_owned(),
        ..SessionSample::default()
    }
}

impl Area for Server {
    fn sample(&mut self, state: &State, rows: &mut Vec<Row>) {
        rows.push(self.server(state).into_row(state.ts));
        let run = CollectorRun {
            collector: format!("postgres {INSTANCE}"),
            outcome: if state.server_up { "ok" } else { "failed" }.to_owned(),
            duration_ms: 6.0,
            rows: 3,
            error: (!state.server_up).then(|| "cannot connect".to_owned()),
        };
        rows.push(run.into_row(state.ts));
        if !state.server_up {
            return;
        }
        self.databases(state, rows);
        let sessions = sessions(state).into_iter();
        rows.extend(sessions.map(|one| one.into_row(state.ts)));
    }
}
