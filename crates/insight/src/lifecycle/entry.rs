//! One open finding.

use super::refresh::Refresh;
use crate::recommendations;
use crate::rule::Rule;
use schema::finding::{Figures, Kind};
use schema::micros::SECOND;
use schema::tables::FindingTransition;
use schema::{Finding, Json, Severity, Timestamp, Transition};
use serde_json::json;
use store::findings::OpenFinding;

/// What an evaluation means for a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Opened,
    Confirmed,
    Worse,
    Better,
    Refreshed,
    Unknown,
    /// It ended at this instant.
    Resolved(Timestamp),
}

impl Step {
    const fn transition(self) -> Transition {
        match self {
            Self::Opened => Transition::Opened,
            Self::Confirmed => Transition::Confirmed,
            Self::Worse => Transition::Worse,
            Self::Better => Transition::Better,
            Self::Refreshed => Transition::Refreshed,
            Self::Unknown => Transition::Unknown,
            Self::Resolved(_) => Transition::Resolved,
        }
    }
}

/// Wraps a JSON document; NUL, which `jsonb` does not take, becomes its symbol.
fn document(text: String) -> Json {
    Json(match text.contains("\\u0000") {
        true => text.replace("\\u0000", "\u{2400}"),
        false => text,
    })
}

/// Returns the transition that ends a finding of the database.
pub(super) fn resolved(stored: OpenFinding, at: Timestamp) -> (Timestamp, FindingTransition) {
    let ts = at.max(Timestamp(stored.transition_at.as_micros() + 1));
    let row = FindingTransition {
        rule: stored.rule,
        target: stored.target,
        transition: Transition::Resolved.as_str().to_owned(),
        kind: stored.kind,
        domain: stored.domain,
        severity: stored.severity,
        worst: stored.worst,
        title: stored.title,
        message: stored.message,
        steps: document(json!(stored.steps).to_string()),
        command: stored.command,
        action_sql: stored.action_sql,
        metric: stored.metric,
        metric_key: stored.metric_key,
        opened_at: stored.opened_at,
        confirmed_at: stored.confirmed_at,
        seen_at: stored.seen_at,
        resolved_at: Some(ts),
        occurrences: stored.occurrences,
        ..FindingTransition::default()
    };
    (ts, row)
}

/// An open finding and the state of its life.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) finding: Finding,
    worst: Severity,
    pub(super) opened_at: Timestamp,
    pub(super) confirmed_at: Option<Timestamp>,
    seen_at: Timestamp,
    unknown_since: Option<Timestamp>,
    pub(super) occurrences: i64,
    /// Evaluations in a row that did not find it, and the first of them.
    missed: Option<(u32, Timestamp)>,
    refresh: Refresh,
    /// Whether the newest transition asks for something else than what was found since.
    asks_for_else: bool,
    /// Rule and target of the finding that it follows from.
    pub(super) cause: Option<(&'static str, String)>,
    /// The instant of the newest transition.
    pub(super) transition_at: Option<Timestamp>,
}

impl Entry {
    /// Opens a finding at `at`, or when its first event was.
    pub(super) fn new(finding: Finding, at: Timestamp) -> Self {
        let (first, last) = finding.span.unwrap_or((finding.since.unwrap_or(at), at));
        Self {
            worst: finding.severity,
            opened_at: first.min(at),
            confirmed_at: None,
            seen_at: last.min(at),
            unknown_since: None,
            occurrences: 1,
            missed: None,
            refresh: Refresh::begin(at),
            asks_for_else: false,
            cause: None,
            transition_at: None,
            finding,
        }
    }

    /// Continues a finding of the database, which follows from `cause`, with what was said of it: it may end without being found
    /// again.
    pub(super) fn restored(
        rule: &'static Rule,
        stored: OpenFinding,
        cause: Option<(&'static str, String)>,
    ) -> Self {
        let mut finding = rule.finding(&stored.target, stored.severity, stored.message);
        let [value, current, threshold, expected] = stored.figures;
        finding.title = stored.title;
        finding.details = stored.details;
        finding.steps = stored.steps;
        finding.command = stored.command;
        finding.action_sql = stored.action_sql;
        finding.metric = stored.metric;
        finding.metric_key = stored.metric_key;
        finding.figures = Figures {
            value,
            current,
            threshold,
            expected,
            ..Figures::default()
        };
        Self {
            finding,
            worst: stored.worst,
            opened_at: stored.opened_at,
            confirmed_at: stored.confirmed_at,
            seen_at: stored.seen_at,
            unknown_since: stored.unknown_since,
            occurrences: stored.occurrences,
            missed: None,
            refresh: Refresh::restored(stored.transition_at),
            asks_for_else: false,
            cause,
            transition_at: Some(stored.transition_at),
        }
    }

    /// Joins it with what the database has open of the same rule and target: it has held since then.
    pub(super) fn join(&mut self, stored: &OpenFinding) {
        self.opened_at = self.opened_at.min(stored.opened_at);
        self.confirmed_at = match (self.confirmed_at, stored.confirmed_at) {
            (Some(own), Some(stored)) => Some(own.min(stored)),
            (own, stored) => own.or(stored),
        };
        self.worst = self.worst.max(stored.worst);
        self.occurrences = self.occurrences.max(stored.occurrences);
        self.transition_at = self.transition_at.max(Some(stored.transition_at));
    }

    /// Returns whether there are no data to tell that it holds on.
    pub(super) const fn is_unknown(&self) -> bool {
        self.unknown_since.is_some()
    }

    /// Returns whether the evaluation before did not find it.
    pub(super) const fn has_paused(&self) -> bool {
        self.missed.is_some()
    }

    /// Continues it with what was found now.
    pub(super) fn see(&mut self, rule: &Rule, finding: Finding, at: Timestamp) -> Option<Step> {
        let before = self.finding.severity;
        let last = finding.span.map_or(at, |(_, last)| last.min(at));
        let has_new_events = finding.span.is_some() && last > self.seen_at;
        if self.missed.take().is_some() || has_new_events {
            self.occurrences += 1;
        }
        if let Some((first, _)) = finding.span {
            self.opened_at = self.opened_at.min(first);
        }
        self.seen_at = self.seen_at.max(last);
        self.worst = self.worst.max(finding.severity);
        // Of one that explains others the whole story is what matters, and it is evaluated only when that may have changed.
        let has_changed = self.finding.explains != finding.explains
            || (!finding.explains.is_empty() && self.finding.message != finding.message);
        self.asks_for_else |= self.finding.command != finding.command
            || self.finding.action_sql != finding.action_sql;
        self.finding = finding;
        let is_known_again = self.unknown_since.take().is_some();
        let confirmed = self.confirm(rule, at);
        let severity = self.finding.severity;
        if confirmed.is_some() {
            confirmed
        } else if severity > before {
            Some(Step::Worse)
        } else if severity < before {
            Some(Step::Better)
        } else if is_known_again
            || (self.confirmed_at.is_some()
                && (has_changed || self.refresh.is_due(at, self.asks_for_else)))
        {
            Some(Step::Refreshed)
        } else {
            None
        }
    }

    /// Confirms it when it has held for long enough.
    pub(super) fn confirm(&mut self, rule: &Rule, at: Timestamp) -> Option<Step> {
        let held = at.as_micros() - self.opened_at.as_micros();
        let is_due = held >= i64::from(rule.life.confirm_secs) * SECOND;
        if self.confirmed_at.is_some() || !is_due {
            return None;
        }
        self.confirmed_at = Some(at);
        Some(Step::Confirmed)
    }

    /// Lets it hold on although there are no data: their absence is the condition.
    pub(super) fn hold(&mut self, rule: &Rule, at: Timestamp) -> Option<Step> {
        self.missed = None;
        self.seen_at = self.seen_at.max(at);
        self.confirm(rule, at)
    }

    /// Notes that there are no data to tell whether it holds. What is not confirmed is dropped: it was seen too
    /// shortly to matter.
    pub(super) fn lose_sight(&mut self, at: Timestamp, gone_after: i64) -> Option<Step> {
        if self.confirmed_at.is_none() {
            return Some(Step::Resolved(self.seen_at));
        }
        match self.unknown_since {
            None => {
                self.unknown_since = Some(at);
                Some(Step::Unknown)
            }
            Some(since) if at.as_micros() - since.as_micros() >= gone_after => {
                Some(Step::Resolved(since))
            }
            Some(_) => None,
        }
    }

    /// Notes that an evaluation with data did not find it; `wait` is for how long it must not be seen, microseconds.
    pub(super) fn miss(&mut self, rule: &Rule, wait: i64, at: Timestamp) -> Option<Step> {
        let (before, since) = self.missed.unwrap_or((0, at));
        let missed = before + 1;
        self.missed = Some((missed, since));
        let is_known_again = self.unknown_since.take().is_some();
        let is_pending = self.confirmed_at.is_none();
        let has_waited = is_pending || at.as_micros() - self.seen_at.as_micros() >= wait;
        if missed >= rule.life.clear_evaluations && has_waited {
            // Counted events ended with the last of them, other conditions when they were first not found.
            let ended = if self.finding.span.is_some() {
                self.seen_at
            } else {
                since
            };
            return Some(Step::Resolved(ended));
        }
        is_known_again.then_some(Step::Refreshed)
    }

    /// Returns the row of a transition at `ts`.
    pub(super) fn transition(&mut self, step: Step, ts: Timestamp) -> FindingTransition {
        self.transition_at = Some(ts);
        self.asks_for_else = false;
        match step {
            Step::Refreshed => self.refresh.next(ts),
            _ => self.refresh = Refresh::begin(ts),
        }
        let finding = &self.finding;
        let Figures {
            value,
            current,
            threshold,
            expected,
            stddev,
            z_score,
            drift_pct,
            score,
        } = finding.figures;
        let resolved_at = match step {
            Step::Resolved(ended) => Some(ended.max(self.opened_at)),
            _ => None,
        };
        FindingTransition {
            rule: finding.rule.to_owned(),
            target: finding.target.clone(),
            transition: step.transition().as_str().to_owned(),
            kind: Kind::as_str(finding.kind).to_owned(),
            domain: finding.domain.to_owned(),
            metric: finding.metric.clone(),
            metric_key: finding.metric_key.clone(),
            severity: finding.severity,
            worst: self.worst,
            title: finding.title.clone(),
            message: finding.message.clone(),
            steps: document(json!(finding.steps).to_string()),
            command: finding.command.clone(),
            action_sql: finding.action_sql.clone(),
            value,
            current_value: current,
            threshold,
            baseline_mean: expected,
            baseline_stddev: stddev,
            z_score,
            drift_pct,
            score,
            details: recommendations::details(finding, self.cause.as_ref().map(|(rule, _)| *rule))
                .map(document),
            cause_rule: self.cause.as_ref().map(|(rule, _)| (*rule).to_owned()),
            cause_target: self.cause.as_ref().map(|(_, target)| target.clone()),
            opened_at: self.opened_at,
            confirmed_at: self.confirmed_at,
            seen_at: self.seen_at,
            unknown_since: self.unknown_since,
            resolved_at,
            occurrences: self.occurrences,
        }
    }
}
