//! Counts within windows of time, by key.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::{Deref, DerefMut};

use foldhash::quality::RandomState;
use serde::Serialize;

use super::entries::{Entries, Entry, grow};
use super::names::Names;
use super::observation::{OwnedPeer, Peer};
use super::rules::Rule;
use super::sweep::{LastSeen, Sweeps};

/// Maximum number of keys of a kind and source.
const MOST: usize = 4096;
/// Maximum number of addresses of a key, for the details.
const ADDRESSES: usize = 10;

const SECOND: i64 = 1_000_000;
/// A key that was silent for this long expires.
const SILENT: i64 = 86_400 * SECOND;
/// Pause before the next row of a finding that continues; it doubles each time, up to the longest.
const PAUSE: i64 = 15 * SECOND;
const LONGEST_PAUSE: i64 = 300 * SECOND;
/// Without activity for this long the row is written sooner, once this fraction of the pause has passed, so that
/// an attack that has just ended is shown completely.
const QUIET: i64 = 10 * SECOND;
const SOONER: i64 = 8;
/// How often the memory of expired keys is released: each time all are visited.
const CLEAR_EVERY: i64 = 3600 * SECOND;

/// Tallies by key. The slot of a removed key is reused together with its memory.
#[derive(Debug)]
pub(super) struct Tallies<K> {
    places: HashMap<K, u32, RandomState>,
    /// When each was seen last; a separate vector, because it is scanned for expired keys.
    last_seen: Vec<LastSeen>,
    tallies: Vec<Tally>,
    free: Vec<u32>,
    /// Keys with a finding that is being reported, each with its slot.
    reporting: Vec<(K, u32)>,
    sweeps: Sweeps,
    /// When the memory of expired keys was last released.
    cleared: i64,
}

impl<K> Default for Tallies<K> {
    fn default() -> Self {
        Self {
            places: HashMap::default(),
            last_seen: Vec::new(),
            tallies: Vec::new(),
            free: Vec::new(),
            reporting: Vec::new(),
            sweeps: Sweeps::default(),
            cleared: 0,
        }
    }
}

/// The counts of a key.
#[derive(Debug, Default)]
pub(super) struct Tally {
    entries: Entries,
    /// Only for keys that reached a threshold; most never do.
    alarms: Option<Box<Alarms>>,
    /// Whether it is in the list of keys with a finding that is being reported.
    is_listed: bool,
    peer: Option<OwnedPeer>,
    names: Names,
    addresses: Vec<OwnedPeer>,
    pub(super) program: Option<Box<str>>,
    /// Connections without a login attempt.
    pub(super) probes: u32,
}

/// The findings of a key that may be in progress: by the quick rule and by the slow one.
#[derive(Debug, Default)]
struct Alarms {
    quick: Alarm,
    slow: Alarm,
}

/// The state of a finding that is being reported.
#[derive(Debug, Default)]
struct Alarm {
    /// When the last row was written; `None` while no finding is in progress.
    reported: Option<i64>,
    /// Number of occurrences since then, and times of the first and the last.
    since: u32,
    first: i64,
    last: i64,
    /// Maximum time until the next row.
    pause: i64,
}

/// A number of occurrences with the times of the first and the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) times: u32,
    pub(super) first: i64,
    pub(super) last: i64,
}

/// A finding of a rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Finding {
    pub(super) count: u32,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) peer: Option<String>,
    pub(super) user: Option<String>,
    pub(super) network: Option<String>,
    pub(super) users: Vec<String>,
    pub(super) targets: Vec<String>,
    pub(super) ports: Vec<String>,
    pub(super) addresses: Vec<String>,
    pub(super) jail: Option<String>,
    pub(super) program: Option<String>,
    pub(super) probes: u32,
    pub(super) restored: bool,
    pub(super) forbidden: bool,
}

impl<K: Eq + Hash> Tallies<K> {
    /// Returns the tally of a key that has not expired.
    pub(super) fn get<Q>(&mut self, key: &Q) -> Option<&mut Tally>
    where
        K: Borrow<Q>,
        Q: ?Sized + Eq + Hash,
    {
        let place = *self.places.get(key)? as usize;
        if self.last_seen[place].is_expired(self.sweeps, SILENT) {
            return None;
        }
        self.tallies.get_mut(place)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns the tally of a key, creating it if there is none.
    pub(super) fn entry<'a, Q>(&'a mut self, key: &'a Q, ts: i64) -> Held<'a, Q>
    where
        K: Borrow<Q>,
        Q: ?Sized + Eq + Hash + ToOwned<Owned = K>,
    {
        let place = match self.places.get(key) {
            Some(place) => *place,
            None => self.add(key.to_owned()),
        } as usize;
        let (tally, last_seen) = (&mut self.tallies[place], &mut self.last_seen[place]);
        if last_seen.is_expired(self.sweeps, SILENT) {
            tally.clear();
            *last_seen = LastSeen::default();
        }
        *last_seen = self.sweeps.mark(last_seen.ts.max(ts));
        Held {
            tally,
            key,
            place: place as u32,
            reporting: &mut self.reporting,
        }
    }

    fn add(&mut self, key: K) -> u32 {
        if self.places.len() >= MOST {
            self.forget_silent();
        }
        if self.places.len() >= MOST {
            let mut times: Vec<i64> = self
                .places
                .values()
                .map(|place| self.last_seen[*place as usize].ts)
                .collect();
            let (_, middle, _) = times.select_nth_unstable(MOST / 2);
            let middle = *middle;
            self.forget(|last_seen| last_seen.ts <= middle);
        }
        let place = match self.free.pop() {
            Some(place) => {
                self.last_seen[place as usize] = LastSeen::default();
                let tally = &mut self.tallies[place as usize];
                tally.clear();
                tally.is_listed = false;
                place
            }
            None => {
                self.last_seen.push(LastSeen::default());
                self.tallies.push(Tally::default());
                (self.tallies.len() - 1) as u32
            }
        };
        self.places.insert(key, place);
        place
    }

    fn forget_silent(&mut self) {
        let sweeps = self.sweeps;
        self.forget(|last_seen| last_seen.is_expired(sweeps, SILENT));
    }

    fn forget(&mut self, goes: impl Fn(&LastSeen) -> bool) {
        let (last_seen, free) = (&self.last_seen, &mut self.free);
        self.places.retain(|_, place| {
            let stays = !goes(&last_seen[*place as usize]);
            if !stays {
                free.push(*place);
            }
            stays
        });
        self.reporting
            .retain(|(key, _)| self.places.contains_key(key));
    }

    /// Reports what was counted since the last row of each finding that is due, by the quick rule and the `slow`
    /// one, and expires keys that were silent for a day.
    pub(super) fn sweep(
        &mut self,
        rule: &'static Rule,
        slow: Option<&'static Rule>,
        now: i64,
        mut report: impl FnMut(&'static Rule, &K, Finding),
    ) {
        let tallies = &mut self.tallies;
        self.reporting.retain(|(key, place)| {
            // Keys that were removed are not listed any more, so that the slot is still theirs.
            let Some(tally) = tallies.get_mut(*place as usize) else {
                return false;
            };
            let mut due = |alarm: fn(&mut Alarms) -> &mut Alarm, rule: &'static Rule| {
                let alarms = tally.alarms.as_deref_mut()?;
                let count = alarm(alarms).take_due(rule, now)?;
                Some(tally.finding(count))
            };
            if let Some(finding) = due(|alarms| &mut alarms.quick, rule) {
                report(rule, key, finding);
            }
            if let Some(slow) = slow
                && let Some(finding) = due(|alarms| &mut alarms.slow, slow)
            {
                report(slow, key, finding);
            }
            tally.is_listed = tally.is_reporting();
            tally.is_listed
        });
        self.sweeps.advance(now);
        if now - self.cleared >= CLEAR_EVERY {
            self.cleared = now;
            self.forget_silent();
        }
    }
}

/// Mutable access to a tally.
#[derive(Debug)]
pub(super) struct Held<'a, Q: ?Sized + ToOwned> {
    tally: &'a mut Tally,
    key: &'a Q,
    place: u32,
    reporting: &'a mut Vec<(Q::Owned, u32)>,
}

impl<Q: ?Sized + ToOwned> Deref for Held<'_, Q> {
    type Target = Tally;
    fn deref(&self) -> &Tally {
        self.tally
    }
}

impl<Q: ?Sized + ToOwned> DerefMut for Held<'_, Q> {
    fn deref_mut(&mut self) -> &mut Tally {
        self.tally
    }
}

impl<Q: ?Sized + ToOwned> Drop for Held<'_, Q> {
    /// Lists a key whose finding is being reported, so that a sweep visits nothing else.
    fn drop(&mut self) {
        if self.tally.is_reporting() && !self.tally.is_listed {
            self.tally.is_listed = true;
            self.reporting.push((self.key.to_owned(), self.place));
        }
    }
}

impl Tally {
    /// Returns whether a finding about it is being reported.
    fn is_reporting(&self) -> bool {
        let alarms = self.alarms.as_ref();
        alarms
            .is_some_and(|alarms| alarms.quick.reported.is_some() || alarms.slow.reported.is_some())
    }

    /// Resets it, keeping its memory and whether it is listed.
    fn clear(&mut self) {
        let (mut entries, mut addresses) = (
            std::mem::take(&mut self.entries),
            std::mem::take(&mut self.addresses),
        );
        entries.clear();
        addresses.clear();
        self.names.clear();
        *self = Self {
            entries,
            addresses,
            names: std::mem::take(&mut self.names),
            is_listed: self.is_listed,
            ..Self::default()
        };
    }

    /// Records the address and a name that belongs to it.
    pub(super) fn about(&mut self, peer: &Peer<'_>, name: Option<&str>) {
        self.peer = Some(OwnedPeer::new(peer));
        self.note(name);
    }

    /// Records an address from which the account was tried, once, up to a limit.
    pub(super) fn tried_from(&mut self, peer: &Peer<'_>) {
        let text = shortened(peer.text);
        let peer = Peer { text, ..*peer };
        let same = |known: &OwnedPeer| known.peer().same_as(&peer);
        if self.addresses.len() < ADDRESSES && !self.addresses.iter().any(same) {
            grow(&mut self.addresses, ADDRESSES);
            self.addresses.push(OwnedPeer::new(&peer));
        }
    }

    pub(super) fn note(&mut self, name: Option<&str>) {
        if let Some(name) = name {
            self.names.keep(shortened(name));
        }
    }

    pub(super) fn add(&mut self, ts: i64, times: u32) {
        self.entries.push(Entry {
            ts,
            times,
            address: 0,
        });
    }

    /// Adds to the entry of this address, so that each address has one.
    pub(super) fn add_once(&mut self, ts: i64, times: u32, address: u128) {
        // Of an address one half is zero, but for the mark of IPv4.
        let address = (address >> 64) as u64 ^ address as u64;
        let before = self.entries.take(address);
        self.entries.push(Entry {
            ts,
            times: times + before,
            address,
        });
    }

    /// Returns the count within the window that ends now.
    pub(super) fn within(&self, ts: i64, window_secs: i64) -> Count {
        let from = ts - window_secs * SECOND;
        let inside = self.entries.iter().filter(|entry| entry.ts > from);
        let none = Count {
            times: 0,
            first: ts,
            last: ts,
        };
        inside.fold(none, |sum, entry| Count {
            times: sum.times + entry.times,
            first: sum.first.min(entry.ts),
            last: sum.last.max(entry.ts),
        })
    }

    /// Counts `times` more at `ts`. Returns a finding if the rule holds and has not been reported.
    pub(super) fn step(&mut self, rule: &Rule, ts: i64, times: u32) -> Option<Finding> {
        let within = self.within(ts, rule.window_secs);
        let enough = within.times >= rule.threshold;
        self.advance(
            |alarms| &mut alarms.quick,
            rule,
            (ts, times),
            enough.then_some(within),
        )
    }

    /// Adds to a finding in progress; begins one when the threshold is reached.
    fn advance(
        &mut self,
        alarm: fn(&mut Alarms) -> &mut Alarm,
        rule: &Rule,
        (ts, times): (i64, u32),
        enough: Option<Count>,
    ) -> Option<Finding> {
        if enough.is_some() && self.alarms.is_none() {
            self.alarms = Some(Box::default());
        }
        let alarms = self.alarms.as_deref_mut()?;
        let count = alarm(alarms).step(rule, ts, times, enough)?;
        Some(self.finding(count))
    }

    /// Returns the same for a rule with a long window, unless the quick rule was reported within it.
    pub(super) fn step_slow(&mut self, rule: &Rule, ts: i64, times: u32) -> Option<Finding> {
        let quick = self.alarms.as_ref().map(|alarms| &alarms.quick);
        if quick.is_some_and(|quick| quick.reported_within(ts, rule.window_secs)) {
            return None;
        }
        let within = self.within(ts, rule.window_secs);
        let enough = within.times >= rule.threshold;
        self.advance(
            |alarms| &mut alarms.slow,
            rule,
            (ts, times),
            enough.then_some(within),
        )
    }

    /// Returns the same for a rule that counts addresses.
    pub(super) fn step_places(&mut self, rule: &Rule, ts: i64, times: u32) -> Option<Finding> {
        let from = ts - rule.window_secs * SECOND;
        let places = self.entries.iter().filter(|entry| entry.ts > from).count();
        let enough = places >= rule.threshold as usize;
        let within = self.within(ts, rule.window_secs);
        self.advance(
            |alarms| &mut alarms.quick,
            rule,
            (ts, times),
            enough.then_some(within),
        )
    }

    /// Returns what was counted since the last row, although it is not due.
    pub(super) fn report_now(&mut self, ts: i64) -> Option<Finding> {
        let count = self.alarms.as_deref_mut()?.quick.now(ts)?;
        Some(self.finding(count))
    }

    /// Resets the counts after the final finding.
    pub(super) fn forget(&mut self) {
        self.entries.clear();
        self.alarms = None;
    }

    pub(super) fn finding(&mut self, count: Count) -> Finding {
        let peer = self.peer.as_ref().map(OwnedPeer::peer);
        let addresses = self.addresses.drain(..);
        Finding {
            count: count.times,
            first: count.first,
            last: count.last,
            peer: peer.map(|peer| peer.shown()),
            network: peer.and_then(|peer| peer.network()),
            users: self.names.take(),
            addresses: addresses.map(|known| known.peer().shown()).collect(),
            program: self.program.as_deref().map(str::to_owned),
            probes: std::mem::take(&mut self.probes),
            ..Finding::default()
        }
    }
}

impl Alarm {
    fn step(&mut self, rule: &Rule, ts: i64, times: u32, enough: Option<Count>) -> Option<Count> {
        if self.reported.is_some() {
            let due = self.take_due(rule, ts);
            if self.reported.is_some() {
                if self.since == 0 {
                    (self.first, self.last) = (ts, ts);
                }
                self.since += times;
                (self.first, self.last) = (self.first.min(ts), self.last.max(ts));
                return due;
            }
        }
        let found = enough?;
        (self.reported, self.since, self.pause) = (Some(ts), 0, PAUSE);
        Some(found)
    }

    /// Returns what was counted since the last row if that is due; ends the finding after a window without any.
    fn take_due(&mut self, rule: &Rule, now: i64) -> Option<Count> {
        let since_reported = now - self.reported?;
        if self.since == 0 {
            if since_reported >= rule.window_secs * SECOND {
                self.reported = None;
            }
            return None;
        }
        let is_quiet = now - self.last >= QUIET && since_reported >= self.pause / SOONER;
        if is_quiet || since_reported >= self.pause {
            self.now(now)
        } else {
            None
        }
    }

    fn now(&mut self, now: i64) -> Option<Count> {
        if self.since == 0 {
            return None;
        }
        self.reported = Some(now);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Some(Count {
            times: std::mem::take(&mut self.since),
            first: self.first,
            last: self.last,
        })
    }

    fn reported_within(&self, now: i64, window_secs: i64) -> bool {
        self.reported
            .is_some_and(|reported| now - reported < window_secs * SECOND)
    }
}

impl Finding {
    /// Returns the details that have no column, and the advice, as JSON.
    pub(super) fn details(&self, rule: &Rule) -> String {
        let windowed = rule.window_secs > 0;
        let details = Details {
            addresses: &self.addresses,
            advice: rule.advice,
            forbidden: self.forbidden,
            jail: self.jail.as_deref(),
            knocks: self.probes,
            network: self.network.as_deref(),
            ports: &self.ports,
            program: self.program.as_deref(),
            restored: self.restored,
            targets: &self.targets,
            threshold: windowed.then_some(rule.threshold),
            users: &self.users,
            window_secs: windowed.then_some(rule.window_secs),
        };
        serde_json::to_string(&details).expect("texts and numbers are JSON")
    }
}

/// Details of a finding, by name; what there is nothing of is left out.
#[derive(Serialize)]
struct Details<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    addresses: &'a [String],
    advice: &'static str,
    #[serde(skip_serializing_if = "is_default")]
    forbidden: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    jail: Option<&'a str>,
    #[serde(skip_serializing_if = "is_default")]
    knocks: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ports: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<&'a str>,
    #[serde(skip_serializing_if = "is_default")]
    restored: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    targets: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<u32>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    users: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    window_secs: Option<i64>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Returns at most 64 characters of a name, which is untrusted text.
fn shortened(name: &str) -> &str {
    name.char_indices()
        .nth(64)
        .map_or(name, |(end, _)| &name[..end])
}
