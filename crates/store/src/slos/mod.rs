//! Service level objectives in the database: their definitions, and what their closed hours counted.

use crate::series::{Instant, ReadError};
use schema::{Severity, Timestamp};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

/// A row of `slo_definitions`, whatever is in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definition {
    /// Its name.
    pub slo_name: String,
    /// Part of the system.
    pub domain: String,
    /// Name of the metric within the domain, or its whole identifier.
    pub metric: String,
    /// The target, in the unit of the metric.
    pub target_value: f64,
    /// `gte` or `lte`.
    pub comparison: String,
    /// The share that has to be good, percent.
    pub target_pct: f64,
    /// What it is for.
    pub description: String,
    /// Only this key of the metric.
    pub metric_key: Option<String>,
    /// Whether a minute without an answer is bad.
    pub counts_down: bool,
}

/// A closed hour that is not counted yet, or was rolled up anew since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueHour {
    /// The objective.
    pub slo_name: String,
    /// The start of the hour.
    pub bucket: Timestamp,
    /// That of its roll-up.
    pub version: i64,
    /// Ticks of the host in it.
    pub ticks: i32,
}

/// What an hour of one objective and key counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Hour {
    /// The objective.
    pub slo_name: String,
    /// The key of its metric; empty for a single series, and for the row that tells that the hour was taken.
    pub metric_key: String,
    /// The start of the hour.
    pub bucket: Timestamp,
    /// What was judged.
    pub spec: String,
    /// That of the roll-up of the hour.
    pub version: i64,
    /// What was counted.
    pub counted: Counted,
}

/// Figures that add up over hours.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counted {
    /// Bad events, or minutes.
    pub bad: f64,
    /// All of them.
    pub total: f64,
    /// Minutes with data.
    pub judged: f64,
    /// Minutes without an answer.
    pub down: f64,
    /// The mean of the metric times the judged minutes.
    pub value_sum: f64,
}

/// The hours of one objective and key, added up from several instants on.
#[derive(Clone, Debug, PartialEq)]
pub struct Sums {
    /// The objective.
    pub slo_name: String,
    /// The key of its metric.
    pub metric_key: String,
    /// For each of the instants asked for.
    pub counted: [Counted; 3],
    /// The least total of an hour with data since the second of them; `None`: there is none.
    pub quietest: Option<f64>,
}

/// How an objective stood at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Latest {
    /// Its name.
    pub slo_name: String,
    /// The key of its metric; empty for a single series.
    pub metric_key: String,
    /// When it was judged; `None`: not within the last quarter of an hour.
    pub at: Option<Timestamp>,
    /// Part of the system.
    pub domain: String,
    /// Name of its metric.
    pub metric: String,
    /// The target, in the unit of the metric.
    pub target_value: f64,
    /// `gte` or `lte`.
    pub comparison: String,
    /// The share that has to be good, percent.
    pub target_pct: f64,
    /// What it is for.
    pub description: String,
    /// `events` or `minutes`.
    pub counted: Option<String>,
    /// The metric over the window.
    pub actual: Option<f64>,
    /// The share that was good, percent.
    pub good_pct: Option<f64>,
    /// Whether it is met; `None`: there are no data to tell.
    pub met: Option<bool>,
    /// How much of the error budget is spent, percent.
    pub budget_consumed: Option<f64>,
    /// Bad events, or minutes.
    pub violations: Option<i64>,
    /// All of them.
    pub total_periods: Option<i64>,
    /// Minutes of the window with data.
    pub covered_minutes: Option<f64>,
    /// Burn rates of an hour, six hours and three days.
    pub burn: [Option<f64>; 3],
    /// The worst open finding about it.
    pub severity: Option<Severity>,
}

/// Minutes of the window of an objective: 30 days.
pub const WINDOW_MINUTES: f64 = 30.0 * 24.0 * 60.0;

impl Latest {
    /// Returns how much of the error budget of 30 whole days is spent, percent, if those without data go as those with data:
    /// what is left of it is what alerts reckon with. Where there are data of all days it is [`Self::budget_consumed`].
    #[must_use]
    pub fn spent_of_window(&self) -> Option<f64> {
        let covered = self.covered_minutes? / WINDOW_MINUTES;
        Some(self.budget_consumed? * covered.min(1.0))
    }
}

/// Reads how the objectives of a host stood at an instant, by name.
///
/// # Errors
/// What the server reported.
pub async fn latest(
    client: &Client,
    host_id: i32,
    at: Timestamp,
) -> Result<Vec<Latest>, ReadError> {
    let fault = |source| ReadError::new("slo_tracking", source);
    let params: [(&(dyn ToSql + Sync), Type); 2] =
        [(&host_id, Type::INT4), (&Instant(at), Type::TIMESTAMPTZ)];
    let rows = client
        .query_typed(include_str!("latest.sql"), &params)
        .await;
    let latest = |row: &Row| {
        let severity: Option<&str> = row.try_get(20)?;
        Ok(Latest {
            slo_name: row.try_get(0)?,
            metric_key: row.try_get(1)?,
            at: row.try_get::<_, Option<Instant>>(2)?.map(|at| at.0),
            domain: row.try_get(3)?,
            metric: row.try_get(4)?,
            target_value: row.try_get(5)?,
            comparison: row.try_get(6)?,
            target_pct: row.try_get(7)?,
            description: row.try_get(8)?,
            counted: row.try_get(9)?,
            actual: row.try_get(10)?,
            good_pct: row.try_get(11)?,
            met: row.try_get(12)?,
            budget_consumed: row.try_get(13)?,
            violations: row.try_get(14)?,
            total_periods: row.try_get(15)?,
            covered_minutes: row.try_get(16)?,
            burn: [row.try_get(17)?, row.try_get(18)?, row.try_get(19)?],
            severity: severity.and_then(Severity::parse),
        })
    };
    let found: Result<Vec<_>, tokio_postgres::Error> =
        rows.map_err(fault)?.iter().map(latest).collect();
    found.map_err(fault)
}

/// Reads the enabled definitions that apply to a host, by name.
///
/// # Errors
/// What the server reported.
pub async fn definitions(client: &Client, host_id: i32) -> Result<Vec<Definition>, ReadError> {
    const WHAT: &str = "slo_definitions";
    let fault = |source| ReadError::new(WHAT, source);
    let sql = include_str!("definitions.sql");
    let rows = client.query_typed(sql, &[(&host_id, Type::INT4)]).await;
    let definition = |row: &Row| {
        Ok(Definition {
            slo_name: row.try_get(0)?,
            domain: row.try_get(1)?,
            metric: row.try_get(2)?,
            target_value: row.try_get(3)?,
            comparison: row.try_get(4)?,
            target_pct: row.try_get(5)?,
            description: row.try_get(6)?,
            metric_key: row.try_get(7)?,
            counts_down: row.try_get(8)?,
        })
    };
    let found = rows.map_err(fault)?.iter().map(definition).collect();
    let found: Result<Vec<_>, tokio_postgres::Error> = found;
    found.map_err(fault)
}

/// Reads the hours of `from <= bucket < to` that are rolled up and not counted, the newest first; at most `limit`.
/// `judged` are names and specifications.
///
/// # Errors
/// What the server reported.
pub async fn due(
    client: &Client,
    host_id: i32,
    judged: &[(String, String)],
    (from, to): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<DueHour>, ReadError> {
    let fault = |source| ReadError::new("slo_hours", source);
    let (names, specs): (Vec<&str>, Vec<&str>) = split(judged);
    let params: [(&(dyn ToSql + Sync), Type); 6] = [
        (&host_id, Type::INT4),
        (&names, Type::TEXT_ARRAY),
        (&specs, Type::TEXT_ARRAY),
        (&Instant(from), Type::TIMESTAMPTZ),
        (&Instant(to), Type::TIMESTAMPTZ),
        (&limit, Type::INT8),
    ];
    let rows = client.query_typed(include_str!("due.sql"), &params).await;
    let due = |row: &Row| {
        Ok(DueHour {
            slo_name: row.try_get(0)?,
            bucket: row.try_get::<_, Instant>(1)?.0,
            version: row.try_get(2)?,
            ticks: row.try_get(3)?,
        })
    };
    let found: Result<Vec<_>, tokio_postgres::Error> =
        rows.map_err(fault)?.iter().map(due).collect();
    found.map_err(fault)
}

/// Adds up the counted hours of `from <= bucket < to`, from each of these instants on.
///
/// # Errors
/// What the server reported.
pub async fn sums(
    client: &Client,
    host_id: i32,
    judged: &[(String, String)],
    from: &[Timestamp; 3],
    to: Timestamp,
) -> Result<Vec<Sums>, ReadError> {
    let fault = |source| ReadError::new("slo_hours", source);
    let (names, specs): (Vec<&str>, Vec<&str>) = split(judged);
    let [month, days, hours] = from.map(Instant);
    let params: [(&(dyn ToSql + Sync), Type); 7] = [
        (&host_id, Type::INT4),
        (&names, Type::TEXT_ARRAY),
        (&specs, Type::TEXT_ARRAY),
        (&month, Type::TIMESTAMPTZ),
        (&days, Type::TIMESTAMPTZ),
        (&hours, Type::TIMESTAMPTZ),
        (&Instant(to), Type::TIMESTAMPTZ),
    ];
    let rows = client.query_typed(include_str!("sums.sql"), &params).await;
    let sums = |row: &Row| {
        let counted = |first: usize| {
            Ok::<_, tokio_postgres::Error>(Counted {
                bad: row.try_get(first)?,
                total: row.try_get(first + 1)?,
                judged: row.try_get(first + 2)?,
                down: row.try_get(first + 3)?,
                value_sum: row.try_get(first + 4)?,
            })
        };
        Ok(Sums {
            slo_name: row.try_get(0)?,
            metric_key: row.try_get(1)?,
            counted: [counted(2)?, counted(7)?, counted(12)?],
            quietest: row.try_get(17)?,
        })
    };
    let found: Result<Vec<_>, tokio_postgres::Error> =
        rows.map_err(fault)?.iter().map(sums).collect();
    found.map_err(fault)
}

/// Stores counted hours, in place of what they counted before, and removes those that no window needs.
///
/// # Errors
/// What the server reported; nothing is stored then.
pub async fn store(client: &Client, host_id: i32, hours: &[Hour]) -> Result<(), ReadError> {
    let fault = |source| ReadError::new("slo_hours", source);
    let texts = |of: fn(&Hour) -> &str| hours.iter().map(of).collect::<Vec<&str>>();
    let figures = |of: fn(&Counted) -> f64| -> Vec<f64> {
        hours.iter().map(|hour| of(&hour.counted)).collect()
    };
    let buckets: Vec<Instant> = hours.iter().map(|hour| Instant(hour.bucket)).collect();
    let versions: Vec<i64> = hours.iter().map(|hour| hour.version).collect();
    let (names, keys, specs) = (
        texts(|hour| &hour.slo_name),
        texts(|hour| &hour.metric_key),
        texts(|hour| &hour.spec),
    );
    let (bad, total, judged, down, value_sum) = (
        figures(|counted| counted.bad),
        figures(|counted| counted.total),
        figures(|counted| counted.judged),
        figures(|counted| counted.down),
        figures(|counted| counted.value_sum),
    );
    let params: [(&(dyn ToSql + Sync), Type); 11] = [
        (&host_id, Type::INT4),
        (&names, Type::TEXT_ARRAY),
        (&keys, Type::TEXT_ARRAY),
        (&buckets, Type::TIMESTAMPTZ_ARRAY),
        (&specs, Type::TEXT_ARRAY),
        (&versions, Type::INT8_ARRAY),
        (&bad, Type::FLOAT8_ARRAY),
        (&total, Type::FLOAT8_ARRAY),
        (&judged, Type::FLOAT8_ARRAY),
        (&down, Type::FLOAT8_ARRAY),
        (&value_sum, Type::FLOAT8_ARRAY),
    ];
    client
        .query_typed(include_str!("store.sql"), &params)
        .await
        .map_err(fault)?;
    let host: [(&(dyn ToSql + Sync), Type); 1] = [(&host_id, Type::INT4)];
    client
        .query_typed("SELECT collector.forget_slo_hours($1)", &host)
        .await
        .map_err(fault)?;
    Ok(())
}

/// Reads the names of objectives with each key that they have hours of.
///
/// # Errors
/// What the server reported.
pub async fn keys(client: &Client, host_id: i32) -> Result<Vec<(String, String)>, ReadError> {
    const SQL: &str =
        "SELECT DISTINCT slo_name, metric_key FROM collector.slo_hours WHERE host_id = $1";
    let fault = |source| ReadError::new("slo_hours", source);
    let rows = client.query_typed(SQL, &[(&host_id, Type::INT4)]).await;
    let key = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    let found: Result<Vec<_>, tokio_postgres::Error> =
        rows.map_err(fault)?.iter().map(key).collect();
    found.map_err(fault)
}

fn split(judged: &[(String, String)]) -> (Vec<&str>, Vec<&str>) {
    let pairs = judged.iter();
    pairs
        .map(|(name, spec)| (name.as_str(), spec.as_str()))
        .unzip()
}
