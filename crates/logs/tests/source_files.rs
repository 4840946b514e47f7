//! Logs in real files: followed, rotated in every way, and found again after a start.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod followed;

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use followed::{Bench, WHOLE, compress, text};
use logs::source::{Chunk, FileOptions, Files, FirstSight, GapReason, LINE_BYTES, Status};

#[test]
fn whole_lines_are_given_once() {
    let mut bench = Bench::new();
    assert_eq!(bench.poll(), "");
    assert_eq!(bench.files.state().status, Status::Missing);
    bench.append("app.log", "one\ntwo\nthr");
    assert_eq!(bench.poll(), "one\ntwo\n");
    assert_eq!(bench.files.state().status, Status::Ok);
    assert_eq!(bench.files.state().backlog_bytes, 3);
    assert_eq!(bench.poll(), "");
    bench.append("app.log", "ee\nfour\n");
    assert_eq!(bench.poll(), "three\nfour\n");
    bench.restart();
    assert_eq!(bench.poll(), "");
    bench.append("app.log", "five\n");
    assert_eq!(bench.poll(), "five\n");
    assert_eq!(bench.gaps, []);
}

#[test]
fn the_tail_of_a_renamed_file_is_read_before_the_next() {
    let mut bench = Bench::new();
    bench.append("app.log", "1\n");
    assert_eq!(bench.poll(), "1\n");
    bench.append("app.log", "2\n");
    bench.rename("app.log", "app.log.1");
    bench.append("app.log.1", "3\n4");
    bench.append("app.log", "5\n");
    assert_eq!(bench.poll(), "2\n3\n");
    // the program that writes has not opened the new file yet
    bench.append("app.log.1", "\n");
    assert_eq!(bench.polls(4), "4\n5\n");
    assert_eq!(bench.gaps, []);
    assert_eq!(bench.closed, 1);
}

#[test]
fn a_file_that_was_emptied_is_begun_anew() {
    for regrown in ["new\n", "a longer line than all that was there before\n"] {
        let mut bench = Bench::new();
        bench.append("app.log", "one\ntwo\n");
        assert_eq!(bench.poll(), "one\ntwo\n");
        File::create(bench.path("app.log")).unwrap();
        bench.append("app.log", regrown);
        assert_eq!(bench.poll(), regrown);
        assert_eq!(bench.reasons(), [GapReason::Truncated]);
        assert_eq!(bench.closed, 1);
    }
}

#[test]
fn a_position_is_found_again_after_rotations() {
    for gzip in [false, true] {
        let mut bench = Bench::new();
        bench.append("app.log", "1\n");
        assert_eq!(bench.poll(), "1\n");
        bench.append("app.log", "2\n");
        bench.rename("app.log", "app.log.1");
        bench.append("app.log", "3\n");
        bench.rename("app.log.1", "app.log.2");
        bench.rename("app.log", "app.log.1");
        bench.append("app.log", "4\n");
        if gzip {
            compress(&bench.path("app.log.2"), &bench.path("app.log.2.gz"));
        }
        bench.restart();
        assert_eq!(bench.polls(6), "2\n3\n4\n", "gzip: {gzip}");
        assert_eq!(bench.gaps, []);
    }
}

#[test]
fn lines_are_kept_as_they_are() {
    let mut bench = Bench::new();
    // L1: split within a character
    bench.append("app.log", b"\xf0\x9f");
    assert_eq!(bench.poll(), "");
    bench.append("app.log", b"\x98\x80 one\r\n\n\n a\x0bb\xff\xfe\0c\n");
    let chunks = bench.chunks(WHOLE);
    let lines: Vec<&[u8]> = (chunks.iter().flat_map(Chunk::lines))
        .map(|line| line.bytes)
        .collect();
    let expected: [&[u8]; 4] = [
        "\u{1f600} one\r".as_bytes(),
        b"",
        b"",
        b" a\x0bb\xff\xfe\0c",
    ];
    assert_eq!(lines, expected);
    assert_eq!(bench.gaps, []);
}

/// L8
#[test]
fn a_million_empty_lines_are_lines() {
    let mut bench = Bench::new();
    bench.options.first_sight = FirstSight::Beginning;
    bench.restart();
    bench.append("app.log", vec![b'\n'; 2_000_000]);
    bench.append("app.log", "end\n");
    assert_eq!(bench.poll().len(), 2_000_004);
}

/// L5, P12: also when the reader stops in the middle of it.
#[test]
fn a_line_without_end_is_cut() {
    let mut bench = Bench::new();
    assert_eq!(bench.poll(), "");
    bench.append("app.log", "before\n");
    let block = vec![b'x'; 1 << 20];
    for round in 0..40 {
        bench.append("app.log", &block);
        let read = bench.poll();
        assert_eq!(read, if round == 0 { "before\n" } else { "" });
        if round == 20 {
            bench.restart();
        }
    }
    bench.append("app.log", "\nafter\n");
    let chunks = bench.chunks(WHOLE);
    let lines: Vec<_> = chunks.iter().flat_map(Chunk::lines).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].at, 7);
    assert_eq!(lines[0].true_len, 40 << 20);
    assert_eq!(lines[0].bytes, &block[..LINE_BYTES]);
    assert_eq!(lines[1].at, 7 + (40 << 20) + 1);
    assert_eq!(lines[1].bytes, b"after");
    assert_eq!(bench.gaps, []);
    bench.restart();
    bench.append("app.log", "on\n");
    assert_eq!(bench.poll(), "on\n");
}

#[test]
fn a_line_as_long_as_may_be_is_whole() {
    for (len, is_cut) in [
        (LINE_BYTES - 1, false),
        (LINE_BYTES, false),
        (LINE_BYTES + 1, true),
    ] {
        let mut bench = Bench::new();
        bench.append("app.log", "a\n");
        bench.append("app.log", "x".repeat(len) + "\nb\n");
        let chunks = bench.chunks(WHOLE);
        let lines: Vec<_> = chunks.iter().flat_map(Chunk::lines).collect();
        assert_eq!(lines.len(), 3, "{len}");
        assert_eq!(lines[1].true_len, len as u64);
        assert_eq!(lines[1].bytes.len(), len.min(LINE_BYTES));
        assert_eq!(
            chunks.iter().any(|chunk| chunk.cut.is_some()),
            is_cut,
            "{len}"
        );
    }
}

/// Every line start within a chunk is a place from which reading continues exactly.
#[test]
fn every_line_is_a_position() {
    let mut bench = Bench::new();
    let lines: Vec<String> = (0..100)
        .map(|n| format!("{n} {}\n", "y".repeat(n)))
        .collect();
    bench.append("app.log", lines.concat());
    let chunks = bench.chunks(WHOLE);
    for chunk in &chunks {
        for line in chunk.lines() {
            bench.saved = vec![(Arc::clone(&chunk.stream), chunk.position_at(line.at))];
            bench.restart();
            let rest = bench.poll();
            let number = lines.concat()[..line.at as usize].lines().count();
            assert_eq!(rest, lines[number..].concat(), "from line {number}");
        }
    }
}

/// L7
#[test]
fn the_end_without_a_line_break_comes_when_the_file_is_left() {
    let mut bench = Bench::new();
    bench.append("app.log", "one\ntw");
    assert_eq!(bench.polls(2), "one\n");
    bench.rename("app.log", "app.log.1");
    assert_eq!(bench.polls(2), "");
    bench.append("app.log", "three\n");
    assert_eq!(bench.polls(4), "twthree\n");
    assert_eq!(bench.closed, 1);
    bench.restart();
    assert_eq!(bench.polls(4), "");
}

#[test]
fn a_deleted_file_is_closed_and_the_next_one_read() {
    let mut bench = Bench::new();
    bench.append("app.log", "one\ntw");
    assert_eq!(bench.poll(), "one\n");
    fs::remove_file(bench.path("app.log")).unwrap();
    assert_eq!(bench.polls(4), "tw");
    assert_eq!(bench.files.state().status, Status::Missing);
    assert_eq!(bench.files.state().streams, 0);
    bench.append("app.log", "three\n");
    assert_eq!(bench.poll(), "three\n");
    assert_eq!(bench.gaps, []);
}

/// L27: files that begin alike are distinguished by the bytes before the position.
#[test]
fn a_banner_does_not_make_a_file_the_same() {
    let banner = "# banner\n".repeat(500);
    let mut bench = Bench::new();
    bench.append("app.log", format!("{banner}1\n2\n"));
    assert_eq!(bench.poll(), format!("{banner}1\n2\n"));
    bench.append("app.log", "3\n");
    bench.rename("app.log", "app.log.1");
    bench.append("app.log", format!("{banner}4\n5\n6\n"));
    bench.restart();
    assert_eq!(bench.polls(4), format!("3\n{banner}4\n5\n6\n"));
    // emptied and grown again beyond where reading stood
    fs::write(bench.path("app.log"), format!("{banner}7\n8\n9\n10\n")).unwrap();
    assert_eq!(bench.poll(), format!("{banner}7\n8\n9\n10\n"));
}

/// P11
#[test]
fn an_inode_that_is_used_again_is_another_file() {
    let mut bench = Bench::new();
    bench.append("app.log", "one\ntwo\n");
    assert_eq!(bench.poll(), "one\ntwo\n");
    for round in 0..20 {
        // no process holds the file, so that its number is free
        bench.files = Files::new("none", Path::new("/nonexistent"), Vec::new(), bench.options);
        fs::remove_file(bench.path("app.log")).unwrap();
        bench.append("app.log", format!("new {round} and longer than before\n"));
        bench.restart();
        assert_eq!(
            bench.poll(),
            format!("new {round} and longer than before\n")
        );
    }
}

/// L28
#[test]
fn two_rotations_between_polls_are_both_read() {
    let mut bench = Bench::new();
    bench.append("app.log", "1\n");
    assert_eq!(bench.poll(), "1\n");
    bench.append("app.log", "2\n");
    bench.rename("app.log", "app.log.1");
    bench.append("app.log", "3\n");
    compress(&bench.path("app.log.1"), &bench.path("app.log.1.gz"));
    bench.rename("app.log.1.gz", "app.log.2.gz");
    bench.rename("app.log", "app.log.1");
    bench.append("app.log", "4\n");
    assert_eq!(bench.polls(5), "2\n3\n4\n");
    assert_eq!(bench.gaps, []);
}

#[test]
fn a_large_log_begins_where_it_is_recent() {
    let lines: String = (0..40_000).map(|n| format!("line {n:040}\n")).collect();
    for (first_sight, first) in [
        (FirstSight::Beginning, Some("line")),
        (FirstSight::Recent, Some("line")),
        (FirstSight::End, None),
    ] {
        let mut bench = Bench::new();
        bench.append("app.log", &lines);
        bench.options = FileOptions {
            first_sight,
            first_bytes: 46 * 100 + 45,
        };
        bench.restart();
        let read = bench.poll();
        assert_eq!(read.lines().next().map(|line| &line[..4]), first);
        let count = match first_sight {
            FirstSight::Beginning => 40_000,
            FirstSight::Recent => 100,
            FirstSight::End => 0,
        };
        assert_eq!(read.lines().count(), count, "{first_sight:?}");
        bench.append("app.log", "on\n");
        assert_eq!(bench.poll(), "on\n");
        if first_sight == FirstSight::Beginning {
            assert_eq!(bench.gaps, []);
        } else {
            assert_eq!(bench.reasons(), [GapReason::FirstSight]);
            assert_eq!(bench.gaps[0].bytes, Some((40_000 - count as u64) * 46));
        }
    }
}

#[test]
fn a_log_that_appears_is_read_from_its_beginning() {
    let mut bench = Bench::new();
    bench.options.first_bytes = 10;
    bench.restart();
    assert_eq!(bench.poll(), "");
    let lines = "a line that is not short\n".repeat(10);
    bench.append("app.log", &lines);
    assert_eq!(bench.poll(), lines);
}

#[test]
fn a_pattern_gives_a_stream_for_each_log() {
    let mut bench = Bench::of("*.log*");
    assert_eq!(bench.poll(), "");
    assert_eq!(bench.files.state().status, Status::Missing);
    bench.append("a.log", "a1\n");
    bench.append("b.log", "b1\n");
    for old in [
        "a.log.1",
        "a.log.2.gz",
        "a-20260101.log",
        "c.log.3",
        ".hidden.log",
    ] {
        bench.append(old, "old\n");
    }
    let count = |bench: &Bench| bench.files.streams().count();
    assert_eq!(bench.poll(), "a1\nb1\n");
    assert_eq!(count(&bench), 2);
    // one rotates, one appears
    bench.append("a.log", "a2\n");
    bench.rename("a.log", "a.log.0");
    bench.append("a.log", "a3\n");
    bench.append("d.log", "d1\n");
    let mut read: Vec<String> = bench.polls(4).lines().map(str::to_owned).collect();
    read.sort();
    assert_eq!(read, ["a2", "a3", "d1"]);
    assert_eq!(count(&bench), 3);
    bench.restart();
    assert_eq!(bench.polls(4), "");
    assert_eq!(count(&bench), 3);
    // one goes for ever
    fs::remove_file(bench.path("b.log")).unwrap();
    bench.polls(6);
    assert_eq!(count(&bench), 2);
    assert_eq!(bench.files.state().status, Status::Ok);
    assert_eq!(bench.gaps, []);
}

/// Logs that are born with a date are streams of their own.
#[test]
fn dated_logs_without_a_name_of_their_own_are_streams() {
    let mut bench = Bench::of("app.2026-*");
    bench.append("app.2026-11-21", "one\n");
    bench.append("app.2026-11-22", "two\n");
    assert_eq!(bench.poll(), "one\ntwo\n");
    bench.append("app.2026-11-23", "three\n");
    assert_eq!(bench.poll(), "three\n");
    assert_eq!(bench.files.streams().count(), 3);
}

/// L30
#[test]
fn streams_take_turns() {
    let mut bench = Bench::of("*.log");
    bench.options.first_sight = FirstSight::Beginning;
    bench.restart();
    bench.append("a.log", "aaaaaaa\n".repeat(500_000));
    bench.append("b.log", "b\n");
    bench.append("c.log", "c\n");
    let first = text(&bench.chunks(300_000));
    assert!(first.contains("b\n") && first.contains("c\n"));
    assert!(first.len() < 600_000);
    let backlog = bench.files.state().backlog_bytes;
    assert_eq!(backlog, 4_000_004 - first.len() as u64);
    for budget in [1, 1, 1] {
        let read = bench
            .chunks(budget)
            .iter()
            .map(|chunk| chunk.bytes.len())
            .sum::<usize>();
        assert!((1..=64 << 10).contains(&read), "{read}");
    }
    bench.poll();
    assert_eq!(bench.files.state().backlog_bytes, 0);
}
