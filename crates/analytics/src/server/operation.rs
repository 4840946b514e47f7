//! What a supervisor asks of the receiver: is it alive, does it take reports, and its figures.
//!
//! | address | answer |
//! |---|---|
//! | `healthz` | 200 while the loop runs; asks nobody |
//! | `readyz` | 200 while reports are taken, 503 while the queue takes none, with the state of queue and database in words |
//! | `metrics` | figures in the text format of Prometheus |
//!
//! They are below the base path and at the root. A proxy passes its visitors' requests on to the same port, so words and figures are
//! for supervisors alone: on this machine, asking for it by an address or name of its own, without a header that a proxy adds; or with
//! `metrics_token`. Others get the status of the first two, and 403 of `metrics`.
//!
//! The database away makes it no less ready: what is acknowledged waits on disk, which is what the queue is for.

use super::answer::{Full, is_token, plain};
use super::ingest::Ingest;
use crate::figures::Store;
use crate::queue;
use exposition::Page;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, FORWARDED, HOST, HeaderValue, VIA};
use hyper::{HeaderMap, Response, StatusCode};
use std::net::IpAddr;
use std::sync::Arc;

/// Returns the answer that the loop runs.
pub(super) fn healthz() -> Response<Full> {
    text(StatusCode::OK, "ok\n".to_owned())
}

/// Answers whether reports are taken.
pub(super) async fn readyz(ingest: &Ingest, peer: IpAddr, headers: &HeaderMap) -> Response<Full> {
    let state = ingest.queue.state().await;
    let (status, word) = match &state {
        Ok(state) if state.takes_hits => (StatusCode::OK, "ready"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    if !is_supervisor(ingest, peer, headers) {
        return text(status, format!("{word}\n"));
    }
    let now = ingest.now();
    let queue = match state {
        Ok(state) => {
            let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            let waits = state.age_secs(now).map_or_else(
                || "nothing waits".to_owned(),
                |secs| format!("the oldest report waits since {secs:.0} s"),
            );
            let takes = if state.takes_hits {
                ""
            } else {
                "it takes no reports, "
            };
            format!(
                "{takes}{:.1} of {:.0} MiB, {waits}",
                mib(state.bytes),
                mib(state.budget)
            )
        }
        Err(error) => error.to_string(),
    };
    let database = match ingest.figures().stored() {
        Store::Connecting => "not connected yet".to_owned(),
        Store::Up => "takes reports".to_owned(),
        Store::Away(why) => format!("takes none: {why}"),
    };
    text(
        status,
        format!("{word}\nqueue: {queue}\ndatabase: {database}\n"),
    )
}

/// Answers the figures.
pub(super) async fn metrics(ingest: &Ingest, peer: IpAddr, headers: &HeaderMap) -> Response<Full> {
    if !is_supervisor(ingest, peer, headers) {
        return text(
            StatusCode::FORBIDDEN,
            "figures are for this machine, or for who has metrics_token\n".to_owned(),
        );
    }
    let mut page = Page::default();
    page.build("pqcrypta-analytics", env!("CARGO_PKG_VERSION"));
    exposition::process::write(&mut page);
    let sites = ingest.settings.sites.iter();
    ingest
        .figures()
        .write(&mut page, sites.map(|site| Arc::from(site.domain.as_str())));
    match ingest.queue.state().await {
        Ok(state) => write_queue(&mut page, &state, ingest.now()),
        Err(error) => {
            tracing::warn!(error = %pg::causes(&error), "the queue says nothing of itself")
        }
    }
    page.family(
        "pqcrypta_analytics_file_readable",
        "gauge",
        "Whether the file of countries, networks or spam could be read when it was last tried; only those that are configured.",
    );
    for (key, is_readable) in ingest.files() {
        page.sample(
            "pqcrypta_analytics_file_readable",
            &[("file", key)],
            f64::from(u8::from(is_readable)),
        );
    }
    let mut response = text(StatusCode::OK, page.finish());
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static(exposition::CONTENT_TYPE),
    );
    response
}

fn write_queue(page: &mut Page, state: &queue::State, now: i64) {
    for (name, help, value) in [
        (
            "pqcrypta_analytics_queue_bytes",
            "Bytes of the queue on disk, preallocated space included.",
            state.bytes as f64,
        ),
        (
            "pqcrypta_analytics_queue_limit_bytes",
            "Most bytes that it may take.",
            state.budget as f64,
        ),
        (
            "pqcrypta_analytics_queue_oldest_seconds",
            "Age of the oldest report that the database has not; 0 when nothing waits.",
            state.age_secs(now).unwrap_or(0.0),
        ),
        (
            "pqcrypta_analytics_queue_takes_reports",
            "Whether the queue takes reports; otherwise they are answered with 503.",
            f64::from(u8::from(state.takes_hits)),
        ),
    ] {
        page.one(name, help, value);
    }
}

/// Returns whether words and figures are for the sender.
fn is_supervisor(ingest: &Ingest, peer: IpAddr, headers: &HeaderMap) -> bool {
    let token = headers.get(AUTHORIZATION);
    if token.is_some_and(|token| is_token(&ingest.settings.metrics_token, token.as_bytes())) {
        return true;
    }
    let by_proxy = ["x-forwarded-for", "x-forwarded-host", "x-real-ip"];
    let is_passed_on = headers.contains_key(FORWARDED)
        || headers.contains_key(VIA)
        || headers.contains_key(ingest.settings.client_address_header.as_str())
        || by_proxy.iter().any(|name| headers.contains_key(*name));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    peer.to_canonical().is_loopback() && !is_passed_on && host.is_some_and(is_own_name)
}

/// Returns whether a `Host` is this machine as it names itself. A proxy, and a page whose name was made to lead here, state another.
fn is_own_name(host: &str) -> bool {
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) && !name.ends_with(':') => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

fn text(status: StatusCode, text: String) -> Response<Full> {
    let mut response = plain(status);
    *response.body_mut() = Full::new(Bytes::from(text));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_loopback() {
        for (host, wanted) in [
            ("localhost", true),
            ("LOCALHOST:8089", true),
            ("127.0.0.1:8089", true),
            ("127.3.2.1", true),
            ("[::1]:8089", true),
            ("[::1]", true),
            ("[::ffff:127.0.0.1]:80", true),
            ("example.org", false),
            ("localhost.example.org", false),
            ("127.0.0.1.example.org", false),
            ("192.0.2.1", false),
            ("", false),
        ] {
            assert_eq!(is_own_name(host), wanted, "{host}");
        }
    }
}
