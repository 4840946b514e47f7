//! A least recently used cache, bounded by entries and by size.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Values by key, the least recently used first. There are few enough that a list is searched.
#[derive(Debug)]
pub(crate) struct Lru<K, V> {
    entries: Mutex<VecDeque<(K, Arc<V>)>>,
    most_entries: usize,
    most_size: usize,
    size_of: fn(&V) -> usize,
}

impl<K: PartialEq, V: Default> Lru<K, V> {
    /// Returns an empty cache that keeps `most_entries`, and no more once they exceed `most_size`, as
    /// `size_of` measures them.
    pub(crate) const fn new(
        most_entries: usize,
        most_size: usize,
        size_of: fn(&V) -> usize,
    ) -> Self {
        Self {
            entries: Mutex::new(VecDeque::new()),
            most_entries,
            most_size,
            size_of,
        }
    }

    /// Returns the value of this key, an empty one where there is none. Entries for which `is_current`
    /// does not hold are dropped first.
    pub(crate) fn get(&self, key: K, is_current: impl Fn(&K) -> bool) -> Arc<V> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(known, _)| is_current(known));
        let at = entries.iter().position(|(known, _)| *known == key);
        if let Some(found) = at.and_then(|at| entries.remove(at)) {
            let value = Arc::clone(&found.1);
            entries.push_back(found);
            return value;
        }
        let size = |entries: &VecDeque<(K, Arc<V>)>| -> usize {
            entries.iter().map(|(_, value)| (self.size_of)(value)).sum()
        };
        while entries.len() >= self.most_entries
            || (!entries.is_empty() && size(&entries) > self.most_size)
        {
            entries.pop_front();
        }
        let value = Arc::<V>::default();
        entries.push_back((key, Arc::clone(&value)));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Sized = Lru<u8, Mutex<usize>>;

    fn size_of(value: &Mutex<usize>) -> usize {
        *value.lock().unwrap()
    }

    fn keys(cache: &Sized) -> Vec<u8> {
        let entries = cache.entries.lock().unwrap();
        entries.iter().map(|(key, _)| *key).collect()
    }

    #[test]
    fn the_least_recently_used_makes_way() {
        let cache = Sized::new(2, 100, size_of);
        for key in [1, 2, 1, 3] {
            cache.get(key, |_| true);
        }
        assert_eq!(keys(&cache), [1, 3]);
        cache.get(3, |key| *key != 1);
        assert_eq!(keys(&cache), [3]);
    }

    #[test]
    fn what_grew_too_large_makes_way() {
        let cache = Sized::new(9, 100, size_of);
        *cache.get(1, |_| true).lock().unwrap() = 101;
        cache.get(1, |_| true);
        assert_eq!(keys(&cache), [1]);
        cache.get(2, |_| true);
        assert_eq!(keys(&cache), [2]);
    }
}
