//! The queue's disk takes nothing, or its folder is removed, while the database is well, or is not.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{database, number, open_spool, rows, start, ts};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::queue::{Durability, Queue};
use store::spool::{Spool, SpoolOptions};
use tempfile::TempDir;
use testkit::{Cut, Direction, Mode, Proxy, Server, migrate};

/// A queue folder that can be made unusable, for root too: a file takes its place.
struct Place {
    home: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            home: TempDir::new().unwrap(),
        }
    }

    fn queue(&self) -> PathBuf {
        self.home.path().join("queue")
    }

    /// Removes the folder; the writer may be making a file in it meanwhile.
    fn remove(&self) {
        let is_gone = (0..1000).any(|_| fs::remove_dir_all(self.queue()).is_ok());
        assert!(is_gone);
    }

    fn obstruct(&self) {
        self.remove();
        fs::write(self.queue(), "in the way").unwrap();
    }

    fn clear(&self) {
        fs::remove_file(self.queue()).unwrap();
    }
}

async fn ticks(target: &pg::Target) -> (i64, i64) {
    let counts = "select count(*)::text, count(distinct forks_total)::text from collector.system_metrics_raw";
    let session = pg::connect(target, &pg::SessionOptions::default(), "test")
        .await
        .unwrap();
    let row = session.client.query_one(counts, &[]).await.unwrap();
    let count = |at: usize| row.get::<_, String>(at).parse().unwrap();
    (count(0), count(1))
}

fn is_there(queue: &Path) -> bool {
    ["bulk", "core", "event", "quarantine", "lock", "spool.id"]
        .iter()
        .all(|name| queue.join(name).exists())
}

#[tokio::test]
async fn p05_rows_are_delivered_from_memory_while_the_disk_takes_nothing() {
    let (database, place) = (database().await, Place::new());
    let running = start(&place.queue(), database.target());
    running.queue.append(ts(0), rows(0, 20)).await.unwrap();
    running.drained().await;
    place.obstruct();
    for tick in 1..5 {
        let stored = running
            .queue
            .append(ts(tick), rows(tick, 20))
            .await
            .unwrap();
        assert_eq!(stored, Durability::Memory);
    }
    running
        .until("they are stored", async || {
            ticks(&database.target()).await == (5, 5)
        })
        .await;
    running.drained().await;
    assert!(running.queue.depth().await.rows.is_empty());
    assert_eq!(running.status.get().connections, 1, "the session goes on");
    place.clear();
    let stored = running.queue.append(ts(5), rows(5, 20)).await.unwrap();
    assert_eq!(stored, Durability::Disk, "within a tick");
    assert!(is_there(&place.queue()));
    running.drained().await;
    assert_eq!(ticks(&database.target()).await, (6, 6));
    let processes = "select count(distinct (start_ticks, pid)) from collector.process_metrics_raw";
    assert_eq!(number(&database, processes).await, 120);
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.process_metrics_raw"
        )
        .await,
        120
    );
    assert_eq!(
        number(&database, "select count(*) from collector.data_gaps").await,
        0
    );
    running.stop().await;
}

/// P3 for rows that have no number in the spool: each is stored once, after any failure of the link.
#[tokio::test]
async fn p03_rows_from_memory_are_stored_once_whatever_happens_to_the_link() {
    let server = Server::builder().tcp().start().unwrap();
    migrate(&server.target()).await.unwrap();
    let proxy = Proxy::start(server.address().unwrap()).unwrap();
    let place = Place::new();
    let running = start(&place.queue(), server.target_at(proxy.address()));
    running.queue.append(ts(0), rows(0, 5)).await.unwrap();
    running.drained().await;
    place.obstruct();
    let commit = || b"COMMIT".to_vec();
    let modes = [
        Mode::CutOn(commit(), Cut::BeforeServer),
        Mode::CutOn(commit(), Cut::BeforeReply),
        Mode::CutOn(commit(), Cut::AfterReply),
        Mode::CutAfter(Direction::ToServer, 700),
        Mode::CutAfter(Direction::ToClient, 90),
        Mode::CutOn(commit(), Cut::BeforeReply),
        Mode::Reset,
    ];
    let mut tick = 0;
    for mode in modes {
        proxy.set(mode);
        for _ in 0..3 {
            tick += 1;
            running.queue.append(ts(tick), rows(tick, 5)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        proxy.set(Mode::Pass);
        running.drained().await;
        // The disk takes them again, or not: in turns.
        if tick % 2 == 0 {
            place.clear();
            tick += 1;
            running.queue.append(ts(tick), rows(tick, 5)).await.unwrap();
            // A record on the disk is delivered when the disk can be read, not before.
            running.drained().await;
            place.obstruct();
        }
    }
    place.clear();
    tick += 1;
    running.queue.append(ts(tick), rows(tick, 5)).await.unwrap();
    running.drained().await;
    let lost = "select coalesce(sum(count), 0)::text from collector.data_gaps where class = 'core'";
    let lost: i64 = server.sql(lost).await.unwrap()[0][0]
        .clone()
        .unwrap()
        .parse()
        .unwrap();
    let (stored, distinct) = ticks(&server.target()).await;
    assert_eq!(stored, distinct, "none is stored twice");
    assert_eq!(stored + lost, tick + 1, "{lost} are in gaps");
    running.stop().await;
}

/// Rows of a table that takes none stay in memory, those of other tables do not.
#[tokio::test]
async fn p15_a_locked_table_keeps_its_rows_in_memory() {
    let (database, place) = (database().await, Place::new());
    let running = start(&place.queue(), database.target());
    running.queue.append(ts(0), rows(0, 5)).await.unwrap();
    running.drained().await;
    place.obstruct();
    let lock = "LOCK TABLE collector.collector_runs_raw IN ACCESS EXCLUSIVE MODE";
    let locker = testkit::hold(&database.target(), lock).await.unwrap();
    for tick in 1..4 {
        running.queue.append(ts(tick), rows(tick, 5)).await.unwrap();
    }
    running
        .until("the others are stored", async || {
            ticks(&database.target()).await == (4, 4)
        })
        .await;
    assert!(running.queue.depth().await.records > 0);
    locker.client.batch_execute("COMMIT").await.unwrap();
    running.drained().await;
    let runs = "select count(*) from collector.collector_runs_raw";
    assert_eq!(number(&database, runs).await, 4);
    running.stop().await;
}

#[tokio::test]
async fn p05_a_removed_folder_comes_back_and_what_went_with_it_is_a_gap() {
    for is_delivered in [true, false] {
        let (database, place) = (database().await, Place::new());
        let queue = Queue::new(open_spool(&place.queue()));
        for tick in 0..3 {
            queue.append(ts(tick), rows(tick, 5)).await.unwrap();
        }
        drop(queue);
        let running = start(&place.queue(), database.target());
        if is_delivered {
            running.drained().await;
            place.remove();
            running.queue.append(ts(3), rows(3, 5)).await.unwrap();
        } else {
            // Before the writer has had its turn.
            place.remove();
            running.queue.append(ts(3), rows(3, 5)).await.unwrap();
        }
        running.drained().await;
        assert!(is_there(&place.queue()), "delivered: {is_delivered}");
        for class in ["core", "bulk"] {
            let gaps = format!(
                "select coalesce(sum(count), 0) from collector.data_gaps where class = '{class}'"
            );
            let gaps = number(&database, &gaps).await;
            let stored = match class {
                "core" => "select count(distinct forks_total) from collector.system_metrics_raw",
                _ => "select count(distinct start_ticks) from collector.process_metrics_raw",
            };
            let stored = number(&database, stored).await;
            assert_eq!(stored + gaps, 4, "{class}, delivered: {is_delivered}");
            if is_delivered {
                assert_eq!(gaps, 0);
            }
        }
        running.stop().await;
        // A later start finds the folder whole.
        let running = start(&place.queue(), database.target());
        running.queue.append(ts(4), rows(4, 5)).await.unwrap();
        running.drained().await;
        let newest = "select max(forks_total) from collector.system_metrics_raw";
        assert_eq!(number(&database, newest).await, 4);
        running.stop().await;
    }
}

/// What vanished unseen vanished in a span of time, not at an instant.
#[tokio::test]
async fn gaps_of_what_is_missing_have_a_length() {
    let small = SpoolOptions {
        segment: 4096,
        ..SpoolOptions::with_budget(100 << 20)
    };
    let length = "select reason, class, (to_ts - from_ts)::text, (from_ts < to_ts)::text from collector.data_gaps";
    for is_restored in [true, false] {
        let (database, place) = (database().await, Place::new());
        let queue = Queue::new(Spool::open(&place.queue(), small).unwrap());
        for tick in 1..30 {
            queue.append(ts(tick), rows(tick, 60)).await.unwrap();
        }
        drop(queue);
        if is_restored {
            // All of it is delivered, and then the database forgets.
            let running = start(&place.queue(), database.target());
            running.drained().await;
            running.stop().await;
            database
                .sql("update collector.spool_watermark set progress = '{}', last_ts = last_ts - interval '1 hour'")
                .await
                .unwrap();
        } else {
            // Files of the middle are deleted.
            let mut files: Vec<PathBuf> = fs::read_dir(place.queue().join("bulk"))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            files.sort();
            for file in &files[2..4] {
                fs::remove_file(file).unwrap();
            }
        }
        let running = start(&place.queue(), database.target());
        running.queue.append(ts(30), rows(30, 5)).await.unwrap();
        running.drained().await;
        let gaps = database.sql(length).await.unwrap();
        assert!(!gaps.is_empty(), "restored: {is_restored}");
        for gap in gaps {
            assert_eq!(gap[0].as_deref(), Some("missing"), "{gap:?}");
            assert_eq!(
                gap[3].as_deref(),
                Some("true"),
                "restored: {is_restored}: {gap:?}"
            );
        }
        running.stop().await;
    }
}

/// P17: what neither the disk nor the database took is lost at the end, and that is not kept quiet.
#[tokio::test]
async fn p17_what_is_left_in_memory_at_the_end_is_accounted_for() {
    let place = Place::new();
    let queue = Queue::new(open_spool(&place.queue()));
    queue.append(ts(0), rows(0, 5)).await.unwrap();
    place.obstruct();
    for tick in 1..4 {
        queue.append(ts(tick), rows(tick, 5)).await.unwrap();
    }
    let unsaved = queue.close().await;
    // Three ticks of two classes.
    assert_eq!((unsaved.records, unsaved.is_noted), (6, false));

    let place = Place::new();
    let queue = Queue::new(open_spool(&place.queue()));
    place.obstruct();
    queue.append(ts(1), rows(1, 5)).await.unwrap();
    place.clear();
    let unsaved = queue.close().await;
    assert_eq!(
        (unsaved.records, unsaved.is_noted),
        (0, true),
        "it went to the disk"
    );
}

/// What is held in memory is bounded, and what it cost is noted when the disk is back.
#[tokio::test]
async fn memory_is_bounded_and_what_it_gives_up_is_a_gap() {
    let (database, place) = (database().await, Place::new());
    let queue = Queue::new(open_spool(&place.queue()));
    place.obstruct();
    let ticks = 40;
    for tick in 0..ticks {
        queue.append(ts(tick), rows(tick, 3000)).await.unwrap();
    }
    place.clear();
    queue.append(ts(ticks), rows(ticks, 5)).await.unwrap();
    drop(queue);
    let running = start(&place.queue(), database.target());
    running.drained().await;
    let stored = "select count(distinct start_ticks) from collector.process_metrics_raw";
    let gaps = "select coalesce(sum(count), 0) from collector.data_gaps where class = 'bulk' and reason = 'spool_down'";
    let (stored, gaps) = (
        number(&database, stored).await,
        number(&database, gaps).await,
    );
    assert!(gaps > 0, "40 × 3,000 rows fit the memory");
    assert_eq!(stored + gaps, ticks + 1);
    let host = "select count(*) from collector.system_metrics_raw";
    assert_eq!(number(&database, host).await, ticks + 1, "those go last");
    running.stop().await;
}
