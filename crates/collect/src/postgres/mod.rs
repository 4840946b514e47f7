//! Watching PostgreSQL servers, 15 and newer.
//!
//! [`Postgres`] is one server. [`Postgres::fast`] asks what concerns the server as a whole, every tick,
//! over one session that it keeps: all questions travel together, each in a transaction of its own.
//! [`Postgres::slow`] asks what costs more or changes slowly: first of the server, then of each watched
//! database over a session that lives only for that.
//!
//! No session stays in a further database until the next slow tick. One that is idle there makes
//! `DROP DATABASE`, `ALTER DATABASE … RENAME` and `CREATE DATABASE … TEMPLATE` fail after the five seconds that the
//! server waits for others to leave; one that lives for some 20 ms only delays them. The price, measured by
//! `cargo xtask bench postgres` on PostgreSQL 15 with 50 tables: 23 to 26 ms of the server's CPU per further database, ten
//! times what the same statements take in a session that is kept, as a process starts, its caches of the
//! catalogues fill, and everything is planned anew.
//!
//! What is asked is data: `family.rs` lists every family of statistics with its statements, chosen by
//! version at each connect. The columns of a statement are called as the stored ones, and `fill.rs`
//! is all there is between them. What scans a catalogue or every file is asked once an hour, and what
//! it found holds in between (`cache.rs`): the newest slow tick of a server means all findings.
//! The session that is kept also keeps its statements prepared, as planning costs more than running, and small
//! checks are one statement there (`together.rs`).
//! The rest is what cannot be written in SQL: who blocks whom
//! (`sessions.rs`), what a statement cost since the last look (`statements/`), whose counters these
//! are (`epoch.rs`).
//!
//! Invariants:
//! * A family that fails costs no other. It becomes a row of `db_blind_spots_raw` with the state and
//!   what fixes it, every tick until it is fixed (`gaps.rs`), and its columns are NULL.
//! * Each tick has a row of `db_metrics_raw`, whether the server answers or not.
//! * No statement waits for a lock longer than 500 ms or runs longer than 5 s, and none writes.
//! * A text that is not valid in its encoding costs itself alone (`text.rs`).
//! * The collector's own schema and statements are left out, unless the configuration asks for them.
//! * Texts of statements lose every constant before they become part of a row (`redact`).

use std::collections::HashMap;
use std::time::Duration;

use schema::tables::VisibilityGap;
use schema::{Row, Timestamp};

use crate::{Moment, run_one};

mod cache;
mod check;
mod definitions;
mod epoch;
mod family;
mod family_rows;
#[cfg(test)]
mod family_tests;
mod fast;
mod fill;
mod gaps;
mod link;
mod rights;
mod sessions;
mod slow;
mod statements;
mod text;
mod together;
mod visit;

use cache::FindingCache;
use epoch::Marks;
use fast::Fast;
use gaps::{GapContext, GapTracker};
use link::Link;
use slow::Slow;
use statements::Statements;
use statements::texts::Wanted;
use visit::{Size, Surroundings};

/// A server to watch.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its name in every row.
    pub name: String,
    /// Where it is and who logs in.
    pub target: pg::Target,
    /// Which of its databases are looked into.
    pub databases: Databases,
    /// Whether the collector's own schema and statements are reported, too.
    pub include_own: bool,
    /// How long connecting may take, and how long the questions of a tick.
    pub timeout: Duration,
}

impl Instance {
    /// Makes it from the settings; `store` is where those lead that name no server of their own.
    ///
    /// # Errors
    /// [`pg::PgError::Address`] for an address that cannot be read; checked settings hold none.
    pub fn of(
        server: &config::Postgres,
        store: &config::Database,
        timeout: Duration,
    ) -> Result<Self, pg::PgError> {
        Ok(Self {
            name: server.name.clone(),
            target: pg::Target::watched(server, store)?,
            databases: match server.databases.as_slice() {
                [] => Databases::All,
                names => Databases::Named(names.to_vec()),
            },
            include_own: server.include_own,
            timeout,
        })
    }
}

/// Which databases are looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Databases {
    /// All but templates.
    All,
    /// These.
    Named(Vec<String>),
}

/// Collects one server. Its session is opened when it is needed and opened again when it is lost.
#[derive(Debug)]
pub struct Postgres {
    instance: Instance,
    link: Option<Link>,
    retry: Retry,
    gaps: GapTracker,
    /// Whose counters these are.
    marks: Marks,
    /// Sizes of databases, for the next fast tick to report.
    sizes: HashMap<String, Size>,
    /// Whether a fast tick has reported them.
    are_sizes_reported: bool,
    statements: Statements,
    /// Texts of statements that are looked for at this slow tick.
    wanted: Wanted,
    /// What the visit of the server at this slow tick learned of the database of the kept session.
    surroundings: Option<Surroundings>,
    /// Settings that are off, as the last fast tick found them.
    settings_off: Vec<String>,
    /// What is asked once an hour found.
    cache: FindingCache,
    /// Slow ticks so far: what is expensive takes turns.
    turn: i64,
    /// Slow ticks in a row for which the server had no further session.
    crowded: u32,
}

/// When the next attempt to connect is due, on the monotonic clock of [`Moment`].
#[derive(Debug, Default)]
struct Retry {
    backoff: pg::Backoff,
    not_before: Duration,
    cause: Option<String>,
    /// Whether the server had no room for a session.
    is_crowded: bool,
}

/// The instance that is watched when none is configured; its runs carry no name.
const DEFAULT: &str = "store";

impl Postgres {
    /// Makes a collector that is not connected yet.
    #[must_use]
    pub fn new(instance: Instance) -> Self {
        Self {
            instance,
            link: None,
            retry: Retry::default(),
            gaps: GapTracker::default(),
            marks: Marks::default(),
            sizes: HashMap::new(),
            are_sizes_reported: false,
            statements: Statements::default(),
            wanted: Wanted::default(),
            surroundings: None,
            settings_off: Vec::new(),
            cache: FindingCache::default(),
            turn: 0,
            crowded: 0,
        }
    }

    /// Takes the sample of a tick: a `db_metrics_raw` row in any case, the databases, replication,
    /// sessions worth a look, every known gap, and a `collector_runs_raw` row.
    pub async fn fast(&mut self, at: &Moment, out: &mut Vec<Row>) {
        run_one(&mut Fast(self), at, out).await;
    }

    /// Takes what changes slowly: sizes (reported by the next fast tick), tables, indexes, statements, I/O,
    /// subscriptions and checks, and a `collector_runs_raw` row. Gaps are reported by the fast ticks that
    /// follow, until the next slow tick finds them fixed.
    pub async fn slow(&mut self, at: &Moment, out: &mut Vec<Row>) {
        run_one(&mut Slow(self), at, out).await;
    }

    /// Returns what could not be read at the last ticks, with what fixes it.
    pub fn visibility_gaps(&self) -> impl Iterator<Item = &VisibilityGap> {
        self.gaps.all(true)
    }

    /// Returns the server's words when it had no room for our session at the last attempt.
    #[must_use]
    pub fn crowded_out(&self) -> Option<&str> {
        let cause = self.retry.cause.as_deref();
        cause.filter(|_| self.retry.is_crowded)
    }

    /// Closes the session for now; the next tick opens another.
    pub async fn give_way(&mut self) {
        if let Some(link) = self.link.take() {
            link.session.close(self.instance.timeout).await;
        }
    }

    /// Closes the session.
    pub async fn close(self) {
        if let Some(link) = self.link {
            link.session.close(self.instance.timeout).await;
        }
    }

    /// Returns the sizes that no row has reported yet.
    fn unreported_sizes(&mut self) -> HashMap<String, Size> {
        match std::mem::replace(&mut self.are_sizes_reported, true) {
            true => HashMap::new(),
            false => self.sizes.clone(),
        }
    }

    /// Reports again what a family found at an earlier slow tick.
    fn repeat_findings(
        &mut self,
        database: &str,
        family: &'static str,
        ts: Timestamp,
        out: &mut Vec<Row>,
    ) {
        if let Some(findings) = self.cache.findings(database, family) {
            out.extend(findings.rows.iter().map(|row| Row { ts, ..row.clone() }));
            if let Some(gap) = findings.gap.clone() {
                self.gaps.note(true, gap);
            }
        }
    }

    /// Returns what `collector_runs_raw` calls its runs of this kind, `postgres` or `postgres_slow`.
    #[must_use]
    pub fn run_name(&self, kind: &str) -> String {
        match self.instance.name.as_str() {
            DEFAULT => kind.to_owned(),
            name => format!("{kind} {name}"),
        }
    }

    fn context<'a>(&'a self, database: &'a str) -> GapContext<'a> {
        let link = self.link.as_ref();
        self.context_of(
            database,
            link.map_or(0, |link| link.session.major_version()),
        )
    }

    /// Returns the context of gaps in a database of a server of this version.
    fn context_of<'a>(&'a self, database: &'a str, version: u32) -> GapContext<'a> {
        GapContext::new(&self.instance, database, version)
    }
}

/// Looks once at everything and lists what the role of this instance cannot read, with what fixes it.
///
/// # Errors
/// When no session comes about.
pub async fn visibility_gaps(instance: Instance) -> Result<Vec<VisibilityGap>, pg::PgError> {
    let mut watcher = Postgres::new(instance);
    let link = Link::open(&watcher.instance, &watcher.instance.target).await?;
    watcher.link = Some(link);
    watcher.statements = Statements::of_check();
    let (at, mut rows) = (Moment::default(), Vec::new());
    watcher.slow(&at, &mut rows).await;
    watcher.fast(&at, &mut rows).await;
    let gaps = watcher.visibility_gaps().cloned().collect();
    watcher.close().await;
    Ok(gaps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service is a task of its own: what it awaits must be able to move between threads.
    #[test]
    fn ticks_can_be_spawned() {
        fn movable<T: Send>(_: &T) {}
        let mut watcher = Postgres::new(Instance {
            name: DEFAULT.to_owned(),
            target: pg::Target::new("/nowhere", 1, "d", "u"),
            databases: Databases::All,
            include_own: false,
            timeout: Duration::from_secs(1),
        });
        let (at, mut out) = (Moment::default(), Vec::new());
        movable(&watcher.fast(&at, &mut out));
        movable(&watcher.slow(&at, &mut out));
        movable(&watcher);
    }
}
