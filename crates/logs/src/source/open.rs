//! Opening a log without being led astray.
//!
//! The collector may read more than the writer of a log. So only root and the collector's own
//! user may lead it elsewhere: each part of a path is opened below the one before it without
//! following links, and a link is followed only when it and its directory belong to one of the two,
//! or when it leads to a name beside itself, which is as good as that name. What is opened is a
//! regular file, with one name only where others may make names.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::State;
use super::own::OwnOutput;
use super::stat::Stat;
use super::state::Status;

/// More links than this on one path are a loop; the kernel gives up after 40.
const MOST_LINKS: u32 = 8;

/// An open log.
#[derive(Debug)]
pub(super) struct Opened {
    pub file: File,
    pub stat: Stat,
    /// Where it really lies, without links.
    pub real: PathBuf,
}

/// Opens the log at `path`, or states why not.
pub(super) fn open(path: &Path) -> Result<Opened, State> {
    let path = std::path::absolute(path)
        .map_err(|error| State::new(Status::Failed, format!("{}: {error}", path.display())))?;
    let mut walk = Walk::new(&path)?;
    while let Some(part) = walk.rest.pop_front() {
        if part == ".." {
            walk.enter(&part)?;
            continue;
        }
        let found = Stat::at(walk.dir.as_fd(), Path::new(&part))
            .map_err(|errno| walk.fault("looking at", &part, errno))?;
        match found.kind() {
            FileType::Symlink => walk.follow(&part, &found)?,
            FileType::Directory if !walk.rest.is_empty() => walk.enter(&part)?,
            FileType::RegularFile if walk.rest.is_empty() => return walk.open_last(&part),
            kind => return Err(walk.refuse(&part, name_of(kind))),
        }
    }
    Err(State::new(
        Status::Unsafe,
        format!("{} is a directory, not a log", path.display()),
    ))
}

/// Returns the state of affairs that an error of the system means.
pub(super) fn state_of(attempt: &str, path: &Path, errno: Errno) -> State {
    let status = match errno {
        Errno::NOENT | Errno::NOTDIR => Status::Missing,
        Errno::ACCESS | Errno::PERM => Status::Denied,
        _ => Status::Failed,
    };
    let remedy = match status {
        Status::Denied => {
            "; let the collector's user read it, for example as a member of group adm"
        }
        _ => "",
    };
    State::new(
        status,
        format!("{attempt} {}: {errno}{remedy}", path.display()),
    )
}

struct Walk {
    dir: OwnedFd,
    at: PathBuf,
    rest: VecDeque<OsString>,
    links: u32,
}

impl Walk {
    fn new(path: &Path) -> Result<Self, State> {
        Ok(Self {
            dir: open_dir(CWD, Path::new("/"))
                .map_err(|errno| state_of("opening", Path::new("/"), errno))?,
            at: PathBuf::from("/"),
            rest: parts(path).collect(),
            links: 0,
        })
    }

    fn enter(&mut self, part: &OsStr) -> Result<(), State> {
        self.dir = open_dir(self.dir.as_fd(), Path::new(part))
            .map_err(|errno| self.fault("opening", part, errno))?;
        if part == ".." {
            self.at.pop();
        } else {
            self.at.push(part);
        }
        Ok(())
    }

    fn follow(&mut self, part: &OsStr, link: &Stat) -> Result<(), State> {
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(self.refuse(part, "one of too many symbolic links"));
        }
        let target = rustix::fs::readlinkat(self.dir.as_fd(), part, Vec::new())
            .map_err(|errno| self.fault("reading the link", part, errno))?;
        let target = Path::new(OsStr::from_bytes(target.as_bytes())).to_owned();
        let beside = self.rest.is_empty()
            && matches!(
                target.components().collect::<Vec<_>>()[..],
                [Component::Normal(_)]
            );
        let may_follow = beside || is_trusted(link.uid) && self.is_dir_trusted(true)?;
        if !may_follow {
            return Err(self.refuse(
                part,
                "a symbolic link that a user other than root can change; name the file itself",
            ));
        }
        if target.is_absolute() {
            self.dir = open_dir(CWD, Path::new("/"))
                .map_err(|errno| self.fault("following", part, errno))?;
            self.at = PathBuf::from("/");
        }
        for part in parts(&target).collect::<Vec<_>>().into_iter().rev() {
            self.rest.push_front(part);
        }
        Ok(())
    }

    fn open_last(&self, part: &OsStr) -> Result<Opened, State> {
        let flags =
            OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(self.dir.as_fd(), part, flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            // became a link since it was checked
            Err(Errno::LOOP) => return Err(self.refuse(part, "a symbolic link now")),
            Err(errno) => return Err(self.fault("opening", part, errno)),
        };
        let stat = Stat::of_open(&file).map_err(|errno| self.fault("looking at", part, errno))?;
        if !stat.is_regular() {
            return Err(self.refuse(part, name_of(stat.kind())));
        }
        if OwnOutput::of_this_process().has(&stat) {
            return Err(self.refuse(
                part,
                "where the collector writes its own messages; name other files, or send its output elsewhere",
            ));
        }
        if stat.links > 1 && !self.is_dir_trusted(false)? {
            return Err(self.refuse(
                part,
                "a hard link in a directory that a user other than root can write",
            ));
        }
        Ok(Opened {
            file,
            stat,
            real: self.at.join(part),
        })
    }

    /// Returns whether only root and the collector make names here. In a sticky directory each link stays
    /// its owner's; hard links to files of others can be made there all the same.
    fn is_dir_trusted(&self, sticky_will_do: bool) -> Result<bool, State> {
        let stat = Stat::of_dir(self.dir.as_fd())
            .map_err(|errno| state_of("looking at", &self.at, errno))?;
        let is_shared = stat.mode & 0o022 != 0;
        let is_sticky = stat.mode & 0o1000 != 0;
        Ok(is_trusted(stat.uid) && (!is_shared || sticky_will_do && is_sticky))
    }

    fn fault(&self, attempt: &str, part: &OsStr, errno: Errno) -> State {
        state_of(attempt, &self.at.join(part), errno)
    }

    fn refuse(&self, part: &OsStr, what: &str) -> State {
        State::new(
            Status::Unsafe,
            format!("{} is not read: it is {what}", self.at.join(part).display()),
        )
    }
}

fn open_dir(below: impl AsFd, name: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(below, name, flags, Mode::empty())
}

fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    })
}

fn is_trusted(uid: u32) -> bool {
    uid == 0 || uid == rustix::process::geteuid().as_raw()
}

fn name_of(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::Directory => "a directory",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Symlink => "a symbolic link",
        FileType::RegularFile => "a file where a directory is expected",
        _ => "not a regular file",
    }
}
