//! Packets refused by a packet filter of Linux: iptables, nftables and their front ends.
//!
//! ```text
//! [UFW BLOCK] IN=eth0 OUT= MAC=… SRC=192.0.2.7 DST=203.0.113.1 LEN=40 … PROTO=TCP SPT=4 DPT=22
//! ```
//!
//! The prefix before `IN=` comes from the administrator or the front end; the rest comes from the
//! kernel. A rule that logs need not refuse, so a packet counts as refused only if the prefix states it.
//! Rules without a prefix are the exception: accepting rules are not logged without one.

use super::observation::{Observation, Peer, What};

/// Words of a prefix, or parts of them, in capitals, and whether they mean a refusal. The last one in the prefix
/// decides, because the chain precedes the action: `Shorewall:net2fw:DROP:`.
const VERDICTS: &[(&str, bool)] = &[
    ("DROP", true),
    ("REJECT", true),
    ("BLOCK", true),
    ("DENY", true),
    ("DENIED", true),
    ("REFUSE", true),
    ("DISCARD", true),
    ("PROHIBIT", true),
    ("FORBID", true),
    ("BLACKLIST", true),
    ("BANNED", true),
    // EdgeOS and VyOS name the rule's action by its letter: `[WAN_IN-default-D]`.
    ("-D]", true),
    ("-R]", true),
    ("-A]", false),
    ("ACCEPT", false),
    ("ALLOW", false),
    ("PERMIT", false),
    ("PASS", false),
    ("AUDIT", false),
    // SuSEfirewall2: `SFW2-INext-ACC-TCP`.
    ("-ACC-", false),
];

/// Maximum length of a prefix: iptables takes 29 bytes, nftables 127.
const LONGEST: usize = 160;

/// Reads a packet that was refused. Its port is the detail.
pub(super) fn read(message: &str) -> Option<Observation<'_>> {
    let (prefix, packet) = split(message)?;
    if !is_refusal(prefix) {
        return None;
    }
    let field = |name: &str| {
        let mut fields = packet.split(' ');
        fields
            .find_map(|field| field.strip_prefix(name))
            .filter(|value| !value.is_empty())
    };
    let mut seen = Observation::of(What::Blocked, Peer::parse(field("SRC=")?), None);
    seen.peer.filter(|peer| peer.address.is_some())?;
    seen.detail = field("DPT=");
    Some(seen)
}

/// Returns the prefix and the packet. There may be no separator between the two: a prefix is written as configured,
/// `DROPIN=eth0 OUT=` and `"REJECT: "IN=eth0 OUT=` included.
fn split(message: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    while let Some(found) = memchr::memmem::find(&message.as_bytes()[from..], b"IN=") {
        let at = from + found;
        if at > LONGEST {
            return None;
        }
        let value = &message[at + "IN=".len()..];
        let end = value.find(' ').unwrap_or(value.len());
        if value[end..].starts_with(" OUT=") {
            return Some(message.split_at(at));
        }
        from = at + "IN=".len();
    }
    None
}

/// Returns whether a packet with this prefix was refused.
fn is_refusal(prefix: &str) -> bool {
    let prefix = prefix.to_ascii_uppercase();
    if !prefix.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        return true;
    }
    VERDICTS
        .iter()
        .filter_map(|(word, refused)| Some((prefix.rfind(word)? + word.len(), *refused)))
        .max_by_key(|(end, _)| *end)
        .is_some_and(|(_, refused)| refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_verdict_of_a_prefix_holds() {
        for (prefix, refused) in [
            ("", true),
            ("[UFW BLOCK] ", true),
            ("[UFW LIMIT BLOCK] ", true),
            ("[UFW ALLOW] ", false),
            ("[UFW AUDIT] ", false),
            ("[UFW AUDIT INVALID] ", false),
            ("\"filter_IN_public_REJECT: \"", true),
            ("filter_IN_public_DROP: ", true),
            ("\"STATE_INVALID_DROP: \"", true),
            ("FINAL_REJECT: ", true),
            ("Shorewall:net2fw:DROP:", true),
            ("Shorewall:loc2net:ACCEPT:", false),
            ("net-fw REJECT ", true),
            ("IPTables-Dropped: ", true),
            ("iptables denied: ", true),
            ("[nftables] Inbound Denied: ", true),
            ("nft-drop: ", true),
            ("DROP", true),
            ("Firewall: *TCP_IN Blocked* ", true),
            ("** IN_TCP DROP ** ", true),
            ("SFW2-INext-DROP-DEFLT ", true),
            ("SFW2-INext-ACC-TCP ", false),
            (":0:6:PVEFW-HOST-IN: policy DROP: ", true),
            ("RULE 5 -- DENY ", true),
            ("[WAN_IN-default-D]", true),
            ("[WAN_LOCAL-10-A]", false),
            ("REJECT wan in: ", true),
            ("NEW-SSH ", false),
            ("\"NEW-SSH \"", false),
            ("ACCEPT ", false),
            ("SSH ", false),
            ("IPTables-INPUT: ", false),
            ("DROPLIST-ACCEPT ", false),
        ] {
            let message = format!(
                "{prefix}IN=eth0 OUT= MAC= SRC=203.0.113.60 DST=192.0.2.1 PROTO=TCP SPT=5 DPT=23"
            );
            let seen = read(&message);
            assert_eq!(seen.is_some(), refused, "{prefix}");
            if let Some(seen) = seen {
                assert_eq!(seen.peer.unwrap().text, "203.0.113.60");
                assert_eq!(seen.detail, Some("23"));
            }
        }
    }

    #[test]
    fn a_packet_has_both_ways_and_a_sender() {
        for message in [
            "DROP IN=eth0 SRC=192.0.2.7",
            "DROP IN=eth0 OUT= DST=192.0.2.7",
            "DROP IN=eth0 OUT= SRC=example.com DST=192.0.2.7",
            "DROP: LOGIN=x OUT=y",
            "usb 1-1: DROP",
        ] {
            assert!(read(message).is_none(), "{message}");
        }
        // What is sent out is refused, too; and a word before may end in the same letters.
        for message in [
            "DROP: IN= OUT=eth0 SRC=2001:db8::7 DST=2001:db8::1 PROTO=UDP",
            "MAIN=DROP IN=br0 OUT= PHYSIN=eth0 SRC=2001:db8::7 DST=2001:db8::1",
        ] {
            assert!(read(message).is_some(), "{message}");
        }
    }
}
