//! The slow tick: what costs more to ask or changes slowly, of the server and of each database.

use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt;
use pg::{PgError, Session};
use schema::tables::{CheckSample, StatementStore};
use schema::{Json, Row, Sample, Timestamp};
use tokio_postgres::types::{ToSql, Type};

use super::family::{Asked, FAMILIES, Family, family};
use super::fill::Draft;
use super::link::{Link, plan, statement};
use super::sight::{Scene, extension_remedy};
use super::statements::Statements;
use super::{Databases, Postgres, epoch};
use crate::{CollectError, Collector, Moment, Outcome};

/// How long a slow tick may take as a whole; it comes every five minutes.
const DEADLINE: Duration = Duration::from_secs(120);
/// How long the client waits for a statement that the server ends after 5 s.
const PATIENCE: Duration = Duration::from_secs(6);
/// Objects that a check gives at most, worst first.
const OBJECTS: usize = 50;

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
        Ok(match self.0.sight.unseen(true) {
            Some(families) => Outcome::Partial(CollectError::Unseen { families }),
            None => Outcome::Collected,
        })
    }
}

/// What the slow tick tells of a database that belongs into its row of the next fast tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Size on disk; `None` where we may not ask.
    pub(super) bytes: Option<i64>,
    /// Age of `datfrozenxid`.
    pub(super) xid_age: i64,
    /// Age of `datminmxid`.
    pub(super) mxid_age: i64,
    usable: bool,
    may_connect: bool,
}

/// A visit to the server or one of its databases.
struct Visit<'a> {
    session: &'a Session,
    scene: Scene<'a>,
    /// Whose counters these are and since when they count; `None` when that could not be read.
    epoch: Option<(String, String)>,
    /// Version, as 110 for 1.10, and schema of the extensions that are here.
    extensions: HashMap<String, (u32, String)>,
    at: Moment,
    turn: i64,
}

impl Postgres {
    async fn slow_tick(&mut self, at: &Moment, out: &mut Vec<Row>) -> Result<(), CollectError> {
        self.link(at).await?;
        // Taken out, so that a deadline that passes meanwhile drops the session with its statement.
        let Some(link) = self.link.take() else {
            return Ok(());
        };
        self.sight.begin(true);
        self.turn += 1;
        let mut told = self.visit_server(&link.session, at, out).await;
        if let Ok(told) = &mut told {
            *told = self.visit_databases(&link.session, at, out, *told).await;
        }
        if link.session.is_usable() {
            self.link = Some(link);
        }
        let told_statements = told?;
        if !told_statements {
            let message =
                "the extension pg_stat_statements is in none of the databases looked into";
            let spot = self.scene("").spot(
                "statements",
                "missing",
                message,
                extension_remedy("pg_stat_statements"),
            );
            self.sight.note(true, spot);
        }
        Ok(())
    }

    /// Whether statements were told, or at least are somebody's to tell.
    async fn visit_server(
        &mut self,
        session: &Session,
        at: &Moment,
        out: &mut Vec<Row>,
    ) -> Result<bool, CollectError> {
        let instance = self.instance.clone();
        let scene = Scene {
            instance: &instance.name,
            role: &instance.target.user,
            database: "",
        };
        let mut visit = Visit::begin(session, scene, *at, self.turn);
        visit.look_around(self).await;
        self.sizes = visit.sizes(self).await;
        self.sizes_told = false;
        let told = visit.statements(self, out).await;
        visit.families(self, Asked::Server, out).await;
        if !session.is_usable() {
            return Err(CollectError::from(Box::new(PgError::Gone {
                what: "ask the server".to_owned(),
            })));
        }
        Ok(told)
    }

    /// Looks into each database: into that of the session we keep over it, whose caches are warm, into
    /// the others over a session for this alone.
    async fn visit_databases(
        &mut self,
        kept: &Session,
        at: &Moment,
        out: &mut Vec<Row>,
        mut told_statements: bool,
    ) -> bool {
        let instance = self.instance.clone();
        for database in self.watched() {
            let scene = Scene {
                instance: &instance.name,
                role: &instance.target.user,
                database: &database,
            };
            if database == instance.target.database && kept.is_usable() {
                let mut visit = Visit::begin(kept, scene, *at, self.turn);
                told_statements = visit.database(self, out, told_statements).await;
                continue;
            }
            let target = instance.target.clone().with_database(&database);
            match Link::open(&instance, &target).await {
                Ok(link) => {
                    let mut visit = Visit::begin(&link.session, scene, *at, self.turn);
                    told_statements = visit.database(self, out, told_statements).await;
                    link.session.close(instance.timeout).await;
                }
                Err(error) => {
                    let state = super::sight::state_of(&error);
                    let remedy = match state {
                        "denied" => scene.granted(&format!(
                            "GRANT CONNECT ON DATABASE {} TO %ROLE%",
                            super::sight::quoted(&database)
                        )),
                        _ => "look whether the server takes sessions in this database".to_owned(),
                    };
                    let spot = scene.spot("database", state, error.to_string(), remedy);
                    self.sight.note(true, spot);
                }
            }
        }
        told_statements
    }

    /// The databases to look into, in order; those that should be and cannot are noted.
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
            let scene = self.scene(&name);
            let spot = match self.sizes.get(&name) {
                Some(size) if size.may_connect => None,
                Some(_) => Some(scene.spot(
                    "database",
                    "denied",
                    format!("role {} may not connect to database {name}", scene.role),
                    scene.granted(&format!(
                        "GRANT CONNECT ON DATABASE {} TO %ROLE%",
                        super::sight::quoted(&name)
                    )),
                )),
                None if self.sizes.is_empty() => None,
                None => Some(scene.spot(
                    "database",
                    "missing",
                    format!("there is no database {name}"),
                    "correct the list of databases in the configuration",
                )),
            };
            match spot {
                Some(spot) => self.sight.note(true, spot),
                None => open.push(name),
            }
        }
        open
    }
}

impl<'a> Visit<'a> {
    fn begin(session: &'a Session, scene: Scene<'a>, at: Moment, turn: i64) -> Self {
        Self {
            session,
            scene,
            epoch: None,
            extensions: HashMap::new(),
            at,
            turn,
        }
    }

    /// Looks into a database, and at the statements of the server unless they were told already.
    async fn database(
        &mut self,
        watcher: &mut Postgres,
        out: &mut Vec<Row>,
        told_statements: bool,
    ) -> bool {
        self.look_around(watcher).await;
        let told = told_statements || self.statements(watcher, out).await;
        self.families(watcher, Asked::Database, out).await;
        told
    }

    /// Learns whose counters these are and which extensions there are.
    async fn look_around(&mut self, watcher: &mut Postgres) {
        let mut epoch = None;
        let read = |row: &tokio_postgres::Row| {
            epoch = Some((row.try_get("lineage")?, row.try_get("reset")?));
            Ok(())
        };
        self.inside(watcher, "epoch", read).await;
        self.epoch = epoch;
        let mut extensions = HashMap::new();
        let read = |row: &tokio_postgres::Row| {
            let version = number(row.try_get("version")?);
            extensions.insert(row.try_get("name")?, (version, row.try_get("schema")?));
            Ok(())
        };
        self.inside(watcher, "extensions", read).await;
        self.extensions = extensions;
    }

    async fn sizes(&self, watcher: &mut Postgres) -> HashMap<String, Size> {
        let mut sizes = HashMap::new();
        let read = |row: &tokio_postgres::Row| {
            let size = Size {
                bytes: None,
                xid_age: row.try_get("xid_age")?,
                mxid_age: row.try_get("mxid_age")?,
                usable: row.try_get("usable")?,
                may_connect: row.try_get("may_connect")?,
            };
            sizes.insert(row.try_get::<_, String>("database")?, size);
            Ok(())
        };
        self.inside(watcher, "catalogue", read).await;
        let read = |row: &tokio_postgres::Row| {
            if let Some(size) = sizes.get_mut(row.try_get::<_, &str>("database")?) {
                size.bytes = row.try_get("size_bytes")?;
            }
            Ok(())
        };
        self.inside(watcher, "sizes", read).await;
        sizes
    }

    /// Asks a family for ourselves; a failure is noted and leaves what was read before it.
    async fn inside(
        &self,
        watcher: &mut Postgres,
        name: &str,
        read: impl FnMut(&tokio_postgres::Row) -> Result<(), tokio_postgres::Error>,
    ) {
        let Some(family) = family(name) else { return };
        let asked = match statement(family, self.session.major_version()) {
            Ok(sql) => self.read(name, sql, &[], read).await,
            Err(error) => Err(error),
        };
        if let Err(error) = asked {
            watcher.sight.note(true, self.scene.failed(family, &error));
        }
    }

    /// Asks every family of a kind; each that fails is noted. When the session is gone, so is the rest.
    async fn families(&self, watcher: &mut Postgres, asked: Asked, out: &mut Vec<Row>) {
        for family in FAMILIES.iter().filter(|family| family.asked == asked) {
            let given = match family.extension {
                None => self.family(watcher, family, out).await,
                // An extension that is merely useful is not missed; its family is simply not there.
                Some(extension) if !self.extensions.contains_key(extension) => Ok(()),
                Some(_) => self.family(watcher, family, out).await,
            };
            if let Err(error) = given {
                watcher.sight.note(true, self.scene.failed(family, &error));
                if !self.session.is_usable() {
                    return;
                }
            }
        }
    }

    async fn family(
        &self,
        watcher: &mut Postgres,
        family: &'static Family,
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        let sql = self.sql(family)?;
        if family.table.name == CheckSample::TABLE.name {
            return self.check(watcher, family, &sql, out).await;
        }
        let mut fill = None;
        let before = out.len();
        let mut found: i64 = 0;
        let mut odd = None;
        let epoch = self.epoch_of("");
        self.read(family.name, &sql, &[], |row| {
            if fill.is_none() {
                match plan(family, row.columns()) {
                    Ok(plan) => {
                        let counted = row.columns().iter().any(|column| column.name() == "found");
                        if counted {
                            found = row.try_get("found")?;
                        }
                        fill = Some(plan);
                    }
                    Err(error) => odd = Some(error),
                }
            }
            let Some(plan) = &fill else { return Ok(()) };
            let mut draft = Draft::new(family.table);
            draft.set("instance", self.scene.instance.to_owned());
            draft.set("database", self.scene.database.to_owned());
            plan.fill(row, &mut draft)?;
            match plan.reset(row)? {
                Some(reset) => draft.set_epoch(self.epoch_of(reset).as_deref()),
                None => draft.set_epoch(epoch.as_deref()),
            }
            out.push(draft.into_row(self.at.ts));
            Ok(())
        })
        .await?;
        let given = out.len() - before;
        if usize::try_from(found).unwrap_or(usize::MAX) > given && found > 0 {
            let message = format!(
                "{found} {} found, the {given} biggest and busiest are stored",
                family.name
            );
            let spot = self.scene.spot(
                family.name,
                "capped",
                message,
                "nothing to mend: a limit of the collector",
            );
            watcher.sight.note(true, spot);
        }
        odd.map_or(Ok(()), Err)
    }

    /// Objects that a check found. The value is the number it is about, everything else its detail.
    async fn check(
        &self,
        watcher: &mut Postgres,
        family: &'static Family,
        sql: &str,
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        let mut hidden: i64 = 0;
        let turn = [self.turn];
        let turned = sql.contains("$1");
        let params: Vec<(&(dyn ToSql + Sync), Type)> = turn
            .iter()
            .filter(|_| turned)
            .map(|turn| (turn as &(dyn ToSql + Sync), Type::INT8))
            .collect();
        self.read(family.name, &wrapped(sql), &params, |row| {
            hidden = row.try_get::<_, Option<i64>>("hidden")?.unwrap_or(0);
            let sample = CheckSample {
                instance: self.scene.instance.to_owned(),
                database: self.scene.database.to_owned(),
                check_name: family.name.to_owned(),
                object: row
                    .try_get::<_, Option<String>>("object")?
                    .unwrap_or_default(),
                value: row.try_get("value")?,
                detail: Json(row.try_get("detail")?),
            };
            out.push(sample.into_row(self.at.ts));
            Ok(())
        })
        .await?;
        if hidden > 0 {
            let message = format!(
                "{hidden} objects are closed to role {}: their values are not known",
                self.scene.role
            );
            let remedy = self.scene.granted(family.grant);
            let spot = self.scene.spot(family.name, "denied", message, remedy);
            watcher.sight.note(true, spot);
        }
        Ok(())
    }

    /// The statement of a family for the server or the extension, whichever it goes by.
    fn sql(&self, family: &Family) -> Result<Cow<'static, str>, PgError> {
        let Some(extension) = family.extension else {
            return statement(family, self.session.major_version()).map(Cow::Borrowed);
        };
        let (version, schema) = self.extensions.get(extension).cloned().unwrap_or_default();
        let sql = statement(family, version)?;
        Ok(sql
            .replace("{schema}", &super::sight::quoted(&schema))
            .into())
    }

    fn epoch_of(&self, reset: &str) -> Option<String> {
        let (lineage, own) = self.epoch.as_ref()?;
        let reset = if reset.is_empty() { own } else { reset };
        Some(epoch::epoch(lineage, reset))
    }

    /// Runs a statement and hands over its rows one by one, as they come.
    async fn read(
        &self,
        what: &str,
        sql: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
        mut each: impl FnMut(&tokio_postgres::Row) -> Result<(), tokio_postgres::Error>,
    ) -> Result<(), PgError> {
        let what = format!("read {what}");
        let asking = async {
            let client = &self.session.client;
            let mut rows = pin!(client.query_typed_raw(sql, params.to_vec()).await?);
            while let Some(row) = rows.try_next().await? {
                each(&row)?;
            }
            Ok(())
        };
        self.session.run(&what, PATIENCE, asking).await
    }

    /// What statements cost since the last look; whether the extension is here at all.
    async fn statements(&self, watcher: &mut Postgres, out: &mut Vec<Row>) -> bool {
        let Some((version, _)) = self.extensions.get("pg_stat_statements") else {
            return false;
        };
        let Some(family) = family("statements") else {
            return false;
        };
        if family.sql(*version).is_none() {
            let message = "the extension pg_stat_statements is older than 1.10";
            let remedy = "ALTER EXTENSION pg_stat_statements UPDATE;";
            let spot = self.scene.spot(family.name, "missing", message, remedy);
            watcher.sight.note(true, spot);
            return true;
        }
        let mut memory = std::mem::take(&mut watcher.statements);
        let told = self.differences(watcher, &mut memory, family, out).await;
        watcher.statements = memory;
        if let Err(error) = told {
            watcher.sight.note(true, self.scene.failed(family, &error));
        }
        true
    }

    async fn differences(
        &self,
        watcher: &mut Postgres,
        memory: &mut Statements,
        statements: &'static Family,
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        let Some((store, texts)) = family("statement_store").zip(family("statement_texts")) else {
            return Ok(());
        };
        let (mut dealloc, mut max_entries, mut reset) = (0, 0, String::new());
        let (mut sees_all, mut superuser) = (true, false);
        self.read(store.name, &self.sql(store)?, &[], |row| {
            (dealloc, max_entries) = (row.try_get("dealloc")?, row.try_get("max_entries")?);
            (reset, sees_all) = (row.try_get("reset")?, row.try_get("sees_all")?);
            superuser = row.try_get("superuser")?;
            Ok(())
        })
        .await?;
        self.note_partial(watcher, statements, sees_all, superuser);
        let Some((lineage, _)) = &self.epoch else {
            return Ok(());
        };
        let major = i32::try_from(self.session.major_version()).unwrap_or_default();
        let instance = self.scene.instance;
        let mut look = memory.look(lineage, &reset, self.at.monotonic, instance, major);
        let sql = self.sql(statements)?;
        self.read(statements.name, &sql, &[], |row| look.take(row))
            .await?;
        let (rows, entries) = look.finish();
        let unknown = memory.unknown(&rows);
        let ts: Timestamp = self.at.ts;
        out.extend(rows.into_iter().map(|row| row.into_row(ts)));
        let extension = self.extensions.get("pg_stat_statements");
        let told = StatementStore {
            instance: instance.to_owned(),
            epoch: epoch::epoch(lineage, &reset),
            entries,
            max_entries,
            dealloc,
            extension: extension.map_or_else(String::new, |(version, _)| {
                format!("{}.{}", version / 100, version % 100)
            }),
        };
        out.push(told.into_row(ts));
        if unknown.is_empty() {
            return Ok(());
        }
        let params: [(&(dyn ToSql + Sync), Type); 1] = [(&unknown, Type::INT8_ARRAY)];
        self.read(texts.name, &self.sql(texts)?, &params, |row| {
            out.push(memory.text(instance, major, row)?.into_row(ts));
            Ok(())
        })
        .await
    }

    fn note_partial(
        &self,
        watcher: &mut Postgres,
        family: &Family,
        sees_all: bool,
        superuser: bool,
    ) {
        let spot = if !sees_all {
            let message = format!(
                "statements of others are closed to role {}",
                self.scene.role
            );
            let remedy = self.scene.granted(family.grant);
            self.scene.spot(family.name, "denied", message, remedy)
        } else if superuser {
            let message = format!(
                "statements of role {} are left out, as the collector logs in with it",
                self.scene.role
            );
            let remedy = "let the collector log in with a role of its own";
            self.scene.spot(family.name, "off", message, remedy)
        } else {
            return;
        };
        watcher.sight.note(true, spot);
    }
}

/// A check's statement with every column but the two of its own in one JSON object.
fn wrapped(check: &str) -> String {
    let check = check.trim_end().trim_end_matches(';');
    format!(
        "SELECT object::text AS object, value, (to_jsonb(c) ->> 'hidden')::int8 AS hidden, \
         (to_jsonb(c) - 'object' - 'value' - 'hidden')::text AS detail \
         FROM (\n{check}\n) c LIMIT {OBJECTS}"
    )
}

/// `1.10` as 110.
fn number(version: &str) -> u32 {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0_u32));
    parts.next().unwrap_or(0) * 100 + parts.next().unwrap_or(0).min(99)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn versions_of_extensions_are_ordered() {
        let versions = ["", "0.9", "1.5", "1.9", "1.10", "1.12", "2.0"];
        let numbers = versions.map(number);
        assert!(numbers.is_sorted(), "{numbers:?}");
        assert_eq!(number("1.10"), 110);
        assert_eq!(number("odd"), 0);
    }
}
