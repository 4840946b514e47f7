//! Whether the collector's unit lets it reach the store: an operator's drop-in with `IPAddressDeny=` drops packets silently, and a
//! session of this command, which is no part of the unit, comes about all the same.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use config::Config;
use pg::{Host, Target};

use super::Finding;
use super::Finding::Fail;

/// Where systemd looks for drop-ins; of two with one name the first counts.
const FOLDERS: [&str; 3] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
];
const DROP_INS: &str = "pqcrypta-collector.service.d";

/// Names the drop-in that shuts the store out; `None` where there is none, or nothing is to be reached over the network.
pub(super) fn shuts_out(config: &Config) -> Option<Finding> {
    let target = Target::from(&config.database);
    let Host::Tcp(host) = &target.host else {
        return None;
    };
    let addresses: Vec<IpAddr> = (host.as_str(), target.port)
        .to_socket_addrs()
        .ok()?
        .map(|address| address.ip())
        .collect();
    let culprit = denied(&drop_ins(&FOLDERS.map(Path::new)), &addresses)?;
    Some(Fail(
        format!(
            "{} denies the collector's service the addresses of {host} (IPAddressDeny)",
            culprit.display()
        ),
        "add them there (IPAddressAllow), then `systemctl daemon-reload` and restart the service"
            .to_owned(),
    ))
}

/// Reads the drop-ins in the order in which they count.
fn drop_ins(folders: &[&Path]) -> Vec<(PathBuf, String)> {
    let mut found = BTreeMap::new();
    for folder in folders {
        let entries = fs::read_dir(folder.join(DROP_INS));
        for entry in entries.into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|end| end == "conf")
                && let Ok(text) = fs::read_to_string(&path)
            {
                found.entry(entry.file_name()).or_insert((path, text));
            }
        }
    }
    found.into_values().collect()
}

/// Returns the last drop-in that denies one of these addresses, if none allows it: what is allowed wins, and an empty value
/// forgets what was listed before.
fn denied(drop_ins: &[(PathBuf, String)], addresses: &[IpAddr]) -> Option<PathBuf> {
    let (mut deny, mut allow) = (Vec::new(), Vec::new());
    for (path, text) in drop_ins {
        for line in text.lines().map(str::trim) {
            let list = match line.split_once('=') {
                Some(("IPAddressDeny", words)) => (&mut deny, words),
                Some(("IPAddressAllow", words)) => (&mut allow, words),
                _ => continue,
            };
            if list.1.trim().is_empty() {
                list.0.clear();
            }
            let words = list.1.split_whitespace();
            list.0.extend(words.map(|word| (path, word.to_owned())));
        }
    }
    let covers = |word: &str| addresses.iter().any(|address| covers(word, *address));
    if allow.iter().any(|(_, word)| covers(word)) {
        return None;
    }
    let mut denied = deny.iter().rev();
    let culprit = denied.find(|(_, word)| covers(word));
    culprit.map(|(path, _)| (*path).clone())
}

/// Returns whether a word of these lists, as systemd.resource-control(5) has them, covers an address.
fn covers(word: &str, address: IpAddr) -> bool {
    let is_one_of = |words: &[&str]| words.iter().any(|word| covers(word, address));
    match word {
        "any" => true,
        "localhost" => is_one_of(&["127.0.0.0/8", "::1/128"]),
        "link-local" => is_one_of(&["169.254.0.0/16", "fe80::/64"]),
        "multicast" => is_one_of(&["224.0.0.0/4", "ff00::/8"]),
        _ => {
            let (network, length) = word.split_once('/').unwrap_or((word, ""));
            let bits = |address: IpAddr| match address {
                IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32),
                IpAddr::V6(v6) => (u128::from(v6), 128),
            };
            let Ok(network) = network.parse::<IpAddr>() else {
                return false;
            };
            let (network, longest) = bits(network);
            let (address, other) = bits(address);
            let length = length.parse().unwrap_or(longest).min(longest);
            let beyond = 128_u32.saturating_sub(length);
            longest == other && (network ^ address).checked_shr(beyond).unwrap_or(0) == 0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drop_in_that_shuts_the_store_out_is_named() {
        let of = |texts: &[&str]| -> Vec<(PathBuf, String)> {
            let named = texts.iter().enumerate();
            named
                .map(|(place, text)| (PathBuf::from(format!("{place}.conf")), (*text).to_owned()))
                .collect()
        };
        let store: [IpAddr; 1] = ["10.1.2.3".parse().unwrap()];
        let here: [IpAddr; 1] = ["127.0.0.1".parse().unwrap()];
        let six: [IpAddr; 1] = ["2001:db8::5".parse().unwrap()];
        let loopback = include_str!("../../../../deploy/systemd/examples/loopback-only.conf");
        let cases: [(&[&str], &[IpAddr], Option<&str>); 9] = [
            (&[], &store, None),
            (&[loopback], &store, Some("0.conf")),
            (&[loopback], &six, Some("0.conf")),
            (&[loopback], &here, None),
            (&["IPAddressAllow=10.0.0.0/8", loopback], &store, None),
            (&[loopback, "IPAddressDeny="], &store, None),
            (
                &["IPAddressDeny=10.1.0.0/16", "IPAddressAllow=10.1.3.0/24"],
                &store,
                Some("0.conf"),
            ),
            (&["IPAddressDeny=2001:db8::/32"], &six, Some("0.conf")),
            (&["IPAddressDeny=link-local multicast"], &store, None),
        ];
        for (texts, addresses, wanted) in cases {
            let found = denied(&of(texts), addresses);
            assert_eq!(found.as_deref(), wanted.map(Path::new), "{texts:?}");
        }
    }

    #[test]
    fn of_two_drop_ins_with_one_name_the_operators_counts() {
        let dir = tempfile::tempdir().unwrap();
        let (etc, lib) = (dir.path().join("etc"), dir.path().join("lib"));
        for (folder, text) in [(&etc, "# nothing"), (&lib, "IPAddressDeny=any")] {
            fs::create_dir_all(folder.join(DROP_INS)).unwrap();
            fs::write(folder.join(DROP_INS).join("net.conf"), text).unwrap();
        }
        let found = drop_ins(&[&etc, &lib]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1, "# nothing");
    }
}
