//! From single lines to findings, by windows of time.
//!
//! The clock of a source is the time of its events, so reading an old file finds what happened then.
//! Each source is watched by itself: the same attempt in a file and in the journal is not two.
//!
//! Bounded: addresses, accounts and processes have a most number each; when it is reached, the half
//! that was silent for the longest time is forgotten.

use schema::tables::SecurityEvent;

use super::read;
use super::rules::{self, Rule};
use super::seen::{Peer, Seen, What};
use super::session::{Sessions, Told};
use super::tally::{Finding, Tallies};
use crate::by_source::BySource;
use crate::event::Event;

/// How often the clock of a source has to move for what waits to be looked at, microseconds.
const SWEEP: i64 = 30_000_000;

/// A summary of sudo is about the failures that its PAM module told of within this time.
const SAME_SUDO: i64 = 120_000_000;

/// Turns events into findings. One for all sources.
#[derive(Debug, Default)]
pub struct Watch {
    sources: BySource<Source>,
}

#[derive(Debug, Default)]
struct Source {
    clock: i64,
    swept: i64,
    sessions: Sessions,
    attempts: Attempts,
    /// Dropped packets by address.
    packets: Tallies<u128>,
    /// Failures to become another user, by account.
    sudo: Tallies<String>,
}

/// Failed logins.
#[derive(Debug, Default)]
struct Attempts {
    /// By address.
    logins: Tallies<u128>,
    /// By account, each address once.
    accounts: Tallies<String>,
}

impl Watch {
    /// Looks at an event. `parser` is the name of the parser that made it: a program's name is
    /// believed only where the parser finds it by its place in the line.
    pub fn observe(
        &mut self,
        parser: &str,
        source: &str,
        event: &Event,
        out: &mut Vec<SecurityEvent>,
    ) {
        if let Some(watched) = self.sources.known(source) {
            watched.pass(event.ts.0, source, out);
        }
        if let Some(seen) = read(parser, event) {
            let watched = self.sources.entry(source);
            watched.take(source, event, &seen, out);
        }
    }

    /// What [`observe`](Self::observe) counts of an event as a failed login or a knock: the address
    /// of its line or of its process. `None` when the event is not counted.
    pub fn counted(&mut self, parser: &str, source: &str, event: &Event) -> Option<Option<String>> {
        let seen = read(parser, event)?;
        let source = self.sources.entry(source);
        let told = source.sessions.take(event.pid, &seen, event.ts.0);
        let counts =
            matches!(seen.what, What::Failed(_) | What::Probe) || told.failures > 0 || told.probe;
        let peer = told.peer.map(|peer| peer.shown());
        let known = source.sessions.peer(event.pid).map(|peer| peer.shown());
        counts.then(|| known.or(peer))
    }

    /// How many addresses, accounts and processes are in memory.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> Vec<usize> {
        let sizes = |source: &Source| {
            [
                source.attempts.logins.len(),
                source.attempts.accounts.len(),
                source.sessions.len(),
            ]
        };
        self.sources.values().flat_map(sizes).collect()
    }
}

impl Source {
    /// The clock moves; what waited for that is told.
    fn pass(&mut self, ts: i64, source: &str, out: &mut Vec<SecurityEvent>) {
        self.clock = self.clock.max(ts);
        if self.clock - self.swept < SWEEP {
            return;
        }
        self.swept = self.clock;
        let (clock, attempts) = (self.clock, &mut self.attempts);
        self.sessions
            .sweep(clock, |told| attempts.failed(source, clock, told, out));
        for (rule, tallies) in [
            (&rules::BRUTE_FORCE, &mut self.attempts.logins),
            (&rules::FIREWALL, &mut self.packets),
        ] {
            tallies.sweep(rule, clock, |_, finding| {
                out.push(row(rule, source, finding))
            });
        }
        for (rule, tallies) in [
            (&rules::DISTRIBUTED, &mut self.attempts.accounts),
            (&rules::SUDO, &mut self.sudo),
        ] {
            tallies.sweep(rule, clock, |account, finding| {
                let finding = of_account(account, finding);
                out.push(row(rule, source, finding));
            });
        }
    }

    fn take(&mut self, source: &str, event: &Event, seen: &Seen<'_>, out: &mut Vec<SecurityEvent>) {
        let ts = event.ts.0;
        match seen.what {
            What::Ban { .. } | What::Unban => out.push(ban(source, ts, seen)),
            What::Blocked => self.blocked(source, ts, seen, out),
            What::Denied { forbidden } => self.denied(source, event, seen, forbidden, out),
            What::Accepted { guessable } => {
                let told = self.sessions.take(event.pid, seen, ts);
                self.attempts.accepted(source, ts, told, guessable, out);
            }
            What::Failed(_) | What::Probe | What::Connected | What::Closed => {
                let told = self.sessions.take(event.pid, seen, ts);
                self.attempts.failed(source, ts, told, out);
            }
        }
    }

    fn blocked(&mut self, source: &str, ts: i64, seen: &Seen<'_>, out: &mut Vec<SecurityEvent>) {
        let Some(peer) = seen.peer else { return };
        let rule = &rules::FIREWALL;
        let key = peer.key();
        let mut tally = self.packets.entry(&key, ts);
        tally.about(&peer, seen.detail);
        tally.add(ts, seen.times);
        if let Some(mut finding) = tally.step(rule, ts, seen.times) {
            finding.ports = std::mem::take(&mut finding.users);
            out.push(row(rule, source, finding));
        }
    }

    fn denied(
        &mut self,
        source: &str,
        event: &Event,
        seen: &Seen<'_>,
        forbidden: bool,
        out: &mut Vec<SecurityEvent>,
    ) {
        let Some(user) = seen.user else { return };
        let (rule, ts) = (&rules::SUDO, event.ts.0);
        let module = event.message.starts_with("pam_")
            || event.message.starts_with("authentication failure");
        let mut tally = self.sudo.entry(user, ts);
        let mut times = seen.times;
        if module {
            tally.module = Some(ts);
        } else if tally
            .module
            .take()
            .is_some_and(|told| ts - told < SAME_SUDO)
        {
            times -= 1;
        }
        if times == 0 {
            return;
        }
        tally.program = Some(event.component.as_str().into());
        tally.note(seen.detail);
        tally.add(ts, times);
        let (within, _) = tally.within(ts, rule.window_secs);
        let grave = forbidden || within >= rules::SUDO_WARN;
        let finding = match tally.step(rule, ts, times) {
            Some(finding) => Some(finding),
            None if grave => tally.tell_now(ts),
            None => None,
        };
        if let Some(finding) = finding {
            let mut finding = of_account(user, finding);
            finding.targets = std::mem::take(&mut finding.users);
            finding.forbidden = forbidden;
            let mut row = row(rule, source, finding);
            if grave {
                row.severity = "warn".to_owned();
            }
            out.push(row);
        }
    }
}

impl Attempts {
    fn failed(&mut self, source: &str, ts: i64, told: Told<'_>, out: &mut Vec<SecurityEvent>) {
        let Some(peer) = told.peer else { return };
        let key = peer.key();
        if told.probe && told.failures == 0 {
            // A monitor knocks all day: a knock is only noted of who fails, too.
            if let Some(tally) = self.logins.get(&key) {
                tally.knocks += 1;
            }
            return;
        }
        if told.failures == 0 {
            return;
        }
        let mut tally = self.logins.entry(&key, ts);
        tally.about(&peer, told.user);
        tally.add(ts, told.failures);
        if let Some(finding) = tally.step(&rules::BRUTE_FORCE, ts, told.failures) {
            out.push(row(&rules::BRUTE_FORCE, source, finding));
        } else if let Some(finding) = tally.step_slow(&rules::SLOW, ts, told.failures) {
            out.push(row(&rules::SLOW, source, finding));
        }
        let Some(user) = told.user else { return };
        let mut account = self.accounts.entry(user, ts);
        account.tried_from(&peer);
        account.add_once(ts, told.failures, key);
        if let Some(finding) = account.step_places(&rules::DISTRIBUTED, ts, told.failures) {
            let finding = of_account(user, finding);
            out.push(row(&rules::DISTRIBUTED, source, finding));
        }
    }

    fn accepted(
        &mut self,
        source: &str,
        ts: i64,
        told: Told<'_>,
        guessable: bool,
        out: &mut Vec<SecurityEvent>,
    ) {
        let Some(peer) = told.peer else { return };
        if told.failures > 0 {
            let failed = Told {
                probe: false,
                ..told
            };
            self.failed(source, ts, failed, out);
        }
        let rule = &rules::SUCCESS;
        let Some(tally) = self.logins.get(&peer.key()) else {
            return;
        };
        let (failures, first) = tally.within(ts, rule.window_secs);
        if guessable && failures >= rule.threshold {
            let mut finding = tally.finding(failures, first);
            finding.user = told.user.map(str::to_owned);
            out.push(row(rule, source, finding));
            tally.forget();
        }
    }
}

/// A finding about an account.
fn of_account(account: &str, finding: Finding) -> Finding {
    Finding {
        user: Some(account.to_owned()),
        ..finding
    }
}

fn ban(source: &str, ts: i64, seen: &Seen<'_>) -> SecurityEvent {
    let rule = if seen.what == What::Unban {
        &rules::UNBAN
    } else {
        &rules::BAN
    };
    let finding = Finding {
        count: 1,
        first: ts,
        peer: seen.peer.as_ref().map(Peer::shown),
        jail: seen.detail.map(str::to_owned),
        restored: seen.what == What::Ban { restored: true },
        ..Finding::default()
    };
    row(rule, source, finding)
}

fn row(rule: &Rule, source: &str, finding: Finding) -> SecurityEvent {
    SecurityEvent {
        event_type: rule.event_type.to_owned(),
        severity: rule.severity.to_owned(),
        source: source.to_owned(),
        source_ip: finding.peer.clone(),
        username: finding.user.clone(),
        count: i64::from(finding.count),
        first_ts: schema::Timestamp(finding.first),
        details: Some(schema::Json(finding.details(rule))),
    }
}
