//! The dashboard's server: a JSON API over stored samples, live events, and the embedded pages.
//!
//! * [`App`] is what all requests share; [`router`] answers them and [`serve`] runs the server with
//!   its limits. `docs/API.md` is the contract, one file of [`api`] per question, and [`wire`] has the shapes of the
//!   answers.
//! * Nothing here changes state: every session is read-only and every request a GET.
//! * Stored samples are read through `store::series` alone; thresholds and words come from the
//!   catalogue of `schema`, so that cards, tables, charts and verdict agree.
//! * The database may be away at any time. `now` and `meta` answer all the same, everything else
//!   refuses at once with the instant since when ([`database`]).
//! * Never is anything called good that is not known to be: data that are old, missing or beyond
//!   reach are unknown ([`judge`]).
//! * Equal questions are answered once ([`answers`]); a question that needs no new reading is
//!   answered with 304.

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
mod number;
mod pace;
mod pages;
mod range;
mod route;
mod serve;
pub mod tables;
mod top_keys;
pub mod wire;
mod words;

pub use app::{App, Settings, Shared};
pub use clock::Clock;
pub use error::ApiError;
pub use hosts::Host;
pub use route::router;
pub use serve::serve;
