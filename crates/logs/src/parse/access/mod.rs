//! Access logs in the formats `common` and `combined`, as Apache and nginx write them.
//!
//! ```text
//! [vhost:port ]client ident user [23/Nov/2026:00:10:49 +0000] "GET /x HTTP/1.1" 200 123 ["referer" "agent"][ more]
//! ```
//!
//! Of what follows, a number is the duration only where that is known: by the format that the configuration
//! states ([`Format`]), by a name before it (`rt=0.005`), or by the shape of the whole, as of the nginx
//! ingress controller. Elsewhere it may as well be bytes. Both servers escape quotes in what a client sends, so that an
//! unescaped quote ends a field. A user's name may hold blanks and brackets; the time is where a whole
//! time stamp is followed by a quote.
//!
//! Answers of 500 and above are errors. Those of 400 to 499 are the clients', and `info`.

mod format;
mod request;

use std::borrow::Cow;

use super::time::{self, Civil, Clock, Zone};
use super::{Draft, Parsed, State, clean};
use crate::event::{Access, Level};
pub(crate) use format::Format;
pub use request::{Request, request};

/// Characters of a path that are kept.
const PATH_CHARS: usize = 512;
/// Letters of a method at most.
const METHOD: usize = 24;
/// `[23/Nov/2026:00:10:49 +0000]`
const TIME: usize = 28;

/// Parses a line; see [`super::PARSERS`].
pub(crate) fn line<'a>(state: &mut State, line: &'a str, clock: &mut Clock) -> Parsed<'a> {
    read(line, &state.access, clock).map_or(Parsed::Headless, Parsed::Event)
}

fn read<'a>(line: &'a str, format: &Format, clock: &mut Clock) -> Option<Draft<'a>> {
    let (who, (civil, offset), rest) = time_in(line)?;
    let stamp = clock.stamp(civil, Zone::Offset(offset))?;
    let (request, rest) = quoted(rest)?;
    let rest = rest.strip_prefix(' ')?;
    let (status_text, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let status: u16 = status_text
        .parse()
        .ok()
        .filter(|_| status_text.len() == 3)?;
    let (bytes, rest) = rest.split_once(' ').unwrap_or((rest, ""));

    let mut draft = Draft {
        stamp: Some(stamp),
        whole: true,
        ..Draft::default()
    };
    client(who, &mut draft);
    let mut access = access(request, status);
    access.bytes = bytes.parse().ok();
    // Up to the status: what requests have in common.
    let from = line.len() - rest.len() - bytes.len() - usize::from(!rest.is_empty());
    let message = line[..from].trim_end();
    let begin = message.len() - request.len() - status_text.len() - 3;
    draft.message = Cow::Borrowed(line.get(begin..message.len()).unwrap_or(request));
    more(rest, format, &mut access, &mut draft);
    finish(&mut draft, access);
    Some(draft)
}

/// Sets level and figures of a request.
pub(crate) fn finish(draft: &mut Draft<'_>, access: Access) {
    draft.level = Some(if access.status >= 500 {
        Level::Error
    } else {
        Level::Info
    });
    draft.context.number("status", access.status.into());
    if let Some(bytes) = access.bytes {
        draft.context.number("bytes", bytes);
    }
    if let Some(duration) = access.duration_ms {
        draft.context.json("duration_ms", &format!("{duration}"));
    }
    draft.access = Some(access);
}

/// Returns what is before the time, the time, and what is after it.
fn time_in(line: &str) -> Option<(&str, (Civil, i32), &str)> {
    for at in memchr::memchr_iter(b'[', line.as_bytes()) {
        let Some(text) = line.get(at..at + TIME) else {
            break;
        };
        let Some(rest) = line
            .get(at + TIME..)
            .and_then(|rest| rest.strip_prefix(" \""))
        else {
            continue;
        };
        if let Some(time) = text.strip_suffix(']').and_then(|text| time_of(&text[1..])) {
            return Some((line[..at].trim_end(), time, rest));
        }
    }
    None
}

/// Parses `23/Nov/2026:00:10:49 +0000`: a time, and the seconds by which it is ahead of UTC.
fn time_of(text: &str) -> Option<(Civil, i32)> {
    let day = time::two(text.as_bytes(), 0)?;
    let month = time::month(text.get(3..6)?)?;
    let year = text.get(7..11)?.parse().ok()?;
    let (of_day, end) = time::time_of_day(text.get(12..)?)?;
    let (zone, _) = time::zone(&text[12 + end..]);
    let civil = Civil::new((year, month, day), of_day)?;
    match zone {
        Zone::Offset(offset) => Some((civil, offset)),
        _ => None,
    }
}

/// Parses `[vhost:port] client ident user`.
fn client<'a>(who: &'a str, draft: &mut Draft<'a>) {
    let (host, client, user) = parties(who);
    draft.context.name("host", host);
    draft.context.name("client", client);
    draft.context.name("user", user);
}

/// Returns virtual host, client and user of `[vhost:port] client ident user`; empty where there is none.
fn parties(who: &str) -> (&str, &str, &str) {
    let mut words = who.splitn(3, ' ');
    let (first, second, rest) = (
        words.next().unwrap_or(""),
        words.next().unwrap_or(""),
        words.next().unwrap_or(""),
    );
    // The second word is `-` in all but the rarest logs, unless a virtual host is before.
    match rest.split_once(' ') {
        Some((ident, user)) if second != "-" && ident == "-" => (first, second, user),
        _ => ("", first, rest),
    }
}

/// Returns the text up to the next quote that is not escaped, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', &bytes[from..])?;
        if bytes[at] == b'"' {
            return Some((&text[..at], &text[at + 1..]));
        }
        from = (at + 2).min(bytes.len());
    }
}

/// Returns method and path of a request line.
pub(crate) fn access(request: &str, status: u16) -> Access {
    let (method, rest) = request.split_once(' ').unwrap_or((request, ""));
    let is_method = !method.is_empty()
        && method.len() <= METHOD
        && method
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'));
    let target = rest.rsplit_once(' ').map_or(rest, |(target, _)| target);
    let (method, path) = if is_method && !target.is_empty() {
        (method, path(target))
    } else {
        ("-", "-".to_owned())
    };
    Access {
        method: method.to_owned(),
        path,
        status,
        duration_ms: None,
        bytes: None,
    }
}

/// Returns the path of a request's target, without query and host.
pub(crate) fn path(target: &str) -> String {
    let target = match target.split_once("://") {
        // The absolute form, as proxies are asked.
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            rest.find(['/', '?']).map_or("/", |at| &rest[at..])
        }
        _ => target,
    };
    let end = target.find(['?', '#']).unwrap_or(target.len());
    let mut path = redact::text(&clean::text(&target[..end]));
    clean::cut(&mut path, PATH_CHARS);
    if path.is_empty() {
        "/".to_owned()
    } else {
        path
    }
}

/// Parses referer and agent, then the fields an operator added.
fn more(text: &str, format: &Format, access: &mut Access, draft: &mut Draft<'_>) {
    let mut rest = text;
    let mut added = text;
    for key in ["referer", "agent", "forwarded_for"] {
        let Some((value, after)) = rest.strip_prefix('"').and_then(quoted) else {
            break;
        };
        draft.context.text(key, value);
        rest = after.trim_start();
        if key == "agent" {
            added = rest;
        }
    }
    access.duration_ms = format.duration(text, added);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{events, expect, summary};

    #[test]
    fn common_combined_and_what_is_added_are_read() {
        // Line; summary; method, path, duration.
        let cases = [
            (
                r#"192.0.2.1 - - [23/Nov/2026:00:10:49 +0100] "GET /a?token=abc HTTP/1.1" 200 123"#,
                r#"2026-11-22T23:10:49Z info : "GET /a?token=… HTTP/1.1" 200 {"client":"192.0.2.1","status":200,"bytes":123}"#,
                ("GET", "/a", None),
            ),
            (
                r#"2001:db8::1 - joe [23/Nov/2026:00:10:49 +0000] "POST /b HTTP/2.0" 503 - "http://example.com/" "curl/8 \"x\"""#,
                r#"2026-11-23T00:10:49Z error : "POST /b HTTP/2.0" 503 {"client":"2001:db8::1","user":"joe","referer":"http://example.com/","agent":"curl/8 \\\"x\\\"","status":503}"#,
                ("POST", "/b", None),
            ),
            (
                r#"example.com:443 192.0.2.1 - - [23/Nov/2026:00:10:49 +0000] "GET http://example.com/c HTTP/1.1" 404 1 "-" "-" 5123"#,
                r#"2026-11-23T00:10:49Z info : "GET http://example.com/c HTTP/1.1" 404 {"host":"example.com:443","client":"192.0.2.1","status":404,"bytes":1}"#,
                ("GET", "/c", None),
            ),
            (
                r#"192.0.2.1 - - [23/Nov/2026:00:10:49 +0000] "GET /d HTTP/1.1" 200 1 "-" "-" "192.0.2.9" rt=0.25 urt="0.1""#,
                r#"2026-11-23T00:10:49Z info : "GET /d HTTP/1.1" 200 {"client":"192.0.2.1","forwarded_for":"192.0.2.9","status":200,"bytes":1,"duration_ms":250}"#,
                ("GET", "/d", Some(250.0)),
            ),
            (
                r#"192.0.2.1 - - [23/Nov/2026:00:10:49 +0000] "\x16\x03\x01" 400 226 "-" "-""#,
                r#"2026-11-23T00:10:49Z info : "\x16\x03\x01" 400 {"client":"192.0.2.1","status":400,"bytes":226}"#,
                ("-", "-", None),
            ),
            (
                r#"192.0.2.1 - x [23/Nov/2020:00:00:00 +0000] \"GET /forged HTTP/1.1\" 200 1 [23/Nov/2026:00:10:49 +0000] "GET /real HTTP/1.1" 401 1"#,
                r#"2026-11-23T00:10:49Z info : "GET /real HTTP/1.1" 401 {"client":"192.0.2.1","user":"x [23/Nov/2020:00:00:00 +0000] \\\"GET /forged HTTP/1.1\\\" 200 1","status":401,"bytes":1}"#,
                ("GET", "/real", None),
            ),
        ];
        for (line, expected, (method, path, duration)) in cases {
            let events = events("access", line);
            assert_eq!(summary(&events[0]), expected, "{line}");
            let access = events[0].access.clone().unwrap();
            assert_eq!(
                (access.method.as_str(), access.path.as_str()),
                (method, path),
                "{line}"
            );
            assert_eq!(access.duration_ms, duration, "{line}");
        }
        expect(
            "access",
            &[(
                "not a request",
                "2026-11-23T12:00:00Z info : not a request {\"ts_inferred\":true}",
            )],
        );
    }
}
