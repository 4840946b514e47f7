//! From a request to its answer.

use super::ingest::Ingest;
use super::{body, operation, script};
use crate::agent::Hints;
use crate::client_address::client;
use crate::protocol::{self, Client};
use crate::reception::Sender;
use crate::refusal::{Reason, Refusal};
use config::Secret;
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{
    ACCEPT_LANGUAGE, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ALLOW, AUTHORIZATION, CACHE_CONTROL,
    CONNECTION, CONTENT_TYPE, HeaderValue, ORIGIN, REFERER, RETRY_AFTER, TRANSFER_ENCODING,
    USER_AGENT, VARY,
};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

/// A transparent image of one pixel, GIF.
const PIXEL: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
/// Longest path with query.
const LONGEST_URI: usize = 8 * 1024;

/// A body in one piece.
#[derive(Debug)]
pub(super) struct Full(Option<Bytes>);

impl Full {
    pub(super) const fn new(bytes: Bytes) -> Self {
        Self(Some(bytes))
    }

    pub(super) const fn empty() -> Self {
        Self(None)
    }
}

impl hyper::body::Body for Full {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// Answers a request.
pub(super) async fn answer(
    ingest: &Ingest,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Response<Full> {
    let begun = Instant::now();
    let (route, response) = route(ingest, peer, request).await;
    let status = response.status().as_u16();
    let requests = &ingest.figures().requests;
    requests.count(route, status, begun.elapsed());
    response
}

/// Answers a request, and returns the name of what was asked for: one of few, whatever the request holds.
async fn route(
    ingest: &Ingest,
    peer: IpAddr,
    request: Request<Incoming>,
) -> (&'static str, Response<Full>) {
    let (head, incoming) = request.into_parts();
    let path = head.uri.path();
    let is_long = head
        .uri
        .path_and_query()
        .is_some_and(|asked| asked.as_str().len() > LONGEST_URI);
    let base = ingest.settings.base_path.as_str();
    let name = match path {
        // At the root, too, where supervisors look for them.
        "/healthz" | "/readyz" | "/metrics" => Some(&path[1..]),
        _ => path.strip_prefix(base).filter(|_| !is_long),
    };
    let Some(name) = name else {
        return ("none", plain(StatusCode::NOT_FOUND));
    };
    let is_script =
        name == "pqcrypta-analytics.js" || ingest.settings.script_name.as_deref() == Some(name);
    let route = match name {
        _ if is_script => "script",
        "e" => "e",
        "p.gif" => "p.gif",
        "stored" => "stored",
        "healthz" => "healthz",
        "readyz" => "readyz",
        "metrics" => "metrics",
        _ => "none",
    };
    let mut response = match (name, &head.method) {
        ("e", &Method::POST) => {
            let outcome = post(ingest, peer, &head.headers, incoming).await;
            let mut response = respond(outcome);
            allow_origin(ingest, &head.headers, &mut response);
            response
        }
        ("e", &Method::OPTIONS) => preflight(ingest, &head.headers),
        ("e", _) => not_allowed("POST, OPTIONS"),
        ("p.gif", &Method::GET) => {
            let query = head.uri.query().unwrap_or_default();
            let outcome = pixel(ingest, peer, &head.headers, query).await;
            let mut response = respond(outcome);
            if response.status() == StatusCode::ACCEPTED {
                *response.status_mut() = StatusCode::OK;
                *response.body_mut() = Full::new(Bytes::from_static(PIXEL));
                response
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static("image/gif"));
            }
            response
        }
        ("stored", &Method::GET) => stored(ingest, peer, &head),
        ("stored", _) => not_allowed("GET"),
        ("healthz", &Method::GET) => operation::healthz(),
        ("readyz", &Method::GET) => operation::readyz(ingest, peer, &head.headers).await,
        ("metrics", &Method::GET) => operation::metrics(ingest, peer, &head.headers).await,
        ("healthz" | "readyz" | "metrics", _) => not_allowed("GET"),
        (_, &Method::GET | &Method::HEAD) if is_script => script::script(&head.headers),
        ("p.gif", _) => not_allowed("GET"),
        _ if is_script => not_allowed("GET, HEAD"),
        _ => plain(StatusCode::NOT_FOUND),
    };
    if head.headers.contains_key(TRANSFER_ENCODING) {
        // A proxy may have read where the body ends from another header, which is gone by now; so the connection ends
        // with it (RFC 9112, section 6.1).
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response.headers_mut().insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    (route, response)
}

async fn post(
    ingest: &Ingest,
    peer: IpAddr,
    headers: &HeaderMap,
    incoming: Incoming,
) -> Result<(), Refusal> {
    let sender = sender(ingest, peer, headers, true);
    let backend = headers
        .get(AUTHORIZATION)
        .map(|token| is_token(&ingest.settings.backend_token, token.as_bytes()));
    let read = async {
        // Before anything is read: a flood costs as little as it can. A backend is measured by its visitors.
        if backend != Some(true) {
            ingest.check_rate(&sender)?;
        }
        if backend == Some(false) {
            return Err(Refusal::new(Reason::ForeignOrigin, "token"));
        }
        body::check(headers)?;
        let body = body::read(incoming).await?;
        let mut report = protocol::parse(&body)?;
        let client = report.client.take().filter(|_| backend.is_some());
        if client.is_none() && backend.is_some() {
            return Err(Refusal::invalid("client"));
        }
        Ok((report, client))
    };
    match read.await {
        Ok((report, None)) => ingest.receive(&sender, report).await,
        Ok((report, Some(client))) => {
            let sender = backed(&client);
            match ingest.check_rate(&sender) {
                Ok(()) => ingest.receive(&sender, report).await,
                Err(refusal) => Err(ingest.refuse(None, refusal)),
            }
        }
        Err(refusal) => Err(ingest.refuse(None, refusal)),
    }
}

/// Returns whether a header has the secret of backends. The time that it takes tells nothing of where they differ.
pub(super) fn is_token(secret: &Secret, header: &[u8]) -> bool {
    let stated = header.strip_prefix(b"Bearer ").unwrap_or_default();
    let secret = secret.expose().as_bytes();
    let differs = secret
        .iter()
        .zip(stated)
        .fold(0, |differs, (ours, theirs)| differs | (ours ^ theirs));
    !secret.is_empty() && secret.len() == stated.len() && differs == 0
}

/// Returns the visitor that a backend reports.
fn backed(client: &Client) -> Sender<'_> {
    Sender {
        address: client.address,
        user_agent: client.user_agent.as_bytes(),
        hints: Hints::default(),
        language: &client.language,
        origin: None,
        referer: None,
        is_prefetch: false,
        asks_for_privacy: false,
        is_contradictory: false,
        is_script: false,
    }
}

async fn pixel(
    ingest: &Ingest,
    peer: IpAddr,
    headers: &HeaderMap,
    query: &str,
) -> Result<(), Refusal> {
    let sender = sender(ingest, peer, headers, false);
    let read = ingest
        .check_rate(&sender)
        .and_then(|()| protocol::pixel(query, ingest.random_view()));
    match read {
        Ok(report) => ingest.receive(&sender, report).await,
        Err(refusal) => Err(ingest.refuse(None, refusal)),
    }
}

/// Answers a health check: is the view that it sent stored?
fn stored(ingest: &Ingest, peer: IpAddr, head: &Parts) -> Response<Full> {
    if let Err(refusal) = ingest.check_rate(&sender(ingest, peer, &head.headers, false)) {
        return respond(Err(ingest.refuse(None, refusal)));
    }
    let query = head.uri.query().unwrap_or_default();
    let view = query.strip_prefix("view=").map(protocol::view);
    let word: &'static str = match view {
        Some(Ok(view)) if ingest.arrivals.has(view) => "stored",
        Some(Ok(_)) => "waiting",
        _ => return plain(StatusCode::BAD_REQUEST),
    };
    let mut response = plain(StatusCode::OK);
    *response.body_mut() = Full::new(Bytes::from_static(word.as_bytes()));
    response
}

/// Returns what is to be known of the sender.
fn sender<'a>(
    ingest: &Ingest,
    peer: IpAddr,
    headers: &'a HeaderMap,
    is_script: bool,
) -> Sender<'a> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let stated = headers.get_all(ingest.settings.client_address_header.as_str());
    // A value that is not text ends the search as an unreadable hop does.
    let stated = stated
        .iter()
        .map(|value| value.to_str().unwrap_or("unknown"));
    Sender {
        address: client(peer, stated, &ingest.settings.trusted_proxies),
        user_agent: headers
            .get(USER_AGENT)
            .map(HeaderValue::as_bytes)
            .unwrap_or_default(),
        hints: Hints {
            brands: text("sec-ch-ua"),
            platform: text("sec-ch-ua-platform"),
            mobile: text("sec-ch-ua-mobile"),
        },
        language: text(ACCEPT_LANGUAGE.as_str()),
        origin: headers
            .get(ORIGIN)
            .map(|value| value.to_str().unwrap_or("null")),
        referer: headers
            .get(REFERER)
            .map(|value| value.to_str().unwrap_or_default()),
        is_prefetch: ["sec-purpose", "purpose", "x-moz", "x-purpose"]
            .iter()
            .any(|name| {
                ["prefetch", "prerender", "preview"]
                    .iter()
                    .any(|purpose| text(name).contains(purpose))
            }),
        asks_for_privacy: text("sec-gpc") == "1" || text("dnt") == "1",
        // A script's request never is a navigation.
        is_contradictory: is_script
            && (text("sec-fetch-mode") == "navigate"
                || matches!(text("sec-fetch-dest"), "document" | "iframe" | "image")),
        is_script,
    }
}

fn respond(outcome: Result<(), Refusal>) -> Response<Full> {
    let Err(refusal) = outcome else {
        return plain(StatusCode::ACCEPTED);
    };
    let status = StatusCode::from_u16(refusal.reason.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = plain(status);
    if matches!(refusal.reason, Reason::RateLimited | Reason::Busy) {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("10"));
    }
    if matches!(refusal.reason, Reason::TooLarge | Reason::TooSlow)
        || refusal == Refusal::invalid("framing")
    {
        // The rest of the body is not read.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if status.is_client_error() {
        // For the console of whoever sets the page up: reason and field, both of a fixed list.
        let text = format!("{} {}\n", refusal.reason.as_str(), refusal.detail);
        *response.body_mut() = Full::new(Bytes::from(text));
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
    }
    response
}

pub(super) fn plain(status: StatusCode) -> Response<Full> {
    let mut response = Response::new(Full::empty());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn not_allowed(methods: &'static str) -> Response<Full> {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED);
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(methods));
    response
}

fn preflight(ingest: &Ingest, headers: &HeaderMap) -> Response<Full> {
    let mut response = plain(StatusCode::NO_CONTENT);
    if allow_origin(ingest, headers, &mut response) {
        let answer = response.headers_mut();
        answer.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("POST"),
        );
        answer.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("content-type"),
        );
        answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    } else {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    response
}

/// Lets pages of a configured site read the answer; returns whether the request comes from one.
fn allow_origin(ingest: &Ingest, headers: &HeaderMap, response: &mut Response<Full>) -> bool {
    let answer = response.headers_mut();
    answer.insert(VARY, HeaderValue::from_static("origin"));
    let origin = headers.get(ORIGIN);
    let is_known = origin
        .and_then(|origin| origin.to_str().ok())
        .is_some_and(|origin| ingest.is_known_origin(origin));
    if let (Some(origin), true) = (origin, is_known) {
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    is_known
}
