//! Gaps: statistics that cannot be read, and what fixes that.
//!
//! A family that fails becomes a [`VisibilityGap`]. Those of the slow tick are remembered, so that every
//! tick reports them again until they are fixed; those of the fast tick are found anew each time.

use std::collections::BTreeMap;

use pg::PgError;
use schema::tables::VisibilityGap;
use tokio_postgres::error::SqlState;

use super::Instance;
use super::family::{Family, rendered};
use super::link::Link;

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

/// Remembers gaps, by when they were found, database and family.
#[derive(Debug, Default)]
pub(super) struct GapTracker {
    gaps: BTreeMap<(bool, String, String), VisibilityGap>,
}

impl GapTracker {
    /// Forgets the gaps of the last tick of this kind.
    pub(super) fn begin(&mut self, slow: bool) {
        self.gaps.retain(|(found_slow, ..), _| *found_slow != slow);
    }

    /// Remembers a gap.
    pub(super) fn note(&mut self, slow: bool, gap: VisibilityGap) {
        let key = (slow, gap.database.clone(), gap.family.clone());
        self.gaps.insert(key, gap);
    }

    /// Returns the gap of this family in this database, if there is one.
    pub(super) fn of(&self, slow: bool, database: &str, family: &str) -> Option<&VisibilityGap> {
        self.gaps
            .get(&(slow, database.to_owned(), family.to_owned()))
    }

    /// Returns every gap; without `slow`, those of the fast tick alone.
    pub(super) fn all(&self, slow: bool) -> impl Iterator<Item = &VisibilityGap> {
        let wanted = move |(key, _): &(&(bool, String, String), _)| slow || !key.0;
        self.gaps.iter().filter(wanted).map(|(_, gap)| gap)
    }

    /// Returns the families of gaps that a person can fix by a right or an extension, with their databases;
    /// `None` when there is none.
    pub(super) fn unseen(&self, slow: bool) -> Option<String> {
        let names: Vec<String> = self
            .gaps
            .iter()
            .filter(|((found_slow, ..), _)| *found_slow == slow)
            .filter(|(_, gap)| gap.state != "off" && gap.state != "capped")
            .map(|((_, database, family), _)| match database.as_str() {
                "" => family.clone(),
                database => format!("{family} of {database}"),
            })
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

/// Which instance, role and database a gap belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct GapContext<'a> {
    /// Name of the instance.
    pub(super) instance: &'a str,
    /// Role that logs in.
    pub(super) role: &'a str,
    /// Database, or empty for the server as a whole.
    pub(super) database: &'a str,
    /// Database that the session is connected to: most rights hold in the database where they are given.
    pub(super) connected: &'a str,
    /// Major version of the server, by which rights are named; 0 when nobody answered.
    pub(super) version: u32,
}

impl<'a> GapContext<'a> {
    /// Returns the context of an instance in one of its databases, or of the server as a whole for "".
    pub(super) fn new(instance: &'a Instance, database: &'a str, version: u32) -> Self {
        Self {
            instance: &instance.name,
            role: &instance.target.user,
            database,
            connected: match database {
                "" => &instance.target.database,
                database => database,
            },
            version,
        }
    }

    /// Makes a gap of this family.
    pub(super) fn gap(
        &self,
        family: &str,
        state: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> VisibilityGap {
        VisibilityGap {
            instance: self.instance.to_owned(),
            database: self.database.to_owned(),
            family: family.to_owned(),
            state: state.to_owned(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// Makes the gap of a family that could not be read.
    pub(super) fn failed(&self, family: &Family, error: &PgError) -> VisibilityGap {
        let state = state_of(error);
        let remedy = match state {
            "denied" => self.granted(family.grant),
            "missing" => match (family.extension, error.sql_state()) {
                // It was made here without its library.
                (Some(extension), Some(state))
                    if *state == SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE =>
                {
                    format!("add {extension} to shared_preload_libraries and restart the server")
                }
                (Some(extension), _) => extension_remedy(extension, true, self.connected),
                (None, _) => "report it: this release of PostgreSQL is not understood".to_owned(),
            },
            "locked" => "look at the sessions: one holds a lock on a catalogue or table".to_owned(),
            "timeout" => "look at the load of the server; the question is asked again".to_owned(),
            "unreachable" => "look whether the server runs and takes sessions".to_owned(),
            _ => "read the message; the question is asked again".to_owned(),
        };
        self.gap(family.name, state, error.to_string(), remedy)
    }

    /// Makes the gap of a setting that is off; `source` is where it is set, as in `pg_settings.source`.
    pub(super) fn off(&self, setting: &str, source: &str) -> VisibilityGap {
        let role = quoted(self.role);
        let database = quoted(self.connected);
        let remedy = match source {
            "user" => format!("ALTER ROLE {role} RESET {setting};"),
            "database" => format!("ALTER DATABASE {database} RESET {setting};"),
            "database user" => {
                format!("ALTER ROLE {role} IN DATABASE {database} RESET {setting};")
            }
            "command line" | "environment variable" => {
                format!("take {setting} off the command line of the server and restart it")
            }
            _ => format!("ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf();"),
        };
        let missing = SETTINGS
            .iter()
            .find(|(name, _)| *name == setting)
            .map_or("figures", |(_, missing)| missing);
        self.gap(
            setting,
            "off",
            format!("{setting} is off: no {missing}"),
            remedy,
        )
    }

    /// Returns where a grant is to be run, as a comment to put behind it.
    pub(super) fn place(&self, link: &Link) -> String {
        let standby = match link.session.in_recovery {
            true => "on the primary, ",
            false => "",
        };
        let database = self.connected.replace("*/", "");
        format!(" /* {standby}in database {database} */")
    }

    /// Returns the same for what holds in every database.
    pub(super) fn standby(&self, link: &Link) -> &'static str {
        match link.session.in_recovery {
            true => " /* on the primary */",
            false => "",
        }
    }

    /// Renders a grant for this version, with the role in its place.
    pub(super) fn granted(&self, grant: &str) -> String {
        let grant = rendered(grant, self.version);
        format!(
            "{};",
            grant.trim_end().replace("%ROLE%", &quoted(self.role))
        )
    }
}

/// Returns what makes an extension readable in this database; `loaded` when its library is loaded already.
pub(super) fn extension_remedy(extension: &str, loaded: bool, database: &str) -> String {
    let database = database.replace("*/", "");
    let create = format!("CREATE EXTENSION {extension}; /* in database {database} */");
    match loaded {
        true => create,
        false => format!(
            "add {extension} to shared_preload_libraries, restart the server, then {create}"
        ),
    }
}

/// Words that are not names without quotes: every keyword but those that are not reserved at all.
const KEYWORDS: &str = " all analyse analyze and any array as asc asymmetric authorization between bigint \
    binary bit boolean both case cast char character check coalesce collate collation column \
    concurrently constraint create cross current_catalog current_date current_role current_schema \
    current_time current_timestamp current_user dec decimal default deferrable desc distinct do else \
    end except exists extract false fetch float for foreign freeze from full grant greatest group \
    grouping having ilike in initially inner inout int integer intersect interval into is isnull join \
    json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar \
    json_serialize json_table json_value lateral leading least left like limit localtime \
    localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric \
    offset on only or order out outer overlaps overlay placing position precision primary real \
    references returning right row select session_user setof similar smallint some substring symmetric \
    system_user table tablesample then time timestamp to trailing treat trim true union unique user \
    using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement \
    xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable ";

/// Quotes a name as SQL writes it: in quotes where it would be another one without.
pub(super) fn quoted(name: &str) -> String {
    let mut bytes = name.bytes();
    let begins = bytes
        .next()
        .is_some_and(|first| first.is_ascii_lowercase() || first == b'_');
    let goes_on = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if begins && bytes.all(goes_on) && !KEYWORDS.contains(&format!(" {name} ")) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names the state of a gap after a failure.
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

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn names_are_quoted_where_they_must_be() {
        for (name, expected) in [
            ("watcher", "watcher"),
            ("_a1", "_a1"),
            ("Ext", "\"Ext\""),
            ("1st", "\"1st\""),
            ("my role", "\"my role\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("user", "\"user\""),
            ("größe", "\"größe\""),
            ("a-b", "\"a-b\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(name), expected);
        }
    }
}
