//! Whether an answer that can be read is understood.
//!
//! An exporter answers for a program that may be gone, and says so in a series of its own: `nginx_up 0`. A
//! mapping may be another program's. Both answer with status 200 and series that can be read.

use std::collections::BTreeMap;

use super::exposition::Exposition;

/// Columns named in a note.
const NAMED: usize = 4;

/// How much of what is looked for was ever found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Understood {
    /// Columns that were found.
    pub filled: usize,
    /// Columns that the mapping promises; none where names are merely looked for.
    pub mapped: usize,
    /// Those of them that were never found.
    pub unfilled: Vec<&'static str>,
}

impl Understood {
    /// Whether most of what is promised was never found.
    #[must_use]
    pub fn lacks_most(&self) -> bool {
        2 * self.unfilled.len() > self.mapped
    }

    /// What was never found, in words, when it is most of it.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        self.lacks_most().then(|| {
            format!(
                "{} of {} columns were never there: {}; it had no request so far, or its mapping does not fit",
                self.unfilled.len(),
                self.mapped,
                self.named()
            )
        })
    }

    /// The first of the columns that were never found.
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

/// What an exporter says of a program that is down.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Down {
    /// As `nginx_up is 0`.
    pub(super) says: String,
    /// As `nginx`.
    pub(super) program: String,
}

/// Whether a series of this name says whether a program is up: `nginx_up`, `probe_success`. A name of more
/// words is about a part, as a server behind a proxy.
pub(super) fn says_up(name: &str) -> bool {
    name == PROBE || name.strip_suffix("_up").is_some_and(is_word)
}

/// What a probe of another machine calls it.
const PROBE: &str = "probe_success";

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The first program that is down by all of its series, where there are several.
pub(super) fn down(body: &Exposition<'_>) -> Option<Down> {
    let mut programs: BTreeMap<&str, f64> = BTreeMap::new();
    for one in body.series.iter().filter(|one| says_up(&one.name)) {
        let up = programs.entry(&one.name).or_insert(0.0);
        *up = up.max(one.value);
    }
    let (name, _) = programs.into_iter().find(|(_, up)| *up <= 0.0)?;
    Some(Down {
        says: format!("{name} is 0"),
        program: match name.strip_suffix("_up") {
            Some(program) => program.to_owned(),
            None => "what it probes".to_owned(),
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
    fn exporters_say_that_their_program_is_down() {
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
            ("probe_success 0\n", Some("what it probes")),
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
