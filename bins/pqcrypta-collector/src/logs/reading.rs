//! The thread that reads.

use super::encode::{Encoded, Encoder};
use super::plan::Plan;
use super::sources::Sources;
use logs::descriptors;
use logs::fingerprint;
use logs::intake::{self, Intake};
use schema::Timestamp;
use std::sync::mpsc::{RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::Duration;
use store::logs::{KnownPattern, Position};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How long the end of a thread is waited for: a round takes some milliseconds.
const END_WITHIN: Duration = Duration::from_secs(2);

/// What the database holds when a session begins.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Number of the host.
    pub(crate) host_id: i32,
    /// Where each stream is to be read from.
    pub(crate) positions: Vec<Position>,
    /// Patterns seen recently.
    pub(crate) patterns: Vec<KnownPattern>,
    /// Identifier of the first line that is read now.
    pub(crate) next_line: i64,
}

/// A thread that reads until this is ended or dropped.
#[derive(Debug)]
pub(crate) struct Reading {
    batches: mpsc::Receiver<Encoded>,
    /// Dropped to end the thread's pause.
    stop: Option<Sender<()>>,
    ended: oneshot::Receiver<()>,
}

impl Reading {
    /// Starts to read where the database stands.
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
        let work = move || {
            let Stored {
                host_id,
                positions,
                patterns,
                next_line,
            } = stored;
            let saved: Vec<intake::Known> = positions
                .iter()
                .map(|one| intake::Known {
                    source: one.source.clone(),
                    stream: one.stream.clone(),
                    position: one.position.clone(),
                })
                .collect();
            let known = patterns.into_iter().map(|one| fingerprint::Known {
                level: intake::level(&one.level),
                source: one.source,
                fingerprint: one.fingerprint,
                template: one.template,
                alias_of: one.alias_of,
            });
            let mut encoder = Encoder::new(positions, host_id, next_line);
            let mut intake = Intake::new(&plan.wanted(), &saved, known, plan.limits, &[]);
            intake.keep_open(descriptors::for_logs());
            loop {
                let batch = intake.poll(clock(), |named| encoder.take(named));
                sources.seen(intake.states());
                let more = batch.more;
                if batch.is_empty() {
                    sources.found_nothing();
                } else {
                    let encoded = encoder.encode(batch, clock());
                    sources.read(&encoded.sums);
                    if sender.blocking_send(encoded).is_err() {
                        break;
                    }
                }
                // A long line gives nothing to send for many rounds.
                if more && stopped.try_recv() == Err(TryRecvError::Empty) {
                    continue;
                }
                let pause = intake.look_again().unwrap_or(plan.tick).min(plan.tick);
                match stopped.recv_timeout(pause) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            drop(intake);
            // Nobody may wait any longer.
            let _unheard = done.send(());
        };
        if let Err(error) = thread::Builder::new().name("logs".to_owned()).spawn(work) {
            tracing::error!(%error, "cannot start the thread that reads logs; tried again");
        }
        Self {
            batches,
            stop: Some(stop),
            ended,
        }
    }

    /// The next batch; `None` when the thread has ended.
    pub(crate) async fn next(&mut self) -> Option<Encoded> {
        self.batches.recv().await
    }

    /// Ends the thread.
    pub(crate) async fn end(mut self) {
        self.stop = None;
        self.batches.close();
        while self.batches.recv().await.is_some() {}
        // A thread that never came about has dropped its end; one that hangs in a file system that
        // does not answer is left behind, and ends with its next step.
        let _ended = timeout(END_WITHIN, self.ended).await;
    }
}
