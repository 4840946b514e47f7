//! Questions to a time daemon of this host: is the clock synchronised?
//!
//! chronyd answers monitoring commands from the host itself on UDP port 323, ntpd the NTP packets of a client on port
//! 123. Both answer from memory, so a question is sent with one tick and its answer taken with the next: nobody waits.
//! Answers are of other programs; what is not one is ignored.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};

/// A daemon that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeDaemon {
    Chrony,
    Ntp,
}

/// Number by which an answer is known to be that to our question.
const NUMBER: [u8; 4] = *b"pqcc";

/// Length of chrony's answer, and of the question, which has to be as long: so nobody is flooded in another's name.
const CHRONY_LEN: usize = 104;
/// Length of an NTP packet.
const NTP_LEN: usize = 48;

impl TimeDaemon {
    /// Every daemon.
    pub(super) const ALL: [Self; 2] = [Self::Chrony, Self::Ntp];

    /// Returns what is below `/run` while it runs.
    pub(super) const fn mark(self) -> &'static str {
        match self {
            Self::Chrony => "chrony",
            Self::Ntp => "ntpd.pid",
        }
    }

    /// Returns the port at which it listens.
    pub(super) const fn port(self) -> u16 {
        match self {
            Self::Chrony => 323,
            Self::Ntp => 123,
        }
    }

    /// Returns the question.
    fn question(self) -> Vec<u8> {
        match self {
            // Version 6, a request, command 33: tracking (candm.h).
            Self::Chrony => {
                let mut packet = vec![0; CHRONY_LEN];
                packet[..2].copy_from_slice(&[6, 1]);
                packet[5] = 33;
                packet[8..12].copy_from_slice(&NUMBER);
                packet
            }
            // Version 4, mode 3: client (RFC 5905). The time of sending comes back as that of origin.
            Self::Ntp => {
                let mut packet = vec![0; NTP_LEN];
                packet[0] = 0x23;
                packet[40..44].copy_from_slice(&NUMBER);
                packet
            }
        }
    }

    /// Returns whether the clock is synchronised according to an answer; `None` where it is not one.
    pub(super) fn answer(self, packet: &[u8]) -> Option<bool> {
        /// The leap indicator of a clock that is not synchronised.
        const UNSYNCHRONISED: u8 = 3;
        match self {
            // Version, kind 2: an answer, command 33, form 5: tracking, status 0: done.
            Self::Chrony => {
                let is_tracking = packet.len() >= CHRONY_LEN
                    && packet[..2] == [6, 2]
                    && packet[4..10] == [0, 33, 0, 5, 0, 0]
                    && packet[16..20] == NUMBER;
                // After the header of 28 bytes: identifier 4, address 20, stratum 2, leap status 2.
                is_tracking.then(|| packet[54..56] != [0, UNSYNCHRONISED])
            }
            Self::Ntp => {
                let is_server =
                    packet.len() >= NTP_LEN && packet[0] & 7 == 4 && packet[24..28] == NUMBER;
                is_server.then(|| packet[0] >> 6 != UNSYNCHRONISED && (1..16).contains(&packet[1]))
            }
        }
    }

    /// Sends the question. The answer comes to the socket.
    pub(super) fn ask(self, port: u16) -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        socket.connect((Ipv4Addr::LOCALHOST, port))?;
        socket.send(&self.question())?;
        Ok(socket)
    }

    /// Takes the answer, if it has come.
    pub(super) fn take(self, socket: &UdpSocket) -> Option<bool> {
        let mut packet = [0; 512];
        // Without an answer there is none, whatever the reason.
        let len = socket.recv(&mut packet).ok()?;
        self.answer(packet.get(..len)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer of chronyd 4.3, with this leap status and stratum.
    fn chrony(leap: u8, stratum: u8) -> Vec<u8> {
        let mut packet = vec![0; CHRONY_LEN];
        packet[..10].copy_from_slice(&[6, 2, 0, 0, 0, 33, 0, 5, 0, 0]);
        packet[16..20].copy_from_slice(&NUMBER);
        packet[53] = stratum;
        packet[55] = leap;
        packet
    }

    fn ntp(leap: u8, stratum: u8) -> Vec<u8> {
        let mut packet = vec![0; NTP_LEN];
        packet[0] = leap << 6 | 0x24;
        packet[1] = stratum;
        packet[24..28].copy_from_slice(&NUMBER);
        packet
    }

    #[test]
    fn the_leap_indicator_decides() {
        use TimeDaemon::{Chrony, Ntp};
        let other = |mut packet: Vec<u8>, at: usize| {
            packet[at] ^= 1;
            packet
        };
        for (name, daemon, packet, expected) in [
            ("in step", Chrony, chrony(0, 3), Some(true)),
            ("leap second", Chrony, chrony(1, 3), Some(true)),
            ("not in step", Chrony, chrony(3, 0), Some(false)),
            ("short", Chrony, chrony(0, 3)[..60].to_vec(), None),
            ("to somebody else", Chrony, other(chrony(0, 3), 17), None),
            ("refused", Chrony, other(chrony(0, 3), 9), None),
            ("another version", Chrony, other(chrony(0, 3), 0), None),
            ("in step", Ntp, ntp(0, 2), Some(true)),
            ("not in step", Ntp, ntp(3, 16), Some(false)),
            ("kiss of death", Ntp, ntp(0, 0), Some(false)),
            ("a client", Ntp, other(ntp(0, 2), 0), None),
            ("to somebody else", Ntp, other(ntp(0, 2), 25), None),
            ("nothing", Ntp, vec![], None),
        ] {
            assert_eq!(daemon.answer(&packet), expected, "{daemon:?} {name}");
        }
    }
}
