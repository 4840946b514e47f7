//! How statements read.
//!
//! The server gives all texts or none: it converts each from the encoding of the database that it was run in
//! to that of the database that is asked, and one that cannot be converted ends the answer. In a database
//! in SQL_ASCII nothing is converted. So what cannot be had where the figures come from is asked for in
//! every such database that is looked into and has the extension; of what is left, sessions that are here
//! report what they ran last. What is missing then is reported, with what fixes it.

use std::collections::HashSet;

use pg::PgError;
use schema::tables::StatementSample;
use schema::{Cell, Row, Sample};
use tokio_postgres::types::Type;

use super::Statements;
use crate::postgres::family::family;
use crate::postgres::gaps::{extension_remedy, quoted};
use crate::postgres::link::{Param, is_about_encoding};
use crate::postgres::text::text;
use crate::postgres::visit::Visit;
use crate::postgres::{Databases, Postgres};

/// Texts that are looked for at a slow tick.
#[derive(Debug, Default)]
pub(in crate::postgres) struct Wanted {
    /// Identifiers that have no text yet.
    ids: HashSet<i64>,
    /// How many statements there are at this tick.
    statements: usize,
    /// Why the server did not give them.
    cause: Option<String>,
    /// Schema of the extension where the figures came from.
    schema: String,
}

impl Visit<'_> {
    /// Reads the texts of statements that are new at this tick.
    pub(super) async fn texts(
        &mut self,
        watcher: &mut Postgres,
        memory: &mut Statements,
        rows: &[StatementSample],
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        let ids = rows.iter().map(|row| row.queryid).collect::<HashSet<_>>();
        let extension = self.around.extensions.get("pg_stat_statements");
        watcher.wanted = Wanted {
            statements: ids.len(),
            ids: memory.unknown(rows),
            cause: None,
            schema: extension.map_or_else(String::new, |(_, schema)| schema.clone()),
        };
        match self.ask_for_texts(watcher, memory, out).await {
            Err(error) if is_about_encoding(&error) => {
                watcher.wanted.cause = Some(error.to_string());
                Ok(())
            }
            other => other,
        }
    }

    /// Reads here what could not be read where the figures come from.
    pub(in crate::postgres) async fn foreign_texts(
        &mut self,
        watcher: &mut Postgres,
        out: &mut Vec<Row>,
    ) {
        let is_here = self.around.extensions.contains_key("pg_stat_statements");
        if watcher.wanted.cause.is_none() || watcher.wanted.ids.is_empty() || !is_here {
            return;
        }
        let mut memory = std::mem::take(&mut watcher.statements);
        // What fails here failed before, and that is reported.
        drop(self.ask_for_texts(watcher, &mut memory, out).await);
        watcher.statements = memory;
    }

    async fn ask_for_texts(
        &mut self,
        watcher: &mut Postgres,
        memory: &mut Statements,
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        self.take_texts("statement_texts", watcher, memory, out)
            .await
    }

    async fn take_texts(
        &mut self,
        name: &str,
        watcher: &mut Postgres,
        memory: &mut Statements,
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        let Some(texts) = family(name).filter(|_| !watcher.wanted.ids.is_empty()) else {
            return Ok(());
        };
        let ids: Vec<i64> = watcher.wanted.ids.iter().copied().collect();
        let params: [Param<'_>; 1] = [(&ids, Type::INT8_ARRAY)];
        let major = i32::try_from(self.link.session.major_version()).unwrap_or_default();
        let (instance, ts) = (self.context.instance, self.at.ts);
        let (wanted, include_own) = (&mut watcher.wanted, watcher.instance.include_own);
        self.read(texts, &params, |row| {
            let text = memory.text(instance, major, row, include_own)?;
            wanted.ids.remove(&row.try_get("queryid")?);
            out.extend(text.map(|text| text.into_row(ts)));
            Ok(())
        })
        .await
    }

    /// Ends the search: asks the sessions that are here for what is left, leaves out the figures of our own
    /// statements, and notes what is missing.
    pub(in crate::postgres) async fn end_texts(
        &mut self,
        watcher: &mut Postgres,
        out: &mut Vec<Row>,
    ) {
        let mut memory = std::mem::take(&mut watcher.statements);
        let asked = watcher.wanted.ids.len();
        if watcher.wanted.cause.is_some() {
            // What sessions run is a help and not missed: `activity` reports when it is closed.
            drop(
                self.take_texts("statement_sightings", watcher, &mut memory, out)
                    .await,
            );
        }
        if !watcher.instance.include_own {
            out.retain(|row| !memory.is_own(row));
        }
        watcher.statements = memory;
        let wanted = std::mem::take(&mut watcher.wanted);
        let missing = wanted.ids.len();
        let is_most = 2 * missing > wanted.statements;
        if missing == 0 || (wanted.cause.is_none() && !is_most) {
            return;
        }
        let (cause, remedy) = match &wanted.cause {
            Some(cause) => (
                format!(
                    "one is in another encoding, and the server gives all of {asked} or none here \
                     ({cause})"
                ),
                self.encoding_remedy(watcher, &wanted.schema).await,
            ),
            None => (
                "the server has lost them".to_owned(),
                format!(
                    "raise pg_stat_statements.max where entries are evicted; else SELECT \
                     {}.pg_stat_statements_reset(), after which all begin anew with their texts",
                    quoted(&wanted.schema)
                ),
            ),
        };
        let message = format!(
            "{missing} of {} statements of this interval have no text: {cause}",
            wanted.statements
        );
        let gap = self
            .context
            .gap("statement_texts", "failed", message, remedy);
        watcher.gaps.note(true, gap);
    }

    /// Returns what gives texts again: the extension in a database that converts nothing or, where none is left,
    /// an end of the statements whose database is gone.
    async fn encoding_remedy(&mut self, watcher: &Postgres, schema: &str) -> String {
        let mut databases = Vec::new();
        if let Some(family) = family("foreign_texts") {
            let asked = self.read(family, &[], |row| {
                databases.push(text(row, "name")?);
                Ok(())
            });
            drop(asked.await);
        }
        let Some(database) = databases.first() else {
            let schema = quoted(schema);
            return format!(
                "SELECT {schema}.pg_stat_statements_reset(0, gone.dbid, 0) FROM (SELECT DISTINCT dbid \
                 FROM {schema}.pg_stat_statements(false) WHERE dbid NOT IN (SELECT oid FROM pg_database)) \
                 gone;{}",
                self.context.place(self.link)
            );
        };
        let create = extension_remedy("pg_stat_statements", true, database);
        match &watcher.instance.databases {
            Databases::Named(names) if !names.contains(database) => {
                format!("{create} /* and name that database in `databases` of this server */")
            }
            _ => create,
        }
    }
}

impl Statements {
    /// Returns whether a row is about a statement of ours.
    fn is_own(&self, row: &Row) -> bool {
        if row.table.name != StatementSample::TABLE.name {
            return false;
        }
        let mut columns = row.table.columns.iter();
        let at = columns.position(|column| column.name == "queryid");
        match at.and_then(|at| row.cells.get(at)) {
            Some(Cell::Int(id)) => self.own.contains(id),
            _ => false,
        }
    }
}
