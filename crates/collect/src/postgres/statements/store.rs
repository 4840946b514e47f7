//! Asking `pg_stat_statements`: whether it is there, may be seen, and what it gives.

use pg::PgError;
use schema::tables::StatementStore;
use schema::{Row, Sample, Timestamp};

use super::Statements;
use crate::postgres::Postgres;
use crate::postgres::family::{Family, STATS, family};
use crate::postgres::text::text;
use crate::postgres::visit::Visit;

impl Visit<'_> {
    /// Reports what statements cost since the last look; returns whether the extension is here at all.
    pub(in crate::postgres) async fn statements(
        &mut self,
        watcher: &mut Postgres,
        out: &mut Vec<Row>,
    ) -> bool {
        let Some((version, _)) = self.around.extensions.get("pg_stat_statements") else {
            return false;
        };
        let Some(family) = family("statements") else {
            return false;
        };
        if family.sql(*version).is_none() {
            let message = "the extension pg_stat_statements is older than 1.10";
            let place = self.context.place(self.link);
            let remedy = format!("ALTER EXTENSION pg_stat_statements UPDATE;{place}");
            let gap = self.context.gap(family.name, "missing", message, remedy);
            watcher.gaps.note(true, gap);
            return true;
        }
        let mut memory = std::mem::take(&mut watcher.statements);
        let reported = self.differences(watcher, &mut memory, family, out).await;
        watcher.statements = memory;
        if let Err(error) = reported {
            self.note_failed(watcher, family, &error).await;
        }
        true
    }

    async fn differences(
        &mut self,
        watcher: &mut Postgres,
        memory: &mut Statements,
        statements: &'static Family,
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        let Some(store) = family("statement_store") else {
            return Ok(());
        };
        let (mut dealloc, mut max_entries, mut reset) = (0, 0, String::new());
        let (mut sees_all, mut superuser) = (true, false);
        self.read(store, &[], |row| {
            (dealloc, max_entries) = (row.try_get("dealloc")?, row.try_get("max_entries")?);
            (reset, sees_all) = (text(row, "reset")?, row.try_get("sees_all")?);
            superuser = row.try_get("superuser")?;
            Ok(())
        })
        .await?;
        self.note_partial(watcher, statements, sees_all, superuser)
            .await;
        let lineage = watcher.marks.lineage();
        let major = i32::try_from(self.link.session.major_version()).unwrap_or_default();
        let instance = self.context.instance;
        let mut look = memory.look(&lineage, &reset, self.at.monotonic, instance, major);
        look.include_own = watcher.instance.include_own;
        self.read(statements, &[], |row| look.take(row)).await?;
        let (rows, entries) = look.finish();
        let ts: Timestamp = self.at.ts;
        let extension = self.around.extensions.get("pg_stat_statements");
        let sample = StatementStore {
            instance: instance.to_owned(),
            epoch: watcher.marks.epoch(&reset).unwrap_or_default(),
            entries,
            max_entries,
            dealloc,
            extension: extension.map_or_else(String::new, |(version, _)| {
                format!("{}.{}", version / 100, version % 100)
            }),
        };
        out.push(sample.into_row(ts));
        let read = self.texts(watcher, memory, &rows, out).await;
        out.extend(rows.into_iter().map(|row| row.into_row(ts)));
        read
    }

    async fn note_partial(
        &mut self,
        watcher: &mut Postgres,
        family: &Family,
        sees_all: bool,
        superuser: bool,
    ) {
        let gap = if !sees_all {
            let message = format!(
                "statements of others are closed to role {}",
                self.context.role
            );
            let remedy = self.remedy(STATS, None).await;
            self.context.gap(family.name, "denied", message, remedy)
        } else if superuser && !watcher.instance.include_own {
            let message = format!(
                "statements of role {} are left out, as the collector logs in with it",
                self.context.role
            );
            let remedy = "let the collector log in with a role of its own";
            self.context.gap(family.name, "off", message, remedy)
        } else {
            return;
        };
        watcher.gaps.note(true, gap);
    }
}
