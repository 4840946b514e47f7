//! `GET snapshot`: what happened at an instant, as JSON, as Markdown or as a file; `GET compare`: what differs between two
//! ranges; `GET bands`: what is usual, behind a chart.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schema::Timestamp;
use schema::micros::HOUR;
use snapshot::{Question, Share, Window, evidence, render};
use store::{alerts, baselines};
use words::round;

use super::{Params, params};
use crate::answers::Answer;
use crate::app::App;
use crate::error::ApiError;
use crate::hosts::Host;
use crate::range::{Range, instant, range};
use crate::wire::snapshot::{Band, BandsAnswer, CompareAnswer, SnapshotAnswer};

/// Minutes on each side unless asked for.
const MINUTES: i64 = 10;

/// The forms of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Markdown,
    File,
}

/// Answers `GET snapshot`.
///
/// # Errors
/// When a parameter does not parse, the finding does not exist, or the link to the database fails.
pub async fn snapshot(
    app: &App,
    asked: &Params,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let now = app.now();
    let form = match asked.get("format") {
        None | Some("json") => Form::Json,
        Some("markdown") => Form::Markdown,
        Some("file") => Form::File,
        Some(_) => return Err(ApiError::bad("format", "is json, markdown or file")),
    };
    let host = app.host(asked.get("host")).await?;
    let Some(host) = host.as_ref() else {
        return Ok(Answer::new(&SnapshotAnswer::default())?.respond(headers, now));
    };
    let question = question(app, asked, host, now).await?;
    if form == Form::Json {
        let mut key = format!("snapshot {}", asked.question(&["host", "at"]));
        // Findings and lines arrive between samples.
        let since = now.as_millis() / 10_000;
        let at = question.window.at.as_micros();
        let _infallible = write!(key, " {} {at} {since}", host.stamp());
        let answer = app.answers.get(key, async || {
            let snapshot = Some(read(app, host, &question).await?);
            Answer::new(&SnapshotAnswer {
                now_ms: 0,
                snapshot,
            })
        });
        return Ok(answer.await?.respond(headers, now));
    }
    let snapshot = read(app, host, &question).await?;
    if form == Form::Markdown {
        let text = render::markdown(&snapshot, &app.settings.zone);
        let kind = HeaderValue::from_static("text/markdown; charset=utf-8");
        return Ok(([(header::CONTENT_TYPE, kind)], text).into_response());
    }
    file(app, host, &question, snapshot).await
}

async fn question(
    app: &App,
    asked: &Params,
    host: &Host,
    now: Timestamp,
) -> Result<Question, ApiError> {
    let finding: Option<i64> = match asked.get("finding") {
        Some(id) => Some(
            id.parse()
                .map_err(|_| ApiError::bad("finding", "not a number"))?,
        ),
        None => None,
    };
    let at = match (asked.get("at"), finding) {
        (Some(at), _) => instant("at", at, now)?,
        (None, Some(id)) => opened(app, host, id).await?,
        (None, None) => return Err(ApiError::bad("at", "is missing")),
    };
    let (least, most) = snapshot::LIMITS;
    let minutes = |name| asked.within(name, MINUTES, least, most);
    let metric = match asked.get("metric") {
        Some(text) => Some(metric(text)?),
        None => None,
    };
    Ok(Question {
        window: Window::new(at, minutes("before")?, minutes("after")?),
        now,
        finding,
        metric,
    })
}

/// Returns when a finding was opened.
async fn opened(app: &App, host: &Host, id: i64) -> Result<Timestamp, ApiError> {
    let read = app.database.read("a finding", |session| async move {
        alerts::one(&session.client, host.id, id).await
    });
    let found = read.await?;
    found
        .map(|alert| alert.opened_at)
        .ok_or(ApiError::NotFound("no such finding"))
}

/// Parses `id` or `id@key`.
fn metric(text: &str) -> Result<(&'static schema::Metric, Option<String>), ApiError> {
    let (id, key) = match text.split_once('@') {
        Some((id, key)) => {
            let bad = || ApiError::bad("metric", "has a key that is not percent-encoded UTF-8");
            (id, Some(params::decode(key, false).ok_or_else(bad)?))
        }
        None => (text, None),
    };
    let metric = schema::metric(id).ok_or(ApiError::NotFound("no such metric"))?;
    Ok((metric, key))
}

/// Returns a host as the assembly knows it.
fn subject(host: &Host) -> snapshot::Host {
    snapshot::Host {
        id: host.id,
        name: host.name.clone(),
        tick: host.interval,
        interval: host.interval.max(host.app_interval),
        raw_from: host.raw_from,
        hours_from: host.hours_from,
    }
}

async fn read(app: &App, host: &Host, question: &Question) -> Result<snapshot::Snapshot, ApiError> {
    let subject = &subject(host);
    // Three sessions, as one would take twice as long on two cores.
    let first = app.database.read("snapshot", |session| async move {
        snapshot::parts(&session.client, subject, question).await
    });
    let bulk = |share| {
        app.database.read("snapshot", move |session| async move {
            snapshot::bulk(&session.client, subject, question, share).await
        })
    };
    // One after the other where there is room for one only.
    let (first, slow, dense) = tokio::join!(first, bulk(Share::Slow), bulk(Share::Dense));
    Ok(snapshot::assemble(
        subject,
        question,
        first?,
        slow?.with(dense?),
    ))
}

async fn file(
    app: &App,
    host: &Host,
    question: &Question,
    snapshot: snapshot::Snapshot,
) -> Result<Response, ApiError> {
    let subject = &subject(host);
    let (snapshot, zone) = (&snapshot, &app.settings.zone);
    let read = app.database.read("evidence", |session| async move {
        evidence::evidence(&session.client, subject, question, snapshot.clone(), zone).await
    });
    let text = serde_json::to_string_pretty(&read.await?).map_err(|error| {
        tracing::error!(%error, "a snapshot cannot be serialised");
        ApiError::Internal
    })?;
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let name = format!(
        "attachment; filename=\"snapshot-{}.json\"",
        question.window.at.as_millis() / 1000
    );
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// Answers `GET compare`.
///
/// # Errors
/// When a parameter does not parse or the link to the database fails.
pub async fn compare(app: &App, asked: &Params) -> Result<Answer, ApiError> {
    let now = app.now();
    let window = range(asked.get("from"), asked.get("to"), now)?;
    let (Some(from), Some(to)) = (asked.get("before_from"), asked.get("before_to")) else {
        return Err(ApiError::bad(
            "before_from",
            "begins the range to compare with, and before_to ends it: both are needed",
        ));
    };
    let before = range(Some(from), Some(to), now).map_err(|error| match error {
        ApiError::BadRequest(text) => {
            ApiError::BadRequest(text.replacen("parameter ", "parameter before_", 1))
        }
        other => other,
    })?;
    let host = app.host(asked.get("host")).await?;
    let Some(host) = host.as_ref() else {
        return Answer::new(&CompareAnswer::default());
    };
    let key = format!("compare {window:?} {before:?} {}", host.stamp());
    let span = |range: Range| (range.from, range.to);
    let (window, before) = (span(window), span(before));
    let subject = &subject(host);
    let answer = app.answers.get(key, async || {
        let read = app.database.read("compare", |session| async move {
            snapshot::compare(&session.client, subject, window, before).await
        });
        Answer::new(&CompareAnswer {
            now_ms: 0,
            comparison: Some(read.await?),
        })
    });
    answer.await
}

/// Most metrics of a request for bands.
const METRICS: usize = 24;
/// Longest range with bands: buckets of longer ones are days.
const LONGEST: i64 = 35 * 24 * HOUR;

/// Answers `GET bands`.
///
/// # Errors
/// When a parameter does not parse or the link to the database fails.
pub async fn bands(app: &App, asked: &Params) -> Result<Answer, ApiError> {
    let now = app.now();
    let Range { from, to } = range(asked.get("from"), asked.get("to"), now)?;
    let mut metrics: Vec<String> = Vec::new();
    let names = asked.get("m").unwrap_or_default();
    if names.split(',').all(str::is_empty) {
        return Err(ApiError::bad("m", "names no metric"));
    }
    for id in names.split(',').filter(|id| !id.is_empty()) {
        let metric = schema::metric(id).ok_or(ApiError::NotFound("no such metric"))?;
        if metrics.len() == METRICS {
            return Err(ApiError::bad("m", "names more than 24 metrics"));
        }
        if metric.scoring.least().is_some() {
            metrics.push(metric.id());
        }
    }
    let first = from.as_micros().div_euclid(HOUR);
    let last = to.as_micros().div_euclid(HOUR);
    let host = app.host(asked.get("host")).await?;
    let Some(host) = host.as_ref() else {
        return Answer::new(&BandsAnswer::default());
    };
    if metrics.is_empty() || to.as_micros() - from.as_micros() > LONGEST {
        return Answer::new(&BandsAnswer::default());
    }
    // Baselines change once an hour.
    let hour = now.as_micros().div_euclid(HOUR);
    let key = format!("bands {metrics:?} {first} {last} {} {hour}", host.id);
    let hours: Vec<Timestamp> = (first..=last).map(|hour| Timestamp(hour * HOUR)).collect();
    let (metrics, hours) = (&metrics, &hours);
    let answer = app.answers.get(key, async || {
        let read = app.database.read("bands", |session| async move {
            baselines::bands(&session.client, host.id, Some(metrics), hours).await
        });
        let bands = read.await?.into_iter().filter_map(band).collect();
        Answer::new(&BandsAnswer { now_ms: 0, bands })
    });
    answer.await
}

/// Returns a band as it is sent; `None` where nothing is known of any hour.
fn band(found: baselines::Band) -> Option<Band> {
    let hour = |hour: &baselines::HourBand| {
        let (low, high) = hour.band?;
        Some((hour.at.as_millis(), round(low), round(high)))
    };
    let hours: Vec<(i64, f64, f64)> = found.hours.iter().filter_map(hour).collect();
    (!hours.is_empty()).then(|| Band {
        metric: found.metric,
        key: Some(found.key).filter(|key| !key.is_empty()),
        hours,
    })
}
