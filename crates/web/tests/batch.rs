//! A batch answers each of its questions as it would be answered alone.

mod common;

use common::{Server, empty, seeded, serve};
use serde_json::Value;

/// Percent-encodes the characters that would end a value.
fn encode(text: &str) -> String {
    text.replace('%', "%25")
        .replace('&', "%26")
        .replace('+', "%2B")
        .replace('"', "%22")
}

fn batch(questions: &[(&str, Option<&str>)]) -> String {
    let pairs: Vec<String> = questions
        .iter()
        .map(|(path, tag)| {
            let tag = tag.map_or_else(String::new, |tag| format!("&t={}", encode(tag)));
            format!("q={}{tag}", encode(path))
        })
        .collect();
    format!("batch?{}", pairs.join("&"))
}

/// Asks until no question is to be asked alone: a busy machine may take longer for one than a batch waits.
async fn answered(server: &Server, questions: &[(&str, Option<&str>)]) -> Value {
    loop {
        let answer = server.ask(&batch(questions)).await;
        let mut parts = answer["answers"].as_array().into_iter().flatten();
        if parts.all(|part| part["status"] != 202) {
            return answer;
        }
    }
}

#[tokio::test]
async fn questions_are_answered_as_they_are_alone() {
    let database = seeded().await;
    let server = serve(&database);
    let paths = [
        "series?m=system.load_1,mount.used_pct@/&from=now-1m&px=50&limit=1",
        "table/processes?limit=2",
        "table/mounts",
        "logs?from=now-1h&to=now",
        "series?m=no.such",
        "table/none",
        "meta",
        "../../healthz",
    ];
    let alone: Vec<_> = {
        let mut alone = Vec::new();
        for path in &paths[..6] {
            alone.push(server.get(&format!("api/v1/{path}")).await);
        }
        alone
    };
    let asked: Vec<_> = paths.iter().map(|path| (*path, None)).collect();
    let answer = answered(&server, &asked).await;
    let parts = answer["answers"].as_array().unwrap();
    assert_eq!(parts.len(), paths.len());
    for ((part, alone), path) in parts.iter().zip(&alone).zip(paths) {
        assert_eq!(part["status"], alone.status.as_u16(), "{path}");
        assert_eq!(part["body"], alone.json(), "{path}");
        if alone.status.is_success() {
            assert_eq!(part["tag"], alone.header("etag"), "{path}");
        }
    }
    // Only what panels ask for is in a batch.
    assert_eq!(parts[6]["status"], 404);
    assert_ne!(parts[7]["status"], 200);

    // A client that has the answer gets 304; the other answers are still sent.
    let tag = alone[0].header("etag");
    let asked = [(paths[0], Some(tag)), (paths[2], Some("W/\"other\""))];
    let answer = answered(&server, &asked).await;
    assert_eq!(answer["answers"][0]["status"], 304);
    assert_eq!(answer["answers"][0]["body"], Value::Null);
    assert_eq!(answer["answers"][1]["status"], 200);
}

#[tokio::test]
async fn what_is_not_json_is_to_be_asked_alone() {
    let database = seeded().await;
    let server = serve(&database);
    let answer = server
        .ask(&batch(&[("table/mounts?format=csv", None)]))
        .await;
    assert_eq!(answer["answers"][0]["status"], 202);
}

#[tokio::test]
async fn bad_batches_are_refused() {
    let database = empty().await;
    let server = serve(&database);
    let many: Vec<_> = (0..25).map(|_| ("table/mounts", None)).collect();
    for path in [
        "batch".to_owned(),
        "batch?t=x".to_owned(),
        "batch?q=table/mounts&x=1".to_owned(),
        "batch?q=table/mounts&t=%0a".to_owned(),
        batch(&many),
    ] {
        let (status, code) = server.refused(&path).await;
        assert_eq!((status, code.as_str()), (400, "bad_request"), "{path}");
    }
}
