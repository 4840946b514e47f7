use crate::{Timestamp, metric_table};

metric_table! {
    /// One row per process with resident memory, or zombie, and tick. A process is `pid` + `start_ticks`. Stored as
    /// [`ProcessMeasurement`] and [`ProcessIdentity`].
    /// Source: /proc/PID/stat, fd, limits, io, cgroup.
    pub struct ProcessSample => "process_metrics_raw" { class: Bulk, rollup: true, keep: Raw, every: Tick, view of: "process_samples";
        /// The kernel's name (`comm`, at most 15 bytes), or the longer name from the command line when
        /// `comm` was cut short. Never arguments.
        process_name: String [Key None],
        /// Process id.
        pid: i32 [Key None],
        /// Start time in clock ticks since boot; distinguishes processes with one pid.
        start_ticks: i64 [Key None],
        /// CPU time since the previous sample, percent of one core; of a process that is not older, since its start. NULL in
        /// the first sample of an older one.
        cpu_pct: Option<f64> [Gauge Percent],
        /// Resident memory, bytes.
        rss_bytes: i64 [Gauge Bytes],
        /// Virtual memory, bytes.
        vsz_bytes: i64 [Gauge Bytes],
        /// Open file descriptors; NULL when the directory is not readable.
        fd_count: Option<i64> [Gauge Count],
        /// Soft limit of open file descriptors; NULL when unlimited or not readable.
        fd_limit: Option<i64> [Detail Count],
        /// Threads.
        thread_count: i32 [Gauge Count],
        /// One letter as in proc(5): R, S, D, Z, T, t, I, X.
        state: String [Detail None],
        /// Time since the process started.
        uptime_secs: f64 [Gauge Secs],
        /// Bytes fetched from storage since the start; NULL when not readable. For a process that used no
        /// CPU it is read at most once a minute.
        read_bytes_total: Option<i64> [Counter Bytes],
        /// Bytes sent to storage since the start; as `read_bytes_total`.
        write_bytes_total: Option<i64> [Counter Bytes],
        /// Parent process id.
        parent_pid: i32 [Detail None],
        /// The systemd unit, else the control group's path; NULL in the root group.
        unit: Option<String> [Detail None],
        /// User id of the owner; NULL when it cannot be read.
        uid: Option<i64> [Detail None],
        /// Whether its name is one of the watched names of the configuration.
        watched: bool [Detail Bool],
        /// Processes that the row sums: the small ones of one name where `collector.process_floor_mb` is set,
        /// with pid 0 and a `start_ticks` derived from the name; else 1.
        process_count: i32 [Detail Count],
    }
}

metric_table! {
    /// The changing figures of a process; `process_metrics_raw` joins it with what identifies the
    /// process. The columns are ordered and typed so that a row has no padding.
    pub struct ProcessMeasurement => "process_samples" { class: Bulk, rollup: false, keep: Raw, every: Tick, sealed: true;
        /// Threads.
        thread_count: i32 [Gauge Count],
        /// Which identity of that day: the process id shifted left by 41 bits, and a hash of the identity.
        process: i64 [Key None],
        /// Resident memory, bytes.
        rss_bytes: i64 [Gauge Bytes],
        /// Virtual memory, bytes.
        vsz_bytes: i64 [Gauge Bytes],
        /// CPU time since the previous sample, percent of one core; of a process that is not older, since its start. NULL in
        /// the first sample of an older one.
        cpu_pct: Option<f64> [Gauge Percent],
        /// Bytes fetched from storage since the start; NULL when not readable.
        read_bytes_total: Option<i64> [Counter Bytes],
        /// Bytes sent to storage since the start; NULL when not readable.
        write_bytes_total: Option<i64> [Counter Bytes],
        /// Open file descriptors; NULL when the directory is not readable.
        fd_count: Option<i32> [Gauge Count],
        /// The letter of the state in the low 8 bits, the number of processes that the row sums above them.
        state_count: i32 [Detail None],
    }
}

metric_table! {
    /// The identity of a process, which rarely changes: one row per process and day (UTC), whose start is `ts`. A
    /// process whose unit, limit or parent changes has several.
    pub struct ProcessIdentity => "process_identities" { class: Bulk, rollup: false, keep: Raw, every: Tick;
        /// The key of `process_samples`.
        process: i64 [Key None],
        /// Start time in clock ticks since boot.
        start_ticks: i64 [Detail None],
        /// When it started; NULL where the start times of /proc are not those of its uptime (LXCFS).
        started_at: Option<Timestamp> [Detail Time],
        /// Soft limit of open file descriptors; NULL when unlimited or not readable.
        fd_limit: Option<i64> [Detail Count],
        /// User id of the owner; NULL when it cannot be read.
        uid: Option<i64> [Detail None],
        /// Parent process id.
        parent_pid: i32 [Detail None],
        /// Whether its name is one of the watched names of the configuration.
        watched: bool [Detail Bool],
        /// Name of the program.
        process_name: String [Detail None],
        /// The systemd unit, else the control group's path; NULL in the root group.
        unit: Option<String> [Detail None],
    }
}
