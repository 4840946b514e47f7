//! One file per stored table; [`TABLES`] lists them.

mod application;
mod change;
mod collector_run;
mod data_gap;
mod db;
mod disk;
mod finding_transition;
mod health;
mod health_check;
mod heartbeat;
mod io;
mod log;
mod mount;
mod network;
mod process;
mod relation;
mod replication;
mod self_metrics;
mod slo;
mod statement;
mod system;
mod traffic;

pub use application::{
    ApiSample, EndpointSample, LatencyBucket, ProxySample, RequestFailure, TargetSample,
};
pub use change::ChangeMarker;
pub use collector_run::CollectorRun;
pub use data_gap::DataGap;
pub use db::{DatabaseSample, DbSample, SessionSample, VisibilityGap};
pub use disk::DiskSample;
pub use finding_transition::FindingTransition;
pub use health::HealthScore;
pub use health_check::HealthCheck;
pub use heartbeat::Heartbeat;
pub use io::{CheckSample, IoSample, SlruSample};
pub use log::{LogEntry, LogSource, SecurityEvent};
pub use mount::MountSample;
pub use network::NetworkSample;
pub use process::{ProcessIdentity, ProcessMeasurement, ProcessSample};
pub use relation::{IndexSample, IndexSighting, TableSample};
pub use replication::{ReplicationSample, SubscriptionSample};
pub use self_metrics::SelfSample;
pub use slo::SloTracking;
pub use statement::{StatementSample, StatementStore, StatementText};
pub use system::SystemSample;
pub use traffic::{ReceiverRefusal, ReceiverSample, TrafficSample};

use crate::{Sample, TableDef};

/// Every stored table.
pub const TABLES: &[&TableDef] = &[
    SystemSample::TABLE,
    MountSample::TABLE,
    NetworkSample::TABLE,
    DiskSample::TABLE,
    // Samples before identities: partitions of a day are dropped in this order.
    ProcessMeasurement::TABLE,
    ProcessIdentity::TABLE,
    Heartbeat::TABLE,
    SelfSample::TABLE,
    CollectorRun::TABLE,
    DataGap::TABLE,
    DbSample::TABLE,
    DatabaseSample::TABLE,
    SessionSample::TABLE,
    VisibilityGap::TABLE,
    TableSample::TABLE,
    IndexSample::TABLE,
    IndexSighting::TABLE,
    ReplicationSample::TABLE,
    SubscriptionSample::TABLE,
    StatementSample::TABLE,
    StatementText::TABLE,
    StatementStore::TABLE,
    IoSample::TABLE,
    SlruSample::TABLE,
    CheckSample::TABLE,
    TargetSample::TABLE,
    ApiSample::TABLE,
    ProxySample::TABLE,
    EndpointSample::TABLE,
    RequestFailure::TABLE,
    LatencyBucket::TABLE,
    HealthCheck::TABLE,
    TrafficSample::TABLE,
    ReceiverSample::TABLE,
    ReceiverRefusal::TABLE,
    LogEntry::TABLE,
    LogSource::TABLE,
    SecurityEvent::TABLE,
    ChangeMarker::TABLE,
    FindingTransition::TABLE,
    SloTracking::TABLE,
    HealthScore::TABLE,
];

/// Views over two stored tables each; rows are collected, queued and read under their names.
pub const VIEWS: &[&TableDef] = &[ProcessSample::TABLE];

/// Columns (table, column) of tables of every tick that are filled only at slow ticks and NULL
/// between them.
pub const SLOW_COLUMNS: &[(&str, &str)] = &[
    ("database_metrics_raw", "size_bytes"),
    ("database_metrics_raw", "xid_age"),
    ("database_metrics_raw", "mxid_age"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_plain() {
        let mut tables = HashSet::new();
        for table in TABLES.iter().chain(VIEWS) {
            assert!(
                tables.insert(table.name),
                "{} is declared twice",
                table.name
            );
            let mut columns = HashSet::from(["ts", "host_id"]);
            for column in table.columns {
                assert!(
                    columns.insert(column.name),
                    "{}.{} twice",
                    table.name,
                    column.name
                );
                assert!(
                    column
                        .name
                        .bytes()
                        .all(|b| b == b'_' || b.is_ascii_lowercase() || b.is_ascii_digit()),
                    "{}.{} needs quoting",
                    table.name,
                    column.name
                );
            }
        }
    }

    #[test]
    fn slow_columns_may_be_null_in_tables_of_every_tick() {
        for (table, column) in SLOW_COLUMNS {
            let table = crate::table(table).unwrap();
            assert_eq!(table.every, crate::Every::Tick, "{}", table.name);
            assert!(table.column(column).unwrap().nullable, "{column}");
        }
    }

    #[test]
    fn views_name_a_stored_table() {
        for view in VIEWS {
            let samples = crate::table(view.instants()).unwrap();
            assert!(samples.samples.is_none(), "{}", view.name);
            assert_eq!((samples.keep, samples.class), (view.keep, view.class));
        }
    }

    #[test]
    fn amounts_have_the_time_they_cover() {
        for table in TABLES.iter().filter(|table| table.has_amounts()) {
            assert!(table.column("interval_secs").is_some(), "{}", table.name);
            let counts = table
                .columns
                .iter()
                .any(|column| column.role == Role::Counter);
            assert!(!counts, "{} mixes counters and amounts", table.name);
        }
    }

    #[test]
    fn everything_is_documented() {
        for table in TABLES.iter().chain(VIEWS) {
            assert!(!table.doc.is_empty(), "{}", table.name);
            for column in table.columns {
                assert!(!column.doc.is_empty(), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn keys_are_never_null() {
        for table in TABLES.iter().chain(VIEWS) {
            for column in table
                .columns
                .iter()
                .filter(|column| column.role == Role::Key)
            {
                assert!(!column.nullable, "{}.{}", table.name, column.name);
            }
        }
    }
}
