//! The embedded pages.
//!
//! `build.rs` builds them and compresses each file once. Files below `assets/` carry a hash in
//! their name and may be cached for ever; the page itself is revalidated each time and
//! gets its base path from its `<base href>`.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::answers::fingerprint;
use crate::app::App;
use crate::error::ApiError;

/// A file of the pages.
struct Asset {
    /// Below the base path.
    path: &'static str,
    kind: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

/// Answers with the page. All views share it; the browser decides which one to show.
pub(crate) async fn index(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let page = find("index.html").ok_or(ApiError::NotFound("the pages were not built"))?;
    let text = String::from_utf8_lossy(page.plain);
    let base = format!("<base href=\"{}\"", app.settings.base_path);
    let text = text.replacen("<base href=\"/monitor/\"", &base, 1);
    let tag = format!("\"{}\"", fingerprint([text.as_bytes()]));
    Ok(send(
        &headers,
        page.kind,
        &tag,
        "no-cache",
        None,
        Body::from(text),
    ))
}

/// Answers with a file below `assets/`.
pub(crate) async fn asset(
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let found = find(&format!("assets/{path}")).ok_or(ApiError::NotFound("no such file"))?;
    let accepts = |coding: &str| accepts(&headers, coding);
    let (coding, bytes) = match (found.brotli, found.gzip) {
        (Some(bytes), _) if accepts("br") => (Some("br"), bytes),
        (_, Some(bytes)) if accepts("gzip") => (Some("gzip"), bytes),
        _ => (None, found.plain),
    };
    let tag = format!(
        "\"{}{}\"",
        fingerprint([found.plain]),
        coding.unwrap_or_default()
    );
    let keep = "public, max-age=31536000, immutable";
    Ok(send(
        &headers,
        found.kind,
        &tag,
        keep,
        coding,
        Body::from(bytes),
    ))
}

/// Returns whether an encoding is accepted, and not with `q=0`.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let refused = parts.any(|part| {
            part.strip_prefix("q=")
                .is_some_and(|q| q.parse().is_ok_and(|q: f32| q <= 0.0))
        });
        named && !refused
    })
}

fn send(
    asked: &HeaderMap,
    kind: &'static str,
    tag: &str,
    keep: &'static str,
    coding: Option<&'static str>,
    body: Body,
) -> Response {
    let held = asked
        .get(header::IF_NONE_MATCH)
        .and_then(|held| held.to_str().ok())
        .is_some_and(|held| {
            held.split(',')
                .any(|held| held.trim().trim_start_matches("W/") == tag)
        });
    let mut response = if held {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body.into_response()
    };
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CACHE_CONTROL, keep);
    set(header::VARY, "accept-encoding");
    if !held {
        set(header::CONTENT_TYPE, kind);
        if let Some(coding) = coding {
            set(header::CONTENT_ENCODING, coding);
        }
    }
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
