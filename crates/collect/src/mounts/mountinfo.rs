//! `/proc/self/mountinfo`: mounts and their places, see proc(5).
//!
//! Blanks, tabs, newlines and backslashes of paths are written in octal. Several mounts may lie
//! on one place, of which the last is seen, and a mount may hide others that lie below its place.
//! Both are recognised by the numbers of a mount and of its parent.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::fields::{fields, lines, number};

/// One line; paths are as the kernel wrote them, escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) id: u64,
    pub(crate) parent: u64,
    /// `major:minor` of the file system.
    pub(crate) device: &'a [u8],
    /// Mounted part of the file system; `/` for all of it.
    pub(crate) root: &'a [u8],
    pub(crate) mount: &'a [u8],
    /// Options of this mount, not of its file system.
    mount_options: &'a [u8],
    pub(crate) fs_type: &'a [u8],
    pub(crate) source: &'a [u8],
    /// Options of the file system, not of this mount of it.
    pub(crate) super_options: &'a [u8],
}

impl Line<'_> {
    /// Returns whether the file system can only be read. A mount may be read-only by itself, as all are
    /// in the sandbox of a service: which is not about the file system. From 6.15 on, ext4 reports an emergency by a
    /// word of its own.
    pub(crate) fn read_only(&self) -> bool {
        has(self.super_options, b"ro") || self.is_emergency()
    }

    /// Returns whether it is to be writable as far as its own options tell. mount(8) makes both mount and file system
    /// read-only; the kernel, after an error, only the file system.
    pub(crate) fn is_to_be_writable(&self) -> Option<bool> {
        (has(self.mount_options, b"rw") || self.is_emergency()).then_some(true)
    }

    fn is_emergency(&self) -> bool {
        has(self.super_options, b"emergency_ro")
    }
}

/// Returns whether a list of options has this one.
fn has(options: &[u8], wanted: &[u8]) -> bool {
    options
        .split(|&byte| byte == b',')
        .any(|option| option == wanted)
}

/// Reads the file; lines of another form are left out.
pub(crate) fn parse(text: &[u8]) -> Vec<Line<'_>> {
    lines(text).filter_map(line).collect()
}

fn line(text: &[u8]) -> Option<Line<'_>> {
    let mut words = fields(text);
    let id = number(words.next()?)?;
    let parent = number(words.next()?)?;
    let device = words.next()?;
    let root = words.next()?;
    let mount = words.next()?;
    let mount_options = words.next()?;
    words.find(|word| *word == b"-")?;
    Some(Line {
        id,
        parent,
        device,
        root,
        mount,
        mount_options,
        fs_type: words.next()?,
        source: words.next().unwrap_or_default(),
        super_options: words.next().unwrap_or_default(),
    })
}

/// Bytes of a path with its octal escapes undone.
pub(crate) fn unescape(path: &[u8]) -> Cow<'_, [u8]> {
    if !path.contains(&b'\\') {
        return Cow::Borrowed(path);
    }
    let mut plain = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = match tail {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] if byte == b'\\' => {
                Some((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'))
            }
            _ => None,
        };
        plain.push(escaped.unwrap_or(byte));
        rest = match escaped {
            Some(_) => tail.get(3..).unwrap_or_default(),
            None => tail,
        };
    }
    Cow::Owned(plain)
}

/// Every mount, to ask which of them a path leads to.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    by_id: HashMap<u64, &'a Line<'a>>,
    /// Mounts by their parent and place.
    children: HashMap<(u64, &'a [u8]), u64>,
}

/// No mount is nested deeper; ends a walk over numbers that lead in a circle.
const DEEPEST: usize = 64;

impl<'a> Tree<'a> {
    pub(crate) fn new(mounts: &'a [Line<'a>]) -> Self {
        Self {
            by_id: mounts.iter().map(|mount| (mount.id, mount)).collect(),
            children: mounts
                .iter()
                .map(|mount| ((mount.parent, mount.mount), mount.id))
                .collect(),
        }
    }

    /// Returns the mount with all that it is mounted in, from the inside out.
    pub(crate) fn upwards(&self, mount: &'a Line<'a>) -> impl Iterator<Item = &'a Line<'a>> {
        std::iter::successors(Some(mount), |mount| {
            let parent = self.by_id.get(&mount.parent)?;
            (parent.id != mount.id).then_some(*parent)
        })
        .take(DEEPEST)
    }

    /// Returns whether its place leads to it, and not to a mount that covers it or its place.
    pub(crate) fn is_seen(&self, mount: &'a Line<'a>) -> bool {
        let covered = self
            .children
            .get(&(mount.id, mount.mount))
            .is_some_and(|id| *id != mount.id);
        !covered && self.upwards(mount).all(|outer| !self.is_hidden(outer))
    }

    /// Returns whether another mount within the same one covers a directory above its place.
    fn is_hidden(&self, mount: &Line<'_>) -> bool {
        // within one mount, a later mount on a directory above takes those below it along
        (0..mount.mount.len())
            .filter(|&at| mount.mount.get(at) == Some(&b'/'))
            .filter_map(|at| mount.mount.get(..at.max(1)))
            .filter(|above| above.len() < mount.mount.len())
            .filter_map(|above| self.children.get(&(mount.parent, above)))
            .any(|id| *id != mount.id)
    }
}
