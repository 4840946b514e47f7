//! Bounded queries whose results the rules over logs are evaluated against. Instants are parameters; no statement
//! uses the server's time.

use super::lost::{LOST, Loss};
use super::patterns::RecentPattern;
use super::security::Event;
use super::spikes::{Expected, HOURS, Recent, WINDOW, expect};
use super::understood::Source;
use schema::micros::{DAY, HOUR, SECOND};
use schema::{LogLevel, Severity, Timestamp};
use std::collections::{BTreeMap, HashMap};
use store::series::{Instant, ReadError, steps};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

/// How far back patterns and events are read: as long as their findings stay open.
const BACK: i64 = HOUR;

/// Expectations for one hour.
#[derive(Debug)]
pub(super) struct Usual {
    /// The hour, counted from 1970.
    pub(super) hour: i64,
    /// By source and level.
    pub(super) expected: HashMap<(String, LogLevel), Expected>,
    /// Since when each source is known; at most four weeks back.
    pub(super) known_since: HashMap<String, Timestamp>,
}

/// Reads rows of a statement for the host, between two instants.
async fn read<T>(
    client: &Client,
    what: &'static str,
    sql: &str,
    (host_id, from, to): (i32, i64, i64),
    row: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
) -> Result<Vec<T>, ReadError> {
    let fault = |source| ReadError::new(what, source);
    let (from, to) = (Instant(Timestamp(from)), Instant(Timestamp(to)));
    let params: [(&(dyn ToSql + Sync), Type); 3] = [
        (&host_id, Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
    ];
    let sql = steps::expand(sql);
    let rows = client.query_typed(&sql, &params);
    let rows = rows.await.map_err(fault)?;
    rows.iter().map(|one| row(one).map_err(fault)).collect()
}

/// Reads a column of instants.
fn instant(row: &Row, column: &str) -> Result<Timestamp, tokio_postgres::Error> {
    Ok(row.try_get::<_, Instant>(column)?.0)
}

/// Reads the column `level`; an unknown level counts as info.
fn level(row: &Row) -> Result<LogLevel, tokio_postgres::Error> {
    Ok(LogLevel::parse(row.try_get("level")?).unwrap_or_default())
}

/// A source of logs and a level.
type SourceLevel = (String, LogLevel);

/// Derives the expectations for `hour` from the four weeks before it.
pub(super) async fn usual(client: &Client, host_id: i32, hour: i64) -> Result<Usual, ReadError> {
    let now = hour * HOUR;
    let span = (host_id, now - HOURS as i64 * HOUR, now);
    let known = read(
        client,
        "log_metrics_hourly",
        include_str!("known.sql"),
        span,
        |row| Ok((row.try_get("source")?, instant(row, "began")?)),
    );
    let known_since: HashMap<String, Timestamp> = known.await?.into_iter().collect();
    let bursts = bursts(client, (host_id, now - DAY, now)).await?;
    let counts = counts(client, span, &known_since).await?;
    let expected = counts.into_iter().filter_map(|(key, hours)| {
        // Without a recent count, all lines of an hour may come at once.
        let burst = bursts.get(&key).copied().unwrap_or(1.0);
        expect(&hours, burst).map(|expected| (key, expected))
    });
    Ok(Usual {
        hour,
        expected: expected.collect(),
        known_since,
    })
}

/// Reads the share of an hour's lines that its fullest five minutes have.
async fn bursts(
    client: &Client,
    span: (i32, i64, i64),
) -> Result<HashMap<SourceLevel, f64>, ReadError> {
    let bursts = read(
        client,
        "log_sources_raw",
        include_str!("bursts.sql"),
        span,
        |row| {
            let key = (row.try_get("source")?, level(row)?);
            Ok((key, row.try_get("burst")?))
        },
    );
    Ok(bursts.await?.into_iter().collect())
}

/// Reads the errors and warnings of every hour of a span since a source is known, 0 where it has none.
async fn counts(
    client: &Client,
    span: (i32, i64, i64),
    known_since: &HashMap<String, Timestamp>,
) -> Result<BTreeMap<SourceLevel, Vec<f64>>, ReadError> {
    let (_, _, to) = span;
    let mut counts: BTreeMap<SourceLevel, Vec<f64>> = BTreeMap::new();
    for (source, began) in known_since {
        let hours = to.div_euclid(HOUR) - began.as_micros().div_euclid(HOUR);
        for level in [LogLevel::Error, LogLevel::Warn] {
            let key = (source.clone(), level);
            counts.insert(key, vec![0.0; usize::try_from(hours).unwrap_or(0)]);
        }
    }
    let rows = read(
        client,
        "log_metrics_hourly",
        include_str!("hours.sql"),
        span,
        |row| {
            let key = (row.try_get("source")?, level(row)?);
            let (ago, lines): (Vec<i32>, Vec<i64>) = (row.try_get("ago")?, row.try_get("counts")?);
            Ok((key, ago, lines))
        },
    );
    for (key, ago, lines) in rows.await? {
        let Some(hours) = counts.get_mut(&key) else {
            continue;
        };
        for (ago, lines) in ago.into_iter().zip(lines) {
            let place = usize::try_from(ago)
                .ok()
                .and_then(|ago| hours.len().checked_sub(ago));
            if let Some(slot) = place.and_then(|place| hours.get_mut(place)) {
                *slot = lines as f64;
            }
        }
    }
    Ok(counts)
}

/// Reads errors and warnings of the last five minutes.
pub(super) async fn recent(
    client: &Client,
    host_id: i32,
    at: Timestamp,
) -> Result<Vec<Recent>, ReadError> {
    let span = (host_id, at.as_micros() - WINDOW, at.as_micros());
    read(
        client,
        "log_entries",
        include_str!("recent.sql"),
        span,
        |row| {
            Ok(Recent {
                source: row.try_get("source")?,
                level: level(row)?,
                lines: row.try_get("lines")?,
                span: (instant(row, "first")?, instant(row, "last")?),
                pattern: row.try_get("pattern")?,
            })
        },
    )
    .await
}

/// Reads patterns with lines in the last hour.
pub(super) async fn patterns(
    client: &Client,
    host_id: i32,
    at: Timestamp,
) -> Result<Vec<RecentPattern>, ReadError> {
    let span = (host_id, at.as_micros() - BACK, at.as_micros());
    read(
        client,
        "log_patterns",
        include_str!("patterns.sql"),
        span,
        |row| {
            Ok(RecentPattern {
                fingerprint: row.try_get("fingerprint")?,
                source: row.try_get("source")?,
                level: level(row)?,
                template: row.try_get("template")?,
                sample: row.try_get("sample")?,
                topic: row.try_get("topic")?,
                first: instant(row, "first")?,
                lines: row.try_get("lines")?,
                per_hour: row.try_get("per_hour")?,
                recent: row.try_get("recent")?,
                since: instant(row, "since")?,
                last: instant(row, "last")?,
            })
        },
    )
    .await
}

/// Reads security events of the last hour.
pub(super) async fn events(
    client: &Client,
    host_id: i32,
    at: Timestamp,
) -> Result<Vec<Event>, ReadError> {
    let span = (host_id, at.as_micros() - BACK, at.as_micros());
    read(
        client,
        "security_events",
        include_str!("events.sql"),
        span,
        |row| {
            Ok(Event {
                event_type: row.try_get("event_type")?,
                target: row.try_get("target")?,
                source: row.try_get("source")?,
                severity: Severity::parse(row.try_get("severity")?).unwrap_or(Severity::Info),
                count: row.try_get("count")?,
                span: (instant(row, "first")?, instant(row, "last")?),
                details: row.try_get("details")?,
            })
        },
    )
    .await
}

/// Reads sources with lines of the last hour that fit no head of their parser.
pub(super) async fn sources(
    client: &Client,
    host_id: i32,
    at: Timestamp,
) -> Result<Vec<Source>, ReadError> {
    let span = (host_id, at.as_micros() - HOUR, at.as_micros() + 1);
    read(
        client,
        "log_sources_raw",
        include_str!("sources.sql"),
        span,
        |row| {
            let read: Option<Instant> = row.try_get("read")?;
            Ok(Source {
                source: row.try_get("source")?,
                parser: row.try_get("parser")?,
                configured: row.try_get("configured")?,
                lines: row.try_get("lines")?,
                unread: row.try_get("unread")?,
                span: (instant(row, "first")?, instant(row, "last")?),
                read: read.map(|read| read.0),
            })
        },
    )
    .await
}

/// Reads lines that were lost, as long as their findings stay open.
pub(super) async fn losses(
    client: &Client,
    host_id: i32,
    at: Timestamp,
) -> Result<Vec<Loss>, ReadError> {
    let back = i64::from(LOST.life.clear_secs) * SECOND;
    let span = (host_id, at.as_micros() - back, at.as_micros() + 1);
    read(client, "data_gaps", include_str!("lost.sql"), span, |row| {
        Ok(Loss {
            reason: row.try_get("reason")?,
            gaps: row.try_get("gaps")?,
            span: (instant(row, "first")?, instant(row, "last")?),
        })
    })
    .await
}
