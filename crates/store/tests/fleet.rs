//! Many agents and one server: all begin at once, a day begins for all at once, what is expired goes meanwhile, and all come back
//! at once after the server was away.
//!
//! Ten of them here; two hundred with `FAULTS=nightly`. How late each was is printed.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{RETENTION, Running, clock, rows, start_on, ts};
use std::time::Duration;
use store::expiry::{self, Retention};
use store::status::Link;
use store::writer::Host;
use tempfile::TempDir;
use testkit::{Server, Stop};
use tokio::time::Instant;

/// A tick of the next day.
const A_DAY: i64 = 24 * 360;

#[expect(
    clippy::disallowed_methods,
    reason = "a test asks how long it may take"
)]
fn agents() -> usize {
    match std::env::var("FAULTS").as_deref() {
        Ok("nightly") => 200,
        _ => 10,
    }
}

struct Fleet {
    agents: Vec<Running>,
    /// Queues end with their agents.
    _dirs: Vec<TempDir>,
}

impl Fleet {
    fn start(target: &pg::Target, count: usize) -> Self {
        let dirs: Vec<TempDir> = (0..count).map(|_| TempDir::new().unwrap()).collect();
        let agents = dirs.iter().enumerate().map(|(place, dir)| {
            let host = Host {
                machine_id: format!("machine-{place}"),
                hostname: format!("host-{place}"),
                boot_id: Some("boot".into()),
                ..Host::default()
            };
            // One keeps for longer than all others: that counts for the store.
            let retention = Retention {
                raw_days: if place == 0 { RETENTION.raw_days } else { 2 },
                ..RETENTION
            };
            start_on(dir.path(), target.clone(), host, retention, clock)
        });
        Self {
            agents: agents.collect(),
            _dirs: dirs,
        }
    }

    async fn append(&self, tick: i64) {
        for agent in &self.agents {
            agent.queue.append(ts(tick), rows(tick, 20)).await.unwrap();
        }
    }

    /// Waits until everybody has delivered, for a minute at most; returns how long it took the first, the middle and the last.
    async fn delivered(&self, since: Instant) -> [Duration; 3] {
        let mut times = vec![None; self.agents.len()];
        while times.contains(&None) {
            for (agent, time) in self.agents.iter().zip(&mut times) {
                if time.is_none() && agent.queue.depth().await.records == 0 {
                    *time = Some(since.elapsed());
                }
            }
            let waits = times.iter().filter(|time| time.is_none()).count();
            assert!(
                since.elapsed() < Duration::from_secs(60),
                "{waits} have not delivered"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut times: Vec<Duration> = times.into_iter().flatten().collect();
        times.sort();
        [times[0], times[times.len() / 2], times[times.len() - 1]]
    }
}

#[tokio::test]
async fn a_fleet_begins_at_once_and_comes_back_at_once() {
    let count = agents();
    let server = Server::builder()
        .setting("max_connections", &(count + 20).to_string())
        .start()
        .unwrap();
    testkit::migrate(&server.target()).await.unwrap();
    let database = async |sql: &str| {
        let rows = server.sql(sql).await.unwrap();
        rows[0][0].as_deref().unwrap().parse::<usize>().unwrap()
    };
    // Nobody has a partition: as at midnight, all need the same ones.
    let fleet = Fleet::start(&server.target(), count);
    fleet.append(0).await;
    let [first, middle, last] = fleet.delivered(Instant::now()).await;
    eprintln!("{count} agents began: first {first:?}, middle {middle:?}, last {last:?}");
    let sessions =
        "select count(*) from pg_stat_activity where application_name like 'pqcrypta-collector%'";
    assert_eq!(database(sessions).await, count, "one session each");

    fleet.append(1).await;
    let [first, middle, last] = fleet.delivered(Instant::now()).await;
    eprintln!("a tick: first {first:?}, middle {middle:?}, last {last:?}");

    // What is older than any of them keeps goes while all deliver the first tick of a day.
    let past = "select collector.ensure_partition('system_metrics_raw', (now() at time zone 'UTC')::date - n) from unnest(array[10, 20]) n; \
        insert into collector.system_metrics_raw (ts, host_id, cpu_user) \
        select date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' - n * interval '1 day', host_id, 1 \
        from collector.hosts, unnest(array[10, 20]) n";
    server.sql(past).await.unwrap();
    let keeper = pg::connect(&server.target(), &pg::SessionOptions::default(), "test")
        .await
        .unwrap();
    let kept =
        "select count(*) from collector.system_metrics_raw where ts < now() - interval '15 days'";
    fleet.append(A_DAY).await;
    let since = Instant::now();
    let (expired, [first, middle, last]) = tokio::join!(
        async {
            // A partition whose table is busy is left to the next run.
            while database(kept).await > 0 {
                expiry::run(&keeper.client, clock).await.unwrap();
            }
            since.elapsed()
        },
        fleet.delivered(since)
    );
    eprintln!(
        "a new day: first {first:?}, middle {middle:?}, last {last:?}; expired after {expired:?}"
    );
    for (sql, wanted) in [
        // The longest wish is 14 days.
        (
            "select count(*) from collector.system_metrics_raw where ts < now() - interval '5 days'",
            count,
        ),
        (
            "select count(*) from collector.system_metrics_raw where ts > now() + interval '12 hours'",
            count,
        ),
        ("select count(*) from collector.system_metrics_raw_other", 0),
        ("select count(*) from collector.process_samples_other", 0),
    ] {
        assert_eq!(database(sql).await, wanted, "{sql}");
    }
    keeper.close(Duration::from_secs(1)).await;
    server
        .sql("delete from collector.system_metrics_raw where ts < now() - interval '5 days'")
        .await
        .unwrap();

    server.stop(Stop::Fast).unwrap();
    fleet.append(2).await;
    for agent in &fleet.agents {
        agent
            .until("it noticed", async || {
                agent.status.get().link != Link::Connected
            })
            .await;
    }
    // Long enough that pauses between attempts have grown.
    fleet.append(3).await;
    server.start().unwrap();
    let [first, middle, last] = fleet.delivered(Instant::now()).await;
    eprintln!("back after a restart: first {first:?}, middle {middle:?}, last {last:?}");

    // Exactly once, each of its host.
    for (sql, wanted) in [
        (
            "select count(*) from collector.system_metrics_raw",
            count * 5,
        ),
        (
            "select count(distinct (host_id, ts)) from collector.system_metrics_raw",
            count * 5,
        ),
        (
            "select count(*) from collector.process_metrics_raw",
            count * 5 * 20,
        ),
        ("select count(*) from collector.hosts", count),
        ("select max(host_id) from collector.hosts", count),
        ("select count(*) from collector.data_gaps", 0),
        ("select count(*) from collector.dead_letter", 0),
    ] {
        assert_eq!(database(sql).await, wanted, "{sql}");
    }
    for agent in fleet.agents {
        agent.stop().await;
    }
    let leases = "select count(*) from collector.spool_watermark where lease_until is not null";
    assert_eq!(database(leases).await, 0);
}
