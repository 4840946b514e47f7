//! Package managers: dpkg, dnf, pacman.

use super::{Action, Change};
use crate::event::Event;

const KIND: &str = "package";

/// Reads a line of `/var/log/dpkg.log`, `/var/log/dnf.rpm.log` or `/var/log/pacman.log`.
pub(super) fn read(event: &Event) -> Option<Change<'_>> {
    if !event.component.is_empty() {
        return None;
    }
    let message = event.message.as_str();
    // Python's level, of which librpm's log has one below `DEBUG`.
    if let Some(rest) = message.strip_prefix("SUBDEBUG ") {
        return dnf(rest);
    }
    match message.strip_prefix("[ALPM] ") {
        Some(rest) => pacman(rest),
        None => dpkg(message),
    }
}

/// `upgrade nginx:amd64 1.22.1-9 1.22.1-10`: verb, package with architecture, version before and after. The first line
/// of a package's change; those about its states follow. Source: dpkg's `log_message`, dpkg(1).
fn dpkg(message: &str) -> Option<Change<'_>> {
    let mut words = message.split(' ');
    let (verb, package) = (words.next()?, words.next()?);
    let (before, after) = (version(words.next()?), version(words.next()?));
    let (name, arch) = package.split_once(':')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if words.next().is_some()
        || name.is_empty()
        || arch.is_empty()
        || !name.bytes().all(plain)
        || !arch.bytes().all(plain)
    {
        return None;
    }
    let action = match verb {
        "upgrade" if before == after => return None,
        "upgrade" => Action::Upgraded,
        "install" => Action::Installed,
        // A purge without a remove before it has a version; with one, only the configuration files are left.
        "remove" => Action::Removed,
        _ => return None,
    };
    Some(Change::new(KIND, name, action).before(before).after(after))
}

/// Returns a version of dpkg's log; `<none>` stands for none.
fn version(word: &str) -> Option<&str> {
    (word != "<none>").then_some(word)
}

/// `Upgrade: nginx-1:1.20.1-14.el9.x86_64`, of which librpm's log calls the package that comes *Upgrade* and the one that
/// goes *Upgraded*.
fn dnf(message: &str) -> Option<Change<'_>> {
    let (verb, package) = message.split_once(": ")?;
    let action = match verb {
        "Upgrade" => Action::Upgraded,
        "Downgrade" => Action::Downgraded,
        "Installed" => Action::Installed,
        "Erase" | "Removed" => Action::Removed,
        _ => return None,
    };
    // name-version-release.arch; a name may hold dashes.
    let (rest, arch) = package.trim_end().rsplit_once('.')?;
    let (front, release) = rest.rsplit_once('-')?;
    let (name, _) = front.rsplit_once('-')?;
    let version = rest.get(name.len() + 1..)?;
    let is_plain = |text: &str| !text.is_empty() && !text.contains([' ', '/', '"']);
    if !is_plain(name) || !is_plain(arch) || !is_plain(release) || arch.len() > 10 {
        return None;
    }
    let change = Change::new(KIND, name, action);
    Some(match action {
        Action::Removed => change.before(Some(version)),
        _ => change.after(Some(version)),
    })
}

/// `upgraded nginx (1.26.1-1 -> 1.26.2-1)`, `installed nginx (1.26.1-1)`.
fn pacman(message: &str) -> Option<Change<'_>> {
    let (verb, rest) = message.split_once(' ')?;
    let (name, versions) = rest.split_once(" (")?;
    let versions = versions.strip_suffix(')')?;
    if name.contains(' ') {
        return None;
    }
    let two = versions.split_once(" -> ");
    let change = |action| Change::new(KIND, name, action);
    Some(match (verb, two) {
        ("upgraded", Some((before, after))) => change(Action::Upgraded)
            .before(Some(before))
            .after(Some(after)),
        ("downgraded", Some((before, after))) => change(Action::Downgraded)
            .before(Some(before))
            .after(Some(after)),
        ("installed", None) => change(Action::Installed).after(Some(versions)),
        ("removed", None) => change(Action::Removed).before(Some(versions)),
        _ => return None,
    })
}
