//! Whether an installed package asks for a restart of the host.
//!
//! Package managers leave a file until the next boot: apt `/run/reboot-required` with the packages beside it in
//! `reboot-required.pkgs`, zypper `/run/reboot-needed`. They are looked for once a minute.

use std::fmt::Write as _;
use std::time::Duration;

use rustix::io::Errno;

use crate::Moment;
use crate::read::Tree;

/// The files, by the directories that mean the same on most systems.
const FILES: [&str; 3] = [
    "run/reboot-required",
    "run/reboot-needed",
    "var/run/reboot-required",
];
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Longest list of packages, characters: it is stored with each tick.
const LONGEST: usize = 120;

/// What was found when it was looked for last.
#[derive(Debug, Default)]
pub(super) struct Reboot {
    looked_at: Option<Duration>,
    is_required: Option<bool>,
    packages: Option<String>,
}

impl Reboot {
    /// Returns whether a restart is asked for, `None` when that is unknown, and by which packages.
    pub(super) fn required(
        &mut self,
        root: &mut Tree,
        at: &Moment,
    ) -> (Option<bool>, Option<String>) {
        let is_due = self
            .looked_at
            .is_none_or(|looked| at.monotonic.saturating_sub(looked) >= LOOK_EVERY);
        if is_due {
            self.looked_at = Some(at.monotonic);
            self.look(root);
        }
        (self.is_required, self.packages.clone())
    }

    fn look(&mut self, root: &mut Tree) {
        self.is_required = root.stat("run").is_ok().then_some(false);
        self.packages = None;
        for file in FILES {
            match root.stat(file) {
                Ok(_) => {
                    self.is_required = Some(true);
                    let packages = root.read(&format!("{file}.pkgs")).ok();
                    self.packages = packages.and_then(names);
                    return;
                }
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(_) => self.is_required = None,
            }
        }
    }
}

/// Returns the packages of a list, each once.
fn names(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let mut names: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|name| !name.is_empty() && !name.contains(char::is_control))
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut list = String::new();
    for (nth, name) in names.iter().enumerate() {
        let rest = names.len() - nth;
        if list.len() + name.len() > LONGEST {
            if !list.is_empty() {
                // Writing to a String cannot fail.
                let _infallible = write!(list, " and {rest} more");
            }
            break;
        }
        if nth > 0 {
            list.push_str(", ");
        }
        list.push_str(name);
    }
    (!list.is_empty()).then_some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_and_its_packages() {
        let dir = tempfile::tempdir().unwrap();
        let mut root = Tree::new(dir.path());
        let mut reboot = Reboot::default();
        let tick = |secs: u64| Moment {
            monotonic: Duration::from_secs(secs),
            ..Moment::default()
        };
        assert_eq!(
            reboot.required(&mut root, &tick(0)),
            (None, None),
            "no /run"
        );

        std::fs::create_dir(dir.path().join("run")).unwrap();
        let file = dir.path().join("run/reboot-required");
        assert_eq!(reboot.required(&mut root, &tick(30)), (None, None), "kept");
        let none = (Some(false), None);
        assert_eq!(reboot.required(&mut root, &tick(60)), none);

        std::fs::write(&file, "*** System restart required ***\n").unwrap();
        assert_eq!(reboot.required(&mut root, &tick(120)), (Some(true), None));

        let packages = "linux-image-6.1.0\nlibc6\nlibc6\n\n";
        std::fs::write(dir.path().join("run/reboot-required.pkgs"), packages).unwrap();
        let named = (Some(true), Some("libc6, linux-image-6.1.0".to_owned()));
        assert_eq!(reboot.required(&mut root, &tick(180)), named);

        std::fs::remove_file(&file).unwrap();
        assert_eq!(reboot.required(&mut root, &tick(240)), none);
        std::fs::write(dir.path().join("run/reboot-needed"), "").unwrap();
        assert_eq!(reboot.required(&mut root, &tick(300)), (Some(true), None));
    }

    #[test]
    fn a_long_list_is_cut_at_a_name() {
        let many: String = (0..60).map(|n| format!("package-{n:02}\n")).collect();
        let list = names(many.as_bytes()).unwrap();
        assert!(list.starts_with("package-00, package-01, "), "{list}");
        assert!(
            list.ends_with(", package-10 and 49 more") || list.len() < 140,
            "{list}"
        );
        assert_eq!(names(b"\n\x1b[31m\n"), None);
    }
}
