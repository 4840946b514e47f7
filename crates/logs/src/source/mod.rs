//! Where lines come from: files and the journal.
//!
//! A source gives whole lines in order ([`Chunk`]) and for every line the position before it. It keeps
//! nothing of its own on disk: who stores lines stores the position with them, and a source that is
//! made anew from stored positions goes on exactly there. What cannot be had any more is a [`Gap`].
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
