//! Prometheus text 0.0.4 and OpenMetrics 1.0.
//!
//! One pass over the bytes, a line at a time. Of a line only the series and its value are of use:
//! types, help, units, exemplars and timestamps are skipped, and so are series that no expression asks
//! for: a program serves hundreds, a mapping names twenty. A line that cannot be read is counted and
//! left out; only a body without a single series is an error, and one of OpenMetrics without the
//! mark at its end, since that was cut. A series that is there twice counts once. At most [`MOST_SERIES`] series are kept.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// More than any application that is meant to be watched here serves; a server of services on its
/// own has some thousand.
pub(crate) const MOST_SERIES: usize = 20_000;

/// Name and value of a label.
type Label<'a> = (Cow<'a, str>, Cow<'a, str>);

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) labels: Vec<Label<'a>>,
    pub(crate) value: f64,
}

impl Series<'_> {
    /// Returns the value of a label; an empty text when it is not there.
    pub(crate) fn label(&self, name: &str) -> &str {
        let found = self.labels.iter().find(|(label, _)| label == name);
        found.map_or("", |(_, value)| value)
    }
}

/// A body as series.
#[derive(Debug, Default)]
pub(crate) struct Exposition<'a> {
    pub(crate) series: Vec<Series<'a>>,
    by_name: HashMap<String, Vec<usize>>,
    /// Lines that cannot be read.
    pub(crate) bad_lines: usize,
    /// Series beyond [`MOST_SERIES`].
    pub(crate) left_out: usize,
    /// Series that were there already, by name and labels: the first counts, as at Prometheus.
    pub(crate) repeated: usize,
}

impl<'a> Exposition<'a> {
    /// Parses a body, keeping the series of the names that are wanted.
    pub(crate) fn parse(
        body: &'a [u8],
        open_metrics: bool,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Self, String> {
        let mut found = Self::default();
        let (mut ended, mut passed) = (false, 0_usize);
        let mut known = HashSet::new();
        for line in body.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line == b"# EOF" {
                ended = true;
                break;
            }
            if line.first() == Some(&b'#') || line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let line = std::str::from_utf8(line).ok();
            if line.is_some_and(|line| is_other(line, &wanted)) {
                passed += 1;
                continue;
            }
            match line.and_then(parse_line) {
                Some(_) if found.series.len() == MOST_SERIES => found.left_out += 1,
                Some(series) if !known.insert(identity(&series)) => found.repeated += 1,
                Some(series) => found.push(series),
                None => found.bad_lines += 1,
            }
        }
        if found.series.is_empty() && passed == 0 {
            Err(format!(
                "no series in it, and {} other lines",
                found.bad_lines
            ))
        } else if open_metrics && !ended {
            Err("the mark # EOF at its end is missing".to_owned())
        } else {
            Ok(found)
        }
    }

    fn push(&mut self, series: Series<'a>) {
        let at = self.series.len();
        match self.by_name.get_mut(&*series.name) {
            Some(same) => same.push(at),
            None => {
                self.by_name
                    .insert(series.name.clone().into_owned(), vec![at]);
            }
        }
        self.series.push(series);
    }

    /// Returns every series of this name; `None` when there is not one.
    pub(crate) fn named(&self, name: &str) -> Option<impl Iterator<Item = &Series<'a>>> {
        let found = self.by_name.get(name)?;
        Some(found.iter().map(|at| &self.series[*at]))
    }
}

/// Returns the name and labels, in any order of the labels.
fn identity<'a>(series: &Series<'a>) -> (Cow<'a, str>, Vec<Label<'a>>) {
    let mut labels = series.labels.clone();
    labels.sort_unstable();
    (series.name.clone(), labels)
}

/// Returns whether it is a series of a name that is not wanted, as far as its first bytes show.
fn is_other(line: &str, wanted: impl Fn(&str) -> bool) -> bool {
    let (name, rest) = plain_name(line.trim_start());
    let labelled = rest.trim_start().starts_with('{');
    let value = || rest.split_ascii_whitespace().next().and_then(number);
    let cut = rest.starts_with(|c: char| c == '{' || c.is_ascii_whitespace());
    !name.is_empty() && cut && !wanted(name) && (labelled || value().is_some())
}

/// Returns a name that needs no quotes, perhaps empty, and what follows it.
fn plain_name(text: &str) -> (&str, &str) {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    text.split_at(text.find(|c| !plain(c)).unwrap_or(text.len()))
}

/// `name{label="value",…} value [timestamp] [# exemplar]`, or `{"name",label="value"} value …`.
fn parse_line(line: &str) -> Option<Series<'_>> {
    let (name, mut rest) = plain_name(line.trim_start());
    if !rest.starts_with(|c: char| c == '{' || c.is_ascii_whitespace()) {
        return None;
    }
    let mut name = Cow::Borrowed(name);
    let mut labels = Vec::new();
    if let Some(inner) = rest.trim_start().strip_prefix('{') {
        rest = inner;
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (key, after) = match rest.strip_prefix('"') {
                Some(inner) => quoted(inner)?,
                None => {
                    let (key, after) = plain_name(rest);
                    (Cow::Borrowed(key), after)
                }
            };
            rest = after.trim_start();
            match rest.strip_prefix('=') {
                Some(after) => {
                    let (value, after) = quoted(after.trim_start().strip_prefix('"')?)?;
                    if key.is_empty() {
                        return None;
                    }
                    labels.push((key, value));
                    rest = after;
                }
                // A name that had to be quoted stands among the labels.
                None if name.is_empty() => name = key,
                None => return None,
            }
            rest = rest.trim_start();
            match rest.strip_prefix(',') {
                Some(after) => rest = after,
                None if rest.starts_with('}') => {}
                None => return None,
            }
        }
    }
    let value = number(rest.split_ascii_whitespace().next()?)?;
    (!name.is_empty()).then_some(Series {
        name,
        labels,
        value,
    })
}

/// Returns a value as both formats write it.
fn number(text: &str) -> Option<f64> {
    // The standard library reads the same words, and a few more that are not in use.
    text.parse().ok()
}

/// Returns the text up to the closing quote, with `\\`, `\"` and `\n` resolved, and what follows.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut out = String::new();
    let mut from = 0;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' if out.is_empty() => return Some((Cow::Borrowed(&text[..at]), &text[at + 1..])),
            b'"' => {
                out.push_str(&text[from..at]);
                return Some((Cow::Owned(out), &text[at + 1..]));
            }
            b'\\' => {
                let (_, escaped) = bytes.next()?;
                out.push_str(&text[from..at]);
                match escaped {
                    b'n' => out.push('\n'),
                    b'\\' => out.push('\\'),
                    b'"' => out.push('"'),
                    // Kept as it stands.
                    _ => {
                        out.push('\\');
                        from = at + 1;
                        continue;
                    }
                }
                from = at + 2;
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
#[path = "exposition_tests.rs"]
mod tests;
