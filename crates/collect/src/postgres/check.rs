//! Checks: objects that deserve a look, with the number each is about.

use pg::PgError;
use schema::tables::CheckSample;
use schema::{Json, Row, Sample};
use tokio_postgres::types::Type;

use super::Postgres;
use super::family::{Due, Family};
use super::link::Param;
use super::visit::Visit;

/// Objects that a check gives at most, worst first.
const OBJECTS: usize = 50;

impl Visit<'_> {
    /// Objects that a check found. The value is the number it is about, everything else its detail.
    pub(super) async fn check(
        &mut self,
        watcher: &mut Postgres,
        family: &'static Family,
        sql: &str,
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        let mut hidden: i64 = 0;
        let (scene, ts, turn) = (self.scene, self.at.ts, self.turn);
        let params: [Param<'_>; 1] = [(&turn, Type::INT8)];
        let params = match family.due {
            Due::Turns => params.as_slice(),
            Due::Always | Due::Hourly => &[],
        };
        self.read(family, &wrapped(sql), params, |row| {
            hidden = row.try_get::<_, Option<i64>>("hidden")?.unwrap_or(0);
            let sample = CheckSample {
                instance: scene.instance.to_owned(),
                database: scene.database.to_owned(),
                check_name: family.name.to_owned(),
                object: row
                    .try_get::<_, Option<String>>("object")?
                    .unwrap_or_default(),
                value: row.try_get("value")?,
                detail: Json(row.try_get("detail")?),
            };
            out.push(sample.into_row(ts));
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
