//! Rows as COPY BINARY tuples, encoded once and kept so in the spool.
//!
//! A *payload* is the content of one record of the spool: the rows of one tick and class, grouped by
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

mod group;
#[cfg(test)]
mod tests;

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
                groups.push((table, 0, BytesMut::new()));
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

/// Returns rows of one table as a group. Each is encoded as it comes, so that they are not all held at once.
pub(crate) fn group_of(table: &'static TableDef, rows: impl Iterator<Item = Row>) -> Group {
    let (mut tuples, mut count) = (BytesMut::new(), 0);
    for row in rows {
        put_tuple(&mut tuples, &row);
        count += 1;
    }
    group(table, count, tuples)
}

/// Returns rows of any tables as groups, ready to be copied: one for each table, in the order they come.
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
