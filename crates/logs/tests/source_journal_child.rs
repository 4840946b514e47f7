//! What `journalctl` may do: fail, end, write anything, fall silent. A script is in its place.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod journal;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use journal::{BASE, after, count, messages, poll_at, poll_until};
use logs::source::{Batch, Entry, GapReason, Journal, JournalOptions, JournalPosition, Status};

const LINE: &str = r#"{"__CURSOR":"s=a;i=1","MESSAGE":"one"}"#;

/// Returns a program in place of `journalctl`.
fn script(dir: &Path, text: &str) -> PathBuf {
    let path = dir.join("journalctl");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn of_program(program: &Path) -> JournalOptions {
    JournalOptions {
        program: program.as_os_str().to_owned(),
        ..JournalOptions::default()
    }
}

#[test]
fn a_child_that_fails_is_a_state_with_its_cause() {
    let dir = tempfile::tempdir().unwrap();
    for (text, status, cause) in [
        (
            "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1",
            Status::Denied,
            "systemd-journal",
        ),
        (
            "echo 'Failed to open /x: Permission denied' >&2; exit 1",
            Status::Denied,
            "Permission denied",
        ),
        (
            "echo 'No journal files were found.' >&2; exit 1",
            Status::Missing,
            "No journal files",
        ),
        ("exit 3", Status::Failed, "without a message"),
        (
            "echo 'Failed to iterate through journal: Bad message' >&2; exit 1",
            Status::Failed,
            "Bad message",
        ),
        (
            "echo 'Hint: You are currently not seeing messages from other users and the system.' >&2; exec sleep 1000",
            Status::Denied,
            "systemd-journal",
        ),
    ] {
        let mut journal = Journal::new(of_program(&script(dir.path(), text)), None);
        poll_until(&mut journal, |_, journal| {
            journal.state().status != Status::Ok
        });
        assert_eq!(journal.state().status, status, "{text}");
        assert!(
            journal.state().cause.contains(cause),
            "{text}: {}",
            journal.state().cause
        );
    }
    let mut journal = Journal::new(of_program(&dir.path().join("none")), None);
    poll_until(&mut journal, |_, journal| {
        journal.state().status != Status::Ok
    });
    assert_eq!(journal.state().status, Status::Missing);
}

#[test]
fn a_child_that_ends_is_started_again_after_growing_pauses() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("starts");
    let text = format!("echo x >> {}; exit 1", log.display());
    let mut journal = Journal::new(of_program(&script(dir.path(), &text)), None);
    let mut starts = Vec::new();
    for second in 0..70 {
        let before = fs::read(&log).unwrap_or_default().len();
        journal.poll(
            after(second),
            1 << 20,
            Duration::ZERO,
            &mut Batch::default(),
        );
        if journal.state().status == Status::Ok {
            poll_at(&mut journal, after(second), |_, journal| {
                journal.state().status == Status::Failed
            });
        }
        if fs::read(&log).unwrap_or_default().len() > before {
            starts.push(second);
        }
    }
    assert_eq!(starts, [0, 1, 3, 7, 15, 31, 63]);
}

#[test]
fn whatever_a_child_writes_memory_is_bounded_and_entries_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("noise", "echo '-- No entries --'; echo; echo 'x y'"),
        ("long line", "head -c 30000000 /dev/zero | tr '\\0' x; echo"),
        ("flood of words", "head -c 5000000 /dev/zero >&2"),
        ("no JSON", "echo '{\"MESSAGE\":\"cut'"),
    ] {
        let text =
            format!("{text}\necho '{LINE}'\nprintf '{{\"__CURSOR\":\"s=a;i=2\"'\nexec sleep 1000");
        let mut journal = Journal::new(of_program(&script(dir.path(), &text)), None);
        let batch = poll_until(&mut journal, count(1));
        assert_eq!(messages(&batch), ["one"], "{name}");
        let bytes = if name == "long line" {
            Some(30_000_000)
        } else {
            None
        };
        assert_eq!(
            batch
                .gaps
                .first()
                .and_then(|gap| gap.bytes)
                .filter(|&n| n > 99),
            bytes,
            "{name}"
        );
    }
}

#[test]
fn a_child_that_is_let_go_is_gone_with_its_group() {
    let dir = tempfile::tempdir().unwrap();
    let pid_file = dir.path().join("pid");
    let text = format!(
        "sleep 1000 &\necho $! > {}\necho '{LINE}'\nwait",
        pid_file.display()
    );
    let mut journal = Journal::new(of_program(&script(dir.path(), &text)), None);
    poll_until(&mut journal, count(1));
    let pid = fs::read_to_string(&pid_file).unwrap();
    drop(journal);
    let stat = format!("/proc/{}/stat", pid.trim());
    for _ in 0..500 {
        // a zombie until it is reaped
        match fs::read_to_string(&stat) {
            Err(_) => return,
            Ok(text) if text.contains(") Z ") => return,
            Ok(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    panic!("process {pid} lives on");
}

#[test]
fn long_silence_is_looked_into() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("asked");
    let text = format!(
        "echo \"$@\" >> {}\necho '{LINE}'\nexec sleep 1000",
        log.display()
    );
    let mut journal = Journal::new(of_program(&script(dir.path(), &text)), None);
    poll_until(&mut journal, count(1));
    let mut batch = Batch::default();
    for _ in 0..300 {
        journal.poll(after(601), 1 << 20, Duration::from_millis(10), &mut batch);
        std::thread::sleep(Duration::from_millis(10));
        if fs::read_to_string(&log)
            .unwrap()
            .contains("--cursor=s=a;i=1")
        {
            break;
        }
    }
    assert!(
        fs::read_to_string(&log)
            .unwrap()
            .contains("--cursor=s=a;i=1")
    );
    // the same entry again is the proof, and no news
    assert_eq!(batch.entries, Vec::<Entry>::new());
    assert_eq!(batch.gaps, []);
}

/// Numbers count the entries of a machine, whatever journal they lie in.
#[test]
fn missing_numbers_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let saved = |seqnum| JournalPosition {
        cursor: format!("s=a;i={seqnum:x};x=1"),
        seqnum,
        realtime: BASE,
    };
    for (name, seqnum, first, units, gap) in [
        ("the same entry", 3, "s=a;i=3;x=1", &[][..], None),
        ("the one after it", 3, "s=a;i=4;x=2", &[], None),
        (
            "three are missing",
            3,
            "s=a;i=7;x=2",
            &[],
            Some((GapReason::Vacuumed, Some(3))),
        ),
        (
            "some of other units",
            3,
            "s=a;i=7;x=2",
            &["u"],
            Some((GapReason::Vacuumed, None)),
        ),
        (
            "numbers used again",
            3,
            "s=a;i=3;x=2",
            &[],
            Some((GapReason::CursorLost, None)),
        ),
        (
            "another machine",
            3,
            "s=b;i=4;x=2",
            &[],
            Some((GapReason::CursorLost, None)),
        ),
    ] {
        let text = format!(
            "echo '{{\"__CURSOR\":\"{first}\"}}'; echo '{{\"__CURSOR\":\"s=a;i=ff\",\"MESSAGE\":\"new\"}}'; exec sleep 1000"
        );
        let options = JournalOptions {
            units: units.iter().map(|unit| (*unit).to_owned()).collect(),
            ..of_program(&script(dir.path(), &text))
        };
        let mut journal = Journal::new(options, Some(saved(seqnum)));
        let batch = poll_until(&mut journal, |batch, _| {
            batch
                .entries
                .last()
                .is_some_and(|entry| entry.message == "new")
        });
        let found = batch.gaps.first().map(|gap| (gap.reason, gap.lines));
        assert_eq!(found, gap, "{name}");
        assert!(batch.gaps.len() < 2, "{name}");
        assert_eq!(
            batch.entries.len(),
            if name == "the same entry" { 1 } else { 2 },
            "{name}"
        );
    }
}
