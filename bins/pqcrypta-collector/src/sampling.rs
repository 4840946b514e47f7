//! The host's tick: every collector of the host once, the collector's metrics of itself, and all of it made durable,
//! together with the services' answers to the same tick.

use crate::findings::Findings;
use crate::group_append::GroupAppend;
use crate::logs::Sources;
use crate::textfile::{Said, Textfile};
use collect::{Host, Moment, Mounts, Processes, Roots, SelfUsage, run_one};
use schema::tables::SelfSample;
use schema::{Json, Sample, Timestamp};
use std::time::Duration;
use store::queue::Durability;
use store::spool::State;
use store::status::{Link, SharedStatus};
use tokio::time::Instant;

/// Room for the rows of a usual host.
const ROWS: usize = 512;

/// The state kept between ticks.
#[derive(Debug)]
pub(crate) struct Sampling {
    host: Host,
    mounts: Mounts,
    processes: Processes,
    usage: SelfUsage,
    group: GroupAppend,
    status: SharedStatus,
    sources: Sources,
    started: Instant,
    last_duration: Option<Duration>,
    spills: i64,
    durable: bool,
    overflowing: bool,
    budget_bytes: i64,
    textfile: Textfile,
}

impl Sampling {
    /// Begins to sample below these roots.
    pub(crate) fn new(
        roots: &Roots,
        watched: Vec<String>,
        group: GroupAppend,
        status: SharedStatus,
        sources: Sources,
        budget_bytes: u64,
    ) -> Self {
        let mut processes = Processes::new(roots, watched);
        processes.keep_open(::logs::descriptors::for_processes());
        Self {
            host: Host::new(roots),
            mounts: Mounts::new(roots),
            processes,
            usage: SelfUsage::new(roots),
            group,
            status,
            sources,
            started: Instant::now(),
            last_duration: None,
            spills: 0,
            durable: true,
            overflowing: false,
            budget_bytes: count(budget_bytes),
            textfile: Textfile::default(),
        }
    }

    /// Tells about itself in a file.
    pub(crate) const fn textfile(&mut self) -> &mut Textfile {
        &mut self.textfile
    }

    /// Sets the processes that are watched by name.
    pub(crate) fn watch(&mut self, watched: Vec<String>) {
        self.processes.watch(watched);
    }

    /// Sets the memory below which processes are only stored in sum.
    pub(crate) fn sum_below(&mut self, mib: u32) {
        self.processes.sum_below(mib);
    }

    /// Sets the budget of the spool that is reported.
    pub(crate) fn set_budget(&mut self, bytes: u64) {
        self.budget_bytes = count(bytes);
    }

    /// Returns the judges of its rows.
    pub(crate) const fn findings(&self) -> &Findings {
        self.group.findings()
    }

    /// Takes one tick at `ts`, begun `late`. Returns whether the queue took its rows, on disk or in memory.
    pub(crate) async fn sample(&mut self, ts: Timestamp, late: Duration) -> bool {
        let member = self.group.join();
        // Services whose tick is due now send their queries first; they answer while the host is read.
        tokio::task::yield_now().await;
        let began = Instant::now();
        let at = Moment {
            ts,
            monotonic: self.started.elapsed(),
        };
        let mut rows = Vec::with_capacity(ROWS);
        run_one(&mut self.host, &at, &mut rows).await;
        run_one(&mut self.processes, &at, &mut rows).await;
        run_one(&mut self.mounts, &at, &mut rows).await;
        rows.append(&mut self.sources.rows(ts));
        let own = self.about_itself(&at, late).await;
        self.findings().note_crowding(self.status.get().crowding);
        let said = Said::of(&own);
        rows.push(own.into_row(ts));
        let sampled = began.elapsed();
        let appended = member.append(ts, rows).await;
        let is_queued = appended.durability.is_ok();
        match appended.durability {
            Ok(Durability::Disk) => {
                if !self.durable {
                    tracing::info!("the spool's disk takes samples again");
                }
                self.durable = true;
            }
            Ok(Durability::Memory) => {
                if self.durable {
                    tracing::error!(
                        "the spool's disk takes no samples; they are held in memory and a crash would lose them"
                    );
                }
                self.durable = false;
            }
            Err(error) => tracing::error!(%error, "the spool refused the samples of this tick"),
        }
        // Without waiting for services.
        let took = sampled + appended.took;
        self.last_duration = Some(took);
        if self.textfile.is_wanted() {
            let (status, findings) = (self.status.get(), self.findings().open_by_severity());
            self.textfile.write(
                ts,
                took,
                &said,
                &status,
                findings.as_ref(),
                &self.group.failures(),
            );
        }
        is_queued
    }

    /// Returns the collector's metrics of itself.
    async fn about_itself(&mut self, at: &Moment, late: Duration) -> SelfSample {
        let depth = self.group.queue().depth().await;
        let status = self.status.get();
        let overflowing = depth.state == State::Full;
        if overflowing && !self.overflowing {
            tracing::warn!(
                bytes = depth.bytes,
                "the spool is full; the oldest samples go first, each in data_gaps"
            );
        }
        self.overflowing = overflowing;
        let usage = self.usage.read(at);
        if depth.records > 0 && self.last_duration.is_some() {
            self.spills += 1;
        }
        SelfSample {
            pid: i32::try_from(std::process::id()).unwrap_or(i32::MAX),
            uptime_secs: at.monotonic.as_secs_f64(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            buffer_depths: Json(
                serde_json::to_string(&depth.rows).unwrap_or_else(|_| "{}".to_owned()),
            ),
            buffer_total: count(depth.total()),
            pending_records: count(depth.records),
            disk_queue_bytes: count(depth.bytes),
            disk_queue_max_bytes: self.budget_bytes,
            flush_count: count(status.commits),
            spill_count: self.spills,
            total_rows_written: count(status.rows_written),
            lost_records_total: count(status.lost_records),
            dead_letters_total: count(status.dead_letters),
            db_healthy: status.link == Link::Connected && status.error.is_none(),
            db_state: status.link.as_str().to_owned(),
            db_error: status.error,
            tick_duration_ms: self
                .last_duration
                .map(|duration| duration.as_secs_f64() * 1000.0),
            tick_late_ms: late.as_secs_f64() * 1000.0,
            cpu_pct: usage.cpu_pct,
            rss_bytes: usage.rss_bytes,
            vsz_bytes: usage.vsz_bytes,
            fd_count: usage.fd_count,
            thread_count: usage.thread_count,
            state: usage.state.map(String::from),
            spool_state: depth.state.as_str().to_owned(),
            // Compared with each heartbeat.
            clock_ahead_secs: (status.link == Link::Connected)
                .then(|| status.clock_ahead_micros as f64 / 1e6),
        }
    }
}

fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
