//! Each of the objectives that every installation has counts what its samples count by hand, over every window: with restarts, resets,
//! minutes without an answer, and minutes in which it is missed.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use insight::live::Intervals;
use insight::slos::{SloJudge, Standing};
use schema::Timestamp;
use schema::micros::{HOUR, MINUTE, SECOND};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;
use testkit::{Database, Dice, migrated};

/// Time between two samples, microseconds.
const STEP: i64 = 30 * SECOND;
/// Hours with samples before the open one: more than the window of three days.
const HOURS: i64 = 75;
/// A step across a longer time is unknown.
const LONGEST: i64 = 6 * STEP;

/// A program that answers requests: its counters and its latencies.
#[derive(Clone, Copy, Debug, Default)]
struct Served {
    total: i64,
    /// Of these, the failed ones, without those that were blocked.
    failed: i64,
    blocked: i64,
    p95: f64,
    p99: f64,
}

/// Counters of a database.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    epoch: u32,
    hit: i64,
    read: i64,
    deadlocks: i64,
}

#[derive(Clone, Copy, Debug)]
struct Tick {
    ts: i64,
    /// None where it does not answer.
    api: Option<Served>,
    proxy: Option<Served>,
    databases: [Counters; 2],
    idle: f64,
    used: f64,
}

/// Bad and all of what is counted.
type Count = (f64, f64);

/// Returns what happened, from an instant on.
fn live(from: i64, count: i64) -> Vec<Tick> {
    let mut dice = Dice::new(31);
    let (mut api, mut proxy) = (Served::default(), Served::default());
    let mut databases = [Counters::default(); 2];
    let serve = |one: &mut Served, nth: i64, dice: &mut Dice| {
        if nth % 977 == 976 {
            *one = Served::default();
        }
        let some = |dice: &mut Dice, end| i64::try_from(dice.below(end)).unwrap();
        let (failed, blocked) = (
            i64::from(dice.one_in(9)) * some(dice, 4),
            i64::from(dice.one_in(7)),
        );
        one.total += some(dice, 100) + failed + blocked + 3;
        one.failed += failed;
        one.blocked += blocked;
        // Some minutes are slow, and a few of the worse kind.
        let slow = [0, 1, 7].contains(&(nth / 2 % 130));
        one.p95 = if slow { 800.0 } else { 90.0 } + dice.unit();
        one.p99 = if slow && nth / 2 % 130 == 7 {
            2500.0
        } else {
            300.0
        };
    };
    let tick = |nth: i64| {
        // Whole minutes without an answer, some of them longer than a step may be.
        let minute = nth / 2;
        let is_up = |phase: i64, every: i64, long: i64| (minute + phase) % every >= long;
        serve(&mut api, nth, &mut dice);
        serve(&mut proxy, nth + 400, &mut dice);
        for (at, one) in (0..).zip(&mut databases) {
            if (nth + at * 300) % 1201 == 1200 {
                *one = Counters {
                    epoch: one.epoch + 1,
                    ..Counters::default()
                };
            }
            one.hit += i64::try_from(dice.below(9000)).unwrap();
            one.read += i64::try_from(dice.below(200)).unwrap();
            // In the first hour, in which the first sample has no step, too.
            one.deadlocks += i64::from(nth == 5 || dice.one_in(1500));
        }
        Tick {
            ts: from + nth * STEP,
            api: is_up(3, 700, 9).then_some(api),
            proxy: is_up(100, 431, 2).then_some(proxy),
            databases,
            idle: if minute % 90 < 4 { 12.0 } else { 60.0 },
            used: if minute % 400 < 31 { 91.0 } else { 50.0 },
        }
    };
    (0..count).map(tick).collect()
}

/// Stores what happened as a collector does.
async fn store(database: &Database, ticks: &[Tick]) {
    let mut values = [(); 5].map(|()| String::new());
    let at = |ts: i64| jiff::Timestamp::from_microsecond(ts).unwrap().to_string();
    for tick in ticks {
        let ts = at(tick.ts);
        let [system, targets, apis, proxies, databases] = &mut values;
        let (idle, used) = (tick.idle, tick.used);
        // Writing to a String cannot fail.
        write!(system, ",('{ts}',1,{idle},0,100,{used})").unwrap();
        let ups = [("main", "api", tick.api), ("edge", "proxy", tick.proxy)];
        for (name, kind, one) in ups {
            write!(
                targets,
                ",('{ts}',1,'{name}','{kind}',{},1,0)",
                one.is_some()
            )
            .unwrap();
        }
        if let Some(one) = tick.api {
            let (total, failed, blocked) = (one.total, one.failed + one.blocked, one.blocked);
            let (p95, p99) = (one.p95, one.p99);
            write!(
                apis,
                ",('{ts}',1,'main',{total},{failed},{blocked},{p95},{p99})"
            )
            .unwrap();
        }
        if let Some(one) = tick.proxy {
            let (total, failed, blocked, p95) = (one.total, one.failed, one.blocked, one.p95);
            write!(
                proxies,
                ",('{ts}',1,'edge',{total},{failed},{blocked},{p95})"
            )
            .unwrap();
        }
        for (name, one) in ["a", "b"].into_iter().zip(tick.databases) {
            let (epoch, hit, read, deadlocks) = (one.epoch, one.hit, one.read, one.deadlocks);
            let row = format!(",('{ts}',1,'main','{name}','{epoch}',{hit},{read},{deadlocks})");
            databases.push_str(&row);
        }
    }
    let tables = [
        "system_metrics_raw (ts, host_id, cpu_idle, cpu_iowait, mem_total, mem_used)",
        "target_metrics_raw (ts, host_id, target, kind, up, duration_ms, bad_values)",
        "api_metrics_raw (ts, host_id, target, total_requests, failed_requests, waf_blocked_requests, p95_ms, p99_ms)",
        "proxy_metrics_raw (ts, host_id, target, request_total, request_server_errors, waf_blocked_requests, latency_p95_ms)",
        "database_metrics_raw (ts, host_id, instance, database, epoch, blks_hit, blks_read, deadlocks)",
    ];
    let (first, last) = (at(ticks[0].ts), at(ticks[ticks.len() - 1].ts));
    let mut sql = testkit::partitions(&first[..10], &last[..10]);
    for (table, values) in tables.iter().zip(&values) {
        writeln!(
            sql,
            "INSERT INTO collector.{table} VALUES {};",
            &values[1..]
        )
        .unwrap();
    }
    sql.push_str(
        "INSERT INTO collector.changed_hours (host_id, bucket) \
         SELECT DISTINCT 1, date_bin('1 hour', ts, 'epoch'::timestamptz) FROM collector.system_metrics_raw",
    );
    database.sql(&sql).await.unwrap();
}

/// Counts the steps of requests in a span.
fn requests(ticks: &[&Tick], of: fn(&Tick) -> Option<Served>, span: (i64, i64)) -> Count {
    let answered: Vec<(i64, Served)> = ticks
        .iter()
        .filter_map(|tick| Some((tick.ts, of(tick)?)))
        .collect();
    let (mut bad, mut all) = (0, 0);
    for pair in answered.windows(2) {
        let ((begin, before), (end, after)) = (pair[0], pair[1]);
        let (failed, total) = (after.failed - before.failed, after.total - before.total);
        let asked = total - (after.blocked - before.blocked);
        let is_known = end - begin <= LONGEST && total >= 0;
        if is_known && (span.0..span.1).contains(&end) {
            bad += failed;
            all += asked;
        }
    }
    (bad as f64, all as f64)
}

/// Counts a minute without an answer as so many bad requests as one with an answer has requests, which has a good one more.
fn with_downtime(
    ticks: &[&Tick],
    of: fn(&Tick) -> Option<Served>,
    (from, to): (i64, i64),
) -> Count {
    let (bad, all) = requests(ticks, of, (from, to));
    let within = ticks.iter().filter(|tick| (from..to).contains(&tick.ts));
    let (up, down): (Vec<&&Tick>, Vec<&&Tick>) = within.partition(|tick| of(tick).is_some());
    let minutes = |ticks: Vec<&&Tick>| ticks.len() as f64 / 2.0;
    let (up, down) = (minutes(up), minutes(down));
    let answered = all + up;
    let each = if up > 0.0 { answered / up } else { 1.0 };
    (bad + down * each, answered + down * each)
}

/// Counts the minutes of a span whose mean is bad.
fn minutes(
    ticks: &[&Tick],
    of: impl Fn(&Tick) -> Option<f64>,
    most: f64,
    span: (i64, i64),
) -> Count {
    let (mut bad, mut all) = (0.0, 0.0);
    for minute in ticks.chunk_by(|a, b| a.ts / MINUTE == b.ts / MINUTE) {
        let values: Vec<f64> = minute.iter().filter_map(|tick| of(tick)).collect();
        if values.is_empty() || !(span.0..span.1).contains(&minute[0].ts) {
            continue;
        }
        all += 1.0;
        bad += f64::from(u8::from(
            values.iter().sum::<f64>() / values.len() as f64 > most,
        ));
    }
    (bad, all)
}

/// Returns the steps of a counter of each database up to each tick.
fn steps(ticks: &[&Tick], of: impl Fn(&Counters) -> i64) -> Vec<(i64, i64)> {
    let mut found = Vec::new();
    for pair in ticks.windows(2) {
        let dbs = pair[0].databases.iter().zip(&pair[1].databases);
        let known = dbs.filter(|(before, after)| before.epoch == after.epoch);
        found.push((
            pair[1].ts,
            known.map(|(before, after)| of(after) - of(before)).sum(),
        ));
    }
    found
}

/// Counts by hand what an objective has to count in a span.
fn by_hand(name: &str, ticks: &[&Tick], span: (i64, i64)) -> Count {
    let in_span = |steps: Vec<(i64, i64)>| {
        let within = steps
            .into_iter()
            .filter(|(at, _)| (span.0..span.1).contains(at));
        within.map(|(_, step)| step).sum::<i64>() as f64
    };
    match name {
        "api_uptime" => with_downtime(ticks, |tick| tick.api, span),
        "proxy_uptime" => with_downtime(ticks, |tick| tick.proxy, span),
        "api_error_rate" => requests(ticks, |tick| tick.api, span),
        "api_latency_p95" => minutes(ticks, |tick| Some(tick.api?.p95), 500.0, span),
        "api_latency_p99" => minutes(ticks, |tick| Some(tick.api?.p99), 2000.0, span),
        "proxy_latency_p95" => minutes(ticks, |tick| Some(tick.proxy?.p95), 500.0, span),
        "system_cpu" => minutes(ticks, |tick| Some(100.0 - tick.idle), 80.0, span),
        "system_memory" => minutes(ticks, |tick| Some(tick.used), 85.0, span),
        "db_cache_hit" => {
            let read = in_span(steps(ticks, |one| one.read));
            (read, read + in_span(steps(ticks, |one| one.hit)))
        }
        "db_deadlocks" => {
            let locks = steps(ticks, |one| one.deadlocks);
            let of = |tick: &Tick| {
                let found = locks.iter().find(|(at, _)| *at == tick.ts)?;
                Some(found.1 as f64)
            };
            minutes(ticks, of, 0.0, span)
        }
        other => panic!("nobody knows what {other} counts"),
    }
}

fn compare(standing: &Standing, ticks: &[Tick], at: i64, wrong: &mut Vec<String>) {
    let hour = at / HOUR * HOUR;
    let short = |length: i64| (at - length) / MINUTE * MINUTE + MINUTE;
    for (what, window, from) in [
        ("5 min", &standing.five, short(5 * MINUTE)),
        ("30 min", &standing.half_hour, short(30 * MINUTE)),
        ("1 h", &standing.hour, short(HOUR)),
        ("6 h", &standing.six_hours, hour - 6 * HOUR),
        ("3 days", &standing.three_days, hour - 72 * HOUR),
        ("30 days", &standing.month, hour - 720 * HOUR),
    ] {
        // What is before the span begins steps only.
        let near: Vec<&Tick> = ticks
            .iter()
            .filter(|tick| tick.ts >= from - LONGEST)
            .collect();
        let (bad, all) = by_hand(&standing.slo.name, &near, (from, at));
        let tally = window.tally;
        let is_near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b.abs().max(1.0);
        if !is_near(tally.bad, bad) || !is_near(tally.total, all) {
            let name = &standing.slo.name;
            let found = (tally.bad, tally.total);
            wrong.push(format!(
                "{name} over {what}: {found:?} is not {bad} of {all}"
            ));
        }
    }
}

#[tokio::test]
async fn each_objective_equals_what_its_samples_count() {
    let database = migrated().await.unwrap();
    let host = "INSERT INTO collector.hosts (machine_id, hostname) VALUES ('machine-1', 'one'); \
                INSERT INTO collector.agent_runs (host_id, run_id, writer, started_at, pid, version, settings) \
                SELECT 1, gen_random_uuid(), gen_random_uuid(), now(), 1, '0', \
                       '{\"intervals.system_secs\": [\"30\"], \"intervals.app_secs\": [\"30\"]}'";
    database.sql(host).await.unwrap();
    let open = open_hour();
    let from = open - HOURS * HOUR;
    let at = open + 20 * MINUTE;
    let ticks = live(from, (at - from) / STEP);
    store(&database, &ticks).await;
    let session = database.connect().await.unwrap();
    let client = &session.client;
    let rolled_up = store::rollup::run(client, Duration::from_secs(600)).await;
    rolled_up.unwrap().unwrap();
    let judge = SloJudge::new(
        Intervals {
            host: STEP,
            services: STEP,
        },
        Timestamp(0),
    );
    // Hours whose greatest and least values do not tell are read from samples, a few in each run.
    let count = "SELECT count(*) FROM collector.slo_hours";
    let mut counted = -1_i64;
    loop {
        judge.fetch(client, 1, Timestamp(at)).await.unwrap();
        let now: i64 = client.query_one(count, &[]).await.unwrap().get(0);
        if now == counted {
            break;
        }
        counted = now;
    }
    let facts = judge.fetch(client, 1, Timestamp(at)).await.unwrap();
    let mut wrong = Vec::new();
    for standing in &facts.standings {
        compare(standing, &ticks, at, &mut wrong);
        // Otherwise there would be nothing to count.
        let month = standing.month.tally;
        let name = &standing.slo.name;
        assert!(
            month.bad > 0.0 && month.bad < month.total,
            "{name}: {month:?}"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let names: BTreeSet<&str> = facts
        .standings
        .iter()
        .map(|one| one.slo.name.as_str())
        .collect();
    assert_eq!(names.len(), 10, "{names:?}");
    assert_eq!(facts.standings.len(), 10);
}

/// The hour that is open here; roll-ups ask for hours that are over by the server's clock.
#[expect(clippy::disallowed_methods, reason = "a test has to know what is over")]
fn open_hour() -> i64 {
    let now = std::time::SystemTime::now();
    let now = now
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_micros();
    (i64::try_from(now).unwrap() / HOUR - 2) * HOUR
}
