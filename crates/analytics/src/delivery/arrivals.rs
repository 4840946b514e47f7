//! Views of health checks that are stored, so that a check learns whether its own arrived.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Most views that are remembered: more than checks ask for within a minute.
const MOST: usize = 1024;

/// Stored views of health checks, the newest last.
#[derive(Clone, Debug, Default)]
pub struct Arrivals(Arc<Mutex<VecDeque<i64>>>);

impl Arrivals {
    /// Notes a view whose transaction is committed.
    pub(super) fn note(&self, view: i64) {
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if views.len() == MOST {
            views.pop_front();
        }
        views.push_back(view);
    }

    /// Returns whether a view is stored.
    #[must_use]
    pub fn has(&self, view: i64) -> bool {
        let views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        views.contains(&view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let arrivals = Arrivals::default();
        for view in 0..=MOST as i64 {
            arrivals.note(view);
        }
        assert!(!arrivals.has(0) && arrivals.has(1) && arrivals.has(MOST as i64));
    }
}
