//! The proxy fails as requested, to the byte.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use testkit::{Cut, Direction, Mode, Proxy, Server};

/// Returns a peer that sends back what it gets, in capitals.
fn shouting() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut buffer = [0; 1024];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    let reply = buffer[..count].to_ascii_uppercase();
                    if stream.write_all(&reply).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

fn client(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// Returns what arrives until the link ends, and whether it was reset.
fn rest(mut stream: TcpStream) -> (Vec<u8>, bool) {
    let (mut all, mut buffer) = (Vec::new(), [0; 1024]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (all, false),
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return (all, true),
            Err(error) => panic!("{error}"),
        }
    }
}

fn echoed(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).unwrap();
    let mut reply = vec![0; text.len()];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(reply, text.to_ascii_uppercase().as_bytes());
}

#[test]
fn passes_and_counts() {
    let proxy = Proxy::start(shouting()).unwrap();
    for _ in 0..3 {
        echoed(&mut client(&proxy), "hello");
    }
    assert_eq!((proxy.connections(), proxy.cuts()), (3, 0));
}

#[test]
fn resets_what_stands_and_what_comes() {
    let proxy = Proxy::start(shouting()).unwrap();
    let mut standing = client(&proxy);
    echoed(&mut standing, "one");
    proxy.set(Mode::Reset);
    assert_eq!(rest(standing), (vec![], true));
    assert_eq!(rest(client(&proxy)), (vec![], true));
    proxy.set(Mode::Pass);
    echoed(&mut client(&proxy), "two");
}

#[test]
fn refuses_and_listens_again() {
    let proxy = Proxy::start(shouting()).unwrap();
    proxy.set(Mode::Refuse);
    let error = TcpStream::connect(proxy.address()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    proxy.set(Mode::Pass);
    echoed(&mut client(&proxy), "again");
}

#[test]
fn cuts_after_exactly_so_many_bytes() {
    for most in [1, 4, 5] {
        let proxy = Proxy::start(shouting()).unwrap();
        proxy.set(Mode::CutAfter(Direction::ToClient, most));
        let mut stream = client(&proxy);
        stream.write_all(b"hello world").unwrap();
        assert_eq!(
            rest(stream),
            (b"HELLO WORLD"[..most].to_vec(), true),
            "{most}"
        );
        assert_eq!(proxy.mode(), Mode::Pass);
        echoed(&mut client(&proxy), "once only");
    }
}

#[test]
fn cuts_around_a_pattern() {
    for (cut, arrives) in [
        (Cut::BeforeServer, ""),
        (Cut::BeforeReply, ""),
        (Cut::AfterReply, "COMMIT"),
    ] {
        let proxy = Proxy::start(shouting()).unwrap();
        proxy.set(Mode::CutOn(b"commit".to_vec(), cut));
        let mut stream = client(&proxy);
        echoed(&mut stream, "begin");
        stream.write_all(b"commit").unwrap();
        let (bytes, was_reset) = rest(stream);
        assert_eq!(String::from_utf8(bytes).unwrap(), arrives, "{cut:?}");
        assert!(was_reset, "{cut:?}");
        assert_eq!(proxy.cuts(), 1, "{cut:?}");
    }
}

#[test]
fn swallows_without_closing_and_goes_on() {
    let proxy = Proxy::start(shouting()).unwrap();
    let mut stream = client(&proxy);
    echoed(&mut stream, "one");
    proxy.set(Mode::Blackhole);
    stream.write_all(b"two").unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let error = stream.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    proxy.set(Mode::HalfOpen);
    let error = stream.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    proxy.set(Mode::Pass);
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    assert!(rest(stream).1);
}

#[test]
fn slow_and_late_bytes_arrive_whole() {
    let proxy = Proxy::start(shouting()).unwrap();
    for mode in [Mode::Slow(2000), Mode::Latency(Duration::from_millis(10))] {
        proxy.set(mode);
        echoed(&mut client(&proxy), &"abc".repeat(30));
    }
}

#[tokio::test]
async fn a_commit_without_its_reply_is_a_commit() {
    let server = Server::builder().tcp().start().unwrap();
    server.sql("CREATE TABLE n (i int4)").await.unwrap();
    let proxy = Proxy::start(server.address().unwrap()).unwrap();
    for (cut, stored) in [(Cut::BeforeServer, 0), (Cut::BeforeReply, 1)] {
        server.sql("TRUNCATE n").await.unwrap();
        let target = server.target_at(proxy.address());
        let session = pg::connect(&target, &pg::SessionOptions::default(), "test")
            .await
            .unwrap();
        proxy.set(Mode::CutOn(b"COMMIT".to_vec(), cut));
        session.client.batch_execute("BEGIN").await.unwrap();
        let insert = "INSERT INTO public.n VALUES (1)";
        session.client.batch_execute(insert).await.unwrap();
        let commit = session.client.batch_execute("COMMIT");
        let error = session
            .run("commit", Duration::from_secs(20), commit)
            .await
            .unwrap_err();
        assert_eq!(error.class(), pg::Class::Gone, "{cut:?}: {error}");
        assert!(!session.is_usable(), "{cut:?}");
        let count = server.sql("SELECT count(*) FROM n").await.unwrap();
        assert_eq!(count[0][0], Some(stored.to_string()), "{cut:?}");
    }
}
