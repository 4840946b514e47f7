//! Which file is in which package, and where: one table for the Debian packages, the rpm packages and the archive.

use std::path::{Path, PathBuf};

/// The packages, in the order in which they need each other.
pub(super) const PACKAGES: [&str; 5] = [
    "pqcrypta",
    "pqcrypta-collector",
    "pqcrypta-health-check",
    "pqcrypta-monitor",
    "pqcrypta-analytics",
];

/// Where a file comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    /// The programs that were built.
    Program,
    /// The checkout.
    Checkout,
    /// What is made for packages: manuals, completions, notices.
    Made,
}

/// Whether whoever makes the packages places a file, or Debian's helper does, which adds what it does at install.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    Here,
    /// As `debian/PACKAGE.KIND`, with this kind.
    ByDebhelper(&'static str),
}

/// A file of a package.
#[derive(Debug)]
pub(super) struct File {
    pub(super) package: &'static str,
    pub(super) from: From,
    pub(super) source: &'static str,
    /// Its directory below `/`.
    pub(super) directory: &'static str,
    pub(super) mode: u32,
    pub(super) placed: Placed,
}

const fn program(package: &'static str, name: &'static str) -> File {
    File {
        package,
        from: From::Program,
        source: name,
        directory: "usr/bin",
        mode: 0o755,
        placed: Placed::Here,
    }
}

const fn text(
    package: &'static str,
    from: From,
    source: &'static str,
    directory: &'static str,
) -> File {
    File {
        package,
        from,
        source,
        directory,
        mode: 0o644,
        placed: Placed::Here,
    }
}

const fn helped(
    package: &'static str,
    source: &'static str,
    directory: &'static str,
    kind: &'static str,
) -> File {
    File {
        placed: Placed::ByDebhelper(kind),
        ..text(package, From::Checkout, source, directory)
    }
}

const UNITS: &str = "usr/lib/systemd/system";
const SYSUSERS: &str = "usr/lib/sysusers.d";
const TMPFILES: &str = "usr/lib/tmpfiles.d";
const MAN1: &str = "usr/share/man/man1";

/// Every file. Manuals of subcommands and completions follow from their names (`place_of_made`).
#[rustfmt::skip]
pub(super) const FILES: &[File] = &[
    program("pqcrypta", "pqcrypta"),
    text("pqcrypta", From::Made, "collector.toml.5", "usr/share/man/man5"),
    text("pqcrypta", From::Made, "NOTICE", "usr/share/doc/pqcrypta"),
    text("pqcrypta", From::Made, "sbom.cdx.json", "usr/share/doc/pqcrypta"),
    text("pqcrypta", From::Checkout, "CHANGELOG.md", "usr/share/doc/pqcrypta/examples"),
    text("pqcrypta", From::Checkout, "deploy/sql/monitoring_role.sql", "usr/share/pqcrypta"),
    helped("pqcrypta", "deploy/tmpfiles.d/pqcrypta.conf", TMPFILES, "tmpfiles"),

    program("pqcrypta-collector", "pqcrypta-collector"),
    text("pqcrypta-collector", From::Made, "pqcrypta-collector.1", MAN1),
    text("pqcrypta-collector", From::Checkout, "deploy/systemd/examples/loopback-only.conf", "usr/share/doc/pqcrypta-collector/examples"),
    text("pqcrypta-collector", From::Checkout, "deploy/systemd/examples/small.conf", "usr/share/doc/pqcrypta-collector/examples"),
    text("pqcrypta-collector", From::Checkout, "deploy/systemd/examples/all-processes.conf", "usr/share/doc/pqcrypta-collector/examples"),
    text("pqcrypta-collector", From::Checkout, "deploy/systemd/examples/textfile.conf", "usr/share/doc/pqcrypta-collector/examples"),
    helped("pqcrypta-collector", "deploy/systemd/pqcrypta-collector.service", UNITS, "pqcrypta-collector.service"),
    helped("pqcrypta-collector", "deploy/sysusers.d/pqcrypta-collector.conf", SYSUSERS, "sysusers"),

    program("pqcrypta-health-check", "pqcrypta-health-check"),
    text("pqcrypta-health-check", From::Made, "pqcrypta-health-check.1", MAN1),
    text("pqcrypta-health-check", From::Checkout, "deploy/logrotate/pqcrypta-health-check", "usr/share/doc/pqcrypta-health-check/examples"),
    helped("pqcrypta-health-check", "deploy/systemd/pqcrypta-health-check.service", UNITS, "pqcrypta-health-check.service"),
    helped("pqcrypta-health-check", "deploy/systemd/pqcrypta-health-check.timer", UNITS, "pqcrypta-health-check.timer"),
    helped("pqcrypta-health-check", "deploy/tmpfiles.d/pqcrypta-health-check.conf", TMPFILES, "tmpfiles"),

    program("pqcrypta-monitor", "pqcrypta-monitor"),
    text("pqcrypta-monitor", From::Made, "pqcrypta-monitor.1", MAN1),
    helped("pqcrypta-monitor", "deploy/systemd/pqcrypta-monitor.service", UNITS, "pqcrypta-monitor.service"),
    text("pqcrypta-monitor", From::Checkout, "deploy/grafana/fleet.json", "usr/share/doc/pqcrypta-monitor/examples/grafana"),
    text("pqcrypta-monitor", From::Checkout, "deploy/grafana/host.json", "usr/share/doc/pqcrypta-monitor/examples/grafana"),
    text("pqcrypta-monitor", From::Checkout, "deploy/grafana/postgresql.json", "usr/share/doc/pqcrypta-monitor/examples/grafana"),
    text("pqcrypta-monitor", From::Checkout, "deploy/grafana/api.json", "usr/share/doc/pqcrypta-monitor/examples/grafana"),
    helped("pqcrypta-monitor", "deploy/sysusers.d/pqcrypta-monitor.conf", SYSUSERS, "sysusers"),

    program("pqcrypta-analytics", "pqcrypta-analytics"),
    text("pqcrypta-analytics", From::Made, "pqcrypta-analytics.1", MAN1),
    helped("pqcrypta-analytics", "deploy/systemd/pqcrypta-analytics.service", UNITS, "pqcrypta-analytics.service"),
    helped("pqcrypta-analytics", "deploy/sysusers.d/pqcrypta-analytics.conf", SYSUSERS, "sysusers"),
];

/// Returns the directory below `/` of a file that was made for the command: a manual of a subcommand, or completions.
pub(super) fn place_of_made(name: &str) -> Option<&'static str> {
    let is_manual = name == "pqcrypta.1"
        || (name.starts_with("pqcrypta-")
            && name.ends_with(".1")
            && FILES.iter().all(|file| file.source != name));
    match name {
        "pqcrypta.bash" => Some("usr/share/bash-completion/completions"),
        "_pqcrypta" => Some("usr/share/zsh/vendor-completions"),
        "pqcrypta.fish" => Some("usr/share/fish/vendor_completions.d"),
        _ if is_manual => Some(MAN1),
        _ => None,
    }
}

/// Returns the name of an installed file: completions of bash have that of their command, and tmpfiles and sysusers that
/// of their package already.
pub(super) fn installed_name(source: &Path) -> PathBuf {
    match source.file_name() {
        Some(name) if name == "pqcrypta.bash" => PathBuf::from("pqcrypta"),
        Some(name) => PathBuf::from(name),
        None => PathBuf::new(),
    }
}
