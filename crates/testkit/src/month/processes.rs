//! Processes: many that stay, some that come and go.

use super::Area;
use super::random::{Counter, count, gauss};
use super::state::State;
use crate::Dice;
use schema::tables::ProcessSample;
use schema::{Row, Sample};

const MIB: f64 = 1024.0 * 1024.0;
/// Clock ticks per second.
const HERTZ: f64 = 100.0;
/// Programs: name, unit, share of all processes in percent, MiB, whether it is watched, and whose start ends it.
const PROGRAMS: [(&str, &str, usize, f64, bool, Owner); 6] = [
    (
        "pqcrypta-collec",
        "pqcrypta-collector.service",
        0,
        24.0,
        true,
        Owner::Collector,
    ),
    (
        "pqcrypta-api",
        "pqcrypta-api.service",
        8,
        180.0,
        true,
        Owner::Peers,
    ),
    (
        "pqcrypta-proxy",
        "pqcrypta-proxy.service",
        4,
        90.0,
        true,
        Owner::Peers,
    ),
    (
        "postgres",
        "postgresql.service",
        25,
        60.0,
        true,
        Owner::Server,
    ),
    ("kworker", "", 30, 0.0, false, Owner::Host),
    ("service", "", 33, 30.0, false, Owner::Host),
];
/// Every so many processes is one that lives for minutes.
const SHORT_LIVED: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Collector,
    Peers,
    Server,
    Host,
}

#[derive(Clone, Debug)]
struct Process {
    name: String,
    unit: &'static str,
    bytes: f64,
    is_watched: bool,
    owner: Owner,
    pid: i32,
    started: f64,
    /// Seconds until it ends and another one takes its place.
    ends_in: Option<f64>,
    read: Counter,
    written: Counter,
    is_new: bool,
}

#[derive(Debug)]
pub(super) struct Processes {
    dice: Dice,
    all: Vec<Process>,
    next_pid: i32,
}

impl Processes {
    pub(super) fn new(number: usize, dice: Dice) -> Self {
        let mut all = Vec::new();
        for (name, unit, percent, mib, is_watched, owner) in PROGRAMS {
            for nth in 0..(number * percent / 100).max(1) {
                let is_service = name == "service";
                all.push(Process {
                    name: if is_service {
                        format!("{name}-{nth}")
                    } else {
                        name.to_owned()
                    },
                    unit,
                    bytes: mib * MIB,
                    is_watched,
                    owner,
                    pid: 0,
                    started: 0.0,
                    ends_in: (is_service && nth % SHORT_LIVED == 1).then_some(0.0),
                    read: Counter::default(),
                    written: Counter::default(),
                    is_new: true,
                });
            }
        }
        let mut processes = Self {
            dice,
            all,
            next_pid: 300,
        };
        for nth in 0..processes.all.len() {
            processes.start(nth, 10.0);
        }
        processes
    }

    /// Replaces a process by a new one of the same program, `since_boot` seconds after the host's start.
    fn start(&mut self, nth: usize, since_boot: f64) {
        self.next_pid += 1 + i32::from(self.dice.byte() % 8);
        let life = 60.0 + 1200.0 * self.dice.unit();
        let one = &mut self.all[nth];
        one.pid = self.next_pid;
        one.started = since_boot;
        one.ends_in = one.ends_in.map(|_| life);
        (one.read, one.written) = Default::default();
        one.is_new = true;
    }

    /// Starts anew what was started since the tick before.
    fn restart(&mut self, state: &State) {
        if state.host.is_new() {
            self.next_pid = 300;
        }
        for nth in 0..self.all.len() {
            let one = &mut self.all[nth];
            one.ends_in = one.ends_in.map(|left| left - state.secs);
            let owner = match one.owner {
                Owner::Collector => state.collector,
                Owner::Peers => state.peers,
                Owner::Server => state.server,
                Owner::Host => state.host,
            };
            let has_ended = one.ends_in.is_some_and(|left| left <= 0.0);
            if has_ended || owner.is_new() {
                self.start(nth, (state.host.secs - 5.0).max(1.0));
            }
        }
    }
}

impl Area for Processes {
    fn sample(&mut self, state: &State, rows: &mut Vec<Row>) {
        self.restart(state);
        let Self { dice, all, .. } = self;
        let workers = all.iter().filter(|one| one.bytes > 0.0).count().max(1);
        #[expect(clippy::cast_precision_loss, reason = "few processes")]
        let each = state.cpu_busy * 8.0 / workers as f64;
        let mut has_zombie = false;
        for one in all {
            if (one.owner == Owner::Server && !state.server_up)
                || (one.owner == Owner::Peers && one.name == "pqcrypta-api" && !state.api_up)
            {
                continue;
            }
            let is_zombie = state.zombie && one.name == "pqcrypta-api" && !has_zombie;
            has_zombie |= is_zombie;
            // Load is spread: none takes half a core.
            let cpu = if one.bytes > 0.0 {
                each.min(40.0) * dice.unit()
            } else {
                0.1 * dice.unit()
            };
            let is_first = std::mem::take(&mut one.is_new) || state.collector.is_new();
            let sample = ProcessSample {
                process_name: one.name.clone(),
                pid: one.pid,
                start_ticks: count(one.started * HERTZ),
                cpu_pct: (!is_first).then_some(cpu),
                rss_bytes: count(one.bytes * (1.0 + 0.02 * gauss(dice))),
                vsz_bytes: count(one.bytes * 8.0),
                fd_count: Some(40),
                fd_limit: Some(1024),
                thread_count: if one.is_watched { 8 } else { 1 },
                state: if is_zombie { "Z" } else { "S" }.to_owned(),
                uptime_secs: (state.host.secs - one.started).max(0.0),
                read_bytes_total: Some(one.read.add(cpu * 400.0 * state.secs, dice)),
                write_bytes_total: Some(one.written.add(cpu * 900.0 * state.secs, dice)),
                parent_pid: 1,
                unit: (!one.unit.is_empty()).then(|| one.unit.to_owned()),
                uid: Some(1000),
                watched: one.is_watched,
                process_count: 1,
            };
            rows.push(sample.into_row(state.ts));
        }
    }
}
