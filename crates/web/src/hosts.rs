//! Hosts and the state of their agents.

use schema::micros::{DAY, SECOND};
use schema::{Metric, Timestamp};
use store::series::{self, HostTick, Instant, ReadError};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use crate::answers::fingerprint;
use crate::areas::of_service;

/// A host with the state of its agent, as read at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// Its number.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// Its kernel version.
    pub kernel: String,
    /// Cores.
    pub cores: Option<i32>,
    /// Memory, bytes.
    pub memory_bytes: Option<i64>,
    /// When it booted.
    pub boot: Option<Timestamp>,
    /// The newest tick.
    pub newest: Option<Timestamp>,
    /// The newest heartbeat of the agent within the last day.
    pub heartbeat: Option<Timestamp>,
    /// The start of the first known run of the agent: there are no older data.
    pub first_start: Option<Timestamp>,
    /// The start of the newest run of the agent.
    pub started: Option<Timestamp>,
    /// The end of that run; `None` while it runs.
    pub ended: Option<Timestamp>,
    /// The version of the agent of that run; empty when there is none.
    pub version: String,
    /// The sampling interval, microseconds.
    pub interval: i64,
    /// The sampling interval of services, microseconds.
    pub app_interval: i64,
    /// From when samples are kept; `None`: all are.
    pub raw_from: Option<Timestamp>,
    /// From when hours are kept; `None`: all are.
    pub hours_from: Option<Timestamp>,
    /// Changes when stored history changed.
    pub generation: String,
}

impl Host {
    /// Returns the sampling interval of a metric, microseconds.
    #[must_use]
    pub fn interval_of(&self, metric: &Metric) -> i64 {
        if of_service(metric) {
            self.app_interval
        } else {
            self.interval
        }
    }

    /// Returns an identifier of this state of the data, the key of everything derived from it.
    #[must_use]
    pub fn stamp(&self) -> String {
        let newest = self.newest.map_or(0, Timestamp::as_micros);
        format!("{}/{newest}/{}", self.id, self.generation)
    }

    fn learn(row: &Row, ticks: &[HostTick], interval: i64) -> Result<Self, tokio_postgres::Error> {
        let instant = |name| -> Result<Option<Timestamp>, tokio_postgres::Error> {
            Ok(row.try_get::<_, Option<Instant>>(name)?.map(|at| at.0))
        };
        let id: i32 = row.try_get("host_id")?;
        let setting = |name| -> Result<Option<i64>, tokio_postgres::Error> {
            let text: Option<String> = row.try_get(name)?;
            let secs = text.and_then(|secs| secs.parse::<u32>().ok());
            Ok(secs
                .filter(|secs| *secs > 0)
                .map(|secs| i64::from(secs) * SECOND))
        };
        let interval = setting("interval_secs")?.unwrap_or(interval);
        let history: i64 = row.try_get("history_gen")?;
        let version = env!("CARGO_PKG_VERSION").as_bytes();
        Ok(Self {
            id,
            name: row.try_get("hostname")?,
            kernel: row.try_get("kernel")?,
            cores: row.try_get("cores")?,
            memory_bytes: row.try_get("memory_bytes")?,
            boot: instant("boot_ts")?,
            newest: ticks
                .iter()
                .find(|tick| tick.host_id == id)
                .and_then(|tick| tick.newest),
            heartbeat: instant("heartbeat")?,
            first_start: instant("first_start")?,
            started: instant("started_at")?,
            ended: instant("ended_at")?,
            version: row.try_get::<_, Option<_>>("version")?.unwrap_or_default(),
            interval,
            app_interval: setting("app_secs")?.unwrap_or(interval),
            raw_from: instant("raw_from")?,
            hours_from: instant("hours_from")?,
            generation: fingerprint([&history.to_le_bytes()[..], &id.to_le_bytes()[..], version]),
        })
    }
}

/// Reads all hosts, by name, as of `now`. `interval` is assumed where an agent does not report its own.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn hosts(
    client: &Client,
    now: Timestamp,
    interval: i64,
) -> Result<Vec<Host>, ReadError> {
    let at = |offset: i64| Instant(Timestamp(now.as_micros().saturating_add(offset)));
    let (life, end) = (at(-DAY), at(DAY));
    let params = [
        (
            &life as &(dyn tokio_postgres::types::ToSql + Sync),
            Type::TIMESTAMPTZ,
        ),
        (&end, Type::TIMESTAMPTZ),
    ];
    let rows = client.query_typed(include_str!("sql/hosts.sql"), &params);
    let (ticks, rows) = tokio::join!(series::newest(client, now), rows);
    let fault = |source| ReadError::new("hosts", source);
    let (ticks, rows) = (ticks?, rows.map_err(fault)?);
    rows.iter()
        .map(|row| Host::learn(row, &ticks, interval))
        .collect::<Result<_, _>>()
        .map_err(fault)
}
