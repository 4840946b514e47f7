//! Processes: those that use much, are in a bad state, or are missing.
//!
//! Watched processes (`collector.processes`) are held to the reference's thresholds. Of any other process only what
//! affects the host is reported: a whole core in use, states that do not end by themselves, and files that it will soon
//! not be able to open.

use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::memory::Process;
use crate::memory::fields::Fields;
use crate::quoting;
use crate::rule::{Life, NoData, Rule};
use schema::finding::{Figures, Kind};
use schema::tables::SystemSample;
use schema::{Finding, Sample, Severity, Timestamp, Unit};
use std::collections::BTreeMap;

const fn rule(id: &'static str, title: &'static str, confirm_secs: u32) -> Rule {
    Rule {
        id,
        kind: Kind::Alert,
        domain: "process",
        title,
        life: Life::sampled(confirm_secs).no_data(NoData::Keep),
        because: &[],
    }
}

/// A process uses much CPU.
pub const CPU: Rule = rule("process_cpu", "Process uses much CPU", 60);
/// A process holds much memory.
pub const MEMORY: Rule = rule("process_memory", "Process holds much memory", 60);
/// A process is near its limit of open files.
pub const FILES: Rule = rule(
    "process_files",
    "Process is near its limit of open files",
    60,
);
/// A process runs many threads.
pub const THREADS: Rule = rule("process_threads", "Process runs many threads", 60);
/// A process is a zombie, blocked or stopped. That this lasts is part of the condition.
pub const STATE: Rule = rule("process_state", "Process is in a bad state", 0);
/// A watched process is not running.
pub const MISSING: Rule = rule("process_missing", "Expected process is missing", 20);

/// A watched process was started again. That may have been meant, so it is advice to look, and no alert.
pub const RESTARTED: Rule = Rule {
    kind: Kind::Recommendation,
    ..rule("process_restarted", "Process was restarted", 0)
};

/// The rules of this judge.
pub const RULES: &[Rule] = &[CPU, MEMORY, FILES, THREADS, STATE, MISSING, RESTARTED];

/// Percent of a core from which a watched process is reported: the reference's figure.
const CPU_PCT: f64 = 50.0;
/// Percent of a core from which any process is: it keeps a core to itself.
const WHOLE_CORE_PCT: f64 = 90.0;
/// Bytes from which a watched process is reported: the reference's figure, 3 GiB.
const MEMORY_BYTES: f64 = 3.0 * 1024.0 * 1024.0 * 1024.0;
/// The same as a share of the host's memory, where that is less: half of it is too much for one process of several.
const MEMORY_SHARE: f64 = 0.5;
/// For so many seconds after its start a watched process counts as restarted: the reference's figure.
const RESTARTED_SECS: f64 = 300.0;
/// Share of its limit of open files from which any process is reported, percent: at the limit it fails.
const FILES_PCT: f64 = 80.0;
/// Open files from which a watched process without a known limit is: the reference's figure.
const FILES_COUNT: f64 = 1000.0;
/// Threads from which a watched process is reported: the reference's figure.
const THREADS_COUNT: f64 = 500.0;
/// In so many ticks in a row a state must be seen: a zombie that its parent is about to reap is none.
const STATE_TICKS: u32 = 3;
/// From so many processes of one name in one state on they are one finding: a server that is stopped is one problem. One
/// that is open goes on with one less, so that it does not come apart again and again.
const TOGETHER: usize = 3;
/// Most findings about states, the worst first.
const MOST: usize = 20;
/// Most processes that a command names.
const NAMED: usize = 50;

/// Judges processes.
#[derive(Debug, Default)]
pub struct ProcessJudge {
    /// Names of watched processes that were seen.
    seen: BTreeMap<Box<str>, Seen>,
    judged: Option<Timestamp>,
    /// Memory of the host, bytes.
    memory: Option<f64>,
}

/// A watched name.
#[derive(Debug)]
struct Seen {
    /// When it was seen last.
    at: Timestamp,
    /// Start of its oldest process, clock ticks since boot: of a server, that which started the others.
    start: i64,
    /// Whether that was later than at an earlier time.
    was_restarted: bool,
}

impl Seen {
    /// Notes the oldest process of the name.
    fn note(&mut self, oldest: &Process, at: Timestamp) {
        self.was_restarted |= oldest.start > self.start;
        self.was_restarted &= oldest.uptime < RESTARTED_SECS;
        (self.at, self.start) = (at, oldest.start);
    }
}

impl ProcessJudge {
    /// Forgets which processes were seen, as others are watched now.
    pub fn forget(&mut self) {
        self.seen.clear();
    }
}

impl Judge for ProcessJudge {
    type Facts<'a> = TickFacts<'a>;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        RULES.iter()
    }

    fn evaluate(&mut self, facts: TickFacts<'_>, open: &Lifecycle, _: Timestamp) -> Evaluation {
        let host = facts.rows_of(SystemSample::TABLE).last();
        let memory_of_host = host.and_then(|row| Fields(row).number("mem_total"));
        let (ts, processes) = facts.memory.processes.newest();
        if self.judged.is_some_and(|judged| judged >= ts) || ts == Timestamp::default() {
            return Evaluation::default();
        }
        self.judged = Some(ts);
        if let Some(total) = memory_of_host {
            self.memory = Some(total);
        }
        let mut found = Vec::new();
        let mut in_state: BTreeMap<(&str, Trouble), Vec<&Process>> = BTreeMap::new();
        let mut oldest: BTreeMap<&str, &Process> = BTreeMap::new();
        for one in processes {
            if one.watched {
                let known = oldest.entry(&one.name).or_insert(one);
                if one.start < known.start {
                    *known = one;
                }
            }
            // A row that sums several has no process to name.
            if one.count > 1 {
                continue;
            }
            found.extend(cpu(one));
            found.extend(files(one));
            if let Some(trouble) = Trouble::of(one) {
                in_state.entry((&one.name, trouble)).or_default().push(one);
            }
            if one.watched {
                found.extend(memory(one, self.memory));
                found.extend(threads(one));
            }
        }
        found.extend(states(in_state, open));
        for (name, one) in &oldest {
            match self.seen.get_mut(*name) {
                Some(seen) => seen.note(one, ts),
                None => {
                    let seen = Seen {
                        at: ts,
                        start: one.start,
                        was_restarted: false,
                    };
                    self.seen.insert((*name).into(), seen);
                }
            }
        }
        for (name, seen) in &self.seen {
            if seen.at < ts {
                found.push(missing(name));
            } else if seen.was_restarted {
                found.extend(oldest.get(&**name).map(|one| restarted(one)));
            }
        }
        Evaluation {
            rules: RULES.iter().collect(),
            found,
            ..Evaluation::default()
        }
    }
}

/// Returns a finding about a process; `metric` is the one that shows it.
fn about(rule: &Rule, one: &Process, severity: Severity, message: String) -> Finding {
    let name = words::cut(&one.name, 60);
    Finding {
        command: Some(format!(
            "ps -o pid,user,etime,%cpu,rss,nlwp,args -p {}",
            one.pid
        )),
        details: (!one.unit.is_empty()).then(|| serde_json::json!({"unit": one.unit}).to_string()),
        ..rule.finding(&format!("{name} {}", one.pid), severity, message)
    }
}

fn measured(finding: Finding, metric: &str, one: &Process, value: f64, threshold: f64) -> Finding {
    Finding {
        metric: Some(metric.to_owned()),
        metric_key: Some(format!("{}.{}", one.pid, one.start)),
        figures: Figures {
            threshold: Some(threshold),
            ..Figures::of(words::round(value))
        },
        ..finding
    }
}

fn name_of(one: &Process) -> String {
    format!("{} (PID {})", words::cut(&one.name, 60), one.pid)
}

fn cpu(one: &Process) -> Option<Finding> {
    let (severity, threshold) = if one.watched {
        (Severity::Warn, CPU_PCT)
    } else {
        (Severity::Info, WHOLE_CORE_PCT)
    };
    (one.cpu > threshold).then(|| {
        let used = words::value(one.cpu.round(), Unit::Percent);
        let message = format!("{} uses {used} of a core", name_of(one));
        let mut finding = about(&CPU, one, severity, message);
        finding.steps =
            vec!["See what it does, and whether it can wait or needs a limit:".to_owned()];
        measured(finding, "process_one.cpu_pct", one, one.cpu, threshold)
    })
}

fn memory(one: &Process, total: Option<f64>) -> Option<Finding> {
    let threshold = MEMORY_BYTES.min(total.map_or(f64::MAX, |total| total * MEMORY_SHARE));
    (one.rss > threshold).then(|| {
        let held = words::value(one.rss, Unit::Bytes);
        let message = format!("{} holds {held} of memory", name_of(one));
        let mut finding = about(&MEMORY, one, Severity::Warn, message);
        finding.steps = vec!["See whether it still grows; a restart frees it:".to_owned()];
        measured(finding, "process_one.rss_bytes", one, one.rss, threshold)
    })
}

fn files(one: &Process) -> Option<Finding> {
    let open = one.fds?;
    let threshold = match one.fd_limit {
        // Lowered after they were opened, as programs do that are to open nothing more: the sandbox of OpenSSH has 1.
        Some(limit) if limit < open => return None,
        Some(limit) => limit * FILES_PCT / 100.0,
        None if one.watched => FILES_COUNT,
        None => return None,
    };
    (open > threshold).then(|| {
        let of = one
            .fd_limit
            .map_or_else(String::new, |limit| format!(" of {limit:.0}"));
        let message = format!("{} has {open:.0}{of} files open", name_of(one));
        let mut finding = about(&FILES, one, Severity::Warn, message);
        finding.command = Some(format!(
            "ls -l /proc/{}/fd | awk '{{print $NF}}' | sort | uniq -c | sort -rn | head",
            one.pid
        ));
        finding.steps = vec![
            "See what it has open; raise LimitNOFILE of its unit if that is as it should be:"
                .to_owned(),
        ];
        measured(finding, "process_one.fd_count", one, open, threshold)
    })
}

fn threads(one: &Process) -> Option<Finding> {
    (one.threads > THREADS_COUNT).then(|| {
        let message = format!("{} runs {:.0} threads", name_of(one), one.threads);
        let mut finding = about(&THREADS, one, Severity::Warn, message);
        finding.steps =
            vec!["A number that only grows is a leak; see what they are called:".to_owned()];
        finding.command = Some(format!(
            "ps -L -o comm= -p {} | sort | uniq -c | sort -rn | head",
            one.pid
        ));
        measured(
            finding,
            "process_one.thread_count",
            one,
            one.threads,
            THREADS_COUNT,
        )
    })
}

/// A state that does not end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Zombie,
    Blocked,
    Stopped,
}

impl Trouble {
    /// Returns the trouble of a process. One that is not watched may be stopped on purpose.
    fn of(one: &Process) -> Option<Self> {
        if one.ticks < STATE_TICKS {
            return None;
        }
        match one.state {
            b'Z' => Some(Self::Zombie),
            b'D' => Some(Self::Blocked),
            b'T' | b't' if one.watched => Some(Self::Stopped),
            _ => None,
        }
    }

    fn severity(self, is_watched: bool) -> Severity {
        match self {
            Self::Zombie | Self::Blocked if is_watched => Severity::Critical,
            Self::Zombie | Self::Blocked | Self::Stopped => Severity::Warn,
        }
    }

    /// Returns the word by which findings about several are told apart.
    const fn word(self) -> &'static str {
        match self {
            Self::Zombie => "zombies",
            Self::Blocked => "blocked",
            Self::Stopped => "stopped",
        }
    }

    /// Returns what it is, of one process and of several.
    const fn says(self) -> [&'static str; 2] {
        match self {
            Self::Zombie => ["is a zombie", "are zombies"],
            Self::Blocked => [
                "waits for a device and cannot be interrupted",
                "wait for a device and cannot be interrupted",
            ],
            Self::Stopped => ["is stopped", "are stopped"],
        }
    }

    /// Returns the step, for one process and for several.
    const fn step(self) -> [&'static str; 2] {
        match self {
            Self::Zombie => [
                "Its parent does not reap it; restart the parent:",
                "Their parents do not reap them; restart the parents:",
            ],
            Self::Blocked => ["See which disk or mount does not answer:"; 2],
            Self::Stopped => [
                "Continue it, unless it is being debugged:",
                "Continue them, unless they are being debugged:",
            ],
        }
    }

    fn command(self, all: &[&Process]) -> String {
        let pids = all.iter().take(NAMED).map(|one| one.pid.to_string());
        let pids: Vec<String> = pids.collect();
        match self {
            Self::Stopped => format!("kill -CONT {}", pids.join(" ")),
            Self::Zombie | Self::Blocked => format!(
                "ps -o pid,ppid,stat,wchan:32,etime,args -p {}",
                pids.join(",")
            ),
        }
    }
}

/// Returns the findings about processes in a bad state, several of one name and state as one.
fn states(in_state: BTreeMap<(&str, Trouble), Vec<&Process>>, open: &Lifecycle) -> Vec<Finding> {
    let mut found = Vec::new();
    for ((name, trouble), mut all) in in_state {
        all.sort_by_key(|one| one.pid);
        let together = format!("{} {}", words::cut(name, 60), trouble.word());
        let least = match open.severity(STATE.id, &together) {
            Some(_) => TOGETHER - 1,
            None => TOGETHER,
        };
        if all.len() < least {
            found.extend(all.iter().map(|one| state(trouble, one)));
            continue;
        }
        let severity = trouble.severity(all.iter().any(|one| one.watched));
        let message = format!(
            "{} {} processes {}",
            all.len(),
            words::cut(name, 60),
            trouble.says()[1]
        );
        found.push(Finding {
            steps: vec![trouble.step()[1].to_owned()],
            command: Some(trouble.command(&all)),
            ..STATE.finding(&together, severity, message)
        });
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.severity));
    found.truncate(MOST);
    found
}

fn state(trouble: Trouble, one: &Process) -> Finding {
    let message = format!("{} {}", name_of(one), trouble.says()[0]);
    let mut finding = about(&STATE, one, trouble.severity(one.watched), message);
    finding.steps = vec![trouble.step()[0].to_owned()];
    finding.command = Some(trouble.command(&[one]));
    finding
}

fn restarted(one: &Process) -> Finding {
    let message = format!(
        "{} was restarted {} ago",
        words::cut(&one.name, 60),
        words::duration(one.uptime)
    );
    let unit = Some(&*one.unit).filter(|unit| unit.ends_with(".service"));
    Finding {
        steps: vec!["Unless it was meant, see how the one before ended:".to_owned()],
        command: Some(match unit.and_then(quoting::shell) {
            Some(unit) => format!("journalctl -u {unit} -n 100"),
            None => "journalctl -p warning --since -15min".to_owned(),
        }),
        details: (!one.unit.is_empty()).then(|| serde_json::json!({"unit": one.unit}).to_string()),
        ..RESTARTED.finding(&one.name, Severity::Warn, message)
    }
}

fn missing(name: &str) -> Finding {
    let message = format!("No process {} is running", words::cut(name, 60));
    Finding {
        steps: vec!["It ran before; see why it ended, and start it:".to_owned()],
        command: Some("systemctl --failed".to_owned()),
        ..MISSING.finding(name, Severity::Critical, message)
    }
}

#[cfg(test)]
mod tests;
