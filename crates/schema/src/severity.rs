//! Severity: one scale and one spelling for thresholds, findings, stored rows and the API.

/// Severity, from good to bad. Unknown is worse than good and better than known to be bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "api",
    derive(serde::Serialize, ts_rs::TS),
    serde(rename_all = "snake_case"),
    ts(rename_all = "snake_case")
)]
pub enum Severity {
    /// Nothing to do.
    Ok,
    /// Unknown.
    #[default]
    Unknown,
    /// Informational.
    Info,
    /// Degraded; act soon.
    Warn,
    /// Act now.
    Critical,
}

impl Severity {
    /// Every severity, from good to bad.
    pub const ALL: [Self; 5] = [
        Self::Ok,
        Self::Unknown,
        Self::Info,
        Self::Warn,
        Self::Critical,
    ];

    /// Returns its word in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Critical => "critical",
        }
    }

    /// Parses what [`Severity::as_str`] returns.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// Returns whether it needs action.
    #[must_use]
    pub const fn is_problem(self) -> bool {
        matches!(self, Self::Warn | Self::Critical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_severity_has_one_place_and_one_word() {
        assert!(Severity::ALL.is_sorted());
        for severity in Severity::ALL {
            assert_eq!(Severity::parse(severity.as_str()), Some(severity));
        }
        assert_eq!(Severity::parse("crit"), None);
    }
}
