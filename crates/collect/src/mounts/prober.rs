//! Asking file systems for their room without ever waiting longer than the deadline.
//!
//! A call to a file system whose server is gone may never return, and nothing can take it back.
//! All calls of a tick are therefore made by one blocking thread, one after the other: what
//! answers from memory first, what may wait after it, and what has been slow before last. When
//! the deadline passes, the call in progress is given up on, and the thread stays with it. Until
//! it returns there is no other thread: a second dead server must not cost a second one. In this
//! time only what answers from memory is asked, by the caller itself, and only as long as it is a
//! server that does not answer: if a disk hangs, the caller would hang with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::io::Errno;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::capacity::Figures;

/// How long all calls of a tick may take together.
pub(crate) const DEADLINE: Duration = Duration::from_secs(2);

/// The call; a parameter so that tests have one that hangs.
pub(crate) type StatVfs = Arc<dyn Fn(&Path) -> Result<Figures, Errno> + Send + Sync>;

/// A mount that is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) path: PathBuf,
    /// Answered from memory, and the way to it is too.
    pub(crate) at_once: bool,
    /// Held by a disk of this machine.
    pub(crate) on_disk: bool,
}

/// What became of a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The figures.
    Given(Figures),
    /// The file system refused.
    Refused(Errno),
    /// It did not answer in time, or it was not asked because another does not answer.
    #[default]
    Missing,
}

impl From<Result<Figures, Errno>> for Answer {
    fn from(result: Result<Figures, Errno>) -> Self {
        match result {
            Ok(figures) => Self::Given(figures),
            Err(error) => Self::Refused(error),
        }
    }
}

/// Asks; remembers the call that did not return.
pub(crate) struct Asker {
    stat_vfs: StatVfs,
    round: Option<Round>,
    slow: Option<PathBuf>,
}

impl std::fmt::Debug for Asker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asker")
            .field("round", &self.round)
            .field("slow", &self.slow)
            .finish_non_exhaustive()
    }
}

/// One use of the thread.
#[derive(Debug)]
struct Round {
    /// In the order asked.
    questions: Vec<Question>,
    /// How many of them have been answered.
    answered: usize,
    enough: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Asker {
    pub(crate) fn new(stat_vfs: StatVfs) -> Self {
        Self {
            stat_vfs,
            round: None,
            slow: None,
        }
    }

    /// Whether no call is in progress.
    #[cfg(test)]
    pub(crate) fn is_free(&self) -> bool {
        self.round
            .as_ref()
            .is_none_or(|round| round.thread.is_finished())
    }

    /// One answer per question, and the mount that does not answer, if there is one.
    pub(crate) async fn ask(&mut self, questions: &[Question]) -> (Vec<Answer>, Option<PathBuf>) {
        // kept in self and not only here: the future may be dropped while the thread hangs
        if let Some(round) = self.round.take_if(|round| round.thread.is_finished()) {
            self.slow = round.pending().map(|question| question.path.clone());
        }
        match self.round.as_ref().and_then(Round::pending) {
            Some(stuck) => (self.ask_here(questions, stuck), Some(stuck.path.clone())),
            None => self.ask_there(questions).await,
        }
    }

    fn ask_here(&self, questions: &[Question], stuck: &Question) -> Vec<Answer> {
        let safe = |question: &Question| {
            question.at_once && !stuck.on_disk && !question.path.starts_with(&stuck.path)
        };
        questions
            .iter()
            .map(|question| {
                if safe(question) {
                    (self.stat_vfs)(&question.path).into()
                } else {
                    Answer::Missing
                }
            })
            .collect()
    }

    async fn ask_there(&mut self, questions: &[Question]) -> (Vec<Answer>, Option<PathBuf>) {
        let deadline = Instant::now() + DEADLINE;
        let mut answers = vec![Answer::Missing; questions.len()];
        let mut order: Vec<usize> = (0..questions.len()).collect();
        order.sort_by_key(|&at| {
            questions.get(at).map(|question| {
                (
                    self.slow.as_ref() == Some(&question.path),
                    !question.at_once,
                )
            })
        });
        let ordered: Vec<Question> = order
            .iter()
            .filter_map(|&at| questions.get(at).cloned())
            .collect();
        // room for all: the thread never waits for us
        let (sender, mut receiver) = mpsc::channel(ordered.len().max(1));
        let enough = Arc::new(AtomicBool::new(false));
        let thread = tokio::task::spawn_blocking({
            let (stat_vfs, enough) = (Arc::clone(&self.stat_vfs), Arc::clone(&enough));
            let questions = ordered.clone();
            move || {
                for question in &questions {
                    if enough.load(Ordering::Relaxed)
                        || sender.try_send(stat_vfs(&question.path)).is_err()
                    {
                        return;
                    }
                }
            }
        });
        let round = self.round.insert(Round {
            questions: ordered,
            answered: 0,
            enough,
            thread,
        });
        let mut places = order.into_iter();
        let mut take = |round: &mut Round, result: Result<Figures, Errno>| {
            round.answered += 1;
            if let Some(answer) = places.next().and_then(|at| answers.get_mut(at)) {
                *answer = result.into();
            }
        };
        loop {
            match tokio::time::timeout_at(deadline, receiver.recv()).await {
                Ok(Some(result)) => take(round, result),
                Ok(None) => break,
                Err(_elapsed) => {
                    round.enough.store(true, Ordering::Relaxed);
                    while let Ok(result) = receiver.try_recv() {
                        take(round, result);
                    }
                    break;
                }
            }
        }
        match round.pending() {
            Some(stuck) => {
                let stuck = stuck.path.clone();
                (answers, Some(stuck))
            }
            None => {
                self.round = None;
                (answers, None)
            }
        }
    }
}

impl Round {
    /// The call in progress: answers come in the order of the questions.
    fn pending(&self) -> Option<&Question> {
        self.questions.get(self.answered)
    }
}
