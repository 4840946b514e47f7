//! What rolling up and sealing cost, and what samples, hours and days take.

use super::store::Stored;
use super::{CLOSE_WITHIN, MONTH_TICKS, PATIENCE, count, mib};
use crate::bench::{number, process};
use crate::delivery::now;
use crate::usual;
use anyhow::{Context, ensure};
use insight::live::Intervals;
use schema::micros::{DAY, HOUR, SECOND};
use store::{rollup, seal};

/// How often hours were rolled up.
const HOURS: &str = "SELECT sum(version) FROM collector.rollups WHERE grain = 'hour'";

/// What samples take.
pub(super) struct Samples {
    /// Bytes of one of a process, with indexes.
    pub(super) sample: f64,
    /// MiB of all samples of a month.
    pub(super) month: f64,
}

/// What rolling up costs.
pub(super) struct RolledUp {
    pub(super) hour_ms: f64,
    pub(super) day_ms: f64,
    /// MiB.
    pub(super) month_of_hours: f64,
    pub(super) year_of_days: f64,
}

/// What sealing costs.
pub(super) struct Sealing {
    /// CPU of the hours of all tables, for each hour of the host, milliseconds.
    pub(super) hour_ms: f64,
    /// The same for each table and hour.
    pub(super) table_hour_ms: f64,
}

impl Stored {
    /// Returns what the samples take as they are stored: as rows, and where sealed, as arrays.
    pub(super) async fn samples(&self) -> anyhow::Result<Samples> {
        let count = "SELECT count(*) FROM collector.process_metrics_raw";
        let samples = number(&self.server, count).await?;
        let processes = self.bytes(r"relname ~ '^process_(samples|identities)_'");
        let raw = self.bytes(
            r"relispartition AND relname !~ '^(metric|statement|endpoint|io)_(hours|days)_'",
        );
        Ok(Samples {
            sample: processes.await? / samples,
            month: mib(raw.await?) / self.ticks * MONTH_TICKS,
        })
    }

    /// Returns bytes of a sealed sample of a process: with its share of the instants, which all series of an hour have in common,
    /// and of what identifies processes.
    pub(super) async fn sealed_sample(&self) -> anyhow::Result<f64> {
        let sealed = "SELECT sum(sample_count) FROM collector.sealed_days WHERE table_name = 'process_samples'";
        let samples = number(&self.server, sealed).await?;
        ensure!(samples > 0.0, "no day is sealed");
        let today = day_name(now().as_micros());
        let bytes = self
            .bytes(&format!(
                r"(relname ~ '^process_samples_sealed_' OR relname ~ '^process_identities_' AND relname !~ '{today}')"
            ))
            .await?;
        let instants = "SELECT coalesce(sum(pg_column_size(i.*)), 0) FROM collector.sealed_instants i WHERE table_name = 'process_samples'";
        Ok((bytes + number(&self.server, instants).await?) / samples)
    }

    /// Returns MiB of all samples of a month: of the days that are over, which are sealed as far as they ever are.
    pub(super) async fn sealed_month(&self) -> anyhow::Result<f64> {
        let today = day_name(now().as_micros());
        let closed = format!(
            r"relispartition AND relname !~ '^(metric|statement|endpoint|io)_(hours|days)_|_other$|_{today}$'"
        );
        let instants = "SELECT pg_total_relation_size('collector.sealed_instants')";
        let bytes = self.bytes(&closed).await? + number(&self.server, instants).await?;
        #[expect(clippy::cast_precision_loss, reason = "a month has few seconds")]
        let days = (self.last_day + DAY - self.begin) as f64 / DAY as f64;
        Ok(mib(bytes) / days * 30.0)
    }

    /// Seals everything that is rolled up, and the days that are over.
    pub(super) async fn seal(&self) -> anyhow::Result<Sealing> {
        let session = self.session().await?;
        let cpu = || process::cpu_ms(u32::try_from(session.pid)?);
        let hours = number(
            &self.server,
            "SELECT count(*) FROM collector.rollups WHERE grain = 'hour' \
                 AND bucket >= (SELECT min(ts) - interval '1 hour' FROM collector.system_metrics_raw)",
        )
        .await?;
        let before = cpu()?;
        let outcome = seal::run(&session.client, PATIENCE).await?;
        let sealed = cpu()? - before;
        ensure!(
            outcome.left == 0 && outcome.days > 0,
            "days are left: {outcome:?}"
        );
        session.close(CLOSE_WITHIN).await;
        self.vacuum().await?;
        Ok(Sealing {
            hour_ms: sealed / hours,
            table_hour_ms: sealed / count(outcome.hours),
        })
    }

    /// Rolls up everything.
    pub(super) async fn roll_up(&self) -> anyhow::Result<RolledUp> {
        let session = self.session().await?;
        let (whole_ms, outcome) = rolled_up(&session).await?;
        let hours_rolled = number(&self.server, HOURS).await?;
        // The days once more, alone.
        let again = "DELETE FROM collector.rollups WHERE grain = 'day'";
        session.client.batch_execute(again).await?;
        let (days_ms, days) = rolled_up(&session).await?;
        session.close(CLOSE_WITHIN).await;
        ensure!(outcome.left == 0 && days.hours == 0, "hours are left");
        let day_ms = days_ms / count(days.days);
        self.vacuum().await?;
        let hours = self
            .bytes(r"relname ~ '^(metric|statement|endpoint|io)_hours_'")
            .await?;
        let days = self
            .bytes(r"relname ~ '^(metric|statement|endpoint|io)_days_'")
            .await?;
        Ok(RolledUp {
            hour_ms: (whole_ms - day_ms * count(outcome.days)) / hours_rolled,
            day_ms,
            month_of_hours: mib(hours) / count(outcome.hours) * 720.0,
            year_of_days: mib(days) / count(outcome.days) * 365.0,
        })
    }

    /// Computes what is usual and what will be full, from a month of hours; returns the CPU, milliseconds.
    pub(super) async fn usual(&self) -> anyhow::Result<f64> {
        let interval = 10 * SECOND;
        let intervals = Intervals {
            host: interval,
            services: interval,
        };
        let session = self.session().await?;
        // The second time rows are replaced, as ever after.
        for _ in 0..2 {
            usual::compute(&session, 1, now(), intervals).await?;
        }
        let before = cpu_ms(&session)?;
        usual::compute(&session, 1, now(), intervals).await?;
        let took = cpu_ms(&session)? - before;
        session.close(CLOSE_WITHIN).await;
        Ok(took)
    }

    /// Rolls up hours once more; returns the CPU of one, milliseconds.
    pub(super) async fn roll_up_again(&self) -> anyhow::Result<f64> {
        // Every third, as each takes the one after it along: hours are counted as they are rolled up.
        let changed = format!(
            "INSERT INTO collector.changed_hours (host_id, bucket) \
             SELECT 1, bucket FROM collector.rollups r, generate_series({}, {}, {}) n \
             WHERE r.grain = 'hour' AND r.bucket = 'epoch'::timestamptz + n * interval '1 us'",
            self.begin.max(self.last_day) + HOUR,
            self.last_day + DAY - HOUR,
            3 * HOUR
        );
        self.server.sql(&changed).await?;
        let session = self.session().await?;
        let before = number(&self.server, HOURS).await?;
        let (ms, outcome) = rolled_up(&session).await?;
        let hours_rolled = number(&self.server, HOURS).await? - before;
        // Without the day that follows.
        let again = "DELETE FROM collector.rollups WHERE grain = 'day' AND bucket > now() - interval '3 days'";
        session.client.batch_execute(again).await?;
        let (day_ms, days) = rolled_up(&session).await?;
        session.close(CLOSE_WITHIN).await;
        let day_ms = day_ms / count(days.days) * count(outcome.days);
        Ok((ms - day_ms) / hours_rolled)
    }
}

/// CPU of this process and of a session's, milliseconds.
fn cpu_ms(session: &pg::Session) -> anyhow::Result<f64> {
    let server = process::cpu_ms(u32::try_from(session.pid)?)?;
    // Threads that stored samples end meanwhile; without them this process seems to have used less than before.
    Ok(server + process::whole_cpu_ms(std::process::id())?)
}

/// Rolls up what is due; returns the CPU that it took, here and at the server, milliseconds.
async fn rolled_up(session: &pg::Session) -> anyhow::Result<(f64, rollup::Outcome)> {
    let before = cpu_ms(session)?;
    let outcome = rollup::run(&session.client, PATIENCE).await?;
    let outcome = outcome.context("another session rolls up")?;
    Ok((cpu_ms(session)? - before, outcome))
}

/// Returns the day of an instant as the names of partitions have it.
fn day_name(micros: i64) -> String {
    let at = jiff::Timestamp::from_microsecond(micros).unwrap_or_default();
    at.strftime("%Y%m%d").to_string()
}
