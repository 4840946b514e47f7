//! The life cycle of findings: the only place that opens, confirms, refreshes and resolves them.
//!
//! A judge evaluates some of its rules at an instant and gives the outcome, an [`Evaluation`], to
//! [`Lifecycle::reconcile`], which returns the [transitions](FindingTransition) that follow. They are rows of the
//! queue: the database's table of findings and its history follow from them and from nothing else. When something
//! happens is decided by the fields of the rule ([`Life`]), never by the judge.
//!
//! ```text
//!              seen for confirm_secs              not seen: clear_evaluations and clear_secs
//!   opened ──────────────────────────▶ confirmed ──────────────────────────────────────────▶ resolved
//!      │                                 │   ▲
//!      └── not seen: resolved,           ▼   │   worse, better, refreshed
//!          and never was an alert       unknown: no data
//! ```
//!
//! Invariants, which the model test checks:
//!
//! * of one rule and target at most one finding is open, and every beginning has one end;
//! * an evaluation changes findings of the rules that it evaluated and of no others, so a judge that fails or has
//!   no data changes nothing;
//! * the transitions of a finding have increasing instants, each with the whole state, so that they can be applied
//!   again and in batches of any order;
//! * a condition that keeps coming and going stays open: each beginning within an hour makes the next end wait
//!   longer ([`FLAP_FACTOR`]).
//!
//! Memory alone is not the truth after a restart: [`Lifecycle::restore`] takes what the database has open. Until then
//! findings are opened as if there were none; the database joins them with those that it has.

mod entry;
mod flapping;
mod refresh;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use crate::rule::{NoData, Rule};
use entry::{Entry, Step};
use flapping::Beginnings;
use schema::micros::{DAY, SECOND};
use schema::tables::FindingTransition;
use schema::{Finding, Severity, Timestamp};
use std::collections::{BTreeMap, HashMap, HashSet};
use store::findings::{OpenFinding, Recent};

/// A subject that has not delivered data for a day is taken to be gone: what is watched and silent has findings of
/// its own long before.
const GONE_AFTER: i64 = DAY;

/// What a judge found at an instant.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// The rules that were evaluated: their open findings that are neither found nor absent have ended, or pause.
    pub rules: Vec<&'static Rule>,
    /// What holds.
    pub found: Vec<Finding>,
    /// Rule and target of open findings for which there were no data.
    pub absent: Vec<(&'static str, String)>,
    /// Rule and target of open findings about which there is nothing new.
    pub unchanged: Vec<(&'static str, String)>,
}

impl Evaluation {
    /// Adds the outcome of another judge, which has other rules.
    pub(crate) fn join(&mut self, other: Self) {
        self.rules.extend(other.rules);
        self.found.extend(other.found);
        self.absent.extend(other.absent);
        self.unchanged.extend(other.unchanged);
    }
}

/// A confirmed finding, and what the life cycle knows of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) finding: &'a Finding,
    /// Since when it holds.
    pub(crate) opened_at: Timestamp,
    /// Rule and target of the finding that it follows from.
    pub(crate) cause: Option<(&'static str, &'a str)>,
}

/// By rule and target. The outer map makes a look-up by borrowed words possible.
type ByTarget<T> = HashMap<&'static str, BTreeMap<String, T>>;

/// The open findings of this host.
#[derive(Debug)]
pub struct Lifecycle {
    rules: HashMap<&'static str, &'static Rule>,
    open: ByTarget<Entry>,
    /// Beginnings and ends of the last hour.
    recent: ByTarget<Beginnings>,
}

impl Lifecycle {
    /// Begins without findings. Findings of other rules than these are not taken.
    #[must_use]
    pub fn new(rules: impl Iterator<Item = &'static Rule>) -> Self {
        Self {
            rules: rules.map(|rule| (rule.id, rule)).collect(),
            open: HashMap::new(),
            recent: HashMap::new(),
        }
    }

    /// Returns the severity of an open finding, confirmed or not.
    #[must_use]
    pub fn severity(&self, rule: &str, target: &str) -> Option<Severity> {
        Some(self.open.get(rule)?.get(target)?.finding.severity)
    }

    /// Returns the targets of the open findings of a rule.
    pub fn targets(&self, rule: &str) -> impl Iterator<Item = &str> {
        let of_rule = self.open.get(rule).into_iter().flatten();
        of_rule.map(|(target, _)| target.as_str())
    }

    /// Returns the open findings.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.open
            .values()
            .flatten()
            .map(|(_, entry)| &entry.finding)
    }

    /// Returns the confirmed findings, each with whether there are no data to tell that it holds on.
    pub fn confirmed(&self) -> impl Iterator<Item = (&Finding, bool)> {
        let entries = self.open.values().flatten().map(|(_, entry)| entry);
        entries
            .filter(|entry| entry.confirmed_at.is_some())
            .map(|entry| (&entry.finding, entry.is_unknown()))
    }

    /// Returns the rule with this identifier.
    pub(crate) fn rule(&self, id: &str) -> Option<&'static Rule> {
        self.rules.get(id).copied()
    }

    /// Returns the confirmed findings, each with what the life cycle knows of it.
    pub(crate) fn standing(&self) -> impl Iterator<Item = Standing<'_>> {
        let entries = self.open.values().flatten().map(|(_, entry)| entry);
        entries
            .filter(|entry| entry.confirmed_at.is_some())
            .map(|entry| Standing {
                finding: &entry.finding,
                opened_at: entry.opened_at,
                cause: entry.cause.as_ref().map(|(rule, of)| (*rule, of.as_str())),
            })
    }

    /// Takes the outcome of an evaluation at `at` and returns the transitions that follow, each with its instant.
    #[must_use]
    pub fn reconcile(
        &mut self,
        evaluation: Evaluation,
        at: Timestamp,
    ) -> Vec<(Timestamp, FindingTransition)> {
        let mut steps: BTreeMap<(&'static str, String), Step> = BTreeMap::new();
        let Evaluation {
            rules,
            found,
            absent,
            unchanged,
        } = evaluation;
        let found = self.worst(found);
        for (rule, target, is_absent) in self.missed(&rules, &found, &absent, &unchanged) {
            if let Some(step) = self.miss(rule, &target, is_absent, at) {
                steps.insert((rule.id, target), step);
            }
        }
        for (rule, finding) in found {
            let key = (rule.id, finding.target.clone());
            if let Some(step) = self.see(rule, finding, at) {
                steps.insert(key, step);
            }
        }
        self.explain(&mut steps);
        self.emit(steps, at)
    }

    /// Continues what the database has open, which was written before this program started; `recent` is what began and
    /// ended lately. Returns the transitions that follow: findings of rules that this version does not have are
    /// resolved.
    #[must_use]
    pub fn restore(
        &mut self,
        stored: Vec<OpenFinding>,
        recent: Vec<Recent>,
        at: Timestamp,
    ) -> Vec<(Timestamp, FindingTransition)> {
        for one in recent {
            let Some(rule) = self.rules.get(one.rule.as_str()) else {
                continue;
            };
            // What was opened here before this was known goes on, and has not begun again.
            let is_known = stored.iter().any(|open| {
                open.rule == one.rule && open.target == one.target && open.confirmed_at.is_some()
            });
            let of_rule = self.recent.entry(rule.id).or_default();
            let own = of_rule.entry(one.target).or_default();
            own.precede(one.began, is_known);
        }
        let mut ended = Vec::new();
        for one in stored {
            let Some(rule) = self.rules.get(one.rule.as_str()).copied() else {
                ended.push(entry::resolved(one, at));
                continue;
            };
            let target = one.target.clone();
            let of_rule = self.recent.entry(rule.id).or_default();
            let recent = of_rule.entry(target.clone()).or_default();
            let open = self.open.entry(rule.id).or_default();
            match open.get_mut(&target) {
                Some(entry) => entry.join(&one),
                // It was resolved here since; the database does not know yet.
                None if recent.ended_after(one.transition_at) => {}
                None => {
                    let cause = one.cause.clone().and_then(|(cause, of)| {
                        let known = self.rules.get(cause.as_str())?;
                        Some((known.id, of))
                    });
                    open.insert(target, Entry::restored(rule, one, cause));
                }
            }
        }
        self.restore_explained();
        ended
    }

    /// Notes of restored findings what followed from them without being named by a rule, so that it does until they are
    /// evaluated again.
    fn restore_explained(&mut self) {
        let mut explained = Vec::new();
        for (rule, of_rule) in &self.open {
            let because = self.rules.get(rule).map_or(&[][..], |rule| rule.because);
            for (target, entry) in of_rule {
                if let Some(cause) = &entry.cause
                    && !because.contains(&cause.0)
                {
                    explained.push((cause.clone(), (*rule, target.clone())));
                }
            }
        }
        for ((rule, target), effect) in explained {
            let of_rule = self.open.get_mut(rule);
            if let Some(entry) = of_rule.and_then(|all| all.get_mut(&target))
                && !entry.finding.explains.contains(&effect)
            {
                entry.finding.explains.push(effect);
            }
        }
    }

    /// Returns the findings of known rules, of several about one rule and target the most severe; of equally severe ones
    /// the first.
    fn worst(&self, found: Vec<Finding>) -> Vec<(&'static Rule, Finding)> {
        let mut kept: Vec<(&'static Rule, Finding)> = Vec::with_capacity(found.len());
        let mut places: HashMap<(&'static str, String), usize> = HashMap::new();
        for finding in found {
            let Some(rule) = self.rules.get(finding.rule).copied() else {
                continue;
            };
            let key = (rule.id, finding.target.clone());
            match places.get(&key) {
                Some(place) if kept[*place].1.severity < finding.severity => {
                    kept[*place].1 = finding
                }
                Some(_) => {}
                None => {
                    places.insert(key, kept.len());
                    kept.push((rule, finding));
                }
            }
        }
        kept
    }

    /// Returns rule and target of the open findings of these rules that were not found, and whether their data are
    /// absent. Those about which there is nothing new are left out.
    fn missed(
        &self,
        rules: &[&'static Rule],
        found: &[(&'static Rule, Finding)],
        absent: &[(&'static str, String)],
        unchanged: &[(&'static str, String)],
    ) -> Vec<(&'static Rule, String, bool)> {
        let absent: HashSet<(&str, &str)> = absent.iter().map(borrowed).collect();
        let mut known: HashSet<(&str, &str)> = unchanged.iter().map(borrowed).collect();
        known.extend(
            found
                .iter()
                .map(|(rule, one)| (rule.id, one.target.as_str())),
        );
        let mut missed = Vec::new();
        for rule in rules {
            for target in self.targets(rule.id) {
                let key = (rule.id, target);
                if !known.contains(&key) {
                    missed.push((*rule, target.to_owned(), absent.contains(&key)));
                }
            }
        }
        missed
    }

    /// Opens a finding, or continues it.
    fn see(&mut self, rule: &'static Rule, finding: Finding, at: Timestamp) -> Option<Step> {
        let target = finding.target.clone();
        let recent = self.recent.entry(rule.id).or_default();
        let recent = recent.entry(target.clone()).or_default();
        let open = self.open.entry(rule.id).or_default();
        // What is not confirmed did not flap.
        if let Some(entry) = open.get_mut(&target) {
            let is_back = entry.has_paused() && entry.confirmed_at.is_some();
            let step = entry.see(rule, finding, at);
            if is_back || step == Some(Step::Confirmed) {
                recent.begin(at);
            }
            return step;
        }
        let mut entry = Entry::new(finding, at);
        if entry.confirm(rule, at).is_some() {
            recent.begin(at);
        }
        open.insert(target, entry);
        // What is confirmed at once has one transition.
        Some(Step::Opened)
    }

    /// Notes that a finding was not found.
    fn miss(
        &mut self,
        rule: &'static Rule,
        target: &str,
        is_absent: bool,
        at: Timestamp,
    ) -> Option<Step> {
        let entry = self.open.get_mut(rule.id)?.get_mut(target)?;
        if is_absent {
            match rule.life.no_data {
                NoData::Keep => return entry.lose_sight(at, GONE_AFTER),
                NoData::Alert => return entry.hold(rule, at),
                NoData::Clear => {}
            }
        }
        let recent = self.recent.get(rule.id).and_then(|all| all.get(target));
        let wait = recent.map_or(0, |recent| recent.wait(rule.life.clear_secs, at));
        entry.miss(rule, i64::from(wait) * SECOND, at)
    }

    /// Notes of which other open finding each one is a consequence. A change is a reason to refresh.
    fn explain(&mut self, steps: &mut BTreeMap<(&'static str, String), Step>) {
        let explained = self.explained();
        let mut causes = Vec::new();
        for (rule, of_rule) in &self.open {
            let because = self.rules.get(rule).map_or(&[][..], |rule| rule.because);
            for (target, entry) in of_rule {
                let cause = match entry.finding.stands_alone {
                    true => None,
                    false => self.cause_of(because, target),
                };
                let listed = || explained.get(&(*rule, target.as_str())).cloned();
                let cause = cause.or_else(listed);
                if cause != entry.cause {
                    causes.push((*rule, target.clone(), cause));
                }
            }
        }
        for (rule, target, cause) in causes {
            let of_rule = self.open.get_mut(rule);
            if let Some(entry) = of_rule.and_then(|all| all.get_mut(&target)) {
                entry.cause = cause;
                if entry.confirmed_at.is_some() {
                    steps.entry((rule, target)).or_insert(Step::Refreshed);
                }
            }
        }
    }

    /// Returns by effect the confirmed finding that lists it as one.
    fn explained(&self) -> HashMap<(&'static str, &str), (&'static str, String)> {
        let entries = self.open.values().flatten();
        let causes = entries.filter(|(_, one)| one.confirmed_at.is_some());
        causes
            .flat_map(|(target, entry)| {
                let effects = entry.finding.explains.iter();
                effects.map(move |(rule, of)| {
                    ((*rule, of.as_str()), (entry.finding.rule, target.clone()))
                })
            })
            .collect()
    }

    /// Returns the confirmed finding of one of these rules that concerns the same subject: the whole host, the
    /// target itself, or what the target is a part of (`store` of `store.shop.public.orders`).
    fn cause_of(&self, because: &[&'static str], target: &str) -> Option<(&'static str, String)> {
        because.iter().find_map(|cause| {
            let mut found = self.open.get(cause)?.iter();
            let (at, _) = found.find(|(of, entry)| {
                let entry: &Entry = entry;
                entry.confirmed_at.is_some() && contains(of, target)
            })?;
            Some((*cause, at.clone()))
        })
    }

    /// Returns the rows of these steps, and removes what was resolved.
    fn emit(
        &mut self,
        steps: BTreeMap<(&'static str, String), Step>,
        at: Timestamp,
    ) -> Vec<(Timestamp, FindingTransition)> {
        let mut rows = Vec::with_capacity(steps.len());
        for ((rule, target), step) in steps {
            let Some(of_rule) = self.open.get_mut(rule) else {
                continue;
            };
            let Some(entry) = of_rule.get_mut(&target) else {
                continue;
            };
            let recent = self.recent.entry(rule).or_default();
            let recent = recent.entry(target.clone()).or_default();
            let ts = recent.next_instant(at, entry.transition_at);
            rows.push((ts, entry.transition(step, ts)));
            if let Step::Resolved(ended) = step {
                recent.end(ended);
                of_rule.remove(&target);
            }
        }
        self.forget(at);
        rows
    }

    /// Forgets beginnings that are too old to matter.
    fn forget(&mut self, at: Timestamp) {
        for of_rule in self.recent.values_mut() {
            of_rule.retain(|_, recent| !recent.is_past(at));
        }
        self.recent.retain(|_, of_rule| !of_rule.is_empty());
        self.open.retain(|_, of_rule| !of_rule.is_empty());
    }
}

fn borrowed<'a>((rule, target): &'a (&'static str, String)) -> (&'a str, &'a str) {
    (rule, target)
}

/// Returns whether the subject `of` is `target` or what it is a part of; the empty subject is the host.
fn contains(of: &str, target: &str) -> bool {
    of.is_empty()
        || target
            .strip_prefix(of)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
