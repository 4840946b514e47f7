//! Lines of logs and the positions of their streams, in one transaction.
//!
//! The log is the buffer, so nothing is spooled. One transaction moves every position of a batch from
//! the version that was read to the next, copies the lines, and adds to the sums by hour and by
//! pattern. A position that stands elsewhere means that somebody else stored these lines, or that a
//! commit of ours whose answer was lost did happen: nothing is stored, and reading begins again where
//! the database says. So each line is stored once, and the sums always agree with the lines.
//!
//! A link has a session of its own: a burst of lines, or a lock on their table, delays no sample.
//! After any error the link is to be dropped; what was under way is rolled back by the server or
//! found committed when the positions are read again.

mod lines;
mod transaction;

use crate::host::{self, OpenError};
use crate::tuple::{self, Group};
use crate::writer::copy::Statements;
use crate::writer::upkeep::ensure_partitions;
use pg::Session;
use schema::{Row, Timestamp};
use std::collections::BTreeSet;

pub use lines::{Line, Lines};

const DAY_MICROS: i64 = 86_400_000_000;
/// Days of partitions made on demand, for lines that are older than today.
const DAYS_BACK: i64 = 30;

/// A stream's position as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Name of the source.
    pub source: String,
    /// Stream within the source.
    pub stream: String,
    /// Compare-and-set: how often it was moved; 0 where the database has none yet.
    pub version: i64,
    /// The position as JSON.
    pub position: String,
}

/// Lines of one hour with something in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourCount {
    /// Start of the hour.
    pub hour: Timestamp,
    /// Source.
    pub source: String,
    /// Level.
    pub level: &'static str,
    /// How many.
    pub count: i64,
}

/// What a batch tells of a pattern, within one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternCount {
    /// Start of the hour.
    pub hour: Timestamp,
    /// Its name.
    pub fingerprint: String,
    /// Source.
    pub source: String,
    /// Level.
    pub level: &'static str,
    /// How many lines.
    pub count: i64,
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
    /// What its messages have in common; empty where that is not news.
    pub template: String,
    /// One of the messages.
    pub sample: String,
}

/// A pattern as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPattern {
    /// Source.
    pub source: String,
    /// Level.
    pub level: String,
    /// Its name.
    pub fingerprint: String,
    /// What its messages have in common.
    pub template: String,
    /// The older pattern that goes on in its place.
    pub alias_of: Option<String>,
}

/// What one transaction stores.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Rows by table: lines, security events, gaps and whatever else lines tell.
    pub groups: Vec<Group>,
    /// Positions before the batch, with the position after it.
    pub positions: Vec<Position>,
    /// Sums by hour.
    pub counts: Vec<HourCount>,
    /// Patterns seen.
    pub patterns: Vec<PatternCount>,
    /// Patterns that turned out to be one: the younger and the older.
    pub merged: Vec<(String, String)>,
    /// Oldest and newest instant of the rows.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl Batch {
    /// Encodes rows. The rest is filled in by the caller.
    #[must_use]
    pub fn of(rows: &[Row]) -> Self {
        let instants = rows.iter().map(|row| row.ts);
        Self {
            groups: tuple::groups(rows),
            span: instants.clone().min().zip(instants.max()),
            ..Self::default()
        }
    }
}

/// What a transaction stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Rows.
    pub rows: u64,
    /// Rows set aside in `dead_letter`.
    pub set_aside: u64,
}

/// Why lines could not be stored. The link is to be dropped.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// There is no session.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The positions stand elsewhere: read them again.
    #[error("the positions in the database are not those that were read")]
    Fenced,
    /// The server refuses the content of rows; they are tried by halves at the next attempt.
    #[error("the database refused lines: {0}")]
    Poison(String),
    /// Anything else that the server or the link said. The outcome may be unknown.
    #[error("{what} failed: {said}")]
    Statement {
        /// What was tried.
        what: &'static str,
        /// What the server said.
        said: String,
    },
}

/// A session that stores lines of one host.
#[derive(Debug)]
pub struct LogLink {
    session: Session,
    host_id: i32,
    statements: Statements,
    days: BTreeSet<i64>,
}

fn failed(what: &'static str) -> impl Fn(tokio_postgres::Error) -> LogError {
    move |error| LogError::Statement {
        what,
        said: crate::writer::describe(&error),
    }
}

impl LogLink {
    /// Connects, checks the schema and finds the number of the host.
    ///
    /// # Errors
    /// Why there is no link.
    pub async fn open(
        target: &pg::Target,
        options: &pg::SessionOptions,
        machine_id: &str,
    ) -> Result<Self, OpenError> {
        let (session, host_id) =
            host::open(target, options, "pqcrypta-collector logs", machine_id).await?;
        Ok(Self {
            session,
            host_id,
            statements: Statements::default(),
            days: BTreeSet::new(),
        })
    }

    /// Where every stream stands.
    ///
    /// # Errors
    /// What the server said.
    pub async fn positions(&self) -> Result<Vec<Position>, LogError> {
        let rows = self
            .session
            .client
            .query(
                "SELECT source, stream, version, position::text FROM collector.log_positions WHERE host_id = $1",
                &[&self.host_id],
            )
            .await
            .map_err(failed("reading the positions of logs"))?;
        Ok(rows
            .iter()
            .map(|row| Position {
                source: row.get(0),
                stream: row.get(1),
                version: row.get(2),
                position: row.get(3),
            })
            .collect())
    }

    /// The patterns that were seen last, at most `limit`, in the order in which they were seen first.
    ///
    /// # Errors
    /// What the server said.
    pub async fn patterns(&self, limit: i64) -> Result<Vec<KnownPattern>, LogError> {
        let rows = self
            .session
            .client
            .query(
                "SELECT source, level, fingerprint, template, alias_of FROM \
                 (SELECT * FROM collector.log_patterns WHERE host_id = $1 ORDER BY last_seen DESC LIMIT $2) p \
                 ORDER BY first_seen, fingerprint",
                &[&self.host_id, &limit],
            )
            .await
            .map_err(failed("reading the patterns of logs"))?;
        Ok(rows
            .iter()
            .map(|row| KnownPattern {
                source: row.get(0),
                level: row.get(1),
                fingerprint: row.get(2),
                template: row.get(3),
                alias_of: row.get(4),
            })
            .collect())
    }

    /// Stores a batch, or nothing of it. With `by_halves`, rows whose content the server refuses are
    /// found and set aside; without, they are [`LogError::Poison`].
    ///
    /// # Errors
    /// Why nothing was stored; for [`LogError::Statement`] the outcome may be unknown.
    pub async fn store(&mut self, batch: &Batch, by_halves: bool) -> Result<Stored, LogError> {
        self.ensure_days(batch).await?;
        transaction::run(self, batch, by_halves).await
    }

    /// Closes patterns that were not seen since `silent`, forgets those closed before `old`.
    ///
    /// # Errors
    /// What the server said.
    pub async fn settle(&self, silent: Timestamp, old: Timestamp) -> Result<(), LogError> {
        self.session
            .client
            .execute(
                "SELECT collector.settle_log_patterns($1, timestamptz 'epoch' + $2::int8 * interval '1 microsecond', \
                 timestamptz 'epoch' + $3::int8 * interval '1 microsecond')",
                &[&self.host_id, &silent.as_micros(), &old.as_micros()],
            )
            .await
            .map_err(failed("closing patterns of logs"))?;
        Ok(())
    }

    /// Says good-bye.
    pub async fn close(self, within: std::time::Duration) {
        self.session.close(within).await;
    }

    /// Partitions for the days of a batch, made when a day is seen for the first time.
    async fn ensure_days(&mut self, batch: &Batch) -> Result<(), LogError> {
        let Some((oldest, newest)) = batch.span else {
            return Ok(());
        };
        let newest = newest.as_micros().div_euclid(DAY_MICROS);
        let oldest = oldest
            .as_micros()
            .div_euclid(DAY_MICROS)
            .max(newest - DAYS_BACK);
        if (oldest..=newest).all(|day| self.days.contains(&day)) {
            return Ok(());
        }
        ensure_partitions(&self.session.client, oldest, newest)
            .await
            .map_err(failed("making partitions"))?;
        self.days.extend(oldest..=newest);
        Ok(())
    }
}
