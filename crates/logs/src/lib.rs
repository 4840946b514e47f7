//! From log files and the journal to events, every line once.
//!
//! ```text
//! source ─ chunk of lines + position ─ parser, joiner ─ redaction ─ fingerprint ─ events
//! ```
//!
//! **The source is the buffer.** Nothing is kept on disk here: a batch holds events and the new
//! positions of the streams they came from, and whoever stores it stores both in one transaction.
//! After a crash, a lost link or a commit of unknown outcome, reading begins again at the positions
//! the database holds. So every line is stored exactly once while its source still has it, and what
//! a source lost before it was read is a row of `collector.data_gaps`.
//!
//! * [`source`] finds and follows files and the journal; it knows bytes, offsets and cursors.
//! * [`parse`] makes events of lines: fields, time, level; it joins the lines of one event.
//! * [`fingerprint`] gives like messages one name.
//! * [`topic`] knows messages that somebody can do something about.
//! * [`security`] reads failed logins, bans and blocked packets out of events.
//!
//! * [`intake`] reads all sources in turn and makes the batches.
//!
//! Nothing here knows the database or reads the clock of its own accord; time comes in as a value.

mod by_source;
pub mod descriptors;
pub mod event;
pub mod fingerprint;
pub mod intake;
pub mod parse;
pub mod security;
mod skeleton;
pub mod source;
pub mod topic;
