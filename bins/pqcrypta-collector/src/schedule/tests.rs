//! The loop with jobs that note when they ran, on a paused clock.

use super::*;
use config::Environment;
use std::sync::Mutex;
use store::spool::{self, Spool};
use tempfile::TempDir;

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn add(&self, note: String) {
        self.0.lock().unwrap().push(note);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Takes `takes` and fails while `fails` holds; `NEEDS` is an index into [`NEEDED`].
struct Probe<const NEEDS: usize> {
    notes: Notes,
    takes: Duration,
    deadline: Option<Duration>,
    wake: Wake,
    fails: Arc<Mutex<Option<&'static str>>>,
}

/// The cause of a run that cannot begin.
const NOT_YET: &str = "another one was first";

const NEEDED: [Needs; 3] = [Needs::Nothing, Needs::Active, Needs::Link];

impl<const NEEDS: usize> Probe<NEEDS> {
    fn new(notes: &Notes) -> Self {
        Self {
            notes: notes.clone(),
            takes: Duration::ZERO,
            deadline: None,
            wake: Wake::Never,
            fails: Arc::default(),
        }
    }
}

impl<const NEEDS: usize> Job for Probe<NEEDS> {
    const PLAN: Plan = Plan {
        name: "probe",
        needs: NEEDED[NEEDS],
        is_recorded: true,
    };

    fn interval(&self, config: &Config) -> Duration {
        Duration::from_secs(u64::from(config.intervals.system_secs))
    }

    fn wake(&self) -> Wake {
        self.wake.clone()
    }

    fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    async fn run(&mut self, turn: Turn) -> anyhow::Result<usize> {
        tokio::time::sleep(self.takes).await;
        self.notes.add(match turn {
            Turn::Tick(_) => "tick".to_owned(),
            Turn::Woken => "woken".to_owned(),
        });
        match *self.fails.lock().unwrap() {
            Some(NOT_YET) => Err(Postponed(NOT_YET).into()),
            Some(cause) => Err(anyhow::anyhow!(cause)),
            None => Ok(3),
        }
    }

    async fn reconfigure(&mut self, config: &Config) {
        self.notes
            .add(format!("every {} s", config.intervals.system_secs));
    }

    async fn close(self) {
        self.notes.add("closed".to_owned());
    }
}

struct Bench {
    notes: Notes,
    queue: Queue,
    status: SharedStatus,
    config: watch::Sender<Config>,
    standby: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    _dir: TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("collector.toml");
        std::fs::write(&file, "[intervals]\nsystem_secs = 10\n").unwrap();
        let environment = Environment::of([] as [(&str, &str); 0]);
        let loaded = Config::load(Some(&file), &environment).unwrap();
        let options = spool::SpoolOptions::with_budget(16 * 1024 * 1024);
        Self {
            notes: Notes::default(),
            queue: Queue::new(Spool::open(&dir.path().join("queue"), options).unwrap()),
            status: SharedStatus::default(),
            config: watch::Sender::new(loaded.config),
            standby: watch::Sender::new(false),
            stop: watch::Sender::new(false),
            _dir: dir,
        }
    }

    fn start(&self, job: impl Job + 'static) -> tokio::task::JoinHandle<()> {
        let schedule = Schedule {
            config: self.config.subscribe(),
            standby: self.standby.subscribe(),
            stop: self.stop.subscribe(),
            status: self.status.clone(),
            queue: self.queue.clone(),
            clock: || Timestamp(0),
        };
        tokio::spawn(schedule.run(job))
    }

    async fn runs(&self) -> u64 {
        let depth = self.queue.depth().await;
        depth.rows.get("collector_runs_raw").copied().unwrap_or(0)
    }
}

async fn pass(secs: u64) {
    tokio::time::sleep(Duration::from_millis(secs * 1000 + 1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_runs_at_its_ticks_follows_the_configuration_and_is_closed() {
    let bench = Bench::new();
    let task = bench.start(Probe::<1>::new(&bench.notes));
    pass(20).await;
    assert_eq!(bench.notes.take(), ["tick", "tick", "tick"]);
    assert_eq!(bench.runs().await, 3);
    bench
        .config
        .send_modify(|config| config.intervals.system_secs = 60);
    pass(59).await;
    assert_eq!(bench.notes.take(), ["every 60 s"]);
    pass(1).await;
    assert_eq!(bench.notes.take(), ["tick"]);
    bench.stop.send_replace(true);
    task.await.unwrap();
    assert_eq!(bench.notes.take(), ["closed"]);
}

#[tokio::test(start_paused = true)]
async fn on_standby_only_a_job_that_needs_nothing_runs() {
    let bench = Bench::new();
    bench.standby.send_replace(true);
    let all = bench.start(Probe::<0>::new(&bench.notes));
    pass(10).await;
    assert_eq!(bench.notes.take(), ["tick", "tick"]);
    all.abort();
    let active = bench.start(Probe::<1>::new(&bench.notes));
    pass(60).await;
    assert!(bench.notes.take().is_empty());
    bench.standby.send_replace(false);
    pass(10).await;
    assert_eq!(bench.notes.take(), ["tick"]);
    active.abort();
}

#[tokio::test(start_paused = true)]
async fn a_job_that_needs_a_link_waits_for_it() {
    let bench = Bench::new();
    let _task = bench.start(Probe::<2>::new(&bench.notes));
    pass(35).await;
    assert!(bench.notes.take().is_empty());
    bench.status.link(Link::Connected, None);
    pass(1).await;
    assert_eq!(
        bench.notes.take().len(),
        1,
        "one, however many ticks passed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_with_a_deadline_is_dropped_and_recorded_as_failed() {
    let bench = Bench::new();
    let task = bench.start(Probe::<1> {
        takes: Duration::from_secs(3600),
        deadline: Some(Duration::from_secs(5)),
        ..Probe::new(&bench.notes)
    });
    pass(6).await;
    assert_eq!(bench.runs().await, 1);
    assert!(bench.notes.take().is_empty());
    // Shutdown does not wait for the deadline.
    pass(5).await;
    let before = Instant::now();
    bench.stop.send_replace(true);
    task.await.unwrap();
    assert!(before.elapsed() < Duration::from_secs(1));
    assert_eq!(bench.notes.take(), ["closed"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_without_a_deadline_is_finished() {
    let bench = Bench::new();
    let task = bench.start(Probe::<1> {
        takes: Duration::from_secs(2),
        ..Probe::new(&bench.notes)
    });
    pass(1).await;
    bench.stop.send_replace(true);
    task.await.unwrap();
    assert_eq!(bench.notes.take(), ["tick", "closed"]);
}

#[tokio::test(start_paused = true)]
async fn notifications_wake_a_job_at_once_or_at_a_pace() {
    let bench = Bench::new();
    bench
        .config
        .send_modify(|config| config.intervals.system_secs = 300);
    let notify = Arc::new(Notify::new());
    let at_once = bench.start(Probe::<1> {
        wake: Wake::AtOnce(Arc::clone(&notify)),
        ..Probe::new(&bench.notes)
    });
    pass(0).await;
    bench.notes.take();
    for _ in 0..3 {
        notify.notify_one();
        pass(0).await;
    }
    assert_eq!(bench.notes.take(), ["woken", "woken", "woken"]);
    at_once.abort();
    let _paced = bench.start(Probe::<1> {
        wake: Wake::Paced(Arc::clone(&notify)),
        ..Probe::new(&bench.notes)
    });
    pass(0).await;
    bench.notes.take();
    for _ in 0..3 {
        notify.notify_one();
        pass(1).await;
    }
    assert!(bench.notes.take().is_empty(), "the tick was a moment ago");
    pass(10).await;
    assert_eq!(bench.notes.take(), ["woken"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_is_followed_by_the_next() {
    let bench = Bench::new();
    let probe = Probe::<1>::new(&bench.notes);
    let fails = Arc::clone(&probe.fails);
    *fails.lock().unwrap() = Some("the table is gone");
    let _task = bench.start(probe);
    pass(10).await;
    *fails.lock().unwrap() = None;
    pass(10).await;
    assert_eq!(bench.notes.take().len(), 3);
    assert_eq!(bench.runs().await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_begin_is_no_failure_and_is_made_up_for() {
    let bench = Bench::new();
    bench
        .config
        .send_modify(|config| config.intervals.system_secs = 3600);
    let probe = Probe::<1>::new(&bench.notes);
    let fails = Arc::clone(&probe.fails);
    *fails.lock().unwrap() = Some(NOT_YET);
    let _task = bench.start(probe);
    pass(0).await;
    assert_eq!(bench.notes.take(), ["tick"]);
    *fails.lock().unwrap() = None;
    pass(30).await;
    assert_eq!(bench.notes.take(), ["woken"]);
    assert_eq!(bench.runs().await, 1, "the first is not recorded");
    pass(60).await;
    assert!(bench.notes.take().is_empty());
}
