//! What logs tell: errors that come in numbers, messages that are new, rare or known, and attacks.
//!
//! A [`LogJudge`] takes a pass every few minutes, and soon after something was stored that a rule may find. It
//! asks bounded questions (`facts`) about the time up to the instant it is given, and judges answer from
//! the facts alone:
//!
//! * [`spikes`]: errors or warnings of a source far beyond what is usual at that hour;
//! * [`patterns`]: kinds of errors and warnings never seen before, or hardly ever;
//! * [`messages`]: what to do about messages that are known ([`advice`]) or come again and again;
//! * [`security`]: what the rules over logins, bans and packets have reached;
//! * [`understood`]: sources most lines of which fit no head of their parser.
//!
//! What is usual is learnt once an hour from the counts by hour and kept until the next; nothing else is
//! remembered between passes, so a pass after a restart says what one before it would have said.

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

/// Domains whose findings are this judge's.
pub const DOMAINS: &[&str] = &["logs", "security"];

/// Rules of their own; [`advice::ADVICE`] has one each, too.
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

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Findings that hold.
    pub found: usize,
    /// Findings that were over.
    pub over: usize,
}

/// Judges the logs of one host.
#[derive(Debug, Default)]
pub struct LogJudge {
    usual: Option<Usual>,
}

impl LogJudge {
    /// Looks at the logs up to `at` and stores what it finds.
    ///
    /// # Errors
    /// What the server said; nothing was changed.
    pub async fn pass(
        &mut self,
        client: &Client,
        host_id: i32,
        at: Timestamp,
    ) -> Result<Pass, ReadError> {
        let open = findings::open(client, host_id, DOMAINS).await?;
        let found = self.judge(client, host_id, at).await?;
        let changes = reconcile(rules(), &open, found, at);
        findings::apply(client, host_id, &changes, at).await?;
        Ok(Pass {
            found: changes.found.len(),
            over: changes.over.len(),
        })
    }

    async fn judge(
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
        let mut found = spikes::judge(&recent, &usual.expected);
        found.extend(patterns::judge(&seen, &usual.known_since, at));
        found.extend(messages::judge(&seen));
        found.extend(security::judge(&events));
        found.extend(understood::judge(&sources));
        Ok(found)
    }
}
