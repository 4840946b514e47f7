//! What a session does beside delivering: partitions ahead and expired ones dropped, heartbeats, the
//! settings and the end of the run. A failure here costs nothing but itself.

use super::batch::Batch;
use super::{End, Session, describe, transaction};
use schema::{Keep, TABLES};
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::Client;

/// How often partitions are made ahead and expired ones dropped.
const UPKEEP_EVERY: Duration = Duration::from_secs(3600);
/// Daily partitions made ahead, so that days of trouble do not leave rows without one.
const DAYS_AHEAD: i64 = 3;
/// Sums that are kept beside the declared tables.
const SUMS: [(&str, Keep); 2] = [
    ("log_metrics_hourly", Keep::Hourly),
    ("log_fingerprint_hourly", Keep::Hourly),
];
const DAY_MICROS: i64 = 86_400_000_000;

/// Makes the daily partitions from `first` to `last`, days since 1970, of every table that lacks them.
/// Gives how many were made.
pub(crate) async fn ensure_partitions(
    client: &Client,
    first: i64,
    last: i64,
) -> Result<i32, tokio_postgres::Error> {
    let row = client
        .query_one(
            "SELECT collector.ensure_partitions(date '1970-01-01' + $1::int4, date '1970-01-01' + $2::int4)",
            &[&(first as i32), &(last as i32)],
        )
        .await?;
    Ok(row.get(0))
}

impl Session<'_> {
    /// Partitions for the days of a batch, made when a day is seen for the first time.
    pub(super) async fn ensure_days(&mut self, batch: &Batch) -> Result<(), End> {
        let Some((oldest, newest)) = batch.oldest.zip(batch.newest) else {
            return Ok(());
        };
        let today = (self.writer.clock)().0.div_euclid(DAY_MICROS);
        let keep = self.writer.options.borrow().raw_days;
        for day in oldest.0.div_euclid(DAY_MICROS)..=newest.0.div_euclid(DAY_MICROS) {
            // A clock gone astray makes no partitions; its rows go to the default one.
            if (today - keep..=today + DAYS_AHEAD).contains(&day) && self.days.insert(day) {
                self.ensure_partitions(day, day).await?;
            }
        }
        Ok(())
    }

    async fn ensure_partitions(&mut self, first: i64, last: i64) -> Result<(), End> {
        let client = &self.link.session.client;
        match ensure_partitions(client, first, last).await {
            Ok(made) => {
                if made > 0 {
                    tracing::debug!(made, "made partitions");
                }
                self.days.extend(first..=last);
                Ok(())
            }
            Err(error) => self.minor("making partitions", &error),
        }
    }

    /// Partitions ahead, expired ones dropped.
    pub(super) async fn upkeep(&mut self) -> Result<(), End> {
        self.next_upkeep = Instant::now() + UPKEEP_EVERY;
        let today = (self.writer.clock)().0.div_euclid(DAY_MICROS);
        self.ensure_partitions(today - 1, today + DAYS_AHEAD)
            .await?;
        let options = *self.writer.options.borrow();
        let tables = TABLES.iter().map(|table| (table.name, table.keep));
        for (table, keep) in tables.chain(SUMS) {
            let days = match keep {
                Keep::Raw => options.raw_days,
                Keep::Brief => options.raw_days.min(2),
                Keep::Hourly => options.hourly_days,
                Keep::Long => options.long_days,
                Keep::Lines => options.log_days,
                Keep::Events => options.event_days,
            };
            let dropped = self
                .link
                .session
                .client
                .query_one(
                    "SELECT collector.drop_partitions($1, date '1970-01-01' + $2::int4)",
                    &[&table, &((today - days) as i32)],
                )
                .await;
            match dropped {
                Ok(row) => {
                    let dropped: i32 = row.get(0);
                    if dropped > 0 {
                        tracing::info!(table, dropped, "dropped expired partitions");
                    }
                }
                Err(error) => self.minor("dropping expired partitions", &error)?,
            }
        }
        Ok(())
    }

    /// Something beside the samples failed: the session goes on unless the link is gone.
    fn minor(&self, what: &'static str, error: &tokio_postgres::Error) -> Result<(), End> {
        if error.as_db_error().is_none() || self.link.session.is_closed() {
            return Err(End::Broken(describe(error)));
        }
        tracing::warn!(error = describe(error), "{what} failed; tried again later");
        Ok(())
    }

    pub(super) async fn beat(&mut self) -> Result<(), End> {
        if Instant::now() < self.next_heartbeat {
            return Ok(());
        }
        self.next_heartbeat = Instant::now() + self.writer.options.borrow().heartbeat;
        let now = (self.writer.clock)();
        let client = &self.link.session.client;
        let beat = transaction::beat(client, &mut self.statements, self.link.host_id, now).await;
        match beat {
            Ok(_) => Ok(()),
            Err(error) => self.minor("the heartbeat", &error),
        }
    }

    pub(super) async fn store_settings(&mut self) -> Result<(), End> {
        let settings = self.writer.agent.settings();
        let stored = self
            .link
            .session
            .client
            .execute(
                "UPDATE collector.agent_runs SET settings = $3::text::jsonb WHERE host_id = $1 AND run_id = $2::text::uuid",
                &[&self.link.host_id, &self.writer.agent.run_id.to_string(), &settings],
            )
            .await;
        match stored {
            Ok(_) => Ok(()),
            Err(error) => self.minor("storing the settings", &error),
        }
    }
}
