//! How long something took, by upper bounds.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Page;

/// Durations since the program began. The bounds are seconds and ascend.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [f64],
    counted: Mutex<Counted>,
}

/// Counts by bucket, the last one without a bound, and the sum in seconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    counts: Vec<u64>,
    seconds: f64,
}

impl Counted {
    pub(crate) fn add(&mut self, bounds: &[f64], took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = bounds.iter().take_while(|bound| seconds > **bound).count();
        self.counts.resize(bounds.len() + 1, 0);
        self.counts[bucket] += 1;
        self.seconds += seconds;
    }

    /// Writes the samples of a family that was begun.
    pub(crate) fn write(
        &self,
        page: &mut Page,
        name: &str,
        labels: &[(&str, &str)],
        bounds: &[f64],
    ) {
        let mut below = 0;
        for place in 0..=bounds.len() {
            below += self.counts.get(place).copied().unwrap_or(0);
            let bound = bounds
                .get(place)
                .map_or_else(|| "+Inf".to_owned(), f64::to_string);
            let mut labels = labels.to_vec();
            labels.push(("le", bound.as_str()));
            page.sample(&format!("{name}_bucket"), &labels, below as f64);
        }
        page.sample(&format!("{name}_sum"), labels, self.seconds);
        page.sample(&format!("{name}_count"), labels, below as f64);
    }
}

impl Histogram {
    /// Creates an empty one.
    #[must_use]
    pub const fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counted: Mutex::new(Counted {
                counts: Vec::new(),
                seconds: 0.0,
            }),
        }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a duration.
    pub fn count(&self, took: Duration) {
        self.counted().add(self.bounds, took);
    }

    /// Writes the family.
    pub fn write(&self, page: &mut Page, name: &str, help: &str) {
        page.family(name, "histogram", help);
        self.counted().write(page, name, &[], self.bounds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_one_has_every_bucket() {
        let mut page = Page::default();
        Histogram::new(&[0.1, 1.0]).write(&mut page, "a_seconds", "Words.");
        assert_eq!(
            page.finish(),
            "# HELP a_seconds Words.\n# TYPE a_seconds histogram\na_seconds_bucket{le=\"0.1\"} 0\n\
             a_seconds_bucket{le=\"1\"} 0\na_seconds_bucket{le=\"+Inf\"} 0\na_seconds_sum 0\na_seconds_count 0\n"
        );
    }
}
