//! Answers: serialised once, shared by equal requests, and tagged so that unchanged ones are not sent
//! again.
//!
//! Every answer begins with `now_ms`, the server's clock, which differs for every reader; so
//! an answer is cached without it and the instant is put in front when it is sent. The tag covers
//! the rest; it is a weak one, because neither the instant nor the packing of the body counts.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use schema::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::error::ApiError;
use crate::lru::Lru;

/// The serialised form of `now_ms` before the instant is known.
const MARK: &str = "{\"now_ms\":0";

/// An answer without its instant.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The JSON after the instant.
    rest: Bytes,
    tag: HeaderValue,
}

/// Returns a hash of `parts` as 16 hexadecimal digits.
#[must_use]
pub fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    format!("{:016x}", u64::from_be_bytes(head))
}

impl Answer {
    /// Serialises a struct whose first field is `now_ms`, set to 0.
    ///
    /// # Errors
    /// When it cannot be serialised, which does not occur with the structs of `wire`.
    pub fn new<T: Serialize>(answer: &T) -> Result<Self, ApiError> {
        let text = serde_json::to_string(answer).map_err(|error| {
            tracing::error!(%error, "an answer cannot be serialised");
            ApiError::Internal
        })?;
        let Some(rest) = text.strip_prefix(MARK) else {
            tracing::error!("an answer does not begin with its instant");
            return Err(ApiError::Internal);
        };
        let tag = format!("W/\"{}\"", fingerprint([rest.as_bytes()]));
        let tag = HeaderValue::from_str(&tag).map_err(|_| ApiError::Internal)?;
        Ok(Self {
            rest: Bytes::copy_from_slice(rest.as_bytes()),
            tag,
        })
    }

    /// Takes over the tag of another answer, so that the difference does not count as a change.
    #[must_use]
    pub fn tagged_as(mut self, other: &Self) -> Self {
        self.tag = other.tag.clone();
        self
    }

    /// Returns the size of the body, bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.rest.len() + "{\"now_ms\":1790000000000".len()
    }

    /// Returns the response, or 304 when the client already has it.
    pub fn respond(&self, asked: &HeaderMap, now: Timestamp) -> Response {
        let held = asked.get_all(header::IF_NONE_MATCH).iter().any(|held| {
            held.to_str().is_ok_and(|held| {
                // A proxy may send a weak tag back as a strong one.
                held.split(',')
                    .map(|tag| tag.trim().trim_start_matches("W/").as_bytes())
                    .any(|tag| tag == b"*" || self.tag.as_bytes().strip_prefix(b"W/") == Some(tag))
            })
        });
        let mut response = if held {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut body = format!("{{\"now_ms\":{}", now.as_millis()).into_bytes();
            body.extend_from_slice(&self.rest);
            Body::from(body).into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.tag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if !held {
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
        }
        response
    }
}

/// How many answers are kept, and how many bytes of them.
const KEPT: usize = 128;
const KEPT_BYTES: usize = 16 * 1024 * 1024;

type Slot = OnceCell<Answer>;

/// Recent answers by request. Equal concurrent requests share one read.
#[derive(Debug)]
pub struct Answers(Lru<String, Slot>);

impl Default for Answers {
    fn default() -> Self {
        Self(Lru::new(KEPT, KEPT_BYTES, |slot| {
            slot.get().map_or(0, |answer| answer.rest.len())
        }))
    }
}

impl Answers {
    /// Returns the answer to `question`, which names everything the answer depends on; made by `make`
    /// when there is none. A failure is not kept.
    ///
    /// # Errors
    /// Those of `make`.
    pub async fn get<F>(
        &self,
        question: String,
        make: impl FnOnce() -> F,
    ) -> Result<Answer, ApiError>
    where
        F: Future<Output = Result<Answer, ApiError>>,
    {
        let slot = self.0.get(question, |_| true);
        slot.get_or_try_init(make).await.cloned()
    }
}
