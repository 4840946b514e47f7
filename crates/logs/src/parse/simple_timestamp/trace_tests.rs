//! Traces of many programs, each joined to its event.

use super::super::testing::events;

/// Returns level, message and lines of each event.
fn joined(text: &str) -> Vec<(String, String, Vec<String>)> {
    let lines = |context: Option<&str>| {
        let context: serde_json::Value = serde_json::from_str(context.unwrap_or("{}")).unwrap();
        let lines = context["lines"].as_str().unwrap_or_default();
        lines.lines().map(str::to_owned).collect()
    };
    events("simple_timestamp", text)
        .iter()
        .map(|event| {
            (
                event.level.as_str().to_owned(),
                event.message.clone(),
                lines(event.context.as_deref()),
            )
        })
        .collect()
}

#[test]
fn what_php_writes_within_nginx_stays_together() {
    let text = r#"2026/11/23 00:10:49 [error] 16234#0: *88661 FastCGI sent in stderr: "PHP message: PHP Fatal error:  Uncaught Exception: no stock in /srv/shop/index.php:19
Stack trace:
#0 /srv/shop/index.php(7): {closure}()
#1 {main}
  thrown in /srv/shop/index.php on line 19" while reading response header from upstream, client: 192.0.2.4, server: shop.example, request: "GET /?a=1 HTTP/2.0"
2026/11/23 00:10:50 [error] 205860#205860: *180289 FastCGI sent in stderr: "PHP message: PHP Warning:  Undefined array key "a" in /srv/a.php on line 3
PHP message: PHP Warning:  Undefined variable $b in /srv/a.php on line 4
ERROR: what the program printed
{"level":"error","msg":"as well"}" while reading upstream, client: 192.0.2.4
2026/11/23 00:10:51 [error] 1#1: *1 FastCGI sent in stderr: "Primary script unknown" while reading response header from upstream, client: 192.0.2.4
not of it
"#;
    let found = joined(text);
    let lines: Vec<_> = found
        .iter()
        .map(|(level, _, lines)| (level.as_str(), lines.len()))
        .collect();
    assert_eq!(
        lines,
        [("error", 4), ("error", 3), ("error", 0), ("info", 0)]
    );
}

#[test]
fn traces_join_though_their_lines_are_not_indented() {
    let text = "\
2026-11-23T00:10:48.856Z\terror\tqueue.go:128\tExporting failed.\t{\"error\": \"x\"}
example.org/a/internal.NewQueueSender.func3
\texample.org/a/queue.go:128
example.org/a/b.(*c[...]).Consume
\texample.org/a/b.go:23
2026-11-23T00:10:49.256+0000\twarn\tserver.go:5\tslow
[23-Nov-2026 00:10:50 UTC] PHP Fatal error:  Uncaught Exception: no stock in /srv/x.php:3
Stack trace:
#0 {main}
  thrown in /srv/x.php on line 3
[23-Nov-2026 00:10:51 UTC] PHP Warning:  x in /srv/x.php on line 3
[23-Nov-2026 00:10:51 UTC] PHP Stack trace:
[23-Nov-2026 00:10:51 UTC] PHP   1. {main}() /srv/x.php:0
Nov 23, 2026 12:10:52 AM org.example.Main start
SEVERE: cannot start
java.lang.IllegalStateException: no
\tat org.example.Main.start(Main.java:3)
Nov 23, 2026 12:10:53 AM org.example.Main stop
INFO: stopped
=ERROR REPORT==== 23-Nov-2026::00:10:54 ===
** Generic server x terminating
** Reason for termination ==
anything
=INFO REPORT==== 23-Nov-2026::00:10:55 ===
up
2026-11-23 00:10:56 ERROR node failed
Error: no
    at main (/srv/index.js:7:9)
}
";
    let found = joined(text);
    let summary: Vec<_> = found
        .iter()
        .map(|(level, message, lines)| (level.as_str(), message.as_str(), lines.len()))
        .collect();
    assert_eq!(
        summary,
        [
            ("error", "Exporting failed.", 4),
            ("warn", "slow", 0),
            (
                "error",
                "PHP Fatal error:  Uncaught Exception: no stock in /srv/x.php:3",
                3
            ),
            ("warn", "PHP Warning:  x in /srv/x.php on line 3", 2),
            ("error", "cannot start", 2),
            ("info", "stopped", 0),
            ("error", "** Generic server x terminating", 2),
            ("info", "up", 0),
            ("error", "node failed", 0),
            ("error", "no", 2),
        ]
    );
}
