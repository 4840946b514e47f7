//! Checks: objects that deserve a look, with the number each is about.

use pg::PgError;
use schema::tables::CheckSample;
use schema::{Json, Row, Sample};

use super::Postgres;
use super::family::Family;
use super::gaps::quoted;
use super::link::unreadable;
use super::rights;
use super::text::{JsonText, Text};
use super::visit::Visit;

/// The extension that looks at bloat instead of estimating it.
const LOOKING: &str = "pgstattuple";
/// Objects that a check gives at most, worst first.
const OBJECTS: usize = 50;

impl Visit<'_> {
    /// Takes the objects that a check found. The value is the number it is about, everything else its
    /// detail.
    pub(super) async fn check(
        &mut self,
        watcher: &mut Postgres,
        family: &'static Family,
        answer: &[tokio_postgres::Row],
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        let hidden = self.take_objects(family, answer, out).map_err(unreadable)?;
        if hidden > 0 {
            let message = format!(
                "{hidden} objects are closed to role {}: their values are not known",
                self.context.role
            );
            self.note_closed(watcher, family, message).await;
        }
        Ok(())
    }

    /// Takes the objects in these rows; returns how many are closed to our role.
    fn take_objects(
        &self,
        family: &Family,
        answer: &[tokio_postgres::Row],
        out: &mut Vec<Row>,
    ) -> Result<i64, tokio_postgres::Error> {
        let mut hidden = 0;
        for row in answer {
            hidden = row.try_get::<_, Option<i64>>("hidden")?.unwrap_or(0);
            let object = row.try_get::<_, Option<Text>>("object")?;
            let sample = CheckSample {
                instance: self.context.instance.to_owned(),
                database: self.context.database.to_owned(),
                check_name: family.name.to_owned(),
                object: object.unwrap_or_default().0,
                value: row.try_get("value")?,
                detail: Json(row.try_get::<_, JsonText>("detail")?.0),
            };
            out.push(sample.into_row(self.at.ts));
        }
        Ok(hidden)
    }

    /// Returns whether objects that were closed when the family was last asked are no longer: then it is asked
    /// again before its hour is over.
    pub(super) async fn is_opened(&mut self, watcher: &Postgres, family: &'static str) -> bool {
        let findings = watcher.cache.findings(self.context.database, family);
        if findings.is_none_or(|findings| findings.gap.is_none()) {
            return false;
        }
        match family {
            "table_bloat" => self.around.extensions.contains_key(LOOKING),
            "sequences" => rights::opening(self.link, &self.context, true, &self.around.own)
                .await
                .is_none(),
            _ => false,
        }
    }

    /// Notes that objects are closed one by one, with what opens them. Bloat is better looked at than
    /// estimated: where that is possible nothing is missed, and reading every table is never proposed.
    async fn note_closed(&mut self, watcher: &mut Postgres, family: &Family, message: String) {
        let is_bloat = family.name == "table_bloat";
        if is_bloat && self.around.extensions.contains_key(LOOKING) {
            return;
        }
        let remedy = match is_bloat {
            true => Some(format!(
                "CREATE EXTENSION {LOOKING}; GRANT EXECUTE ON FUNCTION pgstattuple_approx(regclass), \
                 pgstatindex(regclass) TO {};{}",
                quoted(self.context.role),
                self.context.place(self.link)
            )),
            false => rights::opening(self.link, &self.context, true, &self.around.own).await,
        };
        let remedy = remedy.unwrap_or_else(|| self.context.granted(family.grant));
        let gap = self.context.gap(family.name, "denied", message, remedy);
        watcher.gaps.note(true, gap);
    }
}

/// Puts every column of a check's statement but the two of its own into one JSON object, and the name of the check
/// beside. The line that states its question stays the first.
pub(super) fn wrapped(name: &str, check: &str) -> String {
    let check = check.trim_end().trim_end_matches(';');
    let (question, _) = check.split_once('\n').unwrap_or(("", check));
    let hidden = match check.contains(" AS hidden") {
        true => "c.hidden",
        false => "NULL",
    };
    format!(
        "{question}\nSELECT '{name}'::text AS check_name, object::text AS object, value, \
         {hidden}::int8 AS hidden, (to_jsonb(c) - '{{object,value,hidden}}'::text[])::text AS detail \
         FROM (\n{check}\n) c LIMIT {OBJECTS}"
    )
}
