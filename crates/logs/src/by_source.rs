//! What is kept for each source.

/// Values by the name of a source. There are few, and one comes many times in a row.
#[derive(Debug)]
pub(crate) struct BySource<T> {
    list: Vec<(Box<str>, T)>,
    last: usize,
}

impl<T> Default for BySource<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            last: 0,
        }
    }
}

impl<T> BySource<T> {
    /// Returns the value of a source that has one.
    pub(crate) fn known(&mut self, name: &str) -> Option<&mut T> {
        self.find(name).map(|at| &mut self.list[at].1)
    }

    /// Returns the value of a source; a new one where it has none.
    pub(crate) fn entry(&mut self, name: &str) -> &mut T
    where
        T: Default,
    {
        let at = self.find(name).unwrap_or_else(|| {
            self.list.push((name.into(), T::default()));
            self.list.len() - 1
        });
        &mut self.list[at].1
    }

    /// Returns every source and its value.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut T)> {
        self.list.iter_mut().map(|(name, value)| (&**name, value))
    }

    #[cfg(test)]
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.list.iter().map(|(_, value)| value)
    }

    fn find(&mut self, name: &str) -> Option<usize> {
        let is_it = |(known, _): &(Box<str>, T)| **known == *name;
        if !self.list.get(self.last).is_some_and(is_it) {
            self.last = self.list.iter().position(is_it)?;
        }
        Some(self.last)
    }
}
