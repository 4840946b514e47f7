/** What is folded away of a host, by topic, as data. */
import type { ChartSpec } from "../charts/chart";

export interface FoldedHost {
  charts: readonly ChartSpec[];
  tables: readonly string[];
}

const NO_DISK = "No disk reports statistics.";

export const HOST_FOLDED: Readonly<Record<string, FoldedHost>> = {
  disks: {
    charts: [
      {
        id: "disk-read",
        title: "Disk reads",
        metrics: ["disk.read_bytes_per_sec"],
        limit: 8,
        empty: NO_DISK,
      },
      {
        id: "disk-write",
        title: "Disk writes",
        metrics: ["disk.write_bytes_per_sec"],
        limit: 8,
        empty: NO_DISK,
      },
      {
        id: "disk-ops",
        title: "Disk operations",
        metrics: ["disk.reads_per_sec", "disk.writes_per_sec"],
        labels: { "disk.reads_per_sec": "reads", "disk.writes_per_sec": "writes" },
        limit: 4,
        empty: NO_DISK,
      },
      { id: "disk-queue", title: "Disk queue", metrics: ["disk.queue_depth"], limit: 8, empty: NO_DISK },
      { id: "mounts", title: "File systems used", metrics: ["mount.used_pct"], ceiling: 100, limit: 8 },
    ],
    tables: ["disks"],
  },
  network: {
    charts: [
      {
        id: "tcp",
        title: "TCP retransmits, overflows",
        metrics: ["system.tcp_retrans_per_sec", "system.listen_overflows_per_sec"],
        labels: {
          "system.tcp_retrans_per_sec": "Retransmits",
          "system.listen_overflows_per_sec": "Listen overflows",
        },
        levelsOf: null,
      },
    ],
    tables: ["interfaces"],
  },
  kernel: {
    charts: [
      {
        id: "pressure-full",
        title: "Pressure stall, all tasks",
        metrics: ["system.pressure_memory_full_pct", "system.pressure_io_full_pct"],
        labels: { "system.pressure_memory_full_pct": "Memory", "system.pressure_io_full_pct": "Disk" },
      },
      {
        id: "running",
        title: "Processes running, blocked",
        metrics: ["system.procs_running", "system.procs_blocked"],
        labels: { "system.procs_running": "Running", "system.procs_blocked": "Blocked" },
        levelsOf: null,
      },
      {
        id: "forks",
        title: "Processes started",
        metrics: ["system.forks_per_sec"],
        labels: { "system.forks_per_sec": "Started" },
      },
      {
        id: "switches",
        title: "Context switches",
        metrics: ["system.ctxt_per_sec"],
        labels: { "system.ctxt_per_sec": "Switches" },
      },
      {
        id: "handles",
        title: "Open files, connections",
        metrics: ["system.open_files_pct", "system.conntrack_used_pct"],
        labels: { "system.open_files_pct": "Open files", "system.conntrack_used_pct": "Conntrack" },
        ceiling: 100,
      },
    ],
    tables: [],
  },
};
