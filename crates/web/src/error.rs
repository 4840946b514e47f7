//! One envelope for every status from 400 on.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::database::Failure;
use crate::wire::error::{ErrorAnswer, ErrorBody};

/// Why a request is not answered with 200.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// A parameter does not parse; the message names it.
    #[error("{0}")]
    BadRequest(String),
    /// No such view, table, metric or host. The text is constant: nothing of the request is in it.
    #[error("{0}")]
    NotFound(&'static str),
    /// Only GET and HEAD are answered.
    #[error("only GET is answered here")]
    Method,
    /// The `Host` header is not one this server answers to.
    #[error("this server does not answer to that host name")]
    ForeignHost,
    /// The store cannot be reached.
    #[error("{message}")]
    Unreachable {
        /// Since when, milliseconds since the epoch.
        since_ms: i64,
        /// A sentence.
        message: String,
    },
    /// Every place of an event stream is taken.
    #[error("too many pages listen for events; ask again every few seconds instead")]
    TooManyStreams,
    /// This one question took longer than its budget.
    #[error("this question took too long; ask for a shorter range")]
    Timeout,
    /// Opaque; the cause was logged.
    #[error("something went wrong; the server's log says what")]
    Internal,
}

impl ApiError {
    /// A parameter that does not parse.
    pub fn bad(name: &str, problem: &str) -> Self {
        Self::BadRequest(format!("parameter {name}: {problem}"))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Unreachable { .. } | Self::TooManyStreams => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::NotFound(_) => "not_found",
            Self::Method => "method_not_allowed",
            Self::ForeignHost => "foreign_host",
            Self::Unreachable { .. } => "database_unreachable",
            Self::TooManyStreams => "too_many_streams",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
        }
    }
}

/// Why a question has no answer, told apart by whom it concerns: an answer from memory may stand in
/// for what the database does not say, never for a question that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The question is wrong.
    Asker(ApiError),
    /// The database gave no answer.
    Database(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Database(failure)
    }
}

impl From<Trouble> for ApiError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Asker(error) => error,
            Trouble::Database(failure) => failure.into(),
        }
    }
}

impl From<Failure> for ApiError {
    /// Logs what stays opaque; once, here.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unreachable { since, message } => Self::Unreachable {
                since_ms: since.as_millis(),
                message,
            },
            Failure::Timeout { what } => {
                tracing::warn!(what, "a question took longer than its budget");
                Self::Timeout
            }
            Failure::Refused { what, cause } => {
                tracing::error!(what, cause, "a question failed");
                Self::Internal
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let since_ms = match &self {
            Self::Unreachable { since_ms, .. } => Some(*since_ms),
            _ => None,
        };
        let answer = ErrorAnswer {
            error: ErrorBody {
                code: self.code(),
                message: self.to_string(),
                since_ms,
            },
        };
        // Two strings and a number cannot fail to serialise.
        let body = serde_json::to_string(&answer).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (self.status(), kind, body).into_response();
        if self == Self::TooManyStreams {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
            // Its place is wanted.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
