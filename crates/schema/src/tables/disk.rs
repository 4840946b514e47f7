use crate::metric_table;

metric_table! {
    /// One row per whole block device and tick. Source: /proc/diskstats; counters since boot.
    pub struct DiskSample => "disk_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Tick;
        /// Name of the device, as `sda` or `nvme0n1`; no partitions, loops or RAM disks.
        device: String [Key None],
        /// Reads completed.
        reads_total: i64 [Counter Count],
        /// Bytes read; sectors of 512 bytes.
        read_bytes_total: i64 [Counter Bytes],
        /// Time spent on reads, summed over requests.
        read_ms_total: i64 [Counter Ms],
        /// Writes completed.
        writes_total: i64 [Counter Count],
        /// Bytes written; sectors of 512 bytes.
        write_bytes_total: i64 [Counter Bytes],
        /// Time spent on writes, summed over requests.
        write_ms_total: i64 [Counter Ms],
        /// Requests in flight at the instant.
        in_flight: i64 [Gauge Count],
        /// Time with at least one request in flight.
        busy_ms_total: i64 [Counter Ms],
        /// Time × requests in flight; its rate is the mean queue.
        queue_ms_total: i64 [Counter Ms],
    }
}
