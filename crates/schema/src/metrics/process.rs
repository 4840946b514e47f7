//! Processes, by name and one by one.

use crate::tables::ProcessSample;
use crate::{Better, Capacity, Domain, Fold, Levels, Limit, Metric, Sample, Scoring, Source, Unit};

const MIB: f64 = 1024.0 * 1024.0;

/// Summed over the processes of one name.
const BY_NAME: Source = Source::new(ProcessSample::TABLE)
    .identity("pid, start_ticks")
    .fold(Fold::Sum);
/// One by one.
const PROCESS: Source = Source::new(ProcessSample::TABLE).fold(Fold::Max);
const PROCESS_KEY: &str = "pid || '.' || start_ticks";

const BASE: Metric = Metric::base(Domain::Process, BY_NAME, Some("process_name"));
const PROCESS_BASE: Metric = Metric {
    has_history: false,
    scoring: Scoring::Unscored(Scoring::ENDS),
    ..Metric::base(Domain::ProcessOne, PROCESS, Some(PROCESS_KEY))
};

/// Summed over the processes of one name.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "cpu_pct",
        label: "CPU",
        unit: Unit::Percent,
        series: BY_NAME.level("cpu_pct"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 25.0 },
        what: "CPU time, percent of one core, summed over the processes of one name.",
        how: "/proc/PID, once per tick.",
        ..BASE
    },
    Metric {
        name: "rss_bytes",
        label: "Memory (RSS)",
        unit: Unit::Bytes,
        series: BY_NAME.level("rss_bytes"),
        better: Better::Lower,
        scoring: Scoring::Scored {
            least: 67_108_864.0,
        },
        what: "Memory held in RAM, summed over the processes of one name, bytes.",
        how: "/proc/PID, once per tick.",
        ..BASE
    },
    Metric {
        name: "fd_count",
        label: "File descriptors",
        unit: Unit::Count,
        series: BY_NAME.level("fd_count"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 100.0 },
        capacity: Capacity::Bounded {
            limit: Limit::Metric("process.fd_limit", None),
            from: None,
            then: "it can open neither files nor connections",
        },
        what: "Open file descriptors; no value where the directory is not readable, summed over the processes of one name.",
        how: "/proc/PID, once per tick.",
        ..BASE
    },
    Metric {
        name: "fd_limit",
        label: "Limit of file descriptors",
        unit: Unit::Count,
        series: BY_NAME.level("CASE WHEN watched THEN fd_limit END"),
        scoring: Scoring::Unscored(Scoring::SETTING),
        what: "File descriptors that a watched process may have open, summed over the processes of one name.",
        how: "The soft limit of /proc/PID/limits. No value for other processes.",
        ..BASE
    },
    Metric {
        name: "thread_count",
        label: "Threads",
        unit: Unit::Count,
        series: BY_NAME.level("thread_count"),
        better: Better::Lower,
        what: "Threads of the process, summed over the processes of one name.",
        how: "/proc/PID, once per tick.",
        ..BASE
    },
    Metric {
        name: "read_bytes_per_sec",
        label: "Disk reads",
        unit: Unit::BytesPerSec,
        series: BY_NAME.rate("read_bytes_total"),
        what: "Bytes fetched from storage, per second.",
        how: "Change in /proc/PID/io counters.",
        ..BASE
    },
    Metric {
        name: "write_bytes_per_sec",
        label: "Disk writes",
        unit: Unit::BytesPerSec,
        series: BY_NAME.rate("write_bytes_total"),
        what: "Bytes sent to storage, per second.",
        how: "Change in /proc/PID/io counters.",
        ..BASE
    },
];

/// One process: pid and start.
pub(super) const ONE: &[Metric] = &[
    Metric {
        name: "cpu_pct",
        label: "CPU",
        unit: Unit::Percent,
        series: PROCESS.level("cpu_pct"),
        better: Better::Lower,
        levels: Some(Levels::with_info(20.0, 50.0, 80.0)),
        what: "CPU time, percent of one core.",
        how: "Difference of /proc/PID/stat. Thresholds 20, 50 and 80 percent of one core mark a busy process, not a fault.",
        fix: "See whether the load is expected; strace -c or perf top show what it does.",
        ..PROCESS_BASE
    },
    Metric {
        name: "rss_bytes",
        label: "Memory (RSS)",
        unit: Unit::Bytes,
        series: PROCESS.level("rss_bytes"),
        better: Better::Lower,
        levels: Some(Levels::with_info(256.0 * MIB, 512.0 * MIB, 1024.0 * MIB)),
        what: "Memory held in RAM, bytes; shared pages count for each.",
        how: "/proc/PID/stat. Thresholds 256 and 512 MiB and 1 GiB mark a large process, not a fault.",
        fix: "Compare with last week: growth without end is a leak.",
        ..PROCESS_BASE
    },
    Metric {
        name: "fd_count",
        label: "File descriptors",
        unit: Unit::Count,
        series: PROCESS.level("fd_count"),
        better: Better::Lower,
        levels: Some(Levels::with_info(200.0, 500.0, 1000.0)),
        what: "Open file descriptors; no value where the directory is not readable.",
        how: "/proc/PID/fd. Thresholds 200, 500 and 1000: many services have a limit of 1024.",
        fix: "Compare with the limit in the table; lsof -p shows what is open.",
        ..PROCESS_BASE
    },
    Metric {
        name: "thread_count",
        label: "Threads",
        unit: Unit::Count,
        series: PROCESS.level("thread_count"),
        better: Better::Lower,
        levels: Some(Levels::with_info(100.0, 200.0, 500.0)),
        what: "Threads of the process.",
        how: "/proc/PID/stat. Thresholds 100, 200 and 500.",
        fix: "A number that grows without end is a leak of threads or a pool without bound.",
        ..PROCESS_BASE
    },
    Metric {
        name: "read_bytes_per_sec",
        label: "Disk reads",
        unit: Unit::BytesPerSec,
        series: PROCESS.rate("read_bytes_total"),
        what: "Bytes fetched from storage, per second.",
        how: "Change in /proc/PID/io counters.",
        ..PROCESS_BASE
    },
    Metric {
        name: "write_bytes_per_sec",
        label: "Disk writes",
        unit: Unit::BytesPerSec,
        series: PROCESS.rate("write_bytes_total"),
        what: "Bytes sent to storage, per second.",
        how: "Change in /proc/PID/io counters.",
        ..PROCESS_BASE
    },
];
