//! Sets of record numbers, kept as sorted, disjoint, non-adjacent half-open ranges.
//!
//! A stream that is delivered in order is one range however long it is; each record that is deferred
//! out of order costs one more. As JSON a set is `[[from, to], …]` with `to` excluded.

use std::fmt;
use std::ops::Range;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A set of `u64`, see the [module](self).
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct RangeSet {
    // Sorted by start; no range is empty, and each ends before the next starts.
    ranges: Vec<(u64, u64)>,
}

impl RangeSet {
    /// Returns the empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// Adds every number of a range; an empty range changes nothing.
    pub fn insert(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        // All that touch the new range, neighbours included, melt into it.
        let from = self.ranges.partition_point(|r| r.1 < range.start);
        let to = self.ranges.partition_point(|r| r.0 <= range.end);
        let melted = if from < to {
            (
                range.start.min(self.ranges[from].0),
                range.end.max(self.ranges[to - 1].1),
            )
        } else {
            (range.start, range.end)
        };
        self.ranges.splice(from..to, [melted]);
    }

    /// Takes every number of a range out.
    pub fn remove(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let from = self.ranges.partition_point(|r| r.1 <= range.start);
        let to = self.ranges.partition_point(|r| r.0 < range.end);
        if from >= to {
            return;
        }
        let left = (self.ranges[from].0, range.start);
        let right = (range.end, self.ranges[to - 1].1);
        let rest = [left, right].into_iter().filter(|r| r.0 < r.1);
        self.ranges.splice(from..to, rest);
    }

    /// Returns whether a number is in the set.
    #[must_use]
    pub fn contains(&self, value: u64) -> bool {
        let at = self.ranges.partition_point(|r| r.1 <= value);
        self.ranges.get(at).is_some_and(|r| r.0 <= value)
    }

    /// Returns whether every number of another set is in this one.
    #[must_use]
    pub fn contains_all(&self, other: &Self) -> bool {
        other.iter().all(|range| {
            let at = self.ranges.partition_point(|r| r.1 <= range.start);
            self.ranges
                .get(at)
                .is_some_and(|r| r.0 <= range.start && range.end <= r.1)
        })
    }

    /// Returns the union.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let (mut big, small) = if self.ranges.len() >= other.ranges.len() {
            (self.clone(), other)
        } else {
            (other.clone(), self)
        };
        for range in small.iter() {
            big.insert(range);
        }
        big
    }

    /// Returns the numbers of this set that are not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        let mut j = 0;
        for &(mut start, end) in &self.ranges {
            while j < other.ranges.len() && other.ranges[j].1 <= start {
                j += 1;
            }
            let mut k = j;
            while start < end {
                match other.ranges.get(k) {
                    Some(&(from, to)) if from < end => {
                        if start < from {
                            ranges.push((start, from));
                        }
                        start = start.max(to);
                        k += 1;
                    }
                    _ => {
                        ranges.push((start, end));
                        break;
                    }
                }
            }
        }
        Self { ranges }
    }

    /// Returns the intersection.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut i, mut j) = (0, 0);
        let mut ranges = Vec::new();
        while let (Some(&a), Some(&b)) = (self.ranges.get(i), other.ranges.get(j)) {
            let (start, end) = (a.0.max(b.0), a.1.min(b.1));
            if start < end {
                ranges.push((start, end));
            }
            if a.1 <= b.1 {
                i += 1;
            } else {
                j += 1;
            }
        }
        Self { ranges }
    }

    /// Returns the smallest number not below `from` that is not in the set.
    #[must_use]
    pub fn first_gap(&self, from: u64) -> u64 {
        let at = self.ranges.partition_point(|r| r.1 <= from);
        match self.ranges.get(at) {
            Some(&(start, end)) if start <= from => end,
            _ => from,
        }
    }

    /// Returns the smallest number in the set.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.ranges.first().map(|r| r.0)
    }

    /// Returns the largest number in the set.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.ranges.last().map(|r| r.1 - 1)
    }

    /// Returns the smallest number in the set that is not below `from`.
    #[must_use]
    pub fn next_from(&self, from: u64) -> Option<u64> {
        let at = self.ranges.partition_point(|r| r.1 <= from);
        self.ranges.get(at).map(|r| r.0.max(from))
    }

    /// Returns the number of elements.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|r| r.1 - r.0).sum()
    }

    /// Returns whether the set is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Returns the number of ranges: its size in memory and as JSON.
    #[must_use]
    pub const fn range_count(&self) -> usize {
        self.ranges.len()
    }

    /// Returns the ranges in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Range<u64>> + ExactSizeIterator + '_ {
        self.ranges.iter().map(|r| r.0..r.1)
    }
}

impl From<Range<u64>> for RangeSet {
    fn from(range: Range<u64>) -> Self {
        Self::from_iter([range])
    }
}

impl FromIterator<Range<u64>> for RangeSet {
    fn from_iter<I: IntoIterator<Item = Range<u64>>>(ranges: I) -> Self {
        let mut set = Self::new();
        for range in ranges {
            set.insert(range);
        }
        set
    }
}

impl fmt::Debug for RangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for RangeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.ranges)
    }
}

impl<'de> Deserialize<'de> for RangeSet {
    /// Accepts ranges in any order; refuses one that ends before it starts.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ranges;
        impl<'de> Visitor<'de> for Ranges {
            type Value = RangeSet;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of [from, to] pairs")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RangeSet, A::Error> {
                let mut set = RangeSet::new();
                while let Some((from, to)) = seq.next_element::<(u64, u64)>()? {
                    if from > to {
                        return Err(A::Error::custom(format_args!(
                            "range [{from}, {to}] ends before it starts"
                        )));
                    }
                    set.insert(from..to);
                }
                Ok(set)
            }
        }
        deserializer.deserialize_seq(Ranges)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Small numbers, so that ranges meet often.
    fn ranges() -> impl Strategy<Value = Vec<(bool, Range<u64>)>> {
        let range = (0u64..60, 0u64..12).prop_map(|(from, len)| from..from + len);
        proptest::collection::vec((proptest::bool::weighted(0.7), range), 0..24)
    }

    fn build(steps: &[(bool, Range<u64>)]) -> (RangeSet, BTreeSet<u64>) {
        let (mut set, mut model) = (RangeSet::new(), BTreeSet::new());
        for (add, range) in steps {
            if *add {
                set.insert(range.clone());
                model.extend(range.clone());
            } else {
                set.remove(range.clone());
                model.retain(|value| !range.contains(value));
            }
        }
        (set, model)
    }

    fn values(set: &RangeSet) -> BTreeSet<u64> {
        set.iter().flatten().collect()
    }

    fn assert_canonical(set: &RangeSet) {
        assert!(set.ranges.iter().all(|r| r.0 < r.1), "{set:?}");
        assert!(set.ranges.windows(2).all(|w| w[0].1 < w[1].0), "{set:?}");
    }

    proptest! {
        #[test]
        fn behaves_as_a_set(a in ranges(), b in ranges()) {
            let (set, model) = build(&a);
            let (other, other_model) = build(&b);
            for (ours, theirs) in [
                (set.clone(), model.clone()),
                (set.union(&other), &model | &other_model),
                (set.difference(&other), &model - &other_model),
                (set.intersection(&other), &model & &other_model),
            ] {
                assert_canonical(&ours);
                prop_assert_eq!(values(&ours), theirs);
            }
            prop_assert_eq!(set.len(), model.len() as u64);
            prop_assert_eq!(set.first(), model.first().copied());
            prop_assert_eq!(set.last(), model.last().copied());
            prop_assert_eq!(set.contains_all(&other), other_model.is_subset(&model));
            for value in 0..75 {
                prop_assert_eq!(set.contains(value), model.contains(&value));
                let gap = (value..).find(|v| !model.contains(v));
                prop_assert_eq!(Some(set.first_gap(value)), gap);
                prop_assert_eq!(set.next_from(value), model.range(value..).next().copied());
            }
            let json = serde_json::to_string(&set).expect("serialises");
            prop_assert_eq!(serde_json::from_str::<RangeSet>(&json).expect("parses"), set);
        }
    }

    #[test]
    fn json_is_an_array_of_pairs() {
        let set = RangeSet::from_iter([5..7, 1..3]);
        let json = serde_json::to_string(&set).expect("serialises");
        assert_eq!(json, "[[1,3],[5,7]]");
        assert!(serde_json::from_str::<RangeSet>("[[3,1]]").is_err());
        let melted: RangeSet = serde_json::from_str("[[3,5],[1,3],[9,9]]").expect("parses");
        assert_eq!(melted, RangeSet::from(1..5));
    }

    #[test]
    fn the_largest_range_fits() {
        let mut set = RangeSet::from(0..u64::MAX);
        set.remove(7..8);
        assert_eq!(set.len(), u64::MAX - 1);
        assert_eq!(set.first_gap(0), 7);
    }
}
