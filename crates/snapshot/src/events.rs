//! What happened in a window, in one list: findings, lines of logs, changes of the host, gaps.

use schema::{Severity, Timestamp};
use store::alerts::{self, Alert};
use store::series::{self, Instant, ReadError};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::Host;
use crate::marks::marks;
use crate::model::{Beside, Event};
use crate::spans::Window;

/// Events that are listed.
const MOST: usize = 200;
/// Patterns of lines that are listed.
const PATTERNS: i64 = 60;

/// Reads the events of a window, the oldest first, and how many are left out.
pub(crate) async fn events(
    client: &Client,
    host: &Host,
    window: Window,
    now: Timestamp,
) -> Result<(Vec<Event>, usize), ReadError> {
    let (from, to) = (window.from(), window.to());
    // What is to come is not a gap.
    let sampled = to.min(now).max(from);
    let (found, changes, gaps, lines) = futures_util::try_join!(
        alerts::list(client, host.id, (from, to), now),
        marks(client, host.id, from, to),
        series::gaps(client, host.id, from, sampled, host.tick, 1),
        lines(client, host.id, from, to),
    )?;
    let (lines, mut more) = lines;
    let mut events: Vec<Event> = found.iter().map(of_finding).collect();
    events.extend(changes.into_iter().map(|mark| Event {
        severity: mark.severity,
        ..event(mark.at, "change", "host", mark.text)
    }));
    events.extend(gaps.into_iter().map(|(from, to)| Event {
        end_ms: Some(to.as_millis()),
        severity: Severity::Unknown,
        ..event(from, "gap", "collector", "No samples".to_owned())
    }));
    events.extend(lines);
    if events.len() > MOST {
        // The least severe ones are left out, of these the latest.
        events.sort_by_key(|event| (std::cmp::Reverse(event.severity), event.at_ms));
        more += events.len() - MOST;
        events.truncate(MOST);
    }
    events.sort_by(|a, b| (a.at_ms, &a.kind, &a.text).cmp(&(b.at_ms, &b.kind, &b.text)));
    Ok((events, more))
}

fn event(at: Timestamp, kind: &str, source: &str, text: String) -> Event {
    Event {
        at_ms: at.as_millis(),
        end_ms: None,
        kind: kind.to_owned(),
        severity: Severity::Info,
        source: source.to_owned(),
        text,
        times: 1,
        finding: None,
        pattern: None,
    }
}

fn of_finding(alert: &Alert) -> Event {
    Event {
        end_ms: alert.resolved_at.map(Timestamp::as_millis),
        severity: alert.severity,
        finding: Some(alert.id.to_string()),
        ..event(alert.opened_at, &alert.kind, &alert.domain, text(alert))
    }
}

/// Returns the condition, which goes with its severity, and what it was at worst where that is more.
fn text(alert: &Alert) -> String {
    let sentence = alert.sentence();
    match alert.worst > alert.severity {
        true => format!("{sentence} (at worst {})", words::severity(alert.worst)),
        false => sentence,
    }
}

async fn lines(
    client: &Client,
    host_id: i32,
    from: Timestamp,
    to: Timestamp,
) -> Result<(Vec<Event>, usize), ReadError> {
    let (from, to) = (Instant(from), Instant(to));
    let params: [(&(dyn ToSql + Sync), Type); 4] = [
        (&host_id, Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&PATTERNS, Type::INT8),
    ];
    let fault = |source| ReadError::new("log_entries", source);
    let rows = client.query_typed(include_str!("log_groups.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    let patterns = rows
        .first()
        .map_or(Ok(0), |row| row.try_get::<_, i64>("patterns"));
    let more = patterns.map_err(fault)? - i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let found = rows.iter().map(|row| line(row).map_err(fault));
    Ok((
        found.collect::<Result<_, _>>()?,
        usize::try_from(more).unwrap_or(0),
    ))
}

fn line(row: &Row) -> Result<Event, tokio_postgres::Error> {
    let instant = |column| row.try_get::<_, Instant>(column).map(|at| at.0);
    let (first, last) = (instant("first")?, instant("last")?);
    let times: i64 = row.try_get("times")?;
    Ok(Event {
        end_ms: (times > 1).then(|| last.as_millis()),
        severity: match row.try_get("level")? {
            "error" => Severity::Warn,
            _ => Severity::Info,
        },
        times,
        pattern: row.try_get("fingerprint")?,
        ..event(
            first,
            "log",
            row.try_get("source")?,
            row.try_get("message")?,
        )
    })
}

/// Reads the findings that were opened before and after an instant.
pub(crate) async fn beside(
    client: &Client,
    host_id: i32,
    at: Timestamp,
) -> Result<(Option<Beside>, Option<Beside>), ReadError> {
    let (before, after) = alerts::beside(client, host_id, at).await?;
    let of = |alert: Alert| Beside {
        id: alert.id.to_string(),
        at_ms: alert.opened_at.as_millis(),
        severity: alert.severity,
        title: alert.sentence(),
    };
    Ok((before.map(of), after.map(of)))
}
