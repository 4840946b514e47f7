//! Mounted file systems.

use crate::tables::MountSample;
use crate::{Better, Domain, Fold, Levels, Metric, Sample, Series, Unit};

const fn level(expr: &'static str) -> Series {
    Series::Level {
        table: MountSample::TABLE,
        expr,
        fold: Fold::Avg,
    }
}

pub(super) const METRICS: &[Metric] = &[
    Metric {
        domain: Domain::Mount,
        name: "used_pct",
        label: "Disk used",
        unit: Unit::Percent,
        series: level("usage_pct"),
        key: Some("mount"),
        better: Better::Lower,
        levels: Some(Levels::new(75.0, 90.0)),
        judged_over_secs: 60,
        what: "Used share of what an unprivileged user can have, percent.",
        how: "used / (used + available) of statvfs, as df counts. Thresholds: 75 and 90 percent.",
        fix: "Find what grew: du -x below the mount; then delete, move or enlarge.",
    },
    Metric {
        domain: Domain::Mount,
        name: "inodes_used_pct",
        label: "Inodes used",
        unit: Unit::Percent,
        series: level("100.0 * (inodes_total - inodes_free) / nullif(inodes_total, 0)"),
        key: Some("mount"),
        better: Better::Lower,
        levels: Some(Levels::new(75.0, 90.0)),
        judged_over_secs: 60,
        what: "Used share of the inodes, percent. No value where they are not limited.",
        how: "statvfs. A file system without free inodes is full however many bytes are left.",
        fix: "Look for folders with very many small files.",
    },
    Metric {
        domain: Domain::Mount,
        name: "available_bytes",
        label: "Available",
        unit: Unit::Bytes,
        series: level("available_bytes"),
        key: Some("mount"),
        better: Better::Higher,
        levels: None,
        judged_over_secs: 0,
        what: "Bytes an unprivileged user can still write.",
        how: "statvfs.",
        fix: "",
    },
];
