//! The files that this program writes its own messages to.
//!
//! Reading one of them would make of each message about a line another line, for ever. A file is known
//! by device and inode, so links, other names and patterns lead to it as well.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use config::{Fault, Faults, Loaded, LogKind, Origin, Place, Problem};

use super::files;
use super::stat::Stat;

/// Files that are written by this program or by those it runs.
#[derive(Clone, Debug, Default)]
pub struct OwnOutput {
    files: Vec<(u64, u64)>,
    /// Unit of the journal.
    unit: Option<String>,
}

impl OwnOutput {
    /// Returns standard output and standard error of this process, where they are files.
    #[must_use]
    pub fn of_this_process() -> Self {
        let mut own = Self::default();
        let (out, error) = (std::io::stdout(), std::io::stderr());
        for fd in [out.as_fd(), error.as_fd()] {
            own.add_open(fd);
        }
        own
    }

    fn add_open(&mut self, fd: BorrowedFd<'_>) {
        if let Ok(stat) = Stat::of_fd(fd) {
            self.add(&stat);
        }
    }

    fn add(&mut self, stat: &Stat) {
        if stat.is_regular() {
            self.files.push((stat.dev, stat.ino));
        }
    }

    /// Adds another file that this process writes.
    pub fn add_file(&mut self, path: &Path) {
        if let Ok(stat) = Stat::of(path) {
            self.add(&stat);
        }
    }

    /// Returns the systemd unit of this process if its output goes to the journal.
    /// `stream` is the variable `JOURNAL_STREAM`, `cgroup` the text of `/proc/self/cgroup`.
    pub fn add_unit(&mut self, stream: Option<&str>, cgroup: &str) {
        let error = std::io::stderr();
        let is_journal = Stat::of_fd(error.as_fd())
            .is_ok_and(|stat| stream == Some(format!("{}:{}", stat.raw_dev(), stat.ino).as_str()));
        if is_journal {
            self.unit = unit_of(cgroup);
        }
    }

    pub(super) fn has(&self, stat: &Stat) -> bool {
        self.files.contains(&(stat.dev, stat.ino))
    }

    /// Refuses a configuration with a source that names one of these.
    ///
    /// # Errors
    /// Each such source, with file, line, key and remedy.
    pub fn check(&self, loaded: &Loaded) -> Result<(), Faults> {
        let mut faults = Vec::new();
        for (index, source) in loaded.config.logs.source.iter().enumerate() {
            let (name, problem) = match (&source.path, source.kind) {
                (Some(path), LogKind::File) => ("path", self.problem_of_file(path)),
                (_, LogKind::Journal) => ("unit", self.problem_of_unit(&source.unit)),
                _ => continue,
            };
            let Some(problem) = problem else { continue };
            let key = format!("logs.source[{}].{name}", index + 1);
            let setting = loaded.effective.iter().find(|setting| setting.key == key);
            let line = match setting.map(|setting| &setting.origin) {
                Some(Origin::File(line)) => Some(*line),
                _ => None,
            };
            faults.push(Fault {
                place: Place::File(loaded.path.clone(), line),
                key: Some(key),
                problem,
            });
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Faults(faults))
        }
    }

    fn problem_of_file(&self, path: &Path) -> Option<Problem> {
        let is_own = |path: &PathBuf| Stat::of(path).is_ok_and(|stat| self.has(&stat));
        let own = files::named_by(path).into_iter().find(is_own)?;
        let what = if own == path {
            "is".to_owned()
        } else {
            format!("stands also for {}, which is", own.display())
        };
        Some(Problem::new(
            format!(
                "{} {what} where this program writes its own messages: each line read would make another",
                path.display()
            ),
            "name other files only, or send the program's output elsewhere",
        ))
    }

    fn problem_of_unit(&self, unit: &str) -> Option<Problem> {
        let own = self.unit.as_deref()?;
        let full = if unit.contains('.') {
            unit.to_owned()
        } else {
            format!("{unit}.service")
        };
        super::pattern::matches(&full, own).then(|| {
            Problem::new(
                format!("{unit} is {own}, in which this program runs and writes its own messages: each line read would make another"),
                "name another unit",
            )
        })
    }
}

/// Returns the innermost unit that a control group belongs to.
fn unit_of(cgroup: &str) -> Option<String> {
    let line = cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mut parts = line.rsplit('/');
    let unit = parts.find(|part| part.ends_with(".service"))?;
    Some(unit.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// Returns a configuration with one source at `path`, and the refusal of it when `own` is ours.
    fn refusal(own: &OwnOutput, entry: &str) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("collector.toml");
        let text = format!("\n[[logs.source]]\nname = \"one\"\n{entry}\n");
        fs::write(&file, text).unwrap();
        let none = config::Environment::of([] as [(&str, &str); 0]);
        let loaded = config::Config::load(Some(&file), &none).unwrap();
        own.check(&loaded).err().map(|faults| faults.to_string())
    }

    #[test]
    fn own_output_is_refused_whatever_leads_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("up.log"), "").unwrap();
        fs::write(at("other.log"), "").unwrap();
        symlink(at("up.log"), at("link")).unwrap();
        symlink(dir.path(), at("dir")).unwrap();
        fs::hard_link(at("up.log"), at("hard")).unwrap();
        let mut own = OwnOutput::default();
        own.add_file(&at("up.log"));
        for name in [
            "up.log",
            "link",
            "hard",
            "dir/up.log",
            "*.log",
            "u?.log",
            "[tu]p.log",
        ] {
            let entry = format!("path = \"{}\"", at(name).display());
            let refusal = refusal(&own, &entry).unwrap_or_else(|| panic!("{name} is not refused"));
            for part in [
                "collector.toml:4: logs.source[1].path: ",
                "own messages",
                "; name other",
            ] {
                assert!(refusal.contains(part), "{name}: {refusal}");
            }
        }
        for name in ["other.log", "o*.log", "missing.log", "none/*.log"] {
            let entry = format!("path = \"{}\"", at(name).display());
            assert_eq!(refusal(&own, &entry), None, "{name}");
        }
    }

    #[test]
    fn the_unit_this_runs_in_is_refused() {
        let own = OwnOutput {
            unit: Some("pqcrypta-up.service".to_owned()),
            ..OwnOutput::default()
        };
        for unit in ["pqcrypta-up", "pqcrypta-up.service", "pqcrypta-*", "*"] {
            let refusal = refusal(&own, &format!("kind = \"journal\"\nunit = \"{unit}\""));
            assert!(
                refusal.is_some_and(|refusal| refusal.contains("[1].unit: ")),
                "{unit}"
            );
        }
        for unit in ["ssh", "pqcrypta-up.socket", "pqcrypta-api"] {
            let entry = format!("kind = \"journal\"\nunit = \"{unit}\"");
            assert_eq!(refusal(&own, &entry), None, "{unit}");
            assert_eq!(refusal(&OwnOutput::default(), &entry), None, "{unit}");
        }
    }

    #[test]
    fn the_unit_is_read_from_the_control_group() {
        for (cgroup, expected) in [
            ("0::/system.slice/up.service\n", Some("up.service")),
            (
                "1:name=systemd:/x\n0::/system.slice/up.service/child\n",
                Some("up.service"),
            ),
            ("0::/user.slice/user-0.slice/session-3.scope\n", None),
            ("0::/\n", None),
            ("", None),
        ] {
            assert_eq!(unit_of(cgroup).as_deref(), expected, "{cgroup}");
        }
    }
}
