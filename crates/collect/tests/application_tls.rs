//! H11: over TLS, certificate and name are verified, or nothing is sent.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod application_support;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use application_support::{cell, lines, ok, target, text, tick};
use collect::application::{Application, ScrapeError};
use config::HttpUrl;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use schema::{Cell, Row};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority whose certificate lies in a file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    dir: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let dir = TempDir::new().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        std::fs::write(dir.path().join("root.pem"), pem).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            dir,
        }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("root.pem")
    }

    /// Serves one good answer to each connection whose handshake succeeds, under this name; counts
    /// the requests that were read.
    async fn serve(&self, name: &str, last_year: i32) -> (u16, Arc<AtomicUsize>) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
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
}

async fn ask(host: &str, port: u16, root_cert: PathBuf) -> Vec<Row> {
    let mut target = target(port);
    target.url = Some(HttpUrl::parse(&format!("https://{host}:{port}/metrics")).unwrap());
    target.token = "canary".into();
    target.root_cert = Some(root_cert);
    tick(&mut Application::new(target).unwrap(), 0).await.0
}

#[tokio::test]
async fn h11_only_a_valid_certificate_of_this_name_is_spoken_to() {
    let (ours, other) = (Authority::new(), Authority::new());
    for (name, host, last_year, root, words) in [
        ("localhost", "localhost", 2090, ours.root(), None),
        ("127.0.0.1", "127.0.0.1", 2090, ours.root(), None),
        ("localhost", "localhost", 2021, ours.root(), Some("expired")),
        (
            "elsewhere.example",
            "localhost",
            2090,
            ours.root(),
            Some("not valid for name"),
        ),
        (
            "localhost",
            "127.0.0.1",
            2090,
            ours.root(),
            Some("not valid for name"),
        ),
        (
            "localhost",
            "localhost",
            2090,
            other.root(),
            Some("invalid peer certificate"),
        ),
    ] {
        let (port, requests) = ours.serve(name, last_year).await;
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
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(&ok("application/json", b"{}"))
            .await
            .unwrap();
    });
    let rows = ask("localhost", port, authority.root()).await;
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
