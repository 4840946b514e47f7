-- What do checkpoints, the background writer and sessions write? One row, PostgreSQL 15.
-- Readable by everybody. The time of the writing phase holds the pauses that spread a checkpoint: it
-- says nothing about the disk. On a standby the counts are of restartpoints.
SELECT extract(epoch FROM stats_reset)::text AS reset, checkpoints_timed, checkpoints_req,
       checkpoint_write_time AS checkpoint_write_ms_total,
       checkpoint_sync_time AS checkpoint_sync_ms_total,
       buffers_checkpoint, buffers_clean, maxwritten_clean,
       buffers_backend, buffers_backend_fsync, buffers_alloc
FROM pg_stat_bgwriter;
