//! Peers that are broken or hostile: each is a row that reports it, within the deadline, and costs
//! nothing else.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod application_support;

use std::time::Duration;

use application_support::{Peer, cell, lines, ok, target, text, tick};
use collect::application::{Application, News};
use config::{Format, HttpUrl, Mapping};
use schema::{Cell, Row};
use tokio::io::AsyncWriteExt;

const GOOD: &[u8] = br#"{"request_total": 7, "bytes_sent": 8}"#;

/// Short, since some peers never answer; plenty for those that do.
const DEADLINE: Duration = Duration::from_millis(1500);

/// The rows of one tick of a peer that answers with these bytes.
async fn rows_of(answer: Vec<u8>) -> Vec<Row> {
    let peer = Peer::canned(vec![answer]).await;
    let mut application = Application::new(peer.target())
        .unwrap()
        .with_deadline(DEADLINE);
    tick(&mut application, 0).await.0
}

/// It is down with this status and for a cause with these words.
fn assert_down(rows: &[Row], status: Option<i64>, words: &str) {
    let shown = lines(rows);
    assert_eq!(rows.len(), 1, "{shown}");
    assert_eq!(cell(&rows[0], "up"), Cell::Bool(false), "{shown}");
    let wanted = status.map_or(Cell::Null, Cell::Int);
    assert_eq!(cell(&rows[0], "http_status"), wanted, "{shown}");
    assert!(
        text(&rows[0], "error").contains(words),
        "{words:?} is not in {shown}"
    );
}

fn head(rest: &str) -> Vec<u8> {
    format!("HTTP/1.1 {rest}\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn h1_a_body_beyond_the_cap_or_compressed_is_refused() {
    let promised = [head("200 OK\r\nContent-Length: 10737418240"), GOOD.to_vec()].concat();
    assert_down(
        &rows_of(promised).await,
        Some(200),
        "more than 1048576 bytes",
    );
    let mut endless = head("200 OK");
    endless.resize(3 << 20, b' ');
    assert_down(
        &rows_of(endless).await,
        Some(200),
        "more than 1048576 bytes",
    );
    let packed = head("200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0");
    assert_down(&rows_of(packed).await, Some(200), "in the encoding gzip");
    let peer = Peer::canned(vec![ok("application/json", GOOD)]).await;
    tick(&mut Application::new(peer.target()).unwrap(), 0).await;
    assert!(
        peer.heads()[0].contains("accept-encoding: identity\r\n"),
        "{:?}",
        peer.heads()
    );
}

#[tokio::test]
async fn h2_drip_endless_heads_and_silence_end_at_the_deadline() {
    for answer in [
        "HTTP/1.1 200 OK\r\nX: ",
        "",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 103 Early\r\n\r\n",
    ] {
        let peer = Peer::with(move |_, mut stream| {
            tokio::spawn(async move {
                let whole = answer.ends_with("\r\n\r\n") && answer.contains("103");
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
                let drip = if whole { answer.as_bytes() } else { b"a" };
                loop {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    if !answer.is_empty() && stream.write_all(drip).await.is_err() {
                        return;
                    }
                }
            });
        })
        .await;
        let status = (answer == "HTTP/1.1 200 OK\r\n\r\n").then_some(200);
        // A status has to arrive before it, however busy the machine is.
        let deadline = Duration::from_millis(if status.is_some() { 3_000 } else { 200 });
        let mut application = Application::new(peer.target())
            .unwrap()
            .with_deadline(deadline);
        let (rows, _) = tick(&mut application, 0).await;
        let error = format!("no whole answer within {} ms", deadline.as_millis());
        assert_down(&rows, status, &error);
    }
}

#[tokio::test]
async fn h2_a_head_beyond_16_kib_is_refused() {
    let large = format!("200 OK\r\nX: {}", "a".repeat(20_000));
    assert_down(&rows_of(head(&large)).await, None, "no whole answer");
    let many = format!("200 OK{}", "\r\nX: a".repeat(3000));
    assert_down(&rows_of(head(&many)).await, None, "no whole answer");
    let fitting = format!(
        "200 OK\r\nX: {}\r\nContent-Length: {}",
        "a".repeat(8000),
        GOOD.len()
    );
    let rows = rows_of([head(&fitting), GOOD.to_vec()].concat()).await;
    assert_eq!(cell(&rows[0], "up"), Cell::Bool(true), "{}", lines(&rows));
}

#[tokio::test]
async fn h3_redirects_are_not_followed() {
    let elsewhere = Peer::canned(vec![ok("application/json", GOOD)]).await;
    for (status, place) in [
        (301, format!("http://127.0.0.1:{}/", elsewhere.port)),
        (302, "http://169.254.169.254/latest".to_owned()),
        (307, "file:///etc/passwd".to_owned()),
    ] {
        let answer = head(&format!(
            "{status} Moved\r\nLocation: {place}\r\nContent-Length: 0"
        ));
        assert_down(
            &rows_of(answer).await,
            Some(status),
            &format!("answers {status} instead of 200"),
        );
    }
    assert!(elsewhere.heads().is_empty());
}

#[tokio::test]
async fn h4_what_is_not_metrics_is_an_error_and_makes_no_row() {
    for (body, words) in [
        (
            &b"<html><body>Welcome</body></html>"[..],
            "not answer with JSON",
        ),
        (b"", "not answer with JSON"),
        (b"\xff\xfe{\0}\0", "not answer with JSON"),
        (b"[]", "not an object"),
        (b"{\"hello\": \"world\"}", "none of the values"),
        (b"request_total 7\n", "not answer with JSON"),
    ] {
        assert_down(
            &rows_of(ok("application/json", body)).await,
            Some(200),
            words,
        );
    }
    for (body, words) in [
        (&b"<html><body>Welcome</body></html>"[..], "no series in it"),
        (b"", "no series in it"),
        (GOOD, "no series in it"),
    ] {
        let peer = Peer::canned(vec![ok("text/plain", body)]).await;
        let mut target = peer.target();
        target.format = Format::Prometheus;
        target.mapping = Mapping::Nginx;
        let (rows, _) = tick(&mut Application::new(target).unwrap(), 0).await;
        assert_down(&rows, Some(200), words);
    }
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"request_total\": 7".to_vec();
    assert_down(&rows_of(cut).await, Some(200), "no whole answer");
    assert_down(
        &rows_of(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()).await,
        None,
        "no whole answer",
    );
}

#[tokio::test]
async fn h5_deep_nesting_is_an_error() {
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_down(
        &rows_of(ok("application/json", deep.as_bytes())).await,
        Some(200),
        "nested too deep",
    );
}

#[tokio::test]
async fn h6_numbers_that_do_not_fit_are_null_and_counted() {
    for bad in [
        "NaN",
        "Infinity",
        "1e400",
        "-1",
        "18446744073709551616",
        "\"7\"",
        "-0.5",
    ] {
        let body = format!("{{\"request_total\": {bad}, \"bytes_sent\": 8}}");
        let rows = rows_of(ok("application/json", body.as_bytes())).await;
        assert_eq!(cell(&rows[0], "up"), Cell::Bool(true), "{bad}");
        assert_eq!(cell(&rows[0], "bad_values"), Cell::Int(1), "{bad}");
        assert_eq!(cell(&rows[1], "request_total"), Cell::Null, "{bad}");
        assert_eq!(cell(&rows[1], "bytes_sent"), Cell::Int(8), "{bad}");
    }
    for bad in ["NaN", "+Inf", "-Inf", "-1", "18446744073709551616"] {
        let body = format!("nginx_http_requests_total {bad}\nnginx_connections_active 3\n");
        let peer = Peer::canned(vec![ok("text/plain", body.as_bytes())]).await;
        let mut target = peer.target();
        target.format = Format::Prometheus;
        target.mapping = Mapping::Nginx;
        let (rows, _) = tick(&mut Application::new(target).unwrap(), 0).await;
        assert_eq!(cell(&rows[0], "bad_values"), Cell::Int(1), "{bad}");
        assert_eq!(cell(&rows[1], "request_total"), Cell::Null, "{bad}");
        // The one that asks nginx itself is left out.
        assert_eq!(cell(&rows[1], "conn_active"), Cell::Int(2), "{bad}");
    }
}

#[tokio::test]
async fn h7_odd_text_reaches_no_row() {
    let body = br#"{"request_total": 7, "\ud800": 1, "note\u0000": "\udfff",
        "endpoints": {"/a\u0000\ud800": {"500": 3}}}"#;
    let rows = rows_of(ok("application/json", body)).await;
    assert_eq!(text(&rows[2], "endpoint"), "/a\u{fffd}\u{fffd}");
    assert_eq!(cell(&rows[1], "request_total"), Cell::Int(7));
}

#[tokio::test]
async fn h8_missing_extra_and_double_keys_are_tolerated() {
    let body = br#"{"request_total": 1, "request_total": 7, "more": [1, {}], "bytes_sent": null}"#;
    let rows = rows_of(ok("application/json", body)).await;
    assert_eq!(cell(&rows[1], "request_total"), Cell::Int(7));
    assert_eq!(cell(&rows[1], "bytes_sent"), Cell::Null);
    assert_eq!(cell(&rows[1], "conn_total"), Cell::Null);
    assert_eq!(cell(&rows[0], "bad_values"), Cell::Int(0));
}

#[tokio::test]
async fn h9_a_counter_that_begins_anew_is_stored_as_reported() {
    let bodies = [r#"{"request_total": 700}"#, r#"{"request_total": 5}"#];
    let answers = bodies.map(|body| ok("application/json", body.as_bytes()));
    let peer = Peer::canned(answers.to_vec()).await;
    let mut application = Application::new(peer.target()).unwrap();
    for (number, total) in [(0, 700), (1, 5)] {
        let (rows, _) = tick(&mut application, number).await;
        assert_eq!(cell(&rows[1], "request_total"), Cell::Int(total));
    }
}

#[tokio::test]
async fn h10_a_refused_token_is_reported_once_and_not_tried_for_a_minute() {
    let refusal = head("401 Unauthorized\r\nContent-Length: 0");
    let peer = Peer::canned(vec![refusal, ok("application/json", GOOD)]).await;
    let mut target = peer.target();
    target.token = "canary".into();
    let mut application = Application::new(target).unwrap();
    let mut news = Vec::new();
    let mut texts = String::new();
    for number in 0..=6 {
        let (rows, new) = tick(&mut application, number).await;
        texts += &format!("{} {application:?}", lines(&rows));
        news.push(new);
        let asked = peer.heads().len();
        if number < 6 {
            assert_eq!(asked, 1, "tick {number}");
            assert!(text(&rows[0], "error").contains("answers 401: it requires another token"));
            assert_eq!(cell(&rows[0], "up"), Cell::Bool(false));
        } else {
            assert_eq!(asked, 2);
            assert_eq!(cell(&rows[0], "up"), Cell::Bool(true));
        }
    }
    assert!(matches!(news.remove(0), News::Down(_)));
    assert_eq!(news.pop(), Some(News::Up));
    assert!(news.iter().all(|new| *new == News::Nothing), "{news:?}");
    assert!(peer.heads()[0].contains("authorization: Bearer canary\r\n"));
    assert!(!texts.contains("canary"), "{texts}");
}

#[tokio::test]
async fn a_peer_that_is_gone_is_down_and_up_again_when_it_is_back() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = listener.local_addr().unwrap().port();
    drop(listener);
    let mut application = Application::new(target(gone)).unwrap();
    let (rows, news) = tick(&mut application, 0).await;
    assert_down(&rows, None, "cannot connect to 127.0.0.1:");
    assert!(matches!(news, News::Down(_)));
    assert_eq!(tick(&mut application, 1).await.1, News::Nothing);
}

#[tokio::test]
async fn a_name_that_resolves_to_what_is_never_asked_is_refused() {
    // The settings refuse such addresses; a name that resolves to one is found here.
    for host in ["169.254.169.254", "0.0.0.0", "fd00:ec2::254"] {
        let mut target = target(80);
        target.url = Some(HttpUrl {
            tls: false,
            host: host.to_owned(),
            port: 80,
            path: "/".to_owned(),
        });
        let (rows, _) = tick(&mut Application::new(target).unwrap(), 0).await;
        assert_down(&rows, None, &format!("cannot ask {host}: {host} is "));
    }
}

#[tokio::test]
async fn a_request_names_host_and_path_and_no_more() {
    let peer = Peer::canned(vec![ok("application/json", GOOD)]).await;
    tick(&mut Application::new(peer.target()).unwrap(), 0).await;
    let wanted = format!(
        "GET /metrics/json?a=b HTTP/1.1\r\nhost: 127.0.0.1:{}\r\naccept: application/json\r\n\
         accept-encoding: identity\r\nconnection: close\r\nuser-agent: pqcrypta-collector\r\n\r\n",
        peer.port
    );
    assert_eq!(peer.heads(), [wanted]);
}

#[tokio::test]
async fn failures_that_were_reported_make_no_second_row() {
    let failure = |second: u32| {
        format!(r#"{{"at": "2026-11-23T00:00:{second:02}Z", "path": "/a?k=v", "status": 500}}"#)
    };
    let body = |failures: &[u32]| {
        let list: Vec<_> = failures.iter().map(|second| failure(*second)).collect();
        let body = format!(
            r#"{{"request_total": 1, "recent_failures": [{}]}}"#,
            list.join(",")
        );
        ok("application/json", body.as_bytes())
    };
    let down = head("503 Busy\r\nContent-Length: 0");
    let peer = Peer::canned(vec![
        body(&[1]),
        body(&[1, 5]),
        down,
        body(&[5, 7, 7]),
        body(&[7, 7, 7]),
    ])
    .await;
    let mut application = Application::new(peer.target()).unwrap();
    let mut counts = Vec::new();
    for number in 0..5 {
        let (rows, _) = tick(&mut application, number).await;
        let failures = rows
            .iter()
            .filter(|row| row.table.name == "request_failures_raw");
        counts.push(
            failures
                .inspect(|row| assert_eq!(text(row, "path"), "/a"))
                .count(),
        );
    }
    assert_eq!(counts, [0, 1, 0, 2, 1]);
}

#[tokio::test]
async fn what_is_wrong_is_reported_once_until_something_else_is() {
    let json = |body: &str| ok("application/json", body.as_bytes());
    let peer = Peer::canned(vec![
        json("{\"a\": 1"),
        json("{\n\n\"a\"\n"),
        head("500 Oh\r\nContent-Length: 0"),
        head("502 Ah\r\nContent-Length: 0"),
        json(r#"{"request_total": 7}"#),
        json(r#"{"request_total": 8}"#),
        json("["),
    ])
    .await;
    let mut application = Application::new(peer.target()).unwrap();
    let mut reported = Vec::new();
    for number in 0..7 {
        reported.push(match tick(&mut application, number).await.1 {
            News::Nothing => "",
            News::Up => "up",
            News::Down(cause) if cause.contains("not answer with JSON") => "not answer with JSON",
            News::Down(cause) if cause.contains("500") => "500",
            News::Down(cause) => panic!("{cause}"),
        });
    }
    assert_eq!(
        reported,
        [
            "not answer with JSON",
            "",
            "500",
            "",
            "up",
            "",
            "not answer with JSON"
        ]
    );
}
