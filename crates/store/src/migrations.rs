//! Brings a database to the schema of this version.
//!
//! Migrations are SQL files in `migrations/`, forward only, numbered from 1 without holes. Each is
//! applied in one transaction together with its line in `collector.schema_migrations`,
//! under an advisory lock: killed at any statement, a second run starts where the first left off
//! and ends with the same schema; two runs at once take turns.
//!
//! A database whose newest migration is unknown here was written by a newer version. Its line says which version a program must
//! know at least (`compatible_from`): migrations that only add leave that as it was, so that collectors of a fleet go on
//! while they are upgraded one after the other; after one that [`breaks`](Migration::breaks) older programs, [`check`] reports
//! it and these write nothing. A file whose text differs from the applied one is refused: history is not edited.
//!
//! Where the store is distributed, a transaction changes several tables one after the other, and tables that a migration made are
//! distributed as the others are ([`distribution`]).
//!
//! The newest migration also describes the columns of declared tables (`comments`).

use crate::comments;
use crate::distribution::{self, DistributeError};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::OnceLock;
use tokio_postgres::Client;

/// `pg_advisory_xact_lock` key of migrations: "pqcrypta" in ASCII.
const LOCK_KEY: i64 = 0x7071_6372_7970_7461;

/// One step of the schema.
#[derive(Debug, PartialEq, Eq)]
pub struct Migration {
    /// Number, from 1.
    pub version: i32,
    /// Its title, as in the file's name.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
    /// Whether programs that do not know it can no longer work with the schema: a column that they write was removed,
    /// renamed or has become mandatory, or what they read has another meaning.
    pub breaks: bool,
}

impl Migration {
    /// SHA-256 of the statements, hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        let digest = Sha256::digest(self.sql.as_bytes());
        digest
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                // Writing to a String cannot fail.
                let _infallible = write!(text, "{byte:02x}");
                text
            })
    }
}

/// Declares the migrations: number, name and file, and `breaks` for one that older programs cannot work with.
macro_rules! migrations {
    (@breaks) => { false };
    (@breaks breaks) => { true };
    ($($number:literal $name:literal $file:literal $($breaks:ident)?,)+) => {
        /// Every migration, in order.
        pub const MIGRATIONS: &[Migration] = &[
            $(Migration {
                version: $number,
                name: $name,
                sql: include_str!(concat!("../../../migrations/", $file)),
                breaks: migrations!(@breaks $($breaks)?),
            },)+
        ];
    };
}

migrations! {
    1 "foundation" "0001_foundation.sql",
    2 "postgres_and_applications" "0002_postgres_and_applications.sql",
    3 "logs" "0003_logs.sql",
    4 "findings" "0004_findings.sql",
    5 "partitions_and_retention" "0005_partitions_and_retention.sql",
    6 "process_count" "0006_process_count.sql",
    7 "log_topics" "0007_log_topics.sql",
    8 "targets" "0008_targets.sql",
    9 "expiry" "0009_expiry.sql",
    10 "log_line_ids" "0010_log_line_ids.sql",
    11 "process_identities" "0011_process_identities.sql",
    12 "cheaper_ticks" "0012_cheaper_ticks.sql",
    13 "finding_transitions" "0013_finding_transitions.sql",
    14 "cheaper_transitions" "0014_cheaper_transitions.sql",
    15 "host_conditions" "0015_host_conditions.sql",
    16 "findings_by_end" "0016_findings_by_end.sql",
    17 "size_budget" "0017_size_budget.sql",
    18 "history" "0018_history.sql",
    19 "change_markers" "0019_change_markers.sql",
    20 "hourly_views" "0020_hourly_views.sql",
    21 "slos" "0021_slos.sql",
    22 "baselines" "0022_baselines.sql",
    23 "health_scores" "0023_health_scores.sql",
    24 "sealing" "0024_sealing.sql",
    25 "slices" "0025_slices.sql",
    26 "capacity" "0026_capacity.sql",
    27 "marks" "0027_marks.sql",
    28 "recommendations" "0028_recommendations.sql",
    29 "order_of_hours" "0029_order_of_hours.sql",
    30 "descriptions" "0030_descriptions.sql",
    31 "more_slices" "0031_more_slices.sql",
    32 "web_analytics" "0032_web_analytics.sql",
    33 "web_analytics_ingest" "0033_web_analytics_ingest.sql",
    34 "web_analytics_sums" "0034_web_analytics_sums.sql",
    35 "web_analytics_questions" "0035_web_analytics_questions.sql",
    36 "health_checks" "0036_health_checks.sql",
    37 "compatible_schemas" "0037_compatible_schemas.sql",
    38 "sums" "0038_sums.sql",
    39 "web_analytics_slices" "0039_web_analytics_slices.sql",
    40 "imported_visits" "0040_imported_visits.sql",
    41 "traffic_samples" "0041_traffic_samples.sql",
    42 "slices_of_shares" "0042_slices_of_shares.sql",
    43 "fleet" "0043_fleet.sql",
    44 "distributable" "0044_distributable.sql",
    45 "directions" "0045_directions.sql",
    46 "receiver_samples" "0046_receiver_samples.sql",
    47 "open_days" "0047_open_days.sql",
    48 "engaged_times" "0048_engaged_times.sql",
    49 "whole_hours" "0049_whole_hours.sql",
    50 "reclaimed_rows" "0050_reclaimed_rows.sql",
}

/// The first migration whose line says with which programs it is compatible.
const COMPATIBILITY: &str = "compatible_schemas";

/// Returns the version that a program must know to work with the schema after this migration: that of the last one that
/// breaks older programs. `None` before lines say so.
fn compatible_from(version: i32) -> Option<i32> {
    let known = MIGRATIONS
        .iter()
        .find(|migration| migration.name == COMPATIBILITY)?;
    if version < known.version {
        return None;
    }
    let breaking = MIGRATIONS.iter().rev().find(|migration| {
        migration.breaks && (known.version..=version).contains(&migration.version)
    });
    Some(breaking.unwrap_or(known).version)
}

/// Returns the digests of [`MIGRATIONS`]. They are computed once, since every session compares them.
fn digests() -> &'static [String] {
    static DIGESTS: OnceLock<Vec<String>> = OnceLock::new();
    DIGESTS.get_or_init(|| MIGRATIONS.iter().map(Migration::sha256).collect())
}

/// Returns the version of the schema this build works with.
#[must_use]
pub fn wanted() -> i32 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// Why a database was not migrated, or may not be written to.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database was written by a newer version.
    #[error(
        "the database has schema version {found} and this program knows {wanted}: \
         install the newer program; nothing was written"
    )]
    Newer {
        /// In the database.
        found: i32,
        /// Known here.
        wanted: i32,
    },
    /// The database has not been migrated to this version.
    #[error(
        "the database has schema version {found} and this program needs {wanted}: run `pqcrypta migrate`"
    )]
    Behind {
        /// In the database; 0 when there is none.
        found: i32,
        /// Needed here.
        wanted: i32,
    },
    /// A migration was applied with another text.
    #[error(
        "migration {version} ({name}) was applied with another text: the program was changed after a release"
    )]
    Changed {
        /// Its number.
        version: i32,
        /// Its name.
        name: String,
    },
    /// A statement failed.
    #[error("migration {version} ({name}) failed and was rolled back")]
    Failed {
        /// Its number; 0 for the table of migrations.
        version: i32,
        /// Its name.
        name: &'static str,
        /// The server's error.
        #[source]
        source: tokio_postgres::Error,
    },
    /// The tables that the migrations made are not distributed as the others are.
    #[error(
        "the schema is up to date, but its new tables are not distributed: run `pqcrypta migrate --distribute`"
    )]
    NotDistributed(#[source] Box<DistributeError>),
    /// The state could not be read.
    #[error("cannot read the schema version")]
    Unreadable(#[source] tokio_postgres::Error),
}

/// Applies the missing migrations and returns them.
///
/// # Errors
/// When the database is newer, a statement fails (that migration is rolled back), or the text of
/// an applied migration changed.
pub async fn apply(client: &Client) -> Result<Vec<&'static Migration>, MigrateError> {
    let mut applied = Vec::new();
    loop {
        let next = step(client).await;
        if next.is_err() {
            // The connection may be gone, in which case the server has rolled back already.
            if let Err(error) = client.batch_execute("ROLLBACK").await {
                tracing::debug!(%error, "rollback after a failed migration");
            }
        }
        match next? {
            Some(migration) => applied.push(migration),
            None => break,
        }
    }
    if !applied.is_empty() {
        let new = distribution::follow(client).await;
        new.map_err(|error| MigrateError::NotDistributed(Box::new(error)))?;
    }
    Ok(applied)
}

/// Applies the next missing migration, if there is one.
async fn step(client: &Client) -> Result<Option<&'static Migration>, MigrateError> {
    let failed = |version, name| {
        move |source| MigrateError::Failed {
            version,
            name,
            source,
        }
    };
    client
        .batch_execute(&format!(
            "BEGIN; SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '1min'; \
             SET LOCAL idle_in_transaction_session_timeout = 0; \
             SELECT pg_advisory_xact_lock({LOCK_KEY}); \
             SET LOCAL citus.multi_shard_modify_mode = 'sequential'; \
             SET LOCAL client_min_messages = warning; \
             CREATE SCHEMA IF NOT EXISTS collector; \
             CREATE TABLE IF NOT EXISTS collector.schema_migrations ( \
                 version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, \
                 applied_at timestamptz NOT NULL DEFAULT now())"
        ))
        .await
        .map_err(failed(0, "the table of migrations"))?;
    let found = verify(client).await?;
    let next = MIGRATIONS
        .iter()
        .find(|migration| migration.version > found);
    if let Some(migration) = next {
        let failed = failed(migration.version, migration.name);
        client.batch_execute(migration.sql).await.map_err(failed)?;
        client
            .execute(
                "INSERT INTO collector.schema_migrations (version, name, sha256) VALUES ($1, $2, $3)",
                &[&migration.version, &migration.name, &migration.sha256()],
            )
            .await
            .map_err(failed)?;
        if let Some(compatible) = compatible_from(migration.version) {
            client
                .execute(
                    "UPDATE collector.schema_migrations SET compatible_from = $2 WHERE version = $1",
                    &[&migration.version, &compatible],
                )
                .await
                .map_err(failed)?;
        }
        if migration.version == wanted() {
            client
                .execute(include_str!("describe.sql"), &[&comments::document()])
                .await
                .map_err(failed)?;
        }
    }
    client
        .batch_execute("COMMIT")
        .await
        .map_err(failed(found, "commit"))?;
    Ok(next)
}

/// Compares the applied migrations with the known ones; returns the newest version applied.
async fn verify(client: &Client) -> Result<i32, MigrateError> {
    // The column is absent before the migration that adds it.
    let rows = client
        .query(
            "SELECT version, name, sha256, (to_jsonb(m) ->> 'compatible_from')::int4 \
             FROM collector.schema_migrations m ORDER BY version",
            &[],
        )
        .await
        .map_err(MigrateError::Unreadable)?;
    let mut found = 0;
    for row in &rows {
        let (version, name, sha256): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
        found = version;
        let known = MIGRATIONS
            .iter()
            .zip(digests())
            .find(|(migration, _)| migration.version == version);
        match known {
            None => {
                let compatible: Option<i32> = row.get(3);
                if compatible.is_none_or(|from| from > wanted()) {
                    return Err(MigrateError::Newer {
                        found: version,
                        wanted: wanted(),
                    });
                }
            }
            Some((_, digest)) if *digest != sha256 => {
                return Err(MigrateError::Changed { version, name });
            }
            Some(_) => {}
        }
    }
    Ok(found)
}

/// Checks whether this program may work with the database as it is; returns the version of its schema, which is
/// [`wanted`] or a newer one that says that it is compatible.
///
/// # Errors
/// When its schema is older, newer without being compatible, or changed, or cannot be read.
pub async fn check(client: &Client) -> Result<i32, MigrateError> {
    let exists: bool = client
        .query_one(
            "SELECT to_regclass('collector.schema_migrations') IS NOT NULL",
            &[],
        )
        .await
        .map_err(MigrateError::Unreadable)?
        .get(0);
    let found = if exists { verify(client).await? } else { 0 };
    if found < wanted() {
        return Err(MigrateError::Behind {
            found,
            wanted: wanted(),
        });
    }
    Ok(found)
}

/// Returns whether this program knows everything that the schema of the database has: another one, which a newer version
/// migrated, may have what it leaves out.
pub(crate) async fn is_known(client: &Client) -> Result<bool, tokio_postgres::Error> {
    let newest = client.query_one("SELECT max(version) FROM collector.schema_migrations", &[]);
    let newest: Option<i32> = newest.await?.get(0);
    Ok(newest.is_none_or(|newest| newest <= wanted()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_no_holes() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.version as usize, index + 1, "{}", migration.name);
        }
    }

    #[test]
    fn what_only_adds_leaves_older_programs_at_work() {
        let first = MIGRATIONS
            .iter()
            .find(|migration| migration.name == COMPATIBILITY)
            .unwrap()
            .version;
        assert_eq!(compatible_from(first - 1), None);
        assert_eq!(compatible_from(first), Some(first));
        let newest = compatible_from(wanted()).unwrap();
        let breaking = MIGRATIONS.iter().filter(|migration| migration.breaks);
        assert_eq!(
            newest,
            breaking
                .map(|migration| migration.version)
                .max()
                .unwrap_or(first)
        );
    }

    #[test]
    fn every_file_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let listed: Vec<String> = MIGRATIONS
            .iter()
            .map(|m| format!("{:04}_{}.sql", m.version, m.name))
            .collect();
        assert_eq!(files, listed);
    }
}
