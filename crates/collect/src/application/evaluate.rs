//! Values of expressions over the series of one body, and the sums that the next body is compared with.
//!
//! Absent is not zero: a metric whose name does not occur has no value, and with it neither has an
//! expression that needs it. A metric that is there, of which no series has the status or the method that
//! is asked for, is zero: programs write these down when they first occur. One of which no series has the
//! host or the handler that is asked for has no value: the condition does not fit.
//!
//! Rates, means and quantiles of histograms are of the time since the previous body. Without one,
//! or when a counter went down since, they have no value for this tick.

use std::collections::BTreeMap;
use std::time::Duration;

use config::mapping::{Expression, Function, Operator, Selector};

use super::exposition::{Exposition, Series};
use super::json::status_from;
use super::reading::{Endpoint, Number, Reading};
use crate::Moment;

/// Sums and buckets of one body, by selector.
#[derive(Debug, Default)]
pub(super) struct Memory {
    at: Option<Duration>,
    sums: BTreeMap<String, f64>,
    buckets: BTreeMap<String, Vec<(f64, f64)>>,
}

/// Looks at one body, with the memory of the one before.
struct Look<'a> {
    body: &'a Exposition<'a>,
    before: &'a Memory,
    now: Memory,
    /// Wall clock, seconds since 1970.
    unix_secs: f64,
    /// Seconds since the body before.
    elapsed: Option<f64>,
}

/// Evaluates every expression; `memory` becomes that of this body.
pub(super) fn read(
    mapping: &[(&'static str, Expression)],
    body: &Exposition<'_>,
    at: &Moment,
    memory: &mut Memory,
) -> Reading {
    let before = std::mem::take(memory);
    let elapsed = before
        .at
        .and_then(|earlier| at.monotonic.checked_sub(earlier));
    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds of our days fit a float"
    )]
    let mut look = Look {
        body,
        before: &before,
        now: Memory {
            at: Some(at.monotonic),
            ..Memory::default()
        },
        unix_secs: at.ts.as_micros() as f64 / 1e6,
        elapsed: elapsed
            .map(|elapsed| elapsed.as_secs_f64())
            .filter(|secs| *secs > 0.0),
    };
    let mut reading = Reading {
        bad: body.bad_lines,
        ..Reading::default()
    };
    for (column, expression) in mapping {
        if look.is_there(expression) {
            reading.found.push(column);
        }
        match (*column, expression) {
            ("buckets", expression) => reading.buckets = look.bucket_rows(expression),
            ("endpoints", Expression::Call(Function::By(path, status), selector)) => {
                reading.endpoints = look.endpoint_rows(path, status, selector);
            }
            (column, expression) => {
                if let Some(value) = look.value(expression) {
                    reading.numbers.insert(column, Number::Real(value));
                }
            }
        }
    }
    reading.notes.extend(omissions(body));
    *memory = look.now;
    reading
}

/// Returns notes about series that were not used.
fn omissions(body: &Exposition<'_>) -> impl Iterator<Item = String> {
    let left_out = (body.left_out > 0).then(|| {
        format!(
            "{} series beyond the first {} are left out",
            body.left_out,
            body.series.len()
        )
    });
    let repeated = (body.repeated > 0).then(|| {
        format!(
            "{} series are there more than once; the first of each counts",
            body.repeated
        )
    });
    left_out.into_iter().chain(repeated)
}

impl Look<'_> {
    fn value(&mut self, expression: &Expression) -> Option<f64> {
        match expression {
            Expression::Number(number) => Some(*number),
            Expression::Call(function, selector) => self.call(function, selector),
            Expression::Both(left, Operator::Or, right) => {
                // Both are evaluated: one may remember what the next tick needs.
                let (left, right) = (self.value(left), self.value(right));
                left.or(right)
            }
            Expression::Both(left, operator, right) => {
                let (left, right) = (self.value(left), self.value(right));
                let (left, right) = (left?, right?);
                match operator {
                    Operator::Add => Some(left + right),
                    Operator::Subtract => Some(left - right),
                    Operator::Multiply => Some(left * right),
                    Operator::Divide => (right != 0.0).then(|| left / right),
                    Operator::Or => Some(left),
                }
            }
        }
    }

    fn call(&mut self, function: &Function, selector: &Selector) -> Option<f64> {
        match function {
            Function::Sum => self.sum(selector),
            Function::Avg => {
                let values = self.values(selector)?;
                #[expect(clippy::cast_precision_loss, reason = "a count of series")]
                let count = values.len() as f64;
                (!values.is_empty()).then(|| values.iter().sum::<f64>() / count)
            }
            Function::Max => self.values(selector)?.into_iter().reduce(f64::max),
            Function::Rate => Some(self.step(selector)? / self.elapsed?),
            Function::Since => {
                let first = self.values(selector)?.into_iter().reduce(f64::min)?;
                Some(self.unix_secs - first)
            }
            Function::Mean => {
                let sum = self.step(&part(selector, "_sum"));
                let count = self.step(&part(selector, "_count"));
                let (sum, count) = (sum?, count?);
                (count > 0.0).then(|| sum / count)
            }
            Function::Quantile(share) => self.quantile(*share, selector),
            // Rows of their own: the settings do not let them through here.
            Function::Buckets | Function::By(..) => None,
        }
    }

    /// Returns whether there are series that an expression is made of.
    fn is_there(&self, expression: &Expression) -> bool {
        match expression {
            Expression::Number(_) => true,
            Expression::Call(_, selector) => ["", "_bucket", "_sum", "_count"]
                .iter()
                .any(|suffix| self.fits(&part(selector, suffix))),
            Expression::Both(left, Operator::Or, right) => {
                self.is_there(left) || self.is_there(right)
            }
            Expression::Both(left, _, right) => self.is_there(left) && self.is_there(right),
        }
    }

    /// Returns whether there is a series of those that the selector is about, even if it has no requests.
    fn fits(&self, selector: &Selector) -> bool {
        let mut named = self.body.named(&selector.name).into_iter().flatten();
        named.any(|one| {
            let mut matchers = selector.matchers.iter();
            matchers.all(|matcher| {
                matcher.negated
                    || matcher.is_of_outcome()
                    || matcher.admits(one.label(&matcher.label))
            })
        })
    }

    fn values(&self, selector: &Selector) -> Option<Vec<f64>> {
        let named = self.body.named(&selector.name)?;
        let found: Vec<f64> = named
            .filter(|one| fulfils(one, selector))
            .map(|one| one.value)
            .collect();
        (!found.is_empty() || self.fits(selector)).then_some(found)
    }

    fn sum(&self, selector: &Selector) -> Option<f64> {
        Some(self.values(selector)?.iter().sum())
    }

    /// Returns the growth of the sum since the previous body.
    fn step(&mut self, selector: &Selector) -> Option<f64> {
        let now = self.sum(selector)?;
        let key = format!("{selector:?}");
        let before = self.before.sums.get(&key).copied();
        self.now.sums.insert(key, now);
        before
            .map(|before| now - before)
            .filter(|step| *step >= 0.0)
    }

    fn quantile(&mut self, share: f64, selector: &Selector) -> Option<f64> {
        let summary = self.body.named(&selector.name).into_iter().flatten();
        let reported = summary
            .filter(|one| fulfils(one, selector))
            .filter(|one| {
                let quantile: Option<f64> = one.label("quantile").parse().ok();
                quantile.is_some_and(|quantile| (quantile - share).abs() < 1e-9)
            })
            // NaN means that nothing was observed recently.
            .filter(|one| !one.value.is_nan())
            .map(|one| one.value)
            // Quantiles of several series cannot be put together; the worst is not too good.
            .reduce(f64::max);
        if reported.is_some() {
            return reported;
        }
        let now = self.buckets(selector)?;
        let before = self.before.buckets.get(&format!("{selector:?}"));
        let steps = before.and_then(|before| steps(before, &now));
        self.now.buckets.insert(format!("{selector:?}"), now);
        quantile_of(share, &steps?)
    }

    /// Bounds and answers up to each, over all series of a histogram.
    fn buckets(&self, selector: &Selector) -> Option<Vec<(f64, f64)>> {
        let mut sums: Vec<(f64, f64)> = Vec::new();
        for one in self.body.named(&format!("{}_bucket", selector.name))? {
            if !fulfils(one, selector) {
                continue;
            }
            let Some(bound) = one
                .label("le")
                .parse()
                .ok()
                .filter(|bound: &f64| !bound.is_nan())
            else {
                continue;
            };
            match sums
                .iter_mut()
                .find(|(known, _)| known.total_cmp(&bound).is_eq())
            {
                Some((_, sum)) => *sum += one.value,
                None => sums.push((bound, one.value)),
            }
        }
        sums.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Without the bucket of all, shares are unknown.
        sums.last()?.0.is_infinite().then_some(sums)
    }

    fn bucket_rows(&self, expression: &Expression) -> Vec<(f64, f64)> {
        let (call, factor) = match expression {
            Expression::Both(call, _, factor) => match **factor {
                Expression::Number(factor) => (&**call, factor),
                _ => return Vec::new(),
            },
            call => (call, 1.0),
        };
        let Expression::Call(_, selector) = call else {
            return Vec::new();
        };
        let buckets = self.buckets(selector).unwrap_or_default().into_iter();
        buckets
            .map(|(bound, answers)| (bound * factor, answers))
            .collect()
    }

    fn endpoint_rows(&self, path: &str, status: &str, selector: &Selector) -> Vec<Endpoint> {
        let series = self.body.named(&selector.name).into_iter().flatten();
        series
            // Without the label they cannot be distinguished.
            .filter(|one| fulfils(one, selector) && !one.label(path).is_empty())
            .filter_map(|one| {
                Some(Endpoint {
                    path: one.label(path).to_owned(),
                    // Classes such as 2xx are not a status.
                    status: status_from(one.label(status))?,
                    responses: Number::Real(one.value),
                    last_seen: None,
                })
            })
            .collect()
    }
}

fn fulfils(series: &Series<'_>, selector: &Selector) -> bool {
    let mut matchers = selector.matchers.iter();
    matchers.all(|matcher| matcher.admits(series.label(&matcher.label)))
}

fn part(selector: &Selector, suffix: &str) -> Selector {
    Selector {
        name: format!("{}{suffix}", selector.name),
        matchers: selector.matchers.clone(),
    }
}

/// Returns the growth of every bucket; `None` when the bounds differ or a counter went down.
fn steps(before: &[(f64, f64)], now: &[(f64, f64)]) -> Option<Vec<(f64, f64)>> {
    let same = before.len() == now.len()
        && before
            .iter()
            .zip(now)
            .all(|(a, b)| a.0.total_cmp(&b.0).is_eq());
    let pairs = before.iter().zip(now);
    let steps: Vec<_> = pairs
        .map(|(before, now)| (now.0, now.1 - before.1))
        .collect();
    (same && steps.iter().all(|(_, step)| *step >= 0.0)).then_some(steps)
}

/// Returns the value below which a share of the answers lies, evenly spread within its bucket. Beyond the
/// last finite bound it is that bound.
fn quantile_of(share: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let (_, all) = *buckets.last()?;
    if all <= 0.0 {
        return None;
    }
    let wanted = share * all;
    let (mut low, mut below) = (0.0, 0.0);
    for (bound, upto) in buckets {
        if *upto >= wanted && *upto > below {
            if bound.is_infinite() {
                return Some(low);
            }
            return Some(low + (bound - low) * ((wanted - below) / (upto - below)).clamp(0.0, 1.0));
        }
        if bound.is_finite() {
            low = *bound;
        }
        below = upto.max(below);
    }
    None
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
