//! `[logs]`: how fast log files and the journal are read.

use crate::section::section;

section! {
    /// How fast log files and the journal are read.
    pub struct Logs = "logs" {
        /// Whether logs are read at all.
        enabled: bool = true => env("LOG_ENABLED") live();
        /// Seconds between two readings of every source.
        tick_secs: u32 = 15 => env("LOG_TICK_SECS") range(1, 3600) live();
        /// Most rows written in one go.
        batch_size: u32 = 100 => range(1, 10_000) live();
        /// Most lines taken per tick over all sources; the rest waits in its file.
        max_lines_per_tick: u32 = 500 => range(1, 1_000_000) live();
        /// Bytes read from a file in one go.
        chunk_size: u32 = 65_536 => range(4096, 16_777_216) live();
    }
}
