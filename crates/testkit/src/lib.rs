//! What tests need of the world: real PostgreSQL servers, a link that fails on demand, `/proc`-like
//! trees. A dev-dependency only.
//!
//! * [`Server`] is a throw-away PostgreSQL on a Unix socket (and a loopback port when asked), of the
//!   newest installed version or the one in `$TESTKIT_PG_BIN`. As root it runs as the user
//!   `postgres`. Nothing survives the test: a small shell waits for the end of this process, however
//!   it comes, then stops the server and removes its directory, which is in `$TESTKIT_DIR` or among the
//!   temporary files.
//! * [`database`] clones a database from a template on one server shared by all tests of the
//!   process, so that an isolated database costs a tenth of a second; migrations are applied once in a run of
//!   nextest.
//! * [`Proxy`] stands between client and server and resets, swallows, delays or cuts the link, to
//!   the byte.
//! * [`Authority`] signs certificates of servers.
//! * [`of_format`] makes a file of the queue one of another version.
//! * [`Tree`] builds a directory from a list of paths and contents.
//! * [`month`] generates a month of a host's rows, healthy or with faults.
//! * [`Dice`] gives numbers that look random and are the same in every run; [`Rotation`] lists how logs are
//!   rotated.

mod authority;
mod database;
mod dice;
mod error;
mod kept;
pub mod month;
mod proxy;
mod rotation;
mod segment;
mod server;
mod setup;
mod tree;

pub use authority::{Authority, Identity};
pub use database::{Database, connect, database, hold, migrate, migrated, shared_server, texts};
pub use dice::Dice;
pub use error::TestkitError;
pub use proxy::{Cut, Direction, Mode, Proxy};
pub use rotation::Rotation;
pub use segment::of_format;
pub use server::{Builder, Rows, Server, Stop, free_port};
pub use tree::Tree;

/// Returns the statement that creates the default partition, and those of the days from `first` to `last`, of every table
/// that is partitioned by day, in a migrated database.
#[must_use]
pub fn partitions(first: &str, last: &str) -> String {
    format!(
        "SELECT collector.ensure_partition(p.relname, d.day) FROM pg_class p, \
         (SELECT NULL::date AS day UNION ALL \
          SELECT day::date FROM generate_series('{first}'::timestamp, '{last}'::timestamp, interval '1 day') day) d \
         WHERE p.relnamespace = 'collector'::regnamespace AND p.relkind = 'p';\n"
    )
}
