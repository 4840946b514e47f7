//! What the service manager hears of the agent: ready, alive, and in one line how it is.
//!
//! *Ready* is the first tick whose rows are in the queue, not a database: a host that boots before its database is monitored
//! all the same. *Alive* is a tick that ended within the last [`PATIENCE`], or two intervals where these are longer; the loop
//! that reports it runs on the thread that samples, so that a thread that hangs is silent as well. On standby nothing is
//! sampled, and the loop alone is progress. A queue that refuses rows is reported elsewhere and is no reason to be restarted:
//! what is held in memory would be lost.

use config::Config;
use startup::ServiceManager;
use std::sync::Arc;
use std::time::Duration;
use store::status::{Link, SharedStatus, Status};
use tokio::sync::watch;
use tokio::time::Instant;

/// How old the last tick may be: two intervals of ten seconds, so that one slow tick is not taken for a hang. With the unit's
/// `WatchdogSec=30` a hang is over within 35 s.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often the line for `systemctl status` is brought up to date where no watchdog asks more often.
const DESCRIBED_EVERY: Duration = Duration::from_secs(10);

/// The progress of sampling. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<watch::Sender<Ticked>>);

#[derive(Clone, Copy, Debug)]
struct Ticked {
    /// When the last tick ended, or the agent began.
    last: Instant,
    /// Whether the rows of any tick are in the queue.
    is_queued: bool,
}

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Ticked {
            last: Instant::now(),
            is_queued: false,
        })))
    }
}

impl Progress {
    /// Notes a tick that ended, and whether its rows are in the queue.
    pub(crate) fn ticked(&self, is_queued: bool) {
        self.0.send_modify(|ticked| {
            ticked.last = Instant::now();
            ticked.is_queued |= is_queued;
        });
    }
}

/// Reports to the service manager.
#[derive(Debug)]
pub(crate) struct Liveness {
    pub(crate) manager: ServiceManager,
    pub(crate) progress: Progress,
    pub(crate) status: SharedStatus,
    pub(crate) config: watch::Receiver<Config>,
    pub(crate) standby: watch::Receiver<bool>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Liveness {
    /// Reports until the program stops.
    pub(crate) async fn run(mut self) {
        if !self.begin().await {
            self.manager.stopping();
            return;
        }
        self.manager.ready();
        let every = self.manager.report_every();
        let mut described = String::new();
        loop {
            if self.is_alive() {
                self.manager.alive();
            }
            let line = describe(&self.status.get());
            if line != described {
                self.manager.status(&line);
                described = line;
            }
            tokio::select! {
                _ = self.stop.changed() => break,
                () = tokio::time::sleep(every.unwrap_or(DESCRIBED_EVERY)) => {}
            }
        }
        self.manager.stopping();
    }

    /// Waits for the first tick, or for standby; returns `false` when the program stops before.
    async fn begin(&mut self) -> bool {
        let (mut ticked, mut standby) = (self.progress.0.subscribe(), self.standby.clone());
        // Without a sender the program is ending.
        tokio::select! {
            _ = self.stop.changed() => false,
            queued = ticked.wait_for(|ticked| ticked.is_queued) => queued.is_ok(),
            waiting = standby.wait_for(|is_standby| *is_standby) => waiting.is_ok(),
        }
    }

    fn is_alive(&self) -> bool {
        let interval = self.config.borrow().intervals.system_secs;
        let patience = PATIENCE.max(Duration::from_secs(2 * u64::from(interval)));
        *self.standby.borrow() || self.progress.0.borrow().last.elapsed() < patience
    }
}

/// Returns the line for `systemctl status`.
fn describe(status: &Status) -> String {
    let because = match &status.error {
        Some(error) => format!(": {error}"),
        None => String::new(),
    };
    match status.link {
        Link::Connected => format!("sampling and storing{because}"),
        Link::Connecting => {
            format!("sampling; the database is not reached, rows wait in the queue{because}")
        }
        Link::Waiting => format!("standby: another collector works for this host{because}"),
        Link::Refused => {
            format!("sampling; the database refuses the rows, they wait in the queue{because}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        liveness: Liveness,
        standby: watch::Sender<bool>,
        stop: watch::Sender<bool>,
        _config: watch::Sender<Config>,
    }

    fn case() -> Case {
        let (standby, standby_seen) = watch::channel(false);
        let (stop, stop_seen) = watch::channel(false);
        let (config, config_seen) = watch::channel(Config::default());
        Case {
            liveness: Liveness {
                manager: ServiceManager::default(),
                progress: Progress::default(),
                status: SharedStatus::default(),
                config: config_seen,
                standby: standby_seen,
                stop: stop_seen,
            },
            standby,
            stop,
            _config: config,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_ready_with_the_first_tick_in_the_queue_or_on_standby() {
        let mut ticking = case();
        ticking.liveness.progress.ticked(false);
        let waited = tokio::time::timeout(Duration::from_secs(60), ticking.liveness.begin()).await;
        assert!(waited.is_err(), "a tick that the queue refused");
        ticking.liveness.progress.ticked(true);
        assert!(ticking.liveness.begin().await);

        let mut standby = case();
        standby.standby.send_replace(true);
        assert!(standby.liveness.begin().await);

        let mut stopped = case();
        stopped.stop.send_replace(true);
        assert!(!stopped.liveness.begin().await);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_alive_while_ticks_end_and_on_standby() {
        let case = case();
        assert!(case.liveness.is_alive(), "at the start");
        tokio::time::advance(Duration::from_secs(19)).await;
        assert!(case.liveness.is_alive());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!case.liveness.is_alive(), "no tick for twenty seconds");
        case.standby.send_replace(true);
        assert!(case.liveness.is_alive(), "nothing is sampled on standby");
        case.standby.send_replace(false);
        case.liveness.progress.ticked(false);
        assert!(case.liveness.is_alive(), "a refused tick is one");
    }
}
