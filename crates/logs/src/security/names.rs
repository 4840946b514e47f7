//! A few names in one allocation.

/// Maximum number of names, for the details.
const MOST: usize = 10;

/// Up to ten distinct names in order of appearance. Each follows its length, two bytes.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<u8>);

impl Names {
    /// Keeps a name while there is room; an empty one is ignored.
    pub(super) fn keep(&mut self, name: &str) {
        let mut known = 0;
        for other in self.iter() {
            if other == name.as_bytes() {
                return;
            }
            known += 1;
        }
        let Ok(length) = u16::try_from(name.len()) else {
            return;
        };
        if name.is_empty() || known == MOST {
            return;
        }
        self.0.reserve_exact(2 + name.len());
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(name.as_bytes());
    }

    /// Takes the names.
    pub(super) fn take(&mut self) -> Vec<String> {
        let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let names = self.iter().map(text).collect();
        self.clear();
        names
    }

    /// Removes the names and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (length, names) = rest.split_first_chunk()?;
            let (name, after) = names.split_at_checked(u16::from_le_bytes(*length).into())?;
            rest = after;
            Some(name)
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
