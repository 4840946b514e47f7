//! What a month is like.

use super::SECOND;
use super::event::{Cause, Event};
use crate::Dice;
use schema::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// What happens each week: on which day, at which hour, for so many seconds.
const WEEKLY: [(i64, Cause, i64, i64); 5] = [
    (0, Cause::CollectorAway, 9, 25),
    (1, Cause::ServerRestart, 5, 10),
    (2, Cause::Deploy, 10, 4 * DAY),
    (3, Cause::CollectorAway, 20, 2 * HOUR),
    (5, Cause::Reboot, 4, 90),
];

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Processes.
    pub processes: usize,
    /// Tables, each with an index.
    pub tables: usize,
    /// Statements of pg_stat_statements that run.
    pub statements: usize,
    /// Sources of log lines.
    pub logs: usize,
}

impl Size {
    /// Enough to have one of everything: some 60 rows a tick.
    pub const SMALL: Self = Self {
        processes: 20,
        tables: 8,
        statements: 10,
        logs: 3,
    };
    /// A host with an API, a proxy and a database.
    pub const USUAL: Self = Self {
        processes: 300,
        tables: 200,
        statements: 500,
        logs: 13,
    };
}

/// What happens in a month.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Of all random numbers.
    pub seed: u64,
    /// When it begins: a Monday, midnight UTC.
    pub begin: Timestamp,
    /// How long it is.
    pub days: u32,
    /// Seconds between two ticks.
    pub interval_secs: u32,
    /// How much there is of everything.
    pub size: Size,
    /// What happens; in any order.
    pub events: Vec<Event>,
}

impl Plan {
    /// Plans days in which nothing is wrong, with all that happens to a healthy host.
    #[must_use]
    pub fn healthy(seed: u64, days: u32, size: Size) -> Self {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let mut events = Vec::new();
        let mut add = |cause, from, lasts| events.push(Event { cause, from, lasts });
        for day in 0..i64::from(days) {
            let begin = day * DAY;
            add(Cause::Backup, begin + 2 * HOUR, 20 * MINUTE);
            for _ in 0..12 {
                let at = begin + i64::try_from(dice.below(86_400)).unwrap_or_default();
                // Shorter than two samples.
                add(Cause::Spike, at, 10);
            }
            // A month of less than a week has the events of the missing days on its first ones.
            for (weekday, cause, hour, lasts) in WEEKLY {
                if weekday % i64::from(days).min(7) == day % 7 {
                    add(cause, begin + hour * HOUR, lasts);
                }
            }
        }
        Self {
            seed,
            // 2026-11-02.
            begin: Timestamp(1_793_577_600 * SECOND),
            days,
            interval_secs: 10,
            size,
            events,
        }
    }

    /// Adds an event.
    #[must_use]
    pub fn with(mut self, cause: Cause, from: i64, lasts: i64) -> Self {
        self.events.push(Event { cause, from, lasts });
        self
    }

    /// Returns the instant so many seconds after the beginning.
    #[must_use]
    pub const fn at(&self, secs: i64) -> Timestamp {
        Timestamp(self.begin.as_micros() + secs * SECOND)
    }
}
