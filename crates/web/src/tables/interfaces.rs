//! Network interfaces.

use schema::Sample;
use schema::tables::NetworkSample;
use store::series::ReadError;

use super::{Col, Lines, Reading, Source, View, keyed};
use crate::wire::Unit;

const COLUMNS: &[Col] = &[
    Col::new(
        "interface",
        "Interface",
        Unit::Text,
        "Name of the interface.",
    )
    .primary(),
    Col::new(
        "rx_bytes_per_sec",
        "Received",
        Unit::BytesPerSec,
        "Bytes received per second.",
    )
    .metric("network.rx_bytes_per_sec")
    .primary(),
    Col::new(
        "tx_bytes_per_sec",
        "Sent",
        Unit::BytesPerSec,
        "Bytes sent per second.",
    )
    .metric("network.tx_bytes_per_sec")
    .primary(),
    Col::new(
        "rx_packets_per_sec",
        "Packets in",
        Unit::PerSec,
        "Packets received per second.",
    )
    .metric("network.rx_packets_per_sec"),
    Col::new(
        "tx_packets_per_sec",
        "Packets out",
        Unit::PerSec,
        "Packets sent per second.",
    )
    .metric("network.tx_packets_per_sec"),
    Col::new(
        "errors_per_sec",
        "Errors",
        Unit::PerSec,
        "Packets with an error per second, both ways.",
    )
    .metric("network.errors_per_sec")
    .primary(),
    Col::new(
        "drops_per_sec",
        "Drops",
        Unit::PerSec,
        "Packets dropped per second, both ways.",
    )
    .metric("network.drops_per_sec"),
];

pub(super) const VIEW: View = View {
    name: "interfaces",
    title: "Network interfaces",
    columns: COLUMNS,
    filters: &[],
    default_sort: "-rx_bytes_per_sec",
    ranged: false,
    empty: "No network interfaces.",
    families: &[],
    source: Source::Sampled(|reading| Box::pin(read(reading))),
};

pub(super) async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    keyed::read(reading, NetworkSample::TABLE, COLUMNS).await
}
