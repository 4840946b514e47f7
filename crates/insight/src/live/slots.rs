//! Numbers of keys: small, and used again when a key is gone.

use std::collections::HashMap;

/// The keys that history has samples of.
#[derive(Debug, Default)]
pub(super) struct Slots {
    known: HashMap<Box<str>, u32>,
    /// The number of the key NULL, the only one of a single series.
    null: Option<u32>,
    /// Samples by number.
    samples: Vec<u32>,
    /// Numbers without a key.
    free: Vec<u32>,
    has_unused: bool,
}

impl Slots {
    /// Returns the number of a key and counts a sample of it.
    pub(super) fn add(&mut self, key: Option<&str>) -> usize {
        let known = key.map_or(self.null, |key| self.known.get(key).copied());
        let number = known.unwrap_or_else(|| {
            let number = self.free.pop().unwrap_or_else(|| {
                self.samples.push(0);
                u32::try_from(self.samples.len() - 1).unwrap_or(u32::MAX)
            });
            match key {
                Some(key) => drop(self.known.insert(key.into(), number)),
                None => self.null = Some(number),
            }
            number
        });
        self.samples[number as usize] += 1;
        number as usize
    }

    /// Notes that a sample of a key is gone.
    pub(super) fn remove(&mut self, number: usize) {
        self.samples[number] -= 1;
        self.has_unused |= self.samples[number] == 0;
    }

    /// Forgets the keys without samples.
    pub(super) fn sweep(&mut self) {
        if !std::mem::take(&mut self.has_unused) {
            return;
        }
        let (samples, free) = (&self.samples, &mut self.free);
        let mut is_used = |number: u32| {
            let is_used = samples[number as usize] > 0;
            if !is_used {
                free.push(number);
            }
            is_used
        };
        self.known.retain(|_, number| is_used(*number));
        self.null = self.null.filter(|number| is_used(*number));
        if self.known.is_empty() && self.null.is_none() {
            *self = Self::default();
        } else if self.known.capacity() > 64 && self.known.capacity() > 4 * self.known.len() {
            self.known.shrink_to_fit();
        }
    }

    /// Returns a number greater than that of every key.
    pub(super) fn end(&self) -> usize {
        self.samples.len()
    }

    /// Returns the keys with their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Option<&str>, usize)> {
        let null = self.null.iter().map(|number| (None, *number as usize));
        let known = self.known.iter();
        null.chain(known.map(|(key, number)| (Some(&**key), *number as usize)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_used_again_when_its_key_is_gone() {
        let mut slots = Slots::default();
        let (a, b, null) = (slots.add(Some("a")), slots.add(Some("b")), slots.add(None));
        assert_eq!(slots.add(Some("a")), a);
        assert_eq!(slots.end(), 3);
        slots.remove(a);
        slots.remove(b);
        slots.sweep();
        let mut left: Vec<_> = slots.iter().collect();
        left.sort_unstable();
        assert_eq!(left, [(None, null), (Some("a"), a)]);
        assert_eq!(slots.add(Some("c")), b);
        for number in [a, b, null] {
            slots.remove(number);
        }
        slots.sweep();
        assert_eq!((slots.end(), slots.iter().count()), (0, 0));
    }
}
