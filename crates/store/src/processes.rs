//! Storage of process rows: columns that change from tick to tick, and the identity of the process, are separate tables.
//!
//! A tick is collected and queued as whole rows of [`ProcessSample`], so that a record of the queue stands for
//! itself: records that are lost, late, replayed or written by an older version take nothing from others. The
//! writer splits them as it delivers: into a [`ProcessMeasurement`] of each row, and a [`ProcessIdentity`] of
//! each process and day that this session has not stored yet. Both are stored in one transaction.
//!
//! The key of an identity follows from its content, not from who stores it or when:
//!
//! ```text
//! key = pid << 41 | low 41 bits of a hash of (day, start ticks, start rounded to 10 s, name, unit, …)
//! ```
//!
//! Nothing is asked of the server for it, and storing an identity twice is storing it once (`ON CONFLICT DO
//! NOTHING`). It contains the day, so that the day's samples refer to identities in partitions of the same day,
//! which expire with them. Process ids have 22 bits on Linux; the hash distinguishes the identities of one process id
//! on one day of one host, a handful, so that 41 bits are plenty.

use crate::partitions::day_of;
use crate::tuple::{self, Group};
use schema::micros::DAY;
use schema::tables::{ProcessIdentity, ProcessMeasurement, ProcessSample};
use schema::{PgType, Sample, TableDef, Timestamp};
use std::collections::{BTreeMap, HashSet};

/// Bits of a key below the process id.
const HASH_BITS: u32 = 41;
/// To this the start of a process is rounded for the key, microseconds: the clock that it is computed from wavers.
const START_MICROS: i64 = 10_000_000;
/// Identities that are remembered as stored; beyond, all are forgotten, and stored again without effect.
const MOST_KNOWN: usize = 200_000;

/// Returns the table that holds the rows of `table`: another than itself where that is a view.
pub(crate) fn stored_in(table: &'static TableDef) -> &'static TableDef {
    if table.name == ProcessSample::TABLE.name {
        ProcessMeasurement::TABLE
    } else {
        table
    }
}

/// Returns the name under which rows of a stored table were queued; `None` for those that the writer adds.
pub(crate) fn queued_as(table: &'static TableDef) -> Option<&'static str> {
    if table.name == ProcessMeasurement::TABLE.name {
        Some(ProcessSample::TABLE.name)
    } else if is_stored_once(table.name) {
        None
    } else {
        Some(table.name)
    }
}

/// Returns whether a row that is there already is left as it is.
pub(crate) fn is_stored_once(table: &str) -> bool {
    table == ProcessIdentity::TABLE.name
}

/// Returns whether storing rows of this table takes the identities of processes.
pub(crate) fn needs_identities(table: &TableDef) -> bool {
    table.name == ProcessMeasurement::TABLE.name || is_stored_once(table.name)
}

/// Identities by their key. It contains the day, so that it is unique in a batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identities(BTreeMap<i64, (Timestamp, ProcessIdentity)>);

impl Identities {
    /// Removes identities that are known to be stored.
    pub(crate) fn drop_known(&mut self, known: &KnownIdentities) {
        self.0.retain(|key, _| !known.0.contains(key));
    }

    /// Returns the keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = i64> {
        self.0.keys().copied()
    }

    /// Returns the rows.
    pub(crate) fn into_group(self) -> Option<Group> {
        let rows = self.0.into_values();
        let group = tuple::group_of(
            ProcessIdentity::TABLE,
            rows.map(|(day, identity)| identity.into_row(day)),
        );
        (group.rows > 0).then_some(group)
    }
}

/// The keys of identities that the database has, as far as known in this session.
#[derive(Debug, Default)]
pub(crate) struct KnownIdentities(HashSet<i64>);

impl KnownIdentities {
    /// Remembers identities that were stored.
    pub(crate) fn add(&mut self, keys: impl Iterator<Item = i64>) {
        if self.0.len() > MOST_KNOWN {
            self.forget();
        }
        self.0.extend(keys);
    }

    /// Forgets all, so that they are stored again: their partition may have been dropped by hand.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

/// Splits whole rows. Adds their identities to `identities` and returns the measurements, ordered by process, so
/// that they enter their index in order.
pub(crate) fn split(group: &Group, identities: &mut Identities) -> Group {
    let columns = Columns::of(group);
    let mut rows = Vec::with_capacity(group.rows as usize);
    for (ts, fields) in group.instants().zip(group.fields()) {
        let whole = Whole::read(&columns, &fields);
        let day = Timestamp(day_of(ts) * DAY);
        let started = whole.started(ts);
        let key = whole.key(day, started);
        rows.push((ts, key, whole.measurement(key)));
        let identity = || (day, whole.identity(key, started));
        identities.0.entry(key).or_insert_with(identity);
    }
    rows.sort_by_key(|(ts, key, _)| (*ts, *key));
    let rows = rows.into_iter();
    tuple::group_of(
        ProcessMeasurement::TABLE,
        rows.map(|(ts, _, measurement)| measurement.into_row(ts)),
    )
}

/// The columns that a whole row may have, in the order of [`Whole::read`].
const COLUMNS: [&str; 18] = [
    "process_name",
    "pid",
    "start_ticks",
    "cpu_pct",
    "rss_bytes",
    "vsz_bytes",
    "fd_count",
    "fd_limit",
    "thread_count",
    "state",
    "uptime_secs",
    "read_bytes_total",
    "write_bytes_total",
    "parent_pid",
    "unit",
    "uid",
    "watched",
    "process_count",
];

/// Positions of the columns in the tuples of a group; `None` for those that the version that wrote it did not have.
struct Columns([Option<usize>; COLUMNS.len()]);

impl Columns {
    fn of(group: &Group) -> Self {
        Self(COLUMNS.map(|name| {
            let declared = ProcessSample::TABLE.column(name)?;
            let is_it = |(found, pg): &(String, PgType)| found == name && *pg == declared.pg;
            // After `ts` and `host_id`.
            group.columns.iter().position(is_it).map(|at| at + 2)
        }))
    }
}

/// A whole row of a process.
struct Whole<'a> {
    name: &'a str,
    pid: i32,
    start_ticks: i64,
    cpu_pct: Option<f64>,
    rss_bytes: i64,
    vsz_bytes: i64,
    fd_count: Option<i64>,
    fd_limit: Option<i64>,
    thread_count: i32,
    state: u8,
    uptime_secs: f64,
    read_bytes_total: Option<i64>,
    write_bytes_total: Option<i64>,
    parent_pid: i32,
    unit: Option<&'a str>,
    uid: Option<i64>,
    watched: bool,
    count: i32,
}

impl<'a> Whole<'a> {
    fn read(columns: &Columns, fields: &[Option<&'a [u8]>]) -> Self {
        let mut places = columns.0.iter();
        let mut next = || {
            let place = places.next().copied().flatten()?;
            fields.get(place).copied().flatten()
        };
        // In the order of COLUMNS.
        Self {
            name: next().and_then(text).unwrap_or_default(),
            pid: next().and_then(int4).unwrap_or_default(),
            start_ticks: next().and_then(int8).unwrap_or_default(),
            cpu_pct: next().and_then(float8),
            rss_bytes: next().and_then(int8).unwrap_or_default(),
            vsz_bytes: next().and_then(int8).unwrap_or_default(),
            fd_count: next().and_then(int8),
            fd_limit: next().and_then(int8),
            thread_count: next().and_then(int4).unwrap_or_default(),
            state: next()
                .and_then(|field| field.first().copied())
                .unwrap_or(b'?'),
            uptime_secs: next().and_then(float8).unwrap_or_default(),
            read_bytes_total: next().and_then(int8),
            write_bytes_total: next().and_then(int8),
            parent_pid: next().and_then(int4).unwrap_or_default(),
            unit: next().and_then(text),
            uid: next().and_then(int8),
            watched: next().is_some_and(|field| field.first() == Some(&1)),
            count: next().and_then(int4).unwrap_or(1),
        }
    }

    /// Returns when it started. In containers with LXCFS every uptime is 0, beside start times of the host.
    fn started(&self, ts: Timestamp) -> Option<Timestamp> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "an uptime is far below 2^53 µs"
        )]
        let uptime = (self.uptime_secs * 1e6) as i64;
        (uptime > 0).then(|| Timestamp(ts.as_micros().saturating_sub(uptime)))
    }

    fn key(&self, day: Timestamp, started: Option<Timestamp>) -> i64 {
        let rounded = started.map(|started| started.as_micros().div_euclid(START_MICROS));
        let mut hash = Hash::new();
        hash.number(Some(day.as_micros()));
        hash.number(Some(self.start_ticks));
        hash.number(rounded);
        hash.number(self.fd_limit);
        hash.number(self.uid);
        hash.number(Some(i64::from(self.parent_pid)));
        hash.number(Some(i64::from(self.watched)));
        hash.text(Some(self.name));
        hash.text(self.unit);
        let bits = hash.finish() & ((1 << HASH_BITS) - 1);
        i64::from(self.pid) << HASH_BITS | bits.cast_signed()
    }

    fn identity(&self, process: i64, started_at: Option<Timestamp>) -> ProcessIdentity {
        ProcessIdentity {
            process,
            start_ticks: self.start_ticks,
            started_at,
            fd_limit: self.fd_limit,
            uid: self.uid,
            parent_pid: self.parent_pid,
            watched: self.watched,
            process_name: self.name.to_owned(),
            unit: self.unit.map(str::to_owned),
        }
    }

    fn measurement(&self, process: i64) -> ProcessMeasurement {
        ProcessMeasurement {
            thread_count: self.thread_count,
            process,
            rss_bytes: self.rss_bytes,
            vsz_bytes: self.vsz_bytes,
            cpu_pct: self.cpu_pct,
            read_bytes_total: self.read_bytes_total,
            write_bytes_total: self.write_bytes_total,
            fd_count: self
                .fd_count
                .map(|count| i32::try_from(count).unwrap_or(i32::MAX)),
            state_count: self.count << 8 | i32::from(self.state & 0x7f),
        }
    }
}

fn text(field: &[u8]) -> Option<&str> {
    std::str::from_utf8(field).ok()
}

fn int4(field: &[u8]) -> Option<i32> {
    field.try_into().ok().map(i32::from_be_bytes)
}

fn int8(field: &[u8]) -> Option<i64> {
    field.try_into().ok().map(i64::from_be_bytes)
}

fn float8(field: &[u8]) -> Option<f64> {
    field.try_into().ok().map(f64::from_be_bytes)
}

/// FNV-1a, with the bits mixed at the end. Values differ from each other and from their absence.
struct Hash(u64);

impl Hash {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn number(&mut self, value: Option<i64>) {
        self.bytes(&[u8::from(value.is_some())]);
        self.bytes(&value.unwrap_or_default().to_le_bytes());
    }

    fn text(&mut self, value: Option<&str>) {
        self.number(value.map(|text| text.len() as i64));
        self.bytes(value.unwrap_or_default().as_bytes());
    }

    const fn finish(self) -> u64 {
        let mut hash = self.0;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Row;

    const TS: Timestamp = Timestamp(20_000 * DAY + 5_000_000_000);

    fn process(pid: i32) -> ProcessSample {
        ProcessSample {
            process_name: format!("name {pid}"),
            pid,
            start_ticks: 77,
            cpu_pct: Some(1.25),
            rss_bytes: 1 << 45,
            vsz_bytes: 1 << 46,
            fd_count: Some(9),
            fd_limit: None,
            thread_count: 3,
            state: "D".into(),
            uptime_secs: 100.5,
            read_bytes_total: None,
            write_bytes_total: Some(5),
            parent_pid: 1,
            unit: Some("a.service".into()),
            uid: Some(0),
            watched: true,
            process_count: 4_000_000,
        }
    }

    fn whole(samples: &[(Timestamp, ProcessSample)]) -> Group {
        let row = |(ts, sample): &(Timestamp, ProcessSample)| sample.clone().into_row(*ts);
        let rows: Vec<Row> = samples.iter().map(row).collect();
        tuple::groups(&rows).remove(0)
    }

    fn keys(samples: &[(Timestamp, ProcessSample)]) -> Vec<i64> {
        let mut identities = Identities::default();
        split(&whole(samples), &mut identities);
        identities.keys().collect()
    }

    #[test]
    fn rows_are_split_without_loss() {
        let mut identities = Identities::default();
        let measured = split(&whole(&[(TS, process(4_194_303))]), &mut identities);
        let key = identities.keys().next().unwrap();
        assert_eq!(key >> HASH_BITS, 4_194_303);
        assert_eq!(measured.table, "process_samples");
        let json = measured.rows_as_json().next().unwrap().0;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let expected = serde_json::json!({
            "ts_us": TS.as_micros(), "process": key, "rss_bytes": 1_i64 << 45, "vsz_bytes": 1_i64 << 46,
            "cpu_pct": 1.25, "fd_count": 9, "thread_count": 3, "read_bytes_total": null,
            "write_bytes_total": 5, "state_count": 4_000_000 << 8 | 68,
        });
        assert_eq!(json, expected);
        let group = identities.into_group().unwrap();
        let (json, day, _) = group.rows_as_json().next().unwrap();
        assert_eq!(day, Timestamp(20_000 * DAY));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let expected = serde_json::json!({
            "ts_us": day.as_micros(), "process": key, "start_ticks": 77,
            "started_at": TS.as_micros() - 100_500_000, "fd_limit": null, "uid": 0, "parent_pid": 1,
            "watched": true, "process_name": "name 4194303", "unit": "a.service",
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn one_identity_serves_a_process_for_a_day() {
        let later = Timestamp(TS.as_micros() + 3_600_000_000);
        let mut again = process(7);
        again.uptime_secs += 3600.003;
        again.rss_bytes = 1;
        assert_eq!(keys(&[(TS, process(7)), (later, again.clone())]).len(), 1);
        let tomorrow = Timestamp(TS.as_micros() + DAY);
        again.uptime_secs += 23.0 * 3600.0;
        assert_eq!(keys(&[(TS, process(7)), (tomorrow, again)]).len(), 2);
    }

    #[test]
    fn whatever_identifies_it_makes_another_key() {
        let changes: [fn(&mut ProcessSample); 9] = [
            |one| one.process_name.push('x'),
            |one| one.pid += 1,
            |one| one.start_ticks += 1,
            |one| one.fd_limit = Some(0),
            |one| one.uptime_secs += 20.0,
            |one| one.parent_pid = 0,
            |one| one.unit = None,
            |one| one.uid = None,
            |one| one.watched = false,
        ];
        let mut all = vec![(TS, process(7))];
        for change in changes {
            let mut one = process(7);
            change(&mut one);
            all.push((TS, one));
        }
        assert_eq!(keys(&all).len(), all.len());
    }

    #[test]
    fn uptimes_that_stand_still_make_one_identity() {
        let still = ProcessSample {
            uptime_secs: 0.0,
            ..process(7)
        };
        let later = Timestamp(TS.as_micros() + 3_600_000_000);
        assert_eq!(keys(&[(TS, still.clone()), (later, still)]).len(), 1);
    }

    #[test]
    fn a_record_of_an_older_version_counts_as_one_process() {
        let mut group = whole(&[(TS, process(7))]);
        let at = group.columns.len() - 1;
        group.columns[at].0 = "no_longer_there".to_owned();
        let measured = split(&group, &mut Identities::default());
        let json = measured.rows_as_json().next().unwrap().0;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["state_count"], 1 << 8 | 68);
    }

    #[test]
    fn what_is_known_is_left_out_until_it_is_forgotten() {
        let mut known = KnownIdentities::default();
        let mut identities = Identities::default();
        split(
            &whole(&[(TS, process(7)), (TS, process(8))]),
            &mut identities,
        );
        known.add(identities.keys());
        split(&whole(&[(TS, process(9))]), &mut identities);
        identities.drop_known(&known);
        assert_eq!(
            identities
                .keys()
                .map(|key| key >> HASH_BITS)
                .collect::<Vec<_>>(),
            [9]
        );
        known.forget();
        split(&whole(&[(TS, process(7))]), &mut identities);
        identities.drop_known(&known);
        assert_eq!(identities.keys().count(), 2);
    }
}
