//! Samples of many sources with one key, as the processes of one name, folded into the partials of each key.
//!
//! The rules are those of the statements of `series`: the sources of a key are added up at each instant, a counter is read as
//! steps from one sample of a source to the next, and partials are of the sums. A test compares both.

use std::collections::HashMap;

use schema::micros::HOUR;

use crate::series::slices::{IN_HOUR, SLICE};

/// The five figures of a metric (`series::partials`).
pub(super) type Five = [Option<f64>; 5];

/// What is known of a source.
#[derive(Debug)]
struct Source {
    key: usize,
    /// Instant of its last sample, microseconds, and its counters then.
    at: i64,
    counters: Vec<Option<f64>>,
}

/// A partial that grows.
#[derive(Clone, Copy, Debug)]
struct Partial {
    lo: f64,
    hi: f64,
    sum: f64,
    weight: f64,
    /// The last value and its instant.
    last: (i64, f64),
}

/// What is known of a key.
#[derive(Debug)]
struct Key {
    name: Option<String>,
    /// Sums at the present instant: of levels, then of rates; and the seconds of the longest step.
    sums: Vec<Option<f64>>,
    secs: f64,
    is_touched: bool,
    partials: Vec<Option<Partial>>,
    /// Of each metric, those of each slice of the hour.
    slices: Vec<Vec<Option<Partial>>>,
}

/// What the samples of a key make.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) name: Option<String>,
    /// The figures of each metric over the hour.
    pub(super) figures: Vec<Five>,
    /// The first four of each metric in each slice of the hour (`series::slices`).
    pub(super) slices: Vec<Vec<[Option<f64>; 4]>>,
}

/// Samples that are folded, in the order of their instants.
#[derive(Debug)]
pub(super) struct Folding {
    levels: usize,
    /// Factor of the rate of each counter.
    scales: Vec<f64>,
    /// Samples before this only begin steps, microseconds.
    from: i64,
    /// The longest step, seconds.
    longest: f64,
    at: i64,
    sources: HashMap<Vec<u8>, Source>,
    places: HashMap<Option<String>, usize>,
    keys: Vec<Key>,
    touched: Vec<usize>,
}

impl Folding {
    /// Begins with samples that have so many levels and then a counter for each of `scales`.
    pub(super) fn new(levels: usize, scales: Vec<f64>, from: i64, longest: f64) -> Self {
        Self {
            levels,
            scales,
            from,
            longest,
            at: i64::MIN,
            sources: HashMap::new(),
            places: HashMap::new(),
            keys: Vec::new(),
            touched: Vec::new(),
        }
    }

    /// Adds a sample, not older than the one before. `source` identifies its source, the key included.
    pub(super) fn add(
        &mut self,
        at: i64,
        source: &[u8],
        name: Option<&str>,
        values: &[Option<f64>],
    ) {
        if at != self.at {
            self.settle();
            self.at = at;
        }
        let (levels, counters) = values.split_at(self.levels.min(values.len()));
        let before = match self.sources.get_mut(source) {
            Some(known) => known,
            None => {
                let key = self.place(name);
                let new = Source {
                    key,
                    at,
                    counters: Vec::new(),
                };
                self.sources.entry(source.to_vec()).or_insert(new)
            }
        };
        let secs = seconds(at - before.at);
        let is_step = secs > 0.0 && secs <= self.longest;
        if at >= self.from {
            let place = before.key;
            let key = &mut self.keys[place];
            if !std::mem::replace(&mut key.is_touched, true) {
                self.touched.push(place);
            }
            for (sum, value) in key.sums.iter_mut().zip(levels) {
                add(sum, *value);
            }
            if is_step {
                key.secs = key.secs.max(secs);
                let steps = before.counters.iter().zip(counters).zip(&self.scales);
                for (sum, ((old, new), scale)) in key.sums[self.levels..].iter_mut().zip(steps) {
                    let rate = match (old, new) {
                        (Some(old), Some(new)) if new >= old => Some((new - old) / secs * scale),
                        _ => None,
                    };
                    add(sum, rate);
                }
            }
        }
        before.at = at;
        before.counters.clear();
        before.counters.extend_from_slice(counters);
    }

    fn place(&mut self, name: Option<&str>) -> usize {
        let name = name.map(str::to_owned);
        let (keys, metrics) = (&mut self.keys, self.levels + self.scales.len());
        *self.places.entry(name.clone()).or_insert_with(|| {
            keys.push(Key {
                name,
                sums: vec![None; metrics],
                secs: 0.0,
                is_touched: false,
                partials: vec![None; metrics],
                slices: vec![vec![None; IN_HOUR]; metrics],
            });
            keys.len() - 1
        })
    }

    /// Adds the sums of the present instant to the partials.
    fn settle(&mut self) {
        let slice = usize::try_from(self.at.saturating_sub(self.from).rem_euclid(HOUR) / SLICE)
            .unwrap_or(0);
        for place in self.touched.drain(..) {
            let key = &mut self.keys[place];
            let partials = key.partials.iter_mut().zip(&mut key.slices);
            for (nth, (sum, (partial, slices))) in key.sums.iter_mut().zip(partials).enumerate() {
                let weight = if nth < self.levels { 1.0 } else { key.secs };
                if let Some(value) = sum.take() {
                    grow(partial, self.at, value, weight);
                    if let Some(partial) = slices.get_mut(slice) {
                        grow(partial, self.at, value, weight);
                    }
                }
            }
            key.secs = 0.0;
            key.is_touched = false;
        }
    }

    /// Returns the figures of each key, levels first, of the hour and of its slices.
    pub(super) fn end(mut self) -> Vec<Folded> {
        self.settle();
        let newest = self.at;
        let five = |partial: Option<Partial>| match partial {
            None => [None; 5],
            Some(p) => [
                Some(p.lo),
                Some(p.hi),
                Some(p.sum / p.weight),
                Some(p.weight),
                (p.last.0 == newest).then_some(p.last.1),
            ],
        };
        let four = |partial: Option<Partial>| {
            let [lo, hi, avg, weight, _] = five(partial);
            [lo, hi, avg, weight]
        };
        let folded = |key: Key| Folded {
            name: key.name,
            figures: key.partials.into_iter().map(five).collect(),
            slices: key
                .slices
                .into_iter()
                .map(|of| of.into_iter().map(four).collect())
                .collect(),
        };
        self.keys.into_iter().map(folded).collect()
    }
}

fn add(sum: &mut Option<f64>, value: Option<f64>) {
    if let Some(value) = value {
        *sum = Some(sum.unwrap_or(0.0) + value);
    }
}

fn grow(partial: &mut Option<Partial>, at: i64, value: f64, weight: f64) {
    let new = match *partial {
        None => Partial {
            lo: value,
            hi: value,
            sum: value * weight,
            weight,
            last: (at, value),
        },
        Some(p) => Partial {
            lo: p.lo.min(value),
            hi: p.hi.max(value),
            sum: p.sum + value * weight,
            weight: p.weight + weight,
            last: (at, value),
        },
    };
    *partial = Some(new);
}

fn seconds(micros: i64) -> f64 {
    crate::series::sql::secs(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    /// Two processes of one name and one of another; a level and a counter with a factor of 2.
    #[test]
    fn sources_of_a_key_are_added_up_at_each_instant() {
        let mut folding = Folding::new(1, vec![2.0], 10 * SECOND, 60.0);
        let mut add = |secs: i64, source: &str, name, level, counter| {
            let values = [level, counter];
            folding.add(secs * SECOND, source.as_bytes(), Some(name), &values);
        };
        add(0, "1", "a", Some(1.0), Some(100.0));
        add(10, "1", "a", Some(2.0), Some(200.0));
        add(10, "2", "a", Some(5.0), Some(7.0));
        add(10, "3", "b", None, None);
        add(20, "1", "a", Some(3.0), Some(50.0));
        add(20, "2", "a", None, Some(17.0));
        add(90, "2", "a", Some(9.0), Some(99.0));
        add(100, "2", "a", Some(1.0), Some(109.0));
        add(100, "3", "b", Some(4.0), Some(1.0));
        let folded = folding.end();
        let found: Vec<_> = folded
            .iter()
            .map(|one| (one.name.clone(), one.figures.clone()))
            .collect();
        let some = |five: [f64; 5]| five.map(Some);
        assert_eq!(
            found,
            [
                (
                    Some("a".to_owned()),
                    // Levels 7, 3, 9, 1; rates 20 over 10 s, 2 over 10 s (the other is a reset), none over a gap, 2 over 10 s.
                    vec![
                        some([1.0, 9.0, 5.0, 4.0, 1.0]),
                        some([2.0, 20.0, 8.0, 30.0, 2.0])
                    ]
                ),
                (
                    Some("b".to_owned()),
                    vec![some([4.0, 4.0, 4.0, 1.0, 4.0]), [None; 5]]
                ),
            ]
        );
    }

    #[test]
    fn each_slice_of_the_hour_has_its_own_figures() {
        let mut folding = Folding::new(1, vec![1.0], 3600 * SECOND, 60.0);
        for (secs, level) in [
            (3590, 9.0),
            (3600, 1.0),
            (3649, 3.0),
            (3650, 5.0),
            (7199, 7.0),
        ] {
            folding.add(secs * SECOND, b"1", Some("a"), &[Some(level), Some(level)]);
        }
        let folded = folding.end().remove(0);
        let of = |metric: usize| {
            let slices = folded.slices[metric].iter().enumerate();
            let known = slices.filter(|(_, four)| four[3].is_some());
            known
                .map(|(nth, four)| (nth, four.map(Option::unwrap)))
                .collect::<Vec<_>>()
        };
        let levels = [
            (0, [1.0, 3.0, 2.0, 2.0]),
            (1, [5.0, 5.0, 5.0, 1.0]),
            (71, [7.0, 7.0, 7.0, 1.0]),
        ];
        assert_eq!(of(0), levels);
        // The first is a reset, the last a step across a gap.
        let (slow, quick) = (2.0 / 49.0, 2.0);
        assert_eq!(
            of(1),
            [
                (0, [slow, slow, slow, 49.0]),
                (1, [quick, quick, quick, 1.0])
            ]
        );
    }

    #[test]
    fn a_key_that_is_gone_at_the_end_has_no_last_value() {
        let mut folding = Folding::new(1, vec![], 0, 60.0);
        folding.add(0, b"1", None, &[Some(1.0)]);
        folding.add(SECOND, b"2", Some("b"), &[Some(2.0)]);
        let found = folding.end();
        assert_eq!(found[0].figures[0][4], None);
        assert_eq!(found[1].figures[0][4], Some(2.0));
    }
}
