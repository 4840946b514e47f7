use crate::{Timestamp, metric_table};

metric_table! {
    /// One row per user table and slow tick. pg_stat_user_tables, pg_statio_user_tables, pg_class.
    pub struct TableSample => "table_metrics_raw" { class: Bulk, rollup: true, keep: Raw, every: Slow, sealed: true;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// Its database.
        database: String [Key None],
        /// Its schema.
        schema_name: String [Key None],
        /// Its name.
        table_name: String [Key None],
        /// Changes with every reset of these counters; steps across a change are unknown.
        epoch: String [Detail None],
        /// Heap, indexes and TOAST, from `relpages`: as of the last vacuum or analyze. Where there was
        /// none, or many rows came since, from the files; NULL while these are locked.
        total_bytes: Option<i64> [Gauge Bytes],
        /// Indexes alone.
        index_bytes: Option<i64> [Gauge Bytes],
        /// TOAST alone.
        toast_bytes: Option<i64> [Gauge Bytes],
        /// Live rows, estimated.
        n_live_tup: Option<i64> [Gauge Count],
        /// Dead rows, estimated; NULL for a partitioned table: its partitions have them.
        n_dead_tup: Option<i64> [Gauge Count],
        /// Dead rows at which autovacuum comes, by the table's own settings.
        vacuum_threshold: Option<f64> [Gauge Count],
        /// Whether autovacuum serves this table.
        autovacuum_enabled: Option<bool> [Detail Bool],
        /// Rows changed since the last analyze.
        n_mod_since_analyze: Option<i64> [Gauge Count],
        /// Rows inserted since the last vacuum.
        n_ins_since_vacuum: Option<i64> [Gauge Count],
        /// Age of `relfrozenxid` in transactions.
        xid_age: Option<i64> [Gauge Count],
        /// Sequential scans.
        seq_scan: Option<i64> [Counter Count],
        /// Rows read by them.
        seq_tup_read: Option<i64> [Counter Count],
        /// Index scans.
        idx_scan: Option<i64> [Counter Count],
        /// Rows fetched by them.
        idx_tup_fetch: Option<i64> [Counter Count],
        /// Rows inserted.
        n_tup_ins: Option<i64> [Counter Count],
        /// Rows updated.
        n_tup_upd: Option<i64> [Counter Count],
        /// Rows deleted.
        n_tup_del: Option<i64> [Counter Count],
        /// Rows updated in place (HOT).
        n_tup_hot_upd: Option<i64> [Counter Count],
        /// Heap blocks asked of the kernel.
        heap_blks_read: Option<i64> [Counter Count],
        /// Heap blocks found in shared buffers.
        heap_blks_hit: Option<i64> [Counter Count],
        /// Index blocks asked of the kernel.
        idx_blks_read: Option<i64> [Counter Count],
        /// Index blocks found in shared buffers.
        idx_blks_hit: Option<i64> [Counter Count],
        /// Vacuums by hand.
        vacuum_count: Option<i64> [Counter Count],
        /// Vacuums by autovacuum.
        autovacuum_count: Option<i64> [Counter Count],
        /// Analyzes by autovacuum.
        autoanalyze_count: Option<i64> [Counter Count],
        /// The last vacuum by hand.
        last_vacuum: Option<Timestamp> [Detail Time],
        /// The last vacuum by autovacuum.
        last_autovacuum: Option<Timestamp> [Detail Time],
        /// The last analyze by hand.
        last_analyze: Option<Timestamp> [Detail Time],
        /// The last analyze by autovacuum.
        last_autoanalyze: Option<Timestamp> [Detail Time],
        /// The last sequential scan; from 16 on.
        last_seq_scan: Option<Timestamp> [Detail Time],
        /// The last index scan; from 16 on.
        last_idx_scan: Option<Timestamp> [Detail Time],
        /// Schema and name of the partitioned table it is a part of, the root; NULL for a table
        /// that is not a partition.
        partition_of: Option<String> [Detail None],
        /// Partitions of a partitioned table, whose sizes and rows it has; NULL for others.
        partitions: Option<i64> [Detail Count],
    }
}

metric_table! {
    /// One row per user index and slow tick. pg_stat_user_indexes, pg_index.
    pub struct IndexSample => "index_metrics_raw" { class: Bulk, rollup: true, keep: Raw, every: Slow, sealed: true;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// Its database.
        database: String [Key None],
        /// Its schema.
        schema_name: String [Key None],
        /// Its table.
        table_name: String [Key None],
        /// Its name.
        index_name: String [Key None],
        /// Changes with every reset of these counters; steps across a change are unknown.
        epoch: String [Detail None],
        /// Size, from `relpages` or, as the sizes of tables, from the files.
        size_bytes: Option<i64> [Gauge Bytes],
        /// Scans.
        idx_scan: Option<i64> [Counter Count],
        /// Entries read.
        idx_tup_read: Option<i64> [Counter Count],
        /// Rows fetched.
        idx_tup_fetch: Option<i64> [Counter Count],
        /// Blocks asked of the kernel.
        idx_blks_read: Option<i64> [Counter Count],
        /// Blocks found in shared buffers.
        idx_blks_hit: Option<i64> [Counter Count],
        /// Since when scans are counted, at least: the last reset of the database or of the whole server.
        counted_since: Option<Timestamp> [Detail Time],
        /// The last scan; from 16 on.
        last_idx_scan: Option<Timestamp> [Detail Time],
        /// Whether it is unique.
        is_unique: bool [Detail Bool],
        /// Whether it must stay although it is not scanned: it backs a constraint, is unique, the
        /// replica identity, or part of a partitioned index.
        is_needed: bool [Detail Bool],
        /// Whether queries can use it. An index that failed to build is not valid.
        is_valid: bool [Detail Bool],
        /// The statement that makes it, cut to 1000 characters; empty while its table is locked.
        definition: String [Detail Text],
        /// Schema and name of the index it is a part of, that of the root table; NULL for an
        /// index that is not.
        partition_of: Option<String> [Detail None],
    }
}

metric_table! {
    /// An index, when a session of our agent meets it first: since when it is there, at least. One that is
    /// made anew or gets another name is another one.
    pub struct IndexSighting => "index_sightings" { class: Core, rollup: false, keep: Long, every: Slow;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// Its database.
        database: String [Key None],
        /// Its schema.
        schema_name: String [Key None],
        /// Its name.
        index_name: String [Key None],
        /// Identifier of the relation.
        relation: i64 [Key None],
    }
}
