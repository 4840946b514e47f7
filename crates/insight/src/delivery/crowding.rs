//! The database has no room for the sessions that a collector needs.

use super::{FAILED, rule};
use crate::quoting::identifier;
use crate::rule::{Life, Rule};
use schema::finding::Figures;
use schema::{Finding, Severity};
use store::crowding::{Crowding, Limit, Purpose, SESSIONS};

/// The database has no room for a session of the collector.
pub const CROWDED: Rule = rule(
    "store_connections",
    "collector",
    "Too few connections to the database",
    // Another session may end within seconds. It is confirmed before what follows from it, so that all of it is one problem.
    Life::sampled(10),
);
/// Longest cause, characters.
const LONGEST: usize = 400;

/// Who holds the connections of a server.
const HOLDERS: &str = "SELECT usename, application_name, client_addr, state, count(*), min(backend_start) FROM pg_stat_activity GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC;";

/// Returns the one finding about all sessions that are refused.
pub(super) fn crowded(crowding: &Crowding) -> Option<Finding> {
    let words = crowding.refused.values().next()?;
    let is_delivery = crowding.refused.contains_key(&Purpose::Delivery);
    let severity = match is_delivery {
        true => Severity::Critical,
        false => Severity::Warn,
    };
    let (message, remedy, sql, most) = match &crowding.limit {
        Some(Limit::Role(name, most)) => (
            format!(
                "Role {name} may have {} to the database, and this collector needs more",
                words::counted(usize::try_from(*most).unwrap_or_default(), "connection")
            ),
            format!("Up to {SESSIONS} are needed. Run as an administrator of the server:"),
            Some(format!(
                "ALTER ROLE {} CONNECTION LIMIT {SESSIONS};",
                identifier(name)
            )),
            Some(*most),
        ),
        Some(Limit::Database(name, most)) => (
            format!(
                "Database {name} admits {}, and the collectors need more",
                words::counted(usize::try_from(*most).unwrap_or_default(), "connection")
            ),
            format!("Each collector needs up to {SESSIONS}. Run as an administrator of the server:"),
            Some(format!(
                "ALTER DATABASE {} CONNECTION LIMIT -1;",
                identifier(name)
            )),
            Some(*most),
        ),
        Some(Limit::Server(most)) => (
            format!(
                "All {most} connections of the database's server are in use, and this collector needs another one"
            ),
            "See whose they are; let some end, or raise max_connections:".to_owned(),
            Some(HOLDERS.to_owned()),
            Some(*most),
        ),
        None => (
            "The database has no room for a connection of this collector".to_owned(),
            "Raise the limit that the error names: that of the role (ALTER ROLE … CONNECTION LIMIT), of the database, or max_connections.".to_owned(),
            None,
            None,
        ),
    };
    Some(Finding {
        steps: vec![waiting(crowding), remedy],
        action_sql: sql,
        figures: most
            .map(|most| Figures::of(f64::from(most)))
            .unwrap_or_default(),
        details: Some(serde_json::json!({"cause": words::cut(words, LONGEST)}).to_string()),
        explains: crowding.refused.keys().flat_map(effects).collect(),
        ..CROWDED.finding("", severity, message)
    })
}

/// Returns the findings that follow where a session is refused, by rule and target. A job that has none runs later and does not
/// fail.
fn effects(purpose: &Purpose) -> Vec<(&'static str, String)> {
    match purpose {
        Purpose::Delivery => vec![("collector.db_healthy", String::new())],
        Purpose::Logs => vec![("logs_blocked", String::new())],
        Purpose::Jobs => Vec::new(),
        Purpose::Statistics(instance) => {
            let of = |kind: &str| (FAILED.id, format!("{instance}.{kind}"));
            vec![
                ("db.up", instance.clone()),
                of("postgres"),
                of("postgres_slow"),
            ]
        }
    }
}

/// Says what waits for a session.
fn waiting(crowding: &Crowding) -> String {
    let names: Vec<&str> = crowding
        .refused
        .keys()
        .map(|purpose| match purpose {
            Purpose::Delivery => "samples",
            Purpose::Logs => "lines of logs",
            Purpose::Jobs => "findings of stored data, roll-ups and upkeep",
            Purpose::Statistics(_) => "statistics of the database\u{2019}s server",
        })
        .collect();
    format!(
        "All goes on by itself as soon as there is room. Until then these wait: {}.",
        names.join("; ")
    )
}
