//! Two applications that serve metrics and do nothing else: an API and a proxy.
//!
//! They make the views of applications move on a machine that has neither. [`serve`] answers with
//! the JSON of [`Peer::body`] at [`Peer::path`]; `pqcrypta-example-peers` is the same as a program.
//!
//! [`serve_site`] is a site of a few pages that loads the tracker of the analytics server.
//!
//! Nothing is remembered: every number follows from the time since the start. Counters are the
//! integral of a rate that swings within [`SWING_SECS`], so they never go down, and every
//! [`TROUBLE_EVERY_SECS`] there is a minute with failures and slow answers.

mod api;
mod load;
mod proxy;
mod site;

use std::convert::Infallible;
use std::time::Duration;

use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use load::{SWING_SECS, TROUBLE_EVERY_SECS};
pub use site::{DOMAIN, page, serve_site};

/// Longest time a connection stays; whoever scrapes asks once.
const CONNECTION: Duration = Duration::from_secs(10);

/// Which application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// An API, by default at port 3003.
    Api,
    /// A proxy, by default at port 8082.
    Proxy,
}

impl Peer {
    /// Returns where its metrics are, as in the defaults of `[scrape]`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Api => "/metrics",
            Self::Proxy => "/metrics/json",
        }
    }

    /// Returns its metrics: `now` is the time since 1970, `uptime` since it was started.
    #[must_use]
    pub fn body(self, now: Duration, uptime: Duration) -> serde_json::Value {
        match self {
            Self::Api => api::body(now.as_secs_f64(), uptime.as_secs_f64()),
            Self::Proxy => proxy::body(uptime.as_secs_f64()),
        }
    }
}

/// Serves one application until it is dropped. `clock` returns the time since 1970.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    peer: Peer,
    clock: fn() -> Duration,
) -> std::io::Result<Infallible> {
    let started = clock();
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        // Those that have ended make room.
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            let answer = service_fn(move |request: Request<_>| async move {
                let now = clock();
                let body = peer.body(now, now.saturating_sub(started));
                Ok::<_, Infallible>(answer(peer, &request, &body))
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), answer);
            // Who went away has no need of an answer.
            drop(tokio::time::timeout(CONNECTION, connection).await);
        });
    }
}

fn answer<B>(peer: Peer, request: &Request<B>, body: &serde_json::Value) -> Response<String> {
    if request.uri().path() != peer.path() {
        let mut response = Response::new(format!("the metrics are at {}\n", peer.path()));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    let mut response = Response::new(body.to_string());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
