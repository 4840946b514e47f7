//! Logs in real files: followed, rotated in every way, and found again after a start.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use logs::source::{Chunk, FileOptions, FilePosition, Files, Gap, GapReason, Status};
use schema::Timestamp;

/// A log in a directory of its own, and a reader of it.
struct Bench {
    dir: tempfile::TempDir,
    files: Files,
    saved: Vec<(Arc<str>, FilePosition)>,
    polls: i64,
    options: FileOptions,
    pattern: String,
    gaps: Vec<Gap>,
    closed: u32,
}

const WHOLE: usize = 64 << 20;

impl Bench {
    fn new() -> Self {
        Self::of("app.log")
    }

    fn of(pattern: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = FileOptions::default();
        let files = Files::new("app", &dir.path().join(pattern), Vec::new(), options);
        Self {
            dir,
            files,
            saved: Vec::new(),
            polls: 0,
            options,
            pattern: pattern.to_owned(),
            gaps: Vec::new(),
            closed: 0,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        append(&self.path(name), text);
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// As after a crash: a new reader at the stored positions.
    fn restart(&mut self) {
        self.files = Files::new(
            "app",
            &self.dir.path().join(&self.pattern),
            self.saved.clone(),
            self.options,
        );
    }

    fn chunks(&mut self, budget: usize) -> Vec<Chunk> {
        let mut out = Vec::new();
        self.polls += 1;
        let now = Timestamp(1_790_000_000_000_000 + self.polls * 1_000_000);
        self.files.poll(now, budget, &mut out);
        for chunk in &out {
            self.gaps.extend(chunk.gaps.iter().cloned());
            self.closed += u32::from(chunk.closed);
            // as it comes back from the database
            let position = serde_json::to_string(&chunk.position_at(chunk.end)).unwrap();
            let position = serde_json::from_str(&position).unwrap();
            self.saved.retain(|(stream, _)| *stream != chunk.stream);
            self.saved.push((Arc::clone(&chunk.stream), position));
        }
        out
    }

    /// Everything that one poll gives, as text.
    fn poll(&mut self) -> String {
        text(&self.chunks(WHOLE))
    }

    /// What so many polls give.
    fn polls(&mut self, count: u32) -> String {
        (0..count).map(|_| self.poll()).collect()
    }

    fn reasons(&self) -> Vec<GapReason> {
        self.gaps.iter().map(|gap| gap.reason).collect()
    }
}

fn append(path: &Path, text: impl AsRef<[u8]>) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_ref()).unwrap();
}

fn text(chunks: &[Chunk]) -> String {
    let bytes: Vec<u8> = chunks
        .iter()
        .flat_map(|chunk| chunk.bytes.clone())
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn whole_lines_are_given_once() {
    let mut bench = Bench::new();
    assert_eq!(bench.poll(), "");
    assert_eq!(bench.files.state().status, Status::Missing);
    bench.append("app.log", "one\ntwo\nthr");
    assert_eq!(bench.poll(), "one\ntwo\n");
    assert_eq!(bench.files.state().status, Status::Ok);
    assert_eq!(bench.files.state().backlog_bytes, 3);
    assert_eq!(bench.poll(), "");
    bench.append("app.log", "ee\nfour\n");
    assert_eq!(bench.poll(), "three\nfour\n");
    bench.restart();
    assert_eq!(bench.poll(), "");
    bench.append("app.log", "five\n");
    assert_eq!(bench.poll(), "five\n");
    assert_eq!(bench.gaps, []);
}

#[test]
fn the_tail_of_a_renamed_file_is_read_before_the_next() {
    let mut bench = Bench::new();
    bench.append("app.log", "1\n");
    assert_eq!(bench.poll(), "1\n");
    bench.append("app.log", "2\n");
    bench.rename("app.log", "app.log.1");
    bench.append("app.log.1", "3\n4");
    bench.append("app.log", "5\n");
    assert_eq!(bench.poll(), "2\n3\n");
    // the program that writes has not opened the new file yet
    bench.append("app.log.1", "\n");
    assert_eq!(bench.polls(4), "4\n5\n");
    assert_eq!(bench.gaps, []);
    assert_eq!(bench.closed, 1);
}

#[test]
fn a_file_that_was_emptied_is_begun_anew() {
    for regrown in ["new\n", "a longer line than all that was there before\n"] {
        let mut bench = Bench::new();
        bench.append("app.log", "one\ntwo\n");
        assert_eq!(bench.poll(), "one\ntwo\n");
        File::create(bench.path("app.log")).unwrap();
        bench.append("app.log", regrown);
        assert_eq!(bench.poll(), regrown);
        assert_eq!(bench.reasons(), [GapReason::Truncated]);
        assert_eq!(bench.closed, 1);
    }
}

#[test]
fn a_position_is_found_again_after_rotations() {
    for gzip in [false, true] {
        let mut bench = Bench::new();
        bench.append("app.log", "1\n");
        assert_eq!(bench.poll(), "1\n");
        bench.append("app.log", "2\n");
        bench.rename("app.log", "app.log.1");
        bench.append("app.log", "3\n");
        bench.rename("app.log.1", "app.log.2");
        bench.rename("app.log", "app.log.1");
        bench.append("app.log", "4\n");
        if gzip {
            compress(&bench.path("app.log.2"), &bench.path("app.log.2.gz"));
        }
        bench.restart();
        assert_eq!(bench.polls(6), "2\n3\n4\n", "gzip: {gzip}");
        assert_eq!(bench.gaps, []);
    }
}

/// As `gzip` does: the time of the last change is kept.
fn compress(from: &Path, to: &Path) {
    let status = std::process::Command::new("gzip")
        .arg("-n")
        .arg(from)
        .status()
        .unwrap();
    assert!(status.success());
    assert!(to.exists());
}
