//! A visit to the server or to one of its databases: what is asked over one session at a slow tick.

use std::collections::HashMap;
use std::sync::Arc;

use pg::PgError;
use schema::tables::{CheckSample, IndexSample, TableSample};
use schema::{Row, Sample};
use tokio_postgres::types::{ToSql, Type};

use super::cache::Findings;
use super::family::{Asked, Due, FAMILIES, Family, family, rendered};
use super::family_rows::{Capped, FamilyRows};
use super::gaps::GapContext;
use super::link::{Link, Param, Question, statement, unreadable};
use super::rights::{self, Right};
use super::text::text;
use super::together::Answered;
use super::{Postgres, check, epoch};
use crate::Moment;

/// The remedy where a question was denied and no right is missing that is known to be needed.
pub(super) const NOTHING_MISSING: &str =
    "the role has every right that this is known to need: see what the message names";
/// No schema, as SQL: no namespace has this identifier.
const NO_SCHEMA: &str = "'0'::oid";
/// The families that tell what is around, as [`Surroundings`] reads them.
const AROUND: [&str; 3] = ["surroundings", "epoch", "extensions"];
/// The family that reads sizes of databases.
const SIZES: &str = "sizes";

/// What the slow tick learns of a database that belongs in its row of the next fast tick.
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

/// What is learned of a database before anything else is asked.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    /// Since when the counters of the database count; `None` when that could not be read.
    mark: Option<String>,
    /// Version, as 110 for 1.10, and schema of the extensions that are here.
    pub(super) extensions: HashMap<String, (u32, String)>,
    /// The schema whose objects are left out, as SQL: that of the collector, or none.
    pub(super) own: String,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            mark: None,
            extensions: HashMap::new(),
            own: NO_SCHEMA.to_owned(),
        }
    }
}

/// A visit to the server or one of its databases.
pub(super) struct Visit<'a> {
    pub(super) link: &'a mut Link,
    /// Whether the session stays open until the next slow tick.
    pub(super) stays: bool,
    pub(super) context: GapContext<'a>,
    pub(super) around: Surroundings,
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
            around: Surroundings::default(),
            at,
            turn,
        }
    }

    /// Looks into a database, and at the statements of the server unless they were reported already.
    /// Returns whether they are now.
    pub(super) async fn database(
        &mut self,
        watcher: &mut Postgres,
        out: &mut Vec<Row>,
        has_statements: bool,
    ) -> bool {
        // The session that stays is in the database where the server was asked.
        match watcher.surroundings.take_if(|_| self.stays) {
            Some(around) => self.around = around,
            None => self.look_around(watcher).await,
        }
        let has_statements = match has_statements {
            true => {
                self.foreign_texts(watcher, out).await;
                true
            }
            false => self.statements(watcher, out).await,
        };
        self.families(watcher, Asked::Database, out).await;
        has_statements
    }

    /// Learns what owns the counters of the server, unless the fast tick learned it on this session. What
    /// our role may not read is left out here, as the fast tick reports it.
    pub(super) async fn marks(&mut self, watcher: &mut Postgres) {
        for name in [epoch::CLUSTER, epoch::CRASH] {
            let Some(family) = family(name).filter(|_| !watcher.marks.has(name)) else {
                continue;
            };
            let marks = &mut watcher.marks;
            let asked = self.read(family, &[], |row| {
                marks.note(name, row.try_get("reset")?);
                Ok(())
            });
            // What is denied here is denied there, where it is reported.
            drop(asked.await);
        }
    }

    /// Learns since when the counters of the database count, which extensions there are, and what is the
    /// collector's own.
    async fn look_around(&mut self, watcher: &mut Postgres) {
        let answers = self.ask_inside(watcher, &AROUND).await;
        self.take_around(watcher, answers);
    }

    /// Learns the same of the server, for the database of its session too, and how old each database is, how big,
    /// and whether it can be looked into.
    pub(super) async fn look_around_server(
        &mut self,
        watcher: &mut Postgres,
    ) -> HashMap<String, Size> {
        let [first, second, third] = AROUND;
        let names = [first, second, third, "catalogue"];
        let mut answers = self.ask_inside(watcher, &names).await;
        let catalogue = answers.pop().flatten();
        if let Some(around) = self.take_around(watcher, answers) {
            watcher.surroundings = Some(around);
        }
        self.sizes(watcher, catalogue.unwrap_or_default()).await
    }

    /// Takes the answers of [`AROUND`]; returns what was learned when none failed.
    fn take_around(
        &mut self,
        watcher: &Postgres,
        answers: Vec<Option<Vec<tokio_postgres::Row>>>,
    ) -> Option<Surroundings> {
        let is_complete = answers.iter().all(Option::is_some);
        let [surroundings, epoch, extensions] = answers.try_into().unwrap_or_default();
        let read = self.around.read(
            surroundings.as_deref(),
            epoch.as_deref(),
            extensions.as_deref(),
        );
        if watcher.instance.include_own {
            self.around.own = NO_SCHEMA.to_owned();
        }
        (is_complete && read.is_ok()).then(|| self.around.clone())
    }

    /// Returns the databases of the catalogue, with their sizes.
    async fn sizes(
        &mut self,
        watcher: &mut Postgres,
        catalogue: Vec<tokio_postgres::Row>,
    ) -> HashMap<String, Size> {
        let sizes: Result<HashMap<_, _>, _> = catalogue.iter().map(Size::read).collect();
        let mut sizes = sizes.unwrap_or_default();
        if !self.take_known_sizes(watcher, &mut sizes) {
            let rows = self.ask_inside(watcher, &[SIZES]).await.pop().flatten();
            if rows.is_some() {
                let now = self.at.monotonic;
                watcher.cache.keep("", SIZES, now, Findings::default());
            }
            for row in rows.unwrap_or_default() {
                if let Ok(database) = text(&row, "database")
                    && let Some(size) = sizes.get_mut(&database)
                {
                    size.bytes = row.try_get("size_bytes").unwrap_or_default();
                }
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

    /// Asks families for ourselves, all at once. Returns their rows; `None` for one that failed, which is
    /// noted.
    async fn ask_inside(
        &mut self,
        watcher: &mut Postgres,
        names: &[&str],
    ) -> Vec<Option<Vec<tokio_postgres::Row>>> {
        let families: Vec<&'static Family> = names.iter().filter_map(|name| family(name)).collect();
        let mut answers = Vec::with_capacity(families.len());
        let (answered, _) = self.ask_all(&families, None).await;
        for (family, answer) in answered {
            if let Err(error) = &answer {
                self.note_failed(watcher, family, error).await;
            }
            answers.push(answer.ok());
        }
        answers
    }

    /// Asks families with short answers, each by its own statement, and one more question; all at once. Returns
    /// the answers of the families, and that of the question: no rows when there is none.
    pub(super) async fn ask_all(
        &mut self,
        families: &[&'static Family],
        more: Option<Question<'_>>,
    ) -> (Vec<Answered>, Result<Vec<tokio_postgres::Row>, PgError>) {
        let turn = self.turn;
        let turn: [Param<'_>; 1] = [(&turn, Type::INT8)];
        let again = self.stays;
        let texts: Vec<_> = families.iter().map(|family| self.sql(family)).collect();
        let with_text = families.iter().zip(&texts);
        let questions = with_text.filter_map(|(family, sql)| {
            Some(Question {
                name: family.name,
                sql: Arc::clone(sql.as_ref().ok()?),
                params: match family.due {
                    Due::Turns => &turn,
                    Due::Always | Due::Hourly => &[],
                },
                again,
            })
        });
        let questions: Vec<Question<'_>> = questions.chain(more).collect();
        let mut asked = self.link.read_all(&questions).await.into_iter();
        let mut next = || asked.next().unwrap_or(Ok(Vec::new()));
        let answers = texts.into_iter().map(|text| text.and_then(|_| next()));
        let answers = families.iter().copied().zip(answers).collect();
        (answers, next())
    }

    /// Asks every family of a kind that is due, and repeats of the others what they found. Each that fails
    /// is noted and asked again at the next slow tick. When the session is gone, so is the rest.
    pub(super) async fn families(
        &mut self,
        watcher: &mut Postgres,
        asked: Asked,
        out: &mut Vec<Row>,
    ) {
        let due = self.due(watcher, asked, out).await;
        let (long, short): (Vec<_>, Vec<_>) = due.into_iter().partition(|family| is_long(family));
        for family in long {
            if !self.link.session.is_usable() {
                return;
            }
            if let Err(error) = self.stream(watcher, family, out).await {
                self.note_failed(watcher, family, &error).await;
            }
        }
        for (family, answer) in self.ask_short(&short).await {
            let before = out.len();
            let taken = match answer {
                Ok(rows) if is_check(family) => self.check(watcher, family, &rows, out).await,
                Ok(rows) => self.take_rows(watcher, family, &rows, out),
                Err(error) => Err(error),
            };
            match taken {
                Ok(()) => self.remember(watcher, family, before, out),
                Err(error) => {
                    watcher.cache.forget(self.context.database, family.name);
                    if family.due == Due::Turns {
                        // What it found of other objects stands.
                        self.remember(watcher, family, before, out);
                    }
                    self.note_failed(watcher, family, &error).await;
                    if !self.link.session.is_usable() {
                        return;
                    }
                }
            }
        }
    }

    /// Returns the families of a kind that are due, and repeats what the others found.
    async fn due(
        &mut self,
        watcher: &mut Postgres,
        asked: Asked,
        out: &mut Vec<Row>,
    ) -> Vec<&'static Family> {
        let (now, ts, database) = (self.at.monotonic, self.at.ts, self.context.database);
        let mut due = Vec::new();
        for family in FAMILIES.iter().filter(|family| family.asked == asked) {
            // An extension that is merely useful is not missed; its family is simply not there.
            let is_here = |extension| self.around.extensions.contains_key(extension);
            if !family.extension.is_none_or(is_here) {
                continue;
            }
            if self.is_opened(watcher, family.name).await {
                watcher.cache.forget(database, family.name);
            }
            if family.due == Due::Hourly && !watcher.cache.is_due(database, family.name, now) {
                watcher.repeat_findings(database, family.name, ts, out);
            } else {
                due.push(family);
            }
        }
        due
    }

    /// Remembers what a family found, for as long as it is not asked again; `before` is where its rows
    /// begin.
    fn remember(
        &self,
        watcher: &mut Postgres,
        family: &'static Family,
        before: usize,
        out: &mut Vec<Row>,
    ) {
        let (database, name) = (self.context.database, family.name);
        let found = out.get(before..).unwrap_or_default();
        match family.due {
            Due::Always => {}
            Due::Hourly => {
                let findings = Findings {
                    rows: found.to_vec(),
                    gap: watcher.gaps.of(true, database, name).cloned(),
                };
                let now = self.at.monotonic;
                watcher.cache.keep(database, name, now, findings);
            }
            Due::Turns => {
                let others = watcher.cache.turn(database, name, self.turn, found);
                let ts = self.at.ts;
                out.extend(others.into_iter().map(|row| Row { ts, ..row }));
            }
        }
    }

    /// Notes that a family could not be read. Where a right is missing, the remedy is the grant of what
    /// the role lacks according to the server.
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
                .and_then(|extension| self.around.extensions.get(extension))
                .map(|(_, schema)| schema.as_str());
            gap.remedy = self.remedy(family.grant, schema.map(str::to_owned)).await;
        }
        watcher.gaps.note(true, gap);
    }

    /// Returns the grants that the role lacks of these.
    pub(super) async fn remedy(&mut self, grant: &str, extension_schema: Option<String>) -> String {
        let grant = rendered(grant, self.context.version);
        let needed = Right::all(&grant, extension_schema.as_deref());
        let missing = rights::remedy(self.link, &self.context, &needed).await;
        missing.unwrap_or_else(|| NOTHING_MISSING.to_owned())
    }

    /// Asks a family with a long answer, and takes its rows as they come.
    async fn stream(
        &mut self,
        watcher: &mut Postgres,
        family: &'static Family,
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        let mut rows = FamilyRows::new(self, watcher, family, out);
        let known = rows.known_definitions();
        let params: Vec<Param<'_>> = known
            .iter()
            .map(|known| (known as &(dyn ToSql + Sync), Type::INT8_ARRAY))
            .collect();
        self.read(family, &params, |row| rows.take(row)).await?;
        let capped = rows.finish()?;
        self.note_capped(watcher, family, capped);
        Ok(())
    }

    fn take_rows(
        &self,
        watcher: &mut Postgres,
        family: &'static Family,
        answer: &[tokio_postgres::Row],
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        let mut rows = FamilyRows::new(self, watcher, family, out);
        answer
            .iter()
            .try_for_each(|row| rows.take(row))
            .map_err(unreadable)?;
        let capped = rows.finish()?;
        self.note_capped(watcher, family, capped);
        Ok(())
    }

    fn note_capped(&self, watcher: &mut Postgres, family: &Family, capped: Option<Capped>) {
        let Some(Capped { found, given }) = capped else {
            return;
        };
        let message = format!(
            "{found} {} found, the {given} biggest and busiest are stored",
            family.name
        );
        let remedy = "nothing to fix: a limit of the collector";
        let gap = self.context.gap(family.name, "capped", message, remedy);
        watcher.gaps.note(true, gap);
    }

    /// Returns the statement of a family for the server or the extension, whichever it goes by.
    pub(super) fn sql(&mut self, family: &Family) -> Result<Arc<str>, PgError> {
        let extension = family.extension.map(|name| {
            self.around
                .extensions
                .get(name)
                .cloned()
                .unwrap_or_default()
        });
        let (version, schema) =
            extension.unwrap_or_else(|| (self.link.session.major_version(), String::new()));
        let own = &self.around.own;
        self.link.text(family.name, version, [&schema, own], || {
            let sql = statement(family, version)?
                .replace("{own}", own)
                .replace("{schema}", &super::gaps::quoted(&schema));
            Ok(match is_check(family) {
                true => check::wrapped(family.name, &sql),
                false => sql,
            })
        })
    }

    /// Runs the statement of a family and hands over its rows one by one, as they come.
    pub(super) async fn read(
        &mut self,
        family: &Family,
        params: &[Param<'_>],
        each: impl FnMut(&tokio_postgres::Row) -> Result<(), tokio_postgres::Error>,
    ) -> Result<(), PgError> {
        let question = Question {
            name: family.name,
            sql: self.sql(family)?,
            params,
            again: self.stays,
        };
        self.link.read(question, each).await
    }
}

impl Surroundings {
    /// Reads the answers that there are.
    fn read(
        &mut self,
        surroundings: Option<&[tokio_postgres::Row]>,
        epoch: Option<&[tokio_postgres::Row]>,
        extensions: Option<&[tokio_postgres::Row]>,
    ) -> Result<(), tokio_postgres::Error> {
        for row in surroundings.into_iter().flatten() {
            if let Some(own) = row.try_get::<_, Option<i64>>("own")? {
                self.own = format!("'{own}'::oid");
            }
        }
        for row in epoch.into_iter().flatten() {
            self.mark = row.try_get("reset")?;
        }
        for row in extensions.into_iter().flatten() {
            let version = number(row.try_get("version")?);
            let named = (version, text(row, "schema")?);
            self.extensions.insert(text(row, "name")?, named);
        }
        Ok(())
    }

    /// Returns since when the counters of the database count.
    pub(super) fn mark(&self) -> Option<&str> {
        self.mark.as_deref()
    }
}

impl Size {
    /// Reads a row of `catalogue`: name and figures of a database.
    fn read(row: &tokio_postgres::Row) -> Result<(String, Self), tokio_postgres::Error> {
        let size = Self {
            bytes: None,
            xid_age: row.try_get("xid_age")?,
            mxid_age: row.try_get("mxid_age")?,
            usable: row.try_get("usable")?,
            may_connect: row.try_get("may_connect")?,
        };
        Ok((text(row, "database")?, size))
    }
}

/// Whether a family is a check: objects that deserve a look.
pub(super) fn is_check(family: &Family) -> bool {
    family.table.name == CheckSample::TABLE.name && family.asked != Asked::Inside
}

/// Whether the answer of a family may have thousands of rows, which are taken as they come.
fn is_long(family: &Family) -> bool {
    [TableSample::TABLE.name, IndexSample::TABLE.name].contains(&family.table.name)
}

/// Reads `1.10` as 110.
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
        assert_eq!(number("x"), 0);
    }
}
