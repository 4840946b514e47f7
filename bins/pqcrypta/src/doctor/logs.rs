//! Whether the logs can be read, tried here and now with the collector's own code; nothing is stored.

use std::thread;
use std::time::Duration;

use ::logs::descriptors;
use ::logs::intake::{Intake, Limits, Wanted};
use ::logs::source::Status;
use config::Config;
use schema::Timestamp;

use super::Finding;
use super::Finding::{Fail, Ok as Good, Warn};

/// A little of each, to see whether it can be had.
const LIMITS: Limits = Limits {
    events: 10_000,
    lines: 10,
    bytes: 4096,
    fingerprints: 10,
};
/// How long `journalctl` may take to say that it cannot.
const PATIENCE: Duration = Duration::from_secs(1);

/// Every source of logs: whether the user that asks may read it.
pub(super) fn sources(config: &Config, now: Timestamp) -> Vec<(String, Finding)> {
    if !config.logs.enabled {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut wanted = Vec::new();
    for source in config.logs.sources() {
        match Wanted::of(&source) {
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
    intake.poll(now, |_| {});
    if config
        .logs
        .sources()
        .iter()
        .any(|source| source.kind == config::LogKind::Journal)
    {
        thread::sleep(PATIENCE);
        intake.poll(now, |_| {});
    }
    for (source, state) in intake.states() {
        let finding = match state.status {
            Status::Ok => Good("can be read".to_owned()),
            Status::Missing if config.logs.is_assumed() => {
                Good("nobody named it and it is not there; read once it is".to_owned())
            }
            Status::Limited => Warn(
                state.cause.clone(),
                "raise the limit of open files of the collector: LimitNOFILE= in its unit".to_owned(),
            ),
            _ => Warn(
                state.cause.clone(),
                "correct its entry, or let the collector's user read it (groups adm, systemd-journal)".to_owned(),
            ),
        };
        findings.push((name(source), finding));
    }
    findings
}

fn name(source: &str) -> String {
    format!("log {source}")
}
