//! Files of a queue as another version would write them.

/// Bytes of a segment's header; its checksum is at their end.
const HEADER: usize = 96;
const SUM_AT: usize = HEADER - 4;

/// Returns a segment of the queue (`store::spool`) as a program with another format would begin it: with the number of that format, and
/// the checksum of the header. `None` when it is no segment.
#[must_use]
pub fn of_format(segment: &[u8], format: u32) -> Option<Vec<u8>> {
    let mut bytes = segment.to_vec();
    bytes.get_mut(8..12)?.copy_from_slice(&format.to_le_bytes());
    let sum = crc32c::crc32c(bytes.get(..SUM_AT)?).rotate_right(15);
    let sum = sum.wrapping_add(0xa282_ead8);
    bytes
        .get_mut(SUM_AT..HEADER)?
        .copy_from_slice(&sum.to_le_bytes());
    Some(bytes)
}
