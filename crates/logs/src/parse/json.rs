//! Messages that are a JSON object, as most structured loggers write them: `tracing`, zap, slog, pino,
//! bunyan, logrus, Logback, structlog.
//!
//! Level, message, logger and time are known by the names that these give them; what else there is
//! goes to the context as `fields`, secrets replaced.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::context::string;
use super::time::{self, Clock, Stamp};
use super::{Draft, clean, level};
use crate::event::Level;

const LEVELS: &[&str] = &["level", "lvl", "severity", "levelname", "log.level"];
const MESSAGES: &[&str] = &["message", "msg", "event", "short_message"];
const LOGGERS: &[&str] = &[
    "target",
    "logger",
    "logger_name",
    "name",
    "component",
    "module",
];
const TIMES: &[&str] = &["timestamp", "time", "ts", "@timestamp", "t"];
/// Bytes of `fields` at most; what does not fit is left out.
const FIELDS: usize = 8 * 1024;
/// Objects within objects that are followed.
const DEPTH: u32 = 4;
/// Characters of one text.
const TEXT: usize = 1024;

/// The object, if the text is one.
pub(crate) fn object(text: &str) -> Option<Map<String, Value>> {
    if !(text.starts_with('{') && text.trim_end().ends_with('}')) {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// The event that an object tells. Without a message it is none.
pub(crate) fn event(mut object: Map<String, Value>, clock: &mut Clock) -> Option<Draft<'static>> {
    // `tracing` puts the message and its fields into an object of their own.
    if let Some(Value::Object(fields)) = object.get_mut("fields") {
        let fields = std::mem::take(fields);
        object.remove("fields");
        for (key, value) in fields {
            object.entry(key).or_insert(value);
        }
    }
    let message = text_of(take(&mut object, MESSAGES)?);
    let mut draft = Draft {
        message: Cow::Owned(message),
        ..Draft::default()
    };
    if let Some(value) = take(&mut object, LEVELS) {
        draft.level = level_of(&value);
    }
    if let Some(value) = take(&mut object, LOGGERS) {
        draft.component = Cow::Owned(text_of(value));
    }
    if let Some(value) = take(&mut object, TIMES) {
        draft.stamp = stamp(&value, clock);
    }
    let fields = fields(&object);
    if fields.len() > 2 {
        draft.context.json("fields", &fields);
    }
    Some(draft)
}

fn take(object: &mut Map<String, Value>, names: &[&str]) -> Option<Value> {
    names.iter().find_map(|name| object.remove(*name))
}

fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A word, or a number as pino and bunyan have it: 10 trace, 20 debug, 30 info, 40 warn, 50 error.
fn level_of(value: &Value) -> Option<Level> {
    match value {
        Value::String(word) => level::of_word(word),
        Value::Number(number) => match number.as_u64()? {
            severity @ 0..=7 => u8::try_from(severity)
                .ok()
                .and_then(level::of_severity)
                .map(|(level, _)| level),
            8..=29 => Some(Level::Debug),
            30..=39 => Some(Level::Info),
            40..=49 => Some(Level::Warn),
            _ => Some(Level::Error),
        },
        _ => None,
    }
}

/// Text of ISO 8601, or a number of seconds or milliseconds since the epoch.
pub(crate) fn stamp(value: &Value, clock: &mut Clock) -> Option<Stamp> {
    match value {
        Value::String(text) => {
            let (civil, end) = time::iso(text)?;
            let (zone, _) = time::zone(&text[end..]);
            Some(clock.stamp(civil, zone))
        }
        Value::Number(number) => {
            let number = number
                .as_f64()
                .filter(|number| (0.0..1e16).contains(number))?;
            // 1e11 seconds are the year 5138, 1e11 milliseconds 1973.
            let seconds = if number > 1e11 {
                number / 1000.0
            } else {
                number
            };
            let micros = ((seconds - seconds.floor()) * 1e6).round();
            // Both are in range: see the filter above.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in range"
            )]
            Some(clock.epoch(seconds.floor() as i64, (micros as u32).min(999_999)))
        }
        _ => None,
    }
}

/// What is left of an object, as JSON without secrets.
pub(crate) fn fields(object: &Map<String, Value>) -> String {
    let mut out = String::from("{");
    write_members(&mut out, object, 0);
    out.push('}');
    out
}

fn write_members(out: &mut String, object: &Map<String, Value>, depth: u32) {
    let mut first = true;
    for (key, value) in object {
        let before = out.len();
        if !first {
            out.push(',');
        }
        string(out, &clean::text(shortened(key)));
        out.push(':');
        write(out, key, value, depth);
        // Braces that are still open need room as well.
        if out.len() + DEPTH as usize * 2 > FIELDS {
            out.truncate(before);
            return;
        }
        first = false;
    }
}

fn write(out: &mut String, key: &str, value: &Value, depth: u32) {
    match value {
        Value::Object(object) if depth < DEPTH => {
            out.push('{');
            write_members(out, object, depth + 1);
            out.push('}');
        }
        Value::Array(items) if depth < DEPTH => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if out.len() > FIELDS {
                    break;
                }
                if at > 0 {
                    out.push(',');
                }
                write(out, key, item, depth + 1);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) => out.push_str(&value.to_string()),
        Value::Number(number) if is_plain(number) => {
            let digits = number.to_string();
            match redact::value(key, &digits) {
                plain if plain == digits => out.push_str(&digits),
                secret => string(out, &secret),
            }
        }
        other => string(out, &safe(key, other)),
    }
}

/// Numbers outside of this are texts: `numeric` holds them, most readers do not.
fn is_plain(number: &serde_json::Number) -> bool {
    number.as_f64().is_some_and(|number| number.abs() < 9e15)
}

/// A value as text, or what stands in for it where its name says that it is a secret.
fn safe(key: &str, value: &Value) -> String {
    let text = match value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        other => Cow::Owned(other.to_string()),
    };
    let text = clean::text(shortened(&text));
    redact::value(key, &text).into_owned()
}

fn shortened(text: &str) -> &str {
    text.char_indices()
        .nth(TEXT)
        .map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, instant};
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn loggers_are_understood() {
        // Object; level, logger, message, context.
        let cases = [
            (
                r#"{"timestamp":"2026-11-23T00:10:49Z","level":"WARN","fields":{"message":"slow","ms":7,"api_key":"k"},"target":"api::db","span":{"name":"r"}}"#,
                r#"Some(Warn)|api::db|slow|{"fields":{"api_key":"…","ms":7,"span":{"name":"r"}}}"#,
            ),
            (
                r#"{"level":50,"time":1795392649123,"msg":"no","pid":7}"#,
                r#"Some(Error)||no|{"fields":{"pid":7}}"#,
            ),
            (
                r#"{"level":"info","ts":1795392649.5,"logger":"tls","msg":"ok"}"#,
                "Some(Info)|tls|ok|",
            ),
            (
                r#"{"msg":"Bearer abc","nested":{"password":["a","b"],"n":null}}"#,
                r#"None||Bearer abc|{"fields":{"nested":{"n":null,"password":["…","…"]}}}"#,
            ),
            (
                r#"{"msg":"x","pin":471199,"db_pass":"a","auth":"ok","n":471199}"#,
                r#"None||x|{"fields":{"auth":"ok","db_pass":"…","n":471199,"pin":"…"}}"#,
            ),
        ];
        for (text, expected) in cases {
            let mut clock = Clock::new(TimeZone::UTC);
            clock.set(instant(NOW));
            let draft = event(object(text).unwrap(), &mut clock).unwrap();
            let context = draft.context.finish().unwrap_or_default();
            let told = format!(
                "{:?}|{}|{}|{context}",
                draft.level, draft.component, draft.message
            );
            assert_eq!(told, expected, "{text}");
        }
        for text in ["{}", r#"{"level":"info"}"#] {
            let mut clock = Clock::new(TimeZone::UTC);
            assert!(event(object(text).unwrap(), &mut clock).is_none(), "{text}");
        }
        assert!(object("{not json}").is_none());
    }

    #[test]
    fn many_fields_stay_json_and_small() {
        let many: Map<String, Value> = (0..1000)
            .map(|n| (format!("key{n}"), Value::from("x".repeat(50))))
            .collect();
        let text = fields(&many);
        assert!(text.len() <= FIELDS);
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }
}
