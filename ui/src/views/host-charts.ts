/** The charts of a host that are also on the first screen. */
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

export const PRESSURE: ChartSpec = {
  id: "pressure",
  title: "Pressure stall (PSI)",
  metrics: ["system.pressure_cpu_some_pct", "system.pressure_memory_some_pct", "system.pressure_io_some_pct"],
  labels: {
    "system.pressure_cpu_some_pct": "CPU",
    "system.pressure_memory_some_pct": "Memory",
    "system.pressure_io_some_pct": "Disk",
  },
  empty: "The kernel reports no pressure (PSI); it needs Linux 4.20 with psi=1.",
};
