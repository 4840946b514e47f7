//! How often within which time, by key.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use serde_json::{Map, Value};

use super::rules::Rule;
use super::session::Known;

/// Most keys of a kind and source.
const MOST: usize = 4096;
/// Entries of time kept of a key: more than any threshold.
const ENTRIES: usize = 12;
/// Names kept of a key, for the details.
const NAMES: usize = 10;

const SECOND: i64 = 1_000_000;

/// Tallies by key.
#[derive(Debug)]
pub(super) struct Tallies<K>(HashMap<K, Tally>);

impl<K> Default for Tallies<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

/// What is known of a key.
#[derive(Debug, Default)]
pub(super) struct Tally {
    last: i64,
    /// When, how often, from which address.
    entries: VecDeque<(i64, u32, u128)>,
    alarm: Alarm,
    slow: Alarm,
    peer: Option<String>,
    network: Option<String>,
    names: Vec<String>,
    addresses: Vec<String>,
    pub(super) account: Option<String>,
    pub(super) program: Option<String>,
    /// When sudo's PAM module told of a failure that its summary will tell again.
    pub(super) module: Option<i64>,
    /// Knocks without a login.
    pub(super) knocks: u32,
}

/// Whether a finding is being told.
#[derive(Debug, Default)]
struct Alarm {
    /// When the last row was told.
    told: Option<i64>,
    /// What came since.
    since: u32,
    first: i64,
}

/// A rule that holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Finding {
    pub(super) count: u32,
    pub(super) first: i64,
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

impl<K: Eq + Hash + Clone> Tallies<K> {
    pub(super) fn get(&mut self, key: &K) -> Option<&mut Tally> {
        self.0.get_mut(key)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The tally of a key, and room for it.
    pub(super) fn entry(&mut self, key: K, ts: i64) -> &mut Tally {
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            let mut times: Vec<i64> = self.0.values().map(|tally| tally.last).collect();
            let (_, middle, _) = times.select_nth_unstable(MOST / 2);
            let middle = *middle;
            self.0.retain(|_, tally| tally.last > middle);
        }
        let tally = self.0.entry(key).or_default();
        tally.last = tally.last.max(ts);
        tally
    }

    /// Tells what came since the last row of findings whose window has passed, and forgets who was
    /// silent for a day.
    pub(super) fn sweep(&mut self, rule: &Rule, now: i64, mut tell: impl FnMut(Finding)) {
        for tally in self.0.values_mut() {
            let Some((count, first)) = tally.alarm.pass(rule, now) else {
                continue;
            };
            let mut finding = tally.finding(count, first);
            finding.user.clone_from(&tally.account);
            tell(finding);
        }
        self.0.retain(|_, tally| now - tally.last < 86_400 * SECOND);
    }
}

impl Tally {
    /// Notes the address and a name that belongs to it.
    pub(super) fn about(&mut self, peer: &Known, name: Option<&str>) {
        self.peer = Some(peer.shown.clone());
        self.network.clone_from(&peer.network);
        self.note(name);
    }

    /// Notes the account and an address that it was tried from.
    pub(super) fn of_account(&mut self, account: &str, peer: &Known) {
        self.account = Some(account.to_owned());
        keep(&mut self.addresses, &peer.shown);
    }

    pub(super) fn note(&mut self, name: Option<&str>) {
        if let Some(name) = name {
            keep(&mut self.names, name);
        }
    }

    pub(super) fn add(&mut self, ts: i64, times: u32) {
        if self.entries.len() == ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back((ts, times, 0));
    }

    /// Adds to the entry of this address, so that each address has one.
    pub(super) fn add_once(&mut self, ts: i64, times: u32, address: u128) {
        let same = self
            .entries
            .iter()
            .position(|(_, _, known)| *known == address);
        let before = same.and_then(|at| self.entries.remove(at));
        let times = times + before.map_or(0, |(_, times, _)| times);
        if self.entries.len() == ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back((ts, times, address));
    }

    /// How often within the window that ends now, and since when.
    pub(super) fn within(&self, ts: i64, window_secs: i64) -> (u32, i64) {
        let from = ts - window_secs * SECOND;
        let inside = self.entries.iter().filter(|(at, ..)| *at > from);
        inside.fold((0, ts), |(sum, first), (at, times, _)| {
            (sum + times, first.min(*at))
        })
    }

    /// `times` more at `ts`: a finding, if the rule holds and is not told already.
    pub(super) fn step(&mut self, rule: &Rule, ts: i64, times: u32) -> Option<Finding> {
        let within = self.within(ts, rule.window_secs);
        let enough = within.0 >= rule.threshold;
        let (count, first) = self.alarm.step(rule, ts, times, enough.then_some(within))?;
        let mut finding = self.finding(count, first);
        finding.user.clone_from(&self.account);
        Some(finding)
    }

    /// The same for a rule about a long time, unless the quick one was told within it.
    pub(super) fn step_slow(&mut self, rule: &Rule, ts: i64, times: u32) -> Option<Finding> {
        let told = self.alarm.told_within(ts, rule.window_secs);
        let within = self.within(ts, rule.window_secs);
        let enough = !told && within.0 >= rule.threshold;
        let (count, first) = self.slow.step(rule, ts, times, enough.then_some(within))?;
        (!told).then(|| self.finding(count, first))
    }

    /// The same for a rule that counts addresses.
    pub(super) fn step_places(&mut self, rule: &Rule, ts: i64, times: u32) -> Option<Finding> {
        let from = ts - rule.window_secs * SECOND;
        let places = self.entries.iter().filter(|(at, ..)| *at > from).count();
        let enough = places >= rule.threshold as usize;
        let within = self.within(ts, rule.window_secs);
        let (count, first) = self.alarm.step(rule, ts, times, enough.then_some(within))?;
        let mut finding = self.finding(count, first);
        (finding.peer, finding.network) = (None, None);
        finding.user.clone_from(&self.account);
        Some(finding)
    }

    /// What came since the last row, although its window has not passed.
    pub(super) fn tell_now(&mut self, ts: i64) -> Option<Finding> {
        let (count, first) = self.alarm.now(ts)?;
        let mut finding = self.finding(count, first);
        finding.user.clone_from(&self.account);
        Some(finding)
    }

    /// Forgets what was counted: it led to where it could.
    pub(super) fn forget(&mut self) {
        self.entries.clear();
        (self.alarm, self.slow) = (Alarm::default(), Alarm::default());
    }

    pub(super) fn finding(&mut self, count: u32, first: i64) -> Finding {
        Finding {
            count,
            first,
            peer: self.peer.clone(),
            network: self.network.clone(),
            users: std::mem::take(&mut self.names),
            addresses: std::mem::take(&mut self.addresses),
            program: self.program.clone(),
            knocks: std::mem::take(&mut self.knocks),
            ..Finding::default()
        }
    }
}

impl Alarm {
    fn step(
        &mut self,
        rule: &Rule,
        ts: i64,
        times: u32,
        enough: Option<(u32, i64)>,
    ) -> Option<(u32, i64)> {
        if self.told.is_some() {
            let due = self.pass(rule, ts);
            if self.told.is_some() {
                if self.since == 0 {
                    self.first = ts;
                }
                self.since += times;
                return due;
            }
        }
        let found = enough?;
        (self.told, self.since) = (Some(ts), 0);
        Some(found)
    }

    /// The window of the last row has passed: what came since, or the end.
    fn pass(&mut self, rule: &Rule, now: i64) -> Option<(u32, i64)> {
        if now - self.told? < rule.window_secs * SECOND {
            return None;
        }
        if self.since == 0 {
            self.told = None;
            return None;
        }
        self.now(now)
    }

    fn now(&mut self, now: i64) -> Option<(u32, i64)> {
        if self.since == 0 {
            return None;
        }
        self.told = Some(now);
        Some((std::mem::take(&mut self.since), self.first))
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

/// Keeps a name, once, while there is room. Names are a stranger's text: at most 64 characters.
fn keep(names: &mut Vec<String>, name: &str) {
    let name = name
        .char_indices()
        .nth(64)
        .map_or(name, |(end, _)| &name[..end]);
    if !name.is_empty() && names.len() < NAMES && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}
