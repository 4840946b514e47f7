//! What the service manager is told: sd_notify(3), over a datagram to the socket of `NOTIFY_SOCKET`.
//!
//! | message | when |
//! |---|---|
//! | `READY=1` | the program does its work; `systemctl start` waits for it |
//! | `WATCHDOG=1` | it made progress; without one for `WatchdogSec=` it is restarted |
//! | `WATCHDOG=trigger` | it knows that it hangs, and is restarted now (systemd 243 and later; others wait for the above) |
//! | `STOPPING=1` | it ends |
//! | `STATUS=…` | a line for `systemctl status` |
//!
//! Without a service manager, with a name that is none, or with a socket that nobody reads, nothing is sent: no program fails
//! over it. A name that begins with `@` is one of the abstract namespace. The socket never blocks: a manager that does not
//! read loses messages and holds nobody up.
//!
//! It is std alone: the protocol is a line of text, and libsystemd would be a dependency at run time.

use config::Environment;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

/// The service manager that started this program, if one did. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct ServiceManager {
    socket: Option<Arc<UnixDatagram>>,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// Finds the manager by `NOTIFY_SOCKET`, and its patience by `WATCHDOG_USEC` where `WATCHDOG_PID` is absent or ours.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        let Some(name) = environment.raw("NOTIFY_SOCKET") else {
            return Self::default();
        };
        let address = match name.as_bytes() {
            [b'@', abstract_name @ ..] => SocketAddr::from_abstract_name(abstract_name),
            [b'/', ..] => SocketAddr::from_pathname(name),
            _ => return Self::default(),
        };
        let socket = address.and_then(|address| {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            socket.connect_addr(&address)?;
            Ok(socket)
        });
        match socket {
            Ok(socket) => Self {
                socket: Some(Arc::new(socket)),
                watchdog: watchdog(environment),
            },
            Err(error) => {
                tracing::debug!(%error, "nobody reads NOTIFY_SOCKET");
                Self::default()
            }
        }
    }

    /// Reports that the program does its work.
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// Reports progress.
    pub fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    /// Asks for a restart, as though the patience of the watchdog were over. A manager without a watchdog is asked for nothing.
    pub fn hung(&self) {
        if self.watchdog.is_some() {
            self.send("WATCHDOG=trigger");
        }
    }

    /// Reports that the program ends.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Sets the line that `systemctl status` shows.
    pub fn status(&self, line: &str) {
        self.send(&format!("STATUS={}", line.replace('\n', " ")));
    }

    /// Returns how often progress is to be reported: a third of the manager's patience, so that one lost message is harmless.
    /// `None` when nobody waits for it.
    #[must_use]
    pub fn report_every(&self) -> Option<Duration> {
        self.watchdog.map(|patience| patience / 3)
    }

    /// Reports progress for as long as it is polled: that of a server, whose loop is all there is to hang.
    pub async fn keep_alive(self) {
        let Some(every) = self.report_every() else {
            return;
        };
        loop {
            self.alive();
            tokio::time::sleep(every).await;
        }
    }

    fn send(&self, message: &str) {
        let Some(socket) = &self.socket else {
            return;
        };
        if let Err(error) = socket.send(message.as_bytes()) {
            tracing::debug!(%error, message, "the service manager was not told");
        }
    }
}

/// Reads the manager's patience.
fn watchdog(environment: &Environment) -> Option<Duration> {
    if let Some(pid) = environment.get("WATCHDOG_PID")
        && pid.parse() != Ok(std::process::id())
    {
        return None;
    }
    let micros = environment.get("WATCHDOG_USEC")?.parse().ok()?;
    (micros > 0).then(|| Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Binds a socket like that of a manager.
    fn bind(address: &SocketAddr) -> UnixDatagram {
        let socket = UnixDatagram::bind_addr(address).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        socket
    }

    fn read(socket: &UnixDatagram) -> String {
        let mut text = [0; 256];
        let length = socket.recv(&mut text).unwrap();
        String::from_utf8(text[..length].to_vec()).unwrap()
    }

    #[test]
    fn messages_arrive_at_a_path_and_at_an_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("pqcrypta-startup-{}", std::process::id());
        let cases = [
            (
                path.to_str().unwrap().to_owned(),
                SocketAddr::from_pathname(&path).unwrap(),
            ),
            (
                format!("@{name}"),
                SocketAddr::from_abstract_name(&name).unwrap(),
            ),
        ];
        for (variable, address) in cases {
            let socket = bind(&address);
            let manager = ServiceManager::of(&Environment::of([
                ("NOTIFY_SOCKET", variable.as_str()),
                ("WATCHDOG_USEC", "30000000"),
            ]));
            manager.ready();
            manager.alive();
            manager.hung();
            manager.status("two\nlines");
            manager.stopping();
            assert_eq!(read(&socket), "READY=1");
            assert_eq!(read(&socket), "WATCHDOG=1");
            assert_eq!(read(&socket), "WATCHDOG=trigger");
            assert_eq!(read(&socket), "STATUS=two lines");
            assert_eq!(read(&socket), "STOPPING=1");
            assert_eq!(manager.report_every(), Some(Duration::from_secs(10)));
        }
    }

    #[test]
    fn a_manager_that_is_absent_or_dead_is_no_reason_to_fail() {
        let folder = tempfile::tempdir().unwrap();
        let dead = folder.path().join("dead");
        drop(UnixDatagram::bind(&dead).unwrap());
        for name in [
            "",
            "relative",
            "@",
            dead.to_str().unwrap(),
            "/nonexistent/x",
        ] {
            let manager = ServiceManager::of(&Environment::of([
                ("NOTIFY_SOCKET", name),
                ("WATCHDOG_USEC", "1000000"),
            ]));
            manager.ready();
            assert_eq!(manager.report_every(), None, "{name}");
        }
    }

    #[test]
    fn a_manager_that_reads_nothing_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full");
        let _unread = UnixDatagram::bind(&path).unwrap();
        let manager = ServiceManager::of(&Environment::of([(
            "NOTIFY_SOCKET",
            path.to_str().unwrap(),
        )]));
        for _ in 0..100_000 {
            manager.alive();
        }
    }

    #[test]
    fn the_watchdog_of_another_process_is_not_ours() {
        let own = std::process::id().to_string();
        for (pid, micros, expected) in [
            (Some(own.as_str()), "3000000", Some(Duration::from_secs(3))),
            (None, "3000000", Some(Duration::from_secs(3))),
            (Some("1"), "3000000", None),
            (Some("x"), "3000000", None),
            (None, "0", None),
            (None, "soon", None),
        ] {
            let mut variables = vec![("WATCHDOG_USEC", micros)];
            variables.extend(pid.map(|pid| ("WATCHDOG_PID", pid)));
            assert_eq!(
                watchdog(&Environment::of(variables)),
                expected,
                "{pid:?} {micros}"
            );
        }
    }
}
