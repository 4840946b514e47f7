//! What follows the level of a line: process, thread and logger of formats that put them there, and the
//! message.

use std::borrow::Cow;

use super::head::{NAME, bracket, is_number};
use super::{Draft, json};

/// Takes names and message from what follows the level.
pub(crate) fn read<'a>(text: &'a str, draft: &mut Draft<'a>) {
    if let Some((first, rest)) = text.split_once('\t') {
        return tabs(first, rest, draft);
    }
    let text = nginx(text, draft);
    let text = spring(text, draft);
    let text = mysql(text, draft);
    let text = thread(text, draft);
    draft.message = Cow::Borrowed(match logger(text) {
        Some((name, message)) => {
            draft.component = Cow::Borrowed(name);
            message
        }
        None => text,
    });
}

/// Parses `logger<TAB>file.go:7<TAB>message<TAB>{"n": 1}`, as zap writes to a terminal; each but the message may be
/// missing.
fn tabs<'a>(first: &'a str, rest: &'a str, draft: &mut Draft<'a>) {
    let (mut message, mut rest) = (first, rest);
    for _ in 0..2 {
        // A name has no blanks, and a message follows it.
        if message.contains(' ') || message.is_empty() || rest.is_empty() || rest.starts_with('{') {
            break;
        }
        let is_place = message
            .rsplit_once(':')
            .is_some_and(|(_, line)| is_number(line));
        if is_place {
            draft.context.name("caller", message);
        } else {
            draft.component = Cow::Borrowed(message);
        }
        (message, rest) = rest.split_once('\t').unwrap_or((rest, ""));
    }
    if let Some(object) = json::object(rest) {
        draft.context.json("fields", &json::fields(&object));
        draft.message = Cow::Borrowed(message);
    } else if rest.is_empty() {
        draft.message = Cow::Borrowed(message);
    } else {
        draft.message = Cow::Owned([message, "\t", rest].concat());
    }
}

/// Parses `12#34: *56 `: process, thread and connection of nginx.
fn nginx<'a>(text: &'a str, draft: &mut Draft<'_>) -> &'a str {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return text;
    }
    let read = || {
        let (ids, rest) = text.split_once(": ")?;
        let (process, thread) = ids.split_once('#')?;
        thread.parse::<u32>().ok()?;
        Some((process.parse::<u32>().ok()?, rest))
    };
    let Some((pid, rest)) = read() else {
        return text;
    };
    draft.pid = Some(pid);
    draft.context.number("pid", pid.into());
    match rest.strip_prefix('*').and_then(|rest| rest.split_once(' ')) {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            draft.context.digits("connection", number);
            rest
        }
        _ => rest,
    }
}

/// Parses `123 --- [app] [  main] o.s.b.Main  : `: process, thread and logger of Spring Boot.
fn spring<'a>(text: &'a str, draft: &mut Draft<'a>) -> &'a str {
    let read = || {
        let (process, rest) = text.split_once(" --- ")?;
        let (mut thread, mut rest) = bracket(rest)?;
        while let Some((inner, after)) = bracket(rest.trim_start()) {
            (thread, rest) = (inner, after);
        }
        let (logger, message) = rest.split_once(" : ")?;
        let logger = logger.trim();
        (is_number(process) && !logger.contains(' ')).then_some((process, thread, logger, message))
    };
    let Some((process, thread, logger, message)) = read() else {
        return text;
    };
    draft.pid = process.parse().ok();
    draft.context.digits("pid", process);
    draft.context.text("thread_name", thread.trim());
    draft.component = Cow::Borrowed(logger);
    message
}

/// Parses `[MY-010119] [Server] `: code and part of MySQL.
fn mysql<'a>(text: &'a str, draft: &mut Draft<'a>) -> &'a str {
    let Some((code, rest)) = bracket(text).filter(|(code, _)| code.starts_with("MY-")) else {
        return text;
    };
    draft.context.name("code", code);
    match bracket(rest.trim_start()) {
        Some((part, rest)) => {
            draft.component = Cow::Borrowed(part);
            rest.trim_start()
        }
        None => rest.trim_start(),
    }
}

/// Parses `[main] `, `[http-nio-8080-exec-1] `: the thread, where a logger follows it; a logger itself, where it
/// has parts.
fn thread<'a>(text: &'a str, draft: &mut Draft<'a>) -> &'a str {
    let Some((inner, rest)) = bracket(text).filter(|_| text.starts_with('[')) else {
        return text;
    };
    let after = rest.trim_start();
    if after.len() == rest.len() && !after.starts_with('[') {
        return text;
    }
    if logger(after).is_some() {
        draft.context.text("thread_name", inner);
        return after;
    }
    let inner = inner.trim();
    // `[main] org.example.Main.start message`: Tomcat's own format has no colon there.
    let class = after.split(' ').next().unwrap_or_default();
    if class.matches('.').count() >= 2 && is_class(class) && after.len() > class.len() {
        draft.context.text("thread_name", inner);
        draft.component = Cow::Borrowed(class);
        return after[class.len()..].trim_start();
    }
    if inner.matches('.').count() >= 2 && is_class(inner) {
        draft.component = Cow::Borrowed(inner);
        return match bracket(after).filter(|_| after.starts_with('(')) {
            Some((name, rest)) if rest.starts_with(' ') => {
                draft.context.text("thread_name", name);
                rest.trim_start()
            }
            _ => after,
        };
    }
    text
}

/// Returns whether the text is `org.example.Main`: names between dots.
fn is_class(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '<')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_$<>-".contains(&byte))
    })
}

/// Parses `org.example.Main: message`, `api::db - message`, `com.example.Bar -- message`: a name with parts, so
/// that a word of the message is not taken for one.
fn logger(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().take(NAME + 2).position(|byte| byte == b' ')?;
    let (word, rest) = text.split_at(end);
    let (name, rest) = match word.strip_suffix(':') {
        Some(name) => (name, rest.trim_start()),
        None => {
            let rest = rest.trim_start();
            let rest = rest
                .strip_prefix("-- ")
                .or_else(|| rest.strip_prefix(['-', ':']))?;
            (word, rest.trim_start())
        }
    };
    let parts = name.contains("::") || name.contains('.');
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'$' | b'-');
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    (parts && begins && name.len() <= NAME && name.bytes().all(plain)).then_some((name, rest))
}
