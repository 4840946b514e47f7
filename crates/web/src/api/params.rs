//! Parameters of a request.

use crate::error::ApiError;

/// Name and value pairs, in their order.
#[derive(Clone, Debug, Default)]
pub struct Params(Vec<(String, String)>);

/// Most pairs of a request.
const MOST: usize = 64;

impl Params {
    /// Parses the query string of an address.
    ///
    /// # Errors
    /// When it is not `name=value&…` in UTF-8, or has too many pairs.
    pub fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let bad = |problem: &str| ApiError::BadRequest(format!("the parameters {problem}"));
        let mut pairs = Vec::new();
        for pair in query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = (decode(name, true), decode(value, true));
            let (Some(name), Some(value)) = decoded else {
                return Err(bad("are not percent-encoded UTF-8"));
            };
            if pairs.len() == MOST {
                return Err(bad("are too many"));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// Returns the last value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Iterates over all pairs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Parses an integer and clamps it to `least..=most`.
    ///
    /// # Errors
    /// When it is not a number.
    pub fn number(&self, name: &str, default: i64, least: i64, most: i64) -> Result<i64, ApiError> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => text
                .parse::<i64>()
                .map(|number| number.clamp(least, most))
                .map_err(|_| ApiError::bad(name, "not an integer")),
        }
    }

    /// Parses an integer that has to be within `least..=most`: what is asked for is answered, or refused with the range.
    ///
    /// # Errors
    /// When it is not.
    pub fn within(&self, name: &str, default: i64, least: i64, most: i64) -> Result<i64, ApiError> {
        let Some(text) = self.get(name) else {
            return Ok(default);
        };
        let number = text.parse::<i64>().ok();
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| ApiError::bad(name, &format!("not an integer from {least} to {most}")))
    }

    /// Returns all parameters but `without` as one text; equal requests have equal texts.
    #[must_use]
    pub fn question(&self, without: &[&str]) -> String {
        let mut text = String::new();
        for (name, value) in self.iter().filter(|(name, _)| !without.contains(name)) {
            for part in [name, value] {
                text.push_str(&part.len().to_string());
                text.push(':');
                text.push_str(part);
            }
        }
        text
    }
}

/// Decodes percent-encoding; with `plus`, `+` is a space.
pub(crate) fn decode(text: &str, plus: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if plus => b' ',
            byte => byte,
        });
    }
    String::from_utf8(out)
        .ok()
        .filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let params = Params::parse(Some("m=a%40b,c&q=%C3%A9+x&q=last&flag&=v")).unwrap();
        assert_eq!(params.get("m"), Some("a@b,c"));
        assert_eq!(params.get("q"), Some("last"));
        assert_eq!(params.get("flag"), Some(""));
        assert_eq!(params.get("none"), None);
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff", "a=%00"] {
            assert!(Params::parse(Some(bad)).is_err(), "{bad}");
        }
        assert!(Params::parse(Some(&"a=1&".repeat(65))).is_err());
    }

    #[test]
    fn numbers_are_brought_into_bounds() {
        let params = Params::parse(Some("px=99999&limit=-3&bad=x")).unwrap();
        assert_eq!(params.number("px", 620, 10, 2000), Ok(2000));
        assert_eq!(params.number("limit", 8, 1, 64), Ok(1));
        assert_eq!(params.number("none", 8, 1, 64), Ok(8));
        assert!(params.number("bad", 8, 1, 64).is_err());
    }

    #[test]
    fn numbers_out_of_range_are_refused_with_the_range() {
        let params = Params::parse(Some("before=61&after=60&at=x")).unwrap();
        let refused =
            ApiError::BadRequest("parameter before: not an integer from 1 to 60".to_owned());
        assert_eq!(params.within("before", 10, 1, 60), Err(refused));
        assert_eq!(params.within("after", 10, 1, 60), Ok(60));
        assert_eq!(params.within("none", 10, 1, 60), Ok(10));
        assert!(params.within("at", 10, 1, 60).is_err());
    }

    #[test]
    fn questions_that_differ_read_differently() {
        let of = |text| Params::parse(Some(text)).unwrap().question(&["since"]);
        assert_ne!(of("a=1&b=2"), of("a=1%26b%3D2"));
        assert_eq!(of("a=1&since=x"), of("a=1"));
    }
}
