//! Kinds of files: archives, files with holes, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod followed;

use std::fs::{self, File};
use std::path::PathBuf;

use followed::{Bench, WHOLE, text};
use logs::source::{FileOptions, Files, GapReason, Status};
use schema::Timestamp;

/// L29
#[test]
fn a_damaged_or_swollen_archive_is_a_gap() {
    use std::io::Read as _;
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let mut bomb = Vec::new();
    let zeros = std::io::repeat(b'x').take(80 << 20);
    flate2::read::GzEncoder::new(zeros, flate2::Compression::best())
        .read_to_end(&mut bomb)
        .unwrap();
    let lines: String = (0..20_000_u32)
        .map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761)))
        .collect();
    let mut archive = Vec::new();
    flate2::read::GzEncoder::new(lines.as_bytes(), flate2::Compression::fast())
        .read_to_end(&mut archive)
        .unwrap();
    for (name, bytes) in [
        ("cut off", half(archive)),
        ("no archive", b"not compressed at all\n".to_vec()),
        ("a bomb", bomb),
    ] {
        let mut bench = Bench::new();
        bench.append("app.log", "1\n");
        assert_eq!(bench.poll(), "1\n");
        bench.rename("app.log", "app.log.2");
        fs::write(bench.path("app.log.1.gz"), bytes).unwrap();
        bench.append("app.log", "9\n");
        bench.restart();
        let read = bench.polls(8);
        assert!(read.ends_with("9\n"), "{name}");
        assert!(read.len() < 70 << 20, "{name}");
        assert_eq!(bench.reasons(), [GapReason::Undecodable], "{name}");
    }
}

/// L21
#[test]
fn what_is_not_a_plain_file_is_refused() {
    let bench = Bench::new();
    let fifo = bench.path("fifo");
    let made = std::process::Command::new("mkfifo")
        .arg(&fifo)
        .status()
        .unwrap();
    assert!(made.success());
    let _socket = std::os::unix::net::UnixListener::bind(bench.path("socket")).unwrap();
    fs::create_dir(bench.path("directory")).unwrap();
    for path in [
        fifo,
        bench.path("socket"),
        bench.path("directory"),
        PathBuf::from("/dev/null"),
        PathBuf::from("/"),
    ] {
        let mut files = Files::new("x", &path, Vec::new(), FileOptions::default());
        let mut out = Vec::new();
        for _ in 0..3 {
            files.poll(Timestamp(0), WHOLE, &mut out);
        }
        assert_eq!(files.state().status, Status::Unsafe, "{}", path.display());
        assert!(files.state().cause.contains(path.to_str().unwrap()));
        assert!(out.is_empty());
    }
}

/// L22, L23. Whose a link is can be changed by root alone; others see the first cases.
#[test]
fn links_that_others_can_turn_are_refused() {
    use std::os::unix::fs::{PermissionsExt as _, chown, lchown, symlink};
    let other = Some(65_534);
    let is_root = rustix::process::geteuid().is_root();
    let bench = Bench::new();
    fs::set_permissions(bench.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let secret = bench.path("secret/shadow");
    fs::create_dir(bench.path("secret")).unwrap();
    fs::write(&secret, "root:x\n").unwrap();
    fs::create_dir(bench.path("logs")).unwrap();
    fs::create_dir(bench.path("logs/real")).unwrap();
    fs::write(bench.path("logs/real/app.log"), "line\n").unwrap();
    fs::write(bench.path("logs/target.log"), "line\n").unwrap();
    symlink("target.log", bench.path("logs/beside.log")).unwrap();
    symlink(&secret, bench.path("logs/away.log")).unwrap();
    symlink("real", bench.path("logs/link")).unwrap();
    symlink("loop.log", bench.path("logs/loop.log")).unwrap();
    fs::hard_link(&secret, bench.path("logs/hard.log")).unwrap();
    let status = |name: &str| {
        let path = bench.path(&format!("logs/{name}"));
        let mut files = Files::new("x", &path, Vec::new(), FileOptions::default());
        files.poll(Timestamp(0), WHOLE, &mut Vec::new());
        files.state().status
    };
    for name in ["beside.log", "away.log", "link/app.log", "hard.log"] {
        assert_eq!(status(name), Status::Ok, "{name} of the collector's own");
    }
    assert_ne!(status("loop.log"), Status::Ok);
    if !is_root {
        return;
    }
    // the directory belongs to another user now, and so do the links in it
    chown(bench.path("logs"), other, None).unwrap();
    for name in ["beside.log", "away.log", "link"] {
        lchown(bench.path(&format!("logs/{name}")), other, None).unwrap();
    }
    for (name, expected) in [
        ("beside.log", Status::Ok),
        ("away.log", Status::Unsafe),
        ("link/app.log", Status::Unsafe),
        ("hard.log", Status::Unsafe),
        ("real/app.log", Status::Ok),
    ] {
        assert_eq!(status(name), expected, "{name} of somebody else");
    }
    // a group may write the directory
    chown(bench.path("logs"), Some(0), None).unwrap();
    fs::set_permissions(bench.path("logs"), fs::Permissions::from_mode(0o775)).unwrap();
    assert_eq!(status("hard.log"), Status::Unsafe);
}

/// L24: root may read everything, so only others see this.
#[test]
fn what_may_not_be_read_is_tried_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut bench = Bench::new();
    bench.append("app.log", "one\n");
    let set = |mode| {
        fs::set_permissions(
            bench.dir.path().join("app.log"),
            fs::Permissions::from_mode(mode),
        )
        .unwrap();
    };
    set(0o000);
    let is_denied = File::open(bench.path("app.log")).is_err();
    let mut out = Vec::new();
    bench.files.poll(Timestamp(0), WHOLE, &mut out);
    if is_denied {
        assert_eq!(bench.files.state().status, Status::Denied);
        assert!(bench.files.state().cause.contains("group adm"));
        assert!(out.is_empty());
    }
    set(0o600);
    bench.files.poll(Timestamp(1), WHOLE, &mut out);
    assert_eq!(bench.files.state().status, Status::Ok);
    assert_eq!(text(&out), "one\n");
}

/// L25
#[test]
fn a_directory_that_is_gone_is_a_state() {
    let mut bench = Bench::of("sub/app.log");
    assert_eq!(bench.poll(), "");
    assert_eq!(bench.files.state().status, Status::Missing);
    fs::create_dir(bench.path("sub")).unwrap();
    bench.append("sub/app.log", "one\n");
    assert_eq!(bench.poll(), "one\n");
    fs::remove_dir_all(bench.path("sub")).unwrap();
    assert_eq!(bench.polls(4), "");
    assert_eq!(bench.files.state().status, Status::Missing);
    assert_eq!(bench.files.state().streams, 0);
}

#[test]
fn archives_of_every_form_are_known() {
    for (program, ending, is_read) in [
        ("gzip", "gz", true),
        ("zstd", "zst", true),
        ("xz", "xz", false),
        ("bzip2", "bz2", false),
    ] {
        if std::process::Command::new(program)
            .arg("--version")
            .output()
            .is_err()
        {
            eprintln!("skipped: {program} is not installed");
            continue;
        }
        let mut bench = Bench::new();
        bench.append("app.log", "1\n");
        assert_eq!(bench.poll(), "1\n");
        // compressed after all of it was read
        let pack = |bench: &Bench| {
            bench.rename("app.log", "app.log.1");
            let mut command = std::process::Command::new(program);
            if program == "zstd" {
                command.args(["--rm", "--quiet"]);
            }
            assert!(
                command
                    .arg(bench.path("app.log.1"))
                    .status()
                    .unwrap()
                    .success()
            );
            bench.append("app.log", "3\n");
        };
        pack(&bench);
        bench.restart();
        assert_eq!(bench.polls(4), "3\n", "{program}");
        assert_eq!(bench.gaps, [], "{program}");
        // compressed before
        bench.append("app.log", "4\n5\n");
        // some keep whole seconds only
        let later = std::time::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000);
        let log = File::options().write(true).open(bench.path("app.log"));
        log.unwrap().set_modified(later).unwrap();
        fs::remove_file(bench.path(&format!("app.log.1.{ending}"))).unwrap();
        pack(&bench);
        bench.restart();
        let read = bench.polls(6);
        assert_eq!(read, if is_read { "4\n5\n3\n" } else { "3\n" }, "{program}");
        assert_eq!(
            bench.gaps.is_empty(),
            is_read,
            "{program}: {:?}",
            bench.gaps
        );
    }
}

/// L4: a program that does not append continues at its old place in a file that was emptied.
#[test]
fn a_hole_is_passed_over() {
    use std::os::unix::fs::FileExt as _;
    let mut bench = Bench::new();
    bench.append("app.log", "one\n");
    assert_eq!(bench.poll(), "one\n");
    let file = File::create(bench.path("app.log")).unwrap();
    let hole = (4 << 30) + 77;
    file.write_all_at(b"two\nthree\n", hole).unwrap();
    assert_eq!(bench.polls(2), "two\nthree\n");
    assert_eq!(bench.reasons(), [GapReason::Truncated, GapReason::Hole]);
    assert_eq!(bench.gaps[1].bytes, Some(hole));
    bench.restart();
    file.write_all_at(b"four\n", hole + 10).unwrap();
    assert_eq!(bench.poll(), "four\n");
}

#[test]
fn few_nul_bytes_belong_to_their_line() {
    let mut bench = Bench::new();
    bench.append("app.log", b"\0\0one\n");
    bench.append("app.log", vec![0; 300]);
    bench.append("app.log", "two\n");
    assert_eq!(bench.poll(), "\0\0one\ntwo\n");
    assert_eq!(bench.gaps[0].bytes, Some(300));
}
