//! The users of the services, as the packages make them: without a shell. One that was there before the package keeps what it had.

use std::path::Path;

use super::Finding;
use super::Finding::Warn;

const USERS: [&str; 3] = [
    "pqcrypta_collector",
    "pqcrypta_monitor",
    "pqcrypta_analytics",
];
/// The last part of the paths of programs that let nobody in.
const NO_SHELLS: [&str; 2] = ["nologin", "false"];

/// Names the users that may log in; `None` where there is none.
pub(super) fn may_log_in(passwd: &Path) -> Option<Finding> {
    let text = std::fs::read_to_string(passwd).ok()?;
    let mut found = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, .., shell] = fields.as_slice() else {
            continue;
        };
        let is_shut = NO_SHELLS.contains(&shell.rsplit('/').next().unwrap_or_default());
        if USERS.contains(name) && !is_shut {
            // An empty field means /bin/sh.
            found.push((*name, if shell.is_empty() { "/bin/sh" } else { shell }));
        }
    }
    let (name, _) = found.first()?;
    let named: Vec<String> = found
        .iter()
        .map(|(name, shell)| format!("{name} has the shell {shell}"))
        .collect();
    Some(Warn(
        named.join(", "),
        format!("a service needs none: `usermod --shell /usr/sbin/nologin {name}`"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_of_a_service_with_a_shell_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("passwd");
        let found = |text: &str| {
            std::fs::write(&file, text).unwrap();
            may_log_in(&file)
        };
        let root = "root:x:0:0:root:/root:/bin/bash\n";
        assert_eq!(found(root), None);
        let shut = "pqcrypta_monitor:x:998:998::/:/usr/sbin/nologin\npqcrypta_analytics:x:997:997::/:/bin/false\n";
        assert_eq!(found(&format!("{root}{shut}")), None);
        let open = "pqcrypta_collector:x:999:999::/home/c:/bin/bash\n";
        let Some(Warn(text, remedy)) = found(&format!("{root}{shut}{open}")) else {
            panic!("nothing found")
        };
        assert_eq!(text, "pqcrypta_collector has the shell /bin/bash");
        assert!(remedy.contains("usermod --shell /usr/sbin/nologin pqcrypta_collector"));
        assert!(
            found("pqcrypta_collector:x:999:999::/:\n").is_some(),
            "an empty field is /bin/sh"
        );
        assert_eq!(may_log_in(&dir.path().join("absent")), None);
    }
}
