//! Whatever is scraped: whether it answers.

use crate::tables::{LatencyBucket, TargetSample};
use crate::{Better, Domain, Levels, Metric, Sample, Scoring, Source, Unit};

const TARGET: Source = Source::new(TargetSample::TABLE);
const LATENCY: Source = Source::new(LatencyBucket::TABLE);

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(Domain::Target, TARGET, Some("target"));

/// By target.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "up",
        label: "Target reachable",
        unit: Unit::Bool,
        series: TARGET.level("up::int::float8"),
        better: Better::Higher,
        levels: Some(Levels::critical(0.0)),
        confirm_secs: 10,
        evaluated_over_secs: 60,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether the target returned metrics that could be parsed: 1 yes, 0 no.",
        how: "Each tick; critical when it did not answer at two ticks in a row, so that a quick restart raises nothing.",
        fix: "Is it running, are its address and token right?",
        ..BASE
    },
    Metric {
        name: "answer_ms",
        label: "Response time",
        unit: Unit::Ms,
        series: TARGET.level("duration_ms"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 50.0 },
        what: "Time the target took to answer.",
        how: "Monotonic clock around the request.",
        ..BASE
    },
    Metric {
        name: "bad_values",
        label: "Invalid values",
        unit: Unit::Count,
        series: TARGET.level("bad_values"),
        better: Better::Lower,
        levels: Some(Levels::warn(1.0)),
        evaluated_over_secs: 300,
        confirm_secs: 60,
        scoring: Scoring::Unscored(Scoring::EVENTS),
        what: "Values of a response that were negative or not finite numbers.",
        how: "Counted while parsing, over five minutes. None is normal.",
        fix: "It is a fault of the target or of its mapping.",
        ..BASE
    },
    Metric {
        name: "unfilled_pct",
        label: "Mapped columns without data",
        unit: Unit::Percent,
        series: TARGET.level("100.0 * unfilled / nullif(mapped, 0)"),
        better: Better::Lower,
        levels: Some(Levels::warn(51.0)),
        evaluated_over_secs: 300,
        confirm_secs: 300,
        what: "Columns of a target's mapping whose series were never present, as a share of all.",
        how: "Since it is monitored. Disabled features have no series; a warning when most columns have none.",
        fix: "Has it served a request yet? If so, check that mapping and URL match and that its metrics are enabled.",
        ..BASE
    },
    Metric {
        name: "within_pct",
        label: "Responses within a bound",
        unit: Unit::Percent,
        series: LATENCY.percent("responses", "all_responses", 0.0),
        key: Some("target || '.' || le_ms"),
        better: Better::Higher,
        what: "Responses that took at most the bound, in milliseconds, as a share of all.",
        how: "Change in the target's histogram. At its own bounds a share is exact, where a quantile lies between two of them.",
        ..BASE
    },
];
