//! Objectives in a real database: windows equal what is counted by hand, findings open and resolve, and nothing depends on
//! when it is asked.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use insight::judge::Judge;
use insight::live::Intervals;
use insight::slos::{GRACE, SloFacts, SloJudge, Standing, Tracking};
use insight::{Evaluation, Lifecycle};
use schema::micros::{HOUR, MINUTE, SECOND};
use schema::{Finding, Severity, Timestamp};
use stats::burn::Window;
use std::time::Duration;
use store::series::Instant;
use testkit::{Database, Dice, migrated};
use tokio_postgres::Client;

/// Time between two samples, microseconds.
const STEP: i64 = 30 * SECOND;
const INTERVALS: Intervals = Intervals {
    host: STEP,
    services: STEP,
};

/// What an API does in the time up to a tick.
#[derive(Clone, Copy, Debug)]
struct Act {
    /// Whether it answers.
    is_up: bool,
    requests: i64,
    failed: i64,
    /// Of these, blocked by the WAF; they count as requests and as failed.
    blocked: i64,
    p95_ms: Option<f64>,
    /// It was started anew, so that its counters begin at 0.
    is_new: bool,
}

const GOOD: Act = Act {
    is_up: true,
    requests: 50,
    failed: 0,
    blocked: 0,
    p95_ms: Some(100.0),
    is_new: false,
};

/// A sample as it is stored.
#[derive(Clone, Copy, Debug)]
struct Sampled {
    ts: i64,
    is_up: bool,
    total: i64,
    failed: i64,
    blocked: i64,
    p95_ms: Option<f64>,
}

/// A database with an API that was watched.
struct World {
    database: Database,
    session: pg::Session,
    samples: Vec<Sampled>,
}

/// The hour that is open in a test; roll-ups ask for hours that are over by the server's clock.
#[expect(clippy::disallowed_methods, reason = "a test has to know what is over")]
fn open_hour() -> i64 {
    let now = std::time::SystemTime::now();
    let now = now
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_micros();
    (i64::try_from(now).unwrap() / HOUR - 2) * HOUR
}

impl World {
    async fn new() -> Self {
        let database = migrated().await.unwrap();
        let session = database.connect().await.unwrap();
        session
            .client
            .batch_execute(
                r#"INSERT INTO collector.hosts (machine_id, hostname) VALUES ('machine-1', 'one');
                   INSERT INTO collector.agent_runs (host_id, run_id, writer, started_at, pid, version, settings)
                   SELECT 1, gen_random_uuid(), gen_random_uuid(), now(), 1, '0',
                          '{"intervals.system_secs": ["30"], "intervals.app_secs": ["30"]}'"#,
            )
            .await
            .unwrap();
        Self {
            database,
            session,
            samples: Vec::new(),
        }
    }

    fn client(&self) -> &Client {
        &self.session.client
    }

    /// Stores what the API did, from this instant on.
    async fn live(&mut self, from: i64, acts: impl IntoIterator<Item = Act>) {
        let last = self.samples.last().copied();
        let mut counters = last.map_or((0, 0, 0), |last| (last.total, last.failed, last.blocked));
        let mut new = Vec::new();
        for (tick, act) in (0..).zip(acts) {
            if act.is_new {
                counters = (0, 0, 0);
            }
            counters.0 += act.requests;
            counters.1 += act.failed;
            counters.2 += act.blocked;
            new.push(Sampled {
                ts: from + tick * STEP,
                is_up: act.is_up,
                total: counters.0,
                failed: counters.1,
                blocked: counters.2,
                p95_ms: act.p95_ms,
            });
        }
        self.store(&new).await;
        self.samples.extend(new);
        self.samples.sort_by_key(|sample| sample.ts);
    }

    async fn store(&self, new: &[Sampled]) {
        let client = self.client();
        let day = |sample: Option<&Sampled>| {
            let ts = sample.unwrap().ts;
            jiff::Timestamp::from_microsecond(ts)
                .unwrap()
                .strftime("%F")
                .to_string()
        };
        let made = testkit::partitions(&day(new.first()), &day(new.last()));
        client.batch_execute(&made).await.unwrap();
        let ts: Vec<Instant> = new.iter().map(|one| Instant(Timestamp(one.ts))).collect();
        let up: Vec<bool> = new.iter().map(|one| one.is_up).collect();
        let of = |figure: fn(&Sampled) -> i64| new.iter().map(figure).collect::<Vec<i64>>();
        let p95: Vec<Option<f64>> = new.iter().map(|one| one.p95_ms).collect();
        client
            .execute(
                "WITH s AS (SELECT * FROM unnest($1::timestamptz[], $2::bool[], $3::int8[], $4::int8[], $5::int8[], $6::float8[])
                            AS s (ts, up, total, failed, blocked, p95)),
                 a AS (INSERT INTO collector.target_metrics_raw (ts, host_id, target, kind, up, duration_ms, bad_values)
                       SELECT ts, 1, 'main', 'api', up, 1, 0 FROM s),
                 b AS (INSERT INTO collector.system_metrics_raw (ts, host_id, cpu_idle, cpu_iowait, mem_total, mem_available)
                       SELECT ts, 1, 50, 0, 100, 50 FROM s),
                 c AS (INSERT INTO collector.changed_hours (host_id, bucket)
                       SELECT DISTINCT 1, date_bin('1 hour', ts, 'epoch'::timestamptz) FROM s)
                 INSERT INTO collector.api_metrics_raw (ts, host_id, target, total_requests, failed_requests,
                                                        waf_blocked_requests, p95_ms)
                 SELECT ts, 1, 'main', total, failed, blocked, p95 FROM s WHERE up",
                &[
                    &ts,
                    &up,
                    &of(|one| one.total),
                    &of(|one| one.failed),
                    &of(|one| one.blocked),
                    &p95,
                ],
            )
            .await
            .unwrap();
    }

    async fn roll_up(&self) {
        let session = self.database.connect().await.unwrap();
        store::rollup::run(&session.client, Duration::from_secs(600))
            .await
            .unwrap()
            .unwrap();
        session.close(Duration::from_secs(1)).await;
    }

    async fn facts(&self, at: i64) -> SloFacts {
        let judge = SloJudge::new(INTERVALS, Timestamp(0));
        judge.fetch(self.client(), 1, Timestamp(at)).await.unwrap()
    }

    /// Counts the bad and all requests of `from <= ts < to` by hand.
    fn requests(&self, from: i64, to: i64) -> (f64, f64) {
        let answered: Vec<&Sampled> = self.samples.iter().filter(|one| one.is_up).collect();
        let (mut bad, mut total) = (0, 0);
        for pair in answered.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            let part = (after.failed - after.blocked) - (before.failed - before.blocked);
            let whole = (after.total - after.blocked) - (before.total - before.blocked);
            let is_known = after.ts - before.ts <= 6 * STEP && part >= 0 && whole >= 0;
            if is_known && (from..to).contains(&after.ts) {
                bad += part;
                total += whole;
            }
        }
        (bad as f64, total as f64)
    }
}

fn find<'a>(facts: &'a SloFacts, name: &str) -> &'a Standing {
    let found = facts.standings.iter().find(|one| one.slo.name == name);
    found.unwrap_or_else(|| panic!("{name} is not judged"))
}

fn near(case: &str, window: &Window, (bad, total): (f64, f64)) {
    let tally = window.tally;
    let is_near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b.abs().max(1.0);
    assert!(
        is_near(tally.bad, bad) && is_near(tally.total, total),
        "{case}: {tally:?} is not {bad} of {total}"
    );
}

/// Asserts that each window counts what is counted by hand.
async fn check(world: &World, at: i64, case: &str) {
    let facts = world.facts(at).await;
    let one = find(&facts, "api_error_rate");
    let hour = at / HOUR * HOUR;
    for (window, from) in [
        (&one.five, (at - 5 * MINUTE) / MINUTE * MINUTE + MINUTE),
        (
            &one.half_hour,
            (at - 30 * MINUTE) / MINUTE * MINUTE + MINUTE,
        ),
        (&one.hour, (at - HOUR) / MINUTE * MINUTE + MINUTE),
        (&one.six_hours, hour - 6 * HOUR),
        (&one.three_days, hour - 72 * HOUR),
        (&one.month, hour - 720 * HOUR),
    ] {
        let case = format!("{case} since {} min", (at - from) / MINUTE);
        near(&case, window, world.requests(from, at));
    }
    let gauge = find(&facts, "api_latency_p95");
    let slow = |from: i64| {
        let minutes = world
            .samples
            .chunk_by(|a, b| a.ts / MINUTE == b.ts / MINUTE);
        let (mut bad, mut all) = (0.0, 0.0);
        for minute in minutes.filter(|minute| (from..at).contains(&minute[0].ts)) {
            let values: Vec<f64> = minute
                .iter()
                .filter(|one| one.is_up)
                .filter_map(|one| one.p95_ms)
                .collect();
            if !values.is_empty() {
                all += 1.0;
                bad += f64::from(u8::from(
                    values.iter().sum::<f64>() / values.len() as f64 > 500.0,
                ));
            }
        }
        (bad, all)
    };
    near(
        &format!("{case}: slow minutes"),
        &gauge.hour,
        slow((at - HOUR) / MINUTE * MINUTE + MINUTE),
    );
    near(
        &format!("{case}: slow minutes of 6 h"),
        &gauge.six_hours,
        slow(hour - 6 * HOUR),
    );
}

#[tokio::test]
async fn windows_equal_what_is_counted_by_hand() {
    let mut world = World::new().await;
    let mut dice = Dice::new(8);
    let open = open_hour();
    let from = open - 76 * HOUR;
    let mut act = |tick: i64| {
        // Minutes are slow or not as a whole, hours partly; the API restarts now and then.
        let is_slow = tick / 2 % 100 < 7;
        Act {
            is_up: true,
            requests: i64::try_from(dice.below(100)).unwrap() + 3,
            failed: i64::from(dice.one_in(9)) * 3,
            blocked: i64::from(dice.one_in(9)),
            p95_ms: Some(if is_slow { 800.0 } else { 100.0 }),
            is_new: tick % 1000 == 999,
        }
    };
    let ticks = (open + 20 * MINUTE - from) / STEP;
    // A gap of an hour and a half.
    let acts: Vec<Act> = (0..ticks).map(&mut act).collect();
    world.live(from, acts[..3000].to_vec()).await;
    world.live(from + 3180 * STEP, acts[3180..].to_vec()).await;
    let at = open + 20 * MINUTE;
    world.roll_up().await;
    check(&world, at, "rolled up").await;
    // A few hours are read from samples in each run. When all are counted, nothing is remembered but what is stored.
    for _ in 0..7 {
        world.facts(at).await;
    }
    let (first, second) = (world.facts(at).await, world.facts(at).await);
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
    // What arrives late is counted once its hour is rolled up anew.
    world
        .live(from + 3000 * STEP, acts[3000..3180].to_vec())
        .await;
    world.roll_up().await;
    let expected = world.requests(open - 720 * HOUR, at);
    near(
        "late",
        &find(&world.facts(at).await, "api_error_rate").month,
        expected,
    );
}

/// The life of findings at successive instants.
struct Watch {
    judge: SloJudge,
    lifecycle: Lifecycle,
}

impl Watch {
    fn new() -> Self {
        Self {
            judge: SloJudge::new(INTERVALS, Timestamp(0)),
            lifecycle: Lifecycle::new(insight::rules()),
        }
    }

    /// Judges, and returns what is open, as `rule target severity`.
    async fn look(&mut self, world: &World, at: i64) -> Vec<String> {
        let facts = world.facts(at).await;
        let evaluation = self.judge.evaluate(&facts, &self.lifecycle, Timestamp(at));
        drop(self.lifecycle.reconcile(evaluation, Timestamp(at)));
        let word = |one: &Finding| format!("{} {} {}", one.rule, one.target, one.severity.as_str());
        let mut open: Vec<String> = self.lifecycle.open().map(word).collect();
        open.sort();
        open
    }

    fn message(&self, rule: &str) -> &Finding {
        self.lifecycle.open().find(|one| one.rule == rule).unwrap()
    }
}

#[tokio::test]
async fn a_burn_is_found_and_resolves() {
    let mut world = World::new().await;
    let open = open_hour();
    world.live(open - 5 * HOUR, vec![GOOD; 5 * 120]).await;
    world.roll_up().await;
    let bad = Act { failed: 30, ..GOOD };
    let blocked = Act {
        failed: 30,
        blocked: 30,
        ..GOOD
    };
    // Blocked requests are no failures.
    world.live(open, vec![blocked; 40]).await;
    let mut watch = Watch::new();
    assert!(watch.look(&world, open + 20 * MINUTE).await.is_empty());
    world.live(open + 20 * MINUTE, vec![bad; 40]).await;
    let found = watch.look(&world, open + 40 * MINUTE).await;
    assert_eq!(
        found,
        [
            "slo_burn main.api_error_rate critical",
            "slo_burn main.api_uptime critical"
        ]
    );
    let burn = watch.message("slo_burn");
    assert!(
        burn.message.contains("requests were bad in the last hour"),
        "{}",
        burn.message
    );
    assert!(
        burn.message.contains("of the budget of 30 days"),
        "{}",
        burn.message
    );
    assert_eq!(burn.domain, "api");
    assert!(burn.since.is_some() && !burn.steps.is_empty());
    // It ends with the short windows, while the long ones still burn.
    world.live(open + 40 * MINUTE, vec![GOOD; 70]).await;
    watch.look(&world, open + 74 * MINUTE).await;
    let left = watch.look(&world, open + 75 * MINUTE).await;
    assert!(
        left.iter().all(|one| !one.ends_with("critical")),
        "{left:?}"
    );
}

#[tokio::test]
async fn few_events_no_answer_and_no_data() {
    let mut world = World::new().await;
    let open = open_hour();
    let rare = |failed| Act {
        requests: 1,
        failed,
        ..GOOD
    };
    let idle = Act {
        requests: 0,
        ..GOOD
    };
    // Four hours with a request every ten minutes, the last three of which fail, and the newest does too.
    let mut acts = vec![idle; 6 * 120 + 40];
    for at in (0..acts.len()).step_by(100) {
        acts[at] = rare(i64::from(at >= 300));
    }
    acts[6 * 120 + 30] = rare(1);
    world.live(open - 6 * HOUR, acts).await;
    world.roll_up().await;
    let mut watch = Watch::new();
    let found = watch.look(&world, open + 20 * MINUTE).await;
    assert!(
        found.contains(&"slo_trickle main.api_error_rate warn".to_owned()),
        "{found:?}"
    );
    assert!(
        !found
            .iter()
            .any(|one| one.starts_with("slo_burn main.api_error_rate")),
        "{found:?}"
    );

    let mut world = World::new().await;
    world.live(open - 6 * HOUR, vec![GOOD; 6 * 120]).await;
    world.roll_up().await;
    let down = Act {
        is_up: false,
        requests: 0,
        p95_ms: None,
        ..GOOD
    };
    world.live(open, vec![down; 20]).await;
    let mut watch = Watch::new();
    let found = watch.look(&world, open + 10 * MINUTE).await;
    assert_eq!(
        found,
        ["slo_burn main.api_uptime critical"],
        "no answer is bad"
    );
    // It answers, but reports no requests: of what the API usually has even at its quietest, that is no chance.
    world.live(open + 10 * MINUTE, vec![idle; 40]).await;
    let found = watch.look(&world, open + 30 * MINUTE).await;
    assert!(
        found.contains(&"slo_absent main.api_error_rate warn".to_owned()),
        "{found:?}"
    );
}

#[tokio::test]
async fn rows_of_a_user_count_and_faults_are_told() {
    let mut world = World::new().await;
    let open = open_hour();
    world.live(open - HOUR, vec![GOOD; 160]).await;
    world.client()
        .batch_execute(
            "INSERT INTO collector.slo_definitions (slo_name, domain, metric, target_value, comparison, target_pct) VALUES
                ('mine', 'api', 'p95_ms', 50, 'lte', 99),
                ('never', 'system', 'cpu_busy_pct', 40, 'lte', 100),
                ('typo', 'api', 'p59_ms', 50, 'lte', 99), ('impossible', 'api', 'error_pct', 1, 'lte', 150);
             INSERT INTO collector.slo_definitions (host_id, slo_name, domain, metric, target_value, comparison, target_pct, enabled)
             VALUES (1, 'system_cpu', 'system', 'cpu_busy_pct', 1, 'lte', 99, false)",
        )
        .await
        .unwrap();
    let mut watch = Watch::new();
    let at = open + 20 * MINUTE;
    let found = watch.look(&world, at).await;
    assert_eq!(
        found,
        [
            "slo_burn main.mine critical",
            "slo_definition impossible warn",
            "slo_definition typo warn",
            "slo_event never warn"
        ]
    );
    let typo = watch
        .lifecycle
        .open()
        .find(|one| one.target == "typo")
        .unwrap();
    assert!(
        typo.message.contains("no metric is called api.p59_ms"),
        "{}",
        typo.message
    );
    assert!(
        typo.steps[0].contains("Perhaps api.p50_ms is meant"),
        "{}",
        typo.steps[0]
    );
    let rows = Tracking::default().rows(&world.facts(at).await, Timestamp(at));
    assert_eq!(rows.len(), world.facts(at).await.standings.len());
    assert!(
        world
            .facts(at)
            .await
            .standings
            .iter()
            .all(|one| one.slo.name != "system_cpu")
    );
    // A row that is gone has no findings, but what happened in the last hour has.
    world
        .client()
        .batch_execute("DELETE FROM collector.slo_definitions")
        .await
        .unwrap();
    watch.look(&world, at + 1).await;
    assert_eq!(watch.look(&world, at + 2).await, ["slo_event never warn"]);
}

#[tokio::test]
async fn a_start_has_its_grace_and_rows_are_stored_every_five_minutes() {
    let mut world = World::new().await;
    let open = open_hour();
    world
        .live(open - HOUR, vec![Act { failed: 40, ..GOOD }; 160])
        .await;
    let at = open + 20 * MINUTE;
    let facts = world.facts(at).await;
    let lifecycle = Lifecycle::new(insight::rules());
    let mut new = SloJudge::new(INTERVALS, Timestamp(at - GRACE + 1));
    let Evaluation { rules, found, .. } = new.evaluate(&facts, &lifecycle, Timestamp(at));
    assert!(
        rules.is_empty() && found.is_empty(),
        "nothing is judged, so nothing ends"
    );
    let found = new.evaluate(&facts, &lifecycle, Timestamp(at + 1)).found;
    assert!(found.iter().any(|one| one.severity == Severity::Critical));
    let mut tracking = Tracking::default();
    let count = |rows: Vec<schema::Row>| rows.len();
    let all = count(tracking.rows(&facts, Timestamp(at)));
    assert_eq!(all, facts.standings.len());
    assert_eq!(count(tracking.rows(&facts, Timestamp(at + MINUTE))), 0);
    assert_eq!(
        count(tracking.rows(&facts, Timestamp(at + 5 * MINUTE))),
        all
    );
}
