//! The charts of a snapshot, as data: the page draws them, the evidence file has their values.

use crate::model::Chart;
use crate::readings::Readings;

const fn chart(id: &'static str, title: &'static str, metrics: &'static [&'static str]) -> Chart {
    Chart {
        id,
        title,
        metrics,
        stacked: false,
    }
}

const fn stacked(id: &'static str, title: &'static str, metrics: &'static [&'static str]) -> Chart {
    Chart {
        stacked: true,
        ..chart(id, title, metrics)
    }
}

/// The twelve charts of the reference's snapshot.
pub const CHARTS: [Chart; 12] = [
    stacked(
        "snapshot-cpu",
        "CPU",
        &[
            "system.cpu_user_pct",
            "system.cpu_system_pct",
            "system.cpu_iowait_pct",
        ],
    ),
    chart(
        "snapshot-memory",
        "Memory",
        &["system.mem_used_bytes", "system.mem_available_bytes"],
    ),
    chart("snapshot-load", "Load", &["system.load_1", "system.load_5"]),
    chart(
        "snapshot-network",
        "Network",
        &["system.net_rx_bytes_per_sec", "system.net_tx_bytes_per_sec"],
    ),
    chart("snapshot-rps", "API: requests", &["api.requests_per_sec"]),
    chart("snapshot-errors", "API: errors", &["api.error_pct"]),
    chart(
        "snapshot-latency",
        "API: latency",
        &["api.p50_ms", "api.p95_ms", "api.p99_ms"],
    ),
    stacked(
        "snapshot-connections",
        "PostgreSQL: connections",
        &["db.conn_active", "db.conn_idle", "db.conn_waiting"],
    ),
    chart(
        "snapshot-cache",
        "PostgreSQL: cache hits",
        &["db.cache_hit_pct"],
    ),
    stacked(
        "snapshot-waits",
        "PostgreSQL: waits",
        &[
            "db.wait_lock",
            "db.wait_io",
            "db.wait_lwlock",
            "db.wait_client",
        ],
    ),
    chart(
        "snapshot-writes",
        "PostgreSQL: rows written",
        &["db.tup_written_per_sec"],
    ),
    chart(
        "snapshot-proxy",
        "Proxy: latency",
        &["proxy.latency_p95_ms", "proxy.latency_p99_ms"],
    ),
];

/// Returns the charts that have a sample in the window or before; what a host does not have is left out.
pub(crate) fn charts(readings: &Readings) -> Vec<Chart> {
    let has_samples = |chart: &Chart| {
        chart
            .metrics
            .iter()
            .any(|id| readings.of(id).next().is_some_and(has))
    };
    CHARTS.into_iter().filter(has_samples).collect()
}

fn has(reading: &crate::readings::Reading) -> bool {
    !reading.within.is_empty() || !reading.before.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn charts_are_of_the_catalogue_and_have_names_of_their_own() {
        let ids: HashSet<&str> = CHARTS.iter().map(|chart| chart.id).collect();
        assert_eq!(ids.len(), CHARTS.len());
        for id in CHARTS.iter().flat_map(|chart| chart.metrics) {
            assert!(schema::metric(id).is_some(), "{id}");
        }
    }
}
