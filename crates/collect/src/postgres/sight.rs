//! What cannot be seen, and what mends it.
//!
//! A family that fails becomes a [`BlindSpot`]. Those of the slow tick are remembered, so that every
//! tick says them again until they are mended; those of the fast tick are found anew each time.

use std::collections::BTreeMap;

use pg::PgError;
use schema::tables::BlindSpot;
use tokio_postgres::error::SqlState;

use super::family::{Family, rendered};

/// Settings without which figures stay zero: what is missing while they are off.
const SETTINGS: &[(&str, &str)] = &[
    ("track_io_timing", "times of reads and writes"),
    ("track_wal_io_timing", "times of writes and syncs of WAL"),
    (
        "track_counts",
        "counters of databases, tables and indexes, and autovacuum with them",
    ),
    ("track_activities", "what sessions do and wait for"),
];

/// Gaps by when they were found, database and family.
#[derive(Debug, Default)]
pub(super) struct Sight {
    spots: BTreeMap<(bool, String, String), BlindSpot>,
}

impl Sight {
    /// Forgets what the last tick of this kind could not see.
    pub(super) fn begin(&mut self, slow: bool) {
        self.spots.retain(|(found_slow, ..), _| *found_slow != slow);
    }

    /// Remembers a gap.
    pub(super) fn note(&mut self, slow: bool, spot: BlindSpot) {
        let key = (slow, spot.database.clone(), spot.family.clone());
        self.spots.insert(key, spot);
    }

    /// The gap of this family in this database, if there is one.
    pub(super) fn of(&self, slow: bool, database: &str, family: &str) -> Option<&BlindSpot> {
        self.spots
            .get(&(slow, database.to_owned(), family.to_owned()))
    }

    /// Every gap; without `slow`, those of the fast tick alone.
    pub(super) fn spots(&self, slow: bool) -> impl Iterator<Item = &BlindSpot> {
        let wanted = move |(key, _): &(&(bool, String, String), _)| slow || !key.0;
        self.spots.iter().filter(wanted).map(|(_, spot)| spot)
    }

    /// The families of gaps that a person can mend by a right or an extension, with their databases;
    /// `None` when there is none.
    pub(super) fn unseen(&self, slow: bool) -> Option<String> {
        let names: Vec<String> = self
            .spots
            .iter()
            .filter(|((found_slow, ..), _)| *found_slow == slow)
            .filter(|(_, spot)| spot.state != "off" && spot.state != "capped")
            .map(|((_, database, family), _)| match database.as_str() {
                "" => family.clone(),
                database => format!("{family} of {database}"),
            })
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

/// Whose gaps these are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    /// Name of the instance.
    pub(super) instance: &'a str,
    /// Role that logs in.
    pub(super) role: &'a str,
    /// Database, or empty for the server as a whole.
    pub(super) database: &'a str,
    /// Major version of the server, by which rights are named; 0 when nobody answered.
    pub(super) version: u32,
}

impl Scene<'_> {
    /// A gap with these words.
    pub(super) fn spot(
        &self,
        family: &str,
        state: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> BlindSpot {
        BlindSpot {
            instance: self.instance.to_owned(),
            database: self.database.to_owned(),
            family: family.to_owned(),
            state: state.to_owned(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// A family that could not be read.
    pub(super) fn failed(&self, family: &Family, error: &PgError) -> BlindSpot {
        let state = state_of(error);
        let remedy = match state {
            "denied" => self.granted(family.grant),
            "missing" => match family.extension {
                Some(extension) => extension_remedy(extension),
                None => "report it: this release of PostgreSQL is not understood".to_owned(),
            },
            "locked" => "look at the sessions: one holds a lock on a catalogue or table".to_owned(),
            "timeout" => "look at the load of the server; the question is asked again".to_owned(),
            "unreachable" => "look whether the server runs and takes sessions".to_owned(),
            _ => "read the message; the question is asked again".to_owned(),
        };
        self.spot(family.name, state, error.to_string(), remedy)
    }

    /// A setting that is off.
    pub(super) fn off(&self, setting: &str) -> BlindSpot {
        let missing = SETTINGS
            .iter()
            .find(|(name, _)| *name == setting)
            .map_or("figures", |(_, missing)| missing);
        self.spot(
            setting,
            "off",
            format!("{setting} is off: no {missing}"),
            format!("ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf();"),
        )
    }

    /// A remedy for this version, with the role in its place.
    pub(super) fn granted(&self, grant: &str) -> String {
        let grant = rendered(grant, self.version);
        format!(
            "{};",
            grant.trim_end().replace("%ROLE%", &quoted(self.role))
        )
    }
}

/// What makes an extension readable.
pub(super) fn extension_remedy(extension: &str) -> String {
    match extension {
        "pg_stat_statements" => {
            "add pg_stat_statements to shared_preload_libraries, restart the server, \
             then CREATE EXTENSION pg_stat_statements;"
                .to_owned()
        }
        other => format!("CREATE EXTENSION {other};"),
    }
}

/// The name as SQL writes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The word for a failure.
pub(super) fn state_of(error: &PgError) -> &'static str {
    match error {
        PgError::Timeout { .. } => return "timeout",
        PgError::Gone { .. } | PgError::Connect { .. } | PgError::ConnectTimeout { .. } => {
            return match error.sql_state() {
                Some(state) if *state == SqlState::INVALID_CATALOG_NAME => "missing",
                Some(_) if error.class() == pg::Class::Refused => "denied",
                _ => "unreachable",
            };
        }
        _ => {}
    }
    match error.sql_state() {
        Some(state) if *state == SqlState::INSUFFICIENT_PRIVILEGE => "denied",
        Some(state)
            if [
                SqlState::UNDEFINED_TABLE,
                SqlState::UNDEFINED_FUNCTION,
                SqlState::UNDEFINED_COLUMN,
                SqlState::INVALID_SCHEMA_NAME,
                SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
            ]
            .contains(state) =>
        {
            "missing"
        }
        Some(state) if *state == SqlState::LOCK_NOT_AVAILABLE => "locked",
        Some(state) if *state == SqlState::QUERY_CANCELED => "timeout",
        _ if error.class() == pg::Class::Gone => "unreachable",
        _ => "failed",
    }
}
