//! Isolated databases on one server shared by the tests of a process.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pg::{Session, SessionOptions, Target};
use tokio::sync::Mutex;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::error::TestkitError;
use crate::kept;
use crate::server::{Rows, Server, sql};

/// The template of [`migrated`].
pub(crate) const MIGRATED: &str = "migrated";

/// How long closing a session in order may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// How long a transaction of [`hold`] may stay open.
const HELD_WITHIN: Duration = Duration::from_secs(120);

/// The templates that exist, by name.
static TEMPLATES: Mutex<BTreeSet<String>> = Mutex::const_new(BTreeSet::new());

/// The server of this process, and whether it came with the template of [`migrated`].
struct Shared {
    server: Server,
    is_migrated: bool,
}

/// Returns the server all tests of this process share; started at the first call.
///
/// # Errors
/// As [`crate::Builder::start`].
pub fn shared_server() -> Result<&'static Server, TestkitError> {
    shared().map(|shared| &shared.server)
}

fn shared() -> Result<&'static Shared, TestkitError> {
    static SERVER: OnceLock<Shared> = OnceLock::new();
    static STARTING: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = STARTING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(server) = SERVER.get() {
        return Ok(server);
    }
    let kept = kept::migrated()?;
    let shared = Shared {
        is_migrated: kept.is_some(),
        server: Server::builder().data(kept).start()?,
    };
    Ok(SERVER.get_or_init(|| shared))
}

/// Connects as superuser.
///
/// # Errors
/// When there is no session.
pub async fn connect(target: &Target) -> Result<Session, TestkitError> {
    Ok(pg::connect(target, &SessionOptions::default(), "test").await?)
}

/// Opens a session whose transaction ran `statement` and stays open, up to two minutes, until the session ends it:
/// what a lock or an uncommitted row does to others.
///
/// # Errors
/// When there is no session or the statement fails.
pub async fn hold(target: &Target, statement: &str) -> Result<Session, TestkitError> {
    let options = SessionOptions {
        idle_in_transaction_timeout: HELD_WITHIN,
        transaction_timeout: HELD_WITHIN,
        ..SessionOptions::default()
    };
    let session = pg::connect(target, &options, "holder").await?;
    let begin = format!("BEGIN; {statement}");
    let begun = session.client.batch_execute(&begin);
    session
        .run("begin a transaction of a test", CLOSE_WITHIN, begun)
        .await?;
    Ok(session)
}

/// Runs a query and returns each row as text, columns separated by blanks, `-` for NULL.
///
/// # Errors
/// When the query fails.
pub async fn texts(client: &Client, query: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let messages = client.simple_query(query).await?;
    let text = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => {
            let columns = (0..row.len()).map(|column| row.get(column).unwrap_or("-"));
            Some(columns.collect::<Vec<_>>().join(" "))
        }
        _ => None,
    };
    Ok(messages.iter().filter_map(text).collect())
}

/// Migrates the database at the target.
///
/// # Errors
/// When there is no session or a migration fails.
pub async fn migrate(target: &Target) -> Result<(), TestkitError> {
    let session = connect(target).await?;
    let applied = store::migrations::apply(&session.client).await;
    session.close(CLOSE_WITHIN).await;
    applied.map(drop).map_err(|error| TestkitError::Template {
        name: target.to_string(),
        problem: error.to_string(),
    })
}

/// Returns a migrated database of its own on [`shared_server`].
///
/// # Errors
/// As [`database`].
pub async fn migrated() -> Result<Database, TestkitError> {
    database(MIGRATED, async |target| migrate(&target).await).await
}

/// Returns a database of its own on [`shared_server`], cloned from the template `name`. The first call of
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
    let Shared {
        server,
        is_migrated,
    } = shared()?;
    let mut templates = TEMPLATES.lock().await;
    let exists = templates.contains(name) || (*is_migrated && name == MIGRATED);
    if !exists {
        create_template(server, name, init).await?;
        templates.insert(name.to_owned());
    }
    drop(templates);
    let clone = format!("{name}_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    server
        .sql(&format!(
            "CREATE DATABASE {} TEMPLATE {}",
            quoted(&clone),
            quoted(&template(name))
        ))
        .await?;
    Ok(Database {
        server,
        name: clone,
    })
}

/// Creates a template and lets `init` fill it; nothing is left of one that fails.
pub(crate) async fn create_template<E: Display>(
    server: &Server,
    name: &str,
    init: impl AsyncFnOnce(Target) -> Result<(), E>,
) -> Result<(), TestkitError> {
    let quoted = quoted(&template(name));
    server.sql(&format!("CREATE DATABASE {quoted}")).await?;
    if let Err(error) = init(server.target().with_database(&template(name))).await {
        server
            .sql(&format!("DROP DATABASE {quoted} WITH (FORCE)"))
            .await?;
        return Err(TestkitError::Template {
            name: name.to_owned(),
            problem: error.to_string(),
        });
    }
    Ok(())
}

fn template(name: &str) -> String {
    format!("template_{name}")
}

/// A database that is dropped with this value, whatever sessions are left.
#[derive(Debug)]
pub struct Database {
    server: &'static Server,
    name: String,
}

impl Database {
    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns where it is, as superuser.
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

    /// Runs a query as superuser and returns the number in its first row and column; 0 for NULL or no row.
    ///
    /// # Errors
    /// When there is no session, the query fails, or the value is not a number.
    pub async fn number(&self, query: &str) -> Result<i64, TestkitError> {
        let rows = self.sql(query).await?;
        let value = rows.first().and_then(|row| row.first()).cloned().flatten();
        let text = value.unwrap_or_else(|| "0".to_owned());
        text.parse().map_err(|_| TestkitError::Template {
            name: self.name.clone(),
            problem: format!("{text} is not a number"),
        })
    }

    /// Connects as superuser.
    ///
    /// # Errors
    /// When there is no session.
    pub async fn connect(&self) -> Result<Session, TestkitError> {
        connect(&self.target()).await
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
