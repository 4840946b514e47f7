//! Parsed events.

pub use schema::LogLevel as Level;
use std::num::NonZeroU64;

use schema::Timestamp;

/// One event, ready to be stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// Time of the event as reported by the source, else the time at which it was read.
    pub ts: Timestamp,
    /// Level.
    pub level: Level,
    /// Program, module or unit within the source; empty if not reported.
    pub component: String,
    /// The message: secrets replaced, terminal sequences removed, at most 4096 characters.
    pub message: String,
    /// Its true length in characters where it was cut.
    pub chars: Option<u32>,
    /// Further fields as a JSON object: process, host, user, database, error code, the
    /// lines that belong to it.
    pub context: Option<String>,
    /// Its position in the stream: byte offset, or sequence number of the journal.
    pub at: u64,
    /// Process that wrote it, if the source reports it; the context has it, too.
    pub pid: Option<u32>,
    /// Unit of the journal that it came from; empty for files.
    pub unit: String,
    /// The request, where the line is one of an access log.
    pub access: Option<Access>,
    /// Whether the parser did not recognise its line, so that its time is that of reading.
    pub is_unread: bool,
    /// Hash of the message without its numbers: messages with the same hash have the same pattern.
    /// `None` if it was not computed.
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
    /// How long the answer took, milliseconds; `None` where the log does not report it.
    pub duration_ms: Option<f64>,
    /// Bytes of the answer's body; `None` where the log does not report it.
    pub bytes: Option<u64>,
}
