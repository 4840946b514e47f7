//! csvlog and jsonlog: one record holds an event with everything that belongs to it.
//!
//! A field of csvlog may hold line breaks, so that a record continues until its quotes are closed. Where
//! one was cut it may never be: beyond [`MOST_BYTES`] the next line that begins like a record begins
//! one. Below that no line is taken for a new record, because a statement may hold any line.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::super::time::{self, Clock};
use super::super::{Draft, Parsed};
use super::{Raised, head, message, part};

/// Bytes of a record that are kept.
const MOST_BYTES: usize = 64 * 1024;

/// Columns of csvlog that are read; *Error Reporting and Logging* of PostgreSQL's documentation.
const COLUMNS: &[(usize, &str)] = &[
    (1, "user"),
    (2, "database"),
    (3, "pid"),
    (4, "client"),
    (5, "session"),
    (7, "command"),
    (11, "severity"),
    (12, "sqlstate"),
    (13, "message"),
    (14, "detail"),
    (15, "hint"),
    (16, "query"),
    (18, "context"),
    (19, "statement"),
    (21, "location"),
    (22, "application"),
    (23, "backend"),
    (25, "query_id"),
];

/// Column of the message.
const MESSAGE: usize = 13;

/// Columns of the oldest csvlog that is read, that of PostgreSQL 9.0.
const LEAST_COLUMNS: usize = 23;

/// The same of jsonlog, and as operators of Kubernetes wrap csvlog.
const KEYS: &[(&str, &str)] = &[
    ("user", "user"),
    ("dbname", "database"),
    ("pid", "pid"),
    ("remote_host", "client"),
    ("session_id", "session"),
    ("ps", "command"),
    ("error_severity", "severity"),
    ("state_code", "sqlstate"),
    ("message", "message"),
    ("detail", "detail"),
    ("hint", "hint"),
    ("internal_query", "query"),
    ("context", "context"),
    ("statement", "statement"),
    ("application_name", "application"),
    ("backend_type", "backend"),
    ("query_id", "query_id"),
    ("user_name", "user"),
    ("database_name", "database"),
    ("process_id", "pid"),
    ("connection_from", "client"),
    ("command_tag", "command"),
    ("sql_state_code", "sqlstate"),
    ("query", "statement"),
];

/// A record of csvlog that continues in the next line.
#[derive(Debug, Default)]
pub(crate) struct Record {
    text: String,
    open: bool,
    cut: bool,
}

impl Record {
    /// Returns whether this line begins another record, though what is held has not ended: that was cut.
    pub(crate) fn is_ended_by(&self, line: &str) -> bool {
        self.open && self.cut && begins(line)
    }

    /// Returns what is held, as the event that it is without its end.
    pub(crate) fn take(&mut self) -> Draft<'static> {
        unread(&self.text())
    }

    fn text(&mut self) -> String {
        (self.open, self.cut) = (false, false);
        std::mem::take(&mut self.text)
    }

    fn push(&mut self, line: &str) {
        if self.open {
            self.text.push('\n');
        }
        let room = MOST_BYTES.saturating_sub(self.text.len());
        let mut end = room.min(line.len());
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        self.cut |= end < line.len();
        self.text.push_str(&line[..end]);
        // A quote within a field is doubled, so that the number of quotes decides.
        if line.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
            self.open = !self.open;
        }
    }
}

/// Returns what the line is, if it belongs to a record.
pub(crate) fn line<'a>(
    record: &mut Record,
    line: &'a str,
    clock: &mut Clock,
) -> Option<Parsed<'a>> {
    if line.starts_with('{') && !record.open {
        return json(line, clock).map(Parsed::Event);
    }
    if !record.open && !begins(line) {
        return None;
    }
    record.push(line);
    if record.open {
        return Some(Parsed::Held);
    }
    let cut = record.cut;
    let text = record.text();
    let fields = fields(&text);
    Some(Parsed::Event(if fields.len() < LEAST_COLUMNS && !cut {
        unread(&text)
    } else {
        csv(&fields, cut, clock)
    }))
}

/// Returns a record that cannot be read as a whole. What is before its message is not data, what is after
/// it may be.
fn unread(text: &str) -> Draft<'static> {
    let fields = fields(text);
    let summary: Vec<Cow<'_, str>> = fields
        .iter()
        .enumerate()
        .map(|(at, field)| match at {
            0..MESSAGE => Cow::Borrowed(field.as_ref()),
            MESSAGE => Cow::Owned(message(redact::clean, field, &[])),
            _ if field.is_empty() => Cow::Borrowed(""),
            _ => Cow::Borrowed(redact::MARK),
        })
        .collect();
    Draft {
        message: Cow::Owned(summary.join(",")),
        whole: true,
        ..Draft::default()
    }
}

/// Returns whether a line begins as a record of csvlog does: time stamp, zone, comma.
fn begins(line: &str) -> bool {
    let Some((_, end)) = time::iso(line) else {
        return false;
    };
    let (_, zone) = time::named_zone(&line[end..]);
    zone > 0
        && matches!(
            line.as_bytes().get(end + zone..),
            Some([b',', b'"' | b',', ..])
        )
}

/// Returns the fields of a record, without their quotes.
fn fields(text: &str) -> Vec<Cow<'_, str>> {
    let mut fields = Vec::with_capacity(26);
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (Cow::Borrowed(&rest[..end]), &rest[end..])
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(after) => rest = after,
            None => return fields,
        }
    }
}

/// Returns the field up to its closing quote, and what follows.
fn unquoted(text: &str) -> (Cow<'_, str>, &str) {
    let mut from = 0;
    while let Some(found) = text[from..].find('"') {
        let end = from + found;
        if !text[end + 1..].starts_with('"') {
            let field = &text[..end];
            let field = if field.contains('"') {
                Cow::Owned(field.replace("\"\"", "\""))
            } else {
                Cow::Borrowed(field)
            };
            return (field, &text[end + 1..]);
        }
        from = end + 2;
    }
    (Cow::Borrowed(text), "")
}

fn csv<'a>(fields: &[Cow<'_, str>], cut: bool, clock: &mut Clock) -> Draft<'a> {
    let named: Vec<(&str, &str)> = COLUMNS
        .iter()
        .filter_map(|(at, name)| Some((*name, fields.get(*at)?.as_ref())))
        .collect();
    let time = fields.first().map_or("", AsRef::as_ref);
    let mut draft = draft(time, &named, clock);
    if cut {
        draft.context.flag("record_cut");
    }
    draft
}

fn json<'a>(line: &str, clock: &mut Clock) -> Option<Draft<'a>> {
    let mut object: Map<String, Value> = serde_json::from_str(line).ok()?;
    if let Some(Value::Object(record)) = object.get_mut("record") {
        object = std::mem::take(record);
    }
    object.get("error_severity")?;
    let texts: Vec<(&str, String)> = KEYS
        .iter()
        .filter_map(|(key, name)| {
            let text = match object.get(*key)? {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some((*name, text))
        })
        .collect();
    let named: Vec<(&str, &str)> = texts
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let time = ["timestamp", "log_time"]
        .iter()
        .find_map(|key| object.get(*key)?.as_str());
    Some(draft(time.unwrap_or_default(), &named, clock))
}

/// Returns an event of named fields.
fn draft<'a>(when: &str, named: &[(&str, &str)], clock: &mut Clock) -> Draft<'a> {
    let of = |name: &str| {
        named
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, text)| *text)
    };
    let stamp = time::iso(when).and_then(|(civil, end)| {
        let (zone, _) = time::named_zone(&when[end..]);
        clock.stamp(civil, zone)
    });
    let mut draft = Draft {
        stamp,
        whole: true,
        pid: of("pid").parse().ok(),
        ..Draft::default()
    };
    head(of("severity"), of("sqlstate"), &mut draft);
    draft.context.digits("pid", of("pid"));
    for name in ["user", "database", "client", "command", "session"] {
        draft.context.name(name, of(name));
    }
    draft.context.text("application", of("application"));
    if of("query_id") != "0" {
        draft.context.name("query_id", of("query_id"));
    }
    draft.component = Cow::Owned(of("backend").to_owned());
    let parts: Vec<(&'static str, String)> = super::words::PARTS
        .iter()
        .map(|(_, name)| (*name, of(name).to_owned()))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    let raised = Raised::of(draft.raised, &parts);
    draft.message = match &raised {
        Some(raised) => Cow::Owned(raised.message(of("message"))),
        None => Cow::Owned(message(redact::clean, of("message"), &parts)),
    };
    for (name, text) in &parts {
        let clean = match &raised {
            Some(raised) => raised.part(name, text, &parts),
            None => part(name, text, &parts),
        };
        draft.context.long(name, &clean);
    }
    draft
}
