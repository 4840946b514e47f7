//! When what was seen is worth a row.

use schema::Severity;

/// A rule: so much within so long is a finding.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// As `collector.security_events.event_type` has it.
    pub event_type: &'static str,
    /// So many make a finding.
    pub threshold: u32,
    /// Within so many seconds. While it goes on there are further rows, after pauses that grow, each with what
    /// came since the last row as its count: the counts of the rows add up. It is over when nothing came for
    /// as long.
    pub window_secs: i64,
    /// How bad a finding is.
    pub severity: Severity,
    /// What to do.
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

/// Ten in a day: what stays below every short window. People mistype less than that.
pub(super) const SLOW: Rule = Rule {
    event_type: "ssh_slow_brute_force",
    threshold: 10,
    window_secs: 86_400,
    severity: Severity::Warn,
    advice: "block the address; a second fail2ban jail with findtime = 1d and maxretry = 10 finds the next one",
};

/// Ten addresses against one account in ten minutes: guessing spread so that no address stands out.
pub(super) const DISTRIBUTED: Rule = Rule {
    event_type: "ssh_distributed",
    threshold: 10,
    window_secs: 600,
    severity: Severity::Warn,
    advice: "blocking addresses does not help: allow keys only, or limit sshd to known networks (AllowUsers user@network)",
};

/// Somebody got in with a password after five failures of the same address within a day.
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
    advice: "nothing to do when the address is a stranger's: the packets were dropped; when it is one of yours, a rule is missing",
};

/// Someone could not become another user. One is told, as it may matter at once; what follows within
/// ten minutes is one more row.
pub(super) const SUDO: Rule = Rule {
    event_type: "sudo_failure",
    threshold: 1,
    window_secs: 600,
    severity: Severity::Info,
    advice: "ask the account's owner; if it was not them, lock the account (usermod -L) and end its sessions",
};

/// From so many failures on, or where no rule allows it, a failure to become another user is `warn`.
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
