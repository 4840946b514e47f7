//! Mounted file systems.

use schema::Sample;
use schema::tables::MountSample;
use store::series::ReadError;

use super::{Col, Lines, Reading, Source, View, keyed};
use crate::wire::Unit;

const COLUMNS: &[Col] = &[
    Col::new("mount", "Mount", Unit::Text, "Where it is mounted.").primary(),
    Col::new(
        "used_pct",
        "Used",
        Unit::Percent,
        "Used share of what an unprivileged user can have.",
    )
    .metric("mount.used_pct")
    .primary(),
    Col::new(
        "available_bytes",
        "Free",
        Unit::Bytes,
        "Free for an unprivileged user.",
    )
    .metric("mount.available_bytes")
    .primary(),
    Col::new(
        "total_bytes",
        "Size",
        Unit::Bytes,
        "Size of the file system.",
    ),
    Col::new(
        "inodes_used_pct",
        "Inodes",
        Unit::Percent,
        "Used share of the inodes.",
    )
    .metric("mount.inodes_used_pct"),
    Col::new("fs_type", "Type", Unit::Text, "Type of the file system."),
    Col::new("device", "Device", Unit::Text, "What is mounted."),
    Col::new(
        "read_only",
        "Read-only",
        Unit::Bool,
        "Whether it is mounted read-only.",
    ),
];

pub(super) const VIEW: View = View {
    name: "mounts",
    title: "File systems",
    columns: COLUMNS,
    filters: &[],
    default_sort: "-used_pct",
    ranged: false,
    empty: "No file systems with data are mounted.",
    families: &[],
    source: Source::Sampled(|reading| Box::pin(read(reading))),
};

pub(super) async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    keyed::read(reading, MountSample::TABLE, COLUMNS).await
}
