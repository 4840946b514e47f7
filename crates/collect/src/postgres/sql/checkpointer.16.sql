-- What do checkpoints, the background writer and sessions write? One row, PostgreSQL 16.
-- Readable by everybody. Blocks written by sessions come from pg_stat_io, over every kind of process
-- but the two beside: the counter of 16 itself takes an extension by many blocks for one.
SELECT concat_ws('/', extract(epoch FROM b.stats_reset), io.reset) AS reset,
       b.checkpoints_timed, b.checkpoints_req,
       b.checkpoint_write_time AS checkpoint_write_ms_total,
       b.checkpoint_sync_time AS checkpoint_sync_ms_total,
       b.buffers_checkpoint, b.buffers_clean, b.maxwritten_clean,
       io.buffers_backend, b.buffers_backend_fsync, b.buffers_alloc
FROM pg_stat_bgwriter b
CROSS JOIN (SELECT extract(epoch FROM max(stats_reset)) AS reset,
                   coalesce(sum(coalesce(writes, 0) + coalesce(extends, 0)), 0)::int8 AS buffers_backend
            FROM pg_stat_io
            WHERE object = 'relation'
              AND backend_type NOT IN ('checkpointer', 'background writer')) io;
