//! A snapshot as Markdown, for a ticket, and as plain text, for a terminal: the same sections in two notations.
//!
//! Texts from outside (lines, statements, names) are inert in both: control characters and changes of direction become
//! spaces, and what Markdown would act on is escaped.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use schema::Unit;

use crate::model::{Appearance, Change, Changed, Comparison, Finding, Focus, Peak, Snapshot};

/// Longest text in a cell, characters.
const LONGEST: usize = 120;

/// A heading with sentences and a table.
#[derive(Debug, Default)]
struct Section {
    title: String,
    sentences: Vec<String>,
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// Returns a snapshot as Markdown, times in a zone.
#[must_use]
pub fn markdown(snapshot: &Snapshot, zone: &TimeZone) -> String {
    let mut out = String::new();
    for (at, section) in sections(snapshot, zone).iter().enumerate() {
        let level = if at == 0 { "#" } else { "##" };
        let _infallible = writeln!(out, "{level} {}\n", escaped(&section.title));
        for sentence in &section.sentences {
            let _infallible = writeln!(out, "{}\n", escaped(sentence));
        }
        if section.rows.is_empty() {
            continue;
        }
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        out += &line(
            section
                .heads
                .iter()
                .map(|head| (*head).to_owned())
                .collect(),
        );
        out += &line(section.heads.iter().map(|_| "---".to_owned()).collect());
        for row in &section.rows {
            out += &line(row.iter().map(|cell| escaped(cell)).collect());
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Returns a snapshot as plain text, times in a zone.
#[must_use]
pub fn text(snapshot: &Snapshot, zone: &TimeZone) -> String {
    let mut out = String::new();
    for (at, section) in sections(snapshot, zone).iter().enumerate() {
        let title = plain(&section.title);
        let _infallible = match at {
            0 => writeln!(out, "{title}"),
            _ => writeln!(out, "\n{title}"),
        };
        for sentence in &section.sentences {
            let _infallible = writeln!(out, "  {}", plain(sentence));
        }
        table(&mut out, section);
    }
    out
}

/// Appends a table with columns as wide as their cells, the last one as wide as it is.
fn table(out: &mut String, section: &Section) {
    if section.rows.is_empty() {
        return;
    }
    let heads = section
        .heads
        .iter()
        .map(|head| (*head).to_owned())
        .collect();
    let cells = section.rows.iter();
    let cells = cells.map(|row| row.iter().map(|cell| plain(cell)).collect::<Vec<String>>());
    let lines: Vec<Vec<String>> = std::iter::once(heads).chain(cells).collect();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..section.heads.len()).map(width).collect();
    for line in &lines {
        let mut text = String::from(" ");
        for (cell, width) in line.iter().zip(&widths) {
            let gap = width - cell.chars().count();
            let _infallible = write!(text, " {cell}{} ", " ".repeat(gap));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
}

/// Removes what a terminal would act on.
fn plain(text: &str) -> String {
    let is_harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if is_harmful(c) { ' ' } else { c })
        .collect()
}

/// Escapes what Markdown or HTML would act on.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

fn sections(snapshot: &Snapshot, zone: &TimeZone) -> Vec<Section> {
    let mut sections = vec![heading(snapshot, zone)];
    sections.extend(snapshot.finding.as_ref().map(|one| finding(one, zone)));
    sections.extend(snapshot.focus.as_ref().map(focus));
    sections.push(peaks(&snapshot.peaks));
    sections.extend(changed(&snapshot.changed, &Times::of(snapshot, zone)));
    sections.push(events(snapshot, zone));
    sections.push(processes(snapshot));
    sections.push(statements(snapshot));
    if !snapshot.notes.is_empty() {
        sections.push(Section {
            title: "Not read".to_owned(),
            sentences: snapshot.notes.clone(),
            ..Section::default()
        });
    }
    sections
}

fn heading(snapshot: &Snapshot, zone: &TimeZone) -> Section {
    let times = Times::of(snapshot, zone);
    let mut sentences = vec![format!(
        "Window {} to {}, compared with {} to {}.",
        times.say(snapshot.from_ms),
        times.say(snapshot.to_ms),
        times.say(snapshot.before_from_ms),
        times.say(snapshot.before_to_ms),
    )];
    match snapshot.source {
        "hourly" => {
            sentences.push("Samples of that time are gone; these are whole hours.".to_owned())
        }
        "daily" => sentences.push("Hours of that time are gone; these are whole days.".to_owned()),
        _ => {}
    }
    if snapshot.changed.compared == 0 && snapshot.peaks.is_empty() {
        sentences.push("Nothing was sampled in this window.".to_owned());
    }
    let beside = [("Before", &snapshot.previous), ("After", &snapshot.next)];
    for (word, one) in beside {
        let Some(one) = one else { continue };
        sentences.push(format!(
            "{word}: {} {} ({})",
            date(one.at_ms, zone),
            one.title,
            one.id
        ));
    }
    Section {
        title: format!("{} at {}", snapshot.host, date(snapshot.at_ms, zone)),
        sentences,
        ..Section::default()
    }
}

fn finding(one: &Finding, zone: &TimeZone) -> Section {
    let unit = one
        .metric
        .as_deref()
        .and_then(schema::metric)
        .map_or(Unit::Count, |metric| metric.unit);
    let mut facts = vec![format!(
        "{} ({}), since {}",
        words::severity(one.severity),
        one.kind,
        date(one.opened_ms, zone)
    )];
    if one.worst > one.severity {
        facts.push(format!("at worst {}", words::severity(one.worst)));
    }
    match (one.resolved_ms, one.state) {
        (Some(ended), _) => facts.push(format!("resolved {}", date(ended, zone))),
        (None, state) => facts.push(state.to_owned()),
    }
    let value = |value: f64| words::value(value, unit);
    let figures = [
        one.value.map(|last| format!("last {}", value(last))),
        one.threshold
            .map(|threshold| format!("threshold {}", value(threshold))),
        one.expected
            .map(|expected| format!("normal {}", value(expected))),
        one.stddev
            .map(|stddev| format!("usual deviation {}", value(stddev))),
        one.direction.map(str::to_owned),
        one.z_score.map(|z| format!("z {z:.1}")),
        one.drift_pct.map(|drift| format!("drift {drift:+.0} %")),
    ];
    let figures: Vec<String> = figures.into_iter().flatten().collect();
    let mut sentences = vec![format!("{}.", facts.join(", "))];
    if !figures.is_empty() {
        sentences.push(format!("{}.", figures.join(", ")));
    }
    if one.message != one.title {
        sentences.push(one.message.clone());
    }
    sentences.extend(one.cause.as_ref().map(|cause| format!("Cause: {cause}")));
    sentences.extend(one.steps.iter().map(|step| format!("Do: {step}")));
    sentences.extend(
        one.command
            .iter()
            .map(|command| format!("Command: {command}")),
    );
    sentences.extend(one.action_sql.iter().map(|sql| format!("SQL: {sql}")));
    Section {
        title: one.title.clone(),
        sentences,
        ..Section::default()
    }
}

fn focus(one: &Focus) -> Section {
    let unit = unit(one.unit);
    let known = |value: Option<f64>| {
        value.map_or_else(|| "unknown".to_owned(), |value| words::value(value, unit))
    };
    let usual = match (one.usual, one.usual_spread) {
        (Some(mean), Some(spread)) => format!(
            "{} ± {}",
            words::value(mean, unit),
            words::value(spread, unit)
        ),
        _ => "unknown".to_owned(),
    };
    Section {
        title: named(one.label, one.key.as_deref()),
        sentences: vec![format!(
            "At the instant {}, before {}, usual at this hour {usual}.",
            known(one.value),
            known(one.before),
        )],
        ..Section::default()
    }
}

fn peaks(peaks: &[Peak]) -> Section {
    let row = |one: &Peak| {
        let unit = unit(one.unit);
        vec![
            named(one.label, one.key.as_deref()),
            words::value(one.worst, unit),
            one.before
                .map_or_else(|| "unknown".to_owned(), |before| words::value(before, unit)),
        ]
    };
    Section {
        title: "Worst values".to_owned(),
        sentences: none(peaks, "Nothing was sampled in this window."),
        heads: vec!["metric", "in the window", "before"],
        rows: peaks.iter().map(row).collect(),
    }
}

fn none<T>(list: &[T], sentence: &str) -> Vec<String> {
    list.is_empty()
        .then(|| sentence.to_owned())
        .into_iter()
        .collect()
}

/// Returns what changed most, and what is on one side only.
fn changed(changed: &Changed, times: &Times<'_>) -> Vec<Section> {
    let row = |one: &Change| {
        let unit = unit(one.unit);
        let others = match one.more_keys {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let direction = match one.is_worse {
            Some(true) => "worse",
            Some(false) => "better",
            None => "",
        };
        vec![
            named(one.label, one.key.as_deref()) + &others,
            words::value(one.value, unit),
            words::value(one.before, unit),
            one.usual
                .map_or_else(|| "unknown".to_owned(), |usual| words::value(usual, unit)),
            format!("{:+.1}", one.effect),
            direction.to_owned(),
            times.say(one.at_ms),
        ]
    };
    let summary = match (changed.rows.is_empty(), changed.compared) {
        (_, 0) => "No series has values on both sides.".to_owned(),
        (true, _) => format!("None of {} series changed.", changed.compared),
        (false, _) => format!(
            "{} of {} series; the distance is in multiples of the spread before.",
            changed.rows.len() + changed.more,
            changed.compared
        ),
    };
    let mut sections = vec![Section {
        title: "Most changed".to_owned(),
        sentences: vec![summary],
        heads: vec!["series", "value", "before", "usual", "distance", "", "at"],
        rows: changed.rows.iter().map(row).collect(),
    }];
    let one_sided = [
        ("New", &changed.appeared, changed.more_appeared),
        (
            "Without a value in the window",
            &changed.silent,
            changed.more_silent,
        ),
    ];
    for (title, list, more) in one_sided {
        if list.is_empty() {
            continue;
        }
        let row = |one: &Appearance| {
            vec![
                named(one.label, one.key.as_deref()),
                words::value(one.value, unit(one.unit)),
            ]
        };
        let sentence = (more > 0).then(|| format!("{more} more are left out."));
        sections.push(Section {
            title: title.to_owned(),
            sentences: sentence.into_iter().collect(),
            heads: vec!["series", "value"],
            rows: list.iter().map(row).collect(),
        });
    }
    sections
}

fn events(snapshot: &Snapshot, zone: &TimeZone) -> Section {
    let when = Times::of(snapshot, zone);
    let rows = snapshot.events.iter().map(|event| {
        let times = match event.times {
            1 => String::new(),
            times => format!("{times}× "),
        };
        vec![
            when.say(event.at_ms),
            event.kind.clone(),
            words::severity(event.severity).to_owned(),
            words::cut(&event.source, 40),
            words::cut(&format!("{times}{}", event.text), LONGEST),
        ]
    });
    let mut sentences = none(&snapshot.events, "No finding, line, change or gap.");
    if snapshot.more_events > 0 {
        sentences.push(format!("{} more are left out.", snapshot.more_events));
    }
    Section {
        title: "What happened".to_owned(),
        sentences,
        heads: vec!["time", "kind", "severity", "source", "event"],
        rows: rows.collect(),
    }
}

fn processes(snapshot: &Snapshot) -> Section {
    let known = |value: Option<f64>, unit| {
        value.map_or_else(|| "unknown".to_owned(), |value| words::value(value, unit))
    };
    let rows = snapshot.processes.iter().map(|one| {
        vec![
            one.name.clone(),
            known(one.cpu_pct, Unit::Percent),
            known(one.cpu_pct_before, Unit::Percent),
            known(one.rss_bytes, Unit::Bytes),
        ]
    });
    Section {
        title: "Top processes".to_owned(),
        sentences: none(&snapshot.processes, "No process was sampled."),
        heads: vec!["process", "peak CPU", "before", "peak memory"],
        rows: rows.collect(),
    }
}

fn statements(snapshot: &Snapshot) -> Section {
    let rows = snapshot.statements.iter().map(|one| {
        vec![
            format!("{}.{}", one.instance, one.database),
            words::value(one.exec_ms, Unit::Ms),
            one.share_pct
                .map_or_else(String::new, |share| words::value(share, Unit::Percent)),
            one.calls.to_string(),
            words::cut(one.query.as_deref().unwrap_or("(text unknown)"), LONGEST),
        ]
    });
    Section {
        title: "Top statements".to_owned(),
        sentences: none(&snapshot.statements, "No statement was seen."),
        heads: vec!["database", "time", "share", "calls", "statement"],
        rows: rows.collect(),
    }
}

/// Returns a comparison as plain text.
#[must_use]
pub fn comparison(comparison: &Comparison, zone: &TimeZone) -> String {
    let mut out = String::new();
    let spans = [
        comparison.before_from_ms,
        comparison.from_ms,
        comparison.to_ms,
    ];
    let times = Times::new(comparison.source, &spans, zone);
    for section in changed(&comparison.changed, &times) {
        let _infallible = writeln!(out, "{}", section.title);
        for sentence in &section.sentences {
            let _infallible = writeln!(out, "  {}", plain(sentence));
        }
        table(&mut out, &section);
    }
    out
}

fn named(label: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => format!("{label}, {}", words::cut(key, 60)),
        None => label.to_owned(),
    }
}

fn unit(name: &str) -> Unit {
    let units = schema::METRICS.iter().map(|metric| metric.unit);
    units
        .into_iter()
        .find(|unit| unit.as_str() == name)
        .unwrap_or(Unit::Count)
}

fn formatted(ms: i64, zone: &TimeZone, format: &str) -> String {
    let at = jiff::Timestamp::from_millisecond(ms);
    at.map_or_else(
        |_| "an unknown time".to_owned(),
        |at| at.to_zoned(zone.clone()).strftime(format).to_string(),
    )
}

fn date(ms: i64, zone: &TimeZone) -> String {
    formatted(ms, zone, "%F %T %Z")
}

/// Times of a snapshot or comparison: of the clock where all lie on one day, else with their dates.
struct Times<'a> {
    zone: &'a TimeZone,
    format: &'static str,
}

impl<'a> Times<'a> {
    fn of(snapshot: &Snapshot, zone: &'a TimeZone) -> Self {
        let mut spans = vec![
            snapshot.before_from_ms,
            snapshot.before_to_ms,
            snapshot.from_ms,
            snapshot.to_ms,
        ];
        spans.extend(snapshot.events.iter().map(|event| event.at_ms));
        Self::new(snapshot.source, &spans, zone)
    }

    fn new(source: &str, instants: &[i64], zone: &'a TimeZone) -> Self {
        let day = |ms: &i64| formatted(*ms, zone, "%F");
        let first = instants.first().map(day);
        let is_one_day = instants.iter().map(day).all(|one| Some(one) == first);
        Self {
            zone,
            // Whole hours and days reach into other days sooner or later, and their minutes say nothing.
            format: match (source, is_one_day) {
                ("raw", true) => "%T",
                ("raw", false) => "%F %T",
                ("daily", _) => "%F",
                _ => "%F %R",
            },
        }
    }

    fn say(&self, ms: i64) -> String {
        formatted(ms, self.zone, self.format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_inert() {
        let hostile = "a|b <img onerror=x> `rm` [x](y) \u{1b}[31m\u{202e}\n# c";
        let marked = escaped(hostile);
        assert_eq!(
            marked,
            "a\\|b &lt;img onerror=x&gt; \\`rm\\` \\[x\\](y)  \\[31m  \\# c"
        );
        assert!(!plain(hostile).contains(['\u{1b}', '\u{202e}', '\n']));
    }

    #[test]
    fn times_have_a_date_where_they_are_not_of_one_day() {
        let (noon, minute, zone) = (1_795_262_400_000, 60_000, TimeZone::UTC);
        for (source, instants, expected) in [
            ("raw", [noon, noon + minute], "12:00:00"),
            ("raw", [noon, noon + 780 * minute], "2026-11-21 12:00:00"),
            ("hourly", [noon, noon + minute], "2026-11-21 12:00"),
            ("daily", [noon, noon + minute], "2026-11-21"),
        ] {
            let times = Times::new(source, &instants, &zone);
            assert_eq!(times.say(noon), expected, "{source} {instants:?}");
        }
    }

    #[test]
    fn every_unit_is_found_by_its_name() {
        for metric in schema::METRICS {
            assert_eq!(unit(metric.unit.as_str()), metric.unit, "{}", metric.id());
        }
    }
}
