//! The answer of `statvfs`, in the terms of a row.

use rustix::fs::StatVfs;

use crate::fields::stored;

/// Room of a file system; `None` where it has no such figure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Capacity {
    pub(crate) total_bytes: Option<i64>,
    pub(crate) available_bytes: Option<i64>,
    pub(crate) usage_pct: Option<f64>,
    pub(crate) inodes_total: Option<i64>,
    pub(crate) inodes_free: Option<i64>,
}

/// The numbers of `statvfs` that matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Bytes of a block.
    pub(crate) block: u64,
    /// Blocks in all.
    pub(crate) blocks: u64,
    /// Blocks free.
    pub(crate) free: u64,
    /// Blocks free for an unprivileged user.
    pub(crate) available: u64,
    /// Inodes in all.
    pub(crate) inodes: u64,
    /// Inodes free for an unprivileged user.
    pub(crate) inodes_available: u64,
}

impl From<StatVfs> for Figures {
    fn from(stat: StatVfs) -> Self {
        Self {
            block: stat.f_frsize,
            blocks: stat.f_blocks,
            free: stat.f_bfree,
            available: stat.f_bavail,
            inodes: stat.f_files,
            inodes_available: stat.f_favail,
        }
    }
}

/// Some servers and quotas give less than nothing as available, which comes as a number close to
/// 2⁶⁴; that is not one. More than there is at all is all there is.
fn within(part: u64, whole: u64) -> u64 {
    if part > i64::MAX.unsigned_abs() {
        0
    } else {
        part.min(whole)
    }
}

impl From<Figures> for Capacity {
    fn from(figures: Figures) -> Self {
        let mut capacity = Self::default();
        if figures.blocks > 0 {
            let free = within(figures.free, figures.blocks);
            let available = within(figures.available, figures.blocks);
            let used = figures.blocks - free;
            let bytes = |blocks: u64| Some(stored(blocks.saturating_mul(figures.block)));
            capacity.total_bytes = bytes(figures.blocks);
            capacity.available_bytes = bytes(available);
            let reachable = used as f64 + available as f64;
            capacity.usage_pct =
                (reachable > 0.0).then(|| (used as f64 / reachable * 100.0).min(100.0));
        }
        if figures.inodes > 0 {
            let free = within(figures.inodes_available, figures.inodes);
            capacity.inodes_total = Some(stored(figures.inodes));
            capacity.inodes_free = Some(stored(free));
        }
        capacity
    }
}
