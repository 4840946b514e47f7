//! A visit to the server or to one of its databases: what is asked over one session at a slow tick.

use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt;
use pg::{PgError, Session};
use schema::tables::CheckSample;
use schema::{Row, Sample};
use tokio_postgres::types::{ToSql, Type};

use super::family::{Asked, FAMILIES, Family, family};
use super::fill::Draft;
use super::link::{plan, statement};
use super::sight::Scene;
use super::{Postgres, epoch};
use crate::Moment;

/// How long the client waits for a statement that the server ends after 5 s.
const PATIENCE: Duration = Duration::from_secs(6);

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
    pub(super) session: &'a Session,
    pub(super) scene: Scene<'a>,
    /// Whose counters these are and since when they count; `None` when that could not be read.
    pub(super) epoch: Option<(String, String)>,
    /// Version, as 110 for 1.10, and schema of the extensions that are here.
    pub(super) extensions: HashMap<String, (u32, String)>,
    pub(super) at: Moment,
    pub(super) turn: i64,
}

impl<'a> Visit<'a> {
    pub(super) fn begin(session: &'a Session, scene: Scene<'a>, at: Moment, turn: i64) -> Self {
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
    pub(super) async fn database(
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
    pub(super) async fn look_around(&mut self, watcher: &mut Postgres) {
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

    pub(super) async fn sizes(&self, watcher: &mut Postgres) -> HashMap<String, Size> {
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
    pub(super) async fn families(&self, watcher: &mut Postgres, asked: Asked, out: &mut Vec<Row>) {
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

    /// The statement of a family for the server or the extension, whichever it goes by.
    pub(super) fn sql(&self, family: &Family) -> Result<Cow<'static, str>, PgError> {
        let Some(extension) = family.extension else {
            return statement(family, self.session.major_version()).map(Cow::Borrowed);
        };
        let (version, schema) = self.extensions.get(extension).cloned().unwrap_or_default();
        let sql = statement(family, version)?;
        Ok(sql
            .replace("{schema}", &super::sight::quoted(&schema))
            .into())
    }

    pub(super) fn epoch_of(&self, reset: &str) -> Option<String> {
        let (lineage, own) = self.epoch.as_ref()?;
        let reset = if reset.is_empty() { own } else { reset };
        Some(epoch::epoch(lineage, reset))
    }

    /// Runs a statement and hands over its rows one by one, as they come.
    pub(super) async fn read(
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
