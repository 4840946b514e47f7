//! A log that is written to and rotated in one of the styles that programs and logrotate know.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::Rotation;

/// Rotated files that are kept, some hundred seconds' worth at the pace of these tests: nothing is
/// removed before it could be read.
const KEEP: u32 = 150;

/// A log in a directory of its own, open for writing.
pub struct RotatedLog {
    dir: PathBuf,
    style: Rotation,
    file: Option<File>,
    rotations: u32,
}

impl RotatedLog {
    /// Begins the log in `dir`, which is made.
    pub fn begin(dir: &Path, style: Rotation) -> Self {
        fs::create_dir(dir).unwrap();
        let log = Self {
            dir: dir.to_owned(),
            style,
            file: None,
            rotations: 0,
        };
        if style == Rotation::Link {
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
            Rotation::Create | Rotation::HeldOpen => {
                self.shift("");
                fs::rename(self.path(), self.at("app.log.1")).unwrap();
                if self.style == Rotation::Create {
                    File::create(self.path()).unwrap();
                }
                self.turn_away(late);
            }
            Rotation::DateExt | Rotation::DateInside => {
                fs::rename(self.path(), self.dated(self.rotations)).unwrap();
                File::create(self.path()).unwrap();
                self.turn_away(late);
            }
            Rotation::Link => {
                self.turn_link();
                self.turn_away(late);
            }
            // Who compresses a file makes sure that nobody writes to it any more.
            Rotation::Compress | Rotation::DelayCompress => {
                self.turn_away(late);
                self.shift(".gz");
                if self.style == Rotation::DelayCompress && self.rotations > 1 {
                    gzip(&self.at("app.log.1"));
                    fs::rename(self.at("app.log.1.gz"), self.at("app.log.2.gz")).unwrap();
                }
                fs::rename(self.path(), self.at("app.log.1")).unwrap();
                File::create(self.path()).unwrap();
                if self.style == Rotation::Compress {
                    gzip(&self.at("app.log.1"));
                }
            }
            Rotation::CopyTruncate | Rotation::CopyTruncateCompress => {
                self.write(late);
                let copy = if self.style == Rotation::CopyTruncate {
                    self.shift("");
                    self.at("app.log.1")
                } else {
                    self.dated(self.rotations)
                };
                fs::copy(self.path(), &copy).unwrap();
                let mut options = File::options();
                options.write(true).truncate(true);
                options.open(self.path()).unwrap();
                if self.style == Rotation::CopyTruncateCompress {
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
        self.at(&self.style.dated(number))
    }

    fn turn_link(&self) {
        let target = self.dated(self.rotations);
        File::create(&target).unwrap();
        std::os::unix::fs::symlink(target, self.at("link")).unwrap();
        fs::rename(self.at("link"), self.path()).unwrap();
    }

    fn remove_old(&self) {
        let old = match self.style {
            Rotation::Create | Rotation::HeldOpen | Rotation::CopyTruncate => {
                self.at(&format!("app.log.{}", KEEP + 1))
            }
            Rotation::Compress | Rotation::DelayCompress => {
                self.at(&format!("app.log.{}.gz", KEEP + 1))
            }
            _ if self.rotations <= KEEP => return,
            Rotation::CopyTruncateCompress => {
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
