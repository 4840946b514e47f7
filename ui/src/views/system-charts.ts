/** What is shown of a host at first sight beside its processor and memory, as data. */
import type { ChartSpec } from "../charts/chart";

export const KEY_CARDS = [
  "system.cpu_busy_pct",
  "system.mem_used_pct",
  "system.swap_used_pct",
  "system.load_per_core",
  "mount.used_pct",
  "disk.busy_pct",
  "system.net_rx_bytes_per_sec",
  "system.net_tx_bytes_per_sec",
];

export const KEY_CHARTS: readonly ChartSpec[] = [
  {
    id: "disk-busy",
    title: "Disk busy",
    metrics: ["disk.busy_pct"],
    ceiling: 100,
    limit: 8,
    empty: "No disk reports statistics.",
  },
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
];

/** What is folded away below: the ids of `system-folded.ts` with their titles. */
export const TOPICS: readonly (readonly [string, string])[] = [
  ["disks", "Disks and file systems"],
  ["network", "Network interfaces and TCP"],
  ["kernel", "Processes and open files"],
];
