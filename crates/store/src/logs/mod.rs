//! Lines of logs and the positions of their streams, in one transaction.
//!
//! The log is the buffer, so nothing is spooled. One transaction moves every position of a batch from
//! the version that was read to the next, copies the lines, and adds to the sums by hour and by
//! pattern. A position that stands elsewhere means that somebody else stored these lines, or that a
//! commit of ours whose answer was lost did happen: nothing is stored, and reading begins again where
//! the database says. So each line is stored once, and the sums always agree with the lines.
//!
//! Partitions for the lines' days are made before, each in a transaction of its own, and never stand in
//! the way: see `partitions`.
//!
//! A link has a session of its own: a burst of lines, or a lock on their table, delays no sample.
//! After any error the link is to be dropped; what was under way is rolled back by the server or
//! found committed when the positions are read again.

mod lines;
mod transaction;

use crate::host::{self, OpenError};
use crate::partitions::{Needs, Partitions, day_of, lacks_partition};
use crate::series::Instant;
use crate::tuple::{self, Group};
use crate::writer::copy::Statements;
use pg::Session;
use schema::{Row, Timestamp};

pub use lines::{Line, Lines};

/// Where the sums by hour and by pattern go.
const COUNTS: &str = "log_metrics_hourly";
const PATTERNS: &str = "log_fingerprint_hourly";

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
    /// What they are about, where that is known.
    pub topic: Option<&'static str>,
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
}

impl Batch {
    /// Encodes rows. The rest is filled in by the caller.
    #[must_use]
    pub fn of(rows: &[Row]) -> Self {
        Self {
            groups: tuple::groups(rows),
            ..Self::default()
        }
    }

    /// The days of which it has rows, by table.
    fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        for group in &self.groups {
            needs.add_group(group);
        }
        for count in &self.counts {
            needs.add(COUNTS, day_of(count.hour));
        }
        for pattern in &self.patterns {
            needs.add(PATTERNS, day_of(pattern.hour));
        }
        needs
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
    /// No partition takes rows of this batch, which is not their fault.
    #[error("no partition takes the lines: {0}")]
    Homeless(String),
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
    partitions: Partitions,
    /// What could not be made of them, so that it is logged once.
    trouble: Option<String>,
}

fn failed(what: &'static str) -> impl Fn(tokio_postgres::Error) -> LogError {
    move |error| {
        let said = crate::writer::describe(&error);
        if lacks_partition(&error) {
            return LogError::Homeless(said);
        }
        LogError::Statement { what, said }
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
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        let (session, host_id) =
            host::open(target, options, "pqcrypta-collector logs", machine_id).await?;
        let server = host::server_clock(&session.client).await;
        let server = server.map_err(|error| OpenError::Lookup(crate::writer::describe(&error)))?;
        Ok(Self {
            session,
            host_id,
            statements: Statements::default(),
            partitions: Partitions::new(server, now),
            trouble: None,
        })
    }

    /// Returns the number of the host.
    #[must_use]
    pub const fn host_id(&self) -> i32 {
        self.host_id
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

    /// Reserves identifiers for the lines of this session: the first of 2^32.
    ///
    /// # Errors
    /// What the server said.
    pub async fn reserve_lines(&self) -> Result<i64, LogError> {
        let reserved = self
            .session
            .client
            .query_one("SELECT collector.reserve_log_lines()", &[])
            .await;
        Ok(reserved
            .map_err(failed("reserving identifiers of lines"))?
            .get(0))
    }

    /// Makes the partitions that a batch needs, as far as they can be made in time.
    ///
    /// # Errors
    /// When the link is gone.
    pub async fn prepare(&mut self, batch: &Batch, now: Timestamp) -> Result<(), LogError> {
        let ensured = self
            .partitions
            .ensure(&self.session.client, &batch.needs(), now)
            .await;
        let trouble = ensured
            .map_err(failed("making partitions"))?
            .map(|error| crate::writer::describe(&error));
        if let Some(error) = &trouble
            && self.trouble.is_none()
        {
            tracing::warn!(
                error,
                "making partitions for logs failed; tried again later"
            );
        }
        self.trouble = trouble;
        Ok(())
    }

    /// Looks for every partition again, as somebody may have dropped one.
    pub fn forget_partitions(&mut self) {
        self.partitions.forget_all();
    }

    /// Stores a batch, or nothing of it. With `by_halves`, rows whose content the server refuses are
    /// found and set aside; without, they are [`LogError::Poison`].
    ///
    /// # Errors
    /// Why nothing was stored; for [`LogError::Statement`] the outcome may be unknown.
    pub async fn store(&mut self, batch: &Batch, by_halves: bool) -> Result<Stored, LogError> {
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
                "SELECT collector.settle_log_patterns($1, $2, $3)",
                &[&self.host_id, &Instant(silent), &Instant(old)],
            )
            .await
            .map_err(failed("closing patterns of logs"))?;
        Ok(())
    }

    /// Says good-bye.
    pub async fn close(self, within: std::time::Duration) {
        self.session.close(within).await;
    }
}
