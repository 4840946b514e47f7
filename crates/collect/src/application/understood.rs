//! Checks whether a readable answer has the expected values.
//!
//! An exporter answers for a program that may be down, and reports that in a series: `nginx_up 0`. A
//! mapping may be another program's. Both answer with status 200 and readable series.

use std::collections::BTreeMap;

use super::exposition::Exposition;

/// Columns named in a note.
const NAMED: usize = 4;

/// How many of the expected columns were ever found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Understood {
    /// Columns that were found.
    pub filled: usize,
    /// Columns that the mapping promises; none where names are optional.
    pub mapped: usize,
    /// Those of them that were never found.
    pub unfilled: Vec<&'static str>,
}

impl Understood {
    /// Returns whether most of the promised columns were never found.
    #[must_use]
    pub fn lacks_most(&self) -> bool {
        2 * self.unfilled.len() > self.mapped
    }

    /// Returns a note about the missing columns, when they are most of them.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        self.lacks_most().then(|| {
            format!(
                "{} of {} columns were never found: {}; it had no request so far, or its mapping does not fit",
                self.unfilled.len(),
                self.mapped,
                self.named()
            )
        })
    }

    /// Returns the first of the columns that were never found.
    #[must_use]
    pub fn named(&self) -> String {
        let mut named = self
            .unfilled
            .iter()
            .take(NAMED)
            .copied()
            .collect::<Vec<_>>();
        if self.unfilled.len() > NAMED {
            named.push("…");
        }
        named.join(", ")
    }
}

/// A program that its exporter reports as down.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Down {
    /// Its series, as `nginx_up is 0`.
    pub(super) series: String,
    /// Its name, as `nginx`.
    pub(super) program: String,
}

/// Returns whether a series of this name reports whether a program is up: `nginx_up`, `probe_success`. A name of more
/// words is about a part, as a server of a proxy.
pub(super) fn is_up_series(name: &str) -> bool {
    name == PROBE || name.strip_suffix("_up").is_some_and(is_word)
}

/// The series of a probe of another machine.
const PROBE: &str = "probe_success";

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Returns the first program that is down by all of its series, where there are several.
pub(super) fn down(body: &Exposition<'_>) -> Option<Down> {
    let mut programs: BTreeMap<&str, f64> = BTreeMap::new();
    for one in body.series.iter().filter(|one| is_up_series(&one.name)) {
        let up = programs.entry(&one.name).or_insert(0.0);
        *up = up.max(one.value);
    }
    let (name, _) = programs.into_iter().find(|(_, up)| *up <= 0.0)?;
    Some(Down {
        series: format!("{name} is 0"),
        program: match name.strip_suffix("_up") {
            Some(program) => program.to_owned(),
            None => "the probed program".to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(body: &str) -> Option<String> {
        let body = Exposition::parse(body.as_bytes(), false, |_| true).unwrap();
        down(&body).map(|down| down.program)
    }

    #[test]
    fn exporters_report_that_their_program_is_down() {
        for (body, expected) in [
            ("nginx_up 0\n", Some("nginx")),
            ("haproxy_up 0\nx 1\n", Some("haproxy")),
            ("mysql_up 0\n", Some("mysql")),
            ("redis_up{alias=\"a\"} 0\n", Some("redis")),
            ("pg_up 0.0\n", Some("pg")),
            (
                "phpfpm_up{pool=\"a\"} 0\nphpfpm_up{pool=\"b\"} 0\n",
                Some("phpfpm"),
            ),
            ("probe_success 0\n", Some("the probed program")),
            ("phpfpm_up{pool=\"a\"} 0\nphpfpm_up{pool=\"b\"} 1\n", None),
            ("nginx_up 1\n", None),
            ("haproxy_server_up{server=\"a\"} 0\n", None),
            ("node_network_up{device=\"eth1\"} 0\n", None),
            ("_up 0\n", None),
        ] {
            assert_eq!(program(body).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn most_is_more_than_half() {
        let lacks = |mapped, unfilled| {
            let understood = Understood {
                filled: 0,
                mapped,
                unfilled: vec!["a"; unfilled],
            };
            understood.lacks_most()
        };
        assert!(!lacks(0, 0) && !lacks(4, 2) && lacks(4, 3) && lacks(1, 1));
    }
}
