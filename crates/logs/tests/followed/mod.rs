//! A log in real files, and a reader that follows it.
#![allow(dead_code, reason = "shared by test files, each of which uses a part")]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use logs::source::{Chunk, FileOptions, FilePosition, Files, Gap, GapReason};
use schema::Timestamp;

/// A log in its own directory, and a reader of it.
pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) files: Files,
    pub(crate) saved: Vec<(Arc<str>, FilePosition)>,
    pub(crate) polls: i64,
    pub(crate) options: FileOptions,
    pub(crate) pattern: String,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) closed: u32,
}

/// More than any log here has.
pub(crate) const WHOLE: usize = 64 << 20;

impl Bench {
    pub(crate) fn new() -> Self {
        Self::of("app.log")
    }

    pub(crate) fn of(pattern: &str) -> Self {
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

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        append(&self.path(name), text);
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// As after a crash: a new reader at the stored positions.
    pub(crate) fn restart(&mut self) {
        self.files = Files::new(
            "app",
            &self.dir.path().join(&self.pattern),
            self.saved.clone(),
            self.options,
        );
    }

    pub(crate) fn chunks(&mut self, budget: usize) -> Vec<Chunk> {
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
    pub(crate) fn poll(&mut self) -> String {
        text(&self.chunks(WHOLE))
    }

    /// Returns what so many polls give.
    pub(crate) fn polls(&mut self, count: u32) -> String {
        (0..count).map(|_| self.poll()).collect()
    }

    pub(crate) fn reasons(&self) -> Vec<GapReason> {
        self.gaps.iter().map(|gap| gap.reason).collect()
    }
}

pub(crate) fn append(path: &Path, text: impl AsRef<[u8]>) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_ref()).unwrap();
}

pub(crate) fn text(chunks: &[Chunk]) -> String {
    let bytes: Vec<u8> = chunks
        .iter()
        .flat_map(|chunk| chunk.bytes.clone())
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// As `gzip` does: the time of the last change is kept.
pub(crate) fn compress(from: &Path, to: &Path) {
    let status = std::process::Command::new("gzip")
        .arg("-n")
        .arg(from)
        .status()
        .unwrap();
    assert!(status.success());
    assert!(to.exists());
}
