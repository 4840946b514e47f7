//! What the host does at an instant.

use super::event::{Cause, Event};
use super::plan::Plan;
use super::random::{Wander, gauss};
use super::{SECOND, Timestamp};
use crate::Dice;
use schema::SLOW_SECS;

/// Seconds between two slow ticks.
const SLOW: i64 = SLOW_SECS as i64;
const DAY: i64 = 86_400;

/// How long something has been running, and which run it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Age {
    /// Which run it is.
    pub(super) run: u32,
    /// Seconds since it was started.
    pub(super) secs: f64,
    is_new: bool,
}

impl Age {
    fn begin(run: u32, secs: f64) -> Self {
        Self {
            run,
            secs,
            is_new: true,
        }
    }

    /// Returns whether this is the first tick of the run.
    pub(super) const fn is_new(&self) -> bool {
        self.is_new
    }

    fn pass(&mut self, secs: f64) {
        self.secs += secs;
        self.is_new = false;
    }

    fn restart(&mut self) {
        *self = Self::begin(self.run + 1, 0.0);
    }
}

/// What the host does at a tick.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) ts: Timestamp,
    /// Seconds since the tick before; counters grow by as much.
    pub(super) secs: f64,
    pub(super) is_slow: bool,
    /// The load that users make: 1 at a usual workday's peak.
    pub(super) traffic: f64,
    /// Percent of all cores.
    pub(super) cpu_busy: f64,
    pub(super) iowait: f64,
    /// Percent of memory that is not available.
    pub(super) mem_used: f64,
    /// Percent of the data disk that is in use.
    pub(super) disk_used: f64,
    /// Percent of time in which the disk is busy.
    pub(super) disk_busy: f64,
    /// Milliseconds that the disk takes for a request.
    pub(super) disk_ms: f64,
    pub(super) clock_synced: bool,
    pub(super) oom_kills: u32,
    pub(super) zombie: bool,
    pub(super) api_up: bool,
    /// Share of the API's answers that are errors.
    pub(super) error_share: f64,
    /// Of the API.
    pub(super) p95_ms: f64,
    pub(super) server_up: bool,
    /// Share of blocks that are found in the cache.
    pub(super) cache_hit: f64,
    /// Seconds for which others have been waiting for a lock; 0 when nobody waits.
    pub(super) lock_secs: f64,
    /// Seconds for which a session has been idle in its transaction; 0 without one.
    pub(super) idle_secs: f64,
    pub(super) log_denied: bool,
    /// Of the API and the proxy.
    pub(super) peers: Age,
    pub(super) host: Age,
    pub(super) server: Age,
    pub(super) collector: Age,
}

/// The states of a plan, tick by tick.
#[derive(Debug)]
pub(super) struct States {
    begin: Timestamp,
    interval: i64,
    ticks: i64,
    next: i64,
    /// Of the tick before, seconds after the beginning.
    before: Option<i64>,
    events: Vec<Event>,
    dice: Dice,
    wander: [Wander; 4],
    peers: Age,
    host: Age,
    server: Age,
    collector: Age,
}

impl States {
    pub(super) fn new(plan: &Plan, dice: Dice) -> Self {
        let interval = i64::from(plan.interval_secs.max(1));
        Self {
            begin: plan.begin,
            interval,
            ticks: i64::from(plan.days) * DAY / interval,
            next: 0,
            before: None,
            events: plan.events.clone(),
            dice,
            wander: Default::default(),
            // Everything but the collector has been running for long.
            peers: Age::begin(0, 90_000.0),
            host: Age::begin(0, 2_000_000.0),
            server: Age::begin(0, 1_000_000.0),
            collector: Age::begin(0, 0.0),
        }
    }

    /// Returns the event of a cause that goes on.
    fn now(&self, cause: Cause, secs: i64) -> Option<Event> {
        let mut events = self.events.iter();
        events
            .find(|event| event.cause == cause && event.is_at(secs))
            .copied()
    }

    /// Returns the seconds for which an event of a cause has gone on; 0 without one.
    fn since(&self, cause: Cause, secs: i64) -> f64 {
        self.now(cause, secs)
            .map_or(0.0, |event| as_secs(secs - event.from))
    }

    /// Returns the part of an event that has passed, from 0 to 1; 0 without one.
    fn progress(&self, cause: Cause, secs: i64) -> f64 {
        self.now(cause, secs).map_or(0.0, |event| {
            as_secs(secs - event.from) / as_secs(event.lasts)
        })
    }

    /// Returns whether an event of a cause ended, or began, since the tick before.
    fn has(&self, cause: Cause, edge: fn(&Event) -> i64, secs: i64) -> bool {
        let before = self.before.unwrap_or(-1);
        let mut events = self.events.iter();
        events.any(|event| event.cause == cause && before < edge(event) && edge(event) <= secs)
    }

    /// Lets time pass and starts anew what was restarted.
    fn pass(&mut self, secs: i64) -> f64 {
        let Some(before) = self.before else {
            return as_secs(self.interval);
        };
        let passed = as_secs(secs - before);
        for age in [
            &mut self.peers,
            &mut self.host,
            &mut self.server,
            &mut self.collector,
        ] {
            age.pass(passed);
        }
        let until = |event: &Event| event.until();
        let has_booted = self.has(Cause::Reboot, until, secs);
        if has_booted {
            self.host.restart();
        }
        if has_booted || self.has(Cause::CollectorAway, until, secs) {
            self.collector.restart();
        }
        let is_up = [Cause::ServerRestart, Cause::ServerDown]
            .into_iter()
            .any(|cause| self.has(cause, until, secs));
        if has_booted || is_up {
            self.server.restart();
        }
        let is_deployed = self.has(Cause::Deploy, |event| event.from, secs);
        if has_booted || is_deployed || self.has(Cause::ApiDown, until, secs) {
            self.peers.restart();
        }
        passed
    }

    fn state(&mut self, secs: i64) -> State {
        let passed = self.pass(secs);
        let traffic = season(secs);
        let [on_traffic, on_cpu, on_memory, on_disk] = {
            let Self { wander, dice, .. } = self;
            wander.each_mut().map(|wander| wander.next(dice))
        };
        let traffic = (traffic * (1.0 + 0.08 * on_traffic)).max(0.02);
        let is = |cause| self.now(cause, secs).is_some();
        let part = |cause, value| if is(cause) { value } else { 0.0 };
        let slow = if is(Cause::SlowDisk) { 1.0 } else { 0.0 };

        let busy = 8.0 + 32.0 * traffic + 2.0 * on_cpu + part(Cause::Backup, 15.0);
        let iowait = 1.0 + 2.0 * traffic + part(Cause::Backup, 8.0) + 50.0 * slow;
        let busy = busy + part(Cause::CpuBusy, 60.0) + part(Cause::Spike, 65.0);
        let week = as_secs(secs % (7 * DAY)) / as_secs(7 * DAY);
        let warm_up = (-self.server.secs / 40.0).exp();
        let p95 = 80.0 + 60.0 * traffic + part(Cause::Deploy, 35.0) + part(Cause::Spike, 1500.0);
        let factor = if is(Cause::ApiSlow) {
            10.0
        } else {
            1.0 + 4.0 * slow
        };
        let lock_secs = self.since(Cause::Lock, secs) + part(Cause::Spike, 2.0);
        let mut state = State {
            ts: Timestamp(self.begin.as_micros() + secs * SECOND),
            secs: passed,
            is_slow: secs / SLOW > (secs - self.interval).div_euclid(SLOW),
            traffic,
            cpu_busy: busy.clamp(1.0, 99.5 - iowait.min(60.0)),
            iowait: iowait.min(60.0),
            mem_used: 48.0
                + 6.0 * traffic
                + 0.5 * on_memory
                + part(Cause::Deploy, 3.0)
                + 42.0 * self.progress(Cause::Leak, secs),
            // It grows for a week and is tidied up on Sunday night.
            disk_used: 52.0 + 8.0 * week + 36.0 * self.progress(Cause::DiskFills, secs),
            disk_busy: 5.0
                + 15.0 * traffic
                + 2.0 * on_disk.abs()
                + part(Cause::Backup, 40.0)
                + 90.0 * slow,
            disk_ms: 0.4 + 0.6 * traffic + part(Cause::Backup, 2.0) + 90.0 * slow,
            clock_synced: !is(Cause::ClockLost),
            oom_kills: u32::from(self.has(Cause::OomKill, |event| event.from, secs)),
            zombie: is(Cause::Zombie) || is(Cause::Spike),
            api_up: !is(Cause::ApiDown),
            error_share: 0.0005 + part(Cause::ApiErrors, 0.1),
            p95_ms: p95 * factor,
            server_up: !(is(Cause::ServerDown) || is(Cause::ServerRestart)),
            cache_hit: 0.996 - 0.25 * warm_up - part(Cause::Backup, 0.01),
            lock_secs,
            idle_secs: self.since(Cause::IdleTransaction, secs) + self.since(Cause::Lock, secs),
            log_denied: is(Cause::LogDenied),
            peers: self.peers,
            host: self.host,
            server: self.server,
            collector: self.collector,
        };
        state.disk_busy = state.disk_busy.clamp(0.0, 99.9);
        state.p95_ms *= 1.0 + 0.1 * gauss(&mut self.dice).abs();
        self.before = Some(secs);
        state
    }
}

impl Iterator for States {
    type Item = State;

    fn next(&mut self) -> Option<State> {
        loop {
            if self.next >= self.ticks {
                return None;
            }
            let secs = self.next * self.interval;
            self.next += 1;
            let is_away = |event: &Event| event.cause.is_gap() && event.is_at(secs);
            if !self.events.iter().any(is_away) {
                return Some(self.state(secs));
            }
        }
    }
}

/// Returns the load of users at an instant of a week that begins on Monday: low at night, high in the afternoon, half as
/// much at weekends.
fn season(secs: i64) -> f64 {
    let hour = as_secs(secs % DAY) / 3600.0;
    let weekend = if secs / DAY % 7 >= 5 { 0.5 } else { 1.0 };
    // Least at 3 o'clock, most at 15.
    let day = 0.5 - 0.5 * ((hour - 3.0) / 24.0 * std::f64::consts::TAU).cos();
    weekend * (0.15 + 0.85 * day)
}

#[expect(clippy::cast_precision_loss, reason = "a month has few seconds")]
fn as_secs(secs: i64) -> f64 {
    secs as f64
}
