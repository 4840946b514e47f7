//! The status of each source: what was read and what was stored, for the rows of every tick.

use super::encode::SourceCounters;
use super::plan::Plan;
use super::requests::Requests;
use logs::source::{State, Status};
use schema::tables::LogSource;
use schema::{Row, Sample, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Status of a source that can be read but whose lines cannot be stored.
const BLOCKED: &str = "blocked";

/// One source.
#[derive(Debug, Default)]
struct Source {
    /// Its row without the status.
    row: LogSource,
    state: State,
    /// Bytes read but not stored yet.
    unstored: u64,
    /// Whether it was polled since it was configured.
    is_polled: bool,
    /// Whether a row of it was written.
    has_row: bool,
    is_file: bool,
    /// Whether it is a default source that has not appeared yet: its absence is not reported.
    is_assumed: bool,
}

/// The state of all sources.
#[derive(Debug, Default)]
struct Shared {
    sources: BTreeMap<String, Source>,
    requests: Requests,
    /// Why nothing can be stored.
    blocked: Option<String>,
    /// Time of the previous tick.
    last: Option<Timestamp>,
}

/// Every source, shared by the reading thread, the storing task, the tick, and tasks that wait for news.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(Arc<Mutex<Shared>>, Arc<Notify>);

impl Sources {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the notification that something was stored which a rule may find.
    pub(crate) fn news(&self) -> Arc<Notify> {
        Arc::clone(&self.1)
    }

    /// Keeps the sources of a plan and drops the others. Counters continue.
    pub(crate) fn follow(&self, plan: &Plan) {
        let sources = &mut self.lock().sources;
        sources.retain(|name, _| plan.sources.iter().any(|wanted| wanted.name == *name));
        for wanted in &plan.sources {
            let source = sources.entry(wanted.name.clone()).or_default();
            source.is_assumed = plan.is_assumed && source.row.last_line.is_none();
            source.is_file = wanted.kind == config::LogKind::File;
            source.row.source = wanted.name.clone();
            source.row.kind = wanted.kind.as_str().to_owned();
            source.row.place = wanted.place();
            source.row.parser = wanted.used_parser().as_str().to_owned();
            source.row.configured_parser = Some(wanted.parser.as_str().to_owned());
            source.row.unread_lines.get_or_insert(0);
        }
    }

    /// Updates the state of each source and logs changes of its status.
    pub(crate) fn update<'a>(&self, states: impl Iterator<Item = (&'a Arc<str>, &'a State)>) {
        let sources = &mut self.lock().sources;
        for (name, state) in states {
            let Some(source) = sources.get_mut(&**name) else {
                continue;
            };
            let absent = state.status == Status::Missing && source.is_assumed;
            if !absent && state.status != source.state.status {
                match state.status {
                    Status::Ok if source.state.status == Status::Limited => {
                        tracing::info!(source = &**name, "all files of the log are open");
                    }
                    Status::Ok => tracing::info!(source = &**name, "the log is read again"),
                    Status::Limited => {
                        tracing::warn!(
                            source = &**name,
                            cause = state.cause,
                            "some files of the log are closed"
                        );
                    }
                    _ => {
                        tracing::warn!(source = &**name, cause = state.cause, "the log is not read")
                    }
                }
            }
            source.is_polled = true;
            source.is_assumed = absent;
            if source.state != *state {
                source.state = state.clone();
            }
        }
    }

    /// Adds bytes that were read and are to be stored.
    pub(crate) fn add_read(&self, counters: &SourceCounters) {
        let sources = &mut self.lock().sources;
        for (name, bytes) in &counters.bytes {
            if let Some(source) = sources.get_mut(&**name) {
                source.unstored = source.unstored.saturating_add(*bytes);
            }
        }
    }

    /// Counts what was read but not stored as backlog: reading restarts at the stored positions.
    pub(crate) fn begin_again(&self) {
        for source in self.lock().sources.values_mut() {
            source.state.backlog_bytes = source.state.backlog_bytes.saturating_add(source.unstored);
            source.unstored = 0;
        }
    }

    /// Ends the blocked state when reading found nothing new and everything read before is stored.
    pub(crate) fn found_nothing(&self) {
        let mut shared = self.lock();
        if shared.blocked.is_some() && shared.sources.values().all(|source| source.unstored == 0) {
            shared.blocked = None;
        }
    }

    /// Marks all sources as blocked, with the reason, until something is stored.
    pub(crate) fn block(&self, why: &str) {
        let mut shared = self.lock();
        if shared.blocked.as_deref() != Some(why) {
            shared.blocked = Some(why.to_owned());
        }
    }

    /// Adds a stored batch to the counters.
    pub(crate) fn stored(&self, counters: SourceCounters) {
        if counters.is_news {
            self.1.notify_one();
        }
        let mut shared = self.lock();
        shared.blocked = None;
        for (source, ts, access) in counters.requests {
            shared.requests.add(&source, ts, access);
        }
        let sources = &mut shared.sources;
        for (name, [debug, info, warn, error], newest) in &counters.lines {
            if let Some(source) = sources.get_mut(&**name) {
                let row = &mut source.row;
                row.debug_lines += debug;
                row.info_lines += info;
                row.warn_lines += warn;
                row.error_lines += error;
                row.last_line = row.last_line.max(Some(*newest));
            }
        }
        for (name, bytes) in &counters.bytes {
            if let Some(source) = sources.get_mut(&**name) {
                source.row.bytes += i64::try_from(*bytes).unwrap_or(i64::MAX);
                source.unstored = source.unstored.saturating_sub(*bytes);
            }
        }
        for (name, events) in &counters.unread {
            if let Some(source) = sources.get_mut(&**name) {
                source.row.unread_lines = Some(source.row.unread_lines.unwrap_or(0) + events);
            }
        }
        for (name, events) in &counters.overflowed {
            if let Some(source) = sources.get_mut(&**name) {
                source.row.overflowed += i64::try_from(*events).unwrap_or(i64::MAX);
            }
        }
    }

    /// Returns a row for each source that is configured explicitly or has existed, and the rows of access logs. The
    /// first row of a source is preceded by one of the previous tick with counters at zero: what was stored
    /// between the two is counted by their difference, as after any other tick.
    pub(crate) fn rows(&self, ts: Timestamp) -> Vec<Row> {
        let mut shared = self.lock();
        let mut rows = shared.requests.rows(ts);
        let last = shared.last.replace(ts);
        let blocked = shared.blocked.clone();
        let polled = shared
            .sources
            .values_mut()
            .filter(|source| source.is_polled && !source.is_assumed);
        for source in polled {
            let row = source.row(blocked.as_deref());
            if !source.has_row
                && let Some(last) = last
            {
                rows.push(at_zero(&row).into_row(last));
            }
            source.has_row = true;
            rows.push(row.into_row(ts));
        }
        rows
    }
}

impl Source {
    /// Returns the row of a tick. A source that can be read is `blocked` while nothing can be stored.
    fn row(&self, blocked: Option<&str>) -> LogSource {
        let backlog = self.state.backlog_bytes.saturating_add(self.unstored);
        let backlog = i64::try_from(backlog).unwrap_or(i64::MAX);
        let blocked = blocked.filter(|_| self.state.status == Status::Ok);
        LogSource {
            status: match blocked {
                Some(_) => BLOCKED.to_owned(),
                None => self.state.status.as_str().to_owned(),
            },
            error: match blocked {
                Some(why) => Some(format!("its lines cannot be stored: {why}")),
                None => Some(self.state.cause.clone()).filter(|cause| !cause.is_empty()),
            },
            backlog_bytes: self.is_file.then_some(backlog),
            ..self.row.clone()
        }
    }
}

/// Returns the row of the same source with counters at zero.
fn at_zero(row: &LogSource) -> LogSource {
    LogSource {
        source: row.source.clone(),
        kind: row.kind.clone(),
        place: row.place.clone(),
        parser: row.parser.clone(),
        status: row.status.clone(),
        error: row.error.clone(),
        configured_parser: row.configured_parser.clone(),
        unread_lines: row.unread_lines.map(|_| 0),
        ..LogSource::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Cell;

    /// Returns time and error count of each row.
    fn errors_of(sources: &Sources, ts: i64) -> Vec<(i64, Cell)> {
        let errors = LogSource::TABLE
            .columns
            .iter()
            .position(|column| column.name == "error_lines")
            .unwrap();
        let rows = sources.rows(Timestamp(ts));
        let found = rows.iter().map(|row| (row.ts.0, row.cells[errors].clone()));
        found.collect()
    }

    /// Returns one source that was not polled yet.
    fn followed() -> Sources {
        let sources = Sources::default();
        let shared = &mut sources.lock().sources;
        shared.insert("app".to_owned(), Source::default());
        sources.clone()
    }

    fn poll(sources: &Sources) {
        sources.update([(&Arc::from("app"), &State::default())].into_iter());
    }

    #[test]
    fn lines_of_the_first_tick_are_counted_by_the_difference_of_two_rows() {
        let sources = followed();
        assert_eq!(errors_of(&sources, 10), [], "not polled yet");
        poll(&sources);
        let lines = vec![(Arc::from("app"), [0, 0, 0, 31], Timestamp(12))];
        sources.stored(SourceCounters {
            lines,
            ..SourceCounters::default()
        });
        assert_eq!(
            errors_of(&sources, 20),
            [(10, Cell::Int(0)), (20, Cell::Int(31))]
        );
        assert_eq!(errors_of(&sources, 30), [(30, Cell::Int(31))]);
    }

    #[test]
    fn a_source_that_is_there_at_the_first_tick_has_one_row() {
        let sources = followed();
        poll(&sources);
        assert_eq!(errors_of(&sources, 10), [(10, Cell::Int(0))]);
    }
}
