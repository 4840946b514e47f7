//! From a report to an acknowledged hit.

use crate::clock::Clock;
use crate::day::Day;
use crate::delivery::{Arrivals, Tally};
use crate::figures::Figures;
use crate::identity::Salts;
use crate::networks::Databases;
use crate::protocol::Report;
use crate::queue::Queue;
use crate::rate::Rates;
use crate::reception::{Reception, Sender, origin_host};
use crate::refusal::{Reason, Refusal};
use crate::settings::{Settings, Site};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Takes reports.
#[derive(Debug)]
pub struct Ingest {
    /// The settings.
    pub settings: Settings,
    /// Views of health checks that are stored.
    pub(super) arrivals: Arrivals,
    pub(super) queue: Queue,
    tally: Tally,
    salts: Arc<Mutex<Salts>>,
    rates: Arc<Mutex<Rates>>,
    databases: Arc<Databases>,
    clock: Clock,
    started: tokio::time::Instant,
    /// Names of sites, shared with the counts of refusals; the first is the empty one.
    names: Vec<Arc<str>>,
}

impl Ingest {
    /// Creates what takes reports for a queue.
    #[must_use]
    pub fn new(
        settings: Settings,
        queue: Queue,
        tally: Tally,
        arrivals: Arrivals,
        salts: Salts,
        databases: Arc<Databases>,
        clock: Clock,
    ) -> Self {
        Self {
            names: names(&settings),
            settings,
            queue,
            tally,
            arrivals,
            salts: Arc::new(Mutex::new(salts)),
            rates: Arc::default(),
            databases,
            clock,
            started: tokio::time::Instant::now(),
        }
    }

    /// Returns the same with other settings; queue, counts, salts and rates are shared.
    #[must_use]
    pub fn with_settings(&self, settings: Settings) -> Self {
        Self {
            names: names(&settings),
            settings,
            queue: self.queue.clone(),
            tally: self.tally.clone(),
            arrivals: self.arrivals.clone(),
            salts: Arc::clone(&self.salts),
            rates: Arc::clone(&self.rates),
            databases: Arc::clone(&self.databases),
            clock: self.clock.clone(),
            started: self.started,
        }
    }

    /// Returns what it counts of itself.
    pub(super) fn figures(&self) -> &Figures {
        self.tally.figures()
    }

    /// Returns the files that are configured, and whether they could be read.
    pub(super) fn files(&self) -> Vec<(&'static str, bool)> {
        self.databases.files()
    }

    /// Returns the current instant, microseconds.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().0
    }

    /// Counts the files of the operator that cannot be read, so that the operator sees it where refusals are shown.
    pub fn count_faults(&self) {
        for key in self.databases.faults() {
            self.refuse(None, Refusal::new(Reason::AddressFile, key));
        }
    }

    /// Counts a request of the sender.
    ///
    /// # Errors
    /// When it is one too many.
    pub(super) fn check_rate(&self, sender: &Sender<'_>) -> Result<(), Refusal> {
        let elapsed: Duration = self.started.elapsed();
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        if rates.allows(sender.address, elapsed) {
            Ok(())
        } else {
            Err(Reason::RateLimited.into())
        }
    }

    /// Counts a refusal and returns it; `site` is its place in the settings.
    pub(super) fn refuse(&self, site: Option<usize>, refusal: Refusal) -> Refusal {
        let name = &self.names[site.map_or(0, |site| site + 1)];
        self.tally.count(name, self.clock.now().0, refusal);
        refusal
    }

    /// Returns an identifier for a view without one.
    pub(super) fn random_view(&self) -> i64 {
        let mut bytes = [0; 8];
        match getrandom::fill(&mut bytes) {
            Ok(()) => i64::from_be_bytes(bytes),
            // Two views in one microsecond would be one.
            Err(_) => self.clock.now().0,
        }
    }

    /// Returns whether an origin is that of a configured site.
    pub(super) fn is_known_origin(&self, origin: &str) -> bool {
        let host = origin_host(origin);
        host.is_some_and(|host| self.settings.sites.iter().any(|site| site.has_host(&host)))
    }

    /// Stores a report. It is durable when this returns.
    ///
    /// # Errors
    /// The refusal, which is counted.
    pub async fn receive(&self, sender: &Sender<'_>, report: Report) -> Result<(), Refusal> {
        let place = self
            .settings
            .sites
            .iter()
            .position(|site| site.domain == report.site);
        let Some(index) = place else {
            return Err(self.refuse(None, Reason::UnknownSite.into()));
        };
        let site = &self.settings.sites[index];
        let reception = Reception {
            settings: &self.settings,
            databases: &self.databases,
        };
        let hit = reception.hit(site, sender, report, self.clock.now(), |day| {
            self.visitor(site, sender, day)
        });
        let hit = match hit {
            Ok(hit) => hit,
            Err(refusal) => return Err(self.refuse(place, refusal)),
        };
        let rows = u32::try_from(hit.events.len().max(1)).unwrap_or(u32::MAX);
        let json = serde_json::to_vec(&hit).map_err(|_| Refusal::invalid("json"))?;
        let begun = tokio::time::Instant::now();
        match self.queue.append(hit.at, json, rows).await {
            Ok(()) => {
                let figures = self.figures();
                figures.acknowledged.count(begun.elapsed());
                figures.accept(&self.names[index + 1], rows);
                Ok(())
            }
            Err(_) => Err(self.refuse(place, Reason::Busy.into())),
        }
    }

    fn visitor(&self, site: &Site, sender: &Sender<'_>, day: &Day) -> Result<i64, Refusal> {
        let mut salts = self.salts.lock().unwrap_or_else(PoisonError::into_inner);
        // Without random bytes there is no way to keep visitors apart and unknown.
        let salt = salts
            .of(&site.domain, day.date)
            .map_err(|_| Refusal::from(Reason::Busy))?;
        drop(salts);
        if salt.is_renewed {
            let place = self
                .settings
                .sites
                .iter()
                .position(|known| known.domain == site.domain);
            self.refuse(place, Reason::SaltRenewed.into());
        }
        Ok(salt.visitor(&site.domain, sender.address, sender.user_agent))
    }

    /// Forgets salts of days that are over.
    pub fn expire_salts(&self) {
        let now = self.clock.now();
        let today = |domain: &str| {
            let site = self
                .settings
                .sites
                .iter()
                .find(|site| site.domain == domain);
            site.map(|site| Day::of(now, &site.zone).date)
        };
        self.salts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .expire(today);
    }
}

/// Returns the names of the sites, after the empty one.
fn names(settings: &Settings) -> Vec<Arc<str>> {
    let domains = settings
        .sites
        .iter()
        .map(|site| Arc::from(site.domain.as_str()));
    std::iter::once(Arc::from("")).chain(domains).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Hints;
    use crate::settings::Consent;
    use crate::{hit, protocol};
    use std::sync::atomic::{AtomicI64, Ordering};

    const BROWSER: &[u8] =
        b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

    fn sender() -> Sender<'static> {
        Sender {
            address: [192, 0, 2, 1].into(),
            user_agent: BROWSER,
            hints: Hints::default(),
            language: "de",
            origin: Some("https://example.org"),
            referer: None,
            is_prefetch: false,
            asks_for_privacy: false,
            is_contradictory: false,
            is_script: true,
        }
    }

    fn micros(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
    }

    /// A visitor is one from midnight to midnight of the site, and what waited in a browser over midnight is of the new day.
    #[tokio::test]
    async fn a_visitor_is_known_for_a_day_of_the_site() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::open(folder.path(), 8 << 20).unwrap();
        let time = Arc::new(AtomicI64::new(0));
        let settings = Settings {
            sites: vec![Site {
                domain: "example.org".to_owned(),
                hosts: vec!["example.org".to_owned()],
                zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(),
                consent: Consent::Cookieless,
                internal_hosts: Vec::new(),
            }],
            ..Settings::default()
        };
        let ingest = Ingest::new(
            settings,
            queue.clone(),
            Tally::default(),
            Arrivals::default(),
            Salts::in_memory(),
            Arc::default(),
            Clock::Set(Arc::clone(&time)),
        );
        // The last Sunday of October: its midnights are at 22:00 and 23:00.
        for (view, now) in [
            "2026-10-24T21:59:59Z",
            "2026-10-24T22:00:00Z",
            "2026-10-25T00:00:01Z",
            "2026-10-25T22:59:59Z",
            "2026-10-25T23:00:01Z",
        ]
        .into_iter()
        .enumerate()
        {
            time.store(micros(now), Ordering::Relaxed);
            let body = format!(
                r#"{{"v":1,"site":"example.org","url":"https://example.org/","view":"{view:016x}","events":[{{"type":"view","age_ms":5000}}]}}"#
            );
            ingest.expire_salts();
            let report = protocol::parse(body.as_bytes()).unwrap();
            ingest.receive(&sender(), report).await.unwrap();
        }
        let records = queue.next(0, usize::MAX, usize::MAX).await.unwrap();
        let hits = records
            .iter()
            .flat_map(|record| hit::parse(&record.payload).unwrap());
        let seen: Vec<(i64, i64)> = hits
            .map(|hit| (hit.visitor.unwrap(), hit.events[0].at))
            .collect();
        let [saturday, first, later, last, monday] = seen.as_slice() else {
            panic!("five views: {seen:?}");
        };
        assert_eq!((first.0, later.0), (last.0, last.0));
        assert!(saturday.0 != first.0 && monday.0 != first.0 && saturday.0 != monday.0);
        assert_eq!(first.1, micros("2026-10-24T22:00:00Z"));
        assert_eq!(last.1, micros("2026-10-25T22:59:54Z"));
        assert_eq!(monday.1, micros("2026-10-25T23:00:00Z"));
    }
}
