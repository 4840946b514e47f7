//! Lines that are longer than [`LINE_BYTES`]: the beginning is kept, the rest counted.

use std::sync::Arc;

use memchr::memchr;

use super::super::chunk::Chunk;
use super::{LINE_BYTES, LogFile, Read, last_bytes};

/// A line that is longer than [`LINE_BYTES`].
#[derive(Debug)]
pub(super) struct Long {
    /// Its beginning.
    pub(super) kept: Vec<u8>,
    /// How much of it is read.
    pub(super) len: u64,
    /// The last bytes read.
    pub(super) tail: Vec<u8>,
}

impl LogFile {
    pub(super) fn take_long(
        &mut self,
        stream: &Arc<str>,
        mut long: Long,
        buf: &[u8],
        before: usize,
    ) -> Read {
        let data = &buf[before..];
        let Some(n) = memchr(b'\n', data) else {
            long.len += data.len() as u64;
            long.tail = last_bytes(buf);
            self.long = Some(long);
            return Read::Passed(data.len() as u64);
        };
        long.len += n as u64;
        long.tail = last_bytes(&buf[..before + n + 1]);
        let mut lines = self.chunk_of_long(stream, long, 1);
        lines.bytes.push(b'\n');
        Read::Lines(Box::new(lines))
    }

    /// Returns the line that was too long, and `more` bytes of its end.
    pub(super) fn chunk_of_long(&mut self, stream: &Arc<str>, long: Long, more: u64) -> Chunk {
        let end = self.offset + long.len + more;
        let mut lines = self.chunk(stream, long.kept, end);
        if long.len > LINE_BYTES as u64 {
            lines.cut = Some((self.offset, long.len));
            lines.place.tail = Some(long.tail.clone());
        }
        self.offset = end;
        self.before = long.tail;
        lines
    }
}
