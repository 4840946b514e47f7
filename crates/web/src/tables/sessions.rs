//! Notable sessions of PostgreSQL, and which session waits for which.

use super::place::{BY_DATABASE, BY_SERVER, DATABASE, SERVER};
use super::stored::{Lookback, Stored};
use super::{Col, Filter, Source, View};
use crate::wire::Unit;

const SESSION: &[Col] = &[
    Col::new(
        "pid",
        "PID",
        Unit::Text,
        "Process of the session; 0 for a prepared transaction.",
    )
    .primary(),
    Col::new("state", "State", Unit::Text, "As in pg_stat_activity."),
    Col::new(
        "query_secs",
        "Running",
        Unit::Secs,
        "Age of the running statement; none when none runs.",
    )
    .metric("db.longest_query_secs")
    .primary(),
    Col::new(
        "query",
        "Statement",
        Unit::Text,
        "The statement, secrets removed.",
    )
    .primary(),
    Col::new(
        "wait",
        "Waits for",
        Unit::Text,
        "Type and name of the wait; empty when it runs.",
    ),
    Col::new(
        "idle_secs",
        "Idle",
        Unit::Secs,
        "How long it has been idle in a transaction.",
    )
    .metric("db.oldest_idle_in_xact_secs"),
    Col::new(
        "xact_secs",
        "Transaction",
        Unit::Secs,
        "Age of the transaction.",
    )
    .metric("db.oldest_xact_secs"),
    DATABASE,
    Col::new("role", "Role", Unit::Text, "Its role."),
    Col::new(
        "application",
        "Application",
        Unit::Text,
        "Name the client reports (application_name).",
    ),
    Col::new(
        "command",
        "Command",
        Unit::Text,
        "What ends its statement, or the session when it is idle in a transaction.",
    ),
    Col::new(
        "blocked_by",
        "Blocked by",
        Unit::Text,
        "Process of the session it waits for.",
    ),
    Col::new(
        "victims",
        "Victims",
        Unit::Count,
        "Sessions that wait for it, directly or not.",
    ),
    SERVER,
];

pub(super) const SESSIONS: View = View {
    name: "sessions",
    title: "Long-running and blocked sessions",
    columns: SESSION,
    filters: &[
        BY_SERVER,
        BY_DATABASE,
        Filter {
            id: "why",
            label: "Reason",
            values: &[
                ("long", "Runs long"),
                ("idle_in_xact", "Idle in transaction"),
                ("blocked", "Blocked"),
                ("blocking", "Blocking"),
            ],
        },
    ],
    default_sort: "-query_secs",
    ranged: false,
    empty: "No session has been running for more than five seconds, blocks another, or is idle in a transaction.",
    families: &["sessions", "activity"],
    source: Source::Stored(Stored::new(
        include_str!("../sql/sessions.sql"),
        Lookback::Ticks,
    )),
};

const BLOCKED: &[Col] = &[
    Col::new("position", "Order", Unit::Count, "Place in the tree."),
    Col::new(
        "pid",
        "PID",
        Unit::Text,
        "Process of the session; 0 for a prepared transaction.",
    )
    .primary(),
    Col::new("depth", "Depth", Unit::Count, "Steps below the root."),
    Col::new(
        "query",
        "Statement",
        Unit::Text,
        "The statement, secrets removed.",
    )
    .primary(),
    Col::new("state", "State", Unit::Text, "As in pg_stat_activity."),
    Col::new(
        "query_secs",
        "Since",
        Unit::Secs,
        "Age of the statement, or since when the state holds.",
    )
    .primary(),
    Col::new(
        "wait",
        "Waits for",
        Unit::Text,
        "Type and name of the wait.",
    ),
    Col::new(
        "command",
        "Command",
        Unit::Text,
        "What ends the session at the root.",
    ),
    Col::new(
        "blocked_by",
        "Blocked by",
        Unit::Text,
        "Process of the session it waits for.",
    ),
    Col::new(
        "root_pid",
        "Root",
        Unit::Text,
        "Process of the session at the root.",
    ),
    Col::new(
        "victims",
        "Victims",
        Unit::Count,
        "Sessions that wait for it, directly or not.",
    ),
    Col::new("role", "Role", Unit::Text, "Its role."),
    Col::new(
        "application",
        "Application",
        Unit::Text,
        "Name the client reports (application_name).",
    ),
    DATABASE,
    SERVER,
];

pub(super) const BLOCKING: View = View {
    name: "blocking",
    title: "Blocking tree",
    columns: BLOCKED,
    filters: &[BY_SERVER],
    default_sort: "position",
    ranged: false,
    empty: "No session is blocked.",
    families: &["sessions", "activity"],
    source: Source::Stored(Stored::new(
        include_str!("../sql/blocking.sql"),
        Lookback::Ticks,
    )),
};
