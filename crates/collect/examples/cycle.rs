//! What each collector costs on this machine: CPU time (user and system) per tick.
//!
//! `cargo run --release -p pqcrypta-collect --example cycle -- [TICKS [INTERVAL_MS]]`
//!
//! Without an interval the ticks follow each other and the kernel's caches are warm; at a real
//! interval a tick costs about half as much again. The first tick, which reads everything there
//! is of every process, is given apart.

use std::time::{Duration, Instant};

use collect::{Collector, Host, Moment, Mounts, Processes, Roots, SelfUsage, run_one};
use rustix::time::{ClockId, clock_gettime};

/// CPU time this process has used, µs.
fn cpu_us() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

#[derive(Default)]
struct Cost {
    first: f64,
    later: Vec<f64>,
    rows: usize,
    error: Option<String>,
}

impl Cost {
    async fn measure(&mut self, collector: &mut impl Collector, at: &Moment) {
        let mut rows = Vec::new();
        let before = cpu_us();
        let report = run_one(collector, at, &mut rows).await;
        drop(rows);
        let used = cpu_us() - before;
        if self.rows == 0 {
            self.first = used;
        } else {
            self.later.push(used);
        }
        self.rows = report.rows;
        self.error = report.error.map(|error| error.to_string());
    }

    fn print(&mut self, name: &str) {
        self.later.sort_by(f64::total_cmp);
        let median = self.later.get(self.later.len() / 2).copied().unwrap_or(0.0);
        let mean = self.later.iter().sum::<f64>() / self.later.len().max(1) as f64;
        println!(
            "{name:<10} {:>5} rows  first {:>7.0} µs  median {median:>7.0} µs  mean {mean:>7.0} µs  {:>6.2} µs/row  {}",
            self.rows,
            self.first,
            median / self.rows.max(1) as f64,
            self.error.as_deref().unwrap_or(""),
        );
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let mut argument = |default| arguments.next().and_then(Result::ok).unwrap_or(default);
    let (ticks, interval) = (argument(50), Duration::from_millis(argument(0)));

    let roots = Roots::default();
    let (mut host, mut mounts) = (Host::new(&roots), Mounts::new(&roots));
    let mut processes = Processes::new(&roots, vec!["postgres".to_owned()]);
    processes.keep_open(2048);
    let mut usage = SelfUsage::new(&roots);
    let [mut host_cost, mut mount_cost, mut process_cost] = [(); 3].map(|()| Cost::default());
    let started = Instant::now();
    for tick in 0..=ticks {
        let at = Moment {
            ts: schema::Timestamp::default(),
            monotonic: started.elapsed(),
        };
        host_cost.measure(&mut host, &at).await;
        mount_cost.measure(&mut mounts, &at).await;
        process_cost.measure(&mut processes, &at).await;
        if tick == 0 || tick == ticks {
            println!("{:?}", usage.read(&at));
        }
        tokio::time::sleep(interval).await;
    }
    host_cost.print("host");
    mount_cost.print("mounts");
    process_cost.print("processes");
}
