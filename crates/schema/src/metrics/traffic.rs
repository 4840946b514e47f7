//! Visits of web sites.

use crate::tables::TrafficSample;
use crate::{Better, Domain, Levels, Metric, Sample, Scoring, Source, Unit};

const TRAFFIC: Source = Source::new(TrafficSample::TABLE);

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(Domain::Traffic, TRAFFIC, Some("site"));

/// By site.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "views_per_min",
        label: "Page views",
        unit: Unit::Count,
        series: TRAFFIC.level("views / 5.0"),
        better: Better::Neither,
        scoring: Scoring::Scored { least: 5.0 },
        what: "Views of pages a minute, neither of health checks nor of programs.",
        how: "Counted at each slow tick over the five minutes before it.",
        ..BASE
    },
    Metric {
        name: "visitors_live",
        label: "Visitors",
        unit: Unit::Count,
        series: TRAFFIC.level("visitors_live"),
        better: Better::Neither,
        scoring: Scoring::Scored { least: 10.0 },
        what: "Visitors that viewed a page within five minutes; those without consent are not known.",
        how: "Counted at each slow tick.",
        ..BASE
    },
    Metric {
        name: "refused_per_min",
        label: "Refused events",
        unit: Unit::Count,
        series: TRAFFIC.level("refused / 5.0"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 20.0 },
        what: "Events a minute that were not counted: programs, views that came twice, messages that are not valid.",
        how: "Counted at each slow tick over the five minutes before it; GET traffic/live has the reasons.",
        ..BASE
    },
    Metric {
        name: "missed_views",
        label: "Views that usually come",
        unit: Unit::Count,
        series: TRAFFIC.level("missed_views"),
        better: Better::Lower,
        levels: Some(Levels::warn(50.0)),
        evaluated_over_secs: 600,
        scoring: Scoring::Unscored("It is a comparison with what is usual already."),
        what: "Views that came in the time since the last one, in that of the last four weeks which had the fewest.",
        // A visit has some three views, so with fifty about sixteen visits are missing: were they independent, such a silence would come once
        // in ten million.
        how: "At each slow tick; none before there are two weeks.",
        fix: "Open the site: does it answer, and is the script in its pages? A health check of kind ingest shows whether events arrive.",
        ..BASE
    },
];
