//! Health checks: a service is asked as its users ask it.
//!
//! ```text
//! [[health.check]] ─ Check::run ─ attempts (request, port, certificate, name, server) ─ Outcome ─┬─ row
//!                                                                                                └─ line of the log
//! ```
//!
//! Who runs them: the collector makes the checks at its slow tick, which gives their results everything that samples have
//! (the queue, so that nothing is lost while the database is away; judging; roll-ups), without a second implementation of
//! any of it. `pqcrypta-health-check` makes the same checks once, for a timer, for the log, and for hosts where nothing else
//! of ours runs. `health.run_by` decides which of them stores results, so that no result is there twice.
//!
//! A check has a few attempts, 2 s apart, each with a deadline; the last one counts. The state is `down` if the service failed,
//! `slow` if its answer took longer than `warn_ms`, and `unknown` if nothing was learnt of the service: its name could not be
//! looked up because the resolver is silent or refuses. That is no failure of the service, and is never reported as one.
//!
//! The peer is not trusted: heads and bodies are bounded, redirects are counted, and what it sends reaches logs and rows only
//! as a short text without control characters and secrets.

mod certificate;
mod line;
mod name;
mod outcome;
mod port;
mod request;
mod server;
pub mod untrusted;

use std::time::Duration;

use config::{CheckKind, CheckTarget, HealthCheck};
use schema::Timestamp;
use tokio::time::Instant;

pub use line::{summary, text_of};
pub use outcome::{Outcome, State};

/// Time between two attempts: a restarted service is back, an overloaded one is not made worse.
const PAUSE: Duration = Duration::from_secs(2);

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The service did not answer as it should.
    Down(String),
    /// Nothing was learnt of it.
    Unknown(String),
}

/// What was learnt in an attempt, however it ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    /// Whether the address is known, so that from now on the service is what is waited for.
    pub(crate) is_resolved: bool,
    /// Status of an HTTP answer.
    pub(crate) status: Option<u16>,
    /// When the service answered, where the attempt goes on after that.
    pub(crate) answered: Option<Instant>,
    /// When the first certificate of the chain expires.
    pub(crate) expires_at: Option<Timestamp>,
}

impl Failure {
    /// Returns the failure for an error of the steps of an exchange.
    pub(crate) fn of(error: &http::HttpError) -> Self {
        let text = error.to_string();
        match error {
            http::HttpError::Address { .. } if is_resolver_silent(&text) => Self::Unknown(text),
            _ => Self::Down(text),
        }
    }
}

/// Returns whether an error says that the resolver gave no answer, rather than that there is no such name: the words of
/// `gai_strerror` for `EAI_AGAIN`, which the standard library passes on in English.
pub(crate) fn is_resolver_silent(text: &str) -> bool {
    text.contains("Temporary failure in name resolution") || text.contains("Try again")
}

/// A check of the settings, ready to be made.
#[derive(Clone, Debug)]
pub struct Check {
    settings: HealthCheck,
    target: CheckTarget,
}

impl Check {
    /// Returns the check of an entry of the settings.
    ///
    /// # Errors
    /// What is wrong with its target; checked settings hold no such entry.
    pub fn new(settings: HealthCheck) -> Result<Self, String> {
        let target = settings
            .read_target()
            .map_err(|problem| format!("the target of {} {}", settings.name, problem.text))?;
        Ok(Self { settings, target })
    }

    /// Returns its name in the settings.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Returns the longest time that it takes, with all attempts.
    #[must_use]
    pub fn longest(&self) -> Duration {
        let attempts = u32::try_from(self.settings.attempts).unwrap_or(u32::MAX);
        (self.timeout() + PAUSE) * attempts
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.settings.timeout_secs)
    }

    /// Makes the check at `at`.
    pub async fn run(&self, at: Timestamp) -> Outcome {
        let mut earlier = None;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let started = Instant::now();
            let mut facts = Facts::default();
            let result = match tokio::time::timeout(self.timeout(), self.attempt(&mut facts)).await
            {
                Ok(result) => result,
                Err(_elapsed) if facts.is_resolved => Err(Failure::Down("no answer".to_owned())),
                Err(_elapsed) => Err(Failure::Unknown("the resolver gives no answer".to_owned())),
            };
            let answered = facts.answered.unwrap_or_else(Instant::now);
            let answer_ms = (answered - started).as_secs_f64() * 1000.0;
            let outcome = |state, answer_ms, error| Outcome {
                name: self.settings.name.clone(),
                kind: self.settings.kind,
                target: outcome::shown(&self.settings.target),
                state,
                answer_ms,
                attempts,
                status: facts.status,
                expires_at: facts.expires_at,
                at,
                error,
            };
            let failure = match result {
                Ok(()) if answer_ms > self.settings.warn_ms as f64 => {
                    return outcome(State::Slow, Some(answer_ms), earlier);
                }
                Ok(()) => return outcome(State::Up, Some(answer_ms), earlier),
                Err(failure) => failure,
            };
            if attempts >= self.settings.attempts {
                return match failure {
                    Failure::Down(error) => {
                        outcome(State::Down, Some(answer_ms), Some(outcome::plain(&error)))
                    }
                    Failure::Unknown(error) => {
                        outcome(State::Unknown, None, Some(outcome::plain(&error)))
                    }
                };
            }
            let (Failure::Down(error) | Failure::Unknown(error)) = failure;
            earlier = Some(outcome::plain(&error));
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn attempt(&self, facts: &mut Facts) -> Result<(), Failure> {
        let settings = &self.settings;
        match (settings.kind, &self.target) {
            (CheckKind::Http, CheckTarget::Url(url)) => request::page(settings, url, facts).await,
            (CheckKind::Ingest, CheckTarget::Url(url)) => {
                request::ingest(settings, url, facts).await
            }
            (CheckKind::Tcp, CheckTarget::Port(host, port)) => {
                port::accepts(settings, host, *port, facts).await
            }
            (CheckKind::Tls, CheckTarget::Port(host, port)) => {
                port::is_trusted(settings, host, *port, facts).await
            }
            (CheckKind::Dns, CheckTarget::Name(name)) => name::answers(settings, name).await,
            (CheckKind::Postgres, CheckTarget::Server(url)) => {
                server::answers(settings, url, self.timeout(), facts).await
            }
            // `read_target` gives each kind its own form.
            _ => Err(Failure::Unknown("the target has another kind".to_owned())),
        }
    }
}
