//! What the service manager hears of the agent: ready, alive, and in one line how it is.
//!
//! *Ready* is the first tick whose rows are in the queue, not a database: a host that boots before its database is monitored
//! all the same. *Alive* is a tick that ended within the last [`PATIENCE`], or two intervals where these are longer. The loop
//! that reports it runs on the thread that samples: a thread that hangs is silent, and the manager's watchdog ends it. A tick
//! that never ends while the loop goes on is reported as a hang, or the watchdog's time would begin only after ours. What is
//! late because the whole machine stood still (a virtual machine that was paused) is none. On standby nothing is
//! sampled, and the loop alone is progress. A queue that refuses rows is reported elsewhere and is no reason to be restarted:
//! what is held in memory would be lost.

use config::Config;
use startup::ServiceManager;
use std::sync::Arc;
use std::time::Duration;
use store::status::{Link, SharedStatus, Status};
use tokio::sync::watch;
use tokio::time::Instant;

/// How old the last tick may be: two intervals of ten seconds, so that one slow tick is not taken for a hang. It is looked at
/// three times within the unit's `WatchdogSec=30`, so that either kind of hang is over within 35 s with `RestartSec=5`.
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
        let every = every.unwrap_or(DESCRIBED_EVERY);
        let mut described = String::new();
        let mut looked = Instant::now();
        let mut is_hung = false;
        loop {
            let is_on_time = looked.elapsed() < 2 * every;
            looked = Instant::now();
            if self.is_alive() {
                self.manager.alive();
                is_hung = false;
            } else if is_on_time && !is_hung {
                tracing::error!(
                    seconds = self.progress.0.borrow().last.elapsed().as_secs(),
                    "no tick has ended for this long: the program hangs and asks to be restarted"
                );
                self.manager.hung();
                is_hung = true;
            }
            let line = describe(&self.status.get());
            if line != described {
                self.manager.status(&line);
                described = line;
            }
            tokio::select! {
                _ = self.stop.changed() => break,
                () = tokio::time::sleep(every) => {}
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
    use config::Environment;
    use std::os::unix::net::UnixDatagram;

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

    /// Returns the messages about the watchdog that the manager received since the last call.
    fn read_all(socket: &UnixDatagram) -> Vec<String> {
        let mut text = [0; 256];
        std::iter::from_fn(|| {
            let length = socket.recv(&mut text).ok()?;
            Some(String::from_utf8_lossy(&text[..length]).into_owned())
        })
        .filter(|message| message.starts_with("WATCHDOG"))
        .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_tick_that_never_ends_is_a_hang_and_a_machine_that_stood_still_is_none() {
        const ALIVE: &str = "WATCHDOG=1";
        const HUNG: &str = "WATCHDOG=trigger";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();

        let mut case = case();
        case.liveness.manager = ServiceManager::of(&Environment::of([
            ("NOTIFY_SOCKET", path.to_str().unwrap()),
            ("WATCHDOG_USEC", "30000000"),
        ]));
        let progress = case.liveness.progress.clone();
        progress.ticked(true);
        let reporting = tokio::spawn(case.liveness.run());
        tokio::time::sleep(Duration::from_secs(35)).await;
        assert_eq!(read_all(&socket), [ALIVE, ALIVE, HUNG], "0, 10, 20 s; 30 s");

        progress.ticked(true);
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(read_all(&socket), [ALIVE], "it was late, and went on");

        tokio::time::advance(Duration::from_secs(60)).await;
        tokio::task::yield_now().await;
        assert!(read_all(&socket).is_empty(), "neither alive nor hung");
        progress.ticked(true);
        tokio::time::sleep(Duration::from_secs(15)).await;
        assert_eq!(read_all(&socket), [ALIVE]);
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(read_all(&socket), [HUNG], "it hangs after that");
        case.stop.send_replace(true);
        reporting.await.unwrap();
    }
}
