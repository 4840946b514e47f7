//! Judging: a pass over what is stored, by a session of its own: every few minutes, and soon after
//! something was stored that a rule may find.
//!
//! News is told by whoever stores lines ([`Sources::news`]); a host of which nothing is to be said has
//! no more passes than one every few minutes. Passes for news are [`NEWS_EVERY`] apart, and further when they
//! take long, so that they have [`SHARE`] of one core of the server at most. What the counters of the sources say
//! of the same lines is stored with the next tick, so the last news has one more pass a little later.
//!
//! A pass opens a session and closes it: in between there is nothing to keep up, and the server keeps no
//! process for it. While the writer of samples has no link none is tried; what was open then stays open,
//! because a pass that did not take place has seen nothing. A pass that fails is told in the collector's
//! runs and in the log when its cause changes, and the next one is taken when it is due.

use crate::logs::Sources;
use crate::ticker::Ticker;
use config::Config;
use insight::logs::{LogJudge, Pass};
use schema::micros::DAY;
use schema::tables::CollectorRun;
use schema::{Sample, Timestamp};
use std::time::Duration;
use store::findings;
use store::host::{self, OpenError};
use store::queue::Queue;
use store::series::ReadError;
use store::status::{Link, SharedStatus};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// What `collector_runs_raw.collector` calls it.
const NAME: &str = "findings";
/// While the writer of samples has no link, it is looked at so often.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Passes for news are so far apart at least.
const NEWS_EVERY: Duration = Duration::from_secs(10);
/// … and so many times as far as the last one took.
const SHARE: u32 = 20;
/// After the last news there is one more pass: ticks are a minute apart at most, as a rule 10 s.
const LAST_LOOK: Duration = Duration::from_secs(20);
/// How often old findings are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// How long a good-bye may take.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);

/// When the next pass for news is due.
#[derive(Debug, Default)]
struct Pace {
    /// The end of the pause after the last pass.
    not_before: Option<Instant>,
    due: Option<Instant>,
    /// There was news that the counters of the sources do not have yet.
    last_look: bool,
}

impl Pace {
    /// News came: a pass is due when the pause is over.
    fn news(&mut self, now: Instant) {
        self.due = Some(self.not_before.map_or(now, |end| end.max(now)));
        self.last_look = true;
    }

    /// A pass took place.
    fn passed(&mut self, begun: Instant, took: Duration) {
        let pause = NEWS_EVERY.max(took.saturating_mul(SHARE));
        self.not_before = Some(begun + pause);
        let again = std::mem::take(&mut self.last_look);
        self.due = again.then(|| begun + pause.max(LAST_LOOK));
    }

    /// Waits until a pass is due; for ever while none is.
    async fn due(&self) {
        match self.due {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    }
}

/// What judging needs to know.
#[derive(Debug)]
pub(crate) struct Judging {
    pub(crate) target: pg::Target,
    pub(crate) session: pg::SessionOptions,
    pub(crate) machine_id: String,
    pub(crate) queue: Queue,
    /// What the writer of samples says of the database.
    pub(crate) status: SharedStatus,
    /// What stores lines, and says when there is news.
    pub(crate) sources: Sources,
    pub(crate) clock: fn() -> Timestamp,
}

/// Why a pass failed.
#[derive(Debug, thiserror::Error)]
enum PassError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{}: {}", .0.what, .0.source)]
    Read(#[from] ReadError),
    #[error("no answer within {} s", .0.as_secs())]
    Late(Duration),
}

impl Judging {
    /// Works until told to stop.
    pub(crate) async fn run(
        self,
        mut config: watch::Receiver<Config>,
        mut standby: watch::Receiver<bool>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut ticker = Ticker::new(interval(&config.borrow_and_update()), self.clock);
        let mut judge = LogJudge::default();
        let mut forget_at = Instant::now();
        let mut said = None;
        let mut pace = Pace::default();
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                changed = config.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    ticker.set_interval(interval(&config.borrow_and_update()));
                    continue;
                }
                _ = ticker.tick() => {}
                () = self.sources.news().notified() => {
                    pace.news(Instant::now());
                    continue;
                }
                () = pace.due() => {}
            }
            tokio::select! {
                _ = stop.changed() => return,
                () = self.linked() => {}
            }
            if *standby.borrow_and_update() {
                pace.passed(Instant::now(), Duration::ZERO);
                continue;
            }
            let days = i64::from(config.borrow().retention.event_days);
            // What was over for so many days by a clock that is wrong may be of yesterday.
            let may_forget = store::expiry::clocks_agree(self.status.get().clock_ahead_micros);
            let old = (forget_at <= Instant::now() && may_forget).then_some(days);
            let begun = Instant::now();
            let outcome = tokio::select! {
                _ = stop.changed() => return,
                outcome = self.pass(&mut judge, old) => outcome,
            };
            if old.is_some() && outcome.is_ok() {
                forget_at = begun + FORGET_EVERY;
            }
            pace.passed(begun, begun.elapsed());
            self.tell(&outcome, begun.elapsed(), &mut said).await;
        }
    }

    /// Waits until the writer of samples has a link.
    async fn linked(&self) {
        while self.status.get().link != Link::Connected {
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    /// One pass; findings that were over for `days` are forgotten when that is given.
    async fn pass(&self, judge: &mut LogJudge, days: Option<i64>) -> Result<Pass, PassError> {
        // Each question has its own limit at the server; this one is for a link that says nothing.
        let deadline = self.session.transaction_timeout;
        let pass = async {
            let name = "pqcrypta-collector judging";
            let (session, host_id) =
                host::open(&self.target, &self.session, name, &self.machine_id).await?;
            let now = (self.clock)();
            let pass = judge.pass(&session.client, host_id, now).await?;
            if let Some(days) = days {
                let old = Timestamp(now.as_micros() - days * DAY);
                findings::forget(&session.client, host_id, old).await?;
            }
            session.close(CLOSE_WITHIN).await;
            Ok(pass)
        };
        timeout(deadline, pass)
            .await
            .unwrap_or(Err(PassError::Late(deadline)))
    }

    /// Tells how a pass went: a row each time, a line when it begins to fail otherwise.
    async fn tell(
        &self,
        outcome: &Result<Pass, PassError>,
        took: Duration,
        said: &mut Option<String>,
    ) {
        let error = outcome.as_ref().err().map(ToString::to_string);
        if *said != error {
            match &error {
                Some(error) => tracing::warn!(error, "what is stored cannot be judged"),
                None => tracing::info!("what is stored is judged again"),
            }
            said.clone_from(&error);
        }
        let run = CollectorRun {
            collector: NAME.to_owned(),
            outcome: if error.is_some() { "failed" } else { "ok" }.to_owned(),
            duration_ms: took.as_secs_f64() * 1000.0,
            rows: outcome
                .as_ref()
                .map_or(0, |pass| i64::try_from(pass.found).unwrap_or(i64::MAX)),
            error,
        };
        let ts = (self.clock)();
        if let Err(error) = self.queue.append(ts, vec![run.into_row(ts)]).await {
            tracing::error!(%error, "the spool refused the run of judging");
        }
    }
}

fn interval(config: &Config) -> Duration {
    Duration::from_secs(u64::from(config.intervals.intel_secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_is_looked_at_soon_and_not_too_often() {
        let start = Instant::now();
        let at = |secs: u64| start + Duration::from_secs(secs);
        let mut pace = Pace::default();
        assert_eq!(pace.due, None);
        // The first at once, and once more for the counters.
        pace.news(at(0));
        assert_eq!(pace.due, Some(at(0)));
        pace.passed(at(0), Duration::from_millis(20));
        assert_eq!(pace.due, Some(at(20)));
        // More of it has its turn after the pause.
        pace.news(at(1));
        assert_eq!(pace.due, Some(at(10)));
        // A pass that takes two seconds is followed by forty without one.
        pace.passed(at(10), Duration::from_secs(2));
        pace.news(at(13));
        assert_eq!(pace.due, Some(at(50)));
        pace.passed(at(50), Duration::from_millis(1));
        assert_eq!(pace.due, Some(at(70)));
        // Without further news that was all.
        pace.passed(at(70), Duration::from_millis(1));
        assert_eq!(pace.due, None);
    }
}
