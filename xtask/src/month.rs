//! A generated host in a database, judged as a collector judges: for tests in a browser, and to look at.
//!
//! The host (`testkit::month`) has been healthy for days. Then its disk begins to fill, three hours before the end its API was slow for
//! a while, and at the end everything that waits for its disk is slow. Its rows are delivered through a queue and the writer, rolled
//! up, and what is usual is learned from them as after a start. The last hours are judged tick by tick, with what a collector does beside that:
//! every five minutes objectives and health, every hour baselines and what will be full.
//!
//! When the present is reached it says so and, with `--follow`, lives on: a tick a minute until it is terminated.

use crate::delivery::{Delivery, now};
use crate::usual;
use anyhow::{Context, ensure};
use clap::Args;
use insight::baselines;
use insight::capacity::CapacityJudge;
use insight::health::Health;
use insight::judge::Judge;
use insight::live::Intervals;
use insight::normal::past;
use insight::slos::{SloJudge, Tracking};
use insight::{Lifecycle, TickJudges};
use schema::micros::{DAY, HOUR, MINUTE, SECOND};
use schema::{Row, Sample, Timestamp};
use std::time::{Duration, Instant};
use store::rollup;
use tempfile::TempDir;
use testkit::month::{Cause, Month, Plan, Size, Tick};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

/// What is stored.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The migrated database, as postgresql://USER@HOST:PORT/DATABASE
    #[arg(long)]
    database: String,
    /// Name of the host
    #[arg(long, default_value = "generated")]
    name: String,
    /// How many days it has, with today; a leak that is new is foreseen from the eighth on
    #[arg(long, default_value_t = 9)]
    days: u32,
    /// How many of the last hours are judged
    #[arg(long, default_value_t = 4)]
    judged_hours: i64,
    /// As many processes, tables and statements as a usual host has, instead of a few
    #[arg(long)]
    usual: bool,
    /// Live on until it is terminated
    #[arg(long)]
    follow: bool,
}

/// Seconds between two ticks: enough for everything that is judged.
const INTERVAL_SECS: u32 = 60;
const INTERVAL: i64 = INTERVAL_SECS as i64 * SECOND;
/// So long before what is judged every tick is stored, and earlier one in five minutes: as many as hours and what is usual need.
const DENSE: i64 = 2 * HOUR;
const SPARSE: i64 = 5 * MINUTE;
/// How often objectives are judged: as often as their rows are stored.
const OBJECTIVES: i64 = 5 * MINUTE;
/// How long a statement may take.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let target = pg::Target::parse(&options.database)?;
    let folder = TempDir::new()?;
    let plan = plan(options, now());
    let host = store::writer::Host {
        machine_id: format!("generated {}", options.name),
        hostname: options.name.clone(),
        kernel: "Linux 6.12.1".to_owned(),
        os: "Debian GNU/Linux 13".to_owned(),
        cores: Some(4),
        memory_bytes: Some(16 << 30),
        ..store::writer::Host::default()
    };
    let machine_id = host.machine_id.clone();
    let settings = format!(
        r#"{{"intervals.system_secs": ["{INTERVAL_SECS}", "file"], "intervals.app_secs": ["{INTERVAL_SECS}", "file"]}}"#
    );
    let delivery = Delivery::start(folder.path(), target.clone(), host, plan.begin, settings)?;
    let session = pg::SessionOptions::for_deadline(PATIENCE);
    let mut generated = Generated {
        delivery,
        judged: None,
        plan,
        begun: Instant::now(),
    };
    let present = now();
    let judged_from =
        Timestamp((present.as_micros() - options.judged_hours * HOUR).div_euclid(HOUR) * HOUR);
    let mut month = Month::new(&generated.plan).peekable();
    while let Some(Tick { ts, rows, .. }) = month.next_if(|tick| tick.ts < judged_from) {
        let is_old = ts.as_micros() < judged_from.as_micros() - DENSE;
        if !is_old || ts.as_micros() % SPARSE == 0 {
            generated.delivery.add(ts, rows).await?;
        }
    }
    generated.delivery.settle().await?;
    generated.say("days are stored");
    let opened = store::host::open(&target, &session, "pqcrypta generated", &machine_id).await;
    let (session, host_id) = opened.context("finding the generated host")?;
    let store = Store { session, host_id };
    store.roll_up().await?;
    generated.say("days are rolled up");
    generated.judged = Some(Judged::new(&store, generated.plan.begin, judged_from).await?);
    generated.say("what is usual is learned");
    while let Some(tick) = month.next_if(|tick| tick.ts < present) {
        generated.judge(&store, tick).await?;
    }
    generated.delivery.settle().await?;
    generated.say("the last hours are judged");
    println!("host: {host_id}");
    if options.follow {
        let living = async {
            for tick in month {
                let ahead = tick.ts.as_micros() - now().as_micros();
                sleep(Duration::from_micros(u64::try_from(ahead).unwrap_or(0))).await;
                generated.judge(&store, tick).await?;
                generated.delivery.settle().await?;
            }
            anyhow::Ok(())
        };
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            lived = living => lived?,
            _ = terminated.recv() => {}
        }
    }
    generated.delivery.end().await
}

/// Plans the days until now: healthy ones, on which the disk begins to fill, and an incident of the last half hour.
fn plan(options: &Options, now: Timestamp) -> Plan {
    let size = match options.usual {
        true => Size::USUAL,
        false => Size::SMALL,
    };
    let today = now.as_micros().div_euclid(DAY) * DAY;
    let begin = today - i64::from(options.days - 1) * DAY;
    // It lives on for a day.
    let mut plan = Plan {
        begin: Timestamp(begin),
        interval_secs: INTERVAL_SECS,
        ..Plan::healthy(11, options.days + 1, size)
    };
    // What else happens to a healthy host does not on the last half day: what is judged is the same at every time of day.
    let end = (now.as_micros() - begin).div_euclid(MINUTE) * MINUTE / SECOND;
    let hours = |hours: i64| hours * HOUR / SECOND;
    plan.events.retain(|event| {
        event.until() < end - hours(12)
            || matches!(event.cause, Cause::Deploy) && event.from < end - hours(24)
    });
    plan.with(Cause::DiskFills, end - hours(44), hours(96))
        .with(Cause::ApiSlow, end - hours(3), 900)
        .with(Cause::SlowDisk, end - 1500, hours(12))
}

/// The stored rows of the host.
struct Store {
    session: pg::Session,
    host_id: i32,
}

impl Store {
    /// Rolls up what is over.
    async fn roll_up(&self) -> anyhow::Result<()> {
        loop {
            // Another collector of this database may be at it.
            match rollup::run(&self.session.client, PATIENCE).await? {
                Some(outcome) if outcome.left == 0 => return Ok(()),
                _ => sleep(Duration::from_millis(200)).await,
            }
        }
    }
}

/// A host with what judges it.
struct Generated {
    delivery: Delivery,
    judged: Option<Judged>,
    plan: Plan,
    begun: Instant,
}

impl Generated {
    fn say(&self, what: &str) {
        eprintln!("{:.1} s: {what}", self.begun.elapsed().as_secs_f64());
    }

    /// Judges a tick and delivers it with what follows; of stored data, when it is time.
    async fn judge(&mut self, store: &Store, tick: Tick) -> anyhow::Result<()> {
        let Tick { ts, mut rows, .. } = tick;
        let judged = self.judged.as_mut().context("nothing judges yet")?;
        if ts.as_micros() % OBJECTIVES == 0 {
            self.delivery.settle().await?;
            if ts.as_micros() % HOUR == 0 {
                store.roll_up().await?;
                rows.extend(judged.hourly(store, ts).await?);
            }
            rows.extend(judged.objectives(store, ts).await?);
        }
        judged.tick(&mut rows, ts);
        self.delivery.add(ts, rows).await
    }
}

/// What a collector has in memory.
struct Judged {
    judges: TickJudges,
    findings: Lifecycle,
    slos: SloJudge,
    tracking: Tracking,
    intervals: Intervals,
}

impl Judged {
    /// Begins at an instant, with what is usual as stored rows tell.
    async fn new(store: &Store, begin: Timestamp, at: Timestamp) -> anyhow::Result<Self> {
        let intervals = Intervals {
            host: INTERVAL,
            services: INTERVAL,
        };
        let mut judges = TickJudges::new(intervals)?;
        let mut findings = Lifecycle::new(insight::rules());
        for group in baselines::groups() {
            let known =
                past::read(&store.session.client, store.host_id, &group, at, INTERVAL).await;
            for one in known {
                judges.normal().warm(one.metric, &one.key, one.values);
            }
        }
        ensure!(judges.normal().followed().1 > 0, "no series is known");
        drop(judges.begin_relating(&[], begin, &mut findings, at));
        Ok(Self {
            judges,
            findings,
            slos: SloJudge::new(intervals, begin),
            tracking: Tracking::default(),
            intervals,
        })
    }

    fn tick(&mut self, rows: &mut Vec<Row>, at: Timestamp) {
        let judged = self.judges.judge(&[rows], &mut self.findings, at);
        rows.extend(of(judged.transitions));
        rows.extend(of(judged.changes));
    }

    async fn objectives(&mut self, store: &Store, at: Timestamp) -> anyhow::Result<Vec<Row>> {
        let facts = self
            .slos
            .fetch(&store.session.client, store.host_id, at)
            .await?;
        let evaluation = self.slos.evaluate(&facts, &self.findings, at);
        let mut rows = of(self.judges.settle(evaluation, &mut self.findings, at));
        let mut health = Health::default();
        health.add_slos(&facts);
        health.add_findings(&self.findings);
        self.judges.add_health(&mut health, at);
        rows.extend(health.rows(at));
        rows.extend(self.tracking.rows(&facts, at));
        Ok(rows)
    }

    /// Computes baselines and what will be full.
    async fn hourly(&mut self, store: &Store, at: Timestamp) -> anyhow::Result<Vec<Row>> {
        let facts = usual::compute(&store.session, store.host_id, at, self.intervals).await?;
        let evaluation = CapacityJudge.evaluate(&facts, &self.findings, at);
        Ok(of(self.judges.settle(evaluation, &mut self.findings, at)))
    }
}

fn of<S: Sample>(samples: Vec<(Timestamp, S)>) -> Vec<Row> {
    let rows = samples.into_iter();
    rows.map(|(ts, sample)| sample.into_row(ts)).collect()
}
