//! The dashboard's server as it is installed, started for a measurement.

use super::collector::Children;
use anyhow::Context;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use testkit::Server;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A monitor that runs until this value ends.
pub(crate) struct Monitor {
    address: SocketAddr,
    _child: Children,
}

impl Monitor {
    /// Starts it for a server and waits until it listens, at a free port where no address is given; `dir` takes its
    /// configuration.
    pub(crate) fn start(
        binary: &Path,
        server: &Server,
        dir: &Path,
        address: Option<SocketAddr>,
    ) -> anyhow::Result<Self> {
        let target = server.target();
        let pg::Host::Socket(socket) = &target.host else {
            anyhow::bail!("the server has a socket")
        };
        let config = dir.join("monitor.toml");
        let text = format!(
            "[database]\nhost = \"{}\"\nport = {}\nname = \"{}\"\nuser = \"{}\"\n",
            socket.display(),
            target.port,
            target.database,
            target.user,
        );
        fs::write(&config, text)?;
        let address = address.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let mut child = Command::new(binary)
            .arg("--config")
            .arg(config)
            .arg("--listen")
            .arg(address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let out = child.stdout.take().context("it has an output")?;
        let child = Children(vec![child]);
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let address = line
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.split('/').next())
            .context("the monitor does not listen")?;
        Ok(Self {
            address: address.parse()?,
            _child: child,
        })
    }

    /// Returns where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks for a path of the API; returns the body of the answer.
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<String> {
        let body = self.get_in_time(path)?;
        body.with_context(|| format!("{path}: takes too long"))
    }

    /// Returns the same; `None` where the database takes longer than the server waits for it.
    pub(crate) fn get_in_time(&self, path: &str) -> anyhow::Result<Option<String>> {
        let mut link = TcpStream::connect(self.address)?;
        link.set_read_timeout(Some(PATIENCE))?;
        let request = format!(
            "GET /monitor/api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        );
        link.write_all(request.as_bytes())?;
        let mut answer = String::new();
        link.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        if head.starts_with("HTTP/1.1 504") {
            return Ok(None);
        }
        anyhow::ensure!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        Ok(Some(body.to_owned()))
    }
}
