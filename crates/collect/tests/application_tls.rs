//! H11: over TLS, certificate and name are verified, or nothing is sent.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod application_support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use application_support::{cell, lines, ok, target, text, tick};
use collect::application::{Application, ScrapeError};
use config::HttpUrl;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use schema::{Cell, Row};
use tempfile::TempDir;
use testkit::{Authority, Identity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority, and the file with its certificate.
fn authority(dir: &TempDir, file: &str) -> (Authority, PathBuf) {
    let made = Authority::new().unwrap();
    let root = dir.path().join(file);
    std::fs::write(&root, made.pem()).unwrap();
    (made, root)
}

/// Serves one good answer to each connection whose handshake succeeds; counts the requests that were read.
async fn serve(identity: &Identity) -> (u16, Arc<AtomicUsize>) {
    let [certificate, key] = identity.der();
    let private = PrivateKeyDer::try_from(key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 1024];
            if stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                counted.fetch_add(1, Ordering::Relaxed);
                let answer = ok("application/json", br#"{"request_total": 7}"#);
                drop(stream.write_all(&answer).await);
            }
            drop(stream.shutdown().await);
        }
    });
    (port, requests)
}

async fn ask(host: &str, port: u16, root_cert: &Path) -> Vec<Row> {
    let mut target = target(port);
    target.url = Some(HttpUrl::parse(&format!("https://{host}:{port}/metrics")).unwrap());
    target.token = "canary".into();
    target.root_cert = Some(root_cert.to_owned());
    tick(&mut Application::new(target).unwrap(), 0).await.0
}

#[tokio::test]
async fn h11_only_a_valid_certificate_of_this_name_is_spoken_to() {
    let dir = TempDir::new().unwrap();
    let (ours, ours_root) = authority(&dir, "ours.pem");
    let (_, other_root) = authority(&dir, "other.pem");
    for (name, host, last_year, root, words) in [
        ("localhost", "localhost", 2090, &ours_root, None),
        ("127.0.0.1", "127.0.0.1", 2090, &ours_root, None),
        ("localhost", "localhost", 2021, &ours_root, Some("expired")),
        (
            "elsewhere.example",
            "localhost",
            2090,
            &ours_root,
            Some("not valid for name"),
        ),
        (
            "localhost",
            "127.0.0.1",
            2090,
            &ours_root,
            Some("not valid for name"),
        ),
        (
            "localhost",
            "localhost",
            2090,
            &other_root,
            Some("invalid peer certificate"),
        ),
    ] {
        let (port, requests) = serve(&ours.identity(name, last_year).unwrap()).await;
        let rows = ask(host, port, root).await;
        let shown = lines(&rows);
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(cell(&rows[0], "up"), Cell::Bool(words.is_none()), "{shown}");
        let requests = requests.load(Ordering::Relaxed);
        assert_eq!(requests, usize::from(words.is_none()), "{shown}");
        if let Some(words) = words {
            let error = text(&rows[0], "error");
            assert!(error.contains("cannot speak TLS with"), "{error}");
            assert!(error.contains(words), "{words:?} is not in {error}");
        }
    }
}

#[tokio::test]
async fn plain_text_is_not_taken_for_tls() {
    let dir = TempDir::new().unwrap();
    let (_, root) = authority(&dir, "root.pem");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(&ok("application/json", b"{}"))
            .await
            .unwrap();
    });
    let rows = ask("localhost", port, &root).await;
    assert!(
        text(&rows[0], "error").contains("cannot speak TLS with"),
        "{}",
        lines(&rows)
    );
}

#[test]
fn certificates_that_cannot_be_read_are_named() {
    let mut target = target(1);
    target.url = Some(HttpUrl::parse("https://localhost/").unwrap());
    target.root_cert = Some("/nowhere/root.pem".into());
    let error = Application::new(target).unwrap_err();
    assert!(matches!(error, ScrapeError::Tls { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("the certificates in /nowhere/root.pem: "),
        "{error}"
    );
}
