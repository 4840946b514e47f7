//! The host as a whole.

use crate::tables::SystemSample;
use crate::{Better, Domain, Levels, Metric, Sample, Series, Source, Unit};

const HOST: Source = Source::new(SystemSample::TABLE);

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(Domain::System, HOST, None);

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "cpu_busy_pct",
        label: "CPU busy",
        unit: Unit::Percent,
        series: HOST.level("100.0 - cpu_idle - cpu_iowait"),
        better: Better::Lower,
        levels: Some(Levels::new(70.0, 80.0)),
        evaluated_over_secs: 60,
        confirm_secs: 60,
        what: "Share of all cores that did work, percent.",
        how: "Everything but idle and I/O wait between two samples of /proc/stat, evaluated over one minute. Thresholds: the usual 70 and 80 percent.",
        fix: "See which process leads in Processes; nice or move what can wait.",
        ..BASE
    },
    Metric {
        name: "cpu_user_pct",
        label: "User",
        unit: Unit::Percent,
        series: HOST.level("cpu_user"),
        better: Better::Lower,
        what: "CPU time of programs, percent of all cores.",
        how: "Difference of two samples of /proc/stat.",
        ..BASE
    },
    Metric {
        name: "cpu_nice_pct",
        label: "Nice",
        unit: Unit::Percent,
        series: HOST.level("cpu_nice"),
        better: Better::Lower,
        what: "CPU time of programs of low priority, percent of all cores.",
        how: "Difference of two samples of /proc/stat.",
        ..BASE
    },
    Metric {
        name: "cpu_system_pct",
        label: "System",
        unit: Unit::Percent,
        series: HOST.level("cpu_system"),
        better: Better::Lower,
        what: "CPU time of the kernel, percent of all cores.",
        how: "Difference of two samples of /proc/stat.",
        ..BASE
    },
    Metric {
        name: "cpu_steal_pct",
        label: "Steal",
        unit: Unit::Percent,
        series: HOST.level("cpu_steal"),
        better: Better::Lower,
        what: "CPU time taken by other guests of the hypervisor, percent of all cores.",
        how: "Difference of two samples of /proc/stat.",
        ..BASE
    },
    Metric {
        name: "cpu_irq_pct",
        label: "Interrupts",
        unit: Unit::Percent,
        series: HOST.level("cpu_irq + cpu_softirq"),
        better: Better::Lower,
        what: "CPU time serving interrupts, percent of all cores.",
        how: "irq and softirq between two samples of /proc/stat.",
        ..BASE
    },
    Metric {
        name: "cpu_iowait_pct",
        label: "I/O wait",
        unit: Unit::Percent,
        series: HOST.level("cpu_iowait"),
        better: Better::Lower,
        levels: Some(Levels::new(20.0, 40.0)),
        evaluated_over_secs: 120,
        confirm_secs: 60,
        what: "Idle time while disk requests were outstanding, percent of all cores.",
        how: "Difference of two samples of /proc/stat, evaluated over two minutes. Above 20 percent a fifth of the machine waits for disks.",
        fix: "Look at Disk busy and queue, then at the processes that read and write most.",
        ..BASE
    },
    Metric {
        name: "core_busy_pct",
        label: "Core busy",
        unit: Unit::Percent,
        series: Series::Elements {
            table: SystemSample::TABLE,
            column: "cpu_cores",
            shape: "core int, idle float8, iowait float8",
            expr: "100.0 - idle - coalesce(iowait, 0)",
        },
        key: Some("core"),
        better: Better::Lower,
        what: "Share of one core that did work, percent.",
        how: "As CPU busy, for each core that is online.",
        ..BASE
    },
    Metric {
        name: "load_1",
        label: "Load 1 min",
        unit: Unit::Ratio,
        series: HOST.level("load_1"),
        better: Better::Lower,
        what: "Mean number of threads running, runnable or blocked on I/O over 1 minute.",
        how: "/proc/loadavg. Compare it with the number of cores.",
        ..BASE
    },
    Metric {
        name: "load_5",
        label: "Load 5 min",
        unit: Unit::Ratio,
        series: HOST.level("load_5"),
        better: Better::Lower,
        what: "Mean number of threads running, runnable or blocked on I/O over 5 minutes.",
        how: "/proc/loadavg. Compare it with the number of cores.",
        ..BASE
    },
    Metric {
        name: "load_15",
        label: "Load 15 min",
        unit: Unit::Ratio,
        series: HOST.level("load_15"),
        better: Better::Lower,
        what: "Mean number of threads running, runnable or blocked on I/O over 15 minutes.",
        how: "/proc/loadavg. Compare it with the number of cores.",
        ..BASE
    },
    Metric {
        name: "load_per_core",
        label: "Load per core",
        unit: Unit::Ratio,
        series: HOST.level("load_5 / nullif(cpu_count, 0)"),
        better: Better::Lower,
        levels: Some(Levels::new(2.0, 4.0)),
        evaluated_over_secs: 60,
        confirm_secs: 60,
        what: "Five-minute load divided by the cores online.",
        how: "/proc/loadavg over /proc/stat. At 2 as many threads wait as run; at 4 hosts become unusable.",
        fix: "Compare CPU busy with I/O wait: the first points to computation, the second to disks.",
        ..BASE
    },
    Metric {
        name: "cores",
        label: "Cores online",
        unit: Unit::Count,
        series: HOST.level("cpu_count"),
        what: "Cores that are online.",
        how: "cpuN lines of /proc/stat.",
        ..BASE
    },
    Metric {
        name: "mem_total_bytes",
        label: "Memory in all",
        unit: Unit::Bytes,
        series: HOST.level("mem_total"),
        what: "Memory that the kernel manages, bytes.",
        how: "MemTotal of /proc/meminfo.",
        ..BASE
    },
    Metric {
        name: "mem_used_pct",
        label: "Memory used",
        unit: Unit::Percent,
        series: HOST.level("100.0 * mem_used / nullif(mem_total, 0)"),
        better: Better::Lower,
        levels: Some(Levels::new(75.0, 85.0)),
        evaluated_over_secs: 60,
        confirm_secs: 30,
        what: "Memory that is not available to new work, percent of all.",
        how: "(total - available) / total of /proc/meminfo, so page cache that can be given back does not count. Thresholds: 75 and 85 percent.",
        fix: "Sort Processes by resident memory; look for growth over the last day.",
        ..BASE
    },
    Metric {
        name: "mem_used_bytes",
        label: "Used",
        unit: Unit::Bytes,
        series: HOST.level("mem_used"),
        what: "Memory not available to new work, bytes.",
        how: "/proc/meminfo.",
        ..BASE
    },
    Metric {
        name: "mem_cached_bytes",
        label: "Cache",
        unit: Unit::Bytes,
        series: HOST.level("mem_cached + mem_buffers"),
        what: "Page cache, buffers and reclaimable slab, bytes.",
        how: "/proc/meminfo.",
        ..BASE
    },
    Metric {
        name: "mem_available_bytes",
        label: "Available",
        unit: Unit::Bytes,
        series: HOST.level("mem_available"),
        better: Better::Higher,
        what: "Memory a new program could get without swapping, bytes.",
        how: "/proc/meminfo.",
        ..BASE
    },
    Metric {
        name: "swap_used_pct",
        label: "Swap used",
        unit: Unit::Percent,
        series: HOST.level("100.0 * swap_used / nullif(swap_total, 0)"),
        better: Better::Lower,
        levels: Some(Levels::new(50.0, 80.0)),
        evaluated_over_secs: 60,
        confirm_secs: 60,
        what: "Share of the swap space in use, percent. No value without swap.",
        how: "/proc/meminfo. Thresholds: 50 and 80 percent.",
        fix: "Full swap with memory pressure means thrashing; see Pressure and the largest processes.",
        ..BASE
    },
    Metric {
        name: "swap_used_bytes",
        label: "Swap used",
        unit: Unit::Bytes,
        series: HOST.level("swap_used"),
        better: Better::Lower,
        what: "Swap space in use, bytes.",
        how: "/proc/meminfo.",
        ..BASE
    },
    Metric {
        name: "ctxt_per_sec",
        label: "Context switches",
        unit: Unit::PerSec,
        series: HOST.rate("ctxt_total"),
        what: "Switches from one thread to another, per second.",
        how: "Change in /proc/stat counters.",
        ..BASE
    },
    Metric {
        name: "forks_per_sec",
        label: "Forks",
        unit: Unit::PerSec,
        series: HOST.rate("forks_total"),
        what: "Processes and threads created, per second.",
        how: "Change in /proc/stat counters.",
        ..BASE
    },
    Metric {
        name: "procs_running",
        label: "Runnable threads",
        unit: Unit::Count,
        series: HOST.level("procs_running"),
        what: "Threads running or ready to run at the instant.",
        how: "/proc/stat.",
        ..BASE
    },
    Metric {
        name: "procs_blocked",
        label: "Blocked threads",
        unit: Unit::Count,
        series: HOST.level("procs_blocked"),
        better: Better::Lower,
        what: "Threads blocked on I/O at the instant.",
        how: "/proc/stat.",
        ..BASE
    },
    Metric {
        name: "oom_kills_per_sec",
        label: "OOM kills",
        unit: Unit::PerSec,
        series: HOST.rate("oom_kills_total"),
        better: Better::Lower,
        levels: Some(Levels::warn(0.000001)),
        evaluated_over_secs: 600,
        confirm_secs: 0,
        counts_events: true,
        what: "Processes the kernel killed for lack of memory, per second.",
        how: "Change in oom_kill of /proc/vmstat, evaluated over ten minutes. Any kill is notable.",
        fix: "dmesg names the victim; see Memory used around that time and set limits per unit.",
        ..BASE
    },
    Metric {
        name: "open_files_pct",
        label: "Open files",
        unit: Unit::Percent,
        series: HOST.level("100.0 * open_files / nullif(open_files_max, 0)"),
        better: Better::Lower,
        levels: Some(Levels::new(80.0, 90.0)),
        evaluated_over_secs: 60,
        what: "Open file descriptions of the system, percent of fs.file-max.",
        how: "/proc/sys/fs/file-nr. At 100 percent every open fails.",
        fix: "Sort Processes by descriptors to find the leak.",
        ..BASE
    },
    Metric {
        name: "tcp_retrans_per_sec",
        label: "TCP retransmits",
        unit: Unit::PerSec,
        series: HOST.rate("tcp_retrans_total"),
        better: Better::Lower,
        what: "TCP segments sent again, per second.",
        how: "Change in RetransSegs of /proc/net/snmp.",
        ..BASE
    },
    Metric {
        name: "listen_overflows_per_sec",
        label: "Listen overflows",
        unit: Unit::PerSec,
        series: HOST.rate("listen_overflows_total"),
        better: Better::Lower,
        levels: Some(Levels::warn(0.01)),
        evaluated_over_secs: 300,
        confirm_secs: 0,
        counts_events: true,
        what: "Connections dropped because a listen queue was full, per second.",
        how: "Change in /proc/net/netstat counters, evaluated over five minutes. Clients see time-outs.",
        fix: "The server does not accept fast enough: raise its backlog and net.core.somaxconn, then look at its CPU.",
        ..BASE
    },
    Metric {
        name: "conntrack_used_pct",
        label: "Connection tracking",
        unit: Unit::Percent,
        series: HOST.level("100.0 * conntrack_used / nullif(conntrack_max, 0)"),
        better: Better::Lower,
        levels: Some(Levels::new(80.0, 90.0)),
        evaluated_over_secs: 60,
        what: "Entries of the firewall's table, percent of its size. No value without the module.",
        how: "/proc/sys/net/netfilter. A full table drops new connections.",
        fix: "Raise net.netfilter.nf_conntrack_max or find which process opens so many connections.",
        ..BASE
    },
    Metric {
        name: "uptime_secs",
        label: "Uptime",
        unit: Unit::Secs,
        series: HOST.level("uptime_secs"),
        what: "Time since the host booted.",
        how: "/proc/uptime.",
        ..BASE
    },
    Metric {
        name: "reboot_required",
        label: "Restart required",
        unit: Unit::Bool,
        series: HOST.level("reboot_required::int::float8"),
        better: Better::Lower,
        levels: Some(Levels::warn(1.0)),
        evaluated_over_secs: 60,
        confirm_secs: 300,
        what: "Whether an installed package asks for a restart of the host: 1 yes, 0 no.",
        how: "/run/reboot-required, which package managers leave. Until then the old kernel or library runs, security fixes included.",
        fix: "Restart the host when it may be interrupted:",
        ..BASE
    },
    Metric {
        name: "clock_synced",
        label: "Clock synchronised",
        unit: Unit::Bool,
        series: HOST.level("clock_synced::int::float8"),
        better: Better::Higher,
        levels: Some(Levels::warn(0.0)),
        evaluated_over_secs: 600,
        confirm_secs: 600,
        what: "Whether a time service keeps the clock synchronised: 1 yes, 0 no. No value without one that answers.",
        how: "systemd-timesyncd, chronyd or ntpd, evaluated over ten minutes. A drifting clock breaks logs, TLS and replication.",
        fix: "Check the time service: timedatectl status, chronyc tracking.",
        ..BASE
    },
    Metric {
        name: "pressure_cpu_some_pct",
        label: "Tasks waiting for CPU",
        unit: Unit::Percent,
        series: HOST.rate_times("pressure_cpu_some_us_total", 0.0001),
        better: Better::Lower,
        levels: Some(Levels::new(50.0, 80.0)),
        evaluated_over_secs: 120,
        confirm_secs: 0,
        what: "Share of time in which some task waited for a CPU, percent.",
        how: "Change in /proc/pressure/cpu counters. Evaluated over two minutes.",
        fix: "More threads are ready than cores: see the leading processes.",
        ..BASE
    },
    Metric {
        name: "pressure_memory_some_pct",
        label: "Tasks waiting for memory",
        unit: Unit::Percent,
        series: HOST.rate_times("pressure_memory_some_us_total", 0.0001),
        better: Better::Lower,
        what: "Share of time in which some task waited for memory, percent.",
        how: "Change in /proc/pressure/memory counters.",
        ..BASE
    },
    Metric {
        name: "pressure_memory_full_pct",
        label: "All tasks waiting for memory",
        unit: Unit::Percent,
        series: HOST.rate_times("pressure_memory_full_us_total", 0.0001),
        better: Better::Lower,
        levels: Some(Levels::new(5.0, 20.0)),
        evaluated_over_secs: 120,
        confirm_secs: 0,
        what: "Share of time in which all tasks waited for memory, percent.",
        how: "Change in /proc/pressure/memory counters. Evaluated over two minutes.",
        fix: "Memory is short: see the largest processes and swap.",
        ..BASE
    },
    Metric {
        name: "pressure_io_some_pct",
        label: "Tasks waiting for I/O",
        unit: Unit::Percent,
        series: HOST.rate_times("pressure_io_some_us_total", 0.0001),
        better: Better::Lower,
        what: "Share of time in which some task waited for I/O, percent.",
        how: "Change in /proc/pressure/io counters.",
        ..BASE
    },
    Metric {
        name: "pressure_io_full_pct",
        label: "All tasks waiting for I/O",
        unit: Unit::Percent,
        series: HOST.rate_times("pressure_io_full_us_total", 0.0001),
        better: Better::Lower,
        levels: Some(Levels::new(10.0, 50.0)),
        evaluated_over_secs: 120,
        confirm_secs: 0,
        what: "Share of time in which all tasks waited for I/O, percent.",
        how: "Change in /proc/pressure/io counters. Evaluated over two minutes. From a tenth on requests are slower; at half the host stands.",
        fix: "Disks are the bottleneck: see Disk busy and which processes read and write.",
        ..BASE
    },
    Metric {
        name: "net_rx_bytes_per_sec",
        label: "Received",
        unit: Unit::BytesPerSec,
        series: HOST.rate("net_rx"),
        what: "Bytes received on all interfaces but loopback, per second.",
        how: "Change in /proc/net/dev counters.",
        ..BASE
    },
    Metric {
        name: "net_tx_bytes_per_sec",
        label: "Sent",
        unit: Unit::BytesPerSec,
        series: HOST.rate("net_tx"),
        what: "Bytes sent on all interfaces but loopback, per second.",
        how: "Change in /proc/net/dev counters.",
        ..BASE
    },
];
