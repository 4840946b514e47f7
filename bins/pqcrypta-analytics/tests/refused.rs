//! Bad requests: each has its answer, and none ends the program.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{BROWSER, Home, Program, SITE, usual, view};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

fn start() -> (Home, Program) {
    let away = pg::Target::new("/nonexistent", 5432, "none", "none");
    let home = Home::new(&away, &format!("script_name = \"site.js\"\n{SITE}"));
    let program = home.start();
    (home, program)
}

/// A queue that a newer version wrote: status 78, after which no service manager tries again, and it is left as it is.
#[test]
fn a_queue_of_a_newer_format() {
    let (home, program) = start();
    assert_eq!(program.stop(), Some(0), "{}", home.log());
    let folder = std::fs::read_dir(home.queue().join("core")).unwrap();
    let segment = folder.flatten().map(|entry| entry.path()).next().unwrap();
    let newer = testkit::of_format(&std::fs::read(&segment).unwrap(), 7).unwrap();
    std::fs::write(&segment, &newer).unwrap();
    let ended = home.command().output().unwrap();
    assert_eq!(ended.status.code(), Some(78), "{}", home.log());
    assert!(home.log().contains("has spool format 7"), "{}", home.log());
    assert_eq!(std::fs::read(&segment).unwrap(), newer);
}

#[test]
fn bodies() {
    let (_home, program) = start();
    let usual = usual("192.0.2.1");
    let depth = "[".repeat(4000) + &"]".repeat(4000);
    let good = view(1, "/").to_string();
    let events = json!(vec![json!({"type": "view"}); 21]);
    let mut many = view(1, "/");
    many["events"] = events;
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("empty", b"".to_vec(), 400),
        ("null", b"null".to_vec(), 400),
        ("array", b"[]".to_vec(), 400),
        ("broken", b"{".to_vec(), 400),
        ("not UTF-8", b"{\"v\":\"\xff\"}".to_vec(), 400),
        (
            "a zero byte",
            good.replace("A page", "A\0page").into_bytes(),
            400,
        ),
        (
            "half a surrogate pair",
            good.replace("A page", "\\ud800").into_bytes(),
            400,
        ),
        ("deep", depth.into_bytes(), 400),
        (
            "too great a number",
            good.replace("1440", "1e999").into_bytes(),
            400,
        ),
        ("21 events", many.to_string().into_bytes(), 400),
        (
            "unknown type",
            good.replace("\"view\"}", "\"explode\"}").into_bytes(),
            400,
        ),
        (
            "a script as address",
            good.replace("https://example.org/", "javascript:alert(1)")
                .into_bytes(),
            400,
        ),
        (
            "a user in the address",
            good.replace("https://example.org/", "https://a@example.org/")
                .into_bytes(),
            400,
        ),
        (
            "unknown site",
            good.replace("\"site\":\"example.org\"", "\"site\":\"other.example\"")
                .into_bytes(),
            404,
        ),
        (
            "page of another site",
            good.replace("https://example.org/", "https://example.org.evil.example/")
                .into_bytes(),
            403,
        ),
        ("too long", vec![b' '; 8193], 413),
        ("good", good.clone().into_bytes(), 202),
    ];
    for (name, body, status) in cases {
        let (found, answer) = program.post_with(&usual, &body).unwrap();
        assert_eq!(found, status, "{name}: {answer}");
    }
}

#[test]
fn types_and_framing() {
    let (_home, program) = start();
    let body = view(1, "/").to_string();
    let usual = usual("192.0.2.2");
    for (name, headers, status) in [
        (
            "no type",
            usual.replace("Content-Type: text/plain;charset=UTF-8\r\n", ""),
            415,
        ),
        (
            "form",
            usual.replace("text/plain;charset=UTF-8", "multipart/form-data"),
            415,
        ),
        ("gzip", format!("{usual}Content-Encoding: gzip\r\n"), 415),
        (
            "JSON",
            usual.replace("text/plain;charset=UTF-8", "application/json"),
            202,
        ),
        (
            "foreign origin",
            usual.replace("https://example.org", "https://evil.example"),
            403,
        ),
        (
            "origin null",
            usual.replace("https://example.org", "null"),
            403,
        ),
        (
            "lookalike",
            usual.replace("https://example.org", "https://example.org.evil.example"),
            403,
        ),
        (
            "a user in the origin",
            usual.replace("https://example.org", "https://example.org@evil.example"),
            403,
        ),
        (
            "no origin",
            usual.replace("Origin: https://example.org\r\n", ""),
            403,
        ),
        (
            "referer",
            usual.replace(
                "Origin: https://example.org",
                "Referer: https://example.org/x",
            ),
            202,
        ),
        (
            "www",
            usual.replace("https://example.org", "https://www.example.org"),
            202,
        ),
    ] {
        let (found, answer) = program.post_with(&headers, body.as_bytes()).unwrap();
        assert_eq!(found, status, "{name}: {answer}");
    }
    let chunk = format!("{:x}\r\n{body}\r\n", body.len());
    let chunked = format!(
        "POST /e HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n{usual}\r\n"
    );
    assert_eq!(
        program
            .raw(format!("{chunked}{chunk}0\r\n\r\n").as_bytes())
            .unwrap()
            .0,
        202
    );
    let endless = format!(
        "{chunked}{}",
        format!("400\r\n{}\r\n", " ".repeat(1024)).repeat(16)
    );
    assert_eq!(program.raw(endless.as_bytes()).unwrap().0, 413);
    // With both, the chunks count, and what follows them on the connection is never read as a request.
    let both = chunked.replace("Connection: close\r\n", "Content-Length: 5\r\n");
    let (status, answer) = program
        .raw(format!("{both}{chunk}0\r\n\r\nGET /p.gif HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
        .unwrap();
    assert_eq!(
        (status, answer.matches("HTTP/1.1").count()),
        (202, 1),
        "{answer}"
    );
    let twice = format!("{usual}Content-Length: 5\r\n");
    assert_eq!(program.post_with(&twice, body.as_bytes()).unwrap().0, 400);
}

#[test]
fn a_slow_body_is_given_up() {
    let (_home, program) = start();
    let mut link = TcpStream::connect(program.address).unwrap();
    let head = format!(
        "POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n{}\r\n{{",
        usual("192.0.2.3")
    );
    link.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    link.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[test]
fn paths_and_methods() {
    let (_home, program) = start();
    let ask = |line: &str, headers: &str| {
        let request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");
        program.raw(request.as_bytes()).unwrap()
    };
    for (line, status) in [
        ("GET /e", 405),
        ("PUT /e", 405),
        ("POST /p.gif", 405),
        ("DELETE /pqcrypta-analytics.js", 405),
        ("GET /", 404),
        ("GET /e/", 404),
        ("GET /../e", 404),
        ("GET /site.js", 200),
        ("HEAD /pqcrypta-analytics.js", 200),
    ] {
        let (found, answer) = ask(line, "");
        assert_eq!(found, status, "{line}: {answer}");
    }
    let (_, script) = ask("GET /pqcrypta-analytics.js", "");
    let tag = script
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .unwrap()
        .to_owned();
    assert_eq!(
        ask(
            "GET /pqcrypta-analytics.js",
            &format!("If-None-Match: {tag}\r\n")
        )
        .0,
        304
    );
    assert!(
        ask("GET /site.js", "Accept-Encoding: gzip\r\n")
            .1
            .contains("content-encoding: gzip")
    );
    let origin = "Origin: https://example.org\r\nAccess-Control-Request-Method: POST\r\n";
    let (status, answer) = ask("OPTIONS /e", origin);
    assert_eq!(status, 204);
    assert!(
        answer.contains("access-control-allow-origin: https://example.org\r\n"),
        "{answer}"
    );
    assert!(!answer.contains("credentials"), "{answer}");
    assert_eq!(ask("OPTIONS /e", "Origin: https://evil.example\r\n").0, 403);
    let agent = format!("User-Agent: {BROWSER}\r\n");
    let (status, pixel) = ask(
        "GET /p.gif?site=example.org&url=https%3A%2F%2Fexample.org%2Fa",
        &agent,
    );
    assert_eq!(status, 200, "{pixel}");
    assert!(pixel.contains("GIF89a"));
    assert_eq!(ask("GET /p.gif?site=example.org", &agent).0, 400);
    let long = format!("GET /p.gif?site={}", "a".repeat(9000));
    assert_eq!(ask(&long, &agent).0, 404);
}

#[test]
fn a_flood_is_limited() {
    let (_home, program) = start();
    let body = view(1, "/");
    let statuses: Vec<u16> = (0..100)
        .map(|_| program.post("192.0.2.4", &body).unwrap())
        .collect();
    assert!(
        statuses[..60].iter().all(|status| *status == 202),
        "{statuses:?}"
    );
    assert!(statuses.contains(&429), "{statuses:?}");
    // Another address is not affected.
    assert_eq!(program.post("192.0.3.4", &body), Some(202));
}

#[test]
fn slow_connections_leave_room() {
    let (_home, program) = start();
    let held: Vec<TcpStream> = (0..300)
        .map(|_| TcpStream::connect(program.address).unwrap())
        .collect();
    // All places are taken for ten seconds at most.
    assert_eq!(program.post("192.0.2.5", &view(1, "/")), Some(202));
    drop(held);
}
