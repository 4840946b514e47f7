//! Finding the file of a position among rotated ones, and those that were written after it.

use std::collections::VecDeque;
use std::path::Path;

use super::content::Content;
use super::log_file::{LogFile, Match};
use super::open;
use super::packed::{Packing, Unpacker};
use super::position::FilePosition;
use super::rotated::{Rotated, Series};
use super::state::{State, Status};

/// What a search gave.
#[derive(Debug)]
pub(super) struct Search {
    /// The file of the position.
    pub found: Found,
    /// What was written after it, oldest first, and is to be read from the beginning.
    pub after: VecDeque<LogFile>,
    /// Nothing was renamed under the search.
    pub is_complete: bool,
    /// Which numbers there are.
    pub series: Series,
    /// The number of the file of the position, if rotation numbers files.
    pub number: Option<u32>,
}

/// The file of a position.
#[derive(Debug)]
pub(super) enum Found {
    /// Reading continues in it.
    File(Box<LogFile>),
    /// It begins like it and ends before the position: a copy that was made before the last lines were
    /// read, or a damaged archive.
    Short,
    /// All of it was read: it was not changed since, whatever it is compressed with.
    Read,
    /// It is not there.
    Nothing,
}

/// Looks for the file of `position` in `rotated`, which is in the order of writing. `in_place`: the
/// inode of the position lives on with other content, so its old content can only be in a copy. At most
/// `most` files are opened to be read after it.
pub(super) fn search(
    position: &FilePosition,
    rotated: &[Rotated],
    in_place: bool,
    most: usize,
) -> Search {
    let mut is_complete = true;
    let mut open = |one: &Rotated| match open_rotated(one, position.offset) {
        Ok(file) => Some(file),
        Err(state) => {
            is_complete &= state.status != Status::Missing;
            None
        }
    };
    let mut found = Found::Nothing;
    let mut at = None;
    // by the inode, then by the content: compressing, copying and restoring make new inodes
    let by_inode = (rotated.iter().enumerate())
        .filter(|(_, one)| !in_place && position.identity.is(&one.stat));
    let has_print = position.head.len + position.tail.len > 0;
    let by_content = rotated.iter().enumerate().filter(|(_, one)| {
        let fits = if has_print {
            one.is_since(position.mtime)
        } else {
            one.is_of(position.mtime)
        };
        fits && !position.identity.is(&one.stat)
    });
    for (index, one) in by_inode.chain(by_content) {
        if one.packing == Some(Packing::Unknown) {
            if !one.is_of(position.mtime) {
                continue;
            }
            found = Found::Read;
            at = Some(index);
            break;
        }
        let Some(mut file) = open(one) else { continue };
        match file.resume(position) {
            Match::Yes => found = Found::File(Box::new(file)),
            Match::Short if in_place || one.packing.is_some() => found = Found::Short,
            _ => continue,
        }
        at = Some(index);
        break;
    }
    let after = rotated.iter().enumerate().filter(|(index, one)| match at {
        Some(at) => *index > at,
        None => one.is_since(position.mtime),
    });
    let after = after.filter_map(|(_, one)| open(one)).take(most).collect();
    Search {
        found,
        after,
        is_complete,
        series: Series::new(),
        number: at.and_then(|at| rotated[at].number),
    }
}

fn open_rotated(one: &Rotated, read_before: u64) -> Result<LogFile, State> {
    let opened = open::open(&one.path)?;
    if !opened.stat.is_same_file(&one.stat) {
        return Err(State::new(Status::Missing, renamed(&one.path)));
    }
    let content = match one.packing {
        None => Content::plain(opened.file),
        Some(packing) => {
            let unpacker = Unpacker::new(opened.file, packing, read_before).map_err(|error| {
                State::new(
                    Status::Failed,
                    format!("reading {}: {error}", one.path.display()),
                )
            })?;
            Content::Packed(Box::new(unpacker))
        }
    };
    Ok(LogFile::new(content, opened.stat))
}

fn renamed(path: &Path) -> String {
    format!("{} was renamed while it was opened", path.display())
}
