//! Judging of what is stored: an evaluation every few minutes and soon after something was stored that a rule may
//! find. At the start it also reads the findings that the database has open.
//!
//! The writer of log lines sends a notification ([`Sources::news`]); a host without any has one evaluation every
//! few minutes. While the writer of samples has no link none takes place; what was open then stays open, because
//! an evaluation that did not take place has found nothing resolved.

use crate::analysis::{Analysis, HostSession};
use crate::findings::Stored;
use crate::group_append::GroupAppend;
use crate::logs::Sources;
use crate::schedule::{Job, Needs, Plan, Turn, Wake};
use crate::timer_checks::TimerChecks;
use config::Config;
use insight::causes;
use insight::logs::LogJudge;
use schema::micros::{DAY, HOUR};
use schema::tables::FindingTransition;
use schema::{Row, Sample, Timestamp};
use std::time::Duration;
use store::changes::Change;
use store::series::ReadError;
use store::status::SharedStatus;
use store::{changes, failpoint, findings};
use tokio::time::Instant;

/// How often old findings are deleted.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// Most changes of the host that are read at once.
const MOST_CHANGES: i64 = 256;

/// Evaluates logs.
#[derive(Debug)]
pub(crate) struct Judging {
    analysis: Analysis,
    /// Takes the transitions of findings.
    group: GroupAppend,
    judge: LogJudge,
    /// Stores lines, and notifies of news.
    sources: Sources,
    /// State of the database as the writer of samples sees it.
    status: SharedStatus,
    clock: fn() -> Timestamp,
    /// Health checks that a timer makes.
    timer_checks: TimerChecks,
    /// For how many days resolved findings are kept.
    event_days: i64,
    forget_at: Instant,
}

impl Judging {
    /// Begins without an expectation.
    pub(crate) fn new(
        analysis: Analysis,
        group: GroupAppend,
        sources: Sources,
        status: SharedStatus,
        clock: fn() -> Timestamp,
        config: &Config,
    ) -> Self {
        // The first run does not wait for lines.
        sources.news().notify_one();
        Self {
            analysis,
            group,
            judge: LogJudge::default(),
            sources,
            status,
            clock,
            timer_checks: TimerChecks::of(config),
            event_days: i64::from(config.retention.event_days),
            forget_at: Instant::now(),
        }
    }

    /// Returns for how many days resolved findings are kept when it is time to delete older ones. By a clock
    /// that is wrong, what was resolved so long ago may be of yesterday.
    fn days_to_keep(&self) -> Option<i64> {
        let agrees = store::expiry::clocks_agree(self.status.get().clock_ahead_micros);
        (self.forget_at <= Instant::now() && agrees).then_some(self.event_days)
    }
}

impl Judging {
    fn is_restored(&self) -> bool {
        self.group.findings().is_restored()
    }

    /// Continues the findings that the database has open, once it has everything that was queued of them before.
    async fn restore(&self, host: &HostSession, now: Timestamp) -> anyhow::Result<()> {
        let depth = self.group.queue().depth().await;
        // What an earlier run left in the queue is counted by class.
        let transitions = FindingTransition::TABLE;
        let waits = |name| depth.rows.contains_key(name);
        if waits(transitions.name) || waits(transitions.class.as_str()) {
            return Ok(());
        }
        let client = &host.session.client;
        let open = findings::open(client, host.host_id).await;
        let open = open.map_err(described)?;
        let since = Timestamp(now.as_micros() - HOUR);
        let recent = findings::recent(client, host.host_id, since).await;
        let month = Timestamp(now.as_micros() - causes::HISTORY_DAYS * DAY);
        let begun = findings::begun(client, host.host_id, month, causes::HISTORY_MOST).await;
        let known_since = findings::known_since(client, host.host_id).await;
        let stored = Stored {
            open,
            recent: recent.map_err(described)?,
            begun: begun.map_err(described)?,
            known_since: known_since.map_err(described)?,
            changes: changes_since(host, now, DAY).await?,
        };
        failpoint!("judging.restore");
        let ended = self.group.findings().restore(stored, now);
        failpoint!("judging.restored");
        self.queue(now, ended).await
    }

    async fn queue(&self, now: Timestamp, transitions: Vec<Row>) -> anyhow::Result<()> {
        if !transitions.is_empty() {
            self.group.queue().append(now, transitions).await?;
        }
        Ok(())
    }
}

impl Job for Judging {
    const PLAN: Plan = Plan {
        name: "findings",
        needs: Needs::Link,
        is_recorded: true,
    };

    fn interval(&self, config: &Config) -> Duration {
        Duration::from_secs(u64::from(config.intervals.intel_secs))
    }

    fn wake(&self) -> Wake {
        Wake::Paced(self.sources.news())
    }

    fn deadline(&self) -> Option<Duration> {
        Some(self.analysis.deadline())
    }

    async fn run(&mut self, _: Turn) -> anyhow::Result<usize> {
        if !self.is_restored() {
            // Whatever becomes of this run, another one follows soon: until then what ended before the start stays open.
            self.sources.news().notify_one();
        }
        let begun = Instant::now();
        let days = self.days_to_keep();
        let host = self.analysis.take().await?;
        let client = &host.session.client;
        let now = (self.clock)();
        if !self.is_restored() {
            self.restore(&host, now).await?;
        }
        // Those of logs are in the database alone.
        let changes = changes_since(&host, now, HOUR).await?;
        self.group.findings().note_changes(changes);
        let transitions = self.timer_checks.judge(&host, &self.group, now).await;
        self.queue(now, transitions.map_err(described)?).await?;
        let lapsed = findings::marks::lapse(client, host.host_id, now).await;
        lapsed.map_err(described)?;
        let facts = self.judge.fetch(client, host.host_id, now).await;
        let facts = facts.map_err(described)?;
        let findings = self.group.findings();
        let evaluation = findings.evaluate(&mut self.judge, facts, now);
        let found = evaluation.found.len();
        let transitions = findings.settle(evaluation, now);
        failpoint!("judging.settled");
        self.queue(now, transitions).await?;
        if let Some(days) = days {
            let old = Timestamp(now.as_micros() - days * DAY);
            let forgotten = findings::forget(client, host.host_id, old).await;
            forgotten.map_err(described)?;
            self.forget_at = begun + FORGET_EVERY;
        }
        self.analysis.keep(host);
        Ok(found)
    }

    async fn reconfigure(&mut self, config: &Config) {
        self.event_days = i64::from(config.retention.event_days);
        self.timer_checks.reconfigure(config);
    }

    async fn close(self) {
        self.analysis.close().await;
    }
}

/// Reads the changes of the host within a time before now, microseconds.
async fn changes_since(
    host: &HostSession,
    now: Timestamp,
    age: i64,
) -> anyhow::Result<Vec<Change>> {
    let since = Timestamp(now.as_micros() - age);
    let client = &host.session.client;
    let changes = changes::since(client, host.host_id, since, MOST_CHANGES).await;
    changes.map_err(described)
}

/// Describes a statement that failed with what it was for.
fn described(error: ReadError) -> anyhow::Error {
    anyhow::anyhow!("{}: {}", error.what, error.source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Seat;
    use crate::findings::Findings;
    use futures_util::FutureExt;
    use store::queue::Queue;
    use store::spool::{Spool, SpoolOptions};

    /// A run that could not read the open findings asks for another one, for whatever reason it could not; one that
    /// could asks for none, and neither do those after it.
    #[tokio::test]
    async fn runs_follow_each_other_until_the_open_findings_were_read() {
        let database = testkit::migrated().await.unwrap();
        let target = database.target();
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), SpoolOptions::with_budget(1 << 24)).unwrap();
        let queue = Queue::new(spool);
        let config = Config::default();
        let findings = Findings::new(&config).unwrap();
        let sources = Sources::default();
        let news = sources.news();
        let asked = || news.notified().now_or_never().is_some();
        let mut judging = Judging::new(
            Analysis::new(
                target,
                crate::settings::patient_session(&config),
                "a test",
                "this".to_owned(),
                Seat::default(),
            ),
            GroupAppend::new(queue.clone(), findings),
            sources,
            SharedStatus::default(),
            crate::clock::now,
            &config,
        );
        assert!(asked(), "the first run is due");

        let error = judging.run(Turn::Woken).await.unwrap_err();
        assert!(error.to_string().contains("not registered"), "{error}");
        assert!(!judging.is_restored());
        assert!(asked());

        database
            .sql("INSERT INTO collector.hosts (machine_id, hostname) VALUES ('this', 'this')")
            .await
            .unwrap();
        let transition = FindingTransition::default().into_row(Timestamp(1));
        queue.append(Timestamp(1), vec![transition]).await.unwrap();
        judging.run(Turn::Woken).await.unwrap();
        assert!(!judging.is_restored(), "a transition waits in the queue");
        assert!(asked());

        let spool = Spool::open(
            &folder.path().join("empty"),
            SpoolOptions::with_budget(1 << 24),
        );
        let findings = judging.group.findings().clone();
        judging.group = GroupAppend::new(Queue::new(spool.unwrap()), findings);
        judging.run(Turn::Woken).await.unwrap();
        assert!(judging.is_restored());
        assert!(asked(), "it was not restored when that run began");
        judging.run(Turn::Woken).await.unwrap();
        assert!(!asked());
    }

    /// What a timer's check found is judged as that of the collector: its finding opens, and is resolved.
    #[tokio::test]
    async fn results_of_a_timer_are_judged() {
        let database = testkit::migrated().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), SpoolOptions::with_budget(1 << 24)).unwrap();
        let queue = Queue::new(spool);
        let mut config = Config::default();
        config.health.run_by = config::HealthRunner::Timer;
        let findings = Findings::new(&config).unwrap();
        let mut judging = Judging::new(
            Analysis::new(
                database.target(),
                crate::settings::patient_session(&config),
                "a test",
                "this".to_owned(),
                Seat::default(),
            ),
            GroupAppend::new(queue.clone(), findings),
            Sources::default(),
            SharedStatus::default(),
            crate::clock::now,
            &config,
        );
        let result = |state: &str| {
            format!(
                "INSERT INTO collector.health_checks_raw (ts, host_id, check_name, kind, target, state, answer_ms, attempts, error) \
                 VALUES (clock_timestamp(), 1, 'shop', 'http', 'https://shop.example/', '{state}', 5, 2, 'no answer')"
            )
        };
        let host = "INSERT INTO collector.hosts (machine_id, hostname) VALUES ('this', 'this');
            SELECT collector.ensure_partition('health_checks_raw', (now() AT TIME ZONE 'UTC')::date)";
        database.sql(host).await.unwrap();
        database.sql(&result("down")).await.unwrap();
        let transitions = |rows: &std::collections::BTreeMap<String, u64>| {
            rows.get(FindingTransition::TABLE.name)
                .copied()
                .unwrap_or(0)
        };
        judging.run(Turn::Woken).await.unwrap();
        let opened = transitions(&queue.depth().await.rows);
        assert!(opened > 0, "the finding is queued");
        assert_eq!(queue.depth().await.rows.get("health_checks_raw"), None);
        judging.run(Turn::Woken).await.unwrap();
        assert_eq!(
            transitions(&queue.depth().await.rows),
            opened,
            "nothing new was stored"
        );
        // As a timer makes them no longer, they are not asked for.
        judging.reconfigure(&Config::default()).await;
        database.sql(&result("up")).await.unwrap();
        judging.run(Turn::Woken).await.unwrap();
        assert_eq!(transitions(&queue.depth().await.rows), opened);
    }
}
