//! Whether the logs can be read and are understood, tried here and now with the collector's own code; nothing
//! is stored.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ::logs::descriptors;
use ::logs::intake::{Intake, Limits, Wanted};
use ::logs::source::{State, Status};
use config::{Config, LogKind, LogParser, LogSource};
use schema::Timestamp;
use schema::tables;

use super::Finding;
use super::Finding::{Fail, Ok as Good, Warn};

/// The last lines of each log, to see whether they are understood. Of a large file the last MiB is looked at.
const LIMITS: Limits = Limits {
    events: 20_000,
    lines: 20_000,
    bytes: 1 << 20,
    fingerprints: 10,
};
/// How long `journalctl` may take to report that it cannot.
const PATIENCE: Duration = Duration::from_secs(1);
/// Behind the last line, events that may still have grown are whole.
const LATER: i64 = 1_000_000;

/// Events of a source, and those of them that no head of its parser fits.
#[derive(Clone, Copy, Debug, Default)]
struct Lines {
    all: i64,
    unread: i64,
}

/// Checks every source of logs: whether the user that asks may read it, and whether its lines are understood.
pub(super) fn sources(config: &Config, now: Timestamp) -> Vec<(String, Finding)> {
    if !config.logs.enabled {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut wanted = Vec::new();
    let configured = config.logs.sources();
    for source in &configured {
        match Wanted::of(source) {
            Ok(source) => wanted.push(source),
            Err(error) => findings.push((
                name(&source.name),
                Fail(error.to_string(), "correct its entry".to_owned()),
            )),
        }
    }
    let mut intake = Intake::new(&wanted, &[], std::iter::empty(), LIMITS, &[]);
    // As the collector does; where that fails there are fewer.
    let _limit = descriptors::raise();
    intake.keep_open(descriptors::for_logs());
    let mut lines: HashMap<Arc<str>, Lines> = HashMap::new();
    let mut poll = |now: Timestamp| {
        intake.poll(now, |named| {
            let lines = lines.entry(Arc::clone(named.source)).or_default();
            lines.all += 1;
            lines.unread += i64::from(named.event.is_unread);
        });
    };
    poll(now);
    if configured
        .iter()
        .any(|source| source.kind == LogKind::Journal)
    {
        thread::sleep(PATIENCE);
    }
    poll(Timestamp(now.as_micros() + LATER));
    for (source, state) in intake.states() {
        let lines = lines.get(source).copied().unwrap_or_default();
        let source = configured.iter().find(|one| one.name == **source);
        if let Some(source) = source {
            let finding = evaluate(source, state, lines, config.logs.is_assumed());
            findings.push((name(&source.name), finding));
        }
    }
    findings
}

/// Evaluates one source.
fn evaluate(source: &LogSource, state: &State, lines: Lines, is_assumed: bool) -> Finding {
    match state.status {
        Status::Ok => understood(source, lines),
        Status::Missing if is_assumed => {
            Good("not configured explicitly and not there; read once it is".to_owned())
        }
        Status::Limited => Warn(
            state.cause.clone(),
            "raise the limit of open files of the collector: LimitNOFILE= in its unit".to_owned(),
        ),
        _ => Warn(
            state.cause.clone(),
            "correct its entry, or let the collector's user read it (groups adm, systemd-journal)"
                .to_owned(),
        ),
    }
}

/// Returns how many of the last lines fit. Times of the journal are its own, whatever a program writes.
fn understood(source: &LogSource, lines: Lines) -> Finding {
    let Lines { all, unread } = lines;
    if source.kind == LogKind::Journal {
        return Good("can be read".to_owned());
    }
    let what = match source.used_parser() {
        LogParser::Postgresql => "log_line_prefix".to_owned(),
        parser => format!("the parser {}", parser.as_str()),
    };
    let fit = match all - unread {
        _ if all == 0 => return Good("can be read; there are no lines in it".to_owned()),
        0 => format!("none of the last {all} lines fits {what}"),
        fit if fit == all => format!("all of the last {all} lines fit {what}"),
        fit => format!("{fit} of the last {all} lines fit {what}"),
    };
    let text = format!("can be read; {fit}");
    // A log that is not configured explicitly may have no times of its own.
    if source.parser == LogParser::Auto || !tables::LogSource::is_misread(unread, all) {
        return Good(text);
    }
    let remedy = match source.used_parser() {
        LogParser::Postgresql => {
            "set log_line_prefix of this [[logs.source]] to what `SHOW log_line_prefix` returns"
        }
        _ => "set the parser of this [[logs.source]] to what writes the file",
    };
    Warn(text, remedy.to_owned())
}

fn name(source: &str) -> String {
    format!("log {source}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(finding: &Finding) -> (bool, &str) {
        match finding {
            Good(text) => (true, text),
            Warn(text, _) | Fail(text, _) => (false, text),
        }
    }

    /// Returns the finding about a file with this text.
    fn doctor(parser: LogParser, prefix: &str, content: &str) -> Finding {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, content).unwrap();
        let mut config = Config::default();
        config.logs.source = vec![LogSource {
            name: "db".to_owned(),
            path: Some(path),
            parser,
            log_line_prefix: prefix.to_owned(),
            ..LogSource::default()
        }];
        let now = Timestamp(1_795_935_600_000_000);
        let mut findings = sources(&config, now);
        assert_eq!(findings.len(), 1);
        findings.remove(0).1
    }

    #[test]
    fn it_reports_how_many_of_the_last_lines_fit() {
        let line = "< 2026-11-29 06:20:00.132 UTC >LOG:  duration: 0.942 ms\n";
        for (parser, prefix, content, expected) in [
            (
                LogParser::Postgresql,
                "",
                line.repeat(3),
                (
                    false,
                    "can be read; none of the last 3 lines fits log_line_prefix",
                ),
            ),
            (
                LogParser::Postgresql,
                "< %m >",
                line.repeat(3),
                (
                    true,
                    "can be read; all of the last 3 lines fit log_line_prefix",
                ),
            ),
            (
                LogParser::Syslog,
                "",
                format!("{}Nov 29 06:57:00 h app[7]: x\n", "plain text\n".repeat(30)),
                (
                    false,
                    "can be read; 1 of the last 31 lines fit the parser syslog",
                ),
            ),
            (
                LogParser::Auto,
                "",
                "plain text\n".repeat(30),
                (
                    true,
                    "can be read; none of the last 30 lines fits the parser syslog",
                ),
            ),
            (
                LogParser::Syslog,
                "",
                String::new(),
                (true, "can be read; there are no lines in it"),
            ),
        ] {
            let finding = doctor(parser, prefix, &content);
            assert_eq!(text(&finding), expected);
        }
    }
}
