//! What logs report: error spikes, messages that are new, rare or known, and attacks.
//!
//! A [`LogJudge`] runs every few minutes, and soon after something was stored that a rule may find. It
//! runs bounded queries (`facts`) over the time up to the instant it is given; the evaluators below depend on
//! their results alone:
//!
//! * [`spikes`]: errors or warnings of a source far beyond what is usual at that hour;
//! * [`patterns`]: kinds of errors and warnings that are new or rare;
//! * [`messages`]: remedies for messages that are known ([`advice`]) or recurring;
//! * [`security`]: rules over logins, bans and packets that were reached;
//! * [`understood`]: sources most lines of which fit no head of their parser.
//!
//! What is usual is learnt once an hour from the counts by hour and kept until the next; nothing else is
//! remembered between runs, so a run after a restart finds what one before it would have found.

pub mod advice;
mod facts;
pub mod messages;
pub mod patterns;
pub mod security;
pub mod spikes;
pub mod steps;
pub mod understood;

use crate::reconcile::reconcile;
use crate::rule::Rule;
use facts::Usual;
use schema::{Finding, Timestamp};
use store::findings;
use store::series::ReadError;
use tokio_postgres::Client;

/// The domains of this judge.
pub const DOMAINS: &[&str] = &["logs", "security"];

/// Rules of the evaluators; each entry of [`advice::ADVICE`] has one, too.
pub const RULES: &[Rule] = &[
    spikes::SPIKE,
    patterns::NEW,
    patterns::RARE,
    security::BRUTE_FORCE,
    security::SLOW_BRUTE_FORCE,
    security::DISTRIBUTED,
    security::SUCCESS,
    security::SUDO,
    security::BAN,
    security::FIREWALL,
    understood::NOT_UNDERSTOOD,
];

/// Returns every rule of this judge.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    RULES
        .iter()
        .chain(advice::ADVICE.iter().map(|advice| &advice.rule))
        .chain([&advice::RECURRING.rule])
}

/// The outcome of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// Findings that are open.
    pub found: usize,
    /// Findings that were resolved.
    pub resolved: usize,
}

/// Evaluates the logs of one host.
#[derive(Debug, Default)]
pub struct LogJudge {
    usual: Option<Usual>,
}

impl LogJudge {
    /// Evaluates the logs up to `at` and stores what it finds.
    ///
    /// # Errors
    /// What the server reported; nothing was changed.
    pub async fn evaluate(
        &mut self,
        client: &Client,
        host_id: i32,
        at: Timestamp,
    ) -> Result<Evaluation, ReadError> {
        let open = findings::open_of(client, host_id, DOMAINS).await?;
        let found = self.find(client, host_id, at).await?;
        let changes = reconcile(rules(), &open, found, at);
        findings::apply(client, host_id, &changes, at).await?;
        Ok(Evaluation {
            found: changes.found.len(),
            resolved: changes.resolved.len(),
        })
    }

    /// Returns every finding that holds at `at`.
    async fn find(
        &mut self,
        client: &Client,
        host_id: i32,
        at: Timestamp,
    ) -> Result<Vec<Finding>, ReadError> {
        let usual = match self.usual.take() {
            Some(usual) if usual.hour == spikes::hour_of(at) => usual,
            _ => facts::usual(client, host_id, spikes::hour_of(at)).await?,
        };
        let usual = self.usual.insert(usual);
        let recent = facts::recent(client, host_id, at).await?;
        let seen = facts::patterns(client, host_id, at).await?;
        let events = facts::events(client, host_id, at).await?;
        let sources = facts::sources(client, host_id, at).await?;
        let mut found = spikes::evaluate(&recent, &usual.expected);
        found.extend(patterns::evaluate(&seen, &usual.known_since, at));
        found.extend(messages::evaluate(&seen));
        found.extend(security::evaluate(&events));
        found.extend(understood::evaluate(&sources));
        Ok(found)
    }
}
