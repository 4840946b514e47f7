//! Problems that began together become one, with the likely cause.
//!
//! One incident gives many findings: a full disk is a threshold, failing writes, errors of the API and a spike of errors in its
//! log. [`CauseJudge`] looks at the open findings whenever one was confirmed, resolved, or changed its severity, and otherwise does nothing.
//!
//! * When each one began is an interval (`onset`); when it was confirmed does not matter.
//! * What is linked and began within ten minutes of each other is a group (`grouping`): by the system's structure
//!   (`structure`), or because one has usually preceded the other here (`history`).
//! * A group that chance may make is none (`chance`). What another finding explains already is no evidence.
//! * Its parts are ranked as causes (`hypotheses`), with changes of the host (`change`).
//!
//! A group is a finding of its own ([`RULE`]), which lists the others as what it explains, so that they are shown
//! as its effects. It is resolved with the last of them. At most one is opened in half an hour, as in the reference; an open one takes
//! what begins within an hour and is linked with it.
//!
//! Findings of the first minutes after a start, of this run or of one before, have begun at an unknown time before it: they open none,
//! and join one only where they are linked with it. Until the findings of the database are known nothing is judged.

mod chance;
mod change;
mod grouping;
mod history;
mod hypotheses;
mod incident;
mod onset;
mod structure;
#[cfg(test)]
mod tests;

use crate::judge::Judge;
use crate::lifecycle::{Evaluation, Lifecycle, Standing};
use crate::live::Intervals;
use crate::rule::{Life, NoData, Rule};
use change::Changes;
use grouping::{Bundle, Candidate};
use history::{Beginning, History};
use incident::{Incident, Member};
use onset::Onset;
use schema::finding::{CORRELATION, Figures, Kind};
use schema::micros::{HOUR, MINUTE};
use schema::tables::FindingTransition;
use schema::{Finding, Severity, Timestamp, Transition};
use std::collections::{HashMap, HashSet};
use store::changes::Change;
use store::findings::Begun;

/// Problems that began together.
pub const RULE: Rule = Rule {
    id: CORRELATION,
    kind: Kind::Insight,
    domain: CORRELATION,
    title: "Problems that began together",
    // It ends with the last of them, which has waited for its own end.
    life: Life {
        confirm_secs: 0,
        clear_evaluations: 1,
        clear_secs: 0,
        no_data: NoData::Keep,
    },
    because: &[],
};

/// Time between two incidents, as in the reference.
const APART: i64 = 30 * MINUTE;
/// How old the newest finding of a group may be: it has waited for half an hour, and was confirmed before.
const FRESH: i64 = APART + 15 * MINUTE;
/// An incident takes what begins within this time after its first one: later problems have other causes, or a lasting one that is
/// known by then.
const GROWS_FOR: i64 = HOUR;
/// What is found within this time after a start had begun before it: the longest interval of a judge is five minutes.
const UNMEASURED: i64 = 10 * MINUTE;
/// How often the figures of an open incident are written again.
const REFRESH: i64 = 5 * MINUTE;
/// How far the history of findings is read: so long they are kept at least.
pub const HISTORY_DAYS: i64 = 30;
/// Most findings of it.
pub const HISTORY_MOST: i64 = 4096;

/// Finds problems that began together.
#[derive(Debug)]
pub struct CauseJudge {
    intervals: Intervals,
    history: History,
    changes: Changes,
    incidents: Vec<Incident>,
    /// The first tick of this run.
    started: Option<i64>,
    /// Rules and beginnings of what runs before this one measured to begin: what they found when they started is not among it.
    measured: HashSet<(&'static str, i64)>,
    /// Whether the open findings of the database are known.
    is_ready: bool,
    /// When the last incident was found.
    last_found: Option<i64>,
    /// When the figures of open incidents are due.
    refresh_at: i64,
    /// When a group that had to wait is looked at again.
    retry_at: Option<i64>,
    /// Whether something is known that was not at the last evaluation.
    has_news: bool,
}

impl CauseJudge {
    pub(crate) fn new(intervals: Intervals) -> Self {
        Self {
            intervals,
            history: History::default(),
            changes: Changes::default(),
            incidents: Vec::new(),
            started: None,
            measured: HashSet::new(),
            is_ready: false,
            last_found: None,
            refresh_at: i64::MAX,
            retry_at: None,
            has_news: false,
        }
    }

    pub(crate) fn set_intervals(&mut self, intervals: Intervals) {
        self.intervals = intervals;
    }

    /// Notes a tick: the first one is the start.
    pub(crate) fn note_tick(&mut self, at: Timestamp) {
        self.started.get_or_insert(at.as_micros());
    }

    /// Takes what began on this host before `at`, and begins to judge: the life cycle has what was open.
    pub(crate) fn begin(
        &mut self,
        begun: &[Begun],
        known_since: Timestamp,
        lifecycle: &Lifecycle,
        at: Timestamp,
    ) {
        self.started.get_or_insert(at.as_micros());
        // What was confirmed since the start is among what is stored.
        self.history = History::default();
        self.history.begin(known_since.as_micros());
        self.measured.clear();
        for one in begun {
            if one.rule == RULE.id {
                self.last_found = self.last_found.max(Some(one.confirmed_at.as_micros()));
            }
            let Some(rule) = lifecycle.rule(&one.rule) else {
                continue;
            };
            let cause = one.cause_rule.as_deref();
            self.learn(rule, one.opened_at, one.is_problem, cause);
            let opened = one.opened_at.as_micros();
            if at.as_micros() - opened <= FRESH {
                self.measured.insert((rule.id, opened));
            }
        }
        self.history.advance(at.as_micros());
        self.is_ready = true;
        self.has_news = true;
    }

    /// Takes changes of the host.
    pub(crate) fn note_changes(&mut self, changes: impl IntoIterator<Item = Change>) {
        let is_new = self.changes.add(changes);
        self.has_news |= is_new && !self.incidents.is_empty();
    }

    /// Takes the transitions of an evaluation at `at`; returns those that follow from them.
    pub(crate) fn follow(
        &mut self,
        transitions: &[(Timestamp, FindingTransition)],
        lifecycle: &mut Lifecycle,
        at: Timestamp,
    ) -> Vec<(Timestamp, FindingTransition)> {
        for (_, row) in transitions.iter().filter(|(_, row)| is_step(row)) {
            self.has_news = true;
            if is_beginning(row)
                && let Some(rule) = lifecycle.rule(&row.rule)
            {
                let cause = row.cause_rule.as_deref();
                self.learn(rule, row.opened_at, row.severity.is_problem(), cause);
            }
        }
        let now = at.as_micros();
        let is_due = self.has_news
            || (now >= self.refresh_at && !self.incidents.is_empty())
            || self.retry_at.is_some_and(|retry| now >= retry);
        if !self.is_ready || !is_due {
            return Vec::new();
        }
        let evaluation = self.evaluate((), lifecycle, at);
        lifecycle.reconcile(evaluation, at)
    }

    /// Notes a finding that began.
    fn learn(
        &mut self,
        rule: &'static Rule,
        opened: Timestamp,
        is_problem: bool,
        cause: Option<&str>,
    ) {
        if rule.kind == Kind::Recommendation {
            return;
        }
        // An incident counts as one beginning, and what belongs to it has an order among it.
        let is_member = cause == Some(RULE.id);
        if rule.id != RULE.id && cause.is_some() && !is_member {
            return;
        }
        self.history.add(Beginning {
            subject: structure::subject(rule.id),
            onset: Onset::opened(rule.id, opened, self.intervals),
            is_problem,
            is_effect: is_member,
        });
    }

    /// Continues incidents of the life cycle that are not known here, from a run before.
    fn adopt(&mut self, standing: &[Standing<'_>], lifecycle: &Lifecycle) {
        for one in standing.iter().filter(|one| one.finding.rule == RULE.id) {
            if self
                .incidents
                .iter()
                .any(|known| known.target == one.finding.target)
            {
                continue;
            }
            let mut incident = Incident::parse(one, lifecycle);
            let explained =
                |of: &&Standing<'_>| of.cause == Some((RULE.id, one.finding.target.as_str()));
            for member in standing.iter().filter(explained) {
                if !incident.has(member.finding.rule, &member.finding.target) {
                    let onset = Onset::of(member, self.intervals);
                    incident.members.push(Member::new(member, onset));
                }
            }
            self.last_found = self.last_found.max(Some(incident.found_at));
            self.incidents.push(incident);
        }
    }

    /// Takes the present state of members, and ends incidents without any.
    fn follow_members(&mut self, standing: &[Standing<'_>]) {
        let places: HashMap<(&str, &str), &Standing<'_>> = standing
            .iter()
            .map(|one| ((one.finding.rule, one.finding.target.as_str()), one))
            .collect();
        for incident in &mut self.incidents {
            let until = incident.since().as_micros() + GROWS_FOR;
            for member in &mut incident.members {
                match places.get(&(member.rule, member.target.as_str())) {
                    // What begins once more hours later belongs to what begins then.
                    Some(standing)
                        if !member.has_ended || standing.opened_at.as_micros() <= until =>
                    {
                        member.has_ended = false;
                        member.follow(standing);
                    }
                    _ => member.has_ended = true,
                }
            }
        }
        self.incidents.retain(|one| one.standing().next().is_some());
    }

    /// Returns the findings that may belong to an incident and belong to none.
    fn candidates(&self, standing: &[Standing<'_>]) -> Vec<Candidate> {
        let members: HashSet<(&str, &str)> = self
            .incidents
            .iter()
            .flat_map(Incident::standing)
            .map(|one| (one.rule, one.target.as_str()))
            .collect();
        let is_free = |one: &Standing<'_>| {
            let finding = one.finding;
            let is_explained = one.cause.is_some_and(|(rule, _)| rule != RULE.id);
            finding.rule != RULE.id
                && finding.kind != Kind::Recommendation
                && !finding.is_gradual
                && !is_explained
                && !members.contains(&(finding.rule, finding.target.as_str()))
        };
        let started = self.started.unwrap_or_default();
        let free = standing.iter().enumerate().filter(|(_, one)| is_free(one));
        free.map(|(place, one)| {
            let opened = one.opened_at.as_micros();
            let is_measured = if opened < started {
                self.measured.contains(&(one.finding.rule, opened))
            } else {
                opened >= started + UNMEASURED
            };
            Candidate {
                place,
                rule: one.finding.rule,
                onset: Onset::of(one, self.intervals),
                is_problem: one.finding.severity.is_problem(),
                is_measured: is_measured && !is_unread(one),
            }
        })
        .collect()
    }

    /// Adds to the open incidents what belongs to them.
    fn join(&mut self, standing: &[Standing<'_>], now: i64) {
        for nth in 0..self.incidents.len() {
            let Some(incident) = self.incidents.get(nth) else {
                return;
            };
            let until = incident.since().as_micros() + GROWS_FOR;
            let mut candidates = self.candidates(standing);
            candidates.retain(|one| one.onset.latest <= until);
            let own = bundles_of(incident);
            let joining = grouping::joining(&own, &candidates, &self.history, now);
            let members: Vec<Member> = joining
                .into_iter()
                .filter_map(|place| standing.get(place))
                .map(|one| Member::new(one, Onset::of(one, self.intervals)))
                .collect();
            for one in &members {
                self.history.absorb(one.rule, one.onset);
            }
            if let Some(incident) = self.incidents.get_mut(nth) {
                incident.members.extend(members);
            }
        }
    }

    /// Opens an incident if findings began together, and none was opened lately.
    fn open(&mut self, standing: &[Standing<'_>], at: Timestamp) {
        let now = at.as_micros();
        self.retry_at = None;
        let mut candidates = self.candidates(standing);
        candidates.retain(|one| now - one.onset.latest <= FRESH);
        let Some(places) = grouping::together(&candidates, &self.history, now) else {
            return;
        };
        let next = self.last_found.map_or(now, |last| last + APART);
        if now < next {
            self.retry_at = Some(next);
            return;
        }
        let mut incident = Incident::new(at);
        for one in places.into_iter().filter_map(|place| standing.get(place)) {
            incident
                .members
                .push(Member::new(one, Onset::of(one, self.intervals)));
        }
        self.last_found = Some(now);
        self.history.add(Beginning {
            subject: RULE.id,
            onset: Onset {
                earliest: now,
                latest: now,
            },
            is_problem: incident.standing().any(|one| one.severity.is_problem()),
            is_effect: false,
        });
        for one in &incident.members {
            self.history.absorb(one.rule, one.onset);
        }
        self.incidents.push(incident);
        // What else began meanwhile may belong to it, too.
        self.join(standing, now);
    }

    fn finding(&self, incident: &Incident, now: i64) -> Finding {
        let hypotheses = hypotheses::rank(&incident.members, &self.history, &self.changes, now);
        let severity = incident.standing().map(|one| one.severity).max();
        let best = hypotheses.first();
        #[expect(clippy::cast_precision_loss, reason = "some hundred members")]
        let count = incident.members.len() as f64;
        Finding {
            steps: best.map_or_else(Vec::new, |best| best.steps.clone()),
            command: best.and_then(|best| best.command.clone()),
            action_sql: best.and_then(|best| best.action_sql.clone()),
            figures: Figures::of(count),
            details: Some(incident.details(&hypotheses)),
            since: Some(incident.since()),
            explains: incident
                .standing()
                .map(|one| (one.rule, one.target.clone()))
                .collect(),
            ..RULE.finding(
                &incident.target,
                severity.unwrap_or(Severity::Info),
                incident.message(&hypotheses),
            )
        }
    }
}

impl Judge for CauseJudge {
    type Facts<'a> = ();

    fn rules() -> impl Iterator<Item = &'static Rule> {
        std::iter::once(&RULE)
    }

    fn evaluate(&mut self, (): (), open: &Lifecycle, at: Timestamp) -> Evaluation {
        let now = at.as_micros();
        self.has_news = false;
        self.refresh_at = now + REFRESH;
        self.history.advance(now);
        self.changes.advance(now);
        let mut standing: Vec<Standing<'_>> = open.standing().collect();
        standing.sort_by(|a, b| {
            let key = |one: &Standing<'_>| (one.opened_at, one.finding.rule);
            key(a)
                .cmp(&key(b))
                .then_with(|| a.finding.target.cmp(&b.finding.target))
        });
        self.adopt(&standing, open);
        self.follow_members(&standing);
        self.join(&standing, now);
        self.open(&standing, at);
        Evaluation {
            rules: vec![&RULE],
            found: self
                .incidents
                .iter()
                .map(|one| self.finding(one, now))
                .collect(),
            ..Evaluation::default()
        }
    }
}

/// Returns whether something unusual was continued from the database and not evaluated since: whether it came about
/// over hours is not known.
fn is_unread(one: &Standing<'_>) -> bool {
    one.finding.rule.starts_with("unusual.") && one.finding.figures.score.is_none()
}

/// Returns the bundles of an incident.
fn bundles_of(incident: &Incident) -> Vec<Bundle> {
    let members: Vec<Candidate> = incident
        .members
        .iter()
        .enumerate()
        .map(|(place, one)| Candidate {
            place,
            rule: one.rule,
            onset: one.onset,
            is_problem: one.severity.is_problem(),
            is_measured: true,
        })
        .collect();
    grouping::bundles(&members)
}

/// Returns whether a transition changes what is open, or how severe it is.
fn is_step(row: &FindingTransition) -> bool {
    if row.rule == RULE.id || row.confirmed_at.is_none() {
        return false;
    }
    !matches!(
        Transition::parse(&row.transition),
        Some(Transition::Refreshed | Transition::Unknown) | None
    )
}

/// Returns whether a finding was confirmed with a transition.
fn is_beginning(row: &FindingTransition) -> bool {
    matches!(
        Transition::parse(&row.transition),
        Some(Transition::Opened | Transition::Confirmed)
    )
}
