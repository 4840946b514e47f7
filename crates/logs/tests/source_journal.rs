//! The journal through the real `journalctl`, on journals made by `systemd-journal-remote`. Tests say
//! so and pass where these are not installed (`./test` installs them).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod journal;

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use journal::{BASE, after, count, messages, poll_until};
use logs::source::{
    Batch, FirstSight, GapReason, Journal, JournalOptions, JournalPosition, Status,
};
use schema::Timestamp;

const REMOTE: &str = "/lib/systemd/systemd-journal-remote";
const BOOT: &str = "b88b342dc1ec4fd78fe4f47996ed3276";

/// A journal in its own directory.
struct Journals {
    dir: tempfile::TempDir,
}

/// One entry in the export format: number, unit, fields.
fn export(number: i64, unit: &str, fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut text = format!(
        "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={}\n_BOOT_ID={BOOT}\n_SYSTEMD_UNIT={unit}\n",
        BASE + number * 1_000_000,
        number * 1_000_000,
    )
    .into_bytes();
    for (name, value) in fields {
        text.extend_from_slice(name.as_bytes());
        if value.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            text.push(b'=');
        } else {
            text.push(b'\n');
            text.extend_from_slice(&(value.len() as u64).to_le_bytes());
        }
        text.extend_from_slice(value);
        text.push(b'\n');
    }
    text.push(b'\n');
    text
}

/// Entries `m1`, `m2`, … of two units by turns.
fn numbered(numbers: std::ops::RangeInclusive<i64>) -> Vec<u8> {
    numbers
        .flat_map(|n| {
            let unit = if n % 2 == 1 { "a.service" } else { "b.service" };
            export(
                n,
                unit,
                &[("MESSAGE", format!("m{n}").as_bytes()), ("PRIORITY", b"6")],
            )
        })
        .collect()
}

impl Journals {
    /// `None`, with a message, where the programs are missing.
    fn new() -> Option<Self> {
        let is_there = |program: &str| Command::new(program).arg("--version").output().is_ok();
        if !is_there("journalctl") || !is_there(REMOTE) {
            eprintln!("skipped: journalctl and systemd-journal-remote are not installed");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        Some(Self { dir })
    }

    /// Writes entries to the file `name`, or to the end of it.
    fn write(&self, name: &str, entries: &[u8]) {
        let mut child = Command::new(REMOTE)
            .arg("--output")
            .arg(self.dir.path().join(name))
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(entries).unwrap();
        assert!(child.wait().unwrap().success());
    }

    fn options(&self) -> JournalOptions {
        let mut directory = OsString::from("--directory=");
        directory.push(self.dir.path());
        JournalOptions {
            arguments: vec![directory],
            ..JournalOptions::default()
        }
    }

    fn open(&self, saved: Option<JournalPosition>) -> Journal {
        Journal::new(self.options(), saved)
    }
}

fn names(numbers: std::ops::RangeInclusive<i64>) -> Vec<String> {
    numbers.map(|n| format!("m{n}")).collect()
}

#[test]
fn entries_are_read_once_and_followed() {
    let Some(journals) = Journals::new() else {
        return;
    };
    journals.write("one.journal", &numbered(1..=20));
    let mut journal = journals.open(None);
    let batch = poll_until(&mut journal, count(20));
    assert_eq!(messages(&batch), names(1..=20));
    assert_eq!(batch.entries[18].unit, "a.service");
    assert_eq!(batch.entries[18].seqnum, 19);
    assert_eq!(batch.entries[18].ts, Some(Timestamp(BASE + 19_000_000)));
    assert_eq!(journal.state().status, Status::Ok);

    journals.write("one.journal", &numbered(21..=22));
    let batch = poll_until(&mut journal, count(2));
    assert_eq!(messages(&batch), names(21..=22));
    assert_eq!(batch.gaps, []);
}

#[test]
fn reading_goes_on_behind_the_stored_entry() {
    let Some(journals) = Journals::new() else {
        return;
    };
    journals.write("one.journal", &numbered(1..=20));
    let all = poll_until(&mut journals.open(None), count(20));
    for stored in [1, 7, 19] {
        let saved = serde_json::to_string(&all.entries[stored - 1].position()).unwrap();
        let mut journal = journals.open(Some(serde_json::from_str(&saved).unwrap()));
        let batch = poll_until(&mut journal, count(20 - stored));
        assert_eq!(
            messages(&batch),
            names(stored as i64 + 1..=20),
            "from {stored}"
        );
        assert_eq!(batch.gaps, [], "from {stored}");
    }
}

#[test]
fn units_can_be_chosen_whoever_wrote_the_stored_entry() {
    let Some(journals) = Journals::new() else {
        return;
    };
    journals.write("one.journal", &numbered(1..=8));
    let all = poll_until(&mut journals.open(None), count(8));
    let options = JournalOptions {
        units: vec!["b.service".to_owned()],
        ..journals.options()
    };
    let mut journal = Journal::new(options, Some(all.entries[2].position()));
    let batch = poll_until(&mut journal, count(3));
    assert_eq!(messages(&batch), ["m4", "m6", "m8"]);
}

#[test]
fn what_was_vacuumed_is_a_gap() {
    let Some(journals) = Journals::new() else {
        return;
    };
    journals.write("one.journal", &numbered(1..=20));
    let all = poll_until(&mut journals.open(None), count(20));
    fs::remove_file(journals.dir.path().join("one.journal")).unwrap();
    journals.write("two.journal", &numbered(9..=20));
    let mut journal = journals.open(Some(all.entries[5].position()));
    let batch = poll_until(&mut journal, count(12));
    assert_eq!(messages(&batch), names(9..=20));
    // the other file counts anew, so the number is unknown
    assert_eq!(batch.gaps.len(), 1);
    let gap = &batch.gaps[0];
    assert_eq!(gap.reason, GapReason::CursorLost);
    assert_eq!(gap.from, Some(Timestamp(BASE + 6_000_000)));
    assert_eq!(gap.to, Some(Timestamp(BASE + 9_000_000)));
}

#[test]
fn a_place_that_is_unknown_is_found_by_its_time() {
    let Some(journals) = Journals::new() else {
        return;
    };
    journals.write("one.journal", &numbered(1..=20));
    let all = poll_until(&mut journals.open(None), count(20));
    let good = &all.entries[11];
    let beyond = good.cursor.replace("i=c;", "i=fff;");
    for (name, cursor) in [
        ("beyond the end", beyond.as_str()),
        ("garbage", "garbage"),
        ("empty", ""),
    ] {
        let position = JournalPosition {
            cursor: cursor.to_owned(),
            ..good.position()
        };
        let mut journal = journals.open(Some(position));
        let mut batch = Batch::default();
        for second in 0.. {
            journal.poll(
                after(second),
                8 << 20,
                Duration::from_millis(50),
                &mut batch,
            );
            if batch.entries.len() >= 8 {
                break;
            }
            assert!(second < 3000, "{name}: {:?}", journal.state());
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(messages(&batch), names(13..=20), "{name}");
    }
}

#[test]
fn a_place_of_a_wrong_clock_is_left() {
    let Some(journals) = Journals::new() else {
        return;
    };
    journals.write("one.journal", &numbered(1..=20));
    let position = JournalPosition {
        cursor: format!("s=0f;i=ffff;b={BOOT};m=1;t=ffffffffffffff;x=1"),
        seqnum: 0xffff,
        realtime: 0xff_ffff_ffff_ffff,
    };
    let mut journal = journals.open(Some(position));
    let mut batch = Batch::default();
    for second in 0..3000 {
        journal.poll(
            after(second),
            8 << 20,
            Duration::from_millis(50),
            &mut batch,
        );
        if batch.entries.len() >= 20 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(messages(&batch), names(1..=20));
    assert_eq!(batch.gaps.len(), 1);
    assert_eq!(batch.gaps[0].reason, GapReason::CursorLost);
}

#[test]
fn fields_come_in_every_form() {
    let Some(journals) = Journals::new() else {
        return;
    };
    let long = "x".repeat(5000);
    type Fields<'a> = &'a [(&'a str, &'a [u8])];
    let cases: [(Fields<'_>, &str); 10] = [
        (&[("MESSAGE", long.as_bytes())], &long),
        (
            &[("MESSAGE", b"bad\xff\xfeutf8")],
            "bad\u{fffd}\u{fffd}utf8",
        ),
        (&[("MESSAGE", b"nul\0inside")], "nul\0inside"),
        (&[("MESSAGE", b"\x1b[31mred\x1b[0m")], "\x1b[31mred\x1b[0m"),
        (
            &[("MESSAGE", b"two"), ("MESSAGE", b"values")],
            "two\u{2424}values",
        ),
        (&[("PRIORITY", b"6")], ""),
        (&[("MESSAGE", b"")], ""),
        (&[("MESSAGE", b"multi\nline")], "multi\nline"),
        (
            &[("MESSAGE", "snow\u{2603} \u{2028} </script>".as_bytes())],
            "snow\u{2603} \u{2028} </script>",
        ),
        (&[("MESSAGE", b"prio"), ("PRIORITY", b"banana")], "prio"),
    ];
    let entries: Vec<u8> = (1..)
        .zip(&cases)
        .flat_map(|(n, (fields, _))| export(n, "a.service", fields))
        .collect();
    journals.write("one.journal", &entries);
    let batch = poll_until(&mut journals.open(None), count(cases.len()));
    for (entry, (_, message)) in batch.entries.iter().zip(&cases) {
        // a field set twice comes in no order
        let sorted = |text: &str| {
            let mut parts: Vec<String> = text.split('\u{2424}').map(str::to_owned).collect();
            parts.sort();
            parts
        };
        assert_eq!(sorted(&entry.message), sorted(message));
        assert!(!entry.is_withheld);
    }
    assert_eq!(batch.entries[9].priority, None);
    assert_eq!(batch.gaps, []);
}

#[test]
fn the_first_look_is_at_what_is_recent() {
    let Some(journals) = Journals::new() else {
        return;
    };
    journals.write("one.journal", &numbered(1..=20));
    for (first_sight, first) in [
        (FirstSight::Beginning, 1),
        (FirstSight::Recent, 16),
        (FirstSight::End, 21),
    ] {
        let options = JournalOptions {
            first_sight,
            first_entries: 5,
            ..journals.options()
        };
        let mut journal = Journal::new(options, None);
        let mut batch = poll_until(&mut journal, |batch, _| {
            batch.entries.len() as i64 >= 21 - first
        });
        // without an entry to wait for, the child has to have looked before the next is written
        if first_sight == FirstSight::End {
            std::thread::sleep(Duration::from_millis(500));
            journals.write("one.journal", &numbered(21..=21));
            batch = poll_until(&mut journal, count(1));
            assert_eq!(messages(&batch), ["m21"]);
        } else {
            assert_eq!(messages(&batch), names(first..=20));
        }
    }
}
