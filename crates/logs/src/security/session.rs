//! The lines of one connection, joined by process.
//!
//! sshd writes several lines for one attempt, each in its own form, and not each has the address. A
//! connection is a process, so what its lines say is put together here: the address of one line is
//! that of all, and an attempt is counted by the form that counts most ([`Form`]).
//!
//! Bounded: [`MOST`] processes; one that was silent for ten minutes is forgotten (sshd gives a client
//! two minutes to log in).

use std::collections::{BTreeSet, HashMap};

use foldhash::quality::RandomState;

use super::seen::{Form, Known, Peer, Seen, What};
use super::sweep::{Heard, Sweeps};

/// Most processes kept at a time.
const MOST: usize = 2048;
/// A process that was silent for so long is forgotten, microseconds.
const SILENT: i64 = 600_000_000;
/// So long after a PAM module's failure nobody has got in: it was a failure. Microseconds.
const PATIENCE: i64 = 30_000_000;

#[derive(Debug, Default)]
struct Session {
    last: Heard,
    peer: Option<Known>,
    /// The account; empty while none is known.
    user: String,
    /// Failures told by each form.
    forms: [u32; Form::COUNT],
    /// Failures counted so far: the most of the forms.
    counted: u32,
    /// When a PAM module told of a failure that is not counted yet.
    waiting: Option<i64>,
    /// Failures that nobody's address is known for yet.
    nameless: u32,
    /// There was a knock, and it was told.
    knocked: bool,
    probed: bool,
    accepted: bool,
}

/// What a line adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told<'a> {
    /// Failures.
    pub(super) failures: u32,
    /// A knock.
    pub(super) probe: bool,
    /// Whose.
    pub(super) peer: Option<Peer<'a>>,
    /// The account.
    pub(super) user: Option<&'a str>,
}

/// The open connections of a source.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// By process. Those that are over go when there is time.
    open: HashMap<u32, Session, RandomState>,
    /// Processes with a failure of a PAM module that is not counted yet, perhaps more.
    waiting: BTreeSet<u32>,
    sweeps: Sweeps,
    /// When the memory of those that are over was last given back.
    cleared: i64,
}

impl Sessions {
    /// What a line of process `pid` adds, at `ts` microseconds.
    pub(super) fn take<'a>(&'a mut self, pid: Option<u32>, seen: &Seen<'a>, ts: i64) -> Told<'a> {
        let Some(pid) = pid else {
            return alone(seen);
        };
        let is_known = self.session(pid).is_some();
        if !is_known {
            self.make_room(ts);
        }
        let session = self.open.entry(pid).or_default();
        if !is_known {
            *session = Session::default();
        }
        session.meet(seen, self.sweeps.hear(ts));
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
        session.knocked |= seen.what == What::Probe;
        let is_knock = session.knocked
            && session.counted == 0
            && !session.accepted
            && session.peer.is_some()
            && !std::mem::replace(&mut session.probed, true);
        Told {
            probe: is_knock,
            ..session.tell()
        }
    }

    /// Failures that a PAM module told of and that nothing followed, each with its time.
    pub(super) fn sweep(&mut self, now: i64, mut tell: impl FnMut(i64, Told<'_>)) {
        self.sweeps.pass(now);
        let open = &mut self.open;
        self.waiting.retain(|pid| {
            let session = open.get_mut(pid);
            let Some((session, since)) = session.and_then(|one| one.waiting.map(|ts| (one, ts)))
            else {
                return false;
            };
            if now - since >= PATIENCE {
                session.waiting = None;
                session.count();
                tell(since, session.tell());
            }
            session.waiting.is_some()
        });
        if now - self.cleared >= SILENT {
            self.cleared = now;
            self.clear();
        }
    }

    /// The address that a process is known to talk to.
    pub(super) fn peer(&self, pid: Option<u32>) -> Option<Peer<'_>> {
        self.session(pid?)?.peer.as_ref().map(Known::peer)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// The session of a process, unless it is over.
    fn session(&self, pid: u32) -> Option<&Session> {
        let session = self.open.get(&pid);
        session.filter(|session| !session.last.is_over(self.sweeps, SILENT))
    }

    fn clear(&mut self) {
        let sweeps = self.sweeps;
        self.open
            .retain(|_, session| !session.last.is_over(sweeps, SILENT));
    }

    fn make_room(&mut self, ts: i64) {
        if self.open.len() < MOST {
            return;
        }
        self.clear();
        if self.open.len() >= MOST {
            self.open
                .retain(|_, session| ts - session.last.ts < PATIENCE);
        }
        if self.open.len() >= MOST {
            self.open.clear();
        }
        let open = &self.open;
        self.waiting.retain(|pid| open.contains_key(pid));
    }
}

/// A line of no process stands for itself.
fn alone<'a>(seen: &Seen<'a>) -> Told<'a> {
    let counts = matches!(seen.what, What::Failed(form) if form != Form::None);
    Told {
        failures: if counts { seen.times } else { 0 },
        probe: matches!(seen.what, What::Probe | What::Dropped),
        peer: seen.peer,
        user: seen.user.filter(|user| !user.is_empty()),
    }
}

impl Session {
    /// Who it is about. Another address is another connection under the same number.
    fn meet(&mut self, seen: &Seen<'_>, heard: Heard) {
        let known = self.peer.as_ref().map(Known::peer);
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
                        peer: Some(Known::new(&peer)),
                        ..Self::default()
                    };
                }
                _ => self.peer = Some(Known::new(&peer)),
            }
        }
        if heard.ts - self.last.ts >= SILENT {
            *self = Self {
                peer: self.peer.take(),
                ..Self::default()
            };
        }
        self.last = heard;
        if let Some(user) = seen.user.filter(|user| !user.is_empty()) {
            user.clone_into(&mut self.user);
        }
    }

    /// Brings the count to that of the form that tells most.
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

    fn tell(&mut self) -> Told<'_> {
        let failures = match &self.peer {
            Some(_) => std::mem::take(&mut self.nameless),
            None => 0,
        };
        Told {
            failures,
            probe: false,
            peer: self.peer.as_ref().map(Known::peer),
            user: Some(self.user.as_str()).filter(|user| !user.is_empty()),
        }
    }
}
