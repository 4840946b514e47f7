//! Names without an allocation for each.

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

/// Bytes of a name that needs no memory of its own.
const SHORT: usize = 22;

/// A name; nearly every one is short.
#[derive(Debug)]
pub(super) enum Name {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Box<str>),
}

impl Default for Name {
    fn default() -> Self {
        Self::Short {
            length: 0,
            bytes: [0; SHORT],
        }
    }
}

impl Name {
    /// Takes another name.
    pub(super) fn set(&mut self, name: &str) {
        let mut bytes = [0; SHORT];
        *self = match bytes.get_mut(..name.len()) {
            Some(place) => {
                place.copy_from_slice(name.as_bytes());
                let length = name.len() as u8;
                Self::Short { length, bytes }
            }
            None => Self::Long(name.into()),
        };
    }

    /// Returns the name.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Short { length, bytes } => {
                std::str::from_utf8(&bytes[..usize::from(*length)]).unwrap_or_default()
            }
            Self::Long(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_length_is_returned() {
        let mut name = Name::default();
        assert_eq!(name.as_str(), "");
        for length in [1, SHORT - 1, SHORT, SHORT + 1, 3, 300, 0] {
            for letter in ["a", "ä"] {
                let text = letter.repeat(length);
                name.set(&text);
                assert_eq!(name.as_str(), text);
            }
        }
    }

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
