//! What a connection is doing, and for how long it may.
//!
//! A connection waits for a request, has one answered, or carries an event stream. Its task and the
//! loop of the server share that as [`Pace`]: the task ends a connection whose client does not take its
//! answer, the loop ends one that waits when its place is needed by somebody who asks.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a client may leave what was written to it before the rate below counts. Kernels retry
/// a lost segment about six times within it.
const TAKE_WITHIN: Duration = Duration::from_secs(20);
/// Slower than any line that pages are read over: a first view would take half a minute.
const SLOWEST_BYTES_PER_SEC: u64 = 4096;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Before a request is complete: the first one, or another.
    Waiting,
    /// A request is being answered.
    Answering,
}

#[derive(Debug)]
struct State {
    step: Step,
    since: Instant,
    /// Since when bytes wait for the client, and how many it took since.
    pending: Option<(Instant, u64)>,
}

/// The progress of one connection.
#[derive(Debug)]
pub(crate) struct Pace {
    state: Mutex<State>,
    /// Told when bytes begin to wait.
    stalled: Notify,
    /// Told when the connection has to make room.
    cut: Notify,
}

impl Pace {
    /// Of a new connection.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                step: Step::Waiting,
                since: Instant::now(),
                pending: None,
            }),
            stalled: Notify::new(),
            cut: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, step: Step) {
        let mut state = self.state();
        state.step = step;
        state.since = Instant::now();
    }

    /// Since when nothing is asked of it, or nothing of its answer was taken; `None` while it is served.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        let waits = (state.step == Step::Waiting).then_some(state.since);
        let pending = state.pending.map(|(since, _)| since);
        waits.into_iter().chain(pending).min()
    }

    /// Asks the connection to end.
    pub(crate) fn cut(&self) {
        self.cut.notify_one();
    }

    /// Ready when the client took too little for too long, or when the connection has to make room.
    pub(crate) async fn over(&self) {
        let slow = async {
            loop {
                let due = self.state().pending.map(|(since, taken)| {
                    since + TAKE_WITHIN + Duration::from_secs(taken / SLOWEST_BYTES_PER_SEC)
                });
                match due {
                    None => self.stalled.notified().await,
                    Some(due) if due <= Instant::now() => return,
                    Some(due) => tokio::time::sleep_until(due).await,
                }
            }
        };
        tokio::select! {
            () = slow => {}
            () = self.cut.notified() => {}
        }
    }

    fn written(&self, result: &Poll<io::Result<usize>>) {
        let mut state = self.state();
        match result {
            Poll::Pending if state.pending.is_none() => {
                state.pending = Some((Instant::now(), 0));
                self.stalled.notify_one();
            }
            Poll::Ready(Ok(n)) => {
                if let Some((_, taken)) = &mut state.pending {
                    *taken += *n as u64;
                }
            }
            _ => {}
        }
    }

    fn flushed(&self) {
        self.state().pending = None;
    }
}

/// A stream that tells its pace.
#[derive(Debug)]
pub(crate) struct Paced<S> {
    stream: S,
    pace: Arc<Pace>,
}

impl<S> Paced<S> {
    pub(crate) fn new(stream: S, pace: Arc<Pace>) -> Self {
        Self { stream, pace }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.pace.written(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.pace.written(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called when nothing of an answer is left here: the kernel has it all.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        if result.is_ready() {
            self.pace.flushed();
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A request under way; dropped with the last of its answer.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Pace>);

impl UnderWay {
    /// Begins an answer.
    pub(crate) fn new(pace: &Arc<Pace>) -> Self {
        pace.step(Step::Answering);
        Self(Arc::clone(pace))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.step(Step::Waiting);
    }
}

/// The body of an answer, under way as long as it is here.
#[derive(Debug)]
pub(crate) struct PacedBody {
    body: axum::body::Body,
    _under_way: UnderWay,
}

impl PacedBody {
    pub(crate) fn new(body: axum::body::Body, under_way: UnderWay) -> Self {
        Self {
            body,
            _under_way: under_way,
        }
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
