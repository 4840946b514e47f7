//! A mark in the queue's directory that shows whether the run before this one was stopped or crashed.
//!
//! The file `run` contains `running` while a collector runs, and `stopped` after it ended in order. It is written twice a
//! run, and synced. When the run before wrote last follows from the files of the queue, which takes samples each tick.
//! Without the file nothing is known: there was no run, or one of a version that left none.

use anyhow::Context;
use schema::Timestamp;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

const NAME: &str = "run";
const RUNNING: &str = "running\n";
const STOPPED: &str = "stopped\n";
/// Directories of the queue's files lie in its own.
const DEPTH: u32 = 2;

/// The mark of this run.
#[derive(Debug)]
pub(crate) struct RunMark(PathBuf);

impl RunMark {
    /// Begins a run: the queue of `dir` is ours. Returns the mark, and when the run before wrote last if it was not
    /// stopped; `last` is [`last_write`] before the queue was opened.
    pub(crate) fn begin(dir: &Path, last: Option<Timestamp>) -> (Self, Option<Timestamp>) {
        let mark = Self(dir.to_owned());
        let before = fs::read_to_string(dir.join(NAME)).ok();
        mark.put(RUNNING);
        let has_crashed = before.is_some_and(|text| text != STOPPED);
        (mark, last.filter(|_| has_crashed))
    }

    /// Ends the run in order.
    pub(crate) fn end(self) {
        self.put(STOPPED);
    }

    fn put(&self, text: &str) {
        if let Err(error) = self.write(text) {
            tracing::warn!(
                error = format!("{error:#}"),
                "the next start will not know how this run ended"
            );
        }
    }

    /// Replaces the file as a whole, so that it is never half written.
    fn write(&self, text: &str) -> anyhow::Result<()> {
        let (path, new) = (self.0.join(NAME), self.0.join("run.tmp"));
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_data()?;
            fs::rename(&new, &path)?;
            File::open(&self.0)?.sync_all()
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Returns when a file of the queue in `dir` was written last.
pub(crate) fn last_write(dir: &Path) -> Option<Timestamp> {
    let mut newest = None;
    look(dir, DEPTH, &mut newest);
    newest
}

fn look(dir: &Path, depth: u32, newest: &mut Option<Timestamp>) {
    // What cannot be read is not the newest.
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in entries {
        let Ok(status) = entry.metadata() else {
            continue;
        };
        if status.is_dir() {
            if depth > 1 {
                look(&entry.path(), depth - 1, newest);
            }
            continue;
        }
        let written = status.modified().ok();
        let written = written.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let millis = written.and_then(|since| i64::try_from(since.as_millis()).ok());
        *newest = (*newest).max(millis.map(Timestamp::from_millis));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_not_stopped_crashed_when_it_wrote_last() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        fs::create_dir(dir.join("core")).unwrap();
        let segment = File::create(dir.join("core/1.seg")).unwrap();
        let at = |secs: u64| UNIX_EPOCH + std::time::Duration::from_secs(secs);
        segment.set_modified(at(1_900_000_000)).unwrap();
        let last = Some(Timestamp::from_millis(1_900_000_000_000));
        assert_eq!(last_write(dir), last);

        let (first, crashed) = RunMark::begin(dir, last_write(dir));
        assert_eq!(crashed, None, "the first run");
        drop(first);
        let (second, crashed) = RunMark::begin(dir, last_write(dir));
        assert_eq!(crashed, last, "it did not end");
        second.end();
        let (_, crashed) = RunMark::begin(dir, last_write(dir));
        assert_eq!(crashed, None, "it was stopped");

        assert_eq!(last_write(&dir.join("none")), None);
    }
}
