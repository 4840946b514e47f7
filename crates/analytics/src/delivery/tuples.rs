//! Rows as COPY BINARY takes them.

use bytes::{BufMut as _, Bytes, BytesMut};
use std::mem;

/// Signature, flags and length of the header extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// A tuple of minus one fields.
const TRAILER: i16 = -1;
/// Microseconds from 1970 to 2000, the epoch of PostgreSQL.
const PG_EPOCH: i64 = 946_684_800_000_000;
/// Bytes handed to the driver at a time, which copies them.
const PIECE_BYTES: usize = 64 * 1024;

/// Encoded rows.
#[derive(Debug)]
pub(super) struct Tuples {
    bytes: BytesMut,
    pieces: Vec<Bytes>,
}

impl Tuples {
    pub(super) fn new() -> Self {
        let mut bytes = BytesMut::with_capacity(PIECE_BYTES);
        bytes.put_slice(HEADER);
        Self {
            bytes,
            pieces: Vec::new(),
        }
    }

    /// Begins a row.
    pub(super) fn row(&mut self, fields: i16) -> &mut Self {
        if self.bytes.len() >= PIECE_BYTES {
            self.pieces.push(mem::take(&mut self.bytes).freeze());
        }
        self.bytes.put_i16(fields);
        self
    }

    fn field(&mut self, bytes: &[u8]) -> &mut Self {
        // A value is bounded by the protocol to a few kilobytes.
        self.bytes
            .put_i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
        self.bytes.put_slice(bytes);
        self
    }

    pub(super) fn null(&mut self) -> &mut Self {
        self.bytes.put_i32(-1);
        self
    }

    pub(super) fn time(&mut self, micros: i64) -> &mut Self {
        self.int8(micros.saturating_sub(PG_EPOCH))
    }

    pub(super) fn int8(&mut self, value: i64) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub(super) fn int4(&mut self, value: i32) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub(super) fn int2(&mut self, value: i16) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub(super) fn bool(&mut self, value: bool) -> &mut Self {
        self.field(&[u8::from(value)])
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.field(value.as_bytes())
    }

    pub(super) fn maybe<T>(
        &mut self,
        value: Option<T>,
        put: impl FnOnce(&mut Self, T) -> &mut Self,
    ) -> &mut Self {
        match value {
            Some(value) => put(self, value),
            None => self.null(),
        }
    }

    /// Adds `jsonb`: its version, then the text.
    pub(super) fn json(&mut self, value: &str) -> &mut Self {
        self.bytes
            .put_i32(i32::try_from(value.len() + 1).unwrap_or(i32::MAX));
        self.bytes.put_u8(1);
        self.bytes.put_slice(value.as_bytes());
        self
    }

    /// Returns all pieces, with the trailer.
    pub(super) fn finish(mut self) -> Vec<Bytes> {
        self.bytes.put_i16(TRAILER);
        self.pieces.push(self.bytes.freeze());
        self.pieces
    }
}
