//! Limits of connections, and how the server stops.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{TICKS, add, seeded, tick};
use pg::Target;
use schema::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use web::{App, Clock, Settings};

struct Running {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

async fn start(target: Target) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let settings = Settings {
        listen: address,
        share_for: Duration::ZERO,
        clock: Clock::at(Timestamp::from_millis(tick(TICKS - 1) + 1_000)),
        ..Settings::default()
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(web::serve(listener, App::new(settings, target), async {
        drop(stopped.await);
    }));
    Running {
        address,
        stop,
        server,
    }
}

fn nowhere() -> Target {
    Target::new("/nonexistent", 5432, "none", "none")
}

async fn send(address: std::net::SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

async fn read_until(stream: &mut TcpStream, what: &str) -> String {
    let mut text = String::new();
    let mut chunk = [0; 4096];
    while !text.contains(what) {
        let n = stream.read(&mut chunk).await.unwrap();
        assert!(n > 0, "ended before {what}: {text}");
        text.push_str(&String::from_utf8_lossy(&chunk[..n]));
    }
    text
}

const WHOLE: &str = "GET /monitor/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const STREAM: &str = "GET /monitor/api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_connection_that_drips_its_headers_is_closed_after_ten_seconds() {
    let running = start(nowhere()).await;
    let began = Instant::now();
    let mut stream = send(running.address, "GET /monitor/ HT").await;
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(10) && took < Duration::from_secs(12),
        "{took:?}"
    );
}

#[tokio::test]
async fn a_connection_that_asks_nothing_more_is_closed_after_ten_seconds() {
    let running = start(nowhere()).await;
    let mut stream = send(running.address, &WHOLE.replace("Connection: close\r\n", "")).await;
    let answer = read_until(&mut stream, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // Not before: a clock that is paused runs ahead while bytes are on their way.
    tokio::time::pause();
    let began = Instant::now();
    stream.read_to_string(&mut String::new()).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(12));
}

/// A client reads nothing of its answers: the kernel buffers some, then the server has to wait.
#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_its_answers_is_cut_off() {
    let running = start(nowhere()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let ask = "GET /monitor/api/v1/texts HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let asking = async { while stream.write_all(ask.as_bytes()).await.is_ok() {} };
    let given_up = tokio::time::timeout(Duration::from_secs(60), asking).await;
    assert!(given_up.is_ok(), "it was still served after a minute");
}

/// Every kind at once: streams, headers that never end, idle connections, and clients that do not read. All
/// connections stay open on this side.
#[tokio::test]
async fn streams_and_slow_clients_lock_nobody_out() {
    let running = start(nowhere()).await;
    let mut streams = Vec::new();
    for _ in 0..200 {
        let mut stream = send(running.address, STREAM).await;
        let head = read_until(&mut stream, "\r\n\r\n").await;
        streams.push((stream, head));
    }
    let (open, refused): (Vec<_>, Vec<_>) =
        (streams.iter()).partition(|(_, head)| head.starts_with("HTTP/1.1 200"));
    assert_eq!(open.len(), 32);
    for (_, head) in refused {
        assert!(head.starts_with("HTTP/1.1 503"), "{head}");
        let head = head.to_ascii_lowercase();
        assert!(head.contains("\r\nretry-after: 30\r\n"), "{head}");
    }
    let mut slow = Vec::new();
    for n in 0..300 {
        slow.push(send(running.address, ["GET /mon", "", WHOLE][n % 3]).await);
        if n % 50 == 0 {
            let mut asked = send(running.address, WHOLE).await;
            let mut answer = String::new();
            asked.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{n}: {answer}");
        }
    }
    let mut refused = send(running.address, STREAM).await;
    let answer = read_until(&mut refused, "}}").await;
    assert!(answer.contains("\"code\":\"too_many_streams\""), "{answer}");
    // A stream that ends makes room for another.
    drop(streams);
    loop {
        let mut stream = send(running.address, STREAM).await;
        let head = read_until(&mut stream, "\r\n\r\n").await;
        if head.starts_with("HTTP/1.1 200") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_request_that_means_two_things_is_refused() {
    let running = start(nowhere()).await;
    for invalid in [
        "GET /monitor/healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /monitor/healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /monitor/healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "GET /monitor/../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET  /monitor/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let mut stream = send(running.address, invalid).await;
        let answer = read_until(&mut stream, "\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{invalid}: {answer}");
    }
    for foreign in [
        "Host: evil.example",
        "Host: localhost\r\nHost: evil.example",
        "X: y",
    ] {
        let request = format!("GET /monitor/healthz HTTP/1.1\r\n{foreign}\r\n\r\n");
        let mut stream = send(running.address, &request).await;
        let answer = read_until(&mut stream, "\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 421"), "{foreign}: {answer}");
    }
}

#[tokio::test]
async fn it_stops_at_once_with_streams_and_idle_connections_open() {
    let running = start(nowhere()).await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut stream = send(running.address, STREAM).await;
        let head = read_until(&mut stream, ": listening").await;
        assert!(head.contains("text/event-stream"), "{head}");
        streams.push(stream);
    }
    let _idle = TcpStream::connect(running.address).await.unwrap();
    running.stop.send(()).unwrap();
    let stopped = tokio::time::timeout(Duration::from_secs(2), running.server);
    stopped.await.expect("two seconds suffice").unwrap();
    for mut stream in streams {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
    }
}

#[tokio::test]
async fn a_new_sample_is_hinted_at_and_a_lost_database_too() {
    let database = seeded().await;
    let running = start(database.target()).await;
    let mut stream = send(running.address, STREAM).await;
    read_until(&mut stream, ": listening").await;
    // The first look takes note of what is there; only what comes later is new.
    let adding = async {
        for n in TICKS.. {
            tokio::time::sleep(Duration::from_millis(500)).await;
            add(&database, n, n + 1).await;
        }
    };
    let hint = tokio::select! {
        hint = read_until(&mut stream, "\"generation\":") => hint,
        () = adding => unreachable!("it adds for ever"),
    };
    assert!(
        hint.contains("event: tick\ndata: {\"newest_ms\":17"),
        "{hint}"
    );
    drop(database);
    let state = read_until(&mut stream, "event: state").await;
    assert!(state.contains("event: state"), "{state}");
}
