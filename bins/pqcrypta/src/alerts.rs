//! `pqcrypta alerts`: what is firing? Findings are acknowledged and dismissed here, too, as the dashboard only reads.

mod marks;
mod print;

use std::process::ExitCode;

use anyhow::{Context, Result};
use schema::micros::{DAY, HOUR};
use schema::{Severity, Timestamp};
use snapshot::marks::{Mark, marks};
use store::alerts::{Alert, State, list};
use store::migrations;
use store::series::Instant;

use crate::settings::{Source, connect, refuse};
use crate::status;

/// List the active alerts of all hosts, as a check of a monitoring system
///
/// The first line sums up, then follows one line per finding with what to do, and what was changed on the host within the
/// last hour, as most problems begin with a change. A host whose collector delivers nothing is
/// unknown, and so is what was firing on it.
///
/// Exit status: 0 when no warning or critical alert is firing, 1 when the worst is a warning, 2 when it is critical,
/// 3 when that is unknown: the database does not answer, a collector is silent, only findings without data are open, or
/// the command or its configuration is wrong.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Option<marks::Action>,
    #[command(flatten)]
    source: Source,
    /// Include those that were resolved within the last 24 hours
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The exit status of a check that does not know.
pub(crate) const UNKNOWN: u8 = Verdict::Unknown.code();

/// What the alerts come to, from good to bad: an alert that is known counts more than what is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Ok,
    Unknown,
    Warning,
    Critical,
}

impl Verdict {
    /// Returns the exit status of a monitoring plugin.
    const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// A host with its findings.
#[derive(Debug)]
struct HostAlerts {
    name: String,
    presence: status::Presence,
    /// Age of its newest sample.
    age_secs: Option<f64>,
    alerts: Vec<Alert>,
    /// What was changed on it within the last hour, the oldest first.
    changes: Vec<Mark>,
}

impl HostAlerts {
    /// Returns the state of one of its findings. Without samples it is not known whether it still holds.
    fn state(&self, alert: &Alert) -> State {
        match alert.state() {
            State::Firing if self.presence != status::Presence::Running => State::Unknown,
            state => state,
        }
    }

    fn verdict(&self) -> Verdict {
        let own = match self.presence {
            status::Presence::Running => Verdict::Ok,
            _ => Verdict::Unknown,
        };
        let each = self.alerts.iter().map(|alert| self.verdict_on(alert));
        each.fold(own, Verdict::max)
    }

    fn verdict_on(&self, alert: &Alert) -> Verdict {
        match self.state(alert) {
            State::Firing if alert.severity == Severity::Critical => Verdict::Critical,
            State::Firing if alert.severity == Severity::Warn => Verdict::Warning,
            State::Unknown if alert.severity.is_problem() => Verdict::Unknown,
            _ => Verdict::Ok,
        }
    }
}

/// Findings of all hosts at an instant.
#[derive(Debug)]
struct Report {
    at: Timestamp,
    hosts: Vec<HostAlerts>,
}

impl Report {
    /// Returns the worst verdict; without a host nothing is known.
    fn verdict(&self) -> Verdict {
        let each = self.hosts.iter().map(HostAlerts::verdict);
        each.max().unwrap_or(Verdict::Unknown)
    }
}

/// Prints the findings. Whatever prevents that is the status *unknown*.
///
/// # Errors
/// When what was done with a finding cannot be written; any other failure is a status.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    if let Some(action) = &options.action {
        return marks::run(action).await;
    }
    let read = match options.source.load() {
        Ok(loaded) => read(&loaded, options.all).await,
        Err(faults) => {
            refuse(&faults);
            Err(anyhow::anyhow!("the configuration is not valid"))
        }
    };
    let (verdict, text) = match read {
        Ok(report) if options.json => (report.verdict(), print::json(&report)),
        Ok(report) => (report.verdict(), print::text(&report)),
        Err(error) => (Verdict::Unknown, print::failure(&error, options.json)),
    };
    let verdict = match crate::print(&text) {
        Err(error) if !crate::is_closed_pipe(&error) => {
            crate::say(&format!("{error:#}"));
            Verdict::Unknown
        }
        // Whoever closed the pipe may still want the status.
        _ => verdict,
    };
    Ok(ExitCode::from(verdict.code()))
}

async fn read(loaded: &config::Loaded, all: bool) -> Result<Report> {
    let session = connect(loaded, "pqcrypta alerts").await?;
    let client = &session.client;
    migrations::check(client).await?;
    let interval = f64::from(loaded.config.intervals.system_secs);
    // Ages are by the clock of the database, as those of samples are.
    let at = client.query_one("SELECT now()", &[]).await;
    let at = at.map_err(crate::roles::server_words);
    let Instant(at) = at.context("cannot read the time")?.try_get(0)?;
    let day = |days: i64| Timestamp(at.as_micros() + days * DAY);
    let mut hosts = Vec::new();
    for host in status::hosts(client).await? {
        let alerts = list(client, host.id, (day(-1), day(1)), at).await;
        let mut alerts = alerts.context("cannot read the findings")?;
        alerts.retain(|alert| all || alert.resolved_at.is_none());
        let since = Timestamp(at.as_micros() - HOUR);
        let changes = marks(client, host.id, since, day(1)).await;
        hosts.push(HostAlerts {
            changes: changes.context("cannot read what was changed")?,
            presence: host.presence(interval),
            age_secs: host.silence(),
            name: host.name,
            alerts,
        });
    }
    Ok(Report { at, hosts })
}

#[cfg(test)]
mod tests;
