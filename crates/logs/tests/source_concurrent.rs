//! A reader that starts again and again while another thread rotates: what is renamed under its
//! search is neither lost nor read twice.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use logs::source::{FileOptions, FilePosition, Files, Gap};
use schema::Timestamp;

const ROTATIONS: u32 = 400;
/// Rotated files that are renamed each time: the more, the longer the search and the renaming take.
const FILES: u32 = 12;

/// How far the writer may be ahead: nothing is removed before it was read.
const AHEAD: u32 = 6;

fn name(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("app.log.{number}"))
}

/// Writes numbered lines and renames everything after each.
fn rotate(dir: &Path, read: &AtomicU32) {
    let log = dir.join("app.log");
    let open = || File::options().create(true).append(true).open(&log);
    let mut file = open().unwrap();
    for number in 1..=ROTATIONS {
        while number > read.load(Ordering::Acquire) + AHEAD {
            thread::yield_now();
        }
        writeln!(file, "{number} {}", "x".repeat(80)).unwrap();
        for older in (1..number.min(FILES)).rev() {
            fs::rename(name(dir, older), name(dir, older + 1)).unwrap();
        }
        fs::rename(&log, name(dir, 1)).unwrap();
        file = open().unwrap();
    }
    writeln!(file, "{} the last", ROTATIONS + 1).unwrap();
}

/// A reader of one log, begun anew as often as wanted.
#[derive(Default)]
struct Reading {
    saved: Vec<(Arc<str>, FilePosition)>,
    lines: Vec<u32>,
    gaps: Vec<Gap>,
}

impl Reading {
    fn start(&mut self, log: &Path, polls: i64) {
        let mut files = Files::new("app", log, self.saved.clone(), FileOptions::default());
        for poll in 0..polls {
            let mut out = Vec::new();
            // The clock hardly moves: what is missing for a moment is just being renamed.
            let now = Timestamp(1_790_000_000_000_000 + poll);
            files.poll(now, 1 << 20, &mut out);
            for chunk in out {
                self.gaps.extend(chunk.gaps.iter().cloned());
                self.lines
                    .extend(chunk.lines().map(|line| number(line.bytes)));
                self.saved = vec![(Arc::clone(&chunk.stream), chunk.position_at(chunk.end))];
            }
        }
    }
}

fn number(line: &[u8]) -> u32 {
    let text = String::from_utf8_lossy(line);
    text.split(' ').next().unwrap().parse().unwrap()
}

/// Reads, with a start after so many looks, while everything is rotated.
fn read_meanwhile(looks: i64) -> Reading {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("app.log");
    fs::write(&log, "0 the first\n").unwrap();
    let mut reading = Reading::default();
    reading.start(&log, 1);
    let read = AtomicU32::new(0);
    thread::scope(|scope| {
        let writer = scope.spawn(|| rotate(dir.path(), &read));
        while !writer.is_finished() {
            reading.start(&log, looks);
            let newest = reading.lines.iter().max().copied();
            read.store(newest.unwrap_or(0), Ordering::Release);
        }
    });
    reading.start(&log, 8);
    reading
}

#[test]
fn a_start_while_files_are_renamed_loses_and_doubles_nothing() {
    for looks in [1, 5] {
        let reading = read_meanwhile(looks);
        assert_eq!(reading.gaps, []);
        assert_eq!(reading.lines, (0..=ROTATIONS + 1).collect::<Vec<_>>());
    }
}

/// A look between copying and emptying, of a reader that has not read what is copied yet.
#[test]
fn a_copy_that_is_being_made_is_not_read_beside_its_file() {
    for copied in ["", "2 tw", "2 two\n"] {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("app.log");
        let mut files = Files::new("app", &log, Vec::new(), FileOptions::default());
        let mut polls = 0;
        let mut lines = Vec::new();
        let mut poll = |lines: &mut Vec<u32>| {
            let mut out = Vec::new();
            polls += 1;
            files.poll(
                Timestamp(1_790_000_000_000_000 + polls * 1_000_000),
                1 << 20,
                &mut out,
            );
            for chunk in &out {
                lines.extend(chunk.lines().map(|line| number(line.bytes)));
            }
        };
        fs::write(&log, "1 one\n").unwrap();
        poll(&mut lines);
        fs::copy(&log, name(dir.path(), 1)).unwrap();
        let empty = || File::options().write(true).open(&log).unwrap().set_len(0);
        empty().unwrap();
        (0..4).for_each(|_| poll(&mut lines));
        fs::write(&log, "2 two\n").unwrap();
        fs::rename(name(dir.path(), 1), name(dir.path(), 2)).unwrap();
        fs::write(name(dir.path(), 1), copied).unwrap();
        poll(&mut lines);
        fs::write(name(dir.path(), 1), "2 two\n").unwrap();
        empty().unwrap();
        fs::write(&log, "3 three\n").unwrap();
        (0..4).for_each(|_| poll(&mut lines));
        assert_eq!(lines, [1, 2, 3], "{copied:?} was copied");
    }
}
