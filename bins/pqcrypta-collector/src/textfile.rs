//! What the collector tells of itself in a file, for the textfile collector of node_exporter: the collector itself listens nowhere.
//!
//! The file is written anew after each tick and renamed, so that a reader sees a whole one. A directory that does not answer delays no
//! tick: writing is left to another thread, and as long as that is busy, nothing further is written. Whether the
//! collector is alive tells the time of the last sample, as the file stays when it dies.
//!
//! Nothing of the process itself is in it (`process_…`): on node_exporter's page these names are its own.

use exposition::Page;
use schema::Timestamp;
use schema::tables::SelfSample;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::status::Status;
use tokio::sync::oneshot::{self, error::TryRecvError};

/// Severities of findings, each of which has a sample.
const SEVERITIES: [&str; 3] = ["info", "warn", "critical"];

/// What is told of the tick's own row.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    late_secs: f64,
    queue_bytes: i64,
    queue_limit_bytes: i64,
    is_database_up: bool,
}

impl Said {
    /// Takes it from the row.
    pub(crate) fn of(own: &SelfSample) -> Self {
        Self {
            late_secs: own.tick_late_ms / 1000.0,
            queue_bytes: own.disk_queue_bytes,
            queue_limit_bytes: own.disk_queue_max_bytes,
            is_database_up: own.db_healthy,
        }
    }
}

/// The file, if one is wanted.
#[derive(Debug, Default)]
pub(crate) struct Textfile {
    path: Option<PathBuf>,
    host: String,
    /// Tells how writing ended.
    writing: Option<oneshot::Receiver<io::Result<()>>>,
    has_failed: bool,
}

impl Textfile {
    /// Sets the value of the label `host`.
    pub(crate) fn set_host(&mut self, host: &str) {
        host.clone_into(&mut self.host);
    }

    /// Sets where it is. One that is no longer wanted is removed: it would tell of the past.
    pub(crate) fn set_path(&mut self, path: Option<&Path>) {
        if self.path.as_deref() == path {
            return;
        }
        if let Some(old) = self.path.take() {
            tokio::task::spawn_blocking(move || {
                if let Err(error) = fs::remove_file(&old) {
                    tracing::debug!(%error, path = %old.display(), "the textfile is not removed");
                }
            });
        }
        self.path = path.map(Path::to_path_buf);
        self.has_failed = false;
    }

    /// Returns whether there is to be one.
    pub(crate) const fn is_wanted(&self) -> bool {
        self.path.is_some()
    }

    /// Writes the file, unless writing the last one takes longer than a tick.
    pub(crate) fn write(
        &mut self,
        ts: Timestamp,
        took: Duration,
        said: &Said,
        status: &Status,
        findings: Option<&BTreeMap<&'static str, u64>>,
        failures: &BTreeMap<String, u64>,
    ) {
        let Some(path) = self.path.clone() else {
            return;
        };
        if let Some(mut writing) = self.writing.take() {
            match writing.try_recv() {
                Ok(written) => self.note(&path, written),
                Err(TryRecvError::Empty) => {
                    self.note(&path, Err(io::ErrorKind::TimedOut.into()));
                    self.writing = Some(writing);
                    return;
                }
                Err(TryRecvError::Closed) => {}
            }
        }
        let text = page(&self.host, ts, took, said, status, findings, failures);
        let (ended, writing) = oneshot::channel();
        self.writing = Some(writing);
        tokio::task::spawn_blocking(move || {
            // Whoever asked may be gone.
            let _unheard = ended.send(replace(&path, &text));
        });
    }

    /// Reports when writing begins to fail, and when it works again.
    fn note(&mut self, path: &Path, written: io::Result<()>) {
        let is_well = written.is_ok();
        match written {
            Err(error) if !self.has_failed => {
                tracing::warn!(%error, path = %path.display(), "the textfile is not written");
            }
            Ok(()) if self.has_failed => {
                tracing::info!(path = %path.display(), "the textfile is written again");
            }
            _ => {}
        }
        self.has_failed = !is_well;
    }
}

/// Replaces a file at once, readable by all: nothing in it is secret, and node_exporter is another user.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    // What a killed run left, or a link that somebody laid out, is not written through.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(&draft)?;
    file.set_permissions(fs::Permissions::from_mode(0o644))?;
    file.write_all(text.as_bytes())?;
    fs::rename(&draft, path)
}

/// Returns the page. What is not known is left out.
#[expect(clippy::cast_precision_loss, reason = "counters are far below 2^53")]
fn page(
    host: &str,
    ts: Timestamp,
    took: Duration,
    said: &Said,
    status: &Status,
    findings: Option<&BTreeMap<&'static str, u64>>,
    failures: &BTreeMap<String, u64>,
) -> String {
    let mut page = Page::default();
    page.build("collector", env!("CARGO_PKG_VERSION"));
    let flag = |is: bool| f64::from(u8::from(is));
    let (gauge, counter) = ("gauge", "counter");
    for (name, kind, help, value) in [
        ("up", gauge, "1: it sampled when this was written.", 1.0),
        (
            "last_sample_timestamp_seconds",
            gauge,
            "When it last sampled the host.",
            ts.as_micros() as f64 / 1e6,
        ),
        (
            "tick_duration_seconds",
            gauge,
            "How long the last tick took.",
            took.as_secs_f64(),
        ),
        (
            "tick_lateness_seconds",
            gauge,
            "How late the last tick began.",
            said.late_secs,
        ),
        (
            "queue_bytes",
            gauge,
            "What the queue takes on disk.",
            said.queue_bytes as f64,
        ),
        (
            "queue_limit_bytes",
            gauge,
            "What the queue may take on disk.",
            said.queue_limit_bytes as f64,
        ),
        (
            "database_up",
            gauge,
            "1: the database takes rows.",
            flag(said.is_database_up),
        ),
        (
            "rows_written_total",
            counter,
            "Rows that the database has.",
            status.rows_written as f64,
        ),
        (
            "dead_letters_total",
            counter,
            "Rows that the database refused, kept in collector.dead_letter.",
            status.dead_letters as f64,
        ),
    ] {
        let name = format!("pqcrypta_collector_{name}");
        page.family(&name, kind, help);
        page.sample(&name, &[("host", host)], value);
    }
    let lost = "pqcrypta_collector_records_lost_total";
    page.family(lost, counter, "Records that were given up, by reason.");
    for (reason, count) in &status.lost_by_reason {
        page.sample(lost, &[("host", host), ("reason", reason)], *count as f64);
    }
    let failed = "pqcrypta_collector_family_failures_total";
    page.family(failed, counter, "Runs that failed, by what was collected.");
    for (family, count) in failures {
        page.sample(failed, &[("host", host), ("family", family)], *count as f64);
    }
    if let Some(findings) = findings {
        let open = "pqcrypta_findings_open";
        page.family(open, gauge, "Open findings of this host.");
        for severity in SEVERITIES {
            let count = findings.get(severity).copied().unwrap_or_default();
            page.sample(
                open,
                &[("host", host), ("severity", severity)],
                count as f64,
            );
        }
    }
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> Said {
        Said {
            late_secs: 0.25,
            queue_bytes: 4_194_304,
            queue_limit_bytes: 104_857_600,
            is_database_up: false,
        }
    }

    fn written(textfile: &mut Textfile, ts: i64) {
        let status = Status {
            rows_written: 7,
            lost_by_reason: BTreeMap::from([("budget".to_owned(), 3)]),
            ..Status::default()
        };
        let findings = BTreeMap::from([("warn", 2)]);
        let failures = BTreeMap::from([("mounts".to_owned(), 1)]);
        let took = Duration::from_millis(20);
        textfile.write(
            Timestamp(ts),
            took,
            &said(),
            &status,
            Some(&findings),
            &failures,
        );
    }

    #[tokio::test]
    async fn a_page_is_whole_and_readable_by_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pqcrypta.prom");
        let mut textfile = Textfile::default();
        textfile.set_host("web \"2\"");
        assert!(!textfile.is_wanted());
        textfile.set_path(Some(&path));
        // What lies where it is drafted is replaced, not followed.
        let elsewhere = dir.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, dir.path().join("pqcrypta.prom.new")).unwrap();
        written(&mut textfile, 1_900_000_000_500_000);
        textfile.writing.take().unwrap().await.unwrap().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for line in [
            "pqcrypta_build_info{program=\"collector\",version=\"",
            "# TYPE pqcrypta_collector_up gauge\npqcrypta_collector_up{host=\"web \\\"2\\\"\"} 1\n",
            "last_sample_timestamp_seconds{host=\"web \\\"2\\\"\"} 1900000000.5\n",
            "pqcrypta_collector_tick_duration_seconds{host=\"web \\\"2\\\"\"} 0.02\n",
            "pqcrypta_collector_database_up{host=\"web \\\"2\\\"\"} 0\n",
            "records_lost_total{host=\"web \\\"2\\\"\",reason=\"budget\"} 3\n",
            "family_failures_total{host=\"web \\\"2\\\"\",family=\"mounts\"} 1\n",
            "pqcrypta_findings_open{host=\"web \\\"2\\\"\",severity=\"warn\"} 2\n",
            "pqcrypta_findings_open{host=\"web \\\"2\\\"\",severity=\"critical\"} 0\n",
        ] {
            assert!(text.contains(line), "no {line} in\n{text}");
        }
        assert!(!elsewhere.exists());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

        textfile.set_path(None);
        while path.exists() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_place_that_is_missing_is_reported_once_and_ends_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("missing/pqcrypta.prom");
        let mut textfile = Textfile::default();
        textfile.set_path(Some(&path));
        for (is_there, has_failed) in [(false, true), (false, true), (true, false)] {
            if is_there {
                fs::create_dir(path.parent().unwrap()).unwrap();
            }
            written(&mut textfile, 0);
            let ended = textfile.writing.take().unwrap().await.unwrap();
            textfile.note(&path, ended);
            assert_eq!(textfile.has_failed, has_failed);
        }
        assert!(path.exists());
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let text = page(
            "h",
            Timestamp(0),
            Duration::ZERO,
            &said(),
            &Status::default(),
            None,
            &BTreeMap::new(),
        );
        assert!(!text.contains("pqcrypta_findings_open"), "{text}");
    }
}
