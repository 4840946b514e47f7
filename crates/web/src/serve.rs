//! The server's loop, with its limits.
//!
//! At most [`CONNECTIONS`] connections are served at once. When all places are taken, a further
//! connection replaces the one that has been idle, without a request or with its answer unread, for the
//! longest time; when all of them are being answered, it waits in the kernel's queue. Event streams are
//! always being answered, so their number has a lower limit (`api::events`). Headers must arrive within
//! [`HEADERS_WITHIN`], also those of a further request, and answers must be read at a minimum rate
//! ([`crate::pace`]). So no slow client occupies a place that another one needs.
//!
//! On the stop signal the server accepts no more connections, event streams end, requests in progress are
//! finished, and those not finished after [`PATIENCE`] are cut off.

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::{App, stopped};
use crate::pace::{AnswerInProgress, Pace, Paced, PacedBody};
use crate::route::router;

/// Most concurrent connections: a browser opens six, and one more for events.
pub(crate) const CONNECTIONS: usize = 128;
/// Time limit from the wait for a request to the end of its headers.
pub(crate) const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// How long requests in progress may take when the server stops.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The connections.
#[derive(Debug, Default)]
struct Places {
    tasks: JoinSet<()>,
    paces: Vec<Weak<Pace>>,
}

impl Places {
    fn serve(&mut self, stream: TcpStream, router: axum::Router, stopping: watch::Receiver<bool>) {
        let pace = Pace::new();
        self.paces.push(Arc::downgrade(&pace));
        self.tasks.spawn(connection(stream, router, stopping, pace));
    }

    /// Waits for a free place; closes an idle connection where necessary.
    async fn free(&mut self) {
        self.tidy();
        while self.tasks.len() >= CONNECTIONS {
            let living = self.paces.iter().filter_map(Weak::upgrade);
            let idle = living.filter_map(|pace| Some((pace.idle_since()?, pace)));
            if let Some((_, pace)) = idle.min_by_key(|(since, _)| *since) {
                pace.cut();
            }
            self.tasks.join_next().await;
            self.tidy();
        }
    }

    fn tidy(&mut self) {
        while self.tasks.try_join_next().is_some() {}
        self.paces.retain(|pace| pace.strong_count() > 0);
    }
}

/// Serves `app` on `listener` until `stop` is ready.
pub async fn serve(listener: TcpListener, app: App, stop: impl Future<Output = ()>) {
    let router = router(app.clone());
    let mut stopping = app.stop.subscribe();
    let mut places = Places::default();
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            // Accept first: a place is freed only for a client that is there.
            let accepted = listener.accept().await;
            places.free().await;
            accepted
        };
        let accepted = tokio::select! {
            () = &mut stop => break,
            () = stopped(&mut stopping) => break,
            accepted = next => accepted,
        };
        match accepted {
            Ok((stream, _)) => places.serve(stream, router.clone(), app.stop.subscribe()),
            Err(error) => {
                // Mostly out of descriptors, which ends when connections close.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    app.stop();
    let finished = async { while places.tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(PATIENCE, finished).await.is_err() {
        tracing::info!("requests that did not end in time were cut off");
    }
}

async fn connection(
    stream: TcpStream,
    router: axum::Router,
    mut stopping: watch::Receiver<bool>,
    pace: Arc<Pace>,
) {
    // Answers are written in one piece; Nagle's algorithm would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request: Request<Incoming>| {
        let in_progress = AnswerInProgress::new(&pace);
        let answer = router.call(request);
        async move {
            let answer: Response = answer.await?;
            Ok::<_, Infallible>(answer.map(|body| PacedBody::new(body, in_progress)))
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(32 * 1024)
        .serve_connection(TokioIo::new(Paced::new(stream, Arc::clone(&pace))), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = pace.ended() => {
            tracing::debug!("a connection was too slow, or made room for another");
            return;
        }
        () = stopped(&mut stopping) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
