//! Unconfirmed failures by account.
//!
//! A PAM module's failure counts when the program does not settle it within [`PATIENCE`]: the program's
//! summary counts instead, and a success cancels it. Bounded: [`MOST`] accounts; beyond that the
//! oldest counts at once.

/// Time limit for a success or the program's summary, microseconds: people retype a password
/// within seconds.
const PATIENCE: i64 = 60_000_000;
/// Maximum number of accounts.
const MOST: usize = 256;

/// An unconfirmed failure of an account.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    /// The account that tried.
    pub(super) user: String,
    /// The last failure, microseconds.
    pub(super) ts: i64,
    /// Number of failures.
    pub(super) times: u32,
    /// The account it wanted to become.
    pub(super) target: Option<String>,
    /// The program it used.
    pub(super) program: String,
}

/// The unconfirmed failures, oldest first.
#[derive(Debug, Default)]
pub(super) struct Doubts(Vec<Doubt>);

impl Doubts {
    /// Adds a failure; returns one that has to be counted to make room for it.
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

    /// Drops the unconfirmed failures of an account that the program has settled.
    pub(super) fn settle(&mut self, user: &str) {
        self.0.retain(|doubt| doubt.user != user);
    }

    /// Takes those that were not settled in time.
    pub(super) fn take_old(&mut self, now: i64) -> Vec<Doubt> {
        let is_old = |doubt: &mut Doubt| now - doubt.ts >= PATIENCE;
        self.0.extract_if(.., is_old).collect()
    }
}
