use crate::metric_table;

metric_table! {
    /// Something was changed on the host: most incidents begin with a change. `ts` is when it was, as the log that reports
    /// it has it, or when a collector noticed it.
    pub struct ChangeMarker => "change_markers" { class: Event, rollup: false, keep: Events, every: Tick;
        /// `package`, `unit`, `program`, `kernel`, `server`, `setting`, `schema` or `configuration`.
        kind: String [Key None],
        /// What was changed: a package, a unit, a setting, a table.
        subject: String [Key None],
        /// `upgraded`, `installed`, `removed`, `started`, `stopped`, `restarted`, `reloaded`, `failed`, `booted`,
        /// `changed`, `created`, `altered`, `dropped`.
        action: String [Detail Text],
        /// Version or value before; NULL when unknown or when there was none.
        before: Option<String> [Detail Text],
        /// Version or value after; NULL when unknown or when there is none.
        after: Option<String> [Detail Text],
        /// Log source, PostgreSQL server or part of the collector that reports it.
        source: String [Detail Text],
    }
}
