//! The ways in which programs and logrotate rotate a log.

/// How a log is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// `app.log` is renamed to `app.log.1`, that to `app.log.2` and so on; a new file is created at once.
    Create,
    /// The same; the writer creates the new file when it writes, having continued in the old one.
    HeldOpen,
    /// Renamed to `app.log-20260001`, with a number that counts up.
    DateExt,
    /// Renamed to `app-20260001.log`.
    DateInside,
    /// `app.log.1.gz` and so on, compressed at once.
    Compress,
    /// `app.log.1`, `app.log.2.gz` and so on.
    DelayCompress,
    /// Copied to `app.log.1`, then truncated.
    CopyTruncate,
    /// Copied to `app.log-20260001.gz`, compressed, then truncated.
    CopyTruncateCompress,
    /// `app.log` is a link to `app-20260001.log`, then to the next.
    Link,
}

impl Rotation {
    /// Every one of them.
    pub const ALL: [Self; 9] = [
        Self::Create,
        Self::HeldOpen,
        Self::DateExt,
        Self::DateInside,
        Self::Compress,
        Self::DelayCompress,
        Self::CopyTruncate,
        Self::CopyTruncateCompress,
        Self::Link,
    ];

    /// Returns whether a copy is what remains of the old content.
    #[must_use]
    pub const fn copies(self) -> bool {
        matches!(self, Self::CopyTruncate | Self::CopyTruncateCompress)
    }

    /// Returns the name of a file by its number, in a style that numbers files by date.
    #[must_use]
    pub fn dated(self, number: u32) -> String {
        match self {
            Self::DateExt | Self::CopyTruncateCompress => format!("app.log-2026{number:04}"),
            _ => format!("app-2026{number:04}.log"),
        }
    }
}
