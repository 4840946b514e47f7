//! The lines of one connection, joined by process.
//!
//! sshd writes several lines for one attempt, each in a different form, and not all have the address. A
//! connection is a process, so its lines are combined here: the address of one line applies to
//! all, and an attempt is counted by the form with the highest count ([`Form`]).
//!
//! Bounded: [`MOST`] processes; one that was silent for ten minutes expires (sshd gives a client
//! two minutes to log in).

use std::collections::{BTreeSet, HashMap};

use foldhash::quality::RandomState;

use super::names::Name;
use super::observation::{Form, Observation, OwnedPeer, Peer, What};
use super::sweep::{LastSeen, Sweeps};

/// Maximum number of processes in memory.
const MOST: usize = 2048;
/// A process that was silent for this long expires, microseconds.
const SILENT: i64 = 600_000_000;
/// Without a login for this long after a PAM module's failure it counts as failed. Microseconds.
const PATIENCE: i64 = 30_000_000;

#[derive(Debug, Default)]
struct Session {
    peer: Option<OwnedPeer>,
    /// The account; empty while none is known.
    user: Name,
    /// Failures reported by each form.
    forms: [u32; Form::COUNT],
    /// Failures counted so far: the maximum of the forms.
    counted: u32,
    /// When a PAM module reported a failure that is not counted yet.
    waiting: Option<i64>,
    /// Failures without a known address.
    nameless: u32,
    /// Whether the connection was a probe, and whether it was reported.
    has_probe: bool,
    is_probe_reported: bool,
    accepted: bool,
}

/// What a line adds to the activity of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Activity<'a> {
    /// Failures.
    pub(super) failures: u32,
    /// Whether it was a probe: a connection without a login attempt.
    pub(super) probe: bool,
    /// The remote end.
    pub(super) peer: Option<Peer<'a>>,
    /// The account.
    pub(super) user: Option<&'a str>,
}

/// The open connections of a source.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// Slot of each process. Expired ones are removed from time to time.
    places: HashMap<u32, u32, RandomState>,
    /// When each was seen last; a separate vector, because it is scanned for expired ones.
    last_seen: Vec<LastSeen>,
    open: Vec<Session>,
    free: Vec<u32>,
    /// Processes with a failure of a PAM module that is not counted yet, perhaps more.
    waiting: BTreeSet<u32>,
    sweeps: Sweeps,
    /// When expired ones were last removed.
    cleared: i64,
}

impl Sessions {
    /// Returns what a line of process `pid` adds, at `ts` microseconds.
    pub(super) fn take<'a>(
        &'a mut self,
        pid: Option<u32>,
        seen: &Observation<'a>,
        ts: i64,
    ) -> Activity<'a> {
        let Some(pid) = pid else {
            return single(seen);
        };
        let place = match self.place(pid) {
            Some(place) => place,
            None => {
                self.make_room(ts);
                self.add(pid)
            }
        };
        let (session, last_seen) = (&mut self.open[place], &mut self.last_seen[place]);
        session.update(seen, ts - last_seen.ts);
        *last_seen = self.sweeps.mark(ts);
        match seen.what {
            What::Failed(Form::PamModule) if !session.accepted => {
                session.forms[Form::PamModule as usize] += seen.times;
                session.waiting = Some(ts);
                self.waiting.insert(pid);
            }
            What::Failed(form) => session.forms[form as usize] += seen.times,
            What::Accepted { .. } => {
                session.accepted = true;
                session.waiting = None;
                session.forms[Form::PamModule as usize] = 0;
            }
            What::Closed => session.waiting = None,
            _ => {}
        }
        if matches!(seen.what, What::Probe | What::Failed(Form::Ended)) {
            session.waiting = None;
        }
        session.count();
        session.has_probe |= seen.what == What::Probe;
        let is_probe = session.has_probe
            && session.counted == 0
            && !session.accepted
            && session.peer.is_some()
            && !std::mem::replace(&mut session.is_probe_reported, true);
        Activity {
            probe: is_probe,
            ..session.take_activity()
        }
    }

    /// Reports failures of PAM modules that were not followed by a login, each with its time.
    pub(super) fn sweep(&mut self, now: i64, mut report: impl FnMut(i64, Activity<'_>)) {
        self.sweeps.advance(now);
        let (places, open) = (&self.places, &mut self.open);
        self.waiting.retain(|pid| {
            let place = places.get(pid);
            let session = place.and_then(|place| open.get_mut(*place as usize));
            let Some((session, since)) = session.and_then(|one| one.waiting.map(|ts| (one, ts)))
            else {
                return false;
            };
            if now - since >= PATIENCE {
                session.waiting = None;
                session.count();
                report(since, session.take_activity());
            }
            session.waiting.is_some()
        });
        if now - self.cleared >= SILENT {
            self.cleared = now;
            self.clear();
        }
    }

    /// Returns the remote end of a process, if it is known.
    pub(super) fn peer(&self, pid: Option<u32>) -> Option<Peer<'_>> {
        let place = self.place(pid?)?;
        self.open[place].peer.as_ref().map(OwnedPeer::peer)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns the slot of a process, unless it has expired.
    fn place(&self, pid: u32) -> Option<usize> {
        let place = *self.places.get(&pid)? as usize;
        (!self.last_seen[place].is_expired(self.sweeps, SILENT)).then_some(place)
    }

    /// Begins the session of a process. Returns its slot.
    fn add(&mut self, pid: u32) -> usize {
        let Self {
            places,
            last_seen,
            open,
            free,
            ..
        } = self;
        let place = *places.entry(pid).or_insert_with(|| {
            free.pop().unwrap_or_else(|| {
                last_seen.push(LastSeen::default());
                open.push(Session::default());
                (open.len() - 1) as u32
            })
        }) as usize;
        (last_seen[place], open[place]) = (LastSeen::default(), Session::default());
        place
    }

    fn clear(&mut self) {
        let sweeps = self.sweeps;
        self.forget(|last_seen| last_seen.is_expired(sweeps, SILENT));
    }

    fn forget(&mut self, goes: impl Fn(&LastSeen) -> bool) {
        let (last_seen, free) = (&self.last_seen, &mut self.free);
        self.places.retain(|_, place| {
            let stays = !goes(&last_seen[*place as usize]);
            if !stays {
                free.push(*place);
            }
            stays
        });
    }

    fn make_room(&mut self, ts: i64) {
        if self.places.len() < MOST {
            return;
        }
        self.clear();
        if self.places.len() >= MOST {
            self.forget(|last_seen| ts - last_seen.ts >= PATIENCE);
        }
        if self.places.len() >= MOST {
            self.forget(|_| true);
        }
        let places = &self.places;
        self.waiting.retain(|pid| places.contains_key(pid));
    }
}

/// Returns the activity of a line without a process.
fn single<'a>(seen: &Observation<'a>) -> Activity<'a> {
    let counts = matches!(seen.what, What::Failed(form) if form != Form::None);
    Activity {
        failures: if counts { seen.times } else { 0 },
        probe: matches!(seen.what, What::Probe | What::Dropped),
        peer: seen.peer,
        user: seen.user.filter(|user| !user.is_empty()),
    }
}

impl Session {
    /// Updates remote end and account, `silent` microseconds after the line before. Another address is another
    /// connection with the same process number.
    fn update(&mut self, seen: &Observation<'_>, silent: i64) {
        let known = self.peer.as_ref().map(OwnedPeer::peer);
        let key = known.map(|peer| peer.key());
        let meant = seen
            .other
            .filter(|other| Some(other.key()) == key)
            .or(seen.peer);
        if let Some(peer) = meant {
            let (named, was_named) = (
                peer.address.is_none(),
                known.is_some_and(|known| known.address.is_none()),
            );
            match key {
                Some(key) if key == peer.key() => {}
                // The name of an address that is known, or the address of a name.
                Some(_) if named && !was_named => {}
                Some(_) if named == was_named => {
                    *self = Self {
                        peer: Some(OwnedPeer::new(&peer)),
                        ..Self::default()
                    };
                }
                _ => self.peer = Some(OwnedPeer::new(&peer)),
            }
        }
        if silent >= SILENT {
            *self = Self {
                peer: self.peer.take(),
                ..Self::default()
            };
        }
        if let Some(user) = seen.user.filter(|user| !user.is_empty()) {
            self.user.set(user);
        }
    }

    /// Raises the count to that of the form with the highest count.
    fn count(&mut self) {
        let module = self.waiting.is_none() && !self.accepted;
        let most = self
            .forms
            .iter()
            .enumerate()
            .filter(|(form, _)| module || *form != Form::PamModule as usize)
            .map(|(_, times)| *times)
            .max();
        let before = self.counted;
        self.counted = before.max(most.unwrap_or(0));
        self.nameless += self.counted - before;
    }

    fn take_activity(&mut self) -> Activity<'_> {
        let failures = match &self.peer {
            Some(_) => std::mem::take(&mut self.nameless),
            None => 0,
        };
        Activity {
            failures,
            probe: false,
            peer: self.peer.as_ref().map(OwnedPeer::peer),
            user: Some(self.user.as_str()).filter(|user| !user.is_empty()),
        }
    }
}
