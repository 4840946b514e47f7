//! PostgreSQL servers and databases, their settings, and missing permissions or data.

use super::place::{BY_SERVER, SERVER};
use super::stored::{Lookback, Stored};
use super::{Col, Filter, Source, View};
use crate::wire::Unit;

const SERVER_LIST: &[Col] = &[
    SERVER.primary(),
    Col::new(
        "up",
        "Answers",
        Unit::Bool,
        "Whether it answered within the last minute.",
    )
    .metric("db.up")
    .primary(),
    Col::new("role", "Role", Unit::Text, "primary or standby.").primary(),
    Col::new("version", "Version", Unit::Text, "Version of the server."),
    Col::new("started_ms", "Started", Unit::TimeMs, "When it started."),
    Col::new(
        "conn_total",
        "Connections",
        Unit::Count,
        "Sessions of clients, ours left out.",
    )
    .metric("db.conn_total"),
    Col::new(
        "conn_used_pct",
        "Used",
        Unit::Percent,
        "Sessions as a share of what is open to clients.",
    )
    .metric("db.conn_used_pct"),
    Col::new(
        "conn_waiting",
        "Waiting",
        Unit::Count,
        "Sessions that wait for a lock.",
    )
    .metric("db.conn_waiting"),
    Col::new(
        "slow_queries",
        "Slow",
        Unit::Count,
        "Statements running for more than five seconds.",
    )
    .metric("db.slow_queries"),
    Col::new(
        "longest_query_secs",
        "Longest-running statement",
        Unit::Secs,
        "Age of the oldest running statement.",
    )
    .metric("db.longest_query_secs"),
    Col::new(
        "oldest_xact_secs",
        "Oldest transaction",
        Unit::Secs,
        "Age of the oldest open transaction.",
    )
    .metric("db.oldest_xact_secs"),
    Col::new(
        "cache_hit_pct",
        "Cache hit ratio",
        Unit::Percent,
        "Blocks found in shared buffers, over ten minutes.",
    )
    .metric("db.cache_hit_pct"),
    Col::new(
        "xact_commit_per_sec",
        "Commits",
        Unit::PerSec,
        "Transactions committed per second.",
    )
    .metric("db.xact_commit_per_sec"),
    Col::new(
        "wraparound_pct",
        "Transaction ids",
        Unit::Percent,
        "Age of the oldest unfrozen transaction as a share of what there is.",
    )
    .metric("db.wraparound_pct"),
    Col::new(
        "size_bytes",
        "Size",
        Unit::Bytes,
        "Databases on disk, as of the last slow tick.",
    )
    .summed(),
    Col::new(
        "conn_hidden",
        "Hidden",
        Unit::Count,
        "Sessions our role may not see; above 0 the counts beside are not known.",
    )
    .metric("db.conn_hidden"),
    Col::new(
        "error",
        "Error",
        Unit::Text,
        "Why it does not answer, or what is wrong with the answers.",
    ),
    Col::new(
        "seen_ms",
        "Last polled",
        Unit::TimeMs,
        "When it was last polled.",
    ),
];

pub(super) const SERVERS: View = View {
    name: "db_servers",
    title: "PostgreSQL servers",
    columns: SERVER_LIST,
    filters: &[Filter {
        id: "role",
        label: "Role",
        values: &[("primary", "Primary"), ("standby", "Standby")],
    }],
    default_sort: "instance",
    ranged: false,
    empty: "No PostgreSQL server is monitored.",
    families: &[],
    source: Source::Stored(Stored::new(
        include_str!("../sql/db_servers.sql"),
        Lookback::Slow,
    )),
};

const DATABASE: &[Col] = &[
    Col::new(
        "database",
        "Database",
        Unit::Text,
        "Its name; <shared> for what belongs to none.",
    )
    .primary(),
    SERVER,
    Col::new(
        "size_bytes",
        "Size",
        Unit::Bytes,
        "Size on disk, as of the last slow tick; none where our role may not connect.",
    )
    .primary()
    .summed(),
    Col::new("backends", "Sessions", Unit::Count, "Sessions of any kind.").summed(),
    Col::new(
        "xact_commit_per_sec",
        "Commits",
        Unit::PerSec,
        "Transactions committed per second.",
    )
    .metric("database.xact_commit_per_sec")
    .primary(),
    Col::new(
        "rollback_pct",
        "Rollback ratio",
        Unit::Percent,
        "Rollbacks as a share of all transactions, over ten minutes.",
    )
    .metric("database.rollback_pct"),
    Col::new(
        "cache_hit_pct",
        "Cache hit ratio",
        Unit::Percent,
        "Blocks found in shared buffers, over ten minutes.",
    )
    .metric("database.cache_hit_pct"),
    Col::new(
        "blks_read_per_sec",
        "Blocks read",
        Unit::PerSec,
        "Blocks asked of the kernel per second.",
    )
    .metric("database.blks_read_per_sec"),
    Col::new(
        "temp_bytes_per_sec",
        "Temporary file writes",
        Unit::BytesPerSec,
        "Bytes of temporary files written per second.",
    )
    .metric("database.temp_bytes_per_sec"),
    Col::new(
        "deadlocks_per_sec",
        "Deadlocks",
        Unit::PerSec,
        "Deadlocks per second.",
    )
    .metric("database.deadlocks_per_sec"),
    Col::new(
        "conflicts_per_sec",
        "Conflicts",
        Unit::PerSec,
        "Statements per second cancelled by replay; standbys only.",
    )
    .metric("database.conflicts_per_sec"),
    Col::new(
        "xid_age",
        "Transaction age",
        Unit::Count,
        "Transactions since the oldest unfrozen row.",
    )
    .metric("database.xid_age"),
];

pub(super) const DATABASES: View = View {
    name: "databases",
    title: "Databases",
    columns: DATABASE,
    filters: &[BY_SERVER],
    default_sort: "-size_bytes",
    ranged: false,
    empty: "No database has been sampled.",
    families: &["databases", "catalogue", "sizes"],
    source: Source::Stored(Stored::new(
        include_str!("../sql/databases.sql"),
        Lookback::Slow,
    )),
};

const SETTING: &[Col] = &[
    Col::new("name", "Setting", Unit::Text, "Its name.").primary(),
    Col::new("setting", "Value", Unit::Text, "Its value, with its unit.").primary(),
    Col::new("source", "From", Unit::Text, "Where the value comes from."),
    Col::new(
        "pending_restart",
        "Waits for a restart",
        Unit::Bool,
        "Whether it was changed and waits for a restart.",
    ),
    Col::new(
        "advice",
        "Advice",
        Unit::Text,
        "What it risks, and what to do.",
    )
    .primary(),
    SERVER,
];

pub(super) const SETTINGS: View = View {
    name: "settings_db",
    title: "Settings that matter",
    columns: SETTING,
    filters: &[
        BY_SERVER,
        Filter {
            id: "issue",
            label: "Issue",
            values: &[("advice", "Advice"), ("restart", "Waits for a restart")],
        },
    ],
    default_sort: "name",
    ranged: false,
    empty: "No settings have been read yet; the slow tick reads them.",
    families: &["settings"],
    source: Source::Stored(Stored::new(
        include_str!("../sql/settings_db.sql"),
        Lookback::Slow,
    )),
};

const GAP: &[Col] = &[
    Col::new("family", "Statistics", Unit::Text, "Which statistics.").primary(),
    Col::new(
        "state",
        "State",
        Unit::Text,
        "denied, missing, off, timeout, locked, capped, failed or unreachable.",
    )
    .primary(),
    Col::new(
        "message",
        "What is missing",
        Unit::Text,
        "What is missing, in a sentence.",
    ),
    Col::new(
        "remedy",
        "Remedy",
        Unit::Text,
        "What fixes it: a statement where there is one.",
    )
    .primary(),
    Col::new(
        "database",
        "Database",
        Unit::Text,
        "The database; empty for the server as a whole.",
    ),
    SERVER,
];

pub(super) const BLIND_SPOTS: View = View {
    name: "blind_spots",
    title: "Missing permissions or data",
    columns: GAP,
    filters: &[
        BY_SERVER,
        Filter {
            id: "state",
            label: "State",
            values: &[],
        },
    ],
    default_sort: "state",
    ranged: false,
    empty: "Nothing is missing.",
    families: &[],
    source: Source::Stored(Stored::new(
        include_str!("../sql/blind_spots.sql"),
        Lookback::Ticks,
    )),
};
