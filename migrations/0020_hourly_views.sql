-- Hours and days in wide form, under the names and columns that other programs and notes know: one row per bucket and key.
--
-- They are views over metric_hours and metric_days, so there is one figure of each. Columns end in the figure that they show.
-- Amounts are increases over the bucket, resets left out. A latency that is a percentile of a sample is never averaged under
-- the percentile's name: there are the least, the greatest, and the mean of the samples weighted by their requests.

CREATE VIEW collector.system_metrics_hourly AS
SELECT h.bucket, h.host_id,
       max(h.avg) FILTER (WHERE h.metric = 'system.cpu_user_pct') AS cpu_user_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.cpu_user_pct') AS cpu_user_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.cpu_system_pct') AS cpu_system_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.cpu_system_pct') AS cpu_system_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.cpu_iowait_pct') AS cpu_iowait_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.cpu_iowait_pct') AS cpu_iowait_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.cpu_busy_pct') AS cpu_busy_avg,
       max(h.min) FILTER (WHERE h.metric = 'system.cpu_busy_pct') AS cpu_busy_min,
       max(h.max) FILTER (WHERE h.metric = 'system.cpu_busy_pct') AS cpu_busy_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.load_1') AS load_1_avg,
       max(h.min) FILTER (WHERE h.metric = 'system.load_1') AS load_1_min,
       max(h.max) FILTER (WHERE h.metric = 'system.load_1') AS load_1_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.load_5') AS load_5_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.load_5') AS load_5_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.load_15') AS load_15_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.load_15') AS load_15_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.mem_total_bytes') AS mem_total_avg,
       max(h.avg) FILTER (WHERE h.metric = 'system.mem_used_bytes') AS mem_used_avg,
       max(h.min) FILTER (WHERE h.metric = 'system.mem_used_bytes') AS mem_used_min,
       max(h.max) FILTER (WHERE h.metric = 'system.mem_used_bytes') AS mem_used_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.mem_available_bytes') AS mem_available_avg,
       max(h.min) FILTER (WHERE h.metric = 'system.mem_available_bytes') AS mem_available_min,
       max(h.avg) FILTER (WHERE h.metric = 'system.mem_used_pct') AS mem_used_pct_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.mem_used_pct') AS mem_used_pct_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.swap_used_bytes') AS swap_used_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.swap_used_bytes') AS swap_used_max,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'system.net_rx_bytes_per_sec'))::bigint AS net_rx_bytes,
       max(h.avg) FILTER (WHERE h.metric = 'system.net_rx_bytes_per_sec') AS net_rx_per_sec_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.net_rx_bytes_per_sec') AS net_rx_per_sec_max,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'system.net_tx_bytes_per_sec'))::bigint AS net_tx_bytes,
       max(h.avg) FILTER (WHERE h.metric = 'system.net_tx_bytes_per_sec') AS net_tx_per_sec_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.net_tx_bytes_per_sec') AS net_tx_per_sec_max,
       max(h.weight) FILTER (WHERE h.metric = 'system.load_1')::bigint AS sample_count
FROM collector.metrics_hourly h
WHERE h.metric IN ('system.cpu_user_pct', 'system.cpu_system_pct', 'system.cpu_iowait_pct', 'system.cpu_busy_pct',
       'system.load_1', 'system.load_5', 'system.load_15', 'system.mem_total_bytes', 'system.mem_used_bytes',
       'system.mem_available_bytes', 'system.mem_used_pct', 'system.swap_used_bytes', 'system.net_rx_bytes_per_sec',
       'system.net_tx_bytes_per_sec')
GROUP BY h.bucket, h.host_id;
COMMENT ON VIEW collector.system_metrics_hourly IS 'Hours of the host: CPU and used share in percent, memory in bytes, network in bytes.';

CREATE VIEW collector.system_metrics_daily AS
SELECT h.bucket, h.host_id,
       max(h.avg) FILTER (WHERE h.metric = 'system.cpu_user_pct') AS cpu_user_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.cpu_user_pct') AS cpu_user_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.cpu_system_pct') AS cpu_system_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.cpu_system_pct') AS cpu_system_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.cpu_iowait_pct') AS cpu_iowait_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.cpu_iowait_pct') AS cpu_iowait_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.cpu_busy_pct') AS cpu_busy_avg,
       max(h.min) FILTER (WHERE h.metric = 'system.cpu_busy_pct') AS cpu_busy_min,
       max(h.max) FILTER (WHERE h.metric = 'system.cpu_busy_pct') AS cpu_busy_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.load_1') AS load_1_avg,
       max(h.min) FILTER (WHERE h.metric = 'system.load_1') AS load_1_min,
       max(h.max) FILTER (WHERE h.metric = 'system.load_1') AS load_1_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.load_5') AS load_5_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.load_5') AS load_5_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.load_15') AS load_15_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.load_15') AS load_15_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.mem_total_bytes') AS mem_total_avg,
       max(h.avg) FILTER (WHERE h.metric = 'system.mem_used_bytes') AS mem_used_avg,
       max(h.min) FILTER (WHERE h.metric = 'system.mem_used_bytes') AS mem_used_min,
       max(h.max) FILTER (WHERE h.metric = 'system.mem_used_bytes') AS mem_used_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.mem_available_bytes') AS mem_available_avg,
       max(h.min) FILTER (WHERE h.metric = 'system.mem_available_bytes') AS mem_available_min,
       max(h.avg) FILTER (WHERE h.metric = 'system.mem_used_pct') AS mem_used_pct_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.mem_used_pct') AS mem_used_pct_max,
       max(h.avg) FILTER (WHERE h.metric = 'system.swap_used_bytes') AS swap_used_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.swap_used_bytes') AS swap_used_max,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'system.net_rx_bytes_per_sec'))::bigint AS net_rx_bytes,
       max(h.avg) FILTER (WHERE h.metric = 'system.net_rx_bytes_per_sec') AS net_rx_per_sec_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.net_rx_bytes_per_sec') AS net_rx_per_sec_max,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'system.net_tx_bytes_per_sec'))::bigint AS net_tx_bytes,
       max(h.avg) FILTER (WHERE h.metric = 'system.net_tx_bytes_per_sec') AS net_tx_per_sec_avg,
       max(h.max) FILTER (WHERE h.metric = 'system.net_tx_bytes_per_sec') AS net_tx_per_sec_max,
       max(h.weight) FILTER (WHERE h.metric = 'system.load_1')::bigint AS sample_count
FROM collector.metrics_daily h
WHERE h.metric IN ('system.cpu_user_pct', 'system.cpu_system_pct', 'system.cpu_iowait_pct', 'system.cpu_busy_pct',
       'system.load_1', 'system.load_5', 'system.load_15', 'system.mem_total_bytes', 'system.mem_used_bytes',
       'system.mem_available_bytes', 'system.mem_used_pct', 'system.swap_used_bytes', 'system.net_rx_bytes_per_sec',
       'system.net_tx_bytes_per_sec')
GROUP BY h.bucket, h.host_id;
COMMENT ON VIEW collector.system_metrics_daily IS 'Days (UTC) of the host: CPU and used share in percent, memory in bytes, network in bytes.';

CREATE VIEW collector.process_metrics_hourly AS
SELECT h.bucket, h.host_id,
       h.key AS process_name,
       max(h.avg) FILTER (WHERE h.metric = 'process.cpu_pct') AS cpu_pct_avg,
       max(h.max) FILTER (WHERE h.metric = 'process.cpu_pct') AS cpu_pct_max,
       max(h.avg) FILTER (WHERE h.metric = 'process.rss_bytes') AS rss_avg,
       max(h.max) FILTER (WHERE h.metric = 'process.rss_bytes') AS rss_max,
       max(h.avg) FILTER (WHERE h.metric = 'process.fd_count') AS fd_avg,
       max(h.max) FILTER (WHERE h.metric = 'process.fd_count') AS fd_max,
       max(h.avg) FILTER (WHERE h.metric = 'process.thread_count') AS threads_avg,
       max(h.max) FILTER (WHERE h.metric = 'process.thread_count') AS threads_max,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'process.read_bytes_per_sec'))::bigint AS read_bytes,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'process.write_bytes_per_sec'))::bigint AS write_bytes
FROM collector.metrics_hourly h
WHERE h.metric IN ('process.cpu_pct', 'process.rss_bytes', 'process.fd_count', 'process.thread_count',
       'process.read_bytes_per_sec', 'process.write_bytes_per_sec')
GROUP BY h.bucket, h.host_id, h.key;
COMMENT ON VIEW collector.process_metrics_hourly IS 'Hours of processes, summed over those of one name: CPU in percent of a core, memory and input and output in bytes.';

CREATE VIEW collector.api_metrics_hourly AS
SELECT h.bucket, h.host_id,
       h.key AS target,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'api.requests_per_sec'))::bigint AS total_requests,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'api.successful_per_sec'))::bigint AS successful_requests,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'api.failed_per_sec'))::bigint AS failed_requests,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'api.waf_blocked_per_sec'))::bigint AS waf_blocked_requests,
       max(h.avg) FILTER (WHERE h.metric = 'api.requests_per_sec') AS rps_avg,
       max(h.max) FILTER (WHERE h.metric = 'api.requests_per_sec') AS rps_max,
       max(h.avg) FILTER (WHERE h.metric = 'api.error_pct') AS error_rate_avg,
       max(h.max) FILTER (WHERE h.metric = 'api.error_pct') AS error_rate_max,
       max(h.min) FILTER (WHERE h.metric = 'api.avg_ms') AS avg_ms_min,
       max(h.max) FILTER (WHERE h.metric = 'api.avg_ms') AS avg_ms_max,
       max(h.avg) FILTER (WHERE h.metric = 'api.avg_ms_by_requests') AS avg_ms_request_weighted_mean,
       max(h.min) FILTER (WHERE h.metric = 'api.p50_ms') AS p50_ms_min,
       max(h.max) FILTER (WHERE h.metric = 'api.p50_ms') AS p50_ms_max,
       max(h.avg) FILTER (WHERE h.metric = 'api.p50_ms_by_requests') AS p50_ms_request_weighted_mean,
       max(h.min) FILTER (WHERE h.metric = 'api.p95_ms') AS p95_ms_min,
       max(h.max) FILTER (WHERE h.metric = 'api.p95_ms') AS p95_ms_max,
       max(h.avg) FILTER (WHERE h.metric = 'api.p95_ms_by_requests') AS p95_ms_request_weighted_mean,
       max(h.min) FILTER (WHERE h.metric = 'api.p99_ms') AS p99_ms_min,
       max(h.max) FILTER (WHERE h.metric = 'api.p99_ms') AS p99_ms_max,
       max(h.avg) FILTER (WHERE h.metric = 'api.p99_ms_by_requests') AS p99_ms_request_weighted_mean,
       max(h.avg) FILTER (WHERE h.metric = 'api.active_connections') AS active_connections_avg,
       max(h.max) FILTER (WHERE h.metric = 'api.active_connections') AS active_connections_max,
       max(h.avg) FILTER (WHERE h.metric = 'api.db_response_ms') AS db_response_ms_avg,
       max(h.max) FILTER (WHERE h.metric = 'api.db_response_ms') AS db_response_ms_max,
       max(h.avg) FILTER (WHERE h.metric = 'api.cpu_pct') AS cpu_pct_avg,
       max(h.max) FILTER (WHERE h.metric = 'api.cpu_pct') AS cpu_pct_max,
       max(h.avg) FILTER (WHERE h.metric = 'api.memory_bytes') AS memory_avg,
       max(h.max) FILTER (WHERE h.metric = 'api.memory_bytes') AS memory_max
FROM collector.metrics_hourly h
WHERE h.metric IN ('api.requests_per_sec', 'api.successful_per_sec', 'api.failed_per_sec', 'api.waf_blocked_per_sec',
       'api.error_pct', 'api.avg_ms', 'api.avg_ms_by_requests', 'api.p50_ms', 'api.p50_ms_by_requests',
       'api.p95_ms', 'api.p95_ms_by_requests', 'api.p99_ms', 'api.p99_ms_by_requests', 'api.active_connections',
       'api.db_response_ms', 'api.cpu_pct', 'api.memory_bytes')
GROUP BY h.bucket, h.host_id, h.key;
COMMENT ON VIEW collector.api_metrics_hourly IS 'Hours of APIs. Requests are counted over resets; those that a firewall blocked are apart from those that failed, and error_rate (percent) leaves them out.';

CREATE VIEW collector.db_metrics_hourly AS
SELECT h.bucket, h.host_id,
       h.key AS instance,
       max(h.avg) FILTER (WHERE h.metric = 'db.conn_total') AS conn_total_avg,
       max(h.max) FILTER (WHERE h.metric = 'db.conn_total') AS conn_total_max,
       max(h.avg) FILTER (WHERE h.metric = 'db.conn_active') AS conn_active_avg,
       max(h.max) FILTER (WHERE h.metric = 'db.conn_active') AS conn_active_max,
       max(h.avg) FILTER (WHERE h.metric = 'db.conn_idle') AS conn_idle_avg,
       max(h.max) FILTER (WHERE h.metric = 'db.conn_idle') AS conn_idle_max,
       max(h.avg) FILTER (WHERE h.metric = 'db.conn_idle_in_xact') AS conn_idle_in_xact_avg,
       max(h.max) FILTER (WHERE h.metric = 'db.conn_idle_in_xact') AS conn_idle_in_xact_max,
       max(h.avg) FILTER (WHERE h.metric = 'db.conn_waiting') AS conn_waiting_avg,
       max(h.max) FILTER (WHERE h.metric = 'db.conn_waiting') AS conn_waiting_max,
       max(h.avg) FILTER (WHERE h.metric = 'db.conn_max') AS conn_max_avg,
       max(h.avg) FILTER (WHERE h.metric = 'db.cache_hit_pct') AS cache_hit_avg,
       max(h.min) FILTER (WHERE h.metric = 'db.cache_hit_pct') AS cache_hit_min,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'db.xact_commit_per_sec'))::bigint AS xact_commit,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'db.xact_rollback_per_sec'))::bigint AS xact_rollback,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'db.deadlocks_per_sec'))::bigint AS deadlocks,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'db.temp_bytes_per_sec'))::bigint AS temp_bytes,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'db.tup_returned_per_sec'))::bigint AS tup_returned,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'db.tup_fetched_per_sec'))::bigint AS tup_fetched,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'db.tup_written_per_sec'))::bigint AS tup_written,
       max(h.avg) FILTER (WHERE h.metric = 'db.slow_queries') AS slow_queries_avg,
       max(h.max) FILTER (WHERE h.metric = 'db.slow_queries') AS slow_queries_max,
       max(h.max) FILTER (WHERE h.metric = 'db.longest_query_secs') AS longest_query_secs_max
FROM collector.metrics_hourly h
WHERE h.metric IN ('db.conn_total', 'db.conn_active', 'db.conn_idle', 'db.conn_idle_in_xact', 'db.conn_waiting', 'db.conn_max',
       'db.cache_hit_pct', 'db.xact_commit_per_sec', 'db.xact_rollback_per_sec', 'db.deadlocks_per_sec',
       'db.temp_bytes_per_sec', 'db.tup_returned_per_sec', 'db.tup_fetched_per_sec', 'db.tup_written_per_sec',
       'db.slow_queries', 'db.longest_query_secs')
GROUP BY h.bucket, h.host_id, h.key;
COMMENT ON VIEW collector.db_metrics_hourly IS 'Hours of PostgreSQL servers: sessions, cache hits in percent, and what happened in the hour, counted over resets.';

CREATE VIEW collector.table_metrics_hourly AS
SELECT h.bucket, h.host_id,
       h.key,
       CASE WHEN cardinality(string_to_array(h.key, '.')) = 4 THEN split_part(h.key, '.', 1) END AS instance,
       CASE WHEN cardinality(string_to_array(h.key, '.')) = 4 THEN split_part(h.key, '.', 2) END AS database,
       CASE WHEN cardinality(string_to_array(h.key, '.')) = 4 THEN split_part(h.key, '.', 3) END AS schema_name,
       CASE WHEN cardinality(string_to_array(h.key, '.')) = 4 THEN split_part(h.key, '.', 4) END AS table_name,
       max(h.avg) FILTER (WHERE h.metric = 'table.n_live_tup') AS n_live_tup_avg,
       max(h.max) FILTER (WHERE h.metric = 'table.n_live_tup') AS n_live_tup_max,
       max(h.avg) FILTER (WHERE h.metric = 'table.n_dead_tup') AS n_dead_tup_avg,
       max(h.max) FILTER (WHERE h.metric = 'table.n_dead_tup') AS n_dead_tup_max,
       max(h.last) FILTER (WHERE h.metric = 'table.n_live_tup') AS n_live_tup_last,
       max(h.last) FILTER (WHERE h.metric = 'table.n_dead_tup') AS n_dead_tup_last,
       max(h.avg) FILTER (WHERE h.metric = 'table.dead_pct') AS dead_pct_avg,
       max(h.max) FILTER (WHERE h.metric = 'table.dead_pct') AS dead_pct_max,
       max(h.last) FILTER (WHERE h.metric = 'table.total_bytes') AS total_bytes_last,
       max(h.last) FILTER (WHERE h.metric = 'table.index_bytes') AS index_bytes_last,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'table.seq_scan_per_sec'))::bigint AS seq_scan,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'table.seq_rows_per_sec'))::bigint AS seq_tup_read,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'table.idx_scan_per_sec'))::bigint AS idx_scan,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'table.writes_per_sec'))::bigint AS modifications,
       max(h.avg) FILTER (WHERE h.metric = 'table.hot_pct') AS hot_update_pct_avg,
       max(h.avg) FILTER (WHERE h.metric = 'table.cache_hit_pct') AS cache_hit_avg,
       max(h.max) FILTER (WHERE h.metric = 'table.xid_age_pct') AS xid_age_pct_max
FROM collector.metrics_hourly h
WHERE h.metric IN ('table.n_live_tup', 'table.n_dead_tup', 'table.dead_pct', 'table.total_bytes', 'table.index_bytes',
       'table.seq_scan_per_sec', 'table.seq_rows_per_sec', 'table.idx_scan_per_sec', 'table.writes_per_sec',
       'table.hot_pct', 'table.cache_hit_pct', 'table.xid_age_pct')
GROUP BY h.bucket, h.host_id, h.key;
COMMENT ON VIEW collector.table_metrics_hourly IS 'Hours of tables. The parts of a key are NULL where one of them contains a dot; the key is whole.';

CREATE VIEW collector.io_metrics_hourly AS
SELECT h.bucket, h.host_id,
       regexp_replace(h.key, '\.[^.]*$', '') AS instance,
       substring(h.key FROM '[^.]*$') AS backend_type,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'io.read_bytes_per_sec'))::bigint AS read_bytes,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'io.write_bytes_per_sec'))::bigint AS write_bytes,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'io.extend_bytes_per_sec'))::bigint AS extend_bytes,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'io.hits_per_sec'))::bigint AS hits,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'io.evictions_per_sec'))::bigint AS evictions,
       round(max(h.avg * h.weight) FILTER (WHERE h.metric = 'io.fsyncs_per_sec'))::bigint AS fsyncs,
       max(h.avg * h.weight * 10.0) FILTER (WHERE h.metric = 'io.read_pct') AS read_time_ms,
       max(h.avg * h.weight * 10.0) FILTER (WHERE h.metric = 'io.write_pct') AS write_time_ms,
       max(h.avg) FILTER (WHERE h.metric = 'io.read_ms') AS read_ms_avg,
       max(h.max) FILTER (WHERE h.metric = 'io.read_ms') AS read_ms_max,
       max(h.avg) FILTER (WHERE h.metric = 'io.write_ms') AS write_ms_avg,
       max(h.max) FILTER (WHERE h.metric = 'io.write_ms') AS write_ms_max
FROM collector.metrics_hourly h
WHERE h.metric IN ('io.read_bytes_per_sec', 'io.write_bytes_per_sec', 'io.extend_bytes_per_sec', 'io.hits_per_sec',
       'io.evictions_per_sec', 'io.fsyncs_per_sec', 'io.read_pct', 'io.write_pct', 'io.read_ms', 'io.write_ms')
GROUP BY h.bucket, h.host_id, h.key;
COMMENT ON VIEW collector.io_metrics_hourly IS 'Hours of input and output of PostgreSQL servers by kind of process, counted over resets; times in milliseconds.';
