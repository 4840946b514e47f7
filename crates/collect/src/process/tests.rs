use std::path::Path;

use schema::Cell;

use super::*;
use crate::fixture_tests::{UNITS, cell, moment};
use crate::{RunOutcome, RunReport, run_one};

/// A procfs with process 1, to which tests add.
struct Procfs {
    dir: tempfile::TempDir,
}

impl Procfs {
    fn new() -> Self {
        let procfs = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        procfs.write("uptime", "1000.00 1.00\n");
        procfs.process(1, "init", Stat::default());
        procfs
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join("proc").join(path)
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn process(&self, pid: i32, comm: impl AsRef<[u8]>, stat: Stat) {
        self.write(&format!("{pid}/stat"), line(pid, comm.as_ref(), stat));
        self.write(&format!("{pid}/fd/0"), "");
    }

    fn remove(&self, path: &str) {
        let path = self.path(path);
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }

    fn processes(&self, watched: &[&str]) -> Processes {
        let roots = Roots {
            proc: self.dir.path().join("proc"),
            sys: self.dir.path().join("sys"),
        };
        let watched = watched.iter().map(|name| (*name).to_owned()).collect();
        Processes::with_units(&roots, watched, UNITS)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Stat {
    pub(super) cpu: u64,
    pub(super) start: u64,
    pub(super) rss: i64,
    pub(super) flags: u64,
}

impl Default for Stat {
    fn default() -> Self {
        Self {
            cpu: 0,
            start: 100,
            rss: 10,
            flags: 0,
        }
    }
}

pub(super) fn line(pid: i32, comm: &[u8], stat: Stat) -> Vec<u8> {
    let Stat {
        cpu,
        start,
        rss,
        flags,
    } = stat;
    let mut line = format!("{pid} (").into_bytes();
    line.extend_from_slice(comm);
    line.extend_from_slice(
        format!(") S 1 1 1 0 -1 {flags} 1 1 1 1 {cpu} 0 7 7 20 0 3 0 {start} 8192 {rss} 0\n")
            .as_bytes(),
    );
    line
}

async fn tick(processes: &mut Processes, secs: u64) -> (Vec<Row>, RunReport) {
    let mut rows = Vec::new();
    let report = run_one(processes, &moment(secs), &mut rows).await;
    rows.truncate(report.rows);
    (rows, report)
}

fn of(rows: &[Row], pid: i64) -> &Row {
    rows.iter()
        .find(|row| *cell(row, "pid") == Cell::Int(pid))
        .unwrap()
}

/// S2
#[tokio::test]
async fn a_process_that_ends_is_left_out() {
    let procfs = Procfs::new();
    procfs.process(5, "ends", Stat::default());
    procfs.process(6, "stays", Stat::default());
    let mut processes = procfs.processes(&[]);
    assert_eq!(tick(&mut processes, 0).await.0.len(), 3);
    // after it was listed: no stat; a stat and no descriptors; half a line
    for (path, text) in [("5/stat", None), ("5/fd", None), ("5/stat", Some("5 (en"))] {
        procfs.process(5, "ends", Stat::default());
        match text {
            Some(text) => procfs.write(path, text),
            None => procfs.remove(path),
        }
        let (rows, report) = tick(&mut processes, 10).await;
        assert_eq!((rows.len(), report.outcome), (2, RunOutcome::Ok), "{path}");
        assert!(report.error.is_none(), "{:?}", report.error);
    }
    procfs.remove("5");
    tick(&mut processes, 20).await;
    assert_eq!(processes.known.len(), 2, "what has ended is forgotten");
}

/// S3
#[tokio::test]
async fn a_pid_given_again_is_another_process() {
    let procfs = Procfs::new();
    procfs.process(
        5,
        "first",
        Stat {
            cpu: 5000,
            ..Stat::default()
        },
    );
    let mut processes = procfs.processes(&[]);
    tick(&mut processes, 0).await;
    procfs.process(
        5,
        "first",
        Stat {
            cpu: 5100,
            ..Stat::default()
        },
    );
    let (rows, _) = tick(&mut processes, 10).await;
    assert_eq!(*cell(of(&rows, 5), "cpu_pct"), Cell::Float(10.0));

    procfs.process(
        5,
        "second",
        Stat {
            cpu: 3,
            start: 900,
            ..Stat::default()
        },
    );
    let (rows, _) = tick(&mut processes, 20).await;
    assert_eq!(*cell(of(&rows, 5), "cpu_pct"), Cell::Null);
    assert_eq!(*cell(of(&rows, 5), "start_ticks"), Cell::Int(900));
    assert_eq!(
        *cell(of(&rows, 5), "process_name"),
        Cell::Text("second".into())
    );
}

#[tokio::test]
async fn what_started_since_the_last_tick_has_used_its_time_since_then() {
    let procfs = Procfs::new();
    let new = |pid, start, cpu| {
        let stat = Stat {
            cpu,
            start,
            ..Stat::default()
        };
        procfs.process(pid, "new", stat);
    };
    // The host is up for 1,000 s, so a start of 99,500 ticks is 5 s ago.
    new(5, 99_500, 400);
    let mut processes = procfs.processes(&[]);
    let (rows, _) = tick(&mut processes, 0).await;
    let share = |rows: &[Row], pid| cell(of(rows, pid), "cpu_pct").clone();
    assert_eq!(share(&rows, 5), Cell::Null, "the first tick");
    procfs.remove("5");
    // Young, of several cores, the same number again, one that was hidden before, one that starts after the uptime was read.
    for (pid, start, cpu) in [
        (6, 99_500, 400),
        (7, 99_010, 2_000),
        (5, 99_900, 50),
        (8, 98_000, 400),
        (9, 100_001, 0),
    ] {
        new(pid, start, cpu);
    }
    let (rows, _) = tick(&mut processes, 10).await;
    for (pid, expected) in [
        (6, Cell::Float(40.0)),
        (7, Cell::Float(200.0)),
        (5, Cell::Float(5.0)),
        (8, Cell::Null),
        (9, Cell::Float(0.0)),
    ] {
        assert_eq!(share(&rows, pid), expected, "{pid}");
    }
    new(6, 99_500, 500);
    let (rows, _) = tick(&mut processes, 20).await;
    assert_eq!(share(&rows, 6), Cell::Float(10.0), "then as any other");
}

/// S4, S8
#[tokio::test]
async fn no_share_without_time_or_with_a_counter_that_went_back() {
    let procfs = Procfs::new();
    let mut processes = procfs.processes(&[]);
    let mut shares = Vec::new();
    for (secs, cpu) in [
        (0, 100),
        (10, 200),
        (10, 300),
        (20, 250),
        (30, 350),
        (25, 400),
    ] {
        procfs.process(
            1,
            "init",
            Stat {
                cpu,
                ..Stat::default()
            },
        );
        let (rows, _) = tick(&mut processes, secs).await;
        shares.push(cell(of(&rows, 1), "cpu_pct").clone());
    }
    let expected = [
        Cell::Null,
        Cell::Float(10.0),
        Cell::Null,
        Cell::Null,
        Cell::Float(10.0),
        Cell::Null,
    ];
    assert_eq!(shares, expected);
}

/// S9
#[tokio::test]
async fn what_may_not_be_read_is_unknown_and_reported() {
    let procfs = Procfs::new();
    // a directory where a file should be: the reading fails, as it does without descriptors
    std::fs::create_dir_all(procfs.path("1/io")).unwrap();
    std::fs::create_dir_all(procfs.path("8/stat")).unwrap();
    let (rows, report) = tick(&mut procfs.processes(&[]), 0).await;
    assert_eq!(*cell(of(&rows, 1), "read_bytes_total"), Cell::Null);
    assert_eq!(report.outcome, RunOutcome::Failed);
    assert!(
        report
            .error
            .unwrap()
            .to_string()
            .starts_with("cannot read ")
    );

    // what was known is kept through such a tick
    let procfs = Procfs::new();
    let mut processes = procfs.processes(&[]);
    tick(&mut processes, 0).await;
    procfs.remove("1/stat");
    std::fs::create_dir_all(procfs.path("1/stat")).unwrap();
    let (rows, report) = tick(&mut processes, 10).await;
    assert_eq!((rows.len(), report.outcome), (0, RunOutcome::Failed));
    procfs.remove("1/stat");
    procfs.process(
        1,
        "init",
        Stat {
            cpu: 200,
            ..Stat::default()
        },
    );
    let (rows, _) = tick(&mut processes, 20).await;
    assert_eq!(*cell(of(&rows, 1), "cpu_pct"), Cell::Float(10.0));

    let procfs = Procfs::new();
    procfs.process(5, "mine", Stat::default());
    procfs.remove("1");
    let (rows, report) = tick(&mut procfs.processes(&[]), 0).await;
    assert_eq!((rows.len(), report.outcome), (1, RunOutcome::Ok));
    assert_eq!(
        report.error.unwrap().to_string(),
        "processes of other users (/proc is mounted with hidepid): permission denied"
    );

    let missed = Missed {
        hidden: 1,
        descriptors: 2,
        io: 3,
        ..Missed::default()
    };
    assert_eq!(
        missed.into_error(9).unwrap().to_string(),
        "everything of 1 of 9 processes, descriptors of 2 of 9 processes, \
         storage I/O of 3 of 9 processes: permission denied"
    );
}

#[tokio::test]
async fn without_procfs_or_uptime_it_fails() {
    let procfs = Procfs::new();
    procfs.write("uptime", "soon\n");
    let (_, report) = tick(&mut procfs.processes(&[]), 0).await;
    assert!(
        report
            .error
            .unwrap()
            .to_string()
            .ends_with("/uptime holds no seconds since boot")
    );
    let roots = Roots {
        proc: Path::new("/nonexistent").to_owned(),
        sys: Path::new("/nonexistent").to_owned(),
    };
    let (_, report) = tick(&mut Processes::new(&roots, Vec::new()), 0).await;
    assert_eq!(report.outcome, RunOutcome::Failed);
}

#[tokio::test]
async fn watched_by_the_full_name_and_even_without_memory() {
    let procfs = Procfs::new();
    let none = Stat {
        rss: 0,
        ..Stat::default()
    };
    procfs.process(5, "pqcrypta-collec", none);
    procfs.write("5/cmdline", "/usr/bin/pqcrypta-collector\0");
    procfs.process(6, "pqcrypta-collec", none);
    procfs.write("6/cmdline", "/usr/bin/pqcrypta-collected\0");
    procfs.process(7, "pqcrypta-collec", none); // a zombie: it has no command line
    let mut processes = procfs.processes(&["pqcrypta-collector"]);
    let (rows, _) = tick(&mut processes, 0).await;
    assert_eq!(rows.len(), 3);
    assert_eq!(*cell(of(&rows, 5), "watched"), Cell::Bool(true));
    assert_eq!(*cell(of(&rows, 7), "watched"), Cell::Bool(true));
    let name = |pid| cell(of(&rows, pid), "process_name").clone();
    assert_eq!(name(7), name(5), "it is missed by the name it had");
    assert_eq!(*cell(of(&rows, 1), "watched"), Cell::Bool(false));

    processes.watch(vec!["init".to_owned()]);
    let (rows, _) = tick(&mut processes, 10).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(*cell(of(&rows, 1), "watched"), Cell::Bool(true));
}

#[tokio::test]
async fn the_largest_comes_first() {
    let procfs = Procfs::new();
    for (pid, rss) in [(5, 7), (6, 900), (7, 7), (8, 0), (9, -3)] {
        procfs.process(
            pid,
            "x",
            Stat {
                rss,
                ..Stat::default()
            },
        );
    }
    let (rows, _) = tick(&mut procfs.processes(&[]), 0).await;
    let pids: Vec<_> = rows.iter().map(|row| cell(row, "pid").clone()).collect();
    assert_eq!(pids, [6, 1, 5, 7].map(Cell::Int));
}

#[tokio::test]
async fn what_seldom_changes_is_read_seldom() {
    let procfs = Procfs::new();
    let limit = |soft| format!("Max open files {soft} 9 files\n");
    let io = |read| format!("read_bytes: {read}\nwrite_bytes: 0\n");
    procfs.write("1/limits", limit(1));
    procfs.write("1/io", io(1));
    let mut processes = procfs.processes(&[]);
    tick(&mut processes, 0).await;
    procfs.write("1/limits", limit(2));
    procfs.write("1/io", io(2));
    let read = |rows: &[Row]| {
        ["fd_limit", "read_bytes_total"].map(|column| cell(of(rows, 1), column).clone())
    };
    // process 1 is due two seconds after the start, 68 seconds later, and then every five minutes
    let (rows, _) = tick(&mut processes, 1).await;
    assert_eq!(read(&rows), [1, 1].map(Cell::Int));
    let (rows, _) = tick(&mut processes, 3).await;
    assert_eq!(read(&rows), [2, 2].map(Cell::Int));

    procfs.write("1/limits", limit(3));
    procfs.write("1/io", io(3));
    let (rows, _) = tick(&mut processes, 10).await;
    assert_eq!(read(&rows), [2, 2].map(Cell::Int), "no CPU used, not due");
    procfs.process(
        1,
        "init",
        Stat {
            cpu: 1,
            ..Stat::default()
        },
    );
    let (rows, _) = tick(&mut processes, 20).await;
    assert_eq!(read(&rows), [2, 3].map(Cell::Int), "CPU used");
    for (secs, expected) in [(70, 2), (71, 3), (370, 3), (371, 4)] {
        let (rows, _) = tick(&mut processes, secs).await;
        assert_eq!(
            *cell(of(&rows, 1), "fd_limit"),
            Cell::Int(expected),
            "{secs}"
        );
        procfs.write("1/limits", limit(expected + 1));
    }
}

#[tokio::test]
async fn kernel_threads_are_seldom_read() {
    const KERNEL: Stat = Stat {
        cpu: 0,
        start: 100,
        rss: 0,
        flags: 0x0020_0000,
    };
    let procfs = Procfs::new();
    procfs.process(61, "kthread", KERNEL);
    let mut processes = procfs.processes(&[]);
    assert_eq!(tick(&mut processes, 0).await.0.len(), 1);
    // not noticed at once, as the directory is the same, and after a minute it is
    procfs.process(61, "program", Stat::default());
    assert_eq!(tick(&mut processes, 1).await.0.len(), 1);
    assert_eq!(tick(&mut processes, 61).await.0.len(), 2);

    // another directory is another process: noticed at once
    procfs.process(62, "kthread", KERNEL);
    assert_eq!(tick(&mut processes, 70).await.0.len(), 2);
    std::fs::create_dir_all(procfs.path("new")).unwrap();
    procfs.write("new/stat", line(62, b"program", Stat::default()));
    procfs.write("new/fd/0", "");
    std::fs::rename(procfs.path("62"), procfs.path("old")).unwrap();
    std::fs::rename(procfs.path("new"), procfs.path("62")).unwrap();
    assert_eq!(tick(&mut processes, 71).await.0.len(), 3);
}

/// A child that has ended and is not asked how has no memory any more.
#[tokio::test]
async fn a_zombie_has_a_row() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let mut processes = Processes::new(&Roots::default(), Vec::new());
    let mut state = String::new();
    for second in 0..1000 {
        let (rows, _) = tick(&mut processes, second).await;
        let pid = Cell::Int(i64::from(child.id()));
        // Between memory and zombie it has no row.
        let row = rows.iter().find(|row| *cell(row, "pid") == pid);
        if let Some(Cell::Text(now)) = row.map(|row| cell(row, "state")) {
            state = now.to_string();
        }
        if state == "Z" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    child.wait().unwrap();
    assert_eq!(state, "Z");
}

#[tokio::test]
async fn reads_the_real_machine() {
    let mut processes = Processes::new(&Roots::default(), Vec::new());
    let (rows, report) = tick(&mut processes, 0).await;
    assert_ne!(report.outcome, RunOutcome::Timeout);
    let me = of(&rows, i64::from(std::process::id()));
    let Cell::Int(rss) = cell(me, "rss_bytes") else {
        panic!("no memory");
    };
    assert!(*rss > 1_000_000, "{rss}");
    let Cell::Int(fds) = cell(me, "fd_count") else {
        panic!("no descriptors");
    };
    assert!(*fds >= 3, "{fds}");
}
