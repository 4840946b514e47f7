//! Isolated databases on one server shared by the tests of a process.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use pg::Target;
use tokio::sync::Mutex;

use crate::error::TestkitError;
use crate::server::{Rows, Server, sql};

/// The templates that stand, by name.
static TEMPLATES: Mutex<BTreeSet<String>> = Mutex::const_new(BTreeSet::new());

/// The server all tests of this process share; started at the first call.
///
/// # Errors
/// As [`crate::Builder::start`].
pub fn shared_server() -> Result<&'static Server, TestkitError> {
    static SERVER: OnceLock<Server> = OnceLock::new();
    static STARTING: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = STARTING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(server) = SERVER.get() {
        return Ok(server);
    }
    let server = Server::new()?;
    Ok(SERVER.get_or_init(|| server))
}

/// A database of its own on [`shared_server`], cloned from the template `name`. The first call of
/// the process with this name creates the template and lets `init` fill it (migrate, seed); `init`
/// must have closed its sessions when it returns.
///
/// # Errors
/// When the server does not start, `init` fails or the clone cannot be made.
pub async fn database<E: Display>(
    name: &str,
    init: impl AsyncFnOnce(Target) -> Result<(), E>,
) -> Result<Database, TestkitError> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let server = shared_server()?;
    let template = format!("template_{name}");
    let mut templates = TEMPLATES.lock().await;
    if !templates.contains(name) {
        server
            .sql(&format!("CREATE DATABASE {}", quoted(&template)))
            .await?;
        let filled = init(server.target().with_database(&template)).await;
        if let Err(error) = filled {
            server
                .sql(&format!("DROP DATABASE {} WITH (FORCE)", quoted(&template)))
                .await?;
            return Err(TestkitError::Template {
                name: name.to_owned(),
                problem: error.to_string(),
            });
        }
        templates.insert(name.to_owned());
    }
    drop(templates);
    let clone = format!("{name}_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    server
        .sql(&format!(
            "CREATE DATABASE {} TEMPLATE {}",
            quoted(&clone),
            quoted(&template)
        ))
        .await?;
    Ok(Database {
        server,
        name: clone,
    })
}

/// A database that is dropped with this value, whatever sessions are left.
#[derive(Debug)]
pub struct Database {
    server: &'static Server,
    name: String,
}

impl Database {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is, as superuser.
    #[must_use]
    pub fn target(&self) -> Target {
        self.server.target().with_database(&self.name)
    }

    /// Runs statements as superuser and returns the rows of all of them.
    ///
    /// # Errors
    /// When there is no session or a statement fails.
    pub async fn sql(&self, text: &str) -> Result<Rows, TestkitError> {
        sql(&self.target(), text).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server, quoted(&self.name));
        // A runtime of its own: the test's may be gone or unable to wait here.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            drop(runtime.block_on(server.sql(&format!("DROP DATABASE {name} WITH (FORCE)"))));
            Ok::<(), std::io::Error>(())
        });
        // A database that stays is removed with its server.
        drop(dropped.join());
    }
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
