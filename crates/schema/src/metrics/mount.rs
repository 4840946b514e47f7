//! Mounted file systems.

use crate::tables::MountSample;
use crate::{Better, Capacity, Domain, Levels, Metric, Sample, Scoring, Source, Unit};

const MOUNT: Source = Source::new(MountSample::TABLE);

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(Domain::Mount, MOUNT, Some("mount"));

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "used_pct",
        label: "Disk used",
        unit: Unit::Percent,
        series: MOUNT.level("usage_pct"),
        better: Better::Lower,
        levels: Some(Levels::new(75.0, 90.0)),
        evaluated_over_secs: 60,
        scoring: Scoring::Scored { least: 5.0 },
        capacity: Capacity::full("every write to it fails"),
        what: "Used share of what an unprivileged user can have, percent.",
        how: "used / (used + available) of statvfs, as df counts. Thresholds: 75 and 90 percent.",
        fix: "Find what grew: du -x on the mount point; then delete, move or enlarge.",
        ..BASE
    },
    Metric {
        name: "inodes_used_pct",
        label: "Inodes used",
        unit: Unit::Percent,
        series: MOUNT.level("100.0 * (inodes_total - inodes_free) / nullif(inodes_total, 0)"),
        better: Better::Lower,
        levels: Some(Levels::new(75.0, 90.0)),
        evaluated_over_secs: 60,
        scoring: Scoring::Scored { least: 5.0 },
        capacity: Capacity::full("no file can be created on it, however many bytes are left"),
        what: "Used share of the inodes, percent. No value where they are not limited.",
        how: "statvfs. A file system without free inodes is full however many bytes are left.",
        fix: "Look for directories with very many small files.",
        ..BASE
    },
    Metric {
        name: "available_bytes",
        label: "Available",
        unit: Unit::Bytes,
        series: MOUNT.level("available_bytes"),
        better: Better::Higher,
        scoring: Scoring::Unscored(Scoring::GROWS),
        what: "Bytes an unprivileged user can still write.",
        how: "statvfs.",
        ..BASE
    },
];
