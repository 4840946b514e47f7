/** What is found where: the metric families and the tables of each view, for the search. */
export interface Contents {
  /** Metric ids up to their dot. */
  families: readonly string[];
  /** Beside those whose names begin with that of the view, as `traffic_pages`. */
  tables: readonly string[];
}

// biome-ignore format: one view is one line
export const CONTENTS: Readonly<Record<string, Contents>> = {
  now: { families: [], tables: [] },
  fleet: { families: [], tables: ["fleet"] },
  system: { families: ["system", "network", "mount", "disk"], tables: ["mounts", "disks", "interfaces"] },
  processes: { families: ["process", "process_one"], tables: ["processes"] },
  api: { families: ["api", "proxy", "target", "check"], tables: ["endpoints", "failures", "targets", "health_checks"] },
  traffic: { families: ["traffic"], tables: [] },
  postgres: { families: ["db", "database"], tables: ["db_servers", "databases", "sessions", "blocking", "checks", "settings_db", "blind_spots"] },
  tables: { families: ["table", "index"], tables: ["tables", "vacuum_needed", "unused_indexes", "indexes"] },
  queries: { families: ["statement", "io"], tables: ["statements", "io"] },
  replication: { families: ["replication"], tables: ["replication", "subscriptions"] },
  logs: { families: ["log"], tables: ["log_sources", "log_patterns", "security_events"] },
  alerts: { families: [], tables: ["findings", "changes"] },
  insights: { families: [], tables: ["recommendations", "health", "slos", "capacity", "baselines", "forecasts"] },
  snapshot: { families: [], tables: [] },
  collector: { families: ["collector"], tables: ["collectors", "buffers", "gaps", "runs", "dead_letters", "rollups", "store_sizes", "settings"] },
};
