//! Which PostgreSQL servers are installed, and which one fits.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Releases before this one are refused.
const OLDEST: u32 = 15;

/// An installed server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Programs {
    /// Major release.
    pub(crate) major: u32,
    /// Directory of `postgres` and `initdb`.
    pub(crate) bin: PathBuf,
}

/// Returns every installed server that is new enough, newest first.
pub(crate) fn installed() -> Vec<Programs> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
    {
        let bin = entry.path().join("bin");
        let major = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(major) = major
            && bin.join("initdb").is_file()
        {
            found.push(Programs { major, bin });
        }
    }
    for bin in std::env::var_os("PATH")
        .iter()
        .flat_map(std::env::split_paths)
    {
        if bin.join("initdb").is_file()
            && let Some(major) = major_of(&bin.join("postgres"))
            && !found.iter().any(|known: &Programs| known.major == major)
        {
            found.push(Programs { major, bin });
        }
    }
    found.retain(|programs| programs.major >= OLDEST);
    found.sort_by_key(|programs| std::cmp::Reverse(programs.major));
    found
}

/// Returns the major release that a `postgres` program reports.
fn major_of(postgres: &Path) -> Option<u32> {
    let output = std::process::Command::new(postgres)
        .arg("--version")
        .output()
        .ok()?;
    parse_major(&String::from_utf8_lossy(&output.stdout))
}

/// Parses `postgres (PostgreSQL) 15.20 (Debian …)` to 15.
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(2)?;
    number
        .split(|letter: char| !letter.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// Returns the server that fits the data: of their major release, or the newest for new data.
pub(crate) fn choose(installed: Vec<Programs>, data: &Path) -> Result<Programs> {
    let version = data.join("PG_VERSION");
    match fs::read_to_string(&version) {
        Ok(text) => {
            let major: u32 = text
                .trim()
                .parse()
                .with_context(|| format!("{} holds no release number", version.display()))?;
            installed
                .into_iter()
                .find(|programs| programs.major == major)
                .with_context(|| {
                    format!(
                        "the data in {} are of PostgreSQL {major}, which is not installed: install \
                     postgresql-{major}, or put its programs (postgres, initdb) in PATH, or choose another --state-dir",
                        data.display()
                    )
                })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            installed.into_iter().next().with_context(|| {
                format!(
                    "no PostgreSQL server of release {OLDEST} or newer is installed: on Debian, \
                     `apt-get install --no-install-recommends postgresql`; or put its programs (postgres, initdb) in PATH"
                )
            })
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", version.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_release_is_read_from_the_version() {
        let cases = [
            (
                "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)",
                Some(15),
            ),
            ("postgres (PostgreSQL) 18.4", Some(18)),
            ("postgres (PostgreSQL) 19beta1", Some(19)),
            ("nonsense", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(parse_major(text), wanted, "{text}");
        }
    }

    #[test]
    fn data_get_the_release_that_made_them() {
        let programs = |major| Programs {
            major,
            bin: PathBuf::from(format!("/{major}")),
        };
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            choose(vec![programs(18), programs(15)], dir.path())
                .unwrap()
                .major,
            18
        );
        fs::write(dir.path().join("PG_VERSION"), "15\n").unwrap();
        assert_eq!(
            choose(vec![programs(18), programs(15)], dir.path())
                .unwrap()
                .major,
            15
        );
        let error = choose(vec![programs(18)], dir.path())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("postgresql-15") && error.contains("in PATH"),
            "{error}"
        );
        let empty = tempfile::tempdir().unwrap();
        let error = choose(Vec::new(), empty.path()).unwrap_err().to_string();
        assert!(
            error.contains("apt-get install") && error.contains("in PATH"),
            "{error}"
        );
    }
}
