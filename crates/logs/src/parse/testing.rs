//! For the tests of parsers: lines in, events out as one string each.

use jiff::tz::TimeZone;

use super::{ParserKind, ParserOptions, Reader};
use crate::event::Event;
use schema::Timestamp;

/// When the lines of these tests are read.
pub(crate) const NOW: &str = "2026-11-23T12:00:00Z";

pub(crate) fn instant(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

/// Parses `2026-11-23T00:10:49Z level component: message {context}`.
pub(crate) fn summary(event: &Event) -> String {
    let ts = jiff::Timestamp::from_microsecond(event.ts.as_micros()).unwrap();
    let (level, context) = (
        event.level.as_str(),
        event.context.as_deref().unwrap_or_default(),
    );
    format!(
        "{ts} {level} {}: {} {context}",
        event.component, event.message
    )
    .trim_end()
    .to_owned()
}

/// Returns the events of lines, read as a file in UTC at [`NOW`].
pub(crate) fn events(parser: &str, text: &str) -> Vec<Event> {
    events_in(parser, ParserOptions::default(), text)
}

pub(crate) fn events_in(parser: &str, options: ParserOptions, text: &str) -> Vec<Event> {
    let mut reader = Reader::new(ParserKind::parse(parser).unwrap(), options);
    let (mut out, mut at) = (Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let bytes = line.trim_end_matches('\n').as_bytes();
        reader.line(at, bytes, bytes.len() as u64, instant(NOW), &mut out);
        at += line.len() as u64;
    }
    reader.flush(&mut out);
    let counts = reader.counts();
    assert_eq!(counts.begun, out.len() as u64, "{parser}: {counts:?}");
    assert_eq!(
        counts.lines,
        counts.begun + counts.joined + counts.blank,
        "{parser}: {counts:?}"
    );
    assert!(out.is_sorted_by_key(|event| event.at), "{parser}: order");
    out
}

pub(crate) fn zone(name: &str) -> ParserOptions {
    ParserOptions {
        zone: TimeZone::get(name).unwrap(),
        ..ParserOptions::default()
    }
}

/// Compares each line's event with what is expected of it.
pub(crate) fn expect(parser: &str, cases: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (line, expected) in cases {
        let summary: Vec<String> = events(parser, line).iter().map(self::summary).collect();
        let summary = summary.join("\n");
        if summary != *expected {
            wrong.push_str(&format!(
                "\n{line}\n  found    {summary}\n  expected {expected}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{parser}:{wrong}");
}
