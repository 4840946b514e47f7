//! The wide views of hours and days show what the rows say.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::time::Duration;

use common::{clock, database, start};
use schema::micros::{DAY, HOUR, SECOND};
use schema::tables::{
    ApiSample, DatabaseSample, DbSample, IoSample, ProcessSample, SystemSample, TableSample,
};
use schema::{Row, Sample, Timestamp};
use store::rollup;
use tempfile::TempDir;
use testkit::{Database, Dice};

const TICK: i64 = 30 * SECOND;
/// The hour that is looked at, after one that is over, too.
const FROM: i64 = HOUR;
const TO: i64 = 2 * HOUR;

/// Midnight of the day before yesterday.
fn begin() -> i64 {
    (clock().as_micros().div_euclid(DAY) - 2) * DAY
}

/// Returns a number below `most`.
fn below(dice: &mut Dice, most: u64) -> i64 {
    i64::try_from(dice.below(most)).unwrap()
}

/// The samples of an API: counters that begin again, with the requests of each step where they are known.
struct Api {
    samples: Vec<(i64, ApiSample)>,
    /// Requests, failures that were not blocked, blocked requests.
    steps: Vec<[Option<i64>; 3]>,
}

impl Api {
    fn new(dice: &mut Dice) -> Self {
        let (mut samples, mut steps) = (Vec::new(), Vec::new());
        let (mut total, mut faults, mut blocked) = (0, 0, 0);
        for tick in 0..240 {
            let is_gap = (130..150).contains(&tick);
            let is_reset = dice.one_in(40);
            let [a, b, c] = [below(dice, 500) + 100, below(dice, 20), below(dice, 30)];
            if is_reset {
                (total, faults, blocked) = (0, 0, 0);
            }
            (total, faults, blocked) = (total + a, faults + b, blocked + c);
            if is_gap {
                continue;
            }
            let sample = ApiSample {
                target: "api".to_owned(),
                total_requests: Some(total),
                failed_requests: Some(faults + blocked),
                waf_blocked_requests: Some(blocked),
                p95_ms: (!dice.one_in(12)).then(|| 10.0 + 200.0 * dice.unit()),
                ..ApiSample::default()
            };
            let known = |new: i64, old: i64| (new >= old).then_some(new - old);
            let step = samples
                .last()
                .map_or([None; 3], |(before, old): &(i64, ApiSample)| {
                    if tick * TICK - before > 6 * TICK {
                        return [None; 3];
                    }
                    let faults_of = |one: &ApiSample| {
                        one.failed_requests.unwrap() - one.waf_blocked_requests.unwrap()
                    };
                    [
                        known(total, old.total_requests.unwrap()),
                        known(faults, faults_of(old)),
                        known(blocked, old.waf_blocked_requests.unwrap()),
                    ]
                });
            samples.push((tick * TICK, sample));
            steps.push(step);
        }
        Self { samples, steps }
    }

    /// Returns samples and steps of the hour.
    fn hour(&self) -> impl Iterator<Item = (&ApiSample, &[Option<i64>; 3])> {
        let both = self.samples.iter().zip(&self.steps);
        both.filter(|((at, _), _)| (FROM..TO).contains(at))
            .map(|((_, sample), step)| (sample, step))
    }
}

/// Returns the rows of everything else at a tick; counters grow by the same amount each time.
fn others(tick: i64) -> Vec<Row> {
    let ts = Timestamp(begin() + tick * TICK);
    let level = tick % 7;
    let system = SystemSample {
        load_1: Some(level as f64),
        mem_total: Some(8_000),
        mem_used: Some(1_000 + level),
        net_rx: Some(tick * 300),
        ..SystemSample::default()
    };
    let process = |pid: i32| ProcessSample {
        process_count: 1,
        process_name: "postgres".to_owned(),
        pid,
        start_ticks: 1,
        rss_bytes: level * 100,
        read_bytes_total: Some(tick * 1_000),
        state: "S".to_owned(),
        ..ProcessSample::default()
    };
    let server = DbSample {
        instance: "main".to_owned(),
        up: true,
        conn_active: Some(level),
        epoch: "1".to_owned(),
        ..DbSample::default()
    };
    let database = |name: &str| DatabaseSample {
        instance: "main".to_owned(),
        database: name.to_owned(),
        epoch: "1".to_owned(),
        deadlocks: Some(2 * tick),
        ..DatabaseSample::default()
    };
    let mut rows = vec![
        system.into_row(ts),
        process(1).into_row(ts),
        process(2).into_row(ts),
        server.into_row(ts),
        database("a").into_row(ts),
        database("b").into_row(ts),
    ];
    if tick % 10 == 0 {
        let table = |name: &str| TableSample {
            instance: "main".to_owned(),
            database: "a".to_owned(),
            schema_name: "public".to_owned(),
            table_name: name.to_owned(),
            epoch: "1".to_owned(),
            n_dead_tup: Some(tick),
            seq_scan: Some(3 * tick),
            ..TableSample::default()
        };
        let io = |context: &str| IoSample {
            instance: "db.example".to_owned(),
            backend_type: "client backend".to_owned(),
            object: "relation".to_owned(),
            context: context.to_owned(),
            epoch: "1".to_owned(),
            hits: Some(5 * tick),
            read_ms_total: Some(7.0 * tick as f64),
            ..IoSample::default()
        };
        rows.extend([
            table("plain").into_row(ts),
            table("with.dot").into_row(ts),
            io("normal").into_row(ts),
            io("vacuum").into_row(ts),
        ]);
    }
    rows
}

/// Returns figures of the hour that `view` has for the rows that `condition` selects.
async fn figures(database: &Database, view: &str, columns: &str, condition: &str) -> Vec<f64> {
    let sql = format!(
        "select {columns} from collector.{view} where host_id = 1 and {condition} \
         and bucket = 'epoch'::timestamptz + {} * interval '1 us'",
        begin() + FROM
    );
    let rows = database.sql(&sql).await.unwrap();
    assert_eq!(rows.len(), 1, "{view}: {rows:?}");
    let number = |cell: &Option<String>| cell.as_ref().unwrap().parse().unwrap();
    rows[0].iter().map(number).collect()
}

fn assert_near(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (a, b) in found.iter().zip(expected) {
        let is_near = (a - b).abs() <= 1e-9 * b.abs().max(1.0);
        assert!(is_near, "{what}: {found:?} is not {expected:?}");
    }
}

#[tokio::test]
async fn views_show_what_the_rows_say() {
    let (database, dir, mut dice) = (database().await, TempDir::new().unwrap(), Dice::new(20));
    let sql = "insert into collector.hosts (machine_id, hostname) values ('machine-1', 'h'); \
        insert into collector.agent_runs (host_id, run_id, writer, pid, version, started_at, settings) \
        values (1, gen_random_uuid(), gen_random_uuid(), 1, '', now() + interval '1 day', \
                '{\"intervals.system_secs\": [\"30\"], \"intervals.app_secs\": [\"30\"]}')";
    database.sql(sql).await.unwrap();
    let running = start(dir.path(), database.target());
    let api = Api::new(&mut dice);
    let mut ticks: Vec<(Timestamp, Vec<Row>)> = (0..240)
        .map(|tick| (Timestamp(begin() + tick * TICK), others(tick)))
        .collect();
    for (at, sample) in &api.samples {
        let tick = usize::try_from(at / TICK).unwrap();
        ticks[tick]
            .1
            .push(sample.clone().into_row(Timestamp(begin() + at)));
    }
    running.queue.append_all(ticks).await.unwrap();
    running.drained().await;
    running.stop().await;
    let session = database.connect().await.unwrap();
    let outcome = rollup::run(&session.client, Duration::from_secs(600)).await;
    assert_eq!(outcome.unwrap().unwrap().left, 0);

    let sum = |nth: usize| {
        let steps = api.hour().filter_map(|(_, step)| step[nth]);
        steps.sum::<i64>() as f64
    };
    let columns = "total_requests, failed_requests, waf_blocked_requests";
    let found = figures(&database, "api_metrics_hourly", columns, "target = 'api'").await;
    assert_near("requests", &found, &[sum(0), sum(1), sum(2)]);

    let known = || api.hour().filter_map(|(sample, _)| sample.p95_ms);
    let weighted = api.hour().filter_map(|(sample, step)| {
        let requests = step[0].filter(|requests| *requests > 0)? as f64;
        Some((sample.p95_ms? * requests, requests))
    });
    let (dividend, divisor) = weighted.fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
    let columns = "p95_ms_min, p95_ms_max, p95_ms_request_weighted_mean";
    let found = figures(&database, "api_metrics_hourly", columns, "target = 'api'").await;
    let expected = [
        known().fold(f64::MAX, f64::min),
        known().fold(0.0, f64::max),
        dividend / divisor,
    ];
    assert_near("latency", &found, &expected);

    // Ticks of the hour; levels are their number modulo 7.
    let levels: Vec<f64> = (120..240).map(|tick| f64::from(tick % 7)).collect();
    let mean = levels.iter().sum::<f64>() / 120.0;
    for (view, columns, condition, expected) in [
        (
            "system_metrics_hourly",
            "load_1_avg, load_1_max, mem_total_avg, mem_used_avg, net_rx_bytes, sample_count",
            "true",
            vec![mean, 6.0, 8_000.0, 1_000.0 + mean, 36_000.0, 120.0],
        ),
        (
            "process_metrics_hourly",
            "rss_avg, rss_max, read_bytes",
            "process_name = 'postgres'",
            vec![200.0 * mean, 1_200.0, 240_000.0],
        ),
        (
            "db_metrics_hourly",
            "conn_active_avg, conn_active_max, deadlocks",
            "instance = 'main'",
            vec![mean, 6.0, 480.0],
        ),
        (
            "table_metrics_hourly",
            "n_dead_tup_avg, n_dead_tup_max, n_dead_tup_last, seq_scan",
            "instance = 'main' and database = 'a' and schema_name = 'public' and table_name = 'plain'",
            vec![175.0, 230.0, 230.0, 360.0],
        ),
        (
            "table_metrics_hourly",
            "seq_scan",
            "key = 'main.a.public.with.dot' and table_name is null",
            vec![360.0],
        ),
        (
            "io_metrics_hourly",
            "hits, read_time_ms",
            "instance = 'db.example' and backend_type = 'client backend'",
            vec![1_200.0, 1_680.0],
        ),
    ] {
        let found = figures(&database, view, columns, condition).await;
        assert_near(view, &found, &expected);
    }

    let day = "select sample_count, load_1_max, net_rx_bytes from collector.system_metrics_daily";
    let day = database.sql(day).await.unwrap();
    let day: Vec<f64> = day[0]
        .iter()
        .map(|cell| cell.as_ref().unwrap().parse().unwrap())
        .collect();
    assert_near("the day", &day, &[240.0, 6.0, 239.0 * 300.0]);
    session.close(Duration::from_secs(1)).await;
}

/// psql shows what a figure means: of every view, and of every declared table.
#[tokio::test]
async fn every_column_of_a_view_has_a_description() {
    let database = database().await;
    let session = database.connect().await.unwrap();
    let sql = "SELECT format('%s.%s', c.relname, a.attname) FROM pg_class c \
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
               WHERE c.relnamespace = 'collector'::regnamespace AND (c.relkind = 'v' OR c.relname = ANY ($1)) \
                 AND col_description(c.oid, a.attnum) IS NULL ORDER BY 1";
    let declared: Vec<&str> = schema::tables::TABLES
        .iter()
        .map(|table| table.name)
        .collect();
    let rows = session.client.query(sql, &[&declared]).await.unwrap();
    let bare: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(bare.is_empty(), "{bare:?}");
}
