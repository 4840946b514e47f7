//! The key of a page: its path in one form, so that all ways of writing it are one row.
//!
//! Query and fragment are cut, repeated slashes become one, the path begins with a slash, and it ends with
//! one unless its end is a file extension: a full stop, a letter, and at most four letters or digits more.
//! The function `collector.page_key(text)` of the schema does the same; `fixtures/analytics/page_key.json`
//! holds the cases of both.

use std::borrow::Cow;

/// Most bytes of a key; a longer one is cut at a character.
pub const LONGEST_KEY: usize = 512;

/// Returns the key of a path or of a whole path with query.
#[must_use]
pub fn page_key(path: &str) -> Cow<'_, str> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let is_plain = path.starts_with('/') && !path.contains("//");
    if is_plain && (path.ends_with('/') || has_extension(path)) {
        return Cow::Borrowed(path);
    }
    let mut key = String::with_capacity(path.len() + 2);
    key.push('/');
    for character in path.chars() {
        if character != '/' || !key.ends_with('/') {
            key.push(character);
        }
    }
    if !key.ends_with('/') && !has_extension(&key) {
        key.push('/');
    }
    Cow::Owned(key)
}

/// Returns the key of a path, cut to [`LONGEST_KEY`].
#[must_use]
pub fn bounded_key(path: &str) -> String {
    let key = page_key(path);
    crate::text::cut(&key, LONGEST_KEY).to_owned()
}

/// Returns whether the last segment ends with an extension.
fn has_extension(path: &str) -> bool {
    let Some((_, extension)) = path.rsplit_once('.') else {
        return false;
    };
    extension.len() <= 5
        && extension.starts_with(|first: char| first.is_ascii_alphabetic())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(serde::Deserialize)]
    struct Case {
        path: String,
        key: String,
    }

    #[test]
    fn keys_are_those_of_the_fixture() {
        let text = include_str!("../../../fixtures/analytics/page_key.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        assert!(cases.len() > 20);
        for case in cases {
            assert_eq!(page_key(&case.path), case.key, "{:?}", case.path);
        }
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(path in "[/a-zé.?#%0-9]{0,20}") {
            let key = page_key(&path).into_owned();
            prop_assert_eq!(page_key(&key), key.as_str());
            prop_assert!(key.starts_with('/') && !key.contains("//"));
            prop_assert!(!key.contains(['?', '#']));
        }
    }
}
