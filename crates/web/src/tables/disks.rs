//! Block devices.

use schema::Sample;
use schema::tables::DiskSample;
use store::series::ReadError;

use super::{Col, Lines, Reading, Source, View, keyed};
use crate::wire::Unit;

const COLUMNS: &[Col] = &[
    Col::new("device", "Device", Unit::Text, "Name of the device.").primary(),
    Col::new(
        "busy_pct",
        "Busy",
        Unit::Percent,
        "Share of time with a request in flight.",
    )
    .metric("disk.busy_pct")
    .primary(),
    Col::new(
        "read_bytes_per_sec",
        "Read",
        Unit::BytesPerSec,
        "Bytes read per second.",
    )
    .metric("disk.read_bytes_per_sec")
    .primary(),
    Col::new(
        "write_bytes_per_sec",
        "Written",
        Unit::BytesPerSec,
        "Bytes written per second.",
    )
    .metric("disk.write_bytes_per_sec")
    .primary(),
    Col::new(
        "reads_per_sec",
        "Read operations",
        Unit::PerSec,
        "Reads completed per second.",
    )
    .metric("disk.reads_per_sec"),
    Col::new(
        "writes_per_sec",
        "Write operations",
        Unit::PerSec,
        "Writes completed per second.",
    )
    .metric("disk.writes_per_sec"),
    Col::new(
        "queue_depth",
        "Queue",
        Unit::Ratio,
        "Mean number of requests in flight.",
    )
    .metric("disk.queue_depth"),
    Col::new(
        "in_flight",
        "In flight",
        Unit::Count,
        "Requests in flight at the instant.",
    ),
];

pub(super) const VIEW: View = View {
    name: "disks",
    title: "Disks",
    columns: COLUMNS,
    filters: &[],
    default_sort: "-busy_pct",
    ranged: false,
    empty: "No block devices.",
    families: &[],
    source: Source::Sampled(|reading| Box::pin(read(reading))),
};

pub(super) async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    keyed::read(reading, DiskSample::TABLE, COLUMNS).await
}
