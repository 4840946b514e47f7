//! Writes the format
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::Write as _;

/// A page of families.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// Begins a family of samples.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _infallible = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// Writes a sample of the family that was begun.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        for (place, (label, text)) in labels.iter().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            let _infallible = write!(self.0, "{before}{label}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _infallible = writeln!(self.0, " {value}");
    }

    /// Writes a family of one gauge.
    pub fn one(&mut self, name: &str, help: &str, value: f64) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }

    /// Writes a family of one counter.
    pub fn counter(&mut self, name: &str, help: &str, value: f64) {
        self.family(name, "counter", help);
        self.sample(name, &[], value);
    }

    /// Writes which program this is.
    pub fn build(&mut self, program: &str, version: &str) {
        self.family(
            "pqcrypta_build_info",
            "gauge",
            "The version of the program.",
        );
        let labels = [("program", program), ("version", version)];
        self.sample("pqcrypta_build_info", &labels, 1.0);
    }

    /// Returns the page.
    #[must_use]
    pub fn finish(self) -> String {
        self.0
    }
}

/// Returns the value of a label: a name of a host may hold anything.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_whole_numbers_stay_whole() {
        let mut page = Page::default();
        page.one("a", "Words.", 1.0);
        page.family("b", "counter", "Words.");
        page.sample("b", &[("host", "x\"y\\z\n"), ("code", "200")], 1.5);
        assert_eq!(
            page.finish(),
            "# HELP a Words.\n# TYPE a gauge\na 1\n# HELP b Words.\n# TYPE b counter\n\
             b{host=\"x\\\"y\\\\z\\n\",code=\"200\"} 1.5\n"
        );
    }
}
