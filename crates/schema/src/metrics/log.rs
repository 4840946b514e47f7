//! Logs: how much they say, how bad it is, and whether they can be read.
//!
//! Of each source, and of all together: what is asked without a key is one series, as the volume of
//! all sources is no sum of the loudest eight.

use crate::tables::LogSource;
use crate::{Better, Domain, Fold, Levels, Metric, Sample, Source, Unit};

/// The source that is the key.
const SOURCE: Source = Source::new(LogSource::TABLE).fold(Fold::Max);
/// All sources.
const ALL: Source = SOURCE.identity("source");

const LINES: &str = "debug_lines + info_lines + warn_lines + error_lines";
const STORED: &str = "Steps of what the collector stored; a restart of it is no step.";

/// What the metrics here have in common unless they say otherwise.
const BASE: Metric = Metric {
    unit: Unit::PerSec,
    how: STORED,
    ..Metric::base(Domain::Log, SOURCE, Some("source"))
};

/// By source, then of all.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "lines_per_sec",
        label: "Lines",
        series: SOURCE.rate(LINES),
        what: "Entries of the source per second; lines that belong together are one.",
        ..BASE
    },
    Metric {
        name: "error_per_sec",
        label: "Errors",
        series: SOURCE.rate("error_lines"),
        better: Better::Lower,
        what: "Entries of level error of the source per second.",
        ..BASE
    },
    Metric {
        name: "warn_per_sec",
        label: "Warnings",
        series: SOURCE.rate("warn_lines"),
        better: Better::Lower,
        what: "Entries of level warn of the source per second.",
        ..BASE
    },
    Metric {
        name: "info_per_sec",
        label: "Information",
        series: SOURCE.rate("info_lines"),
        what: "Entries of level info of the source per second.",
        ..BASE
    },
    Metric {
        name: "debug_per_sec",
        label: "Debugging",
        series: SOURCE.rate("debug_lines"),
        what: "Entries of level debug of the source per second.",
        ..BASE
    },
    Metric {
        name: "all_error_per_sec",
        label: "Errors of all logs",
        series: ALL.rate("error_lines"),
        key: None,
        better: Better::Lower,
        what: "Entries of level error of all sources per second.",
        ..BASE
    },
    Metric {
        name: "all_warn_per_sec",
        label: "Warnings of all logs",
        series: ALL.rate("warn_lines"),
        key: None,
        better: Better::Lower,
        what: "Entries of level warn of all sources per second.",
        ..BASE
    },
    Metric {
        name: "all_info_per_sec",
        label: "Information of all logs",
        series: ALL.rate("info_lines"),
        key: None,
        what: "Entries of level info of all sources per second.",
        ..BASE
    },
    Metric {
        name: "all_debug_per_sec",
        label: "Debugging of all logs",
        series: ALL.rate("debug_lines"),
        key: None,
        what: "Entries of level debug of all sources per second.",
        ..BASE
    },
    Metric {
        name: "grave_pct",
        label: "Errors and warnings",
        unit: Unit::Percent,
        series: ALL.percent("error_lines + warn_lines", LINES, 0.0),
        key: None,
        better: Better::Lower,
        what: "Errors and warnings as a share of the entries of all sources.",
        how: "Steps of what was stored. What share is normal differs from host to host, so it has no threshold.",
        ..BASE
    },
    Metric {
        name: "bytes_per_sec",
        label: "Read of a log",
        unit: Unit::BytesPerSec,
        series: SOURCE.rate("bytes"),
        what: "Bytes read of the source per second.",
        how: "Steps of the bytes read.",
        ..BASE
    },
    Metric {
        name: "backlog_bytes",
        label: "Log not yet read",
        unit: Unit::Bytes,
        series: SOURCE.level("backlog_bytes"),
        better: Better::Lower,
        levels: Some(Levels::new(67_108_864.0, 1_073_741_824.0)),
        judged_over_secs: 60,
        what: "Bytes of the source's files that are not stored. The journal does not tell.",
        how: "Averaged over a minute. 64 MiB are read in some ten seconds, so what still waits then grows; 1 GiB is more than rotation leaves.",
        fix: "Look whether the database is slow, or what makes the source so loud.",
        ..BASE
    },
    Metric {
        name: "overflowed_per_sec",
        label: "Lines beyond the patterns",
        series: SOURCE.rate("overflowed"),
        better: Better::Lower,
        what: "Entries per second that are stored under no pattern of their own.",
        how: "Steps of their count: within an hour a source gets so many patterns and no more.",
        ..BASE
    },
    Metric {
        name: "readable",
        label: "Log can be read",
        unit: Unit::Bool,
        series: SOURCE.level("(status IN ('ok', 'blocked', 'limited'))::int::float8"),
        better: Better::Higher,
        levels: Some(Levels::warn(0.0)),
        judged_over_secs: 60,
        what: "Whether the source can be read: 1 yes, 0 no.",
        how: "Each tick; a warning when it could be read at none of a minute. Sources nobody configured count once they were there.",
        fix: "Correct the path, or put the collector's user into a group that may read it, such as adm.",
        ..BASE
    },
    Metric {
        name: "files_open",
        label: "Log files may all be open",
        unit: Unit::Bool,
        series: SOURCE.level("(status <> 'limited')::int::float8"),
        better: Better::Higher,
        levels: Some(Levels::warn(0.0)),
        judged_over_secs: 60,
        what: "Whether all files of the source may be open at once: 1 yes, 0 no.",
        how: "Each tick. Closed files are read as well; only what is written just before one is removed is lost.",
        fix: "Raise the collector's limit of open files: LimitNOFILE= in its unit, ulimit -n in a shell.",
        ..BASE
    },
];
