//! Slots, standbys and subscriptions.

use super::place::{BY_DATABASE, BY_SERVER, DATABASE, SERVER};
use super::stored::{Lookback, Stored};
use super::{Col, Filter, Source, View};
use crate::wire::Unit;

const SLOT: &[Col] = &[
    Col::new(
        "slot",
        "Slot or standby",
        Unit::Text,
        "The slot; of a standby without one, what it calls itself.",
    )
    .primary(),
    Col::new("slot_type", "Type", Unit::Text, "physical or logical."),
    Col::new(
        "active",
        "Active",
        Unit::Bool,
        "Whether a consumer is connected.",
    )
    .primary(),
    Col::new("state", "State", Unit::Text, "As streaming or catchup."),
    Col::new(
        "wal_status",
        "WAL",
        Unit::Text,
        "reserved, extended, unreserved or lost.",
    )
    .primary(),
    Col::new(
        "replay_lag_ms",
        "Replay lag",
        Unit::Ms,
        "Time until what was written is replayed.",
    )
    .metric("replication.replay_lag_ms")
    .primary(),
    Col::new(
        "flush_lag_ms",
        "Flush lag",
        Unit::Ms,
        "Time until what was written is flushed.",
    )
    .metric("replication.flush_lag_ms"),
    Col::new(
        "write_lag_ms",
        "Write lag",
        Unit::Ms,
        "Time until what was sent is written.",
    )
    .metric("replication.write_lag_ms"),
    Col::new(
        "retained_bytes",
        "Retained",
        Unit::Bytes,
        "WAL kept for the slot; none when it is lost.",
    )
    .metric("replication.retained_bytes")
    .summed(),
    Col::new(
        "replay_lag_bytes",
        "Not replayed",
        Unit::Bytes,
        "WAL not replayed by the standby.",
    )
    .metric("replication.replay_lag_bytes"),
    Col::new("sent_lag_bytes", "Unsent WAL", Unit::Bytes, "WAL not sent.")
        .metric("replication.sent_lag_bytes"),
    Col::new(
        "safe_wal_bytes",
        "Until lost",
        Unit::Bytes,
        "WAL that may still be written before the slot is lost; none without a limit.",
    ),
    Col::new(
        "unconfirmed_bytes",
        "WAL not confirmed",
        Unit::Bytes,
        "WAL a logical consumer has not confirmed.",
    ),
    Col::new(
        "sync_state",
        "Synchronous",
        Unit::Text,
        "sync, async, potential or quorum.",
    ),
    Col::new(
        "client_addr",
        "Address",
        Unit::Text,
        "Address of the standby.",
    ),
    Col::new(
        "application_name",
        "Application",
        Unit::Text,
        "What the standby calls itself.",
    ),
    Col::new(
        "reply_age_secs",
        "Last reply",
        Unit::Secs,
        "Since the standby's last reply.",
    )
    .metric("replication.reply_age_secs"),
    Col::new("sent_lsn", "Sent", Unit::Text, "Position sent."),
    Col::new("replay_lsn", "Replayed", Unit::Text, "Position replayed."),
    Col::new(
        "xmin_age",
        "Oldest xmin age",
        Unit::Count,
        "Transactions whose dead rows it keeps from vacuum.",
    ),
    Col::new(
        "invalidation_reason",
        "Invalid because",
        Unit::Text,
        "Why the slot is invalid; from PostgreSQL 17 on.",
    ),
    Col::new(
        "inactive_since_ms",
        "Inactive since",
        Unit::TimeMs,
        "Since when it has been unused; from PostgreSQL 17 on.",
    ),
    Col::new(
        "database",
        "Database",
        Unit::Text,
        "Database of a logical slot.",
    ),
    SERVER,
];

pub(super) const REPLICATION: View = View {
    name: "replication",
    title: "Slots and standbys",
    columns: SLOT,
    filters: &[
        BY_SERVER,
        Filter {
            id: "slot_type",
            label: "Type",
            values: &[],
        },
        Filter {
            id: "wal_status",
            label: "WAL",
            values: &[],
        },
    ],
    default_sort: "-replay_lag_ms",
    ranged: false,
    empty: "No replication is configured: there is neither a slot nor a standby.",
    families: &["replication"],
    source: Source::Stored(Stored::new(
        include_str!("../sql/replication.sql"),
        Lookback::Ticks,
    )),
};

const SUBSCRIPTION: &[Col] = &[
    Col::new("subscription", "Subscription", Unit::Text, "Its name.").primary(),
    Col::new("enabled", "Enabled", Unit::Bool, "Whether it is enabled."),
    Col::new("running", "Runs", Unit::Bool, "Whether its worker runs.")
        .metric("replication.subscription_running")
        .primary(),
    Col::new(
        "silent_secs",
        "Time since last publisher message",
        Unit::Secs,
        "Since the last message of the publisher.",
    )
    .metric("replication.subscription_silent_secs")
    .primary(),
    Col::new(
        "tables_not_ready",
        "Tables not ready",
        Unit::Count,
        "Tables that are still being copied.",
    )
    .summed(),
    Col::new(
        "errors_per_sec",
        "Errors",
        Unit::PerSec,
        "Failures per second, over half an hour.",
    )
    .metric("replication.subscription_errors_per_sec"),
    Col::new(
        "apply_errors",
        "Apply errors",
        Unit::Count,
        "Failures to apply changes since counting began.",
    ),
    Col::new(
        "sync_errors",
        "Copy errors",
        Unit::Count,
        "Failures to copy a table since counting began.",
    ),
    Col::new(
        "conflicts",
        "Conflicts",
        Unit::Count,
        "Conflicts since counting began; from PostgreSQL 18 on.",
    ),
    DATABASE,
    SERVER,
];

pub(super) const SUBSCRIPTIONS: View = View {
    name: "subscriptions",
    title: "Subscriptions",
    columns: SUBSCRIPTION,
    filters: &[BY_SERVER, BY_DATABASE],
    default_sort: "subscription",
    ranged: false,
    empty: "No subscriptions.",
    families: &["subscriptions"],
    source: Source::Stored(Stored::new(
        include_str!("../sql/subscriptions.sql"),
        Lookback::Slow,
    )),
};
