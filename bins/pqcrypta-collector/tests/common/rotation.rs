//! A log that is written to and rotated in one of the styles that programs and logrotate know.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Rotated files that are kept, some hundred seconds' worth at the pace of these tests: nothing is
/// removed before it could be read.
const KEEP: u32 = 150;

/// How a log is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Renamed to `app.log.1`, that to `app.log.2` and so on; a new file is made at once.
    Create,
    /// The same; the writer makes the new file when it writes, having gone on in the old one.
    HeldOpen,
    /// Renamed to `app.log-20260001`, with a number that counts up.
    DateExt,
    /// Renamed to `app-20260001.log`.
    DateInside,
    /// `app.log.1.gz` and so on, compressed at once.
    Compress,
    /// `app.log.1`, `app.log.2.gz` and so on.
    DelayCompress,
    /// Copied to `app.log.1`, then emptied; nothing is written in between.
    CopyTruncate,
    /// Copied to `app.log-20260001`, then emptied, then the copy is compressed.
    CopyTruncateCompress,
    /// `app.log` is a link to `app-20260001.log`, then to the next.
    Link,
}

impl Style {
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

    /// Whether a copy is what remains.
    pub fn copies(self) -> bool {
        matches!(self, Self::CopyTruncate | Self::CopyTruncateCompress)
    }
}

/// A log in a directory of its own, open for writing.
pub struct RotatedLog {
    dir: PathBuf,
    style: Style,
    file: Option<File>,
    rotations: u32,
}

impl RotatedLog {
    /// Begins the log in `dir`, which is made.
    pub fn begin(dir: &Path, style: Style) -> Self {
        fs::create_dir(dir).unwrap();
        let log = Self {
            dir: dir.to_owned(),
            style,
            file: None,
            rotations: 0,
        };
        if style == Style::Link {
            log.turn_link();
        }
        log
    }

    pub fn path(&self) -> PathBuf {
        self.at("app.log")
    }

    pub fn write(&mut self, text: &str) {
        let path = self.path();
        let open = || {
            let mut options = File::options();
            options.create(true).append(true).open(path).unwrap()
        };
        let file = self.file.get_or_insert_with(open);
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Rotates once. `late` is written to the old file after it was renamed, where the style lets it.
    pub fn rotate(&mut self, late: &str) {
        self.rotations += 1;
        match self.style {
            Style::Create | Style::HeldOpen => {
                self.shift("");
                fs::rename(self.path(), self.at("app.log.1")).unwrap();
                if self.style == Style::Create {
                    File::create(self.path()).unwrap();
                }
                self.turn_away(late);
            }
            Style::DateExt | Style::DateInside => {
                fs::rename(self.path(), self.dated(self.rotations)).unwrap();
                File::create(self.path()).unwrap();
                self.turn_away(late);
            }
            Style::Link => {
                self.turn_link();
                self.turn_away(late);
            }
            // Who compresses a file makes sure that nobody writes to it any more.
            Style::Compress | Style::DelayCompress => {
                self.turn_away(late);
                self.shift(".gz");
                if self.style == Style::DelayCompress && self.rotations > 1 {
                    gzip(&self.at("app.log.1"));
                    fs::rename(self.at("app.log.1.gz"), self.at("app.log.2.gz")).unwrap();
                }
                fs::rename(self.path(), self.at("app.log.1")).unwrap();
                File::create(self.path()).unwrap();
                if self.style == Style::Compress {
                    gzip(&self.at("app.log.1"));
                }
            }
            Style::CopyTruncate | Style::CopyTruncateCompress => {
                self.write(late);
                let copy = if self.style == Style::CopyTruncate {
                    self.shift("");
                    self.at("app.log.1")
                } else {
                    self.dated(self.rotations)
                };
                fs::copy(self.path(), &copy).unwrap();
                let mut options = File::options();
                options.write(true).truncate(true);
                options.open(self.path()).unwrap();
                if self.style == Style::CopyTruncateCompress {
                    gzip(&copy);
                }
            }
        }
        self.remove_old();
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Writes the last of the old file; the new one is opened with the next line.
    fn turn_away(&mut self, late: &str) {
        self.write(late);
        self.file = None;
    }

    /// `app.log.1` becomes `app.log.2` and so on.
    fn shift(&self, ending: &str) {
        for number in (1..self.rotations.min(KEEP + 1)).rev() {
            let from = self.at(&format!("app.log.{number}{ending}"));
            if from.exists() {
                let to = self.at(&format!("app.log.{}{ending}", number + 1));
                fs::rename(from, to).unwrap();
            }
        }
    }

    fn dated(&self, number: u32) -> PathBuf {
        self.at(&match self.style {
            Style::DateExt | Style::CopyTruncateCompress => format!("app.log-2026{number:04}"),
            _ => format!("app-2026{number:04}.log"),
        })
    }

    fn turn_link(&self) {
        let target = self.dated(self.rotations);
        File::create(&target).unwrap();
        std::os::unix::fs::symlink(target, self.at("link")).unwrap();
        fs::rename(self.at("link"), self.path()).unwrap();
    }

    fn remove_old(&self) {
        let old = match self.style {
            Style::Create | Style::HeldOpen | Style::CopyTruncate => {
                self.at(&format!("app.log.{}", KEEP + 1))
            }
            Style::Compress | Style::DelayCompress => self.at(&format!("app.log.{}.gz", KEEP + 1)),
            _ if self.rotations <= KEEP => return,
            Style::CopyTruncateCompress => {
                let number = self.rotations - KEEP;
                self.at(&format!("app.log-2026{number:04}.gz"))
            }
            _ => self.dated(self.rotations - KEEP),
        };
        if old.exists() {
            fs::remove_file(old).unwrap();
        }
    }
}

fn gzip(file: &Path) {
    let done = Command::new("gzip").arg(file).status();
    assert!(done.unwrap().success(), "gzip {}", file.display());
}
