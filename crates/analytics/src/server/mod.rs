//! The server: the tracker and the address that it reports to.
//!
//! At most [`CONNECTIONS`] connections are served at once; further ones wait in the kernel's queue. A connection has
//! `WITHIN` for the headers of each request, and a body `BODY_WITHIN`, so one that sends slowly holds its place for
//! some seconds. Requests are refused by length, type and shape before anything is done with them. A
//! connection ends with the first request whose end a proxy in front may have read differently.
//!
//! On the stop signal no more connections are accepted; requests in progress have `PATIENCE`.

mod answer;
mod body;
mod ingest;
mod operation;
mod script;

pub use ingest::Ingest;

use answer::answer;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Most connections at once. A proxy in front needs a few dozen.
pub const CONNECTIONS: usize = 256;
/// Time limit of the headers of a request, and of a connection without one.
const WITHIN: Duration = Duration::from_secs(10);
/// Time limit of a body: eight kilobytes over the slowest mobile link.
const BODY_WITHIN: Duration = Duration::from_secs(5);
/// How long requests in progress may take when the server stops.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Most bytes of headers: a user agent of 64 KiB is answered and counted.
const MOST_HEADERS: usize = 80 * 1024;

/// Serves until `stop`; each request has the newest settings.
pub async fn serve(
    listener: TcpListener,
    ingest: watch::Receiver<Arc<Ingest>>,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = stopped(&mut stop) => break,
            next = next => next,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                let (ingest, stop) = (ingest.clone(), stop.clone());
                connections.spawn(async move {
                    connection(stream, ingest, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Mostly out of descriptors, which ends when connections close.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(PATIENCE, finished).await.is_err() {
        tracing::info!("requests that did not end in time were cut off");
    }
}

async fn connection(
    stream: TcpStream,
    ingest: watch::Receiver<Arc<Ingest>>,
    mut stop: watch::Receiver<bool>,
) {
    let Ok(peer) = stream.peer_addr() else { return };
    // Answers are one piece each; waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let service = service_fn(move |request| {
        let ingest = Arc::clone(&ingest.borrow());
        async move { Ok::<_, std::convert::Infallible>(answer(&ingest, peer.ip(), request).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(WITHIN)
        .max_buf_size(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stopped(&mut stop) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        // Its text holds nothing of the request.
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Waits for the stop signal.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}
