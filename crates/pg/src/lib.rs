//! Sessions with PostgreSQL; the only place that calls the driver's `connect`.
//!
//! * [`Target`] is where: from the settings, or from a URL for tests and tools. The Unix socket
//!   and the loopback are spoken to plainly, every other host over TLS with certificate and name
//!   verified ([`connect`] refuses anything less, however the target was built).
//! * [`connect`] returns a [`Session`] within a deadline: search path, time zone and date style are
//!   pinned, and the server itself ends what takes too long ([`SessionOptions`]), because a client
//!   that stops waiting stops nothing: the statement runs on and may still commit.
//! * [`Session::run`] gives a statement a deadline. When it passes, the server is asked to cancel
//!   and the session is *doomed*: whether the work was committed is unknown, so the caller drops
//!   the session, connects again ([`Backoff`]) and reads the state of the database.
//! * [`PgError::class`] sorts failures by what to do about them ([`Class`]).
//!
//! No error holds a password or an address with one inside. Details of the server's messages are
//! left out too, since they quote rows.

mod backoff;
mod error;
mod password;
mod session;
mod target;
mod tls;

pub use backoff::Backoff;
pub use error::{Class, PgError, causes};
pub use password::kept_password;
pub use session::{Session, SessionOptions, connect};
pub use target::{Host, Target};
pub use tls::client_config;
