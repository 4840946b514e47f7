//! Words: texts that many rows share, stored once for each site under an identifier that needs no database.
//!
//! The identifier is the first eight bytes, big-endian, of SHA-256 over the kind, a zero byte and the text. So every
//! process computes the same one, a word may be stored before or after the rows that name it, and two words
//! of one site collide with a probability of n²/2⁶⁵ (for 100,000 words, 3 in 10 billion).

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a word stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordKind {
    /// A page, by its key ([`crate::page_key()`]).
    Page,
    /// Where a visit came from: a name of [`crate::source`] or a host.
    Source,
    /// The address of the referring page, without its query.
    Referrer,
    /// `utm_source`.
    UtmSource,
    /// `utm_medium`.
    UtmMedium,
    /// `utm_campaign`.
    UtmCampaign,
    /// `utm_content`.
    UtmContent,
    /// `utm_term`.
    UtmTerm,
    /// The name of an event.
    Event,
}

impl WordKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Page,
        Self::Source,
        Self::Referrer,
        Self::UtmSource,
        Self::UtmMedium,
        Self::UtmCampaign,
        Self::UtmContent,
        Self::UtmTerm,
        Self::Event,
    ];

    /// Returns its name in `web_analytics_words.kind`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Source => "source",
            Self::Referrer => "referrer",
            Self::UtmSource => "utm_source",
            Self::UtmMedium => "utm_medium",
            Self::UtmCampaign => "utm_campaign",
            Self::UtmContent => "utm_content",
            Self::UtmTerm => "utm_term",
            Self::Event => "event",
        }
    }
}

/// Returns the identifier of a word.
#[must_use]
pub fn word_id(kind: WordKind, text: &str) -> i64 {
    let mut hash = Sha256::new();
    hash.update(kind.as_str().as_bytes());
    hash.update([0]);
    hash.update(text.as_bytes());
    first_eight(&hash.finalize())
}

/// Returns the first eight bytes of a digest as a number.
pub(crate) fn first_eight(digest: &[u8]) -> i64 {
    let mut eight = [0; 8];
    for (to, from) in eight.iter_mut().zip(digest) {
        *to = *from;
    }
    i64::from_be_bytes(eight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_identifier_depends_on_kind_and_text() {
        // printf 'page\0/a/' | sha256sum
        let mut ids = BTreeSet::new();
        for kind in WordKind::ALL {
            for text in ["", "/", "/a/", "google"] {
                assert_eq!(word_id(kind, text), word_id(kind, text));
                assert!(ids.insert(word_id(kind, text)), "{kind:?} {text}");
            }
        }
    }
}
