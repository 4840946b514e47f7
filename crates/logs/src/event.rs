//! What a source says, once it is understood.

pub use schema::LogLevel as Level;
use std::num::NonZeroU64;

use schema::Timestamp;

/// One event, ready to be stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// When it happened, as the source says; when it was read where the source does not.
    pub ts: Timestamp,
    /// How grave.
    pub level: Level,
    /// Program, module or unit within the source; empty when not said.
    pub component: String,
    /// The message: secrets replaced, terminal sequences removed, at most 4096 characters.
    pub message: String,
    /// Its true length in characters where it was cut.
    pub chars: Option<u32>,
    /// What else the source says, as a JSON object: process, host, user, database, error code, the
    /// lines that belong to it.
    pub context: Option<String>,
    /// Where it begins in its stream: byte offset, or sequence number of the journal.
    pub at: u64,
    /// Process that wrote it, where the source says so; the context has it, too.
    pub pid: Option<u32>,
    /// Unit of the journal that it came from; empty for files.
    pub unit: String,
    /// The request, where the line is one of an access log.
    pub access: Option<Access>,
    /// Whether no head of the parser fits its line: its time is that of reading.
    pub is_unread: bool,
    /// Hash of the message without its numbers: it names the same pattern wherever it is the same.
    /// `None` where that is not known.
    pub skeleton: Option<NonZeroU64>,
}

/// A request as a web server's access log has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    /// Method, in capitals; `-` where the request line could not be read by the server.
    pub method: String,
    /// Path without its query, at most 512 characters.
    pub path: String,
    /// Status of the answer.
    pub status: u16,
    /// How long the answer took, milliseconds; `None` where the log does not say.
    pub duration_ms: Option<f64>,
    /// Bytes of the answer's body; `None` where the log does not say.
    pub bytes: Option<u64>,
}
