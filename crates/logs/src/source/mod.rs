//! Where lines come from: files and the journal.
//!
//! A source returns complete lines in order ([`Chunk`]) and for every line the position before it. It keeps
//! no state on disk: the caller stores the position together with the lines, and a source that is
//! created from stored positions continues exactly there. Lines that can no longer be read are a [`Gap`].
//!
//! Files are read by blocking calls; all sources share one thread. A quiet file costs one system call
//! per poll.

mod chunk;
mod content;
mod files;
mod journal;
mod log_file;
mod open;
mod own;
mod packed;
mod pattern;
mod position;
mod rotated;
mod search;
mod stat;
mod state;
mod stream;

pub use chunk::{Chunk, Gap, GapReason, Line};
pub use files::{FileOptions, Files, FirstSight};
pub use journal::{Batch, Entry, Journal, JournalOptions, JournalPosition};
pub use log_file::LINE_BYTES;
pub use own::OwnOutput;
pub use position::{FilePosition, Identity, PRINT_BYTES, Print};
pub use state::{State, Status};
