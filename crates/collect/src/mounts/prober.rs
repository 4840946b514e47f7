//! Asking file systems for their room without ever waiting longer than the deadline.
//!
//! A call to a file system whose server is gone may never return, and nothing can take it back.
//! All calls of a tick are therefore made by one blocking thread, one after the other: what
//! answers from memory first, what may wait after it, and what has been slow before last. It wakes
//! the caller once, when it is through: each wake-up costs more than the calls themselves. When
//! the deadline passes, the call in progress is given up on, and the thread stays with it. Until
//! it returns there is no other thread: a second dead server must not cost a second one. In this
//! time only what answers from memory is asked, by the caller itself, and only as long as it is a
//! server that does not answer: if a disk hangs, the caller would hang with it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::capacity::Figures;

/// How long all calls of a tick may take together.
pub(crate) const DEADLINE: Duration = Duration::from_secs(2);

/// The call; a parameter so that tests have one that hangs.
pub(crate) type StatVfs = Arc<dyn Fn(&Path) -> Result<Figures, Errno> + Send + Sync>;

/// A mount that is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) path: PathBuf,
    /// Answered from memory, and the way to it is too.
    pub(crate) at_once: bool,
    /// Held by a disk of this machine.
    pub(crate) on_disk: bool,
}

/// What became of a probe.
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
pub(crate) struct Prober {
    stat_vfs: StatVfs,
    round: Option<Round>,
    slow: Option<PathBuf>,
}

impl std::fmt::Debug for Prober {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prober")
            .field("round", &self.round)
            .field("slow", &self.slow)
            .finish_non_exhaustive()
    }
}

/// One use of the thread.
#[derive(Debug)]
struct Round {
    /// In the order asked.
    probes: Vec<Probe>,
    progress: Arc<Mutex<Progress>>,
    thread: JoinHandle<()>,
}

/// How far the thread has come.
#[derive(Debug, Default)]
struct Progress {
    /// In the order asked; the thread is at the first probe that has none.
    answers: Vec<Result<Figures, Errno>>,
    /// Set when the caller waits no longer: the thread stops after the call in progress.
    is_abandoned: bool,
}

/// Asks one after the other, on the blocking thread.
fn probe_all(stat_vfs: &StatVfs, probes: &[Probe], progress: &Mutex<Progress>) {
    for probe in probes {
        let answer = stat_vfs(&probe.path);
        let mut progress = locked(progress);
        // A mount that was given up on stays without an answer: it is known as slow.
        if progress.is_abandoned {
            return;
        }
        progress.answers.push(answer);
    }
}

fn locked(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Prober {
    pub(crate) fn new(stat_vfs: StatVfs) -> Self {
        Self {
            stat_vfs,
            round: None,
            slow: None,
        }
    }

    /// Returns whether no call is in progress.
    #[cfg(test)]
    pub(crate) fn is_free(&self) -> bool {
        self.round
            .as_ref()
            .is_none_or(|round| round.thread.is_finished())
    }

    /// Returns one answer per probe, and the mount that does not answer, if there is one.
    pub(crate) async fn ask(&mut self, probes: &[Probe]) -> (Vec<Answer>, Option<PathBuf>) {
        // kept in self and not only here: the future may be dropped while the thread hangs
        if let Some(round) = self.round.take_if(|round| round.thread.is_finished()) {
            self.slow = round.pending().map(|probe| probe.path.clone());
        }
        match self.round.as_ref().and_then(Round::pending) {
            Some(stuck) => (self.probe_here(probes, stuck), Some(stuck.path.clone())),
            None => self.probe_there(probes).await,
        }
    }

    fn probe_here(&self, probes: &[Probe], stuck: &Probe) -> Vec<Answer> {
        let safe =
            |probe: &Probe| probe.at_once && !stuck.on_disk && !probe.path.starts_with(&stuck.path);
        probes
            .iter()
            .map(|probe| {
                if safe(probe) {
                    (self.stat_vfs)(&probe.path).into()
                } else {
                    Answer::Missing
                }
            })
            .collect()
    }

    async fn probe_there(&mut self, probes: &[Probe]) -> (Vec<Answer>, Option<PathBuf>) {
        let deadline = Instant::now() + DEADLINE;
        let mut order: Vec<usize> = (0..probes.len()).collect();
        order.sort_by_key(|&at| {
            probes
                .get(at)
                .map(|probe| (self.slow.as_ref() == Some(&probe.path), !probe.at_once))
        });
        let ordered: Vec<Probe> = order
            .iter()
            .filter_map(|&at| probes.get(at).cloned())
            .collect();
        let progress = Arc::new(Mutex::new(Progress::default()));
        let thread = tokio::task::spawn_blocking({
            let (stat_vfs, progress) = (Arc::clone(&self.stat_vfs), Arc::clone(&progress));
            let probes = ordered.clone();
            move || probe_all(&stat_vfs, &probes, &progress)
        });
        let round = self.round.insert(Round {
            probes: ordered,
            progress,
            thread,
        });
        let waited = tokio::time::timeout_at(deadline, &mut round.thread).await;
        let mut answers = vec![Answer::Missing; probes.len()];
        let answered = {
            let mut progress = locked(&round.progress);
            progress.is_abandoned = waited.is_err();
            for (at, result) in order.into_iter().zip(&progress.answers) {
                if let Some(answer) = answers.get_mut(at) {
                    *answer = (*result).into();
                }
            }
            progress.answers.len()
        };
        let stuck = round.probes.get(answered);
        let stuck = stuck.map(|probe| probe.path.clone());
        if stuck.is_none() {
            self.round = None;
        }
        (answers, stuck)
    }
}

impl Round {
    /// Returns the call in progress, or the one that was given up on.
    fn pending(&self) -> Option<&Probe> {
        self.probes.get(locked(&self.progress).answers.len())
    }
}
