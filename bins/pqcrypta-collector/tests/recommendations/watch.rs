//! What a collector watches and judges, at instants of our own.

use super::database::Database;
use super::peers::Peers;
use collect::Moment;
use collect::postgres::{Databases, Instance, Postgres};
use insight::live::Intervals;
use insight::{Lifecycle, TickJudges};
use schema::micros::SECOND;
use schema::tables::FindingTransition;
use schema::{Row, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) const MINUTE: i64 = 60 * SECOND;
/// Slow ticks are so far apart.
const SLOW: i64 = 5 * MINUTE;

pub(crate) struct Watch {
    postgres: Postgres,
    pub(crate) peers: Peers,
    judges: TickJudges,
    findings: Lifecycle,
    at: Moment,
    /// By rule and target, the newest transition of what was confirmed.
    found: BTreeMap<(String, String), FindingTransition>,
}

impl Watch {
    pub(crate) async fn start(database: &Database) -> Self {
        let instance = Instance {
            name: "main".to_owned(),
            target: database.server.target(),
            databases: Databases::All,
            include_own: false,
            timeout: Duration::from_secs(10),
        };
        let intervals = Intervals {
            host: MINUTE,
            services: MINUTE,
        };
        Self {
            postgres: Postgres::new(instance),
            peers: Peers::start().await,
            judges: TickJudges::new(intervals).unwrap(),
            findings: Lifecycle::new(insight::rules()),
            at: Moment {
                ts: database.now().await,
                monotonic: Duration::from_secs(500),
            },
            found: BTreeMap::new(),
        }
    }

    /// Lets time pass without a sample.
    pub(crate) fn sleep(&mut self, micros: i64) {
        self.at.ts = Timestamp(self.at.ts.as_micros() + micros);
        self.at.monotonic += Duration::from_micros(micros.unsigned_abs());
    }

    /// Lets time pass with a tick a minute.
    pub(crate) async fn pass(&mut self, micros: i64, database: &mut Database) {
        for nth in 0..micros / MINUTE {
            let is_slow = (nth * MINUTE) % SLOW == 0;
            database.work().await;
            self.tick(is_slow).await;
            self.sleep(MINUTE);
        }
    }

    /// Lets time pass with a slow tick at its end.
    pub(crate) async fn pass_slowly(&mut self, micros: i64) {
        self.sleep(micros);
        self.tick(true).await;
    }

    async fn tick(&mut self, is_slow: bool) {
        let mut rows: Vec<Row> = Vec::new();
        if is_slow {
            self.postgres.slow(&self.at, &mut rows).await;
        }
        self.postgres.fast(&self.at, &mut rows).await;
        self.peers.collect(&self.at, &mut rows).await;
        let judged = self.judges.judge(&[&rows], &mut self.findings, self.at.ts);
        for (_, row) in judged.transitions {
            if row.confirmed_at.is_some() {
                self.found
                    .insert((row.rule.clone(), row.target.clone()), row);
            }
        }
    }

    /// Returns what was confirmed, as it is now.
    pub(crate) fn confirmed(&self) -> Vec<FindingTransition> {
        self.found.values().cloned().collect()
    }

    pub(crate) async fn end(self) {
        self.postgres.close().await;
    }
}
