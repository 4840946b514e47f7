//! Bodies that programs really write, good and bad.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn names(kind: TargetKind) -> Names {
    Names::of(kind, &BTreeMap::new()).unwrap()
}

fn api(body: &str) -> Result<Reading, String> {
    names(TargetKind::Api).read(body.as_bytes())
}

fn column(reading: &Reading, name: &str) -> Option<Number> {
    reading.numbers.get(name).copied()
}

#[test]
fn every_column_has_names_and_its_own_is_the_first() {
    for kind in [TargetKind::Api, TargetKind::Proxy] {
        let names = names(kind);
        let named: BTreeSet<_> = names.columns.iter().map(|(column, _)| *column).collect();
        let declared = kind.table().columns.iter().map(|column| column.name);
        let declared: BTreeSet<_> = declared.filter(|name| *name != "target").collect();
        assert_eq!(named, declared);
        for (column, paths) in &names.columns {
            assert_eq!((paths[0].path.as_str(), paths[0].factor), (*column, 1.0));
            let distinct: BTreeSet<_> = paths.iter().map(|path| &path.path).collect();
            assert_eq!(distinct.len(), paths.len(), "{column}");
        }
    }
}

#[test]
fn a_value_is_found_flat_nested_and_below_a_wrapper() {
    let proxy = names(TargetKind::Proxy);
    for (body, name, value) in [
        (
            r#"{"tls_pqc_handshakes": 5}"#,
            "tls_pqc_handshakes",
            Number::Whole(5),
        ),
        (
            r#"{"tls": {"pqc_handshakes": 5}}"#,
            "tls_pqc_handshakes",
            Number::Whole(5),
        ),
        (
            r#"{"connections": {"http3": 5}}"#,
            "conn_http3",
            Number::Whole(5),
        ),
        (
            r#"{"rate_limiter": {"blocked": 5}}"#,
            "rl_requests_blocked",
            Number::Whole(5),
        ),
        (
            r#"{"latency": {"p95_ms": 1.5}}"#,
            "latency_p95_ms",
            Number::Real(1.5),
        ),
        (
            r#"{"metrics": {"bytes_sent": 5}}"#,
            "bytes_sent",
            Number::Whole(5),
        ),
        (
            r#"{"data": {"tls": {"pqc_enabled": true}}}"#,
            "pqc_enabled",
            Number::Whole(1),
        ),
        (
            r#"{"memory_mb": 2}"#,
            "memory_bytes",
            Number::Real(2_097_152.0),
        ),
        // The flat name wins; one that is there and empty does not.
        (
            r#"{"conn_active": 1, "connections": {"active": 2}}"#,
            "conn_active",
            Number::Whole(1),
        ),
        (
            r#"{"conn_active": null, "connections": {"active": 2}}"#,
            "conn_active",
            Number::Whole(2),
        ),
        // The last of two keys counts.
        (
            r#"{"bytes_sent": 1, "bytes_sent": 2}"#,
            "bytes_sent",
            Number::Whole(2),
        ),
    ] {
        let reading = proxy.read(body.as_bytes()).unwrap();
        assert_eq!(column(&reading, name), Some(value), "{body}");
        assert_eq!(reading.bad, 0, "{body}");
    }
    // Connections as a number for an API, as a table for a proxy.
    assert_eq!(
        column(&api(r#"{"connections": 7}"#).unwrap(), "active_connections"),
        Some(Number::Whole(7))
    );
}

#[test]
fn a_path_of_its_own_is_the_only_one_of_a_column() {
    let map = [("total_requests".to_owned(), "http.hits * 2".to_owned())].into();
    let names = Names::of(TargetKind::Api, &map).unwrap();
    let reading = names.read(br#"{"http": {"hits": 4}, "rps": 1}"#).unwrap();
    assert_eq!(column(&reading, "total_requests"), Some(Number::Real(8.0)));
    assert_eq!(column(&reading, "rps"), Some(Number::Whole(1)));
    let reading = names.read(br#"{"total_requests": 4, "rps": 1}"#).unwrap();
    assert_eq!(column(&reading, "total_requests"), None);
}

#[test]
fn values_that_are_not_numbers_are_counted_and_the_rest_is_kept() {
    for bad in ["\"12\"", "NaN", "Infinity", "-Infinity", "1e400", "-1e999"] {
        let body = format!(r#"{{"rps": {bad}, "total_requests": 7}}"#);
        let reading = api(&body).unwrap();
        assert_eq!(reading.bad, 1, "{bad}");
        assert_eq!(column(&reading, "rps"), None, "{bad}");
        assert_eq!(
            column(&reading, "total_requests"),
            Some(Number::Whole(7)),
            "{bad}"
        );
    }
    // The column decides about these: see the rows.
    let reading = api(r#"{"total_requests": 18446744073709551616, "rps": -1}"#).unwrap();
    assert_eq!(reading.numbers.len(), 2);
}

#[test]
fn odd_text_spoils_nothing() {
    for body in [
        r#"{"note": "a\u0000b", "total_requests": 7}"#,
        r#"{"\u0000": 1, "total_requests": 7}"#,
        r#"{"note": "\ud800", "total_requests": 7}"#,
        r#"{"note": "\ud800\u0041", "total_requests": 7}"#,
        r#"{"note": "\udc00\ud800", "total_requests": 7}"#,
        r#"{"note": "\ud83d\ude00 \\u0000 \"NaN\"", "total_requests": 7}"#,
        "{\"note\": \"NaN, Infinity: {\", \"total_requests\": 7}",
    ] {
        let reading = api(body).unwrap();
        assert_eq!(
            column(&reading, "total_requests"),
            Some(Number::Whole(7)),
            "{body}"
        );
        assert_eq!(reading.bad, 0, "{body}");
    }
    let latin = [b"{\"note\": \"".as_slice(), &[0xe9], b"\", \"rps\": 1}"].concat();
    assert!(names(TargetKind::Api).read(&latin).is_ok());
    assert_eq!(
        clean(r#""\ud83d\ude00\ud83d\\""#),
        "\"\\ud83d\\ude00\u{fffd}\\\\\""
    );
}

#[test]
fn anything_but_a_json_object_with_our_values_is_an_error() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (body, words) in [
        ("", "ends early"),
        ("<html></html>", "not well-formed"),
        ("{\"total_requests\": 7", "ends early"),
        ("[1]", "not an object"),
        ("{\"a\": 1}", "none of the values"),
        (&format!("{{\"a\": {deep}}}"), "nested too deep"),
    ] {
        let problem = api(body).unwrap_err();
        assert!(problem.contains(words), "{problem}");
    }
}

#[test]
fn endpoints_are_read_in_every_form() {
    for body in [
        r#"{"endpoints": [{"endpoint": "/a", "status": 404, "count": 3}]}"#,
        r#"{"endpoints": [{"path": "/a", "statuses": {"404": 3}}]}"#,
        r#"{"endpoints": {"/a": {"404": 3}}}"#,
        r#"{"metrics": {"endpoints": {"/a": {"status_codes": {"404": 3}, "avg_ms": 4}}}}"#,
        r#"{"endpoint_errors": [{"route": "/a", "code": "404", "total": 3}]}"#,
    ] {
        let reading = api(body).unwrap();
        let wanted = Endpoint {
            path: "/a".to_owned(),
            status: 404,
            responses: Number::Whole(3),
            last_seen: None,
        };
        assert_eq!(reading.endpoints, [wanted], "{body}");
    }
    let reading = api(r#"{"endpoints": [{"count": 3}, 5, {"path": "/a", "404": "x"}]}"#).unwrap();
    assert_eq!((reading.endpoints.len(), reading.bad), (0, 3));
}

#[test]
fn buckets_are_read_in_the_order_of_their_bounds() {
    let reading =
        api(r#"{"latency_buckets": {"+Inf": 9, "10": 5, "2.5": 1, "x": 1, "5": -1}}"#).unwrap();
    assert_eq!(
        reading.buckets,
        [(2.5, 1.0), (10.0, 5.0), (f64::INFINITY, 9.0)]
    );
    assert_eq!(reading.bad, 2);
}

#[test]
fn an_instant_is_read_in_every_form() {
    let wanted = Some(Timestamp::from_millis(1_795_392_000_500));
    for text in [
        "\"2026-11-23T00:00:00.5Z\"",
        "\"2026-11-23T01:00:00.5+01:00\"",
        "1795392000.5",
        "1795392000500",
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(timestamp(&value), wanted, "{text}");
    }
    for text in ["\"yesterday\"", "-1", "1e300", "null", "true"] {
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(timestamp(&value), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(names(TargetKind::Api).read(&body));
    }

    #[test]
    fn anything_like_json_is_read_or_refused(body in "[\\[\\]{}:,\"\\\\u0d8a1 NIe.+-]{0,60}") {
        drop(names(TargetKind::Proxy).read(body.as_bytes()));
    }

    #[test]
    fn what_is_json_already_is_not_changed(
        text in "\\PC{0,30}",
        number in prop::num::f64::NORMAL,
        whole: i64,
    ) {
        let value = serde_json::json!({ text.clone(): [number, whole, text, null, true, {}] });
        let body = value.to_string();
        prop_assert_eq!(clean(&body), body);
    }
}
