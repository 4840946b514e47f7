//! Finding a stream's files again after they were renamed, copied or emptied.
//!
//! Every search is for a position: that of the newest file that is open, of the one at the path when it no longer
//! holds what was read from it, or the stored one after a start. A search under which files are renamed is not
//! acted upon; it is repeated a few times, and then left to the next poll.

use std::collections::VecDeque;

use super::super::chunk::GapReason;
use super::super::log_file::{LogFile, Match};
use super::super::position::{FilePosition, Identity};
use super::super::rotated;
use super::super::search::{self, Found, Search};
use super::super::stat::Stat;
use super::{HOLE_LASTS, MOST_FILES, SEARCHES, SURE_OFFSET, Stream};

impl Stream {
    /// Handles a change of the newest file, of which nothing was read. It may have been written to, copied
    /// and emptied since the last poll; then copies lie beside it that were not there before.
    pub(super) fn insert_copies(&mut self, current: &Stat) {
        let Some(mut newest) = self.queue.pop_back() else {
            return;
        };
        let anchor = self.anchor().unwrap_or_else(|| newest.position(false));
        let search = self.search_at_rest(&anchor, Some(current), false);
        let search = search.unwrap_or_else(|| self.search(&anchor, Some(current), false));
        let mut copies = search.after;
        if !self.leads_to(Some(current)) {
            // It was renamed since; the next poll follows it.
            copies.clear();
        }
        copies.retain_mut(|copy| {
            copy.content.fill(0, &mut [0]).len > 0 && !copy.is_copied_from(&mut newest)
        });
        for copy in &mut copies {
            copy.mark_copied();
        }
        self.queue.extend(copies);
        self.queue.push_back(newest);
    }

    /// Finds the file of `position` again, and those that came after it. `at_path` is what the path
    /// leads to now. While files are renamed under the search nothing is begun: the next poll tries
    /// again.
    pub(super) fn resume(&mut self, position: &FilePosition, mut at_path: Option<LogFile>) {
        for _ in 0..SEARCHES {
            let current = at_path.as_ref().map(|file| file.seen);
            let is_same = current.is_some_and(|stat| position.identity.is(&stat));
            if is_same && self.go_on_at_path(position, &mut at_path) {
                return;
            }
            let search = self.search(position, current.as_ref(), is_same);
            if search.is_complete && self.leads_to(current.as_ref()) {
                if !self.is_believed(&search) {
                    return;
                }
                self.go_on_behind(position, is_same, search, at_path);
                return;
            }
            at_path = self.open_path();
        }
    }

    /// Returns whether the path leads to this file still; to none, when that is what it did.
    fn leads_to(&self, current: Option<&Stat>) -> bool {
        Stat::of(&self.path).ok().map(|stat| stat.ino) == current.map(|stat| stat.ino)
    }

    /// Goes on with what a search for `position` gave. `is_same`: the path leads to its inode.
    fn go_on_behind(
        &mut self,
        position: &FilePosition,
        is_same: bool,
        mut search: Search,
        mut at_path: Option<LogFile>,
    ) {
        if matches!(search.found, Found::Nothing)
            && position.offset >= SURE_OFFSET
            && self.go_on_at_path(position, &mut at_path)
        {
            return;
        }
        if at_path.is_none() && search.after.is_empty() && !matches!(search.found, Found::File(_)) {
            return;
        }
        match search.found {
            Found::File(mut file) => {
                file.generation = position.generation;
                if is_same || position.copied && !position.ended {
                    file.mark_copied();
                }
                search.after.push_front(*file);
            }
            Found::Short if is_same => self.gaps.push(self.gap(GapReason::CopyTruncated)),
            Found::Short => self.gaps.push(self.gap(GapReason::Undecodable)),
            Found::Read => {}
            Found::Nothing if is_same => self.gaps.push(self.gap(GapReason::Truncated)),
            // as after a plain deletion; but where later ones are kept, more may be gone
            Found::Nothing if position.ended && search.after.is_empty() => {}
            Found::Nothing => self.gaps.push(self.gap(GapReason::Vanished)),
        }
        self.last = None;
        if is_same || position.copied {
            self.append_copies(search.after, at_path);
        } else {
            self.append(search.after, at_path);
        }
    }

    /// Goes on in the file at the path, if it is that of `position`.
    fn go_on_at_path(&mut self, position: &FilePosition, at_path: &mut Option<LogFile>) -> bool {
        let Some(mut file) = at_path.take_if(|file| file.resume(position) == Match::Yes) else {
            return false;
        };
        file.generation = position.generation;
        self.queue.push_back(file);
        self.is_current = true;
        self.last = None;
        true
    }

    /// Returns the end of the newest file that holds anything; an empty one has nothing to know it by.
    fn anchor(&mut self) -> Option<FilePosition> {
        let newest = self.queue.back_mut().map(LogFile::end);
        if newest.as_ref().is_some_and(|newest| newest.offset > 0) {
            return newest;
        }
        let older = (self.queue.iter_mut().rev())
            .map(LogFile::end)
            .find(|end| end.offset > 0);
        older.or_else(|| self.last_done().cloned()).or(newest)
    }

    /// Handles a path that leads to another file than the newest open one.
    pub(super) fn follow_rotation(&mut self) {
        let Some(anchor) = self.anchor() else {
            return;
        };
        for _ in 0..SEARCHES {
            let at_path = self.open_path();
            let current = at_path.as_ref().map(|file| file.seen);
            let search = self.search(&anchor, current.as_ref(), false);
            if search.is_complete && self.leads_to(current.as_ref()) {
                if !self.is_believed(&search) {
                    return;
                }
                if matches!(search.found, Found::Nothing) && !search.after.is_empty() {
                    // the newest one is gone and later ones are there: some between may be gone, too
                    self.gaps.push(self.gap(GapReason::Vanished));
                }
                self.append(search.after, at_path);
                return;
            }
        }
    }

    /// Returns the file at the path does not hold any more what was read from it. `false` while copies of
    /// it are renamed: the next poll tries again.
    pub(super) fn replace_rewritten(&mut self) -> bool {
        if !self.is_current || self.queue.len() != 1 {
            if let Some(front) = self.queue.front_mut() {
                front.last_gap = Some(front.gap(GapReason::Truncated, front.lost()));
                front.gone = true;
            }
            return true;
        }
        let Some(position) = self.queue.front().map(|front| front.position(false)) else {
            return true;
        };
        let at_path = self.open_path();
        let current = at_path.as_ref().map(|file| &file.seen);
        let Some(search) = self.search_at_rest(&position, current, true) else {
            return false;
        };
        if !self.is_believed(&search) {
            return false;
        }
        let Some(front) = self.queue.front_mut() else {
            return true;
        };
        match search.found {
            Found::File(copy) => {
                front.go_on_in(*copy);
            }
            Found::Short | Found::Read => {
                front.gone = true;
                front.last_gap = Some(front.gap(GapReason::CopyTruncated, None));
            }
            Found::Nothing => {
                front.gone = true;
                front.last_gap = Some(front.gap(GapReason::Truncated, front.lost()));
            }
        }
        self.append_copies(search.after, at_path);
        true
    }

    /// Appends what a log left that is rotated by copying. A copy that is being made is found again
    /// when the file was emptied.
    fn append_copies(&mut self, mut after: VecDeque<LogFile>, mut at_path: Option<LogFile>) {
        if let Some(current) = &mut at_path {
            after.retain_mut(|one| !one.is_copied_from(current));
        }
        self.append(after, at_path);
    }

    /// Returns whether a search may be acted upon. One that misses a number is believed when the next poll finds
    /// the same, and the missing one is a gap then.
    fn is_believed(&mut self, search: &Search) -> bool {
        let is_lacking = (search.number).is_some_and(|from| rotated::lacks(&search.series, from));
        if !is_lacking {
            self.hole = None;
            return true;
        }
        match &self.hole {
            Some((since, series)) if *series == search.series => {
                if (self.now.0 - since.0).abs() < HOLE_LASTS {
                    return false;
                }
                self.hole = None;
                self.gaps.push(self.gap(GapReason::Vanished));
                true
            }
            _ => {
                self.hole = Some((self.now, search.series.clone()));
                false
            }
        }
    }

    fn append(&mut self, after: VecDeque<LogFile>, at_path: Option<LogFile>) {
        let room = self.room.min(MOST_FILES);
        let room = room.saturating_sub(self.queue.len()).max(1);
        let all_fit = after.len() < room;
        self.queue.extend(after.into_iter().take(room));
        self.is_current = false;
        if let Some(file) = at_path.filter(|_| all_fit) {
            self.is_current = true;
            self.queue.push_back(file);
        }
    }

    fn search(&self, position: &FilePosition, current: Option<&Stat>, in_place: bool) -> Search {
        let first = rotated::first(&self.path, &position.identity);
        let (mut rotated, is_settled) = match first.filter(|_| !in_place && !position.copied) {
            Some(first) if self.links_to.is_none() => (vec![first], true),
            _ => rotated::list(&self.path, self.links_to.as_deref()),
        };
        let series = rotated::series(&rotated);
        rotated.retain(|one| {
            let is_one = |identity: &Identity| identity.is(&one.stat);
            !current.is_some_and(|current| current.is_same_file(&one.stat))
                && (is_one(&position.identity)
                    || !self.done.iter().any(|done| is_one(&done.identity))
                        && !self.queue.iter().any(|file| is_one(&file.identity)))
        });
        let most = self.room.min(MOST_FILES);
        let mut search = search::search(position, &rotated, in_place, most);
        search.is_complete &= is_settled;
        search.series = series;
        search
    }

    /// Returns a search under which nothing was renamed; `None` when it does not come to rest.
    fn search_at_rest(
        &self,
        position: &FilePosition,
        current: Option<&Stat>,
        in_place: bool,
    ) -> Option<Search> {
        let mut searches = (0..SEARCHES).map(|_| self.search(position, current, in_place));
        searches.find(|search| search.is_complete)
    }
}
