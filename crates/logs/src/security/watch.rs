//! Derives findings from lines by windows of time.
//!
//! The clock of a source is the time of its events, so reading an old file finds what happened then.
//! Without events it advances with the wall clock ([`Watch::elapse`]), so that a pending finding
//! is reported without another line.
//! Each source is watched separately: the same attempt in a file and in the journal is not counted twice.
//!
//! Bounded: the number of addresses, accounts and processes is limited; at the limit, the half
//! that was silent for the longest time is dropped.

use schema::tables::SecurityEvent;
use schema::{Severity, Timestamp};

use super::doubts::{Doubt, Doubts};
use super::observation::{Form, Observation, Peer, What};
use super::read;
use super::rules::{self, Rule};
use super::session::{Activity, Sessions};
use super::tally::{Count, Finding, Tallies};
use crate::by_source::BySource;
use crate::event::Event;

/// How far the clock of a source advances between two sweeps, microseconds.
const SWEEP: i64 = 5_000_000;

/// Rows of findings, each with the time of the last line that it counts.
type Rows = Vec<(Timestamp, SecurityEvent)>;

/// Derives findings from the events of all sources.
#[derive(Debug, Default)]
pub struct Watch {
    sources: BySource<Source>,
}

#[derive(Debug, Default)]
struct Source {
    /// Time of the latest event.
    clock: i64,
    /// Wall-clock time at which an event was last read.
    last_seen: i64,
    swept: i64,
    sessions: Sessions,
    attempts: Attempts,
    /// Dropped packets by address.
    packets: Tallies<u128>,
    /// Failures to become another user, by account.
    sudo: Tallies<String>,
    /// Failures that are not confirmed yet.
    doubts: Doubts,
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
    /// Evaluates an event. `parser` is the name of the parser that produced it: a program's name is
    /// trusted only where the parser finds it by its position in the line. `now` is the wall-clock time.
    pub fn observe(
        &mut self,
        parser: &str,
        source: &str,
        event: &Event,
        now: Timestamp,
        out: &mut Rows,
    ) {
        if let Some(watched) = self.sources.known(source) {
            watched.last_seen = now.0;
            watched.clock = watched.clock.max(event.ts.0);
            watched.advance(watched.clock, source, out);
        }
        if let Some(seen) = read(parser, event) {
            let watched = self.sources.entry(source);
            watched.last_seen = now.0;
            watched.clock = watched.clock.max(event.ts.0);
            watched.take(source, event, &seen, out);
        }
    }

    /// Reports findings that only wait for time to pass. To be called when every source was read to its end:
    /// nothing has happened since its last event.
    pub fn elapse(&mut self, now: Timestamp, out: &mut Rows) {
        for (source, watched) in self.sources.iter_mut() {
            let silence = (now.0 - watched.last_seen).max(0);
            watched.advance(watched.clock.saturating_add(silence), source, out);
        }
    }

    /// Returns what [`observe`](Self::observe) makes of a single event: an attempt or a probe, and the address of its
    /// line or of its process. `None` when the event is neither.
    pub fn counted(&mut self, parser: &str, source: &str, event: &Event) -> Option<Counted> {
        let seen = read(parser, event)?;
        let source = self.sources.entry(source);
        // The listening daemon reports about another process.
        let pid = event.pid.filter(|_| seen.what != What::Dropped);
        let activity = source.sessions.take(pid, &seen, event.ts.0);
        let kind = match seen.what {
            What::Failed(Form::PamModule) => "module",
            What::Failed(_) => "attempt",
            What::Probe | What::Dropped => "probe",
            What::Accepted { .. } => "accepted",
            What::Connected | What::Closed if activity.failures > 0 => "attempt",
            What::Connected | What::Closed if activity.probe => "probe",
            _ => return None,
        };
        let peer = activity.peer.map(|peer| peer.shown());
        let known = source.sessions.peer(pid).map(|peer| peer.shown());
        Some(Counted {
            kind,
            address: known.or(peer),
        })
    }

    /// Returns how many addresses, accounts and processes are in memory.
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

/// How a single line is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// `attempt`, `probe`; `module` for the line of a PAM module, which is an attempt unless the same
    /// process has `accepted`.
    pub kind: &'static str,
    /// Its remote end, if it is known.
    pub address: Option<String>,
}

impl Source {
    /// Advances the clock and reports the findings that are due.
    fn advance(&mut self, clock: i64, source: &str, out: &mut Rows) {
        if clock - self.swept < SWEEP {
            return;
        }
        self.swept = clock;
        let attempts = &mut self.attempts;
        self.sessions.sweep(clock, |ts, activity| {
            attempts.failed(source, ts, activity, out)
        });
        for (rule, slow, tallies) in [
            (
                &rules::BRUTE_FORCE,
                Some(&rules::SLOW),
                &mut self.attempts.logins,
            ),
            (&rules::FIREWALL, None, &mut self.packets),
        ] {
            tallies.sweep(rule, slow, clock, |rule, _, finding| {
                let is_packet = rule.event_type == rules::FIREWALL.event_type;
                let finding = if is_packet {
                    of_ports(finding)
                } else {
                    finding
                };
                out.push(row(rule, source, finding));
            });
        }
        for (rule, tallies) in [
            (&rules::DISTRIBUTED, &mut self.attempts.accounts),
            (&rules::SUDO, &mut self.sudo),
        ] {
            tallies.sweep(rule, None, clock, |rule, account, finding| {
                let mut finding = of_account(account, finding);
                finding.targets = std::mem::take(&mut finding.users);
                out.push(row(rule, source, finding));
            });
        }
        for doubt in self.doubts.take_old(clock) {
            self.denied(source, &doubt, false, out);
        }
    }

    fn take(&mut self, source: &str, event: &Event, seen: &Observation<'_>, out: &mut Rows) {
        let ts = event.ts.0;
        match seen.what {
            What::Ban { .. } | What::Unban => out.push(ban(source, ts, seen)),
            What::Blocked => self.blocked(source, ts, seen, out),
            What::Doubted => {
                if let Some(doubt) = doubt(event, seen)
                    && let Some(oldest) = self.doubts.add(doubt)
                {
                    self.denied(source, &oldest, false, out);
                }
            }
            What::Became => self.doubts.settle(seen.user.unwrap_or_default()),
            What::Denied { forbidden } => {
                if let Some(doubt) = doubt(event, seen) {
                    self.doubts.settle(&doubt.user);
                    self.denied(source, &doubt, forbidden, out);
                }
            }
            What::Dropped => {
                let activity = Activity {
                    probe: true,
                    peer: seen.peer,
                    ..Activity::default()
                };
                self.attempts.failed(source, ts, activity, out);
            }
            What::Accepted { guessable } => {
                let activity = self.sessions.take(event.pid, seen, ts);
                self.attempts.accepted(source, ts, activity, guessable, out);
            }
            What::Failed(_) | What::Probe | What::Connected | What::Closed => {
                let activity = self.sessions.take(event.pid, seen, ts);
                self.attempts.failed(source, ts, activity, out);
            }
        }
    }

    fn blocked(&mut self, source: &str, ts: i64, seen: &Observation<'_>, out: &mut Rows) {
        let Some(peer) = seen.peer else { return };
        let rule = &rules::FIREWALL;
        let key = peer.key();
        let mut tally = self.packets.entry(&key, ts);
        tally.about(&peer, seen.detail);
        tally.add(ts, seen.times);
        if let Some(finding) = tally.step(rule, ts, seen.times) {
            out.push(row(rule, source, of_ports(finding)));
        }
    }

    fn denied(&mut self, source: &str, denied: &Doubt, forbidden: bool, out: &mut Rows) {
        let (rule, ts) = (&rules::SUDO, denied.ts);
        let mut tally = self.sudo.entry(denied.user.as_str(), ts);
        tally.program = Some(denied.program.as_str().into());
        tally.note(denied.target.as_deref());
        tally.add(ts, denied.times);
        let within = tally.within(ts, rule.window_secs);
        let severe = forbidden || within.times >= rules::SUDO_WARN;
        let finding = match tally.step(rule, ts, denied.times) {
            Some(finding) => Some(finding),
            None if severe => tally.report_now(ts),
            None => None,
        };
        if let Some(finding) = finding {
            let mut finding = of_account(&denied.user, finding);
            finding.targets = std::mem::take(&mut finding.users);
            finding.forbidden = forbidden;
            let mut row = row(rule, source, finding);
            if severe {
                row.1.severity = Severity::Warn;
            }
            out.push(row);
        }
    }
}

impl Attempts {
    fn failed(&mut self, source: &str, ts: i64, activity: Activity<'_>, out: &mut Rows) {
        let Some(peer) = activity.peer else { return };
        let key = peer.key();
        if activity.probe && activity.failures == 0 {
            // Monitoring probes all day: a probe is only counted for an address that also fails.
            if let Some(tally) = self.logins.get(&key) {
                tally.probes += 1;
            }
            return;
        }
        if activity.failures == 0 {
            return;
        }
        let mut tally = self.logins.entry(&key, ts);
        tally.about(&peer, activity.user);
        tally.add(ts, activity.failures);
        if let Some(finding) = tally.step(&rules::BRUTE_FORCE, ts, activity.failures) {
            out.push(row(&rules::BRUTE_FORCE, source, finding));
        } else if let Some(finding) = tally.step_slow(&rules::SLOW, ts, activity.failures) {
            out.push(row(&rules::SLOW, source, finding));
        }
        let Some(user) = activity.user else { return };
        let mut account = self.accounts.entry(user, ts);
        account.tried_from(&peer);
        account.add_once(ts, activity.failures, key);
        if let Some(finding) = account.step_places(&rules::DISTRIBUTED, ts, activity.failures) {
            let finding = of_account(user, finding);
            out.push(row(&rules::DISTRIBUTED, source, finding));
        }
    }

    fn accepted(
        &mut self,
        source: &str,
        ts: i64,
        activity: Activity<'_>,
        guessable: bool,
        out: &mut Rows,
    ) {
        let Some(peer) = activity.peer else { return };
        if activity.failures > 0 {
            let failed = Activity {
                probe: false,
                ..activity
            };
            self.failed(source, ts, failed, out);
        }
        let rule = &rules::SUCCESS;
        let Some(tally) = self.logins.get(&peer.key()) else {
            return;
        };
        let within = tally.within(ts, rule.window_secs);
        if guessable && within.times >= rule.threshold {
            let mut finding = tally.finding(Count { last: ts, ..within });
            finding.user = activity.user.map(str::to_owned);
            out.push(row(rule, source, finding));
            tally.forget();
        }
    }
}

/// Returns a finding about an account.
fn of_account(account: &str, finding: Finding) -> Finding {
    Finding {
        user: Some(account.to_owned()),
        ..finding
    }
}

/// Returns a finding about packets, whose ports were noted.
fn of_ports(mut finding: Finding) -> Finding {
    finding.ports = std::mem::take(&mut finding.users);
    finding
}

/// Returns a failure to become another user; `None` without the name of the account.
fn doubt(event: &Event, seen: &Observation<'_>) -> Option<Doubt> {
    Some(Doubt {
        user: seen.user?.to_owned(),
        ts: event.ts.0,
        times: seen.times,
        target: seen.detail.map(str::to_owned),
        program: event.component.clone(),
    })
}

fn ban(source: &str, ts: i64, seen: &Observation<'_>) -> (Timestamp, SecurityEvent) {
    let rule = if seen.what == What::Unban {
        &rules::UNBAN
    } else {
        &rules::BAN
    };
    let finding = Finding {
        count: 1,
        first: ts,
        last: ts,
        peer: seen.peer.as_ref().map(Peer::shown),
        jail: seen.detail.map(str::to_owned),
        restored: seen.what == What::Ban { restored: true },
        ..Finding::default()
    };
    row(rule, source, finding)
}

fn row(rule: &Rule, source: &str, finding: Finding) -> (Timestamp, SecurityEvent) {
    let event = SecurityEvent {
        event_type: rule.event_type.to_owned(),
        severity: rule.severity,
        source: source.to_owned(),
        source_ip: finding.peer.clone(),
        username: finding.user.clone(),
        count: i64::from(finding.count),
        first_ts: Timestamp(finding.first),
        details: Some(schema::Json(finding.details(rule))),
    };
    (Timestamp(finding.last), event)
}
