//! P5 and P8: the disk under the spool fills up and is freed, and the budget is never exceeded.
//! Needs root for a small file system of its own; prints a note and passes without.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, bytes_below, number, settle_and_check};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use testkit::{Mode, Proxy, Server, migrate};

/// A file system of `mib` in memory, unmounted with this value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, mib: u64) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={mib}m,mode=0700"),
                "tmpfs",
            ])
            .arg(at)
            .stderr(std::process::Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

/// Returns a `/proc` with many processes of names that do not compress, so that ticks are large.
fn crowded_proc(processes: u32) -> TempDir {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "stat",
        "cpu  1 0 1 97 1 0 0 0 0 0\ncpu0 1 0 1 97 1 0 0 0 0 0\nctxt 1\nbtime 1700000000\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n",
    );
    write(
        "meminfo",
        "MemTotal: 1000000 kB\nMemFree: 500000 kB\nMemAvailable: 700000 kB\n",
    );
    write("loadavg", "0.1 0.2 0.3 1/100 5\n");
    write("uptime", "1000.00 900.00\n");
    let mut dice = testkit::Dice::new(7);
    for pid in 1..=processes {
        let (a, b, c) = (
            dice.below(u64::MAX),
            dice.below(1 << 40),
            dice.below(1 << 20),
        );
        let name = format!("{a:015x}");
        let name = &name[..15];
        fs::create_dir_all(dir.path().join(format!("{pid}/fd"))).unwrap();
        write(
            &format!("{pid}/stat"),
            &format!(
                "{pid} ({name}) S 1 1 1 0 -1 4194304 1 0 0 0 {c} 3 0 0 20 0 1 0 {c} {b} {c} 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n"
            ),
        );
    }
    dir
}

#[tokio::test]
async fn p05_p08_a_full_disk_loses_only_what_the_gaps_name() {
    let server = Server::builder().tcp().start().unwrap();
    migrate(&server.target()).await.unwrap();
    let proxy = Proxy::start(server.address().unwrap()).unwrap();
    let home = Home::new(&server.target_at(proxy.address()));
    let Some(_disk) = SmallDisk::mount(&home.queue(), 12) else {
        println!("skipped: mounting a small file system needs root");
        return;
    };
    home.configure(&server.target_at(proxy.address()), "queue_max_mb = 4");
    let proc = crowded_proc(2000);
    proxy.set(Mode::Refuse);

    // The budget, looked at ten times a second.
    let (most, watching) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(true)));
    let watcher = {
        let (most, watching, queue) = (Arc::clone(&most), Arc::clone(&watching), home.queue());
        std::thread::spawn(move || {
            while watching.load(Ordering::Relaxed) {
                let bytes = bytes_below(&queue.join("bulk"))
                    + bytes_below(&queue.join("core"))
                    + bytes_below(&queue.join("event"));
                most.fetch_max(
                    bytes + bytes_below(&queue.join("quarantine")),
                    Ordering::Relaxed,
                );
                std::thread::sleep(Duration::from_millis(100));
            }
        })
    };

    let mut agent = home.start_proc(proc.path());
    let log = home.dir.path().join("log");
    agent
        .until("the spool overflows", async || {
            fs::read_to_string(&log)
                .unwrap()
                .contains("the spool is full")
        })
        .await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    // Somebody else fills the disk.
    let ballast = home.queue().join("ballast");
    fs::write(&ballast, vec![1; 12 << 20]).unwrap_err();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(agent.child.try_wait().unwrap().is_none(), "{}", agent.log());
    fs::remove_file(&ballast).unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    proxy.set(Mode::Pass);
    let stored = "select count(*) from collector.system_metrics_raw";
    agent
        .until("samples arrive", async || {
            number(&server.target(), stored).await > 10
        })
        .await;
    let log = agent.log();
    assert_eq!(
        log.matches("takes samples again").count(),
        log.matches("takes no samples").count(),
        "{log}"
    );
    agent.kill();
    watching.store(false, Ordering::Relaxed);
    watcher.join().unwrap();
    let most = most.load(Ordering::Relaxed);
    assert!(most <= 4 << 20, "the budget of 4 MiB was exceeded: {most}");
    settle_and_check(&home, &server.target_at(proxy.address())).await;

    // Of processes the oldest went first, and every one of them is in a gap.
    let gone = number(
        &server.target(),
        "select coalesce(sum(count), 0) from collector.data_gaps where class = 'bulk'",
    )
    .await;
    let delivered = "select sum((r->>1)::int8 - (r->>0)::int8) from collector.spool_watermark, jsonb_array_elements(progress->'bulk'->'delivered') r";
    // A record for the processes of a tick, for the sessions of one, for what a slow one brings.
    let stored = number(
        &server.target(),
        "select (select count(distinct ts) from collector.process_metrics_raw) \
           + (select count(distinct ts) from collector.session_samples_raw) \
           + (select count(*) from (select ts from collector.table_metrics_raw \
              union select ts from collector.index_metrics_raw \
              union select ts from collector.statement_metrics_raw) slow)",
    )
    .await;
    assert!(gone > 0);
    assert_eq!(stored + gone, number(&server.target(), delivered).await);
}

/// The disk of the queue is full and the database is well: rows are delivered from memory, no session ends for
/// it, and the end loses nothing.
#[tokio::test]
async fn p05_p17_a_full_disk_beside_a_database_that_is_well_loses_nothing() {
    let database = common::database().await;
    let target = database.target();
    let home = Home::new(&target);
    let Some(_disk) = SmallDisk::mount(&home.queue(), 8) else {
        println!("skipped: mounting a small file system needs root");
        return;
    };
    home.configure(&target, "queue_max_mb = 16");
    let proc = crowded_proc(2000);
    let mut agent = home.start_proc(proc.path());
    let ticks = "select count(*) from collector.system_metrics_raw";
    agent
        .until("samples arrive", async || number(&target, ticks).await > 1)
        .await;
    // Segments that are delivered are removed; what that frees is taken at once, or the disk is not full for long.
    let ballast = home.queue().join("ballast");
    let fill = || {
        let mut file = fs::File::options()
            .create(true)
            .append(true)
            .open(&ballast)
            .unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
    };
    let log = home.dir.path().join("log");
    let log = || fs::read_to_string(&log).unwrap();
    agent
        .until("the disk takes nothing more", async || {
            fill();
            // Either it makes room among its own segments, or there is none to give up.
            ["the spool is full", "the spool's disk takes no samples"]
                .iter()
                .any(|message| log().contains(message))
        })
        .await;
    let before = number(&target, ticks).await;
    agent
        .until("samples arrive all the same", async || {
            fill();
            number(&target, ticks).await > before + 8
        })
        .await;
    let (status, took) = agent.terminate();
    let text = log();
    assert!(status.success(), "{text}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(!text.contains("lost the database"), "{text}");
    assert_eq!(text.matches("connected; delivering").count(), 1, "{text}");
    common::wait_for_sessions(&target).await;
    let gaps = "select count(*) from collector.data_gaps where class <> 'logs'";
    assert_eq!(number(&target, gaps).await, 0);
    // Every tick but the last, which the end may have cut in two, has its processes.
    let halves = "select count(*) from collector.system_metrics_raw s \
                  where ts < (select max(ts) from collector.system_metrics_raw) \
                    and not exists (select from collector.process_metrics_raw p where p.ts = s.ts)";
    assert_eq!(number(&target, halves).await, 0, "{text}");
    let doubles = "select count(*) from (select ts from collector.system_metrics_raw group by ts having count(*) > 1) d";
    assert_eq!(number(&target, doubles).await, 0);
}
