/** The charts of a host, as data. Three of them are also on the first screen. */
import type { ChartSpec } from "../charts/chart";

export const CPU: ChartSpec = {
  id: "cpu",
  title: "CPU",
  metrics: [
    "system.cpu_user_pct",
    "system.cpu_system_pct",
    "system.cpu_iowait_pct",
    "system.cpu_nice_pct",
    "system.cpu_irq_pct",
    "system.cpu_steal_pct",
  ],
  labels: {
    "system.cpu_user_pct": "User",
    "system.cpu_system_pct": "System",
    "system.cpu_iowait_pct": "I/O wait",
    "system.cpu_nice_pct": "Nice",
    "system.cpu_irq_pct": "Interrupts",
    "system.cpu_steal_pct": "Steal",
  },
  stacked: true,
  levelsOf: "system.cpu_busy_pct",
  ceiling: 100,
};

export const MEMORY: ChartSpec = {
  id: "memory",
  title: "Memory",
  metrics: ["system.mem_used_bytes", "system.mem_cached_bytes", "system.mem_available_bytes"],
  labels: {
    "system.mem_used_bytes": "Used",
    "system.mem_cached_bytes": "Cached",
    "system.mem_available_bytes": "Available",
  },
};

export const LOAD: ChartSpec = {
  id: "load",
  title: "Load and cores",
  metrics: ["system.load_1", "system.load_5", "system.load_15", "system.cores"],
  labels: {
    "system.load_1": "1 min",
    "system.load_5": "5 min",
    "system.load_15": "15 min",
    "system.cores": "Cores",
  },
};

export const HOST_CHARTS: readonly ChartSpec[] = [
  {
    id: "network-rx",
    title: "Network received",
    metrics: ["network.rx_bytes_per_sec"],
    limit: 8,
    empty: "No interface reports traffic.",
  },
  {
    id: "network-tx",
    title: "Network sent",
    metrics: ["network.tx_bytes_per_sec"],
    limit: 8,
    empty: "No interface reports traffic.",
  },
  {
    id: "disk-read",
    title: "Disk read",
    metrics: ["disk.read_bytes_per_sec"],
    limit: 8,
    empty: "No disk reports its work.",
  },
  {
    id: "disk-write",
    title: "Disk written",
    metrics: ["disk.write_bytes_per_sec"],
    limit: 8,
    empty: "No disk reports its work.",
  },
  {
    id: "disk-ops",
    title: "Disk operations",
    metrics: ["disk.reads_per_sec", "disk.writes_per_sec"],
    labels: { "disk.reads_per_sec": "reads", "disk.writes_per_sec": "writes" },
    limit: 4,
    empty: "No disk reports its work.",
  },
  {
    id: "disk-busy",
    title: "Disk busy",
    metrics: ["disk.busy_pct"],
    ceiling: 100,
    limit: 8,
    empty: "No disk reports its work.",
  },
  {
    id: "disk-queue",
    title: "Disk queue",
    metrics: ["disk.queue_depth"],
    limit: 8,
    empty: "No disk reports its work.",
  },
  { id: "mounts", title: "Mounts used", metrics: ["mount.used_pct"], ceiling: 100, limit: 8 },
  {
    id: "pressure",
    title: "Pressure",
    metrics: [
      "system.pressure_cpu_some_pct",
      "system.pressure_memory_some_pct",
      "system.pressure_memory_full_pct",
      "system.pressure_io_some_pct",
      "system.pressure_io_full_pct",
    ],
    labels: {
      "system.pressure_cpu_some_pct": "CPU some",
      "system.pressure_memory_some_pct": "Memory some",
      "system.pressure_memory_full_pct": "Memory full",
      "system.pressure_io_some_pct": "Disk some",
      "system.pressure_io_full_pct": "Disk full",
    },
    empty: "The kernel reports no pressure (PSI); it needs Linux 4.20 with psi=1.",
  },
  {
    id: "switches",
    title: "Context switches",
    metrics: ["system.ctxt_per_sec"],
    labels: { "system.ctxt_per_sec": "Switches" },
  },
  {
    id: "forks",
    title: "Processes started",
    metrics: ["system.forks_per_sec"],
    labels: { "system.forks_per_sec": "Started" },
  },
  {
    id: "running",
    title: "Running and blocked processes",
    metrics: ["system.procs_running", "system.procs_blocked"],
    labels: { "system.procs_running": "Running", "system.procs_blocked": "Blocked" },
    levelsOf: "system.procs_blocked",
  },
  {
    id: "tcp",
    title: "TCP retransmits and listen overflows",
    metrics: ["system.tcp_retrans_per_sec", "system.listen_overflows_per_sec"],
    labels: {
      "system.tcp_retrans_per_sec": "Retransmits",
      "system.listen_overflows_per_sec": "Listen overflows",
    },
  },
  {
    id: "handles",
    title: "Open files and tracked connections",
    metrics: ["system.open_files_pct", "system.conntrack_used_pct"],
    labels: { "system.open_files_pct": "Open files", "system.conntrack_used_pct": "Conntrack" },
    ceiling: 100,
  },
];
