//! Lines of real programs and the events that they become: `fixtures/logs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use logs::event::{Event, Level};
use logs::parse::{PARSERS, ParserKind, ParserOptions, Reader};
use logs::source::Entry;
use proptest::prelude::*;
use schema::Timestamp;
use serde_json::{Value, json};

/// What is in the fixtures wherever a secret may.
const SECRET: &str = "S3cretValue";

/// Returns when the lines of the fixtures are read.
fn now() -> Timestamp {
    let now: jiff::Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    Timestamp(now.as_microsecond())
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/logs")
}

/// Returns every file of lines, with the parser that reads it: the name of its directory.
fn files() -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    for parser in fs::read_dir(fixtures()).unwrap().map(Result::unwrap) {
        if !parser.file_type().unwrap().is_dir() {
            continue;
        }
        for file in fs::read_dir(parser.path()).unwrap().map(Result::unwrap) {
            if file.path().extension().is_some_and(|end| end == "log") {
                files.push((parser.file_name().into_string().unwrap(), file.path()));
            }
        }
    }
    files.sort();
    files
}

/// Reads a file as its parser does, line by line; of the journal, each is what `journalctl` printed.
fn events(parser: &str, bytes: &[u8]) -> Vec<Event> {
    let mut reader = Reader::new(ParserKind::parse(parser).unwrap(), ParserOptions::default());
    let (mut out, mut at) = (Vec::new(), 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        if parser == "journalctl" {
            reader.entry(&Entry::parse(text).unwrap(), now(), &mut out);
        } else {
            reader.line(at, text, text.len() as u64, now(), &mut out);
        }
        at += line.len() as u64;
    }
    reader.flush(&mut out);
    let counts = reader.counts();
    assert_eq!(counts.begun, out.len() as u64, "{parser}");
    assert_eq!(
        counts.lines,
        counts.begun + counts.joined + counts.blank,
        "{parser}"
    );
    out
}

fn described(event: &Event) -> Value {
    let ts = jiff::Timestamp::from_microsecond(event.ts.as_micros()).unwrap();
    let mut described = json!({
        "at": event.at,
        "ts": ts.to_string(),
        "level": event.level.as_str(),
        "component": event.component,
        "message": event.message,
    });
    if let Some(context) = &event.context {
        described["context"] = serde_json::from_str(context).unwrap();
    }
    if let Some(chars) = event.chars {
        described["chars"] = chars.into();
    }
    if let Some(pid) = event.pid {
        described["pid"] = pid.into();
    }
    if !event.unit.is_empty() {
        described["unit"] = event.unit.as_str().into();
    }
    if let Some(access) = &event.access {
        described["access"] = json!({
            "method": access.method,
            "path": access.path,
            "status": access.status,
            "duration_ms": access.duration_ms,
            "bytes": access.bytes,
        });
    }
    described
}

/// `RENEW=1 cargo nextest run -p pqcrypta-logs -E 'test(fixtures_become)'` writes what is read now;
/// the difference is then for a person to judge.
#[test]
fn fixtures_become_the_events_beside_them() {
    let renew = std::env::var_os("RENEW").is_some();
    for (parser, path) in files() {
        let described: Vec<Value> = events(&parser, &fs::read(&path).unwrap())
            .iter()
            .map(described)
            .collect();
        let lines: Vec<String> = described.iter().map(Value::to_string).collect();
        let found = format!("[\n{}\n]\n", lines.join(",\n"));
        let expected_path = path.with_extension("events.json");
        if renew {
            fs::write(&expected_path, &found).unwrap();
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        for (found, expected) in found.lines().zip(expected.lines()) {
            assert_eq!(found, expected, "{}", path.display());
        }
        assert_eq!(found.len(), expected.len(), "{}", path.display());
    }
}

#[test]
fn no_secret_of_the_fixtures_comes_through() {
    for (parser, path) in files() {
        for event in events(&parser, &fs::read(&path).unwrap()) {
            assert!(
                !format!("{event:?}").contains(SECRET),
                "{}: {event:?}",
                path.display()
            );
        }
    }
}

#[test]
fn every_parser_has_two_fixtures_and_reads_them() {
    for parser in PARSERS {
        let of_parser: Vec<_> = files()
            .into_iter()
            .filter(|(name, _)| name == parser.name)
            .collect();
        let least = if parser.name == "journalctl" { 1 } else { 2 };
        assert!(of_parser.len() >= least, "{}: {of_parser:?}", parser.name);
        for (name, path) in of_parser {
            let events = events(&name, &fs::read(&path).unwrap());
            let inferred = |event: &&Event| {
                event
                    .context
                    .as_deref()
                    .is_some_and(|context| context.contains("ts_inferred"))
            };
            let strange = events.iter().filter(inferred).count();
            assert!(
                strange * 4 <= events.len(),
                "{}: {strange} without a head",
                path.display()
            );
        }
    }
}

/// The three formats of PostgreSQL hold the same events.
#[test]
fn formats_of_postgresql_agree() {
    let read = |name: &str| {
        let path = fixtures().join("postgresql").join(name);
        let of_error = |event: &Event| {
            (event.level >= Level::Warn).then(|| {
                let context: Value =
                    serde_json::from_str(event.context.as_deref().unwrap()).unwrap();
                // In records the place of an error in the statement has its own field.
                let message = event
                    .message
                    .split(" at character ")
                    .next()
                    .unwrap()
                    .to_owned();
                (
                    event.ts,
                    event.level,
                    message,
                    context["statement"].clone(),
                    context["detail"].clone(),
                )
            })
        };
        events("postgresql", &fs::read(path).unwrap())
            .iter()
            .filter_map(of_error)
            .collect::<Vec<_>>()
    };
    for version in ["15", "18"] {
        let text = read(&format!("stderr-{version}.log"));
        let csv = read(&format!("csvlog-{version}.log"));
        let json = read(&format!("jsonlog-{version}.log"));
        assert!(csv.len() >= 10, "{version}");
        assert_eq!(csv, json, "{version}");
        assert_eq!(text[..csv.len()], csv, "{version}");
    }
}

/// Returns what may be in a line, for lines that no program writes.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: &[&str] = &[
        "2026-11-23 00:10:49.123 UTC",
        "2026-11-23T00:10:49Z",
        "Nov 23 00:10:49",
        "Feb 29 24:00:00",
        "[23/Nov/2026:00:10:49 +0000] \"GET / HTTP/1.1\" 200 1",
        "[Mon Nov 23 00:10:49.1 2026]",
        "9999-12-31 23:59:60",
        "<13>1 ",
        " [7] a@b ",
        "ERROR:  ",
        "DETAIL:  Key (a)=(",
        "STATEMENT:  ",
        ",\"",
        "\"\"",
        "{\"error_severity\":\"ERROR\",\"message\":\"",
        "{\"level\":\"info\",\"msg\":\"",
        "\"}",
        "Traceback (most recent call last):",
        "goroutine 1 [running]:",
        "2026-11-23T00:10:49.1Z stderr P ",
        "2026-11-23T00:10:49.1Z stdout F ",
        "{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"2026-11-23T00:10:49Z\"}",
        "{\"log\":\"",
        "E1123 00:10:49.000000 1 a.go:1] ",
        "E, [2026-11-23T00:10:49.1 #1] ERROR -- : ",
        "1:M 23 Nov 2026 00:10:49.123 # ",
        "[23-Nov-2026 00:10:49 Europe/Berlin] PHP Fatal error:  ",
        "Nov 23, 2026 6:42:01 PM a.B c",
        "=ERROR REPORT==== 23-Nov-2026::00:10:49 ===",
        "FastCGI sent in stderr: \"",
        "\" while reading",
        "level=error msg=",
        "time=2026-11-23T00:10:49Z ",
        "daemon.err: ",
        "<daemon.err> ",
        "[   12.345678] ",
        "kernel: ",
        "[ERROR] ",
        "error: ",
        " - ",
        "\u{feff}",
        "@400000006b03849307270e00 ",
        "1795392649.123 ",
        "2\x000\x002\x006\x00-\x00",
        "\t",
        " ",
        "host sshd[1]: ",
        ":INFO:a:",
        "fail2ban.actions [1]: NOTICE  [x] Ban 192.0.2.1",
        "\u{1b}[31m",
        "\0",
        "\u{20ac}",
        "[",
        "]",
        "'",
    ];
    let word = prop::sample::select(WORDS).prop_map(|word| word.as_bytes().to_vec());
    let noise = prop::collection::vec(
        any::<u8>().prop_filter("one line", |byte| *byte != b'\n'),
        0..12,
    );
    prop::collection::vec(prop_oneof![4 => word, 1 => noise], 0..8).prop_map(|parts| parts.concat())
}

fn check(events: &[Event], lines: usize) {
    assert!(events.len() <= lines);
    assert!(events.is_sorted_by_key(|event| event.at), "out of order");
    for event in events {
        let length = event.message.chars().count();
        assert!(
            length <= 4096 && event.chars.is_none_or(|chars| chars > 4096),
            "{event:?}"
        );
        let texts = [
            &event.message,
            &event.component,
            event.context.as_ref().unwrap_or(&event.unit),
        ];
        assert!(
            texts.iter().all(|text| !text.contains(['\0', '\u{1b}'])),
            "{event:?}"
        );
        if let Some(context) = &event.context {
            let read: Value = serde_json::from_str(context).expect("a JSON object");
            assert!(read.is_object() && context.len() < 512 * 1024, "{event:?}");
        }
        let years = (event.ts.as_micros() - now().as_micros()).abs() / 31_557_600_000_000;
        assert!(years <= 10, "{event:?}");
    }
}

proptest! {
    #[test]
    fn any_lines_are_taken_by_every_parser(lines in prop::collection::vec(pieces(), 0..20)) {
        for parser in PARSERS {
            let kind = ParserKind::parse(parser.name).unwrap();
            let mut reader = Reader::new(kind, ParserOptions::default());
            let mut out = Vec::new();
            for (at, line) in (0..).zip(&lines) {
                reader.line(at, line, line.len() as u64, now(), &mut out);
                // What is out lies before the position, what is not lies after it.
                let open = reader.open_at().unwrap_or(at + 1);
                prop_assert!(out.iter().all(|event| event.at < open), "{}", parser.name);
            }
            reader.flush(&mut out);
            let counts = reader.counts();
            prop_assert_eq!(reader.open_at(), None);
            prop_assert_eq!(counts.lines, lines.len() as u64);
            prop_assert_eq!(counts.lines, counts.blank + counts.joined + counts.begun);
            prop_assert_eq!(counts.begun, out.len() as u64);
            check(&out, lines.len());
        }
    }

    #[test]
    fn any_entries_are_taken(
        entries in prop::collection::vec((0..3_u32, 0..400_i64, pieces()), 0..40),
    ) {
        let mut reader = Reader::new(ParserKind::JOURNAL, ParserOptions::default());
        let (mut out, mut ts) = (Vec::new(), now().as_micros());
        for (at, (unit, millis, message)) in (1..).zip(&entries) {
            ts += millis * 1000;
            let entry = Entry {
                seqnum: at,
                ts: Some(Timestamp(ts)),
                unit: format!("{unit}.service"),
                pid: Some(*unit),
                message: String::from_utf8_lossy(message).into_owned(),
                ..Entry::default()
            };
            reader.entry(&entry, now(), &mut out);
            let open = reader.open_at().unwrap_or(at + 1);
            prop_assert!(out.iter().all(|event| event.at < open));
        }
        reader.flush(&mut out);
        prop_assert_eq!(reader.counts().begun, out.len() as u64);
        check(&out, entries.len());
    }

    #[test]
    fn any_prefix_of_postgresql_is_taken(setting in "(%-?[0-9]{0,3}[a-zA-Z%]|[ :@\\[\\]=,-]|[a-z]{1,4}){0,12}", line in pieces()) {
        let kind = ParserKind::parse("postgresql").unwrap();
        let options = ParserOptions { log_line_prefix: Some(setting), ..ParserOptions::default() };
        let mut reader = Reader::new(kind, options);
        let mut out = Vec::new();
        reader.line(0, &line, line.len() as u64, now(), &mut out);
        reader.flush(&mut out);
        check(&out, 1);
    }
}

/// A statement of five megabytes is cut, counted and without its constants.
#[test]
fn a_huge_statement_is_cut_and_counted() {
    let mut text = String::from(
        "2026-11-23 00:10:49.1 UTC [7] a@b ERROR:  no\n2026-11-23 00:10:49.1 UTC [7] a@b STATEMENT:  select 1\n",
    );
    for _ in 0..40_000 {
        text.push_str(&format!(
            "\tunion select '{SECRET}', {}\n",
            "x, ".repeat(33)
        ));
    }
    assert!(text.len() > 5_000_000);
    let found = events("postgresql", text.as_bytes());
    assert_eq!(found.len(), 1);
    let context = found[0].context.as_deref().unwrap();
    assert!(
        context.len() < 70 * 1024 && !context.contains(SECRET),
        "{}",
        context.len()
    );
    let read: Value = serde_json::from_str(context).unwrap();
    assert!(
        read["lines_cut"].as_u64().unwrap() > 39_000,
        "{}",
        read["lines_cut"]
    );
}

/// A trace without end is stored whole, in events that continue.
#[test]
fn a_long_trace_goes_on_in_further_events() {
    let mut text = String::from("2026-11-23 00:10:49,123:ERROR:a.b:failed\n");
    for line in 0..2500 {
        text.push_str(&format!("line {line} of the answer\n"));
    }
    let found = events("certbot", text.as_bytes());
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|event| event.ts == found[0].ts));
    let stored: String = found
        .iter()
        .map(|event| {
            let context: Value = serde_json::from_str(event.context.as_deref().unwrap()).unwrap();
            format!(
                "{}\n{}\n",
                event.message,
                context["lines"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(stored.lines().count(), 2501);
    assert!((0..2500).all(|line| stored.contains(&format!("line {line} of"))));
}

/// Truncation by the source and invalid text are reported.
#[test]
fn doubtful_lines_say_so() {
    let kind = ParserKind::parse("syslog").unwrap();
    let mut reader = Reader::new(kind, ParserOptions::default());
    let mut out = Vec::new();
    let long = format!("Nov 23 00:10:49 h a: {}", "ä".repeat(5000));
    reader.line(0, long.as_bytes(), 1_000_000, now(), &mut out);
    reader.line(1, b"Nov 23 00:10:49 h a: \xff \0", 1, now(), &mut out);
    reader.line(
        2,
        b"Nov 23 00:10:49 h a: password=x \xff",
        1,
        now(),
        &mut out,
    );
    reader.line(3, b"\r", 1, now(), &mut out);
    reader.flush(&mut out);
    let described: Vec<_> = out
        .iter()
        .map(|event| {
            (
                event.message.len(),
                event.chars,
                event.context.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        described,
        [
            (8192, Some(5000), r#"{"host":"h","line_bytes":1000000}"#),
            (
                7,
                None,
                r#"{"host":"h","nul":true,"raw_b64":"Tm92IDIzIDAwOjEwOjQ5IGggYTog/yAA"}"#
            ),
            (16, None, r#"{"host":"h","not_utf8":true}"#),
        ]
    );
    assert_eq!(reader.counts().blank, 1);
}

/// A private key whose lines are events of their own, or lines of one, as files and the journal have it.
#[test]
fn the_body_of_a_private_key_is_taken_out_line_by_line() {
    let body = [
        "MIIEowIBAAKCAQEAx1Q9S3cretValueAbCdEfGhIjKlMnOpQrStUvWxYz0123456",
        "S3cretValueEnd==",
    ];
    let frame = [
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----END RSA PRIVATE KEY-----",
    ];
    let lines = [frame[0], body[0], body[1], frame[1]];
    for parser in ["simple_timestamp", "syslog", "certbot", "postgresql"] {
        for head in [
            "",
            "2026-11-23 00:10:49 INFO ",
            "Nov 23 00:10:49 h app[7]: ",
        ] {
            let text = lines.map(|line| format!("{head}{line}\n")).concat();
            for event in events(parser, text.as_bytes()) {
                assert!(
                    !format!("{event:?}").contains(SECRET),
                    "{parser}: {event:?}"
                );
            }
        }
    }
    let entries = [
        lines.map(str::to_owned).to_vec(),
        vec![format!("key:\n{}", lines.join("\n"))],
    ];
    for messages in entries {
        let mut reader = Reader::new(ParserKind::JOURNAL, ParserOptions::default());
        let mut out = Vec::new();
        for (at, message) in (1..).zip(messages) {
            let entry = Entry {
                seqnum: at,
                ts: Some(now()),
                message,
                ..Entry::default()
            };
            reader.entry(&entry, now(), &mut out);
        }
        reader.flush(&mut out);
        assert!(!format!("{out:?}").contains(SECRET), "{out:?}");
    }
}

/// A prefix that fits no line: what cannot be read is stored without constants.
#[test]
fn lines_of_a_prefix_that_does_not_fit_keep_no_constants() {
    let lines = "\
< 2026-11-29 06:20:00.132 UTC >LOG:  duration: 0.942 ms  statement: SELECT 'S3cretValue', 4711815
< 2026-11-29 06:20:01.132 UTC >ERROR:  invalid input syntax for type integer: \"S3cretValue\"
< 2026-11-29 06:20:01.132 UTC >DETAIL:  Failing row contains (4711815, S3cretValue).
< 2026-11-29 06:20:01.132 UTC >ANWEISUNG:  SELECT * FROM y
\tWHERE card = 'S3cretValue' AND pin = 4711815
2026-11-29 06:20:02 UTC|7|INSTRUCTION :  SELECT 'S3cretValue'
< 2026 >CONTEXT:  SQL statement \"select 'S3cretValue'\"
";
    for cut in 0..=5 {
        let lines: String = lines.split_inclusive('\n').skip(cut).collect();
        for event in events("postgresql", lines.as_bytes()) {
            let described = format!("{event:?}");
            assert!(
                !described.contains(SECRET) && !described.contains("4711815"),
                "{described}"
            );
        }
    }
}

/// The server's own lines in syslog and in the journal.
#[test]
fn constants_go_wherever_the_server_writes() {
    let lines = "\
Nov 23 00:10:49 h postgres[7]: [5-1] 2026-11-23 00:10:49 UTC [7] a@b LOG:  statement: select 'S3cretValue',
Nov 23 00:10:49 h postgres[7]: [5-2] #011'S3cretValue'
Nov 23 00:10:49 h postgres[7]: [6-1] 2026-11-23 00:10:49 UTC [7] a@b FEHLER:  ungültige Eingabesyntax: »S3cretValue«
Nov 23 00:10:49 h postgres[7]: [6-2] 2026-11-23 00:10:49 UTC [7] a@b DETAIL:  Failing row contains (S3cretValue).
";
    let found = events("syslog", lines.as_bytes());
    assert_eq!(found.len(), 4);
    assert!(!format!("{found:?}").contains(SECRET), "{found:?}");
}
