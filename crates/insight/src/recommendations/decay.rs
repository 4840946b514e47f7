//! Sums that forget: what happened within about a span, without a memory of when.

/// A sum whose parts lose weight with their age: after one span a part counts 37 percent. In the steady state it is the sum of one
/// span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Decaying<const N: usize> {
    /// The sums.
    pub(super) sums: [f64; N],
    /// Seconds that they cover, with the same weights; a span in the steady state.
    pub(super) covered: f64,
}

impl<const N: usize> Default for Decaying<N> {
    fn default() -> Self {
        Self {
            sums: [0.0; N],
            covered: 0.0,
        }
    }
}

impl<const N: usize> Decaying<N> {
    /// Lets seconds pass in which this was added; `span` in seconds.
    pub(super) fn add(&mut self, secs: f64, added: [f64; N], span: f64) {
        let kept = (-secs / span).exp();
        for (sum, added) in self.sums.iter_mut().zip(added) {
            *sum = *sum * kept + added;
        }
        self.covered = self.covered * kept + secs;
    }

    /// Returns what a sum grows by in a second; `None` before anything is covered.
    pub(super) fn per_second(&self, nth: usize) -> Option<f64> {
        (self.covered > 0.0).then(|| self.sums.get(nth).copied().unwrap_or(0.0) / self.covered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_right_from_the_beginning_and_forgets() {
        let mut sum = Decaying::<1>::default();
        assert_eq!(sum.per_second(0), None);
        for step in 1..=500 {
            sum.add(300.0, [600.0], 3600.0);
            let rate = sum.per_second(0).unwrap();
            assert!((rate - 2.0).abs() < 1e-9, "{step}: {rate}");
        }
        for _ in 0..24 {
            sum.add(300.0, [0.0], 3600.0);
        }
        // Two spans later 13.5 percent are left.
        let rate = sum.per_second(0).unwrap();
        assert!((0.25..0.30).contains(&rate), "{rate}");
    }
}
