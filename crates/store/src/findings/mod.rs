//! Findings in the database: those that are open, and what began and ended lately.
//!
//! Findings follow from their transitions ([`FindingTransition`]), which the writer
//! stores as rows of the queue: `collector.apply_transitions` of migration 13 has the rules.

pub mod marks;
pub mod verification;

use crate::series::{Instant, ReadError};
use schema::finding::CORRELATION;
use schema::tables::FindingTransition;
use schema::{Severity, Timestamp};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

/// The state of an open finding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenFinding {
    /// Identifier of its rule, which this version may not have.
    pub rule: String,
    /// Its target.
    pub target: String,
    /// `alert`, `insight` or `recommendation`.
    pub kind: String,
    /// Part of the system.
    pub domain: String,
    /// Its severity.
    pub severity: Severity,
    /// The worst severity since it was opened.
    pub worst: Severity,
    /// The condition, without figures.
    pub title: String,
    /// The observation, with figures.
    pub message: String,
    /// Steps to take.
    pub steps: Vec<String>,
    /// A shell command that helps.
    pub command: Option<String>,
    /// SQL that helps.
    pub action_sql: Option<String>,
    /// The metric that it is about.
    pub metric: Option<String>,
    /// The key of the metric.
    pub metric_key: Option<String>,
    /// The value that was evaluated, that of the newest sample, the threshold, and the expected value.
    pub figures: [Option<f64>; 4],
    /// Since when the condition holds.
    pub opened_at: Timestamp,
    /// Since when it is confirmed; `None` while it is pending.
    pub confirmed_at: Option<Timestamp>,
    /// When the condition held last.
    pub seen_at: Timestamp,
    /// Since when there are no data; `None` while there are.
    pub unknown_since: Option<Timestamp>,
    /// How often it began, continued or returned.
    pub occurrences: i64,
    /// Further details, a JSON object; read of those about problems that began together, whose state they are.
    pub details: Option<String>,
    /// Rule and target of the finding that it follows from.
    pub cause: Option<(String, String)>,
    /// Instant of its newest transition.
    pub transition_at: Timestamp,
}

impl OpenFinding {
    /// Returns what the database would have of the finding after a transition at `ts`: the same as what
    /// `collector.apply_transitions` stores and [`open`] reads.
    #[must_use]
    pub fn after(ts: Timestamp, row: &FindingTransition) -> Self {
        let is_of_incident = row.domain == CORRELATION;
        let details = row.details.as_ref().filter(|_| is_of_incident);
        Self {
            rule: row.rule.clone(),
            target: row.target.clone(),
            kind: row.kind.clone(),
            domain: row.domain.clone(),
            severity: row.severity,
            worst: row.worst,
            title: row.title.clone(),
            message: row.message.clone(),
            steps: serde_json::from_str(&row.steps.0).unwrap_or_default(),
            command: row.command.clone(),
            action_sql: row.action_sql.clone(),
            metric: row.metric.clone(),
            metric_key: row.metric_key.clone(),
            figures: [
                row.value,
                row.current_value,
                row.threshold,
                row.baseline_mean,
            ],
            opened_at: row.opened_at,
            confirmed_at: row.confirmed_at,
            seen_at: row.seen_at,
            unknown_since: row.unknown_since,
            occurrences: row.occurrences,
            details: details.map(|one| one.0.clone()),
            cause: row.cause_rule.clone().zip(row.cause_target.clone()),
            transition_at: ts,
        }
    }

    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let instant = |column| row.try_get::<_, Instant>(column).map(|instant| instant.0);
        let optional = |column| {
            let instant = row.try_get::<_, Option<Instant>>(column)?;
            Ok(instant.map(|instant| instant.0))
        };
        let severity = |column| {
            let word = row.try_get(column)?;
            Ok(Severity::parse(word).unwrap_or_default())
        };
        let cause: Option<String> = row.try_get("cause_rule")?;
        Ok(Self {
            rule: row.try_get("rule")?,
            target: row.try_get("target")?,
            kind: row.try_get("kind")?,
            domain: row.try_get("domain")?,
            severity: severity("severity")?,
            worst: severity("worst")?,
            title: row.try_get("title")?,
            message: row.try_get("message")?,
            steps: row.try_get("steps")?,
            command: row.try_get("command")?,
            action_sql: row.try_get("action_sql")?,
            metric: row.try_get("metric")?,
            metric_key: row.try_get("metric_key")?,
            figures: [
                row.try_get("value")?,
                row.try_get("current_value")?,
                row.try_get("threshold")?,
                row.try_get("expected")?,
            ],
            opened_at: instant("opened_at")?,
            confirmed_at: optional("confirmed_at")?,
            seen_at: instant("seen_at")?,
            unknown_since: optional("unknown_since")?,
            occurrences: row.try_get("occurrences")?,
            details: row.try_get("details")?,
            cause: cause.zip(row.try_get("cause_target")?),
            transition_at: instant("transition_at")?,
        })
    }
}

/// Beginnings and the newest end of the findings of one rule and target within a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// Identifier of the rule.
    pub rule: String,
    /// The target.
    pub target: String,
    /// When findings began, the oldest first.
    pub began: Vec<Timestamp>,
    /// When the newest ended; `None` if none did.
    pub ended_at: Option<Timestamp>,
}

/// Returns the open findings of a host, those that are not confirmed included. What waits in the queue is not among them:
/// to be called once its events are delivered.
///
/// # Errors
/// The error that the server reported.
pub async fn open(client: &Client, host_id: i32) -> Result<Vec<OpenFinding>, ReadError> {
    let fault = |source| ReadError::new("findings", source);
    let params: [(&(dyn ToSql + Sync), Type); 1] = [(&host_id, Type::INT4)];
    let rows = client.query_typed(include_str!("open.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    rows.iter()
        .map(OpenFinding::of)
        .collect::<Result<_, _>>()
        .map_err(fault)
}

/// Returns what began or ended since an instant, by rule and target.
///
/// # Errors
/// The error that the server reported.
pub async fn recent(
    client: &Client,
    host_id: i32,
    since: Timestamp,
) -> Result<Vec<Recent>, ReadError> {
    let fault = |source| ReadError::new("findings", source);
    let since = Instant(since);
    let params: [(&(dyn ToSql + Sync), Type); 2] =
        [(&host_id, Type::INT4), (&since, Type::TIMESTAMPTZ)];
    let rows = client.query_typed(include_str!("recent.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    let recent = |row: &Row| {
        let began: Vec<Instant> = row.try_get("began")?;
        let ended: Option<Instant> = row.try_get("ended_at")?;
        Ok(Recent {
            rule: row.try_get("rule")?,
            target: row.try_get("target")?,
            began: began.into_iter().map(|instant| instant.0).collect(),
            ended_at: ended.map(|instant| instant.0),
        })
    };
    rows.iter()
        .map(recent)
        .collect::<Result<_, _>>()
        .map_err(fault)
}

/// A confirmed finding that began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Identifier of its rule, which this version may not have.
    pub rule: String,
    /// Since when the condition held.
    pub opened_at: Timestamp,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
    /// Whether it was a warning or worse.
    pub is_problem: bool,
    /// Rule of the finding that it followed from.
    pub cause_rule: Option<String>,
}

/// Returns the newest `most` alerts and insights that began since an instant, the oldest first. Those of the first minutes of
/// a collector are left out: what was found then had begun before.
///
/// # Errors
/// The error that the server reported.
pub async fn begun(
    client: &Client,
    host_id: i32,
    since: Timestamp,
    most: i64,
) -> Result<Vec<Begun>, ReadError> {
    let fault = |source| ReadError::new("findings", source);
    let since = Instant(since);
    let params: [(&(dyn ToSql + Sync), Type); 3] = [
        (&host_id, Type::INT4),
        (&since, Type::TIMESTAMPTZ),
        (&most, Type::INT8),
    ];
    let rows = client.query_typed(include_str!("begun.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    let begun = |row: &Row| {
        Ok(Begun {
            rule: row.try_get("rule")?,
            opened_at: row.try_get::<_, Instant>("opened_at")?.0,
            confirmed_at: row.try_get::<_, Instant>("confirmed_at")?.0,
            is_problem: row.try_get("is_problem")?,
            cause_rule: row.try_get("cause_rule")?,
        })
    };
    let mut all: Vec<Begun> = rows
        .iter()
        .map(begun)
        .collect::<Result<_, _>>()
        .map_err(fault)?;
    all.reverse();
    Ok(all)
}

/// A time in which something was wrong with a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disturbance {
    /// The metric, `domain.name`.
    pub metric: String,
    /// Its key; empty of a single series.
    pub key: String,
    /// When it began.
    pub from: Timestamp,
    /// When it ended; `None` while it lasts.
    pub to: Option<Timestamp>,
}

/// Returns when something was wrong with metrics since an instant: a warning or worse of theirs was open, or problems that
/// began together and that one of theirs belongs to.
///
/// # Errors
/// The error that the server reported.
pub async fn disturbances(
    client: &Client,
    host_id: i32,
    since: Timestamp,
) -> Result<Vec<Disturbance>, ReadError> {
    let fault = |source| ReadError::new("findings", source);
    let since = Instant(since);
    let params: [(&(dyn ToSql + Sync), Type); 3] = [
        (&host_id, Type::INT4),
        (&since, Type::TIMESTAMPTZ),
        (&CORRELATION, Type::TEXT),
    ];
    let rows = client.query_typed(include_str!("disturbances.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    let disturbance = |row: &Row| {
        let to: Option<Instant> = row.try_get("resolved_at")?;
        Ok(Disturbance {
            metric: row.try_get("metric")?,
            key: row.try_get("target")?,
            from: row.try_get::<_, Instant>("opened_at")?.0,
            to: to.map(|to| to.0),
        })
    };
    let all = rows.iter().map(disturbance);
    all.collect::<Result<_, _>>().map_err(fault)
}

/// Returns when a collector of a host was started for the first time.
///
/// # Errors
/// The error that the server reported.
pub async fn known_since(client: &Client, host_id: i32) -> Result<Option<Timestamp>, ReadError> {
    let fault = |source| ReadError::new("findings", source);
    let sql = "SELECT min(started_at) AS at FROM collector.agent_runs WHERE host_id = $1";
    let params: [(&(dyn ToSql + Sync), Type); 1] = [(&host_id, Type::INT4)];
    let rows = client.query_typed(sql, &params).await.map_err(fault)?;
    let at = rows
        .first()
        .map(|row| row.try_get::<_, Option<Instant>>("at"));
    let at = at.transpose().map_err(fault)?;
    Ok(at.flatten().map(|at| at.0))
}

/// Deletes findings that were resolved before `old`.
///
/// # Errors
/// The error that the server reported.
pub async fn forget(client: &Client, host_id: i32, old: Timestamp) -> Result<(), ReadError> {
    let old = Instant(old);
    client
        .query_typed(
            "SELECT collector.forget_findings($1, $2)",
            &[(&host_id, Type::INT4), (&old, Type::TIMESTAMPTZ)],
        )
        .await
        .map_err(|source| ReadError::new("findings", source))?;
    Ok(())
}
