//! Files that stay open, of processes that live and die. A procfs of links leads to real processes, so that
//! a test decides which process a number means.

use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};

use schema::{Cell, Row};

use super::*;
use crate::fixture_tests::{cell, moment};
use crate::run_one;

/// A procfs in which numbers are links to real processes.
struct Linked(tempfile::TempDir);

impl Linked {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let linked = Self(dir);
        for name in ["uptime", "self", "1"] {
            linked.link(name, name);
        }
        linked
    }

    fn link(&self, name: &str, to: &str) {
        symlink(format!("/proc/{to}"), self.0.path().join(name)).unwrap();
    }

    fn unlink(&self, name: &str) {
        std::fs::remove_file(self.0.path().join(name)).unwrap();
    }

    fn processes(&self, descriptors: usize) -> Processes {
        let proc = self.0.path().to_owned();
        let sys = proc.clone();
        let mut processes = Processes::new(&Roots { proc, sys }, Vec::new());
        processes.keep_open(descriptors);
        processes
    }
}

/// A process that waits for input until it is ended.
struct Waiting(Child);

impl Waiting {
    /// Starts it and waits until its files are open and all of its memory is there.
    fn start() -> Self {
        let mut command = Command::new("cat");
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(b"x\n").unwrap();
        let mut echo = [0; 2];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut echo)
            .unwrap();
        Self(child)
    }

    fn end(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

async fn tick(processes: &mut Processes, secs: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    let report = run_one(processes, &moment(secs), &mut rows).await;
    rows.truncate(report.rows);
    rows
}

fn row(rows: &[Row], pid: i64) -> Option<&Row> {
    rows.iter().find(|row| *cell(row, "pid") == Cell::Int(pid))
}

fn kept(processes: &Processes) -> usize {
    let known = processes.known.values();
    known.filter(|known| known.files.is_some()).count()
}

#[tokio::test]
async fn files_of_a_process_stay_open_until_it_ends() {
    let (linked, mut waiting) = (Linked::new(), Waiting::start());
    linked.link("5", &waiting.0.id().to_string());
    let mut processes = linked.processes(100);
    let first = tick(&mut processes, 0).await;
    assert_eq!(kept(&processes), 0, "it may be one that is not seen again");
    let second = tick(&mut processes, 10).await;
    if !processes.descriptors.is_by_size() {
        return; // a kernel before 6.2
    }
    assert!(processes.known[&5].files.is_some());
    let third = tick(&mut processes, 20).await;
    for column in [
        "start_ticks",
        "fd_count",
        "thread_count",
        "vsz_bytes",
        "process_name",
    ] {
        let of = |rows: &[Row]| cell(row(rows, 5).unwrap(), column).clone();
        assert_eq!(of(&first), of(&second), "{column}");
        assert_eq!(of(&first), of(&third), "{column}");
    }
    waiting.end();
    assert!(row(&tick(&mut processes, 30).await, 5).is_none());
    assert!(!processes.known.contains_key(&5));
}

#[tokio::test]
async fn a_number_given_again_is_never_taken_for_the_process_before() {
    let (linked, mut waiting) = (Linked::new(), Waiting::start());
    linked.link("5", &waiting.0.id().to_string());
    let mut processes = linked.processes(100);
    for secs in [0, 10] {
        tick(&mut processes, secs).await;
    }
    let before = cell(
        row(&tick(&mut processes, 20).await, 5).unwrap(),
        "start_ticks",
    )
    .clone();
    waiting.end();
    linked.unlink("5");
    linked.link("5", "1");
    let rows = tick(&mut processes, 30).await;
    let new = row(&rows, 5).unwrap();
    let first = row(&rows, 1).unwrap();
    assert_ne!(*cell(new, "start_ticks"), before);
    assert_eq!(cell(new, "start_ticks"), cell(first, "start_ticks"));
    assert_eq!(cell(new, "process_name"), cell(first, "process_name"));
    assert_eq!(
        *cell(new, "cpu_pct"),
        Cell::Null,
        "it is seen for the first time"
    );
}

#[tokio::test]
async fn no_more_files_are_kept_than_allowed() {
    let (linked, waitings) = (Linked::new(), [(); 3].map(|()| Waiting::start()));
    for (number, waiting) in (5..).zip(&waitings) {
        linked.link(&i32::to_string(&number), &waiting.0.id().to_string());
    }
    for (allowed, expected) in [(0, 0), (1, 0), (2, 1), (5, 2)] {
        let mut processes = linked.processes(allowed);
        for secs in [0, 10, 20] {
            assert_eq!(tick(&mut processes, secs).await.len(), 4, "all are read");
        }
        if processes.descriptors.is_by_size() {
            assert_eq!(kept(&processes), expected, "{allowed} allowed");
        }
    }
}
