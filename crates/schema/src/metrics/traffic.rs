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
        what: "Views since the last one, as they came in the same time of the week: that of the last four weeks which had the fewest. \
               No value before there are two weeks.",
        how: "Counted at each slow tick. A visit has some three views, so with fifty about sixteen visits are missing: were they independent, \
              such a silence would come once in ten million.",
        fix: "Open the site: does it answer, is the script in its pages, and what does the browser's console say? Then ask the receiver: a \
              health check of kind ingest shows whether events arrive, and the refusals in Traffic why they are not counted.",
        ..BASE
    },
];
