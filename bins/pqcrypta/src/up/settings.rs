//! The settings handed to collector and monitor: the caller's file with what `up` decides laid
//! over it.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use collect::{IdentityFiles, Roots, host_identity};
use config::{Config, Environment};
use logs::source::OwnOutput;
use toml::{Table, Value};

use super::database::{DATABASE, INGEST, READER, WRITER};
use super::state::{PORT, State};

/// Where an application is watched.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// Key of `[scrape]`.
    pub(crate) key: &'static str,
    /// Its variable.
    pub(crate) variable: &'static str,
    pub(crate) url: String,
}

/// The settings of one start.
#[derive(Debug)]
pub(crate) struct Settings {
    table: Table,
    /// What takes the place of the section of that name.
    analytics: Option<Table>,
    /// What takes the place of the addresses of the caller's file.
    watched: Vec<Address>,
    /// Where the dashboard listens; never port 0.
    pub(crate) listen: SocketAddr,
    /// Path of the dashboard, with a slash at both ends.
    pub(crate) base_path: String,
}

impl Settings {
    /// Reads and checks the caller's file, if there is one, and settles where the dashboard listens:
    /// as `listen` states, else the environment, else the file, else the default.
    ///
    /// # Errors
    /// [`config::Faults`] when the file or the environment is faulty; or the address cannot be used.
    pub(crate) fn new(
        state: &State,
        file: Option<&Path>,
        listen: Option<SocketAddr>,
    ) -> Result<Self> {
        let (table, monitor) = read(state, file)?;
        Ok(Self {
            listen: settle(listen.unwrap_or(monitor.listen))?,
            base_path: monitor.base_path,
            analytics: None,
            watched: Vec::new(),
            table,
        })
    }

    /// Reads the caller's file again. Where the dashboard lies stays as it is.
    ///
    /// # Errors
    /// As [`Settings::new`]; these settings are as before then.
    pub(crate) fn reread(&mut self, state: &State, file: &Path) -> Result<()> {
        self.table = read(state, Some(file))?.0;
        Ok(())
    }

    /// Takes the section `[analytics]` from elsewhere, instead of that of the caller's file.
    pub(crate) fn set_analytics(&mut self, analytics: Table) {
        self.analytics = Some(analytics);
    }

    /// Takes addresses of applications from elsewhere, instead of those of the caller.
    pub(crate) fn set_watched(&mut self, addresses: impl Into<Vec<Address>>) {
        self.watched = addresses.into();
    }

    /// Returns the variables of what receives reports of sites.
    pub(crate) fn analytics_env(&self, state: &State) -> Vec<(&'static str, String)> {
        self.env(state, INGEST)
    }

    /// Returns the dashboard's address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.listen, self.base_path)
    }

    /// Variables that win over everything else, so that one set for another purpose changes nothing.
    fn env(&self, state: &State, user: &str) -> Vec<(&'static str, String)> {
        let mut variables = base_env(state, user);
        variables.push(("MONITOR_LISTEN", self.listen.to_string()));
        variables.push(("MONITOR_BASE_PATH", self.base_path.clone()));
        variables
    }

    /// Variables that have no meaning for the private server.
    pub(crate) fn unset() -> Vec<&'static str> {
        vec!["DB_PASS", "DB_PASS_FILE", "DB_SSLMODE", "DB_SSL_ROOT_CERT"]
    }

    /// Returns the collector's variables.
    pub(crate) fn collector_env(&self, state: &State) -> Vec<(&'static str, String)> {
        let mut variables = self.env(state, WRITER);
        let watched = self.watched.iter();
        variables.extend(watched.map(|one| (one.variable, one.url.clone())));
        variables
    }

    /// Returns the monitor's variables.
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
        if let Some(analytics) = &self.analytics {
            table.insert("analytics".to_owned(), Value::Table(analytics.clone()));
        }
        let table_host = table.get("host").cloned();
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
        if let Some(id) = own_id(table_host.as_ref()) {
            set("host", "id", Value::String(id));
        }
        set("collector", "queue_dir", text(&state.queue()));
        for one in &self.watched {
            set("scrape", one.key, Value::String(one.url.clone()));
        }
        set("monitor", "listen", Value::String(self.listen.to_string()));
        if let Some(Value::Table(database)) = table.get_mut("database") {
            for name in ["password", "password_file", "sslmode", "ssl_root_cert"] {
                database.remove(name);
            }
        }
        let status = status_command(state);
        format!(
            "# Written by `pqcrypta up` at each start; changes here are lost.\n\
             # For other subcommands while it runs: {status}\n\n{table}"
        )
    }
}

/// Returns the command, for a shell, that asks for the status of what runs here.
pub(crate) fn status_command(state: &State) -> String {
    let program = std::env::current_exe().unwrap_or_else(|_| "pqcrypta".into());
    format!(
        "{} status --config {}",
        shell_word(&program),
        shell_word(&state.settings())
    )
}

/// Returns a path as one word of a shell.
fn shell_word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(&byte);
    match text.bytes().all(is_plain) {
        true => text.into_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Returns an identity for a machine that has none, as containers have none: the private store has one host, so its name will do.
fn own_id(host: Option<&Value>) -> Option<String> {
    let is_set = host.is_some_and(|host| host.get("id").is_some());
    if is_set {
        return None;
    }
    let identity = host_identity(&Roots::default(), &IdentityFiles::default());
    let has_none = identity.in_store(&config::Host::default()).is_err();
    has_none.then_some(identity.machine_id)
}

/// Reads the caller's file, and what it and the environment set for the dashboard.
fn read(state: &State, file: Option<&Path>) -> Result<(Table, config::Monitor)> {
    let table = match file {
        Some(path) => {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            text.parse().unwrap_or_default()
        }
        None => Table::new(),
    };
    // Without a file only the environment counts, not a file of the installed service.
    let empty = state.settings();
    if file.is_none() {
        fs::write(&empty, "").with_context(|| format!("cannot write {}", empty.display()))?;
    }
    let ours = base_env(state, WRITER);
    let variables = std::env::vars_os()
        .filter(|(name, _)| !Settings::unset().iter().any(|unset| name == *unset))
        .chain(
            ours.into_iter()
                .map(|(name, value)| (name.into(), value.into())),
        );
    let loaded = Config::load(Some(file.unwrap_or(&empty)), &Environment::of(variables))?;
    own_output(state).check(&loaded)?;
    Ok((table, loaded.config.monitor))
}

/// Returns where `up` and what it runs write their messages.
fn own_output(state: &State) -> OwnOutput {
    let mut own = OwnOutput::of_this_process();
    own.add_file(&state.server_log());
    let environment = Environment::from_process();
    let cgroup = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    own.add_unit(environment.get("JOURNAL_STREAM"), &cgroup);
    own
}

/// Returns the variables of database and queue.
fn base_env(state: &State, user: &str) -> Vec<(&'static str, String)> {
    vec![
        ("DB_HOST", state.socket.to_string_lossy().into_owned()),
        ("DB_PORT", PORT.to_string()),
        ("DB_NAME", DATABASE.to_owned()),
        ("DB_USER", user.to_owned()),
        ("QUEUE_DIR", state.queue().to_string_lossy().into_owned()),
    ]
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
    use std::os::unix::fs::PermissionsExt;

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
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let state = State::open(&dir.path().join("state")).unwrap();
        let settings = Settings::new(&state, Some(&file), None).unwrap();
        assert!(settings.url().ends_with("/m/"), "{}", settings.url());
        settings.write(&state).unwrap();
        let text = fs::read_to_string(state.settings()).unwrap();
        let table: Table = text.parse().unwrap();
        assert_eq!(table["intervals"]["system_secs"].as_integer(), Some(2));
        assert_eq!(
            table["database"]["host"].as_str(),
            Some(&*state.socket.to_string_lossy())
        );
        assert!(!text.contains("s3cret"), "{text}");
        let command = format!(" status --config {}\n", state.settings().display());
        assert!(text.contains(&command), "{text}");
    }

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        for (path, wanted) in [
            ("/srv/a-b_1.toml", "/srv/a-b_1.toml"),
            ("/my files/x", "'/my files/x'"),
            ("/it's", r"'/it'\''s'"),
        ] {
            assert_eq!(shell_word(Path::new(path)), wanted);
        }
    }
}
