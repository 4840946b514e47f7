use super::*;
use crate::refusal::Reason;
use proptest::prelude::*;
use serde_json::{Value, json};

fn usual() -> Value {
    json!({"v": 1, "site": "Example.org", "url": "https://example.org/a?utm_source=x", "ref": "https://www.google.com/",
           "title": "A\ttitle", "width": 1440, "view": "9f2c000000000001",
           "events": [{"type": "view"}, {"type": "time", "engaged_ms": 12000, "scroll_pct": 55},
                      {"type": "event", "name": "signup", "props": {"plan": "pro", "seats": 3, "trial": true}}]})
}

fn with(change: impl FnOnce(&mut Value)) -> Result<Report, Refusal> {
    let mut body = usual();
    change(&mut body);
    parse(body.to_string().as_bytes())
}

#[test]
fn a_report_is_read() {
    let report = with(|_| ()).unwrap();
    assert_eq!(report.site, "example.org");
    assert_eq!(
        (report.page.host.as_str(), report.page.key.as_str()),
        ("example.org", "/a/")
    );
    assert_eq!(report.title.as_deref(), Some("A title"));
    assert_eq!(
        (report.width, report.view),
        (Some(1440), 0x9f2c_0000_0000_0001_u64.cast_signed())
    );
    assert_eq!(report.events.len(), 3);
    assert_eq!(
        report.events[1].what,
        Happening::Time {
            engaged_ms: 12000,
            scroll_pct: Some(55)
        }
    );
    let Happening::Event { name, props, .. } = &report.events[2].what else {
        panic!("the third is an event");
    };
    assert_eq!(name, "signup");
    assert_eq!(
        props.as_deref(),
        Some(r#"{"plan":"pro","seats":3,"trial":true}"#)
    );
}

#[test]
fn numbers_are_clamped() {
    for (engaged, scroll, width, age, wanted) in [
        (
            1e12,
            1000.0,
            1e9,
            1e12,
            (14_400_000, Some(100), Some(20_000), 600_000),
        ),
        (-1.0, -5.0, -1.0, -1.0, (0, Some(0), None, 0)),
        (1.9, 55.5, 0.0, 0.0, (1, Some(55), None, 0)),
    ] {
        let report = with(|body| {
            body["width"] = json!(width);
            body["events"] = json!([{"type": "time", "engaged_ms": engaged, "scroll_pct": scroll, "age_ms": age}]);
        })
        .unwrap();
        let Happening::Time {
            engaged_ms,
            scroll_pct,
        } = report.events[0].what
        else {
            panic!("engagement");
        };
        assert_eq!(
            (
                engaged_ms,
                scroll_pct,
                report.width,
                report.events[0].age_ms
            ),
            wanted
        );
    }
}

#[test]
fn texts_are_cut_or_refused() {
    let report = with(|body| body["title"] = json!("é".repeat(400))).unwrap();
    assert_eq!(report.title.unwrap().chars().count(), 300);
    assert_eq!(
        with(|body| body["title"] = json!("a".repeat(1201))),
        Err(Refusal::invalid("title"))
    );
    assert_eq!(
        with(|body| body["title"] = json!("   ")).unwrap().title,
        None
    );
    let named =
        |name: String| with(|body| body["events"] = json!([{"type": "event", "name": name}]));
    assert!(named("a".repeat(100)).is_ok());
    assert_eq!(named("a".repeat(257)), Err(Refusal::invalid("name")));
    assert_eq!(named("\u{200b}".to_owned()), Err(Refusal::invalid("name")));
}

#[test]
fn bad_bodies_are_refused() {
    let many = "[".repeat(10_000) + &"]".repeat(10_000);
    let raw: Vec<(Vec<u8>, Refusal)> = vec![
        (b"".to_vec(), Refusal::invalid("json")),
        (b"null".to_vec(), Refusal::invalid("json")),
        (b"[]".to_vec(), Refusal::invalid("json")),
        (b"{".to_vec(), Refusal::invalid("json")),
        (b"{}{}".to_vec(), Refusal::invalid("json")),
        (b"\xff\xfe".to_vec(), Refusal::invalid("json")),
        (many.as_bytes()[..8000].to_vec(), Refusal::invalid("depth")),
        (many.into_bytes(), Reason::TooLarge.into()),
        (vec![b' '; LONGEST_BODY + 1], Reason::TooLarge.into()),
    ];
    for (body, refusal) in raw {
        assert_eq!(
            parse(&body),
            Err(refusal),
            "{}",
            String::from_utf8_lossy(&body[..body.len().min(30)])
        );
    }
    let text = usual().to_string();
    for (from, to, detail) in [
        ("\"signup\"", "\"\\ud800\"", "json"),
        ("\"signup\"", "\"a\\u0000\"", "name"),
        ("12000", "1e999", "json"),
        ("12000", "\"12\"", "json"),
        ("12000", "NaN", "json"),
        ("12000", "null", "engaged_ms"),
        ("\"pro\"", "{\"a\":1}", "depth"),
        ("\"pro\"", "[]", "depth"),
        ("\"v\":1", "\"v\":2", "v"),
        ("\"v\":1", "\"w\":1", "json"),
        ("\"9f2c000000000001\"", "\"9f2c\"", "view"),
        ("\"9f2c000000000001\"", "\"+f2c000000000001\"", "view"),
        ("\"9f2c000000000001\"", "7", "json"),
        ("\"type\":\"view\"", "\"type\":\"explode\"", "type"),
        ("https://example.org/a", "javascript:alert(1)//", "url"),
        ("https://example.org/a", "https://user@example.org/a", "url"),
        (
            "https://example.org/a",
            "https://example.org/\\u0000",
            "url",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let body = text.replacen(from, to, 1);
        assert_eq!(
            parse(body.as_bytes()),
            Err(Refusal::invalid(detail)),
            "{to}"
        );
    }
    for (field, value, detail) in [
        ("events", json!([]), "events"),
        ("events", json!(vec![json!({"type": "view"}); 21]), "events"),
        ("events", json!({"type": "view"}), "json"),
        ("site", json!(""), "site"),
        (
            "url",
            json!(format!("https://example.org/{}", "a".repeat(3000))),
            "url",
        ),
        ("session", json!("short"), "session"),
        ("session", json!("health-check-session"), "session"),
        ("session", json!("0123456789abcde\u{e9}f"), "session"),
        ("session", json!("a".repeat(65)), "session"),
    ] {
        assert_eq!(
            with(|body| body[field] = value),
            Err(Refusal::invalid(detail)),
            "{field} {detail}"
        );
    }
    let too_many: serde_json::Map<String, Value> =
        (0..21).map(|n| (n.to_string(), json!(n))).collect();
    let events = json!([{"type": "event", "name": "a", "props": too_many}]);
    assert_eq!(
        with(|body| body["events"] = events),
        Err(Refusal::invalid("props"))
    );
}

#[test]
fn a_referrer_that_is_none_is_dropped() {
    for referrer in [
        "javascript:alert(1)",
        "https://user@example.org/",
        "",
        "nonsense",
    ] {
        assert_eq!(
            with(|body| body["ref"] = json!(referrer)).unwrap().referrer,
            None,
            "{referrer}"
        );
    }
}

#[test]
fn the_pixel_is_a_view() {
    let report = pixel(
        "site=example.org&url=https%3A%2F%2Fexample.org%2Fa%3Futm_source%3Dx",
        7,
    )
    .unwrap();
    assert_eq!(
        (report.site.as_str(), report.page.key.as_str(), report.view),
        ("example.org", "/a/", 7)
    );
    assert_eq!(report.page.campaign.source.as_deref(), Some("x"));
    assert_eq!(
        pixel("url=https://example.org/", 7),
        Err(Refusal::invalid("site"))
    );
    assert_eq!(pixel("site=example.org", 7), Err(Refusal::invalid("url")));
}

proptest! {
    #[test]
    fn nothing_panics(body in proptest::collection::vec(proptest::num::u8::ANY, 0..300), text in "\\PC{0,200}") {
        drop(parse(&body));
        drop(parse(text.as_bytes()));
        drop(pixel(&text, 0));
    }

    #[test]
    fn broken_reports_do_not_panic(at in 0_usize..400, byte in proptest::num::u8::ANY) {
        let mut body = usual().to_string().into_bytes();
        let at = at % body.len();
        body[at] = byte;
        drop(parse(&body));
    }
}
