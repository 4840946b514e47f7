use crate::metric_table;

metric_table! {
    /// One row per mounted file system that holds data and tick. Source: /proc/self/mountinfo, statvfs(3).
    pub struct MountSample => "mount_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Tick;
        /// Where it is mounted, octal escapes decoded.
        mount: String [Key None],
        /// What is mounted: device or export.
        device: String [Detail None],
        /// Type of the file system.
        fs_type: String [Detail None],
        /// Size, bytes; `f_blocks` × `f_frsize`. NULL when it gave no answer within its deadline.
        total_bytes: Option<i64> [Gauge Bytes],
        /// Free for an unprivileged user, bytes; `f_bavail` × `f_frsize`.
        available_bytes: Option<i64> [Gauge Bytes],
        /// Used share of what an unprivileged user can have, as df(1) counts:
        /// used ÷ (used + available). NULL where the size is 0.
        usage_pct: Option<f64> [Gauge Percent],
        /// Inodes in all; NULL where the file system has no fixed number.
        inodes_total: Option<i64> [Gauge Count],
        /// Inodes free for an unprivileged user.
        inodes_free: Option<i64> [Gauge Count],
        /// Whether it is mounted read-only.
        read_only: bool [Detail Bool],
        /// Whether it is to be writable, by /etc/fstab, else by the options of its mount; NULL where neither tells.
        is_to_be_writable: Option<bool> [Detail Bool],
    }
}
