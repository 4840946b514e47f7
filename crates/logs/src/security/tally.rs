//! How often within which time, by key.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::{Deref, DerefMut};

use foldhash::quality::RandomState;
use serde_json::{Map, Value};

use super::names::Names;
use super::rules::Rule;
use super::seen::{Known, Peer};
use super::sweep::{Heard, Sweeps};

/// Most keys of a kind and source.
const MOST: usize = 4096;
/// Entries of time kept of a key: more than any threshold.
const ENTRIES: usize = 12;
/// Addresses kept of a key, for the details.
const ADDRESSES: usize = 10;

const SECOND: i64 = 1_000_000;
/// Who was silent for so long is forgotten.
const SILENT: i64 = 86_400 * SECOND;
/// What comes after a finding is told after so long; each time the pause doubles, up to the longest.
const PAUSE: i64 = 15 * SECOND;
const LONGEST_PAUSE: i64 = 300 * SECOND;
/// When nothing came for so long it is told sooner, once this part of the pause has passed: who looks at an
/// attack that has just ended sees all of it.
const QUIET: i64 = 10 * SECOND;
const SOONER: i64 = 8;
/// How often the memory of who is forgotten is given back: each time all are looked at.
const CLEAR_EVERY: i64 = 3600 * SECOND;

/// Tallies by key. A place that a key leaves is used again, with the memory it has.
#[derive(Debug)]
pub(super) struct Tallies<K> {
    places: HashMap<K, u32, RandomState>,
    /// When each was heard of last; apart, as this is what all are looked through for.
    heard: Vec<Heard>,
    tallies: Vec<Tally>,
    free: Vec<u32>,
    /// Keys with a finding that is being told.
    telling: Vec<K>,
    sweeps: Sweeps,
    /// When the memory of who is forgotten was last given back.
    cleared: i64,
}

impl<K> Default for Tallies<K> {
    fn default() -> Self {
        Self {
            places: HashMap::default(),
            heard: Vec::new(),
            tallies: Vec::new(),
            free: Vec::new(),
            telling: Vec::new(),
            sweeps: Sweeps::default(),
            cleared: 0,
        }
    }
}

/// What is known of a key.
#[derive(Debug, Default)]
pub(super) struct Tally {
    entries: Vec<Entry>,
    /// Of who has done enough for one; most never do.
    alarms: Option<Box<Alarms>>,
    /// Whether its place is among those with a finding that is being told.
    is_listed: bool,
    peer: Option<Known>,
    names: Names,
    addresses: Vec<Known>,
    pub(super) program: Option<Box<str>>,
    /// Knocks without a login.
    pub(super) knocks: u32,
}

/// When, how often, from which address.
#[derive(Clone, Copy, Debug)]
struct Entry {
    ts: i64,
    times: u32,
    /// [`Peer::key`], folded; zero where addresses are not distinguished.
    address: u64,
}

/// The findings of a key that may be under way: by the quick rule and by the slow one.
#[derive(Debug, Default)]
struct Alarms {
    quick: Alarm,
    slow: Alarm,
}

/// Whether a finding is being told.
#[derive(Debug, Default)]
struct Alarm {
    /// When the last row was told.
    told: Option<i64>,
    /// What came since, when its first, and when its last.
    since: u32,
    first: i64,
    last: i64,
    /// How long the next row is waited for at most.
    pause: i64,
}

/// When so many, counted from when on, and the last of them when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) times: u32,
    pub(super) first: i64,
    pub(super) last: i64,
}

/// A rule that holds.
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
    pub(super) knocks: u32,
    pub(super) restored: bool,
    pub(super) forbidden: bool,
}

impl<K: Eq + Hash> Tallies<K> {
    /// The tally of a key that is not forgotten.
    pub(super) fn get<Q>(&mut self, key: &Q) -> Option<&mut Tally>
    where
        K: Borrow<Q>,
        Q: ?Sized + Eq + Hash,
    {
        let place = *self.places.get(key)? as usize;
        if self.heard[place].is_over(self.sweeps, SILENT) {
            return None;
        }
        self.tallies.get_mut(place)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The tally of a key, and room for it.
    pub(super) fn entry<'a, Q>(&'a mut self, key: &'a Q, ts: i64) -> Held<'a, Q>
    where
        K: Borrow<Q>,
        Q: ?Sized + Eq + Hash + ToOwned<Owned = K>,
    {
        let place = match self.places.get(key) {
            Some(place) => *place,
            None => self.add(key.to_owned()),
        } as usize;
        let (tally, heard) = (&mut self.tallies[place], &mut self.heard[place]);
        if heard.is_over(self.sweeps, SILENT) {
            tally.clear();
            *heard = Heard::default();
        }
        *heard = self.sweeps.hear(heard.ts.max(ts));
        Held {
            tally,
            key,
            telling: &mut self.telling,
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
                .map(|place| self.heard[*place as usize].ts)
                .collect();
            let (_, middle, _) = times.select_nth_unstable(MOST / 2);
            let middle = *middle;
            self.forget(|heard| heard.ts <= middle);
        }
        let place = match self.free.pop() {
            Some(place) => {
                self.heard[place as usize] = Heard::default();
                let tally = &mut self.tallies[place as usize];
                tally.clear();
                tally.is_listed = false;
                place
            }
            None => {
                self.heard.push(Heard::default());
                self.tallies.push(Tally::default());
                (self.tallies.len() - 1) as u32
            }
        };
        self.places.insert(key, place);
        place
    }

    fn forget_silent(&mut self) {
        let sweeps = self.sweeps;
        self.forget(|heard| heard.is_over(sweeps, SILENT));
    }

    fn forget(&mut self, goes: impl Fn(&Heard) -> bool) {
        let (heard, free) = (&self.heard, &mut self.free);
        self.places.retain(|_, place| {
            let stays = !goes(&heard[*place as usize]);
            if !stays {
                free.push(*place);
            }
            stays
        });
        self.telling.retain(|key| self.places.contains_key(key));
    }

    /// Tells what came since the last row of findings where that is due, by the quick rule and the `slow`
    /// one, and forgets who was silent for a day.
    pub(super) fn sweep(
        &mut self,
        rule: &'static Rule,
        slow: Option<&'static Rule>,
        now: i64,
        mut tell: impl FnMut(&'static Rule, &K, Finding),
    ) {
        let (places, tallies) = (&self.places, &mut self.tallies);
        self.telling.retain(|key| {
            let place = places.get(key).map(|place| *place as usize);
            let Some(tally) = place.and_then(|place| tallies.get_mut(place)) else {
                return false;
            };
            let mut due = |alarm: fn(&mut Alarms) -> &mut Alarm, rule: &'static Rule| {
                let alarms = tally.alarms.as_deref_mut()?;
                let count = alarm(alarms).pass(rule, now)?;
                Some(tally.finding(count))
            };
            if let Some(finding) = due(|alarms| &mut alarms.quick, rule) {
                tell(rule, key, finding);
            }
            if let Some(slow) = slow
                && let Some(finding) = due(|alarms| &mut alarms.slow, slow)
            {
                tell(slow, key, finding);
            }
            tally.is_listed = tally.is_told();
            tally.is_listed
        });
        self.sweeps.pass(now);
        if now - self.cleared >= CLEAR_EVERY {
            self.cleared = now;
            self.forget_silent();
        }
    }
}

/// A tally that is counted in.
#[derive(Debug)]
pub(super) struct Held<'a, Q: ?Sized + ToOwned> {
    tally: &'a mut Tally,
    key: &'a Q,
    telling: &'a mut Vec<Q::Owned>,
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
    /// Lists what is being told, so that a sweep looks at nothing else.
    fn drop(&mut self) {
        if self.tally.is_told() && !self.tally.is_listed {
            self.tally.is_listed = true;
            self.telling.push(self.key.to_owned());
        }
    }
}

impl Tally {
    /// Whether a finding about it is being told.
    fn is_told(&self) -> bool {
        let alarms = self.alarms.as_ref();
        alarms.is_some_and(|alarms| alarms.quick.told.is_some() || alarms.slow.told.is_some())
    }

    /// As new, but for the memory and for the list its place may be on.
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

    /// Notes the address and a name that belongs to it.
    pub(super) fn about(&mut self, peer: &Peer<'_>, name: Option<&str>) {
        self.peer = Some(Known::new(peer));
        self.note(name);
    }

    /// Notes an address that the account was tried from, once, while there is room.
    pub(super) fn tried_from(&mut self, peer: &Peer<'_>) {
        let text = shortened(peer.text);
        let peer = Peer { text, ..*peer };
        let same = |known: &Known| known.peer().same_as(&peer);
        if self.addresses.len() < ADDRESSES && !self.addresses.iter().any(same) {
            grow(&mut self.addresses, ADDRESSES);
            self.addresses.push(Known::new(&peer));
        }
    }

    pub(super) fn note(&mut self, name: Option<&str>) {
        if let Some(name) = name {
            self.names.keep(shortened(name));
        }
    }

    pub(super) fn add(&mut self, ts: i64, times: u32) {
        self.push(Entry {
            ts,
            times,
            address: 0,
        });
    }

    fn push(&mut self, entry: Entry) {
        if self.entries.len() == ENTRIES {
            self.entries.remove(0);
        }
        grow(&mut self.entries, ENTRIES);
        self.entries.push(entry);
    }

    /// Adds to the entry of this address, so that each address has one.
    pub(super) fn add_once(&mut self, ts: i64, times: u32, address: u128) {
        // Of an address one half is zero, but for the mark of IPv4.
        let address = (address >> 64) as u64 ^ address as u64;
        let same = self
            .entries
            .iter()
            .position(|entry| entry.address == address);
        let before = same.map_or(0, |at| self.entries.remove(at).times);
        self.push(Entry {
            ts,
            times: times + before,
            address,
        });
    }

    /// How often within the window that ends now.
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

    /// `times` more at `ts`: a finding, if the rule holds and is not told already.
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

    /// Advances a finding by what came; begins one when there is enough for it.
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

    /// The same for a rule about a long time, unless the quick one was told within it.
    pub(super) fn step_slow(&mut self, rule: &Rule, ts: i64, times: u32) -> Option<Finding> {
        let quick = self.alarms.as_ref().map(|alarms| &alarms.quick);
        if quick.is_some_and(|quick| quick.told_within(ts, rule.window_secs)) {
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

    /// The same for a rule that counts addresses.
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

    /// What came since the last row, although it is not due.
    pub(super) fn tell_now(&mut self, ts: i64) -> Option<Finding> {
        let count = self.alarms.as_deref_mut()?.quick.now(ts)?;
        Some(self.finding(count))
    }

    /// Forgets what was counted: it led to where it could.
    pub(super) fn forget(&mut self) {
        self.entries.clear();
        self.alarms = None;
    }

    pub(super) fn finding(&mut self, count: Count) -> Finding {
        let peer = self.peer.as_ref().map(Known::peer);
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
            knocks: std::mem::take(&mut self.knocks),
            ..Finding::default()
        }
    }
}

impl Alarm {
    fn step(&mut self, rule: &Rule, ts: i64, times: u32, enough: Option<Count>) -> Option<Count> {
        if self.told.is_some() {
            let due = self.pass(rule, ts);
            if self.told.is_some() {
                if self.since == 0 {
                    (self.first, self.last) = (ts, ts);
                }
                self.since += times;
                (self.first, self.last) = (self.first.min(ts), self.last.max(ts));
                return due;
            }
        }
        let found = enough?;
        (self.told, self.since, self.pause) = (Some(ts), 0, PAUSE);
        Some(found)
    }

    /// What came since the last row, when that is due; the end, when nothing came for a window.
    fn pass(&mut self, rule: &Rule, now: i64) -> Option<Count> {
        let since_told = now - self.told?;
        if self.since == 0 {
            if since_told >= rule.window_secs * SECOND {
                self.told = None;
            }
            return None;
        }
        let is_quiet = now - self.last >= QUIET && since_told >= self.pause / SOONER;
        if is_quiet || since_told >= self.pause {
            self.now(now)
        } else {
            None
        }
    }

    fn now(&mut self, now: i64) -> Option<Count> {
        if self.since == 0 {
            return None;
        }
        self.told = Some(now);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Some(Count {
            times: std::mem::take(&mut self.since),
            first: self.first,
            last: self.last,
        })
    }

    fn told_within(&self, now: i64, window_secs: i64) -> bool {
        self.told
            .is_some_and(|told| now - told < window_secs * SECOND)
    }
}

impl Finding {
    /// As JSON: what the columns do not hold, and what to do.
    pub(super) fn details(&self, rule: &Rule) -> String {
        let mut map = Map::new();
        for (key, names) in [
            ("users", &self.users),
            ("targets", &self.targets),
            ("ports", &self.ports),
            ("addresses", &self.addresses),
        ] {
            if !names.is_empty() {
                map.insert(key.to_owned(), Value::from(names.clone()));
            }
        }
        for (key, text) in [
            ("network", &self.network),
            ("jail", &self.jail),
            ("program", &self.program),
        ] {
            if let Some(text) = text {
                map.insert(key.to_owned(), Value::from(text.clone()));
            }
        }
        for (key, holds) in [("restored", self.restored), ("forbidden", self.forbidden)] {
            if holds {
                map.insert(key.to_owned(), Value::from(true));
            }
        }
        if self.knocks > 0 {
            map.insert("knocks".to_owned(), Value::from(self.knocks));
        }
        if rule.window_secs > 0 {
            map.insert("window_secs".to_owned(), Value::from(rule.window_secs));
            map.insert("threshold".to_owned(), Value::from(rule.threshold));
        }
        map.insert("advice".to_owned(), Value::from(rule.advice));
        Value::Object(map).to_string()
    }
}

/// Names are a stranger's text: at most 64 characters of one are kept.
fn shortened(name: &str) -> &str {
    name.char_indices()
        .nth(64)
        .map_or(name, |(end, _)| &name[..end])
}

/// Makes room for one more. Most keys have one of what may be `most`.
fn grow<T>(list: &mut Vec<T>, most: usize) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len().max(1).min(most - list.len().min(most)));
    }
}
