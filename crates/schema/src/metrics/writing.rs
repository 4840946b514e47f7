//! What a PostgreSQL server writes: checkpoints, buffers, WAL and its archive.

use crate::{Better, Levels, Metric, Scoring, Unit};

use super::db::{BASE, SERVER};

/// Checkpoints, buffers, WAL and its archive.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "checkpoints_timed_per_hour",
        label: "Timed checkpoints per hour",
        unit: Unit::Count,
        series: SERVER.rate_times("checkpoints_timed", 3600.0),
        what: "Checkpoints because checkpoint_timeout passed, per hour; restartpoints on a standby.",
        how: "Change in pg_stat_checkpointer counters, pg_stat_bgwriter before 17.",
        ..BASE
    },
    Metric {
        name: "checkpoints_req_per_hour",
        label: "Requested checkpoints per hour",
        unit: Unit::Count,
        series: SERVER.rate_times("checkpoints_req", 3600.0),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 4.0 },
        what: "Checkpoints because WAL reached max_wal_size, or on request, per hour.",
        how: "Change in pg_stat_checkpointer counters, pg_stat_bgwriter before 17.",
        ..BASE
    },
    Metric {
        name: "checkpoints_req_pct",
        label: "Requested checkpoint share",
        unit: Unit::Percent,
        series: SERVER.percent(
            "checkpoints_req",
            "checkpoints_timed + checkpoints_req",
            4.0,
        ),
        better: Better::Lower,
        levels: Some(Levels::warn(50.0)),
        evaluated_over_secs: 3600,
        confirm_secs: 0,
        counts_events: true,
        what: "Requested checkpoints as a share of all.",
        how: "Change over an hour; no value below four checkpoints. When most come early, max_wal_size is too small; half is our own choice.",
        fix: "Raise max_wal_size until most checkpoints are timed ones.",
        ..BASE
    },
    Metric {
        name: "checkpoint_write_pct",
        label: "Checkpoint write time",
        unit: Unit::Percent,
        series: SERVER.rate_times("checkpoint_write_ms_total", 0.1),
        scoring: Scoring::Scored { least: 20.0 },
        what: "Share of the time in the writing phase of checkpoints, pauses included: not a measure of the disk.",
        how: "Change in pg_stat_checkpointer counters, pg_stat_bgwriter before 17.",
        ..BASE
    },
    Metric {
        name: "checkpoint_sync_pct",
        label: "Checkpoint sync time",
        unit: Unit::Percent,
        series: SERVER.rate_times("checkpoint_sync_ms_total", 0.1),
        better: Better::Lower,
        what: "Share of the time in the sync phase of checkpoints: slow disks show here.",
        how: "Change in pg_stat_checkpointer counters, pg_stat_bgwriter before 17.",
        ..BASE
    },
    Metric {
        name: "buffers_checkpoint_per_sec",
        label: "Buffers written by checkpoints",
        unit: Unit::PerSec,
        series: SERVER.rate("buffers_checkpoint"),
        what: "Buffers written by checkpoints per second.",
        how: "Change in pg_stat_checkpointer counters, pg_stat_bgwriter before 17.",
        ..BASE
    },
    Metric {
        name: "buffers_clean_per_sec",
        label: "Buffers written by the background writer",
        unit: Unit::PerSec,
        series: SERVER.rate("buffers_clean"),
        what: "Buffers written by the background writer per second.",
        how: "Change in pg_stat_bgwriter counters.",
        ..BASE
    },
    Metric {
        name: "buffers_backend_per_sec",
        label: "Buffers written by sessions",
        unit: Unit::PerSec,
        series: SERVER.rate("buffers_backend"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 50.0 },
        what: "Buffers per second that sessions had to write themselves.",
        how: "Change in pg_stat_bgwriter counters, of pg_stat_io from 16 on: every process but checkpointer and background writer.",
        ..BASE
    },
    Metric {
        name: "buffers_alloc_per_sec",
        label: "Buffers allocated",
        unit: Unit::PerSec,
        series: SERVER.rate("buffers_alloc"),
        what: "Buffers allocated per second.",
        how: "Change in pg_stat_bgwriter counters.",
        ..BASE
    },
    Metric {
        name: "maxwritten_clean_per_sec",
        label: "Background writer limit hits",
        unit: Unit::PerSec,
        series: SERVER.rate("maxwritten_clean"),
        better: Better::Lower,
        what: "Times per second the background writer stopped a round because it reached bgwriter_lru_maxpages.",
        how: "Change in pg_stat_bgwriter counters.",
        ..BASE
    },
    Metric {
        name: "backend_fsyncs_per_sec",
        label: "Fsyncs by sessions",
        unit: Unit::PerSec,
        series: SERVER.rate("buffers_backend_fsync"),
        better: Better::Lower,
        levels: Some(Levels::warn(0.000001)),
        evaluated_over_secs: 600,
        confirm_secs: 0,
        counts_events: true,
        scoring: Scoring::Unscored(Scoring::EVENTS),
        what: "Fsyncs per second that sessions made themselves, as the checkpointer's queue was full.",
        how: "Change over ten minutes. Healthy servers show none.",
        fix: "The disk does not keep up with checkpoints: see Disk busy, spread them with checkpoint_timeout and max_wal_size.",
        ..BASE
    },
    Metric {
        name: "wal_bytes_per_sec",
        label: "WAL written",
        unit: Unit::BytesPerSec,
        series: SERVER.rate("wal_bytes"),
        scoring: Scoring::Scored { least: 262_144.0 },
        what: "Bytes of WAL written per second.",
        how: "Change in pg_stat_wal counters.",
        ..BASE
    },
    Metric {
        name: "wal_records_per_sec",
        label: "WAL records",
        unit: Unit::PerSec,
        series: SERVER.rate("wal_records"),
        what: "Records of WAL per second.",
        how: "Change in pg_stat_wal counters.",
        ..BASE
    },
    Metric {
        name: "wal_fpi_per_sec",
        label: "Full-page images",
        unit: Unit::PerSec,
        series: SERVER.rate("wal_fpi"),
        better: Better::Lower,
        what: "Full-page images in WAL per second: most follow a checkpoint.",
        how: "Change in pg_stat_wal counters.",
        ..BASE
    },
    Metric {
        name: "wal_buffers_full_per_sec",
        label: "WAL buffers full",
        unit: Unit::PerSec,
        series: SERVER.rate("wal_buffers_full"),
        better: Better::Lower,
        what: "Times per second that WAL was written because its buffers were full.",
        how: "Change in pg_stat_wal counters.",
        ..BASE
    },
    Metric {
        name: "wal_write_per_sec",
        label: "WAL writes",
        unit: Unit::PerSec,
        series: SERVER.rate("wal_write"),
        what: "Writes of WAL per second.",
        how: "Change in pg_stat_wal counters, of pg_stat_io from 18 on.",
        ..BASE
    },
    Metric {
        name: "wal_sync_per_sec",
        label: "WAL syncs",
        unit: Unit::PerSec,
        series: SERVER.rate("wal_sync"),
        what: "Syncs of WAL per second.",
        how: "Change in pg_stat_wal counters, of pg_stat_io from 18 on.",
        ..BASE
    },
    Metric {
        name: "wal_write_ms",
        label: "WAL write time",
        unit: Unit::Ms,
        series: SERVER.mean("wal_write_ms_total", "wal_write", 0.0),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 2.0 },
        what: "Mean time of a write of WAL. No value without track_wal_io_timing.",
        how: "Change in the write time over change in the writes.",
        ..BASE
    },
    Metric {
        name: "wal_sync_ms",
        label: "WAL sync time",
        unit: Unit::Ms,
        series: SERVER.mean("wal_sync_ms_total", "wal_sync", 0.0),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 5.0 },
        what: "Mean time of a sync of WAL: what a commit waits for. No value without track_wal_io_timing.",
        how: "Change in the sync time over change in the syncs.",
        ..BASE
    },
    Metric {
        name: "archived_per_hour",
        label: "Segments archived per hour",
        unit: Unit::Count,
        series: SERVER.rate_times("archived_total", 3600.0),
        what: "Segments of WAL archived per hour.",
        how: "Change in pg_stat_archiver counters.",
        ..BASE
    },
    Metric {
        name: "archive_failing",
        label: "WAL archiving failing",
        unit: Unit::Bool,
        series: SERVER.level("archive_failing::int::float8"),
        better: Better::Lower,
        levels: Some(Levels::critical(1.0)),
        evaluated_over_secs: 300,
        confirm_secs: 60,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether the newest attempt to archive failed: 1 yes, 0 no. No value when archiving is off.",
        how: "pg_stat_archiver; critical when it failed for five minutes, as WAL stays until it succeeds.",
        fix: "The server's log has the output of archive_command; watch the space of pg_wal meanwhile.",
        ..BASE
    },
];
