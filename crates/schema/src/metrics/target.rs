//! Whatever is scraped: whether it answers.

use crate::tables::{LatencyBucket, TargetSample};
use crate::{Better, Domain, Levels, Metric, Sample, Source, Unit};

const TARGET: Source = Source::new(TargetSample::TABLE);
const LATENCY: Source = Source::new(LatencyBucket::TABLE);

/// What the metrics here have in common unless they say otherwise.
const BASE: Metric = Metric::base(Domain::Target, TARGET, Some("target"));

/// By target.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "up",
        label: "Target answers",
        unit: Unit::Bool,
        series: TARGET.level("up::int::float8"),
        better: Better::Higher,
        levels: Some(Levels::critical(0.0)),
        judged_over_secs: 60,
        what: "Whether the target answered with something that could be read: 1 yes, 0 no.",
        how: "Each tick; critical when it answered at none of a minute.",
        fix: "Is it running, are its address and token right?",
        ..BASE
    },
    Metric {
        name: "answer_ms",
        label: "Time of the answer",
        unit: Unit::Ms,
        series: TARGET.level("duration_ms"),
        better: Better::Lower,
        what: "Time the target took to answer.",
        how: "Monotonic clock around the request.",
        ..BASE
    },
    Metric {
        name: "bad_values",
        label: "Unreadable values",
        unit: Unit::Count,
        series: TARGET.level("bad_values"),
        better: Better::Lower,
        levels: Some(Levels::warn(1.0)),
        judged_over_secs: 300,
        what: "Values of an answer that were no finite numbers, or negative.",
        how: "Counted while reading, over five minutes. None is normal.",
        fix: "It is a fault of the target or of its mapping.",
        ..BASE
    },
    Metric {
        name: "unfilled_pct",
        label: "Columns never there",
        unit: Unit::Percent,
        series: TARGET.level("100.0 * unfilled / nullif(mapped, 0)"),
        better: Better::Lower,
        levels: Some(Levels::warn(51.0)),
        judged_over_secs: 300,
        what: "Columns of a target's mapping whose series were never there, as a share of all.",
        how: "Since it is watched. Features that are off have no series; a warning when it is most of them.",
        fix: "Had it a request yet? Then see that mapping and url fit, and that its metrics are on.",
        ..BASE
    },
    Metric {
        name: "within_pct",
        label: "Answers within a bound",
        unit: Unit::Percent,
        series: LATENCY.percent("responses", "all_responses", 0.0),
        key: Some("target || '.' || le_ms"),
        better: Better::Higher,
        what: "Answers that took at most the bound, in milliseconds, as a share of all.",
        how: "Steps of the target's histogram. At its own bounds a share is exact, where a quantile lies between two of them.",
        ..BASE
    },
];
