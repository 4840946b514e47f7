//! What each statement cost since the last look.
//!
//! `pg_stat_statements` gives totals since an entry exists, and an entry may vanish at any time: when the
//! store is full, the least used twentieth goes, and a statement that returns begins at zero. So totals
//! are kept here by (role, database, identifier, top level) from one slow tick to the next, and what is
//! stored are differences:
//!
//! * An entry whose `stats_since` moved, whose calls went down, or that comes back after it was gone has
//!   begun anew: its whole value counts, and `evicted` marks that a part may be missing. A reset of the
//!   store is the same for all of them.
//! * The first look gives nothing, as the totals may be months old; so does a look at another server.
//! * At most [`STORED`] statements become rows, the most expensive first, and the [`BESIDE`] that lead by calls,
//!   temporary blocks and WAL: ranked by difference, as what got slow today leads no total.
//!
//! A text is read once per identifier, for statements that become rows (`texts.rs`). Our own statements are
//! left out as soon as their text is known (`own.rs`).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use schema::tables::{StatementSample, StatementText};
use tokio_postgres::Row;

use super::sessions::shortened;
use super::text::text;
use totals::Totals;

mod own;
mod store;
pub(in crate::postgres) mod texts;
mod totals;

/// Statements stored per look, by time.
const STORED: usize = 500;
/// Statements stored besides, for each other thing they may lead by.
const BESIDE: usize = 25;
/// Characters of a text that are stored.
const TEXT_CHARS: usize = 4096;
/// Identifiers whose texts are known; beyond, all are forgotten and sent again when they are met.
const KNOWN: usize = 50_000;

/// An entry of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    role: i64,
    database: i64,
    queryid: i64,
    toplevel: bool,
}

/// What is remembered between looks.
#[derive(Debug, Default)]
pub(super) struct Statements {
    before: Option<Snapshot>,
    known: HashSet<i64>,
    /// Those of them that are our own.
    own: HashSet<i64>,
    met: HashSet<Key>,
    /// The first look gives everything that was ever counted: a check stores nothing and looks once.
    looks_once: bool,
}

/// One look at the store.
#[derive(Debug)]
struct Snapshot {
    lineage: String,
    reset: String,
    at: Duration,
    totals: HashMap<Key, Totals>,
}

/// A look while its entries come in.
#[derive(Debug)]
pub(super) struct SnapshotReader<'a> {
    memory: &'a mut Statements,
    now: Snapshot,
    reset: bool,
    interval: Option<Duration>,
    instance: &'a str,
    major: i32,
    /// Whether our own statements count.
    pub(super) include_own: bool,
    rows: Vec<StatementSample>,
    /// Entries met, those of others and ours included.
    pub(super) entries: i64,
}

impl Statements {
    /// Returns the memory of a check, which looks once.
    pub(super) fn of_check() -> Self {
        Self {
            looks_once: true,
            ..Self::default()
        }
    }

    /// Begins a look at the store of this server, counting since this reset.
    pub(super) fn look<'a>(
        &'a mut self,
        lineage: &str,
        reset: &str,
        at: Duration,
        instance: &'a str,
        major: i32,
    ) -> SnapshotReader<'a> {
        // The lineage moves with a crash, too, after which every entry has begun anew; only the
        // cluster and its timeline show whether it is another server.
        let cluster = |lineage: &str| -> Vec<String> {
            lineage.split('/').take(2).map(str::to_owned).collect()
        };
        self.before
            .take_if(|before| cluster(&before.lineage) != cluster(lineage));
        let before = self.before.as_ref();
        if before.is_none() {
            self.met.clear();
        }
        SnapshotReader {
            reset: before.is_some_and(|before| before.reset != reset),
            interval: before.map(|before| at.saturating_sub(before.at)),
            now: Snapshot {
                lineage: lineage.to_owned(),
                reset: reset.to_owned(),
                at,
                totals: HashMap::new(),
            },
            memory: self,
            instance,
            major,
            include_own: false,
            rows: Vec::new(),
            entries: 0,
        }
    }

    /// Returns the identifiers among these rows whose texts are not known yet.
    fn unknown(&mut self, rows: &[StatementSample]) -> HashSet<i64> {
        if self.known.len() > KNOWN {
            self.known.clear();
            self.own.clear();
        }
        let ids: HashSet<i64> = rows.iter().map(|row| row.queryid).collect();
        ids.difference(&self.known).copied().collect()
    }

    /// Returns the text of a row of `statement_texts`, without secrets; nothing for one of ours.
    ///
    /// # Errors
    /// When a value cannot be read.
    fn text(
        &mut self,
        instance: &str,
        major: i32,
        row: &Row,
        include_own: bool,
    ) -> Result<Option<StatementText>, tokio_postgres::Error> {
        let queryid = row.try_get("queryid")?;
        let query = text(row, "query")?;
        self.known.insert(queryid);
        if !include_own && own::is_own(&query) {
            self.own.insert(queryid);
            return Ok(None);
        }
        Ok(Some(StatementText {
            instance: instance.to_owned(),
            queryid,
            major,
            query: shortened(&query, TEXT_CHARS),
        }))
    }
}

impl SnapshotReader<'_> {
    /// Takes an entry. Our own role's are left out, as are those whose text was seen to be ours: their cost
    /// is ours, and reported elsewhere.
    ///
    /// # Errors
    /// When a value cannot be read.
    pub(super) fn take(&mut self, row: &Row) -> Result<(), tokio_postgres::Error> {
        self.entries += 1;
        let Some(queryid) = row.try_get::<_, Option<i64>>("queryid")? else {
            return Ok(());
        };
        let is_ours = row.try_get::<_, Option<bool>>("own")?.unwrap_or(false);
        if !self.include_own && (is_ours || self.memory.own.contains(&queryid)) {
            return Ok(());
        }
        let key = Key {
            role: row.try_get("userid")?,
            database: row.try_get("dbid")?,
            queryid,
            toplevel: row.try_get("toplevel")?,
        };
        let totals = Totals::read(row)?;
        if let Some(step) = self.step(key, &totals) {
            let sample = self.sample(row, key, step)?;
            self.rows.push(sample);
        }
        self.now.totals.insert(key, totals);
        Ok(())
    }

    /// Returns what an entry counted since the last look, and whether it began anew; `None` when that is nothing
    /// or not known.
    fn step(&self, key: Key, totals: &Totals) -> Option<(Totals, bool)> {
        let Some(before) = self.memory.before.as_ref() else {
            let counts = self.memory.looks_once && totals.counts[0] > 0;
            return counts.then_some((*totals, false));
        };
        let (step, evicted) = match before.totals.get(&key) {
            Some(old) if !self.reset && totals.continues(old) => (totals.minus(old), false),
            Some(_) => (*totals, true),
            None => (*totals, self.memory.met.contains(&key)),
        };
        (step.counts[0] > 0).then_some((step, evicted))
    }

    fn sample(
        &self,
        row: &Row,
        key: Key,
        (step, evicted): (Totals, bool),
    ) -> Result<StatementSample, tokio_postgres::Error> {
        let [
            calls,
            rows,
            shared_blks_hit,
            shared_blks_read,
            shared_blks_dirtied,
            shared_blks_written,
            temp_blks_read,
            temp_blks_written,
            wal_records,
            wal_bytes,
        ] = step.counts;
        let [exec_ms, jit_ms, plan_ms, blk_read_ms, blk_write_ms] = step.times;
        let measured = |value: f64| Some(value).filter(|value| !value.is_nan());
        Ok(StatementSample {
            instance: self.instance.to_owned(),
            database: text(row, "database")?,
            role: text(row, "role")?,
            queryid: key.queryid,
            major: self.major,
            toplevel: key.toplevel,
            interval_secs: self.interval.unwrap_or_default().as_secs_f64(),
            evicted,
            calls,
            rows,
            exec_ms,
            max_exec_ms: row.try_get("max_exec_ms")?,
            stddev_exec_ms: row.try_get("stddev_exec_ms")?,
            plan_ms: measured(plan_ms),
            shared_blks_hit,
            shared_blks_read,
            shared_blks_dirtied,
            shared_blks_written,
            temp_blks_read,
            temp_blks_written,
            blk_read_ms: measured(blk_read_ms),
            blk_write_ms: measured(blk_write_ms),
            wal_records,
            wal_bytes,
            jit_ms,
        })
    }

    /// Ends the look: the rows to be stored, and the number of entries. Call it only when every entry
    /// was taken, else the missing ones would look evicted.
    pub(super) fn finish(self) -> (Vec<StatementSample>, i64) {
        let Self {
            memory, now, rows, ..
        } = self;
        memory.met.extend(now.totals.keys());
        if memory.met.len() > KNOWN {
            memory.met = now.totals.keys().copied().collect();
        }
        memory.before = Some(now);
        (leading(rows), self.entries)
    }
}

/// Returns the rows that lead by anything that matters.
fn leading(mut rows: Vec<StatementSample>) -> Vec<StatementSample> {
    if rows.len() <= STORED {
        return rows;
    }
    rows.sort_by(|a, b| b.exec_ms.total_cmp(&a.exec_ms));
    let mut rest = rows.split_off(STORED);
    let others: [fn(&StatementSample) -> i64; 3] = [
        |row| row.calls,
        |row| row.temp_blks_read + row.temp_blks_written,
        |row| row.wal_bytes,
    ];
    for amount in others {
        rest.sort_by_key(|row| std::cmp::Reverse(amount(row)));
        let some = rest.iter().take_while(|row| amount(row) > 0).count();
        rows.extend(rest.drain(..some.min(BESIDE)));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::totals::tests::totals;
    use super::*;

    const KEY: Key = Key {
        role: 1,
        database: 2,
        queryid: 3,
        toplevel: true,
    };

    /// Lineage, reset and the entry of a look.
    type Given = (&'static str, &'static str, Option<Totals>);

    /// Calls and whether a part may be missing.
    type Told = Option<(i64, bool)>;

    /// Takes entries as a server would give them, one look per element.
    fn looks(looks: &[Given]) -> Vec<Told> {
        let mut memory = Statements::default();
        let mut steps = Vec::new();
        for (second, (lineage, reset, entry)) in (0..).zip(looks) {
            let mut look = memory.look(lineage, reset, Duration::from_secs(second), "i", 17);
            steps.push(entry.and_then(|entry| {
                let step = look.step(KEY, &entry);
                look.now.totals.insert(KEY, entry);
                step.map(|(step, evicted)| (step.counts[0], evicted))
            }));
            look.finish();
        }
        steps
    }

    #[test]
    fn differences_know_evictions_resets_and_other_servers() {
        let at = |since, calls| Some(totals(since, calls, 1.0));
        let cases: [(&str, Vec<Given>, Told); 8] = [
            ("first look", vec![("a/1/0", "r", at(1.0, 5))], None),
            (
                "grown",
                vec![("a/1/0", "r", at(1.0, 5)), ("a/1/0", "r", at(1.0, 7))],
                Some((2, false)),
            ),
            (
                "idle",
                vec![("a/1/0", "r", at(1.0, 5)), ("a/1/0", "r", at(1.0, 5))],
                None,
            ),
            (
                "new",
                vec![("a/1/0", "r", None), ("a/1/0", "r", at(2.0, 3))],
                Some((3, false)),
            ),
            (
                "began anew",
                vec![("a/1/0", "r", at(1.0, 5)), ("a/1/0", "r", at(2.0, 9))],
                Some((9, true)),
            ),
            (
                "fewer calls",
                vec![("a/1/0", "r", at(0.0, 5)), ("a/1/0", "r", at(0.0, 3))],
                Some((3, true)),
            ),
            (
                "reset",
                vec![("a/1/0", "r", at(0.0, 5)), ("a/1/0", "s", at(0.0, 9))],
                Some((9, true)),
            ),
            (
                "other server",
                vec![("a/1/0", "r", at(0.0, 5)), ("b/1/0", "r", at(0.0, 9))],
                None,
            ),
        ];
        for (what, given, last) in cases {
            assert_eq!(looks(&given).last(), Some(&last), "{what}");
        }
        let returned = [
            ("a/1/0", "r", at(0.0, 5)),
            ("a/1/0", "r", None),
            ("a/1/0", "r", at(0.0, 9)),
        ];
        assert_eq!(
            looks(&returned)[2],
            Some((9, true)),
            "returned after a look without it"
        );
    }

    #[test]
    fn what_leads_by_anything_is_stored() {
        let row = |n: i64| StatementSample {
            queryid: n,
            exec_ms: 1000.0 - n as f64,
            calls: 1,
            ..StatementSample::default()
        };
        let mut rows: Vec<StatementSample> = (0..900).map(row).collect();
        rows[800].wal_bytes = 7;
        rows[801].temp_blks_read = 7;
        rows[802].calls = 99;
        let ids: HashSet<i64> = leading(rows).iter().map(|row| row.queryid).collect();
        assert!((0..500).all(|id| ids.contains(&id)));
        assert!([800, 801, 802].iter().all(|id| ids.contains(id)));
        assert!(ids.len() <= STORED + 3 * BESIDE);
    }
}
