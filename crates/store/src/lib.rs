//! From a row to the database and back.
//!
//! * [`mod@tuple`] encodes rows once, as the tuples that COPY BINARY takes; the spool keeps them so and
//!   the writer sends them so.
//! * [`spool`] makes every tick durable before the database is tried; [`queue`] is the spool as
//!   ticks and writer share it.
//! * [`writer`] drains the spool: one transaction is a COPY per table and the new
//!   [`progress`], so replay after any crash is exactly-once.
//! * [`logs`] stores lines of logs with the positions of their streams.
//! * [`host`] opens a session on behalf of one host.
//! * `processes` splits rows of processes into what changes and what identifies the process.
//! * `partitions` makes the daily partitions that rows need; [`expiry`] drops them when no
//!   host's retention covers them.
//! * [`migrations`] brings a database to this version's schema and refuses one that is newer; `comments` describes its columns.
//! * [`findings`] stores the findings of evaluation runs; [`alerts`] reads them as they are shown.
//! * [`series`] is the only reader of stored samples; [`sizes`] reads what the store takes.
//! * [`changes`] reads what was changed on a host.
//! * [`slos`] reads and stores service level objectives; [`traffic`] asks about visits of web sites.
//! * [`rollup`] makes hours and days of samples, [`sums`] what statements, endpoints and I/O add up to; [`seal`] stores closed days of samples as arrays.

pub mod alerts;
pub mod baselines;
pub mod capacity;
pub mod changes;
mod comments;
pub mod crowding;
pub mod distribution;
pub mod expiry;
pub mod failpoint;
pub mod findings;
pub mod health_checks;
pub mod host;
pub mod logs;
pub mod migrations;
mod partitions;
mod processes;
pub mod progress;
pub mod pulse;
pub mod queue;
pub mod ranges;
pub mod rollup;
pub mod seal;
pub mod series;
pub mod sizes;
pub mod slos;
pub mod spool;
pub mod spread;
pub mod status;
pub mod sums;
pub mod traffic;
pub mod tuple;
pub mod turn;
pub mod writer;
