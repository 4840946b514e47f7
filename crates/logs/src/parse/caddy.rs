//! Caddy's JSON logs: access and everything else.
//!
//! Of a request's headers only referer and agent are kept; all others may hold what opens a session.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::time::Clock;
use super::{Draft, Parsed, State, access, json};

/// A line of `http.log.access`, as far as it is kept.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    msg: Cow<'a, str>,
    #[serde(default)]
    ts: Value,
    #[serde(borrow)]
    logger: Option<Cow<'a, str>>,
    #[serde(borrow)]
    request: Option<Request<'a>>,
    status: Option<u16>,
    size: Option<u64>,
    #[serde(default)]
    duration: Value,
    #[serde(borrow)]
    user_id: Option<Cow<'a, str>>,
}

/// What was asked, and by whom.
#[derive(Deserialize)]
pub(super) struct Request<'a> {
    #[serde(borrow)]
    pub(super) method: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) uri: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) host: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) proto: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) client_ip: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) remote_ip: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) headers: Headers,
}

/// Those that are read.
#[derive(Default, Deserialize)]
pub(super) struct Headers {
    #[serde(rename = "User-Agent", default)]
    pub(super) agent: Vec<String>,
    #[serde(rename = "Referer", default)]
    pub(super) referer: Vec<String>,
}

/// Parses a line; see [`super::PARSERS`].
pub(crate) fn line<'a>(_: &mut State, line: &'a str, clock: &mut Clock) -> Parsed<'a> {
    if !line.starts_with('{') {
        return Parsed::Headless;
    }
    let draft = request(line, clock).or_else(|| other(line, clock));
    match draft {
        Some(mut draft) => {
            draft.whole = true;
            Parsed::Event(draft)
        }
        None => Parsed::Headless,
    }
}

/// Parses anything but a request that was answered. Of a request only what was asked is kept.
fn other(line: &str, clock: &mut Clock) -> Option<Draft<'static>> {
    let mut object = json::object(line)?;
    object.remove("resp_headers");
    if let Some(Value::Object(request)) = object.get_mut("request") {
        request.remove("headers");
        request.remove("tls");
    }
    // The line itself holds the headers.
    let draft = json::event(object, "", clock)?;
    (!draft.message.is_empty()).then_some(draft)
}

fn request<'a>(line: &str, clock: &mut Clock) -> Option<Draft<'a>> {
    let read: Line<'_> = serde_json::from_str(line).ok()?;
    if read.msg != "handled request" {
        return None;
    }
    let (request, status) = (read.request?, read.status?);
    let proto = request.proto.as_deref().unwrap_or_default();
    let asked = format!("{} {} {proto}", request.method, request.uri);
    let mut access = access::access(&asked, status);
    access.bytes = read.size;
    access.duration_ms = duration(&read.duration);
    let mut draft = Draft {
        stamp: json::stamp(&read.ts, clock),
        component: Cow::Owned(read.logger.unwrap_or_default().into_owned()),
        message: Cow::Owned(format!("\"{}\" {status}", asked.trim_end())),
        ..Draft::default()
    };
    let context = &mut draft.context;
    context.name("host", request.host.as_deref().unwrap_or_default());
    let client = request.client_ip.or(request.remote_ip).unwrap_or_default();
    context.name("client", &client);
    context.name("user", read.user_id.as_deref().unwrap_or_default());
    context.text(
        "referer",
        request.headers.referer.first().map_or("", String::as_str),
    );
    context.text(
        "agent",
        request.headers.agent.first().map_or("", String::as_str),
    );
    // Caddy's own level is `error` from 400 on.
    access::finish(&mut draft, access);
    Some(draft)
}

/// Parses seconds, or text such as `1.5ms` where `duration_format` is `string`.
fn duration(value: &Value) -> Option<f64> {
    let millis = match value {
        Value::Number(seconds) => seconds.as_f64()? * 1000.0,
        Value::String(text) => {
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let scale = match &text[end..] {
                "ns" => 1e-6,
                "µs" | "us" => 1e-3,
                "ms" => 1.0,
                "s" => 1e3,
                _ => return None,
            };
            text[..end].parse::<f64>().ok()? * scale
        }
        _ => return None,
    };
    (millis.is_finite() && millis >= 0.0).then(|| (millis * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{events, summary};

    #[test]
    fn requests_and_messages_are_read() {
        let cases = [
            (
                r#"{"level":"info","ts":1795392649.5,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"192.0.2.1","remote_port":"5","client_ip":"192.0.2.2","proto":"HTTP/2.0","method":"GET","host":"example.com","uri":"/a\u0026b?token=abc","headers":{"User-Agent":["curl/8"],"Cookie":["secret"]},"tls":{"resumed":false}},"bytes_read":0,"user_id":"","duration":0.0123,"size":12,"status":200,"resp_headers":{"Server":["Caddy"]}}"#,
                r#"2026-11-23T00:10:49.5Z info http.log.access.log0: "GET /a&b?token=… HTTP/2.0" 200 {"host":"example.com","client":"192.0.2.2","agent":"curl/8","status":200,"bytes":12,"duration_ms":12.3}"#,
            ),
            (
                r#"{"level":"error","ts":"2026-11-23T00:10:49Z","logger":"http.log.error","msg":"dial tcp: refused","request":{"method":"GET","uri":"/x","headers":{"X-Any":["y"]}},"duration":"1.5ms","status":502}"#,
                r#"2026-11-23T00:10:49Z error http.log.error: dial tcp: refused {"fields":{"duration":"1.5ms","request":{"method":"GET","uri":"/x"},"status":502}}"#,
            ),
            (
                r#"{"level":"warn","ts":1795392649,"logger":"tls","msg":"no OCSP","domain":"example.com"}"#,
                r#"2026-11-23T00:10:49Z warn tls: no OCSP {"fields":{"domain":"example.com"}}"#,
            ),
            (
                "{broken",
                r#"2026-11-23T12:00:00Z info : {broken {"ts_inferred":true}"#,
            ),
        ];
        for (line, expected) in cases {
            let events = events("caddy", line);
            assert_eq!(summary(&events[0]), expected, "{line}");
        }
    }
}
