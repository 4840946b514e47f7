//! What is around lines: runtimes of containers, encodings.

use super::super::testing::{NOW, events, events_in, instant, summary, zone};
use super::*;

fn all(parser: &str, text: &str) -> Vec<String> {
    events(parser, text).iter().map(summary).collect()
}

#[test]
fn lines_of_containers_are_those_of_their_programs() {
    let cases = [
        (
            "syslog",
            "2026-11-23T00:10:49.123456789Z stderr F 2026-11-23 00:10:49 ERROR cannot bind\n",
            vec![r#"2026-11-23T00:10:49Z error : cannot bind {"stream":"stderr"}"#],
        ),
        (
            "syslog",
            "{\"log\":\"2026-11-23 00:10:49 ERROR cannot bind\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-23T00:10:49.123456789Z\"}\n",
            vec![r#"2026-11-23T00:10:49.123456Z error : cannot bind {"stream":"stderr"}"#],
        ),
        // The program's clock is in another zone, or states none.
        (
            "syslog",
            "2026-11-23T00:10:49.5+01:00 stdout F 2026-11-23 00:10:49 WARN low\n2026-11-22T23:10:50Z stdout F done\n",
            vec![
                r#"2026-11-22T23:10:49.5Z warn : low {"stream":"stdout"}"#,
                r#"2026-11-22T23:10:50Z info : done {"stream":"stdout"}"#,
            ],
        ),
        // Pieces.
        (
            "syslog",
            "2026-11-23T00:10:49Z stdout P {\"level\":\"error\",\n2026-11-23T00:10:49.1Z stdout P \"msg\":\n2026-11-23T00:10:49.2Z stdout F \"no\"}\n2026-11-23T00:10:50Z stdout F up\n",
            vec![
                r#"2026-11-23T00:10:49Z error : no {"stream":"stdout"}"#,
                r#"2026-11-23T00:10:50Z info : up {"stream":"stdout"}"#,
            ],
        ),
        (
            "simple_timestamp",
            "{\"log\":\"level=error \",\"stream\":\"stdout\",\"time\":\"2026-11-23T00:10:49Z\"}\n{\"log\":\"msg=no\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-23T00:10:49.1Z\",\"attrs\":{\"a\":\"b\"}}\n",
            vec![r#"2026-11-23T00:10:49Z error : no {"stream":"stdout"}"#],
        ),
        // A piece that nothing follows, and one of the other stream.
        (
            "syslog",
            "2026-11-23T00:10:49Z stdout P half\n2026-11-23T00:10:50Z stderr P other\n",
            vec![
                r#"2026-11-23T00:10:49Z info : half {"stream":"stdout"}"#,
                r#"2026-11-23T00:10:50Z info : other {"stream":"stderr"}"#,
            ],
        ),
        // A trace, blank lines.
        (
            "syslog",
            "2026-11-23T00:10:49Z stderr F ERROR: failed\n2026-11-23T00:10:49Z stderr F Traceback (most recent call last):\n2026-11-23T00:10:49Z stderr F   File \"x\"\n2026-11-23T00:10:49Z stderr F ValueError: no\n2026-11-23T00:10:49Z stderr F \n2026-11-23T00:10:50Z stderr F up\n",
            vec![
                r#"2026-11-23T00:10:49Z error : failed {"stream":"stderr","lines":"Traceback (most recent call last):\n  File \"x\"\nValueError: no"}"#,
                r#"2026-11-23T00:10:50Z info : up {"stream":"stderr"}"#,
            ],
        ),
        // With the parser of the program.
        (
            "access",
            "2026-11-23T00:10:49.5Z stdout F 192.0.2.1 - - [23/Nov/2026:00:10:49 +0000] \"GET /a HTTP/1.1\" 200 1\n",
            vec![
                r#"2026-11-23T00:10:49Z info : "GET /a HTTP/1.1" 200 {"client":"192.0.2.1","status":200,"bytes":1,"stream":"stdout"}"#,
            ],
        ),
        // What only looks like it.
        (
            "syslog",
            "2026-11-23T00:10:49Z stderr app: no\n",
            vec![r#"2026-11-23T00:10:49Z info app: no {"host":"stderr"}"#],
        ),
    ];
    for (parser, text, expected) in cases {
        assert_eq!(all(parser, text), expected, "{text}");
    }
}

/// Lines as a source gives them: cut at every byte 0A, at their offsets.
fn read(bytes: &[u8], from: usize) -> (Vec<String>, Counts) {
    let mut reader = Reader::new(
        ParserKind::parse("syslog").unwrap(),
        ParserOptions::default(),
    );
    let (mut out, mut at) = (Vec::new(), 0_u64);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        if at >= from as u64 {
            reader.line(at, text, text.len() as u64, instant(NOW), &mut out);
            let open = reader.open_at().unwrap_or(at + 1);
            assert!(out.iter().all(|event| event.at < open));
        }
        at += line.len() as u64;
    }
    reader.flush(&mut out);
    assert_eq!(reader.open_at(), None);
    assert!(out.is_sorted_by_key(|event| event.at));
    (out.iter().map(summary).collect(), reader.counts())
}

#[test]
fn a_file_may_be_of_utf16() {
    let text = "2026-11-23 00:10:49 ERROR \u{4e0a}\u{6d77} caf\u{e9}\r\n\r\n2026-11-23 00:10:50 ok \u{0a15}\n2026-11-23 00:10:51 last";
    let expected = [
        "2026-11-23T00:10:49Z error : \u{4e0a}\u{6d77} caf\u{e9}",
        "2026-11-23T00:10:50Z info : ok \u{0a15}",
        "2026-11-23T00:10:51Z info : last",
    ];
    for mark in ["\u{feff}", ""] {
        let text = format!("{mark}{text}");
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [le, be, text.clone().into_bytes()] {
            let (summary, counts) = read(&bytes, 0);
            assert_eq!(summary, expected, "{bytes:?}");
            assert_eq!(counts.lines, counts.blank + counts.joined + counts.begun);
        }
        // Reading continues in the middle of the file.
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let second = 2 * text.encode_utf16().take_while(|unit| *unit != 10).count() + 2;
        assert_eq!(read(&le, second).0, expected[1..]);
    }
}

#[test]
fn a_mark_of_utf8_is_not_part_of_the_first_line() {
    assert_eq!(
        all(
            "simple_timestamp",
            "\u{feff}2026-11-23 00:10:49 [ERROR] no\n"
        ),
        ["2026-11-23T00:10:49Z error : no"]
    );
    assert_eq!(
        all(
            "caddy",
            "\u{feff}{\"level\":\"error\",\"ts\":1795392649,\"msg\":\"no\"}\n"
        ),
        ["2026-11-23T00:10:49Z error : no"]
    );
}

#[test]
fn local_time_within_a_container_is_not_that_of_the_host() {
    let line = "2026-11-23T00:10:49Z stdout F 2026-11-23 00:10:49 ERROR no";
    let events = events_in("syslog", zone("Asia/Tokyo"), line);
    assert!(summary(&events[0]).starts_with("2026-11-23T00:10:49Z error"));
}
