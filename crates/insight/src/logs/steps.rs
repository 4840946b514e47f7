//! Steps of advice, filled with the names in a line.
//!
//! A step is written with fields in braces, `namei -l {path}`, which are filled with names in the message of the
//! finding. Of a step's variants the first whose fields are all known is taken; a step without one is
//! left out, so that no step shows a placeholder. A value is text from outside and ends
//! up in a command: it is taken only where it consists of characters that mean nothing to a shell, or stands
//! between SQL quotes. Pure.

use std::net::IpAddr;

/// The ways to write one step, the most exact first.
pub type Variants = &'static [&'static str];

/// Longest value, bytes.
const LONGEST: usize = 120;
/// Kinds of units that a message names.
const UNITS: [&str; 6] = [
    ".service", ".socket", ".timer", ".mount", ".path", ".target",
];
/// How names of block devices begin.
const DISKS: [&str; 8] = ["sd", "hd", "vd", "xvd", "nvme", "mmcblk", "md", "dm-"];

/// Names in a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Address or name of a host.
    host: Option<String>,
    port: Option<u16>,
    /// A path in the file system, or the directory it is in.
    path: Option<String>,
    /// Block device, without `/dev/`.
    disk: Option<String>,
    unit: Option<String>,
    account: Option<String>,
    /// Table, view or index; without its schema.
    relation: Option<String>,
}

impl Facts {
    /// Reads a message.
    #[must_use]
    pub fn of(message: &str) -> Self {
        let text = without_spaced_paths(message);
        let words: Vec<&str> = text.split_whitespace().map(bare).collect();
        let (host, port) = endpoint(message, &words);
        Self {
            host,
            port,
            path: words.iter().find_map(|word| path(word)),
            disk: disk(&words),
            unit: words.iter().find_map(|word| unit(word)),
            account: account(message, &words),
            relation: relation(message, &words),
        }
    }

    /// Returns the value of a field of a step.
    fn value(&self, field: &str) -> Option<String> {
        match field {
            "host" => self.host.clone(),
            // A URL has an address of version 6 between brackets.
            "url_host" => self.host.as_ref().map(|host| {
                if host.contains(':') {
                    format!("[{host}]")
                } else {
                    host.clone()
                }
            }),
            "port" => self.port.map(|port| port.to_string()),
            "path" => self.path.clone(),
            "disk" => self.disk.clone(),
            "unit" => self.unit.clone(),
            "account" => self.account.clone(),
            "relation" => self.relation.clone(),
            _ => None,
        }
    }

    /// Fills one way to write a step; `None` when a field is not known.
    fn fill(&self, template: &str) -> Option<String> {
        let mut step = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, tail)) = rest.split_once('{') {
            let (field, after) = tail.split_once('}')?;
            step.push_str(before);
            step.push_str(&self.value(field)?);
            rest = after;
        }
        step.push_str(rest);
        Some(step)
    }

    /// Returns the steps of an advice that can be done as they stand.
    #[must_use]
    pub fn steps(&self, of: &[Variants]) -> Vec<String> {
        of.iter()
            .filter_map(|variants| variants.iter().find_map(|step| self.fill(step)))
            .collect()
    }
}

/// Returns a message without quoted paths that hold a space, of which a word would be another path.
fn without_spaced_paths(message: &str) -> String {
    let mut rest = message;
    let mut text = String::with_capacity(message.len());
    while let Some(at) = rest.find(['"', '\'']) {
        let quote = if rest[at..].starts_with('"') {
            '"'
        } else {
            '\''
        };
        let (before, tail) = (&rest[..at], &rest[at + 1..]);
        text.push_str(before);
        match tail.split_once(quote) {
            Some((quoted, after)) if quoted.starts_with('/') && quoted.contains(' ') => {
                rest = after
            }
            _ => {
                text.push(quote);
                rest = tail;
            }
        }
    }
    text.push_str(rest);
    text
}

/// Returns a word without the punctuation around it.
fn bare(word: &str) -> &str {
    const AROUND: &str = "\"'`«»„“”‘’(){}<>,;!?";
    word.trim_start_matches(|c| AROUND.contains(c))
        .trim_end_matches(|c| AROUND.contains(c) || ".:".contains(c))
}

/// Returns a value that a shell takes as one word.
fn plain(word: &str, extra: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || extra.contains(c);
    let fits = !word.is_empty() && word.len() <= LONGEST && !word.starts_with('-');
    (fits && word.chars().all(is_plain)).then(|| word.to_owned())
}

fn host(word: &str) -> Option<String> {
    if let Ok(address) = word.parse::<IpAddr>() {
        return Some(address.to_string());
    }
    let named = word.chars().any(|c| c.is_ascii_alphabetic());
    plain(word, ".-").filter(|_| named && !word.starts_with('.'))
}

/// Parses `10.0.0.5:5432`, `[::1]:80`, `db.example:5432`.
fn host_and_port(word: &str) -> Option<(String, u16)> {
    let place = word.rsplit_once("//").map_or(word, |(_, place)| place);
    let (name, port) = place.split('/').next()?.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0)?;
    let inner = name.strip_prefix('[').and_then(|one| one.strip_suffix(']'));
    match inner {
        Some(address) => address
            .parse::<IpAddr>()
            .ok()
            .map(|address| (address.to_string(), port)),
        // `main.rs:12` is a place in a program.
        None => host(name)
            .filter(|name| is_place(name))
            .map(|name| (name, port)),
    }
}

/// Returns whether a name before a colon and a number is that of a host.
fn is_place(name: &str) -> bool {
    const SOURCES: [&str; 14] = [
        "rs", "go", "py", "js", "ts", "rb", "php", "java", "c", "cc", "cpp", "cs", "kt", "sql",
    ];
    let is_address = name.parse::<IpAddr>().is_ok();
    let is_source = name
        .rsplit_once('.')
        .is_some_and(|(_, end)| SOURCES.contains(&end));
    is_address || name == "localhost" || (name.contains('.') && !is_source)
}

/// Returns host and port that could not be reached.
fn endpoint(message: &str, words: &[&str]) -> (Option<String>, Option<u16>) {
    if let Some((host, port)) = words.iter().find_map(|word| host_and_port(word)) {
        return (Some(host), Some(port));
    }
    let after = |name: &str| {
        let mut pairs = words.windows(2);
        pairs.find_map(|pair| (pair[0].eq_ignore_ascii_case(name)).then(|| pair[1]))
    };
    let port = after("port").and_then(|port| port.parse().ok());
    // `connection to server at "db" (10.0.0.5), port 5432 failed`, `connect to host db port 22`,
    // `no such host: db`, `could not translate host name "db"`.
    let is_about_host = message.contains("connect") || message.contains("host");
    let named = ["at", "host", "name", "to"].into_iter().find_map(|word| {
        after(word)
            .filter(|next| !["server", "host", "name", "address", "the", "be", "a"].contains(next))
            .and_then(host)
            .filter(|name| port.is_some() || is_place(name))
    });
    (
        named.filter(|_| is_about_host),
        port.filter(|port| *port > 0),
    )
}

fn path(word: &str) -> Option<String> {
    let text = word.split_once('=').map_or(word, |(_, value)| bare(value));
    let is_path = text.len() > 1 && text.starts_with('/') && !text.starts_with("//");
    plain(text, "/._@+:%-").filter(|_| is_path)
}

fn disk(words: &[&str]) -> Option<String> {
    let known = |name: &str| {
        let name = name.strip_prefix("/dev/").unwrap_or(name);
        let fits = DISKS.iter().any(|start| name.starts_with(start));
        let is_numbered = name.len() > 2 && name.len() <= 16;
        plain(name, "-").filter(|_| fits && is_numbered)
    };
    let introduced = words.windows(2).find_map(|pair| {
        let is_device = ["dev", "device", "disk"].contains(&pair[0].to_ascii_lowercase().as_str());
        is_device.then(|| known(pair[1])).flatten()
    });
    introduced.or_else(|| {
        let mut named = words.iter().filter(|word| word.starts_with("/dev/"));
        named.find_map(|word| known(word))
    })
}

fn unit(word: &str) -> Option<String> {
    let ends = UNITS
        .iter()
        .any(|end| word.len() > end.len() && word.ends_with(end));
    // A file of that name is a path.
    plain(word, "_@.:-").filter(|_| ends)
}

fn account(message: &str, words: &[&str]) -> Option<String> {
    let is_about_account = ["user", "account", "shadow", "group"]
        .iter()
        .any(|word| message.contains(word));
    let mut pairs = words.windows(2);
    let found = pairs.find_map(|pair| {
        let is_introduced = ["user", "account", "for"].contains(&pair[0]);
        let is_name = !["user", "account", "group", "the", "is"].contains(&pair[1]);
        let name = plain(pair[1], "_.-").filter(|name| name.len() <= 32);
        name.filter(|_| is_introduced && is_name)
    });
    found.filter(|_| is_about_account)
}

/// Returns the relation that does not exist, between the quotes of any language, or that permission was denied for.
fn relation(message: &str, words: &[&str]) -> Option<String> {
    const KINDS: [&str; 6] = ["table", "relation", "view", "sequence", "index", "for"];
    let is_introduced = |word: &&str| KINDS.contains(&word.to_ascii_lowercase().as_str());
    if !words.iter().any(is_introduced) && !message.contains(['«', '»', '„', '“']) {
        return None;
    }
    let own = |name: &str| {
        let name = name.trim();
        plain(name.rsplit_once('.').map_or(name, |(_, own)| own), "_$")
    };
    let pairs = [('"', '"'), ('«', '»'), ('»', '«'), ('„', '“'), ('“', '”')];
    let quoted = pairs.into_iter().find_map(|(open, close)| {
        let (_, behind) = message.split_once(open)?;
        let (name, _) = behind.split_once(close)?;
        own(name)
    });
    let denied = || {
        let mut pairs = words.windows(2);
        let pair = pairs.find(|pair| is_introduced(&pair[0]) && !is_introduced(&pair[1]))?;
        own(pair[1])
    };
    quoted.or_else(denied)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(message: &str, field: &str) -> Option<String> {
        Facts::of(message).value(field)
    }

    #[test]
    fn a_message_names_what_it_is_about() {
        for (message, field, expected) in [
            ("connect to 10.0.0.5:5432 timed out", "host", "10.0.0.5"),
            ("connect to 10.0.0.5:5432 timed out", "port", "5432"),
            (
                "dial tcp [2001:db8::7]:80: connect: connection refused",
                "url_host",
                "[2001:db8::7]",
            ),
            (
                "connection to server at \"db.example\" (10.0.0.5), port 5433 failed: Connection refused",
                "host",
                "db.example",
            ),
            (
                "connection to server at \"db.example\" (10.0.0.5), port 5433 failed: Connection refused",
                "port",
                "5433",
            ),
            (
                "ssh: connect to host backup port 22: No route to host",
                "host",
                "backup",
            ),
            (
                "upstream http://app.internal:8080/ timed out",
                "host",
                "app.internal",
            ),
            (
                "open() \"/srv/www/a b\" failed: /srv/www/x (13: Permission denied)",
                "path",
                "/srv/www/x",
            ),
            (
                "cannot open '/etc/shadow': Permission denied",
                "path",
                "/etc/shadow",
            ),
            (
                "blk_update_request: I/O error, dev sda, sector 123",
                "disk",
                "sda",
            ),
            (
                "EXT4-fs error (device nvme0n1p2): bad block",
                "disk",
                "nvme0n1p2",
            ),
            (
                "Device: /dev/sdb [SAT], 8 Currently unreadable (pending) sectors",
                "disk",
                "sdb",
            ),
            (
                "nginx.service: Failed to determine user credentials",
                "unit",
                "nginx.service",
            ),
            (
                "couldn't look up shadow information for deploy",
                "account",
                "deploy",
            ),
            (
                "relation \"shop.orders\" does not exist",
                "relation",
                "orders",
            ),
            (
                "Relation »shop.orders« existiert nicht",
                "relation",
                "orders",
            ),
            (
                "permission denied for table invoices",
                "relation",
                "invoices",
            ),
        ] {
            assert_eq!(
                value(message, field).as_deref(),
                Some(expected),
                "{message}: {field}"
            );
        }
    }

    #[test]
    fn what_is_not_plain_is_not_taken() {
        for (message, field) in [
            ("panicked at src/main.rs:12", "host"),
            ("request timed out after 30 s", "host"),
            ("worker 7:30 timed out", "host"),
            ("cannot open /tmp/$(reboot): Permission denied", "path"),
            ("cannot open /tmp/a;reboot: Permission denied", "path"),
            ("relation \"o'; DROP\" does not exist", "relation"),
            ("user `id` is unknown", "account"),
            ("-rf.service failed", "unit"),
            ("dev ../../x", "disk"),
        ] {
            let found = value(message, field);
            let is_safe = found.as_ref().is_none_or(|text| {
                text.chars()
                    .all(|c| c.is_ascii_alphanumeric() || "/._@+:%-".contains(c))
            });
            assert!(is_safe, "{message}: {found:?}");
            if !["account", "relation"].contains(&field) {
                assert_eq!(found, None, "{message}: {field}");
            }
        }
    }

    #[test]
    fn the_first_variant_that_can_be_filled_is_taken_and_a_step_without_one_left_out() {
        let steps: &[Variants] = &[
            &["Try `curl {url_host}:{port}`", "See `ss -s`"],
            &["Read `namei -l {path}`"],
        ];
        assert_eq!(
            Facts::of("10.0.0.5:80 timed out").steps(steps),
            ["Try `curl 10.0.0.5:80`"]
        );
        assert_eq!(
            Facts::of("/etc/x: timed out").steps(steps),
            ["See `ss -s`", "Read `namei -l /etc/x`"]
        );
    }
}
