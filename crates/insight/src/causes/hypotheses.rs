//! What may be the cause of an incident: each part of it, ranked by the evidence that there is.
//!
//! | evidence | points |
//! |---|---|
//! | the system's structure leads from it to another part, through parts that take part | [`LEADS`] for each |
//! | it has usually preceded another part on this host | [`PRECEDED`] for each |
//! | it began before another part, beyond doubt | [`BEFORE`] for each |
//! | another part began before it, beyond doubt | [`AFTER`] for each |
//!
//! What began first is not the cause of what it cannot reach, so structure weighs most; and an effect does not begin before
//! its cause, so that weighs against it and takes the structure's word. Between equals the lower layer of the system is first. A
//! change of what is concerned, just before the first of them, comes before all.

use super::change::{self, Changes};
use super::history::History;
use super::incident::Member;
use super::onset::{Onset, between};
use super::structure::Part;
use std::collections::HashSet;

/// Points of each kind of evidence.
const LEADS: i32 = 3;
const PRECEDED: i32 = 2;
const BEFORE: i32 = 1;
const AFTER: i32 = -2;
/// Most hypotheses that are listed.
const LISTED: usize = 3;
/// Most parts that a sentence names.
const NAMED: usize = 3;

/// A possible cause.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hypothesis {
    /// What it is, in a sentence.
    pub(super) says: String,
    /// Rule and target of the finding; `None` of a change.
    pub(super) of: Option<(&'static str, String)>,
    /// When it began, at the latest.
    pub(super) since: i64,
    /// Why it may be the cause.
    pub(super) evidence: Vec<String>,
    /// What to do.
    pub(super) steps: Vec<String>,
    pub(super) command: Option<String>,
    pub(super) action_sql: Option<String>,
    pub(super) points: i32,
    /// Whether something follows from it, by the structure or by what usually precedes what; what only began first may have
    /// nothing to do with the others.
    pub(super) is_likely: bool,
    /// The parts that follow from it, its own among them; what is of another only began at the time.
    pub(super) explains: Vec<Part>,
}

/// A part of an incident, by the member that shows it best.
struct Seen<'a> {
    part: Part,
    onset: Onset,
    member: &'a Member,
    subjects: Vec<&'static str>,
}

impl Seen<'_> {
    fn name(&self) -> String {
        match self.part {
            Part::Own(_) => words::within_sentence(&self.member.title),
            part => part.name().to_owned(),
        }
    }
}

/// Returns the hypotheses of an incident, the best first, at least one.
pub(super) fn rank(
    members: &[Member],
    history: &History,
    changes: &Changes,
    now: i64,
) -> Vec<Hypothesis> {
    let seen = parts(members);
    let mut ranked: Vec<(&Seen<'_>, Hypothesis)> = seen
        .iter()
        .map(|one| (one, of_part(one, &seen, history, now)))
        .collect();
    ranked.sort_by_key(|(one, hypothesis)| (-hypothesis.points, one.part, one.onset.earliest));
    let first = seen.iter().min_by_key(|one| (one.onset.latest, one.part));
    let changed = first.and_then(|first| of_change(first, members, &mut ranked, changes));
    let mut hypotheses: Vec<Hypothesis> = ranked.into_iter().map(|(_, one)| one).collect();
    match changed {
        Some((true, change)) => hypotheses.insert(0, change),
        Some((false, change)) => hypotheses.insert(hypotheses.len().min(1), change),
        None => {}
    }
    hypotheses.truncate(LISTED);
    hypotheses
}

/// Returns the parts of an incident, in the order in which they began.
fn parts(members: &[Member]) -> Vec<Seen<'_>> {
    let mut seen: Vec<Seen<'_>> = Vec::new();
    for member in members {
        let subject = super::structure::subject(member.rule);
        let Some(known) = seen.iter_mut().find(|one| one.part == member.part) else {
            seen.push(Seen {
                part: member.part,
                onset: member.onset,
                member,
                subjects: vec![subject],
            });
            continue;
        };
        if !known.subjects.contains(&subject) {
            known.subjects.push(subject);
        }
        // It began when the first of them did. A threshold shows more than what is unusual.
        if member.onset.latest < known.onset.latest {
            known.onset = member.onset;
        }
        let rank = |one: &Member| (one.severity, !one.is_unusual());
        if rank(member) > rank(known.member) {
            known.member = member;
        }
    }
    seen.sort_by_key(|one| (one.onset.latest, one.part));
    seen
}

/// Returns a part as the cause of the others.
fn of_part(one: &Seen<'_>, all: &[Seen<'_>], history: &History, now: i64) -> Hypothesis {
    let others = || all.iter().filter(|other| other.part != one.part);
    let before: Vec<&Seen<'_>> = others()
        .filter(|other| one.onset.is_before(other.onset))
        .collect();
    let after = others()
        .filter(|other| other.onset.is_before(one.onset))
        .count();
    let led_to: Vec<&Seen<'_>> = led_to(one, all);
    let preceded = others().filter_map(|other| {
        let found = one
            .subjects
            .iter()
            .flat_map(|a| other.subjects.iter().map(move |b| (*a, *b)))
            .filter_map(|(a, b)| history.precedence(a, b, now))
            .max_by_key(|found| found.times)?;
        (!other.onset.is_before(one.onset)).then_some((other, found))
    });
    let preceded: Vec<_> = preceded.collect();
    let count = |items: usize| i32::try_from(items).unwrap_or(i32::MAX / 8);
    let points = LEADS * count(led_to.len())
        + PRECEDED * count(preceded.len())
        + BEFORE * count(before.len())
        + AFTER * count(after);
    let is_likely = points > 0 && led_to.len() + preceded.len() > 0;
    let followers = led_to.iter().copied();
    let mut explains: Vec<Part> = followers
        .chain(preceded.iter().map(|(other, _)| *other))
        .map(|other| other.part)
        .chain([one.part])
        .collect();
    explains.sort_unstable();
    explains.dedup();
    let mut evidence = Vec::new();
    let is_first = before.len() + 1 == all.len();
    match before.iter().min_by_key(|other| other.onset.earliest) {
        Some(next) if is_first => evidence.push(format!(
            "began first, {} before {}",
            between(one.onset.until(next.onset)),
            next.name()
        )),
        Some(_) => evidence.push(format!(
            "began before {} of {} others",
            before.len(),
            all.len() - 1
        )),
        // When each began is known to some seconds or minutes only.
        None if after == 0 => evidence.push("may have begun as early as any other".to_owned()),
        None => evidence.push(format!("began after {after} of {} others", all.len() - 1)),
    }
    if let Some(why) = led_to.iter().find_map(|other| one.part.edge_to(other.part)) {
        let names: Vec<String> = led_to.iter().map(|other| other.name()).collect();
        evidence.push(format!("{}, which explains {}", why.why, listed(&names)));
    }
    for (other, found) in preceded {
        let (name, times, of) = (other.name(), found.times, found.of);
        evidence.push(format!(
            "it preceded {name} {times} of {of} times on this host"
        ));
    }
    let member = one.member;
    Hypothesis {
        says: member.says.clone(),
        of: Some((member.rule, member.target.clone())),
        since: one.onset.latest,
        evidence,
        steps: member.steps.clone(),
        command: member.command.clone(),
        action_sql: member.action_sql.clone(),
        points,
        is_likely,
        explains,
    }
}

/// Returns the parts that the structure leads to from one, through others that take part, unless they began before it.
fn led_to<'a, 'b>(one: &Seen<'_>, all: &'a [Seen<'b>]) -> Vec<&'a Seen<'b>> {
    let mut reached: Vec<&Seen<'b>> = Vec::new();
    let mut seen: HashSet<Part> = HashSet::from([one.part]);
    let mut from = vec![one.part];
    while let Some(part) = from.pop() {
        for other in all {
            let is_led_to = part.edge_to(other.part).is_some() && !other.onset.is_before(one.onset);
            if is_led_to && seen.insert(other.part) {
                reached.push(other);
                from.push(other.part);
            }
        }
    }
    // Direct effects first, so that the reason is that of one of them.
    reached.sort_by_key(|other| (one.part.edge_to(other.part).is_none(), other.part));
    reached
}

/// Returns the change before the first of them, and whether it concerns one of them. It is evidence of that one, too.
fn of_change(
    first: &Seen<'_>,
    members: &[Member],
    ranked: &mut [(&Seen<'_>, Hypothesis)],
    changes: &Changes,
) -> Option<(bool, Hypothesis)> {
    let concerns = |change: &store::changes::Change| {
        let is_about = |member: &&Member| change::is_about(change, member.domain, &member.target);
        members.iter().find(is_about)
    };
    let found = changes.before(first.onset, |change| concerns(change).is_some())?;
    let about = concerns(found);
    let evidence = change::evidence(found, first.onset);
    let part = about.map_or(first.part, |member| member.part);
    let known = ranked.iter_mut().find(|(one, _)| one.part == part);
    if let Some((_, hypothesis)) = known {
        hypothesis.evidence.push(evidence);
    }
    let best = ranked.first().map(|(_, best)| best)?;
    let mut steps = vec![
        "See what came with this change, and take it back if that ends the problem.".to_owned(),
    ];
    steps.extend(best.steps.iter().cloned());
    let after = between((
        (first.onset.earliest - found.at.as_micros()).max(0),
        first.onset.latest - found.at.as_micros(),
    ));
    let why = match about {
        Some(_) => format!("{} began {after} after it, which it concerns", first.name()),
        None => format!(
            "it is the last change before {}, {after} earlier",
            first.name()
        ),
    };
    let hypothesis = Hypothesis {
        says: change::sentence(found),
        of: None,
        since: found.at.as_micros(),
        evidence: vec![why],
        steps,
        command: best.command.clone(),
        action_sql: best.action_sql.clone(),
        points: if about.is_some() { best.points } else { BEFORE },
        is_likely: about.is_some(),
        explains: members.iter().map(|member| member.part).collect(),
    };
    Some((about.is_some(), hypothesis))
}

/// Returns names in a sentence: `a, b and 2 more`.
fn listed(names: &[String]) -> String {
    let shown = names.get(..names.len().min(NAMED)).unwrap_or_default();
    match (shown, names.len() - shown.len()) {
        ([], _) => String::new(),
        ([one], 0) => one.clone(),
        ([most @ .., last], 0) => format!("{} and {last}", most.join(", ")),
        (shown, more) => format!("{} and {more} more", shown.join(", ")),
    }
}
