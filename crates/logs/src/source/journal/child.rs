//! `journalctl` as a child: lines without waiting, whatever the child does.
//!
//! It leads its own process group and is killed with the group when it is dropped. Its output is
//! read as far as it is there; its standard error is read too, so that it never waits
//! for us, and only the last of it is kept.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{self, ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

use memchr::memchr;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, Signal};

/// A longer line is passed over.
const LINE_BYTES: usize = 1 << 20;
/// What the child may write before it waits for us; the most that is granted without privileges.
const PIPE_BYTES: usize = 1 << 20;
/// Read in one go.
const STEP: usize = 64 << 10;
/// Maximum number of bytes kept of its standard error.
const WORDS_BYTES: usize = 2048;

/// What a read gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Got {
    /// A line, without its line break: [`Child::line`].
    Line,
    /// A line that was too long, of this many bytes.
    Overlong(u64),
    /// Nothing yet.
    Nothing,
    /// The child has ended its output.
    End,
}

/// A running child.
#[derive(Debug)]
pub(super) struct Child {
    child: process::Child,
    stdout: ChildStdout,
    stderr: Option<ChildStderr>,
    words: Vec<u8>,
    buf: Vec<u8>,
    /// Where the line that is handed out lies, and where the next one begins.
    line: std::ops::Range<usize>,
    next: usize,
    /// Bytes of an overlong line that are thrown away already.
    overlong: u64,
}

impl Child {
    /// Starts a program.
    pub(super) fn start<A: AsRef<OsStr>>(program: &OsStr, arguments: &[A]) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let (Some(stdout), stderr) = (child.stdout.take(), child.stderr.take()) else {
            return Err(io::Error::other("no pipe to the child"));
        };
        let this = Self {
            child,
            stdout,
            stderr,
            words: Vec::new(),
            buf: Vec::new(),
            line: 0..0,
            next: 0,
            overlong: 0,
        };
        rustix::io::ioctl_fionbio(&this.stdout, true)?;
        if let Some(stderr) = &this.stderr {
            rustix::io::ioctl_fionbio(stderr, true)?;
        }
        // a smaller pipe will do, too
        let _size = rustix::pipe::fcntl_setpipe_size(&this.stdout, PIPE_BYTES);
        Ok(this)
    }

    /// Returns the line of the last [`Got::Line`].
    pub(super) fn line(&self) -> &[u8] {
        &self.buf[self.line.clone()]
    }

    /// Gets the next line, if it is there.
    pub(super) fn next_line(&mut self) -> io::Result<Got> {
        let mut scanned = self.next;
        loop {
            if let Some(n) = memchr(b'\n', &self.buf[scanned..]) {
                let end = scanned + n;
                self.line = self.next..end;
                let len = (end - self.next) as u64;
                self.next = end + 1;
                let thrown = std::mem::take(&mut self.overlong);
                return Ok(match thrown {
                    0 => Got::Line,
                    thrown => Got::Overlong(thrown + len),
                });
            }
            self.buf.drain(..self.next);
            self.next = 0;
            if self.buf.len() > LINE_BYTES {
                self.overlong += self.buf.len() as u64;
                self.buf.clear();
            }
            scanned = self.buf.len();
            self.listen();
            let len = self.buf.len();
            self.buf.resize(len + STEP, 0);
            let result = self.stdout.read(&mut self.buf[len..]);
            self.buf.truncate(len + *result.as_ref().unwrap_or(&0));
            match result {
                // what has no line break was cut off
                Ok(0) => return Ok(Got::End),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Got::Nothing),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until there is something to read, at most so long. Whether there is.
    pub(super) fn wait(&self, time: Duration) -> io::Result<bool> {
        let time = Timespec::try_from(time).map_err(io::Error::other)?;
        let mut fds = [PollFd::new(&self.stdout, PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&time)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Returns whether it wrote to its standard error.
    pub(super) fn has_words(&self) -> bool {
        !self.words.is_empty()
    }

    /// Reads its standard error, of which the end is kept; a flood has its bound per call.
    fn listen(&mut self) {
        let Some(stderr) = &mut self.stderr else {
            return;
        };
        let mut buf = [0; 4096];
        for _ in 0..64 {
            match stderr.read(&mut buf) {
                Ok(0) => {
                    self.stderr = None;
                    return;
                }
                Ok(n) => {
                    self.words.extend_from_slice(&buf[..n]);
                    let old = self.words.len().saturating_sub(WORDS_BYTES);
                    self.words.drain(..old);
                }
                Err(_) => return,
            }
        }
    }

    /// Returns the end of its standard error.
    pub(super) fn words(&mut self) -> String {
        self.listen();
        String::from_utf8_lossy(&self.words).trim().to_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.child.id().cast_signed()) {
            // it may be gone already
            let _gone = rustix::process::kill_process_group(group, Signal::KILL);
        }
        let _status = self.child.wait();
    }
}
