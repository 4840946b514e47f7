//! Findings of the rules over logins, bans and packets.
//!
//! The rows of `collector.security_events` are written where the lines are read, one for each time a rule
//! is reached. Here they become findings that stay open while rows come.

use crate::rule::{Life, Rule};
use schema::finding::{Figures, Kind};
use schema::{Finding, Severity, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use words::{counted, within};

/// A finding resolves so long after its last row: an attack that pauses for less is the same one.
const RESOLVE_AFTER_SECS: u32 = 3600;

const fn rule(id: &'static str, kind: Kind, title: &'static str) -> Rule {
    Rule {
        id,
        kind,
        domain: "security",
        title,
        life: Life::counted(RESOLVE_AFTER_SECS),
        because: &[],
    }
}

/// Failed logins of one address within minutes.
pub const BRUTE_FORCE: Rule = rule("ssh_brute_force", Kind::Alert, "SSH brute force");
/// Failed logins of one address within a day.
pub const SLOW_BRUTE_FORCE: Rule =
    rule("ssh_slow_brute_force", Kind::Alert, "Slow SSH brute force");
/// Failed logins of many addresses for one account.
pub const DISTRIBUTED: Rule = rule(
    "ssh_distributed",
    Kind::Alert,
    "Distributed SSH brute force",
);
/// A login that succeeded after failures.
pub const SUCCESS: Rule = rule(
    "ssh_success_after_failures",
    Kind::Alert,
    "SSH login succeeded after failed attempts",
);
/// Failed passwords for sudo.
pub const SUDO: Rule = rule("sudo_failure", Kind::Alert, "sudo was refused");
/// fail2ban banned an address.
pub const BAN: Rule = rule("fail2ban_ban", Kind::Insight, "Address banned");
/// Dropped packets of one address.
pub const FIREWALL: Rule = rule(
    "firewall_block",
    Kind::Insight,
    "Packets refused by the firewall",
);

/// Targets of one rule that have a finding each; the rest is one finding. A scanned host has thousands.
pub const LISTED_SINGLY: usize = 20;

/// Recent rows of `security_events` of one type and target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// As the rule's identifier.
    pub event_type: String,
    /// Address, or account where there is no address.
    pub target: String,
    /// Source of the lines.
    pub source: String,
    /// The most severe.
    pub severity: Severity,
    /// Attempts, bans, packets.
    pub count: i64,
    /// The first and the last of them.
    pub span: (Timestamp, Timestamp),
    /// Accounts, jail and remedy of the newest row: a JSON object.
    pub details: Option<String>,
}

/// Returns the findings of these events by rule, the most severe first.
#[must_use]
pub fn evaluate(events: &[Event]) -> Vec<Finding> {
    let mut by_rule: BTreeMap<&str, (&Rule, Vec<&Event>)> = BTreeMap::new();
    for event in events {
        // An unban, or a type of a newer version, is not a finding.
        if let Some(rule) = super::RULES.iter().find(|rule| rule.id == event.event_type) {
            let entry = by_rule.entry(rule.id).or_insert((rule, Vec::new()));
            entry.1.push(event);
        }
    }
    let mut found = Vec::new();
    for (rule, mut events) in by_rule.into_values() {
        events.sort_by(|a, b| {
            (b.severity, b.count, &a.target).cmp(&(a.severity, a.count, &b.target))
        });
        let named = if events.len() > LISTED_SINGLY + 1 {
            LISTED_SINGLY
        } else {
            events.len()
        };
        let rest = events.split_off(named);
        found.extend(events.into_iter().map(|event| one(rule, event)));
        found.extend(others(rule, &rest));
    }
    found
}

/// Returns the finding about one target.
fn one(rule: &Rule, event: &Event) -> Finding {
    let details: Value = event
        .details
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(Value::Null);
    let message = format!(
        "{}: {} {}; source: {}.",
        event.target,
        counted_by(rule, event.count),
        within(event.span),
        event.source
    );
    Finding {
        steps: steps(rule, &event.target, &details),
        figures: Figures::of(event.count as f64),
        details: Some(json!({"source": event.source, "event": details}).to_string()),
        span: Some(event.span),
        ..rule.finding(&event.target, event.severity, message)
    }
}

/// Returns one finding for the targets without their own: their number, and the sum of their counts.
fn others(rule: &Rule, rest: &[&Event]) -> Option<Finding> {
    let first = rest.first()?;
    let count: i64 = rest.iter().map(|event| event.count).sum();
    let span = rest
        .iter()
        .map(|event| event.span)
        .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))?;
    let message = format!(
        "{} more with {} {}; those with the most have their own findings.",
        rest.len(),
        counted_by(rule, count),
        within(span)
    );
    Some(Finding {
        figures: Figures::of(rest.len() as f64),
        details: Some(json!({"source": first.source}).to_string()),
        span: Some(span),
        ..rule.finding("others", first.severity, message)
    })
}

/// Formats a count with the noun of its rule.
fn counted_by(rule: &Rule, count: i64) -> String {
    let thing = match rule.id {
        id if id == SUDO.id => "refusal",
        id if id == BAN.id => "ban",
        id if id == FIREWALL.id => "packet",
        _ => "failed login",
    };
    counted(count, thing)
}

/// Returns the steps of a remedy: those for brute force and bans are written here, the others are the advice of the rule
/// that was reached, separated by semicolons.
fn steps(rule: &Rule, target: &str, details: &Value) -> Vec<String> {
    // A name that came from outside never becomes part of a command.
    let address = target
        .parse()
        .ok()
        .map(|address: IpAddr| address.to_string());
    if [BRUTE_FORCE.id, SLOW_BRUTE_FORCE.id, DISTRIBUTED.id].contains(&rule.id) {
        let block = address.map(|address| {
            format!(
                "Block the address: `ufw deny from {address}` or `nft add rule inet filter input ip saddr {address} drop`"
            )
        });
        let see = "See who it is: `journalctl -u ssh --since -1h | grep -E 'Failed|Invalid'`";
        let rest = [
            "See that fail2ban watches: `fail2ban-client status sshd`",
            "Allow keys only: `PasswordAuthentication no` in /etc/ssh/sshd_config, then `systemctl reload ssh`",
        ];
        return [see.to_owned()]
            .into_iter()
            .chain(block)
            .chain(rest.map(str::to_owned))
            .collect();
    }
    let jail = details.get("jail").and_then(Value::as_str);
    let jail = jail.filter(|jail| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        !jail.is_empty() && !jail.starts_with('-') && jail.chars().all(is_plain)
    });
    if rule.id == BAN.id {
        let lift = address.zip(jail).map(|(address, jail)| {
            format!("To lift the ban: `fail2ban-client set {jail} unbanip {address}`")
        });
        return ["Nothing to do: fail2ban acted".to_owned()]
            .into_iter()
            .chain(lift)
            .collect();
    }
    details
        .get("advice")
        .and_then(Value::as_str)
        .into_iter()
        .flat_map(|advice| advice.split("; "))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A finding of each rule over security, of an address and of a name.
    pub(in crate::logs) fn one_of_each_rule() -> Vec<Finding> {
        let rules = crate::logs::RULES.iter();
        rules
            .filter(|rule| rule.domain == "security")
            .flat_map(|rule| {
                let of = |target: &str| Event {
                    details: Some(r#"{"advice":"ask the owner","jail":"sshd"}"#.to_owned()),
                    ..event(rule.id, target, 4)
                };
                evaluate(&[of("192.0.2.7"), of("a.example; rm -r /")])
            })
            .collect()
    }

    fn event(event_type: &str, target: &str, count: i64) -> Event {
        Event {
            event_type: event_type.to_owned(),
            target: target.to_owned(),
            source: "auth".to_owned(),
            severity: Severity::Warn,
            count,
            span: (Timestamp(0), Timestamp(60_000_000)),
            details: Some(r#"{"advice":"do this; then that"}"#.to_owned()),
        }
    }

    #[test]
    fn an_event_is_a_finding_with_its_advice() {
        let found = evaluate(&[
            event("sudo_failure", "eve", 4),
            event("ssh_brute_force", "192.0.2.7", 40),
            event("ssh_brute_force", "a.example; rm -r /", 8),
            event("fail2ban_unban", "192.0.2.7", 1),
            event("of_a_newer_version", "x", 1),
        ]);
        let reported: Vec<(&str, &str, Kind)> = found
            .iter()
            .map(|one| (one.rule, one.target.as_str(), one.kind))
            .collect();
        assert_eq!(
            reported,
            [
                ("ssh_brute_force", "192.0.2.7", Kind::Alert),
                ("ssh_brute_force", "a.example; rm -r /", Kind::Alert),
                ("sudo_failure", "eve", Kind::Alert),
            ]
        );
        assert_eq!(
            found[0].message,
            "192.0.2.7: 40 failed logins within 60 s; source: auth."
        );
        assert!(found[0].steps[1].contains("`ufw deny from 192.0.2.7`"));
        let guessed = found[1].steps.join(" ");
        assert!(
            !guessed.contains("ufw") && !guessed.contains("rm -r"),
            "{guessed}"
        );
        assert!(guessed.contains("fail2ban"));
        assert_eq!(found[2].steps, ["do this", "then that"]);
    }

    #[test]
    fn a_ban_states_how_it_is_lifted_where_that_is_known() {
        let lifted = |target: &str, details: &str| {
            let ban = Event {
                details: Some(details.to_owned()),
                ..event("fail2ban_ban", target, 1)
            };
            evaluate(&[ban])[0].steps.get(1).cloned()
        };
        let known = "To lift the ban: `fail2ban-client set sshd unbanip 192.0.2.7`";
        assert_eq!(
            lifted("192.0.2.7", r#"{"jail":"sshd"}"#).as_deref(),
            Some(known)
        );
        assert_eq!(lifted("192.0.2.7", r#"{"jail":"a; b"}"#), None);
        assert_eq!(lifted("192.0.2.7", "{}"), None);
        assert_eq!(lifted("eve", r#"{"jail":"sshd"}"#), None);
    }

    #[test]
    fn of_thousands_the_worst_are_named() {
        let events: Vec<Event> = (0..5000)
            .map(|n| event("firewall_block", &format!("192.0.2.{n}"), n))
            .collect();
        let found = evaluate(&events);
        assert_eq!(found.len(), LISTED_SINGLY + 1);
        assert_eq!(found[0].target, "192.0.2.4999");
        let rest = found.last().unwrap();
        assert_eq!(
            (rest.target.as_str(), rest.figures.value),
            ("others", Some(4980.0))
        );
    }
}
