//! Web sites, and the receiver of their visits.

use crate::tables::{ReceiverRefusal, ReceiverSample, TrafficSample};
use crate::{Better, Domain, Levels, Metric, Sample, Scoring, Source, Unit};

const TRAFFIC: Source = Source::new(TrafficSample::TABLE);
const RECEIVER: Source = Source::new(ReceiverSample::TABLE);
const REFUSALS: Source = Source::new(ReceiverRefusal::TABLE);

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(Domain::Traffic, TRAFFIC, Some("site"));

/// The same of the receiver, which counts all sites of a host.
const OF_RECEIVER: Metric = Metric::base(Domain::Traffic, RECEIVER, None);

/// By site; then of the receiver.
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
    Metric {
        name: "accepted_per_sec",
        label: "Events accepted",
        unit: Unit::PerSec,
        series: RECEIVER.rate("accepted_total"),
        better: Better::Neither,
        scoring: Scoring::Scored { least: 1.0 },
        what: "Events of pages that are on disk, per second, of all sites.",
        how: "Change of the receiver's counter between two slow ticks.",
        ..OF_RECEIVER
    },
    Metric {
        name: "refused_per_sec",
        label: "Refused, by reason",
        unit: Unit::PerSec,
        series: REFUSALS.rate("refused_total"),
        better: Better::Lower,
        what: "Reports and events that do not count, per second and reason, of all sites.",
        how: "Change of the receiver's counters between two slow ticks; Not counted says what each reason asks for.",
        ..Metric::base(Domain::Traffic, REFUSALS, Some("reason"))
    },
    Metric {
        name: "ingest_p99_ms",
        label: "Acknowledged within",
        unit: Unit::Ms,
        series: RECEIVER.level("ack_p99_ms"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 50.0 },
        what: "Within this time 99 of 100 reports are on disk.",
        how: "From the whole report to the sync of the queue, from a histogram between two slow ticks. The aim is 50 ms at 5,000 a second.",
        ..OF_RECEIVER
    },
    Metric {
        name: "queue_pct",
        label: "Queue used",
        unit: Unit::Percent,
        series: RECEIVER.level("100.0 * queue_bytes / nullif(queue_limit_bytes, 0)"),
        better: Better::Lower,
        // A full queue refuses; at half there is as much time left as it took so far.
        levels: Some(Levels::new(50.0, 90.0)),
        evaluated_over_secs: 600,
        scoring: Scoring::Unscored(Scoring::DESIGNED),
        what: "Disk space of the receiver's queue, of analytics.queue_max_mb. A full queue refuses reports with 503.",
        how: "Its files at each slow tick.",
        fix: "See why reports are not stored: GET readyz of the receiver has the database's words. Raise analytics.queue_max_mb for the time until then.",
        ..OF_RECEIVER
    },
    Metric {
        name: "queue_oldest_secs",
        label: "Oldest report waiting",
        unit: Unit::Secs,
        series: RECEIVER.level("queue_oldest_secs"),
        better: Better::Lower,
        // Delivery is every second; the reconnection takes half a minute at most.
        levels: Some(Levels::warn(300.0)),
        evaluated_over_secs: 600,
        scoring: Scoring::Unscored(Scoring::DESIGNED),
        what: "For how long the oldest report waits that the database has not.",
        how: "The receiver's queue at each slow tick; reports are stored every second.",
        fix: "See why reports are not stored: GET readyz of the receiver has the database's words. None that was acknowledged is lost.",
        ..OF_RECEIVER
    },
    Metric {
        name: "unreadable_files",
        label: "Files that cannot be read",
        unit: Unit::Count,
        series: RECEIVER.level("unreadable_files"),
        better: Better::Lower,
        levels: Some(Levels::warn(1.0)),
        evaluated_over_secs: 600,
        scoring: Scoring::Unscored(Scoring::EVENTS),
        what: "Files of countries, networks and spam (analytics.country_db, asn_db, spam_referrers) that the receiver cannot read. What it read before stays in use.",
        how: "The receiver tries a file that has changed once a minute; read at each slow tick.",
        fix: "Fetch the file anew, whole (countries and networks in the format MMDB), and let pqcrypta-analytics read it; its log names file and fault.",
        ..OF_RECEIVER
    },
];
