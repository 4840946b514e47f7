//! Block devices.

use crate::tables::DiskSample;
use crate::{Better, Domain, Levels, Metric, Sample, Scoring, Source, Unit};

const DISK: Source = Source::new(DiskSample::TABLE);

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(Domain::Disk, DISK, Some("device"));

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "read_bytes_per_sec",
        label: "Disk reads",
        unit: Unit::BytesPerSec,
        series: DISK.rate("read_bytes_total"),
        scoring: Scoring::Scored { least: 5_242_880.0 },
        what: "Bytes read per device, per second.",
        how: "Change in /proc/diskstats counters.",
        ..BASE
    },
    Metric {
        name: "write_bytes_per_sec",
        label: "Disk writes",
        unit: Unit::BytesPerSec,
        series: DISK.rate("write_bytes_total"),
        scoring: Scoring::Scored { least: 5_242_880.0 },
        what: "Bytes written per device, per second.",
        how: "Change in /proc/diskstats counters.",
        ..BASE
    },
    Metric {
        name: "reads_per_sec",
        label: "Read operations",
        unit: Unit::PerSec,
        series: DISK.rate("reads_total"),
        what: "Reads completed per device, per second.",
        how: "Change in /proc/diskstats counters.",
        ..BASE
    },
    Metric {
        name: "writes_per_sec",
        label: "Write operations",
        unit: Unit::PerSec,
        series: DISK.rate("writes_total"),
        what: "Writes completed per device, per second.",
        how: "Change in /proc/diskstats counters.",
        ..BASE
    },
    Metric {
        name: "busy_pct",
        label: "Disk busy",
        unit: Unit::Percent,
        series: DISK.rate_times("busy_ms_total", 0.1),
        better: Better::Lower,
        levels: Some(Levels::new(90.0, 98.0)),
        evaluated_over_secs: 300,
        confirm_secs: 0,
        scoring: Scoring::Scored { least: 20.0 },
        what: "Share of time with at least one request in flight, percent.",
        how: "Change in /proc/diskstats counters, evaluated over five minutes. Solid-state disks serve many requests at once, so 100 percent may still leave room.",
        fix: "Compare the queue: if it grows too, see which process reads and writes.",
        ..BASE
    },
    Metric {
        name: "queue_depth",
        label: "Disk queue depth",
        unit: Unit::Ratio,
        series: DISK.rate_times("queue_ms_total", 0.001),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 1.0 },
        what: "Mean number of requests in flight.",
        how: "Change in the weighted I/O time of /proc/diskstats.",
        ..BASE
    },
];
