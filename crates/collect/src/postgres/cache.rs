//! Findings that hold until they are looked for again.
//!
//! Some questions scan a catalogue or every file and find things that are not urgent. A family of
//! [`Due::Hourly`] is asked once an hour, and each slow tick in between stores its findings again, so that
//! the newest slow tick always means all findings. What a check no longer finds is gone when it ran.
//!
//! * The first slow tick of a session asks everything. From then on each family has its own minute of the
//!   hour, spread evenly by its place among the others, so that no tick carries them all.
//! * A family that failed keeps nothing: its gap is reported, and it is asked again at the next slow tick.
//!   Objects that are closed to our role are not a failure; that gap holds with the findings, until they are
//!   open.
//! * A new session may lead to another server or a newer one: then the cache is emptied, as it is of a
//!   database that is no longer watched.
//! * [`Due::Turns`] looks at one object of [`ROUND`] per slow tick, and what it found of each holds until
//!   its next turn, for one round at most.
//!
//! A check gives 50 objects at most, so that the cache is bounded by families and databases.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use schema::tables::VisibilityGap;
use schema::{Cell, Row};

use super::definitions::Definitions;
use super::family::{Due, FAMILIES};

/// How long findings hold.
const HOUR: Duration = Duration::from_secs(3600);
/// Objects that take turns; the statements choose among as many.
const ROUND: i64 = 20;

/// Indexes remembered of a database: several times those that are stored at once.
const MOST_MET: usize = 10_000;

/// The family whose definitions are kept.
const INDEXES: &str = "indexes";

/// What a family found in a database.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    /// Objects, as they were stored.
    pub(super) rows: Vec<Row>,
    /// What of it was closed to our role.
    pub(super) gap: Option<VisibilityGap>,
}

/// Findings by database and family.
#[derive(Debug, Default)]
pub(super) struct FindingCache {
    hourly: BTreeMap<(String, &'static str), (Duration, Findings)>,
    turns: BTreeMap<(String, &'static str), Vec<(i64, Row)>>,
    definitions: BTreeMap<String, Definitions>,
    /// Identifier and name of every index that was met, by database.
    met: BTreeMap<String, HashSet<(i64, String)>>,
}

impl FindingCache {
    /// Returns whether the minute of this family has come since it was asked; yes when it never was.
    pub(super) fn is_due(&self, database: &str, family: &'static str, now: Duration) -> bool {
        let known = self.hourly.get(&(database.to_owned(), family));
        known.is_none_or(|(asked, _)| hours(family, now) > hours(family, *asked))
    }

    /// Returns what the family found when it was last asked.
    pub(super) fn findings(&self, database: &str, family: &'static str) -> Option<&Findings> {
        let known = self.hourly.get(&(database.to_owned(), family));
        known.map(|(_, findings)| findings)
    }

    /// Keeps what the family found just now.
    pub(super) fn keep(
        &mut self,
        database: &str,
        family: &'static str,
        now: Duration,
        findings: Findings,
    ) {
        let key = (database.to_owned(), family);
        self.hourly.insert(key, (now, findings));
    }

    /// Forgets what the family found: it is due again.
    pub(super) fn forget(&mut self, database: &str, family: &'static str) {
        self.hourly.remove(&(database.to_owned(), family));
    }

    /// Keeps what this turn saw, and returns what the turns before saw of other objects.
    pub(super) fn turn(
        &mut self,
        database: &str,
        family: &'static str,
        turn: i64,
        seen: &[Row],
    ) -> Vec<Row> {
        let known = self.turns.entry((database.to_owned(), family)).or_default();
        let is_old = |row: &Row| seen.iter().any(|new| object(new) == object(row));
        known.retain(|(at, row)| at + ROUND > turn && !is_old(row));
        let others = known.iter().map(|(_, row)| row.clone()).collect();
        known.extend(seen.iter().map(|row| (turn, row.clone())));
        others
    }

    /// Takes out the definitions of a database's indexes; none when their minute has come.
    pub(super) fn take_definitions(&mut self, database: &str, now: Duration) -> Definitions {
        let stand = |known: &Definitions| hours(INDEXES, now) == hours(INDEXES, known.since);
        let known = self.definitions.remove(database).filter(stand);
        known.unwrap_or_else(|| Definitions::new(now))
    }

    /// Keeps the definitions of a database's indexes.
    pub(super) fn keep_definitions(&mut self, database: &str, definitions: Definitions) {
        let definitions = definitions.finish();
        self.definitions.insert(database.to_owned(), definitions);
    }

    /// Returns whether this index, by identifier and name, was not met before in this session. One that was made
    /// anew under the same name is another one. Past [`MOST_MET`] all are met again.
    pub(super) fn is_new(&mut self, database: &str, index: (i64, String)) -> bool {
        let met = self.met.entry(database.to_owned()).or_default();
        if met.len() > MOST_MET {
            met.clear();
        }
        met.insert(index)
    }

    /// Forgets databases other than these and the server itself.
    pub(super) fn retain(&mut self, databases: &[String]) {
        let is_watched = |database: &String| database.is_empty() || databases.contains(database);
        self.hourly.retain(|(database, _), _| is_watched(database));
        self.turns.retain(|(database, _), _| is_watched(database));
        self.definitions.retain(|database, _| is_watched(database));
        self.met.retain(|database, _| is_watched(database));
    }
}

/// Counts how often the minute of this family has come until then.
fn hours(family: &str, now: Duration) -> u64 {
    let hourly = || FAMILIES.iter().filter(|family| family.due == Due::Hourly);
    let place = (0_u32..)
        .zip(hourly())
        .find(|(_, other)| other.name == family);
    let place = place.map_or(0, |(place, _)| place);
    let count = u32::try_from(hourly().count()).unwrap_or(u32::MAX).max(1);
    (now + HOUR - HOUR / count * place).as_secs() / HOUR.as_secs()
}

/// Returns the object that a row of a check is about.
fn object(row: &Row) -> Option<&Cell> {
    let mut columns = row.table.columns.iter();
    let at = columns.position(|column| column.name == "object")?;
    row.cells.get(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::tables::CheckSample;
    use schema::{Json, Sample, Timestamp};

    /// A slow tick as delivered.
    const TICK: Duration = Duration::from_secs(300);

    fn row(object: &str) -> Row {
        let sample = CheckSample {
            instance: "i".to_owned(),
            database: "d".to_owned(),
            check_name: "c".to_owned(),
            object: object.to_owned(),
            value: None,
            detail: Json("{}".to_owned()),
        };
        sample.into_row(Timestamp::default())
    }

    fn objects(rows: &[Row]) -> Vec<&str> {
        let text = |row| match object(row) {
            Some(Cell::Text(text)) => &**text,
            _ => "",
        };
        rows.iter().map(text).collect()
    }

    #[test]
    fn each_family_comes_once_an_hour_and_no_tick_carries_them_all() {
        let hourly: Vec<&'static str> = FAMILIES
            .iter()
            .filter(|family| family.due == Due::Hourly)
            .map(|family| family.name)
            .collect();
        let mut cache = FindingCache::default();
        let mut asked = Vec::new();
        for tick in 0..=24 {
            let now = TICK * tick;
            let due = hourly.iter().copied();
            let due: Vec<_> = due.filter(|name| cache.is_due("d", name, now)).collect();
            for name in &due {
                cache.keep("d", name, now, Findings::default());
            }
            asked.push(due);
        }
        assert_eq!(asked[0], hourly, "the first tick asks everything");
        for hour in [&asked[1..=12], &asked[13..=24]] {
            let mut names: Vec<&str> = hour.iter().flatten().copied().collect();
            names.sort_unstable();
            let mut all = hourly.clone();
            all.sort_unstable();
            assert_eq!(names, all, "each once");
            assert!(hour.iter().all(|due| due.len() <= 2), "{hour:?}");
        }
    }

    #[test]
    fn what_failed_is_due_again_and_what_is_not_watched_is_forgotten() {
        let (mut cache, family) = (FindingCache::default(), "duplicate_indexes");
        let found = || Findings {
            rows: vec![row("a")],
            gap: None,
        };
        for database in ["", "d", "gone"] {
            cache.keep(database, family, Duration::ZERO, found());
            assert!(!cache.is_due(database, family, Duration::ZERO));
        }
        cache.forget("d", family);
        assert!(cache.is_due("d", family, Duration::ZERO));
        cache.retain(&["d".to_owned()]);
        assert!(cache.findings("", family).is_some());
        assert!(cache.findings("gone", family).is_none());
    }

    #[test]
    fn objects_that_take_turns_hold_for_a_round() {
        let (mut cache, family) = (FindingCache::default(), "table_bloat_exact");
        let mut turn = |turn, seen: &[&str]| {
            let seen: Vec<Row> = seen.iter().map(|object| row(object)).collect();
            let others = cache.turn("d", family, turn, &seen);
            objects(&others).join(" ")
        };
        assert_eq!(turn(1, &["a"]), "");
        assert_eq!(turn(2, &["b"]), "a");
        assert_eq!(
            turn(3, &["a"]),
            "b",
            "its newest answer replaces the one before"
        );
        assert_eq!(
            turn(4, &[]),
            "b a",
            "one that could not be looked at costs no other"
        );
        assert_eq!(
            turn(2 + ROUND, &["c"]),
            "a",
            "b had no turn in a whole round"
        );
    }

    #[test]
    fn definitions_are_made_anew_in_the_next_hour() {
        let mut cache = FindingCache::default();
        let fresh = |cache: &mut FindingCache, now| {
            let taken = cache.take_definitions("d", now);
            let since = taken.since;
            cache.keep_definitions("d", taken);
            since
        };
        assert_eq!(fresh(&mut cache, TICK), TICK);
        assert_eq!(fresh(&mut cache, TICK * 2), TICK);
        assert_eq!(fresh(&mut cache, HOUR + TICK), HOUR + TICK);
    }
}
