//! From the answer of a family to rows of its table, one by one.

use pg::PgError;
use schema::tables::{IndexSample, IndexSighting};
use schema::{Row, Sample, Timestamp};

use super::Postgres;
use super::cache::FindingCache;
use super::definitions::Definitions;
use super::epoch::Marks;
use super::family::Family;
use super::fill::{Draft, Plan};
use super::link::plan;
use super::text::text;
use super::visit::Visit;

/// Rows of a family while they come in.
pub(super) struct FamilyRows<'a> {
    family: &'static Family,
    instance: &'a str,
    database: &'a str,
    ts: Timestamp,
    /// Since when the counters of the database count.
    mark: Option<String>,
    marks: Marks,
    /// The epoch of the mark that was met last: most rows of an answer have one mark.
    epoch: Option<(String, Option<String>)>,
    plan: Option<Plan>,
    /// Number of objects, where the answer states it.
    found: i64,
    given: usize,
    mismatch: Option<PgError>,
    definitions: Option<Definitions>,
    cache: &'a mut FindingCache,
    out: &'a mut Vec<Row>,
}

/// An answer that was cut to the rows that matter most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capped {
    /// Objects that there are.
    pub(super) found: i64,
    /// Objects that became rows.
    pub(super) given: usize,
}

impl<'a> FamilyRows<'a> {
    /// Begins with the rows of a family at a visit.
    pub(super) fn new(
        visit: &Visit<'a>,
        watcher: &'a mut Postgres,
        family: &'static Family,
        out: &'a mut Vec<Row>,
    ) -> Self {
        let is_indexes = family.table.name == IndexSample::TABLE.name;
        let (database, now) = (visit.context.database, visit.at.monotonic);
        let definitions = is_indexes.then(|| watcher.cache.take_definitions(database, now));
        Self {
            family,
            instance: visit.context.instance,
            database,
            ts: visit.at.ts,
            mark: visit.around.mark().map(str::to_owned),
            marks: watcher.marks.clone(),
            epoch: None,
            plan: None,
            found: 0,
            given: 0,
            mismatch: None,
            definitions,
            cache: &mut watcher.cache,
            out,
        }
    }

    /// Returns the indexes whose definitions the server may leave out; `None` for other families.
    pub(super) fn known_definitions(&self) -> Option<Vec<i64>> {
        self.definitions.as_ref().map(Definitions::known)
    }

    /// Takes a row of the answer.
    ///
    /// # Errors
    /// When a value cannot be read.
    pub(super) fn take(
        &mut self,
        answer: &tokio_postgres::Row,
    ) -> Result<(), tokio_postgres::Error> {
        if self.plan.is_none() {
            self.begin(answer)?;
        }
        let Some(plan) = &self.plan else {
            return Ok(());
        };
        let mut draft = Draft::new(self.family.table);
        draft.set("instance", self.instance.to_owned());
        draft.set("database", self.database.to_owned());
        plan.fill(answer, &mut draft)?;
        let mark = plan.reset(answer)?.or(self.mark.as_deref());
        if self.epoch.as_ref().map(|(of, _)| of.as_str()) != mark {
            self.epoch = mark.map(|mark| (mark.to_owned(), self.marks.epoch(mark)));
        }
        let epoch = self.epoch.as_ref().and_then(|(_, epoch)| epoch.as_deref());
        draft.set_epoch(epoch);
        if let Some(definitions) = &mut self.definitions {
            definitions.complete(answer, &mut draft)?;
            self.sight_index(answer)?;
        }
        self.given += 1;
        self.out.push(draft.into_row(self.ts));
        Ok(())
    }

    /// Learns from the first row which columns there are.
    fn begin(&mut self, answer: &tokio_postgres::Row) -> Result<(), tokio_postgres::Error> {
        let mut columns = answer.columns().iter();
        match plan(self.family, answer.columns()) {
            Ok(plan) => {
                if columns.any(|column| column.name() == "found") {
                    self.found = answer.try_get("found")?;
                }
                self.plan = Some(plan);
            }
            Err(error) => self.mismatch = Some(error),
        }
        Ok(())
    }

    /// Adds the sighting of an index that was not met before in this session.
    fn sight_index(&mut self, answer: &tokio_postgres::Row) -> Result<(), tokio_postgres::Error> {
        let (schema_name, index_name) = (text(answer, "schema_name")?, text(answer, "index_name")?);
        let relation: i64 = answer.try_get("relation")?;
        let met = (relation, format!("{schema_name}.{index_name}"));
        if self.cache.is_new(self.database, met) {
            let sighting = IndexSighting {
                instance: self.instance.to_owned(),
                database: self.database.to_owned(),
                schema_name,
                index_name,
                relation,
            };
            self.out.push(sighting.into_row(self.ts));
        }
        Ok(())
    }

    /// Ends: keeps what is known of indexes for the next time, and returns what was left out.
    ///
    /// # Errors
    /// When the columns were not those of the table.
    pub(super) fn finish(self) -> Result<Option<Capped>, PgError> {
        if let Some(definitions) = self.definitions {
            self.cache.keep_definitions(self.database, definitions);
        }
        if let Some(mismatch) = self.mismatch {
            return Err(mismatch);
        }
        let (found, given) = (self.found, self.given);
        let is_capped = usize::try_from(found).unwrap_or(usize::MAX) > given && found > 0;
        Ok(is_capped.then_some(Capped { found, given }))
    }
}
