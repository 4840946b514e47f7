//! Lines of logs and the positions of their streams, in one transaction.
//!
//! The log is the buffer, so nothing is spooled. One transaction updates every position of a batch from
//! the version that was read to the next, copies the lines, and adds to the counts by hour and by
//! pattern. A position with another version means that another process stored these lines, or that our
//! commit succeeded although its acknowledgement was lost: nothing is stored, and reading restarts at the
//! positions in the database. So each line is stored once, and the counts always agree with the lines.
//!
//! Partitions for the days of the lines are created before, each in a separate transaction, and never
//! block storing: see `partitions`.
//!
//! A link has its own session, so that a burst of lines, or a lock on their table, does not delay samples.
//! After any error the link must be dropped; an open transaction is rolled back by the server or
//! found committed when the positions are read again.

mod lines;
mod transaction;

use crate::host::{self, OpenError};
use crate::partitions::{Needs, Partitions, day_of, lacks_partition};
use crate::series::Instant;
use crate::tuple::{self, Group};
use crate::writer::copy::Statements;
use pg::Session;
use schema::logs::{Fingerprint, HourCount, Pattern, PatternAlias, PatternCount, StreamPosition};
use schema::tables::LogEntry;
use schema::{LogLevel, Row, Sample, Timestamp};
use std::sync::Arc;

pub use lines::{Line, Lines};

/// Tables of the counts by hour and by pattern.
const COUNTS: &str = "log_metrics_hourly";
const PATTERNS: &str = "log_fingerprint_hourly";

/// The stored position of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The stream and how far it has been read.
    pub at: StreamPosition,
    /// Number of times it was moved, for compare-and-set; 0 while the database has none.
    pub version: i64,
}

/// A batch: what one transaction stores.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Rows by table: lines, security events, gaps.
    pub groups: Vec<Group>,
    /// Days of the lines that have the host's number already.
    pub days: Vec<i64>,
    /// Position of each stream after the batch, with the version before it.
    pub positions: Vec<Position>,
    /// Counts by hour.
    pub counts: Vec<HourCount>,
    /// Counts by pattern.
    pub patterns: Vec<PatternCount>,
    /// Patterns that were merged into others.
    pub merged: Vec<PatternAlias>,
}

impl Batch {
    /// Encodes rows; the caller fills in the other fields.
    #[must_use]
    pub fn of(rows: &[Row]) -> Self {
        Self {
            groups: tuple::groups(rows),
            ..Self::default()
        }
    }

    /// Returns the days of which it has rows, by table.
    fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        for group in self.groups.iter().filter(|group| group.host_id == 0) {
            needs.add_group(group);
        }
        for day in &self.days {
            needs.add(LogEntry::TABLE.name, *day);
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

/// Number of rows that a transaction stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Rows stored.
    pub rows: u64,
    /// Rows written to `dead_letter`.
    pub dead_letters: u64,
}

/// Why lines could not be stored. The link must be dropped.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The session could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The stored positions have other versions: read them again.
    #[error("the positions in the database have changed since they were read")]
    Fenced,
    /// The server refuses the content of rows; the next attempt bisects the batch.
    #[error("the database refused lines: {0}")]
    Poison(String),
    /// There is no partition for rows of this batch.
    #[error("there is no partition for the lines: {0}")]
    Homeless(String),
    /// Any other error of the server or the link. The outcome may be unknown.
    #[error("{what} failed: {message}")]
    Statement {
        /// The operation.
        what: &'static str,
        /// The message of the server or the link.
        message: String,
    },
}

/// A session that stores lines of one host.
#[derive(Debug)]
pub struct LogLink {
    session: Session,
    host_id: i32,
    statements: Statements,
    partitions: Partitions,
    /// Why creating one failed last, so that it is logged once.
    partition_error: Option<String>,
}

fn failed(what: &'static str) -> impl Fn(tokio_postgres::Error) -> LogError {
    move |error| {
        let message = crate::writer::describe(&error);
        if lacks_partition(&error) {
            return LogError::Homeless(message);
        }
        LogError::Statement { what, message }
    }
}

/// Returns a text column.
fn text(row: &tokio_postgres::Row, column: usize) -> Arc<str> {
    Arc::from(row.get::<_, &str>(column))
}

impl LogLink {
    /// Opens a session, checks the schema and looks up the host.
    ///
    /// # Errors
    /// When no link can be established.
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
            partition_error: None,
        })
    }

    /// Returns the identifier of the host.
    #[must_use]
    pub const fn host_id(&self) -> i32 {
        self.host_id
    }

    /// Returns where every stream stands.
    ///
    /// # Errors
    /// When the server reports an error.
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
                at: StreamPosition {
                    source: text(row, 0),
                    stream: text(row, 1),
                    position: row.get(3),
                },
                version: row.get(2),
            })
            .collect())
    }

    /// Returns the patterns that were seen last, at most `limit`, in the order in which they were seen first.
    /// One whose fingerprint is not valid is left out.
    ///
    /// # Errors
    /// When the server reports an error.
    pub async fn patterns(&self, limit: i64) -> Result<Vec<Pattern>, LogError> {
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
            .filter_map(|row| {
                let alias_of: Option<&str> = row.get(4);
                Some(Pattern {
                    source: text(row, 0),
                    level: LogLevel::parse(row.get(1)).unwrap_or_default(),
                    fingerprint: Fingerprint::parse(row.get(2))?,
                    template: row.get(3),
                    alias_of: alias_of.and_then(Fingerprint::parse),
                })
            })
            .collect())
    }

    /// Reserves identifiers for the lines of this session: the first of 2^32.
    ///
    /// # Errors
    /// When the server reports an error.
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

    /// Creates the partitions that a batch needs, as far as time permits.
    ///
    /// # Errors
    /// When the link is lost.
    pub async fn prepare(&mut self, batch: &Batch, now: Timestamp) -> Result<(), LogError> {
        let ensured = self
            .partitions
            .ensure(&self.session.client, &batch.needs(), now)
            .await;
        let trouble = ensured
            .map_err(failed("creating partitions"))?
            .map(|error| crate::writer::describe(&error));
        if let Some(error) = &trouble
            && self.partition_error.is_none()
        {
            tracing::warn!(error, "creating partitions for logs failed; will retry");
        }
        self.partition_error = trouble;
        Ok(())
    }

    /// Checks every partition again, because one may have been dropped.
    pub fn forget_partitions(&mut self) {
        self.partitions.forget_all();
    }

    /// Stores a batch, or nothing of it. With `by_halves`, rows whose content the server refuses are
    /// found and dead-lettered; without, they are [`LogError::Poison`].
    ///
    /// # Errors
    /// When nothing was stored; for [`LogError::Statement`] the outcome may be unknown.
    pub async fn store(&mut self, batch: &Batch, by_halves: bool) -> Result<Stored, LogError> {
        transaction::run(self, batch, by_halves).await
    }

    /// Closes patterns that were not seen since `silent`, and deletes those closed before `old`.
    ///
    /// # Errors
    /// When the server reports an error.
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

    /// Closes the session.
    pub async fn close(self, within: std::time::Duration) {
        self.session.close(within).await;
    }
}
