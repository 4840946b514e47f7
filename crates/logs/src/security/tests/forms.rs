//! Which messages of sshd count, and with which address.

use super::*;

/// The address in most forms.
const KNOWN: &str = "192.0.2.7";

/// Asserts that each message is counted, with its address.
fn expect_counted(cases: &[(&str, &str)]) {
    for (message, expected) in cases {
        for program in ["sshd", "sshd-session", "sshd-auth"] {
            let counted = counted(&mut Watch::default(), &event(program, 1, 0, message));
            let address = counted.and_then(|(_, address)| address);
            assert_eq!(address.as_deref(), Some(*expected), "{message}");
        }
    }
}

#[test]
fn failed_logins_are_counted_with_their_address() {
    expect_counted(&[
        (
            "Failed password for root from 192.0.2.7 port 50122 ssh2",
            KNOWN,
        ),
        (
            "Failed password for invalid user admin from 192.0.2.7 port 50122 ssh2",
            KNOWN,
        ),
        (
            "Failed keyboard-interactive/pam for ann from 192.0.2.7 port 1 ssh2",
            KNOWN,
        ),
        (
            "Failed hostbased for ann from 192.0.2.7 port 1 ssh2: RSA SHA256:x, client user \"ann\", client host \"a from 198.51.100.9\"",
            KNOWN,
        ),
        (
            "Failed publickey for invalid user ann from 192.0.2.7 port 1 ssh2: RSA SHA256:abc",
            KNOWN,
        ),
        (
            "Failed none for invalid user ann from 192.0.2.7 port 1 ssh2",
            KNOWN,
        ),
        (
            "message repeated 4 times: [ Failed password for root from 192.0.2.7 port 3 ssh2]",
            KNOWN,
        ),
        ("Invalid user ann from 192.0.2.7 port 1", KNOWN),
        ("Invalid user  from 192.0.2.7", KNOWN),
        ("Illegal user ann from 192.0.2.7", KNOWN),
        (
            "error: PAM: Authentication failure for illegal user ann from 192.0.2.7",
            KNOWN,
        ),
        (
            "error: PAM: authentication error for ann from 192.0.2.7 via 203.0.113.1",
            KNOWN,
        ),
        (
            "error: PAM: User not known to the underlying authentication module for illegal user x from 192.0.2.7",
            KNOWN,
        ),
        (
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root",
            KNOWN,
        ),
        (
            "pam_sss(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7 user=ann",
            KNOWN,
        ),
        (
            "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root",
            KNOWN,
        ),
        (
            "error: maximum authentication attempts exceeded for invalid user ann from 192.0.2.7 port 4 ssh2 [preauth]",
            KNOWN,
        ),
        (
            "Disconnecting authenticating user root 192.0.2.7 port 4: Too many authentication failures [preauth]",
            KNOWN,
        ),
        (
            "Disconnecting invalid user ann 192.0.2.7 port 4: Change of username or service not allowed: (ann,ssh-connection) -> (bob,ssh-connection) [preauth]",
            KNOWN,
        ),
        ("ROOT LOGIN REFUSED FROM ::ffff:192.0.2.7", KNOWN),
        (
            "User ann from 192.0.2.7 not allowed because not listed in AllowUsers",
            KNOWN,
        ),
        (
            "User ann from 192.0.2.7 not allowed because none of user's groups are listed in AllowGroups",
            KNOWN,
        ),
        ("refused connect from host.example.com (192.0.2.7)", KNOWN),
        (
            "Received disconnect from 192.0.2.7 port 9:3: com.jcraft.jsch.JSchException: Auth fail [preauth]",
            KNOWN,
        ),
        (
            "error: Received disconnect from 192.0.2.7: 14: No supported authentication methods available [preauth]",
            KNOWN,
        ),
        (
            "Connection closed by authenticating user root 192.0.2.7 port 4 [preauth]",
            KNOWN,
        ),
        (
            "Connection reset by invalid user  192.0.2.7 port 4 [preauth]",
            KNOWN,
        ),
        (
            "Disconnected from invalid user ann 192.0.2.7 port 4 [preauth]",
            KNOWN,
        ),
        ("Connection closed by 192.0.2.7 port 4 [preauth]", KNOWN),
    ]);
}

#[test]
fn refusals_of_modules_are_counted_with_their_address() {
    expect_counted(&[
        (
            "pam_access(sshd:account): access denied for user `ann' from `192.0.2.7'",
            KNOWN,
        ),
        (
            "(pam_unix) authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=ann",
            KNOWN,
        ),
        // A connection that breaks off under a name.
        (
            "ssh_dispatch_run_fatal: Connection from authenticating user ann 192.0.2.7 port 4: Broken pipe [preauth]",
            KNOWN,
        ),
        (
            "ssh_dispatch_run_fatal: Connection from invalid user a port 1: x 192.0.2.7 port 4: message authentication code incorrect [preauth]",
            KNOWN,
        ),
        (
            "fatal: Connection from invalid user ann 192.0.2.7 port 4: Connection corrupted [preauth]",
            KNOWN,
        ),
        // Versions that do not fit.
        (
            "error: Protocol major versions differ for 192.0.2.7 port 4: SSH-2.0-OpenSSH_9.9 vs. SSH-1.5-x",
            KNOWN,
        ),
        (
            "Protocol major versions differ for 192.0.2.7: SSH-2.0-OpenSSH_5.1 vs. SSH-1.5-NmapNSE_1.0",
            KNOWN,
        ),
        (
            "scanned from 192.0.2.7 with SSH-1.0-SSH_Version_Mapper.  Don't panic.",
            KNOWN,
        ),
    ]);
}

#[test]
fn failures_before_a_login_are_counted_with_their_address() {
    expect_counted(&[
        (
            "drop connection #10 from [192.0.2.7]:46482 on [203.0.113.1]:22 past MaxStartups",
            KNOWN,
        ),
        (
            "drop connection #0 from [2001:db8::7]:46482 on [2001:db8::1]:22 past Maxstartups",
            "2001:db8::7",
        ),
        (
            "drop connection #0 from [192.0.2.7]:46482 on [203.0.113.1]:22 penalty: failed authentication",
            KNOWN,
        ),
        (
            "drop connection #0 from [192.0.2.7]:46482 on [203.0.113.1]:22 penalty: connections without attempting authentication",
            KNOWN,
        ),
        (
            "srclimit_penalise: ipv4: new 192.0.2.7/32 deferred penalty of 5 seconds for penalty: failed authentication",
            KNOWN,
        ),
        (
            "srclimit_penalise: 192.0.2.7/32: activating ipv4 penalty of 16 seconds for penalty: failed authentication",
            KNOWN,
        ),
        (
            "Received disconnect from 192.0.2.7 port 4:11: Bye Bye from 198.51.100.9 [preauth]",
            KNOWN,
        ),
        (
            "Did not receive identification string from 192.0.2.7 port 4",
            KNOWN,
        ),
        (
            "Bad protocol version identification 'GET / from 198.51.100.9' from 192.0.2.7 port 4",
            KNOWN,
        ),
        (
            "banner exchange: Connection from 192.0.2.7 port 4: invalid format",
            KNOWN,
        ),
        (
            "ssh_dispatch_run_fatal: Connection from 192.0.2.7 port 4: Connection corrupted [preauth]",
            KNOWN,
        ),
        (
            "fatal: Unable to negotiate with 192.0.2.7 port 4: no matching host key type found. Their offer: ssh-dss [preauth]",
            KNOWN,
        ),
        (
            "fatal: Timeout before authentication for 192.0.2.7 port 4",
            KNOWN,
        ),
        (
            "Timeout before authentication for connection from 192.0.2.7 to 203.0.113.1, pid = 7",
            KNOWN,
        ),
        (
            "Magic value check failed (7) on obfuscated handshake from 192.0.2.7 port 4",
            KNOWN,
        ),
    ]);
}

#[test]
fn addresses_of_any_kind_are_found() {
    expect_counted(&[
        (
            "Failed password for root from 2001:db8::7 port 4 ssh2",
            "2001:db8::7",
        ),
        (
            "Failed password for root from fe80::7%eth0 port 4 ssh2",
            "fe80::7",
        ),
        (
            "Failed password for root from host.example.com port 4 ssh2",
            "host.example.com",
        ),
        (
            "Received disconnect from 2001:db8::7: 11: Bye [preauth]",
            "2001:db8::7",
        ),
    ]);
}

#[test]
fn a_name_that_would_be_an_address_is_not_taken_for_it() {
    expect_counted(&[
        (
            "Failed password for invalid user a from 198.51.100.9 from 192.0.2.7 port 4 ssh2",
            KNOWN,
        ),
        (
            "Failed password for invalid user a from 198.51.100.9 port 22 ssh2 from 192.0.2.7 port 4 ssh2",
            KNOWN,
        ),
        (
            "Failed password for invalid user a from 198.51.100.9 port 22 ssh2: b from 192.0.2.7 port 4 ssh2",
            KNOWN,
        ),
        (
            "Failed password for invalid user ssh2: a from 192.0.2.7 port 4 ssh2",
            KNOWN,
        ),
        (
            "Invalid user a from 198.51.100.9 port 22 from 192.0.2.7 port 4",
            KNOWN,
        ),
        ("Invalid user 198.51.100.9 from 192.0.2.7", KNOWN),
        (
            "User a from 198.51.100.9 not allowed because x from 192.0.2.7 not allowed because not listed in AllowUsers",
            KNOWN,
        ),
        (
            "Connection closed by authenticating user a 198.51.100.9 port 22 192.0.2.7 port 4 [preauth]",
            KNOWN,
        ),
        (
            "Disconnecting invalid user a 198.51.100.9 port 2: Too many authentication failures 192.0.2.7 port 4: Too many authentication failures [preauth]",
            KNOWN,
        ),
    ]);
}

#[test]
fn what_is_not_a_failure_is_not_counted() {
    for message in [
        "reverse mapping checking getaddrinfo for a.example.com [192.0.2.7] failed - POSSIBLE BREAK-IN ATTEMPT!",
        "Address 192.0.2.7 maps to a.example.com, but this does not map back to the address",
        "Postponed publickey for ann from 192.0.2.7 port 4 ssh2 [preauth]",
        "Failed publickey for ann from 192.0.2.7 port 4 ssh2: RSA SHA256:abc",
        "Accepted publickey for ann from 192.0.2.7 port 4 ssh2: RSA SHA256:abc",
        "Close session: user ann from 192.0.2.7 port 4 id 0",
        "Connection closed by 192.0.2.7 port 4",
        "Disconnected from user ann 192.0.2.7 port 4",
        "Received disconnect from 192.0.2.7 port 4:11: disconnected by user",
        "Connection from 192.0.2.7 port 4 on 203.0.113.1 port 22",
        "Server listening on 0.0.0.0 port 22.",
        "error: beginning MaxStartups throttling",
        "exited MaxStartups throttling after 00:05:10, 12 connections dropped",
        "srclimit_penalise: ipv4 penalty table full, cannot penalise 192.0.2.7/32 for penalty: failed authentication",
        "pam_unix(sshd:session): session opened for user ann(uid=1000) by (uid=0)",
        "(pam_unix) session opened for user ann by (uid=0)",
        "Connection from user ann 192.0.2.7 port 4: message authentication code incorrect",
        "",
    ] {
        let counted = counted(&mut Watch::default(), &event("sshd", 1, 0, message));
        let counted = counted.filter(|(kind, _)| *kind != "accepted");
        assert_eq!(counted, None, "{message}");
    }
}

#[test]
fn the_address_of_one_line_is_that_of_the_process() {
    let mut watch = Watch::default();
    let mut address = |message: &str| {
        let counted = counted(&mut watch, &event("sshd-session", 9, 0, message));
        counted.map(|(_, address)| address)
    };
    assert_eq!(
        address("Connection from 192.0.2.7 port 4 on 203.0.113.1 port 22"),
        None
    );
    let known = Some(Some("192.0.2.7".to_owned()));
    assert_eq!(
        address("Disconnecting: Too many authentication failures for root [preauth]"),
        known
    );
    // A detail that may be a name: the process is known to talk to the first.
    assert_eq!(
        address("Failed password for a from 192.0.2.7 port 4 ssh2: from 198.51.100.9 port 1 ssh2"),
        known
    );
    // The address comes later.
    let mut address = |message: &str| {
        let counted = counted(&mut watch, &event("sshd", 10, 0, message));
        counted.map(|(_, address)| address)
    };
    assert_eq!(
        address("error: kex_exchange_identification: Connection closed by remote host"),
        Some(None)
    );
    assert_eq!(address("Connection closed by 192.0.2.7 port 4"), known);
}
