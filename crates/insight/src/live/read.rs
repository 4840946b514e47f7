//! Reads a scan: from its samples to one value per metric and key.
//!
//! The samples of an instant are combined per key first, then the instants of the window are reduced, as the statements
//! of `store::series` do. Nothing is carried over from one reading to the next: there is no sum that drifts, and a late
//! sample needs no correction.

use schema::{Fold, Metric, Timestamp};
use std::collections::VecDeque;

use super::Reading;
use super::scan::{Figure, Kind, Scan};

/// The instant of nothing.
const NEVER: i64 = i64::MIN;

/// Two numbers that are added up; NaN until there is one. Of a level `a` is the folded value and `b` the number of values,
/// of a step its rate and the time, of a quotient its dividend and divisor.
#[derive(Clone, Copy, Debug)]
struct Sums {
    a: f64,
    b: f64,
}

const NONE: Sums = Sums {
    a: f64::NAN,
    b: f64::NAN,
};

impl Sums {
    fn quotient(self) -> f64 {
        if self.b == 0.0 {
            f64::NAN
        } else {
            self.a / self.b
        }
    }
}

/// Adds a number that may be NaN, for none, as SQL's `sum` does.
fn add(sum: &mut f64, value: f64) {
    if sum.is_nan() {
        *sum = value;
    } else if !value.is_nan() {
        *sum += value;
    }
}

fn known(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

/// What is known of a key while a scan is read.
#[derive(Clone, Copy, Debug)]
struct KeyState {
    has_sample: bool,
    is_seen: bool,
    /// Seconds that the samples of the instant cover.
    secs: f64,
    /// Seconds that all samples cover.
    covered: f64,
    sampled_at: i64,
}

/// The sample before, of a source.
#[derive(Clone, Copy, Debug)]
struct Previous {
    at: i64,
    index: usize,
}

/// Buffers of a reading, shared by all scans.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    previous: Vec<Previous>,
    keys: Vec<KeyState>,
    /// By key and figure: of the instant, of the window, and the newest value.
    instant: Vec<Sums>,
    window: Vec<Sums>,
    now: Vec<f64>,
    /// By key and figure, of shares: the newest instants that have the least whole together, and their sum.
    recent: Vec<Recent>,
    /// Keys with samples at the instant.
    touched: Vec<usize>,
}

/// The newest instants of a share that suffice for an evaluation.
#[derive(Clone, Debug)]
struct Recent {
    instants: VecDeque<Sums>,
    sum: Sums,
}

impl Recent {
    const EMPTY: Self = Self {
        instants: VecDeque::new(),
        sum: Sums { a: 0.0, b: 0.0 },
    };

    /// Adds an instant and drops those without which there are enough.
    fn push(&mut self, instant: Sums, least: f64) {
        if instant.a.is_nan() || instant.b.is_nan() {
            return;
        }
        self.instants.push_back(instant);
        self.sum.a += instant.a;
        self.sum.b += instant.b;
        while let Some(first) = self.instants.front() {
            if self.instants.len() == 1 || self.sum.b - first.b < least {
                break;
            }
            self.sum.a -= first.a;
            self.sum.b -= first.b;
            self.instants.pop_front();
        }
    }
}

fn refill<T: Clone>(buffer: &mut Vec<T>, length: usize, value: T) {
    buffer.clear();
    buffer.resize(length, value);
    // A server with thousands of tables may be gone.
    if buffer.capacity() > 1024 && buffer.capacity() > 4 * length {
        buffer.shrink_to(2 * length);
    }
}

impl Scratch {
    fn reset(&mut self, scan: &Scan) {
        let keys = scan.keys.end();
        let values = keys * scan.figures.len();
        let sources = if scan.shared.kind().has_steps() {
            scan.sources_end()
        } else {
            0
        };
        let never = Previous {
            at: NEVER,
            index: 0,
        };
        let unseen = KeyState {
            has_sample: false,
            is_seen: false,
            secs: f64::NAN,
            covered: f64::NAN,
            sampled_at: NEVER,
        };
        refill(&mut self.previous, sources, never);
        refill(&mut self.keys, keys, unseen);
        refill(&mut self.instant, values, NONE);
        refill(&mut self.window, values, NONE);
        refill(&mut self.now, values, f64::NAN);
        self.recent.clear();
        if scan.shared.kind().is_share() {
            self.recent.resize(values, Recent::EMPTY);
        }
        self.touched.clear();
    }

    /// Combines a sample with the others of its key and instant. `is_within`: it lies in the window, not before it.
    fn gather(&mut self, scan: &Scan, index: usize, at: i64, is_within: bool) {
        let slot = scan.history.slot(index);
        let mut before = None;
        if scan.shared.kind().has_steps() {
            let sample = Previous { at, index };
            let previous = std::mem::replace(&mut self.previous[slot], sample);
            before = (previous.at != NEVER).then_some(previous);
        }
        if !is_within {
            return;
        }
        let owner = scan.owner(slot);
        let first = owner * scan.figures.len();
        let instant = &mut self.instant[first..first + scan.figures.len()];
        let key = &mut self.keys[owner];
        if !key.has_sample {
            key.has_sample = true;
            key.secs = f64::NAN;
            instant.fill(NONE);
            self.touched.push(owner);
        }
        if scan.shared.kind().has_steps() {
            if let Some(before) = before {
                let elapsed = at - before.at;
                if elapsed > 0 && elapsed <= scan.margin {
                    key.secs = key.secs.max(secs(elapsed));
                    steps(scan, index, before, secs(elapsed), instant);
                }
            }
        } else {
            values(scan, index, instant);
            if *scan.shared.kind() == Kind::Amounts {
                let covered = scan.history.value(index, scan.figures.len());
                key.secs = key.secs.max(covered);
            }
        }
    }

    /// Reduces what was gathered of an instant into the window.
    fn flush(&mut self, scan: &Scan, at: i64) {
        let figures = scan.figures.len();
        // Amounts of any key cover the time: a tick with those of other keys only counts as 0.
        let covered = self.touched.iter().map(|owner| self.keys[*owner].secs);
        let covered = covered.fold(f64::NAN, f64::max);
        for owner in self.touched.drain(..) {
            let key = &mut self.keys[owner];
            key.has_sample = false;
            key.is_seen = true;
            add(&mut key.covered, key.secs);
            let places = owner * figures..(owner + 1) * figures;
            let mut filled = self.instant[places.clone()].iter();
            let is_sample = !scan.is_sparse || filled.any(|sums| !sums.a.is_nan());
            for (figure, place) in scan.figures.iter().zip(places) {
                if let Some(recent) = self.recent.get_mut(place) {
                    recent.push(self.instant[place], figure.least);
                }
                let value = reduce(
                    scan.shared.kind(),
                    figure,
                    self.instant[place],
                    key.secs,
                    covered,
                    &mut self.window[place],
                );
                if is_sample {
                    self.now[place] = value;
                }
            }
            if is_sample {
                key.sampled_at = at;
            }
        }
    }

    /// Returns the value of a metric and key; `covered` are the seconds that samples of any key cover.
    fn reading<'a>(
        &self,
        scan: &Scan,
        nth: usize,
        key: Option<&'a str>,
        owner: usize,
        covered: f64,
    ) -> Reading<'a> {
        let figure = &scan.figures[nth];
        let place = owner * scan.figures.len() + nth;
        let sums = self.window[place];
        let over = match scan.shared.kind() {
            Kind::Amounts => Sums { b: covered, ..sums }.quotient(),
            _ if figure.least > 0.0 && sums.b < figure.least => f64::NAN,
            _ => sums.quotient(),
        };
        let recent = self.recent.get(place);
        let recent = recent.filter(|recent| recent.sum.b >= figure.least);
        let sampled_at = self.keys[owner].sampled_at;
        Reading {
            metric: figure.metric,
            key,
            now: known(self.now[place]),
            over: known(over),
            recent: known(recent.map_or(over, |recent| recent.sum.quotient())),
            covered_secs: (*scan.shared.kind() == Kind::Steps)
                .then_some(sums.b)
                .and_then(known),
            sampled_at: (sampled_at != NEVER).then_some(Timestamp(sampled_at)),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of hours")]
fn secs(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// Combines the steps of a sample with those of other sources of its key.
fn steps(scan: &Scan, index: usize, before: Previous, secs: f64, instant: &mut [Sums]) {
    let history = &scan.history;
    for (nth, (figure, sums)) in scan.figures.iter().zip(instant).enumerate() {
        let step = |nth| history.value(index, nth) - history.value(before.index, nth);
        if scan.shared.kind().is_share() {
            let (part, whole) = (step(2 * nth), step(2 * nth + 1));
            // A reset of one makes both unknown, as does a missing sample (NaN).
            if part >= 0.0 && whole >= 0.0 {
                add(&mut sums.a, part * figure.scale);
                add(&mut sums.b, whole);
            }
        } else {
            let step = step(nth);
            if step >= 0.0 {
                add(&mut sums.a, step / secs * figure.scale);
            }
        }
    }
}

/// Combines the levels or amounts of a sample with others of its key.
fn values(scan: &Scan, index: usize, instant: &mut [Sums]) {
    let history = &scan.history;
    for (nth, (figure, sums)) in scan.figures.iter().zip(instant).enumerate() {
        match scan.shared.kind() {
            Kind::AmountShare => {
                add(&mut sums.a, history.value(index, 2 * nth) * figure.scale);
                add(&mut sums.b, history.value(index, 2 * nth + 1));
            }
            Kind::Level(Fold::Max) => sums.a = sums.a.max(history.value(index, nth)),
            _ => {
                let value = history.value(index, nth);
                add(&mut sums.a, value);
                if !value.is_nan() {
                    add(&mut sums.b, 1.0);
                }
            }
        }
    }
}

/// Adds the value of an instant to those of the window and returns it; NaN for none. `secs` is what the samples of the
/// key cover, `covered` what those of any key cover.
fn reduce(
    kind: &Kind,
    figure: &Figure,
    instant: Sums,
    secs: f64,
    covered: f64,
    window: &mut Sums,
) -> f64 {
    match kind {
        Kind::Level(fold) => {
            let value = match fold {
                Fold::Sum | Fold::Max => instant.a,
                Fold::Avg => instant.quotient(),
            };
            if !value.is_nan() {
                add(&mut window.a, value);
                add(&mut window.b, 1.0);
            }
            value
        }
        Kind::Steps => {
            if !instant.a.is_nan() {
                add(&mut window.a, instant.a * secs);
                add(&mut window.b, secs);
            }
            instant.a
        }
        // The mean of all elements of a key, not of their means.
        Kind::Share | Kind::AmountShare | Kind::Elements { .. } => {
            add(&mut window.a, instant.a);
            add(&mut window.b, instant.b);
            instant.quotient()
        }
        Kind::Amounts => {
            if secs == 0.0 || secs.is_nan() {
                return f64::NAN;
            }
            let amount = instant.a / secs * figure.scale * secs;
            add(&mut window.a, amount);
            amount / covered
        }
    }
}

/// Gathers the samples of a scan up to an instant.
fn gather(scan: &Scan, at: i64, scratch: &mut Scratch) {
    scratch.reset(scan);
    let start = at.saturating_sub(scan.window.max(1)).saturating_add(1);
    let early = start.saturating_sub(scan.margin);
    for (instant, indices) in scan.history.frames() {
        if instant > at {
            break;
        }
        if instant >= early {
            for index in indices {
                scratch.gather(scan, index, instant, instant >= start);
            }
            scratch.flush(scan, instant);
        }
    }
}

/// Reads the metrics of a scan at an instant, each with its keys.
pub(super) fn read(
    scan: &Scan,
    at: i64,
    scratch: &mut Scratch,
    each: &mut impl FnMut(&'static Metric, &mut dyn Iterator<Item = Reading<'_>>),
) {
    gather(scan, at, scratch);
    let covered = scratch.keys.iter().map(|key| key.covered);
    let covered = covered.fold(f64::NAN, f64::max);
    let is_unknown = scan.is_single() && !scratch.keys.iter().any(|key| key.is_seen);
    for (nth, figure) in scan.figures.iter().enumerate() {
        let seen = scan
            .keys
            .iter()
            .filter(|(_, owner)| scratch.keys[*owner].is_seen);
        let readings = seen.map(|(name, owner)| scratch.reading(scan, nth, name, owner, covered));
        let unknown = is_unknown.then_some(Reading {
            metric: figure.metric,
            key: None,
            now: None,
            over: None,
            recent: None,
            covered_secs: None,
            sampled_at: None,
        });
        each(figure.metric, &mut readings.chain(unknown));
    }
}
