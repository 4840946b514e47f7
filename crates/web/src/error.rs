//! The envelope of every status from 400 on.

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
        /// The reason, as a sentence.
        message: String,
    },
    /// All event streams are in use.
    #[error("too many event streams are open; poll every few seconds instead")]
    TooManyStreams,
    /// The request timed out.
    #[error("the query timed out; ask for a shorter range")]
    Timeout,
    /// Opaque; the cause was logged.
    #[error("internal error; see the server's log")]
    Internal,
}

impl ApiError {
    /// Returns the error of a parameter that does not parse.
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

/// Why a request has no answer. The last known answer may replace one that the database does not give,
/// but never hides an invalid request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The request is invalid.
    Request(ApiError),
    /// The database did not answer.
    Database(Failure),
}

impl From<Failure> for RequestError {
    fn from(failure: Failure) -> Self {
        Self::Database(failure)
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Request(error) => error,
            RequestError::Database(failure) => failure.into(),
        }
    }
}

impl From<Failure> for ApiError {
    /// Logs the cause of errors that are opaque to the client.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unreachable { since, message } => Self::Unreachable {
                since_ms: since.as_millis(),
                message,
            },
            Failure::Timeout { what } => {
                tracing::warn!(what, "a query timed out");
                Self::Timeout
            }
            Failure::Refused { what, cause } => {
                tracing::error!(what, cause, "a query failed");
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
            // Frees the connection for others.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
