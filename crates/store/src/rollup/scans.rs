//! What is read of each host: the scans of all metrics that are rolled up, and the intervals at which they are sampled.

use std::sync::LazyLock;

use schema::METRICS;
use schema::micros::SECOND;
use tokio_postgres::Client;

use super::RollupError;
use crate::series::scan::{Scan, group};

/// The sampling interval of a host that states none, microseconds.
const INTERVAL: i64 = 10 * SECOND;

/// A host as it is sampled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Host {
    pub(super) id: i32,
    /// The sampling interval, microseconds.
    pub(super) interval: i64,
    /// The sampling interval of services, microseconds.
    pub(super) app_interval: i64,
}

impl Host {
    /// Returns the sampling interval of the metrics of a scan.
    pub(super) fn interval_of(&self, scan: &RolledScan) -> i64 {
        if scan.is_of_service {
            self.app_interval
        } else {
            self.interval
        }
    }

    /// Returns the longer interval.
    pub(super) fn longest(&self) -> i64 {
        self.interval.max(self.app_interval)
    }
}

/// A scan that is rolled up.
#[derive(Debug)]
pub(super) struct RolledScan {
    pub(super) scan: Scan,
    pub(super) is_of_service: bool,
    /// The identifiers of its metrics: the layout of its rows.
    pub(super) metrics: Vec<String>,
}

/// Returns every scan that is rolled up.
pub(super) fn scans() -> &'static [RolledScan] {
    static SCANS: LazyLock<Vec<RolledScan>> = LazyLock::new(|| {
        let rolled_up = METRICS.iter().filter(|metric| metric.is_rolled_up());
        let (scans, _) = group(rolled_up.map(|metric| (metric, metric.domain.is_of_service())));
        let scans = scans.into_iter().map(|(scan, is_of_service)| RolledScan {
            metrics: scan.metrics.iter().map(|metric| metric.id()).collect(),
            scan,
            is_of_service,
        });
        scans.collect()
    });
    &SCANS
}

/// Reads every host with its intervals, which are those of the newest run of its collector.
pub(super) async fn hosts(client: &Client) -> Result<Vec<Host>, RollupError> {
    let rows = client
        .query(include_str!("hosts.sql"), &[])
        .await
        .map_err(|source| RollupError::new("reading the hosts", source))?;
    let micros = |secs: Option<i32>| secs.map_or(INTERVAL, |secs| i64::from(secs.max(1)) * SECOND);
    let host = |row: &tokio_postgres::Row| Host {
        id: row.get(0),
        interval: micros(row.get(1)),
        app_interval: micros(row.get(2)),
    };
    Ok(rows.iter().map(host).collect())
}

/// Returns a host by its number; one that is not known is sampled as by default.
pub(super) fn find(hosts: &[Host], id: i32) -> Host {
    let found = hosts.iter().find(|host| host.id == id);
    found.copied().unwrap_or(Host {
        id,
        interval: INTERVAL,
        app_interval: INTERVAL,
    })
}
