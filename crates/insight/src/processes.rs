//! Processes: those that use much, are in a bad state, or are missing.
//!
//! Watched processes (`collector.processes`) are held to the reference's thresholds. Of any other process only what
//! affects the host is reported: a whole core in use, states that do not end by themselves, and files that it will soon
//! not be able to open.

use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::memory::Process;
use crate::rule::{Life, NoData, Rule};
use schema::finding::{Figures, Kind};
use schema::{Finding, Severity, Timestamp, Unit};
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

/// The rules of this judge.
pub const RULES: &[Rule] = &[CPU, MEMORY, FILES, THREADS, STATE, MISSING];

/// Percent of a core from which a watched process is reported: the reference's figure.
const CPU_PCT: f64 = 50.0;
/// Percent of a core from which any process is: it keeps a core to itself.
const WHOLE_CORE_PCT: f64 = 90.0;
/// Bytes from which a watched process is reported: the reference's figure, 3 GiB.
const MEMORY_BYTES: f64 = 3.0 * 1024.0 * 1024.0 * 1024.0;
/// Share of its limit of open files from which any process is reported, percent: at the limit it fails.
const FILES_PCT: f64 = 80.0;
/// Open files from which a watched process without a known limit is: the reference's figure.
const FILES_COUNT: f64 = 1000.0;
/// Threads from which a watched process is reported: the reference's figure.
const THREADS_COUNT: f64 = 500.0;
/// In so many ticks in a row a state must be seen: a zombie that its parent is about to reap is none.
const STATE_TICKS: u32 = 3;
/// Most processes in one bad state that are reported one by one.
const MOST: usize = 20;

/// Judges processes.
#[derive(Debug, Default)]
pub struct ProcessJudge {
    /// Names of watched processes that were seen, with when they were seen last.
    seen: BTreeMap<Box<str>, Timestamp>,
    judged: Option<Timestamp>,
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

    fn evaluate(&mut self, facts: TickFacts<'_>, _: &Lifecycle, _: Timestamp) -> Evaluation {
        let (ts, processes) = facts.memory.processes.newest();
        if self.judged.is_some_and(|judged| judged >= ts) || ts == Timestamp::default() {
            return Evaluation::default();
        }
        self.judged = Some(ts);
        let mut found = Vec::new();
        let mut in_state = 0;
        for one in processes {
            if one.watched {
                match self.seen.get_mut(&one.name) {
                    Some(seen) => *seen = ts,
                    None => drop(self.seen.insert(one.name.clone(), ts)),
                }
            }
            // A row that sums several has no process to name.
            if one.count > 1 {
                continue;
            }
            found.extend(cpu(one));
            found.extend(files(one));
            found.extend(
                state(one)
                    .filter(|_| in_state < MOST)
                    .inspect(|_| in_state += 1),
            );
            if one.watched {
                found.extend([memory(one), threads(one)].into_iter().flatten());
            }
        }
        for (name, seen) in &self.seen {
            if *seen < ts {
                found.push(missing(name));
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

fn memory(one: &Process) -> Option<Finding> {
    (one.rss > MEMORY_BYTES).then(|| {
        let held = words::value(one.rss, Unit::Bytes);
        let message = format!("{} holds {held} of memory", name_of(one));
        let mut finding = about(&MEMORY, one, Severity::Warn, message);
        finding.steps = vec!["See whether it still grows; a restart frees it:".to_owned()];
        measured(finding, "process_one.rss_bytes", one, one.rss, MEMORY_BYTES)
    })
}

fn files(one: &Process) -> Option<Finding> {
    let open = one.fds?;
    let threshold = match one.fd_limit {
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

fn state(one: &Process) -> Option<Finding> {
    if one.ticks < STATE_TICKS {
        return None;
    }
    let grave = if one.watched {
        Severity::Critical
    } else {
        Severity::Warn
    };
    let (severity, what, step) = match one.state {
        b'Z' => (
            grave,
            "is a zombie",
            "Its parent does not reap it; restart the parent:",
        ),
        b'D' => (
            grave,
            "waits for a device and cannot be interrupted",
            "See which disk or mount does not answer:",
        ),
        b'T' | b't' if one.watched => (
            Severity::Warn,
            "is stopped",
            "Continue it, unless it is being debugged:",
        ),
        _ => return None,
    };
    let mut finding = about(&STATE, one, severity, format!("{} {what}", name_of(one)));
    finding.command = Some(match one.state {
        b'T' | b't' => format!("kill -CONT {}", one.pid),
        _ => format!("ps -o pid,ppid,stat,wchan:32,etime,args -p {}", one.pid),
    });
    finding.steps = vec![step.to_owned()];
    Some(finding)
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
