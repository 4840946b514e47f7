//! Lines for COPY, encoded as they are read.
//!
//! A line is encoded as soon as it is read; the cells of a [`Row`] would need ten allocations each.

use super::Batch;
use crate::partitions::day_of;
use crate::tuple::{self, Group};
use bytes::{BufMut, BytesMut};
use schema::tables::LogEntry;
use schema::{LogLevel, Row, Sample, Timestamp};

/// A line, borrowed. The fields are those of [`LogEntry`], in their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line<'a> {
    /// See [`LogEntry::source`]; without NUL.
    pub source: &'a str,
    /// See [`LogEntry::at`].
    pub at: i64,
    /// See [`LogEntry::level`].
    pub level: LogLevel,
    /// See [`LogEntry::component`].
    pub component: &'a str,
    /// See [`LogEntry::message`].
    pub message: &'a str,
    /// See [`LogEntry::message_chars`].
    pub message_chars: Option<i32>,
    /// See [`LogEntry::context`]; valid JSON.
    pub context: Option<&'a str>,
    /// See [`LogEntry::fingerprint`]; without NUL.
    pub fingerprint: &'a str,
    /// See [`LogEntry::line_id`].
    pub line_id: i64,
}

/// Encoded lines.
#[derive(Debug, Default)]
pub struct Lines {
    tuples: BytesMut,
    rows: u32,
    host_id: i32,
    /// Their days, in order; one may come more than once.
    days: Vec<i64>,
}

impl Lines {
    /// Creates an empty list for lines of a host, with room for so many bytes.
    #[must_use]
    pub fn of_host(host_id: i32, bytes: usize) -> Self {
        Self {
            tuples: BytesMut::with_capacity(bytes),
            rows: 0,
            host_id,
            days: Vec::new(),
        }
    }

    /// Returns the number of encoded bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tuples.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds a line.
    pub fn push(&mut self, ts: Timestamp, line: &Line<'_>) {
        let out = &mut self.tuples;
        tuple::put_head(out, ts, self.host_id, LogEntry::TABLE.columns.len());
        tuple::put_text(out, line.source);
        out.put_slice(&tuple::int8(line.at));
        tuple::put_text(out, line.level.as_str());
        put_text(out, line.component);
        put_text(out, line.message);
        match line.message_chars {
            Some(chars) => {
                out.put_i32(4);
                out.put_i32(chars);
            }
            None => out.put_i32(-1),
        }
        match line.context {
            Some(context) => tuple::put_json(out, context),
            None => out.put_i32(-1),
        }
        tuple::put_text(out, line.fingerprint);
        out.put_slice(&tuple::int8(line.line_id));
        self.rows += 1;
        let day = day_of(ts);
        if self.days.last() != Some(&day) {
            self.days.push(day);
        }
    }

    /// Returns what one transaction stores: the lines, and other rows.
    #[must_use]
    pub fn batch(self, rows: &[Row]) -> Batch {
        let mut batch = Batch::of(rows);
        if self.rows > 0 {
            let group = tuple::group(LogEntry::TABLE, self.rows, self.tuples);
            let host_id = self.host_id;
            batch.groups.insert(0, Group { host_id, ..group });
            batch.days = self.days;
        }
        batch
    }
}

/// Writes text with NUL, which PostgreSQL refuses, as U+2400, as in every cell.
fn put_text(out: &mut BytesMut, text: &str) {
    // Without a branch per byte: nearly every text has none.
    if text.bytes().fold(false, |found, byte| found | (byte == 0)) {
        tuple::put_text(out, &text.replace('\0', "\u{2400}"));
    } else {
        tuple::put_text(out, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Json;

    #[test]
    fn a_line_is_encoded_as_the_row_of_its_entry() {
        for (message, chars, context) in [
            ("it broke", None, None),
            ("n\0l", Some(5000), Some(r#"{"pid":7}"#)),
            ("", Some(0), Some("{}")),
        ] {
            let ts = Timestamp(1_795_404_000_000_001);
            let entry = LogEntry {
                source: "auth".to_owned(),
                at: 1 << 40,
                level: LogLevel::Warn,
                component: "sshd".to_owned(),
                message: message.to_owned(),
                message_chars: chars,
                context: context.map(|text| Json(text.to_owned())),
                fingerprint: "0123456789abcdef".to_owned(),
                line_id: 7 << 32 | 1,
            };
            let mut lines = Lines::default();
            lines.push(
                ts,
                &Line {
                    source: &entry.source,
                    at: entry.at,
                    level: entry.level,
                    component: &entry.component,
                    message,
                    message_chars: chars,
                    context,
                    fingerprint: &entry.fingerprint,
                    line_id: entry.line_id,
                },
            );
            let batch = lines.batch(&[]);
            assert_eq!(batch.groups, tuple::groups(&[entry.into_row(ts)]));
        }
    }
}
