//! Delivery: hits of the queue become rows, exactly once.
//!
//! One transaction is: the watermark moves from what it was to the last record taken, by compare-and-set; rows are copied; visits,
//! views and words are brought up to date. What a crash, a lost link or an unknown outcome leaves is read from the database with
//! the next connection: the watermark there is the truth, and the state of visits is that of the watermark
//! ([`crate::visits`]).
//!
//! Transactions follow each other every second, or as soon as [`MANY_ROWS`] wait. While the database is away nothing is lost:
//! the queue holds what was acknowledged and refuses more when its budget is used up. A batch whose content the
//! database refuses is tried again in parts down to one hit, which is left out and counted; its neighbours are stored.
//!
//! Refusals ([`Tally`]) are counted in memory for a second, then stored with the next transaction. They are not
//! acknowledged records: a crash loses the counts of that second.

mod arrivals;
mod restore;
mod store_batch;
mod tally;
mod tuples;

pub use arrivals::Arrivals;
pub(crate) use store_batch::{Statements, write as write_batch};
pub use tally::Tally;

use crate::hit::{self, Hit};
use crate::queue::Queue;
use crate::refusal::{Reason, Refusal};
use crate::settings::Site;
use crate::visits::{Batch, StoredSite, Visits};
use jiff::tz::TimeZone;
use pg::{Backoff, Class, PgError, Session, SessionOptions, Target};
use schema::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use store::spool::{Record, SpoolError};
use tokio::sync::watch;

/// As many rows are delivered without waiting for the second to pass.
pub const MANY_ROWS: u32 = 2_000;
/// How often rows are delivered.
const EVERY: Duration = Duration::from_secs(1);
/// Bytes of the queue taken with one transaction: about ten thousand hits, some hundred milliseconds of the server's time.
const BATCH_BYTES: usize = 4 << 20;
/// Records of the queue taken with one transaction.
const BATCH_RECORDS: usize = 2_000;
/// Deadline of a transaction.
const DEADLINE: Duration = Duration::from_secs(10);
/// How often partitions are made and closed days are added up.
const UPKEEP_EVERY: Duration = Duration::from_secs(60);
/// Deadline of adding up a day.
const SETTLE_DEADLINE: Duration = Duration::from_secs(600);

/// An error of a connection's work.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The database refused or did not answer.
    #[error(transparent)]
    Database(#[from] PgError),
    /// The queue refused.
    #[error(transparent)]
    Queue(#[from] SpoolError),
    /// Another process delivers the same queue.
    #[error("the queue was delivered by another process at the same time")]
    Fenced,
}

impl DeliveryError {
    /// Returns whether the database refused the content of rows.
    fn is_poison(&self) -> bool {
        matches!(self, Self::Database(error) if error.class() == Class::Poison)
    }
}

/// What delivery works on.
#[derive(Debug)]
pub struct Delivery {
    /// The database.
    pub target: Target,
    /// The queue.
    pub queue: Queue,
    /// Refusals.
    pub tally: Tally,
    /// Views of health checks that are stored.
    pub arrivals: Arrivals,
    /// What the database is told.
    pub registered: watch::Receiver<Registered>,
}

/// What the database is told of the configuration, anew when it changes.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The sites.
    pub sites: Vec<Site>,
    /// For how long rows are kept.
    pub retention: Retention,
}

/// For how long rows are kept, days.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Views and events.
    pub raw_days: i32,
    /// Visits.
    pub session_days: i32,
    /// Sums.
    pub sum_days: i32,
}

impl Delivery {
    /// Delivers until `stop`; then what the queue holds, if the database takes it at once. Beside that, days that are
    /// over are added up.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let ended = stop.clone();
        tokio::select! {
            () = self.deliver(stop) => {}
            () = self.settle(ended) => {}
        }
    }

    /// Adds up days that are over, in a session of its own, so that delivery never waits for it.
    async fn settle(&self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(UPKEEP_EVERY) => {}
                // Delivery decides when to end.
                () = stopped(&mut stop) => return std::future::pending().await,
            }
            if let Err(error) = restore::settle(&self.target).await {
                tracing::warn!(error = %pg::causes(&error), "days that are over are not added up");
            }
        }
    }

    async fn deliver(&self, mut stop: watch::Receiver<bool>) {
        let mut backoff = Backoff::new();
        let mut is_reported = false;
        while !*stop.borrow() {
            let ended = self
                .connected(&mut stop, &mut backoff, &mut is_reported)
                .await;
            let Err(error) = ended else { return };
            if !is_reported {
                tracing::warn!(error = %pg::causes(&error), "hits wait in the queue: they are not delivered");
                is_reported = true;
            }
            let why = pg::causes(&error).to_string();
            self.tally.figures().lose_store(why);
            let pause = backoff.next(random());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopped(&mut stop) => {}
            }
        }
    }

    /// Connects, and delivers until the link or the program ends.
    async fn connected(
        &self,
        stop: &mut watch::Receiver<bool>,
        backoff: &mut Backoff,
        is_reported: &mut bool,
    ) -> Result<(), DeliveryError> {
        let options = SessionOptions::for_deadline(DEADLINE);
        let session = pg::connect(&self.target, &options, "pqcrypta-analytics").await?;
        let mut link = Link::prepare(self, session).await?;
        self.tally.figures().store(0);
        backoff.reset();
        if std::mem::take(is_reported) {
            tracing::info!("hits are delivered again");
        }
        let mut upkeep = tokio::time::Instant::now();
        loop {
            while link.deliver().await? {}
            if *stop.borrow() {
                link.session.close(Duration::from_secs(1)).await;
                return Ok(());
            }
            if tokio::time::Instant::now() >= upkeep {
                restore::partitions(&link.session).await?;
                upkeep = tokio::time::Instant::now() + UPKEEP_EVERY;
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.queue.many(MANY_ROWS) => {}
                () = stopped(stop) => {}
            }
        }
    }
}

/// Returns a number from 0 to 1; 1 where the kernel gives none.
fn random() -> f64 {
    let mut byte = [255];
    if getrandom::fill(&mut byte).is_err() {
        return 1.0;
    }
    f64::from(byte[0]) / 255.0
}

/// A connection with the state that belongs to it.
struct Link<'a> {
    delivery: &'a Delivery,
    session: Session,
    statements: store_batch::Statements,
    registered: watch::Receiver<Registered>,
    sites: BTreeMap<String, StoredSite>,
    visits: Visits,
    /// Number of the last record that the database has.
    delivered: u64,
    /// Hits to leave out, by record and place: the database refuses them.
    refused: BTreeSet<(u64, usize)>,
}

impl<'a> Link<'a> {
    /// Registers the sites and reads the state at the watermark.
    async fn prepare(delivery: &'a Delivery, session: Session) -> Result<Self, DeliveryError> {
        let mut link = Self {
            delivery,
            session,
            statements: store_batch::Statements::default(),
            registered: delivery.registered.clone(),
            sites: BTreeMap::new(),
            visits: Visits::default(),
            delivered: 0,
            refused: BTreeSet::new(),
        };
        link.register().await?;
        Ok(link)
    }

    /// Registers the sites as they are configured now, and reads the state at the watermark.
    async fn register(&mut self) -> Result<(), DeliveryError> {
        let now = self.registered.borrow_and_update().clone();
        self.sites = restore::register(&self.session, &now.sites, now.retention).await?;
        self.reset().await
    }

    /// Reads watermark and visits from the database.
    async fn reset(&mut self) -> Result<(), DeliveryError> {
        self.delivered = restore::watermark(&self.session, self.delivery.queue.writer()).await?;
        self.delivery.queue.note_delivered(self.delivered);
        self.delivery.queue.resume(self.delivered).await?;
        let delivered = self.delivered;
        // Visits are restored as of the oldest hit that is still to come, else as of now.
        let next = self.delivery.queue.next(delivered, 1, 1).await?;
        let from = next.first().map(|record| record.ts.0);
        self.visits = restore::visits(&self.session, &self.sites, from).await?;
        Ok(())
    }

    /// Delivers one transaction; returns whether more waits.
    async fn deliver(&mut self) -> Result<bool, DeliveryError> {
        let records = self
            .delivery
            .queue
            .next(self.delivered, BATCH_BYTES, BATCH_RECORDS)
            .await?;
        // After the records were read: a site is in the database's list before it takes its first report.
        if self.registered.has_changed().unwrap_or(false) {
            self.register().await?;
        }
        let lost = self.delivery.queue.take_losses().await?;
        if lost > 0 {
            tracing::error!(
                lost,
                "reports of the queue are lost: its files were damaged or removed"
            );
            let count = i64::try_from(lost).unwrap_or(i64::MAX);
            self.delivery.tally.count_lost(now().0, count);
        }
        let tally = self.delivery.tally.take();
        if records.is_empty() && tally.is_empty() {
            return Ok(false);
        }
        let last = records.last().map_or(self.delivered, |record| record.lsn);
        let hits = parse(&records);
        let outcome = self.attempt(&hits, last, &tally, true).await;
        match outcome {
            Ok(refused) => {
                self.delivered = last;
                self.delivery.queue.note_delivered(last);
                let figures = self.delivery.tally.figures();
                figures.store(hits.len());
                for (refusal, count) in refused {
                    figures.refuse(refusal, count);
                }
                self.refused.clear();
                let checks = hits.iter().filter_map(|taken| taken.hit.as_ref());
                for hit in checks.filter(|hit| hit.synthetic) {
                    self.delivery.arrivals.note(hit.view);
                }
                Ok(!records.is_empty())
            }
            Err(error) if error.is_poison() && self.session.is_usable() => {
                self.delivery.tally.put_back(tally);
                let culprit = self.find_culprit(&hits, last).await?;
                tracing::error!(error = %pg::causes(&error), is_found = culprit.is_some(), "the database refuses a hit for its content; it is left out");
                let Some(culprit) = culprit else {
                    return Err(error);
                };
                self.refused.insert(culprit);
                self.reset().await?;
                Ok(true)
            }
            Err(error) => {
                self.delivery.tally.put_back(tally);
                Err(error)
            }
        }
    }

    /// Applies hits and stores what follows, and returns which of the hits are refused; the transaction is rolled back unless it is
    /// to be kept.
    async fn attempt(
        &mut self,
        hits: &[Taken],
        last: u64,
        tally: &tally::Counts,
        keep: bool,
    ) -> Result<Vec<(Refusal, i64)>, DeliveryError> {
        let mut batch = Batch::default();
        for taken in hits {
            let Some(hit) = &taken.hit else {
                batch.count(0, taken.at, Reason::Lost.into(), 1);
                continue;
            };
            match self.sites.get(&hit.site) {
                Some(site) if self.refused.contains(&taken.place) => {
                    batch.count(site.id, hit.at, Reason::Unstorable.into(), 1);
                }
                Some(site) => self.visits.apply(&site.clone(), hit, &mut batch),
                // Removed from the configuration since.
                None => batch.count(0, hit.at, Refusal::from(Reason::UnknownSite), 1),
            }
        }
        self.visits.finish(&mut batch);
        // Of these hits alone: the others were counted as they were refused.
        let refused = batch.refused.iter();
        let refused = refused.map(|((_, _, refusal), count)| (*refusal, *count));
        let refused: Vec<(Refusal, i64)> = refused.collect();
        for ((site, minute, refusal), count) in tally {
            let id = self.sites.get(site.as_ref()).map_or(0, |site| site.id);
            batch.count(id, *minute, *refusal, *count);
        }
        let progress = store_batch::Progress {
            writer: self.delivery.queue.writer(),
            was: self.delivered,
            is: last,
        };
        let stored =
            store_batch::store(&self.session, &mut self.statements, &batch, &progress, keep);
        match self
            .session
            .within("deliver hits", DEADLINE, stored)
            .await?
        {
            Ok(true) => Ok(refused),
            Ok(false) => Err(DeliveryError::Fenced),
            Err(source) => {
                let error = PgError::Query {
                    what: "deliver hits".to_owned(),
                    source,
                };
                // The transaction is over either way; if that fails, so does the next statement.
                drop(
                    self.session
                        .run(
                            "roll back",
                            DEADLINE,
                            self.session.client.batch_execute("ROLLBACK"),
                        )
                        .await,
                );
                Err(error.into())
            }
        }
    }

    /// Finds the first hit that the database refuses, by halves, each tried from the state at the watermark and rolled back.
    async fn find_culprit(
        &mut self,
        hits: &[Taken],
        last: u64,
    ) -> Result<Option<(u64, usize)>, DeliveryError> {
        // The shortest beginning that is refused ends with the culprit.
        let (mut good, mut bad) = (0, hits.len());
        while good + 1 < bad {
            let middle = good.midpoint(bad);
            self.reset().await?;
            match self
                .attempt(&hits[..middle], last, &tally::Counts::default(), false)
                .await
            {
                Ok(_) => good = middle,
                Err(error) if error.is_poison() => bad = middle,
                Err(error) => return Err(error),
            }
        }
        Ok(hits.get(bad.saturating_sub(1)).map(|taken| taken.place))
    }
}

/// A hit taken from the queue.
#[derive(Debug)]
struct Taken {
    /// Record and place within it.
    place: (u64, usize),
    at: i64,
    /// Nothing where the record cannot be read.
    hit: Option<Hit>,
}

impl Taken {
    /// Returns when the first of its events happened.
    fn happened(&self) -> i64 {
        let events = self.hit.iter().flat_map(|hit| &hit.events);
        events.map(|event| event.at).min().unwrap_or(self.at)
    }
}

fn parse(records: &[Record]) -> Vec<Taken> {
    let mut hits = Vec::new();
    for record in records {
        let lsn = record.lsn;
        match hit::parse(&record.payload) {
            Ok(parsed) => hits.extend(parsed.into_iter().enumerate().map(|(place, hit)| Taken {
                place: (lsn, place),
                at: record.ts.0,
                hit: Some(hit),
            })),
            Err(error) => {
                tracing::error!(lsn, %error, "a record of the queue cannot be read; it is left out");
                hits.push(Taken {
                    place: (lsn, 0),
                    at: record.ts.0,
                    hit: None,
                });
            }
        }
    }
    // What waited in a browser is sent side by side, and may arrive in another order than it happened in.
    hits.sort_by_key(Taken::happened);
    hits
}

/// Names the zone of a site.
pub(crate) fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
}

/// A shared name of a site.
pub(crate) type SiteName = Arc<str>;

/// Returns the current instant of the machine's clock.
fn now() -> Timestamp {
    crate::clock::Clock::System.now()
}

/// Waits for the stop signal.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}
