use proptest::prelude::*;
use schema::Cell;

use super::*;
use crate::fixture_tests::{cell, copy_of, moment};
use crate::{RunOutcome, run_one};

fn shares(before: &str, now: &str) -> Option<stat::CpuShares> {
    let cpu = |line: &str| stat::parse(format!("cpu {line}\n").as_bytes()).cpu.unwrap();
    stat::shares(&cpu(before), &cpu(now))
}

/// S4, S8
#[test]
fn shares_of_a_cpu() {
    let plain = shares("0 0 0 0 0 0 0 0 0 0", "10 20 30 40 0 0 0 0 0 0").unwrap();
    assert_eq!(
        (plain.user, plain.nice, plain.system, plain.idle),
        (10.0, 20.0, 30.0, 40.0)
    );
    assert_eq!(plain.guest, Some(0.0));

    // guest time is within user time, and never more than it
    let guest = shares("0 0 0 0 0 0 0 0 0 0", "60 20 0 20 0 0 0 0 50 5").unwrap();
    assert_eq!(
        (guest.user, guest.nice, guest.guest),
        (10.0, 15.0, Some(55.0))
    );
    let more_guest = shares("0 0 0 0 0 0 0 0 0 0", "50 0 0 50 0 0 0 0 90 0").unwrap();
    assert_eq!((more_guest.user, more_guest.guest), (0.0, Some(50.0)));

    // old kernels have fewer columns
    let old = shares("0 0 0 0 0 0 0", "50 0 0 50 0 0 0").unwrap();
    assert_eq!((old.steal, old.guest, old.softirq), (None, None, Some(0.0)));
    let oldest = shares("0 0 0 0", "50 0 0 50").unwrap();
    assert_eq!((oldest.iowait, oldest.irq), (None, None));

    // one counter goes back a little: no share below zero
    let back = shares("0 0 0 100 50 0 0 0 0 0", "0 0 50 150 40 0 0 0 0 0").unwrap();
    assert_eq!(
        (back.iowait, back.system, back.idle),
        (Some(0.0), 50.0, 50.0)
    );
    // all went back, or no time has passed: no share at all
    assert_eq!(shares("10 10 10 10", "1 1 1 1"), None);
    assert_eq!(shares("10 10 10 10", "10 10 10 10"), None);
    let huge = format!("{0} {0} {0} {0}", u64::MAX);
    assert_eq!(shares(&huge, &huge), None);
}

#[test]
fn cores_are_known_by_name() {
    let cores = |text: &str| stat::parse(text.as_bytes()).cores;
    let before = cores("cpu0 0 0 0 0\ncpu1 0 0 0 0\ncpu2 0 0 0 0\n");
    let now = cores("cpu0 10 0 0 90\ncpu2 90 0 0 10\ncpu3 5 5 5 5\n");
    assert_eq!(
        stat::cores_json(&before, &now),
        concat!(
            r#"[{"core":0,"user":10.00,"system":0.00,"idle":90.00,"iowait":0.00,"other":0.00},"#,
            r#"{"core":2,"user":90.00,"system":0.00,"idle":10.00,"iowait":0.00,"other":0.00},"#,
            r#"{"core":3,"user":null,"system":null,"idle":null,"iowait":null,"other":null}]"#,
        )
    );
    assert_eq!(stat::cores_json(&[], &[]), "[]");
}

/// S5
#[test]
fn memory() {
    let kib = |n: u64| Some(n * 1024);
    let read = |text: &str| meminfo::parse(text.as_bytes());
    let new = read(
        "MemTotal: 100 kB\nMemFree: 10 kB\nMemAvailable: 40 kB\nCached: 20 kB\nSReclaimable: 5 kB\n",
    );
    assert_eq!(
        (new.available(), new.used(), new.cached()),
        (kib(40), kib(60), kib(25))
    );
    let old = read(
        "MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 3 kB\nCached: 20 kB\nSReclaimable: 5 kB\n",
    );
    assert_eq!((old.available(), old.used()), (kib(38), kib(62)));
    let lxcfs = read("MemTotal: 100 kB\nMemFree: 90 kB\nMemAvailable: 9999 kB\nCached: 5 kB\n");
    assert_eq!((lxcfs.available(), lxcfs.used()), (kib(95), kib(5)));
    let swap = read("SwapTotal: 10 kB\nSwapFree: 4 kB\n");
    assert_eq!(swap.swap_used(), kib(6));
    let huge = read("MemTotal: 99999999999999999999 kB\nMemAvailable: 1 kB\n");
    assert_eq!(huge.used(), Some(u64::MAX - 1024));
    assert_eq!(
        read("MemTotal: x kB\nMemFree\n"),
        meminfo::MemInfo::default()
    );
}

#[test]
fn small_files() {
    assert_eq!(
        files::loadavg(b"0.5 1 nan 1/2 3\n"),
        [Some(0.5), Some(1.0), None]
    );
    assert_eq!(files::loadavg(b""), [None; 3]);
    assert_eq!(files::uptime(b"12.5 3\n"), Some(12.5));
    assert_eq!(files::uptime(b"-1 3\n"), None);
    assert_eq!(
        files::file_nr(b"100\t20\t9223372036854775807\n"),
        (Some(80), Some(i64::MAX as u64))
    );
    assert_eq!(files::file_nr(b"\n"), (None, None));
    assert_eq!(files::single(b" 12 \n"), Some(12));
    assert_eq!(files::single(b"12 13\n"), None);
    assert_eq!(
        pressure::parse(b"some avg10=0.00 total=5\nfull avg10=0.00 total=x\n"),
        pressure::Pressure {
            some_us: Some(5),
            full_us: None
        }
    );
    let vm = vmstat::parse(b"pswpin 1\npswpout 2\npgmajfault 3\noom_kill_disable 9\n");
    assert_eq!(
        (vm.swap_in, vm.swap_out, vm.major_faults, vm.oom_kills),
        (Some(1), Some(2), Some(3), None)
    );
}

#[test]
fn pairs_of_lines() {
    let text = b"Ip: A B\nIp: 1 2\nTcp: MaxConn OutSegs\nTcp: -1 7\nUdp: X\nUdp: 1\n";
    assert_eq!(netdev::paired(text, b"Tcp", b"OutSegs"), Some(7));
    assert_eq!(
        netdev::paired(text, b"Tcp", b"MaxConn"),
        None,
        "minus one is not a limit"
    );
    assert_eq!(netdev::paired(text, b"Ip", b"B"), Some(2));
    assert_eq!(netdev::paired(text, b"Udp", b"B"), None);
    assert_eq!(netdev::paired(b"Tcp: OutSegs\n", b"Tcp", b"OutSegs"), None);
    assert_eq!(
        netdev::paired(b"Tcp: A OutSegs\nTcp: 1\n", b"Tcp", b"OutSegs"),
        None
    );
}

#[test]
fn interfaces() {
    let text = b"Inter-| Receive | Transmit\n face |bytes packets|bytes\n\
        lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n\
        eth0:10 2 3 4 0 0 0 0 20 5 6 7 0 0 0 0\n short: 1 2 3\n";
    let found = netdev::parse(text);
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].name, "eth0");
    let expected = netdev::Traffic {
        bytes: 20,
        packets: 5,
        errors: 6,
        drops: 7,
    };
    assert_eq!(found[1].tx, expected);
    assert_eq!(netdev::outside(&found), Some((10, 20)));
    assert_eq!(netdev::outside(&found[..1]), Some((0, 0)));
    assert_eq!(netdev::outside(&[]), None);
}

#[test]
fn names_of_disks() {
    for (name, partition) in [
        ("sda", false),
        ("sda1", true),
        ("sdaa", false),
        ("sdaa12", true),
        ("vda3", true),
        ("nvme0n1", false),
        ("nvme0n1p2", true),
        ("mmcblk0", false),
        ("mmcblk0p1", true),
        ("dm-0", false),
        ("md127", false),
        ("xvdb", false),
        ("xvdb1", true),
        ("sd1", false),
        ("", false),
        ("p1", false),
        ("0", false),
    ] {
        assert_eq!(
            diskstats::looks_like_partition(name.as_bytes()),
            partition,
            "{name}"
        );
    }
    for (name, is_virtual) in [
        ("loop0", true),
        ("ram15", true),
        ("zram0", true),
        ("rambo", false),
        ("sda", false),
    ] {
        assert_eq!(diskstats::is_virtual(name.as_bytes()), is_virtual, "{name}");
    }
}

#[test]
fn disks() {
    let text = b" 8 0 sda 1 2 3 4 5 6 7 8 -1 10 11 12 13\n 8 1 short 1 2 3\n\n";
    let found: Vec<_> = diskstats::parse(text).collect();
    assert_eq!(found.len(), 1);
    let disk = found[0];
    assert_eq!((disk.reads, disk.read_bytes, disk.read_ms), (1, 3 * 512, 4));
    assert_eq!(
        (disk.writes, disk.write_bytes, disk.write_ms),
        (5, 7 * 512, 8)
    );
    assert_eq!((disk.in_flight, disk.busy_ms, disk.queue_ms), (0, 10, 11));
}

#[tokio::test]
async fn each_file_may_be_missing() {
    let files = [
        "stat",
        "meminfo",
        "vmstat",
        "loadavg",
        "uptime",
        "diskstats",
        "net",
        "pressure",
        "sys",
    ];
    for missing in files {
        let (dir, roots) = copy_of("linux-6.18");
        let path = dir.path().join("proc").join(missing);
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
        let mut rows = Vec::new();
        let report = run_one(&mut Host::new(&roots), &moment(0), &mut rows).await;
        assert_eq!(
            report.outcome,
            RunOutcome::Ok,
            "{missing}: {:?}",
            report.error
        );
        let unknown: &[&str] = match missing {
            "stat" => &["cpu_count", "ctxt_total", "procs_running"],
            "meminfo" => &["mem_total", "mem_used", "swap_used"],
            "vmstat" => &["oom_kills_total"],
            "loadavg" => &["load_1"],
            "uptime" => &["uptime_secs"],
            "net" => &["net_rx", "tcp_retrans_total", "listen_drops_total"],
            "pressure" => &["pressure_cpu_some_us_total", "pressure_io_full_us_total"],
            "sys" => &["open_files", "conntrack_used", "boot_id"],
            _ => &[],
        };
        for column in unknown {
            assert_eq!(*cell(&rows[0], column), Cell::Null, "{missing}: {column}");
        }
    }
}

#[tokio::test]
async fn nothing_there_is_no_data_and_a_failure_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let roots = Roots {
        proc: dir.path().join("proc"),
        sys: dir.path().join("sys"),
    };
    std::fs::create_dir(&roots.proc).unwrap();
    let report = run_one(&mut Host::new(&roots), &moment(0), &mut Vec::new()).await;
    assert_eq!((report.outcome, report.rows), (RunOutcome::NoData, 0));

    // a directory in place of a file: the reading fails, as it does without descriptors
    std::fs::create_dir(roots.proc.join("meminfo")).unwrap();
    std::fs::write(roots.proc.join("loadavg"), "1 1 1\n").unwrap();
    let mut rows = Vec::new();
    let report = run_one(&mut Host::new(&roots), &moment(0), &mut rows).await;
    assert_eq!((report.outcome, report.rows), (RunOutcome::Failed, 1));
    assert!(report.error.unwrap().to_string().contains("/meminfo: "));
    assert_eq!(*cell(&rows[0], "mem_total"), Cell::Null);
    assert_eq!(*cell(&rows[0], "load_1"), Cell::Float(1.0));
}

#[tokio::test]
async fn a_tick_in_no_time_has_no_shares() {
    let (_dir, roots) = copy_of("linux-6.18");
    let mut host = Host::new(&roots);
    for _ in 0..2 {
        let mut rows = Vec::new();
        run_one(&mut host, &moment(0), &mut rows).await;
        assert_eq!(*cell(&rows[0], "cpu_user"), Cell::Null);
        assert_eq!(*cell(&rows[0], "cpu_cores"), Cell::Null);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        stat::parse(&text);
        meminfo::parse(&text);
        vmstat::parse(&text);
        pressure::parse(&text);
        netdev::outside(&netdev::parse(&text));
        netdev::paired(&text, b"Tcp", b"OutSegs");
        diskstats::parse(&text).for_each(drop);
        diskstats::looks_like_partition(&text);
        diskstats::is_virtual(&text);
        files::loadavg(&text);
        files::uptime(&text);
        files::file_nr(&text);
        files::single(&text);
    }

    #[test]
    fn any_ticks_give_shares_that_sum_to_a_hundred(
        before in proptest::collection::vec(any::<u64>(), 10),
        now in proptest::collection::vec(any::<u64>(), 10),
    ) {
        let line = |ticks: &[u64]| ticks.iter().map(|n| (n >> 8).to_string() + " ").collect::<String>();
        if let Some(found) = shares(&line(&before), &line(&now)) {
            let all = [
                Some(found.user), Some(found.nice), Some(found.system), Some(found.idle), found.iowait,
                found.irq, found.softirq, found.steal, found.guest,
            ];
            let sum: f64 = all.into_iter().flatten().inspect(|share| assert!(*share >= 0.0)).sum();
            prop_assert!((sum - 100.0).abs() < 1e-6, "{sum}");
        }
    }
}
