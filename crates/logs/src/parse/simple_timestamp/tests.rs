//! Lines of many programs, each in the format that it writes by itself.

use super::super::testing::{events_in, expect, summary, zone};

#[test]
fn time_level_and_name_are_found_where_they_stand() {
    expect(
        "simple_timestamp",
        &[
            ("[2026-11-23 00:10:49] up", "2026-11-23T00:10:49Z info : up"),
            ("2026-11-23 00:10:49 up", "2026-11-23T00:10:49Z info : up"),
            (
                "2026-11-23T00:10:49+01:00 up",
                "2026-11-22T23:10:49Z info : up",
            ),
            (
                "[2026-11-23 00:10:49] [ERROR] no",
                "2026-11-23T00:10:49Z error : no",
            ),
            (
                "[2026-11-23 00:10:49] WARNING: low",
                "2026-11-23T00:10:49Z warn : low",
            ),
            (
                "[2026-11-23 00:10:49] error: low",
                "2026-11-23T00:10:49Z error : low",
            ),
            (
                "2026-11-23 00:10:49,123 - app.db - CRITICAL - no",
                "2026-11-23T00:10:49.123Z error app.db: no {\"severity\":\"CRITICAL\"}",
            ),
            (
                "2026-11-23 00:10:49,123 - WARN  [Peer:Election@774] - late",
                "2026-11-23T00:10:49.123Z warn : [Peer:Election@774] - late",
            ),
            (
                "2026-11-23 00:10:49,123 - a - b - c",
                "2026-11-23T00:10:49.123Z info : a - b - c",
            ),
            (
                "2026-11-23 00:10:49.123 WARN  [main] org.example.Main: slow",
                "2026-11-23T00:10:49.123Z warn org.example.Main: slow {\"thread_name\":\"main\"}",
            ),
            (
                "2026-11-23T00:10:49.808228Z  INFO api::server: up",
                "2026-11-23T00:10:49.808228Z info api::server: up",
            ),
            (
                "2026/11/23 00:10:49 [error] 12#13: *4 open() failed",
                "2026-11-23T00:10:49Z error : open() failed {\"pid\":12,\"connection\":4}",
            ),
            (
                "2026-13-23 00:10:49 no such month",
                "2026-11-23T12:00:00Z info : 2026-13-23 00:10:49 no such month {\"ts_inferred\":true}",
            ),
            (
                "2026-02-29 00:10:49 no such day",
                "2026-11-23T12:00:00Z info : 2026-02-29 00:10:49 no such day {\"ts_inferred\":true}",
            ),
            (
                "2026-11-22 23:59:60 leap",
                "2026-11-23T00:00:00Z info : leap",
            ),
            (
                "2026-11-22 24:00:00 midnight",
                "2026-11-23T00:00:00Z info : midnight",
            ),
            (
                "0000-01-01 00:00:00 x",
                "2016-11-25T12:00:00Z info : x {\"ts_clamped\":true}",
            ),
            (
                "9999-12-31 23:59:59 x",
                "2036-11-20T12:00:00Z info : x {\"ts_clamped\":true}",
            ),
            (
                "294277-01-01 00:00:00 x",
                "2036-11-20T12:00:00Z info : x {\"ts_clamped\":true}",
            ),
        ],
    );
}

#[test]
fn words_of_the_message_are_not_levels() {
    let time = "2026-11-23T00:10:49Z info :";
    for message in [
        "an ERROR here",
        "Error in it",
        "ERRORS are not a level",
        "error rates are back to normal",
        "warning signs were seen",
        "the last ERROR was an hour ago",
        "info about it",
        "OK: https://api.example.com/health 200 in 12 ms",
        "blocklist: 1204 addresses fetched",
        "user said \"ERROR: no\"",
        "retry (error) later",
        "notice the difference",
        "a=b",
        "x {\"level\":\"error\"}",
        "{x} level=error",
        "{not json",
        "3 errors, 2 warnings",
        "GET /error 200",
        "[GET /error] 200",
        "[no such: error] x",
        "[errors] x",
    ] {
        let line = format!("2026-11-23 00:10:49 {message}");
        expect("simple_timestamp", &[(&line, &format!("{time} {message}"))]);
    }
}

#[test]
fn objects_and_pairs_are_read() {
    expect(
        "simple_timestamp",
        &[
            (
                r#"ts=2026-11-23T00:10:49.583Z caller=main.go:86 level=warn msg="Error loading config""#,
                r#"2026-11-23T00:10:49.583Z warn : Error loading config {"fields":{"caller":"main.go:86"}}"#,
            ),
            (
                r#"time="2026-11-23T00:10:49Z" level=fatal msg="boom""#,
                r#"2026-11-23T00:10:49Z error : boom {"severity":"fatal"}"#,
            ),
            (
                r#"level=error msg="token=abc refused" password=x"#,
                r#"2026-11-23T12:00:00Z error : token=… refused {"fields":{"password":"…"},"ts_inferred":true}"#,
            ),
            (
                r#"{"level":"error","time":"2026-11-23T00:10:49Z","msg":"boom","pid":7}"#,
                r#"2026-11-23T00:10:49Z error : boom {"fields":{"pid":7}}"#,
            ),
            (
                r#"2026-11-23T01:10:49+01:00 {"level":"error","msg":"boom"}"#,
                "2026-11-23T00:10:49Z error : boom",
            ),
            (
                r#"2026-11-23 00:00:00 level=error ts=2026-11-23T00:10:49Z msg=boom"#,
                "2026-11-23T00:10:49Z error : boom",
            ),
            (
                r#"{"a":1}"#,
                r#"2026-11-23T12:00:00Z info : {"a":1} {"ts_inferred":true}"#,
            ),
        ],
    );
}

#[test]
fn an_unknown_zone_is_not_local_time() {
    let cases = [
        (
            "2026-11-23 00:10:49 IST [12] ERROR no",
            "2026-11-23T12:00:00Z error : no",
        ),
        (
            "2026-11-23 00:10:49 XYZT [12] ERROR no",
            "2026-11-23T12:00:00Z error : no",
        ),
        (
            "2026-11-23 00:10:49 CET ERROR no",
            "2026-11-22T23:10:49Z error : no",
        ),
        (
            "2026-11-23 00:10:49 ERROR no",
            "2026-11-22T15:10:49Z error : no",
        ),
        (
            "[23-Nov-2026 00:10:49] ERROR: no",
            "2026-11-22T15:10:49Z error : no",
        ),
        (
            "[23-Nov-2026 00:10:49 UTC] PHP Warning:  x",
            "2026-11-23T00:10:49Z warn : PHP Warning:  x",
        ),
    ];
    for (line, expected) in cases {
        let events = events_in("simple_timestamp", zone("Asia/Tokyo"), line);
        let summary = summary(&events[0]);
        assert!(summary.starts_with(expected), "{line}: {summary}");
        let is_unknown = expected.starts_with("2026-11-23T12");
        assert_eq!(
            summary.contains("ts_inferred"),
            is_unknown,
            "{line}: {summary}"
        );
    }
}
