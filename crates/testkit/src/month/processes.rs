//! Processes: many that stay, some that come and go. As on a real host most are idle most of the time: their figures do not
//! change. What does change, changes as the kernel counts it: CPU time in whole clock ticks, memory in whole pages, and
//! bytes read and written in whole blocks, by a process that runs.

use super::Area;
use super::random::{count, gauss};
use super::state::State;
use crate::Dice;
use schema::tables::ProcessSample;
use schema::{Row, Sample};

const MIB: f64 = 1024.0 * 1024.0;
/// Clock ticks per second.
const HERTZ: f64 = 100.0;
/// Bytes of a page of memory, and of a block of a file system.
const PAGE: f64 = 4096.0;
/// Percent of a core that a process takes at most: load is spread, none takes half a core.
const MOST_CPU: f64 = 40.0;
/// An idle process runs once in so many ticks, for a moment.
const IDLE: u64 = 40;
/// Bytes that are written for each clock tick, and the share of them that is read: most files are in memory.
const WRITTEN: f64 = 900.0;
const READ: f64 = 0.1;
/// File descriptors of a process, and by how many they differ at most.
const FILES: i64 = 40;
const FILES_MORE: i64 = 4;

/// A program of which there are several processes.
struct Program {
    name: &'static str,
    unit: &'static str,
    /// Share of all processes, percent.
    percent: usize,
    /// Of its processes, those that the host's load is spread over: one in so many; 0 for none.
    works: usize,
    /// Memory of each.
    mib: f64,
    is_watched: bool,
    /// Whose start ends it.
    owner: Owner,
}

const PROGRAMS: [Program; 6] = [
    Program {
        name: "pqcrypta-collec",
        unit: "pqcrypta-collector.service",
        percent: 0,
        works: 1,
        mib: 24.0,
        is_watched: true,
        owner: Owner::Collector,
    },
    Program {
        name: "pqcrypta-api",
        unit: "pqcrypta-api.service",
        percent: 8,
        works: 1,
        mib: 180.0,
        is_watched: true,
        owner: Owner::Peers,
    },
    Program {
        name: "pqcrypta-proxy",
        unit: "pqcrypta-proxy.service",
        percent: 4,
        works: 1,
        mib: 90.0,
        is_watched: true,
        owner: Owner::Peers,
    },
    Program {
        name: "postgres",
        unit: "postgresql.service",
        percent: 25,
        // Most sessions wait for their client.
        works: 6,
        mib: 60.0,
        is_watched: true,
        owner: Owner::Server,
    },
    Program {
        name: "kworker",
        unit: "",
        percent: 30,
        works: 0,
        mib: 0.0,
        is_watched: false,
        owner: Owner::Host,
    },
    Program {
        name: "service",
        unit: "",
        percent: 33,
        works: 0,
        mib: 30.0,
        is_watched: false,
        owner: Owner::Host,
    },
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
    works: bool,
    /// Pages of memory that it has when it has begun.
    pages: f64,
    is_watched: bool,
    owner: Owner,
    pid: i32,
    started: f64,
    /// Seconds until it ends and another one takes its place.
    ends_in: Option<f64>,
    counts: Counts,
    is_new: bool,
}

/// What the kernel counts of a process.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Clock ticks that it ran, of which whole ones are counted.
    ran: f64,
    /// Pages more than at its beginning.
    pages: f64,
    /// Blocks read and written, of which whole ones are counted.
    read: f64,
    written: f64,
    /// File descriptors more than usual.
    files: i64,
}

impl Counts {
    /// Runs for so many clock ticks. Returns how many whole ones were counted.
    fn run(&mut self, ticks: f64, dice: &mut Dice) -> f64 {
        let before = self.ran.floor();
        self.ran += ticks;
        let counted = self.ran.floor() - before;
        if counted > 0.0 {
            let blocks = counted * WRITTEN / PAGE * (0.8 + 0.4 * dice.unit());
            self.written += blocks;
            self.read += blocks * READ;
            // Memory is taken and given back: half of what is more is.
            if dice.one_in(2) {
                self.pages = (0.5 * self.pages + 16.0 * gauss(dice)).round();
            }
            if dice.one_in(8) {
                let step = 1 - 2 * i64::from(dice.one_in(2));
                self.files = (self.files + step).clamp(0, FILES_MORE);
            }
        }
        counted
    }
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
        for program in &PROGRAMS {
            for nth in 0..(number * program.percent / 100).max(1) {
                let is_service = program.name == "service";
                all.push(Process {
                    name: if is_service {
                        format!("{}-{nth}", program.name)
                    } else {
                        program.name.to_owned()
                    },
                    unit: program.unit,
                    works: program.works > 0 && nth % program.works == 0,
                    pages: (program.mib * MIB / PAGE).round(),
                    is_watched: program.is_watched,
                    owner: program.owner,
                    pid: 0,
                    started: 0.0,
                    ends_in: (is_service && nth % SHORT_LIVED == 1).then_some(0.0),
                    counts: Counts::default(),
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
        one.counts = Counts::default();
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
        let workers = all.iter().filter(|one| one.works).count().max(1);
        #[expect(clippy::cast_precision_loss, reason = "few processes")]
        let each = (state.cpu_busy * 8.0 / workers as f64).min(MOST_CPU);
        // Two readings are never quite as far apart as they should be.
        let elapsed = state.secs * (1.0 + 1e-4 * gauss(dice));
        let mut has_zombie = false;
        for one in all {
            if (one.owner == Owner::Server && !state.server_up)
                || (one.owner == Owner::Peers && one.name == "pqcrypta-api" && !state.api_up)
            {
                continue;
            }
            let is_zombie = state.zombie && one.name == "pqcrypta-api" && !has_zombie;
            has_zombie |= is_zombie;
            let ticks = if one.works {
                each * dice.unit() * HERTZ / 100.0 * state.secs
            } else if dice.one_in(IDLE) {
                1.0 + 2.0 * dice.unit()
            } else {
                0.0
            };
            let ran = one.counts.run(ticks, dice);
            // A thread of the kernel has none.
            let pages = if one.pages > 0.0 {
                one.pages + one.counts.pages
            } else {
                0.0
            };
            let is_first = std::mem::take(&mut one.is_new) || state.collector.is_new();
            let sample = ProcessSample {
                process_name: one.name.clone(),
                pid: one.pid,
                start_ticks: count(one.started * HERTZ),
                cpu_pct: (!is_first).then_some(ran / HERTZ * 100.0 / elapsed),
                rss_bytes: count(pages * PAGE),
                vsz_bytes: count(one.pages * PAGE * 8.0),
                fd_count: Some(FILES + one.counts.files),
                fd_limit: Some(1024),
                thread_count: if one.is_watched { 8 } else { 1 },
                state: if is_zombie { "Z" } else { "S" }.to_owned(),
                uptime_secs: (state.host.secs - one.started).max(0.0),
                read_bytes_total: Some(count(one.counts.read.floor() * PAGE)),
                write_bytes_total: Some(count(one.counts.written.floor() * PAGE)),
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
