//! A PostgreSQL server as a whole: whether it answers, its sessions, its ages, its traffic.

use crate::tables::{DatabaseSample, DbSample};
use crate::{Better, Capacity, Domain, Levels, Limit, Metric, Sample, Scoring, Source, Unit};

pub(super) const SERVER: Source = Source::new(DbSample::TABLE).identity("epoch");
/// Summed over the databases of a server.
const DATABASES: Source = Source::new(DatabaseSample::TABLE).identity("database, epoch");

/// Percent of all transaction IDs: autovacuum freezes tables at 9.3 percent by default, whatever the growth is. What is older
/// by a third, autovacuum did not take back.
const BEYOND_FREEZING: f64 = 12.5;

/// The common fields of the metrics here, unless overridden.
pub(super) const BASE: Metric = Metric::base(Domain::Db, SERVER, Some("instance"));

/// Sessions, ages and traffic.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "up",
        label: "PostgreSQL reachable",
        unit: Unit::Bool,
        series: SERVER.level("up::int::float8"),
        better: Better::Higher,
        levels: Some(Levels::critical(0.0)),
        confirm_secs: 10,
        evaluated_over_secs: 60,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether the server accepted the connection and answered: 1 yes, 0 no.",
        how: "Each tick; critical when it did not answer at two ticks in a row, so that a quick restart raises nothing.",
        fix: "Is it running, may the role connect, is max_connections reached?",
        ..BASE
    },
    Metric {
        name: "answer_ms",
        label: "Collection time",
        unit: Unit::Ms,
        series: SERVER.level("duration_ms"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 20.0 },
        what: "Time the queries of a tick took, connecting included.",
        how: "Monotonic clock around them.",
        ..BASE
    },
    Metric {
        name: "conn_total",
        label: "Connections",
        unit: Unit::Count,
        series: SERVER.level("conn_total"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 5.0 },
        what: "Client sessions, without the collector's own.",
        how: "pg_stat_activity.",
        ..BASE
    },
    Metric {
        name: "conn_active",
        label: "Active sessions",
        unit: Unit::Count,
        series: SERVER.level("conn_active"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 3.0 },
        what: "Client sessions that run a statement.",
        how: "pg_stat_activity.",
        ..BASE
    },
    Metric {
        name: "conn_idle",
        label: "Idle sessions",
        unit: Unit::Count,
        series: SERVER.level("conn_idle"),
        what: "Client sessions that wait for their client outside a transaction.",
        how: "pg_stat_activity.",
        ..BASE
    },
    Metric {
        name: "conn_idle_in_xact",
        label: "Idle in transaction",
        unit: Unit::Count,
        series: SERVER.level("conn_idle_in_xact"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 2.0 },
        what: "Sessions that wait for their client inside a transaction: they hold locks and hold back vacuum.",
        how: "pg_stat_activity.",
        ..BASE
    },
    Metric {
        name: "conn_waiting",
        label: "Sessions waiting for a lock",
        unit: Unit::Count,
        series: SERVER.level("conn_waiting"),
        better: Better::Lower,
        levels: Some(Levels::new(1.0, 5.0)),
        evaluated_over_secs: 60,
        confirm_secs: 30,
        what: "Client sessions that wait for a lock.",
        how: "pg_stat_activity, averaged over a minute. Thresholds: the usual 1 and 5.",
        fix: "The blocking tree under PostgreSQL shows the session at the root; end it with pg_terminate_backend when its transaction may be rolled back.",
        ..BASE
    },
    Metric {
        name: "conn_max",
        label: "Connection limit",
        unit: Unit::Count,
        series: SERVER.level("conn_max"),
        scoring: Scoring::Unscored(Scoring::SETTING),
        what: "max_connections.",
        how: "pg_settings.",
        ..BASE
    },
    Metric {
        name: "conn_used_pct",
        label: "Connections used",
        unit: Unit::Percent,
        series: SERVER
            .level("100.0 * conn_total / nullif(conn_max - coalesce(conn_reserved, 0), 0)"),
        better: Better::Lower,
        levels: Some(Levels::new(80.0, 95.0)),
        evaluated_over_secs: 60,
        capacity: Capacity::full("clients are rejected"),
        what: "Client sessions as a share of the connections available to them.",
        how: "pg_stat_activity over max_connections less the reserved ones. 80 percent is the usual warning; at 95 a burst is rejected.",
        fix: "See who holds them; a connection pool costs less than a higher max_connections.",
        ..BASE
    },
    Metric {
        name: "conn_hidden",
        label: "Hidden sessions",
        unit: Unit::Count,
        series: SERVER.level("conn_hidden"),
        better: Better::Lower,
        scoring: Scoring::Unscored(Scoring::SETTING),
        what: "Sessions our role may not see; above 0 the other counts are unknown.",
        how: "pg_stat_activity.",
        ..BASE
    },
    Metric {
        name: "slow_queries",
        label: "Slow statements",
        unit: Unit::Count,
        series: SERVER.level("slow_queries"),
        better: Better::Lower,
        levels: Some(Levels::new(1.0, 5.0)),
        evaluated_over_secs: 60,
        confirm_secs: 10,
        scoring: Scoring::Scored { least: 1.0 },
        capacity: Capacity::critical("sessions pile up"),
        what: "Statements that have been running for more than five seconds.",
        how: "pg_stat_activity, averaged over a minute. Thresholds: the usual 1 and 5.",
        fix: "See them among the sessions under PostgreSQL; what blocks them is in the blocking tree.",
        ..BASE
    },
    Metric {
        name: "longest_query_secs",
        label: "Longest-running statement",
        unit: Unit::Secs,
        series: SERVER.level("longest_query_secs"),
        better: Better::Lower,
        levels: Some(Levels::warn(30.0)),
        evaluated_over_secs: 60,
        confirm_secs: 0,
        what: "Age of the oldest running statement of a client.",
        how: "pg_stat_activity, averaged over a minute. 30 s is long for a service; reports and backups take longer.",
        fix: "See it among the sessions under PostgreSQL; pg_cancel_backend ends a statement.",
        ..BASE
    },
    Metric {
        name: "oldest_xact_secs",
        label: "Oldest transaction",
        unit: Unit::Secs,
        series: SERVER.level("oldest_xact_secs"),
        better: Better::Lower,
        levels: Some(Levels::new(600.0, 3600.0)),
        evaluated_over_secs: 60,
        confirm_secs: 0,
        what: "Age of the oldest open transaction of a client: vacuum removes nothing that died since.",
        how: "pg_stat_activity. Ten minutes and an hour are our own choice.",
        fix: "Find it among the sessions under PostgreSQL; set idle_in_transaction_session_timeout.",
        ..BASE
    },
    Metric {
        name: "oldest_idle_in_xact_secs",
        label: "Longest idle in transaction",
        unit: Unit::Secs,
        series: SERVER.level("oldest_idle_in_xact_secs"),
        better: Better::Lower,
        levels: Some(Levels::new(300.0, 1800.0)),
        evaluated_over_secs: 60,
        confirm_secs: 0,
        what: "Longest time a session has been idle inside a transaction.",
        how: "pg_stat_activity. Five minutes and half an hour are our own choice: no service request pauses that long.",
        fix: "The client forgot to commit: fix it, and set idle_in_transaction_session_timeout.",
        ..BASE
    },
    Metric {
        name: "oldest_xmin_age",
        label: "Oldest snapshot",
        unit: Unit::Count,
        series: SERVER.level("oldest_xmin_age"),
        better: Better::Lower,
        scoring: Scoring::Unscored(Scoring::GROWS),
        what: "Transactions since the oldest snapshot: vacuum removes nothing younger.",
        how: "backend_xmin of sessions, slots and prepared transactions.",
        ..BASE
    },
    Metric {
        name: "wraparound_pct",
        label: "Transaction IDs used",
        unit: Unit::Percent,
        series: SERVER.level("wraparound_pct"),
        better: Better::Lower,
        levels: Some(Levels::new(25.0, 75.0)),
        evaluated_over_secs: 300,
        confirm_secs: 0,
        scoring: Scoring::Unscored(Scoring::GROWS),
        capacity: Capacity::Bounded {
            limit: Limit::Full(100.0),
            from: Some(BEYOND_FREEZING),
            then: "the server accepts no more writes",
        },
        what: "Age of the oldest unfrozen transaction as a share of all IDs.",
        how: "pg_database; autovacuum starts at 9 percent, so 25 means that it does not keep up. At 75 its failsafe starts; before 100 the server stops accepting writes.",
        fix: "VACUUM (FREEZE) the oldest tables by hand; see what holds the oldest snapshot.",
        ..BASE
    },
    Metric {
        name: "multixact_wraparound_pct",
        label: "Multixact IDs used",
        unit: Unit::Percent,
        series: SERVER.level("multixact_wraparound_pct"),
        better: Better::Lower,
        levels: Some(Levels::new(25.0, 75.0)),
        evaluated_over_secs: 300,
        confirm_secs: 0,
        scoring: Scoring::Unscored(Scoring::GROWS),
        capacity: Capacity::Bounded {
            limit: Limit::Full(100.0),
            from: Some(BEYOND_FREEZING),
            then: "the server accepts no more writes",
        },
        what: "Age of the oldest multixact as a share of all IDs.",
        how: "pg_database; thresholds as for transaction IDs.",
        fix: "VACUUM (FREEZE) the oldest tables by hand; long transactions with row locks make them.",
        ..BASE
    },
    Metric {
        name: "prepared_xacts",
        label: "Prepared transactions",
        unit: Unit::Count,
        series: SERVER.level("prepared_xacts"),
        better: Better::Lower,
        scoring: Scoring::Unscored(Scoring::SETTING),
        what: "Prepared transactions that are still open.",
        how: "pg_prepared_xacts.",
        ..BASE
    },
    Metric {
        name: "in_recovery",
        label: "Standby",
        unit: Unit::Bool,
        series: SERVER.level("in_recovery::int::float8"),
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether it is a standby: 1 yes, 0 no.",
        how: "pg_is_in_recovery().",
        ..BASE
    },
    Metric {
        name: "xact_commit_per_sec",
        label: "Commits",
        unit: Unit::PerSec,
        series: DATABASES.rate("xact_commit"),
        scoring: Scoring::Scored { least: 5.0 },
        what: "Transactions committed per second, all databases.",
        how: "Change in pg_stat_database counters.",
        ..BASE
    },
    Metric {
        name: "xact_rollback_per_sec",
        label: "Rollbacks",
        unit: Unit::PerSec,
        series: DATABASES.rate("xact_rollback"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 1.0 },
        what: "Transactions rolled back per second, all databases.",
        how: "Change in pg_stat_database counters.",
        ..BASE
    },
    Metric {
        name: "rollback_pct",
        label: "Rollback ratio",
        unit: Unit::Percent,
        series: DATABASES.percent("xact_rollback", "xact_commit + xact_rollback", 0.0),
        better: Better::Lower,
        what: "Rollbacks as a share of all transactions.",
        how: "Change in the rollbacks of pg_stat_database over change in commits and rollbacks.",
        ..BASE
    },
    Metric {
        name: "cache_hit_pct",
        label: "Cache hit ratio",
        unit: Unit::Percent,
        series: DATABASES.percent("blks_hit", "blks_hit + blks_read", 10000.0),
        better: Better::Higher,
        levels: Some(Levels::new(97.0, 90.0)),
        evaluated_over_secs: 600,
        confirm_secs: 600,
        scoring: Scoring::Scored { least: 2.0 },
        capacity: Capacity::critical("reads wait for the disk"),
        what: "Blocks found in shared buffers as a share of those requested.",
        how: "Change in pg_stat_database counters; no value below 10 000 blocks. A problem when it lasts ten minutes: a cache is cold after a restart, and after a large scan. Thresholds: the usual 97 and 90 percent.",
        fix: "See which statements read most under Queries; then raise shared_buffers if memory allows.",
        ..BASE
    },
    Metric {
        name: "deadlocks_per_sec",
        label: "Deadlocks",
        unit: Unit::PerSec,
        series: DATABASES.rate("deadlocks"),
        better: Better::Lower,
        levels: Some(Levels::warn(0.000001)),
        evaluated_over_secs: 600,
        confirm_secs: 0,
        counts_events: true,
        scoring: Scoring::Unscored(Scoring::EVENTS),
        what: "Deadlocks per second, all databases.",
        how: "Change in pg_stat_database counters, evaluated over ten minutes. Any deadlock ended a transaction.",
        fix: "The server's log names both statements; take locks in one order.",
        ..BASE
    },
    Metric {
        name: "temp_bytes_per_sec",
        label: "Temporary file writes",
        unit: Unit::BytesPerSec,
        series: DATABASES.rate("temp_bytes"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 1_048_576.0 },
        what: "Bytes of temporary files written per second, all databases.",
        how: "Change in pg_stat_database counters.",
        ..BASE
    },
    Metric {
        name: "tup_returned_per_sec",
        label: "Rows read by scans",
        unit: Unit::PerSec,
        series: DATABASES.rate("tup_returned"),
        what: "Rows read by scans per second, all databases.",
        how: "Change in pg_stat_database counters.",
        ..BASE
    },
    Metric {
        name: "tup_fetched_per_sec",
        label: "Rows fetched by index scans",
        unit: Unit::PerSec,
        series: DATABASES.rate("tup_fetched"),
        what: "Rows fetched through indexes per second, all databases.",
        how: "Change in pg_stat_database counters.",
        ..BASE
    },
    Metric {
        name: "tup_written_per_sec",
        label: "Rows written",
        unit: Unit::PerSec,
        series: DATABASES.rate("tup_inserted + tup_updated + tup_deleted"),
        scoring: Scoring::Scored { least: 50.0 },
        what: "Rows inserted, updated and deleted per second, all databases.",
        how: "Change in pg_stat_database counters.",
        ..BASE
    },
];
