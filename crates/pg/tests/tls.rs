//! TLS with a real server: only a certificate that is trusted, valid now and of this name will do.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;

use config::Secret;
use pg::{Class, SessionOptions, Target, connect};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use testkit::{Server, Stop};

/// A certificate authority.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// Certificate and key of a server of this name, valid until the end of this year.
    fn server(&self, name: &str, last_year: i32) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// Restarts the server with this certificate.
fn present(server: &Server, (certificate, key): (String, String)) {
    server.stop(Stop::Fast).unwrap();
    server
        .write_file("server.crt", certificate.as_bytes())
        .unwrap();
    server.write_file("server.key", key.as_bytes()).unwrap();
    server
        .write_file("postgresql.auto.conf", b"ssl = on\n")
        .unwrap();
    server.start().unwrap();
}

async fn refused(target: &Target, words: &[&str]) {
    let error = connect(target, &SessionOptions::default(), "test")
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(words.iter().any(|word| text.contains(word)), "{text}");
    assert_eq!(error.class(), Class::Refused, "{text}");
    assert!(!format!("{error:?}{text}").contains("canary"), "{text}");
}

#[tokio::test]
async fn only_a_verified_server_is_spoken_to() {
    let dir = tempfile::tempdir().unwrap();
    let save = |name: &str, pem: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path
    };
    let (ours, other) = (Authority::new(), Authority::new());
    let server = Server::builder()
        .tcp()
        .file(
            "pg_hba.conf",
            "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
        )
        .start()
        .unwrap();
    server
        .sql("CREATE ROLE me LOGIN PASSWORD 'canary'")
        .await
        .unwrap();
    let port = server.address().unwrap().port();
    let mut target =
        Target::new("localhost", port, "postgres", "me").with_user("me", Secret::from("canary"));
    target.tls = true;
    target.root_cert = Some(save("ours.pem", &ours.pem));

    // The server offers no TLS: a downgrade.
    refused(&target, &["TLS"]).await;

    present(&server, ours.server("localhost", 2090));
    let session = connect(&target, &SessionOptions::default(), "test")
        .await
        .unwrap();
    let row = session
        .client
        .query_one(
            "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "TLSv1.3");
    // The request to cancel is encrypted too.
    session.cancel().await.unwrap();

    // Signed by an untrusted authority; self-signed.
    target.root_cert = Some(save("other.pem", &other.pem));
    refused(&target, &["UnknownIssuer", "BadSignature"]).await;
    target.root_cert = None;
    if Path::new("/etc/ssl/certs/ca-certificates.crt").is_file() {
        refused(&target, &["UnknownIssuer"]).await;
    }

    target.root_cert = Some(save("ours.pem", &ours.pem));
    present(&server, ours.server("other.example.org", 2090));
    refused(&target, &["not valid for name", "NotValidForName"]).await;
    present(&server, ours.server("localhost", 2021));
    refused(&target, &["expired", "Expired"]).await;

    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let own = params.self_signed(&key).unwrap().pem();
    present(&server, (own, key.serialize_pem()));
    // Its issuer has the name of ours, but not its key.
    refused(&target, &["UnknownIssuer", "BadSignature"]).await;
}
