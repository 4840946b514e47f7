use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use rustix::io::Errno;
use schema::{Cell, Row};

use super::capacity::{Capacity, Figures};
use super::prober::StatVfs;
use super::*;
use crate::fixture_tests::{cell, moment};
use crate::{RunOutcome, run_one};

const FIGURES: Figures = Figures {
    block: 4096,
    blocks: 1000,
    free: 400,
    available: 300,
    inodes: 500,
    inodes_available: 450,
};

/// Gives every file system the same figures.
pub(crate) fn figures_of_any() -> StatVfs {
    Arc::new(|_| Ok(FIGURES))
}

fn root_with(mountinfo: &[u8]) -> (tempfile::TempDir, Roots) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("proc/self")).unwrap();
    std::fs::write(dir.path().join("proc/self/mountinfo"), mountinfo).unwrap();
    let roots = Roots {
        proc: dir.path().join("proc"),
        sys: dir.path().join("sys"),
    };
    (dir, roots)
}

fn paths(mountinfo: &str) -> Vec<String> {
    choose(mountinfo.as_bytes())
        .0
        .into_iter()
        .map(|chosen| chosen.probe.path.to_string_lossy().into_owned())
        .collect()
}

/// S6
#[test]
fn which_mounts_make_rows() {
    let root = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n";
    let cases: [(&str, &str, &[&str]); 14] = [
        (
            "octal",
            "2 1 8:2 / /a\\040b\\011c\\012d\\134e rw - xfs /dev/b rw\n",
            &["/", "/a b\tc\nd\\e"],
        ),
        (
            "not octal",
            "2 1 8:2 / /a\\9b\\08 rw - xfs /dev/b rw\n",
            &["/", "/a\\9b\\08"],
        ),
        (
            "optional fields",
            "2 1 8:2 / /b rw shared:1 master:2 - xfs /dev/b rw\n",
            &["/", "/b"],
        ),
        (
            "bind mount of a part",
            "2 1 8:1 /var /srv rw - ext4 /dev/sda1 rw\n",
            &["/"],
        ),
        (
            "two subvolumes",
            "2 1 0:9 /@a /a rw - btrfs /dev/b rw\n3 1 0:9 /@b /b rw - btrfs /dev/b rw\n",
            &["/", "/a", "/b"],
        ),
        (
            "the shorter path",
            "2 1 8:2 / /long/path rw - xfs /dev/b rw\n3 1 8:2 / /b rw - xfs /dev/b rw\n",
            &["/", "/b"],
        ),
        ("autofs", "2 1 0:9 / /net rw - autofs auto.net rw\n", &["/"]),
        (
            "mounted by autofs",
            "2 1 0:9 / /net rw - autofs auto.net rw\n3 2 0:10 / /net/a rw - nfs4 a:/ rw\n",
            &["/", "/net/a"],
        ),
        (
            "mounted over an automount",
            "2 1 0:9 / /b rw - autofs systemd-1 rw\n3 2 8:2 / /b rw - xfs /dev/b rw\n",
            &["/", "/b"],
        ),
        (
            "automount over a mount",
            "2 1 8:2 / /b rw - xfs /dev/b rw\n3 2 0:9 / /b rw - autofs systemd-1 rw\n",
            &["/"],
        ),
        (
            "hidden by one above",
            "2 1 8:2 / /a/b rw - xfs /dev/b rw\n3 1 8:3 / /a rw - xfs /dev/c rw\n",
            &["/", "/a"],
        ),
        (
            "below the one above",
            "3 1 8:3 / /a rw - xfs /dev/c rw\n2 3 8:2 / /a/b rw - xfs /dev/b rw\n",
            &["/", "/a", "/a/b"],
        ),
        (
            "not stores",
            "2 1 0:9 / /snap/x ro - squashfs /dev/loop0 ro\n3 1 0:10 / /run/user/0/gvfs rw - fuse.gvfsd-fuse g rw\n4 1 0:11 / /var/lib/docker/x/merged rw - overlay o rw\n5 1 0:12 / /proc rw - proc proc rw\n",
            &["/"],
        ),
        (
            "memory",
            "2 1 0:9 / /tmp rw - tmpfs t rw\n3 1 0:10 / /run rw - tmpfs t rw\n4 3 0:11 / /run/lock rw - tmpfs t rw\n5 1 0:11 / /srv/chroot/lock rw - tmpfs t rw\n6 1 0:12 / /dev rw - devtmpfs d rw\n7 6 0:13 / /dev/shm rw - tmpfs t rw\n",
            &["/", "/tmp", "/run", "/dev/shm"],
        ),
    ];
    for (case, lines, expected) in cases {
        assert_eq!(paths(&format!("{root}{lines}")), expected, "{case}");
    }
    // a root file system that covers the first one, and numbers that lead in a circle
    assert_eq!(
        paths("1 1 0:1 / / rw - rootfs rootfs rw\n27 1 8:1 / / rw - ext4 /dev/sda1 rw\n"),
        ["/"]
    );
    paths("1 2 8:1 / /a rw - ext4 /dev/a rw\n2 1 8:2 / /b rw - ext4 /dev/b rw\n");
}

#[test]
fn read_only_is_of_the_file_system() {
    let text =
        "1 0 8:1 / / ro - ext4 /dev/a rw\n2 1 8:2 / /b rw - ext4 /dev/b ro,errors=continue\n";
    let read_only: Vec<bool> = choose(text.as_bytes())
        .0
        .iter()
        .map(|c| c.read_only)
        .collect();
    assert_eq!(read_only, [false, true]);
}

/// S6: 10,000 mounts.
#[tokio::test]
async fn no_more_than_256_rows() {
    let mut text = String::from("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
    for at in 0..9_999 {
        let id = at + 2;
        text += &format!("{id} 1 9:{at} / /mnt/m{at:05} rw - ext4 /dev/x{at} rw\n");
    }
    let (_dir, roots) = root_with(text.as_bytes());
    let mut mounts = Mounts::probing(&roots, figures_of_any());
    let mut rows = Vec::new();
    let report = run_one(&mut mounts, &moment(0), &mut rows).await;
    assert_eq!(report.rows, 256);
    assert_eq!(report.outcome, RunOutcome::Ok);
    assert_eq!(
        report.error.unwrap().to_string(),
        "10000 mounts found, rows made for the first 256"
    );
    assert_eq!(*cell(&rows[0], "mount"), Cell::Text("/".into()));
}

/// S7
#[test]
fn capacity_is_unknown_rather_than_not_a_number() {
    let known = |figures: Figures| Capacity::from(figures);
    let all = known(FIGURES);
    assert_eq!(all.total_bytes, Some(4_096_000));
    assert_eq!(all.available_bytes, Some(300 * 4096));
    assert!((all.usage_pct.unwrap() - 600.0 / 9.0).abs() < 1e-9);
    assert_eq!((all.inodes_total, all.inodes_free), (Some(500), Some(450)));

    let empty = known(Figures {
        blocks: 0,
        ..FIGURES
    });
    assert_eq!((empty.total_bytes, empty.usage_pct), (None, None));
    let none = known(Figures {
        inodes: 0,
        ..FIGURES
    });
    assert_eq!((none.inodes_total, none.inodes_free), (None, None));

    let generous = known(Figures {
        free: 2000,
        available: 2000,
        ..FIGURES
    });
    assert_eq!(generous.available_bytes, generous.total_bytes);
    assert_eq!(generous.usage_pct, Some(0.0));
    let below_zero = known(Figures {
        available: u64::MAX - 5,
        ..FIGURES
    });
    assert_eq!(below_zero.available_bytes, Some(0));
    assert_eq!(below_zero.usage_pct, Some(100.0));
    let reserved_only = known(Figures {
        free: 1000,
        available: 0,
        ..FIGURES
    });
    assert_eq!(reserved_only.usage_pct, None, "0 of 0");
    let huge = known(Figures {
        block: u64::MAX,
        blocks: u64::MAX,
        ..FIGURES
    });
    assert_eq!(huge.total_bytes, Some(i64::MAX));
}

/// A `statvfs` in which one path hangs until it is let go, and that knows how many threads are
/// within it.
#[derive(Default)]
struct Server {
    state: Mutex<(HashSet<PathBuf>, Vec<PathBuf>)>,
    changed: Condvar,
    inside: AtomicUsize,
    most_inside: AtomicUsize,
}

impl Server {
    fn hang(&self, path: &str) {
        self.state.lock().unwrap().0.insert(path.into());
    }

    fn let_go(&self) {
        self.state.lock().unwrap().0.clear();
        self.changed.notify_all();
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().1)
            .into_iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect()
    }

    fn stat_vfs(self: &Arc<Self>) -> StatVfs {
        let server = Arc::clone(self);
        Arc::new(move |path: &Path| {
            let inside = server.inside.fetch_add(1, Ordering::SeqCst) + 1;
            server.most_inside.fetch_max(inside, Ordering::SeqCst);
            let mut state = server.state.lock().unwrap();
            state.1.push(path.to_owned());
            while state.0.contains(path) {
                state = server.changed.wait(state).unwrap();
            }
            drop(state);
            server.inside.fetch_sub(1, Ordering::SeqCst);
            Ok(FIGURES)
        })
    }
}

/// Runs a tick and, as the time of the test stands still, moves it past the deadline once the
/// call that hangs has begun.
async fn tick(
    mounts: &mut Mounts,
    server: &Server,
    hangs: Option<&str>,
    secs: u64,
) -> (Vec<Row>, crate::RunReport) {
    let mut rows = Vec::new();
    let at = moment(secs);
    let report = {
        let run = run_one(mounts, &at, &mut rows);
        let pass_time = async {
            if let Some(path) = hangs {
                while !server
                    .state
                    .lock()
                    .unwrap()
                    .1
                    .iter()
                    .any(|asked| asked == Path::new(path))
                {
                    tokio::task::yield_now().await;
                }
                tokio::time::advance(prober::DEADLINE + Duration::from_millis(1)).await;
            }
        };
        tokio::join!(run, pass_time).0
    };
    (rows, report)
}

fn known(rows: &[Row]) -> Vec<(String, bool)> {
    rows.iter()
        .filter(|row| row.table.name == "mount_metrics_raw")
        .map(|row| {
            let Cell::Text(mount) = cell(row, "mount") else {
                panic!("no mount");
            };
            (mount.to_string(), *cell(row, "total_bytes") != Cell::Null)
        })
        .collect()
}

fn expected(rows: &[(&str, bool)]) -> Vec<(String, bool)> {
    rows.iter()
        .map(|(mount, known)| ((*mount).to_owned(), *known))
        .collect()
}

const THREE_SERVERS: &[u8] = b"1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 0:9 / /a rw - nfs4 a:/ rw
3 1 8:2 / /data rw - xfs /dev/sdb rw
4 1 0:10 / /z rw - nfs4 z:/ rw
5 4 8:3 / /z/disk rw - xfs /dev/sdc rw
";

/// P21
#[tokio::test(start_paused = true)]
async fn p21_a_dead_server_costs_its_own_figures_and_one_thread() {
    let (_dir, roots) = root_with(THREE_SERVERS);
    let server = Arc::new(Server::default());
    server.hang("/a");
    let mut mounts = Mounts::probing(&roots, server.stat_vfs());

    // it hangs: what answers from memory had been asked before it
    let (rows, report) = tick(&mut mounts, &server, Some("/a"), 0).await;
    assert_eq!(
        known(&rows),
        expected(&[
            ("/", true),
            ("/a", false),
            ("/data", true),
            ("/z", false),
            ("/z/disk", false)
        ])
    );
    assert_eq!(report.outcome, RunOutcome::Timeout);
    assert!(
        report.duration < Duration::from_millis(2_100),
        "{:?}",
        report.duration
    );
    assert_eq!(
        report.error.unwrap().to_string(),
        "mount /a gave no answer within 2000 ms"
    );
    assert_eq!(server.asked(), ["/", "/data", "/a"]);

    // it still hangs: not asked again, nothing waited for, no other thread
    for secs in [10, 20, 30] {
        let (rows, report) = tick(&mut mounts, &server, None, secs).await;
        assert_eq!(known(&rows).iter().filter(|(_, known)| *known).count(), 2);
        assert_eq!(report.outcome, RunOutcome::Timeout);
        assert_eq!(report.duration, Duration::ZERO);
        assert_eq!(server.asked(), ["/", "/data"]);
    }
    // the thread that hangs, and the caller itself
    assert!(server.most_inside.load(Ordering::SeqCst) <= 2);

    // it is back: asked again, after all others
    server.let_go();
    while !mounts.prober.is_free() {
        tokio::task::yield_now().await;
    }
    let (rows, report) = tick(&mut mounts, &server, None, 40).await;
    assert!(known(&rows).iter().all(|(_, known)| *known));
    assert_eq!(report.outcome, RunOutcome::Ok);
    assert_eq!(server.asked(), ["/", "/data", "/z", "/z/disk", "/a"]);
}

/// P21: when a disk hangs, the caller asks nothing itself, or it would hang too.
#[tokio::test(start_paused = true)]
async fn p21_a_dead_disk_is_not_asked_by_the_caller() {
    let (_dir, roots) = root_with(THREE_SERVERS);
    let server = Arc::new(Server::default());
    server.hang("/data");
    let mut mounts = Mounts::probing(&roots, server.stat_vfs());
    tick(&mut mounts, &server, Some("/data"), 0).await;
    server.asked();
    let (rows, report) = tick(&mut mounts, &server, None, 10).await;
    assert!(known(&rows).iter().all(|(_, known)| !known));
    assert_eq!(rows.len(), 6, "every mount still makes its row");
    assert_eq!(report.outcome, RunOutcome::Timeout);
    assert!(server.asked().is_empty());
    server.let_go();
}

/// A run that its caller drops leaves no thread that is forgotten.
#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_is_remembered() {
    let (_dir, roots) = root_with(THREE_SERVERS);
    let server = Arc::new(Server::default());
    server.hang("/a");
    let mut mounts = Mounts::probing(&roots, server.stat_vfs());
    let mut rows = Vec::new();
    {
        let at = moment(0);
        let run = run_one(&mut mounts, &at, &mut rows);
        let begun = async {
            while !server
                .state
                .lock()
                .unwrap()
                .1
                .iter()
                .any(|asked| asked == Path::new("/a"))
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { biased; _ = run => panic!("it hangs"), () = begun => {} }
    }
    server.asked();
    let (_, report) = tick(&mut mounts, &server, None, 10).await;
    assert_eq!(report.outcome, RunOutcome::Timeout);
    assert!(server.most_inside.load(Ordering::SeqCst) <= 2);
    server.let_go();
}

#[tokio::test]
async fn refusals_are_distinguished() {
    let (_dir, roots) = root_with(THREE_SERVERS);
    let refuse = |error: Errno| -> StatVfs {
        Arc::new(move |path: &Path| {
            if path == Path::new("/z") {
                Err(error)
            } else {
                Ok(FIGURES)
            }
        })
    };
    let cases = [
        (Errno::NOENT, 4, RunOutcome::Ok, None),
        (
            Errno::ACCESS,
            5,
            RunOutcome::Ok,
            Some("room of 1 mounts: permission denied"),
        ),
        (
            Errno::STALE,
            5,
            RunOutcome::Failed,
            Some("cannot read /z: "),
        ),
    ];
    for (errno, rows, outcome, error) in cases {
        let mut mounts = Mounts::probing(&roots, refuse(errno));
        let report = run_one(&mut mounts, &moment(0), &mut Vec::new()).await;
        assert_eq!((report.rows, report.outcome), (rows, outcome), "{errno:?}");
        let found = report.error.map(|error| error.to_string());
        match (&found, error) {
            (None, None) => {}
            (Some(found), Some(start)) => assert!(found.starts_with(start), "{found}"),
            _ => panic!("{errno:?}: {found:?}"),
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        choose(&text);
        mountinfo::unescape(&text);
    }

    #[test]
    fn any_mounts_are_read(
        lines in proptest::collection::vec((0_u8..6, 0_u8..6, "(/[ab]){0,3}|/", "ext4|autofs|tmpfs|btrfs"), 0..12)
    ) {
        let text: String = lines
            .iter()
            .map(|(id, parent, path, kind)| format!("{id} {parent} 0:{id} / {path} rw - {kind} x rw\n"))
            .collect();
        choose(text.as_bytes());
    }

    #[test]
    fn any_figures_give_a_share(
        block in any::<u64>(), blocks in any::<u64>(), free in any::<u64>(),
        available in any::<u64>(), inodes in any::<u64>(), inodes_available in any::<u64>(),
    ) {
        let figures = Figures { block, blocks, free, available, inodes, inodes_available };
        let capacity = Capacity::from(figures);
        if let Some(share) = capacity.usage_pct {
            prop_assert!((0.0..=100.0).contains(&share), "{share}");
        }
    }
}
