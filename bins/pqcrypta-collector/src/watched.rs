//! The services of the configuration: PostgreSQL servers and applications.

use crate::services::{Service, Services};
use collect::Moment;
use collect::application::{Application, News};
use collect::postgres::{Instance, Postgres};
use config::Config;
use schema::Row;
use std::time::Duration;

/// Settings that restart the services when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watched {
    postgres: Vec<config::Postgres>,
    targets: Vec<config::ScrapeTarget>,
    /// Names of those that are not configured explicitly.
    assumed: Vec<String>,
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
            database: config.database.clone(),
            timeout: config.collector.query_timeout(),
        }
    }

    /// Adds every server and target. One that cannot be queried at all is logged and left out; `check-config`
    /// reports it too.
    pub(crate) fn add_to(&self, services: &mut Services) {
        for server in &self.postgres {
            match Instance::of(server, &self.database, self.timeout) {
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
    }
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
