//! The state that all requests share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use exposition::Requests;
use jiff::tz::TimeZone;
use pg::Target;
use schema::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::answers::Answers;
use crate::clock::Clock;
use crate::database::{Database, Failure};
use crate::error::{ApiError, RequestError};
use crate::hints::Hints;
use crate::hosts::{Host, hosts};
use crate::judge::{self, Context, Evaluations, Fleet};
use crate::tables::traffic::Definitions;
use crate::top_keys::TopKeys;
use crate::wire::now::Now;

/// For how many times `share_for` the state of all hosts is shared: at the default 5 s, half of a sampling interval.
const FLEET_SHARES: u32 = 16;

/// The settings of the server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The base path of all routes; begins and ends with a slash.
    pub base_path: String,
    /// Further names this server answers to.
    pub allowed_hosts: Vec<String>,
    /// The sampling interval where an agent does not report its own.
    pub interval: Duration,
    /// The time zone of times in sentences.
    pub zone: TimeZone,
    /// How long the list of hosts is shared among requests.
    pub share_for: Duration,
    /// The source of the time.
    pub clock: Clock,
    /// Goals and funnels of sites.
    pub definitions: Arc<Definitions>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8088)),
            base_path: "/monitor/".to_owned(),
            allowed_hosts: Vec::new(),
            interval: Duration::from_secs(10),
            zone: TimeZone::UTC,
            share_for: Duration::from_millis(300),
            clock: Clock::System,
            definitions: Arc::default(),
        }
    }
}

/// The state that all requests share.
#[derive(Clone, Debug)]
pub struct App(Arc<Shared>);

/// The parts of [`App`].
#[derive(Debug)]
pub struct Shared {
    /// The settings.
    pub settings: Settings,
    /// Sessions with the database.
    pub database: Database,
    /// Recent answers.
    pub answers: Answers,
    /// The highest keys of metrics.
    pub(crate) top_keys: TopKeys,
    /// Recent evaluations.
    pub(crate) evaluations: Evaluations,
    /// The last answer of `now` per host, for when the database is unreachable.
    pub(crate) last: Mutex<HashMap<i32, Now>>,
    /// Hints for event streams.
    pub(crate) hints: Hints,
    /// What was answered, for `metrics`.
    pub(crate) requests: Requests,
    pub(crate) stop: watch::Sender<bool>,
    known: tokio::sync::Mutex<Option<(Instant, Arc<Vec<Host>>)>>,
    fleet: tokio::sync::Mutex<Option<(Instant, Arc<Fleet>)>>,
    /// When the newest tick of a host was first seen here.
    arrivals: Mutex<HashMap<i32, (Timestamp, Timestamp)>>,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// Creates the state of a server; it connects with the first request.
    #[must_use]
    pub fn new(settings: Settings, target: Target) -> Self {
        let database = Database::new(target, settings.clock.clone(), settings.zone.clone());
        Self(Arc::new(Shared {
            settings,
            database,
            answers: Answers::default(),
            top_keys: TopKeys::default(),
            evaluations: Evaluations::default(),
            last: Mutex::default(),
            hints: Hints::default(),
            requests: Requests::default(),
            stop: watch::Sender::new(false),
            known: tokio::sync::Mutex::default(),
            fleet: tokio::sync::Mutex::default(),
            arrivals: Mutex::default(),
        }))
    }

    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }

    /// Ends open event streams; the server stops taking requests by itself.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Returns all hosts, at most `share_for` old. Concurrent requests share one read.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn hosts(&self) -> Result<Arc<Vec<Host>>, Failure> {
        self.hosts_within(self.settings.share_for).await
    }

    pub(crate) async fn hosts_within(&self, age: Duration) -> Result<Arc<Vec<Host>>, Failure> {
        let mut known = self.known.lock().await;
        if let Some((read, hosts)) = known.as_ref()
            && read.elapsed() < age
        {
            return Ok(Arc::clone(hosts));
        }
        let now = self.now();
        let interval = i64::try_from(self.settings.interval.as_micros()).unwrap_or(i64::MAX);
        let read = self
            .database
            .read("hosts", |session| async move {
                hosts(&session.client, now, interval).await
            })
            .await?;
        let read = Arc::new(read);
        self.note_arrivals(&read, now);
        *known = Some((Instant::now(), Arc::clone(&read)));
        Ok(read)
    }

    /// Returns the state of all hosts, which is read once for all pages that show it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn fleet(&self) -> Result<Arc<Fleet>, Failure> {
        let mut known = self.fleet.lock().await;
        if let Some((read, fleet)) = known.as_ref()
            && read.elapsed() < self.settings.share_for * FLEET_SHARES
        {
            return Ok(Arc::clone(fleet));
        }
        let hosts = self.hosts().await?;
        let now = self.now();
        let read = self.database.read("all hosts", |session| {
            let hosts = Arc::clone(&hosts);
            async move {
                let context = |host: &Host| self.context(Some(host));
                judge::fleet(&session.client, &hosts, context, now).await
            }
        });
        let read = Arc::new(read.await?);
        *known = Some((Instant::now(), Arc::clone(&read)));
        Ok(read)
    }

    /// Returns the context of a verdict about a host.
    pub(crate) fn context(&self, host: Option<&Host>) -> Context<'_> {
        let now = self.now();
        Context {
            now,
            zone: &self.settings.zone,
            interval_secs: self.settings.interval.as_secs_f64(),
            age: host.and_then(|host| self.age(host, now)),
        }
    }

    /// Returns the requested host; without a number the first by name whose collector was heard of lately, if there is any: the one whose
    /// data arrived last would be another at each request. A host that is not in the shared list is looked up again, as it may have been added since.
    ///
    /// # Errors
    /// When the number does not parse or names no host, or the database does not answer.
    pub async fn host(&self, asked: Option<&str>) -> Result<Option<Host>, RequestError> {
        let shared = self.hosts().await?;
        let Some(asked) = asked else {
            return Ok(usual(&shared).cloned());
        };
        let id: i32 = asked
            .parse()
            .map_err(|_| RequestError::Request(ApiError::bad("host", "not a number")))?;
        let find = |hosts: &[Host]| hosts.iter().find(|host| host.id == id).cloned();
        if let Some(host) = find(&shared) {
            return Ok(Some(host));
        }
        let found = find(&self.hosts_within(Duration::ZERO).await?);
        found
            .map(Some)
            .ok_or(RequestError::Request(ApiError::NotFound("no such host")))
    }

    fn note_arrivals(&self, hosts: &[Host], now: Timestamp) {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        for host in hosts {
            let Some(newest) = host.newest else { continue };
            let known = arrivals.entry(host.id).or_insert((newest, now));
            if known.0 != newest {
                *known = (newest, now);
            }
        }
    }

    /// Returns the age of the newest tick of a host, microseconds. A tick in the future (the host's clock
    /// is ahead) counts from when it was first seen, so that it ages, too.
    #[must_use]
    pub fn age(&self, host: &Host, now: Timestamp) -> Option<i64> {
        let newest = host.newest?;
        if newest <= now {
            return Some(now.as_micros() - newest.as_micros());
        }
        let arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = arrivals.get(&host.id).map_or(now, |(_, seen)| *seen);
        Some((now.as_micros() - seen.as_micros()).max(0))
    }
}

/// Returns the host that is shown where none is asked for, of hosts by name: the first whose collector was heard of within a day, so that
/// one that died is still shown, as silent.
fn usual(hosts: &[Host]) -> Option<&Host> {
    let is_present = |host: &&Host| host.heartbeat.is_some();
    let has_data = |host: &&Host| host.newest.is_some();
    let found = hosts.iter().find(is_present);
    found
        .or_else(|| hosts.iter().find(has_data))
        .or_else(|| hosts.first())
}

/// Returns when the server stops.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}
