//! `GET alerts`: findings in numbers, as lanes of time, and the heartbeats of the collector.
//!
//! The rows themselves are the table `findings`, and the history of one the table `finding_history`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use schema::finding::Kind;
use schema::micros::{HOUR, SECOND};
use schema::{Severity, Timestamp};
use store::alerts::{Alert, State, active, ended, flapping, list};
use store::series::{Instant, ReadError};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};
use words::round;

use super::Params;
use crate::answers::Answer;
use crate::app::App;
use crate::error::ApiError;
use crate::hosts::Host;
use crate::range::{Grid, Range, instant, range};
use crate::wire::alerts::{
    AlertBar, AlertCount, AlertLane, AlertsAnswer, EndedAlert, FlappingAlert, HeartbeatStrip,
    SeverityChange,
};

/// Most lanes of an answer.
const LANES: usize = 60;
/// About so many buckets of heartbeats.
const BUCKETS: i64 = 120;
/// Least heartbeats that a bucket should have room for.
const LEAST_HEARTBEATS: i64 = 4;
/// Seconds between two heartbeats where the collector does not report its setting.
const HEARTBEAT_SECS: f64 = 5.0;

/// What a request asks for.
struct Question {
    kinds: Vec<&'static str>,
    range: Range,
    today: Timestamp,
    now: Timestamp,
}

/// Answers `GET alerts`.
///
/// # Errors
/// When a parameter does not parse or the database does not answer.
pub async fn alerts(app: &App, params: &Params) -> Result<Answer, ApiError> {
    let question = Question::parse(app, params)?;
    let host = app.host(params.get("host")).await?;
    let Some(host) = host.as_ref() else {
        return Answer::new(&AlertsAnswer::default());
    };
    let mut key = format!("alerts {}", params.question(&["host"]));
    // Findings change between samples.
    let since = question.now.as_millis() / 10_000;
    let _infallible = write!(key, " {} {since}", host.stamp());
    let answer = app.answers.get(key, async || {
        let question = &question;
        let read = app.database.read("alerts", |session| async move {
            read(&session.client, host, question).await
        });
        Answer::new(&read.await?)
    });
    answer.await
}

impl Question {
    fn parse(app: &App, params: &Params) -> Result<Self, ApiError> {
        let now = app.now();
        let all = Kind::ALL.map(Kind::as_str);
        let mut kinds = Vec::new();
        for (_, value) in params.iter().filter(|(name, _)| *name == "kind") {
            let kind = all.into_iter().find(|kind| *kind == value);
            let unknown = || ApiError::bad("kind", "is alert, insight or recommendation");
            kinds.push(kind.ok_or_else(unknown)?);
        }
        if kinds.is_empty() {
            kinds = all.to_vec();
        }
        let today = match params.get("today") {
            Some(text) => instant("today", text, now)?,
            None => start_of_day(now, &app.settings.zone),
        };
        Ok(Self {
            kinds,
            range: range(params.get("from"), params.get("to"), now)?,
            today,
            now,
        })
    }
}

/// Returns the start of the day of an instant in a zone.
fn start_of_day(at: Timestamp, zone: &jiff::tz::TimeZone) -> Timestamp {
    let start = jiff::Timestamp::from_microsecond(at.as_micros())
        .and_then(|at| at.to_zoned(zone.clone()).start_of_day());
    start.map_or(at, |start| Timestamp(start.timestamp().as_microsecond()))
}

async fn read(
    client: &Client,
    host: &Host,
    question: &Question,
) -> Result<AlertsAnswer, ReadError> {
    let Range { from, to } = question.range;
    let (found, mut answer, last, flapping, heartbeats) = tokio::try_join!(
        list(client, host.id, (from, to), question.now),
        totals(client, host.id, question),
        last(client, host.id, question),
        come_and_go(client, host.id, question),
        heartbeats(client, host, question),
    )?;
    let shown: Vec<Alert> = found
        .into_iter()
        .filter(|alert| question.kinds.contains(&&*alert.kind))
        .collect();
    let changes = changes(client, host.id, question.range, &shown).await?;
    let mut lanes = lanes(&shown, &changes);
    answer.more_lanes = lanes.len().saturating_sub(LANES);
    lanes.truncate(LANES);
    answer.lanes = lanes;
    answer.last = last;
    answer.flapping = flapping;
    answer.heartbeats = heartbeats;
    Ok(answer)
}

/// Runs a statement about a host, whose number is its first parameter.
async fn rows(
    client: &Client,
    host_id: i32,
    sql: &str,
    more: &[(&(dyn ToSql + Sync), Type)],
) -> Result<Vec<Row>, ReadError> {
    let mut params: Vec<(&(dyn ToSql + Sync), Type)> = vec![(&host_id, Type::INT4)];
    params.extend(more.iter().cloned());
    let rows = client.query_typed(sql, &params).await;
    rows.map_err(fault)
}

fn fault(source: tokio_postgres::Error) -> ReadError {
    ReadError::new("alerts", source)
}

fn severity(word: &str) -> Severity {
    Severity::parse(word).unwrap_or_default()
}

/// Returns an answer with the numbers alone.
async fn totals(
    client: &Client,
    host_id: i32,
    question: &Question,
) -> Result<AlertsAnswer, ReadError> {
    let (from, to) = (Instant(question.range.from), Instant(question.range.to));
    let today = Instant(question.today);
    let more: [(&(dyn ToSql + Sync), Type); 4] = [
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&today, Type::TIMESTAMPTZ),
        (&question.kinds, Type::TEXT_ARRAY),
    ];
    let sql = include_str!("../sql/alert_totals.sql");
    let (active, resolved) = tokio::try_join!(
        active(client, host_id, question.now, &question.kinds),
        rows(client, host_id, sql, &more),
    )?;
    let mut answer = AlertsAnswer::default();
    let count = |severity, state: State, count| AlertCount {
        severity,
        state: state.as_str().to_owned(),
        count,
    };
    let counts = active.iter();
    answer
        .counts
        .extend(counts.map(|one| count(one.severity, one.state, one.count)));
    let mut secs = 0.0;
    for row in &resolved {
        let severity = severity(row.try_get("severity").map_err(fault)?);
        let today: i64 = row.try_get("today").map_err(fault)?;
        if today > 0 {
            answer.counts.push(count(severity, State::Resolved, today));
        }
        // What is only worth knowing is not repaired.
        if severity.is_problem() {
            answer.resolved += row.try_get::<_, i64>("resolved").map_err(fault)?;
            secs += row.try_get::<_, f64>("secs").map_err(fault)?;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of findings")]
    let mean = secs / answer.resolved as f64;
    answer.mean_secs = (answer.resolved > 0).then(|| round(mean));
    Ok(answer)
}

/// Returns the alert that ended last.
async fn last(
    client: &Client,
    host_id: i32,
    question: &Question,
) -> Result<Option<EndedAlert>, ReadError> {
    let ended = ended(client, host_id, Timestamp::default(), &question.kinds, 1).await?;
    let last = ended.first().and_then(|alert| {
        Some(EndedAlert {
            id: alert.id.to_string(),
            title: alert.sentence(),
            at_ms: alert.resolved_at?.as_millis(),
            secs: round(seconds(alert.duration(question.now))),
        })
    });
    Ok(last)
}

async fn come_and_go(
    client: &Client,
    host_id: i32,
    question: &Question,
) -> Result<Vec<FlappingAlert>, ReadError> {
    let now = question.now.as_micros();
    let hour = (Timestamp(now - HOUR), Timestamp(now + 1));
    let found = flapping(client, host_id, hour, &question.kinds).await?;
    let each = |(alert, times): (Alert, i64)| FlappingAlert {
        id: alert.id.to_string(),
        title: alert.sentence(),
        severity: alert.worst,
        times,
    };
    Ok(found.into_iter().map(each).collect())
}

/// Changes of severity by rule and target, the oldest first.
type Changes = HashMap<(String, String), Vec<(Timestamp, Severity)>>;

/// Reads the changes of those that have a lane.
async fn changes(
    client: &Client,
    host_id: i32,
    range: Range,
    shown: &[Alert],
) -> Result<Changes, ReadError> {
    let mut seen = HashSet::new();
    let (rules, targets): (Vec<&str>, Vec<&str>) = shown
        .iter()
        .map(|alert| (alert.rule.as_str(), alert.target.as_str()))
        .filter(|key| seen.insert(*key))
        .take(LANES)
        .unzip();
    let (from, to) = (Instant(range.from), Instant(range.to));
    let more: [(&(dyn ToSql + Sync), Type); 4] = [
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&rules, Type::TEXT_ARRAY),
        (&targets, Type::TEXT_ARRAY),
    ];
    let sql = include_str!("../sql/alert_changes.sql");
    let mut changes = Changes::new();
    for row in rows(client, host_id, sql, &more).await? {
        let key = (
            row.try_get("rule").map_err(fault)?,
            row.try_get("target").map_err(fault)?,
        );
        let at: Instant = row.try_get("at").map_err(fault)?;
        let severity = severity(row.try_get("severity").map_err(fault)?);
        changes.entry(key).or_default().push((at.0, severity));
    }
    Ok(changes)
}

/// Groups findings by rule and target, in the order of the first of each.
fn lanes(found: &[Alert], changes: &Changes) -> Vec<AlertLane> {
    let mut lanes: Vec<AlertLane> = Vec::new();
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    for alert in found {
        let known = changes.get(&(alert.rule.clone(), alert.target.clone()));
        let bar = bar(alert, known.map_or(&[], Vec::as_slice));
        let place = *places
            .entry((&alert.rule, &alert.target))
            .or_insert(lanes.len());
        if let Some(lane) = lanes.get_mut(place) {
            lane.worst = lane.worst.max(alert.worst);
            lane.bars.push(bar);
            continue;
        }
        lanes.push(AlertLane {
            rule: alert.rule.clone(),
            target: alert.subject().to_owned(),
            title: alert.sentence(),
            kind: alert.kind.clone(),
            domain: alert.domain.clone(),
            state: alert.state().as_str().to_owned(),
            severity: alert.severity,
            worst: alert.worst,
            bars: vec![bar],
        });
    }
    for lane in &mut lanes {
        lane.bars
            .sort_by_key(|bar| std::cmp::Reverse(bar.opened_ms));
    }
    lanes
}

/// Returns the life of a finding. What is not known of its severities is its worst one.
fn bar(alert: &Alert, known: &[(Timestamp, Severity)]) -> AlertBar {
    let end = alert.resolved_at.unwrap_or(Timestamp(i64::MAX));
    let within = known
        .iter()
        .filter(|(at, _)| (alert.opened_at..=end).contains(at));
    let mut changes: Vec<SeverityChange> = Vec::new();
    for &(at, severity) in within {
        if changes.last().is_some_and(|last| last.severity == severity) {
            continue;
        }
        // The first transition may be stored some time after the condition began.
        let at = if changes.is_empty() {
            alert.opened_at
        } else {
            at
        };
        changes.push(SeverityChange {
            at_ms: at.as_millis(),
            severity,
        });
    }
    if changes.is_empty() {
        changes.push(SeverityChange {
            at_ms: alert.opened_at.as_millis(),
            severity: alert.worst,
        });
    }
    AlertBar {
        id: alert.id.to_string(),
        opened_ms: alert.opened_at.as_millis(),
        resolved_ms: alert.resolved_at.map(Timestamp::as_millis),
        unknown_ms: alert.unknown_since.map(Timestamp::as_millis),
        changes,
    }
}

async fn heartbeats(
    client: &Client,
    host: &Host,
    question: &Question,
) -> Result<Vec<HeartbeatStrip>, ReadError> {
    #[expect(clippy::cast_possible_truncation, reason = "a few seconds")]
    let least = LEAST_HEARTBEATS * HEARTBEAT_SECS as i64 * SECOND;
    let grid = question.range.grid(BUCKETS, least);
    let (from, to) = (Instant(grid.start), Instant(question.range.to));
    let step = seconds(grid.step);
    let more: [(&(dyn ToSql + Sync), Type); 3] = [
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&step, Type::FLOAT8),
    ];
    let found = rows(
        client,
        host.id,
        include_str!("../sql/heartbeats.sql"),
        &more,
    )
    .await?;
    let mut counts: BTreeMap<String, HashMap<i32, i64>> = BTreeMap::new();
    // A collector without a single heartbeat is a component, too.
    counts.entry("collector".to_owned()).or_default();
    let mut every = HEARTBEAT_SECS;
    for row in &found {
        let secs: Option<f64> = row.try_get("every_secs").map_err(fault)?;
        every = secs.filter(|secs| *secs > 0.0).unwrap_or(every);
        let Some(component) = row.try_get("component").map_err(fault)? else {
            continue;
        };
        let bucket = row.try_get("bucket").map_err(fault)?;
        let count = row.try_get("heartbeats").map_err(fault)?;
        counts.entry(component).or_default().insert(bucket, count);
    }
    let first = host.first_start.unwrap_or(question.now);
    let end = question.range.to.min(question.now);
    let each = |(component, counts): (String, HashMap<i32, i64>)| HeartbeatStrip {
        component,
        t0_ms: grid.start.as_millis(),
        step_ms: grid.step / 1000,
        every_secs: every,
        shares: shares(grid, (first, end), every, &counts),
    };
    Ok(counts.into_iter().map(each).collect())
}

#[expect(clippy::cast_precision_loss, reason = "a span of at most years")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// Returns the share of the expected heartbeats in each bucket of a grid; `None` for a bucket with no room for one within
/// `span`.
#[expect(clippy::cast_precision_loss, reason = "heartbeats within a bucket")]
fn shares(
    grid: Grid,
    (first, end): (Timestamp, Timestamp),
    every_secs: f64,
    counts: &HashMap<i32, i64>,
) -> Vec<Option<f64>> {
    (0i32..)
        .take(grid.n)
        .map(|bucket| {
            let start = grid.start.as_micros() + i64::from(bucket) * grid.step;
            let from = start.max(first.as_micros());
            let until = (start + grid.step).min(end.as_micros());
            // The newest heartbeat is due, but may not be stored yet.
            let expected = (seconds(until - from) / every_secs).floor()
                - f64::from(u8::from(until < start + grid.step));
            let found = counts.get(&bucket).copied().unwrap_or(0) as f64;
            (expected >= 1.0).then(|| (round(found / expected)).min(1.0))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_time_that_the_collector_could_report_in() {
        let grid = Grid {
            start: Timestamp(0),
            step: 20 * SECOND,
            n: 5,
        };
        let counts = HashMap::from([(1, 4), (2, 2), (3, 9)]);
        let span = (Timestamp(20 * SECOND), Timestamp(85 * SECOND));
        assert_eq!(
            shares(grid, span, 5.0, &counts),
            [None, Some(1.0), Some(0.5), Some(1.0), None],
            "before its start and where the only heartbeat may still come nothing is known"
        );
        let none = shares(grid, span, 5.0, &HashMap::new());
        assert_eq!(none[1..4], [Some(0.0); 3]);
    }
}
