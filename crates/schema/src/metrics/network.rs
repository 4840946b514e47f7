//! Network interfaces.

use crate::tables::NetworkSample;
use crate::{Better, Domain, Levels, Metric, Sample, Scoring, Source, Unit};

const NETWORK: Source = Source::new(NetworkSample::TABLE);

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(Domain::Network, NETWORK, Some("interface"));

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "rx_bytes_per_sec",
        label: "Received",
        unit: Unit::BytesPerSec,
        series: NETWORK.rate("rx_bytes_total"),
        what: "Bytes received per interface, per second.",
        how: "Change in /proc/net/dev counters.",
        ..BASE
    },
    Metric {
        name: "tx_bytes_per_sec",
        label: "Sent",
        unit: Unit::BytesPerSec,
        series: NETWORK.rate("tx_bytes_total"),
        what: "Bytes sent per interface, per second.",
        how: "Change in /proc/net/dev counters.",
        ..BASE
    },
    Metric {
        name: "rx_packets_per_sec",
        label: "Packets received",
        unit: Unit::PerSec,
        series: NETWORK.rate("rx_packets_total"),
        what: "Packets received per interface, per second.",
        how: "Change in /proc/net/dev counters.",
        ..BASE
    },
    Metric {
        name: "tx_packets_per_sec",
        label: "Packets sent",
        unit: Unit::PerSec,
        series: NETWORK.rate("tx_packets_total"),
        what: "Packets sent per interface, per second.",
        how: "Change in /proc/net/dev counters.",
        ..BASE
    },
    Metric {
        name: "errors_per_sec",
        label: "Interface errors",
        unit: Unit::PerSec,
        series: NETWORK.rate("rx_errors_total + tx_errors_total"),
        better: Better::Lower,
        levels: Some(Levels::warn(0.1)),
        evaluated_over_secs: 300,
        confirm_secs: 0,
        counts_events: true,
        scoring: Scoring::Unscored(Scoring::EVENTS),
        what: "Packets with errors per interface, per second.",
        how: "Change in the counters of both directions of /proc/net/dev, evaluated over five minutes. Healthy links show none.",
        fix: "Check cable, duplex and driver: ethtool -S names the kind.",
        ..BASE
    },
    Metric {
        name: "drops_per_sec",
        label: "Interface drops",
        unit: Unit::PerSec,
        series: NETWORK.rate("rx_drops_total + tx_drops_total"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 5.0 },
        what: "Packets dropped per interface, per second.",
        how: "Change in the counters of both directions of /proc/net/dev. Some drivers count unknown protocols here.",
        ..BASE
    },
];
