//! What PostgreSQL reads and writes, by kind of process.

use crate::tables::{IoSample, SlruSample};
use crate::{Better, Domain, Levels, Metric, Sample, Scoring, Source, Unit};

const IO: Source = Source::new(IoSample::TABLE).identity("object, context, epoch");
const SLRU: Source = Source::new(SlruSample::TABLE).identity("epoch");

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(Domain::Io, IO, Some("instance || '.' || backend_type"));

/// By server and kind of process.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "read_bytes_per_sec",
        label: "Bytes read",
        unit: Unit::BytesPerSec,
        series: IO.rate("read_bytes"),
        what: "Bytes read per second, by kind of process.",
        how: "Change in pg_stat_io counters.",
        ..BASE
    },
    Metric {
        name: "write_bytes_per_sec",
        label: "Bytes written",
        unit: Unit::BytesPerSec,
        series: IO.rate("write_bytes"),
        what: "Bytes written per second, by kind of process.",
        how: "Change in pg_stat_io counters.",
        ..BASE
    },
    Metric {
        name: "extend_bytes_per_sec",
        label: "Bytes extended",
        unit: Unit::BytesPerSec,
        series: IO.rate("extend_bytes"),
        what: "Bytes per second by which files were extended, by kind of process.",
        how: "Change in pg_stat_io counters.",
        ..BASE
    },
    Metric {
        name: "hits_per_sec",
        label: "Buffer hits",
        unit: Unit::PerSec,
        series: IO.rate("hits"),
        what: "Blocks found in buffers per second, by kind of process.",
        how: "Change in pg_stat_io counters.",
        ..BASE
    },
    Metric {
        name: "evictions_per_sec",
        label: "Evictions",
        unit: Unit::PerSec,
        series: IO.rate("evictions"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 100.0 },
        what: "Buffers evicted per second, by kind of process.",
        how: "Change in pg_stat_io counters.",
        ..BASE
    },
    Metric {
        name: "fsyncs_per_sec",
        label: "Fsyncs",
        unit: Unit::PerSec,
        series: IO.rate("fsyncs"),
        better: Better::Lower,
        what: "Fsyncs per second, by kind of process.",
        how: "Change in pg_stat_io counters.",
        ..BASE
    },
    Metric {
        name: "read_pct",
        label: "Time spent reading",
        unit: Unit::Percent,
        series: IO.rate_times("read_ms_total", 0.1),
        better: Better::Lower,
        what: "Time spent reading, percent: 100 is one process always reading. No value without track_io_timing.",
        how: "Change in pg_stat_io counters.",
        ..BASE
    },
    Metric {
        name: "write_pct",
        label: "Time spent writing",
        unit: Unit::Percent,
        series: IO.rate_times("write_ms_total", 0.1),
        better: Better::Lower,
        what: "Time spent writing, percent. No value without track_io_timing.",
        how: "Change in pg_stat_io counters.",
        ..BASE
    },
    Metric {
        name: "read_ms",
        label: "Read time",
        unit: Unit::Ms,
        series: IO.mean("read_ms_total", "reads", 100.0),
        better: Better::Lower,
        levels: Some(Levels::warn(50.0)),
        evaluated_over_secs: 600,
        confirm_secs: 60,
        scoring: Scoring::Scored { least: 5.0 },
        what: "Mean time of a read: of a block up to 17, of a call from 18 on. No value without track_io_timing.",
        how: "Change over ten minutes; no value below 100 reads. Healthy disks take below 50 ms.",
        fix: "See Disk busy and queue of the host, then which statements read most.",
        ..BASE
    },
    Metric {
        name: "write_ms",
        label: "Write time",
        unit: Unit::Ms,
        series: IO.mean("write_ms_total", "writes", 100.0),
        better: Better::Lower,
        levels: Some(Levels::warn(50.0)),
        evaluated_over_secs: 600,
        confirm_secs: 60,
        scoring: Scoring::Scored { least: 5.0 },
        what: "Mean time of a write: of a block up to 17, of a call from 18 on. No value without track_io_timing.",
        how: "Change over ten minutes; no value below 100 writes. Healthy disks take below 50 ms.",
        fix: "See Disk busy and queue of the host; spread checkpoints.",
        ..BASE
    },
    Metric {
        name: "slru_hit_pct",
        label: "SLRU hit ratio",
        unit: Unit::Percent,
        series: SLRU.percent("blks_hit", "blks_hit + blks_read", 0.0),
        key: Some("instance || '.' || slru"),
        better: Better::Higher,
        what: "Blocks of a small cache (SLRU) found in it, as a share of those requested.",
        how: "Change in pg_stat_slru counters.",
        ..BASE
    },
];
