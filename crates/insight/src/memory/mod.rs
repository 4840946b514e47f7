//! What judges of a tick look at: the newest rows of every collector, in memory.
//!
//! Rows are taken as they are collected, before they are queued, in whatever batches they come. Nothing here waits for
//! the database. What is kept is bounded by what is watched: values of evaluated metrics over their windows
//! ([`Live`]), and of processes, sessions, targets and sources the newest sample.

mod endpoints;
pub(crate) mod fields;
mod freshness;
mod processes;
mod sessions;

use crate::live::{Intervals, Live};
use crate::normal;
use fields::Fields;
use schema::expr::ExprError;
use schema::tables::{
    DbSample, EndpointSample, LogSource, ProcessSample, SessionSample, TargetSample,
};
use schema::{Row, Sample, TableDef};
use std::collections::HashMap;

pub(crate) use endpoints::Endpoints;
pub(crate) use freshness::Freshness;
pub(crate) use processes::{Process, Processes};
pub(crate) use sessions::{Culprit, Sessions};

/// Tables whose rows have an error, with the column of whose it is.
const ERRORS: [(&TableDef, &str); 3] = [
    (DbSample::TABLE, "instance"),
    (TargetSample::TABLE, "target"),
    (LogSource::TABLE, "source"),
];

/// The newest rows.
#[derive(Debug)]
pub struct Memory {
    live: Live,
    /// The scored metrics, over a cycle.
    scored: Live,
    pub(crate) freshness: Freshness,
    pub(crate) sessions: Sessions,
    pub(crate) processes: Processes,
    pub(crate) endpoints: Endpoints,
    /// By table and owner: the error of the newest row.
    errors: HashMap<(&'static str, String), String>,
}

impl Memory {
    /// Begins without rows.
    ///
    /// # Errors
    /// When an expression of the catalogue cannot be evaluated in memory; a test shows that all can.
    pub fn new(intervals: Intervals) -> Result<Self, ExprError> {
        Ok(Self {
            live: Live::new(intervals)?,
            scored: Live::over(normal::windows(), intervals)?,
            freshness: Freshness::default(),
            sessions: Sessions::default(),
            processes: Processes::default(),
            endpoints: Endpoints::default(),
            errors: HashMap::new(),
        })
    }

    /// Sets the sampling intervals.
    pub fn set_intervals(&mut self, intervals: Intervals) {
        self.live.set_intervals(intervals);
        self.scored.set_intervals(intervals);
    }

    /// Forgets servers and targets, as others are watched now.
    pub fn forget_services(&mut self) {
        self.freshness.forget_services();
    }

    /// Takes a batch of rows.
    pub fn take(&mut self, rows: &[Row]) {
        // The rows of a table come together.
        for rows in rows.chunk_by(|a, b| a.table.name == b.table.name) {
            self.freshness.take(rows);
            for row in rows {
                self.live.ingest(row);
                self.scored.ingest(row);
                self.note(row);
            }
        }
        self.processes.settle();
    }

    fn note(&mut self, row: &Row) {
        match row.table.name {
            name if name == ProcessSample::TABLE.name => self.processes.take(row),
            name if name == SessionSample::TABLE.name => self.sessions.take(row),
            name if name == EndpointSample::TABLE.name => self.endpoints.take(row),
            name => {
                if name == DbSample::TABLE.name {
                    self.sessions.begin(Fields(row).text("instance"), row.ts);
                }
                self.note_error(row);
            }
        }
    }

    fn note_error(&mut self, row: &Row) {
        let known = ERRORS
            .iter()
            .find(|(table, _)| table.name == row.table.name);
        let Some((table, owner)) = known else { return };
        let fields = Fields(row);
        let key = (table.name, fields.text(*owner).to_owned());
        match fields.text("error") {
            "" => self.errors.remove(&key),
            error => self.errors.insert(key, error.to_owned()),
        };
    }

    /// Returns the error of the newest row of an owner.
    pub(crate) fn error(&self, table: &TableDef, owner: &str) -> Option<&str> {
        let key = (table.name, owner.to_owned());
        self.errors.get(&key).map(String::as_str)
    }

    /// Returns the values of metrics, and when each source delivered last.
    pub(crate) fn parts(&mut self) -> (&mut Live, &Freshness) {
        (&mut self.live, &self.freshness)
    }

    /// Returns the scored metrics, over a cycle.
    pub(crate) const fn scored(&mut self) -> &mut Live {
        &mut self.scored
    }
}
