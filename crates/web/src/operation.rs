//! What a supervisor of this server asks: is it alive, can it answer, and its figures.
//!
//! | address | answer |
//! |---|---|
//! | `healthz` | 200 while the loop runs; asks nobody |
//! | `readyz` | 200 when the database answers within [`READY_WITHIN`] and its schema fits; 503 with the reason otherwise |
//! | `metrics` | figures in the text format of Prometheus, of this program and of every host that it knows |
//!
//! They are below the base path and, where that is not `/`, at the root too, where supervisors look for them. They answer under the names
//! of this server only, like every other request. `metrics` never waits for a database that is away: what is known of hosts is
//! then left out, and `pqcrypta_monitor_database_up` says why.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use exposition::Page;
use std::time::{Duration, Instant};
use store::migrations;
use store::series::ReadError;

use crate::app::App;
use crate::database::Failure;

/// How long the database may take for the answer of `readyz`.
const READY_WITHIN: Duration = Duration::from_secs(5);
/// How long `metrics` waits for the database: a scrape has little patience, and the figures of this server are in memory.
const FIGURES_WITHIN: Duration = Duration::from_millis(80);
/// How old what `metrics` says about hosts may be.
const FIGURES_AGE: Duration = Duration::from_secs(5);

const TEXT: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
const FIGURES: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, exposition::CONTENT_TYPE)];

/// Counts the request that passes. An event stream counts until it begins.
pub(crate) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    app.requests
        .count(route, response.status().as_u16(), begun.elapsed());
    response
}

/// Answers that the loop runs.
pub(crate) async fn healthz() -> Response {
    (StatusCode::OK, TEXT, "ok\n").into_response()
}

/// Answers whether questions can be answered.
pub(crate) async fn readyz(State(app): State<App>) -> Response {
    let fits = app.database.read("schema", |session| async move {
        Ok::<_, ReadError>(migrations::check(&session.client).await)
    });
    let problem = match tokio::time::timeout(READY_WITHIN, fits).await {
        Ok(Ok(Ok(_))) => return (StatusCode::OK, TEXT, "ready\n").into_response(),
        Ok(Ok(Err(schema))) => schema.to_string(),
        Ok(Err(Failure::Unreachable { message, .. })) => message,
        Ok(Err(_)) | Err(_) => "the database does not answer in time".to_owned(),
    };
    let problem = format!("{problem}\n");
    (StatusCode::SERVICE_UNAVAILABLE, TEXT, problem).into_response()
}

/// Answers the figures.
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let mut page = Page::default();
    page.build("pqcrypta-monitor", env!("CARGO_PKG_VERSION"));
    exposition::process::write(&mut page);
    app.requests
        .write(&mut page, "pqcrypta_monitor_request_duration_seconds");
    let hosts = tokio::time::timeout(FIGURES_WITHIN, app.hosts_within(FIGURES_AGE)).await;
    let is_up = matches!(hosts, Ok(Ok(_)));
    page.one(
        "pqcrypta_monitor_database_up",
        "Whether the database answered this scrape; without it nothing is said about hosts.",
        f64::from(u8::from(is_up)),
    );
    page.one(
        "pqcrypta_monitor_event_streams",
        "Open event streams, one for each page that is looked at.",
        f64::from(u32::try_from(app.hints.listeners()).unwrap_or(u32::MAX)),
    );
    if let Ok(Ok(hosts)) = hosts {
        page.family(
            "pqcrypta_collector_up",
            "gauge",
            "Whether the newest sample of the host is at most three intervals old.",
        );
        let now = app.now();
        for host in hosts.iter() {
            let age = app.age(host, now);
            let is_fresh = age.is_some_and(|age| age <= 3 * host.interval);
            let up = f64::from(u8::from(is_fresh));
            page.sample("pqcrypta_collector_up", &[("host", &host.name)], up);
        }
        page.family(
            "pqcrypta_collector_last_sample_timestamp_seconds",
            "gauge",
            "The instant of the newest sample of the host.",
        );
        for host in hosts.iter() {
            if let Some(newest) = host.newest {
                page.sample(
                    "pqcrypta_collector_last_sample_timestamp_seconds",
                    &[("host", &host.name)],
                    newest.as_micros() as f64 / 1e6,
                );
            }
        }
        if let Some(open) = open_findings(&app).await {
            page.family(
                "pqcrypta_findings_open",
                "gauge",
                "Open, confirmed alerts of the host by severity.",
            );
            for (host, severity, count) in open {
                page.sample(
                    "pqcrypta_findings_open",
                    &[("host", &host), ("severity", &severity)],
                    count as f64,
                );
            }
        }
    }
    (StatusCode::OK, FIGURES, page.finish()).into_response()
}

/// Reads the open alerts of each host by severity; `None` when the database takes too long.
async fn open_findings(app: &App) -> Option<Vec<(String, String, i64)>> {
    let read = app.database.read("open findings", |session| async move {
        let rows = session
            .client
            .query_typed(include_str!("sql/open_findings.sql"), &[])
            .await
            .map_err(|source| ReadError::new("open findings", source))?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| ReadError::new("open findings", source))
    });
    let read = tokio::time::timeout(FIGURES_WITHIN, read).await;
    read.ok()?.ok()
}
