//! The thread that reads and parses.

use super::encode::{Encoded, Encoder};
use super::plan::Plan;
use super::sources::Sources;
use logs::descriptors;
use logs::intake::Intake;
use schema::Timestamp;
use schema::logs::{Pattern, StreamPosition};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::Duration;
use store::logs::Position;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Time limit for the end of the thread: a round takes some milliseconds.
const END_WITHIN: Duration = Duration::from_secs(2);

/// State loaded from the database when a session begins.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Identifier of the host.
    pub(crate) host_id: i32,
    /// Position of each stream.
    pub(crate) positions: Vec<Position>,
    /// The patterns seen most recently.
    pub(crate) patterns: Vec<Pattern>,
    /// Identifier of the next line.
    pub(crate) next_line: i64,
}

/// A thread that reads until this handle is ended or dropped.
#[derive(Debug)]
pub(crate) struct Reading {
    batches: mpsc::Receiver<Encoded>,
    /// Dropped to end the thread's pause.
    stop: Option<Sender<()>>,
    ended: oneshot::Receiver<()>,
}

impl Reading {
    /// Starts reading at the stored positions.
    pub(crate) fn start(
        plan: &Plan,
        stored: Stored,
        sources: Sources,
        clock: fn() -> Timestamp,
    ) -> Self {
        let (sender, batches) = mpsc::channel(1);
        let (stop, stopped) = channel::<()>();
        let (done, ended) = oneshot::channel();
        let plan = plan.clone();
        let runtime = Handle::current();
        let work = move || {
            let batches = Batches { sender, runtime };
            read(&plan, stored, &sources, clock, &batches, &stopped);
            // The receiver may have stopped waiting.
            let _closed = done.send(());
        };
        if let Err(error) = thread::Builder::new().name("logs".to_owned()).spawn(work) {
            tracing::error!(%error, "starting the thread that reads logs failed; will retry");
        }
        Self {
            batches,
            stop: Some(stop),
            ended,
        }
    }

    /// Returns the next batch; `None` when the thread has ended.
    pub(crate) async fn next(&mut self) -> Option<Encoded> {
        self.batches.recv().await
    }

    /// Ends the thread.
    pub(crate) async fn end(mut self) {
        self.stop = None;
        self.batches.close();
        while self.batches.recv().await.is_some() {}
        // A thread that never started has dropped its sender; one that hangs in an unresponsive file
        // system is abandoned and ends with its next step.
        let _ended = timeout(END_WITHIN, self.ended).await;
    }
}

/// Where batches go.
struct Batches {
    sender: mpsc::Sender<Encoded>,
    runtime: Handle,
}

impl Batches {
    /// Waits until the batch before is being stored; `None` when nobody takes batches any more. So one is
    /// stored while the next is read, and no third one needs memory.
    fn place(&self) -> Option<mpsc::Permit<'_, Encoded>> {
        self.runtime.block_on(self.sender.reserve()).ok()
    }
}

/// Reads until `stopped` is closed or the receiver of batches is gone.
fn read(
    plan: &Plan,
    stored: Stored,
    sources: &Sources,
    clock: fn() -> Timestamp,
    batches: &Batches,
    stopped: &Receiver<()>,
) {
    let Stored {
        host_id,
        positions,
        patterns,
        next_line,
    } = stored;
    let saved: Vec<StreamPosition> = positions
        .iter()
        .map(|position| position.at.clone())
        .collect();
    let patterns = patterns.into_iter();
    let mut encoder = Encoder::new(positions, host_id, next_line);
    let mut intake = Intake::new(&plan.wanted(), &saved, patterns, plan.limits, &[]);
    intake.keep_open(descriptors::for_logs());
    while let Some(place) = batches.place() {
        let batch = intake.poll(clock(), |event| encoder.add(event));
        sources.update(intake.states());
        let more = batch.more;
        if batch.is_empty() {
            sources.found_nothing();
        } else {
            let encoded = encoder.encode(batch, clock());
            sources.add_read(&encoded.counters);
            place.send(encoded);
        }
        // A long line yields nothing to send for many rounds.
        if more && stopped.try_recv() == Err(TryRecvError::Empty) {
            continue;
        }
        let pause = intake.look_again().unwrap_or(plan.tick).min(plan.tick);
        match stopped.recv_timeout(pause) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
}
