//! Why a request is not stored: the answer that it gets and the name under which it is counted.

/// A reason. Those that are answered with 202 are not faults of the sender's page, so a page has nothing to retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The body is not valid.
    Invalid,
    /// The body is longer than allowed.
    TooLarge,
    /// The body did not arrive in time.
    TooSlow,
    /// The body is of another type, or compressed.
    Unsupported,
    /// No such site is configured.
    UnknownSite,
    /// The page is not one of the site's hosts.
    ForeignOrigin,
    /// Too many requests of an address, its network, or in all.
    RateLimited,
    /// The queue on disk does not take more.
    Busy,
    /// A program without a reader.
    Bot,
    /// The browser fetched the page ahead of time.
    Prefetch,
    /// One of the operator's own visits.
    OwnVisit,
    /// The site stores nothing.
    Off,
    /// The view was counted already.
    DuplicateView,
    /// The referrer is known for spam.
    SpamReferrer,
    /// Engagement of a view that is not known any more.
    LateEngagement,
    /// An event of an anonymous view, which has no visit to belong to.
    AnonymousEvent,
    /// Hits of the queue that were lost with its disk.
    Lost,
    /// Rows that the database refused for their content.
    Unstorable,
    /// Not a refusal: a salt was renewed within a day, so that visitors of that day are an upper bound.
    SaltRenewed,
    /// Not a refusal: a file of countries, networks or spam cannot be read, so that they are unknown or old. Counted each minute.
    AddressFile,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 20] = [
        Self::Invalid,
        Self::TooLarge,
        Self::TooSlow,
        Self::Unsupported,
        Self::UnknownSite,
        Self::ForeignOrigin,
        Self::RateLimited,
        Self::Busy,
        Self::Bot,
        Self::Prefetch,
        Self::OwnVisit,
        Self::Off,
        Self::DuplicateView,
        Self::SpamReferrer,
        Self::LateEngagement,
        Self::AnonymousEvent,
        Self::Lost,
        Self::Unstorable,
        Self::SaltRenewed,
        Self::AddressFile,
    ];

    /// Returns its name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Unsupported => "unsupported_type",
            Self::UnknownSite => "unknown_site",
            Self::ForeignOrigin => "foreign_origin",
            Self::RateLimited => "rate_limited",
            Self::Busy => "busy",
            Self::Bot => "bot",
            Self::Prefetch => "prefetch",
            Self::OwnVisit => "own_visit",
            Self::Off => "off",
            Self::DuplicateView => "duplicate_view",
            Self::SpamReferrer => "spam_referrer",
            Self::LateEngagement => "late_engagement",
            Self::AnonymousEvent => "anonymous_event",
            Self::Lost => "lost",
            Self::Unstorable => "unstorable",
            Self::SaltRenewed => "salt_renewed",
            Self::AddressFile => "address_file",
        }
    }

    /// Returns whether something was refused; the others are counted beside refusals so that the operator sees them.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        !matches!(self, Self::SaltRenewed | Self::AddressFile)
    }

    /// Returns the status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::ForeignOrigin => 403,
            Self::UnknownSite => 404,
            Self::TooSlow => 408,
            Self::TooLarge => 413,
            Self::Unsupported => 415,
            Self::RateLimited => 429,
            Self::Busy => 503,
            _ => 202,
        }
    }
}

/// A refusal: its reason, and which field or kind it concerns. The detail is one of few words of ours, never text of the
/// request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Refusal {
    /// The reason.
    pub reason: Reason,
    /// What it concerns, or empty.
    pub detail: &'static str,
}

impl Refusal {
    /// Returns a refusal with a detail.
    #[must_use]
    pub const fn new(reason: Reason, detail: &'static str) -> Self {
        Self { reason, detail }
    }

    /// Returns a refusal of a body for one of its fields.
    #[must_use]
    pub const fn invalid(detail: &'static str) -> Self {
        Self::new(Reason::Invalid, detail)
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::new(reason, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_reason_has_words_and_a_remedy() {
        let mut names = BTreeSet::new();
        for reason in Reason::ALL {
            let name = reason.as_str();
            assert!(names.insert(name), "{name}");
            // What is not known stands for itself.
            assert_ne!(store::traffic::reason(name), name);
            assert_ne!(store::traffic::remedy(name), "", "{name}");
        }
    }
}
