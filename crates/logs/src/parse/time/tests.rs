//! Years, zones and changed clocks.

use super::*;
use crate::parse::testing::instant;
use proptest::prelude::*;

fn clock(zone: &str, now: &str) -> Clock {
    let mut clock = Clock::new(TimeZone::get(zone).unwrap());
    clock.set(instant(now));
    clock
}

fn summary(stamp: Stamp) -> String {
    jiff::Timestamp::from_microsecond(stamp.ts.as_micros())
        .unwrap()
        .to_string()
}

#[test]
fn a_date_without_year_is_the_latest_not_ahead() {
    // Read at; month, day; year.
    let cases = [
        ("2026-11-23T12:00:00Z", (11, 23), Some(2026)),
        ("2026-11-23T12:00:00Z", (11, 24), Some(2026)),
        ("2026-11-23T12:00:00Z", (11, 25), Some(2025)),
        ("2026-01-01T00:10:00Z", (12, 31), Some(2025)),
        ("2025-12-31T23:50:00Z", (1, 1), Some(2026)),
        ("2026-03-01T00:00:00Z", (2, 29), Some(2024)),
        ("2028-02-29T00:00:00Z", (2, 29), Some(2028)),
        ("2103-02-01T00:00:00Z", (2, 29), Some(2096)),
        ("2026-11-23T12:00:00Z", (2, 30), None),
        ("2026-11-23T12:00:00Z", (2, 0), None),
        ("1970-01-01T00:00:00Z", (1, 1), Some(1970)),
    ];
    for (now, (month, day), year) in cases {
        assert_eq!(
            clock("UTC", now).year_of(month, day),
            year,
            "{now}: {month}-{day}"
        );
    }
}

#[test]
fn a_changed_clock_is_read_in_order() {
    let now = "2026-11-23T12:00:00Z";
    let at = |clock: &mut Clock, text: &str| {
        let (civil, _) = iso(text).unwrap();
        summary(clock.stamp(civil, Zone::Local).unwrap())
    };
    // Put forward at 02:00: what is skipped is after it.
    let mut berlin = clock("Europe/Berlin", now);
    assert_eq!(
        at(&mut berlin, "2026-03-29 01:59:59"),
        "2026-03-29T00:59:59Z"
    );
    assert_eq!(
        at(&mut berlin, "2026-03-29 02:30:00"),
        "2026-03-29T01:30:00Z"
    );
    assert_eq!(
        at(&mut berlin, "2026-03-29 03:00:00"),
        "2026-03-29T01:00:00Z"
    );
    // Put back at 03:00: 02:30 comes twice, in order.
    assert_eq!(
        at(&mut berlin, "2026-10-25 02:30:00"),
        "2026-10-25T00:30:00Z"
    );
    assert_eq!(
        at(&mut berlin, "2026-10-25 02:59:00"),
        "2026-10-25T00:59:00Z"
    );
    assert_eq!(
        at(&mut berlin, "2026-10-25 02:10:00"),
        "2026-10-25T01:10:00Z"
    );
    assert_eq!(
        at(&mut berlin, "2026-10-25 02:20:00"),
        "2026-10-25T01:20:00Z"
    );
    assert_eq!(
        at(&mut berlin, "2026-10-25 03:00:00"),
        "2026-10-25T02:00:00Z"
    );
    // The first line that is read is of just now.
    let mut fresh = clock("Europe/Berlin", "2026-10-25T01:30:10Z");
    assert_eq!(
        at(&mut fresh, "2026-10-25 02:30:00"),
        "2026-10-25T01:30:00Z"
    );
    let mut fresh = clock("Europe/Berlin", "2026-10-25T00:30:10Z");
    assert_eq!(
        at(&mut fresh, "2026-10-25 02:30:00"),
        "2026-10-25T00:30:00Z"
    );
    // By half an hour, at 02:00.
    let mut howe = clock("Australia/Lord_Howe", now);
    assert_eq!(at(&mut howe, "2026-04-05 01:29:00"), "2026-04-04T14:29:00Z");
    assert_eq!(at(&mut howe, "2026-04-05 01:45:00"), "2026-04-04T14:45:00Z");
    assert_eq!(at(&mut howe, "2026-04-05 01:31:00"), "2026-04-04T15:01:00Z");
}

#[test]
fn zones_are_named_in_many_ways() {
    let cases = [
        ("UTC", "2026-07-23 00:10:49 UTC", "2026-07-23T00:10:49Z"),
        ("UTC", "2026-07-23 00:10:49 CEST", "2026-07-22T22:10:49Z"),
        (
            "Europe/Berlin",
            "2026-10-25 02:30:00 CEST",
            "2026-10-25T00:30:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-10-25 02:30:00 CET",
            "2026-10-25T01:30:00Z",
        ),
        (
            "Asia/Shanghai",
            "2026-07-23 08:00:00 CST",
            "2026-07-23T00:00:00Z",
        ),
        (
            "America/Chicago",
            "2026-01-23 00:00:00 CST",
            "2026-01-23T06:00:00Z",
        ),
        ("UTC", "2026-07-23 00:00:00 +0530", "2026-07-22T18:30:00Z"),
        ("UTC", "2026-07-23 00:00:00 -03", "2026-07-23T03:00:00Z"),
        ("UTC", "2026-07-23T00:00:00-03:30", "2026-07-23T03:30:00Z"),
        (
            "UTC",
            "2026-07-23 00:00:00 Europe/Berlin",
            "2026-07-22T22:00:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-01-23 00:00:00 America/Argentina/Buenos_Aires",
            "2026-01-23T03:00:00Z",
        ),
        (
            "Asia/Kolkata",
            "2026-07-23 05:30:00 IST",
            "2026-07-23T00:00:00Z",
        ),
        ("UTC", "2026-07-23 00:00:00 IST", "unknown"),
        ("Europe/Berlin", "2026-07-23 00:00:00 NOPE", "unknown"),
        (
            "Europe/Berlin",
            "2026-07-23 00:00:00 Mars/Olympus",
            "unknown",
        ),
    ];
    for (local, text, expected) in cases {
        let (civil, end) = iso(text).unwrap();
        let zone = whole_zone(&text[end..]).unwrap();
        let stamp = clock(local, "2026-11-23T12:00:00Z").stamp(civil, zone);
        assert_eq!(
            stamp.map_or("unknown".to_owned(), summary),
            expected,
            "{text}"
        );
    }
}

#[test]
fn a_zone_is_distinguished_from_other_words() {
    let cases = [
        (" UTC [12] ERROR", 4),
        (" CEST x", 5),
        (" Europe/Berlin x", 14),
        (" XYZT [12] ERROR", 5),
        (" ERROR [12] x", 0),
        (" WARN x", 0),
        (" GET /x", 0),
        (" BGP: [12]", 0),
        (" read/write x", 0),
        (" IST x", 4),
        ("Z x", 1),
        (" +0100 x", 6),
        (" [12] x", 0),
    ];
    for (text, length) in cases {
        assert_eq!(known_zone(text).1, length, "{text}");
    }
}

#[test]
fn seconds_since_the_epoch_have_four_units() {
    let cases = [
        ("1795392649", Some((1_795_392_649, 0, 10, false))),
        ("1795392649.25 x", Some((1_795_392_649, 250_000, 13, true))),
        ("1795392649123", Some((1_795_392_649, 123_000, 13, false))),
        (
            "1795392649123456",
            Some((1_795_392_649, 123_456, 16, false)),
        ),
        (
            "1795392649123456789",
            Some((1_795_392_649, 123_456, 19, false)),
        ),
        ("179539264", None),
        ("17953926491", None),
        ("99999999999999999999", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(epoch(text), expected, "{text}");
    }
}

#[test]
fn an_hour_may_have_one_digit_and_halves() {
    let cases = [
        ("6:42:01 AM x", Some(((6, 42, 1, 0), 10))),
        ("12:42:01 AM", Some(((0, 42, 1, 0), 11))),
        ("12:42:01 PM", Some(((12, 42, 1, 0), 11))),
        ("6:42:01\u{202f}PM x", Some(((18, 42, 1, 0), 12))),
        (" 6:42:01 [ERROR]", Some(((6, 42, 1, 0), 8))),
        ("06:42:01.5 amber", Some(((6, 42, 1, 500_000), 10))),
        ("6:42", None),
        ("6:\u{20ac}", None),
    ];
    for (text, expected) in cases {
        assert_eq!(text::loose_time(text), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn arithmetic_agrees_with_the_database(second in 0..4_102_444_800_i64, name in prop::sample::select(&["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"][..])) {
        let zone = TimeZone::get(name).unwrap();
        let ts = jiff::Timestamp::from_second(second).unwrap();
        let there = zone.to_datetime(ts);
        let text = there.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let mut clock = Clock::new(zone.clone());
        clock.set(Timestamp(second * SECOND));
        let (civil, _) = iso(&text).unwrap();
        let found = clock.stamp(civil, Zone::Local).unwrap();
        let ambiguous = zone.to_ambiguous_timestamp(there);
        if !ambiguous.is_ambiguous() {
            prop_assert_eq!(found.ts.as_micros(), second * SECOND, "{}", text);
        }
        // A second look is answered from what is known of the hour.
        prop_assert_eq!(clock.stamp(civil, Zone::Local), Some(found));
    }
}
