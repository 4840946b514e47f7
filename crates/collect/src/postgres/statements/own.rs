//! Which statements are the collector's own: those of its store, of its dashboard, and of collectors that
//! watch the same server. Recognised by what they read, not by who runs them, as the role may be an application's.

use schema::tables::{TABLES, VIEWS};

use crate::postgres::family::FAMILIES;

/// The schema of the store.
const SCHEMA: &str = "collector";
/// Beginnings of the names of its relations and functions that are not stored tables.
const OTHERS: &[&str] = &[
    "add_counts",
    "agent_runs",
    "alerts",
    "apply_transitions",
    "baselines",
    "bucket_secs",
    "capacity_alerts",
    "changed_hours",
    "clear_",
    "cut_to_budget",
    "dead_letter",
    "declare_sealed",
    "describe",
    "drop_partitions",
    "duration_bucket",
    "endpoint_days",
    "endpoint_hours",
    "ensure_partition",
    "expire",
    "finding",
    "first_kept_day",
    "follow_history",
    "forget_findings",
    "forget_slo_hours",
    "hosts",
    "insert_process_metrics",
    "insights",
    "io_days",
    "io_hours",
    "is_partition",
    "kept",
    "lapse_marks",
    "log_",
    "mark_finding",
    "measure_store",
    "metric",
    "order_hours",
    "page_key",
    "partition_column",
    "partition_fill",
    "partition_span",
    "process_key",
    "prune_baselines",
    "recommendations",
    "replace_capacity",
    "reserve_log_lines",
    "retention",
    "rollup",
    "schema_migrations",
    "seal",
    "settle_hour",
    "settle_log_patterns",
    "size_budget",
    "slo_definitions",
    "slo_hours",
    "spool_watermark",
    "statement_days",
    "statement_hours",
    "store_sizes",
    "store_tasks",
    "stray_days",
    "sum_counts",
    "sum_each",
    "summed_months",
    "take_dead_letters",
    "take_mark",
    "tally",
    "trend_forecasts",
    "unmark_finding",
    "web_analytics_",
    "width_class",
    "word_id",
];

/// Returns whether a statement is one of ours.
pub(super) fn is_own(query: &str) -> bool {
    asks_as_we_do(query) || names_ours(query)
}

/// Returns whether it begins with the question that one of our statements answers.
fn asks_as_we_do(query: &str) -> bool {
    let Some(first) = query.lines().next().filter(|line| line.starts_with("-- ")) else {
        return false;
    };
    let mut files = FAMILIES.iter().flat_map(|family| family.files);
    files.any(|(_, sql)| sql.lines().next() == Some(first))
}

/// Returns whether it names something in the schema of the store, `collector.x` or `"collector"."x"`.
fn names_ours(query: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    query.match_indices(SCHEMA).any(|(at, _)| {
        let (before, after) = (&query[..at], &query[at + SCHEMA.len()..]);
        let before = before.strip_suffix('"').unwrap_or(before);
        if before.ends_with(|c: char| is_part(c) || c == '.') {
            return false;
        }
        let after = after.strip_prefix('"').unwrap_or(after);
        let Some(name) = after.strip_prefix('.') else {
            return false;
        };
        let name = name.strip_prefix('"').unwrap_or(name);
        let stored = TABLES
            .iter()
            .chain(VIEWS)
            .map(|table| table.name.strip_suffix("_raw").unwrap_or(table.name));
        stored
            .chain(OTHERS.iter().copied())
            .any(|ours| name.starts_with(ours))
    })
}

#[cfg(test)]
mod tests {
    use super::is_own;
    use crate::postgres::check::wrapped;
    use crate::postgres::family::FAMILIES;

    #[test]
    fn a_check_is_recognised_as_it_is_sent() {
        for family in FAMILIES {
            for (_, sql) in family.files {
                assert!(is_own(&wrapped(family.name, sql)), "{sql}");
            }
        }
    }

    #[test]
    fn every_function_of_the_store_is_recognised() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let mut count = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let sql = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for after in sql.split("FUNCTION collector.").skip(1) {
                let (name, _) = after.split_once('(').unwrap();
                assert!(is_own(&format!("SELECT collector.{name}($1)")), "{name}");
                count += 1;
            }
        }
        assert!(count > 10, "{count}");
    }

    #[test]
    fn ours_are_recognised_by_what_they_read() {
        let ours = [
            "COPY collector.system_metrics_raw (ts, host_id) FROM STDIN (FORMAT binary)",
            "SELECT 1 FROM collector.hosts WHERE host_id = $1",
            "SELECT pid FROM collector.process_metrics_raw WHERE host_id = $1",
            "select * from \"collector\".\"heartbeat\"",
            "CREATE TABLE collector.disk_metrics_raw_p20261129 PARTITION OF x",
            "WITH a AS (SELECT ts FROM collector.statement_metrics_hourly) SELECT",
            "SELECT collector.ensure_partitions($1)",
            "-- Which extensions that we read are here, and in which schema? One row each, PostgreSQL 15 and newer,\nSELECT",
        ];
        for query in ours {
            assert!(is_own(query), "{query}");
        }
        let others = [
            "SELECT collector.name FROM stamps collector",
            "SELECT * FROM collectors.hosts",
            "SELECT * FROM tax_collector.hosts",
            "SELECT * FROM public.collector",
            "SELECT a.collector.hosts FROM a",
            "-- Which orders are open?\nSELECT 1",
            "SELECT collector",
            "",
        ];
        for query in others {
            assert!(!is_own(query), "{query}");
        }
    }
}
