//! How long requests took, by route and status.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::exposition::Exposition;

/// Upper bounds of the buckets, seconds: a cached answer takes 1 ms, a chart is to take 40 ms, a statement may take 2 s.
const BOUNDS: [f64; 9] = [0.002, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];
const NAME: &str = "pqcrypta_monitor_request_duration_seconds";

/// The requests that were answered. Routes are those of the router, so their number is fixed.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<BTreeMap<(String, u16), Durations>>);

#[derive(Clone, Debug, Default)]
struct Durations {
    /// Requests by bucket, the last one without a bound.
    counts: [u64; BOUNDS.len() + 1],
    seconds: f64,
}

impl Requests {
    /// Counts a request.
    pub(crate) fn count(&self, route: &str, status: u16, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().take_while(|bound| seconds > **bound).count();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let durations = all.entry((route.to_owned(), status)).or_default();
        durations.counts[bucket] += 1;
        durations.seconds += seconds;
    }

    /// Writes the histogram.
    pub(crate) fn write(&self, page: &mut Exposition) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        page.family(
            NAME,
            "histogram",
            "Time until the answer was ready, by route and status.",
        );
        for ((route, status), durations) in all.iter() {
            let status = status.to_string();
            let labels = [("route", route.as_str()), ("code", status.as_str())];
            let mut below = 0;
            for (place, count) in durations.counts.iter().enumerate() {
                below += count;
                let bound = BOUNDS
                    .get(place)
                    .map_or_else(|| "+Inf".to_owned(), f64::to_string);
                let labels = [labels[0], labels[1], ("le", bound.as_str())];
                page.sample(&format!("{NAME}_bucket"), &labels, below as f64);
            }
            page.sample(&format!("{NAME}_sum"), &labels, durations.seconds);
            page.sample(&format!("{NAME}_count"), &labels, below as f64);
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
        let mut page = Exposition::default();
        requests.write(&mut page);
        let page = page.finish();
        for line in [
            "_bucket{route=\"/x\",code=\"200\",le=\"0.002\"} 2",
            "_bucket{route=\"/x\",code=\"200\",le=\"0.01\"} 3",
            "_bucket{route=\"/x\",code=\"200\",le=\"2.5\"} 4",
            "_bucket{route=\"/x\",code=\"200\",le=\"+Inf\"} 5",
            "_count{route=\"/x\",code=\"200\"} 5",
        ] {
            assert!(page.contains(&format!("{NAME}{line}\n")), "{line}\n{page}");
        }
    }
}
