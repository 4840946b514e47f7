//! `/proc/net/dev`: traffic of every interface of this network namespace, since it came up.

use crate::fields::{fields, lines, number, split_once};

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) rx: Traffic,
    pub(crate) tx: Traffic,
}

/// One direction of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) bytes: u64,
    pub(crate) packets: u64,
    pub(crate) errors: u64,
    pub(crate) drops: u64,
}

/// Reads the file; lines without the sixteen columns, as its two headings, are left out.
pub(crate) fn parse(text: &[u8]) -> Vec<Interface> {
    lines(text).filter_map(interface).collect()
}

fn interface(line: &[u8]) -> Option<Interface> {
    // no name holds a colon, and old kernels leave no blank after it
    let (name, rest) = split_once(line, b':')?;
    let mut columns = [0_u64; 16];
    let mut found = fields(rest);
    for column in &mut columns {
        *column = number(found.next()?)?;
    }
    let [rb, rp, re, rd, _, _, _, _, tb, tp, te, td, ..] = columns;
    Some(Interface {
        name: String::from_utf8_lossy(name.trim_ascii()).into_owned(),
        rx: Traffic {
            bytes: rb,
            packets: rp,
            errors: re,
            drops: rd,
        },
        tx: Traffic {
            bytes: tb,
            packets: tp,
            errors: te,
            drops: td,
        },
    })
}

/// Bytes received and sent by all interfaces but the loopback one; `None` without interfaces.
pub(crate) fn outside(interfaces: &[Interface]) -> Option<(u64, u64)> {
    if interfaces.is_empty() {
        return None;
    }
    let sum = interfaces
        .iter()
        .filter(|interface| interface.name != "lo")
        .fold((0_u64, 0_u64), |(rx, tx), interface| {
            (
                rx.saturating_add(interface.rx.bytes),
                tx.saturating_add(interface.tx.bytes),
            )
        });
    Some(sum)
}

/// Returns the value of one name in a file made of pairs of lines, names above values, as
/// `/proc/net/snmp` and `/proc/net/netstat` are.
pub(crate) fn paired(text: &[u8], group: &[u8], name: &[u8]) -> Option<u64> {
    let mut rows = lines(text).filter_map(|line| {
        let (found, rest) = split_once(line, b':')?;
        (found == group).then_some(rest)
    });
    while let (Some(names), Some(values)) = (rows.next(), rows.next()) {
        let mut pairs = fields(names).zip(fields(values));
        if let Some((_, value)) = pairs.find(|(found, _)| *found == name) {
            return number(value);
        }
    }
    None
}
