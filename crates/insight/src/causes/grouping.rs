//! Which findings belong together: what is linked and near in time.
//!
//! Findings of one part are one observation, a [`Bundle`]. Two bundles are linked if one part leads to the other, or if one has
//! usually preceded the other on this host, and they began within ten minutes of each other. What is linked directly or
//! through others is a component: one cause may explain it. What is not linked has another cause, unless more begins within
//! the window than chance makes.

use super::chance::{self, Size, WINDOW_SECS};
use super::history::History;
use super::onset::Onset;
use super::structure::{Part, subject};
use schema::micros::SECOND;

const WINDOW: i64 = WINDOW_SECS * SECOND;

/// A finding that may belong to an incident.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// Its place among the standing findings.
    pub(super) place: usize,
    pub(super) rule: &'static str,
    pub(super) onset: Onset,
    pub(super) is_problem: bool,
    /// Whether when it began is known well enough to say that it began with others.
    pub(super) is_measured: bool,
}

/// The findings of one part.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    pub(super) part: Part,
    pub(super) subjects: Vec<&'static str>,
    /// From the first beginning to the last.
    pub(super) span: Onset,
    pub(super) has_problem: bool,
    pub(super) is_measured: bool,
    pub(super) places: Vec<usize>,
}

/// Returns the bundles of findings, in the order of their beginnings.
pub(super) fn bundles(candidates: &[Candidate]) -> Vec<Bundle> {
    let mut bundles: Vec<Bundle> = Vec::new();
    for one in candidates {
        let part = Part::of(one.rule);
        let subject = subject(one.rule);
        match bundles.iter_mut().find(|bundle| bundle.part == part) {
            Some(bundle) => {
                bundle.span.earliest = bundle.span.earliest.min(one.onset.earliest);
                bundle.span.latest = bundle.span.latest.max(one.onset.latest);
                bundle.has_problem |= one.is_problem;
                bundle.is_measured |= one.is_measured;
                bundle.places.push(one.place);
                if !bundle.subjects.contains(&subject) {
                    bundle.subjects.push(subject);
                }
            }
            None => bundles.push(Bundle {
                part,
                subjects: vec![subject],
                span: one.onset,
                has_problem: one.is_problem,
                is_measured: one.is_measured,
                places: vec![one.place],
            }),
        }
    }
    bundles.sort_by_key(|bundle| (bundle.span.earliest, bundle.part));
    bundles
}

/// Returns whether two bundles are linked.
fn is_linked(one: &Bundle, other: &Bundle, history: &History, now: i64) -> bool {
    one.span.distance(other.span) <= WINDOW
        && (one.part.is_linked(other.part) || has_preceded(one, other, history, now))
}

/// Returns whether one of two bundles has usually preceded the other.
fn has_preceded(one: &Bundle, other: &Bundle, history: &History, now: i64) -> bool {
    let pairs = one
        .subjects
        .iter()
        .flat_map(|a| other.subjects.iter().map(move |b| (*a, *b)));
    pairs.into_iter().any(|(a, b)| {
        let precedes = |a, b| history.precedence(a, b, now).is_some();
        precedes(a, b) || precedes(b, a)
    })
}

/// Returns the components of bundles, as places in the slice.
pub(super) fn components(bundles: &[Bundle], history: &History, now: i64) -> Vec<Vec<usize>> {
    let mut components: Vec<Vec<usize>> = Vec::new();
    let mut is_taken = vec![false; bundles.len()];
    for first in 0..bundles.len() {
        if is_taken[first] {
            continue;
        }
        is_taken[first] = true;
        let mut component = vec![first];
        let mut next = 0;
        while let Some(from) = component.get(next).copied() {
            next += 1;
            for to in 0..bundles.len() {
                if !is_taken[to] && is_linked(&bundles[from], &bundles[to], history, now) {
                    is_taken[to] = true;
                    component.push(to);
                }
            }
        }
        component.sort_unstable();
        components.push(component);
    }
    components
}

/// Returns the places of the findings that began together and not by chance: of the greatest linked group, or of all that began
/// within a window. None where nothing did.
pub(super) fn together(
    candidates: &[Candidate],
    history: &History,
    now: i64,
) -> Option<Vec<usize>> {
    let measured: Vec<Candidate> = candidates
        .iter()
        .copied()
        .filter(|one| one.is_measured)
        .collect();
    let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
    let rates = history.rates(now);
    for cluster in clusters(measured) {
        let bundles = bundles(&cluster);
        let components = components(&bundles, history, now);
        for component in &components {
            let of: Vec<&Bundle> = component.iter().map(|at| &bundles[*at]).collect();
            let parts: Vec<Part> = of.iter().map(|one| one.part).collect();
            let size = Size {
                share: history.linked_share(&parts, now),
                ..size_of(&of, of.iter().map(|one| one.has_problem))
            };
            if chance::is_unlikely(size, rates) || is_known(&of, history, now) {
                groups.push((of.len(), places(&of)));
            }
        }
        groups.extend(mass(&bundles, &components, history, now));
    }
    let greatest = groups
        .into_iter()
        .reduce(|best, one| if one.0 > best.0 { one } else { best });
    greatest.map(|(_, places)| places)
}

/// Returns whether some of these have usually come after each other: that they do again is no chance.
fn is_known(of: &[&Bundle], history: &History, now: i64) -> bool {
    of.iter().enumerate().any(|(at, one)| {
        let others = of.iter().skip(at + 1);
        others
            .filter(|other| one.span.distance(other.span) <= WINDOW)
            .any(|other| has_preceded(one, other, history, now))
    })
}

/// Returns what began within one window, if that is more causes than chance would make.
fn mass(
    bundles: &[Bundle],
    components: &[Vec<usize>],
    history: &History,
    now: i64,
) -> Option<(usize, Vec<usize>)> {
    // The first bundle of a component is its first one in time.
    let first = |component: &Vec<usize>| component.first().map(|at| &bundles[*at]);
    let starts = components.iter().filter_map(first);
    for start in starts {
        let is_near = |component: &&Vec<usize>| {
            first(component).is_some_and(|one| {
                one.span.earliest >= start.span.earliest && one.span.distance(start.span) <= WINDOW
            })
        };
        let near: Vec<&Vec<usize>> = components.iter().filter(is_near).collect();
        let has_problem = near
            .iter()
            .map(|component| component.iter().any(|at| bundles[*at].has_problem));
        let of: Vec<&Bundle> = near
            .iter()
            .flat_map(|one| one.iter().map(|at| &bundles[*at]))
            .collect();
        let size = Size {
            parts: near.len(),
            ..size_of(&of, has_problem)
        };
        if chance::is_unlikely(size, history.rates(now)) {
            return Some((of.len(), places(&of)));
        }
    }
    None
}

fn size_of(bundles: &[&Bundle], has_problem: impl Iterator<Item = bool>) -> Size {
    let from = bundles.iter().map(|one| one.span.earliest).min();
    let to = bundles.iter().map(|one| one.span.latest).max();
    let span = to.zip(from).map_or(0, |(to, from)| to - from);
    #[expect(clippy::cast_precision_loss, reason = "a span is far below 2^53 µs")]
    Size {
        parts: bundles.len(),
        of_problems: has_problem.filter(|has| *has).count(),
        secs: span as f64 / 1e6,
        share: 1.0,
    }
}

fn places(bundles: &[&Bundle]) -> Vec<usize> {
    bundles
        .iter()
        .flat_map(|one| one.places.iter().copied())
        .collect()
}

/// Returns what began within ten minutes of something else of the same cluster.
fn clusters(mut candidates: Vec<Candidate>) -> Vec<Vec<Candidate>> {
    candidates.sort_by_key(|one| (one.onset.earliest, one.place));
    let mut clusters: Vec<Vec<Candidate>> = Vec::new();
    let mut until = i64::MIN;
    for one in candidates {
        match clusters.last_mut() {
            Some(cluster) if one.onset.earliest.saturating_sub(until) <= WINDOW => {
                cluster.push(one)
            }
            _ => clusters.push(vec![one]),
        }
        until = until.max(one.onset.latest);
    }
    clusters
}

/// Returns the places of the candidates that join an incident with these bundles: what is linked with it, and what else began
/// meanwhile, if that is more than chance makes.
pub(super) fn joining(
    incident: &[Bundle],
    candidates: &[Candidate],
    history: &History,
    now: i64,
) -> Vec<usize> {
    let mut own = incident.to_vec();
    // What a part had hours ago is another trouble of it.
    let clusters = clusters(candidates.to_vec()).into_iter();
    let mut rest: Vec<Bundle> = clusters.flat_map(|cluster| bundles(&cluster)).collect();
    let mut joined = Vec::new();
    loop {
        let (linked, others): (Vec<Bundle>, Vec<Bundle>) = rest
            .into_iter()
            .partition(|one| own.iter().any(|of| is_linked(of, one, history, now)));
        rest = others;
        if linked.is_empty() {
            break;
        }
        joined.extend(linked.iter().flat_map(|one| one.places.iter().copied()));
        own.extend(linked);
    }
    let is_near = |one: &Bundle| own.iter().any(|of| of.span.distance(one.span) <= WINDOW);
    let near: Vec<Bundle> = rest
        .into_iter()
        .filter(|one| one.is_measured && is_near(one))
        .collect();
    let causes = components(&near, history, now).len();
    let all: Vec<&Bundle> = own.iter().collect();
    let secs = size_of(&all, std::iter::empty()).secs;
    if chance::would_join(causes, secs, history.rates(now)) {
        joined.extend(near.iter().flat_map(|one| one.places.iter().copied()));
    }
    joined
}
