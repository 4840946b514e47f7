//! How long requests took, by route and status.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::Page;
use crate::histogram::Counted;

/// Upper bounds of the buckets, seconds: a cached answer takes 1 ms, a chart is to take 40 ms, a statement may take 2 s.
const BOUNDS: [f64; 9] = [0.002, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// The requests that were answered. Routes are those of the program, so their number is fixed.
#[derive(Debug, Default)]
pub struct Requests(Mutex<BTreeMap<(String, u16), Counted>>);

impl Requests {
    /// Counts a request.
    pub fn count(&self, route: &str, status: u16, took: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = all.entry((route.to_owned(), status)).or_default();
        counted.add(&BOUNDS, took);
    }

    /// Writes the histogram under a name, which ends in `_seconds`.
    pub fn write(&self, page: &mut Page, name: &str) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        page.family(
            name,
            "histogram",
            "Time until the answer was ready, by route and status.",
        );
        for ((route, status), counted) in all.iter() {
            let status = status.to_string();
            let labels = [("route", route.as_str()), ("code", status.as_str())];
            counted.write(page, name, &labels, &BOUNDS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up() {
        let requests = Requests::default();
        for millis in [1, 2, 3, 2_000, 20_000] {
            requests.count("/x", 200, Duration::from_millis(millis));
        }
        let mut page = Page::default();
        requests.write(&mut page, "a_seconds");
        let page = page.finish();
        for line in [
            "_bucket{route=\"/x\",code=\"200\",le=\"0.002\"} 2",
            "_bucket{route=\"/x\",code=\"200\",le=\"0.01\"} 3",
            "_bucket{route=\"/x\",code=\"200\",le=\"2.5\"} 4",
            "_bucket{route=\"/x\",code=\"200\",le=\"+Inf\"} 5",
            "_count{route=\"/x\",code=\"200\"} 5",
        ] {
            assert!(
                page.contains(&format!("a_seconds{line}\n")),
                "{line}\n{page}"
            );
        }
    }
}
