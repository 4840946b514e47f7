//! The dashboard's server: a JSON API over stored samples, live events, and the embedded pages.
//!
//! * [`App`] is the state that all requests share; [`router`] answers them and [`serve`] runs the server with
//!   its limits. `docs/API.md` is the contract, one file of [`api`] per endpoint, and [`wire`] has the types of the
//!   answers.
//! * Nothing here changes state: every session is read-only and every request a GET.
//! * Stored samples are read through `store::series` alone; thresholds and texts come from the
//!   catalogue of `schema`, so that cards, tables, charts and verdict agree.
//! * The database may be unreachable at any time. `now` and `meta` answer all the same; every other
//!   endpoint refuses immediately and reports since when ([`database`]).
//! * Nothing is reported as good that is not known to be: data that is old, missing or unreachable is
//!   unknown ([`judge`]).
//! * Equal requests share one read ([`answers`]); a request whose answer is unchanged is answered with
//!   304.

pub mod answers;
pub mod api;
mod app;
mod areas;
mod batch;
mod clock;
pub mod csv;
pub mod database;
mod error;
mod guard;
pub mod headers;
mod hints;
mod hosts;
pub mod judge;
mod lines;
mod lru;
mod operation;
mod pace;
mod pages;
mod range;
mod route;
mod serve;
pub mod tables;
mod times;
mod top_keys;
pub mod wire;

pub use app::{App, Settings, Shared};
pub use clock::Clock;
pub use error::ApiError;
pub use hosts::Host;
pub use route::router;
pub use serve::serve;
