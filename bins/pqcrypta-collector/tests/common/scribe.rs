//! A program that writes a log: numbered lines, some of several lines, at its own pace, rotated by
//! renaming every now and then, whatever happens to whoever reads it. Nothing it wrote is ever
//! removed, so each number must be stored exactly once in the end.

use super::clock::Utc;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use testkit::Dice;

/// Lines between two rotations.
const ROTATE_AFTER: u64 = 400;

/// One among so many lines in two pieces is held up between them, as by a machine that is busy or a slow
/// disk, for longer than a reader waits for the rest of an event: a quarter of a second.
const HELD_UP_AMONG: u64 = 100;
const HELD_UP: Duration = Duration::from_millis(400);

/// The program, running until it is stopped.
pub struct Scribe {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    written: Arc<AtomicI64>,
    thread: Option<JoinHandle<()>>,
}

impl Scribe {
    pub fn start(dir: &Path, seed: u64) -> Self {
        let path = dir.join("app.log");
        let (stop, written) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicI64::new(0)),
        );
        let thread = thread::spawn({
            let (path, stop, written) = (path.clone(), Arc::clone(&stop), Arc::clone(&written));
            move || write(&path, &mut Dice::new(seed), &stop, &written)
        });
        Self {
            path,
            stop,
            written,
            thread: Some(thread),
        }
    }

    /// Returns where the log is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets it finish its line. Gives how many it wrote.
    pub fn stop(&mut self) -> i64 {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        self.written.load(Ordering::Relaxed)
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn write(path: &Path, dice: &mut Dice, stop: &AtomicBool, written: &AtomicI64) {
    let open = || {
        File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap()
    };
    let (mut file, mut rotations) = (open(), 0_u64);
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..=dice.below(6) {
            number += 1;
            let mut line = format!("{}Z number {number}\n", Utc::now().instant('T'));
            if dice.below(10) == 0 {
                // An event of several lines.
                line.push_str("    with more\n    to say\n");
            }
            // At times in two pieces, as a writer with a buffer does.
            let cut = if dice.below(4) == 0 {
                dice.below(line.len() as u64)
            } else {
                0
            };
            let (head, tail) = line.split_at(cut as usize);
            file.write_all(head.as_bytes()).unwrap();
            if cut > 0 && dice.below(HELD_UP_AMONG) == 0 {
                thread::sleep(HELD_UP);
            }
            file.write_all(tail.as_bytes()).unwrap();
            if dice.below(ROTATE_AFTER) == 0 {
                // As logrotate does it: the newest is always number 1.
                let name = |number: u64| path.with_extension(format!("log.{number}"));
                for older in (1..=rotations).rev() {
                    fs::rename(name(older), name(older + 1)).unwrap();
                }
                fs::rename(path, name(1)).unwrap();
                rotations += 1;
                file = open();
            }
        }
        written.store(number, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(dice.below(40)));
    }
}
