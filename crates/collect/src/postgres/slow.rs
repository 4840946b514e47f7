//! The slow tick: what costs more to ask or changes slowly, of the server and of each database.

use std::borrow::Cow;
use std::time::Duration;

use pg::PgError;
use schema::Row;
use tokio_postgres::error::SqlState;

use super::family::Asked;
use super::gaps::{GapContext, extension_remedy};
use super::link::{Link, setting_sources};
use super::visit::Visit;
use super::{Databases, Postgres};
use crate::{CollectError, Collector, Moment, Outcome};

/// How long a slow tick may take as a whole; it comes every five minutes.
const DEADLINE: Duration = Duration::from_secs(120);

/// Slow ticks in a row for which a database is left out without a note while the server has no further session: one that is busy, or a
/// role whose sessions are in use, has one with the next.
const CROWDED: u32 = 3;

/// The slow tick of a server as a collector.
pub(super) struct Slow<'a>(pub(super) &'a mut Postgres);

impl Collector for Slow<'_> {
    fn name(&self) -> Cow<'static, str> {
        self.0.run_name("postgres_slow").into()
    }

    fn deadline(&self) -> Duration {
        DEADLINE
    }

    async fn collect(&mut self, at: &Moment, out: &mut Vec<Row>) -> Result<Outcome, CollectError> {
        self.0.slow_tick(at, out).await?;
        Ok(match self.0.gaps.unseen(true) {
            Some(families) => Outcome::Partial(CollectError::Unseen { families }),
            None => Outcome::Collected,
        })
    }
}

/// Returns what lets our role into a database that refused it.
fn refused(context: &GapContext<'_>, error: &PgError, state: &str) -> String {
    let database = super::gaps::quoted(context.database);
    let role = super::gaps::quoted(context.role);
    match error.sql_state() {
        Some(state) if *state == SqlState::INSUFFICIENT_PRIVILEGE => {
            format!("GRANT CONNECT ON DATABASE {database} TO {role};")
        }
        Some(state) if *state == SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE => {
            format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true;")
        }
        _ if error.is_crowded() => {
            format!(
                "raise the limit of connections that is reached: that of the role (ALTER ROLE {role} CONNECTION LIMIT 6;), \
                 of the database (ALTER DATABASE {database} CONNECTION LIMIT -1;), or max_connections"
            )
        }
        // It has the right to connect, else it would not have been tried.
        _ if state == "denied" => format!(
            "let role {role} into database {database} in pg_hba.conf, as for the other databases, \
             then SELECT pg_reload_conf();"
        ),
        _ => "look whether the server takes sessions in this database".to_owned(),
    }
}

impl Postgres {
    async fn slow_tick(&mut self, at: &Moment, out: &mut Vec<Row>) -> Result<(), CollectError> {
        self.link(at).await?;
        // Taken out, so that a deadline that passes meanwhile drops the session with its statement.
        let Some(mut link) = self.link.take() else {
            return Ok(());
        };
        self.gaps.begin(true);
        self.turn += 1;
        self.surroundings = None;
        let mut visited = self.visit_server(&mut link, at, out).await;
        if let Ok(has_statements) = &mut visited {
            *has_statements = self
                .visit_databases(&mut link, at, out, *has_statements)
                .await;
            self.end_visits(&mut link, at, out).await;
            if !*has_statements {
                self.note_no_statements(&mut link).await;
            }
        }
        if link.session.is_usable() {
            self.link = Some(link);
        }
        visited.map(|_| ())
    }

    /// Notes that the extension is in no database, with what is to be done: whether the library must be
    /// loaded first is asked once per session, as it can be loaded only when the server starts.
    async fn note_no_statements(&mut self, link: &mut Link) {
        const OF_LIBRARY: &str = "pg_stat_statements.max";
        let is_loaded = match link.has_statements_library {
            Some(is_loaded) => is_loaded,
            None => {
                let names = [OF_LIBRARY.to_owned()];
                let settings = setting_sources(link, &names).await;
                let is_loaded = settings
                    .as_ref()
                    .map(|found| found.contains_key(OF_LIBRARY));
                link.has_statements_library = is_loaded.as_ref().ok().copied();
                is_loaded.unwrap_or_default()
            }
        };
        let database = &self.instance.target.database;
        let remedy = extension_remedy("pg_stat_statements", is_loaded, database);
        let message = "the extension pg_stat_statements is in none of the databases looked into";
        let context = self.context_of("", link.session.major_version());
        let gap = context.gap("statements", "missing", message, remedy);
        self.gaps.note(true, gap);
    }

    /// Visits the server; returns whether its statements were reported, or at least need not be looked for
    /// elsewhere.
    async fn visit_server(
        &mut self,
        link: &mut Link,
        at: &Moment,
        out: &mut Vec<Row>,
    ) -> Result<bool, CollectError> {
        let instance = self.instance.clone();
        let context = GapContext::new(&instance, "", link.session.major_version());
        let mut visit = Visit::begin(link, true, context, *at, self.turn);
        visit.marks(self).await;
        self.sizes = visit.look_around_server(self).await;
        self.are_sizes_reported = false;
        let has_statements = visit.statements(self, out).await;
        visit.families(self, Asked::Server, out).await;
        if !link.session.is_usable() {
            return Err(CollectError::from(Box::new(PgError::Gone {
                what: "ask the server".to_owned(),
            })));
        }
        Ok(has_statements)
    }

    /// Ends the search for texts of statements, and notes which were found in no database.
    async fn end_visits(&mut self, link: &mut Link, at: &Moment, out: &mut Vec<Row>) {
        let instance = self.instance.clone();
        let context = GapContext::new(&instance, "", link.session.major_version());
        let mut visit = Visit::begin(link, true, context, *at, self.turn);
        visit.end_texts(self, out).await;
    }

    /// Looks into each database: into that of the session we keep over it, whose caches are warm, into
    /// the others over a session for this alone.
    async fn visit_databases(
        &mut self,
        kept: &mut Link,
        at: &Moment,
        out: &mut Vec<Row>,
        mut has_statements: bool,
    ) -> bool {
        let instance = self.instance.clone();
        let watched = self.watched();
        self.cache.retain(&watched);
        let mut is_crowded = false;
        for database in watched {
            let context = GapContext::new(&instance, &database, kept.session.major_version());
            if database == instance.target.database && kept.session.is_usable() {
                let mut visit = Visit::begin(kept, true, context, *at, self.turn);
                has_statements = visit.database(self, out, has_statements).await;
                continue;
            }
            let target = instance.target.clone().with_database(&database);
            match Link::open(&instance, &target).await {
                Ok(mut link) => {
                    let mut visit = Visit::begin(&mut link, false, context, *at, self.turn);
                    has_statements = visit.database(self, out, has_statements).await;
                    link.session.close(instance.timeout).await;
                }
                Err(error) => {
                    let is_full = error.is_crowded();
                    is_crowded |= is_full;
                    if is_full && self.crowded < CROWDED {
                        continue;
                    }
                    let state = super::gaps::state_of(&error);
                    let remedy = refused(&context, &error, state);
                    let gap = context.gap("database", state, error.to_string(), remedy);
                    self.gaps.note(true, gap);
                }
            }
        }
        self.crowded = match is_crowded {
            true => self.crowded.saturating_add(1),
            false => 0,
        };
        has_statements
    }

    /// Returns the databases to look into, in order; those that should be and cannot are noted.
    fn watched(&mut self) -> Vec<String> {
        let mut watched: Vec<String> = match &self.instance.databases {
            Databases::All => self
                .sizes
                .iter()
                .filter(|(_, size)| size.usable)
                .map(|(name, _)| name.clone())
                .collect(),
            Databases::Named(names) => names.clone(),
        };
        watched.sort();
        watched.dedup();
        let mut open = Vec::with_capacity(watched.len());
        for name in watched {
            let context = self.context(&name);
            let gap = match self.sizes.get(&name) {
                Some(size) if size.may_connect => None,
                Some(_) => Some(context.gap(
                    "database",
                    "denied",
                    format!("role {} may not connect to database {name}", context.role),
                    context.granted(&format!(
                        "GRANT CONNECT ON DATABASE {} TO %ROLE%",
                        super::gaps::quoted(&name)
                    )),
                )),
                None if self.sizes.is_empty() => None,
                None => Some(context.gap(
                    "database",
                    "missing",
                    format!("there is no database {name}"),
                    "correct the list of databases in the configuration",
                )),
            };
            match gap {
                Some(gap) => self.gaps.note(true, gap),
                None => open.push(name),
            }
        }
        open
    }
}
