//! The lines of one connection, joined by process.
//!
//! sshd writes several lines for one attempt, each in its own form, and not each has the address. A
//! connection is a process, so what its lines say is put together here: the address of one line is
//! that of all, and an attempt is counted by the form that counts most ([`Form`]).
//!
//! Bounded: [`MOST`] processes; one that was silent for ten minutes is forgotten (sshd gives a client
//! two minutes to log in).

use std::collections::HashMap;

use super::seen::{Form, Peer, Seen, What};

/// Most processes kept at a time.
const MOST: usize = 2048;
/// A process that was silent for so long is forgotten, microseconds.
const SILENT: i64 = 600_000_000;
/// So long after a PAM module's failure nobody has got in: it was a failure. Microseconds.
const PATIENCE: i64 = 30_000_000;

/// The other end, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) key: u128,
    pub(super) shown: String,
    pub(super) network: Option<String>,
    named: bool,
}

impl Known {
    pub(super) fn new(peer: &Peer<'_>) -> Self {
        Self {
            key: peer.key(),
            shown: peer.shown(),
            network: peer.network(),
            named: peer.address.is_none(),
        }
    }
}

#[derive(Debug, Default)]
struct Session {
    last: i64,
    peer: Option<Known>,
    user: Option<String>,
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Failures.
    pub(super) failures: u32,
    /// A knock.
    pub(super) probe: bool,
    /// Whose.
    pub(super) peer: Option<Known>,
    /// The account.
    pub(super) user: Option<String>,
}

/// The open connections of a source.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: HashMap<u32, Session>,
}

impl Sessions {
    /// What a line of process `pid` adds, at `ts` microseconds.
    pub(super) fn take(&mut self, pid: Option<u32>, seen: &Seen<'_>, ts: i64) -> Told {
        let Some(pid) = pid else {
            return alone(seen);
        };
        self.make_room(pid, ts);
        let session = self.open.entry(pid).or_default();
        session.meet(seen, ts);
        match seen.what {
            What::Failed(Form::PamModule) if !session.accepted => {
                session.forms[Form::PamModule as usize] += seen.times;
                session.waiting = Some(ts);
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
        let mut told = session.tell();
        session.knocked |= seen.what == What::Probe;
        if session.knocked && session.counted == 0 && !session.accepted && told.peer.is_some() {
            told.probe = !std::mem::replace(&mut session.probed, true);
        }
        told
    }

    /// Failures that a PAM module told of and that nothing followed.
    pub(super) fn sweep(&mut self, now: i64, out: &mut Vec<Told>) {
        for session in self.open.values_mut() {
            if session.waiting.is_some_and(|since| now - since >= PATIENCE) {
                session.waiting = None;
                session.count();
                out.push(session.tell());
            }
        }
        self.open.retain(|_, session| now - session.last < SILENT);
    }

    /// The address that a process is known to talk to.
    pub(super) fn peer(&self, pid: Option<u32>) -> Option<&Known> {
        self.open.get(&pid?)?.peer.as_ref()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    fn make_room(&mut self, pid: u32, ts: i64) {
        if self.open.len() < MOST || self.open.contains_key(&pid) {
            return;
        }
        self.open.retain(|_, session| ts - session.last < PATIENCE);
        if self.open.len() >= MOST {
            self.open.clear();
        }
    }
}

/// A line of no process stands for itself.
fn alone(seen: &Seen<'_>) -> Told {
    let counts = matches!(seen.what, What::Failed(form) if form != Form::None);
    Told {
        failures: if counts { seen.times } else { 0 },
        probe: seen.what == What::Probe,
        peer: seen.peer.as_ref().map(Known::new),
        user: seen.user.filter(|user| !user.is_empty()).map(str::to_owned),
    }
}

impl Session {
    /// Who it is about. Another address is another connection under the same number.
    fn meet(&mut self, seen: &Seen<'_>, ts: i64) {
        let known = self.peer.as_ref().map(|peer| peer.key);
        let meant = seen
            .other
            .filter(|other| Some(other.key()) == known)
            .or(seen.peer);
        if let Some(peer) = meant.as_ref().map(Known::new) {
            match &self.peer {
                Some(old) if old.key == peer.key => {}
                // The name of an address that is known, or the address of a name.
                Some(old) if peer.named && !old.named => {}
                Some(old) if old.named != peer.named => self.peer = Some(peer),
                None => self.peer = Some(peer),
                Some(_) => {
                    *self = Self {
                        peer: Some(peer),
                        ..Self::default()
                    };
                }
            }
        }
        if ts - self.last >= SILENT {
            *self = Self {
                peer: self.peer.take(),
                ..Self::default()
            };
        }
        self.last = ts;
        if let Some(user) = seen.user.filter(|user| !user.is_empty()) {
            self.user = Some(user.to_owned());
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

    fn tell(&mut self) -> Told {
        let failures = match &self.peer {
            Some(_) => std::mem::take(&mut self.nameless),
            None => 0,
        };
        Told {
            failures,
            probe: false,
            peer: self.peer.clone(),
            user: self.user.clone(),
        }
    }
}
