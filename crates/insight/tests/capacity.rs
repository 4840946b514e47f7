//! What will be full: over a generated month, and over stored samples.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use insight::Lifecycle;
use insight::baselines::Hours;
use insight::capacity::{CapacityFacts, CapacityJudge, Outlook};
use insight::judge::Judge;
use insight::live::{Intervals, Live};
use schema::micros::{HOUR, SECOND};
use schema::{Severity, Timestamp};
use std::collections::BTreeMap;
use testkit::month::{Cause, Month, Plan, Size};

const DAY: i64 = 86_400;
/// A sample in five minutes is enough for means of hours.
const INTERVAL_SECS: u32 = 300;

/// Every hour of a plan with what is foreseen then, from its hourly means.
fn foreseen(plan: &Plan) -> Vec<(i64, Vec<Outlook>)> {
    let interval = i64::from(INTERVAL_SECS) * SECOND;
    let intervals = Intervals {
        host: interval,
        services: interval,
    };
    let metrics = CapacityFacts::metrics();
    let mut live = Live::over(metrics.iter().map(|metric| (*metric, 3600)), intervals).unwrap();
    let mut means: BTreeMap<(String, String), Hours> = BTreeMap::new();
    let mut foreseen = Vec::new();
    let mut hour = 0;
    for tick in Month::new(plan) {
        let now = (tick.ts.as_micros() - plan.begin.as_micros()) / HOUR;
        while hour < now {
            hour += 1;
            let until = plan.at(hour * 3600);
            live.read(Timestamp(until.as_micros() - SECOND), |metric, readings| {
                for reading in readings {
                    let key = reading.key.unwrap_or_default().to_owned();
                    let series = means.entry((metric.id(), key)).or_insert_with(|| Hours {
                        metric,
                        key: reading.key.map(str::to_owned),
                        means: Vec::new(),
                    });
                    let hours = usize::try_from(hour).unwrap();
                    series.means.resize(hours - 1, f64::NAN);
                    series.means.push(reading.over.unwrap_or(f64::NAN));
                }
            });
            // Twice a day is enough.
            if hour % 12 == 0 {
                let hours: Vec<Hours> = means.values().cloned().collect();
                foreseen.push((hour, CapacityFacts::of(&hours, until).outlooks));
            }
        }
        for row in &tick.rows {
            live.ingest(row);
        }
    }
    foreseen
}

fn plan(seed: u64, days: u32) -> Plan {
    Plan {
        interval_secs: INTERVAL_SECS,
        ..Plan::healthy(seed, days, Size::SMALL)
    }
}

#[test]
fn a_healthy_month_foresees_no_end() {
    // Of 15 such months, 43 series each, three have a notice for an hour and none a warning.
    let foreseen = foreseen(&plan(31, 30));
    let found = said(&foreseen, |_| true);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Returns what is foreseen of some, with the hour.
fn said(foreseen: &[(i64, Vec<Outlook>)], of: fn(&Outlook) -> bool) -> Vec<String> {
    let each = foreseen
        .iter()
        .flat_map(|(hour, found)| found.iter().map(move |one| (hour, one)));
    each.filter(|(_, one)| of(one))
        .map(|(hour, one)| format!("{hour} {}", one.message()))
        .collect()
}

#[test]
fn a_disk_that_fills_is_foreseen_in_time() {
    let (from, lasts) = (8 * DAY, 5 * DAY);
    let foreseen = foreseen(&plan(32, 17).with(Cause::DiskFills, from, lasts));
    let of_disk = |found: &[Outlook]| {
        let mut found = found.iter();
        found
            .find(|one| one.metric.id() == "mount.used_pct")
            .cloned()
    };
    let first = foreseen
        .iter()
        .find_map(|(hour, found)| Some((*hour, of_disk(found)?)));
    let (hour, first) = first.unwrap();
    assert_eq!(first.key, "/srv");
    // From 53 % at 7 % a day it is full after six days; a day of it shows that.
    assert!((8 * 24..10 * 24).contains(&hour), "foreseen at hour {hour}");
    let warned = foreseen.iter().find_map(|(hour, found)| {
        let one = of_disk(found)?;
        (one.severity() == Severity::Warn).then_some((*hour, one))
    });
    let (_, warned) = warned.unwrap();
    // Two days before the disk has reached what 90 % are a critical alert of.
    assert!(warned.current < 85.0, "{}", warned.message());
    let others = said(&foreseen, |one| one.key != "/srv");
    assert!(others.is_empty(), "{}", others.join("\n"));
    // It was tidied up four days ago.
    let last = said(&foreseen[foreseen.len() - 2..], |_| true);
    assert!(last.is_empty(), "{}", last.join("\n"));
}

/// A week of a disk that fills, and of a server whose connections do not grow.
const SAMPLES: &str = "
INSERT INTO collector.hosts (machine_id, hostname, kernel, os, cores, memory_bytes, boot_ts, first_seen, last_seen)
VALUES ('m', 'h', '', '', 4, 1, now(), now(), now());
SELECT collector.ensure_partition(t, now()::date - n)
FROM generate_series(0, 8) n, unnest(ARRAY['mount_metrics_raw', 'db_check_raw']) t;
INSERT INTO collector.mount_metrics_raw (ts, host_id, mount, device, fs_type, usage_pct, read_only)
SELECT ts, 1, m, '/dev/sda', 'ext4', CASE m WHEN '/srv' THEN 60 + n / 12 * 0.15 ELSE 40 + n % 3 END, false
FROM generate_series(0, 7 * 288 - 1) n, unnest(ARRAY['/', '/srv']) m
CROSS JOIN LATERAL (SELECT date_trunc('hour', now()) - interval '7 days' + n * interval '5 minutes' AS ts) t;
INSERT INTO collector.db_check_raw (ts, host_id, instance, database, check_name, object, value, detail)
SELECT ts, 1, 'main', 'shop', c.name, c.name, CASE c.name WHEN 'sequences' THEN 80 + n / 12 * 0.05 ELSE 5e9 END, '{}'
FROM generate_series(0, 7 * 288 - 1) n, (VALUES ('sequences'), ('unused_indexes')) c (name)
CROSS JOIN LATERAL (SELECT date_trunc('hour', now()) - interval '7 days' + n * interval '5 minutes' AS ts) t;
";

#[tokio::test]
async fn it_is_read_from_hours_judged_and_stored() {
    let database = testkit::migrated().await.unwrap();
    let options = pg::SessionOptions::default();
    let session = pg::connect(&database.target(), &options, "test").await;
    let session = session.unwrap();
    let client = &session.client;
    client.batch_execute(SAMPLES).await.unwrap();
    let now: f64 = client
        .query_one("SELECT extract(epoch FROM now())::float8 * 1000000", &[])
        .await
        .unwrap()
        .get(0);
    let now = Timestamp(now as i64);
    let intervals = Intervals {
        host: 300 * SECOND,
        services: 300 * SECOND,
    };
    let facts = CapacityFacts::read(client, 1, now, intervals).await;
    assert!(facts.faults.is_empty(), "{:?}", facts.faults);
    let mut lifecycle = Lifecycle::new(CapacityJudge::rules());
    let evaluation = CapacityJudge.evaluate(&facts, &lifecycle, now);
    let opened: Vec<String> = lifecycle
        .reconcile(evaluation, now)
        .into_iter()
        .map(|(_, row)| format!("{} {} {}", row.rule, row.target, row.transition))
        .collect();
    assert_eq!(
        opened,
        [
            "capacity.database.sequence_used_pct main.shop opened",
            "capacity.mount.used_pct /srv opened"
        ]
    );
    let rows: Vec<_> = facts.outlooks.iter().map(Outlook::row).collect();
    for _ in 0..2 {
        store::capacity::replace(client, 1, &rows, facts.until)
            .await
            .unwrap();
    }
    let sql = "SELECT count(*) FROM collector.capacity_alerts WHERE earliest <= latest AND current_value < threshold \
               AND updated_at + hours_until * interval '1 hour' BETWEEN earliest AND latest \
               AND cardinality(history) = 28 AND confidence > 0.99 AND predicted_value > current_value";
    let count: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(count, 2);
    store::capacity::replace(client, 1, &rows[..1], facts.until)
        .await
        .unwrap();
    let left = "SELECT count(*) FROM collector.capacity_alerts";
    let count: i64 = client.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(count, 1);
    session.close(std::time::Duration::from_secs(1)).await;
}
