//! Bodies: bounded in length and time while they are read.

use super::BODY_WITHIN;
use crate::protocol::LONGEST_BODY;
use crate::refusal::{Reason, Refusal};
use hyper::HeaderMap;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use std::pin::Pin;

/// Checks the type of a body before it is read.
///
/// # Errors
/// The refusal.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    // Two lengths: a proxy may have taken the other one.
    if headers.get_all(CONTENT_LENGTH).iter().count() > 1 {
        return Err(Refusal::invalid("framing"));
    }
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Refusal::new(Reason::Unsupported, "encoding"));
    }
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !["text/plain", "application/json"]
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known))
    {
        return Err(Refusal::new(Reason::Unsupported, "type"));
    }
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > LONGEST_BODY as u64) {
        return Err(Reason::TooLarge.into());
    }
    Ok(())
}

/// Reads a body.
///
/// # Errors
/// The refusal: too long, too slow, or broken off.
pub(super) async fn read(body: Incoming) -> Result<Vec<u8>, Refusal> {
    match tokio::time::timeout(BODY_WITHIN, read_all(body)).await {
        Ok(read) => read,
        Err(_) => Err(Reason::TooSlow.into()),
    }
}

async fn read_all(mut body: Incoming) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|_| Refusal::invalid("body"))?;
        // Trailers mean nothing here.
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > LONGEST_BODY {
            return Err(Reason::TooLarge.into());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
