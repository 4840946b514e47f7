//! Attempts to become another user.

use super::*;

#[test]
fn refused_elevations_are_reported() {
    for (program, message, user, count, severity) in [
        (
            "sudo",
            "     ann : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "ann",
            3,
            Severity::Warn,
        ),
        (
            "sudo",
            "ann : 1 incorrect password attempt ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "ann",
            1,
            Severity::Info,
        ),
        (
            "sudo",
            "ann : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "ann",
            1,
            Severity::Warn,
        ),
        (
            "sudo",
            "ann : command not allowed ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "ann",
            1,
            Severity::Warn,
        ),
        (
            "sudo",
            r#"@cee:{"sudo":{"reject":{"reason":"command not allowed","server_time":{"seconds":1795935540,"nanoseconds":1},"submithost":"h","submituser":"ann","runuser":"root","command":"/bin/bash"}}}"#,
            "ann",
            1,
            Severity::Warn,
        ),
        (
            "sudo",
            r#"@cee: {"sudo":{"alert":{"reason":"3 incorrect password attempts","submituser":"ann","runuser":"root","command":"/bin/bash","runenv":["A=b"#,
            "ann",
            3,
            Severity::Warn,
        ),
        (
            "sudo",
            r#"{"sudo":{"reject":{"submitcwd":"/","reason":"user NOT in sudoers","submituser":"ann"}}}"#,
            "ann",
            1,
            Severity::Warn,
        ),
        (
            "su",
            "FAILED SU (to root) ann on pts/0",
            "ann",
            1,
            Severity::Info,
        ),
        (
            "su",
            "BAD SU ann to root on /dev/pts/0",
            "ann",
            1,
            Severity::Info,
        ),
    ] {
        let rows = watch(&[event(program, 1, 0, message)]);
        assert_eq!(
            summary(&rows[0]),
            ("sudo_failure".into(), None, Some(user.into()), count),
            "{message}"
        );
        assert_eq!(rows[0].severity, severity, "{message}");
    }
    for message in [
        "ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls user NOT in sudoers",
        "pam_unix(sudo:session): session opened for user root",
        r#"@cee:{"sudo":{"accept":{"submituser":"ann","command":"/bin/ls","runuser":"root","runargv":["command not allowed"]}}}"#,
        r#"@cee:{"sudo":{"exit":{"submituser":"ann","reason":"command not allowed"}}}"#,
        r#"@cee:{"app":{"reject":{"submituser":"ann","reason":"command not allowed"}}}"#,
    ] {
        assert!(
            watch(&[event("sudo", 1, 0, message)]).is_empty(),
            "{message}"
        );
    }
}

#[test]
fn sudo_and_its_module_report_the_same_failure_once() {
    let rows = watch(&[
        event(
            "sudo",
            1,
            0,
            "pam_unix(sudo:auth): authentication failure; logname=ann uid=1 euid=0 tty=pts/0 ruser=ann rhost=  user=ann",
        ),
        event(
            "sudo",
            1,
            9,
            "ann : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
        ),
    ]);
    assert_eq!(rows.iter().map(|row| row.count).sum::<i64>(), 3);
}

#[test]
fn a_module_alone_counts_unless_the_program_states_otherwise() {
    let text =
        "authentication failure; logname=ann uid=1000 euid=0 tty=pts/0 ruser=ann rhost=  user=root";
    for (program, module, accepted) in [
        (
            "sudo",
            format!("pam_unix(sudo:auth): {text}"),
            "ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
        ),
        (
            "sudo",
            format!("pam_unix(sudo:auth): {text}"),
            "pam_unix(sudo:session): session opened for user root(uid=0) by ann(uid=1000)",
        ),
        (
            "sudo",
            format!("(pam_unix) {text}"),
            r#"@cee:{"sudo":{"accept":{"submituser":"ann"}}}"#,
        ),
        (
            "sudo(pam_unix)",
            text.to_owned(),
            "ann : TTY=pts/0 ; COMMAND=/bin/ls",
        ),
        (
            "su",
            format!("pam_unix(su:auth): {text}"),
            "(to root) ann on pts/0",
        ),
        (
            "su-l",
            format!("pam_unix(su-l:auth): {text}"),
            "pam_unix(su-l:session): session opened for user root(uid=0) by ann(uid=1000)",
        ),
        (
            "su(pam_unix)",
            text.to_owned(),
            "session opened for user root by ann(uid=1000)",
        ),
    ] {
        let failed = event(program, 1, 0, &module);
        let later = event("cron", 1, 70, "the clock moves");
        let rows = watch(&[failed.clone(), later.clone()]);
        assert_eq!(rows.len(), 1, "{module}");
        assert_eq!(
            (rows[0].first_ts, rows[0].count),
            (Timestamp(0), 1),
            "{module}"
        );
        let accepted = event(program, 1, 4, accepted);
        assert_eq!(watch(&[failed, accepted, later]), [], "{module}");
    }
}

#[test]
fn an_old_module_names_itself_behind_the_program_or_before_the_message() {
    let text =
        "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=ann";
    for (program, message) in [
        ("sshd", format!("(pam_unix) {text}")),
        ("sshd(pam_unix)", text.to_owned()),
        ("sshd-session(pam_sss)", text.to_owned()),
    ] {
        let mut events: Vec<Event> = (0..6)
            .map(|n| event(program, n, i64::from(n), &message))
            .collect();
        events.push(event("cron", 1, 100, "the clock moves"));
        assert_eq!(watch(&events)[0].count, 6, "{program} {message}");
    }
}
