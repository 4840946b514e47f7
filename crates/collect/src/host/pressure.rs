//! `/proc/pressure/{cpu,memory,io}`: time in which tasks waited for a resource, microseconds.
//! Absent before Linux 4.20; present and refusing to be read where it is switched off.

use crate::fields::{fields, lines, number};

/// One of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pressure {
    /// Time in which at least one task waited, since boot.
    pub(crate) some_us: Option<u64>,
    /// Time in which every task waited, since boot.
    pub(crate) full_us: Option<u64>,
}

/// Reads one of the files.
pub(crate) fn parse(text: &[u8]) -> Pressure {
    let mut pressure = Pressure::default();
    for line in lines(text) {
        let mut words = fields(line);
        let place = match words.next() {
            Some(b"some") => &mut pressure.some_us,
            Some(b"full") => &mut pressure.full_us,
            _ => continue,
        };
        *place = words
            .find_map(|word| word.strip_prefix(b"total="))
            .and_then(number);
    }
    pressure
}
