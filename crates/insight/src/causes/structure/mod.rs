//! How the parts of a system depend on each other, as data.
//!
//! A [`Part`] is a family of rules that show the same trouble: of one part any number of findings is one observation. An
//! [`Edge`] leads from a part to one that suffers from it. A rule that no part names is a part by itself, without edges.
//!
//! The parts are in the order of a system's layers, from resources to what users see: where nothing else decides, the lower
//! layer is the likelier cause.

mod edges;
mod parts;

use edges::EDGES;
use parts::PARTS;

/// A part of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    Stall,
    Traffic,
    BusyProcess,
    Cpu,
    LargeProcess,
    Memory,
    OutOfMemory,
    DiskSpace,
    ReadOnly,
    Disk,
    Load,
    Files,
    Network,
    ProcessGone,
    ServerDown,
    LongTransactions,
    Locks,
    Vacuum,
    Writing,
    CommitTime,
    Archiving,
    DatabaseReads,
    ReplicationLag,
    RetainedWal,
    Connections,
    Queries,
    TargetDown,
    ApiSlow,
    ApiErrors,
    ProxySlow,
    ProxyErrors,
    Objectives,
    Delivery,
    Lines,
    /// A rule that belongs to no other part.
    Own(&'static str),
}

/// What leads to what.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) cause: Part,
    pub(super) effects: &'static [Part],
    /// Why, in a sentence.
    pub(super) why: &'static str,
}

impl Part {
    /// Returns the part of a rule: that of its metric, if it is about one.
    pub(super) fn of(rule: &'static str) -> Self {
        let subject = subject(rule);
        let known = PARTS.iter().find(|(.., rules)| rules.contains(&subject));
        known.map_or(Self::Own(subject), |(part, ..)| *part)
    }

    /// Returns its name in a sentence.
    pub(super) fn name(self) -> &'static str {
        let known = PARTS.iter().find(|(part, ..)| *part == self);
        known.map_or("what began with it", |(_, name, _)| name)
    }

    /// Returns the edge that leads from this part to another one.
    pub(super) fn edge_to(self, effect: Self) -> Option<&'static Edge> {
        EDGES
            .iter()
            .find(|edge| edge.cause == self && edge.effects.contains(&effect))
    }

    /// Returns whether one of the two leads to the other.
    pub(super) fn is_linked(self, other: Self) -> bool {
        self == other || self.edge_to(other).is_some() || other.edge_to(self).is_some()
    }
}

/// Returns what a rule is about: its metric, or the rule itself.
pub(super) fn subject(rule: &'static str) -> &'static str {
    rule.strip_prefix("unusual.").unwrap_or(rule)
}

/// Returns the share of pairs of different parts that are linked: how often two findings without any relation would
/// look as if they had one.
pub(super) fn linked_share() -> f64 {
    static SHARE: std::sync::LazyLock<f64> = std::sync::LazyLock::new(|| {
        let parts: Vec<Part> = PARTS.iter().map(|(part, ..)| *part).collect();
        let pairs = parts.iter().enumerate().flat_map(|(at, one)| {
            parts
                .iter()
                .skip(at + 1)
                .map(move |other| one.is_linked(*other))
        });
        let (all, linked) = pairs.fold((0.0, 0.0), |(all, linked), is_linked| {
            (all + 1.0, linked + f64::from(u8::from(is_linked)))
        });
        linked / all
    });
    *SHARE
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_rule_of_a_part_exists_once_and_every_part_has_an_edge() {
        let rules: HashSet<&str> = crate::rules().map(|rule| subject(rule.id)).collect();
        let mut seen = HashSet::new();
        let all = || PARTS.iter().flat_map(|(.., ids)| *ids);
        let unknown: Vec<_> = all().filter(|id| !rules.contains(*id)).collect();
        assert!(unknown.is_empty(), "no rules: {unknown:?}");
        for (part, name, ids) in PARTS {
            assert!(!name.is_empty() && !ids.is_empty());
            for id in *ids {
                assert!(seen.insert(id), "{id} is in two parts");
                assert_eq!(Part::of(id), *part);
            }
            let has_edge = EDGES
                .iter()
                .any(|edge| edge.cause == *part || edge.effects.contains(part));
            assert!(has_edge, "{part:?}");
        }
        for edge in EDGES {
            let known = |part: &Part| PARTS.iter().any(|(one, ..)| one == part);
            assert!(known(&edge.cause) && edge.effects.iter().all(known));
            assert!(!edge.effects.contains(&edge.cause), "{:?}", edge.cause);
        }
        let causes: HashSet<Part> = EDGES.iter().map(|edge| edge.cause).collect();
        assert_eq!(causes.len(), EDGES.len(), "a part has two entries");
        assert!(
            linked_share() > 0.05 && linked_share() < 0.3,
            "{}",
            linked_share()
        );
    }

    #[test]
    fn what_is_unusual_belongs_to_the_part_of_its_metric() {
        assert_eq!(Part::of("unusual.api.p95_ms"), Part::ApiSlow);
        assert_eq!(Part::of("ssh_brute_force"), Part::Own("ssh_brute_force"));
    }
}
