//! Visits from elsewhere: access logs, and exports of Plausible and Umami.
//!
//! * A line of an access log goes the way of a report ([`crate::reception`], [`crate::visits`]), so it counts, or is refused, as the
//!   request would have been. Events of Umami are hits, too. Tables of Plausible are sums of days already.
//! * One run is one transaction: rows, sums of its days, and what was imported. A run that is killed has done nothing, and the next one does
//!   all of it. A file is recognised by the digest of what it holds, packed or not.
//! * A day has one origin. A day on which the tracker counted takes nothing; one that is not over neither, as the tracker may count
//!   on it later. On a day of an earlier import only what is later than its last line counts, so a log that has grown since
//!   is imported again as a whole, and every view counts once.
//! * The salt of a day lives as long as the run: neither address nor user agent is stored, as everywhere.

mod csv;
mod plausible;
mod requests;
mod source;
mod store;
mod umami;
mod zip;

pub use requests::Request;
pub use source::Source;

use crate::day::Day;
use crate::delivery::{Retention, Statements};
use crate::hit::Hit;
use crate::identity::DaySalt;
use crate::networks::Databases;
use crate::reception::Reception;
use crate::refusal::{Reason, Refusal};
use crate::settings::{Settings, Site};
use crate::visits::{Batch, StoredSite, Visits};
use jiff::civil::Date;
use pg::{PgError, Session};
use schema::Timestamp;
use source::Kind;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead as _;

/// Hits of a transaction's step.
const STEP: usize = 2_000;
/// Lines at the beginning of a file of which one has to be that of an access log.
const TRIED: u64 = 1_000;

/// What is wrong with a file, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{name}{}: {what}; {remedy}", line.map_or(String::new(), |line| format!(":{line}")))]
pub struct Fault {
    name: String,
    line: Option<u64>,
    what: String,
    remedy: String,
}

impl Fault {
    fn new(name: &str, line: Option<u64>, what: &str, remedy: &str) -> Self {
        Self {
            name: name.to_owned(),
            line,
            what: what.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    fn reading<T>(name: &str, read: std::io::Result<T>) -> Result<T, Self> {
        read.map_err(|error| {
            Self::new(
                name,
                None,
                &error.to_string(),
                "see whether the file is whole and readable",
            )
        })
    }
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file is faulty.
    #[error(transparent)]
    File(#[from] Fault),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] PgError),
    /// The kernel gives no random bytes, without which visitors could be told from their numbers.
    #[error("the kernel gives no random bytes")]
    Random,
    /// The site stores nothing.
    #[error(
        "the site's `consent` is \"off\", so nothing of it is stored; set it to \"cookieless\""
    )]
    Off,
}

/// What was left out, with the first place.
#[derive(Debug, Default)]
pub struct Tally {
    /// Reason, how many, and the first file and line.
    pub left_out: BTreeMap<&'static str, (u64, String)>,
}

impl Tally {
    fn leave_out(&mut self, reason: &'static str, name: &str, line: u64) {
        let (count, _) = self
            .left_out
            .entry(reason)
            .or_insert_with(|| (0, format!("{name}:{line}")));
        *count += 1;
    }
}

/// What a run did, or would do.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Files: name, kind, and how many views, events or records they had.
    pub files: Vec<(String, &'static str, u64)>,
    /// Files that were imported before.
    pub known: Vec<String>,
    /// Files that hold nothing to count.
    pub skipped: Vec<String>,
    /// Days that got rows or sums.
    pub days: BTreeSet<Date>,
    /// Views that count.
    pub views: u64,
    /// Events that count.
    pub events: u64,
    /// What was refused, by reason and detail, as the receiver refuses.
    pub refused: BTreeMap<(&'static str, &'static str), i64>,
    /// What was left out.
    pub tally: Tally,
}

/// An import into a site.
pub struct Import<'a> {
    /// The settings of the receiver.
    pub settings: &'a Settings,
    /// Countries and networks.
    pub databases: &'a Databases,
    /// The site.
    pub site: &'a Site,
    /// For how long rows are kept.
    pub retention: Retention,
    /// Reads a line of an access log.
    pub read: fn(&str) -> Option<Request<'_>>,
    /// Paths of access logs that are left out, `*` for any text.
    pub without: &'a [String],
    /// Whether nothing is stored.
    pub is_dry: bool,
    /// Now.
    pub now: Timestamp,
}

impl std::fmt::Debug for Import<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Import")
            .field("site", &self.site.domain)
            .finish_non_exhaustive()
    }
}

/// Why a day takes nothing, or from when on it does.
#[derive(Clone, Copy, Debug)]
enum Room {
    /// Everything after an instant.
    After(i64),
    /// Nothing, for this reason.
    None(&'static str),
}

impl Import<'_> {
    /// Imports files into the site: all of them, or nothing. `maker` is a second session, which makes partitions: their locks must not be
    /// held until the end.
    ///
    /// # Errors
    /// When a file is faulty or the database refuses; nothing is stored then.
    pub async fn run(
        &self,
        session: &Session,
        maker: &Session,
        sources: Vec<Source>,
    ) -> Result<Outcome, ImportError> {
        if self.site.consent == crate::settings::Consent::Off {
            return Err(ImportError::Off);
        }
        let mut outcome = Outcome::default();
        let stored = store::begin(session, maker, self).await?;
        let mut run = Run {
            import: self,
            session,
            maker,
            site: stored.site,
            known: stored.days,
            rooms: BTreeMap::new(),
            until: BTreeMap::new(),
            made: BTreeSet::new(),
            salts: BTreeMap::new(),
            visits: Visits::default(),
            batch: Batch::default(),
            statements: Statements::default(),
            waiting: 0,
            today: Day::of(self.now, &self.site.zone).date,
            left_for_later: false,
        };
        let mut fresh: Vec<Source> = Vec::new();
        for source in sources {
            if source.kind == Kind::Nothing {
                outcome.skipped.push(source.name);
            } else if stored.digests.contains(source.digest.as_slice())
                || fresh.iter().any(|known| known.digest == source.digest)
            {
                outcome.known.push(source.name);
            } else {
                fresh.push(source);
            }
        }
        run.import_all(fresh, &mut outcome).await?;
        Ok(outcome)
    }
}

struct Run<'a> {
    import: &'a Import<'a>,
    session: &'a Session,
    maker: &'a Session,
    site: StoredSite,
    /// Days that have rows or sums: until when an import counted them; `None` where the tracker or sums did.
    known: BTreeMap<Date, Option<i64>>,
    rooms: BTreeMap<Date, Room>,
    /// The last instant that was considered of each day.
    until: BTreeMap<Date, i64>,
    /// Days (UTC) that have partitions.
    made: BTreeSet<Date>,
    salts: BTreeMap<Date, DaySalt>,
    visits: Visits,
    batch: Batch,
    statements: Statements,
    waiting: usize,
    today: Date,
    /// Whether the file has lines of a day that is not over.
    left_for_later: bool,
}

impl Run<'_> {
    async fn import_all(
        &mut self,
        sources: Vec<Source>,
        outcome: &mut Outcome,
    ) -> Result<(), ImportError> {
        let mut logs = Vec::new();
        let mut sums = plausible::Sums::default();
        let mut props = umami::Props::new();
        for source in sources
            .iter()
            .filter(|source| source.kind == Kind::UmamiProps)
        {
            umami::props(
                &source.name,
                Fault::reading(&source.name, source.open())?,
                &mut props,
            )?;
            outcome.files.push((
                source.name.clone(),
                source.kind.as_str(),
                props.len() as u64,
            ));
        }
        let mut done: Vec<&Source> = Vec::new();
        for source in &sources {
            let name = &source.name;
            match source.kind {
                Kind::AccessLog => logs.push((self.first_instant(source)?, source)),
                Kind::Plausible(table) => {
                    let from = Fault::reading(name, source.open())?;
                    let records = plausible::add(
                        name,
                        table,
                        from,
                        self.import.site,
                        &mut sums,
                        &mut outcome.tally,
                    )?;
                    outcome
                        .files
                        .push((name.clone(), source.kind.as_str(), records));
                    done.push(source);
                }
                Kind::Umami => {
                    let from = Fault::reading(name, source.open())?;
                    let hits = umami::hits(
                        name,
                        from,
                        self.import.site,
                        std::mem::take(&mut props),
                        &mut outcome.tally,
                    )?;
                    let before = outcome.views + outcome.events;
                    self.left_for_later = false;
                    for hit in hits {
                        if self.takes(hit.at, name, 0, outcome) {
                            self.add(hit, outcome).await?;
                        }
                    }
                    self.flush(outcome).await?;
                    // What follows is of another time.
                    self.visits = Visits::default();
                    outcome.files.push((
                        name.clone(),
                        source.kind.as_str(),
                        outcome.views + outcome.events - before,
                    ));
                    if !self.left_for_later {
                        done.push(source);
                    }
                }
                Kind::UmamiProps | Kind::Nothing => {}
            }
        }
        // A visit may go on in the next file.
        logs.sort_by_key(|(first, _)| *first);
        for (_, source) in logs {
            self.import_log(source, outcome).await?;
            if !self.left_for_later {
                done.push(source);
            }
        }
        self.import_sums(sums, outcome).await?;
        store::finish(self, &done, outcome).await
    }

    /// Returns when a log begins.
    fn first_instant(&self, source: &Source) -> Result<Timestamp, Fault> {
        let from = Fault::reading(&source.name, source.open())?;
        for (line, text) in from.split(b'\n').enumerate() {
            let text = Fault::reading(&source.name, text)?;
            if let Some(request) = (self.import.read)(&String::from_utf8_lossy(&text)) {
                return Ok(request.at);
            }
            if line as u64 > TRIED {
                break;
            }
        }
        Err(Fault::new(
            &source.name,
            Some(1),
            "is neither an access log nor an export that is known here",
            "access logs are read in the formats common and combined, with a virtual host in front, and Caddy's JSON; see ANALYTICS.md",
        ))
    }

    async fn import_log(
        &mut self,
        source: &Source,
        outcome: &mut Outcome,
    ) -> Result<(), ImportError> {
        let name = &source.name;
        let import = self.import;
        let reception = Reception {
            settings: import.settings,
            databases: import.databases,
        };
        let before = outcome.views;
        self.left_for_later = false;
        let from = Fault::reading(name, source.open())?;
        for (line, text) in (1..).zip(from.split(b'\n')) {
            let text = Fault::reading(name, text)?;
            let text = String::from_utf8_lossy(&text);
            let text = text.trim_end_matches('\r');
            if text.is_empty() {
                continue;
            }
            let Some(request) = (import.read)(text) else {
                outcome
                    .tally
                    .leave_out("not a request in a format that is known", name, line);
                continue;
            };
            if let Some(reason) = requests::left_out(import.site, &request, import.without) {
                outcome.tally.leave_out(reason, name, line);
                continue;
            }
            if !self.takes(request.at.0, name, line, outcome) {
                continue;
            }
            let Some(sender) = requests::sender(&request) else {
                outcome
                    .tally
                    .leave_out("the client is no address", name, line);
                continue;
            };
            let view = requests::view_id(&source.digest, line);
            let Some(report) = requests::report(import.site, &request, view) else {
                outcome.tally.leave_out("no address of a page", name, line);
                continue;
            };
            self.salt(request.at)?;
            let hit = reception.hit(import.site, &sender, report, request.at, |day| {
                let salt = self.salts.get(&day.date).ok_or(Reason::Busy)?;
                Ok(salt.visitor(&import.site.domain, sender.address, sender.user_agent))
            });
            match hit {
                Ok(hit) => self.add(hit, outcome).await?,
                Err(refusal) => self.refuse(request.at.0, refusal, outcome).await?,
            }
        }
        self.flush(outcome).await?;
        outcome
            .files
            .push((name.clone(), source.kind.as_str(), outcome.views - before));
        Ok(())
    }

    /// Makes the salt of an instant's day.
    fn salt(&mut self, at: Timestamp) -> Result<(), ImportError> {
        let day = Day::of(at, &self.import.site.zone).date;
        if let Entry::Vacant(place) = self.salts.entry(day) {
            place.insert(DaySalt::random().map_err(|_| ImportError::Random)?);
        }
        Ok(())
    }

    /// Returns whether the day of an instant has room for it, and counts it if not.
    fn takes(&mut self, at: i64, name: &str, line: u64, outcome: &mut Outcome) -> bool {
        let day = Day::of(Timestamp(at), &self.import.site.zone).date;
        let room = match self.rooms.get(&day) {
            Some(room) => *room,
            None => {
                let room = self.room(day);
                self.rooms.insert(day, room);
                room
            }
        };
        match room {
            Room::After(since) if at > since => {
                let until = self.until.entry(day).or_insert(at);
                *until = at.max(*until);
                true
            }
            Room::After(_) => {
                outcome.tally.leave_out("imported before", name, line);
                false
            }
            Room::None(reason) => {
                self.left_for_later |= reason == NOT_OVER;
                outcome.tally.leave_out(reason, name, line);
                false
            }
        }
    }

    fn room(&self, day: Date) -> Room {
        let oldest = self
            .today
            .checked_sub(jiff::Span::new().days(self.import.retention.sum_days))
            .unwrap_or(Date::MIN);
        match self.known.get(&day) {
            _ if day >= self.today => Room::None(NOT_OVER),
            _ if day <= oldest => Room::None("older than sums are kept"),
            Some(Some(until)) => Room::After(*until),
            Some(None) => Room::None("of a day that is counted already"),
            None => Room::After(i64::MIN),
        }
    }

    async fn add(&mut self, hit: Hit, outcome: &mut Outcome) -> Result<(), ImportError> {
        self.prepare_day(hit.at).await?;
        self.visits.apply(&self.site, &hit, &mut self.batch);
        self.waiting += 1;
        if self.waiting >= STEP {
            self.flush(outcome).await?;
        }
        Ok(())
    }

    async fn refuse(
        &mut self,
        at: i64,
        refusal: Refusal,
        outcome: &mut Outcome,
    ) -> Result<(), ImportError> {
        self.prepare_day(at).await?;
        self.batch
            .count(self.site.id, crate::visits::minute(at), refusal, 1);
        self.waiting += 1;
        if self.waiting >= STEP {
            self.flush(outcome).await?;
        }
        Ok(())
    }

    /// Sees to the partitions of the day (UTC) of an instant.
    async fn prepare_day(&mut self, at: i64) -> Result<(), ImportError> {
        let day = Day::of(Timestamp(at), &jiff::tz::TimeZone::UTC).date;
        if !self.import.is_dry && self.made.insert(day) {
            store::make_partitions(self.maker, day).await?;
        }
        Ok(())
    }

    /// Stores what the hits so far made.
    async fn flush(&mut self, outcome: &mut Outcome) -> Result<(), ImportError> {
        self.visits.finish(&mut self.batch);
        let batch = std::mem::take(&mut self.batch);
        self.waiting = 0;
        outcome.views += (batch.views.len() + batch.anonymous.len()) as u64;
        outcome.events += batch.events.len() as u64;
        for ((_, _, refusal), count) in &batch.refused {
            *outcome
                .refused
                .entry((refusal.reason.as_str(), refusal.detail))
                .or_default() += count;
        }
        if !self.import.is_dry {
            store::write(self.session, &mut self.statements, &batch).await?;
        }
        Ok(())
    }

    async fn import_sums(
        &mut self,
        mut sums: plausible::Sums,
        outcome: &mut Outcome,
    ) -> Result<(), ImportError> {
        let mut taken = Vec::new();
        for day in sums.days() {
            match self.room(day) {
                Room::After(i64::MIN) if !self.until.contains_key(&day) => taken.push(day),
                Room::After(_) => {
                    outcome
                        .tally
                        .leave_out("a day that is counted already", "Plausible", 0)
                }
                Room::None(reason) => outcome.tally.leave_out(reason, "Plausible", 0),
            }
        }
        sums.0.retain(|(day, ..), _| taken.contains(day));
        sums.complete();
        let totals = sums
            .0
            .iter()
            .filter(|((_, dimension, ..), _)| *dimension == "visit");
        outcome.views += totals
            .map(|(_, figures)| figures.views.unsigned_abs())
            .sum::<u64>();
        if !self.import.is_dry && !taken.is_empty() {
            store::write_sums(self.session, self.maker, &self.site, &sums, &taken).await?;
        }
        outcome.days.extend(taken);
        Ok(())
    }
}

/// The reason for what a later run may import.
const NOT_OVER: &str = "of a day that is not over";

#[cfg(test)]
mod tests;
