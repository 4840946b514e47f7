//! The processes that use most of a scarce resource.

use std::collections::HashMap;

use schema::tables::ProcessSample;
use schema::{Cell, Metric, Sample, Timestamp, Unit};
use store::series::{self, ReadError};
use tokio_postgres::Client;

use super::{Culprit, end};
use crate::hosts::Host;

const STORED: [&str; 7] = [
    "process_name",
    "pid",
    "start_ticks",
    "cpu_pct",
    "rss_bytes",
    "unit",
    "process_count",
];
const RATES: [&str; 2] = [
    "process_one.read_bytes_per_sec",
    "process_one.write_bytes_per_sec",
];
const NAME: usize = 40;
/// A second process is named when it uses at least this share of what the first one does.
const WORTH_NAMING: f64 = 0.25;
/// Processes of one name are reported together when the greatest uses less than this share of their sum.
const LEADS: f64 = 0.6;

/// The processes of the newest sample.
#[derive(Debug, Default)]
pub(super) struct Processes(Vec<Process>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Process {
    name: String,
    pid: i64,
    /// Number of processes that the row sums up.
    count: i64,
    unit: String,
    /// Percent of one core.
    cpu: f64,
    rss: f64,
    /// Bytes read and written per second.
    io: f64,
}

impl Processes {
    /// Reads the processes of the newest sample; `with_io`: with their I/O rates.
    pub(super) async fn read(
        client: &Client,
        host: &Host,
        at: Timestamp,
        with_io: bool,
    ) -> Result<Self, ReadError> {
        let tick =
            series::tick(client, ProcessSample::TABLE, host.id, at, end(at), &STORED).await?;
        let mut rates: HashMap<String, f64> = HashMap::new();
        if with_io {
            let metrics: Vec<&'static Metric> =
                RATES.iter().filter_map(|id| schema::metric(id)).collect();
            for rate in series::latest(client, host.id, &metrics, at, host.interval).await? {
                if let (Some(key), Some(value)) = (rate.key, rate.value) {
                    *rates.entry(key).or_default() += value;
                }
            }
        }
        let process = |row: Vec<Cell>| {
            let text = |at: usize| match row.get(at) {
                Some(Cell::Text(text)) => text.to_string(),
                _ => String::new(),
            };
            #[expect(clippy::cast_precision_loss, reason = "bytes are far below 2^53")]
            let number = |at: usize| match row.get(at) {
                Some(Cell::Int(value)) => *value as f64,
                Some(Cell::Float(value)) => *value,
                _ => 0.0,
            };
            let (Some(Cell::Int(pid)), Some(Cell::Int(start))) = (row.get(1), row.get(2)) else {
                return None;
            };
            Some(Process {
                name: text(0),
                pid: *pid,
                unit: text(5),
                count: match row.get(6) {
                    Some(Cell::Int(count)) => *count,
                    _ => 1,
                },
                cpu: number(3),
                rss: number(4),
                io: rates.get(&format!("{pid}.{start}")).copied().unwrap_or(0.0),
            })
        };
        Ok(Self(tick.rows.into_iter().filter_map(process).collect()))
    }

    /// Returns what uses most CPU, from a tenth of a core on.
    pub(super) fn cpu(&self) -> Option<Culprit> {
        self.most(
            "Most CPU",
            |one| one.cpu,
            10.0,
            |value| format!("{} of a core", words::value(value.round(), Unit::Percent)),
        )
    }

    /// Returns what uses most memory, from 16 MiB on. Processes of one name are not added up, as they share memory.
    pub(super) fn memory(&self) -> Option<Culprit> {
        let alone: Vec<&Process> = self.ranked(|one| one.rss);
        named(
            "Most memory",
            &alone,
            |one| one.rss,
            16.0 * 1_048_576.0,
            |value| words::value(value, Unit::Bytes),
        )
    }

    /// Returns what reads and writes most, from 64 KiB a second on.
    pub(super) fn io(&self) -> Option<Culprit> {
        self.most(
            "Most disk I/O",
            |one| one.io,
            65_536.0,
            |value| words::value(value, Unit::BytesPerSec),
        )
    }

    fn ranked(&self, of: fn(&Process) -> f64) -> Vec<&Process> {
        let mut ranked: Vec<&Process> = self.0.iter().collect();
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
        let first = ranked.iter().find(|one| one.name == name)?;
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
        let unit = match one.unit.as_str() {
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
            name: name.to_owned(),
            pid,
            count: 1,
            cpu: value,
            rss: value * 1e8,
            io: value * 1e5,
            ..Process::default()
        }
    }

    fn cause(found: Option<Culprit>) -> String {
        found.map_or_else(String::new, |found| found.cause)
    }

    #[test]
    fn the_first_is_named_and_the_second_when_it_counts() {
        let unit = Process {
            unit: "app.service".to_owned(),
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
            assert_eq!(cause(Processes(found).cpu()), expected);
        }
    }

    #[test]
    fn a_summed_row_has_no_process_id() {
        let summed = Process {
            count: 40,
            ..process("worker", 0, 80.0)
        };
        let found = Processes(vec![summed]).cpu().unwrap();
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
        let many = Processes(many);
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
