//! Failures that may not be any, by account, until that is known.
//!
//! A PAM module's failure counts when nothing that the program says settles it within [`PATIENCE`]: its
//! own summary counts instead, and a success takes it back. Bounded: [`MOST`] accounts; beyond that the
//! oldest counts at once.

/// How long a success or the program's own word is waited for, microseconds: people type a password
/// again within seconds.
const PATIENCE: i64 = 60_000_000;
/// Most accounts at a time.
const MOST: usize = 256;

/// What a module says of an account.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    /// The account that tried.
    pub(super) user: String,
    /// The last failure, microseconds.
    pub(super) ts: i64,
    /// How many.
    pub(super) times: u32,
    /// Who it wanted to become.
    pub(super) target: Option<String>,
    /// The program it tried with.
    pub(super) program: String,
}

/// All of them, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Doubts(Vec<Doubt>);

impl Doubts {
    /// Adds a failure; gives one back that has to be counted to make room for it.
    pub(super) fn add(&mut self, doubt: Doubt) -> Option<Doubt> {
        let mut known = self.0.iter_mut();
        if let Some(known) = known.find(|known| known.user == doubt.user) {
            known.ts = known.ts.max(doubt.ts);
            known.times += doubt.times;
            return None;
        }
        let oldest = (self.0.len() >= MOST).then(|| self.0.remove(0));
        self.0.push(doubt);
        oldest
    }

    /// Forgets what is in doubt of an account: the program has spoken.
    pub(super) fn settle(&mut self, user: &str) {
        self.0.retain(|doubt| doubt.user != user);
    }

    /// Takes those that nothing has settled in time.
    pub(super) fn take_old(&mut self, now: i64) -> Vec<Doubt> {
        let is_old = |doubt: &mut Doubt| now - doubt.ts >= PATIENCE;
        self.0.extract_if(.., is_old).collect()
    }
}
