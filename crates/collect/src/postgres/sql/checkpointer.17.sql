-- What do checkpoints, the background writer and sessions write? One row, PostgreSQL 17.
-- Readable by everybody. Checkpoints have a view of their own, with restartpoints apart: added, as the
-- releases before counted them together. What sessions wrote comes from pg_stat_io, in blocks.
SELECT concat_ws('/', extract(epoch FROM b.stats_reset), extract(epoch FROM c.stats_reset), io.reset) AS reset,
       c.num_timed + c.restartpoints_timed AS checkpoints_timed,
       c.num_requested + c.restartpoints_req AS checkpoints_req,
       c.write_time AS checkpoint_write_ms_total,
       c.sync_time AS checkpoint_sync_ms_total,
       c.buffers_written AS buffers_checkpoint, b.buffers_clean, b.maxwritten_clean,
       io.buffers_backend, io.buffers_backend_fsync, b.buffers_alloc
FROM pg_stat_checkpointer c
CROSS JOIN pg_stat_bgwriter b
CROSS JOIN (SELECT extract(epoch FROM max(stats_reset)) AS reset,
                   coalesce(sum(coalesce(writes, 0) + coalesce(extends, 0)), 0)::int8 AS buffers_backend,
                   coalesce(sum(fsyncs), 0)::int8 AS buffers_backend_fsync
            FROM pg_stat_io
            WHERE object = 'relation'
              AND backend_type NOT IN ('checkpointer', 'background writer')) io;
