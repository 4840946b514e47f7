//! One problem: findings that began together, the hypotheses of their cause, and how both are stored.
//!
//! The details of the finding are its whole state, so that a restart continues it from what the database has.

use super::hypotheses::Hypothesis;
use super::onset::Onset;
use super::structure::Part;
use crate::lifecycle::{Lifecycle, Standing};
use schema::{Severity, Timestamp};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Longest sentence of a member, characters.
const LONGEST: usize = 300;

/// A finding that belongs to an incident.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) rule: &'static str,
    pub(super) target: String,
    pub(super) part: Part,
    pub(super) domain: &'static str,
    pub(super) onset: Onset,
    /// Whether it is over.
    pub(super) has_ended: bool,
    pub(super) severity: Severity,
    pub(super) title: String,
    /// The condition with its figures.
    pub(super) says: String,
    pub(super) steps: Vec<String>,
    pub(super) command: Option<String>,
    pub(super) action_sql: Option<String>,
}

impl Member {
    pub(super) fn new(standing: &Standing<'_>, onset: Onset) -> Self {
        let finding = standing.finding;
        let mut member = Self {
            rule: finding.rule,
            target: finding.target.clone(),
            part: Part::of(finding.rule),
            domain: finding.domain,
            onset,
            has_ended: false,
            severity: finding.severity,
            title: String::new(),
            says: String::new(),
            steps: Vec::new(),
            command: None,
            action_sql: None,
        };
        member.follow(standing);
        member
    }

    /// Takes what is known of it now. After a restart its texts come with the next sample.
    pub(super) fn follow(&mut self, standing: &Standing<'_>) {
        let finding = standing.finding;
        self.severity = finding.severity;
        self.title.clone_from(&finding.title);
        if !finding.message.is_empty() {
            self.says = words::cut(finding.message.trim_end_matches('.'), LONGEST);
        }
        if !finding.steps.is_empty() {
            self.steps.clone_from(&finding.steps);
            self.command.clone_from(&finding.command);
            self.action_sql.clone_from(&finding.action_sql);
        }
    }

    pub(super) fn is(&self, rule: &str, target: &str) -> bool {
        self.rule == rule && self.target == target
    }

    pub(super) fn is_unusual(&self) -> bool {
        self.rule.starts_with("unusual.")
    }

    fn document(&self, is_whole: bool) -> Value {
        let mut document = json!({
            "rule": self.rule, "target": self.target, "ended": self.has_ended,
            "from_us": self.onset.earliest, "to_us": self.onset.latest,
        });
        if is_whole && let Value::Object(fields) = &mut document {
            fields.extend([
                ("severity".to_owned(), json!(self.severity.as_str())),
                ("title".to_owned(), json!(self.title)),
                ("says".to_owned(), json!(self.says)),
                ("steps".to_owned(), json!(self.steps)),
                ("command".to_owned(), json!(self.command)),
                ("action_sql".to_owned(), json!(self.action_sql)),
            ]);
        }
        document
    }

    /// Parses what [`Member::document`] returned. `None` when this version has no such rule.
    fn parse(document: &Value, lifecycle: &Lifecycle) -> Option<Self> {
        let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        let rule = lifecycle.rule(document["rule"].as_str()?)?;
        let steps = document["steps"].as_array().into_iter().flatten();
        Some(Self {
            rule: rule.id,
            target: text("target"),
            part: Part::of(rule.id),
            domain: rule.domain,
            onset: Onset {
                earliest: document["from_us"].as_i64()?,
                latest: document["to_us"].as_i64()?,
            },
            has_ended: document["ended"].as_bool().unwrap_or_default(),
            severity: Severity::parse(&text("severity")).unwrap_or(Severity::Info),
            title: Some(text("title"))
                .filter(|title| !title.is_empty())
                .unwrap_or_else(|| rule.title.to_owned()),
            says: text("says"),
            steps: steps
                .filter_map(|step| Some(step.as_str()?.to_owned()))
                .collect(),
            command: document["command"].as_str().map(str::to_owned),
            action_sql: document["action_sql"].as_str().map(str::to_owned),
        })
    }
}

/// Findings that began together.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Incident {
    /// Its target: when it was found.
    pub(super) target: String,
    /// When it was found, microseconds.
    pub(super) found_at: i64,
    pub(super) members: Vec<Member>,
}

impl Incident {
    /// Begins without members.
    pub(super) fn new(at: Timestamp) -> Self {
        let instant = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
        Self {
            target: instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            found_at: at.as_micros(),
            members: Vec::new(),
        }
    }

    /// Continues what a finding of the database has.
    pub(super) fn parse(standing: &Standing<'_>, lifecycle: &Lifecycle) -> Self {
        let finding = standing.finding;
        let details = finding.details.as_deref().unwrap_or_default();
        let details: Value = serde_json::from_str(details).unwrap_or_default();
        let members = details["members"].as_array().into_iter().flatten();
        Self {
            target: finding.target.clone(),
            found_at: details["found_us"]
                .as_i64()
                .unwrap_or_else(|| standing.opened_at.as_micros()),
            members: members
                .filter_map(|one| Member::parse(one, lifecycle))
                .collect(),
        }
    }

    pub(super) fn has(&self, rule: &str, target: &str) -> bool {
        self.members.iter().any(|one| one.is(rule, target))
    }

    /// Returns the members that have not ended.
    pub(super) fn standing(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|one| !one.has_ended)
    }

    /// Returns when the first of them was seen.
    pub(super) fn since(&self) -> Timestamp {
        let first = self.members.iter().map(|one| one.onset.latest).min();
        Timestamp(first.unwrap_or(self.found_at))
    }

    /// Returns the condition: what the cause is likely to be, of how many problems, and how many only began at the time.
    pub(super) fn message(&self, hypotheses: &[Hypothesis]) -> String {
        let all = self.members.len();
        match hypotheses.first() {
            Some(best) if best.is_likely => {
                let explained = |one: &&Member| best.explains.contains(&one.part);
                let explained = self.members.iter().filter(explained).count();
                let (count, more) = match best.of {
                    Some(_) => (explained.saturating_sub(1), "more "),
                    None => (explained, ""),
                };
                let noun = words::counted(count, &format!("{more}problem"));
                let others = match all - explained {
                    0 => String::new(),
                    1 => "; 1 other began at the time".to_owned(),
                    others => format!("; {others} others began at the time"),
                };
                format!("{}, likely cause of {noun}{others}", best.says)
            }
            Some(best) => format!(
                "{} began together, cause unknown; the first: {}",
                words::counted(all, "problem"),
                words::within_sentence(&best.says)
            ),
            None => format!("{} began together", words::counted(all, "problem")),
        }
    }

    /// Returns the details of its finding.
    pub(super) fn details(&self, hypotheses: &[Hypothesis]) -> String {
        // One member of each part has its texts: the others would repeat them.
        let mut shown: HashSet<Part> = HashSet::new();
        let mut ranked: Vec<&Member> = self.members.iter().collect();
        ranked.sort_by_key(|one| (one.onset.latest, std::cmp::Reverse(one.severity)));
        let members: Vec<Value> = ranked
            .into_iter()
            .map(|one| one.document(shown.insert(one.part)))
            .collect();
        let listed: Vec<Value> = hypotheses.iter().map(document).collect();
        let cause = hypotheses.first().map(|best| sentence(&best.evidence));
        json!({
            "cause": cause, "hypotheses": listed, "members": members, "found_us": self.found_at,
        })
        .to_string()
    }
}

fn document(one: &Hypothesis) -> Value {
    json!({
        "says": one.says,
        "rule": one.of.as_ref().map(|(rule, _)| rule),
        "target": one.of.as_ref().map(|(_, target)| target),
        "since_ms": Timestamp(one.since).as_millis(),
        "evidence": one.evidence,
        "step": one.steps.first(),
    })
}

/// Returns clauses as a sentence.
fn sentence(clauses: &[String]) -> String {
    let joined = clauses.join("; ");
    let mut letters = joined.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => joined,
    }
}
