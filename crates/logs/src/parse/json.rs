//! Messages that are a JSON object, as most structured loggers write them: `tracing`, zap, zerolog, slog,
//! logrus, pino, bunyan, winston, Log4j, Logback, Monolog, structlog, Serilog, .NET, ECS, GELF, OpenTelemetry,
//! MongoDB, RabbitMQ, Elasticsearch.
//!
//! Level, message, logger and time are known by the names that these give them, as a key with dots or as
//! objects within objects; what else there is goes to the context as `fields`, secrets replaced. Pairs of
//! logfmt are read as an object, too (see [`super::logfmt`]).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::context::string;
use super::stamp;
use super::time::{Clock, Stamp};
use super::{Draft, clean, level};
use crate::event::Level;

/// Keys of the level, the most exact first: Monolog writes its number as `level` beside the name.
const LEVELS: &[&str] = &[
    "level_name",
    "levelname",
    "log.level",
    "level",
    "lvl",
    "severity",
    "severity_text",
    "severityText",
    "SeverityText",
    "@l",
    "loglevel",
    "log_level",
    "logLevel",
    "LogLevel",
    "Level",
    "L",
    "levelno",
    "level_value",
    "severity_number",
    "severityNumber",
    "SeverityNumber",
    "priority",
    "PRIORITY",
    "s",
];
/// Keys of the message.
const MESSAGES: &[&str] = &[
    "message",
    "msg",
    "short_message",
    "@m",
    "RenderedMessage",
    "renderedMessage",
    "Message",
    "MESSAGE",
    "event",
    "textPayload",
    "body",
    "Body",
    "@mt",
    "MessageTemplate",
    "log",
];
/// Keys used as the message if there is none.
const FAILURES: &[&str] = &["error", "err", "exception", "error.message"];
const LOGGERS: &[&str] = &[
    "target",
    "log.logger",
    "logger",
    "logger_name",
    "loggerName",
    "SourceContext",
    "Category",
    "channel",
    "name",
    "component",
    "module",
];
const TIMES: &[&str] = &[
    "@timestamp",
    "timestamp",
    "time",
    "ts",
    "t",
    "@t",
    "datetime",
    "asctime",
    "Timestamp",
    "Time",
    "eventTime",
    "event_time",
    "instant",
    "timeMillis",
    "log_time",
    "written_at",
    "_time",
    "T",
];
/// Objects whose members are as those of the outer one: of `tracing`, and of Google's.
const WRAPPERS: &[&str] = &["fields", "jsonPayload"];
/// Bytes of `fields` at most; what does not fit is left out.
const FIELDS: usize = 8 * 1024;
/// Objects within objects that are followed.
const DEPTH: u32 = 4;
/// Characters of one text.
const TEXT: usize = 1024;

/// Returns the object, if the text is one.
pub(crate) fn object(text: &str) -> Option<Map<String, Value>> {
    if !(text.starts_with('{') && text.trim_end().ends_with('}')) {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// Returns the event of an object; `text` is the object as it is written. One with neither
/// message, level nor time is not one; one without message has its text as message.
pub(crate) fn event<'a>(
    mut object: Map<String, Value>,
    text: &'a str,
    clock: &mut Clock,
) -> Option<Draft<'a>> {
    for wrapper in WRAPPERS {
        if let Some(Value::Object(fields)) = object.get_mut(*wrapper) {
            let fields = std::mem::take(fields);
            object.remove(*wrapper);
            for (key, value) in fields {
                object.entry(key).or_insert(value);
            }
        }
    }
    let mut draft = Draft::default();
    let level = take(&mut object, LEVELS, |object, name, value| {
        // One letter is a level of MongoDB alone; its lines have a context.
        if name == "s" && !object.contains_key("ctx") {
            return None;
        }
        level_of(name, value)
    });
    if let Some((level, value)) = level {
        draft.level = Some(level);
        if let Value::String(word) = value
            && level::of_word(&word).is_some()
            && level::is_finer(&word, level)
        {
            draft.context.name("severity", &word);
        }
    }
    let time = take(&mut object, TIMES, |_, _, value| stamp(value, clock));
    draft.stamp = time.map(|(stamp, _)| stamp);
    let message = take(&mut object, MESSAGES, |_, _, value| words(value));
    draft.message = match message {
        Some((message, _)) => Cow::Owned(message),
        None if draft.level.is_none() && draft.stamp.is_none() => return None,
        None => take(&mut object, FAILURES, |_, _, value| words(value))
            .map_or(Cow::Borrowed(text), |(message, _)| Cow::Owned(message)),
    };
    let logger = take(&mut object, LOGGERS, |_, _, value| words(value));
    if let Some((logger, _)) = logger {
        draft.component = Cow::Owned(logger);
    }
    let fields = fields(&object);
    if fields.len() > 2 {
        draft.context.json("fields", &fields);
    }
    Some(draft)
}

/// Takes out the first member of these names of which `read` makes something.
fn take<T>(
    object: &mut Map<String, Value>,
    names: &[&str],
    mut read: impl FnMut(&Map<String, Value>, &str, &Value) -> Option<T>,
) -> Option<(T, Value)> {
    for name in names {
        if let Some(value) = object.get(*name) {
            if let Some(found) = read(object, name, value) {
                return object.remove(*name).map(|value| (found, value));
            }
        } else if let Some((outer, inner)) = name.split_once('.')
            && let Some(Value::Object(within)) = object.get(outer)
            && let Some(found) = within
                .get(inner)
                .and_then(|value| read(object, name, value))
            && let Some(Value::Object(within)) = object.get_mut(outer)
        {
            let value = within.remove(inner)?;
            if within.is_empty() {
                object.remove(outer);
            }
            return Some((found, value));
        }
    }
    None
}

/// Returns a text that is not empty, or a number.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Returns a word, a letter, or a number of one of several scales.
fn level_of(name: &str, value: &Value) -> Option<Level> {
    match value {
        Value::String(word) => match word.trim().as_bytes() {
            [letter @ b'A'..=b'Z'] | [letter @ b'D', b'1'..=b'5'] => level::of_letter(*letter),
            [b'0'..=b'9', ..] => of_number(name, word.trim().parse().ok()?),
            // OpenTelemetry has four grades of each.
            [.., b'1'..=b'4'] if name.starts_with(['s', 'S']) => {
                level::of_name(&word.trim()[..word.trim().len() - 1])
            }
            _ => level::of_name(word.trim()),
        },
        Value::Number(number) => of_number(name, number.as_u64()?),
        _ => None,
    }
}

/// Numbers of Python (`levelno`), OpenTelemetry, .NET and syslog by their names; under any other, the
/// ranges of syslog and GELF (0 to 7), of pino and bunyan (10 trace, 20 debug, 30 info, 40 warn, 50
/// error), of Monolog (100 debug to 600 emergency) and of Log4j (10000 debug to 50000 fatal) are apart.
fn of_number(name: &str, number: u64) -> Option<Level> {
    // Where each scale becomes info, warning and error.
    let from = |info: u64, warn: u64, error: u64| {
        Some(match number {
            n if n >= error => Level::Error,
            n if n >= warn => Level::Warn,
            n if n >= info => Level::Info,
            _ => Level::Debug,
        })
    };
    match (name, number) {
        ("levelno", _) => from(20, 30, 40),
        ("severity_number" | "severityNumber" | "SeverityNumber", 1..=24) => from(9, 13, 17),
        ("LogLevel" | "logLevel", 0..=6) => from(2, 3, 4),
        ("priority" | "PRIORITY", 8..) => None,
        (_, 0..=7) => {
            let severity = u8::try_from(number).ok()?;
            level::of_severity(severity).map(|(level, _)| level)
        }
        (_, 8..=99) => from(30, 40, 50),
        (_, 100..=999) => from(200, 300, 400),
        (_, 1000..=99_999) => from(20_000, 30_000, 40_000),
        _ => None,
    }
}

/// Returns text of a time, seconds or smaller units since the epoch, or an object of one of these.
pub(crate) fn stamp(value: &Value, clock: &mut Clock) -> Option<Stamp> {
    match value {
        Value::String(text) => {
            let found = stamp::leading(text.trim_start_matches('['), clock)?;
            let is_all = found.rest.is_empty() || found.rest == "]";
            found.stamp.filter(|_| is_all)
        }
        Value::Number(number) => of_epoch(number, clock),
        Value::Object(object) => {
            let get = |name: &str| object.get(name);
            if let Some(date) = get("$date").or_else(|| get("$numberLong")) {
                return stamp(date, clock);
            }
            // Monolog of old: a date and the name of its zone.
            if let (Some(Value::String(date)), Some(Value::String(zone))) =
                (get("date"), get("timezone"))
            {
                return stamp(&Value::from(format!("{date} {zone}")), clock);
            }
            let seconds = get("epochSecond").or_else(|| get("seconds"))?.as_i64()?;
            let nanos = get("nanoOfSecond").or_else(|| get("nanos"));
            let nanos = nanos.and_then(Value::as_u64).unwrap_or(0);
            let micros = u32::try_from(nanos / 1000).ok()?;
            Some(clock.epoch(seconds, micros.min(999_999)))
        }
        _ => None,
    }
}

/// Converts whole numbers by their size: 1e11 seconds are the year 5138, 1e11 milliseconds 1973, and so on.
fn of_epoch(number: &serde_json::Number, clock: &mut Clock) -> Option<Stamp> {
    if let Some(whole) = number.as_u64() {
        let whole = i64::try_from(whole).ok()?;
        let (per_second, micros) = match whole {
            0..100_000_000_000 => (1, 0),
            100_000_000_000..100_000_000_000_000 => (1000, whole % 1000 * 1000),
            100_000_000_000_000..100_000_000_000_000_000 => (1_000_000, whole % 1_000_000),
            _ => (1_000_000_000, whole % 1_000_000_000 / 1000),
        };
        return Some(clock.epoch(whole / per_second, u32::try_from(micros).ok()?));
    }
    let number = number
        .as_f64()
        .filter(|number| (0.0..1e16).contains(number))?;
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

/// Returns what is left of an object, as JSON without secrets.
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

/// Returns a value as text, or the mark in its place if its name states that it is a secret.
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
        // Object; level, logger, message, time, context.
        let cases = [
            (
                r#"{"timestamp":"2026-11-23T00:10:49Z","level":"WARN","fields":{"message":"slow","ms":7,"api_key":"k"},"target":"api::db","span":{"name":"r"}}"#,
                r#"Some(Warn)|api::db|slow|49.000|{"fields":{"api_key":"…","ms":7,"span":{"name":"r"}}}"#,
            ),
            (
                r#"{"level":50,"time":1795392649123,"msg":"no","pid":7}"#,
                r#"Some(Error)||no|49.123|{"fields":{"pid":7}}"#,
            ),
            (
                r#"{"level":"info","ts":1795392649.5,"logger":"tls","msg":"ok"}"#,
                "Some(Info)|tls|ok|49.500|",
            ),
            (
                r#"{"msg":"Bearer abc","nested":{"password":["a","b"],"n":null}}"#,
                r#"None||Bearer abc|none|{"fields":{"nested":{"n":null,"password":["…","…"]}}}"#,
            ),
            // Elastic Common Schema, nested and with dots.
            (
                r#"{"@timestamp":"2026-11-23T00:10:49.250Z","log":{"level":"error","logger":"a.B"},"message":"no","event":{"dataset":"x"}}"#,
                r#"Some(Error)|a.B|no|49.250|{"fields":{"event":{"dataset":"x"}}}"#,
            ),
            (
                r#"{"@timestamp":"2026-11-23T00:10:49.250Z","log.level":"WARN","message":"no","ecs.version":"1.2"}"#,
                r#"Some(Warn)||no|49.250|{"fields":{"ecs.version":"1.2"}}"#,
            ),
            // MongoDB.
            (
                r#"{"t":{"$date":"2026-11-23T01:10:49.250+01:00"},"s":"E","c":"NETWORK","id":22,"ctx":"conn1","msg":"no"}"#,
                r#"Some(Error)||no|49.250|{"fields":{"c":"NETWORK","ctx":"conn1","id":22}}"#,
            ),
            (
                r#"{"t":{"$date":{"$numberLong":"1795392649250"}},"s":"D1","ctx":"c","msg":"no"}"#,
                r#"Some(Debug)||no|49.250|{"fields":{"ctx":"c"}}"#,
            ),
            // GELF.
            (
                r#"{"version":"1.1","host":"h","short_message":"no","level":4,"timestamp":1795392649.25,"_a":1}"#,
                r#"Some(Warn)||no|49.250|{"fields":{"_a":1,"host":"h","version":"1.1"}}"#,
            ),
            // Monolog, new and old.
            (
                r#"{"message":"no","context":{},"level":100,"level_name":"DEBUG","channel":"app","datetime":"2026-11-23T01:10:49.250000+01:00"}"#,
                r#"Some(Debug)|app|no|49.250|{"fields":{"context":{},"level":100}}"#,
            ),
            (
                r#"{"message":"no","level":400,"datetime":{"date":"2026-11-23 01:10:49.250000","timezone_type":3,"timezone":"Europe/Berlin"}}"#,
                "Some(Error)||no|49.250|",
            ),
            // Log4j 2.
            (
                r#"{"instant":{"epochSecond":1795392649,"nanoOfSecond":250000000},"level":"FATAL","loggerName":"a.B","message":"no"}"#,
                r#"Some(Error)|a.B|no|49.250|{"severity":"FATAL"}"#,
            ),
            (
                r#"{"timeMillis":1795392649250,"level":"WARN","message":"no"}"#,
                "Some(Warn)||no|49.250|",
            ),
            // Serilog, compact and not; .NET.
            (
                r#"{"@t":"2026-11-23T00:10:49.2500000Z","@mt":"no {n}","@l":"Error","n":1}"#,
                r#"Some(Error)||no {n}|49.250|{"fields":{"n":1}}"#,
            ),
            (
                r#"{"Timestamp":"2026-11-23T00:10:49.25+00:00","Level":"Warning","RenderedMessage":"no"}"#,
                "Some(Warn)||no|49.250|",
            ),
            (
                r#"{"EventId":0,"LogLevel":"Critical","Category":"A.B","Message":"no"}"#,
                r#"Some(Error)|A.B|no|none|{"severity":"Critical","fields":{"EventId":0}}"#,
            ),
            // OpenTelemetry.
            (
                r#"{"severityText":"ERROR2","body":"no","severityNumber":18}"#,
                r#"Some(Error)||no|none|{"fields":{"severityNumber":18}}"#,
            ),
            (
                r#"{"SeverityNumber":14,"Body":"no"}"#,
                "Some(Warn)||no|none|",
            ),
            // Python.
            (
                r#"{"asctime":"2026-11-23 00:10:49,250","levelname":"WARNING","name":"a.b","message":"no"}"#,
                "Some(Warn)|a.b|no|49.250|",
            ),
            (r#"{"levelno":40,"message":"no"}"#, "Some(Error)||no|none|"),
            // slog, winston, zap, Google; nanoseconds and microseconds.
            (
                r#"{"time":"2026-11-23T00:10:49.25Z","level":"WARN+1","msg":"no"}"#,
                "Some(Warn)||no|49.250|",
            ),
            (
                r#"{"level":"error","message":"no","timestamp":"2026-11-23 00:10:49.250"}"#,
                "Some(Error)||no|49.250|",
            ),
            (
                r#"{"L":"ERROR","T":"2026-11-23T01:10:49.250+0100","M":"x","msg":"no"}"#,
                r#"Some(Error)||no|49.250|{"fields":{"M":"x"}}"#,
            ),
            (
                r#"{"severity":"NOTICE","time":1795392649250000,"jsonPayload":{"message":"no"}}"#,
                r#"Some(Info)||no|49.250|{"severity":"NOTICE"}"#,
            ),
            (
                r#"{"severity":"ALERT","ts":1795392649250000000,"message":"no"}"#,
                r#"Some(Error)||no|49.250|{"severity":"ALERT"}"#,
            ),
            (r#"{"level":"E","msg":"no"}"#, "Some(Error)||no|none|"),
            // What is a number or an object is not a word.
            (
                r#"{"level":{"a":1},"severity":"warning","msg":"no"}"#,
                r#"Some(Warn)||no|none|{"fields":{"level":{"a":1}}}"#,
            ),
            (
                r#"{"level":"high","msg":"no"}"#,
                r#"None||no|none|{"fields":{"level":"high"}}"#,
            ),
            (
                r#"{"time":"soon","msg":"no"}"#,
                r#"None||no|none|{"fields":{"time":"soon"}}"#,
            ),
            // Without a message.
            (r#"{"level":"error","error":"no"}"#, "Some(Error)||no|none|"),
            (
                r#"{"level":"error","msg":"","n":1}"#,
                r#"Some(Error)||{"level":"error","msg":"","n":1}|none|{"fields":{"msg":"","n":1}}"#,
            ),
            (
                r#"{"msg":"x","pin":471199,"db_pass":"a","auth":"ok","n":471199}"#,
                r#"None||x|none|{"fields":{"auth":"ok","db_pass":"…","n":471199,"pin":"…"}}"#,
            ),
        ];
        for (text, expected) in cases {
            let mut clock = Clock::new(TimeZone::UTC);
            clock.set(instant(NOW));
            let draft = event(object(text).unwrap(), text, &mut clock).unwrap();
            let context = draft.context.finish().unwrap_or_default();
            let time = draft.stamp.map_or("none".to_owned(), |stamp| {
                let millis = stamp.ts.as_micros() / 1000;
                assert_eq!(millis / 60_000 * 60, 1_795_392_600, "{text}");
                format!("{}.{:03}", millis / 1000 % 60, millis % 1000)
            });
            let summary = format!(
                "{:?}|{}|{}|{time}|{context}",
                draft.level, draft.component, draft.message
            );
            assert_eq!(summary, expected, "{text}");
        }
        for text in ["{}", r#"{"a":"info"}"#, r#"{"level":9e99}"#] {
            let mut clock = Clock::new(TimeZone::UTC);
            let object = object(text).unwrap();
            assert!(event(object, text, &mut clock).is_none(), "{text}");
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
