//! `GET batch`: the questions of one refresh in one request.
//!
//! `q` is the path and query of a question below `api/v1/`, the `t` after it is the tag of the answer that the client
//! has. Each is answered as it would be alone, by the same handlers: status, tag and body, or 304
//! without a body. So a view refreshes with two requests, of its state and of everything else, whose
//! answers are packed together.
//!
//! A slow question must not delay the others: one without an answer within [`PATIENCE`] is answered
//! 202, which means *ask it alone*. Its read continues in the meantime, and equal questions share it.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::api::Params;
use crate::error::ApiError;

/// Questions in one batch; a view has about twenty panels.
const MOST: usize = 24;
/// How long a batch waits for each answer. A cached series takes some milliseconds.
const PATIENCE: Duration = Duration::from_millis(400);
/// Longest answer, bytes. The longest in practice, a page of log lines, has some hundred kilobytes.
const LONGEST: usize = 8 * 1024 * 1024;

/// The answer.
#[derive(Debug, Serialize)]
struct BatchAnswer {
    /// In the order of the questions.
    answers: Vec<Part>,
}

/// The answer to one question.
#[derive(Debug, Serialize)]
struct Part {
    /// As if it had been asked alone; 202 when it has to be.
    status: u16,
    /// Its entity tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    /// JSON; absent with 202 and 304.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
}

impl Part {
    fn bare(status: StatusCode) -> Self {
        Self {
            status: status.as_u16(),
            tag: None,
            body: None,
        }
    }
}

/// A question with the tag that the client has.
#[derive(Debug)]
struct BatchQuery {
    path: String,
    tag: Option<HeaderValue>,
}

/// Answers every question of a batch through `api`, whose routes are the paths of questions.
///
/// # Errors
/// When there is no question, too many, or one that is not a path.
pub(crate) async fn batch(api: Router, query: Option<&str>) -> Result<Response, ApiError> {
    let questions = questions(&Params::parse(query)?)?;
    let mut parts: Vec<Part> = questions
        .iter()
        .map(|_| Part::bare(StatusCode::ACCEPTED))
        .collect();
    let mut running = JoinSet::new();
    for (at, question) in questions.into_iter().enumerate() {
        let api = api.clone();
        running.spawn(async move { (at, ask(api, question).await) });
    }
    let all = async {
        while let Some(done) = running.join_next().await {
            match done {
                Ok((at, part)) => parts[at] = part,
                Err(error) => tracing::error!(%error, "a question of a batch was not answered"),
            }
        }
    };
    if tokio::time::timeout(PATIENCE, all).await.is_err() {
        running.detach_all();
    }
    let text = serde_json::to_string(&BatchAnswer { answers: parts }).map_err(|error| {
        tracing::error!(%error, "a batch cannot be serialised");
        ApiError::Internal
    })?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text).into_response())
}

fn questions(params: &Params) -> Result<Vec<BatchQuery>, ApiError> {
    let mut questions: Vec<BatchQuery> = Vec::new();
    for (name, value) in params.iter() {
        match name {
            "q" if questions.len() == MOST => {
                return Err(ApiError::bad("q", "occurs more than 24 times"));
            }
            "q" => questions.push(BatchQuery {
                path: value.to_owned(),
                tag: None,
            }),
            "t" => {
                let question = questions.last_mut();
                let question = question.ok_or(ApiError::bad("t", "must follow its q"))?;
                let tag = HeaderValue::from_str(value);
                question.tag = Some(tag.map_err(|_| ApiError::bad("t", "is not a tag"))?);
            }
            _ => return Err(ApiError::bad("batch", "knows only q and t")),
        }
    }
    if questions.is_empty() {
        return Err(ApiError::bad("q", "is missing"));
    }
    Ok(questions)
}

async fn ask(api: Router, question: BatchQuery) -> Part {
    let mut request = Request::get(format!("/{}", question.path));
    if let Some(tag) = question.tag {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    let Ok(request) = request.body(Body::empty()) else {
        return Part::bare(StatusCode::BAD_REQUEST);
    };
    let response = match api.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let status = response.status();
    let tag = response.headers().get(header::ETAG);
    let tag = tag.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    if status == StatusCode::NOT_MODIFIED {
        return Part {
            tag,
            ..Part::bare(status)
        };
    }
    let body = match to_bytes(response.into_body(), LONGEST).await {
        Ok(body) => String::from_utf8(body.into()).ok(),
        Err(_) => None,
    };
    match body.map(RawValue::from_string) {
        Some(Ok(body)) => Part {
            status: status.as_u16(),
            tag,
            body: Some(body),
        },
        // Not JSON (a CSV) or too long for a batch.
        _ => Part::bare(StatusCode::ACCEPTED),
    }
}
