//! The collector itself.

use crate::tables::{CollectorRun, SelfSample};
use crate::{Better, Capacity, Domain, Fold, Levels, Metric, Sample, Scoring, Source, Unit};

const OWN: Source = Source::new(SelfSample::TABLE);
const RUNS: Source = Source::new(CollectorRun::TABLE).fold(Fold::Max);

const MIB: f64 = 1024.0 * 1024.0;

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(Domain::Collector, OWN, None);

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "cpu_pct",
        label: "Collector CPU",
        unit: Unit::Percent,
        series: OWN.level("cpu_pct"),
        better: Better::Lower,
        levels: Some(Levels::new(3.0, 5.0)),
        evaluated_over_secs: 120,
        confirm_secs: 120,
        what: "CPU time of the collector, percent of one core.",
        how: "getrusage between two ticks, evaluated over two minutes. The packaged unit allows 5 percent.",
        fix: "See which collector takes long in the table below.",
        ..BASE
    },
    Metric {
        name: "rss_bytes",
        label: "Collector memory",
        unit: Unit::Bytes,
        series: OWN.level("rss_bytes"),
        better: Better::Lower,
        levels: Some(Levels::new(48.0 * MIB, 60.0 * MIB)),
        evaluated_over_secs: 60,
        confirm_secs: 60,
        scoring: Scoring::Scored { least: 8_388_608.0 },
        what: "Resident memory of the collector, bytes.",
        how: "/proc/self/statm. The packaged unit allows 64 MiB.",
        fix: "A restart frees it without loss; please report what led to it.",
        ..BASE
    },
    Metric {
        name: "fd_count",
        label: "Collector file descriptors",
        unit: Unit::Count,
        series: OWN.level("fd_count"),
        better: Better::Lower,
        // Beyond what is by design: up to 2,048 files of processes stay open, and one for each of thousands of log files.
        levels: Some(Levels::new(10_000.0, 50_000.0)),
        evaluated_over_secs: 60,
        confirm_secs: 60,
        what: "Open file descriptors of the collector.",
        how: "/proc/self/fd. At most 2,048 are files of processes, which stay open between ticks; each log file that is read is one.",
        fix: "Compare with the number of processes and log files; a number that grows without them is a leak.",
        ..BASE
    },
    Metric {
        name: "thread_count",
        label: "Collector threads",
        unit: Unit::Count,
        series: OWN.level("thread_count"),
        better: Better::Lower,
        // One more than there can be.
        levels: Some(Levels::new(7.0, 10.0)),
        evaluated_over_secs: 60,
        confirm_secs: 60,
        what: "Threads of the collector: the main one, one that reads logs, and at most four that wait for disks and names.",
        how: "/proc/self/stat.",
        fix: "A mount that does not answer holds a thread; see the table of collectors.",
        ..BASE
    },
    Metric {
        name: "tick_ms",
        label: "Tick duration",
        unit: Unit::Ms,
        series: OWN.level("tick_duration_ms"),
        better: Better::Lower,
        levels: Some(Levels::new(5000.0, 9000.0)),
        evaluated_over_secs: 60,
        confirm_secs: 30,
        scoring: Scoring::Scored { least: 200.0 },
        what: "From the start of a tick to its rows being safe on disk.",
        how: "Monotonic clock. Half and nine tenths of the interval of 10 s.",
        fix: "See which collector takes long in the table below.",
        ..BASE
    },
    Metric {
        name: "tick_late_ms",
        label: "Tick delay",
        unit: Unit::Ms,
        series: OWN.level("tick_late_ms"),
        better: Better::Lower,
        levels: Some(Levels::new(1000.0, 5000.0)),
        evaluated_over_secs: 60,
        scoring: Scoring::Unscored(Scoring::DESIGNED),
        what: "How much later than planned a tick began.",
        how: "Monotonic clock.",
        fix: "The host is starved or the collector is throttled: see Tasks waiting for CPU and its quota.",
        ..BASE
    },
    Metric {
        name: "pending_records",
        label: "Records waiting",
        unit: Unit::Count,
        series: OWN.level("pending_records"),
        better: Better::Lower,
        levels: Some(Levels::new(18.0, 360.0)),
        evaluated_over_secs: 60,
        confirm_secs: 30,
        scoring: Scoring::Unscored(Scoring::DESIGNED),
        what: "Records in the spool that the database has not accepted: about two per tick.",
        how: "Counted before the tick adds its own. 18 is a minute and a half, 360 half an hour.",
        fix: "See the state of the database link; nothing is lost while the spool has room.",
        ..BASE
    },
    Metric {
        name: "buffer_rows",
        label: "Rows waiting",
        unit: Unit::Count,
        series: OWN.level("buffer_total"),
        better: Better::Lower,
        scoring: Scoring::Unscored(Scoring::DESIGNED),
        what: "Rows in the spool that the database has not accepted.",
        how: "Counted before the tick adds its own.",
        ..BASE
    },
    Metric {
        name: "spool_bytes",
        label: "Spool size",
        unit: Unit::Bytes,
        series: OWN.level("disk_queue_bytes"),
        better: Better::Lower,
        scoring: Scoring::Unscored(Scoring::DESIGNED),
        what: "Bytes the spool takes on disk, preallocated space included.",
        how: "Sum of its segment files.",
        ..BASE
    },
    Metric {
        name: "spool_used_pct",
        label: "Spool used",
        unit: Unit::Percent,
        series: OWN.level("100.0 * disk_queue_bytes / nullif(disk_queue_max_bytes, 0)"),
        better: Better::Lower,
        levels: Some(Levels::new(80.0, 95.0)),
        evaluated_over_secs: 60,
        confirm_secs: 0,
        scoring: Scoring::Unscored(Scoring::DESIGNED),
        capacity: Capacity::full("the oldest rows of processes are dropped"),
        what: "Share of its size limit that the spool takes, percent.",
        how: "Sum of the segment files over queue_max_mb. At 100 percent the oldest rows of processes are dropped first; the thresholds leave time to act before.",
        fix: "Bring the database back, or raise queue_max_mb.",
        ..BASE
    },
    Metric {
        name: "db_healthy",
        label: "Database link",
        unit: Unit::Bool,
        series: OWN.level("db_healthy::int::float8"),
        better: Better::Higher,
        levels: Some(Levels::critical(0.0)),
        evaluated_over_secs: 60,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether the database accepted the last transaction: 1 yes, 0 no.",
        how: "As the collector sees it at the tick; critical after 20 s, as nothing is stored meanwhile.",
        fix: "The error is shown next to it; check that the server runs and the role may write.",
        ..BASE
    },
    Metric {
        name: "clock_difference_secs",
        label: "Clock difference",
        unit: Unit::Secs,
        series: OWN.level("greatest(clock_ahead_secs, 0.0 - clock_ahead_secs)"),
        better: Better::Lower,
        // A time service keeps clocks within milliseconds. From two seconds on what happened on two hosts is in the wrong order.
        levels: Some(Levels::warn(2.0)),
        evaluated_over_secs: 60,
        scoring: Scoring::Unscored(Scoring::DESIGNED),
        what: "How much the clocks of host and database server differ, as far as that is certain.",
        how: "Compared with each heartbeat. From a minute on this host expires no data: one of the two is wrong.",
        fix: "Check the time service on both. While the clocks differ by more than a minute this host expires no data:",
        ..BASE
    },
    Metric {
        name: "rows_per_sec",
        label: "Rows written",
        unit: Unit::PerSec,
        series: OWN.rate("total_rows_written"),
        what: "Rows committed per second.",
        how: "Change in the collector's own counter.",
        ..BASE
    },
    Metric {
        name: "commits_per_sec",
        label: "Commits",
        unit: Unit::PerSec,
        series: OWN.rate("flush_count"),
        what: "Transactions committed per second.",
        how: "Change in the collector's own counter.",
        ..BASE
    },
    Metric {
        name: "lost_records_per_sec",
        label: "Lost records",
        unit: Unit::PerSec,
        series: OWN.rate("lost_records_total"),
        better: Better::Lower,
        scoring: Scoring::Unscored(Scoring::EVENTS),
        what: "Records dropped per second; each is a row of the gaps table.",
        how: "Change in the collector's own counter. Any loss is a finding for an hour.",
        ..BASE
    },
    Metric {
        name: "dead_letters_per_sec",
        label: "Dead letters",
        unit: Unit::PerSec,
        series: OWN.rate("dead_letters_total"),
        better: Better::Lower,
        scoring: Scoring::Unscored(Scoring::EVENTS),
        what: "Rows dead-lettered because the database rejected their content, per second.",
        how: "Change in the collector's own counter. Any is a finding for an hour.",
        ..BASE
    },
    Metric {
        name: "run_ms",
        label: "Collection time",
        unit: Unit::Ms,
        series: RUNS.level("duration_ms"),
        key: Some("collector"),
        better: Better::Lower,
        what: "Time one run of a collector took.",
        how: "Monotonic clock around the run.",
        ..BASE
    },
];
