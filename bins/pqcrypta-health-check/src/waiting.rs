//! Results that wait for the database: a file of one JSON object a line, at most 1 MiB.
//!
//! It is replaced as a whole, so a crash leaves the old or the new one. Beyond the limit the oldest results go; at a run
//! each five minutes of ten checks that is a day.

use anyhow::Context as _;
use health::Outcome;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Bytes of the file.
const MOST_BYTES: usize = 1024 * 1024;

/// The file of a folder, whose lock the caller holds.
pub(crate) struct Waiting {
    path: PathBuf,
}

impl Waiting {
    pub(crate) fn of(folder: &Path) -> Self {
        Self {
            path: folder.join("waiting"),
        }
    }

    /// Adds results; they are on the disk when this returns. Returns how many are left out to keep the limit.
    pub(crate) fn add(&self, outcomes: &[Outcome]) -> anyhow::Result<usize> {
        let mut lines = self.lines()?;
        lines.extend(outcomes.iter().map(|outcome| object(outcome).to_string()));
        let mut bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
        let mut dropped = 0;
        while bytes > MOST_BYTES {
            bytes -= lines[dropped].len() + 1;
            dropped += 1;
        }
        let text = lines[dropped..]
            .iter()
            .flat_map(|line| [line.as_str(), "\n"])
            .collect::<String>();
        self.replace(&text)
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(dropped)
    }

    /// Returns what waits as a JSON array; a damaged line is left out.
    pub(crate) fn array(&self) -> anyhow::Result<String> {
        let lines = self.lines()?;
        let whole = lines
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Ok(Value::Array(whole.filter(Value::is_object).collect()).to_string())
    }

    /// Removes what was delivered.
    pub(crate) fn clear(&self) -> anyhow::Result<()> {
        fs::remove_file(&self.path)
            .with_context(|| format!("cannot remove {}", self.path.display()))
    }

    fn lines(&self) -> anyhow::Result<Vec<String>> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes)
                .lines()
                .map(str::to_owned)
                .collect()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => {
                Err(error).with_context(|| format!("cannot read {}", self.path.display()))
            }
        }
    }

    fn replace(&self, text: &str) -> std::io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)
    }
}

/// Returns a result with the names of the table's columns; times in microseconds.
fn object(outcome: &Outcome) -> Value {
    let sample = outcome.sample();
    json!({
        "ts": outcome.at.0,
        "check_name": sample.check_name,
        "kind": sample.kind,
        "target": sample.target,
        "state": sample.state,
        "answer_ms": sample.answer_ms,
        "attempts": sample.attempts,
        "status": sample.status,
        "expires_at": sample.expires_at.map(|at| at.0),
        "expires_days": sample.expires_days,
        "error": sample.error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use health::State;
    use schema::Timestamp;

    fn outcome(at: i64) -> Outcome {
        Outcome {
            name: "shop".to_owned(),
            kind: config::CheckKind::Http,
            target: "https://shop.example/".to_owned(),
            state: State::Down,
            answer_ms: Some(1.5),
            attempts: 2,
            status: None,
            expires_at: None,
            at: Timestamp(at),
            error: Some("\"quoted\" ü".repeat(20)),
        }
    }

    #[test]
    fn the_newest_results_stay_within_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let waiting = Waiting::of(folder.path());
        assert_eq!(waiting.array().unwrap(), "[]");
        let mut dropped = 0;
        for run in 0..30_i64 {
            let outcomes: Vec<Outcome> = (0..100).map(|one| outcome(run * 100 + one)).collect();
            dropped += waiting.add(&outcomes).unwrap();
        }
        let size = fs::metadata(folder.path().join("waiting")).unwrap().len();
        assert!(size <= MOST_BYTES as u64 && dropped > 0, "{size} {dropped}");
        let kept: Vec<Value> = serde_json::from_str(&waiting.array().unwrap()).unwrap();
        assert_eq!(kept.len() + dropped, 3_000);
        assert_eq!(kept.last().unwrap()["ts"], 2_999);
        waiting.clear().unwrap();
        assert_eq!(waiting.array().unwrap(), "[]");
    }

    #[test]
    fn a_damaged_line_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let waiting = Waiting::of(folder.path());
        waiting.add(&[outcome(1)]).unwrap();
        let path = folder.path().join("waiting");
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(b"{\"ts\": 2, \xff\n7\n");
        fs::write(&path, bytes).unwrap();
        waiting.add(&[outcome(3)]).unwrap();
        let kept: Vec<Value> = serde_json::from_str(&waiting.array().unwrap()).unwrap();
        let times: Vec<_> = kept.iter().map(|one| one["ts"].as_i64().unwrap()).collect();
        assert_eq!(times, [1, 3]);
    }
}
