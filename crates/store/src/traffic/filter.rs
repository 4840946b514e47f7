//! Filters of visits: `dimension=value`.
//!
//! Values of one dimension are alternatives and dimensions must all hold; `!` in front of a value excludes it and `*`
//! in it stands for any characters. An empty value is what is unknown.

use std::fmt;

use serde_json::{Value, json};

/// A property of visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// As the schema knows it: `collector.web_analytics_filter`.
    pub id: &'static str,
    /// Its name.
    pub label: &'static str,
}

const fn dimension(id: &'static str, label: &'static str) -> Dimension {
    Dimension { id, label }
}

/// What visits are filtered by; `prop.KEY`, a property of an event, besides.
pub const DIMENSIONS: &[Dimension] = &[
    dimension("page", "Page"),
    dimension("entry", "Entry page"),
    dimension("exit", "Exit page"),
    dimension("source", "Source"),
    dimension("channel", "Channel"),
    dimension("referrer", "Referrer"),
    dimension("utm_source", "Campaign source"),
    dimension("utm_medium", "Campaign medium"),
    dimension("utm_campaign", "Campaign"),
    dimension("utm_term", "Campaign term"),
    dimension("utm_content", "Campaign content"),
    dimension("country", "Country"),
    dimension("asn", "Network"),
    dimension("language", "Language"),
    dimension("browser", "Browser"),
    dimension("os", "System"),
    dimension("device", "Device"),
    dimension("width", "Width"),
    dimension("consent", "Consent"),
    dimension("event", "Event"),
    dimension("suspect", "Probably programs"),
];

/// The prefix of a property of an event.
const PROPERTY: &str = "prop.";
/// Most values of a question: what one can click together, far below what a statement can be.
const MOST_VALUES: usize = 40;
/// Longest value; no stored word is longer (`key` of a page).
const LONGEST: usize = 512;

/// The filters of a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(Vec<Filter>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Filter {
    dimension: String,
    is_not: bool,
    values: Vec<String>,
}

/// Why filters are not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterError {
    /// There is no such dimension.
    Unknown,
    /// A value is too long.
    Long,
    /// There are too many values.
    Many,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("names nothing that visits are filtered by"),
            Self::Long => write!(f, "has a value of more than {LONGEST} characters"),
            Self::Many => write!(f, "more than {MOST_VALUES} values"),
        }
    }
}

impl Filters {
    /// Adds a value of a dimension.
    ///
    /// # Errors
    /// When there is no such dimension, or the value or their number is out of bounds.
    pub fn add(&mut self, dimension: &str, value: &str) -> Result<(), FilterError> {
        let is_known = DIMENSIONS.iter().any(|known| known.id == dimension)
            || dimension
                .strip_prefix(PROPERTY)
                .is_some_and(|key| !key.is_empty() && key.len() <= LONGEST);
        if !is_known {
            return Err(FilterError::Unknown);
        }
        if value.chars().count() > LONGEST {
            return Err(FilterError::Long);
        }
        if self.0.iter().map(|known| known.values.len()).sum::<usize>() == MOST_VALUES {
            return Err(FilterError::Many);
        }
        let (is_not, value) = match value.strip_prefix('!') {
            Some(value) => (true, value),
            None => (false, value),
        };
        let held = self
            .0
            .iter_mut()
            .find(|known| known.dimension == dimension && known.is_not == is_not);
        match held {
            Some(held) => held.values.push(value.to_owned()),
            None => self.0.push(Filter {
                dimension: dimension.to_owned(),
                is_not,
                values: vec![value.to_owned()],
            }),
        }
        Ok(())
    }

    /// Returns the first value that a dimension shall have.
    #[must_use]
    pub fn first(&self, dimension: &str) -> Option<&str> {
        let held = self
            .0
            .iter()
            .find(|known| known.dimension == dimension && !known.is_not)?;
        held.values.first().map(String::as_str)
    }

    /// Returns them as `collector.web_analytics_filter` takes them; `None`: none.
    #[must_use]
    pub(crate) fn to_json(&self) -> Option<Value> {
        let items = self.0.iter().map(
            |one| json!({ "dimension": one.dimension, "values": one.values, "not": one.is_not }),
        );
        (!self.0.is_empty()).then(|| items.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_dimension_are_alternatives_and_exclusions_stand_apart() {
        let mut filters = Filters::default();
        for (dimension, value) in [
            ("country", "DE"),
            ("country", "FR"),
            ("country", "!IT"),
            ("page", "/a/*"),
        ] {
            filters.add(dimension, value).unwrap();
        }
        assert_eq!(
            filters.to_json(),
            Some(json!([
                { "dimension": "country", "values": ["DE", "FR"], "not": false },
                { "dimension": "country", "values": ["IT"], "not": true },
                { "dimension": "page", "values": ["/a/*"], "not": false },
            ]))
        );
        assert_eq!(filters.first("country"), Some("DE"));
        assert_eq!(filters.first("os"), None);
        assert_eq!(Filters::default().to_json(), None);
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        let mut filters = Filters::default();
        assert_eq!(filters.add("'; DROP", "x"), Err(FilterError::Unknown));
        assert_eq!(filters.add("prop.", "x"), Err(FilterError::Unknown));
        assert_eq!(filters.add("prop.plan", "pro"), Ok(()));
        assert_eq!(
            filters.add("page", &"x".repeat(513)),
            Err(FilterError::Long)
        );
        for at in 1..MOST_VALUES {
            assert_eq!(filters.add("page", &at.to_string()), Ok(()));
        }
        assert_eq!(filters.add("page", "more"), Err(FilterError::Many));
    }
}
