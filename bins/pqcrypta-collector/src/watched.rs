//! The services of the configuration: PostgreSQL servers, applications, and what health checks ask.

use crate::room;
use crate::services::{Service, Services};
use crate::site_visits::SiteVisits;
use collect::Moment;
use collect::application::{Application, News};
use collect::postgres::{Instance, Postgres};
use collect::receiver::Receiver;
use config::{Config, HealthRunner, HttpUrl, Secret};
use health::{Check, Outcome, State};
use schema::Row;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use store::crowding::Purpose;
use store::status::{Keeper, SharedStatus};

/// Settings that restart the services when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watched {
    postgres: Vec<config::Postgres>,
    targets: Vec<config::ScrapeTarget>,
    /// Names of those that are not configured explicitly.
    assumed: Vec<String>,
    /// Empty where a timer makes them.
    checks: Vec<config::HealthCheck>,
    /// Sites whose visits are counted.
    sites: Vec<String>,
    /// Where the figures of the receiver are, and their secret; nothing without sites or address.
    receiver: Option<(HttpUrl, Secret)>,
    database: config::Database,
    timeout: Duration,
}

impl Watched {
    /// Returns the settings of this configuration.
    pub(crate) fn of(config: &Config) -> Self {
        let targets = config.scrape.targets();
        let names = targets.iter().map(|target| target.name.clone());
        Self {
            postgres: config.postgres.clone(),
            assumed: names
                .filter(|name| config.scrape.is_assumed(name))
                .collect(),
            targets,
            checks: match config.health.run_by {
                HealthRunner::Collector => config.health.check.clone(),
                HealthRunner::Timer => Vec::new(),
            },
            sites: {
                let sites = config.analytics.site.iter();
                sites.map(|site| site.domain.to_ascii_lowercase()).collect()
            },
            receiver: receiver_of(&config.analytics),
            database: config.database.clone(),
            timeout: config.collector.query_timeout(),
        }
    }

    /// Adds every server and target. One that cannot be queried at all is logged and left out; `check-config`
    /// reports it too.
    pub(crate) fn add_to(&self, services: &mut Services, status: &SharedStatus) {
        for server in &self.postgres {
            match Instance::of(server, &self.database, self.timeout) {
                Ok(instance) if server.url.is_none() => {
                    services.add(Store::new(instance, status.clone()));
                }
                Ok(instance) => services.add(Postgres::new(instance)),
                Err(error) => {
                    tracing::error!(server = server.name, %error, "this server is not watched");
                }
            }
        }
        for target in &self.targets {
            match Application::new(target.clone()) {
                Ok(application) => services.add(Scraped {
                    application,
                    is_assumed: self.assumed.contains(&target.name),
                }),
                Err(error) => {
                    tracing::error!(target = target.name, %error, "this target is not scraped");
                }
            }
        }
        if let Some(visits) = SiteVisits::of(&self.sites, &self.database) {
            services.add(visits);
        }
        if let Some((url, token)) = self.receiver.clone() {
            match Receiver::new(url, token) {
                Ok(receiver) => services.add(Figures {
                    receiver,
                    answers: None,
                }),
                Err(error) => tracing::error!(%error, "the receiver of visits is not watched"),
            }
        }
        for check in &self.checks {
            match Check::new(check.clone()) {
                Ok(check) => services.add(Checked { check, last: None }),
                Err(error) => {
                    tracing::error!(check = check.name, error, "this health check is not made");
                }
            }
        }
    }
}

/// Returns where the receiver of visits has its figures: as configured, or on this host.
fn receiver_of(analytics: &config::Analytics) -> Option<(HttpUrl, Secret)> {
    let token = analytics.metrics_token.clone();
    if let Some(url) = &analytics.metrics_url {
        return Some((url.clone(), token));
    }
    // Port 0 is a free one that only the program knows.
    if analytics.site.is_empty() || analytics.listen.port() == 0 {
        return None;
    }
    let ip = match analytics.listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let url = HttpUrl {
        tls: false,
        host: ip.to_string(),
        port: analytics.listen.port(),
        path: "/metrics".to_owned(),
    };
    Some((url, token))
}

impl Service for Postgres {
    fn name(&self) -> String {
        self.run_name("postgres")
    }

    async fn fast(&mut self, at: &Moment, out: &mut Vec<Row>) {
        Self::fast(self, at, out).await;
    }

    async fn slow(&mut self, at: &Moment, out: &mut Vec<Row>) {
        Self::slow(self, at, out).await;
    }

    async fn close(self) {
        Self::close(self).await;
    }
}

/// The server of the store. Every host of a fleet has it in its settings: one on another machine is watched by the host that does the
/// work for all hosts, so that it is watched once, and costs no session of the others. Where a limit of connections leaves no
/// room for delivery, it gives way.
struct Store {
    name: String,
    instance: Instance,
    watching: Option<Postgres>,
    status: SharedStatus,
}

impl Store {
    fn new(instance: Instance, status: SharedStatus) -> Self {
        Self {
            name: Postgres::new(instance.clone()).run_name("postgres"),
            instance,
            watching: None,
            status,
        }
    }

    /// Returns what watches the server, if that is this host's task now.
    async fn turn(&mut self) -> Option<&mut Postgres> {
        let status = self.status.get();
        if !self.instance.target.host.is_local() && status.keeper != Keeper::This {
            if let Some(watching) = self.watching.take() {
                tracing::info!(server = self.name, "another host watches it from now on");
                watching.close().await;
                self.note_room(None);
            }
            return None;
        }
        if status.crowding.refused.contains_key(&Purpose::Delivery) {
            if let Some(watching) = &mut self.watching {
                watching.give_way().await;
            }
            return None;
        }
        let instance = &self.instance;
        Some(
            self.watching
                .get_or_insert_with(|| Postgres::new(instance.clone())),
        )
    }

    fn note_room(&self, refusal: Option<String>) {
        let purpose = Purpose::Statistics(self.instance.name.clone());
        room::note_refusal(&self.status, purpose, refusal);
    }
}

impl Service for Store {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn fast(&mut self, at: &Moment, out: &mut Vec<Row>) {
        if let Some(postgres) = self.turn().await {
            postgres.fast(at, out).await;
            let refusal = postgres.crowded_out().map(str::to_owned);
            self.note_room(refusal);
        }
    }

    async fn slow(&mut self, at: &Moment, out: &mut Vec<Row>) {
        if let Some(postgres) = self.turn().await {
            postgres.slow(at, out).await;
        }
    }

    async fn close(self) {
        self.note_room(None);
        if let Some(watching) = self.watching {
            watching.close().await;
        }
    }
}

/// An application. If it is not configured explicitly, it is watched from its first answer on: its absence is not
/// reported before.
struct Scraped {
    application: Application,
    is_assumed: bool,
}

impl Service for Scraped {
    fn name(&self) -> String {
        format!("scrape {}", self.application.name())
    }

    async fn fast(&mut self, at: &Moment, out: &mut Vec<Row>) {
        let before = out.len();
        let news = self.application.collect(at, out).await;
        let target = self.application.name();
        if self.is_assumed && !self.application.has_answered() {
            out.truncate(before);
            if news != News::Nothing {
                tracing::info!(
                    target,
                    "not configured explicitly and not there; tried again"
                );
            }
            return;
        }
        match news {
            News::Nothing => {}
            News::Up => tracing::info!(target, "answers"),
            News::Down(cause) => tracing::warn!(target, cause, "reports no values"),
        }
    }

    async fn slow(&mut self, _: &Moment, _: &mut Vec<Row>) {}

    async fn close(self) {}
}

/// The receiver of visits. It may be on another host with the same settings, so that it does not answer is no fault by itself.
struct Figures {
    receiver: Receiver,
    answers: Option<bool>,
}

impl Service for Figures {
    fn name(&self) -> String {
        "receiver".to_owned()
    }

    async fn fast(&mut self, _: &Moment, _: &mut Vec<Row>) {}

    async fn slow(&mut self, at: &Moment, out: &mut Vec<Row>) {
        let read = self.receiver.collect(at.ts, out).await;
        let answers = read.is_ok();
        let before = self.answers.replace(answers);
        match read {
            Err(error) if before != Some(false) => {
                tracing::info!(%error, "the receiver of visits says nothing of itself");
            }
            Ok(()) if before == Some(false) => tracing::info!("the receiver of visits answers"),
            Ok(()) | Err(_) => {}
        }
    }

    async fn close(self) {}
}

/// A service that is asked as its users ask it, at slow ticks. A change of its state is logged once.
struct Checked {
    check: Check,
    last: Option<State>,
}

impl Checked {
    fn report(&mut self, outcome: &Outcome) {
        let before = self.last.replace(outcome.state);
        if before == Some(outcome.state) {
            return;
        }
        let check = self.check.name();
        let error = outcome.error.as_deref().unwrap_or_default();
        match outcome.state {
            State::Up if before.is_none() => {}
            State::Up => tracing::info!(check, "passes again"),
            State::Slow => tracing::info!(check, "answers slowly"),
            State::Down => tracing::warn!(check, error, "fails"),
            State::Unknown => tracing::warn!(check, error, "learns nothing"),
        }
    }
}

impl Service for Checked {
    fn name(&self) -> String {
        format!("check {}", self.check.name())
    }

    async fn fast(&mut self, _: &Moment, _: &mut Vec<Row>) {}

    async fn slow(&mut self, at: &Moment, out: &mut Vec<Row>) {
        let outcome = self.check.run(at.ts).await;
        self.report(&outcome);
        out.push(outcome.row());
    }

    async fn close(self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Timestamp;

    /// The receiver is asked where the settings say it is, else where it listens on this host.
    #[test]
    fn the_receiver_is_asked_where_it_is() {
        let site = config::AnalyticsSite {
            domain: "example.org".to_owned(),
            ..config::AnalyticsSite::default()
        };
        let elsewhere = HttpUrl::parse("https://stats.example/metrics").unwrap();
        for (listen, wanted) in [
            ("127.0.0.1:8089", Some("http://127.0.0.1:8089/metrics")),
            ("0.0.0.0:8089", Some("http://127.0.0.1:8089/metrics")),
            ("[::]:8089", Some("http://[::1]:8089/metrics")),
            ("127.0.0.1:0", None),
        ] {
            let mut analytics = config::Analytics {
                listen: listen.parse().unwrap(),
                ..config::Analytics::default()
            };
            let asked = |analytics: &config::Analytics| {
                receiver_of(analytics).map(|(url, _)| url.to_string())
            };
            assert_eq!(asked(&analytics), None, "no site is counted");
            analytics.site.push(site.clone());
            assert_eq!(asked(&analytics).as_deref(), wanted);
            analytics.metrics_url = Some(elsewhere.clone());
            assert_eq!(asked(&analytics), Some(elsewhere.to_string()));
        }
    }

    /// The server of the store is watched by the host that does the work for all, and by no other.
    #[tokio::test]
    async fn a_store_elsewhere_is_watched_where_the_turn_is() {
        let store = config::Database {
            host: "store.invalid".to_owned(),
            ..config::Database::default()
        };
        let timeout = Duration::from_millis(500);
        let instance = Instance::of(&config::Postgres::store(), &store, timeout).unwrap();
        let status = SharedStatus::default();
        let mut shared = Store::new(instance, status.clone());
        let at = Moment {
            ts: Timestamp(1_900_000_000_000_000),
            monotonic: Duration::ZERO,
        };
        for (keeper, watches) in [
            (Keeper::Nobody, false),
            (Keeper::This, true),
            (Keeper::Other, false),
        ] {
            status.update(|status| status.keeper = keeper);
            let mut rows = Vec::new();
            shared.fast(&at, &mut rows).await;
            assert_eq!(!rows.is_empty(), watches, "{keeper:?}");
            assert_eq!(shared.watching.is_some(), watches, "{keeper:?}");
        }
    }
}
