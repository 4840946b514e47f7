//! `GET events`: hints that something is new, never data.
//!
//! While there are listeners, one task polls for new samples every two seconds and notifies all of
//! them; it ends with the last listener.
//!
//! At most thirty-two are open at once, so that most connections of the server are left for requests, and
//! each ends after `STREAM_FOR`: browsers open another, and the resources of a client that disappeared
//! are freed. Further clients are answered with 503 and poll instead.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use schema::Timestamp;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;

use super::Params;
use crate::app::{App, stopped};
use crate::database::Link;
use crate::error::ApiError;
use crate::hints::Hint;

/// Poll interval for new samples.
const POLL_EVERY: Duration = Duration::from_secs(2);
/// Lifetime of a stream.
const STREAM_FOR: Duration = Duration::from_secs(15 * 60);
/// Interval of the comments that keep an idle stream open.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);

#[derive(Serialize)]
struct Tick<'a> {
    newest_ms: Option<i64>,
    generation: &'a str,
}

#[derive(Serialize)]
struct State {
    database: &'static str,
}

fn event<T: Serialize>(name: &str, data: &T) -> Bytes {
    // These structs cannot fail to serialise.
    let data = serde_json::to_string(data).unwrap_or_default();
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

fn word(link: &Link) -> State {
    State {
        database: match link {
            Link::Up => "ok",
            Link::Down { .. } => "unreachable",
        },
    }
}

/// Opens a stream, which ends when the server stops.
///
/// # Errors
/// When the host is not a number, or too many streams are open.
pub fn events(app: &App, params: &Params) -> Result<Response, ApiError> {
    let host = match params.get("host") {
        None => None,
        Some(text) => Some(
            text.parse::<i32>()
                .map_err(|_| ApiError::bad("host", "not a number"))?,
        ),
    };
    let place = Arc::clone(&app.hints.places)
        .try_acquire_owned()
        .map_err(|_| ApiError::TooManyStreams)?;
    let mut hints = app.hints.sender.subscribe();
    let mut link = app.database.watch();
    let mut stop = app.stop.subscribe();
    link.mark_unchanged();
    tokio::spawn(look(app.clone()));
    let ends = tokio::time::Instant::now() + STREAM_FOR;
    let mut first = Some(Bytes::from_static(b"retry: 3000\n: listening\n\n"));
    let stream = async move || -> Option<Result<Bytes, Infallible>> {
        let _place = &place;
        if let Some(first) = first.take() {
            return Some(Ok(first));
        }
        loop {
            let chunk = tokio::select! {
                biased;
                () = stopped(&mut stop) => return None,
                () = tokio::time::sleep_until(ends) => return None,
                changed = link.changed() => {
                    changed.ok()?;
                    event("state", &word(&link.borrow_and_update()))
                }
                hint = hints.recv() => match hint {
                    Ok(hint) if host.is_none_or(|host| host == hint.host_id) => {
                        event("tick", &Tick {
                            newest_ms: hint.newest.map(Timestamp::as_millis),
                            generation: &hint.generation,
                        })
                    }
                    // A missed hint means the same as the next one: fetch again.
                    Ok(_) | Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return None,
                },
                () = tokio::time::sleep(KEEP_ALIVE_EVERY) => Bytes::from_static(b": beat\n\n"),
            };
            return Some(Ok(chunk));
        }
    };
    let stream = futures_util::stream::unfold(stream, |mut next| async move {
        let chunk = next().await?;
        Some((chunk, next))
    });
    Ok(response(Body::from_stream(stream)))
}

fn response(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // A proxy that buffers the stream would delay every hint.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Polls for new samples while there are listeners; one such task at a time.
async fn look(app: App) {
    let Ok(_alone) = app.hints.polling.try_acquire() else {
        return;
    };
    let mut seen: HashMap<i32, Hint> = HashMap::new();
    let mut is_first = true;
    while app.hints.sender.receiver_count() > 0 {
        if let Ok(hosts) = app.hosts_within(Duration::ZERO).await {
            for host in hosts.iter() {
                let hint = Hint {
                    host_id: host.id,
                    newest: host.newest,
                    generation: host.generation.clone(),
                };
                let is_new = seen.get(&host.id) != Some(&hint);
                if is_new && !is_first {
                    // The head of the loop ends the task when there are no listeners.
                    let _listeners = app.hints.sender.send(hint.clone());
                }
                seen.insert(host.id, hint);
            }
            is_first = false;
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
}
