//! Samples of many sources with one key, as the processes of one name, folded into the partials of each key.
//!
//! The rules are those of the statements (`sql`): the sources of a key are added up at each instant, a counter is read as
//! steps from one sample of a source to the next, and partials are of the sums. A test compares both.

use std::collections::HashMap;

use schema::Fold;

/// The five figures of a metric (`partials`).
pub(crate) type Five = [Option<f64>; 5];

/// How the rows of a metric become a value at each instant, with the factor of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// Levels, combined so.
    Level(Fold),
    /// Levels of which each row is a sample, also of an instant that was stored twice.
    Row,
    /// The sum of the rates of counters.
    Steps(f64),
    /// The steps of two counters, added up before they are divided.
    Share(f64),
    /// An amount over the time that it covers.
    Amount(f64),
    /// Two amounts, added up before they are divided.
    AmountShare(f64),
}

impl Rule {
    /// Returns how many values a sample has for it.
    pub(crate) const fn columns(self) -> usize {
        match self {
            Self::Level(_) | Self::Row | Self::Steps(_) | Self::Amount(_) => 1,
            Self::Share(_) | Self::AmountShare(_) => 2,
        }
    }
}

/// What is known of a source.
#[derive(Debug)]
struct Source {
    key: usize,
    /// Instant of its last sample, microseconds, and its values then.
    at: i64,
    values: Vec<Option<f64>>,
}

/// A partial that grows.
#[derive(Clone, Copy, Debug)]
struct Partial {
    lo: f64,
    hi: f64,
    sum: Option<f64>,
    weight: f64,
    /// The last value and its instant.
    last: (i64, Option<f64>),
}

/// What an instant adds to a partial: the value, its part of the sum, and its weight.
type Added = (Option<f64>, Option<f64>, f64);

/// What is known of a key.
#[derive(Debug)]
struct Key {
    name: Option<String>,
    /// Sums of each metric at the present instant, and the seconds that they cover: of steps, the longest.
    sums: Vec<[Option<f64>; 2]>,
    secs: f64,
    is_touched: bool,
    partials: Vec<Option<Partial>>,
    /// Of each metric, those of each bucket; empty where they are not kept.
    slices: Vec<Vec<Option<Partial>>>,
    /// The seconds that amounts cover in each bucket.
    covers: Vec<f64>,
}

/// What samples make.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    pub(crate) keys: Vec<Folded>,
    /// Whether there were samples in the span, not before it alone.
    pub(crate) is_sampled: bool,
    /// The seconds for which amounts of any key are known: of the whole span, and of each bucket.
    pub(crate) cover: f64,
    pub(crate) covers: Vec<f64>,
}

/// What the samples of a key make.
#[derive(Debug)]
pub(crate) struct Folded {
    pub(crate) name: Option<String>,
    /// The figures of each metric over the whole span.
    pub(crate) figures: Vec<Five>,
    /// The first four of each metric in each bucket.
    pub(crate) slices: Vec<Vec<[Option<f64>; 4]>>,
}

/// Buckets of a span: so many, of this length, microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buckets {
    pub(crate) length: i64,
    pub(crate) count: usize,
    /// Whether each metric and key is known in each of them, or the seconds that amounts cover alone.
    pub(crate) of_metrics: bool,
}

/// A sample of a source, which `source` identifies, the key included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampled<'a> {
    /// Microseconds.
    pub(crate) at: i64,
    pub(crate) source: &'a [u8],
    pub(crate) key: Option<&'a str>,
    /// Seconds that its amounts cover.
    pub(crate) secs: Option<f64>,
    /// The values of each rule.
    pub(crate) values: &'a [Option<f64>],
}

/// Samples that are folded, in the order of their instants.
#[derive(Debug)]
pub(crate) struct Folding {
    rules: Vec<Rule>,
    is_of_rows: bool,
    /// Samples before this only begin steps, microseconds.
    from: i64,
    buckets: Buckets,
    /// The longest step, seconds.
    longest: f64,
    at: i64,
    sources: HashMap<Vec<u8>, Source>,
    places: HashMap<Option<String>, usize>,
    keys: Vec<Key>,
    touched: Vec<usize>,
}

impl Folding {
    /// Begins with samples that have values for each of these rules.
    pub(crate) fn new(rules: Vec<Rule>, from: i64, longest: f64, buckets: Buckets) -> Self {
        Self {
            is_of_rows: rules.contains(&Rule::Row),
            rules,
            from,
            buckets,
            longest,
            at: i64::MIN,
            sources: HashMap::new(),
            places: HashMap::new(),
            keys: Vec::new(),
            touched: Vec::new(),
        }
    }

    /// Adds a sample, not older than the one before.
    pub(crate) fn add(&mut self, sample: Sampled<'_>) {
        let Sampled { at, values, .. } = sample;
        if at != self.at {
            self.settle();
            self.at = at;
        } else if self.is_of_rows {
            let known = self.sources.get(sample.source);
            if known.is_some_and(|known| known.at == at) {
                self.settle();
            }
        }
        let before = match self.sources.get_mut(sample.source) {
            Some(known) => known,
            None => {
                let key = self.place(sample.key);
                let new = Source {
                    key,
                    at,
                    values: Vec::new(),
                };
                self.sources.entry(sample.source.to_vec()).or_insert(new)
            }
        };
        let secs = super::sql::secs(at - before.at);
        let is_step = secs > 0.0 && secs <= self.longest;
        if at >= self.from {
            let place = before.key;
            let key = &mut self.keys[place];
            if !std::mem::replace(&mut key.is_touched, true) {
                self.touched.push(place);
            }
            // Amounts state what they cover.
            let covered = sample.secs.or(is_step.then_some(secs));
            key.secs = key.secs.max(covered.unwrap_or_default());
            let value = |at: usize| values.get(at).copied().flatten();
            // The step of a counter since the sample before.
            let step = |at: usize| {
                let old = before.values.get(at).copied().flatten()?;
                value(at)
                    .filter(|new| is_step && *new >= old)
                    .map(|new| new - old)
            };
            let mut at = 0;
            for (rule, [first, second]) in self.rules.iter().zip(&mut key.sums) {
                match rule {
                    Rule::Level(Fold::Max) => raise(first, value(at)),
                    Rule::Level(Fold::Avg) => {
                        add(first, value(at));
                        add(second, value(at).map(|_| 1.0));
                    }
                    Rule::Level(Fold::Sum) | Rule::Row | Rule::Amount(_) => {
                        add(first, value(at));
                    }
                    Rule::Steps(scale) => add(first, step(at).map(|step| step / secs * scale)),
                    Rule::Share(scale) => {
                        if let (Some(part), Some(whole)) = (step(at), step(at + 1)) {
                            add(first, Some(part * scale));
                            add(second, Some(whole));
                        }
                    }
                    Rule::AmountShare(scale) => {
                        add(first, value(at).map(|part| part * scale));
                        add(second, value(at + 1));
                    }
                }
                at += rule.columns();
            }
        }
        before.at = at;
        before.values.clear();
        before.values.extend_from_slice(values);
    }

    fn place(&mut self, name: Option<&str>) -> usize {
        let name = name.map(str::to_owned);
        let (keys, metrics) = (&mut self.keys, self.rules.len());
        let Buckets {
            count, of_metrics, ..
        } = self.buckets;
        let slices = if of_metrics { count } else { 0 };
        *self.places.entry(name.clone()).or_insert_with(|| {
            keys.push(Key {
                name,
                sums: vec![[None; 2]; metrics],
                secs: 0.0,
                is_touched: false,
                partials: vec![None; metrics],
                slices: vec![vec![None; slices]; metrics],
                covers: vec![0.0; count],
            });
            keys.len() - 1
        })
    }

    /// Adds the sums of the present instant to the partials.
    fn settle(&mut self) {
        let passed = self.at.saturating_sub(self.from);
        let slice = usize::try_from(passed / self.buckets.length).unwrap_or(usize::MAX);
        for place in self.touched.drain(..) {
            let key = &mut self.keys[place];
            if let Some(cover) = key.covers.get_mut(slice) {
                *cover += key.secs;
            }
            let partials = key.partials.iter_mut().zip(&mut key.slices);
            let each = self.rules.iter().zip(&mut key.sums).zip(partials);
            for ((rule, sums), (partial, slices)) in each {
                if let Some(added) = added(*rule, std::mem::take(sums), key.secs) {
                    grow(partial, self.at, added);
                    if let Some(partial) = slices.get_mut(slice) {
                        grow(partial, self.at, added);
                    }
                }
            }
            key.secs = 0.0;
            key.is_touched = false;
        }
    }

    /// Returns the figures of each key of the whole span and of its buckets.
    pub(crate) fn end(mut self) -> Whole {
        self.settle();
        let (newest, rules) = (self.at, self.rules);
        let is_sampled = newest >= self.from;
        let greatest = |of: &dyn Fn(&Key) -> f64| self.keys.iter().map(of).fold(0.0, f64::max);
        let covers: Vec<f64> = (0..self.buckets.count)
            .map(|bucket| greatest(&|key| key.covers.get(bucket).copied().unwrap_or_default()))
            .collect();
        let cover = greatest(&|key| key.covers.iter().sum());
        let folded = |key: Key| {
            let own = key.covers;
            let slices = rules.iter().zip(key.slices).map(|(rule, slices)| {
                let each = slices.into_iter().zip(own.iter().zip(&covers));
                each.map(|(partial, (own, all))| {
                    partial.map_or([None; 4], |p| four(*rule, p, Some((*own, *all))))
                })
                .collect()
            });
            let covered = own.iter().sum();
            let five = |(rule, partial): (&Rule, Option<Partial>)| {
                partial.map_or([None; 5], |p| five(*rule, p, covered, newest))
            };
            Folded {
                name: key.name,
                slices: slices.collect(),
                figures: rules.iter().zip(key.partials).map(five).collect(),
            }
        };
        Whole {
            keys: self.keys.into_iter().map(folded).collect(),
            is_sampled,
            cover,
            covers,
        }
    }
}

/// Returns the five figures of a partial of the whole span. Amounts of the key are known for `covered` seconds.
fn five(rule: Rule, p: Partial, covered: f64, newest: i64) -> Five {
    let own = matches!(rule, Rule::Amount(_)).then_some(covered);
    let p = Partial {
        weight: own.unwrap_or(p.weight),
        ..p
    };
    let [lo, hi, avg, weight] = four(rule, p, None);
    let last = p.last.1.filter(|_| p.last.0 == newest);
    [lo, hi, avg, weight, last]
}

/// Returns what the sums of an instant add; `None` where nothing is known.
fn added(rule: Rule, [first, second]: [Option<f64>; 2], secs: f64) -> Option<Added> {
    match rule {
        Rule::Row => first.map(|value| (Some(value), Some(value), 1.0)),
        Rule::Level(fold) => {
            let count = second.filter(|_| fold == Fold::Avg).unwrap_or(1.0);
            let value = first.map(|value| value / count);
            value.map(|value| (Some(value), Some(value), 1.0))
        }
        Rule::Steps(_) => first.map(|rate| (Some(rate), Some(rate * secs), secs)),
        Rule::Amount(scale) => {
            let amount = first.filter(|_| secs > 0.0).map(|amount| amount * scale);
            amount.map(|amount| (Some(amount / secs), Some(amount), secs))
        }
        Rule::Share(_) | Rule::AmountShare(_) => {
            let whole = second.unwrap_or_default();
            let value = first.filter(|_| whole != 0.0).map(|part| part / whole);
            (first.is_some() || second.is_some()).then_some((value, first, whole))
        }
    }
}

/// Returns the figures of a partial. `covers` are the seconds for which amounts of the key and of any key are known: a time with
/// rows of other keys alone counts as 0.
fn four(rule: Rule, p: Partial, covers: Option<(f64, f64)>) -> [Option<f64>; 4] {
    let known = |figure: f64| figure.is_finite().then_some(figure);
    let mean = p.sum.filter(|_| p.weight > 0.0).map(|sum| sum / p.weight);
    let weight = (p.weight > 0.0).then_some(p.weight);
    match (rule, covers) {
        (Rule::Share(_) | Rule::AmountShare(_), _) => {
            let within = |figure: f64, one: fn(f64, f64) -> f64| {
                known(mean.map_or(figure, |mean| one(figure, mean)))
            };
            [within(p.lo, f64::min), within(p.hi, f64::max), mean, weight]
        }
        (Rule::Amount(_), Some((own, all))) => {
            let lo = if own < all { 0.0 } else { p.lo };
            let mean = p.sum.filter(|_| all > 0.0).map(|sum| sum / all);
            [known(lo), known(p.hi), mean, weight]
        }
        _ => [known(p.lo), known(p.hi), mean, weight],
    }
}

fn add(sum: &mut Option<f64>, value: Option<f64>) {
    if let Some(value) = value {
        *sum = Some(sum.unwrap_or(0.0) + value);
    }
}

fn raise(most: &mut Option<f64>, value: Option<f64>) {
    if let Some(value) = value {
        *most = Some(most.map_or(value, |most| most.max(value)));
    }
}

fn grow(partial: &mut Option<Partial>, at: i64, (value, part, weight): Added) {
    let p = partial.get_or_insert(Partial {
        lo: f64::INFINITY,
        hi: f64::NEG_INFINITY,
        sum: None,
        weight: 0.0,
        last: (at, None),
    });
    if let Some(value) = value {
        p.lo = p.lo.min(value);
        p.hi = p.hi.max(value);
    }
    add(&mut p.sum, part);
    p.weight += weight;
    p.last = (at, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;
    const HOUR: Buckets = Buckets {
        length: 50 * SECOND,
        count: 72,
        of_metrics: true,
    };

    fn sampled<'a>(
        secs: i64,
        source: &'a str,
        key: Option<&'a str>,
        values: &'a [Option<f64>],
    ) -> Sampled<'a> {
        Sampled {
            at: secs * SECOND,
            source: source.as_bytes(),
            key,
            secs: None,
            values,
        }
    }

    /// Two processes of one name and one of another; a level and a counter with a factor of 2.
    #[test]
    fn sources_of_a_key_are_added_up_at_each_instant() {
        let mut folding = Folding::new(
            vec![Rule::Level(Fold::Sum), Rule::Steps(2.0)],
            10 * SECOND,
            60.0,
            HOUR,
        );
        let mut add = |secs: i64, source: &str, name, level, counter| {
            let values = [level, counter];
            folding.add(sampled(secs, source, Some(name), &values));
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
        let folded = folding.end().keys;
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

    /// Three sources of one key at an instant: the greatest, and the mean of those with a value.
    #[test]
    fn levels_are_combined_as_they_say() {
        let rules = vec![Rule::Level(Fold::Max), Rule::Level(Fold::Avg)];
        let mut folding = Folding::new(rules, 0, 60.0, HOUR);
        for (secs, values) in [
            (0, [Some(1.0), Some(1.0)]),
            (0, [Some(-3.0), None]),
            (0, [Some(5.0), Some(4.0)]),
            (10, [None, Some(8.0)]),
        ] {
            folding.add(sampled(secs, "1", None, &values));
        }
        let figures = folding.end().keys[0].figures.clone();
        let most = [Some(5.0), Some(5.0), Some(5.0), Some(1.0), None];
        assert_eq!(figures, [most, [2.5, 8.0, 5.25, 2.0, 8.0].map(Some)]);
    }

    #[test]
    fn an_instant_that_was_stored_twice_has_two_samples() {
        let mut folding = Folding::new(vec![Rule::Row, Rule::Steps(1.0)], 0, 60.0, HOUR);
        for (secs, level) in [(0, 1.0), (10, 2.0), (10, 6.0), (20, 7.0)] {
            folding.add(sampled(secs, "1", None, &[Some(level), Some(level)]));
        }
        let figures = folding.end().keys[0].figures.clone();
        let rates = [0.1, 0.1, 0.1, 20.0, 0.1];
        assert_eq!(
            figures,
            [[1.0, 7.0, 4.0, 4.0, 7.0], rates].map(|five| five.map(Some))
        );
    }

    /// The amounts of one key cover 20 s, those of the other 10 s.
    #[test]
    fn amounts_state_what_they_cover() {
        let mut folding = Folding::new(vec![Rule::Amount(1.0)], 0, 60.0, HOUR);
        for (secs, key, amount) in [(0, "a", 40.0), (0, "b", 50.0), (10, "a", 20.0)] {
            let values = [Some(amount)];
            folding.add(Sampled {
                secs: Some(10.0),
                ..sampled(secs, key, Some(key), &values)
            });
        }
        let whole = folding.end();
        assert_eq!((whole.cover, whole.covers[0]), (20.0, 20.0));
        let of = |key: usize| (whole.keys[key].figures[0], whole.keys[key].slices[0][0]);
        let a = (
            [2.0, 4.0, 3.0, 20.0, 2.0].map(Some),
            [2.0, 4.0, 3.0, 20.0].map(Some),
        );
        assert_eq!(of(0), a);
        // In the slice, the time without rows of the key is 0 of it.
        let last = [Some(5.0), Some(5.0), Some(5.0), Some(10.0), None];
        assert_eq!(of(1), (last, [0.0, 5.0, 2.5, 10.0].map(Some)));
    }

    #[test]
    fn each_bucket_has_its_own_figures() {
        let mut folding = Folding::new(
            vec![Rule::Level(Fold::Sum), Rule::Steps(1.0)],
            3600 * SECOND,
            60.0,
            HOUR,
        );
        for (secs, level) in [
            (3590, 9.0),
            (3600, 1.0),
            (3649, 3.0),
            (3650, 5.0),
            (7199, 7.0),
        ] {
            folding.add(sampled(secs, "1", Some("a"), &[Some(level), Some(level)]));
        }
        let folded = folding.end().keys.remove(0);
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
        let mut folding = Folding::new(vec![Rule::Level(Fold::Sum)], 0, 60.0, HOUR);
        folding.add(sampled(0, "1", None, &[Some(1.0)]));
        folding.add(sampled(1, "2", Some("b"), &[Some(2.0)]));
        let found = folding.end().keys;
        assert_eq!(found[0].figures[0][4], None);
        assert_eq!(found[1].figures[0][4], Some(2.0));
    }
}
