use crate::metric_table;

metric_table! {
    /// One row per network interface and tick. Source: /proc/net/dev; counters since the interface came up.
    pub struct NetworkSample => "network_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Tick;
        /// Name of the interface.
        interface: String [Key None],
        /// Bytes received.
        rx_bytes_total: i64 [Counter Bytes],
        /// Bytes sent.
        tx_bytes_total: i64 [Counter Bytes],
        /// Packets received.
        rx_packets_total: i64 [Counter Count],
        /// Packets sent.
        tx_packets_total: i64 [Counter Count],
        /// Packets received with an error.
        rx_errors_total: i64 [Counter Count],
        /// Packets that could not be sent.
        tx_errors_total: i64 [Counter Count],
        /// Packets received and dropped.
        rx_drops_total: i64 [Counter Count],
        /// Packets dropped before they were sent.
        tx_drops_total: i64 [Counter Count],
    }
}
