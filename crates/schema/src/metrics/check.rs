//! Health checks: whether a service answers those who use it.

use crate::tables::HealthCheck;
use crate::{Better, Domain, Levels, Metric, Sample, Scoring, Source, Unit};

const CHECK: Source = Source::new(HealthCheck::TABLE);

/// The common fields of the metrics here, unless overridden. A check is made twice before it is down, so its result
/// needs no further confirmation.
const BASE: Metric = Metric {
    confirm_secs: 0,
    ..Metric::base(Domain::Check, CHECK, Some("check_name"))
};

/// By check.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "up",
        label: "Health check passed",
        unit: Unit::Bool,
        series: CHECK
            .level("CASE WHEN state = 'down' THEN 0.0 WHEN state IN ('up', 'slow') THEN 1.0 END"),
        better: Better::Higher,
        levels: Some(Levels::critical(0.0)),
        evaluated_over_secs: 600,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether the service answered as it should: 1 yes, 0 no. No value where the check learnt nothing, as when the resolver is silent.",
        how: "Every slow tick; critical when the second attempt, 2 s after the first, failed as well.",
        fix: "Its error states what failed. Does the same request work from this host by hand?",
        ..BASE
    },
    Metric {
        name: "slow",
        label: "Health check slow",
        unit: Unit::Bool,
        series: CHECK.level("CASE WHEN state = 'slow' THEN 1.0 WHEN state = 'up' THEN 0.0 END"),
        better: Better::Lower,
        levels: Some(Levels::warn(1.0)),
        evaluated_over_secs: 600,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether the answer took longer than the check's warn_ms: 1 yes, 0 no.",
        how: "Every slow tick, from the attempt that counts. The bound is the check's own, 2 s unless configured.",
        fix: "Compare its response time with the load of the service, or raise warn_ms if this is usual.",
        ..BASE
    },
    Metric {
        name: "answer_ms",
        label: "Health check response time",
        unit: Unit::Ms,
        series: CHECK.level("CASE WHEN state IN ('up', 'slow') THEN answer_ms END"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 50.0 },
        what: "Time from the first packet to the whole answer, of checks that passed.",
        how: "Monotonic clock around the attempt that counts; resolving the name is included.",
        ..BASE
    },
    Metric {
        name: "cert_days",
        label: "Certificate valid for",
        unit: Unit::Count,
        series: CHECK.level("expires_days"),
        better: Better::Higher,
        levels: Some(Levels::new(21.0, 7.0)),
        evaluated_over_secs: 600,
        what: "Days until the first certificate of the verified chain expires.",
        how: "From the chain between the server's certificate and a trusted one. Renewal is due 30 days before, so at 21 it has failed several times.",
        fix: "See why the renewal fails: certbot renew --dry-run, or the log of the proxy that renews by itself.",
        ..BASE
    },
];
