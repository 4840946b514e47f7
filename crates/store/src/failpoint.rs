//! Named places at which fault tests stop, fail or delay the code.
//!
//! `failpoint!("spool.append.sync")` stands before or after a step that a crash could cut short.
//! In a release build it expands to nothing. Where `debug_assertions` are on, each place asks a process-wide
//! registry, which a test binary fills with `set`; the environment is read by the caller, not
//! here. The format is `name=action[;name=action…]` with the actions
//!
//! | action | effect |
//! |---|---|
//! | `abort` | the process ends at once, as by `kill -9` |
//! | `error` | the step fails with an [`std::io::Error`] |
//! | `delay(ms)` | the thread sleeps |
//! | `short` | `failpoint!(name, bytes)` gives half of the bytes: a short write |
//! | `off` | nothing |
//!
//! An action may be preceded by a count: `3*error` fails three times, then nothing; and by the
//! number of passes to let through: `2+abort` lets two pass.

/// Marks a named place; see the [module](self). The one-argument form is a statement in a function
/// whose error is made from [`std::io::Error`]; the form with a slice is an expression that gives
/// the slice, or a shorter one.
#[cfg(debug_assertions)]
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {
        $crate::failpoint::hit($name)?
    };
    ($name:literal, $bytes:expr) => {
        $crate::failpoint::shorten($name, $bytes)?
    };
}

/// Marks a named place; compiled out.
#[cfg(not(debug_assertions))]
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {};
    ($name:literal, $bytes:expr) => {
        $bytes
    };
}

pub(crate) use failpoint;

#[cfg(debug_assertions)]
pub use registry::{clear, hit, list, seen, set, shorten};

#[cfg(debug_assertions)]
mod registry {
    use std::collections::BTreeMap;
    use std::io;
    use std::str::FromStr;
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::time::Duration;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Act {
        Abort,
        Error,
        Delay(u64),
        Short,
        Off,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Plan {
        /// Passes to let through first.
        skip: u64,
        /// Times to act afterwards; `None` is for ever.
        times: Option<u64>,
        act: Act,
    }

    impl FromStr for Plan {
        type Err = String;

        fn from_str(text: &str) -> Result<Self, String> {
            let wrong = || format!("unknown failpoint action `{text}`");
            let (skip, rest) = match text.split_once('+') {
                Some((n, rest)) => (n.trim().parse().map_err(|_| wrong())?, rest),
                None => (0, text),
            };
            let (times, rest) = match rest.split_once('*') {
                Some((n, rest)) => (Some(n.trim().parse().map_err(|_| wrong())?), rest),
                None => (None, rest),
            };
            let act = match rest.trim() {
                "abort" => Act::Abort,
                "error" => Act::Error,
                "short" => Act::Short,
                "off" => Act::Off,
                other => other
                    .strip_prefix("delay(")
                    .and_then(|n| n.strip_suffix(')'))
                    .and_then(|n| n.trim().parse().ok())
                    .map(Act::Delay)
                    .ok_or_else(wrong)?,
            };
            Ok(Self { skip, times, act })
        }
    }

    #[derive(Debug, Default)]
    struct Registry {
        plans: BTreeMap<String, Plan>,
        seen: BTreeMap<&'static str, u64>,
    }

    static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
        plans: BTreeMap::new(),
        seen: BTreeMap::new(),
    });

    fn registry() -> MutexGuard<'static, Registry> {
        REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the actions of a text such as `spool.append.sync=2+error;spool.release.unlink=abort`.
    ///
    /// # Errors
    /// Names the first part that is not `name=action`; nothing is set then.
    pub fn set(spec: &str) -> Result<(), String> {
        let mut plans = Vec::new();
        for part in spec.split(';').map(str::trim).filter(|p| !p.is_empty()) {
            let (name, action) = part
                .split_once('=')
                .ok_or_else(|| format!("failpoint `{part}` lacks `=action`"))?;
            plans.push((name.trim().to_owned(), action.trim().parse()?));
        }
        registry().plans.extend(plans);
        Ok(())
    }

    /// Takes every action back and forgets the counts.
    pub fn clear() {
        *registry() = Registry::default();
    }

    /// Returns the places that have an action, with the action as it stands now.
    #[must_use]
    pub fn list() -> Vec<(String, String)> {
        let registry = registry();
        let text = |plan: &Plan| format!("{plan:?}");
        registry
            .plans
            .iter()
            .map(|(name, plan)| (name.clone(), text(plan)))
            .collect()
    }

    /// Returns the places passed so far and how often.
    #[must_use]
    pub fn seen() -> Vec<(&'static str, u64)> {
        registry().seen.iter().map(|(n, c)| (*n, *c)).collect()
    }

    fn next(name: &'static str) -> Act {
        let mut registry = registry();
        *registry.seen.entry(name).or_default() += 1;
        let Some(plan) = registry.plans.get_mut(name) else {
            return Act::Off;
        };
        if plan.skip > 0 {
            plan.skip -= 1;
            return Act::Off;
        }
        match &mut plan.times {
            Some(0) => Act::Off,
            Some(n) => {
                *n -= 1;
                plan.act
            }
            None => plan.act,
        }
    }

    /// Passes a place without data.
    ///
    /// # Errors
    /// When the action is `error`.
    pub fn hit(name: &'static str) -> io::Result<()> {
        shorten(name, &[]).map(|_| ())
    }

    /// Passes a place at which bytes are written.
    ///
    /// # Errors
    /// When the action is `error`.
    pub fn shorten<'a>(name: &'static str, bytes: &'a [u8]) -> io::Result<&'a [u8]> {
        match next(name) {
            Act::Abort => std::process::abort(),
            Act::Error => Err(io::Error::other(format!("failpoint {name}"))),
            Act::Delay(ms) => {
                std::thread::sleep(Duration::from_millis(ms));
                Ok(bytes)
            }
            Act::Short if bytes.len() > 1 => Ok(&bytes[..bytes.len() / 2]),
            Act::Short | Act::Off => Ok(bytes),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn actions_count_down() {
            set("t.a = 1+2*error; t.b=short").expect("parses");
            let got: Vec<bool> = (0..5).map(|_| hit("t.a").is_err()).collect();
            assert_eq!(got, [false, true, true, false, false]);
            assert_eq!(shorten("t.b", b"abcd").expect("short"), b"ab");
            assert!(list().iter().any(|(name, _)| name == "t.b"));
            assert!(seen().contains(&("t.a", 5)));
        }

        #[test]
        fn nonsense_is_refused() {
            for bad in ["x", "x=", "x=explode", "x=delay(ten)", "x=q*error"] {
                assert!(set(bad).is_err(), "{bad}");
            }
        }
    }
}
