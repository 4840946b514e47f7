//! `pqcrypta status`: is everything being stored, and what does it take?

mod size_table;

use std::process::ExitCode;

use anyhow::{Context, Result};
use schema::AgentOutcome;
use serde_json::{Value, json};
use store::migrations;
use store::sizes::{self, Store};
use tokio_postgres::Client;

use crate::print;
use crate::settings::{Source, connect, refuse};

/// Intervals without a sample until a host is late, and until it is silent.
const LATE: f64 = 2.0;
const SILENT: f64 = 6.0;
/// A moment of a host less far ahead of the server's clock is now.
const AHEAD_SECS: f64 = 2.0;

/// Report for every host how old its newest sample is and what its agent does, and what the store takes
///
/// The worst host comes first, and several are counted before.
///
/// Of each table: rows, indexes and values stored out of line, what a day adds, the oldest day, and what the configured
/// retention will need in the end. K is 1024 bytes.
///
/// Exit status: 0 when all is well, 1 when a host is late, lost samples today or was stopped,
/// 2 when one is silent or the database does not answer, 74 when the output cannot be written.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    source: Source,
    /// List every table, not only the largest
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How a host does; the worst decides the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Well,
    Doubtful,
    Bad,
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Doubtful => "warn",
            Self::Bad => "fail",
        }
    }
}

/// Whether a collector delivers samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// The newest sample is young enough.
    Running,
    /// There is none, or it is too old.
    Silent,
    /// It is too old, as the collector was stopped.
    Stopped,
}

impl Presence {
    /// Returns its word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Silent => "silent",
            Self::Stopped => "stopped",
        }
    }
}

/// What the database knows of a host.
#[derive(Debug, Default)]
pub(crate) struct Host {
    pub(crate) id: i32,
    pub(crate) name: String,
    /// Seconds since its newest sample by its own clock: negative when that is ahead of the server's.
    pub(crate) sample_age: Option<f64>,
    heartbeat_age: Option<f64>,
    /// Seconds since anything of it was stored.
    stored_age: Option<f64>,
    agent: Option<(i32, String)>,
    outcome: Option<String>,
    gaps: i64,
    dead_letters: i64,
    blocked_logs: i64,
    clock_ahead: Option<f64>,
}

/// Prints one line per host, and what the store takes.
///
/// # Errors
/// When standard output cannot be written; a database that does not answer is a status.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let loaded = match options.source.load() {
        Ok(loaded) => loaded,
        Err(faults) => return Ok(refuse(&faults)),
    };
    let (mut hosts, store) = match read(&loaded).await {
        Ok(read) => read,
        Err(error) => return crate::report_failure(&error, options.json),
    };
    let interval = f64::from(loaded.config.intervals.system_secs);
    // Equals stay in the order of their names.
    hosts.sort_by_key(|host| std::cmp::Reverse(describe(host, interval).0));
    let worst = hosts.first().map(|host| describe(host, interval).0);
    if options.json {
        let hosts = hosts.iter().map(|host| as_json(host, interval));
        let answer = json!({"hosts": hosts.collect::<Vec<_>>(), "store": size_table::json(&store)});
        print(&format!("{answer:#}\n"))?;
    } else {
        if hosts.len() > 1 {
            print(&format!("{}\n\n", summary(&hosts, interval)))?;
        }
        for host in &hosts {
            print(&format!("{}\n", describe(host, interval).1))?;
        }
        if hosts.is_empty() {
            print("no host has stored anything yet\n")?;
        }
        print(&format!("\n{}", size_table::text(&store, options.all)))?;
    }
    Ok(ExitCode::from(match worst {
        Some(Verdict::Well) => 0,
        Some(Verdict::Doubtful) | None => 1,
        Some(Verdict::Bad) => 2,
    }))
}

impl Host {
    fn is_stopped(&self) -> bool {
        self.outcome.as_deref() == Some(AgentOutcome::Stopped.as_str())
    }

    /// Returns for how long no sample came, seconds; a clock that is ahead does not shorten it.
    pub(crate) fn silence(&self) -> Option<f64> {
        let age = self.sample_age?;
        Some(self.stored_age.map_or(age, |stored| age.max(stored)))
    }

    /// Returns whether its collector, which samples at this interval, delivers samples.
    pub(crate) fn presence(&self, interval: f64) -> Presence {
        match self.silence() {
            Some(age) if age <= SILENT * interval => Presence::Running,
            _ if self.is_stopped() => Presence::Stopped,
            _ => Presence::Silent,
        }
    }
}

async fn read(loaded: &config::Loaded) -> Result<(Vec<Host>, Store)> {
    let session = connect(loaded, "pqcrypta status").await?;
    migrations::check(&session.client).await?;
    let hosts = hosts(&session.client).await?;
    let store = sizes::read(&session.client).await?;
    Ok((hosts, store))
}

/// Returns all hosts, by name.
///
/// # Errors
/// When they cannot be read.
pub(crate) async fn hosts(client: &Client) -> Result<Vec<Host>> {
    let rows = client
        .query(include_str!("status.sql"), &[])
        .await
        .map_err(crate::roles::server_words)
        .context("cannot read the hosts")?;
    rows.iter()
        .map(|row| {
            let pid: Option<i32> = row.try_get("pid")?;
            let version: Option<String> = row.try_get("version")?;
            Ok(Host {
                id: row.try_get("host_id")?,
                name: row.try_get("hostname")?,
                sample_age: row.try_get("sample_age_secs")?,
                heartbeat_age: row.try_get("heartbeat_age_secs")?,
                stored_age: row.try_get("stored_age_secs")?,
                agent: pid.zip(version),
                outcome: row.try_get("outcome")?,
                gaps: row.try_get("gaps")?,
                dead_letters: row.try_get("dead_letters")?,
                blocked_logs: row.try_get("blocked_logs")?,
                clock_ahead: row.try_get("clock_ahead_secs")?,
            })
        })
        .collect::<Result<_, tokio_postgres::Error>>()
        .context("the database answers in another form")
}

/// Returns the verdict on a host and its line.
fn describe(host: &Host, interval: f64) -> (Verdict, String) {
    let stopped = host.is_stopped();
    let silence = host.silence();
    let mut verdict = match silence {
        Some(age) if age <= LATE * interval => Verdict::Well,
        Some(age) if age <= SILENT * interval || stopped => Verdict::Doubtful,
        None if !stopped => Verdict::Doubtful,
        _ => Verdict::Bad,
    };
    let mut parts = vec![match host.sample_age {
        Some(age) => format!("newest sample {}", moment(age)),
        None => "no sample yet".to_owned(),
    }];
    if let (Some(age), Some(stored)) = (host.sample_age, host.stored_age)
        && age < -AHEAD_SECS
    {
        parts.push(format!("stored {}", moment(stored)));
    }
    parts.push(match (&host.agent, stopped) {
        (Some((_, version)), true) => format!("agent {version} stopped"),
        (Some((pid, version)), false) => match host.heartbeat_age {
            Some(age) => format!("agent {version} (pid {pid}) alive {}", moment(age)),
            None => format!("agent {version} (pid {pid}) without a sign of life today"),
        },
        (None, _) => "no agent".to_owned(),
    });
    let is_blocked = host.blocked_logs > 0 || host.clock_ahead.is_some();
    if stopped || host.gaps > 0 || host.dead_letters > 0 || is_blocked {
        verdict = verdict.max(Verdict::Doubtful);
    }
    // What the present silence costs is known when it is over.
    let is_late = silence.is_some_and(|secs| secs > LATE * interval);
    let when = if is_late {
        "before this silence"
    } else {
        "today"
    };
    match (host.gaps, silence) {
        (0, None) => {}
        (0, Some(_)) => parts.push(format!("nothing lost {when}")),
        (1, _) => parts.push(format!("1 loss {when}")),
        (gaps, _) => parts.push(format!("{gaps} losses {when}")),
    }
    if host.dead_letters > 0 {
        parts.push(format!("{} rows refused today", host.dead_letters));
    }
    match host.blocked_logs {
        0 => {}
        1 => parts.push("lines of 1 log cannot be stored".to_owned()),
        logs => parts.push(format!("lines of {logs} logs cannot be stored")),
    }
    if let Some(ahead) = host.clock_ahead {
        let way = if ahead > 0.0 { "ahead of" } else { "behind" };
        let by = lasting(ahead.abs());
        parts.push(format!("clock {by} {way} the server's"));
    }
    (
        verdict,
        format!(
            "{:4}  {}: {}",
            verdict.as_str(),
            host.name,
            parts.join(", ")
        ),
    )
}

/// Counts the hosts by verdict, the worst first.
fn summary(hosts: &[Host], interval: f64) -> String {
    let count = |verdict| {
        let of = |host: &&Host| describe(host, interval).0 == verdict;
        (hosts.iter().filter(of).count(), verdict.as_str())
    };
    let counts = [Verdict::Bad, Verdict::Doubtful, Verdict::Well].map(count);
    let parts = counts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!(
        "{}: {}",
        words::counted(hosts.len(), "host"),
        parts.join(", ")
    )
}

fn as_json(host: &Host, interval: f64) -> Value {
    let agent = host.agent.as_ref();
    json!({
        "host": host.name,
        "status": describe(host, interval).0.as_str(),
        "sample_age_secs": host.sample_age,
        "heartbeat_age_secs": host.heartbeat_age,
        "stored_age_secs": host.stored_age,
        "agent_pid": agent.map(|(pid, _)| pid),
        "agent_version": agent.map(|(_, version)| version),
        "agent_outcome": host.outcome,
        "gaps": host.gaps,
        "dead_letters": host.dead_letters,
        "blocked_logs": host.blocked_logs,
        "clock_ahead_secs": host.clock_ahead,
    })
}

/// Returns when something was by the host's clock, from the seconds that have passed since.
fn moment(age: f64) -> String {
    match age < -AHEAD_SECS {
        true => format!("{} ahead of the server's clock", lasting(-age)),
        false => format!("{} ago", lasting(age.max(0.0))),
    }
}

/// Seconds in the largest unit that keeps them readable.
fn lasting(secs: f64) -> String {
    match secs {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_judged_by_its_newest_sample_and_its_losses() {
        let stopped = Some(AgentOutcome::Stopped.as_str().to_owned());
        let cases = [
            (Some(5.0), 0, None, Verdict::Well),
            (Some(20.0), 0, None, Verdict::Well),
            (Some(21.0), 0, None, Verdict::Doubtful),
            (Some(61.0), 0, None, Verdict::Bad),
            (Some(5.0), 1, None, Verdict::Doubtful),
            (Some(9000.0), 0, stopped.clone(), Verdict::Doubtful),
            (None, 0, None, Verdict::Doubtful),
        ];
        for (sample_age, gaps, outcome, wanted) in cases {
            let host = Host {
                sample_age,
                gaps,
                outcome,
                ..Host::default()
            };
            assert_eq!(describe(&host, 10.0).0, wanted, "{host:?}");
        }
    }

    #[test]
    fn what_blocks_storing_and_a_wrong_clock_are_named() {
        let well = || Host {
            sample_age: Some(4.0),
            ..Host::default()
        };
        for (host, words) in [
            (
                Host {
                    blocked_logs: 1,
                    ..well()
                },
                "lines of 1 log cannot be stored",
            ),
            (
                Host {
                    blocked_logs: 12,
                    ..well()
                },
                "lines of 12 logs cannot be stored",
            ),
            (
                Host {
                    clock_ahead: Some(3_456_000.0),
                    ..well()
                },
                "clock 40 days ahead of the server's",
            ),
            (
                Host {
                    clock_ahead: Some(-90.0),
                    ..well()
                },
                "clock 90 s behind the server's",
            ),
        ] {
            let (verdict, line) = describe(&host, 10.0);
            assert_eq!(verdict, Verdict::Doubtful, "{line}");
            assert!(line.contains(words), "{line}");
        }
    }

    #[test]
    fn a_clock_ahead_neither_makes_time_negative_nor_hides_a_silence() {
        for (sample_age, stored_age, verdict, words) in [
            (
                -84.0,
                3.0,
                Verdict::Well,
                "newest sample 84 s ahead of the server's clock, stored 3 s ago",
            ),
            (-84.0, 300.0, Verdict::Bad, "stored 5 min ago"),
            (-0.7, 0.4, Verdict::Well, "newest sample 0 s ago, no agent"),
        ] {
            let host = Host {
                sample_age: Some(sample_age),
                stored_age: Some(stored_age),
                ..Host::default()
            };
            let (found, line) = describe(&host, 10.0);
            assert!(
                found == verdict && line.contains(words) && !line.contains(" -"),
                "{line}"
            );
        }
    }

    #[test]
    fn losses_of_a_silence_are_not_denied_while_it_lasts() {
        for (sample_age, gaps, words) in [
            (Some(4.0), 0, ", nothing lost today"),
            (Some(4.0), 1, ", 1 loss today"),
            (Some(108.0), 0, ", nothing lost before this silence"),
            (Some(108.0), 2, ", 2 losses before this silence"),
            (None, 0, "no agent"),
        ] {
            let host = Host {
                sample_age,
                gaps,
                ..Host::default()
            };
            let line = describe(&host, 10.0).1;
            assert!(line.ends_with(words), "{line}");
        }
    }

    #[test]
    fn several_hosts_are_counted_by_verdict() {
        let host = |sample_age| Host {
            sample_age,
            ..Host::default()
        };
        let hosts = [Some(900.0), Some(4.0), Some(5.0), None].map(host);
        assert_eq!(summary(&hosts, 10.0), "4 hosts: 1 fail, 1 warn, 2 ok");
        assert_eq!(summary(&hosts[1..3], 10.0), "2 hosts: 2 ok");
    }

    #[test]
    fn the_line_states_what_is_known() {
        let host = Host {
            name: "web1".to_owned(),
            sample_age: Some(4.2),
            heartbeat_age: Some(1.0),
            agent: Some((77, "0.1.0".to_owned())),
            ..Host::default()
        };
        assert_eq!(
            describe(&host, 10.0).1,
            "ok    web1: newest sample 4 s ago, agent 0.1.0 (pid 77) alive 1 s ago, nothing lost today"
        );
    }

    #[test]
    fn a_duration_is_short() {
        for (secs, wanted) in [
            (3.0, "3 s"),
            (600.0, "10 min"),
            (10_800.0, "3 h"),
            (259_200.0, "3 days"),
        ] {
            assert_eq!(lasting(secs), wanted);
        }
    }
}
