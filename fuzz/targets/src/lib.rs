//! What is fuzzed: functions that take any bytes, and fail by panicking.
//!
//! | target | input |
//! |---|---|
//! | `queue` | damage to the files of a spool, or the payload of a record |
//! | `parsers` | lines of a log, for the parser that the first byte chooses |
//! | `exposition` | the answer of a target, for the format that the first byte chooses |
//! | `journal` | lines of `journalctl --output=json` |
//! | `settings` | a configuration file |
//! | `api` | the path and query of a request to the dashboard |
//! | `receiver` | what a page and its browser send: body, address, user agent, chain of proxies; or a line of an access log |
//! | `check` | what a peer of a health check sends: a resolver's answer, or a certificate |
//!
//! Seeds are the fixtures. `fuzz/run` runs one target under libFuzzer; the tests of this crate run every
//! target on its seeds and on a few hundred mutations of them.

mod api;
mod applications;
mod checks;
mod lines;
mod memory_disk;
mod queue;
mod receiver;
mod seeds;
mod settings;

/// A target.
#[derive(Debug)]
pub struct Target {
    /// Its name, also that of its binary below `fuzz/`.
    pub name: &'static str,
    /// Takes one input.
    pub run: fn(&[u8]),
    /// Returns inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target {
        name: "queue",
        run: queue::run,
        seeds: queue::seeds,
    },
    Target {
        name: "parsers",
        run: lines::parsers,
        seeds: lines::parser_seeds,
    },
    Target {
        name: "exposition",
        run: applications::run,
        seeds: applications::seeds,
    },
    Target {
        name: "journal",
        run: lines::journal,
        seeds: lines::journal_seeds,
    },
    Target {
        name: "settings",
        run: settings::run,
        seeds: settings::seeds,
    },
    Target {
        name: "api",
        run: api::run,
        seeds: api::seeds,
    },
    Target {
        name: "receiver",
        run: receiver::run,
        seeds: receiver::seeds,
    },
    Target {
        name: "check",
        run: checks::run,
        seeds: checks::seeds,
    },
];

/// Runs the target of this name on one input.
///
/// # Panics
/// When there is no such target, or the input shows a fault.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target of this name").run)(input);
}
