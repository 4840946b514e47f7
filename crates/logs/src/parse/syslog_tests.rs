//! Headers of syslog, and the messages after them.

use super::super::testing::{events_in, expect, summary, zone};

#[test]
fn every_form_of_header_is_read() {
    expect(
        "syslog",
        &[
            (
                "Nov 23 00:10:49 db1 sshd[812]: Failed password for root from 192.0.2.7 port 22 ssh2",
                "2026-11-23T00:10:49Z info sshd: Failed password for root from 192.0.2.7 port 22 ssh2 {\"host\":\"db1\",\"pid\":812}",
            ),
            (
                "2026-02-15T00:00:54.808228-06:00 db1 CRON[9]: (root) CMD (true)",
                "2026-02-15T06:00:54.808228Z info CRON: (root) CMD (true) {\"host\":\"db1\",\"pid\":9}",
            ),
            (
                "<11>Nov  3 00:10:49 db1 app: it broke",
                "2026-11-03T00:10:49Z error app: it broke {\"host\":\"db1\"}",
            ),
            (
                "<165>1 2026-10-11T22:14:15.003Z host.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventID=\"1011\"] \u{feff}An application event",
                "2026-10-11T22:14:15.003Z info evntslog: An application event {\"host\":\"host.example.com\",\"msgid\":\"ID47\",\"structured\":\"[exampleSDID@32473 iut=\\\"3\\\" eventID=\\\"1011\\\"]\",\"severity\":\"notice\"}",
            ),
            (
                "<34>1 2026-10-11T22:14:15Z h su 77 - - 'su root' failed",
                "2026-10-11T22:14:15Z error su: 'su root' failed {\"host\":\"h\",\"pid\":77,\"severity\":\"crit\"}",
            ),
            (
                "Nov 23 00:10:49 db1 kernel: [   12.345678] [UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.1",
                "2026-11-23T00:10:49Z info kernel: [UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.1 {\"host\":\"db1\",\"uptime\":\"12.345678\"}",
            ),
            (
                "Nov 23 00:10:49 db1 last message repeated 3 times",
                "2026-11-23T00:10:49Z info : last message repeated 3 times {\"host\":\"db1\"}",
            ),
            (
                "Nov 23 00:10:49 db1 sshd(pam_unix)[5]: authentication failure; rhost=192.0.2.1",
                "2026-11-23T00:10:49Z info sshd(pam_unix): authentication failure; rhost=192.0.2.1 {\"host\":\"db1\",\"pid\":5}",
            ),
            (
                "Nov 23 00:10:49 sun sshd[5]: [ID 800047 auth.error] error: x",
                "2026-11-23T00:10:49Z error sshd: error: x {\"host\":\"sun\",\"pid\":5}",
            ),
            (
                "Nov 23 00:10:49 db1 sshd[5]: error: PAM: Authentication failure for root",
                "2026-11-23T00:10:49Z error sshd: error: PAM: Authentication failure for root {\"host\":\"db1\",\"pid\":5}",
            ),
        ],
    );
}

#[test]
fn facility_and_level_may_be_words() {
    expect(
        "syslog",
        &[
            (
                "Nov 23 00:10:49 db1 daemon.err app[5]: no",
                "2026-11-23T00:10:49Z error app: no {\"host\":\"db1\",\"pid\":5}",
            ),
            (
                "Nov 23 00:10:49 <daemon.warning> db1 app[5]: low",
                "2026-11-23T00:10:49Z warn app: low {\"host\":\"db1\",\"pid\":5}",
            ),
            (
                "Nov 23 00:10:49 <3.3> db1 app: no",
                "2026-11-23T00:10:49Z error app: no {\"host\":\"db1\"}",
            ),
            (
                "daemon.err: Nov 23 00:10:49 app[5]: no",
                "2026-11-23T00:10:49Z error app: no {\"pid\":5}",
            ),
            (
                "2026-11-23_00:10:49.12345 daemon.crit: Nov 23 00:10:49 app[5]: no",
                "2026-11-23T00:10:49.12345Z error app: no {\"pid\":5,\"severity\":\"crit\"}",
            ),
            (
                "@400000006b03849307270e00 auth.notice: Nov 23 00:10:49 sshd[5]: x",
                "2026-11-23T00:10:49.12Z info sshd: x {\"pid\":5,\"severity\":\"notice\"}",
            ),
            (
                "kern.err: [   12.345678] x",
                "2026-11-23T12:00:00Z error kernel: x {\"uptime\":\"12.345678\",\"ts_inferred\":true}",
            ),
            (
                "Mon Nov 23 00:10:49 2026 daemon.err app[5]: no",
                "2026-11-23T00:10:49Z error app: no {\"pid\":5}",
            ),
            (
                "Nov 23 00:10:49 mac app[5] <Error>: no",
                "2026-11-23T00:10:49Z error app: no {\"host\":\"mac\",\"pid\":5}",
            ),
            (
                "Nov 23 00:10:49 sw1 123: *Nov 23 00:10:49.123: %LINK-3-UPDOWN: Interface x, changed state to down",
                "2026-11-23T00:10:49Z error 123: *Nov 23 00:10:49.123: %LINK-3-UPDOWN: Interface x, changed state to down {\"host\":\"sw1\"}",
            ),
            (
                "<11>[   12.345678] usb 1-1: x",
                "2026-11-23T12:00:00Z error kernel: usb 1-1: x {\"uptime\":\"12.345678\",\"ts_inferred\":true}",
            ),
        ],
    );
}

#[test]
fn a_message_may_have_a_format_of_its_own() {
    expect(
        "syslog",
        &[
            (
                "Nov 23 00:10:40 h prometheus[55]: ts=2026-11-23T00:10:49.583Z caller=main.go:86 level=error msg=\"Opening storage failed\"",
                r#"2026-11-23T00:10:49.583Z error prometheus: Opening storage failed {"host":"h","pid":55,"fields":{"caller":"main.go:86"}}"#,
            ),
            (
                "Nov 23 00:10:40 h dockerd[66]: time=\"2026-11-23T00:10:49.5Z\" level=warning msg=\"no\"",
                r#"2026-11-23T00:10:49.5Z warn dockerd: no {"host":"h","pid":66}"#,
            ),
            (
                r#"Nov 23 00:10:49 h app[78]: {"level":"error","msg":"cannot reach database","logger":"db"}"#,
                r#"2026-11-23T00:10:49Z error app: cannot reach database {"host":"h","pid":78,"logger":"db"}"#,
            ),
            (
                r#"Nov 23 00:10:49 h app: @cee:{"level":"warn","msg":"low"}"#,
                r#"2026-11-23T00:10:49Z warn app: low {"host":"h"}"#,
            ),
            (
                r#"<30>1 2026-11-23T00:10:49Z h app 7 - - {"severity":"ERROR","message":"no"}"#,
                r#"2026-11-23T00:10:49Z error app: no {"host":"h","pid":7}"#,
            ),
            (
                "Nov 23 00:10:49 h app[78]: [ERROR] no",
                r#"2026-11-23T00:10:49Z error app: [ERROR] no {"host":"h","pid":78}"#,
            ),
            (
                "Nov 23 00:10:49 h app[78]: WARNING low",
                r#"2026-11-23T00:10:49Z warn app: WARNING low {"host":"h","pid":78}"#,
            ),
            (
                "Nov 23 00:10:49 h app[78]: [12] [ERROR] no",
                r#"2026-11-23T00:10:49Z error app: [12] [ERROR] no {"host":"h","pid":78}"#,
            ),
            (
                "Nov 23 00:10:49 h app[78]: 12 WARN low",
                r#"2026-11-23T00:10:49Z warn app: 12 WARN low {"host":"h","pid":78}"#,
            ),
            (
                "Nov 23 00:10:49 h app[78]: [main] an ERROR here",
                r#"2026-11-23T00:10:49Z info app: [main] an ERROR here {"host":"h","pid":78}"#,
            ),
            (
                "Nov 23 00:10:49 h kubelet[78]: E1123 00:10:49.000000      78 a.go:1] no",
                r#"2026-11-23T00:10:49Z error kubelet: no {"host":"h","pid":78,"logger":"a.go","thread":78,"caller":"a.go:1"}"#,
            ),
            (
                "Nov 23 00:10:49 h gunicorn[7]: [2026-11-23 00:10:49 +0000] [7] [ERROR] no",
                r#"2026-11-23T00:10:49Z error gunicorn: no {"host":"h","pid":7}"#,
            ),
            (
                "Nov 23 00:10:49 h php[7]: PHP Warning:  low",
                r#"2026-11-23T00:10:49Z warn php: PHP Warning:  low {"host":"h","pid":7}"#,
            ),
            (
                "Nov 23 00:10:49 h shop[77]: write /var/lib/shop/data: No space left on device",
                r#"2026-11-23T00:10:49Z warn shop: write /var/lib/shop/data: No space left on device {"host":"h","pid":77}"#,
            ),
            (
                "Nov 23 00:10:49 h app: {\"a\":1} and level=error",
                r#"2026-11-23T00:10:49Z info app: {"a":1} and level=error {"host":"h"}"#,
            ),
        ],
    );
}

#[test]
fn other_lines_are_read_as_programs_write_them() {
    expect(
        "syslog",
        &[
            (
                "2026-11-23 00:10:49 ERROR cannot bind",
                "2026-11-23T00:10:49Z error : cannot bind",
            ),
            (
                "2026-11-23T00:10:49Z ERROR app: cannot bind",
                "2026-11-23T00:10:49Z error app: cannot bind",
            ),
            (
                "2026-11-23 00:10:49,123 - app - ERROR - no",
                "2026-11-23T00:10:49.123Z error app: no",
            ),
            (
                "2026-11-23 00:10:49 cannot bind",
                "2026-11-23T00:10:49Z info : cannot bind",
            ),
            (
                "Nov 23 00:10:49.123 ERROR [main] Foo - no",
                "2026-11-23T00:10:49.123Z error : [main] Foo - no",
            ),
            (
                "[23-Nov-2026 00:10:49] WARNING: low",
                "2026-11-23T00:10:49Z warn : low",
            ),
            (
                "level=error msg=no",
                "2026-11-23T12:00:00Z error : no {\"ts_inferred\":true}",
            ),
            (
                "2026-11-23T00:10:49+00:00 db1 last message repeated 3 times",
                "2026-11-23T00:10:49Z info : last message repeated 3 times {\"host\":\"db1\"}",
            ),
            (
                "2026-11-23T00:10:49Z db1 kernel: EXT4-fs error (device sda1): x",
                "2026-11-23T00:10:49Z error kernel: EXT4-fs error (device sda1): x {\"host\":\"db1\"}",
            ),
        ],
    );
}

#[test]
fn fields_are_found_by_position_alone() {
    expect(
        "syslog",
        &[
            (
                "Nov 23 00:10:49 db1 web[5]: GET /Nov 22 00:00:00 x sshd[1]: error: Failed password from 192.0.2.9",
                "2026-11-23T00:10:49Z info web: GET /Nov 22 00:00:00 x sshd[1]: error: Failed password from 192.0.2.9 {\"host\":\"db1\",\"pid\":5}",
            ),
            (
                "no header at all: sshd[1]: x",
                "2026-11-23T12:00:00Z info : no header at all: sshd[1]: x {\"ts_inferred\":true}",
            ),
            (
                "Févr 23 00:10:49 db1 x: y",
                "2026-11-23T12:00:00Z info : Févr 23 00:10:49 db1 x: y {\"ts_inferred\":true}",
            ),
            (
                "<999>Nov 23 00:10:49 db1 x: y",
                "2026-11-23T12:00:00Z info : <999>Nov 23 00:10:49 db1 x: y {\"ts_inferred\":true}",
            ),
        ],
    );
}

#[test]
fn a_trace_joins_its_event() {
    let text = "Nov 23 00:10:49 h app[1]: failed\n\tat a.b.C(D.java:1)\nCaused by: x.Y: z\n\t... 3 more\nNov 23 00:10:50 h app[1]: next\n";
    expect(
        "syslog",
        &[(
            text,
            "2026-11-23T00:10:49Z info app: failed {\"host\":\"h\",\"pid\":1,\"lines\":\"\\tat a.b.C(D.java:1)\\nCaused by: x.Y: z\\n\\t... 3 more\"}\n2026-11-23T00:10:50Z info app: next {\"host\":\"h\",\"pid\":1}",
        )],
    );
}

#[test]
fn times_without_zone_are_of_the_stream() {
    let events = events_in("syslog", zone("Europe/Berlin"), "Jul 23 00:10:49 h a: b");
    assert!(
        summary(&events[0]).starts_with("2026-07-22T22:10:49Z"),
        "{events:?}"
    );
}
