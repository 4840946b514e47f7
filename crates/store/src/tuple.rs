//! Rows as COPY BINARY tuples, encoded once and kept so in the spool.
//!
//! A *payload* is what one record of the spool holds: the rows of one tick and class, grouped by
//! table. All integers are little-endian unless they belong to a tuple.
//!
//! ```text
//! payload = groups u16, group*
//! group   = name u8+bytes, columns u16, { name u8+bytes, type u8 }*, rows u32, length u32, tuple*
//! tuple   = as COPY BINARY: fields i16, { length i32 (-1: NULL), bytes }*      (big-endian)
//! ```
//!
//! The first two fields of each tuple are `ts` and `host_id`; they are not in the list of columns.
//! The host's number is assigned by the database, so it is written as 0 and set just before
//! sending ([`Group::pieces_for`]); it always lies [`HOST_OFFSET`] bytes into the tuple.
//!
//! Columns travel by name, so a record written by another version still loads: an unknown column
//! is left out, a missing one stays NULL ([`Group::fit`]).

use bytes::{BufMut, Bytes, BytesMut};
use schema::{Cell, PgType, Row, TableDef, Timestamp};

/// Microseconds from 1970-01-01 to 2000-01-01, the epoch of `timestamptz` on the wire.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;
/// Where the value of `host_id` lies in a tuple: field count, `ts` with its length, length.
pub const HOST_OFFSET: usize = 2 + 4 + 8 + 4;
/// Bytes of rows beyond which a record is split, so that it fits the spool's limit of 1 MiB even
/// if nothing compresses.
const CHUNK_BYTES: usize = 960 * 1024;

/// The rows of one table within a payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Name of the table in schema `collector`.
    pub table: String,
    /// Name and type of each field after `ts` and `host_id`.
    pub columns: Vec<(String, PgType)>,
    /// Number of tuples.
    pub rows: u32,
    /// The tuples, without header and trailer.
    pub tuples: Bytes,
    /// The host whose number they contain; 0 where it is set just before sending.
    pub host_id: i32,
}

/// A payload that cannot be read. The record's checksum was right, so this is another version's
/// work or a defect, not damage.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TupleError {
    /// It ends in the middle of something.
    #[error("payload ends within {0}")]
    Short(&'static str),
    /// A column has a type this version does not know.
    #[error("column {column} of table {table} has the unknown type {tag}")]
    UnknownType {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The type's number.
        tag: u8,
    },
    /// A name is not UTF-8.
    #[error("a name in the payload is not text")]
    Name,
    /// A tuple has another number of fields than the group has columns.
    #[error("a tuple of table {table} has {found} fields instead of {expected}")]
    Fields {
        /// The table.
        table: String,
        /// Fields found.
        found: usize,
        /// Fields expected.
        expected: usize,
    },
}

const TYPES: [(u8, PgType); 7] = [
    (1, PgType::Float8),
    (2, PgType::Int8),
    (3, PgType::Int4),
    (4, PgType::Bool),
    (5, PgType::Text),
    (6, PgType::Jsonb),
    (7, PgType::Timestamptz),
];

fn tag_of(pg: PgType) -> u8 {
    TYPES
        .iter()
        .find(|(_, known)| *known == pg)
        .map_or(0, |(tag, _)| *tag)
}

/// Encodes rows into payloads, one unless they are very many. Rows of one table are put together
/// in the order they come. Returns each payload with its number of rows.
#[must_use]
pub fn encode(rows: &[Row]) -> Vec<(Vec<u8>, u32)> {
    let mut tables: Vec<&'static TableDef> = Vec::new();
    for row in rows {
        if !tables.iter().any(|table| std::ptr::eq(*table, row.table)) {
            tables.push(row.table);
        }
    }
    let mut payloads = Vec::new();
    let mut groups: Vec<(&'static TableDef, u32, BytesMut)> = Vec::new();
    let mut size = 0;
    for table in tables {
        for row in rows.iter().filter(|row| std::ptr::eq(row.table, table)) {
            if size >= CHUNK_BYTES {
                payloads.push(assemble(&groups));
                groups.clear();
                size = 0;
            }
            if !groups
                .last()
                .is_some_and(|(last, ..)| std::ptr::eq(*last, table))
            {
                groups.push((table, 0, BytesMut::with_capacity(8 * 1024)));
            }
            if let Some((_, count, tuples)) = groups.last_mut() {
                let before = tuples.len();
                put_tuple(tuples, row);
                *count += 1;
                size += tuples.len() - before;
            }
        }
    }
    if !groups.is_empty() {
        payloads.push(assemble(&groups));
    }
    payloads
}

fn assemble(groups: &[(&'static TableDef, u32, BytesMut)]) -> (Vec<u8>, u32) {
    let size: usize = groups
        .iter()
        .map(|(table, _, tuples)| tuples.len() + 32 * table.columns.len() + 64)
        .sum();
    let mut out = Vec::with_capacity(size);
    let mut rows = 0;
    out.put_u16_le(groups.len() as u16);
    for (table, count, tuples) in groups {
        let columns = table.columns.iter().map(|column| (column.name, column.pg));
        put_group(&mut out, table.name, columns, *count, tuples);
        rows += count;
    }
    (out, rows)
}

/// Encodes groups as one payload.
#[must_use]
pub fn encode_groups<'a>(groups: impl ExactSizeIterator<Item = &'a Group>) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_u16_le(groups.len() as u16);
    for group in groups {
        let columns = group.columns.iter().map(|(name, pg)| (name.as_str(), *pg));
        put_group(&mut out, &group.table, columns, group.rows, &group.tuples);
    }
    out
}

fn put_group<'a>(
    out: &mut Vec<u8>,
    table: &str,
    columns: impl ExactSizeIterator<Item = (&'a str, PgType)>,
    rows: u32,
    tuples: &[u8],
) {
    put_name(out, table);
    out.put_u16_le(columns.len() as u16);
    for (name, pg) in columns {
        put_name(out, name);
        out.put_u8(tag_of(pg));
    }
    out.put_u32_le(rows);
    out.put_u32_le(tuples.len() as u32);
    out.put_slice(tuples);
}

fn put_name(out: &mut Vec<u8>, name: &str) {
    let bytes = &name.as_bytes()[..name.len().min(255)];
    out.put_u8(bytes.len() as u8);
    out.put_slice(bytes);
}

fn put_tuple(out: &mut BytesMut, row: &Row) {
    put_head(out, row.ts, 0, row.cells.len());
    for (cell, column) in row.cells.iter().zip(row.table.columns) {
        match cell {
            Cell::Null => out.put_i32(-1),
            Cell::Float(value) => {
                out.put_i32(8);
                out.put_f64(*value);
            }
            Cell::Int(value) if column.pg == PgType::Int4 => {
                out.put_i32(4);
                out.put_i32(i32::try_from(*value).unwrap_or(if *value < 0 {
                    i32::MIN
                } else {
                    i32::MAX
                }));
            }
            Cell::Int(value) => {
                out.put_i32(8);
                out.put_i64(*value);
            }
            Cell::Bool(value) => {
                out.put_i32(1);
                out.put_u8(u8::from(*value));
            }
            Cell::Text(text) => put_text(out, text),
            Cell::Json(text) => put_json(out, text),
            Cell::Time(ts) => {
                out.put_i32(8);
                out.put_i64(ts.as_micros().saturating_sub(PG_EPOCH_MICROS));
            }
        }
    }
}

/// Writes the number of fields, `ts` and `host_id`.
pub(crate) fn put_head(out: &mut BytesMut, ts: Timestamp, host_id: i32, cells: usize) {
    let mut head = [0; HOST_OFFSET + 4];
    head[..2].copy_from_slice(&((cells + 2) as i16).to_be_bytes());
    let micros = ts.as_micros().saturating_sub(PG_EPOCH_MICROS);
    head[2..14].copy_from_slice(&int8(micros));
    head[14..HOST_OFFSET].copy_from_slice(&4_i32.to_be_bytes());
    head[HOST_OFFSET..].copy_from_slice(&host_id.to_be_bytes());
    out.put_slice(&head);
}

/// Returns a field of eight bytes with its length.
pub(crate) fn int8(value: i64) -> [u8; 12] {
    let mut field = [0; 12];
    field[..4].copy_from_slice(&8_i32.to_be_bytes());
    field[4..].copy_from_slice(&value.to_be_bytes());
    field
}

pub(crate) fn put_text(out: &mut BytesMut, text: &str) {
    out.put_i32(text.len() as i32);
    out.put_slice(text.as_bytes());
}

pub(crate) fn put_json(out: &mut BytesMut, text: &str) {
    // jsonb on the wire: a version byte, then the text.
    out.put_i32(text.len() as i32 + 1);
    out.put_u8(1);
    out.put_slice(text.as_bytes());
}

/// Tuples of one table as a group.
pub(crate) fn group(table: &'static TableDef, rows: u32, tuples: BytesMut) -> Group {
    Group {
        host_id: 0,
        table: table.name.to_owned(),
        columns: table
            .columns
            .iter()
            .map(|column| (column.name.to_owned(), column.pg))
            .collect(),
        rows,
        tuples: tuples.freeze(),
    }
}

/// Rows of any tables as groups, ready to be copied: one for each table, in the order they come.
#[must_use]
pub fn groups(rows: &[Row]) -> Vec<Group> {
    let mut groups: Vec<(&'static TableDef, u32, BytesMut)> = Vec::new();
    for row in rows {
        let at = match groups
            .iter()
            .position(|(table, ..)| std::ptr::eq(*table, row.table))
        {
            Some(at) => at,
            None => {
                groups.push((row.table, 0, BytesMut::with_capacity(64 * 1024)));
                groups.len() - 1
            }
        };
        if let Some((_, count, tuples)) = groups.get_mut(at) {
            put_tuple(tuples, row);
            *count += 1;
        }
    }
    groups
        .into_iter()
        .map(|(table, rows, tuples)| group(table, rows, tuples))
        .collect()
}

/// Reads a payload back.
///
/// # Errors
/// When it is not a payload of a version this one understands.
pub fn decode(payload: &Bytes) -> Result<Vec<Group>, TupleError> {
    let mut at = Cursor { payload, at: 0 };
    let count = at.u16("the number of groups")?;
    let mut groups = Vec::with_capacity(usize::from(count.min(64)));
    for _ in 0..count {
        let table = at.name()?;
        let columns = at.u16("the number of columns")?;
        let mut list = Vec::with_capacity(usize::from(columns.min(256)));
        for _ in 0..columns {
            let column = at.name()?;
            let tag = at.u8("a column's type")?;
            let Some((_, pg)) = TYPES.iter().find(|(known, _)| *known == tag) else {
                return Err(TupleError::UnknownType { table, column, tag });
            };
            list.push((column, *pg));
        }
        let rows = at.u32("the number of rows")?;
        let length = at.u32("the length of the tuples")? as usize;
        let tuples = at.take(length, "the tuples")?;
        let group = Group {
            host_id: 0,
            table,
            columns: list,
            rows,
            tuples,
        };
        group.check()?;
        groups.push(group);
    }
    Ok(groups)
}

struct Cursor<'a> {
    payload: &'a Bytes,
    at: usize,
}

impl Cursor<'_> {
    fn take(&mut self, length: usize, what: &'static str) -> Result<Bytes, TupleError> {
        let end = self
            .at
            .checked_add(length)
            .filter(|end| *end <= self.payload.len());
        let end = end.ok_or(TupleError::Short(what))?;
        let taken = self.payload.slice(self.at..end);
        self.at = end;
        Ok(taken)
    }

    fn u8(&mut self, what: &'static str) -> Result<u8, TupleError> {
        Ok(self.take(1, what)?[0])
    }

    fn u16(&mut self, what: &'static str) -> Result<u16, TupleError> {
        let bytes = self.take(2, what)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, TupleError> {
        let bytes = self.take(4, what)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn name(&mut self) -> Result<String, TupleError> {
        let length = self.u8("a name")?;
        let bytes = self.take(usize::from(length), "a name")?;
        String::from_utf8(bytes.to_vec()).map_err(|_| TupleError::Name)
    }
}

impl Group {
    /// Walks all tuples, so that later code may trust the layout.
    fn check(&self) -> Result<(), TupleError> {
        let expected = self.columns.len() + 2;
        let mut seen = 0;
        let mut at = 0;
        while at < self.tuples.len() {
            let (found, end) = tuple_end(&self.tuples, at).ok_or(TupleError::Short("a tuple"))?;
            if found != expected || end - at < HOST_OFFSET + 4 {
                return Err(TupleError::Fields {
                    table: self.table.clone(),
                    found,
                    expected,
                });
            }
            seen += 1;
            at = end;
        }
        if seen == self.rows {
            Ok(())
        } else {
            Err(TupleError::Short("the tuples"))
        }
    }

    /// Byte ranges of the tuples.
    fn spans(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (_, end) = tuple_end(&self.tuples, at)?;
            let span = (at, end);
            at = end;
            Some(span)
        })
    }

    /// The tuples with the host's number set, in pieces of whole tuples: each but the last has `least`
    /// bytes, and more only by less than a tuple.
    pub fn pieces_for(&self, host_id: i32, least: usize) -> impl Iterator<Item = Bytes> {
        let mut at = 0_usize;
        std::iter::from_fn(move || {
            let start = at;
            if self.host_id == host_id {
                at = start.saturating_add(least).min(self.tuples.len());
                return (at > start).then(|| self.tuples.slice(start..at));
            }
            while at - start < least
                && let Some((_, end)) = tuple_end(&self.tuples, at)
            {
                at = end;
            }
            let mut piece = BytesMut::from(&self.tuples[start..at]);
            let mut tuple = 0;
            while let Some((_, end)) = tuple_end(&piece, tuple) {
                let host = tuple + HOST_OFFSET;
                piece[host..host + 4].copy_from_slice(&host_id.to_be_bytes());
                tuple = end;
            }
            (at > start).then(|| piece.freeze())
        })
    }

    /// The fields of each tuple as COPY and Bind both take them, `None` for NULL: `ts`, `host_id`
    /// (still 0), then those of the columns.
    pub fn fields(&self) -> impl Iterator<Item = Vec<Option<&[u8]>>> {
        self.spans().map(|(start, end)| {
            let mut rest = self.tuples.get(start + 2..end).unwrap_or_default();
            let mut fields = Vec::with_capacity(self.columns.len() + 2);
            while let Some((head, tail)) = rest.split_first_chunk::<4>() {
                // A negative length is NULL; the others were checked against the tuple's end.
                let (field, next) = match usize::try_from(i32::from_be_bytes(*head)) {
                    Ok(length) if length <= tail.len() => {
                        let (field, next) = tail.split_at(length);
                        (Some(field), next)
                    }
                    _ => (None, tail),
                };
                fields.push(field);
                rest = next;
            }
            fields
        })
    }

    /// The rows `from..to` as a group of their own.
    #[must_use]
    pub fn slice(&self, from: u32, to: u32) -> Self {
        let offset = |row: u32| {
            self.spans()
                .nth(row as usize)
                .map_or(self.tuples.len(), |(at, _)| at)
        };
        let (start, end) = (offset(from), offset(to));
        Self {
            table: self.table.clone(),
            columns: self.columns.clone(),
            rows: to.min(self.rows).saturating_sub(from),
            tuples: self.tuples.slice(start..end),
            host_id: self.host_id,
        }
    }

    /// Leaves out the columns that `table` does not have with this type; the group as it is where
    /// all fit, which is the rule.
    #[must_use]
    pub fn fit(self, table: &TableDef) -> Self {
        let keep: Vec<bool> = self
            .columns
            .iter()
            .map(|(name, pg)| table.column(name).is_some_and(|column| column.pg == *pg))
            .collect();
        if keep.iter().all(|keep| *keep) {
            return self;
        }
        let mut tuples = BytesMut::with_capacity(self.tuples.len());
        let kept = keep.iter().filter(|keep| **keep).count();
        for (start, end) in self.spans() {
            tuples.put_i16((kept + 2) as i16);
            let mut at = start + 2;
            for field in 0..self.columns.len() + 2 {
                let next = field_end(&self.tuples, at).unwrap_or(end);
                if field < 2 || keep[field - 2] {
                    tuples.extend_from_slice(&self.tuples[at..next]);
                }
                at = next;
            }
        }
        let columns = self
            .columns
            .into_iter()
            .zip(&keep)
            .filter(|(_, keep)| **keep)
            .map(|(column, _)| column)
            .collect();
        Self {
            host_id: self.host_id,
            table: self.table,
            columns,
            rows: self.rows,
            tuples: tuples.freeze(),
        }
    }

    /// The instants of the tuples, in order.
    pub fn instants(&self) -> impl Iterator<Item = Timestamp> {
        self.spans().map(|(at, _)| ts_at(&self.tuples, at))
    }

    /// The instant of the first tuple.
    #[must_use]
    pub fn first_ts(&self) -> Option<Timestamp> {
        self.spans().next().map(|(at, _)| ts_at(&self.tuples, at))
    }

    /// Each row as a JSON object in one line, `ts` as microseconds since the epoch, with its tuple.
    pub fn rows_as_json(&self) -> impl Iterator<Item = (String, Timestamp, Bytes)> {
        self.spans().map(|(start, end)| {
            let ts = ts_at(&self.tuples, start);
            let mut object = serde_json::Map::new();
            object.insert("ts_us".to_owned(), ts.as_micros().into());
            let mut at = field_end(&self.tuples, start + 2)
                .and_then(|at| field_end(&self.tuples, at))
                .unwrap_or(end);
            for (name, pg) in &self.columns {
                let next = field_end(&self.tuples, at).unwrap_or(end);
                let value = if next >= at + 4 {
                    &self.tuples[at + 4..next]
                } else {
                    &[]
                };
                let null = self.tuples.get(at..at + 4) == Some(&(-1_i32).to_be_bytes()[..]);
                object.insert(
                    name.clone(),
                    if null {
                        serde_json::Value::Null
                    } else {
                        json_value(*pg, value)
                    },
                );
                at = next;
            }
            (
                serde_json::Value::Object(object).to_string(),
                ts,
                self.tuples.slice(start..end),
            )
        })
    }
}

fn json_value(pg: PgType, bytes: &[u8]) -> serde_json::Value {
    let eight = || <[u8; 8]>::try_from(bytes).ok();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match pg {
        PgType::Float8 => eight().map_or(serde_json::Value::Null, |b| f64::from_be_bytes(b).into()),
        PgType::Int8 => eight().map_or(serde_json::Value::Null, |b| i64::from_be_bytes(b).into()),
        PgType::Timestamptz => eight().map_or(serde_json::Value::Null, |b| {
            i64::from_be_bytes(b).saturating_add(PG_EPOCH_MICROS).into()
        }),
        PgType::Int4 => <[u8; 4]>::try_from(bytes)
            .map_or(serde_json::Value::Null, |b| i32::from_be_bytes(b).into()),
        PgType::Bool => (bytes.first() == Some(&1)).into(),
        PgType::Text => text(bytes).into(),
        PgType::Jsonb => {
            let body = bytes.get(1..).unwrap_or_default();
            serde_json::from_slice(body).unwrap_or_else(|_| text(body).into())
        }
    }
}

fn ts_at(tuples: &[u8], at: usize) -> Timestamp {
    let bytes = tuples
        .get(at + 6..at + 14)
        .and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    Timestamp(bytes.map_or(0, |bytes| {
        i64::from_be_bytes(bytes).saturating_add(PG_EPOCH_MICROS)
    }))
}

/// Fields and end of the tuple at `at`.
fn tuple_end(tuples: &[u8], at: usize) -> Option<(usize, usize)> {
    let fields = tuples.get(at..at + 2)?;
    let fields = usize::try_from(i16::from_be_bytes([fields[0], fields[1]])).ok()?;
    let mut end = at + 2;
    for _ in 0..fields {
        end = field_end(tuples, end)?;
    }
    Some((fields, end))
}

fn field_end(tuples: &[u8], at: usize) -> Option<usize> {
    let length = <[u8; 4]>::try_from(tuples.get(at..at + 4)?).ok()?;
    let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(0);
    at.checked_add(4 + length)
        .filter(|end| *end <= tuples.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use schema::tables::{CollectorRun, Heartbeat};
    use schema::{CellType, Sample};

    fn run(name: &str, rows: i64) -> Row {
        CollectorRun {
            collector: name.to_owned(),
            outcome: "ok".to_owned(),
            duration_ms: 1.25,
            rows,
            error: None,
        }
        .into_row(Timestamp(1_700_000_000_000_000))
    }

    fn beat() -> Row {
        Heartbeat {
            component: "collector".to_owned(),
            status: "alive".to_owned(),
        }
        .into_row(Timestamp(5))
    }

    #[test]
    fn rows_come_back_grouped_by_table() {
        let payloads = encode(&[run("a", 1), beat(), run("b", 2)]);
        assert_eq!(payloads.len(), 1);
        assert_eq!(payloads[0].1, 3);
        let groups = decode(&Bytes::from(payloads[0].0.clone())).unwrap();
        assert_eq!(
            groups
                .iter()
                .map(|g| (g.table.as_str(), g.rows))
                .collect::<Vec<_>>(),
            [("collector_runs_raw", 2), ("heartbeat", 1)]
        );
        let json: Vec<String> = groups[0].rows_as_json().map(|(json, ..)| json).collect();
        assert_eq!(
            json[1],
            r#"{"collector":"b","duration_ms":1.25,"error":null,"outcome":"ok","rows":2,"ts_us":1700000000000000}"#
        );
    }

    #[test]
    fn the_host_is_set_in_every_tuple() {
        let payload = Bytes::from(encode(&[run("a", 1), run("b", 2)])[0].0.clone());
        let group = decode(&payload).unwrap().remove(0);
        let whole: Vec<Bytes> = group.pieces_for(77, usize::MAX).collect();
        assert_eq!(whole.len(), 1);
        let single: Vec<Bytes> = group.pieces_for(77, 1).collect();
        assert_eq!(single.len(), 2, "a piece is never less than a tuple");
        assert_eq!(single.concat(), whole.concat());
        let sent = Group {
            host_id: 0,
            tuples: whole.concat().into(),
            ..group
        };
        for (at, _) in sent.spans() {
            assert_eq!(
                sent.tuples[at + HOST_OFFSET..at + HOST_OFFSET + 4],
                77_i32.to_be_bytes()
            );
        }
    }

    #[test]
    fn many_rows_are_split_into_records_that_fit() {
        let rows: Vec<Row> = (0..30_000)
            .map(|i| run("a collector with a name", i))
            .collect();
        let payloads = encode(&rows);
        assert!(payloads.len() > 1);
        assert!(
            payloads
                .iter()
                .all(|(payload, _)| payload.len() <= 1024 * 1024)
        );
        assert_eq!(payloads.iter().map(|(_, rows)| rows).sum::<u32>(), 30_000);
    }

    #[test]
    fn slices_cut_between_tuples() {
        let rows: Vec<Row> = (0..5).map(|i| run("x", i)).collect();
        let group = decode(&Bytes::from(encode(&rows)[0].0.clone()))
            .unwrap()
            .remove(0);
        let (left, right) = (group.slice(0, 2), group.slice(2, 5));
        assert_eq!((left.rows, right.rows), (2, 3));
        assert_eq!(
            [&left.tuples[..], &right.tuples[..]].concat(),
            &group.tuples[..]
        );
        assert!(left.check().is_ok() && right.check().is_ok());
    }

    #[test]
    fn a_column_this_version_does_not_know_is_left_out() {
        let payload = encode(&[run("a", 9)])[0].0.clone();
        let mut group = decode(&Bytes::from(payload)).unwrap().remove(0);
        group.columns[2].0 = "took_ms".to_owned();
        let fitted = group.fit(CollectorRun::TABLE);
        assert!(fitted.check().is_ok());
        assert_eq!(
            fitted
                .columns
                .iter()
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>(),
            ["collector", "outcome", "rows", "error"]
        );
        assert_eq!(
            fitted.rows_as_json().next().unwrap().0,
            r#"{"collector":"a","error":null,"outcome":"ok","rows":9,"ts_us":1700000000000000}"#
        );
    }

    proptest! {
        #[test]
        fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            decode(&Bytes::from(bytes)).ok();
        }

        #[test]
        fn damaged_payloads_never_panic(at in 0_usize..200, byte in any::<u8>()) {
            let mut payload = encode(&[run("a", 1), beat()])[0].0.clone();
            let at = at % payload.len();
            payload[at] = byte;
            if let Ok(groups) = decode(&Bytes::from(payload)) {
                for group in groups {
                    group.rows_as_json().count();
                    drop(group.fit(CollectorRun::TABLE));
                }
            }
        }

        #[test]
        fn text_and_numbers_survive(name in "\\PC{0,40}", rows in any::<i64>(), ms in prop_oneof![Just(f64::NAN), (-1e9..1e9_f64).prop_map(|ms| ms.round() / 4.0)]) {
            let sample = CollectorRun { collector: name.clone(), outcome: "ok".into(), duration_ms: ms, rows, error: Some("e".into()) };
            let row = sample.into_row(Timestamp(-1));
            let group = decode(&Bytes::from(encode(&[row])[0].0.clone())).unwrap().remove(0);
            let (json, ts, _) = group.rows_as_json().next().unwrap();
            let value: serde_json::Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(ts, Timestamp(-1));
            prop_assert_eq!(&value["collector"], &serde_json::Value::from(name));
            prop_assert_eq!(&value["rows"], &serde_json::Value::from(rows));
            let expected = match ms.into_cell() { Cell::Float(ms) => ms.into(), _ => serde_json::Value::Null };
            prop_assert_eq!(&value["duration_ms"], &expected);
        }
    }
}
