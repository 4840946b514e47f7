//! Which series an expression looks at.

use super::internal::is_internal;

/// The alternative that stands for names of the house.
const INTERNAL: &str = "@internal";

/// Which series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Name of the metric.
    pub name: String,
    /// What its labels must be.
    pub matchers: Vec<Matcher>,
}

/// A condition on one label; a label that is not there is an empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    /// Name of the label.
    pub label: String,
    /// Whether the value must not be like the pattern.
    pub negated: bool,
    /// The alternatives, each as the texts between which anything may stand.
    alternatives: Vec<Vec<String>>,
}

impl Matcher {
    pub(super) fn new(label: &str, negated: bool, pattern: &str) -> Self {
        let mut alternatives = vec![vec![String::new()]];
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            let (c, escaped) = match c {
                '\\' => (chars.next().unwrap_or('\\'), true),
                c => (c, false),
            };
            let Some(parts) = alternatives.last_mut() else {
                continue;
            };
            match c {
                '|' if !escaped => alternatives.push(vec![String::new()]),
                '*' if !escaped => parts.push(String::new()),
                c => {
                    if let Some(part) = parts.last_mut() {
                        part.push(c);
                    }
                }
            }
        }
        Self {
            label: label.to_owned(),
            negated,
            alternatives,
        }
    }

    /// Returns whether a label of this value fulfils it.
    #[must_use]
    pub fn admits(&self, value: &str) -> bool {
        self.alternatives.iter().any(|parts| is_like(parts, value)) != self.negated
    }

    /// Returns whether it describes the outcome of requests, as a status or a method, rather than whose they are. A series
    /// of an outcome is made when that first occurs: that there is none means that it never did. That there
    /// is none of a host or a handler means that the condition does not fit.
    #[must_use]
    pub fn is_of_outcome(&self) -> bool {
        OUTCOMES.contains(&self.label.as_str())
    }
}

/// Labels for the outcome of a request, or its kind.
const OUTCOMES: [&str; 24] = [
    "class",
    "code",
    "code_class",
    "direction",
    "envoy_response_code",
    "envoy_response_code_class",
    "error",
    "http_code",
    "http_method",
    "http_request_method",
    "http_response_status_code",
    "http_status",
    "http_status_code",
    "method",
    "outcome",
    "reason",
    "response_code",
    "result",
    "state",
    "status",
    "status_class",
    "status_code",
    "verb",
    "version",
];

/// Returns whether `value` is these parts with anything between two of them, or internal where they ask for that.
fn is_like(parts: &[String], value: &str) -> bool {
    match parts {
        [whole] if whole == INTERNAL => is_internal(value),
        [whole] => whole == value,
        [first, between @ .., last] => {
            let Some(mut rest) = value.strip_prefix(first.as_str()) else {
                return false;
            };
            for part in between {
                match rest.find(part.as_str()) {
                    Some(at) => rest = &rest[at + part.len()..],
                    None => return false,
                }
            }
            rest.ends_with(last.as_str())
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_alternatives_with_gaps() {
        for (pattern, value, admitted) in [
            ("2*|304", "200", true),
            ("2*|304", "304", true),
            ("2*|304", "404", false),
            ("*", "", true),
            ("", "", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("ab*b", "ab", false),
            ("*.5", "1.5", true),
            (r"\*", "*", true),
            (r"\*", "a", false),
            (r"a\|b|c", "a|b", true),
            (r"a\|b|c", "b", false),
            (r"a\", r"a\", true),
            ("@internal", "stats", true),
            ("traefik|@internal", "traefik", true),
            ("traefik|@internal", "web", false),
            ("x@internal", "stats", false),
        ] {
            for negated in [false, true] {
                let matcher = Matcher::new("", negated, pattern);
                assert_eq!(
                    matcher.admits(value),
                    admitted != negated,
                    "{pattern} {value}"
                );
            }
        }
    }
}
