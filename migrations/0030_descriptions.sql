-- What was dismissed is not acknowledged, and columns of views have descriptions.
--
-- Why so: both marks set `acknowledged`, so who read the view could not tell "somebody knows" from "nobody wants to see it"
-- (`expires_at` says that). And psql's \d+ shows of a view nothing else of what its figures mean; those of tables, and of the views over
-- sealed ones, follow from their declarations (store::comments).

CREATE OR REPLACE FUNCTION collector.mark_finding(finding bigint, new_mark text, lasts_until timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    open record;
BEGIN
    UPDATE collector.findings f SET
        acknowledged = new_mark = 'acknowledged', expires_at = CASE new_mark WHEN 'dismissed' THEN now() END
    WHERE f.finding_id = finding AND f.resolved_at IS NULL
    RETURNING f.host_id, f.rule, f.target INTO open;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO collector.finding_marks (host_id, rule, target, mark, until)
    VALUES (open.host_id, open.rule, open.target, new_mark, lasts_until)
    ON CONFLICT (host_id, rule, target) DO UPDATE
    SET (mark, until, marked_at, marked_by) = (excluded.mark, excluded.until, excluded.marked_at, excluded.marked_by);
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION collector.take_mark() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text;
BEGIN
    SELECT m.mark INTO known FROM collector.finding_marks m
    WHERE m.host_id = NEW.host_id AND m.rule = NEW.rule AND m.target = NEW.target AND coalesce(m.until, 'infinity') > now();
    IF FOUND THEN
        NEW.acknowledged := known = 'acknowledged';
        NEW.expires_at := CASE known WHEN 'dismissed' THEN now() END;
    END IF;
    RETURN NEW;
END $$;

UPDATE collector.findings SET acknowledged = false WHERE acknowledged AND expires_at IS NOT NULL;

-- Describes columns of this schema: of each relation of the object those that it has.
CREATE FUNCTION collector.describe(texts jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT c.relname, a.attname, t.value AS words
        FROM jsonb_each(texts) r
        JOIN pg_class c ON c.relname = r.key AND c.relnamespace = 'collector'::regnamespace AND c.relkind IN ('r', 'p', 'v')
        CROSS JOIN LATERAL jsonb_each_text(r.value) t
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = t.key AND a.attnum > 0 AND NOT a.attisdropped
        WHERE col_description(c.oid, a.attnum) IS DISTINCT FROM t.value
    LOOP
        EXECUTE format('COMMENT ON COLUMN collector.%I.%I IS %L', one.relname, one.attname, one.words);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION collector.describe(jsonb) FROM PUBLIC;

-- Those of views that no declaration has.
SELECT collector.describe($texts${
 "alerts": {
  "host_id": "The host: collector.hosts.",
  "id": "Number of the finding: collector.findings.finding_id.",
  "ts": "Since when the condition holds.",
  "severity": "info, warn or critical, as of the newest evaluation.",
  "target": "What it is about: a mount, a table, a server, an address; empty of the host.",
  "title": "The condition, without figures.",
  "message": "The observation, with figures as of the newest row of its history.",
  "resolved": "Whether it has ended.",
  "resolved_at": "When it ended; NULL while it lasts.",
  "worst": "Its worst severity since it was opened.",
  "occurrences": "How often it began, continued or returned before it was resolved.",
  "acknowledged": "Whether somebody knows of it: pqcrypta alerts ack. What is dismissed is not acknowledged.",
  "alert_type": "Its rule; of a threshold the metric.",
  "component": "Part of the system."
 },
 "api_metrics_hourly": {
  "bucket": "Start of the hour.",
  "host_id": "The host: collector.hosts.",
  "target": "Name of the target.",
  "total_requests": "Number in the hour: the increase behind api.requests_per_sec.",
  "successful_requests": "Number in the hour: the increase behind api.successful_per_sec.",
  "failed_requests": "Number in the hour: the increase behind api.failed_per_sec.",
  "waf_blocked_requests": "Number in the hour: the increase behind api.waf_blocked_per_sec.",
  "rps_avg": "Mean of api.requests_per_sec in the hour, per second.",
  "rps_max": "Greatest value of api.requests_per_sec in the hour, per second.",
  "error_rate_avg": "Mean of api.error_pct in the hour, percent.",
  "error_rate_max": "Greatest value of api.error_pct in the hour, percent.",
  "avg_ms_min": "Least value of api.avg_ms in the hour, milliseconds.",
  "avg_ms_max": "Greatest value of api.avg_ms in the hour, milliseconds.",
  "avg_ms_request_weighted_mean": "Mean of api.avg_ms in the hour, weighted by requests, milliseconds.",
  "p50_ms_min": "Least value of api.p50_ms in the hour, milliseconds.",
  "p50_ms_max": "Greatest value of api.p50_ms in the hour, milliseconds.",
  "p50_ms_request_weighted_mean": "Mean of api.p50_ms in the hour, weighted by requests, milliseconds.",
  "p95_ms_min": "Least value of api.p95_ms in the hour, milliseconds.",
  "p95_ms_max": "Greatest value of api.p95_ms in the hour, milliseconds.",
  "p95_ms_request_weighted_mean": "Mean of api.p95_ms in the hour, weighted by requests, milliseconds.",
  "p99_ms_min": "Least value of api.p99_ms in the hour, milliseconds.",
  "p99_ms_max": "Greatest value of api.p99_ms in the hour, milliseconds.",
  "p99_ms_request_weighted_mean": "Mean of api.p99_ms in the hour, weighted by requests, milliseconds.",
  "active_connections_avg": "Mean of api.active_connections in the hour.",
  "active_connections_max": "Greatest value of api.active_connections in the hour.",
  "db_response_ms_avg": "Mean of api.db_response_ms in the hour, milliseconds.",
  "db_response_ms_max": "Greatest value of api.db_response_ms in the hour, milliseconds.",
  "cpu_pct_avg": "Mean of api.cpu_pct in the hour, percent.",
  "cpu_pct_max": "Greatest value of api.cpu_pct in the hour, percent.",
  "memory_avg": "Mean of api.memory_bytes in the hour, bytes.",
  "memory_max": "Greatest value of api.memory_bytes in the hour, bytes."
 },
 "db_metrics_hourly": {
  "bucket": "Start of the hour.",
  "host_id": "The host: collector.hosts.",
  "instance": "Name of the server.",
  "conn_total_avg": "Mean of db.conn_total in the hour.",
  "conn_total_max": "Greatest value of db.conn_total in the hour.",
  "conn_active_avg": "Mean of db.conn_active in the hour.",
  "conn_active_max": "Greatest value of db.conn_active in the hour.",
  "conn_idle_avg": "Mean of db.conn_idle in the hour.",
  "conn_idle_max": "Greatest value of db.conn_idle in the hour.",
  "conn_idle_in_xact_avg": "Mean of db.conn_idle_in_xact in the hour.",
  "conn_idle_in_xact_max": "Greatest value of db.conn_idle_in_xact in the hour.",
  "conn_waiting_avg": "Mean of db.conn_waiting in the hour.",
  "conn_waiting_max": "Greatest value of db.conn_waiting in the hour.",
  "conn_max_avg": "Mean of db.conn_max in the hour.",
  "cache_hit_avg": "Mean of db.cache_hit_pct in the hour, percent.",
  "cache_hit_min": "Least value of db.cache_hit_pct in the hour, percent.",
  "xact_commit": "Number in the hour: the increase behind db.xact_commit_per_sec.",
  "xact_rollback": "Number in the hour: the increase behind db.xact_rollback_per_sec.",
  "deadlocks": "Number in the hour: the increase behind db.deadlocks_per_sec.",
  "temp_bytes": "Bytes in the hour: the increase behind db.temp_bytes_per_sec.",
  "tup_returned": "Number in the hour: the increase behind db.tup_returned_per_sec.",
  "tup_fetched": "Number in the hour: the increase behind db.tup_fetched_per_sec.",
  "tup_written": "Number in the hour: the increase behind db.tup_written_per_sec.",
  "slow_queries_avg": "Mean of db.slow_queries in the hour.",
  "slow_queries_max": "Greatest value of db.slow_queries in the hour.",
  "longest_query_secs_max": "Greatest value of db.longest_query_secs in the hour, seconds."
 },
 "insights": {
  "host_id": "The host: collector.hosts.",
  "id": "Number of the finding: collector.findings.finding_id.",
  "ts": "Since when the condition holds.",
  "severity": "info, warn or critical, as of the newest evaluation.",
  "title": "The condition, without figures.",
  "message": "The observation, with figures as of the newest row of its history.",
  "resolved": "Whether it has ended.",
  "resolved_at": "When it ended; NULL while it lasts.",
  "target": "What it is about: a mount, a table, a server, an address; empty of the host.",
  "worst": "Its worst severity since it was opened.",
  "occurrences": "How often it began, continued or returned before it was resolved.",
  "expires_at": "From then on it is in no list although nothing ended it: somebody dismissed it. NULL of others.",
  "insight_type": "Its rule.",
  "domain": "Part of the system.",
  "metric_key": "The key of the metric; without a metric what it is about.",
  "current_value": "The value of the newest sample, else the evaluated one, in the unit of the metric.",
  "baseline_mean": "What is expected, in the unit of the metric.",
  "score": "How unlikely the value is: -log10 of the probability.",
  "metric": "The metric, domain.name; NULL where it is about none.",
  "value": "The evaluated value, in the unit of the metric.",
  "baseline_stddev": "The usual deviation from what is expected.",
  "z_score": "The deviation in multiples of the usual one.",
  "drift_pct": "The deviation in percent of what is expected."
 },
 "io_metrics_hourly": {
  "bucket": "Start of the hour.",
  "host_id": "The host: collector.hosts.",
  "instance": "Name of the server.",
  "backend_type": "Kind of process, as in pg_stat_io.",
  "read_bytes": "Bytes in the hour: the increase behind io.read_bytes_per_sec.",
  "write_bytes": "Bytes in the hour: the increase behind io.write_bytes_per_sec.",
  "extend_bytes": "Bytes in the hour: the increase behind io.extend_bytes_per_sec.",
  "hits": "Number in the hour: the increase behind io.hits_per_sec.",
  "evictions": "Number in the hour: the increase behind io.evictions_per_sec.",
  "fsyncs": "Number in the hour: the increase behind io.fsyncs_per_sec.",
  "read_time_ms": "Time in the hour from io.read_pct, milliseconds.",
  "write_time_ms": "Time in the hour from io.write_pct, milliseconds.",
  "read_ms_avg": "Mean of io.read_ms in the hour, milliseconds.",
  "read_ms_max": "Greatest value of io.read_ms in the hour, milliseconds.",
  "write_ms_avg": "Mean of io.write_ms in the hour, milliseconds.",
  "write_ms_max": "Greatest value of io.write_ms in the hour, milliseconds."
 },
 "kept": {
  "keep": "Kind of rows: raw, brief, hourly, long, lines or events.",
  "days": "For how many days they are kept; NULL: no host has reported it.",
  "first_day": "The first day that is kept, also by the size budget."
 },
 "metrics_daily": {
  "bucket": "Start of the day (UTC).",
  "host_id": "The host: collector.hosts.",
  "metric": "The metric, domain.name.",
  "key": "What it is of: a mount, a process name, a table; NULL of a metric without keys.",
  "min": "Least value.",
  "max": "Greatest value.",
  "avg": "Mean, weighted by `weight`.",
  "weight": "Of a level the number of samples, of a rate the seconds that are known, of a share its divisor.",
  "last": "Last value."
 },
 "metrics_hourly": {
  "bucket": "Start of the hour.",
  "host_id": "The host: collector.hosts.",
  "metric": "The metric, domain.name.",
  "key": "What it is of: a mount, a process name, a table; NULL of a metric without keys.",
  "min": "Least value.",
  "max": "Greatest value.",
  "avg": "Mean, weighted by `weight`.",
  "weight": "Of a level the number of samples, of a rate the seconds that are known, of a share its divisor.",
  "last": "Last value."
 },
 "process_metrics_hourly": {
  "bucket": "Start of the hour.",
  "host_id": "The host: collector.hosts.",
  "process_name": "Name of the program; processes of one name are summed up.",
  "cpu_pct_avg": "Mean of process.cpu_pct in the hour, percent.",
  "cpu_pct_max": "Greatest value of process.cpu_pct in the hour, percent.",
  "rss_avg": "Mean of process.rss_bytes in the hour, bytes.",
  "rss_max": "Greatest value of process.rss_bytes in the hour, bytes.",
  "fd_avg": "Mean of process.fd_count in the hour.",
  "fd_max": "Greatest value of process.fd_count in the hour.",
  "threads_avg": "Mean of process.thread_count in the hour.",
  "threads_max": "Greatest value of process.thread_count in the hour.",
  "read_bytes": "Bytes in the hour: the increase behind process.read_bytes_per_sec.",
  "write_bytes": "Bytes in the hour: the increase behind process.write_bytes_per_sec."
 },
 "recommendations": {
  "host_id": "The host: collector.hosts.",
  "id": "Number of the finding: collector.findings.finding_id.",
  "ts": "Since when the condition holds.",
  "severity": "info, warn or critical, as of the newest evaluation.",
  "target": "What it is about, with its kind: disk:/var, slow_queries:main.",
  "title": "What to do, without figures.",
  "resolved": "Whether it has ended.",
  "resolved_at": "When it ended; NULL while it lasts.",
  "acknowledged": "Whether somebody knows of it: pqcrypta alerts ack. What is dismissed is not acknowledged.",
  "expires_at": "From then on it is in no list although nothing ended it: somebody dismissed it. NULL of others.",
  "category": "Part of the system in a word: vacuum, index, db.",
  "description": "The observation that it follows from, with figures.",
  "steps": "Steps to take, in order; commands between backticks.",
  "command": "A shell command that helps; nothing runs it.",
  "action_sql": "A statement that helps; nothing runs it.",
  "rule": "Rule of the finding that it follows from.",
  "kind": "Kind of that finding: alert, insight or recommendation.",
  "cause_rule": "Rule of the finding that this one follows from; NULL where it stands for itself.",
  "verified": "What became of it a day after its end; NULL before.",
  "verified_at": "When that was looked at.",
  "mark": "acknowledged or dismissed; NULL without a mark.",
  "marked_until": "When the mark ends; NULL: with the condition.",
  "marked_by": "The role that made the mark."
 },
 "size_budget": {
  "max_bytes": "The greatest budget of the hosts of the last 30 days, bytes; NULL: none has one."
 },
 "system_metrics_daily": {
  "bucket": "Start of the day, UTC.",
  "host_id": "The host: collector.hosts.",
  "cpu_user_avg": "Mean of system.cpu_user_pct in the day, percent.",
  "cpu_user_max": "Greatest value of system.cpu_user_pct in the day, percent.",
  "cpu_system_avg": "Mean of system.cpu_system_pct in the day, percent.",
  "cpu_system_max": "Greatest value of system.cpu_system_pct in the day, percent.",
  "cpu_iowait_avg": "Mean of system.cpu_iowait_pct in the day, percent.",
  "cpu_iowait_max": "Greatest value of system.cpu_iowait_pct in the day, percent.",
  "cpu_busy_avg": "Mean of system.cpu_busy_pct in the day, percent.",
  "cpu_busy_min": "Least value of system.cpu_busy_pct in the day, percent.",
  "cpu_busy_max": "Greatest value of system.cpu_busy_pct in the day, percent.",
  "load_1_avg": "Mean of system.load_1 in the day.",
  "load_1_min": "Least value of system.load_1 in the day.",
  "load_1_max": "Greatest value of system.load_1 in the day.",
  "load_5_avg": "Mean of system.load_5 in the day.",
  "load_5_max": "Greatest value of system.load_5 in the day.",
  "load_15_avg": "Mean of system.load_15 in the day.",
  "load_15_max": "Greatest value of system.load_15 in the day.",
  "mem_total_avg": "Mean of system.mem_total_bytes in the day, bytes.",
  "mem_used_avg": "Mean of system.mem_used_bytes in the day, bytes.",
  "mem_used_min": "Least value of system.mem_used_bytes in the day, bytes.",
  "mem_used_max": "Greatest value of system.mem_used_bytes in the day, bytes.",
  "mem_available_avg": "Mean of system.mem_available_bytes in the day, bytes.",
  "mem_available_min": "Least value of system.mem_available_bytes in the day, bytes.",
  "mem_used_pct_avg": "Mean of system.mem_used_pct in the day, percent.",
  "mem_used_pct_max": "Greatest value of system.mem_used_pct in the day, percent.",
  "swap_used_avg": "Mean of system.swap_used_bytes in the day, bytes.",
  "swap_used_max": "Greatest value of system.swap_used_bytes in the day, bytes.",
  "net_rx_bytes": "Bytes in the day: the increase behind system.net_rx_bytes_per_sec.",
  "net_rx_per_sec_avg": "Mean of system.net_rx_bytes_per_sec in the day, bytes per second.",
  "net_rx_per_sec_max": "Greatest value of system.net_rx_bytes_per_sec in the day, bytes per second.",
  "net_tx_bytes": "Bytes in the day: the increase behind system.net_tx_bytes_per_sec.",
  "net_tx_per_sec_avg": "Mean of system.net_tx_bytes_per_sec in the day, bytes per second.",
  "net_tx_per_sec_max": "Greatest value of system.net_tx_bytes_per_sec in the day, bytes per second.",
  "sample_count": "Samples in the day."
 },
 "system_metrics_hourly": {
  "bucket": "Start of the hour.",
  "host_id": "The host: collector.hosts.",
  "cpu_user_avg": "Mean of system.cpu_user_pct in the hour, percent.",
  "cpu_user_max": "Greatest value of system.cpu_user_pct in the hour, percent.",
  "cpu_system_avg": "Mean of system.cpu_system_pct in the hour, percent.",
  "cpu_system_max": "Greatest value of system.cpu_system_pct in the hour, percent.",
  "cpu_iowait_avg": "Mean of system.cpu_iowait_pct in the hour, percent.",
  "cpu_iowait_max": "Greatest value of system.cpu_iowait_pct in the hour, percent.",
  "cpu_busy_avg": "Mean of system.cpu_busy_pct in the hour, percent.",
  "cpu_busy_min": "Least value of system.cpu_busy_pct in the hour, percent.",
  "cpu_busy_max": "Greatest value of system.cpu_busy_pct in the hour, percent.",
  "load_1_avg": "Mean of system.load_1 in the hour.",
  "load_1_min": "Least value of system.load_1 in the hour.",
  "load_1_max": "Greatest value of system.load_1 in the hour.",
  "load_5_avg": "Mean of system.load_5 in the hour.",
  "load_5_max": "Greatest value of system.load_5 in the hour.",
  "load_15_avg": "Mean of system.load_15 in the hour.",
  "load_15_max": "Greatest value of system.load_15 in the hour.",
  "mem_total_avg": "Mean of system.mem_total_bytes in the hour, bytes.",
  "mem_used_avg": "Mean of system.mem_used_bytes in the hour, bytes.",
  "mem_used_min": "Least value of system.mem_used_bytes in the hour, bytes.",
  "mem_used_max": "Greatest value of system.mem_used_bytes in the hour, bytes.",
  "mem_available_avg": "Mean of system.mem_available_bytes in the hour, bytes.",
  "mem_available_min": "Least value of system.mem_available_bytes in the hour, bytes.",
  "mem_used_pct_avg": "Mean of system.mem_used_pct in the hour, percent.",
  "mem_used_pct_max": "Greatest value of system.mem_used_pct in the hour, percent.",
  "swap_used_avg": "Mean of system.swap_used_bytes in the hour, bytes.",
  "swap_used_max": "Greatest value of system.swap_used_bytes in the hour, bytes.",
  "net_rx_bytes": "Bytes in the hour: the increase behind system.net_rx_bytes_per_sec.",
  "net_rx_per_sec_avg": "Mean of system.net_rx_bytes_per_sec in the hour, bytes per second.",
  "net_rx_per_sec_max": "Greatest value of system.net_rx_bytes_per_sec in the hour, bytes per second.",
  "net_tx_bytes": "Bytes in the hour: the increase behind system.net_tx_bytes_per_sec.",
  "net_tx_per_sec_avg": "Mean of system.net_tx_bytes_per_sec in the hour, bytes per second.",
  "net_tx_per_sec_max": "Greatest value of system.net_tx_bytes_per_sec in the hour, bytes per second.",
  "sample_count": "Samples in the hour."
 },
 "table_metrics_hourly": {
  "bucket": "Start of the hour.",
  "host_id": "The host: collector.hosts.",
  "key": "Server, database, schema and table, with dots between them.",
  "instance": "Name of the server; NULL where a part of the key contains a dot.",
  "database": "Database; NULL where a part of the key contains a dot.",
  "schema_name": "Schema; NULL where a part of the key contains a dot.",
  "table_name": "Table; NULL where a part of the key contains a dot.",
  "n_live_tup_avg": "Mean of table.n_live_tup in the hour.",
  "n_live_tup_max": "Greatest value of table.n_live_tup in the hour.",
  "n_dead_tup_avg": "Mean of table.n_dead_tup in the hour.",
  "n_dead_tup_max": "Greatest value of table.n_dead_tup in the hour.",
  "n_live_tup_last": "Last value of table.n_live_tup in the hour.",
  "n_dead_tup_last": "Last value of table.n_dead_tup in the hour.",
  "dead_pct_avg": "Mean of table.dead_pct in the hour, percent.",
  "dead_pct_max": "Greatest value of table.dead_pct in the hour, percent.",
  "total_bytes_last": "Last value of table.total_bytes in the hour, bytes.",
  "index_bytes_last": "Last value of table.index_bytes in the hour, bytes.",
  "seq_scan": "Number in the hour: the increase behind table.seq_scan_per_sec.",
  "seq_tup_read": "Number in the hour: the increase behind table.seq_rows_per_sec.",
  "idx_scan": "Number in the hour: the increase behind table.idx_scan_per_sec.",
  "modifications": "Number in the hour: the increase behind table.writes_per_sec.",
  "hot_update_pct_avg": "Mean of table.hot_pct in the hour, percent.",
  "cache_hit_avg": "Mean of table.cache_hit_pct in the hour, percent.",
  "xid_age_pct_max": "Greatest value of table.xid_age_pct in the hour, percent."
 }
}$texts$);
