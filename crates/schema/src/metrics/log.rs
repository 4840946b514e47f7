//! Logs: rate and severity of lines, and whether they can be read.
//!
//! Of each source, and of all together: what is asked without a key is one series, as the volume of
//! all sources is not the sum of the eight with most lines.

use crate::tables::LogSource;
use crate::{Better, Domain, Fold, Levels, Metric, Sample, Scoring, Source, Unit};

/// The source that is the key.
const SOURCE: Source = Source::new(LogSource::TABLE).fold(Fold::Max);
/// All sources.
const ALL: Source = SOURCE.identity("source");

const LINES: &str = "debug_lines + info_lines + warn_lines + error_lines";
const STORED: &str = "Change in what the collector has stored; its restarts are not counted.";

/// The common fields of the metrics here, unless overridden.
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
        scoring: Scoring::Scored { least: 1.0 },
        what: "Entries of the source per second; lines that belong together are one.",
        ..BASE
    },
    Metric {
        name: "error_per_sec",
        label: "Errors",
        series: SOURCE.rate("error_lines"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 0.05 },
        what: "Entries of level error of the source per second.",
        ..BASE
    },
    Metric {
        name: "warn_per_sec",
        label: "Warnings",
        series: SOURCE.rate("warn_lines"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 0.1 },
        what: "Entries of level warn of the source per second.",
        ..BASE
    },
    Metric {
        name: "info_per_sec",
        label: "Info",
        series: SOURCE.rate("info_lines"),
        what: "Entries of level info of the source per second.",
        ..BASE
    },
    Metric {
        name: "debug_per_sec",
        label: "Debug",
        series: SOURCE.rate("debug_lines"),
        what: "Entries of level debug of the source per second.",
        ..BASE
    },
    Metric {
        name: "all_error_per_sec",
        label: "Errors, all logs",
        series: ALL.rate("error_lines"),
        key: None,
        better: Better::Lower,
        what: "Entries of level error of all sources per second.",
        ..BASE
    },
    Metric {
        name: "all_warn_per_sec",
        label: "Warnings, all logs",
        series: ALL.rate("warn_lines"),
        key: None,
        better: Better::Lower,
        what: "Entries of level warn of all sources per second.",
        ..BASE
    },
    Metric {
        name: "all_info_per_sec",
        label: "Info, all logs",
        series: ALL.rate("info_lines"),
        key: None,
        what: "Entries of level info of all sources per second.",
        ..BASE
    },
    Metric {
        name: "all_debug_per_sec",
        label: "Debug, all logs",
        series: ALL.rate("debug_lines"),
        key: None,
        what: "Entries of level debug of all sources per second.",
        ..BASE
    },
    Metric {
        name: "error_warn_pct",
        label: "Error and warning share",
        unit: Unit::Percent,
        series: ALL.percent("error_lines + warn_lines", LINES, 0.0),
        key: None,
        better: Better::Lower,
        what: "Errors and warnings as a share of the entries of all sources.",
        how: "Change in what was stored. What share is normal differs from host to host, so it has no threshold.",
        ..BASE
    },
    Metric {
        name: "bytes_per_sec",
        label: "Log bytes read",
        unit: Unit::BytesPerSec,
        series: SOURCE.rate("bytes"),
        what: "Bytes read of the source per second.",
        how: "Change in the bytes read.",
        ..BASE
    },
    Metric {
        name: "backlog_bytes",
        label: "Log backlog",
        unit: Unit::Bytes,
        series: SOURCE.level("backlog_bytes"),
        better: Better::Lower,
        levels: Some(Levels::new(67_108_864.0, 1_073_741_824.0)),
        evaluated_over_secs: 60,
        confirm_secs: 60,
        what: "Bytes of the source's files that are not stored. The journal does not report it.",
        how: "Averaged over a minute. 64 MiB are read in about ten seconds, so a backlog that lasts is growing; 1 GiB is more than rotation keeps.",
        fix: "Check whether the database is slow, or why the source writes so much.",
        ..BASE
    },
    Metric {
        name: "overflowed_per_sec",
        label: "Lines over the pattern limit",
        series: SOURCE.rate("overflowed"),
        better: Better::Lower,
        scoring: Scoring::Unscored(Scoring::EVENTS),
        what: "Entries per second that are stored under no pattern of their own.",
        how: "Change in their count: a source gets a limited number of patterns per hour.",
        ..BASE
    },
    Metric {
        name: "readable",
        label: "Log readable",
        unit: Unit::Bool,
        series: SOURCE.level("(status IN ('ok', 'blocked', 'limited'))::int::float8"),
        better: Better::Higher,
        levels: Some(Levels::warn(0.0)),
        evaluated_over_secs: 60,
        confirm_secs: 60,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether the source can be read: 1 yes, 0 no.",
        how: "Each tick; a warning when it could not be read for a minute. Sources that are not configured explicitly count once they were present.",
        fix: "Correct the path, or put the collector's user into a group that may read it, such as adm.",
        ..BASE
    },
    Metric {
        name: "files_open",
        label: "Log files within the open-file limit",
        unit: Unit::Bool,
        series: SOURCE.level("(status <> 'limited')::int::float8"),
        better: Better::Higher,
        levels: Some(Levels::warn(0.0)),
        evaluated_over_secs: 60,
        confirm_secs: 60,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether all files of the source may be open at once: 1 yes, 0 no.",
        how: "Each tick. Closed files are read as well; only lines written just before a file is removed are lost.",
        fix: "Raise the collector's limit of open files: LimitNOFILE= in its unit, ulimit -n in a shell.",
        ..BASE
    },
];
