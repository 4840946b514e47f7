//! A few names in one piece of memory.

/// Names kept, for the details.
const MOST: usize = 10;

/// Up to ten names, each once, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// All of them, one behind the other.
    text: String,
    /// Where each ends.
    ends: [u16; MOST],
    count: u8,
}

impl Names {
    /// Keeps a name while there is room. Nothing is no name.
    pub(super) fn keep(&mut self, name: &str) {
        let count = usize::from(self.count);
        if name.is_empty() || count == MOST || self.iter().any(|known| known == name) {
            return;
        }
        let Ok(end) = u16::try_from(self.text.len() + name.len()) else {
            return;
        };
        self.text.push_str(name);
        self.ends[count] = end;
        self.count += 1;
    }

    /// Gives them away.
    pub(super) fn take(&mut self) -> Vec<String> {
        let names = self.iter().map(str::to_owned).collect();
        self.clear();
        names
    }

    /// Forgets them and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.count = 0;
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let mut begin = 0;
        let ends = self.ends.iter().take(self.count.into());
        ends.map(move |end| {
            let end = usize::from(*end);
            &self.text[std::mem::replace(&mut begin, end)..end]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_once_and_in_order_and_no_more_than_ten() {
        let mut names = Names::default();
        for name in ["b", "", "ä", "b", "äb"] {
            names.keep(name);
        }
        assert_eq!(names.take(), ["b", "ä", "äb"]);
        assert_eq!(names.take(), [""; 0]);
        for number in 0..20 {
            names.keep(&number.to_string());
        }
        assert_eq!(names.take().len(), MOST);
    }
}
