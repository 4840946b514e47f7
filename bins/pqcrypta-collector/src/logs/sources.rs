//! How each source fares: what the thread saw and what was stored, for the rows of every tick.

use super::encode::Sums;
use super::plan::Plan;
use super::requests::Requests;
use logs::source::{State, Status};
use schema::tables::LogSource;
use schema::{Row, Sample, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Status of a source that can be read and whose lines cannot be stored.
const BLOCKED: &str = "blocked";

/// One source.
#[derive(Debug, Default)]
struct Source {
    /// Its row but for the status.
    row: LogSource,
    state: State,
    /// Bytes that were read and are not stored.
    unstored: u64,
    /// Whether it was looked at since it was asked for.
    looked_at: bool,
    /// Whether it has had a row.
    is_told: bool,
    is_file: bool,
    /// Nobody named it, and it was not there yet: its absence is no news.
    is_assumed: bool,
}

/// What is known of all of them.
#[derive(Debug, Default)]
struct Known {
    sources: BTreeMap<String, Source>,
    requests: Requests,
    /// Why nothing can be stored.
    blocked: Option<String>,
    /// The tick before.
    last: Option<Timestamp>,
}

/// Every source, shared by the thread, the task that stores, the tick, and whoever waits for news.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(Arc<Mutex<Known>>, Arc<Notify>);

impl Sources {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what notifies of something stored that a rule may find.
    pub(crate) fn news(&self) -> Arc<Notify> {
        Arc::clone(&self.1)
    }

    /// Keeps the sources of a plan and forgets the others. Counters go on.
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

    /// What the thread saw; a change for the worse is said.
    pub(crate) fn seen<'a>(&self, states: impl Iterator<Item = (&'a Arc<str>, &'a State)>) {
        let sources = &mut self.lock().sources;
        for (name, state) in states {
            let Some(source) = sources.get_mut(&**name) else {
                continue;
            };
            let absent = state.status == Status::Missing && source.is_assumed;
            if !absent && state.status != source.state.status {
                match state.status {
                    Status::Ok if source.state.status == Status::Limited => {
                        tracing::info!(source = &**name, "all its files are open");
                    }
                    Status::Ok => tracing::info!(source = &**name, "is read again"),
                    Status::Limited => {
                        tracing::warn!(source = &**name, cause = state.cause, "has files closed");
                    }
                    _ => tracing::warn!(source = &**name, cause = state.cause, "is not read"),
                }
            }
            source.looked_at = true;
            source.is_assumed = absent;
            if source.state != *state {
                source.state = state.clone();
            }
        }
    }

    /// What was read, and is to be stored.
    pub(crate) fn read(&self, sums: &Sums) {
        let sources = &mut self.lock().sources;
        for (name, bytes) in &sums.bytes {
            if let Some(source) = sources.get_mut(&**name) {
                source.unstored = source.unstored.saturating_add(*bytes);
            }
        }
    }

    /// Reading begins again where the database says: what was read and not stored is read again.
    pub(crate) fn begin_again(&self) {
        for source in self.lock().sources.values_mut() {
            source.state.backlog_bytes = source.state.backlog_bytes.saturating_add(source.unstored);
            source.unstored = 0;
        }
    }

    /// Reading found nothing new: what was read before is stored, or it would wait.
    pub(crate) fn found_nothing(&self) {
        let mut known = self.lock();
        if known.blocked.is_some() && known.sources.values().all(|source| source.unstored == 0) {
            known.blocked = None;
        }
    }

    /// Nothing can be stored: whatever waits in the sources is their backlog until something is stored.
    pub(crate) fn block(&self, why: &str) {
        let mut known = self.lock();
        if known.blocked.as_deref() != Some(why) {
            known.blocked = Some(why.to_owned());
        }
    }

    /// What was stored.
    pub(crate) fn stored(&self, sums: Sums) {
        if sums.is_news {
            self.1.notify_one();
        }
        let mut known = self.lock();
        known.blocked = None;
        for (source, ts, access) in sums.requests {
            known.requests.add(&source, ts, access);
        }
        let sources = &mut known.sources;
        for (name, [debug, info, warn, error], newest) in &sums.lines {
            if let Some(source) = sources.get_mut(&**name) {
                let row = &mut source.row;
                row.debug_lines += debug;
                row.info_lines += info;
                row.warn_lines += warn;
                row.error_lines += error;
                row.last_line = row.last_line.max(Some(*newest));
            }
        }
        for (name, bytes) in &sums.bytes {
            if let Some(source) = sources.get_mut(&**name) {
                source.row.bytes += i64::try_from(*bytes).unwrap_or(i64::MAX);
                source.unstored = source.unstored.saturating_sub(*bytes);
            }
        }
        for (name, events) in &sums.unread {
            if let Some(source) = sources.get_mut(&**name) {
                source.row.unread_lines = Some(source.row.unread_lines.unwrap_or(0) + events);
            }
        }
        for (name, events) in &sums.overflowed {
            if let Some(source) = sources.get_mut(&**name) {
                source.row.overflowed += i64::try_from(*events).unwrap_or(i64::MAX);
            }
        }
    }

    /// A row for each source that somebody named or that was there once, and what access logs say. The
    /// first of a source has one before it, of the tick before, with counters at nothing: what was stored
    /// between the two is counted by their difference, like everything after.
    pub(crate) fn rows(&self, ts: Timestamp) -> Vec<Row> {
        let mut known = self.lock();
        let mut rows = known.requests.rows(ts);
        let last = known.last.replace(ts);
        let blocked = known.blocked.clone();
        let told = known
            .sources
            .values_mut()
            .filter(|source| source.looked_at && !source.is_assumed);
        for source in told {
            let row = source.told(blocked.as_deref());
            if !source.is_told
                && let Some(last) = last
            {
                rows.push(at_nothing(&row).into_row(last));
            }
            source.is_told = true;
            rows.push(row.into_row(ts));
        }
        rows
    }
}

impl Source {
    /// The row of a tick. A source that can be read is not well while nothing can be stored.
    fn told(&self, blocked: Option<&str>) -> LogSource {
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

/// The same source before anything of it was stored.
fn at_nothing(row: &LogSource) -> LogSource {
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

    /// Instant and errors of each row.
    fn told(sources: &Sources, ts: i64) -> Vec<(i64, Cell)> {
        let errors = LogSource::TABLE
            .columns
            .iter()
            .position(|column| column.name == "error_lines")
            .unwrap();
        let rows = sources.rows(Timestamp(ts));
        let told = rows.iter().map(|row| (row.ts.0, row.cells[errors].clone()));
        told.collect()
    }

    /// One source that is followed and was not looked at.
    fn followed() -> Sources {
        let sources = Sources::default();
        let known = &mut sources.lock().sources;
        known.insert("app".to_owned(), Source::default());
        sources.clone()
    }

    fn look_at(sources: &Sources) {
        sources.seen([(&Arc::from("app"), &State::default())].into_iter());
    }

    #[test]
    fn lines_of_the_first_tick_are_counted_by_the_difference_of_two_rows() {
        let sources = followed();
        assert_eq!(told(&sources, 10), [], "nobody has looked yet");
        look_at(&sources);
        let lines = vec![(Arc::from("app"), [0, 0, 0, 31], Timestamp(12))];
        sources.stored(Sums {
            lines,
            ..Sums::default()
        });
        assert_eq!(
            told(&sources, 20),
            [(10, Cell::Int(0)), (20, Cell::Int(31))]
        );
        assert_eq!(told(&sources, 30), [(30, Cell::Int(31))]);
    }

    #[test]
    fn a_source_that_is_there_at_the_first_tick_has_one_row() {
        let sources = followed();
        look_at(&sources);
        assert_eq!(told(&sources, 10), [(10, Cell::Int(0))]);
    }
}
