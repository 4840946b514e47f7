//! A visit to the server or to one of its databases: what is asked over one session at a slow tick.

use std::collections::HashMap;

use pg::PgError;
use schema::tables::{CheckSample, IndexSample, IndexSighting};
use schema::{Row, Sample};
use tokio_postgres::types::{ToSql, Type};

use super::definitions::Definitions;
use super::family::{Asked, Due, FAMILIES, Family, family, rendered};
use super::fill::Draft;
use super::link::{Link, Param, Question, plan, statement};
use super::rights::{self, Right};
use super::gaps::GapContext;
use super::cache::Findings;
use super::text::text;
use super::{Postgres, epoch};
use crate::Moment;

/// What is said when a question was denied and no right is missing that is known to be needed.
pub(super) const NOTHING_MISSING: &str =
    "the role has every right that this is known to need: see what the message names";
/// No schema, as SQL: no namespace has this identifier.
const NO_SCHEMA: &str = "'0'::oid";
/// The family that reads sizes of databases.
const SIZES: &str = "sizes";

/// What the slow tick tells of a database that belongs into its row of the next fast tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Size on disk; `None` where we may not ask.
    pub(super) bytes: Option<i64>,
    /// Age of `datfrozenxid`.
    pub(super) xid_age: i64,
    /// Age of `datminmxid`.
    pub(super) mxid_age: i64,
    pub(super) usable: bool,
    pub(super) may_connect: bool,
}

/// A visit to the server or one of its databases.
pub(super) struct Visit<'a> {
    pub(super) link: &'a mut Link,
    /// Whether the session stays open until the next slow tick.
    stays: bool,
    pub(super) context: GapContext<'a>,
    /// Since when the counters of the database count; `None` when that could not be read.
    mark: Option<String>,
    /// Version, as 110 for 1.10, and schema of the extensions that are here.
    pub(super) extensions: HashMap<String, (u32, String)>,
    /// The schema whose objects are left out, as SQL: that of the collector, or none.
    pub(super) own: String,
    /// Encoding of the database.
    pub(super) encoding: String,
    pub(super) at: Moment,
    pub(super) turn: i64,
}

impl<'a> Visit<'a> {
    pub(super) fn begin(
        link: &'a mut Link,
        stays: bool,
        context: GapContext<'a>,
        at: Moment,
        turn: i64,
    ) -> Self {
        Self {
            link,
            stays,
            context,
            mark: None,
            extensions: HashMap::new(),
            own: NO_SCHEMA.to_owned(),
            encoding: String::new(),
            at,
            turn,
        }
    }

    /// Looks into a database, and at the statements of the server unless they were told already.
    pub(super) async fn database(
        &mut self,
        watcher: &mut Postgres,
        out: &mut Vec<Row>,
        has_statements: bool,
    ) -> bool {
        self.look_around(watcher).await;
        let told = match has_statements {
            true => {
                self.foreign_texts(watcher, out).await;
                true
            }
            false => self.statements(watcher, out).await,
        };
        self.families(watcher, Asked::Database, out).await;
        told
    }

    /// Learns what owns the counters of the server, unless the fast tick told it on this session. What our
    /// role may not read is left out here, as the fast tick says so.
    pub(super) async fn marks(&mut self, watcher: &mut Postgres) {
        for name in [epoch::CLUSTER, epoch::CRASH] {
            let Some(family) = family(name).filter(|_| !watcher.marks.has(name)) else {
                continue;
            };
            let Ok(sql) = self.sql(family) else { continue };
            let marks = &mut watcher.marks;
            let asked = self.read(family, &sql, &[], |row| {
                marks.note(name, row.try_get("reset")?);
                Ok(())
            });
            // What is denied here is denied there, where it is told.
            drop(asked.await);
        }
    }

    /// Learns since when the counters of the database count and which extensions there are.
    pub(super) async fn look_around(&mut self, watcher: &mut Postgres) {
        let mut own: Option<i64> = None;
        let mut encoding = String::new();
        let mut loaded = None;
        self.inside(watcher, "surroundings", |row| {
            own = row.try_get("own")?;
            encoding = row.try_get("encoding")?;
            loaded = row.try_get("loaded")?;
            Ok(())
        })
        .await;
        self.encoding = encoding;
        watcher.statements_loaded = loaded;
        if let Some(own) = own.filter(|_| !watcher.instance.include_own) {
            self.own = format!("'{own}'::oid");
        }
        let mut mark = None;
        self.inside(watcher, "epoch", |row| {
            mark = row.try_get("reset")?;
            Ok(())
        })
        .await;
        self.mark = mark;
        let mut extensions = HashMap::new();
        let read = |row: &tokio_postgres::Row| {
            let version = number(row.try_get("version")?);
            extensions.insert(text(row, "name")?, (version, text(row, "schema")?));
            Ok(())
        };
        self.inside(watcher, "extensions", read).await;
        self.extensions = extensions;
    }

    pub(super) async fn sizes(&mut self, watcher: &mut Postgres) -> HashMap<String, Size> {
        let mut sizes = HashMap::new();
        let read = |row: &tokio_postgres::Row| {
            let size = Size {
                bytes: None,
                xid_age: row.try_get("xid_age")?,
                mxid_age: row.try_get("mxid_age")?,
                usable: row.try_get("usable")?,
                may_connect: row.try_get("may_connect")?,
            };
            sizes.insert(text(row, "database")?, size);
            Ok(())
        };
        self.inside(watcher, "catalogue", read).await;
        if !self.take_known_sizes(watcher, &mut sizes) {
            let read = |row: &tokio_postgres::Row| {
                if let Some(size) = sizes.get_mut(&text(row, "database")?) {
                    size.bytes = row.try_get("size_bytes")?;
                }
                Ok(())
            };
            if self.inside(watcher, SIZES, read).await {
                watcher
                    .cache
                    .keep("", SIZES, self.at.monotonic, Findings::default());
            }
        }
        sizes
    }

    /// Takes the sizes that were read within the hour, unless a database came since: reading them asks
    /// the file system for every file of the server.
    fn take_known_sizes(&self, watcher: &Postgres, sizes: &mut HashMap<String, Size>) -> bool {
        let stand = !watcher.cache.is_due("", SIZES, self.at.monotonic)
            && sizes.keys().all(|name| watcher.sizes.contains_key(name));
        if stand {
            for (name, size) in sizes {
                size.bytes = watcher.sizes.get(name).and_then(|known| known.bytes);
            }
        }
        stand
    }

    /// Asks a family for ourselves and says whether it answered; a failure is noted and leaves what was
    /// read before it.
    async fn inside(
        &mut self,
        watcher: &mut Postgres,
        name: &str,
        read: impl FnMut(&tokio_postgres::Row) -> Result<(), tokio_postgres::Error>,
    ) -> bool {
        let Some(family) = family(name) else {
            return false;
        };
        let asked = match statement(family, self.link.session.major_version()) {
            Ok(sql) => self.read(family, &sql, &[], read).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &asked {
            self.note_failed(watcher, family, error).await;
        }
        asked.is_ok()
    }

    /// Asks every family of a kind that is due, and tells of the others what stands. Each that fails is
    /// noted and asked again at the next slow tick. When the session is gone, so is the rest.
    pub(super) async fn families(
        &mut self,
        watcher: &mut Postgres,
        asked: Asked,
        out: &mut Vec<Row>,
    ) {
        let (now, ts) = (self.at.monotonic, self.at.ts);
        for family in FAMILIES.iter().filter(|family| family.asked == asked) {
            // An extension that is merely useful is not missed; its family is simply not there.
            let is_here = |extension| self.extensions.contains_key(extension);
            if !family.extension.is_none_or(is_here) {
                continue;
            }
            let (database, name) = (self.context.database, family.name);
            if self.is_opened(watcher, name).await {
                watcher.cache.forget(database, name);
            }
            if family.due == Due::Hourly && !watcher.cache.is_due(database, name, now) {
                watcher.repeat_findings(database, name, ts, out);
                continue;
            }
            let before = out.len();
            let given = self.family(watcher, family, out).await;
            if family.due == Due::Turns {
                let seen = &out[before..];
                let others = watcher.cache.turn(database, name, self.turn, seen);
                out.extend(others.into_iter().map(|row| Row { ts, ..row }));
            }
            match given {
                Ok(()) if family.due == Due::Hourly => {
                    let findings = Findings {
                        rows: out[before..].to_vec(),
                        gap: watcher.gaps.of(true, database, name).cloned(),
                    };
                    watcher.cache.keep(database, name, now, findings);
                }
                Ok(()) => {}
                Err(error) => {
                    watcher.cache.forget(database, name);
                    self.note_failed(watcher, family, &error).await;
                    if !self.link.session.is_usable() {
                        return;
                    }
                }
            }
        }
    }

    /// Notes that a family could not be read. Where a right is missing, the remedy is the grant of what
    /// the server says that the role lacks.
    pub(super) async fn note_failed(
        &mut self,
        watcher: &mut Postgres,
        family: &Family,
        error: &PgError,
    ) {
        let mut gap = self.context.failed(family, error);
        if gap.state == "denied" && self.link.session.is_usable() {
            let schema = family
                .extension
                .and_then(|extension| self.extensions.get(extension))
                .map(|(_, schema)| schema.as_str());
            gap.remedy = self.remedy(family.grant, schema.map(str::to_owned)).await;
        }
        watcher.gaps.note(true, gap);
    }

    /// The grants that the role lacks of these.
    pub(super) async fn remedy(&mut self, grant: &str, extension_schema: Option<String>) -> String {
        let grant = rendered(grant, self.context.version);
        let needed = Right::all(&grant, extension_schema.as_deref());
        let missing = rights::remedy(self.link, &self.context, &needed).await;
        missing.unwrap_or_else(|| NOTHING_MISSING.to_owned())
    }

    async fn family(
        &mut self,
        watcher: &mut Postgres,
        family: &'static Family,
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        let sql = self.sql(family)?;
        if family.table.name == CheckSample::TABLE.name {
            return self.check(watcher, family, &sql, out).await;
        }
        let mut fill = None;
        let mut given = 0;
        let mut found: i64 = 0;
        let mut odd = None;
        let (context, own, ts) = (self.context, self.mark.clone(), self.at.ts);
        let marks = watcher.marks.clone();
        let is_indexes = family.table.name == IndexSample::TABLE.name;
        let mut definitions = is_indexes.then(|| {
            let now = self.at.monotonic;
            watcher.cache.take_definitions(context.database, now)
        });
        let known = definitions.as_ref().map(Definitions::known);
        let params: Vec<Param<'_>> = known
            .iter()
            .map(|known| (known as &(dyn ToSql + Sync), Type::INT8_ARRAY))
            .collect();
        self.read(family, &sql, &params, |row| {
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
            draft.set("instance", context.instance.to_owned());
            draft.set("database", context.database.to_owned());
            plan.fill(row, &mut draft)?;
            if let Some(definitions) = &mut definitions {
                definitions.complete(row, &mut draft)?;
                let (schema_name, index_name) =
                    (text(row, "schema_name")?, text(row, "index_name")?);
                let relation: i64 = row.try_get("relation")?;
                let met = (relation, format!("{schema_name}.{index_name}"));
                if watcher.cache.is_new(context.database, met) {
                    let sighting = IndexSighting {
                        instance: context.instance.to_owned(),
                        database: context.database.to_owned(),
                        schema_name,
                        index_name,
                        relation,
                    };
                    out.push(sighting.into_row(ts));
                }
            }
            let mark = plan.reset(row)?.or(own.as_deref());
            draft.set_epoch(mark.and_then(|mark| marks.epoch(mark)).as_deref());
            given += 1;
            out.push(draft.into_row(ts));
            Ok(())
        })
        .await?;
        if let Some(definitions) = definitions {
            watcher
                .cache
                .keep_definitions(context.database, definitions);
        }
        if usize::try_from(found).unwrap_or(usize::MAX) > given && found > 0 {
            let message = format!(
                "{found} {} found, the {given} biggest and busiest are stored",
                family.name
            );
            let gap = self.context.gap(
                family.name,
                "capped",
                message,
                "nothing to mend: a limit of the collector",
            );
            watcher.gaps.note(true, gap);
        }
        odd.map_or(Ok(()), Err)
    }

    /// The statement of a family for the server or the extension, whichever it goes by.
    pub(super) fn sql(&self, family: &Family) -> Result<String, PgError> {
        let Some(extension) = family.extension else {
            let sql = statement(family, self.link.session.major_version())?;
            return Ok(sql.replace("{own}", &self.own));
        };
        let (version, schema) = self.extensions.get(extension).cloned().unwrap_or_default();
        let sql = statement(family, version)?.replace("{own}", &self.own);
        Ok(sql.replace("{schema}", &super::gaps::quoted(&schema)))
    }

    /// Runs the statement of a family and hands over its rows one by one, as they come.
    pub(super) async fn read(
        &mut self,
        family: &Family,
        sql: &str,
        params: &[Param<'_>],
        each: impl FnMut(&tokio_postgres::Row) -> Result<(), tokio_postgres::Error>,
    ) -> Result<(), PgError> {
        let question = Question {
            name: family.name,
            sql,
            params,
            again: self.stays && family.due != Due::Hourly,
        };
        self.link.read(question, each).await
    }
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
