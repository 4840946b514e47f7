//! JSON bodies, read tolerantly.
//!
//! Which names stand for which column is data: `json_api.toml` and `json_proxy.toml` list, for each
//! column, the paths it is looked for at, with a factor where units differ. The first path that is
//! there counts, in the body itself or below `metrics` or `data`.
//!
//! Before it is parsed, a body is cleaned ([`clean`]) of what programs write although JSON has no
//! such thing: bare `NaN` and `Infinity`, numbers beyond floats, escaped NUL and halves of
//! surrogates. The first two become texts, so that they count as bad values; the others become the
//! sign for what cannot be shown. Deeper than 128 levels nothing is parsed; of keys that are there
//! twice, the last counts.

use std::collections::BTreeMap;

use config::TargetKind;
use config::mapping::JsonPath;
use schema::Timestamp;
use serde_json::{Map, Value};

use super::reading::{Endpoint, Failure, Number, Reading, real};

/// Where the values may be inside a body.
const ROOTS: [&str; 3] = ["", "metrics", "data"];

/// Names of the list or table of endpoints, of the list of failures, and of their members.
const ENDPOINTS: [&str; 3] = ["endpoints", "endpoint_stats", "endpoint_errors"];
const STATUSES: [&str; 4] = ["statuses", "status_counts", "by_status", "status_codes"];
const BUCKETS: [&str; 2] = ["latency_buckets", "latency_buckets_ms"];
const FAILURES: [&str; 4] = [
    "recent_failures",
    "request_failures",
    "failures",
    "recent_errors",
];
const PATH: [&str; 4] = ["endpoint", "path", "route", "uri"];
const STATUS: [&str; 3] = ["status", "status_code", "code"];
const RESPONSES: [&str; 3] = ["responses", "count", "total"];
const LAST_SEEN: [&str; 3] = ["last_seen", "last_seen_at", "last_at"];
const FAILED_AT: [&str; 5] = ["failed_at", "at", "timestamp", "ts", "time"];
const DURATION_MS: [&str; 3] = ["duration_ms", "latency_ms", "response_time_ms"];

/// A column and the paths it is looked for at.
#[derive(Debug)]
pub(super) struct Names {
    columns: Vec<(&'static str, Vec<JsonPath>)>,
    /// Columns of the target's own `map`: the others are merely looked for.
    pub(super) promised: Vec<&'static str>,
}

impl Names {
    /// Returns the names of a kind of target; a path of its own `map` is the only one of that column.
    pub(super) fn of(
        kind: TargetKind,
        map: &BTreeMap<String, String>,
    ) -> Result<Self, (String, String)> {
        let text = match kind {
            TargetKind::Api => include_str!("mappings/json_api.toml"),
            TargetKind::Proxy => include_str!("mappings/json_proxy.toml"),
        };
        let mut table: BTreeMap<String, Vec<String>> =
            toml::from_str(text).map_err(|error| (kind.as_str().to_owned(), error.to_string()))?;
        let own = map.iter();
        table.extend(own.map(|(column, path)| (column.clone(), vec![path.clone()])));
        let column = |(name, paths): (String, Vec<String>)| {
            let Some(column) = kind.table().column(&name) else {
                return Err((name, "no such column".to_owned()));
            };
            let paths = paths.iter().map(|path| JsonPath::parse(path));
            match paths.collect() {
                Ok(paths) => Ok((column.name, paths)),
                Err(problem) => Err((name, problem)),
            }
        };
        let columns = table
            .into_iter()
            .map(column)
            .collect::<Result<Vec<_>, _>>()?;
        let promised = columns
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| map.contains_key(*name));
        Ok(Self {
            promised: promised.collect(),
            columns,
        })
    }

    /// Reads a body.
    pub(super) fn read(&self, body: &[u8]) -> Result<Reading, String> {
        let text = clean(&String::from_utf8_lossy(body));
        let whole: Value = serde_json::from_str(&text).map_err(|error| {
            format!(
                "line {}, column {}: {}",
                error.line(),
                error.column(),
                kind_of(&error)
            )
        })?;
        let Value::Object(whole) = whole else {
            return Err("it is not an object".to_owned());
        };
        let roots: Vec<&Map<String, Value>> = ROOTS
            .iter()
            .filter_map(|root| match *root {
                "" => Some(&whole),
                root => whole.get(root)?.as_object(),
            })
            .collect();
        let mut reading = Reading::default();
        for (column, paths) in &self.columns {
            let mut found = paths.iter().flat_map(|path| {
                let here = roots.iter().filter_map(|root| leaf(root, &path.path));
                here.map(|value| (value, path.factor))
            });
            match found.next().map(|(value, factor)| number(value, factor)) {
                None => {}
                Some(Some(number)) => {
                    reading.numbers.insert(column, number);
                    reading.found.push(column);
                }
                Some(None) => reading.bad += 1,
            }
        }
        for root in &roots {
            if let Some(value) = first(root, &ENDPOINTS) {
                endpoints(value, &mut reading);
            }
            if let Some(Value::Object(table)) = first(root, &BUCKETS) {
                buckets(table, &mut reading);
            }
            if let Some(Value::Array(items)) = first(root, &FAILURES) {
                for item in items {
                    match failure(item) {
                        Some(failure) => reading.failures.push(failure),
                        None => reading.bad += 1,
                    }
                }
            }
        }
        if reading.numbers.is_empty() && reading.bad == 0 && reading.endpoints.is_empty() {
            return Err("none of the values that are looked for is in it".to_owned());
        }
        Ok(reading)
    }
}

/// Describes the problem in a word; the parser's own text may quote the body.
fn kind_of(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "it ends early",
        _ if error.to_string().starts_with("recursion limit") => "it is nested too deep",
        _ => "it is not well-formed",
    }
}

/// Returns the value at a dotted path, when it is there and neither empty nor a table of more values.
fn leaf<'a>(root: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let mut value = root.get(parts.next()?)?;
    for part in parts {
        value = value.as_object()?.get(part)?;
    }
    (!matches!(value, Value::Null | Value::Object(_) | Value::Array(_))).then_some(value)
}

fn first<'a>(map: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| map.get(*name))
}

fn number(value: &Value, factor: f64) -> Option<Number> {
    let number = match value {
        Value::Bool(flag) => Number::Whole(i128::from(*flag)),
        Value::Number(number) => match number.as_i128() {
            Some(whole) => Number::Whole(whole),
            None => Number::Real(number.as_f64()?),
        },
        _ => return None,
    };
    if (factor - 1.0).abs() < f64::EPSILON {
        return Some(number);
    }
    real(number).map(|real| Number::Real(real * factor))
}

/// Answers up to each bound in milliseconds, the last of them `+Inf`: all of them.
fn buckets(table: &Map<String, Value>, reading: &mut Reading) {
    for (bound, value) in table {
        let bound = bound.parse::<f64>().ok().filter(|bound| *bound >= 0.0);
        match (bound, number(value, 1.0).and_then(real)) {
            (Some(bound), Some(answers)) => reading.buckets.push((bound, answers)),
            _ => reading.bad += 1,
        }
    }
    reading.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
}

/// A list of endpoints, each with a status or a table of statuses, or a table of them by path.
fn endpoints(value: &Value, reading: &mut Reading) {
    match value {
        Value::Array(items) => {
            for item in items {
                let path = item.as_object().and_then(|item| first(item, &PATH));
                match path.and_then(Value::as_str) {
                    Some(path) => endpoint(path, item, reading),
                    None => reading.bad += 1,
                }
            }
        }
        Value::Object(table) => {
            for (path, item) in table {
                endpoint(path, item, reading);
            }
        }
        _ => reading.bad += 1,
    }
}

fn endpoint(path: &str, item: &Value, reading: &mut Reading) {
    let Some(item) = item.as_object() else {
        reading.bad += 1;
        return;
    };
    let last_seen = first(item, &LAST_SEEN).and_then(timestamp);
    let mut add = |status: i32, value: &Value| match number(value, 1.0) {
        Some(responses) => reading.endpoints.push(Endpoint {
            path: path.to_owned(),
            status,
            responses,
            last_seen,
        }),
        None => reading.bad += 1,
    };
    if let (Some(status), Some(value)) = (
        first(item, &STATUS).and_then(status_of),
        first(item, &RESPONSES),
    ) {
        add(status, value);
        return;
    }
    let table = first(item, &STATUSES)
        .and_then(Value::as_object)
        .unwrap_or(item);
    for (name, value) in table {
        // Other keys beside the statuses have another kind of name.
        if let Some(status) = status_from(name) {
            add(status, value);
        }
    }
}

fn failure(item: &Value) -> Option<Failure> {
    let item = item.as_object()?;
    let text = |names: &[&str]| first(item, names).and_then(Value::as_str);
    Some(Failure {
        at: first(item, &FAILED_AT).and_then(timestamp)?,
        method: text(&["method"]).unwrap_or("").chars().take(16).collect(),
        path: text(&PATH)?.to_owned(),
        status: first(item, &STATUS).and_then(status_of)?,
        duration_ms: first(item, &DURATION_MS)
            .and_then(|value| number(value, 1.0))
            .and_then(real),
    })
}

fn status_of(value: &Value) -> Option<i32> {
    match value {
        Value::String(text) => status_from(text),
        value => i32::try_from(value.as_i64()?)
            .ok()
            .filter(|status| (100..600).contains(status)),
    }
}

/// Returns a status of three digits.
pub(super) fn status_from(text: &str) -> Option<i32> {
    text.parse()
        .ok()
        .filter(|status| (100..600).contains(status))
}

/// Parses RFC 3339, or seconds or milliseconds since 1970: a number beyond the year 5000 as seconds is
/// milliseconds.
fn timestamp(value: &Value) -> Option<Timestamp> {
    const YEAR_5000: f64 = 95_617_584_000.0;
    if let Value::String(text) = value {
        let parsed: jiff::Timestamp = text.parse().ok()?;
        return Some(Timestamp::from_millis(parsed.as_millisecond()));
    }
    let number = value.as_f64().filter(|number| *number >= 0.0)?;
    let millis = if number < YEAR_5000 {
        number * 1000.0
    } else {
        number
    };
    #[expect(clippy::cast_possible_truncation, reason = "checked against the bound")]
    (millis < YEAR_5000 * 1000.0).then_some(Timestamp::from_millis(millis as i64))
}

/// Returns the body with what JSON does not have replaced; the rest is as it was.
fn clean(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => string_end(rest),
            '{' | '}' | '[' | ']' | ':' | ',' => 1,
            first if first.is_whitespace() => first.len_utf8(),
            _ => rest
                .find(|c: char| c.is_whitespace() || "{}[]:,\"".contains(c))
                .unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(end);
        rest = after;
        match token.parse::<f64>() {
            Ok(number) if !number.is_finite() => out.push_str("\"no finite number\""),
            _ if first == '"' => clean_string(token, &mut out),
            _ => out.push_str(token),
        }
    }
    out
}

/// Bytes of the string that `text` begins with, quotes included.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A string with `\u0000` and halves of surrogates replaced.
fn clean_string(token: &str, out: &mut String) {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut rest = token;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let pair = rest.get(6..).and_then(unit);
        let taken = match (unit(rest), pair) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0 | 0xd800..=0xdfff), _) => {
                out.push('\u{fffd}');
                rest = &rest[6..];
                continue;
            }
            // The escaped character with its backslash; nothing follows a string that was cut.
            _ => rest.chars().take(2).map(char::len_utf8).sum(),
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out.push_str(rest);
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
