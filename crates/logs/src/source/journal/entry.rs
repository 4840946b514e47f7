//! One entry of the journal, out of the JSON that `journalctl -o json` writes.
//!
//! A field is a string; an array of numbers when it holds bytes that are not text; an array of these
//! when it was set more than once; `null` when it was too long to be shown. Only fields that begin
//! with `_` are set by the journal: the fields of a program are never taken for its unit.

use std::borrow::Cow;
use std::fmt;

use schema::Timestamp;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// How far the journal was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalPosition {
    /// The last entry that was read.
    pub cursor: String,
    /// Its number, see [`Entry::seqnum`].
    pub seqnum: u64,
    /// When it was received, microseconds since the epoch.
    pub realtime: i64,
}

/// One entry of the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Names the entry: `__CURSOR`.
    pub cursor: String,
    /// Its number within the journal of this machine; grows by one with each entry, of all units.
    /// 0 where the cursor does not report it.
    pub seqnum: u64,
    /// When the journal received it; `None` when that is missing or not possible.
    pub ts: Option<Timestamp>,
    /// `_SYSTEMD_UNIT`, or `_SYSTEMD_USER_UNIT`; for messages of the manager about a unit, that
    /// unit. Empty for the kernel and sessions without one.
    pub unit: String,
    /// `SYSLOG_IDENTIFIER`: the name that the program gives itself.
    pub identifier: String,
    /// `_COMM`: the name of the process, at most 15 bytes.
    pub comm: String,
    /// `_PID`, or `SYSLOG_PID` of what came over syslog from a process that was gone already.
    pub pid: Option<u32>,
    /// `_UID` of the process.
    pub uid: Option<u32>,
    /// `PRIORITY`, 0 (emergency) to 7 (debug); `None` when absent or anything else.
    pub priority: Option<u8>,
    /// `_TRANSPORT`: `journal`, `stdout`, `syslog`, `kernel`, `audit` or `driver`.
    pub transport: String,
    /// `_HOSTNAME`.
    pub hostname: String,
    /// `_BOOT_ID`.
    pub boot: String,
    /// `MESSAGE`; several are joined by U+2424, bytes that are not text become U+FFFD.
    pub message: String,
    /// Whether the journal did not return the whole content.
    pub is_withheld: bool,
    /// Further fields of interest: `CODE_FILE`, `CODE_LINE`, `CODE_FUNC`, `ERRNO`, `EXIT_CODE`,
    /// `EXIT_STATUS`, `JOB_RESULT`, `MESSAGE_ID`, `TARGET`, and `F_…`, which are the fields of events
    /// of Rust programs.
    pub fields: Vec<(String, String)>,
}

impl Entry {
    /// Returns the position after this entry.
    #[must_use]
    pub fn position(&self) -> JournalPosition {
        JournalPosition {
            cursor: self.cursor.clone(),
            seqnum: self.seqnum,
            realtime: self.ts.map_or(0, Timestamp::as_micros),
        }
    }

    /// Reads one line of JSON.
    ///
    /// # Errors
    /// It is not one JSON object, or has no cursor.
    pub fn parse(line: &[u8]) -> Result<Self, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_slice(line);
        let entry = json.deserialize_map(EntryVisitor)?;
        json.end()?;
        if entry.cursor.is_empty() {
            return Err(serde::de::Error::missing_field("__CURSOR"));
        }
        Ok(entry)
    }
}

/// Returns the number within a cursor such as `s=…;i=1a;b=…`.
pub(super) fn seqnum_of(cursor: &str) -> u64 {
    part(cursor, "i=").map_or(0, |digits| u64::from_str_radix(digits, 16).unwrap_or(0))
}

/// Returns which series of numbers a cursor belongs to.
pub(super) fn series_of(cursor: &str) -> &str {
    part(cursor, "s=").unwrap_or_default()
}

fn part<'a>(cursor: &'a str, key: &str) -> Option<&'a str> {
    cursor.split(';').find_map(|part| part.strip_prefix(key))
}

/// What a field may be worth keeping beyond those that have a place of their own.
const FURTHER: [&str; 9] = [
    "CODE_FILE",
    "CODE_FUNC",
    "CODE_LINE",
    "ERRNO",
    "EXIT_CODE",
    "EXIT_STATUS",
    "JOB_RESULT",
    "MESSAGE_ID",
    "TARGET",
];
/// Of so many of them at most.
const MOST_FIELDS: usize = 32;

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry of the journal")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let mut draft = EntryDraft::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if let Some(text) = draft.text(&key) {
                *text = map.next_value::<Value>()?.text;
            } else if is_kept(&key) {
                draft.set(key, map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(draft.finish())
    }
}

/// Fields of an entry that are not kept as they are; see [`EntryDraft::set`].
const PARSED: [&str; 6] = [
    "MESSAGE",
    "PRIORITY",
    "SYSLOG_PID",
    "_PID",
    "_UID",
    "__REALTIME_TIMESTAMP",
];

/// Returns whether a field is kept beyond those of [`EntryDraft::text`].
fn is_kept(name: &str) -> bool {
    name.starts_with("F_") || PARSED.contains(&name) || FURTHER.contains(&name)
}

/// An entry whose fields are not complete.
#[derive(Default)]
struct EntryDraft {
    entry: Entry,
    /// The unit in a message of the manager.
    about: String,
    /// That of the process, in a session of a user.
    user_unit: String,
    syslog_pid: Option<u32>,
}

impl EntryDraft {
    /// Returns the place of a field that is kept as it is.
    fn text(&mut self, name: &str) -> Option<&mut String> {
        let entry = &mut self.entry;
        Some(match name {
            "__CURSOR" => &mut entry.cursor,
            "_SYSTEMD_UNIT" => &mut entry.unit,
            "SYSLOG_IDENTIFIER" => &mut entry.identifier,
            "_COMM" => &mut entry.comm,
            "_TRANSPORT" => &mut entry.transport,
            "_HOSTNAME" => &mut entry.hostname,
            "_BOOT_ID" => &mut entry.boot,
            "UNIT" => &mut self.about,
            "_SYSTEMD_USER_UNIT" => &mut self.user_unit,
            _ => return None,
        })
    }

    /// Sets a field of [`PARSED`], or adds a further one.
    fn set(&mut self, key: Cow<'_, str>, value: Value) {
        let entry = &mut self.entry;
        let text = value.text;
        match &*key {
            "MESSAGE" => {
                entry.is_withheld = value.is_partial;
                entry.message = text;
            }
            "__REALTIME_TIMESTAMP" => {
                let micros: Option<i64> = text.parse().ok();
                entry.ts = micros.filter(|&micros| micros >= 0).map(Timestamp);
            }
            "PRIORITY" => entry.priority = text.parse().ok().filter(|&priority| priority <= 7),
            "_PID" => entry.pid = text.parse().ok(),
            "SYSLOG_PID" => self.syslog_pid = text.parse().ok(),
            "_UID" => entry.uid = text.parse().ok(),
            _ if entry.fields.len() < MOST_FIELDS => entry.fields.push((key.into_owned(), text)),
            _ => {}
        }
    }

    fn finish(self) -> Entry {
        let mut entry = self.entry;
        entry.seqnum = seqnum_of(&entry.cursor);
        entry.pid = entry.pid.or(self.syslog_pid);
        if !self.user_unit.is_empty() {
            entry.unit = self.user_unit;
        }
        if entry.pid == Some(1) && !self.about.is_empty() {
            entry.unit = self.about;
        }
        entry
    }
}

/// A field, whatever its form.
#[derive(Default)]
struct Value {
    text: String,
    is_partial: bool,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field of the journal")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value {
            text: text.to_owned(),
            is_partial: false,
        })
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        Ok(Value {
            text: String::new(),
            is_partial: true,
        })
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        self.visit_str(if value { "true" } else { "false" })
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut bytes = Vec::new();
        let mut texts: Vec<String> = Vec::new();
        let mut is_partial = false;
        while let Some(item) = seq.next_element::<Item>()? {
            match item {
                Item::Byte(byte) => bytes.push(byte),
                Item::NoByte => is_partial = true,
                Item::Value(value) => {
                    is_partial |= value.is_partial;
                    texts.push(value.text);
                }
            }
        }
        if !bytes.is_empty() {
            texts.push(String::from_utf8_lossy(&bytes).into_owned());
        }
        Ok(Value {
            text: texts.join("\u{2424}"),
            is_partial,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.visit_unit()
    }
}

/// What is in an array.
enum Item {
    Byte(u8),
    /// A number that is not a byte.
    NoByte,
    Value(Value),
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemVisitor;
        impl<'de> Visitor<'de> for ItemVisitor {
            type Value = Item;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a byte or a value")
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Item, E> {
                Ok(u8::try_from(value).map_or(Item::NoByte, Item::Byte))
            }

            fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Item, E> {
                Ok(Item::NoByte)
            }

            fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Item, E> {
                Ok(Item::NoByte)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Item, E> {
                ValueVisitor.visit_str(text).map(Item::Value)
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Item, E> {
                ValueVisitor.visit_unit().map(Item::Value)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Item, A::Error> {
                ValueVisitor.visit_seq(seq).map(Item::Value)
            }
        }
        deserializer.deserialize_any(ItemVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(fields: &str) -> Entry {
        Entry::parse(format!("{{\"__CURSOR\":\"s=ab;i=1a;b=c\",{fields}}}").as_bytes()).unwrap()
    }

    #[test]
    fn a_message_is_read_in_every_form() {
        for (name, json, message, is_withheld) in [
            ("text", r#""plain""#, "plain", false),
            ("J1 null", "null", "", true),
            (
                "J2 bytes",
                "[98,97,100,255,254]",
                "bad\u{fffd}\u{fffd}",
                false,
            ),
            ("J2 no bytes", "[97,256,-1,1.5,98]", "ab", true),
            ("J3 twice", r#"["one","two"]"#, "one\u{2424}two", false),
            ("J3 twice, bytes", "[[97,0],[98]]", "a\0\u{2424}b", false),
            (
                "J3 twice, one withheld",
                r#"["one",null]"#,
                "one\u{2424}",
                true,
            ),
            ("J4 empty", r#""""#, "", false),
            ("a number", "5", "5", false),
            ("an object", r#"{"a":[1]}"#, "", true),
        ] {
            let entry = parse(&format!(r#""MESSAGE":{json}"#));
            assert_eq!(entry.message, message, "{name}");
            assert_eq!(entry.is_withheld, is_withheld, "{name}");
        }
        assert_eq!(parse(r#""PRIORITY":"6""#).message, "", "J4 absent");
    }

    #[test]
    fn numbers_that_are_none_are_absent() {
        for (json, priority) in [
            (r#""3""#, Some(3)),
            ("3", Some(3)),
            (r#""banana""#, None),
            (r#""9""#, None),
            (r#""-1""#, None),
            ("null", None),
        ] {
            assert_eq!(
                parse(&format!(r#""PRIORITY":{json}"#)).priority,
                priority,
                "{json}"
            );
        }
        for (json, ts) in [
            (
                r#""1780000000000001""#,
                Some(Timestamp(1_780_000_000_000_001)),
            ),
            (r#""-5""#, None),
            (r#""18446744073709551616""#, None),
            ("null", None),
        ] {
            let entry = parse(&format!(r#""__REALTIME_TIMESTAMP":{json}"#));
            assert_eq!(entry.ts, ts, "{json}");
        }
    }

    #[test]
    fn a_unit_is_the_one_that_the_journal_sets() {
        for (name, fields, unit) in [
            ("its own", r#""_SYSTEMD_UNIT":"a.service""#, "a.service"),
            (
                "J10 forged",
                r#""SYSTEMD_UNIT":"b.service","UNIT":"b.service","_PID":"77""#,
                "",
            ),
            (
                "J10 forged beside",
                r#""UNIT":"b","_SYSTEMD_UNIT":"a","_PID":"77""#,
                "a",
            ),
            (
                "the manager's word",
                r#""UNIT":"b","_SYSTEMD_UNIT":"init.scope","_PID":"1""#,
                "b",
            ),
            (
                "of a user",
                r#""_SYSTEMD_UNIT":"user@0.service","_SYSTEMD_USER_UNIT":"c.service""#,
                "c.service",
            ),
            (
                "of a user, the other way round",
                r#""_SYSTEMD_USER_UNIT":"c.service","_SYSTEMD_UNIT":"user@0.service""#,
                "c.service",
            ),
        ] {
            assert_eq!(parse(fields).unit, unit, "{name}");
        }
    }

    #[test]
    fn what_is_not_an_entry_is_refused() {
        for line in [
            &b""[..],
            b"-- No entries --",
            b"{",
            b"[]",
            b"{}",
            b"{\"__CURSOR\":\"s=1;i=1\"} x",
            b"{\"__CURSOR\":\"s=1;i=1\",\"MESSAGE\":\"cut",
            b"\xff\xfe",
        ] {
            assert!(
                Entry::parse(line).is_err(),
                "{}",
                String::from_utf8_lossy(line)
            );
        }
    }

    #[test]
    fn cursors_have_numbers() {
        assert_eq!(parse(r#""F_USER":"x","OTHER":1"#).seqnum, 26);
        assert_eq!(seqnum_of("garbage"), 0);
        assert_eq!(series_of("s=ab;i=1"), "ab");
    }
}
