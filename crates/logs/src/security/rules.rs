//! Thresholds of security findings.

use schema::Severity;

/// A rule: a number of occurrences within a window is a finding.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Value of `collector.security_events.event_type`.
    pub event_type: &'static str,
    /// Number of occurrences that make a finding.
    pub threshold: u32,
    /// Length of the window in seconds. While it continues there are further rows, after growing pauses, each with
    /// the count since the last row, so that the counts of the rows add up. It ends after a window without
    /// occurrences.
    pub window_secs: i64,
    /// Severity of a finding.
    pub severity: Severity,
    /// Advice to the operator.
    pub advice: &'static str,
}

/// More than five failed logins of one address in five minutes: the reference's figure, and what
/// fail2ban and CrowdSec ban for.
pub(super) const BRUTE_FORCE: Rule = Rule {
    event_type: "ssh_brute_force",
    threshold: 6,
    window_secs: 300,
    severity: Severity::Warn,
    advice: "block the address at the firewall, see that fail2ban watches sshd, allow keys only (PasswordAuthentication no)",
};

/// Ten in a day: attempts that stay below every short window. People mistype less often.
pub(super) const SLOW: Rule = Rule {
    event_type: "ssh_slow_brute_force",
    threshold: 10,
    window_secs: 86_400,
    severity: Severity::Warn,
    advice: "block the address; a second fail2ban jail with findtime = 1d and maxretry = 10 finds the next one",
};

/// Ten addresses against one account in ten minutes: guessing distributed below the thresholds per address.
pub(super) const DISTRIBUTED: Rule = Rule {
    event_type: "ssh_distributed",
    threshold: 10,
    window_secs: 600,
    severity: Severity::Warn,
    advice: "blocking addresses does not help: allow keys only, or limit sshd to known networks (AllowUsers user@network)",
};

/// A password login after five failures from the same address within a day.
pub(super) const SUCCESS: Rule = Rule {
    event_type: "ssh_success_after_failures",
    threshold: 5,
    window_secs: 86_400,
    severity: Severity::Critical,
    advice: "ask the account's owner; if it was not them, end the session (loginctl terminate-user), change the password and look for new keys in authorized_keys",
};

/// fail2ban acted.
pub(super) const BAN: Rule = Rule {
    event_type: "fail2ban_ban",
    threshold: 1,
    window_secs: 0,
    severity: Severity::Info,
    advice: "nothing to do",
};

/// A ban ended.
pub(super) const UNBAN: Rule = Rule {
    event_type: "fail2ban_unban",
    threshold: 1,
    window_secs: 0,
    severity: Severity::Info,
    advice: "nothing to do",
};

/// More than ten dropped packets of one address in five minutes: the reference's figure.
pub(super) const FIREWALL: Rule = Rule {
    event_type: "firewall_block",
    threshold: 11,
    window_secs: 300,
    severity: Severity::Info,
    advice: "nothing to do if the address is unknown: the packets were dropped; if it is one of yours, a rule is missing",
};

/// A user failed to become another user. The first failure is reported at once; those that follow within
/// ten minutes are one more row.
pub(super) const SUDO: Rule = Rule {
    event_type: "sudo_failure",
    threshold: 1,
    window_secs: 600,
    severity: Severity::Info,
    advice: "ask the account's owner; if it was not them, lock the account (usermod -L) and end its sessions",
};

/// From this number of failures on, or if no rule allows it, a failure to become another user is `warn`.
pub(super) const SUDO_WARN: u32 = 3;

/// Every rule.
pub const RULES: &[Rule] = &[
    BRUTE_FORCE,
    SLOW,
    DISTRIBUTED,
    SUCCESS,
    BAN,
    UNBAN,
    FIREWALL,
    SUDO,
];
