//! Pairs of logfmt, as Prometheus, Grafana, Docker, Traefik and many programs in Go write them.
//!
//! ```text
//! ts=2026-11-29T06:39:01.583Z caller=main.go:86 level=error msg="Opening storage failed" err="no space left"
//! ```
//!
//! A text is read so only when its pairs have a level, or a time and a message: `a=b` is in many
//! messages.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::level;

/// Letters of a key at most.
const KEY: usize = 64;
/// Pairs of one text at most.
const PAIRS: usize = 128;

const LEVELS: &[&str] = &["level", "lvl", "severity", "loglevel"];
const MESSAGES: &[&str] = &["msg", "message", "event"];
const TIMES: &[&str] = &["ts", "time", "t", "timestamp", "@timestamp"];
/// Keys that are beside a level in lines of programs.
const OTHERS: &[&str] = &["err", "error", "caller", "logger", "component", "source"];

/// One piece of a text: a key, and its value as it is written.
struct Pair<'a> {
    key: &'a str,
    value: Option<&'a str>,
}

/// Returns the pairs as an object, if the text is an event in logfmt.
pub(crate) fn object(text: &str) -> Option<Map<String, Value>> {
    if !is_event(text) {
        return None;
    }
    let mut object = Map::new();
    let mut rest = text;
    while let Some((pair, after)) = next(rest) {
        let value = pair.value.map_or(Value::Bool(true), |value| {
            Value::from(unquoted(value).into_owned())
        });
        object.entry(pair.key).or_insert(value);
        rest = after;
    }
    Some(object)
}

/// Returns whether the text consists of pairs that make an event. Nothing is kept, so that it costs little
/// for the many texts that are not.
fn is_event(text: &str) -> bool {
    let (mut level, mut message, mut time, mut other) = (false, false, false, false);
    let (mut pairs, mut bare) = (0, 0);
    let mut rest = text;
    while !rest.trim_start().is_empty() {
        let Some((pair, after)) = next(rest) else {
            return false;
        };
        rest = after;
        let Some(value) = pair.value else {
            bare += 1;
            // Words, with a pair among them.
            if pairs == 0 || bare > pairs {
                return false;
            }
            continue;
        };
        pairs += 1;
        if pairs > PAIRS {
            return false;
        }
        if LEVELS.contains(&pair.key) {
            level |= level::of_name(value.trim_matches('"')).is_some();
        } else if MESSAGES.contains(&pair.key) {
            message = true;
        } else if TIMES.contains(&pair.key) {
            let value = value.trim_start_matches('"');
            time |= value.starts_with(|first: char| first.is_ascii_digit());
        } else {
            other |= OTHERS.contains(&pair.key);
        }
    }
    (level && (message || time || other)) || (time && message)
}

/// Returns the next pair, or word, and what follows it. `None` at the end, and where there is neither.
fn next(text: &str) -> Option<(Pair<'_>, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let bytes = text.as_bytes();
    let is_key = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'@' | b'/' | b'#')
    };
    let end = bytes
        .iter()
        .take(KEY)
        .position(|byte| !is_key(byte))
        .unwrap_or_else(|| bytes.len().min(KEY));
    if end == 0 {
        return None;
    }
    let (key, after) = text.split_at(end);
    match after.as_bytes().first() {
        None | Some(b' ' | b'\t') => Some((Pair { key, value: None }, after)),
        Some(b'=') => {
            let after = &after[1..];
            let length = if after.starts_with('"') {
                let inner = &after.as_bytes()[1..];
                let mut at = 0;
                loop {
                    at += memchr::memchr2(b'"', b'\\', inner.get(at..)?)?;
                    if inner[at] == b'"' {
                        break at + 2;
                    }
                    at += 2;
                }
            } else {
                after.find([' ', '\t']).unwrap_or(after.len())
            };
            let (value, rest) = after.split_at_checked(length)?;
            // What follows a closing quote begins another pair.
            if !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
                return None;
            }
            let value = Some(value);
            Some((Pair { key, value }, rest))
        }
        Some(_) => None,
    }
}

/// Returns the value without its quotes and escapes.
fn unquoted(value: &str) -> Cow<'_, str> {
    let Some(inner) = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return Cow::Borrowed(value);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str(value).map_or_else(
        |_| Cow::Owned(inner.replace("\\\"", "\"")),
        |text: String| Cow::Owned(text),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pairs_that_state_an_event_are_an_object() {
        // Text, the object.
        let cases = [
            (
                r#"ts=2026-11-29T06:39:01.583Z caller=main.go:86 level=error msg="a \"b\" c" err="x""#,
                Some(
                    r#"{"caller":"main.go:86","err":"x","level":"error","msg":"a \"b\" c","ts":"2026-11-29T06:39:01.583Z"}"#,
                ),
            ),
            (
                r#"time="2026-11-29T06:39:02Z" level=fatal msg="boom""#,
                Some(r#"{"level":"fatal","msg":"boom","time":"2026-11-29T06:39:02Z"}"#),
            ),
            (
                "level=info component=api done n=",
                Some(r#"{"component":"api","done":true,"level":"info","n":""}"#),
            ),
            (
                "t=2026-11-29T06:39:02Z lvl=eror msg=x",
                Some(r#"{"lvl":"eror","msg":"x","t":"2026-11-29T06:39:02Z"}"#),
            ),
            ("a=b", None),
            ("level=error", None),
            ("level=3 msg=x", None),
            ("level=error was set by msg=x", None),
            ("the level=error msg=x", None),
            ("IN=eth0 OUT= MAC= SRC=192.0.2.1", None),
            ("type=AVC msg=audit(1795392649.1:7): x", None),
            ("msg=\"never closed level=error", None),
            ("msg=\"a\"b level=error", None),
            ("level=error\u{e9}=x", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let found = object(text).map(|object| Value::Object(object).to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "(level=|msg=|time=|error|\"|\\\\| |=|[a-z\u{e9}]){0,20}") {
            let _found = object(&text);
        }
    }
}
