//! Files of one line: load, uptime, open files.

use crate::fields::{fields, fraction, number};

/// Parses `/proc/loadavg`: load over 1, 5 and 15 minutes.
pub(crate) fn loadavg(text: &[u8]) -> [Option<f64>; 3] {
    let mut words = fields(text).map(fraction);
    let mut next = || words.next().flatten();
    [next(), next(), next()]
}

/// Parses `/proc/uptime`: seconds since boot.
pub(crate) fn uptime(text: &[u8]) -> Option<f64> {
    fields(text)
        .next()
        .and_then(fraction)
        .filter(|uptime| *uptime >= 0.0)
}

/// Parses `/proc/sys/fs/file-nr`: open file descriptions and the most there may be.
pub(crate) fn file_nr(text: &[u8]) -> (Option<u64>, Option<u64>) {
    let mut words = fields(text).map(number);
    let allocated = words.next().flatten();
    let free = words.next().flatten();
    let max = words.next().flatten();
    let open = allocated.map(|allocated| allocated.saturating_sub(free.unwrap_or(0)));
    (open, max)
}

/// Returns a file that holds one number.
pub(crate) fn single(text: &[u8]) -> Option<u64> {
    number(text.trim_ascii())
}
