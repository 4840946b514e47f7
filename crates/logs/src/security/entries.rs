//! What was counted of one key.

/// Maximum number of entries of a key: more than any threshold.
const MOST: usize = 12;

/// Time, count and address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) ts: i64,
    pub(super) times: u32,
    /// `Peer::key`, folded; zero where addresses are not distinguished.
    pub(super) address: u64,
}

/// The latest entries, in order. The first has a place of its own: most addresses of the Internet are seen once,
/// and there are thousands of them.
#[derive(Debug, Default)]
pub(super) struct Entries {
    first: Option<Entry>,
    further: Vec<Entry>,
}

impl Entries {
    /// Returns every entry.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.first.iter().chain(&self.further)
    }

    /// Adds an entry in place of the first where there are too many.
    pub(super) fn push(&mut self, entry: Entry) {
        if self.first.is_none() {
            self.first = Some(entry);
            return;
        }
        if self.further.len() == MOST - 1 {
            self.first = Some(self.further.remove(0));
        }
        grow(&mut self.further, MOST - 1);
        self.further.push(entry);
    }

    /// Removes the entry of an address and returns its count; zero where there is none.
    pub(super) fn take(&mut self, address: u64) -> u32 {
        let is_it = |entry: &Entry| entry.address == address;
        if let Some(first) = self.first.filter(is_it) {
            self.first = (!self.further.is_empty()).then(|| self.further.remove(0));
            return first.times;
        }
        let found = self.further.iter().position(is_it);
        found.map_or(0, |at| self.further.remove(at).times)
    }

    /// Removes every entry and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.first = None;
        self.further.clear();
    }
}

/// Reserves room for one more element. Most keys have one of at most `most`.
pub(super) fn grow<T>(list: &mut Vec<T>, most: usize) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len().max(1).min(most - list.len().min(most)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn entries_are_those_of_a_list(steps in prop::collection::vec((0..15_u64, 0..8_u32), 0..60)) {
            let mut entries = Entries::default();
            let mut list: Vec<(u64, u32)> = Vec::new();
            for (address, times) in steps {
                if times == 0 {
                    let at = list.iter().position(|(known, _)| *known == address);
                    let expected = at.map_or(0, |at| list.remove(at).1);
                    prop_assert_eq!(entries.take(address), expected);
                } else {
                    if list.len() == MOST {
                        list.remove(0);
                    }
                    list.push((address, times));
                    entries.push(Entry { ts: 0, times, address });
                }
                let shown: Vec<_> = entries.iter().map(|entry| (entry.address, entry.times)).collect();
                prop_assert_eq!(&shown, &list);
            }
        }
    }
}
