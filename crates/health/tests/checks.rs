//! Each kind of check against a peer that answers as it should, and as it should not.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use config::{CheckKind, HealthCheck};
use health::{Check, Outcome, State};
use rustls::pki_types::PrivateKeyDer;
use schema::Timestamp;
use testkit::Authority;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

/// Midnight of 23 November 2026.
const AT: Timestamp = Timestamp(1_795_392_000_000_000);

fn check(kind: CheckKind, target: String) -> HealthCheck {
    HealthCheck {
        name: "peer".to_owned(),
        kind,
        target,
        timeout_secs: 1,
        attempts: 1,
        warn_ms: 60_000,
        ..HealthCheck::default()
    }
}

async fn outcome(settings: HealthCheck) -> Outcome {
    Check::new(settings).unwrap().run(AT).await
}

#[track_caller]
fn assert_state(outcome: &Outcome, state: State, error: &str) {
    assert_eq!(outcome.state, state, "{outcome:?}");
    let text = outcome.error.as_deref().unwrap_or_default();
    assert!(text.contains(error), "{error:?} is not in {text:?}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
    let row = outcome.row();
    assert_eq!(row.cells.len(), row.table.columns.len());
}

/// Serves each connection, counted from 0, after its request was read.
async fn peer<F>(serve: F) -> SocketAddr
where
    F: Fn(usize, String, TcpStream) -> tokio::task::JoinHandle<()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for connection in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let read = stream.read(&mut head).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&head[..read]).into_owned();
            serve(connection, request, stream);
        }
    });
    address
}

/// Answers every request with what `answer` makes of it.
async fn canned(answer: impl Fn(usize, &str) -> String + Send + 'static) -> SocketAddr {
    peer(move |connection, request, mut stream| {
        let text = answer(connection, &request);
        tokio::spawn(async move {
            // One that has read enough closes; that is no failure of the peer.
            drop(stream.write_all(text.as_bytes()).await);
            drop(stream.shutdown().await);
        })
    })
    .await
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 999999999\r\n\r\nnever read")
}

/// The path, the answer to a request, a change of the check, and what is expected.
type PageCase = (
    &'static str,
    fn(&str) -> String,
    fn(&mut HealthCheck),
    State,
    &'static str,
);

#[tokio::test]
async fn pages() {
    let cases: [PageCase; 9] = [
        ("/ok", |_| ok("all is well"), |_| {}, State::Up, ""),
        (
            "/ok?token=hidden",
            |_| ok("all is well"),
            |check| check.contains = "well".into(),
            State::Up,
            "",
        ),
        (
            "/",
            |_| ok("x"),
            |check| check.contains = "well".into(),
            State::Down,
            "does not contain \"well\"",
        ),
        (
            "/",
            |_| ok("fatal: x"),
            |check| check.lacks = "fatal".into(),
            State::Down,
            "contains \"fatal\"",
        ),
        (
            "/",
            |_| "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n".into(),
            |_| {},
            State::Down,
            "status 500 instead of 200",
        ),
        (
            "/",
            |_| redirect("/"),
            |check| check.status = 302,
            State::Down,
            "more than 1048576 bytes",
        ),
        (
            "/",
            |_| redirect("/"),
            |_| {},
            State::Down,
            "more than 5 redirects",
        ),
        (
            "/",
            |_| redirect("ftp://x.example/\u{7}"),
            |_| {},
            State::Down,
            "",
        ),
        (
            "/",
            |_| "garbage\r\n\u{1b}[31m\r\n\r\n".into(),
            |_| {},
            State::Down,
            "no whole answer",
        ),
    ];
    for (path, answer, change, state, error) in cases {
        let address = canned(move |_, request| answer(request)).await;
        let mut settings = check(CheckKind::Http, format!("http://{address}{path}"));
        change(&mut settings);
        let outcome = outcome(settings).await;
        assert_state(&outcome, state, error);
        assert!(!outcome.target.contains("hidden"), "{}", outcome.target);
    }
}

#[tokio::test]
async fn a_redirect_is_followed() {
    let address = canned(|_, request| {
        if request.starts_with("GET /a ") {
            redirect("b?x=1")
        } else {
            ok(request)
        }
    })
    .await;
    let mut settings = check(CheckKind::Http, format!("http://{address}/a"));
    settings.contains = "GET /b?x=1 ".to_owned();
    let outcome = outcome(settings).await;
    assert_state(&outcome, State::Up, "");
    assert_eq!(outcome.status, Some(200));
}

#[tokio::test]
async fn an_endless_body_is_cut() {
    let address = peer(|_, _, mut stream| {
        tokio::spawn(async move {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
            let mut open = stream.write_all(head.as_bytes()).await.is_ok();
            while open {
                open = stream.write_all(chunk.as_bytes()).await.is_ok();
            }
        })
    })
    .await;
    let mut settings = check(CheckKind::Http, format!("http://{address}/"));
    settings.timeout_secs = 30;
    assert_state(
        &outcome(settings).await,
        State::Down,
        "more than 1048576 bytes",
    );
}

#[tokio::test]
async fn a_silent_service_is_down_after_its_deadline() {
    let address = peer(|_, _, stream| {
        tokio::spawn(async move {
            let _held = stream;
            std::future::pending::<()>().await;
        })
    })
    .await;
    let outcome = outcome(check(CheckKind::Http, format!("http://{address}/"))).await;
    assert_state(&outcome, State::Down, "no answer");
    assert!(outcome.answer_ms.is_some());
}

#[tokio::test]
async fn a_second_attempt_that_passes_is_up_and_told() {
    let address = canned(|connection, _| {
        if connection == 0 {
            String::new()
        } else {
            ok("x")
        }
    })
    .await;
    let mut settings = check(CheckKind::Http, format!("http://{address}/"));
    settings.attempts = 3;
    let outcome = outcome(settings).await;
    assert_state(&outcome, State::Up, "no whole answer");
    assert_eq!(outcome.attempts, 2);
}

#[tokio::test]
async fn an_answer_beyond_its_bound_is_slow() {
    let address = peer(|_, _, mut stream| {
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
            drop(stream.write_all(ok("x").as_bytes()).await);
        })
    })
    .await;
    let mut settings = check(CheckKind::Http, format!("http://{address}/"));
    settings.timeout_secs = 30;
    settings.warn_ms = 10;
    assert_state(&outcome(settings).await, State::Slow, "");
}

#[tokio::test]
async fn ports() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let greeting = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            drop(stream.write_all(b"220 mail.example ESMTP\r\n").await);
        }
    });
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    for (address, contains, state, error) in [
        (greeting, "", State::Up, ""),
        (greeting, "ESMTP", State::Up, ""),
        (greeting, "SSH", State::Down, "banner"),
        (closed, "", State::Down, "cannot connect"),
    ] {
        let mut settings = check(CheckKind::Tcp, address.to_string());
        contains.clone_into(&mut settings.contains);
        assert_state(&outcome(settings).await, state, error);
    }
}

/// An authority, written to a file as what is trusted.
fn authority(folder: &Path) -> Authority {
    let made = Authority::new().unwrap();
    std::fs::write(folder.join("root.pem"), made.pem()).unwrap();
    made
}

/// A server whose certificate is for this name until this year.
async fn tls_peer(authority: &Authority, name: &str, year: i32) -> SocketAddr {
    let [certificate, key] = authority.identity(name, year).unwrap().der();
    let key = PrivateKeyDer::try_from(key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not trust it closes.
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut head = [0; 1024];
                if stream.read(&mut head).await.unwrap_or(0) > 0 {
                    drop(stream.write_all(ok("x").as_bytes()).await);
                    drop(stream.shutdown().await);
                }
            }
        }
    });
    address
}

#[tokio::test]
async fn certificates() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = authority(folder.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = authority(elsewhere.path());
    for (issuer, name, year, state, error) in [
        (&trusted, "localhost", 2100, State::Up, ""),
        (&trusted, "other.example", 2100, State::Down, "TLS"),
        (&trusted, "localhost", 2021, State::Down, "TLS"),
        (&stranger, "localhost", 2100, State::Down, "TLS"),
    ] {
        let port = tls_peer(issuer, name, year).await.port();
        for (kind, target) in [
            (CheckKind::Tls, format!("localhost:{port}")),
            (CheckKind::Http, format!("https://localhost:{port}/")),
        ] {
            let mut settings = check(kind, target);
            settings.timeout_secs = 30;
            settings.root_cert = Some(folder.path().join("root.pem"));
            let outcome = outcome(settings).await;
            assert_state(&outcome, state, error);
            // 31 December 2100.
            let expires = (state == State::Up).then_some(4_133_894_400);
            assert_eq!(outcome.expires_at.map(|at| at.0 / 1_000_000), expires);
            assert!(!outcome.is_expiring());
        }
    }
}

/// A resolver that answers each query with this code and address.
async fn resolver(code: u8, answers: Option<[u8; 4]>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            let mut answer = buffer[..length].to_vec();
            answer[2] |= 0x80;
            answer[3] = code;
            if let Some(ip) = answers {
                answer[7] = 1;
                answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                answer.extend_from_slice(&ip);
            }
            // What others sent before does not count.
            let mut forged = answer.clone();
            forged[0] ^= 0xff;
            socket.send_to(&forged, from).await.unwrap();
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn names() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let gone = UdpSocket::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let found = resolver(0, Some([192, 0, 2, 1])).await;
    for (address, answers, state, error) in [
        (found, &[][..], State::Up, ""),
        (found, &["192.0.2.1"][..], State::Up, ""),
        (
            found,
            &["192.0.2.1", "192.0.2.2"][..],
            State::Down,
            "192.0.2.2",
        ),
        (resolver(0, None).await, &[][..], State::Down, "no A record"),
        (resolver(3, None).await, &[][..], State::Down, "NXDOMAIN"),
        (resolver(5, None).await, &[][..], State::Unknown, "refuses"),
        (
            silent.local_addr().unwrap(),
            &[][..],
            State::Unknown,
            "resolver gives no answer",
        ),
        (gone, &[][..], State::Unknown, "resolver"),
    ] {
        let mut settings = check(CheckKind::Dns, "shop.example".to_owned());
        settings.resolver = address.to_string();
        settings.answers = answers.iter().map(|&answer| answer.to_owned()).collect();
        let outcome = outcome(settings).await;
        assert_state(&outcome, state, error);
        assert_eq!(outcome.answer_ms.is_none(), state == State::Unknown);
    }
}

#[tokio::test]
async fn servers() {
    let server = testkit::Server::builder().tcp().start().unwrap();
    let port = server.address().unwrap().port();
    let user = server.target().user;
    for (target, state, error) in [
        (
            format!("postgresql://{user}@127.0.0.1:{port}/postgres?sslmode=disable"),
            State::Up,
            "",
        ),
        (
            format!("postgresql://{user}@127.0.0.1:{port}/nothing?sslmode=disable"),
            State::Down,
            "nothing",
        ),
        (
            format!("postgresql://nobody_here@127.0.0.1:{port}/postgres?sslmode=disable"),
            State::Down,
            "nobody_here",
        ),
    ] {
        let mut settings = check(CheckKind::Postgres, target);
        settings.timeout_secs = 30;
        assert_state(&outcome(settings).await, state, error);
    }
}

#[tokio::test]
async fn the_ingest() {
    let bodies = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&bodies);
    let address = canned(move |_, request| {
        if request.starts_with("GET /stats/stored?view=") {
            return "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstored".to_owned();
        }
        let fits = request.starts_with("POST /stats/e ")
            && request.contains(r#""synthetic":true"#)
            && request.contains(r#""site":"shop.example""#)
            && request.contains(r#""events":[{"type":"view"}]"#);
        seen.fetch_add(usize::from(fits), Ordering::SeqCst);
        "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned()
    })
    .await;
    let ingest = |address: SocketAddr| {
        let mut settings = check(CheckKind::Ingest, format!("http://{address}/stats/"));
        settings.site = "shop.example".to_owned();
        settings
    };
    assert_state(&outcome(ingest(address)).await, State::Up, "");
    assert_eq!(bodies.load(Ordering::SeqCst), 1);
    let full = canned(|_, _| "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n".to_owned()).await;
    assert_state(
        &outcome(ingest(full)).await,
        State::Down,
        "503 instead of 202",
    );
    let waits = canned(|_, request| {
        let is_event = request.starts_with("POST ");
        match is_event {
            true => "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned(),
            false => "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwaiting".to_owned(),
        }
    })
    .await;
    assert_state(
        &outcome(ingest(waits)).await,
        State::Down,
        "not in the database after",
    );
}
