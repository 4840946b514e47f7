//! `/proc/vmstat`: counters of the memory manager since boot.

use crate::fields::{lines, number, split_once};

/// The lines that matter, events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct VmStat {
    /// Processes killed for lack of memory; since Linux 4.13.
    pub(crate) oom_kills: Option<u64>,
    /// Pages read from swap.
    pub(crate) swap_in: Option<u64>,
    /// Pages written to swap.
    pub(crate) swap_out: Option<u64>,
    /// Faults that needed storage.
    pub(crate) major_faults: Option<u64>,
}

/// Reads the file.
pub(crate) fn parse(text: &[u8]) -> VmStat {
    let mut stat = VmStat::default();
    for line in lines(text) {
        let Some((key, value)) = split_once(line, b' ') else {
            continue;
        };
        let place = match key {
            b"oom_kill" => &mut stat.oom_kills,
            b"pswpin" => &mut stat.swap_in,
            b"pswpout" => &mut stat.swap_out,
            b"pgmajfault" => &mut stat.major_faults,
            _ => continue,
        };
        *place = number(value.trim_ascii());
    }
    stat
}
