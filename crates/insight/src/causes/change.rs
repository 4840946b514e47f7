//! Changes of the host as evidence: most incidents begin with one.

use super::onset::{Onset, between};
use schema::micros::{DAY, MINUTE};
use std::collections::VecDeque;
use store::changes::Change;

/// A change explains what begins within this time after it, microseconds: a cold cache or a leak shows within minutes, and later
/// there are other explanations.
const REACH: i64 = 15 * MINUTE;
/// Most changes that are remembered.
const MOST: usize = 256;
/// The probability above which a change before a problem is chance: on a host that is changed all day one always is.
const CHANCE: f64 = 0.05;

/// What the programs of a package or unit serve, by parts of their names.
const SERVES: &[(&[&str], &[&str])] = &[
    (
        &["postgres", "pgbouncer", "timescale", "citus"],
        &[
            "db",
            "database",
            "table",
            "index",
            "replication",
            "statement",
            "io",
        ],
    ),
    (
        &[
            "nginx", "haproxy", "caddy", "envoy", "traefik", "apache", "httpd", "proxy",
        ],
        &["proxy"],
    ),
    (&["api"], &["api"]),
    (
        &["linux-image", "kernel", "systemd", "libc6", "glibc"],
        &["system", "disk", "mount", "network"],
    ),
];

/// The changes of the last day.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The oldest first.
    known: VecDeque<Change>,
}

impl Changes {
    /// Takes changes; returns whether any was not known.
    pub(super) fn add(&mut self, new: impl IntoIterator<Item = Change>) -> bool {
        let before = self.known.len();
        for one in new {
            if !self.known.contains(&one) {
                self.known.push_back(one);
            }
        }
        let is_new = self.known.len() > before;
        if is_new {
            self.known.make_contiguous().sort_by_key(|one| one.at);
            while self.known.len() > MOST {
                self.known.pop_front();
            }
        }
        is_new
    }

    /// Forgets what is too old to matter.
    pub(super) fn advance(&mut self, now: i64) {
        self.known
            .retain(|one| now - one.at.as_micros() < DAY + 2 * REACH);
    }

    /// Returns the change that explains best what began then: one of what is concerned, else the last one before it.
    /// None where a change is no news on this host.
    pub(super) fn before(
        &self,
        onset: Onset,
        is_about: impl Fn(&Change) -> bool,
    ) -> Option<&Change> {
        let at = |one: &Change| one.at.as_micros();
        let is_near = |one: &&Change| (onset.latest - REACH..=onset.latest).contains(&at(one));
        let near = || self.known.iter().filter(is_near);
        if let Some(found) = near().rfind(|one| is_about(one)) {
            return Some(found);
        }
        let of_day = self.known.iter().filter(|one| {
            let age = onset.latest - at(one);
            age > REACH && age <= DAY
        });
        #[expect(clippy::cast_precision_loss, reason = "at most some hundred changes")]
        let expected = of_day.count() as f64 * REACH as f64 / DAY as f64;
        let found = near().next_back()?;
        (1.0 - (-expected).exp() <= CHANCE).then_some(found)
    }
}

/// Returns whether a change is one of what a finding is about.
pub(super) fn is_about(change: &Change, domain: &str, target: &str) -> bool {
    let subject = change.subject.trim_end_matches(".service").to_lowercase();
    let target = target.to_lowercase();
    // A target begins with its server: `main.shop.public.orders`.
    let owner = target.split(['.', ' ']).next().unwrap_or_default();
    let of_server = matches!(change.kind.as_str(), "server" | "setting" | "schema");
    if !owner.is_empty()
        && (subject == owner
            || target == subject
            || (of_server && change.source.to_lowercase() == owner))
    {
        return true;
    }
    let is_of_host =
        change.kind == "kernel" && ["system", "disk", "mount", "network"].contains(&domain);
    is_of_host
        || SERVES.iter().any(|(names, domains)| {
            domains.contains(&domain) && names.iter().any(|name| subject.contains(name))
        })
}

/// Returns a change in a sentence: `nginx was upgraded from 1.24 to 1.26`.
pub(super) fn sentence(change: &Change) -> String {
    let versions = match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!(" from {before} to {after}"),
        (None, Some(after)) => format!(" to {after}"),
        _ => String::new(),
    };
    format!(
        "{} was {}{}",
        words::cut(&change.subject, 80),
        change.action,
        words::cut(&versions, 80)
    )
}

/// Returns how long after a change something began: `began 3 min after nginx was upgraded`.
pub(super) fn evidence(change: &Change, onset: Onset) -> String {
    let at = change.at.as_micros();
    let after = between(((onset.earliest - at).max(0), (onset.latest - at).max(0)));
    format!("began {after} after {}", sentence(change))
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Timestamp;

    fn change(at: i64, kind: &str, subject: &str, source: &str) -> Change {
        Change {
            at: Timestamp(at),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            action: "upgraded".to_owned(),
            before: Some("1.24".to_owned()),
            after: Some("1.26".to_owned()),
            source: source.to_owned(),
        }
    }

    #[test]
    fn a_change_explains_what_is_concerned_and_a_lonely_one_anything() {
        let mut changes = Changes::default();
        let nginx = change(DAY, "package", "nginx", "dpkg");
        assert!(changes.add([nginx.clone()]));
        assert!(!changes.add([nginx.clone()]), "it is known");
        let onset = Onset::at(DAY + 3 * MINUTE);
        assert_eq!(changes.before(onset, |_| false), Some(&nginx));
        assert_eq!(
            evidence(&nginx, onset),
            "began 3 min after nginx was upgraded from 1.24 to 1.26"
        );
        let late = Onset::at(DAY + 20 * MINUTE);
        assert_eq!(changes.before(late, |_| true), None);
        assert_eq!(changes.before(Onset::at(DAY - MINUTE), |_| true), None);
        // On a host that is changed all day the last change says nothing, unless it is one of the same thing.
        changes.add(
            (0..20).map(|nth| change(nth * 70 * MINUTE, "unit", &format!("job{nth}"), "journal")),
        );
        assert_eq!(changes.before(onset, |_| false), None);
        let found = changes.before(onset, |one| is_about(one, "proxy", "edge"));
        assert_eq!(found, Some(&nginx));
        changes.advance(5 * DAY);
        assert_eq!(changes.before(onset, |_| true), None);
    }

    #[test]
    fn what_a_change_is_about() {
        let of = |kind, subject, source| change(0, kind, subject, source);
        assert!(is_about(
            &of("package", "postgresql-15", "dpkg"),
            "db",
            "main"
        ));
        assert!(is_about(
            &of("setting", "work_mem", "main"),
            "db",
            "main.shop"
        ));
        assert!(!is_about(
            &of("setting", "work_mem", "other"),
            "process",
            "main"
        ));
        assert!(is_about(
            &of("unit", "shop.service", "journal"),
            "process",
            "shop 412"
        ));
        assert!(is_about(&of("kernel", "linux", "journal"), "disk", "sda"));
        assert!(!is_about(&of("package", "tzdata", "dpkg"), "api", "api"));
        assert!(!is_about(&of("package", "tzdata", "dpkg"), "system", ""));
    }
}
