//! The processes of the newest tick: which use most of a scarce resource, and which are in a bad state. Of those that ended
//! lately the greatest are known, as one of them is what the kernel killed for lack of memory.

use super::fields::{Column, Fields};
use super::sessions::Culprit;
use schema::micros::MINUTE;
use schema::tables::ProcessSample;
use schema::{Row, Timestamp, Unit};
use std::collections::HashMap;

const PID: Column = Column::of::<ProcessSample>("pid");
const START: Column = Column::of::<ProcessSample>("start_ticks");
const PROCESS_NAME: Column = Column::of::<ProcessSample>("process_name");
const COUNT: Column = Column::of::<ProcessSample>("process_count");
const UNIT: Column = Column::of::<ProcessSample>("unit");
const CPU: Column = Column::of::<ProcessSample>("cpu_pct");
const RSS: Column = Column::of::<ProcessSample>("rss_bytes");
const FDS: Column = Column::of::<ProcessSample>("fd_count");
const FD_LIMIT: Column = Column::of::<ProcessSample>("fd_limit");
const THREADS: Column = Column::of::<ProcessSample>("thread_count");
const WATCHED: Column = Column::of::<ProcessSample>("watched");
const STATE: Column = Column::of::<ProcessSample>("state");
const UPTIME: Column = Column::of::<ProcessSample>("uptime_secs");
const READ: Column = Column::of::<ProcessSample>("read_bytes_total");
const WRITTEN: Column = Column::of::<ProcessSample>("write_bytes_total");

const NAME: usize = 40;
/// A second process is named when it uses at least this share of what the first one does.
const WORTH_NAMING: f64 = 0.25;
/// Processes of one name are reported together when the greatest uses less than this share of their sum.
const LEADS: f64 = 0.6;

/// For so long it is known which processes ended: the window of the OOM killer's threshold.
const ENDED_WITHIN: i64 = 10 * MINUTE;
/// Most processes that ended lately and are known: those that held most memory.
const MOST_ENDED: usize = 8;
/// Least memory of a process that is named for it, bytes.
const WORTH_MEMORY: f64 = 16.0 * 1_048_576.0;

/// The processes of the newest tick.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    /// By process id and start.
    all: HashMap<(i64, i64), Process>,
    /// Those that ended lately, as of their last sample.
    ended: Vec<Process>,
    ts: Timestamp,
}

/// A process as of its newest sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Process {
    pub(crate) name: Box<str>,
    pub(crate) pid: i64,
    /// Start in clock ticks since boot.
    pub(crate) start: i64,
    /// Number of processes that the row sums up.
    pub(crate) count: i64,
    pub(crate) unit: Box<str>,
    /// Percent of one core.
    pub(crate) cpu: f64,
    pub(crate) rss: f64,
    pub(crate) fds: Option<f64>,
    pub(crate) fd_limit: Option<f64>,
    pub(crate) threads: f64,
    pub(crate) watched: bool,
    /// Seconds since its start.
    pub(crate) uptime: f64,
    /// One letter as in proc(5).
    pub(crate) state: u8,
    /// Ticks in a row in this state.
    pub(crate) ticks: u32,
    /// Bytes read and written since its start.
    moved: Option<f64>,
    /// Bytes read and written per second.
    io: f64,
    ts: Timestamp,
}

impl Processes {
    /// Takes a row of process_metrics_raw. What is known already is updated in place, as most processes live long.
    pub(super) fn take(&mut self, row: &Row) {
        if row.ts < self.ts {
            return;
        }
        self.ts = row.ts;
        let fields = Fields(row);
        let (Some(pid), Some(start)) = (fields.int(PID), fields.int(START)) else {
            return;
        };
        let one = self.all.entry((pid, start)).or_default();
        let name = fields.text(PROCESS_NAME);
        if *one.name != *name {
            one.name = name.into();
        }
        let unit = fields.text(UNIT);
        if *one.unit != *unit {
            one.unit = unit.into();
        }
        let state = fields.text(STATE).bytes().next().unwrap_or(b'?');
        one.ticks = if state == one.state {
            one.ticks.saturating_add(1)
        } else {
            1
        };
        one.state = state;
        let moved = fields.number(READ).zip(fields.number(WRITTEN));
        let moved = moved.map(|(read, written)| read + written);
        #[expect(
            clippy::cast_precision_loss,
            reason = "spans of time are far below 2^53 µs"
        )]
        let secs = (row.ts.as_micros() - one.ts.as_micros()) as f64 / 1e6;
        one.io = match (one.moved, moved) {
            (Some(before), Some(now)) if now >= before && secs > 0.0 => (now - before) / secs,
            _ => 0.0,
        };
        one.moved = moved;
        one.pid = pid;
        one.start = start;
        one.count = fields.int(COUNT).unwrap_or(1);
        one.cpu = fields.number(CPU).unwrap_or_default();
        one.rss = fields.number(RSS).unwrap_or_default();
        one.fds = fields.number(FDS);
        one.fd_limit = fields.number(FD_LIMIT);
        one.threads = fields.number(THREADS).unwrap_or_default();
        one.watched = fields.flag(WATCHED).unwrap_or_default();
        one.uptime = fields.number(UPTIME).unwrap_or_default();
        one.ts = row.ts;
    }

    /// Forgets those that the newest tick did not have.
    pub(super) fn settle(&mut self) {
        let ts = self.ts;
        let has_ended = |_: &(i64, i64), one: &mut Process| one.ts != ts;
        let ended = self.all.extract_if(has_ended).map(|(_, one)| one);
        // A row that is a sum has no process that ended.
        let ended = ended.filter(|one| one.count == 1 && one.rss >= WORTH_MEMORY);
        self.ended.extend(ended);
        let since = ts.as_micros() - ENDED_WITHIN;
        self.ended.retain(|one| one.ts.as_micros() >= since);
        self.ended
            .sort_by(|a, b| b.rss.total_cmp(&a.rss).then(a.pid.cmp(&b.pid)));
        self.ended.truncate(MOST_ENDED);
    }

    /// Returns the processes of the newest tick, and its instant.
    pub(crate) fn newest(&self) -> (Timestamp, impl Iterator<Item = &Process>) {
        (self.ts, self.all.values())
    }

    /// Returns what uses most CPU, from a tenth of a core on.
    pub(crate) fn cpu(&self) -> Option<Culprit> {
        self.most(
            "Most CPU",
            |one| one.cpu,
            10.0,
            |value| format!("{} of a core", words::value(value.round(), Unit::Percent)),
        )
    }

    /// Returns what uses most memory, from 16 MiB on. Processes of one name are not added up, as they share memory.
    pub(crate) fn memory(&self) -> Option<Culprit> {
        let alone: Vec<&Process> = self.ranked(|one| one.rss);
        named(
            "Most memory",
            &alone,
            |one| one.rss,
            WORTH_MEMORY,
            |value| words::value(value, Unit::Bytes),
        )
    }

    /// Returns what held most memory of those that ended within ten minutes; the kernel kills the greatest one, but not every
    /// process that ends was killed.
    pub(crate) fn ended(&self) -> Option<String> {
        let ended: Vec<&Process> = self.ended.iter().collect();
        let format_value = |value| words::value(value, Unit::Bytes);
        let found = named("Ended", &ended, |one| one.rss, WORTH_MEMORY, format_value)?;
        Some(found.cause)
    }

    /// Returns what reads and writes most, from 64 KiB a second on.
    pub(crate) fn io(&self) -> Option<Culprit> {
        self.most(
            "Most disk I/O",
            |one| one.io,
            65_536.0,
            |value| words::value(value, Unit::BytesPerSec),
        )
    }

    fn ranked(&self, of: fn(&Process) -> f64) -> Vec<&Process> {
        let mut ranked: Vec<&Process> = self.all.values().collect();
        ranked.sort_by(|a, b| of(b).total_cmp(&of(a)).then(a.pid.cmp(&b.pid)));
        ranked
    }

    /// Returns the process with the greatest value, or all of one name where they share the load.
    fn most(
        &self,
        what: &str,
        of: fn(&Process) -> f64,
        least: f64,
        format_value: fn(f64) -> String,
    ) -> Option<Culprit> {
        let ranked = self.ranked(of);
        let mut sums: HashMap<&str, (f64, i64)> = HashMap::new();
        for one in ranked.iter().filter(|one| of(one) > 0.0) {
            let (sum, count) = sums.entry(&one.name).or_default();
            *sum += of(one);
            *count += one.count;
        }
        let (name, (sum, count)) = sums
            .into_iter()
            .max_by(|(a, (x, _)), (b, (y, _))| x.total_cmp(y).then(b.cmp(a)))?;
        let first = ranked.iter().find(|one| &*one.name == name)?;
        // A row that is a sum has no leading process.
        if first.count == 1 && sum >= least && count > 1 && of(first) < LEADS * sum {
            return Some(Culprit {
                cause: format!(
                    "{what}: {count} {} processes with {} together, most of it PID {} with {}.",
                    words::cut(name, NAME),
                    format_value(sum),
                    first.pid,
                    format_value(of(first))
                ),
                ..look(first)
            });
        }
        named(what, &ranked, of, least, format_value)
    }
}

/// Formats a cause: `Most memory: postgres (PID 4711, postgresql.service) with 3.2 GiB, then java (PID 12) with 1.1 GiB.`
fn named(
    what: &str,
    ranked: &[&Process],
    of: fn(&Process) -> f64,
    least: f64,
    format_value: fn(f64) -> String,
) -> Option<Culprit> {
    let first = ranked.first().filter(|one| of(one) >= least)?;
    let second = ranked
        .get(1)
        .filter(|one| of(one) >= least && of(one) >= WORTH_NAMING * of(first));
    let who = |one: &Process| {
        let unit = match &*one.unit {
            "" | "/" => String::new(),
            unit => format!(", {}", words::cut(unit, NAME)),
        };
        let name = words::cut(&one.name, NAME);
        if one.count > 1 {
            return format!(
                "{} {name} processes with {}",
                one.count,
                format_value(of(one))
            );
        }
        format!(
            "{name} (PID {}{unit}) with {}",
            one.pid,
            format_value(of(one))
        )
    };
    let then = second.map_or_else(String::new, |one| format!(", then {}", who(one)));
    Some(Culprit {
        cause: format!("{what}: {}{then}.", who(first)),
        ..look(first)
    })
}

/// Returns a command that shows a process. For a sum it shows the greatest processes of the host, as a
/// name is untrusted text and must not become part of a command.
fn look(process: &Process) -> Culprit {
    const COLUMNS: &str = "pid,user,etime,%cpu,rss,args";
    Culprit {
        fix: "See what it does, and whether it can wait or needs a limit:".to_owned(),
        command: if process.count > 1 {
            format!("ps -e -o {COLUMNS} --sort=-%cpu | head -n 20")
        } else {
            format!("ps -o {COLUMNS} -p {}", process.pid)
        },
        ..Culprit::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(name: &str, pid: i64, value: f64) -> Process {
        Process {
            name: name.into(),
            pid,
            count: 1,
            cpu: value,
            rss: value * 1e8,
            io: value * 1e5,
            ..Process::default()
        }
    }

    fn processes(all: Vec<Process>) -> Processes {
        Processes {
            all: all.into_iter().map(|one| ((one.pid, 0), one)).collect(),
            ..Processes::default()
        }
    }

    fn cause(found: Option<Culprit>) -> String {
        found.map_or_else(String::new, |found| found.cause)
    }

    #[test]
    fn the_first_is_named_and_the_second_when_it_counts() {
        let unit = Process {
            unit: "app.service".into(),
            ..process("node", 7, 98.0)
        };
        for (found, expected) in [
            (
                vec![unit.clone(), process("bash", 8, 1.0)],
                "Most CPU: node (PID 7, app.service) with 98 % of a core.",
            ),
            (
                vec![process("bash", 8, 40.0), unit],
                "Most CPU: node (PID 7, app.service) with 98 % of a core, then bash (PID 8) with 40 % of a core.",
            ),
            (vec![process("idle", 1, 3.0)], ""),
            (vec![], ""),
        ] {
            assert_eq!(cause(processes(found).cpu()), expected);
        }
    }

    #[test]
    fn what_ended_is_known_for_ten_minutes_and_what_survived_is_not_blamed() {
        let tick = |minutes: i64, of: &mut Processes, those: Vec<Process>| {
            of.ts = Timestamp(minutes * MINUTE);
            for one in those {
                let ts = of.ts;
                of.all.insert((one.pid, 0), Process { ts, ..one });
            }
            of.settle();
        };
        let small = || process("sh", 3, 0.01);
        let (java, node) = (|| process("java", 1, 30.0), || process("node", 2, 40.0));
        let mut of = Processes::default();
        tick(0, &mut of, vec![java(), node(), small()]);
        assert_eq!(of.ended(), None);
        tick(1, &mut of, vec![node()]);
        let killed = "Ended: java (PID 1) with 2.8 GiB.";
        assert_eq!(of.ended().as_deref(), Some(killed));
        tick(9, &mut of, vec![node()]);
        assert_eq!(
            of.ended().as_deref(),
            Some(killed),
            "whoever is greatest now"
        );
        tick(11, &mut of, vec![node()]);
        assert_eq!(of.ended(), None);
    }

    #[test]
    fn a_summed_row_has_no_process_id() {
        let summed = Process {
            count: 40,
            ..process("worker", 0, 80.0)
        };
        let found = processes(vec![summed]).cpu().unwrap();
        assert_eq!(
            found.cause,
            "Most CPU: 40 worker processes with 80 % of a core."
        );
        assert!(!found.command.contains("-p 0"), "{}", found.command);
    }

    #[test]
    fn many_of_one_name_are_reported_together() {
        let mut many: Vec<Process> = (0..12).map(|pid| process("postgres", pid, 15.0)).collect();
        many.push(process("node", 99, 60.0));
        let many = processes(many);
        assert_eq!(
            cause(many.cpu()),
            "Most CPU: 12 postgres processes with 180 % of a core together, most of it PID 0 with 15 % of a core."
        );
        // Shared memory would be counted twelve times.
        assert_eq!(
            cause(many.memory()),
            "Most memory: node (PID 99) with 5.6 GiB, then postgres (PID 0) with 1.4 GiB."
        );
        assert_eq!(
            many.io().unwrap().command,
            "ps -o pid,user,etime,%cpu,rss,args -p 0"
        );
    }
}
