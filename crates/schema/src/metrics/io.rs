//! What PostgreSQL reads and writes, by kind of process.

use crate::tables::{IoSample, SlruSample};
use crate::{Better, Domain, Fold, Levels, Metric, Sample, Series, Unit};

const fn level(expr: &'static str) -> Series {
    Series::Level {
        table: IoSample::TABLE,
        expr,
        fold: Fold::Avg,
    }
}

/// A rate.
const fn steps(expr: &'static str, scale: f64) -> Series {
    Series::Steps {
        table: IoSample::TABLE,
        expr,
        identity: "object, context, epoch",
        scale,
    }
}

/// So much of the one per one of the other; judged from `least` on.
const fn per(part: &'static str, whole: &'static str, least: f64) -> Series {
    Series::Share {
        table: IoSample::TABLE,
        part,
        whole,
        identity: "object, context, epoch",
        scale: 1.0,
        least,
    }
}

/// What the metrics here have in common unless they say otherwise.
const SHOWN: Metric = Metric {
    domain: Domain::Io,
    name: "",
    label: "",
    unit: Unit::None,
    series: level(""),
    key: Some("instance || '.' || backend_type"),
    better: Better::Neither,
    levels: None,
    judged_over_secs: 0,
    what: "",
    how: "",
    fix: "",
};

/// By server and kind of process.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "read_bytes_per_sec",
        label: "Read",
        unit: Unit::BytesPerSec,
        series: steps("read_bytes", 1.0),
        what: "Bytes read per second, by kind of process.",
        how: "Steps of pg_stat_io.",
        ..SHOWN
    },
    Metric {
        name: "write_bytes_per_sec",
        label: "Written",
        unit: Unit::BytesPerSec,
        series: steps("write_bytes", 1.0),
        what: "Bytes written per second, by kind of process.",
        how: "Steps of pg_stat_io.",
        ..SHOWN
    },
    Metric {
        name: "extend_bytes_per_sec",
        label: "Extended",
        unit: Unit::BytesPerSec,
        series: steps("extend_bytes", 1.0),
        what: "Bytes per second by which files grew, by kind of process.",
        how: "Steps of pg_stat_io.",
        ..SHOWN
    },
    Metric {
        name: "hits_per_sec",
        label: "Found in buffers",
        unit: Unit::PerSec,
        series: steps("hits", 1.0),
        what: "Blocks found in buffers per second, by kind of process.",
        how: "Steps of pg_stat_io.",
        ..SHOWN
    },
    Metric {
        name: "evictions_per_sec",
        label: "Evictions",
        unit: Unit::PerSec,
        series: steps("evictions", 1.0),
        better: Better::Lower,
        what: "Blocks per second given up for others, by kind of process.",
        how: "Steps of pg_stat_io.",
        ..SHOWN
    },
    Metric {
        name: "fsyncs_per_sec",
        label: "Fsyncs",
        unit: Unit::PerSec,
        series: steps("fsyncs", 1.0),
        better: Better::Lower,
        what: "Fsyncs per second, by kind of process.",
        how: "Steps of pg_stat_io.",
        ..SHOWN
    },
    Metric {
        name: "read_pct",
        label: "Time reading",
        unit: Unit::Percent,
        series: steps("read_ms_total", 0.1),
        better: Better::Lower,
        what: "Time spent reading, percent: 100 is one process always at it. No value without track_io_timing.",
        how: "Steps of pg_stat_io.",
        ..SHOWN
    },
    Metric {
        name: "write_pct",
        label: "Time writing",
        unit: Unit::Percent,
        series: steps("write_ms_total", 0.1),
        better: Better::Lower,
        what: "Time spent writing, percent. No value without track_io_timing.",
        how: "Steps of pg_stat_io.",
        ..SHOWN
    },
    Metric {
        name: "read_ms",
        label: "Time of a read",
        unit: Unit::Ms,
        series: per("read_ms_total", "reads", 100.0),
        better: Better::Lower,
        levels: Some(Levels::warn(50.0)),
        judged_over_secs: 600,
        what: "Mean time of a read: of a block up to 17, of a call from 18 on. No value without track_io_timing.",
        how: "Steps over ten minutes; no value below 100 reads. Healthy disks take below 50 ms.",
        fix: "See Disk busy and queue of the host, then which statements read most.",
        ..SHOWN
    },
    Metric {
        name: "write_ms",
        label: "Time of a write",
        unit: Unit::Ms,
        series: per("write_ms_total", "writes", 100.0),
        better: Better::Lower,
        levels: Some(Levels::warn(50.0)),
        judged_over_secs: 600,
        what: "Mean time of a write: of a block up to 17, of a call from 18 on. No value without track_io_timing.",
        how: "Steps over ten minutes; no value below 100 writes. Healthy disks take below 50 ms.",
        fix: "See Disk busy and queue of the host; spread checkpoints.",
        ..SHOWN
    },
    Metric {
        name: "slru_hit_pct",
        label: "SLRU hits",
        unit: Unit::Percent,
        series: Series::Share {
            table: SlruSample::TABLE,
            part: "blks_hit",
            whole: "blks_hit + blks_read",
            identity: "epoch",
            scale: 100.0,
            least: 0.0,
        },
        key: Some("instance || '.' || slru"),
        better: Better::Higher,
        what: "Blocks of a small cache (SLRU) found in it, as a share of those asked for.",
        how: "Steps of pg_stat_slru.",
        ..SHOWN
    },
];
