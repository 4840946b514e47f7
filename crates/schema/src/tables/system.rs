use crate::{Json, metric_table};

metric_table! {
    /// The host as a whole, one row per tick.
    pub struct SystemSample => "system_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Tick;
        /// Time in user mode without nice and guest, percent of all cores since the last sample.
        /// Source: /proc/stat `cpu`. NULL on the first sample and when no time has passed.
        cpu_user: Option<f64> [Gauge Percent],
        /// Time in user mode at low priority, percent; without guest_nice. /proc/stat `cpu`.
        cpu_nice: Option<f64> [Gauge Percent],
        /// Time in the kernel, percent. /proc/stat `cpu`.
        cpu_system: Option<f64> [Gauge Percent],
        /// Idle time, percent. /proc/stat `cpu`.
        cpu_idle: Option<f64> [Gauge Percent],
        /// Idle time with disk I/O outstanding, percent. /proc/stat `cpu`.
        cpu_iowait: Option<f64> [Gauge Percent],
        /// Time serving interrupts, percent. /proc/stat `cpu`.
        cpu_irq: Option<f64> [Gauge Percent],
        /// Time serving soft interrupts, percent. /proc/stat `cpu`.
        cpu_softirq: Option<f64> [Gauge Percent],
        /// Time taken by the hypervisor for other guests, percent. /proc/stat `cpu`.
        cpu_steal: Option<f64> [Gauge Percent],
        /// Time running guests (guest + guest_nice), percent. /proc/stat `cpu`.
        cpu_guest: Option<f64> [Gauge Percent],
        /// One object per core that is online: `{"core":0,"user":…,"system":…,"idle":…,"iowait":…,"other":…}`,
        /// percent of that core. `user` holds nice too, `other` irq, softirq, steal and guest.
        cpu_cores: Option<Json> [Detail Percent],
        /// Cores online. /proc/stat `cpuN` lines.
        cpu_count: Option<i32> [Gauge Count],
        /// Memory the kernel manages, bytes. /proc/meminfo `MemTotal`.
        mem_total: Option<i64> [Gauge Bytes],
        /// Memory not available to new work: total − available, bytes.
        mem_used: Option<i64> [Gauge Bytes],
        /// Memory a new program could get without swapping, bytes. `MemAvailable`; on kernels before 3.14
        /// free + buffers + cached + reclaimable slab.
        mem_available: Option<i64> [Gauge Bytes],
        /// Unused memory, bytes. `MemFree`.
        mem_free: Option<i64> [Gauge Bytes],
        /// Block device buffers, bytes. `Buffers`.
        mem_buffers: Option<i64> [Gauge Bytes],
        /// Page cache with reclaimable slab, bytes. `Cached` + `SReclaimable`.
        mem_cached: Option<i64> [Gauge Bytes],
        /// Waiting to be written to disk, bytes. `Dirty`.
        mem_dirty: Option<i64> [Gauge Bytes],
        /// Swap space, bytes; 0 where there is none. `SwapTotal`.
        swap_total: Option<i64> [Gauge Bytes],
        /// Swap in use, bytes. `SwapTotal` − `SwapFree`.
        swap_used: Option<i64> [Gauge Bytes],
        /// Load average over 1 minute. /proc/loadavg.
        load_1: Option<f64> [Gauge Ratio],
        /// Load average over 5 minutes. /proc/loadavg.
        load_5: Option<f64> [Gauge Ratio],
        /// Load average over 15 minutes. /proc/loadavg.
        load_15: Option<f64> [Gauge Ratio],
        /// Bytes received on all interfaces but loopback since boot. /proc/net/dev.
        net_rx: Option<i64> [Counter Bytes],
        /// Bytes sent on all interfaces but loopback since boot. /proc/net/dev.
        net_tx: Option<i64> [Counter Bytes],
        /// Context switches since boot. /proc/stat `ctxt`.
        ctxt_total: Option<i64> [Counter Count],
        /// Processes and threads created since boot. /proc/stat `processes`.
        forks_total: Option<i64> [Counter Count],
        /// Threads running or runnable. /proc/stat `procs_running`.
        procs_running: Option<i64> [Gauge Count],
        /// Threads blocked on I/O. /proc/stat `procs_blocked`.
        procs_blocked: Option<i64> [Gauge Count],
        /// Processes killed for lack of memory since boot. /proc/vmstat `oom_kill`.
        oom_kills_total: Option<i64> [Counter Count],
        /// Pages swapped in since boot. /proc/vmstat `pswpin`.
        swap_in_total: Option<i64> [Counter Count],
        /// Pages swapped out since boot. /proc/vmstat `pswpout`.
        swap_out_total: Option<i64> [Counter Count],
        /// Major page faults since boot. /proc/vmstat `pgmajfault`.
        major_faults_total: Option<i64> [Counter Count],
        /// Open file descriptions in the system. /proc/sys/fs/file-nr.
        open_files: Option<i64> [Gauge Count],
        /// Most open file descriptions the system allows. /proc/sys/fs/file-nr.
        open_files_max: Option<i64> [Gauge Count],
        /// TCP segments sent since boot. /proc/net/snmp `OutSegs`.
        tcp_out_segs_total: Option<i64> [Counter Count],
        /// TCP segments sent again since boot. /proc/net/snmp `RetransSegs`.
        tcp_retrans_total: Option<i64> [Counter Count],
        /// TCP connections established now. /proc/net/snmp `CurrEstab`.
        tcp_established: Option<i64> [Gauge Count],
        /// Connections dropped because a listen queue was full, since boot. /proc/net/netstat `ListenOverflows`.
        listen_overflows_total: Option<i64> [Counter Count],
        /// Connections dropped by a listener for any cause, since boot. /proc/net/netstat `ListenDrops`.
        listen_drops_total: Option<i64> [Counter Count],
        /// Connections the firewall tracks. /proc/sys/net/netfilter/nf_conntrack_count; NULL without the module.
        conntrack_used: Option<i64> [Gauge Count],
        /// Connections the firewall can track. /proc/sys/net/netfilter/nf_conntrack_max.
        conntrack_max: Option<i64> [Gauge Count],
        /// Time in which some task waited for a CPU, since boot. /proc/pressure/cpu `some total`.
        pressure_cpu_some_us_total: Option<i64> [Counter Us],
        /// Time in which some task waited for memory. /proc/pressure/memory `some total`.
        pressure_memory_some_us_total: Option<i64> [Counter Us],
        /// Time in which all tasks waited for memory. /proc/pressure/memory `full total`.
        pressure_memory_full_us_total: Option<i64> [Counter Us],
        /// Time in which some task waited for I/O. /proc/pressure/io `some total`.
        pressure_io_some_us_total: Option<i64> [Counter Us],
        /// Time in which all tasks waited for I/O. /proc/pressure/io `full total`.
        pressure_io_full_us_total: Option<i64> [Counter Us],
        /// Time since boot. /proc/uptime.
        uptime_secs: Option<f64> [Gauge Secs],
        /// Identity of this boot. /proc/sys/kernel/random/boot_id.
        boot_id: Option<String> [Detail None],
        /// Whether a time service keeps the clock synchronised; NULL when unknown. systemd-timesyncd, chronyd, ntpd.
        clock_synced: Option<bool> [Gauge Bool],
        /// Whether an installed package asks for a restart: /run/reboot-required. False where no package manager
        /// leaves that file.
        reboot_required: Option<bool> [Gauge Bool],
        /// The packages that do, at most a line; NULL where none is named. /run/reboot-required.pkgs.
        reboot_packages: Option<String> [Detail Text],
    }
}
