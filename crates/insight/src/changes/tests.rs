use super::*;
use crate::live::Intervals;
use crate::memory::Memory;
use schema::tables::ProcessSample;
use schema::{Json, Row};

const NOW: i64 = 1_800_000_000 * SECOND;
const INTERVALS: Intervals = Intervals {
    host: 10 * SECOND,
    services: 10 * SECOND,
};

struct Host {
    memory: Memory,
    detector: ChangeDetector,
    secs: i64,
}

impl Host {
    fn new() -> Self {
        Self {
            memory: Memory::new(INTERVALS).unwrap(),
            detector: ChangeDetector::default(),
            secs: 0,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp(NOW + self.secs * SECOND)
    }

    /// Takes a tick and returns what changed: kind, subject, action, values, and how many seconds ago.
    fn tick(&mut self, rows: &[Row]) -> Vec<String> {
        let at = self.now();
        self.secs += 10;
        self.memory.take(rows);
        let facts = TickFacts {
            memory: &mut self.memory,
            rows: &[rows],
            intervals: INTERVALS,
        };
        let changes = self.detector.observe(&facts, at);
        let described = changes.into_iter().map(|(ts, marker)| {
            let values = [marker.before, marker.after];
            let values: Vec<String> = values.into_iter().flatten().collect();
            let ago = (at.as_micros() - ts.as_micros()) / SECOND;
            let words = [&*marker.kind, &*marker.subject, &*marker.action];
            format!("{} {} {ago}", words.join(" "), values.join(" "))
        });
        described.collect()
    }

    /// Takes a tick with watched processes: name, number, start.
    fn processes(&mut self, all: &[(&str, i32, i64)]) -> Vec<String> {
        let at = self.now();
        let row = |name: &str, pid, start_ticks, watched| {
            ProcessSample {
                process_name: name.to_owned(),
                pid,
                start_ticks,
                watched,
                process_count: 1,
                state: "S".to_owned(),
                ..ProcessSample::default()
            }
            .into_row(at)
        };
        let mut rows = vec![row("init", 1, 0, false)];
        rows.extend(
            all.iter()
                .map(|(name, pid, start)| row(name, *pid, *start, true)),
        );
        self.tick(&rows)
    }
}

#[test]
fn a_program_starts_ends_and_starts_again() {
    let mut host = Host::new();
    let none: [&str; 0] = [];
    assert_eq!(host.processes(&[("api", 7, 100), ("proxy", 8, 100)]), none);
    assert_eq!(host.processes(&[("api", 7, 100), ("proxy", 8, 100)]), none);
    assert_eq!(
        host.processes(&[("api", 9, 900), ("proxy", 8, 100)]),
        ["program api restarted  0"]
    );
    // A process of several ends, and others come: it goes on.
    assert_eq!(
        host.processes(&[("api", 9, 900), ("api", 10, 950), ("proxy", 8, 100)]),
        none
    );
    assert_eq!(host.processes(&[("api", 10, 950), ("proxy", 8, 100)]), none);
    assert_eq!(
        host.processes(&[("proxy", 8, 100)]),
        ["program api stopped  0"]
    );
    assert_eq!(host.processes(&[("proxy", 8, 100)]), none);
    assert_eq!(
        host.processes(&[("api", 11, 1200), ("proxy", 8, 100), ("cron", 12, 1200)]),
        ["program api started  0", "program cron started  0"]
    );
    // A tick without rows of processes tells nothing.
    assert_eq!(host.tick(&[]), none);
    // Others are watched now.
    host.detector.reconfigure();
    assert_eq!(
        host.processes(&[("nginx", 20, 5)]),
        ["configuration pqcrypta-collector reloaded  0"]
    );
    assert_eq!(host.processes(&[("nginx", 20, 5)]), none);
}

#[test]
fn servers_and_targets_that_were_started_again() {
    let mut host = Host::new();
    let server = |host: &Host, started: Option<i64>| {
        DbSample {
            instance: "store".to_owned(),
            up: started.is_some(),
            started_at: started.map(|secs| Timestamp(NOW + secs * SECOND)),
            ..DbSample::default()
        }
        .into_row(host.now())
    };
    let api = |host: &Host, uptime: f64| {
        ApiSample {
            target: "shop".to_owned(),
            uptime_secs: Some(uptime),
            ..ApiSample::default()
        }
        .into_row(host.now())
    };
    let none: [&str; 0] = [];
    let rows = [server(&host, Some(-1000)), api(&host, 500.0)];
    assert_eq!(host.tick(&rows), none);
    // It does not answer; then it is the same.
    let rows = [server(&host, None), api(&host, 510.4)];
    assert_eq!(host.tick(&rows), none);
    let rows = [server(&host, Some(-1000)), api(&host, 518.0)];
    assert_eq!(host.tick(&rows), none);
    let rows = [server(&host, Some(27)), api(&host, 6.0)];
    assert_eq!(
        host.tick(&rows),
        ["server store restarted  3", "server shop restarted  6"]
    );
    let rows = [server(&host, Some(27)), api(&host, 16.0)];
    assert_eq!(host.tick(&rows), none);
    // A clock that was set back is no start.
    let rows = [server(&host, Some(-5000)), api(&host, 90_000.0)];
    assert_eq!(host.tick(&rows), none);
}

#[test]
fn settings_are_compared_from_slow_tick_to_slow_tick() {
    let mut host = Host::new();
    let setting = |host: &Host, instance: &str, name: &str, detail: &str| {
        CheckSample {
            instance: instance.to_owned(),
            database: String::new(),
            check_name: "settings".to_owned(),
            object: name.to_owned(),
            value: None,
            detail: Json(detail.to_owned()),
        }
        .into_row(host.now())
    };
    let none: [&str; 0] = [];
    let rows = [
        setting(&host, "store", "work_mem", r#"{"setting": "4096"}"#),
        setting(&host, "other", "work_mem", r#"{"setting": "64"}"#),
    ];
    assert_eq!(host.tick(&rows), none);
    assert_eq!(host.tick(&[]), none);
    let rows = [
        setting(&host, "store", "work_mem", r#"{"setting": "8192"}"#),
        setting(&host, "other", "work_mem", r#"{"setting": "64"}"#),
        setting(&host, "store", "secret", r#"{"setting": null}"#),
    ];
    assert_eq!(host.tick(&rows), ["setting work_mem changed 4096 8192 0"]);
    // Not known in between, and the same after that.
    let rows = [setting(&host, "store", "work_mem", "{}")];
    assert_eq!(host.tick(&rows), none);
    let rows = [setting(
        &host,
        "store",
        "work_mem",
        r#"{"setting": "8192"}"#,
    )];
    assert_eq!(host.tick(&rows), none);
}
