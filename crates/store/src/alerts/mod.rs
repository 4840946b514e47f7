//! Findings as they are shown: by *Now*, the view of alerts, the tables of the dashboard and `pqcrypta alerts`.
//!
//! [`Alert`] is the one reading of a finding, with its condition in words. The statements differ in which findings they
//! return; their columns are those of `columns.sql`. Open findings that have expired (`expires_at`) are no longer worth
//! showing, so none of them returns these.

use std::collections::HashMap;

use schema::finding::{CORRELATION, LINE_DOMAINS};
use schema::micros::SECOND;
use schema::{Better, Severity, Timestamp, Unit};
use serde::Deserialize;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::series::{Instant, ReadError};

/// Most findings that [`list`] returns.
pub const LISTED: usize = 2000;
/// Figures of this age, microseconds, are shown with their time: three ticks at the usual interval.
const OLD: i64 = 30 * SECOND;
/// Longest subject in a sentence, characters.
const LONGEST_SUBJECT: usize = 60;

/// Whether a finding lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// The condition holds.
    Firing,
    /// There are no data to tell whether it still holds.
    Unknown,
    /// It ended.
    Resolved,
}

impl State {
    /// Returns its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Unknown => "unknown",
            Self::Resolved => "resolved",
        }
    }
}

/// Domains whose insights are problems, too.
const PROBLEM_DOMAINS: &[&str] = &["logs", "security", CORRELATION];
/// How the rules of objectives begin.
const OBJECTIVES: &str = "slo_";

/// A possible cause of problems that began together.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Hypothesis {
    /// What it is, in a sentence.
    pub says: String,
    /// Why it may be the cause.
    pub evidence: Vec<String>,
    /// What to do first about it.
    pub step: Option<String>,
}

/// A confirmed finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Its number.
    pub id: i64,
    /// Its rule; of a threshold the metric.
    pub rule: String,
    /// What it is about.
    pub target: String,
    /// `alert`, `insight` or `recommendation`.
    pub kind: String,
    /// Part of the system.
    pub domain: String,
    /// The metric.
    pub metric: Option<String>,
    /// The key of the metric.
    pub metric_key: Option<String>,
    /// Its severity; of a resolved one the last.
    pub severity: Severity,
    /// The worst severity since it was opened.
    pub worst: Severity,
    /// The condition, without figures.
    pub title: String,
    /// The condition, with figures.
    pub message: String,
    /// Steps to take.
    pub steps: Vec<String>,
    /// A shell command that helps.
    pub command: Option<String>,
    /// SQL that helps.
    pub action_sql: Option<String>,
    /// The value that was evaluated.
    pub value: Option<f64>,
    /// The value of the newest sample, where another one was evaluated.
    pub current: Option<f64>,
    /// The threshold that was reached.
    pub threshold: Option<f64>,
    /// The expected value.
    pub expected: Option<f64>,
    /// Who is to blame: a session, a process, an endpoint.
    pub culprit: Option<String>,
    /// Rule and target of the finding that it follows from.
    pub because: Option<(String, String)>,
    /// The log with its lines.
    pub source: Option<String>,
    /// Fingerprint of the lines it is about.
    pub fingerprint: Option<String>,
    /// Template of these lines.
    pub template: Option<String>,
    /// Of problems that began together the possible causes, the likeliest first.
    pub hypotheses: Vec<Hypothesis>,
    /// Since when the condition holds.
    pub opened_at: Timestamp,
    /// When it held last.
    pub seen_at: Timestamp,
    /// The evaluation that its figures and texts are of: while it lasts without a change it is written anew every few minutes.
    pub as_of: Timestamp,
    /// Since when there are no data.
    pub unknown_since: Option<Timestamp>,
    /// When it ended.
    pub resolved_at: Option<Timestamp>,
    /// How often it began, continued or returned.
    pub occurrences: i64,
    /// The figures of what is unusual.
    pub unusual: Unusual,
    /// Whether somebody acknowledged it.
    pub acknowledged: bool,
    /// What became of it a day after its end.
    pub verified: Option<String>,
}

impl Alert {
    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let instant = |column| row.try_get::<_, Instant>(column).map(|at| at.0);
        let optional = |column| {
            let at = row.try_get::<_, Option<Instant>>(column)?;
            Ok::<_, tokio_postgres::Error>(at.map(|at| at.0))
        };
        let severity = |column| {
            let word: &str = row.try_get(column)?;
            Ok::<_, tokio_postgres::Error>(Severity::parse(word).unwrap_or_default())
        };
        let steps: String = row.try_get("steps")?;
        let hypotheses: Option<String> = row.try_get("hypotheses")?;
        let hypotheses = hypotheses.and_then(|text| serde_json::from_str(&text).ok());
        let cause_rule: Option<String> = row.try_get("cause_rule")?;
        let cause_target: Option<String> = row.try_get("cause_target")?;
        Ok(Self {
            id: row.try_get("finding_id")?,
            rule: row.try_get("rule")?,
            target: row.try_get("target")?,
            kind: row.try_get("kind")?,
            domain: row.try_get("domain")?,
            metric: row.try_get("metric")?,
            metric_key: row.try_get("metric_key")?,
            severity: severity("severity")?,
            worst: severity("worst")?,
            title: row.try_get("title")?,
            message: row.try_get("message")?,
            steps: steps.lines().map(str::to_owned).collect(),
            command: row.try_get("command")?,
            action_sql: row.try_get("action_sql")?,
            value: row.try_get("value")?,
            current: row.try_get("current_value")?,
            threshold: row.try_get("threshold")?,
            expected: row.try_get("expected")?,
            culprit: row.try_get("culprit")?,
            because: cause_rule.map(|rule| (rule, cause_target.unwrap_or_default())),
            source: row.try_get("source")?,
            fingerprint: row.try_get("fingerprint")?,
            template: row.try_get("template")?,
            hypotheses: hypotheses.unwrap_or_default(),
            opened_at: instant("opened_at")?,
            seen_at: instant("seen_at")?,
            as_of: instant("as_of")?,
            unknown_since: optional("unknown_since")?,
            resolved_at: optional("resolved_at")?,
            occurrences: row.try_get("occurrences")?,
            unusual: Unusual {
                z_score: row.try_get("z_score")?,
                drift_pct: row.try_get("drift_pct")?,
                stddev: row.try_get("baseline_stddev")?,
            },
            acknowledged: row.try_get("acknowledged")?,
            verified: row.try_get("verified")?,
        })
    }

    /// Returns whether it lasts.
    #[must_use]
    pub const fn state(&self) -> State {
        match (self.resolved_at, self.unknown_since) {
            (Some(_), _) => State::Resolved,
            (None, Some(_)) => State::Unknown,
            (None, None) => State::Firing,
        }
    }

    /// Returns whether it is about lines of logs: its figures are counts of them, and its title names the kind of event.
    #[must_use]
    pub fn is_of_lines(&self) -> bool {
        LINE_DOMAINS.contains(&self.domain.as_str())
    }

    /// Returns whether its rule is the threshold of a metric.
    #[must_use]
    pub fn is_threshold(&self) -> bool {
        self.metric.as_ref() == Some(&self.rule)
    }

    /// Returns the condition beside its subject: with its figures, of lines of logs the kind of event.
    #[must_use]
    pub fn headline(&self) -> &str {
        if self.is_of_lines() || self.message.is_empty() {
            &self.title
        } else {
            &self.message
        }
    }

    /// Returns the condition in a sentence of its own. That of lines of logs does not name its subject, so it is added:
    /// `SSH brute force: 203.0.113.9`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let headline = self.headline();
        let subject = self.subject();
        if !self.is_of_lines() || subject.is_empty() || headline.contains(subject) {
            return headline.to_owned();
        }
        match subject.char_indices().nth(LONGEST_SUBJECT) {
            Some((end, _)) => format!("{headline}: {}…", &subject[..end]),
            None => format!("{headline}: {subject}"),
        }
    }

    /// Returns whether it is about problems that began together.
    #[must_use]
    pub fn is_incident(&self) -> bool {
        self.domain == CORRELATION
    }

    /// Returns what it is about in words, lines of logs by their template; empty where only a fingerprint is known, and of
    /// problems that began together, whose target only tells them apart.
    #[must_use]
    pub fn subject(&self) -> &str {
        if self.is_incident() {
            return "";
        }
        let is_pattern = self.fingerprint.as_ref() == Some(&self.target);
        match &self.template {
            Some(template) if is_pattern => template,
            _ if is_pattern => "",
            _ => &self.target,
        }
    }

    /// Returns how long it lasted, at `at` if it still lasts, microseconds.
    #[must_use]
    pub fn duration(&self, at: Timestamp) -> i64 {
        let end = self.resolved_at.unwrap_or(at);
        (end.as_micros() - self.opened_at.as_micros()).max(0)
    }

    /// Returns of when its figures are, if they are older than what is sampled at `at`: then it is said beside them.
    #[must_use]
    pub fn dated(&self, at: Timestamp) -> Option<Timestamp> {
        let is_old = at.as_micros() - self.as_of.as_micros() >= OLD;
        (self.state() == State::Firing && is_old).then_some(self.as_of)
    }

    /// Returns whether its figures are values of its metric. Of counted events the sentence has the number, and the figures are
    /// rates; those of an objective are shares or rates of its budget, whatever the unit of the metric, and are in the sentence, too, as is how many
    /// problems began together.
    #[must_use]
    pub fn has_figures(&self) -> bool {
        let metric = self.metric.as_deref().and_then(schema::metric);
        !self.is_incident()
            && !self.rule.starts_with(OBJECTIVES)
            && metric.is_none_or(|metric| !metric.counts_events)
    }

    /// Returns the unit of its figures.
    #[must_use]
    pub fn unit(&self) -> Unit {
        let metric = self.metric.as_deref().and_then(schema::metric);
        metric.map_or(Unit::Count, |metric| metric.unit)
    }
}

/// Returns a statement with the columns of an [`Alert`]. Its header names them, too; there they are a comment.
fn with_columns(sql: &str, columns: &str) -> String {
    sql.replacen("SELECT {alert}", &format!("SELECT {columns}"), 1)
}

/// Returns the rules of which a low value is the worse.
fn low_is_worse() -> Vec<String> {
    let metrics = schema::METRICS.iter();
    let low = metrics.filter(|metric| metric.better == Better::Higher);
    low.map(schema::Metric::id).collect()
}

/// Runs a statement about a host, whose number is its first parameter, and reads each row.
async fn read<T>(
    client: &Client,
    host_id: i32,
    sql: &str,
    more: &[(&(dyn ToSql + Sync), Type)],
    of: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
) -> Result<Vec<T>, ReadError> {
    let fault = |source| ReadError::new("alerts", source);
    let mut params: Vec<(&(dyn ToSql + Sync), Type)> = vec![(&host_id, Type::INT4)];
    params.extend(more.iter().cloned());
    let sql = with_columns(sql, include_str!("columns.sql"));
    let rows = client.query_typed(&sql, &params).await.map_err(fault)?;
    rows.iter().map(|row| of(row).map_err(fault)).collect()
}

/// Returns the confirmed findings that were open within `from..to`, at most [`LISTED`]: firing ones first, then those without data, in
/// each the worst and newest first. `at` is the present.
///
/// # Errors
/// The error that the server reported.
pub async fn list(
    client: &Client,
    host_id: i32,
    (from, to): (Timestamp, Timestamp),
    at: Timestamp,
) -> Result<Vec<Alert>, ReadError> {
    let (from, to, at) = (Instant(from), Instant(to), Instant(at));
    let most = i64::try_from(LISTED).unwrap_or(i64::MAX);
    let more: [(&(dyn ToSql + Sync), Type); 4] = [
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&at, Type::TIMESTAMPTZ),
        (&most, Type::INT8),
    ];
    read(client, host_id, include_str!("list.sql"), &more, Alert::of).await
}

/// Returns the open findings that are problems, of each rule the worst `most`, the worst first, each with the number of
/// those of its rule that come after it.
///
/// # Errors
/// The error that the server reported.
pub async fn worst(
    client: &Client,
    host_id: i32,
    at: Timestamp,
    most: i64,
) -> Result<Vec<(Alert, i64)>, ReadError> {
    let (at, low) = (Instant(at), low_is_worse());
    let more: [(&(dyn ToSql + Sync), Type); 5] = [
        (&at, Type::TIMESTAMPTZ),
        (&most, Type::INT8),
        (&low, Type::TEXT_ARRAY),
        (&PROBLEM_DOMAINS, Type::TEXT_ARRAY),
        (&CORRELATION, Type::TEXT),
    ];
    let of = |row: &Row| Ok((Alert::of(row)?, row.try_get("more")?));
    read(client, host_id, include_str!("worst.sql"), &more, of).await
}

/// Returns what [`worst`] does for each host, by host. Of each finding only the condition is read: it has no steps, commands or
/// causes in words.
///
/// # Errors
/// The error that the server reported.
pub async fn worst_of_all(
    client: &Client,
    at: Timestamp,
    most: i64,
) -> Result<HashMap<i32, Vec<(Alert, i64)>>, ReadError> {
    let fault = |source| ReadError::new("alerts of all hosts", source);
    let (at, low) = (Instant(at), low_is_worse());
    let params: [(&(dyn ToSql + Sync), Type); 5] = [
        (&at, Type::TIMESTAMPTZ),
        (&most, Type::INT8),
        (&low, Type::TEXT_ARRAY),
        (&PROBLEM_DOMAINS, Type::TEXT_ARRAY),
        (&CORRELATION, Type::TEXT),
    ];
    let sql = with_columns(
        include_str!("worst_of_all.sql"),
        include_str!("columns_brief.sql"),
    );
    let rows = client.query_typed(&sql, &params).await.map_err(fault)?;
    let mut found: HashMap<i32, Vec<(Alert, i64)>> = HashMap::new();
    for row in &rows {
        let host_id = row.try_get("host_id").map_err(fault)?;
        let one = (
            Alert::of(row).map_err(fault)?,
            row.try_get("more").map_err(fault)?,
        );
        found.entry(host_id).or_default().push(one);
    }
    Ok(found)
}

/// Returns the problems of these kinds that ended since an instant, the newest first; what followed from another one is
/// left out.
///
/// # Errors
/// The error that the server reported.
pub async fn ended(
    client: &Client,
    host_id: i32,
    since: Timestamp,
    kinds: &[&str],
    most: i64,
) -> Result<Vec<Alert>, ReadError> {
    let since = Instant(since);
    let more: [(&(dyn ToSql + Sync), Type); 4] = [
        (&since, Type::TIMESTAMPTZ),
        (&kinds, Type::TEXT_ARRAY),
        (&most, Type::INT8),
        (&CORRELATION, Type::TEXT),
    ];
    read(client, host_id, include_str!("ended.sql"), &more, Alert::of).await
}

/// A number of open findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    /// Their severity.
    pub severity: Severity,
    /// Firing, or without data.
    pub state: State,
    /// How many there are.
    pub count: i64,
}

/// Returns the number of open findings of these kinds by severity and state, the worst first.
///
/// # Errors
/// The error that the server reported.
pub async fn active(
    client: &Client,
    host_id: i32,
    at: Timestamp,
    kinds: &[&str],
) -> Result<Vec<Active>, ReadError> {
    let at = Instant(at);
    let more: [(&(dyn ToSql + Sync), Type); 2] =
        [(&at, Type::TIMESTAMPTZ), (&kinds, Type::TEXT_ARRAY)];
    let of = |row: &Row| {
        Ok(Active {
            severity: Severity::parse(row.try_get("severity")?).unwrap_or_default(),
            state: match row.try_get("is_unknown")? {
                true => State::Unknown,
                false => State::Firing,
            },
            count: row.try_get("count")?,
        })
    };
    read(client, host_id, include_str!("active.sql"), &more, of).await
}

/// Returns the findings of these kinds that began or returned three times or more within `from..to`, with how often, the
/// most frequent first.
///
/// # Errors
/// The error that the server reported.
pub async fn flapping(
    client: &Client,
    host_id: i32,
    (from, to): (Timestamp, Timestamp),
    kinds: &[&str],
) -> Result<Vec<(Alert, i64)>, ReadError> {
    let (from, to) = (Instant(from), Instant(to));
    let more: [(&(dyn ToSql + Sync), Type); 4] = [
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&kinds, Type::TEXT_ARRAY),
        (&LINE_DOMAINS, Type::TEXT_ARRAY),
    ];
    let of = |row: &Row| Ok((Alert::of(row)?, row.try_get("times")?));
    read(client, host_id, include_str!("flapping.sql"), &more, of).await
}

/// The figures of what was unusual.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Unusual {
    /// The deviation in multiples of the usual one.
    pub z_score: Option<f64>,
    /// The deviation in percent of what was expected.
    pub drift_pct: Option<f64>,
    /// The usual deviation.
    pub stddev: Option<f64>,
}

impl Unusual {
    /// Returns on which side of what was expected the value is; `None` where nothing was expected.
    #[must_use]
    pub fn direction(&self) -> Option<&'static str> {
        match self.z_score? {
            z if z > 0.0 => Some("spike"),
            z if z < 0.0 => Some("drop"),
            _ => None,
        }
    }
}

/// Returns a confirmed finding by its number.
///
/// # Errors
/// The error that the server reported.
pub async fn one(client: &Client, host_id: i32, id: i64) -> Result<Option<Alert>, ReadError> {
    let more: [(&(dyn ToSql + Sync), Type); 1] = [(&id, Type::INT8)];
    let found = read(client, host_id, include_str!("one.sql"), &more, Alert::of).await?;
    Ok(found.into_iter().next())
}

/// Returns the alerts or insights that were opened last before and first after an instant.
///
/// # Errors
/// The error that the server reported.
pub async fn beside(
    client: &Client,
    host_id: i32,
    at: Timestamp,
) -> Result<(Option<Alert>, Option<Alert>), ReadError> {
    let at = Instant(at);
    let more: [(&(dyn ToSql + Sync), Type); 1] = [(&at, Type::TIMESTAMPTZ)];
    let (before, after) = futures_util::try_join!(
        read(
            client,
            host_id,
            include_str!("opened_before.sql"),
            &more,
            Alert::of
        ),
        read(
            client,
            host_id,
            include_str!("opened_after.sql"),
            &more,
            Alert::of
        ),
    )?;
    Ok((before.into_iter().next(), after.into_iter().next()))
}

#[cfg(test)]
mod tests;
