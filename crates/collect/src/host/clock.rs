//! Synchronisation of the clock, by the time service of the host.
//!
//! The kernel has a flag for this, which only `adjtimex` shows: a call that needs unsafe code and
//! that the sandbox of a hardened service refuses, as it can also set the clock. So the service is asked:
//!
//! * systemd-timesyncd touches a file each time a server's answer has corrected the clock;
//! * chronyd and ntpd answer questions over the loopback interface ([`TimeDaemon`]), asked once a minute.
//!
//! Where none of them runs, or the one that does answers nobody, it is unknown.

use std::net::UdpSocket;
use std::time::Duration;

use rustix::io::Errno;
use schema::Timestamp;

use crate::Moment;
use crate::read::Tree;

use super::time_daemon::TimeDaemon;

/// Touched by systemd-timesyncd whenever it has corrected the clock.
const SYNCHRONISED: &str = "systemd/timesync/synchronized";
/// The directory the daemon makes when it starts.
const DAEMON: &str = "systemd/timesync";
/// The daemon asks at least each 2048 s (`PollIntervalMaxSec`); three answers may be lost.
const BELIEVED_SECS: i64 = 4 * 2048;

/// How often a daemon is asked.
const ASK_EVERY: Duration = Duration::from_secs(60);
/// How long an answer holds: two may be lost.
const HOLDS: Duration = Duration::from_secs(3 * 60);

/// What is known of the clock.
#[derive(Debug, Default)]
pub(super) struct Clock {
    asked: Vec<(TimeDaemon, UdpSocket)>,
    asked_at: Option<Duration>,
    /// The newest answer, and when it came.
    answer: Option<(bool, Duration)>,
}

impl Clock {
    /// Returns whether the clock is synchronised; `None` when that is unknown.
    pub(super) fn synchronised(&mut self, run: &mut Tree, at: &Moment) -> Option<bool> {
        self.synchronised_by(run, at, TimeDaemon::port)
    }

    fn synchronised_by(
        &mut self,
        run: &mut Tree,
        at: &Moment,
        port: impl Fn(TimeDaemon) -> u16,
    ) -> Option<bool> {
        for (daemon, socket) in self.asked.drain(..) {
            if let Some(answer) = daemon.take(&socket) {
                self.answer = Some((answer, at.monotonic));
            }
        }
        let is_due = self
            .asked_at
            .is_none_or(|asked| at.monotonic.saturating_sub(asked) >= ASK_EVERY);
        if is_due {
            self.asked_at = Some(at.monotonic);
            for daemon in TimeDaemon::ALL {
                if run.stat(daemon.mark()).is_ok() {
                    // One that does not listen is not asked: it is unknown, as without an answer.
                    let socket = daemon.ask(port(daemon)).ok();
                    self.asked.extend(socket.map(|socket| (daemon, socket)));
                }
            }
        }
        let told = self
            .answer
            .filter(|(_, since)| at.monotonic.saturating_sub(*since) < HOLDS)
            .map(|(answer, _)| answer);
        // Two services are a fault of configuration; one that keeps the clock is enough.
        match (timesyncd(run, at.ts), told) {
            (Some(one), Some(other)) => Some(one || other),
            (one, other) => one.or(other),
        }
    }
}

/// Returns whether systemd-timesyncd corrected the clock recently; `None` where it does not run.
fn timesyncd(run: &mut Tree, now: Timestamp) -> Option<bool> {
    match run.stat(SYNCHRONISED) {
        Ok(stat) => {
            let age = (now.as_millis() / 1000).saturating_sub(stat.st_mtime);
            Some(age <= BELIEVED_SECS)
        }
        Err(Errno::NOENT) => run.stat(DAEMON).ok().map(|_| false),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn the_daemon_and_its_last_correction() {
        let dir = tempfile::tempdir().unwrap();
        let mut run = Tree::new(dir.path());
        let at = |secs: i64| Timestamp::from_millis(secs * 1000);
        assert_eq!(timesyncd(&mut run, at(0)), None, "no daemon");

        std::fs::create_dir_all(dir.path().join(DAEMON)).unwrap();
        assert_eq!(timesyncd(&mut run, at(0)), Some(false), "not yet");

        std::fs::write(dir.path().join(SYNCHRONISED), "").unwrap();
        let touched = run.stat(SYNCHRONISED).unwrap().st_mtime;
        assert_eq!(timesyncd(&mut run, at(touched + 60)), Some(true));
        assert_eq!(
            timesyncd(&mut run, at(touched - 9)),
            Some(true),
            "a clock set back"
        );
        let late = at(touched + BELIEVED_SECS + 1);
        assert_eq!(timesyncd(&mut run, late), Some(false), "no answer since");
    }

    #[test]
    fn a_daemon_is_asked_with_one_tick_and_heard_with_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let mut run = Tree::new(dir.path());
        let mut clock = Clock::default();
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = server.local_addr().unwrap().port();
        let tick = |secs: u64| Moment {
            ts: Timestamp(0),
            monotonic: Duration::from_secs(secs),
        };
        // Nothing below /run: nobody is asked.
        assert_eq!(clock.synchronised_by(&mut run, &tick(0), |_| port), None);
        assert!(clock.asked.is_empty());

        std::fs::write(dir.path().join("ntpd.pid"), "1").unwrap();
        assert_eq!(clock.synchronised_by(&mut run, &tick(60), |_| port), None);
        // The answer is there before the next tick: it is in the socket's buffer once it was sent.
        let mut packet = [0; 64];
        let (len, from) = server.recv_from(&mut packet).unwrap();
        let mut answer = packet[..len].to_vec();
        answer[0] = 0x24;
        answer[1] = 3;
        answer.copy_within(40..48, 24);
        server.send_to(&answer, from).unwrap();
        for (secs, expected) in [(70, Some(true)), (249, Some(true)), (250, None)] {
            let told = clock.synchronised_by(&mut run, &tick(secs), |_| port);
            assert_eq!(told, expected, "{secs}");
        }
    }
}
