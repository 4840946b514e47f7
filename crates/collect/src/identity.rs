//! Which machine this is.
//!
//! The machine id of systemd or D-Bus is what all rows of a host are stored under. Where there is
//! none, or it is not one yet (`uninitialized` during the first boot), one is derived from what
//! does not change by itself: the serial number of the firmware if it may be read, else the name
//! of the host. It is marked as derived, as two hosts of one name would share it.

use std::path::{Path, PathBuf};

use schema::Timestamp;
use sha2::{Digest, Sha256};

use crate::Roots;
use crate::fields::stored;
use crate::host::{parse_meminfo, stat};
use crate::read::Tree;

/// Files outside `/proc` and `/sys` that say which machine this is, the best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFiles {
    /// Hold a machine id of 32 hexadecimal digits.
    pub machine_id: Vec<PathBuf>,
    /// Hold `PRETTY_NAME=`, see os-release(5).
    pub os_release: Vec<PathBuf>,
}

impl Default for IdentityFiles {
    fn default() -> Self {
        let paths = |paths: [&str; 2]| paths.map(PathBuf::from).to_vec();
        Self {
            machine_id: paths(["/etc/machine-id", "/var/lib/dbus/machine-id"]),
            os_release: paths(["/etc/os-release", "/usr/lib/os-release"]),
        }
    }
}

/// Where a machine id came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineIdSource {
    /// From a file of [`IdentityFiles::machine_id`].
    File,
    /// Derived from the firmware's serial number.
    Firmware,
    /// Derived from the host's name: two hosts of one name share it. Worth a warning.
    Hostname,
}

/// Which machine this is. `None` is what could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostIdentity {
    /// 32 lower-case hexadecimal digits.
    pub machine_id: String,
    /// Where they came from.
    pub machine_id_source: MachineIdSource,
    /// Name of the host; empty when it has none. /proc/sys/kernel/hostname.
    pub hostname: String,
    /// Release of the kernel. /proc/sys/kernel/osrelease.
    pub kernel: Option<String>,
    /// Identity of this boot. /proc/sys/kernel/random/boot_id.
    pub boot_id: Option<String>,
    /// When the machine booted, to the second. /proc/stat `btime`.
    pub boot_ts: Option<Timestamp>,
    /// Cores online. /proc/stat.
    pub cores: Option<i32>,
    /// Memory, bytes. /proc/meminfo `MemTotal`.
    pub memory_bytes: Option<i64>,
    /// Name of the operating system. os-release(5) `PRETTY_NAME`.
    pub os_name: Option<String>,
}

/// The machine has no identity that lasts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this machine has no id: /etc/machine-id is absent, empty or zero. Run systemd-machine-id-setup as root, or write \
     `id = \"…\"` into section [host]; with `id = \"{guess}\"` it stays the host it was if it reported without one before"
)]
pub struct NoMachineId {
    /// What names the machine as long as its name or firmware stays.
    guess: String,
}

impl HostIdentity {
    /// Returns the identity in the store: that of the settings, else that of the machine.
    ///
    /// # Errors
    /// When there is neither: an id guessed from the name would be that of another machine sooner or later.
    pub fn in_store(&self, settings: &config::Host) -> Result<String, NoMachineId> {
        match self.machine_id_source {
            _ if !settings.id.is_empty() => Ok(settings.id.clone()),
            MachineIdSource::File => Ok(self.machine_id.clone()),
            MachineIdSource::Firmware | MachineIdSource::Hostname => Err(NoMachineId {
                guess: self.machine_id.clone(),
            }),
        }
    }
}

/// Finds out which machine this is. Reads a few small files; for the start of a program.
#[must_use]
pub fn host_identity(roots: &Roots, files: &IdentityFiles) -> HostIdentity {
    let mut proc = Tree::new(&roots.proc);
    let hostname = word(&mut proc, "sys/kernel/hostname").unwrap_or_default();
    let (machine_id, machine_id_source) = machine_id(files, &roots.sys, &hostname);
    let stat = proc.read("stat").map(stat::parse).unwrap_or_default();
    let memory = proc.read("meminfo").map(parse_meminfo).unwrap_or_default();
    let cores = i32::try_from(stat.cores.len()).ok();
    HostIdentity {
        machine_id,
        machine_id_source,
        hostname,
        kernel: word(&mut proc, "sys/kernel/osrelease"),
        boot_id: word(&mut proc, "sys/kernel/random/boot_id"),
        boot_ts: stat
            .btime
            .map(|secs| Timestamp::from_millis(stored(secs.saturating_mul(1000)))),
        cores: cores.filter(|cores| *cores > 0),
        memory_bytes: memory.total.map(stored),
        os_name: files
            .os_release
            .iter()
            .find_map(|path| pretty_name(&content(path)?)),
    }
}

fn machine_id(files: &IdentityFiles, sys: &Path, hostname: &str) -> (String, MachineIdSource) {
    let from_file = files
        .machine_id
        .iter()
        .filter_map(|path| content(path))
        .find_map(|text| valid_machine_id(&text));
    if let Some(id) = from_file {
        return (id, MachineIdSource::File);
    }
    let serial = content(&sys.join("class/dmi/id/product_uuid"))
        .map(|text| text.trim().to_ascii_lowercase())
        .filter(|serial| serial.bytes().any(|byte| !b"0f-".contains(&byte)));
    match serial {
        Some(serial) => (derived_id("firmware", &serial), MachineIdSource::Firmware),
        None => (derived_id("hostname", hostname), MachineIdSource::Hostname),
    }
}

fn valid_machine_id(text: &str) -> Option<String> {
    let id = text.trim().to_ascii_lowercase();
    let valid = id.len() == 32
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        && id.bytes().any(|byte| byte != b'0');
    valid.then_some(id)
}

fn derived_id(from: &str, what: &str) -> String {
    let digest = Sha256::digest(format!("pqcrypta-collector machine id from {from}: {what}"));
    digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn pretty_name(text: &str) -> Option<String> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?
        .trim();
    let plain = value.trim_matches(|quote| quote == '"' || quote == '\'');
    (!plain.is_empty()).then(|| plain.to_owned())
}

fn word(proc: &mut Tree, path: &str) -> Option<String> {
    let text = proc.read(path).ok()?.trim_ascii();
    (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
}

fn content(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture_tests::copy_of;

    #[test]
    fn a_machine_and_its_system() {
        let (dir, roots) = copy_of("linux-3.10");
        let files = IdentityFiles {
            machine_id: vec![dir.path().join("none"), dir.path().join("machine-id")],
            os_release: vec![dir.path().join("os-release")],
        };
        std::fs::write(&files.machine_id[1], "0123456789ABCDEF0123456789abcdef\n").unwrap();
        std::fs::write(&files.os_release[0], "ID=x\nPRETTY_NAME=\"Some Linux 7\"\n").unwrap();
        let expected = HostIdentity {
            machine_id: "0123456789abcdef0123456789abcdef".to_owned(),
            machine_id_source: MachineIdSource::File,
            hostname: "old".to_owned(),
            kernel: Some("3.10.0-1160.el7.x86_64".to_owned()),
            boot_id: Some("11111111-2222-3333-4444-555555555555".to_owned()),
            boot_ts: Some(Timestamp::from_millis(1_400_000_000_000)),
            cores: Some(2),
            memory_bytes: Some(1_041_596_416),
            os_name: Some("Some Linux 7".to_owned()),
        };
        let found = host_identity(&roots, &files);
        assert_eq!(found, expected);
        let id = found.in_store(&config::Host::default());
        assert_eq!(id, Ok(expected.machine_id));
    }

    #[test]
    fn without_a_machine_id_one_is_derived_and_stays() {
        let (dir, roots) = copy_of("linux-3.10");
        let files = IdentityFiles {
            machine_id: vec![dir.path().join("machine-id")],
            os_release: Vec::new(),
        };
        let mut seen = Vec::new();
        for content in [
            "",
            "uninitialized\n",
            "00000000000000000000000000000000",
            "0123",
        ] {
            std::fs::write(&files.machine_id[0], content).unwrap();
            let found = host_identity(&roots, &files);
            assert_eq!(
                found.machine_id_source,
                MachineIdSource::Hostname,
                "{content:?}"
            );
            assert_eq!(
                valid_machine_id(&found.machine_id).as_ref(),
                Some(&found.machine_id)
            );
            let missing = found.in_store(&config::Host::default()).unwrap_err();
            let remedy = missing.to_string();
            assert!(remedy.contains("systemd-machine-id-setup"), "{remedy}");
            assert!(remedy.contains(&found.machine_id), "{remedy}");
            let named = config::Host {
                id: "web-1".to_owned(),
            };
            assert_eq!(found.in_store(&named), Ok("web-1".to_owned()));
            seen.push(found.machine_id);
        }
        seen.dedup();
        assert_eq!(seen.len(), 1, "{seen:?}");

        let serial = roots.sys.join("class/dmi/id/product_uuid");
        std::fs::create_dir_all(serial.parent().unwrap()).unwrap();
        std::fs::write(&serial, "00000000-0000-0000-0000-000000000000\n").unwrap();
        let found = host_identity(&roots, &files);
        assert_eq!(
            found.machine_id_source,
            MachineIdSource::Hostname,
            "no serial at all"
        );
        std::fs::write(&serial, "4C4C4544-0042-3510-8052-B4C04F4D3332\n").unwrap();
        let found = host_identity(&roots, &files);
        assert_eq!(found.machine_id_source, MachineIdSource::Firmware);
        assert_ne!(found.machine_id, seen[0]);
    }

    #[test]
    fn nothing_there_is_nothing_known() {
        let dir = tempfile::tempdir().unwrap();
        let roots = Roots {
            proc: dir.path().join("proc"),
            sys: dir.path().join("sys"),
        };
        let files = IdentityFiles {
            machine_id: Vec::new(),
            os_release: Vec::new(),
        };
        let found = host_identity(&roots, &files);
        assert_eq!(
            (found.cores, found.memory_bytes, found.boot_ts),
            (None, None, None)
        );
        assert_eq!(found.hostname, "");
    }
}
