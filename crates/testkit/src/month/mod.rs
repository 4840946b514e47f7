//! A month of a host's rows, as a collector queues them, without the host: the same ones for the same seed.
//!
//! [`Month`] is an iterator of ticks. A `State` says what the host does at an instant: it follows from the hour, the
//! day of the week, noise, and the [events](Event) of the [`Plan`]. Each area (host, processes, PostgreSQL, peers,
//! logs) turns the state into rows of its tables and continues its counters. So figures of different areas belong
//! together, as they do on a host: more requests mean more CPU, more transactions and more lines.
//!
//! [`Plan::healthy`] is a month in which nothing is wrong. It is not quiet, though: it has a nightly backup, single
//! bad samples, programs that come and go, two versions of the API of which the second is slower, a disk that slowly
//! fills and is tidied up, and restarts of collector, server and host with their gaps and counters that begin anew. [`Plan::with`]
//! adds a fault.
//!
//! ```
//! use testkit::month::{Month, Plan, Size};
//!
//! let plan = Plan::healthy(1, 1, Size::SMALL);
//! let rows: usize = Month::new(&plan).take(60).map(|tick| tick.rows.len()).sum();
//! assert!(rows > 60 * 40);
//! ```

mod event;
mod host;
mod logs;
mod peers;
mod plan;
mod postgres;
mod processes;
mod random;
mod relations;
mod state;

pub use event::{Cause, Event};
pub use plan::{Plan, Size};

use crate::Dice;
use schema::{Row, Timestamp};
use state::{State, States};

const SECOND: i64 = 1_000_000;

/// The rows of a tick.
#[derive(Clone, Debug)]
pub struct Tick {
    /// Its instant.
    pub ts: Timestamp,
    /// Whether the collector was started before it: what it knew in memory is gone.
    pub is_first: bool,
    /// Rows of every table that is sampled then.
    pub rows: Vec<Row>,
}

/// The part of a host that has rows.
trait Area: std::fmt::Debug {
    /// Adds its rows of a tick.
    fn sample(&mut self, state: &State, rows: &mut Vec<Row>);
}

/// The ticks of a plan.
#[derive(Debug)]
pub struct Month {
    states: States,
    areas: Vec<Box<dyn Area>>,
    usual: usize,
}

impl Month {
    /// Begins with the first tick.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        // A generator for each area, so that a change of one leaves the others as they are.
        let mut seeds = Dice::new(plan.seed);
        let mut dice = || Dice::new(seeds.roll());
        let states = States::new(plan, dice());
        let areas: Vec<Box<dyn Area>> = vec![
            Box::new(host::Host::new(dice())),
            Box::new(processes::Processes::new(plan.size.processes, dice())),
            Box::new(postgres::Server::new(dice())),
            Box::new(relations::Relations::new(plan.size, dice())),
            Box::new(peers::Peers::new(dice())),
            Box::new(logs::Logs::new(plan.size.logs, dice())),
        ];
        Self {
            states,
            areas,
            usual: 0,
        }
    }
}

impl Iterator for Month {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        let state = self.states.next()?;
        let mut rows = Vec::with_capacity(self.usual);
        for area in &mut self.areas {
            area.sample(&state, &mut rows);
        }
        self.usual = self.usual.max(rows.len());
        Some(Tick {
            ts: state.ts,
            is_first: state.collector.is_new(),
            rows,
        })
    }
}

#[cfg(test)]
mod tests;
