//! Partitions by day: which there are to be, and how they are made. The only place that makes any.
//!
//! A partition is made for one table and one day when rows need it, so that a table which gets no rows
//! has none. Each is made in a separate transaction: a partition that was made stays, if a later one fails,
//! and no transaction grows with the number of days that a batch happens to span.
//!
//! **Only days near today have one**, by the server's clock: [`DAYS_BACK`] days back and [`DAYS_AHEAD`]
//! ahead. Rows of other days (a line without a year, a clock that is wrong, an import) go to the
//! default partition of their table and expire there. A week back holds what arrives late after a
//! long weekend without the database; older rows are few, and a partition for each of their days
//! would cost more than a row that is deleted. Two days ahead: the partition of tomorrow is there before
//! midnight, and a host whose clock is a day ahead does not fill the default partition.
//!
//! **A row never waits for its partition.** When one cannot be made (a lock, a right, a slow disk) the
//! row goes to the default partition, and the rows move when the partition is made: that is tried
//! again after [`RETRY`], and a batch waits at most [`PATIENCE`] for all that it needs. The exception
//! is a table without a default partition, whose rows the server refuses: see [`lacks_partition`].
//!
//! Existing partitions are remembered for a session and forgotten every hour, so that a partition
//! that was dropped by hand comes back.

use crate::tuple::Group;
use schema::Timestamp;
use schema::micros::DAY;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

/// Days before today, by the server's clock, that have partitions.
const DAYS_BACK: i64 = 7;
/// Days after today that have partitions.
pub(crate) const DAYS_AHEAD: i64 = 2;
/// How long a batch waits for its partitions: much less than the 10 s that its transaction may take, so
/// that a slow disk delays rows by seconds and no more.
const PATIENCE: Duration = Duration::from_secs(2);
/// After so long a partition that could not be made is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// A place for rows: a table with a day, in days since 1970, or with its default partition.
type PartitionKey = (String, Option<i64>);

/// Partitions that rows need: tables and the days of their rows, in days since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs(BTreeSet<(i64, String)>);

impl Needs {
    /// Adds the days of a group's rows.
    pub(crate) fn add_group(&mut self, group: &Group) {
        let mut last = None;
        for ts in group.instants() {
            let day = day_of(ts);
            if last.replace(day) != Some(day) {
                self.add(&group.table, day);
            }
        }
    }

    /// Adds a day of a table.
    pub(crate) fn add(&mut self, table: &str, day: i64) {
        self.0.insert((day, table.to_owned()));
    }
}

/// Returns the day of an instant, in days since 1970.
pub(crate) const fn day_of(ts: Timestamp) -> i64 {
    ts.as_micros().div_euclid(DAY)
}

/// Returns whether the server refused rows because no partition takes them: there is neither one of their day nor
/// a default one, or the one of their day was made after the server had chosen the default one. The
/// rows are fine. The server reports it as a violated check without a constraint's name, a distributed table as an
/// internal error of which only the words are known.
pub(crate) fn lacks_partition(error: &Error) -> bool {
    error
        .as_db_error()
        .is_some_and(|error| is_lack(error.code(), error.constraint(), error.message()))
}

fn is_lack(code: &SqlState, constraint: Option<&str>, message: &str) -> bool {
    match *code {
        SqlState::CHECK_VIOLATION => constraint.is_none(),
        SqlState::INTERNAL_ERROR => message.starts_with("no partition of relation"),
        _ => false,
    }
}

/// The partitions that are known to exist.
#[derive(Debug)]
pub(crate) struct Partitions {
    /// By how much the server's clock is ahead of ours, microseconds.
    server_ahead: i64,
    known: BTreeSet<PartitionKey>,
    /// Partitions that could not be made, and when that is tried again.
    failed: BTreeMap<PartitionKey, Instant>,
}

impl Partitions {
    /// Begins without a known partition. `server_now` is the server's clock at `now` of ours.
    pub(crate) const fn new(server_now: Timestamp, now: Timestamp) -> Self {
        Self {
            server_ahead: server_now.as_micros().saturating_sub(now.as_micros()),
            known: BTreeSet::new(),
            failed: BTreeMap::new(),
        }
    }

    /// Follows the server's clock.
    pub(crate) const fn set_server_ahead(&mut self, micros: i64) {
        self.server_ahead = micros;
    }

    /// Returns today by the server's clock.
    pub(crate) const fn today(&self, now: Timestamp) -> i64 {
        day_of(Timestamp(now.as_micros().saturating_add(self.server_ahead)))
    }

    /// Forgets the known partitions of one table.
    pub(crate) fn forget(&mut self, table: &str) {
        self.known.retain(|(name, _)| name != table);
        self.failed.retain(|(name, _), _| name != table);
    }

    /// Forgets every partition, so that the server is asked about the next ones.
    pub(crate) fn forget_all(&mut self) {
        self.known.clear();
        self.failed.clear();
    }

    /// Returns the needs that are not known to exist: default partitions first, for they take any
    /// row, then the newest days, which most rows are of.
    fn missing(&self, needs: &Needs, now: Timestamp) -> Vec<PartitionKey> {
        let today = self.today(now);
        let near = today - DAYS_BACK..=today + DAYS_AHEAD;
        let mut places: BTreeSet<(i64, PartitionKey)> = BTreeSet::new();
        for (day, table) in &needs.0 {
            places.insert((i64::MIN, (table.clone(), None)));
            if near.contains(day) {
                places.insert((-day, (table.clone(), Some(*day))));
            }
        }
        places.into_iter().map(|(_, place)| place).collect()
    }

    /// Makes what these needs lack, within [`PATIENCE`]. What could not be made is given with the last
    /// error; the rows can be stored all the same.
    ///
    /// # Errors
    /// When the link is gone.
    pub(crate) async fn ensure(
        &mut self,
        client: &Client,
        needs: &Needs,
        now: Timestamp,
    ) -> Result<Option<Error>, Error> {
        let begun = Instant::now();
        let mut refused = None;
        for place in self.missing(needs, now) {
            let is_waiting = |again: &Instant| *again > Instant::now();
            if self.known.contains(&place) || self.failed.get(&place).is_some_and(is_waiting) {
                continue;
            }
            // A default partition is always tried: without it rows may be refused.
            if place.1.is_some() && begun.elapsed() >= PATIENCE {
                continue;
            }
            if let Err(error) = self.make(client, place).await? {
                refused = Some(error);
            }
        }
        Ok(refused)
    }

    /// Makes the partitions of tomorrow and the day after for every table that has one of today or of the
    /// days before: such a table will need them. One is made at a time; `None` when nothing is left.
    ///
    /// # Errors
    /// When the link is gone.
    pub(crate) async fn make_ahead(
        &mut self,
        client: &Client,
        now: Timestamp,
    ) -> Result<Option<Result<(), Error>>, Error> {
        let today = self.today(now);
        let near = today - DAYS_BACK..=today;
        let used: BTreeSet<&String> = self
            .known
            .iter()
            .filter(|(_, day)| day.is_some_and(|day| near.contains(&day)))
            .map(|(table, _)| table)
            .collect();
        let ahead = (today + 1..=today + DAYS_AHEAD)
            .flat_map(|day| used.iter().map(move |table| ((*table).clone(), Some(day))));
        let next = ahead
            .into_iter()
            .find(|place| !self.known.contains(place) && !self.failed.contains_key(place));
        match next {
            Some(place) => self.make(client, place).await.map(Some),
            None => Ok(None),
        }
    }

    /// Makes one partition, unless it is there.
    async fn make(
        &mut self,
        client: &Client,
        place: PartitionKey,
    ) -> Result<Result<(), Error>, Error> {
        let (table, day) = &place;
        let made = client
            .query_one(
                "SELECT collector.ensure_partition($1, date '1970-01-01' + $2::int4)",
                &[table, &day.map(|day| day as i32)],
            )
            .await;
        match made {
            Ok(row) => {
                if row.get::<_, bool>(0) {
                    tracing::debug!(table, day, "made a partition");
                }
                self.failed.remove(&place);
                self.known.insert(place);
                Ok(Ok(()))
            }
            Err(error) if error.as_db_error().is_some() => {
                self.failed.insert(place, Instant::now() + RETRY);
                Ok(Err(error))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(20_000 * DAY + 1);

    #[test]
    fn rows_without_a_partition_are_told_from_wrong_rows() {
        let distributed = "no partition of relation \"heartbeat_102008\" found for row";
        for (code, constraint, message, expected) in [
            (
                SqlState::CHECK_VIOLATION,
                None,
                "no partition of relation \"heartbeat\" found for row",
                true,
            ),
            (
                SqlState::CHECK_VIOLATION,
                Some("heartbeat_status_check"),
                "new row violates",
                false,
            ),
            (SqlState::INTERNAL_ERROR, None, distributed, true),
            (SqlState::INTERNAL_ERROR, None, "cache lookup failed", false),
            (SqlState::NOT_NULL_VIOLATION, None, distributed, false),
        ] {
            assert_eq!(is_lack(&code, constraint, message), expected, "{message}");
        }
    }

    fn missing(partitions: &Partitions, days: &[(i64, &str)]) -> Vec<(Option<i64>, String)> {
        let mut needs = Needs::default();
        for (day, table) in days {
            needs.add(table, 20_000 + day);
        }
        let places = partitions.missing(&needs, NOW).into_iter();
        places
            .map(|(table, day)| (day.map(|day| day - 20_000), table))
            .collect()
    }

    #[test]
    fn only_days_near_today_have_partitions_and_the_newest_come_first() {
        let partitions = Partitions::new(NOW, NOW);
        let days = [-400, -8, -7, -1, 0, 1, 2, 3, 2_600].map(|day| (day, "a"));
        let wanted: Vec<_> = [None, Some(2), Some(1), Some(0), Some(-1), Some(-7)]
            .map(|day| (day, "a".to_owned()))
            .into();
        assert_eq!(missing(&partitions, &days), wanted);
    }

    #[test]
    fn every_table_has_a_default_partition_before_any_has_a_day() {
        let partitions = Partitions::new(NOW, NOW);
        let found = missing(&partitions, &[(0, "a"), (-3, "b"), (-900, "c")]);
        let wanted = [
            (None, "a"),
            (None, "b"),
            (None, "c"),
            (Some(0), "a"),
            (Some(-3), "b"),
        ];
        assert_eq!(found, wanted.map(|(day, table)| (day, table.to_owned())));
    }

    #[test]
    fn today_is_the_servers() {
        for ahead in [-40, 0, 3] {
            let server = Timestamp(NOW.as_micros() + ahead * DAY);
            let partitions = Partitions::new(server, NOW);
            let found = missing(&partitions, &[(ahead, "a"), (ahead + 30, "a")]);
            let wanted = [(None, "a".to_owned()), (Some(ahead), "a".to_owned())];
            assert_eq!(found, wanted, "{ahead}");
        }
    }
}
