//! The progress of connections, and their time limits.
//!
//! A connection waits for a request, has one answered, or carries an event stream. Its task and the
//! loop of the server share this state as [`Pace`]: the task closes a connection whose client does not
//! read its answer, and the loop closes an idle one when its place is needed for another client.

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

/// How long a client may leave written bytes unread before the rate below applies. Kernels retransmit a
/// lost segment about six times within it.
const TAKE_WITHIN: Duration = Duration::from_secs(20);
/// Lowest accepted rate; a first view would take half a minute at it.
const SLOWEST_BYTES_PER_SEC: u64 = 4096;

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Waits for a complete request, the first or a further one.
    Waiting,
    /// A request is being answered.
    Answering,
}

#[derive(Debug)]
struct State {
    step: Step,
    since: Instant,
    /// Since when bytes wait for the client, and how many it has read since.
    pending: Option<(Instant, u64)>,
}

/// The progress of one connection.
#[derive(Debug)]
pub(crate) struct Pace {
    state: Mutex<State>,
    /// Notified when bytes begin to wait.
    stalled: Notify,
    /// Notified when the connection has to close.
    cut: Notify,
}

impl Pace {
    /// Returns the pace of a new connection.
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

    /// Returns since when the connection has been without a request, or its answer unread; `None` while it
    /// is served.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        let waits = (state.step == Step::Waiting).then_some(state.since);
        let pending = state.pending.map(|(since, _)| since);
        waits.into_iter().chain(pending).min()
    }

    /// Asks the connection to close.
    pub(crate) fn cut(&self) {
        self.cut.notify_one();
    }

    /// Completes when the client has read too little for too long, or when the connection has to close.
    pub(crate) async fn ended(&self) {
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

/// A stream that reports its progress.
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

    /// Flushes; afterwards the kernel has the whole answer.
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

/// A request in progress; dropped with the end of its answer.
#[derive(Debug)]
pub(crate) struct AnswerInProgress(Arc<Pace>);

impl AnswerInProgress {
    /// Marks the begin of an answer.
    pub(crate) fn new(pace: &Arc<Pace>) -> Self {
        pace.step(Step::Answering);
        Self(Arc::clone(pace))
    }
}

impl Drop for AnswerInProgress {
    fn drop(&mut self) {
        self.0.step(Step::Waiting);
    }
}

/// The body of an answer, which is in progress until the body is dropped.
#[derive(Debug)]
pub(crate) struct PacedBody {
    body: axum::body::Body,
    _under_way: AnswerInProgress,
}

impl PacedBody {
    pub(crate) fn new(body: axum::body::Body, in_progress: AnswerInProgress) -> Self {
        Self {
            body,
            _under_way: in_progress,
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
