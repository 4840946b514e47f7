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
//! * [`lost`]: lines that were lost before they were read;
//! * [`understood`]: sources most lines of which fit no head of their parser.
//!
//! What is usual is learnt once an hour from the counts by hour and kept until the next; nothing else is
//! remembered between runs, so a run after a restart finds what one before it would have found.

pub mod advice;
mod facts;
pub mod lost;
pub mod messages;
pub mod patterns;
pub mod security;
pub mod spikes;
pub mod steps;
pub mod understood;

use crate::judge::Judge;
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::rule::Rule;
use facts::Usual;
use schema::Timestamp;
use store::series::ReadError;
use tokio_postgres::Client;

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
    lost::LOST,
];

/// Returns every rule of this judge.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    RULES
        .iter()
        .chain(advice::ADVICE.iter().map(|advice| &advice.rule))
        .chain([&advice::RECURRING.rule])
}

/// What the judge of logs looks at: what is stored up to an instant.
#[derive(Debug)]
pub struct LogFacts {
    recent: Vec<spikes::Recent>,
    seen: Vec<patterns::RecentPattern>,
    events: Vec<security::Event>,
    sources: Vec<understood::Source>,
    losses: Vec<lost::Loss>,
}

/// Evaluates the logs of one host.
#[derive(Debug, Default)]
pub struct LogJudge {
    usual: Option<Usual>,
}

impl LogJudge {
    /// Reads what is evaluated, up to `at`.
    ///
    /// # Errors
    /// What the server reported.
    pub async fn fetch(
        &mut self,
        client: &Client,
        host_id: i32,
        at: Timestamp,
    ) -> Result<LogFacts, ReadError> {
        let usual = match self.usual.take() {
            Some(usual) if usual.hour == spikes::hour_of(at) => usual,
            _ => facts::usual(client, host_id, spikes::hour_of(at)).await?,
        };
        self.usual = Some(usual);
        Ok(LogFacts {
            recent: facts::recent(client, host_id, at).await?,
            seen: facts::patterns(client, host_id, at).await?,
            events: facts::events(client, host_id, at).await?,
            sources: facts::sources(client, host_id, at).await?,
            losses: facts::losses(client, host_id, at).await?,
        })
    }
}

impl Judge for LogJudge {
    type Facts<'a> = LogFacts;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        rules()
    }

    fn evaluate(&mut self, facts: LogFacts, _: &Lifecycle, at: Timestamp) -> Evaluation {
        let Some(usual) = &self.usual else {
            return Evaluation::default();
        };
        let mut found = spikes::evaluate(&facts.recent, &usual.expected);
        found.extend(patterns::evaluate(&facts.seen, &usual.known_since, at));
        found.extend(messages::evaluate(&facts.seen));
        found.extend(security::evaluate(&facts.events));
        found.extend(understood::evaluate(&facts.sources));
        found.extend(lost::evaluate(&facts.losses));
        Evaluation {
            rules: rules().collect(),
            found,
            ..Evaluation::default()
        }
    }
}
