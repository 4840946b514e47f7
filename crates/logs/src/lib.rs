//! Reads log files and the journal and turns them into events, each line once.
//!
//! ```text
//! source ─ chunk of lines + position ─ parser, joiner ─ redaction ─ fingerprint ─ events
//! ```
//!
//! **The source is the buffer.** Nothing is kept on disk here: a batch holds events and the new
//! positions of the streams they came from, and the caller stores both in one transaction.
//! After a crash, a lost link or a commit of unknown outcome, reading restarts at the positions
//! in the database. So every line is stored exactly once while its source still has it, and lines
//! that a source lost before they were read are a row of `collector.data_gaps`.
//!
//! * [`source`] finds and follows files and the journal; it handles bytes, offsets and cursors.
//! * [`parse`] turns lines into events: fields, time, level; it joins the lines of one event.
//! * [`fingerprint`] groups similar messages under one identifier.
//! * [`topic`] recognises messages for which there is advice.
//! * [`security`] recognises failed logins, bans and blocked packets.
//! * [`changes`] recognises changes of the host: packages, services, settings.
//! * [`intake`] reads all sources in turn and returns batches.
//!
//! Nothing here uses the database or reads the clock; time comes in as a value.

mod by_source;
pub mod changes;
pub mod descriptors;
pub mod event;
pub mod fingerprint;
pub mod intake;
pub mod parse;
pub mod security;
mod skeleton;
pub mod source;
pub mod topic;
