//! `/proc/meminfo`: memory and swap. The file counts in kB of 1024 bytes; here all is bytes.

use crate::fields::{fields, lines, number, split_once};

/// The lines that matter, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MemInfo {
    pub(crate) total: Option<u64>,
    pub(crate) free: Option<u64>,
    available: Option<u64>,
    pub(crate) buffers: Option<u64>,
    cached: Option<u64>,
    reclaimable: Option<u64>,
    pub(crate) dirty: Option<u64>,
    pub(crate) swap_total: Option<u64>,
    swap_free: Option<u64>,
}

/// Reads the file.
pub(crate) fn parse(text: &[u8]) -> MemInfo {
    let mut memory = MemInfo::default();
    for line in lines(text) {
        let Some((key, rest)) = split_once(line, b':') else {
            continue;
        };
        let place = match key {
            b"MemTotal" => &mut memory.total,
            b"MemFree" => &mut memory.free,
            b"MemAvailable" => &mut memory.available,
            b"Buffers" => &mut memory.buffers,
            b"Cached" => &mut memory.cached,
            b"SReclaimable" => &mut memory.reclaimable,
            b"Dirty" => &mut memory.dirty,
            b"SwapTotal" => &mut memory.swap_total,
            b"SwapFree" => &mut memory.swap_free,
            _ => continue,
        };
        *place = fields(rest)
            .next()
            .and_then(number)
            .map(|kilobytes| kilobytes.saturating_mul(1024));
    }
    memory
}

impl MemInfo {
    /// Returns the page cache with the slab that can be given back.
    pub(crate) fn cached(&self) -> Option<u64> {
        let cached = self.cached?;
        Some(cached.saturating_add(self.reclaimable.unwrap_or(0)))
    }

    /// Returns memory available to new work: the kernel's estimate, or memory that is free or can be dropped. That is
    /// for kernels before 3.14, and for an LXCFS that shows the host's estimate beside the
    /// container's total.
    pub(crate) fn available(&self) -> Option<u64> {
        let total = self.total.unwrap_or(u64::MAX);
        let estimate = self.available.filter(|available| *available <= total);
        let available = match estimate {
            Some(available) => available,
            None => self
                .free?
                .saturating_add(self.buffers.unwrap_or(0))
                .saturating_add(self.cached()?),
        };
        Some(available.min(total))
    }

    /// Returns memory not available to new work.
    pub(crate) fn used(&self) -> Option<u64> {
        Some(self.total?.saturating_sub(self.available()?))
    }

    /// Returns swap in use.
    pub(crate) fn swap_used(&self) -> Option<u64> {
        Some(self.swap_total?.saturating_sub(self.swap_free?))
    }
}
