//! The tracker, as `build.rs` embedded it.

use hyper::body::Bytes;
use hyper::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, VARY,
};
use hyper::{HeaderMap, Response, StatusCode};
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

use super::answer::Full;

/// The tracker; a placeholder that states what is missing where it was not built.
const SCRIPT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/tracker.js"));
/// The same, compressed.
const GZIPPED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/tracker.js.gz"));
/// An hour: a new version reaches readers within it, and a page is rarely slowed down by it.
const KEEP: HeaderValue = HeaderValue::from_static("public, max-age=3600");

static TAG: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::digest(SCRIPT);
    format!("\"{:016x}\"", crate::word::first_eight(&digest))
});

/// Answers with the tracker.
pub(super) fn script(headers: &HeaderMap) -> Response<Full> {
    let is_held = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|held| held.to_str().ok())
        .flat_map(|held| held.split(','))
        .any(|held| held.trim().trim_start_matches("W/") == TAG.as_str());
    let takes_gzip = headers
        .get_all("accept-encoding")
        .iter()
        .filter_map(|codings| codings.to_str().ok())
        .flat_map(|codings| codings.split(','))
        .any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
            let is_refused = weight
                .trim()
                .strip_prefix("q=")
                .and_then(|q| q.parse::<f32>().ok())
                == Some(0.0);
            name.trim().eq_ignore_ascii_case("gzip") && !is_refused
        });
    let mut response = Response::new(Full::empty());
    if is_held {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        let bytes = if takes_gzip { GZIPPED } else { SCRIPT };
        *response.body_mut() = Full::new(Bytes::from_static(bytes));
    }
    let answer = response.headers_mut();
    answer.insert(CACHE_CONTROL, KEEP);
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    // Pages of other origins load it with an integrity hash, which needs this.
    answer.insert("access-control-allow-origin", HeaderValue::from_static("*"));
    answer.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("cross-origin"),
    );
    if let Ok(tag) = HeaderValue::from_str(&TAG) {
        answer.insert(ETAG, tag);
    }
    if !is_held {
        answer.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/javascript; charset=utf-8"),
        );
        if takes_gzip {
            answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    response
}
