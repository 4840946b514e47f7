//! What Rust services write with `tracing_subscriber`, as text.
//!
//! ```text
//! 2026-02-15T00:00:54.808228Z  INFO request{id=7}:inner: api::handler: served path="/x"
//! ```
//!
//! Time (may be switched off), level, spans with their fields, target, message. The target becomes the
//! component, the spans go to the context. Lines that continue are indented (the format `pretty`).

use std::borrow::Cow;

use super::{Draft, level};

/// Bytes in which spans and target must end.
const HEAD: usize = 2048;
/// Letters of a target at most.
const TARGET: usize = 128;

/// Returns the event, if the text begins with a level in capitals.
pub(crate) fn levelled(text: &str) -> Option<Draft<'_>> {
    let text = text.trim_start_matches(' ');
    let (word, rest) = text.split_once(' ')?;
    let level =
        level::of_word(word).filter(|_| word.bytes().all(|byte| byte.is_ascii_uppercase()))?;
    let mut draft = Draft::default();
    draft.set_level(word, level);
    let rest = rest.trim_start_matches(' ');
    let rest = thread(rest, &mut draft);
    target(rest, &mut draft);
    Some(draft)
}

/// Parses `ThreadId(01) ` and `main ThreadId(01) `, which may be before the spans.
fn thread<'a>(text: &'a str, draft: &mut Draft<'_>) -> &'a str {
    let Some((thread, rest)) = text.split_once(") ") else {
        return text;
    };
    let Some((name, id)) = thread.split_once("ThreadId(") else {
        return text;
    };
    if name.len() > TARGET || id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return text;
    }
    draft.context.digits("thread", id);
    draft.context.name("thread_name", name.trim());
    rest.trim_start_matches(' ')
}

/// Parses spans, target and message.
fn target<'a>(text: &'a str, draft: &mut Draft<'a>) {
    let (spans, rest) = match spans(text) {
        Some(end) => (&text[..end], &text[end + 2..]),
        None => ("", text),
    };
    let (target, message) = match path(rest) {
        Some(end) => (&rest[..end], &rest[end + 2..]),
        None => ("", rest),
    };
    // `a: b::c: …` is a span without fields and a target; of `a: b: …` the first is the target.
    if spans.is_empty()
        && !target.contains("::")
        && let Some(end) = path(message)
        && message[..end].contains("::")
    {
        draft.context.text("spans", target);
        draft.component = Cow::Borrowed(&message[..end]);
        draft.message = Cow::Borrowed(&message[end + 2..]);
        return;
    }
    draft.context.text("spans", spans);
    draft.component = Cow::Borrowed(target);
    draft.message = Cow::Borrowed(message);
}

/// Returns where spans with fields end: `a{x=1}:b{y="}"}: `.
fn spans(text: &str) -> Option<usize> {
    let bytes = &text.as_bytes()[..text.len().min(HEAD)];
    let mut at = 0;
    let mut fields = false;
    loop {
        at += name(&bytes[at..]);
        match bytes.get(at)? {
            b'{' => {
                at += braces(&bytes[at..])?;
                fields = true;
            }
            b':' => {}
            _ => return None,
        }
        match (bytes.get(at)?, bytes.get(at + 1)?) {
            (b':', b' ') => return fields.then_some(at),
            (b':', _) => at += 1,
            _ => return None,
        }
    }
}

fn name(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
        })
        .count()
}

/// Bytes of a `{…}`; braces in quotes do not count.
fn braces(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut quoted, mut at) = (0_u32, false, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Returns where `module::path: ` ends: at its colon.
fn path(text: &str) -> Option<usize> {
    let bytes = &text.as_bytes()[..text.len().min(TARGET)];
    let end = bytes
        .iter()
        .position(|byte| *byte == b' ')?
        .checked_sub(1)?;
    let is_path =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-' | b'.');
    (end > 0 && bytes[end] == b':' && bytes[..end].iter().all(is_path)).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_spans_and_message_are_distinguished() {
        // Text; level, component, message, context.
        let cases = [
            ("INFO api: up", "info|api|up|"),
            (" WARN api::db: slow: 3 s", "warn|api::db|slow: 3 s|"),
            (
                "ERROR request{id=7 u=\"}\"}:inner: api::h: no",
                "error|api::h|no|{\"spans\":\"request{id=7 u=\\\"}\\\"}:inner\"}",
            ),
            (
                "INFO outer: api::h: m",
                "info|api::h|m|{\"spans\":\"outer\"}",
            ),
            (
                "INFO api: connection: closed",
                "info|api|connection: closed|",
            ),
            ("INFO just words here", "info||just words here|"),
            (
                "DEBUG main ThreadId(02) a::b: m",
                "debug|a::b|m|{\"thread\":2,\"thread_name\":\"main\"}",
            ),
            ("TRACE h2::codec: m", "debug|h2::codec|m|"),
            ("INFO a{never closed: m", "info||a{never closed: m|"),
        ];
        for (text, expected) in cases {
            let draft = levelled(text).unwrap();
            let context = draft.context.finish().unwrap_or_default();
            let level = draft.level.unwrap().as_str();
            let summary = format!("{level}|{}|{}|{context}", draft.component, draft.message);
            assert_eq!(summary, expected, "{text}");
        }
        for text in ["Info api: x", "hello", "GET /x", ""] {
            assert!(levelled(text).is_none(), "{text}");
        }
    }
}
