use super::*;
use crate::live::Intervals;
use crate::memory::Memory;
use schema::micros::SECOND;
use schema::tables::ProcessSample;
use schema::{Row, Sample};

const NOW: i64 = 1_800_000_000 * SECOND;
const INTERVALS: Intervals = Intervals {
    host: 10 * SECOND,
    services: 10 * SECOND,
};
const GIB: i64 = 1 << 30;

/// A host with the judge under test.
struct Host {
    memory: Memory,
    judge: ProcessJudge,
    lifecycle: Lifecycle,
    secs: i64,
}

impl Host {
    fn new() -> Self {
        Self {
            memory: Memory::new(INTERVALS).unwrap(),
            judge: ProcessJudge::default(),
            lifecycle: Lifecycle::new(ProcessJudge::rules()),
            secs: 0,
        }
    }

    /// Takes a tick and returns what follows: the transition with its rule, and the message.
    fn tick(&mut self, processes: &[ProcessSample]) -> Vec<(String, String)> {
        let at = Timestamp(NOW + self.secs * SECOND);
        self.secs += 10;
        // Somebody always runs: a tick without rows is not one.
        let init = ProcessSample {
            process_count: 1,
            state: "S".to_owned(),
            process_name: "init".to_owned(),
            pid: 1,
            ..ProcessSample::default()
        };
        let rows: Vec<Row> = processes
            .iter()
            .chain([&init])
            .map(|sample| sample.clone().into_row(at))
            .collect();
        self.memory.take(&rows);
        let facts = TickFacts {
            memory: &mut self.memory,
            rows: &[&rows],
            intervals: INTERVALS,
        };
        let evaluation = self.judge.evaluate(facts, &self.lifecycle, at);
        let steps = self.lifecycle.reconcile(evaluation, at);
        steps
            .into_iter()
            .map(|(_, row)| (format!("{} {}", row.transition, row.rule), row.message))
            .collect()
    }

    /// Takes so many equal ticks and returns the steps with the number of their tick.
    fn ticks(&mut self, count: usize, processes: &[ProcessSample]) -> Vec<(usize, String)> {
        let mut steps = Vec::new();
        for nth in 0..count {
            let step = self.tick(processes).into_iter();
            let step = step.filter(|(step, _)| !step.starts_with("refreshed"));
            steps.extend(step.map(|(step, _)| (nth, step)));
        }
        steps
    }

    fn only(&self) -> &Finding {
        let mut open = self.lifecycle.open();
        let only = open.next().expect("one is open");
        assert_eq!(open.next(), None);
        only
    }
}

fn watched() -> ProcessSample {
    ProcessSample {
        process_name: "api".to_owned(),
        pid: 4711,
        start_ticks: 9,
        cpu_pct: Some(1.0),
        rss_bytes: 1 << 20,
        fd_count: Some(10),
        fd_limit: Some(1024),
        thread_count: 4,
        state: "S".to_owned(),
        unit: Some("api.service".to_owned()),
        watched: true,
        process_count: 1,
        ..ProcessSample::default()
    }
}

fn other() -> ProcessSample {
    ProcessSample {
        watched: false,
        ..watched()
    }
}

#[test]
fn each_threshold_with_its_words() {
    let cpu = |cpu: f64, of: ProcessSample| ProcessSample {
        cpu_pct: Some(cpu),
        ..of
    };
    let memory = |bytes: i64, of: ProcessSample| ProcessSample {
        rss_bytes: bytes,
        ..of
    };
    let files = |open: Option<i64>, limit: Option<i64>, of: ProcessSample| ProcessSample {
        fd_count: open,
        fd_limit: limit,
        ..of
    };
    let threads = |threads: i32, of: ProcessSample| ProcessSample {
        thread_count: threads,
        ..of
    };
    let warn = Severity::Warn;
    let info = Severity::Info;
    /// Rule, severity and message.
    type Expected = Option<(&'static str, Severity, &'static str)>;
    let cases: [(ProcessSample, Expected); 19] = [
        (cpu(50.0, watched()), None),
        (
            cpu(51.0, watched()),
            Some(("process_cpu", warn, "api (PID 4711) uses 51 % of a core")),
        ),
        (cpu(89.0, other()), None),
        (
            cpu(99.6, other()),
            Some(("process_cpu", info, "api (PID 4711) uses 100 % of a core")),
        ),
        (memory(3 * GIB, watched()), None),
        (
            memory(4 * GIB, watched()),
            Some((
                "process_memory",
                warn,
                "api (PID 4711) holds 4 GiB of memory",
            )),
        ),
        (memory(40 * GIB, other()), None),
        (files(Some(819), Some(1024), watched()), None),
        (
            files(Some(820), Some(1024), watched()),
            Some((
                "process_files",
                warn,
                "api (PID 4711) has 820 of 1024 files open",
            )),
        ),
        // At its limit any process fails.
        (
            files(Some(820), Some(1024), other()),
            Some((
                "process_files",
                warn,
                "api (PID 4711) has 820 of 1024 files open",
            )),
        ),
        // A high limit is there to be used.
        (files(Some(5000), Some(1 << 20), watched()), None),
        (
            files(Some(1001), None, watched()),
            Some(("process_files", warn, "api (PID 4711) has 1001 files open")),
        ),
        (files(Some(1001), None, other()), None),
        (files(None, Some(4), watched()), None),
        // A program whose sandbox lowers the limit below what it has open.
        (files(Some(7), Some(1), other()), None),
        (
            files(Some(4), Some(4), other()),
            Some((
                "process_files",
                warn,
                "api (PID 4711) has 4 of 4 files open",
            )),
        ),
        (threads(500, watched()), None),
        (
            threads(501, watched()),
            Some(("process_threads", warn, "api (PID 4711) runs 501 threads")),
        ),
        (threads(900, other()), None),
    ];
    for (process, expected) in cases {
        let mut host = Host::new();
        let steps = host.tick(std::slice::from_ref(&process));
        let Some((rule, severity, message)) = expected else {
            assert_eq!(steps, [], "{process:?}");
            continue;
        };
        assert_eq!(steps, [(format!("opened {rule}"), message.to_owned())]);
        let found = host.only();
        assert_eq!(
            (found.severity, found.target.as_str()),
            (severity, "api 4711")
        );
        assert_eq!(found.metric_key.as_deref(), Some("4711.9"));
        assert!(
            found
                .metric
                .as_deref()
                .is_some_and(|id| schema::metric(id).is_some())
        );
        assert!(found.figures.value > found.figures.threshold, "{rule}");
        assert!(!found.steps.is_empty() && found.command.is_some(), "{rule}");
        assert_eq!(found.details.as_deref(), Some(r#"{"unit":"api.service"}"#));
    }
}

#[test]
fn a_threshold_is_confirmed_after_a_minute_and_ends_with_two_good_samples() {
    let busy = ProcessSample {
        cpu_pct: Some(80.0),
        ..watched()
    };
    let mut host = Host::new();
    assert_eq!(
        host.ticks(8, &[busy]),
        [
            (0, "opened process_cpu".to_owned()),
            (6, "confirmed process_cpu".to_owned())
        ]
    );
    assert_eq!(
        host.ticks(3, &[watched()]),
        [(1, "resolved process_cpu".to_owned())]
    );
}

#[test]
fn a_process_that_ends_takes_its_findings_along() {
    let large = ProcessSample {
        rss_bytes: 4 * GIB,
        ..watched()
    };
    // Another one of the name goes on, so none is missing.
    let second = ProcessSample {
        pid: 4712,
        ..watched()
    };
    let mut host = Host::new();
    host.ticks(8, &[large, second.clone()]);
    assert_eq!(
        host.ticks(2, &[second]),
        [(1, "resolved process_memory".to_owned())]
    );
}

#[test]
fn states_that_last_with_what_to_do() {
    let state = |state: &str, of: ProcessSample| ProcessSample {
        state: state.to_owned(),
        ..of
    };
    let (warn, critical) = (Severity::Warn, Severity::Critical);
    let look = "ps -o pid,ppid,stat,wchan:32,etime,args -p 4711";
    /// Severity, message and command.
    type Expected = Option<(Severity, &'static str, &'static str)>;
    let cases: [(ProcessSample, Expected); 9] = [
        (
            state("Z", watched()),
            Some((critical, "api (PID 4711) is a zombie", look)),
        ),
        (
            state("Z", other()),
            Some((warn, "api (PID 4711) is a zombie", look)),
        ),
        (
            state("D", watched()),
            Some((
                critical,
                "api (PID 4711) waits for a device and cannot be interrupted",
                look,
            )),
        ),
        (
            state("D", other()),
            Some((
                warn,
                "api (PID 4711) waits for a device and cannot be interrupted",
                look,
            )),
        ),
        (
            state("T", watched()),
            Some((warn, "api (PID 4711) is stopped", "kill -CONT 4711")),
        ),
        (
            state("t", watched()),
            Some((warn, "api (PID 4711) is stopped", "kill -CONT 4711")),
        ),
        // Somebody stopped it by Ctrl-Z.
        (state("T", other()), None),
        (state("R", watched()), None),
        (state("S", watched()), None),
    ];
    for (process, expected) in cases {
        let mut host = Host::new();
        let one = std::slice::from_ref(&process);
        // A zombie that its parent is about to reap is none.
        assert_eq!(host.ticks(2, one), [], "{process:?}");
        let steps = host.ticks(3, one);
        let Some((severity, message, command)) = expected else {
            assert_eq!(steps, [], "{process:?}");
            continue;
        };
        assert_eq!(steps, [(0, "opened process_state".to_owned())]);
        let found = host.only();
        assert_eq!(found.severity, severity);
        assert_eq!(found.message, message);
        assert_eq!(found.command.as_deref(), Some(command));
        assert_eq!(
            host.ticks(2, &[state("S", process.clone())]),
            [(1, "resolved process_state".to_owned())]
        );
    }
}

#[test]
fn a_state_that_changes_meanwhile_counts_anew() {
    let state = |state: &str| ProcessSample {
        state: state.to_owned(),
        ..watched()
    };
    let mut host = Host::new();
    for word in ["D", "D", "S", "D", "D", "S"] {
        assert_eq!(host.tick(&[state(word)]), []);
    }
}

/// So many processes of one name in a state.
fn several(count: usize, name: &str, state: &str, of: &ProcessSample) -> Vec<ProcessSample> {
    let one = |nth: usize| ProcessSample {
        pid: i32::try_from(100 + nth).unwrap(),
        process_name: name.to_owned(),
        state: state.to_owned(),
        ..of.clone()
    };
    (0..count).map(one).collect()
}

#[test]
fn several_of_one_name_and_state_are_one_finding() {
    let mut host = Host::new();
    let stopped = several(14, "postgres", "T", &watched());
    assert_eq!(
        host.ticks(3, &stopped),
        [(2, "opened process_state".to_owned())]
    );
    let found = host.only();
    assert_eq!(found.target, "postgres stopped");
    assert_eq!(found.severity, Severity::Warn);
    assert_eq!(found.message, "14 postgres processes are stopped");
    let command = found.command.as_deref().unwrap();
    assert!(command.starts_with("kill -CONT 100 101 "), "{command}");
    // It does not come apart while most go on, and ends with the last but one.
    assert_eq!(host.ticks(3, &stopped[..2]), []);
    let steps = host.ticks(2, &stopped[..1]);
    assert_eq!(
        steps,
        [
            (0, "opened process_state".to_owned()),
            (1, "resolved process_state".to_owned())
        ]
    );
    assert_eq!(host.only().message, "postgres (PID 100) is stopped");
}

#[test]
fn of_many_names_in_a_state_some_are_reported() {
    let of = |nth: usize| several(1, &format!("job{nth}"), "Z", &other());
    let mut zombies: Vec<ProcessSample> = (0..MOST + 5).flat_map(of).collect();
    for (pid, zombie) in (100..).zip(&mut zombies) {
        zombie.pid = pid;
    }
    // The worst come first.
    zombies.push(ProcessSample {
        state: "Z".to_owned(),
        ..watched()
    });
    let mut host = Host::new();
    assert_eq!(host.ticks(3, &zombies).len(), MOST);
    let mut open = host.lifecycle.open();
    assert!(open.any(|one| one.severity == Severity::Critical));
}

#[test]
fn a_watched_name_that_ran_before_is_missed() {
    let mut host = Host::new();
    host.ticks(2, &[watched()]);
    // It comes back as another process in time.
    assert_eq!(
        host.ticks(1, &[]),
        [(0, "opened process_missing".to_owned())]
    );
    let again = ProcessSample {
        pid: 5000,
        ..watched()
    };
    let steps = host.ticks(3, &[again]);
    assert_eq!(steps, [(1, "resolved process_missing".to_owned())]);

    let steps = host.ticks(4, &[]);
    assert_eq!(
        steps,
        [
            (0, "opened process_missing".to_owned()),
            (2, "confirmed process_missing".to_owned())
        ]
    );
    let found = host.only();
    assert_eq!(found.severity, Severity::Critical);
    assert_eq!(found.message, "No process api is running");
    assert_eq!(found.command.as_deref(), Some("systemctl --failed"));
    assert_eq!(
        host.ticks(2, &[watched()]),
        [(1, "resolved process_missing".to_owned())]
    );
}

#[test]
fn names_that_are_not_watched_any_more_are_not_missed() {
    let mut host = Host::new();
    host.ticks(2, &[watched()]);
    host.judge.forget();
    assert_eq!(host.ticks(4, &[]), []);
}

#[test]
fn a_row_that_sums_several_processes_names_none() {
    let sum = ProcessSample {
        pid: 0,
        process_count: 40,
        cpu_pct: Some(400.0),
        state: "Z".to_owned(),
        ..other()
    };
    assert_eq!(Host::new().ticks(4, &[sum]), []);
}

#[test]
fn a_tick_without_processes_changes_nothing() {
    let busy = ProcessSample {
        cpu_pct: Some(80.0),
        ..watched()
    };
    let mut host = Host::new();
    host.ticks(8, &[busy]);
    let at = Timestamp(NOW + 200 * SECOND);
    let facts = TickFacts {
        memory: &mut host.memory,
        rows: &[&[]],
        intervals: INTERVALS,
    };
    let evaluation = host.judge.evaluate(facts, &host.lifecycle, at);
    assert_eq!(evaluation.rules, [] as [&Rule; 0]);
    assert_eq!(host.lifecycle.reconcile(evaluation, at), []);
}

#[test]
fn a_restart_is_told_for_five_minutes_and_a_start_is_none() {
    let mut host = Host::new();
    // The first one that is seen may have started at any time.
    let young = ProcessSample {
        uptime_secs: 5.0,
        unit: Some("api.service".to_owned()),
        ..watched()
    };
    assert_eq!(host.ticks(2, std::slice::from_ref(&young)), []);
    // Workers come and go; the oldest process counts.
    let worker = ProcessSample {
        pid: 4712,
        start_ticks: 70,
        ..young.clone()
    };
    assert_eq!(host.ticks(2, &[young.clone(), worker]), []);
    let again = ProcessSample {
        pid: 5000,
        start_ticks: 900,
        uptime_secs: 12.0,
        ..young
    };
    let steps = host.ticks(3, std::slice::from_ref(&again));
    assert_eq!(steps, [(0, "opened process_restarted".to_owned())]);
    let found = host.only();
    assert_eq!(found.message, "api was restarted 12 s ago");
    assert_eq!(
        found.command.as_deref(),
        Some("journalctl -u api.service -n 100")
    );
    let old = ProcessSample {
        uptime_secs: 301.0,
        ..again
    };
    let steps = host.ticks(3, std::slice::from_ref(&old));
    assert_eq!(steps, [(1, "resolved process_restarted".to_owned())]);
}

#[test]
fn much_memory_is_half_of_a_small_host() {
    let one = |gib: i64| ProcessSample {
        rss_bytes: gib * GIB / 8,
        ..watched()
    };
    // 2 GiB in all: 1 GiB is much, and 3 GiB would never be reached.
    for (eighths, total, expected) in [
        (9, Some(2.0), true),
        (7, Some(2.0), false),
        (20, Some(64.0), false),
        (25, Some(64.0), true),
        (25, None, true),
    ] {
        let row = one(eighths).into_row(Timestamp(NOW));
        let mut memory = Memory::new(INTERVALS).unwrap();
        memory.take(&[row]);
        let (_, mut processes) = memory.processes.newest();
        let total = total.map(|gib| gib * GIB as f64);
        let found = super::memory(processes.next().unwrap(), total);
        assert_eq!(found.is_some(), expected, "{eighths} {total:?}");
    }
}
