//! The visits of the configuration's sites, as samples of each slow tick.

use crate::services::Service;
use collect::Moment;
use pg::{Session, SessionOptions, Target};
use schema::{Row, Sample};
use std::time::Duration;

/// Time for the question: it reads minutes of views.
const DEADLINE: Duration = Duration::from_secs(10);

/// The sites, and the session in which the store is asked about them.
pub(crate) struct SiteVisits {
    sites: Vec<String>,
    target: Target,
    session: Option<Session>,
    /// Whether the last question failed, which is logged once.
    has_failed: bool,
}

impl SiteVisits {
    /// Returns the service; nothing where no site is configured.
    pub(crate) fn of(sites: &[String], database: &config::Database) -> Option<Self> {
        (!sites.is_empty()).then(|| Self {
            sites: sites.to_vec(),
            target: Target::from(database),
            session: None,
            has_failed: false,
        })
    }

    async fn read(&mut self, at: &Moment) -> Result<Vec<Row>, pg::PgError> {
        let session = match self.session.take() {
            Some(session) if session.is_usable() => session,
            _ => {
                let options = SessionOptions::for_deadline(DEADLINE);
                pg::connect(&self.target, &options, "pqcrypta-collector visits").await?
            }
        };
        let read = store::pulse::read(&session.client, &self.sites, at.ts);
        let samples = session.run("count visits", DEADLINE, read).await?;
        self.session = Some(session);
        Ok(samples
            .into_iter()
            .map(|sample| sample.into_row(at.ts))
            .collect())
    }
}

impl Service for SiteVisits {
    fn name(&self) -> String {
        "visits".to_owned()
    }

    async fn fast(&mut self, _: &Moment, _: &mut Vec<Row>) {}

    async fn slow(&mut self, at: &Moment, out: &mut Vec<Row>) {
        match self.read(at).await {
            Ok(mut rows) => {
                out.append(&mut rows);
                self.has_failed = false;
            }
            Err(error) => {
                if !self.has_failed {
                    tracing::warn!(error = %pg::causes(&error), "visits of sites are not sampled");
                }
                self.has_failed = true;
            }
        }
    }

    async fn close(self) {
        if let Some(session) = self.session {
            session.close(Duration::from_millis(500)).await;
        }
    }
}
