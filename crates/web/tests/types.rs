//! The pages' types are those of the answers.
//!
//! `UPDATE_TYPES=1 cargo test -p pqcrypta-web --test types` rewrites `ui/src/api/types.gen.ts`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use schema::Severity;
use schema::finding::LINE_DOMAINS;
use snapshot::model;
use ts_rs::{Config, TS};
use web::wire::error::{ErrorAnswer, ErrorBody};
use web::wire::snapshot as snapshots;
use web::wire::{Cell, Unit, alerts, logs, meta, now, series, table, traffic};

const HEAD: &str = "\
/**
 * Shapes of the JSON answers, generated from the server's structs. Do not edit: change the structs,
 * then run `UPDATE_TYPES=1 cargo test -p pqcrypta-web --test types`.
 */
";

/// Longest line of the pages' formatter.
const WIDTH: usize = 110;

#[test]
fn the_types_of_the_pages_are_those_of_the_answers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/api/types.gen.ts");
    let expected = generate();
    if std::env::var_os("UPDATE_TYPES").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    assert!(
        found == expected,
        "{} is stale: run UPDATE_TYPES=1 cargo test -p pqcrypta-web --test types",
        path.display()
    );
}

fn generate() -> String {
    let mut out = HEAD.to_owned();
    let _infallible = write!(
        out,
        "\n/** The domains of findings about lines of logs. */\nexport const LINE_DOMAINS: readonly string[] = {LINE_DOMAINS:?};\n"
    );
    alias::<Severity>(&mut out);
    alias::<Unit>(&mut out);
    alias::<Cell>(&mut out);
    interface::<ErrorAnswer>(&mut out);
    interface::<ErrorBody>(&mut out);
    interface::<meta::Meta>(&mut out);
    interface::<meta::HostMeta>(&mut out);
    interface::<meta::MetricMeta>(&mut out);
    interface::<meta::Levels>(&mut out);
    interface::<meta::TableMeta>(&mut out);
    interface::<meta::ColumnMeta>(&mut out);
    interface::<meta::FilterMeta>(&mut out);
    interface::<meta::FilterValue>(&mut out);
    interface::<meta::Texts>(&mut out);
    interface::<meta::MetricText>(&mut out);
    interface::<now::Now>(&mut out);
    interface::<now::HostNow>(&mut out);
    interface::<now::FleetNow>(&mut out);
    interface::<now::Verdict>(&mut out);
    interface::<now::Freshness>(&mut out);
    alias::<now::FreshnessState>(&mut out);
    interface::<now::Agent>(&mut out);
    alias::<now::AgentState>(&mut out);
    interface::<now::DatabaseNow>(&mut out);
    alias::<now::DatabaseState>(&mut out);
    interface::<now::Problem>(&mut out);
    interface::<now::Effect>(&mut out);
    interface::<now::Ended>(&mut out);
    interface::<now::Changed>(&mut out);
    interface::<now::Area>(&mut out);
    interface::<now::Badge>(&mut out);
    interface::<now::Fact>(&mut out);
    interface::<series::SeriesAnswer>(&mut out);
    interface::<series::Series>(&mut out);
    interface::<series::Mark>(&mut out);
    interface::<series::SeriesError>(&mut out);
    interface::<table::TableAnswer>(&mut out);
    interface::<table::TableRow>(&mut out);
    interface::<logs::LogsAnswer>(&mut out);
    interface::<logs::LogRow>(&mut out);
    interface::<alerts::AlertsAnswer>(&mut out);
    interface::<alerts::AlertCount>(&mut out);
    interface::<alerts::EndedAlert>(&mut out);
    interface::<alerts::FlappingAlert>(&mut out);
    interface::<alerts::AlertLane>(&mut out);
    interface::<alerts::AlertBar>(&mut out);
    interface::<alerts::SeverityChange>(&mut out);
    interface::<alerts::HeartbeatStrip>(&mut out);
    interface::<snapshots::SnapshotAnswer>(&mut out);
    interface::<snapshots::CompareAnswer>(&mut out);
    interface::<snapshots::BandsAnswer>(&mut out);
    interface::<snapshots::Band>(&mut out);
    interface::<model::Snapshot>(&mut out);
    interface::<model::Comparison>(&mut out);
    interface::<model::Finding>(&mut out);
    interface::<model::Focus>(&mut out);
    interface::<model::Peak>(&mut out);
    interface::<model::Changed>(&mut out);
    interface::<model::Change>(&mut out);
    interface::<model::Appearance>(&mut out);
    interface::<model::Chart>(&mut out);
    interface::<model::TopProcess>(&mut out);
    interface::<model::TopStatement>(&mut out);
    interface::<model::Event>(&mut out);
    interface::<model::Beside>(&mut out);
    interface::<traffic::TrafficSites>(&mut out);
    interface::<traffic::TrafficSite>(&mut out);
    interface::<traffic::TrafficDimension>(&mut out);
    interface::<traffic::TrafficSummary>(&mut out);
    interface::<traffic::TrafficFigure>(&mut out);
    interface::<traffic::TrafficCurve>(&mut out);
    interface::<traffic::TrafficPoint>(&mut out);
    interface::<traffic::TrafficLive>(&mut out);
    interface::<traffic::TrafficCount>(&mut out);
    interface::<traffic::TrafficRefusal>(&mut out);
    out
}

fn config() -> Config {
    Config::default().with_large_int("number")
}

/// Appends a union of words, in one line when it fits.
fn alias<T: TS>(out: &mut String) {
    let (name, text) = (T::name(&config()), tidy(&T::inline(&config())));
    let line = format!("export type {name} = {text};");
    if line.len() <= WIDTH {
        let _infallible = writeln!(out, "\n{line}");
    } else {
        let parts = text.replace(" | ", "\n  | ");
        let _infallible = writeln!(out, "\nexport type {name} =\n  | {parts};");
    }
}

fn interface<T: TS>(out: &mut String) {
    let (name, text) = (T::name(&config()), tidy(&T::inline(&config())));
    let body = text.trim().trim_start_matches('{').trim_end_matches('}');
    let _infallible = writeln!(out, "\nexport interface {name} {{");
    for field in split(body) {
        let _infallible = writeln!(out, "  {field};");
    }
    out.push_str("}\n");
}

/// Parts between commas that are in no bracket.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '{' | '[' | '<' | '(' => depth += 1,
            '}' | ']' | '>' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    let parts = parts.into_iter().map(|part| part.trim().to_owned());
    parts.filter(|part| !part.is_empty()).collect()
}

/// Formats as the pages' formatter does: no comments, `T[]`, `Record<…>`.
fn tidy(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(start) = text.find("/**") {
        let end = text[start..]
            .find("*/")
            .map_or(text.len(), |end| start + end + 2);
        text.replace_range(start..end, "");
    }
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    while let Some(start) = text.rfind("Array<") {
        let end = closing(&text, start + 5, '<', '>');
        let inner = text[start + 6..end].to_owned();
        let inner = if inner.contains(" | ") {
            format!("({inner})")
        } else {
            inner
        };
        text.replace_range(start..=end, &format!("{inner}[]"));
    }
    while let Some(start) = text.rfind("{ [key in string]") {
        let end = closing(&text, start, '{', '}');
        let colon = start + text[start..end].find(": ").unwrap() + 2;
        let inner = text[colon..end].trim().to_owned();
        text.replace_range(start..=end, &format!("Record<string, {inner}>"));
    }
    text
}

/// Returns the position of the bracket that closes the one at `start`.
fn closing(text: &str, start: usize, open: char, close: char) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < start) {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return at;
            }
        }
    }
    text.len() - 1
}
