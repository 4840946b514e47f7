//! `pqcrypta explain`: what happened then?

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use jiff::civil;
use jiff::tz::TimeZone;
use schema::Timestamp;
use schema::micros::SECOND;
use snapshot::{Host, Question, Snapshot, Window, render};
use store::series::Instant;
use store::{alerts, migrations};
use tokio_postgres::{Client, Row};

use crate::settings::{Source, connect, refuse};

/// Explain an instant: what changed most, the worst values, what happened, top processes and statements
///
/// Everything stored of a window around the instant is compared with the hour before and with what is usual at that hour
/// of the week. It is what the dashboard's view Event Snapshot shows.
///
/// Exit status: 0 when it is printed, 1 when nothing was sampled in the window, 2 when the database does not answer, the
/// host or finding is not known, or an argument is wrong, 74 when the output cannot be written.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    source: Source,
    /// The instant: 14:05, "2026-11-22 14:05", RFC 3339, or now-2h [default: that of the finding, else of the newest sample]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// How much is looked at on each side of it, 1 to 60 minutes
    #[arg(long, value_name = "MINUTES", default_value = "10m", value_parser = minutes)]
    window: i64,
    /// A finding, by its number (those of `pqcrypta alerts --json`, and of the dashboard)
    #[arg(long, value_name = "ID")]
    finding: Option<i64>,
    /// The host by name [default: the one with the newest sample]
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print Markdown
    #[arg(long)]
    markdown: bool,
}

/// Parses `10m` or `10` as minutes.
fn minutes(text: &str) -> Result<i64, String> {
    let digits = text.strip_suffix('m').unwrap_or(text);
    let minutes = digits
        .parse()
        .ok()
        .filter(|minutes| (1..=60).contains(minutes));
    minutes.ok_or_else(|| "1m to 60m".to_owned())
}

/// Parses an instant; a time without a day is the last one that was, one without a zone is in `zone`.
fn instant(text: &str, now: jiff::Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let micros = |at: jiff::Timestamp| Timestamp(at.as_microsecond());
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("now") {
        return back(rest).map(|secs| Timestamp(now.as_microsecond() - secs * SECOND));
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(micros(at));
    }
    if let Ok(at) = text.parse::<civil::DateTime>() {
        return Some(micros(at.to_zoned(zone.clone()).ok()?.timestamp()));
    }
    let time: civil::Time = text.parse().ok()?;
    let today = now.to_zoned(zone.clone()).date();
    let on = |day: civil::Date| day.to_datetime(time).to_zoned(zone.clone()).ok();
    let today_at = on(today)?.timestamp();
    match today_at <= now {
        true => Some(micros(today_at)),
        false => on(today.yesterday().ok()?).map(|at| micros(at.timestamp())),
    }
}

/// Parses `-2h` as seconds; an empty text is 0.
fn back(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let text = text.strip_prefix('-')?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let secs = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let count = digits.parse::<u32>().ok()?;
    i64::from(count).checked_mul(secs)
}

/// Prints the explanation.
///
/// # Errors
/// When standard output cannot be written; a database that does not answer is a status.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let loaded = match options.source.load() {
        Ok(loaded) => loaded,
        Err(faults) => return Ok(refuse(&faults)),
    };
    let snapshot = match read(&loaded, options).await {
        Ok(snapshot) => snapshot,
        Err(error) => return crate::report_failure(&error, options.json),
    };
    let zone = TimeZone::system();
    let text = if options.json {
        format!("{}\n", serde_json::to_string_pretty(&snapshot)?)
    } else if options.markdown {
        render::markdown(&snapshot, &zone)
    } else {
        render::text(&snapshot, &zone)
    };
    crate::print(&text)?;
    let is_empty = snapshot.peaks.is_empty() && snapshot.changed.compared == 0;
    Ok(ExitCode::from(u8::from(is_empty)))
}

async fn read(loaded: &config::Loaded, options: &Options) -> Result<Snapshot> {
    let session = connect(loaded, "pqcrypta explain").await?;
    let client = &session.client;
    migrations::check(client).await?;
    let now = client.query_one("SELECT now()", &[]).await;
    let now = now.map_err(crate::roles::server_words);
    let Instant(now) = now.context("cannot read the time")?.try_get(0)?;
    let (host, newest) = host(client, options.host.as_deref(), loaded).await?;
    let finding = match options.finding {
        Some(id) => {
            let found = alerts::one(client, host.id, id).await;
            let found = found.context("cannot read the finding")?;
            let unknown = || anyhow!("host {} has no finding {id}", host.name);
            Some(found.ok_or_else(unknown)?.opened_at)
        }
        None => None,
    };
    let at = match (&options.at, finding) {
        (Some(text), _) => {
            let present = jiff::Timestamp::from_microsecond(now.as_micros())?;
            let at = instant(text, present, &TimeZone::system());
            at.ok_or_else(|| anyhow!("--at: write 14:05, 2026-11-22 14:05, or now-2h (s m h d)"))?
        }
        (None, Some(opened)) => opened,
        (None, None) => newest.unwrap_or(now),
    };
    let question = Question {
        window: Window::new(at, options.window, options.window),
        now,
        finding: options.finding,
        metric: None,
    };
    let snapshot = snapshot::read(client, &host, &question).await;
    snapshot.context("cannot read what happened")
}

/// Returns the host of this name, or the one with the newest sample, and the instant of that.
async fn host(
    client: &Client,
    name: Option<&str>,
    loaded: &config::Loaded,
) -> Result<(Host, Option<Timestamp>)> {
    let rows = client.query(include_str!("explain.sql"), &[]).await;
    let rows = rows.map_err(crate::roles::server_words);
    let assumed = i64::from(loaded.config.intervals.system_secs) * SECOND;
    let hosts = rows
        .context("cannot read the hosts")?
        .iter()
        .map(|row| of(row, assumed))
        .collect::<Result<Vec<_>, _>>()?;
    if hosts.is_empty() {
        return Err(anyhow!("no host has stored anything yet"));
    }
    let found = match name {
        Some(name) => hosts.into_iter().find(|(host, _)| host.name == name),
        // Among equals the first by name.
        None => hosts.into_iter().rev().max_by_key(|(_, newest)| *newest),
    };
    found.ok_or_else(|| anyhow!("no host is named {}", name.unwrap_or_default()))
}

fn of(row: &Row, assumed: i64) -> Result<(Host, Option<Timestamp>), tokio_postgres::Error> {
    let instant = |column| {
        row.try_get::<_, Option<Instant>>(column)
            .map(|at| at.map(|at| at.0))
    };
    let setting = |column| {
        let text: Option<String> = row.try_get(column)?;
        let secs = text.and_then(|secs| secs.parse::<u32>().ok());
        let secs = secs.filter(|secs| *secs > 0);
        Ok::<_, tokio_postgres::Error>(secs.map(|secs| i64::from(secs) * SECOND))
    };
    let interval = setting("interval_secs")?.unwrap_or(assumed);
    let host = Host {
        id: row.try_get("host_id")?,
        name: row.try_get("hostname")?,
        tick: interval,
        interval: interval.max(setting("app_secs")?.unwrap_or(interval)),
        raw_from: instant("raw_from")?,
        hours_from: instant("hours_from")?,
    };
    Ok((host, instant("newest")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        let now: jiff::Timestamp = "2026-11-22T14:00:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let read = |text: &str| {
            let at = instant(text, now, &zone)?;
            Some(
                jiff::Timestamp::from_microsecond(at.as_micros())
                    .unwrap()
                    .to_string(),
            )
        };
        for (text, expected) in [
            ("now", Some("2026-11-22T14:00:00Z")),
            ("now-90m", Some("2026-11-22T12:30:00Z")),
            ("2026-11-20T10:00:00Z", Some("2026-11-20T10:00:00Z")),
            ("2026-11-20 10:00", Some("2026-11-20T09:00:00Z")),
            ("14:30", Some("2026-11-22T13:30:00Z")),
            // Later than now: yesterday's.
            ("23:00:05", Some("2026-11-21T22:00:05Z")),
            ("yesterday", None),
            ("now-", None),
            ("now-5y", None),
            ("", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn windows_are_1_to_60_minutes() {
        assert_eq!(minutes("10m"), Ok(10));
        assert_eq!(minutes("60"), Ok(60));
        for text in ["0", "61m", "m", "-5m", "1h"] {
            assert!(minutes(text).is_err(), "{text}");
        }
    }
}
