//! The settings handed to collector and monitor: the caller's file with what `up` decides laid
//! over it.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::database::{DATABASE, READER, WRITER};
use super::state::{PORT, State};

/// Where the dashboard listens unless somebody says otherwise.
const LISTEN: &str = "127.0.0.1:8088";

/// The settings of one start.
#[derive(Debug)]
pub(crate) struct Settings {
    table: Table,
    /// Where the dashboard listens; never port 0.
    pub(crate) listen: SocketAddr,
    /// Path of the dashboard, with a slash at both ends.
    pub(crate) base_path: String,
}

impl Settings {
    /// Reads the caller's file, if there is one, and settles where the dashboard listens.
    ///
    /// # Errors
    /// When the file cannot be read or the address cannot be used.
    pub(crate) fn new(file: Option<&Path>, listen: Option<SocketAddr>) -> Result<Self> {
        let table = match file {
            Some(path) => {
                let text = fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                text.parse::<Table>()
                    .with_context(|| format!("{} is no TOML", path.display()))?
            }
            None => Table::new(),
        };
        let said = |name| {
            table
                .get("monitor")
                .and_then(|monitor| monitor.get(name)?.as_str())
        };
        let wanted = match listen {
            Some(listen) => listen,
            None => {
                let text = said("listen").unwrap_or(LISTEN);
                text.parse()
                    .with_context(|| format!("{text:?} is no address with a port"))?
            }
        };
        let base_path = said("base_path").unwrap_or("/monitor/").to_owned();
        Ok(Self {
            listen: settle(wanted)?,
            base_path,
            table,
        })
    }

    /// The dashboard's address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.listen, self.base_path)
    }

    /// Variables that win over everything else, so that one set for another purpose changes nothing.
    pub(crate) fn env(&self, state: &State, user: &str) -> Vec<(&'static str, String)> {
        vec![
            ("DB_HOST", state.socket.to_string_lossy().into_owned()),
            ("DB_PORT", PORT.to_string()),
            ("DB_NAME", DATABASE.to_owned()),
            ("DB_USER", user.to_owned()),
            ("QUEUE_DIR", state.queue().to_string_lossy().into_owned()),
            ("MONITOR_LISTEN", self.listen.to_string()),
            ("MONITOR_BASE_PATH", self.base_path.clone()),
        ]
    }

    /// Variables that have no meaning for the private server.
    pub(crate) fn unset() -> Vec<&'static str> {
        vec!["DB_PASS", "DB_PASS_FILE", "DB_SSLMODE", "DB_SSL_ROOT_CERT"]
    }

    /// The collector's variables.
    pub(crate) fn collector_env(&self, state: &State) -> Vec<(&'static str, String)> {
        self.env(state, WRITER)
    }

    /// The monitor's variables.
    pub(crate) fn monitor_env(&self, state: &State) -> Vec<(&'static str, String)> {
        self.env(state, READER)
    }

    /// Writes the file that collector, monitor and the other subcommands read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, state: &State) -> Result<()> {
        let path = state.settings();
        let text = self.text(state);
        let draft = path.with_extension("new");
        // It may hold secrets of the caller's file.
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&draft, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn text(&self, state: &State) -> String {
        let mut table = self.table.clone();
        let mut set = |section: &str, name: &str, value: Value| {
            let entry = table
                .entry(section)
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(entry) = entry {
                entry.insert(name.to_owned(), value);
            }
        };
        let text = |path: &Path| Value::String(path.to_string_lossy().into_owned());
        set("database", "host", text(&state.socket));
        set("database", "port", Value::Integer(PORT.into()));
        set("database", "name", Value::String(DATABASE.to_owned()));
        set("database", "user", Value::String(WRITER.to_owned()));
        set("collector", "queue_dir", text(&state.queue()));
        set("monitor", "listen", Value::String(self.listen.to_string()));
        if let Some(Value::Table(database)) = table.get_mut("database") {
            for name in ["password", "password_file", "sslmode", "ssl_root_cert"] {
                database.remove(name);
            }
        }
        format!(
            "# Written by `pqcrypta up` at each start; changes here are lost.\n\
             # For other subcommands while it runs: `pqcrypta status --config` with this file.\n\n{table}"
        )
    }
}

/// Checks that nobody listens there yet, and settles port 0 once, so that a restarted dashboard
/// keeps its address.
fn settle(wanted: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind(wanted).with_context(|| {
        format!("cannot listen on {wanted}; choose another address by --listen")
    })?;
    listener.local_addr().context("the system names no address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_zero_becomes_a_free_port_and_a_taken_one_is_refused() {
        let any = "127.0.0.1:0".parse().unwrap();
        let settled = settle(any).unwrap();
        assert_ne!(settled.port(), 0);
        let taken = TcpListener::bind(any).unwrap();
        let error = settle(taken.local_addr().unwrap()).unwrap_err();
        assert!(error.to_string().contains("--listen"), "{error}");
    }

    #[test]
    fn the_callers_file_is_kept_and_the_server_is_ours() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mine.toml");
        fs::write(
            &file,
            "[database]\nhost = \"db.example.org\"\npassword = \"s3cret\"\n\
             [intervals]\nsystem_secs = 2\n[monitor]\nbase_path = \"/m/\"\nlisten = \"127.0.0.1:0\"\n",
        )
        .unwrap();
        let settings = Settings::new(Some(&file), None).unwrap();
        assert!(settings.url().ends_with("/m/"), "{}", settings.url());
        let state = State::open(&dir.path().join("state")).unwrap();
        settings.write(&state).unwrap();
        let text = fs::read_to_string(state.settings()).unwrap();
        let table: Table = text.parse().unwrap();
        assert_eq!(table["intervals"]["system_secs"].as_integer(), Some(2));
        assert_eq!(
            table["database"]["host"].as_str(),
            Some(&*state.socket.to_string_lossy())
        );
        assert!(!text.contains("s3cret"), "{text}");
    }
}
