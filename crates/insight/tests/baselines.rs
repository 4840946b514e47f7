//! Baselines from stored samples: computed, stored, brought up to date and pruned.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use insight::baselines::{self, Calendar, Disturbed, HOURS};
use insight::normal::{NormalJudge, past};
use jiff::tz::TimeZone;
use schema::Timestamp;
use schema::micros::{DAY, HOUR, SECOND};
use store::baselines::{Computed, known, prune, replace};
use tokio_postgres::Client;

/// Samples of five days, one in five minutes: busy by day, and growing memory.
const SAMPLES: &str = "
INSERT INTO collector.hosts (machine_id, hostname, kernel, os, cores, memory_bytes, boot_ts, first_seen, last_seen)
VALUES ('m', 'h', '', '', 4, 1, now(), now(), now());
SELECT collector.ensure_partition('system_metrics_raw', now()::date - n) FROM generate_series(0, 6) n;
INSERT INTO collector.system_metrics_raw (ts, host_id, cpu_idle, cpu_iowait, mem_used, mem_total)
SELECT ts, 1, 90 - CASE WHEN extract(hour FROM ts AT TIME ZONE 'UTC') BETWEEN 8 AND 17 THEN 50 ELSE 0 END - (n % 7), 0,
       (400 + n / 12)::int8 * 1000000, 1000000000
FROM generate_series(0, 5 * 288 - 1) n
CROSS JOIN LATERAL (SELECT date_trunc('hour', now()) - interval '5 days' + n * interval '5 minutes' AS ts) t;
";

/// A warning of an hour and some minutes three days ago; a notice of some minutes two days ago, of an incident of three hours;
/// and what has lasted for a day, which is normal.
const DISTURBED: &str = "
INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, cause_rule, cause_target,
                                opened_at, confirmed_at, seen_at, resolved_at, occurrences)
SELECT 1, rule, target, 'insight', 'system', worst, worst, '', '', '{}', cause, cause_target, opened, opened, ended, ended, 1
FROM (VALUES
    ('unusual.system.cpu_busy_pct', '', 'warn', NULL, NULL, 72, 10, 72 - 1, 20),
    ('unusual.system.cpu_busy_pct', '', 'info', 'correlation', 'x', 48, 10, 48, 20),
    ('correlation', 'x', 'warn', NULL, NULL, 48, 5, 48 - 3, 10),
    ('system.cpu_busy_pct', '', 'warn', NULL, NULL, 30, 0, 6, 0)
) v (rule, target, worst, cause, cause_target, hours, minutes, end_hours, end_minutes)
CROSS JOIN LATERAL (SELECT date_trunc('hour', now()) - hours * interval '1 hour' + minutes * interval '1 minute' AS opened,
                           date_trunc('hour', now()) - end_hours * interval '1 hour' + end_minutes * interval '1 minute' AS ended) t;
";

async fn refresh(client: &Client, at: Timestamp) -> Computed {
    let calendar = Calendar::before(at, &TimeZone::UTC);
    let stored = known(client, 1).await.unwrap();
    let disturbances = store::findings::disturbances(client, 1, calendar.from()).await;
    let disturbed = Disturbed::new(disturbances.unwrap(), at);
    let mut all = Computed::default();
    for group in baselines::groups() {
        let (hours, faults) = baselines::read(client, 1, &group, &calendar, 300 * SECOND).await;
        assert!(faults.is_empty(), "{faults:?}");
        for one in &hours {
            assert_eq!(one.means.len(), HOURS);
            let name = (
                one.metric.domain.as_str().to_owned(),
                one.metric.name.to_owned(),
                one.key.clone().unwrap_or_default(),
            );
            let known = stored.get(&name).copied();
            baselines::compute(one, &calendar, &disturbed, known, &mut all);
        }
    }
    replace(client, 1, &all, calendar.until).await.unwrap();
    all
}

async fn number(client: &Client, sql: &str) -> f64 {
    let sql = format!("SELECT ({sql})::float8");
    client.query_one(&sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn baselines_are_stored_brought_up_to_date_and_pruned() {
    let database = testkit::migrated().await.unwrap();
    let options = pg::SessionOptions::default();
    let session = pg::connect(&database.target(), &options, "test")
        .await
        .unwrap();
    let client = &session.client;
    client.batch_execute(SAMPLES).await.unwrap();
    let now = number(client, "extract(epoch FROM now()) * 1000000").await;
    let now = Timestamp(now as i64);

    let first = refresh(client, now).await;
    let busy = "metric = 'cpu_busy_pct' AND domain = 'system'";
    let of = |what: &str, table: &str| format!("SELECT {what} FROM collector.{table} WHERE {busy}");
    assert_eq!(number(client, &of("count(*)", "baselines")).await, 2.0);
    assert_eq!(
        number(client, &of("min(sample_count)", "baselines")).await,
        120.0
    );
    let mean = number(client, &of("min(mean)", "baselines")).await;
    assert!((mean - 33.8).abs() < 1.0, "{mean}");
    let memory = "SELECT slope_per_hour FROM collector.trend_forecasts WHERE metric = 'mem_used_pct' AND trend_direction = 'rising'";
    assert!((number(client, memory).await - 0.1).abs() < 0.01);
    let ordered = "SELECT count(*) FROM collector.trend_forecasts WHERE low_24h <= forecast_24h AND forecast_24h <= high_24h AND mase >= 0";
    assert!(number(client, ordered).await >= 1.0);

    // Neither do hours in which something was wrong with it count, nor those of problems that it belonged to.
    client.batch_execute(DISTURBED).await.unwrap();
    refresh(client, now).await;
    assert_eq!(
        number(client, &of("max(sample_count)", "baselines")).await,
        120.0 - 2.0 - 4.0
    );
    client
        .batch_execute("DELETE FROM collector.findings")
        .await
        .unwrap();
    refresh(client, now).await;

    // A detector is warmed from the same samples.
    let mut judge = NormalJudge::default();
    for group in baselines::groups() {
        for one in past::read(client, 1, &group, now, 300 * SECOND).await {
            judge.warm(one.metric, &one.key, one.values);
        }
    }
    // CPU, I/O wait and memory.
    assert_eq!(judge.followed(), (3, 3));

    // The same hours again change nothing, and add no hours of the week.
    let again = refresh(client, now).await;
    assert_eq!(again.baselines, first.baselines);
    assert!(again.slots.is_empty(), "{}", again.slots.len());
    assert_eq!(number(client, &of("count(*)", "baselines")).await, 2.0);

    assert_eq!(prune(client, 1, now).await.unwrap(), 0);
    let later = Timestamp(now.as_micros() + 31 * DAY + HOUR);
    let rows = first.len();
    assert_eq!(
        prune(client, 1, later).await.unwrap(),
        i64::try_from(rows).unwrap()
    );
    assert!(known(client, 1).await.unwrap().is_empty());
    session.close(std::time::Duration::from_secs(1)).await;
}
