//! TLS with a real server: only a certificate that is trusted, valid now and of this name will do.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;

use config::Secret;
use pg::{Class, SessionOptions, Target, connect};
use testkit::{Authority, Identity, Server, Stop};

/// Restarts the server with this certificate.
fn present(server: &Server, identity: &Identity) {
    let [certificate, key] = identity.pem();
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
    let (ours, other) = (Authority::new().unwrap(), Authority::new().unwrap());
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
    target.root_cert = Some(save("ours.pem", ours.pem()));

    // The server offers no TLS: a downgrade.
    refused(&target, &["TLS"]).await;

    present(&server, &ours.identity("localhost", 2090).unwrap());
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
    target.root_cert = Some(save("other.pem", other.pem()));
    refused(&target, &["UnknownIssuer", "BadSignature"]).await;
    target.root_cert = None;
    if Path::new("/etc/ssl/certs/ca-certificates.crt").is_file() {
        refused(&target, &["UnknownIssuer"]).await;
    }

    target.root_cert = Some(save("ours.pem", ours.pem()));
    present(&server, &ours.identity("other.example.org", 2090).unwrap());
    refused(&target, &["not valid for name", "NotValidForName"]).await;
    present(&server, &ours.identity("localhost", 2021).unwrap());
    refused(&target, &["expired", "Expired"]).await;

    present(&server, &Identity::self_signed("localhost").unwrap());
    // Its issuer has the name of ours, but not its key.
    refused(&target, &["UnknownIssuer", "BadSignature"]).await;
}
