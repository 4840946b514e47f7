//! Health checks that a timer makes: their results are stored already, and judged here as if this program had made them.
//!
//! What follows (transitions of findings) is queued; the results are not, as they would be stored twice.

use crate::analysis::HostSession;
use crate::group_append::GroupAppend;
use config::{Config, HealthRunner};
use schema::micros::MINUTE;
use schema::{Sample, Timestamp};
use store::health_checks;
use store::series::ReadError;

/// Results older than this tell nothing of now: as with checks at slow ticks.
const RECENT: i64 = 10 * MINUTE;

/// Which results were judged.
#[derive(Debug)]
pub(crate) struct TimerChecks {
    is_asked: bool,
    judged: Timestamp,
}

impl TimerChecks {
    /// Begins with results of the last minutes.
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            is_asked: config.health.run_by == HealthRunner::Timer,
            judged: Timestamp(0),
        }
    }

    /// Takes a new configuration.
    pub(crate) fn reconfigure(&mut self, config: &Config) {
        self.is_asked = config.health.run_by == HealthRunner::Timer;
    }

    /// Judges what was stored since the last time; returns what is to be queued.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) async fn judge(
        &mut self,
        host: &HostSession,
        group: &GroupAppend,
        now: Timestamp,
    ) -> Result<Vec<schema::Row>, ReadError> {
        if !self.is_asked {
            return Ok(Vec::new());
        }
        let after = self.judged.max(Timestamp(now.as_micros() - RECENT));
        let found = health_checks::newest(&host.session.client, host.host_id, after, now).await?;
        let Some(newest) = found.iter().map(|(at, _)| *at).max() else {
            return Ok(Vec::new());
        };
        self.judged = newest;
        let rows: Vec<_> = found
            .into_iter()
            .map(|(_, result)| result.into_row(now))
            .collect();
        let stored = rows.len();
        let mut batches = [(now, rows)];
        group.findings().judge(&mut batches);
        let [(_, mut rows)] = batches;
        Ok(rows.split_off(stored))
    }
}
