//! What has begun on this host before: how often, and what usually precedes what.
//!
//! Both follow from the stored findings ([`Beginning`]), which are read once after a start, and from those that are confirmed
//! since. Nothing else is kept: a table of counts by pair, some hundred entries on a host with many findings.

use super::chance::WINDOW_SECS;
use super::onset::Onset;
use super::structure::{self, Part};
use schema::finding::CORRELATION;
use schema::micros::{DAY, HOUR, SECOND};
use stats::counts;
use std::collections::{HashMap, VecDeque};

/// Days of which the rates are: those of the last week, as a host changes.
const RATE_DAYS: i64 = 7;
/// The least rate, per day: a healthy host is to have less than one alert a day, so fewer are not known well enough to count on.
const LEAST_PER_DAY: f64 = 1.0;
/// As many findings as the structure's own share counts when that of a host is estimated.
const PRIOR: f64 = 10.0;
/// What began within this time of each other is not counted yet: it may belong to the incident that is looked at.
const UNCOUNTED: i64 = HOUR;
/// Times that one must have preceded another one …
const SUPPORT: u32 = 3;
/// … which are at least this share of the times that the other one began …
const USUALLY: f64 = 0.6;
/// … and more unlikely than this to be chance, -log10: a thousandth, as a host has some hundred pairs.
const SURPRISE: f64 = 3.0;
/// Most beginnings that wait to be counted, and most pairs: a host with more has no order that a table would show.
const MOST: usize = 4096;

const WINDOW: i64 = WINDOW_SECS * SECOND;

/// A finding that began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beginning {
    /// What it is about.
    pub(super) subject: &'static str,
    pub(super) onset: Onset,
    /// Whether it is a warning or worse.
    pub(super) is_problem: bool,
    /// Whether it followed from another one, and is no beginning by itself.
    pub(super) is_effect: bool,
}

/// Findings a day: all, and problems alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    pub(super) all: f64,
    pub(super) problems: f64,
}

/// How often one preceded another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Precedence {
    pub(super) times: u32,
    /// How often the later one began.
    pub(super) of: u32,
}

/// What has begun before.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Since when there is any, microseconds.
    since: Option<i64>,
    /// Beginnings that count for the rates, oldest first.
    recent: VecDeque<Beginning>,
    /// Beginnings whose order is not counted yet, oldest first.
    waiting: VecDeque<Beginning>,
    /// The last ones that are counted.
    counted: VecDeque<Beginning>,
    /// By subject: how often it began, of what keys ever.
    totals: HashMap<&'static str, u32>,
    /// By the earlier and the later one.
    pairs: HashMap<(&'static str, &'static str), u32>,
}

impl History {
    /// Notes that the host is known since an instant.
    pub(super) fn begin(&mut self, since: i64) {
        self.since = Some(self.since.map_or(since, |known| known.min(since)));
    }

    /// Takes a beginning, in the order of time.
    pub(super) fn add(&mut self, one: Beginning) {
        self.begin(one.onset.latest);
        if !one.is_effect {
            self.recent.push_back(one);
        }
        if one.subject != CORRELATION {
            self.waiting.push_back(one);
        }
        for queue in [&mut self.recent, &mut self.waiting] {
            if queue.len() > MOST {
                queue.pop_front();
            }
        }
    }

    /// Notes that a finding belongs to an incident, which counts instead of it.
    pub(super) fn absorb(&mut self, rule: &'static str, onset: Onset) {
        let subject = structure::subject(rule);
        self.recent
            .retain(|one| one.subject != subject || one.onset.distance(onset) > 0);
    }

    /// Counts what is old enough, and forgets what is too old.
    pub(super) fn advance(&mut self, now: i64) {
        let is_old = |one: &Beginning, age| one.onset.latest < now - age;
        while self
            .recent
            .front()
            .is_some_and(|one| is_old(one, RATE_DAYS * DAY))
        {
            self.recent.pop_front();
        }
        while let Some(one) = self.waiting.pop_front() {
            if !is_old(&one, UNCOUNTED) {
                self.waiting.push_front(one);
                break;
            }
            self.count(one);
        }
    }

    fn count(&mut self, one: Beginning) {
        self.counted
            .retain(|before| before.onset.distance(one.onset) <= WINDOW);
        // Many keys of a metric begin at once.
        if self
            .counted
            .iter()
            .any(|before| before.subject == one.subject)
        {
            return;
        }
        *self.totals.entry(one.subject).or_default() += 1;
        for before in &self.counted {
            let pair = (before.subject, one.subject);
            let is_known = self.pairs.contains_key(&pair);
            if before.onset.is_before(one.onset) && (is_known || self.pairs.len() < MOST) {
                *self.pairs.entry(pair).or_default() += 1;
            }
        }
        self.counted.push_back(one);
    }

    fn days(&self, now: i64) -> f64 {
        let known = self.since.map_or(0, |since| now - since);
        #[expect(clippy::cast_precision_loss, reason = "a week in microseconds")]
        let days = known.clamp(DAY, RATE_DAYS * DAY) as f64 / DAY as f64;
        days
    }

    /// Returns how many findings begin a day.
    pub(super) fn rates(&self, now: i64) -> Rates {
        let days = self.days(now);
        // What begins now is not what is usual here.
        let usual = || {
            self.recent
                .iter()
                .filter(|one| one.onset.latest < now - UNCOUNTED)
        };
        #[expect(clippy::cast_precision_loss, reason = "some thousand findings")]
        let rate = |count: usize| (count as f64 / days).max(LEAST_PER_DAY);
        Rates {
            all: rate(usual().count()),
            problems: rate(usual().filter(|one| one.is_problem).count()),
        }
    }

    /// Returns the share of this host's findings that would be linked with one of these parts.
    pub(super) fn linked_share(&self, parts: &[Part], now: i64) -> f64 {
        let usual = self
            .recent
            .iter()
            .filter(|one| one.onset.latest < now - UNCOUNTED);
        let (mut all, mut linked) = (PRIOR, PRIOR * structure::linked_share());
        for one in usual {
            let part = Part::of(one.subject);
            all += 1.0;
            linked += f64::from(u8::from(parts.iter().any(|of| of.is_linked(part))));
        }
        linked / all
    }

    /// Returns how often `cause` preceded `effect`, if it usually does.
    pub(super) fn precedence(
        &self,
        cause: &'static str,
        effect: &'static str,
        now: i64,
    ) -> Option<Precedence> {
        let count = |pair| self.pairs.get(&pair).copied().unwrap_or_default();
        let times = count((cause, effect));
        let of = self.totals.get(effect).copied().unwrap_or_default();
        let is_usual = f64::from(times) >= USUALLY * f64::from(of);
        if times < SUPPORT || !is_usual || count((effect, cause)) * 3 > times {
            return None;
        }
        // By chance the cause would have begun in a window before the effect as often as in any other window.
        let causes = f64::from(self.totals.get(cause).copied().unwrap_or_default());
        #[expect(clippy::cast_precision_loss, reason = "years in microseconds")]
        let known = self.since.map_or(DAY, |since| (now - since).max(DAY)) as f64;
        #[expect(clippy::cast_precision_loss, reason = "minutes in microseconds")]
        let expected = f64::from(of) * causes * WINDOW as f64 / known;
        let surprise = counts::surprise(u64::from(times), expected, 1.0);
        (surprise >= SURPRISE).then_some(Precedence { times, of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(subject: &'static str, at: i64, is_problem: bool) -> Beginning {
        Beginning {
            subject,
            onset: Onset::at(at),
            is_problem,
            is_effect: false,
        }
    }

    #[test]
    fn rates_are_those_of_the_last_week_and_not_less_than_one_a_day() {
        let mut history = History::default();
        assert_eq!(history.rates(0).all, 1.0);
        for nth in 0..140 {
            // Twenty a day, one of them a problem.
            history.add(begun("api.p95_ms", nth * DAY / 20, nth % 20 == 0));
        }
        let now = 7 * DAY;
        history.advance(now);
        let rates = history.rates(now);
        assert!((rates.all - 20.0).abs() < 1.0, "{rates:?}");
        assert!((rates.problems - 1.0).abs() < 0.01, "{rates:?}");
        history.advance(now + 8 * DAY);
        assert_eq!(history.rates(now + 8 * DAY).all, 1.0);
    }

    #[test]
    fn what_usually_precedes_what_needs_support_and_one_direction() {
        let mut history = History::default();
        let minute = 60 * SECOND;
        let precedence =
            |history: &History, now| history.precedence("db.wait_lock", "api.p95_ms", now);
        for nth in 0..5 {
            let at = nth * DAY;
            history.add(begun("db.wait_lock", at, true));
            history.add(begun("api.p95_ms", at + 3 * minute, true));
            history.advance(at + 2 * HOUR);
            let found = precedence(&history, at + 2 * HOUR);
            assert_eq!(found.is_some(), nth >= 2, "{nth}: {found:?}");
        }
        let found = precedence(&history, 5 * DAY);
        assert_eq!(found, Some(Precedence { times: 5, of: 5 }));
        assert_eq!(
            history.precedence("api.p95_ms", "db.wait_lock", 5 * DAY),
            None
        );
        // It began five more times without.
        for nth in 5..10 {
            history.add(begun("api.p95_ms", nth * DAY, true));
        }
        history.advance(11 * DAY);
        assert_eq!(precedence(&history, 11 * DAY), None);
    }

    #[test]
    fn what_begins_all_the_time_precedes_nothing() {
        let mut history = History::default();
        let minute = 60 * SECOND;
        for nth in 0..48 {
            history.add(begun("ssh_brute_force", nth * 30 * minute, true));
            if nth % 12 == 6 {
                history.add(begun("api.p95_ms", nth * 30 * minute + 5 * minute, true));
            }
        }
        history.advance(2 * DAY);
        assert_eq!(
            history.precedence("ssh_brute_force", "api.p95_ms", DAY),
            None
        );
    }

    #[test]
    fn the_share_of_linked_findings_becomes_that_of_the_host() {
        let mut history = History::default();
        let parts = [Part::Locks, Part::ApiSlow];
        let before = history.linked_share(&parts, DAY);
        assert!((before - structure::linked_share()).abs() < 1e-9);
        for nth in 0..50 {
            history.add(begun("ssh_brute_force", nth * HOUR, true));
        }
        assert!(history.linked_share(&parts, 3 * DAY) < before / 4.0);
    }
}
