//! Upkeep of a session beside delivery: partitions, heartbeats, the host's retention,
//! the settings and the end of the run. A failure here costs nothing but itself, and is logged once
//! for as long as it lasts.
//!
//! Every heartbeat is also a look at the server's clock. While the host's differs by more than
//! [`expiry::CLOCK_TOLERANCE_MICROS`] this host expires nothing, and `collector.retention` states so, from
//! where the dashboard takes it.

use super::batch::Batch;
use super::lease::{self, RENEW_AFTER};
use super::transaction::Pulse;
use super::{End, Session, describe, transaction};
use crate::partitions::{Needs, lacks_partition};
use crate::spread::Place;
use crate::status::Keeper;
use crate::{crowding, expiry};
use schema::tables::{DataGap, Heartbeat};
use schema::{Sample, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::Error;

/// How often the host's retention is stored, and known partitions are forgotten.
const UPKEEP_EVERY: Duration = Duration::from_secs(3600);

/// Pause before storing the host's retention is tried again.
const REPORT_AGAIN: Duration = Duration::from_secs(20);
/// How often it is asked which limit of connections is reached.
const LIMIT_EVERY: Duration = Duration::from_secs(10);
/// Time for the delivery of each host: it takes the server 5 ms of CPU, and two processors make that 400 a second.
const DELIVERY: Duration = Duration::from_millis(10);
/// So much later a delivery may be on account of other hosts.
const LATEST: Duration = Duration::from_secs(2);
/// Table of heartbeats.
const HEARTBEAT: &str = Heartbeat::TABLE.name;

/// Failures other than of samples, by name: logged when they begin and when they end.
#[derive(Debug, Default)]
pub(super) struct Troubles(BTreeMap<&'static str, String>);

impl Troubles {
    fn begin(&mut self, what: &'static str, error: String) {
        match self.0.insert(what, error.clone()) {
            None => tracing::warn!(error, "{what} failed; tried again later"),
            Some(_) => tracing::debug!(error, "{what} failed again"),
        }
    }

    fn lasts(&self, what: &'static str) -> bool {
        self.0.contains_key(what)
    }

    fn end(&mut self, what: &'static str) {
        if self.0.remove(what).is_some() {
            tracing::info!("{what} works again");
        }
    }
}

const THE_HEARTBEAT: &str = "the heartbeat";

impl Session<'_> {
    /// Notes the result of an operation beside the samples: the session goes on unless the link is gone.
    fn minor<T>(
        &mut self,
        what: &'static str,
        outcome: Result<T, Error>,
    ) -> Result<Option<T>, End> {
        match outcome {
            Ok(value) => {
                self.memory.troubles.end(what);
                Ok(Some(value))
            }
            Err(error) if error.as_db_error().is_none() || self.link.session.is_closed() => {
                Err(End::Broken(describe(&error)))
            }
            Err(error) => {
                self.memory.troubles.begin(what, describe(&error));
                Ok(None)
            }
        }
    }

    /// Makes the partitions that a batch needs, as far as they can be made in time.
    pub(super) async fn ensure_partitions(&mut self, batch: &Batch) -> Result<(), End> {
        let mut needs = Needs::default();
        for group in batch.tables.iter().flat_map(|entry| &entry.groups) {
            needs.add_group(group);
        }
        let now = (self.writer.clock)();
        if !batch.gaps.is_empty() {
            // A gap is noted at the time of its transaction.
            needs.add(DataGap::TABLE.name, self.partitions.today(now));
        }
        self.ensure(&needs, now).await
    }

    async fn ensure(&mut self, needs: &Needs, now: Timestamp) -> Result<(), End> {
        let client = &self.link.session.client;
        let made = self.partitions.ensure(client, needs, now).await;
        let outcome = made.and_then(|refused| refused.map_or(Ok(()), Err));
        self.minor("making partitions", outcome)?;
        Ok(())
    }

    /// Makes one partition ahead; whether there may be more to make.
    pub(super) async fn make_ahead(&mut self) -> Result<bool, End> {
        let now = (self.writer.clock)();
        let client = &self.link.session.client;
        match self.partitions.make_ahead(client, now).await {
            Ok(None) => Ok(false),
            Ok(Some(outcome)) => {
                self.minor("making partitions ahead", outcome)?;
                Ok(true)
            }
            Err(error) => Err(End::Broken(describe(&error))),
        }
    }

    /// Stores this host's retention, and forgets what may have changed in the database.
    pub(super) async fn upkeep(&mut self) -> Result<(), End> {
        self.next_upkeep = Instant::now() + UPKEEP_EVERY;
        // Known partitions may have been dropped.
        self.partitions.forget_all();
        self.identities.forget();
        self.find_place().await?;
        self.report().await
    }

    /// Finds this machine's place among the hosts that deliver.
    async fn find_place(&mut self) -> Result<(), End> {
        let sql = "SELECT count(DISTINCT host_id) FROM collector.spool_watermark WHERE updated_at > now() - interval '1 hour'";
        let counted = self.link.session.client.query_one(sql, &[]).await;
        if let Some(row) = self.minor("counting hosts", counted)? {
            let hosts = u32::try_from(row.get::<_, i64>(0)).unwrap_or(u32::MAX);
            let place = Place::new(&self.writer.host.machine_id, hosts);
            self.offset = place.offset(DELIVERY, LATEST);
            self.writer.status.update(|status| status.place = place);
        }
        Ok(())
    }

    /// Notes an error of the queue's disk; delivery goes on with the readable records.
    pub(super) fn note_queue(&mut self, trouble: Option<String>) {
        const WHAT: &str = "reading or tidying up the queue";
        self.queue_works = trouble.is_none();
        match trouble {
            Some(error) => self.memory.troubles.begin(WHAT, error),
            None => self.memory.troubles.end(WHAT),
        }
    }

    /// Stores the host's retention and the state of its clock.
    async fn report(&mut self) -> Result<(), End> {
        let retention = self.writer.options.borrow().retention;
        let (client, host_id) = (&self.link.session.client, self.link.host_id);
        let reported = expiry::report(client, host_id, &retention, self.memory.clock_ahead).await;
        let reported = self.minor("storing what is to be kept", reported)?;
        self.report_after = Instant::now() + REPORT_AGAIN;
        if reported.is_some() {
            self.reported = Some((retention, expiry::clocks_agree(self.memory.clock_ahead)));
            self.writer
                .status
                .update(|status| status.retention = Some(retention));
        }
        Ok(())
    }

    /// Takes a look at the clocks: the server's showed `server` between two looks at ours. What counts is by how much they differ for
    /// certain, so that a slow answer is no difference.
    pub(super) fn compare_clocks(&mut self, server: Timestamp, ours: (Timestamp, Timestamp)) {
        let agreed = expiry::clocks_agree(self.memory.clock_ahead);
        let ahead = |ours: Timestamp| ours.as_micros().saturating_sub(server.as_micros());
        self.memory.clock_ahead = ahead(ours.0).max(0) + ahead(ours.1).min(0);
        self.partitions.set_server_ahead(-self.memory.clock_ahead);
        let ahead = self.memory.clock_ahead;
        self.writer
            .status
            .update(|status| status.clock_ahead_micros = ahead);
        let agrees = expiry::clocks_agree(self.memory.clock_ahead);
        if agrees != agreed {
            let ahead_secs = self.memory.clock_ahead / 1_000_000;
            if agrees {
                tracing::info!(ahead_secs, "the clock agrees with the server's again");
            } else {
                tracing::warn!(
                    ahead_secs,
                    "the clock differs from the server's; this host expires nothing until they agree"
                );
            }
        }
    }

    /// Stores a heartbeat when one is due, and this host's retention when it has changed.
    pub(super) async fn heartbeat(&mut self) -> Result<(), End> {
        if Instant::now() >= self.next_heartbeat {
            self.ensure_heartbeat().await?;
            let client = &self.link.session.client;
            let (host_id, clock) = (self.link.host_id, self.writer.clock);
            let stored =
                transaction::store_heartbeat(client, &mut self.statements, host_id, clock).await;
            self.note_heartbeat(stored)?;
            self.renew_lease().await?;
        }
        self.find_limit().await?;
        let asked = self.writer.options.borrow().retention;
        let is_news = self.reported != Some((asked, expiry::clocks_agree(self.memory.clock_ahead)));
        if is_news && Instant::now() >= self.report_after {
            self.report().await?;
        }
        Ok(())
    }

    /// Finds out which limit of connections is reached while another session of this host is refused.
    async fn find_limit(&mut self) -> Result<(), End> {
        if Instant::now() < self.limit_after || !self.writer.status.is_crowded() {
            return Ok(());
        }
        self.limit_after = Instant::now() + LIMIT_EVERY;
        let found = crowding::limit(&self.link.session.client).await;
        let limit = self.minor("asking which limit of connections is reached", found)?;
        self.writer.status.update(|status| {
            if status.crowding.is_any() {
                status.crowding.limit = limit;
            }
        });
        Ok(())
    }

    /// Prolongs the host's lease when no delivery did so for some time.
    async fn renew_lease(&mut self) -> Result<(), End> {
        if Instant::now() < self.renew_at {
            return Ok(());
        }
        self.renew_at = Instant::now() + RENEW_AFTER;
        let (client, agent) = (&self.link.session.client, &self.writer.agent);
        let renewed = lease::renew(client, self.link.host_id, agent).await;
        if self.minor("prolonging the host's lease", renewed)? == Some(false) {
            tracing::info!("another collector took the host's lease");
            return Err(End::Renew);
        }
        Ok(())
    }

    async fn ensure_heartbeat(&mut self) -> Result<(), End> {
        let now = (self.writer.clock)();
        let mut needs = Needs::default();
        needs.add(HEARTBEAT, self.partitions.today(now));
        self.ensure(&needs, now).await
    }

    /// Returns whether a delivery takes a heartbeat along, which saves a transaction: when one is
    /// due soon, and unless the last one was refused.
    pub(super) async fn heartbeat_due(&mut self) -> Result<bool, End> {
        let soon = Instant::now() + self.writer.options.borrow().heartbeat / 2;
        if soon < self.next_heartbeat || self.memory.troubles.lasts(THE_HEARTBEAT) {
            return Ok(false);
        }
        self.ensure_heartbeat().await?;
        Ok(true)
    }

    /// Notes the result of a heartbeat: what the database told, or why it was refused.
    pub(super) fn note_heartbeat(&mut self, stored: Result<Pulse, Error>) -> Result<(), End> {
        self.next_heartbeat = Instant::now() + self.writer.options.borrow().heartbeat;
        if stored.as_ref().is_err_and(lacks_partition) {
            self.partitions.forget(HEARTBEAT);
        }
        if let Some(pulse) = self.minor(THE_HEARTBEAT, stored)? {
            self.compare_clocks(pulse.clock, pulse.ours);
            let this = self.link.host_id;
            let keeper = |host_id| match host_id {
                None => Keeper::Nobody,
                Some(host_id) if host_id == this => Keeper::This,
                Some(_) => Keeper::Other,
            };
            self.writer.status.update(|status| {
                status.keeper = keeper(pulse.keeper);
                status.upkeep = keeper(pulse.upkeep);
            });
        }
        Ok(())
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
        self.minor("storing the settings", stored)?;
        Ok(())
    }
}
