//! Small processes, summed by name.
//!
//! A host with thousands of workers writes thousands of rows a tick, most of which nobody ever looks
//! at. What is smaller than a floor, uses next to no CPU, is not watched, not stuck and not near its limit of descriptors is summed with the
//! others of its name into one row with their number, so that every total stays what it was.
//! One that is alone of its name stays as it is: a sum would save nothing.
//!
//! Counters of processes that come and go would go back when one ends. So a sum adds what each of its
//! processes read and wrote since the last tick to a counter of its own, which only grows.

use std::collections::{BTreeMap, HashMap};

use crate::fnv::fnv1a;
use schema::tables::ProcessSample;

/// A process that uses this much of a core is worth a row of its own; the dashboard shows one decimal.
const BUSY_PCT: f64 = 1.0;

/// A process with this share of its limit of descriptors open has a row of its own: it will soon fail.
const FULL: f64 = 0.5;

/// Bytes read and written.
type Io = (Option<i64>, Option<i64>);

/// Sums from tick to tick.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// By pid and start: what each small process had read and written.
    last: HashMap<(i32, i64), Io>,
    /// By name: what all of them did.
    totals: HashMap<String, (i64, i64)>,
}

impl Sums {
    /// Sums what is smaller than `floor` bytes; 0 sums nothing.
    pub(super) fn fold(&mut self, samples: &mut Vec<ProcessSample>, floor: i64) {
        if floor == 0 {
            *self = Self::default();
            return;
        }
        let mut names: HashMap<&str, usize> = HashMap::new();
        for sample in samples.iter().filter(|sample| is_small(sample, floor)) {
            *names.entry(&sample.process_name).or_default() += 1;
        }
        let many: Vec<String> = names
            .into_iter()
            .filter(|(_, count)| *count > 1)
            .map(|(name, _)| name.to_owned())
            .collect();
        let mut sums: BTreeMap<String, Vec<ProcessSample>> =
            many.into_iter().map(|name| (name, Vec::new())).collect();
        let mut kept = Vec::with_capacity(samples.len());
        let mut last = HashMap::new();
        for sample in samples.drain(..) {
            let is_small = is_small(&sample, floor);
            if is_small {
                let io = (sample.read_bytes_total, sample.write_bytes_total);
                last.insert((sample.pid, sample.start_ticks), io);
            }
            match sums.get_mut(&sample.process_name).filter(|_| is_small) {
                Some(sum) => sum.push(sample),
                None => kept.push(sample),
            }
        }
        // A name that is gone begins anew.
        self.totals.retain(|name, _| sums.contains_key(name));
        kept.extend(sums.into_iter().map(|(name, parts)| self.sum(name, &parts)));
        self.last = last;
        *samples = kept;
    }

    fn sum(&mut self, name: String, parts: &[ProcessSample]) -> ProcessSample {
        let (mut read, mut written) = (Some(0), Some(0));
        for part in parts {
            // What is seen for the first time counts from now on, as a row of its own would.
            let now = (part.read_bytes_total, part.write_bytes_total);
            let before = self.last.get(&(part.pid, part.start_ticks)).unwrap_or(&now);
            read = step(read, before.0, now.0);
            written = step(written, before.1, now.1);
        }
        let total = self.totals.entry(name.clone()).or_default();
        total.0 += read.unwrap_or(0);
        total.1 += written.unwrap_or(0);
        let cpu: Vec<f64> = parts.iter().filter_map(|part| part.cpu_pct).collect();
        let shared = |of: fn(&ProcessSample) -> i64| {
            let first = parts.first().map(of);
            first.filter(|first| parts.iter().all(|part| of(part) == *first))
        };
        ProcessSample {
            pid: 0,
            start_ticks: number_of(&name),
            cpu_pct: (!cpu.is_empty()).then(|| cpu.iter().sum()),
            rss_bytes: parts.iter().map(|part| part.rss_bytes).sum(),
            vsz_bytes: parts.iter().map(|part| part.vsz_bytes).sum(),
            fd_count: parts.iter().map(|part| part.fd_count).sum(),
            fd_limit: None,
            thread_count: parts.iter().map(|part| part.thread_count).sum(),
            state: state(parts),
            uptime_secs: parts
                .iter()
                .map(|part| part.uptime_secs)
                .fold(0.0, f64::max),
            read_bytes_total: read.map(|_| total.0),
            write_bytes_total: written.map(|_| total.1),
            parent_pid: shared(|part| i64::from(part.parent_pid))
                .and_then(|pid| i32::try_from(pid).ok())
                .unwrap_or(0),
            unit: parts
                .first()
                .and_then(|first| first.unit.clone())
                .filter(|unit| parts.iter().all(|part| part.unit.as_ref() == Some(unit))),
            uid: shared(|part| part.uid.unwrap_or(-1)).filter(|uid| *uid >= 0),
            watched: false,
            process_count: i32::try_from(parts.len()).unwrap_or(i32::MAX),
            process_name: name,
        }
    }
}

fn is_small(sample: &ProcessSample, floor: i64) -> bool {
    let is_stuck = !matches!(sample.state.as_str(), "S" | "R" | "I");
    let is_busy = sample.cpu_pct.is_some_and(|cpu| cpu >= BUSY_PCT);
    let is_full = sample
        .fd_count
        .zip(sample.fd_limit)
        .is_some_and(|(open, limit)| open <= limit && open as f64 >= FULL * limit as f64);
    sample.rss_bytes < floor && !sample.watched && !is_stuck && !is_busy && !is_full
}

/// A sum of which one part is not known is not known.
fn step(sum: Option<i64>, before: Option<i64>, now: Option<i64>) -> Option<i64> {
    Some(sum? + (now? - before.or(now)?).max(0))
}

/// The liveliest state of any.
fn state(parts: &[ProcessSample]) -> String {
    let has = |state: &str| parts.iter().any(|part| part.state == state);
    let state = ["R", "S", "I"].into_iter().find(|state| has(state));
    state.unwrap_or("S").to_owned()
}

/// A number that is always that of this name, beside pid 0: FNV-1a without its sign.
fn number_of(name: &str) -> i64 {
    let hash = fnv1a(name.bytes());
    (hash >> 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: i64 = 1000;

    fn process(pid: i32, name: &str, rss: i64) -> ProcessSample {
        ProcessSample {
            pid,
            process_name: name.to_owned(),
            start_ticks: i64::from(pid),
            rss_bytes: rss,
            thread_count: 2,
            state: "S".to_owned(),
            fd_count: Some(3),
            read_bytes_total: Some(i64::from(pid) * 100),
            write_bytes_total: None,
            process_count: 1,
            ..ProcessSample::default()
        }
    }

    fn find<'a>(samples: &'a [ProcessSample], name: &str) -> Vec<&'a ProcessSample> {
        samples
            .iter()
            .filter(|one| one.process_name == name)
            .collect()
    }

    #[test]
    fn totals_stay_what_they_were_whatever_is_summed() {
        let all = || {
            let mut all: Vec<ProcessSample> = (1..=40)
                .map(|pid| {
                    process(
                        pid,
                        ["worker", "cron", "sh"][pid as usize % 3],
                        60 * i64::from(pid),
                    )
                })
                .collect();
            all.push(ProcessSample {
                watched: true,
                ..process(50, "worker", 1)
            });
            all.push(ProcessSample {
                state: "D".to_owned(),
                ..process(51, "worker", 1)
            });
            all.push(ProcessSample {
                cpu_pct: Some(30.0),
                ..process(52, "worker", 1)
            });
            all.push(process(53, "alone", 1));
            all
        };
        let total = |samples: &[ProcessSample]| {
            samples.iter().fold((0, 0, 0, 0), |sum, one| {
                let fds = one.fd_count.unwrap_or(0);
                let counts = (i64::from(one.process_count), i64::from(one.thread_count));
                (
                    sum.0 + counts.0,
                    sum.1 + one.rss_bytes,
                    sum.2 + counts.1,
                    sum.3 + fds,
                )
            })
        };
        for floor in [0, 1, 100, FLOOR, 10_000] {
            let mut samples = all();
            Sums::default().fold(&mut samples, floor);
            assert_eq!(total(&samples), total(&all()), "{floor}");
            for pid in 50..=53 {
                assert!(samples.iter().any(|one| one.pid == pid), "{pid} of {floor}");
            }
            let keys: std::collections::BTreeSet<_> = samples
                .iter()
                .map(|one| (one.pid, one.start_ticks))
                .collect();
            assert_eq!(
                keys.len(),
                samples.len(),
                "each row is distinguished from the others"
            );
        }
        let mut samples = all();
        Sums::default().fold(&mut samples, 10_000);
        assert_eq!(samples.len(), 4 + 3);
    }

    #[test]
    fn the_counter_of_a_sum_only_grows() {
        let mut sums = Sums::default();
        let mut tick = |list: &[(i32, i64)]| {
            let mut samples: Vec<ProcessSample> = list
                .iter()
                .map(|&(pid, read)| ProcessSample {
                    read_bytes_total: Some(read),
                    ..process(pid, "worker", 1)
                })
                .collect();
            sums.fold(&mut samples, FLOOR);
            let sum = find(&samples, "worker")[0].clone();
            (
                sum.process_count,
                sum.read_bytes_total,
                sum.write_bytes_total,
            )
        };
        assert_eq!(tick(&[(1, 500), (2, 700)]), (2, Some(0), None));
        assert_eq!(tick(&[(1, 510), (2, 700)]), (2, Some(10), None));
        // one ended, two began
        assert_eq!(tick(&[(2, 705), (3, 9000), (4, 0)]), (3, Some(15), None));
        assert_eq!(tick(&[(2, 705), (3, 9001), (4, 4)]), (3, Some(20), None));
    }

    #[test]
    fn what_is_not_known_of_one_is_not_known_of_the_sum() {
        let unknown = ProcessSample {
            fd_count: None,
            read_bytes_total: None,
            ..process(2, "worker", 1)
        };
        let mut samples = vec![process(1, "worker", 1), unknown];
        Sums::default().fold(&mut samples, FLOOR);
        assert_eq!(
            (samples[0].fd_count, samples[0].read_bytes_total),
            (None, None)
        );
    }
}
