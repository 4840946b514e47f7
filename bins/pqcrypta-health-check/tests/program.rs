//! The whole program: exit statuses, lines, the lock, and results that are stored exactly once.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pg::Host;
use tempfile::TempDir;
use testkit::Database;

/// A folder with a configuration; the checks are of ports of this machine.
struct Setup {
    folder: TempDir,
}

impl Setup {
    fn new(head: &str, checks: &[(&str, u16)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let mut text =
            format!("{head}\n[health]\nlog_path = \"{path}/log\"\nstate_dir = \"{path}/state\"\n");
        if head.contains("database") {
            text += "run_by = \"timer\"\n";
        }
        for (name, port) in checks {
            text += &format!(
                "[[health.check]]\nname = \"{name}\"\nkind = \"tcp\"\ntarget = \"127.0.0.1:{port}\"\nattempts = 1\n"
            );
        }
        fs::write(folder.path().join("config.toml"), text).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_pqcrypta-health-check"))
            .env_clear()
            .arg("--config")
            .arg(self.path("config.toml"))
            .args(arguments)
            .output()
            .unwrap()
    }

    #[track_caller]
    fn assert_status(&self, arguments: &[&str], status: i32) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{said}");
        said
    }

    fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// A port that accepts while it is held, and one that does not.
fn ports() -> (TcpListener, u16, u16) {
    let open = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = open.local_addr().unwrap().port();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = closed.local_addr().unwrap().port();
    (open, port, closed)
}

#[test]
fn the_status_is_that_of_the_worst_check() {
    let (_held, open, closed) = ports();
    let setup = Setup::new("", &[("web", open), ("mail", closed)]);
    setup.assert_status(&["web"], 0);
    setup.assert_status(&[], 2);
    let lines = setup.log();
    assert_eq!(lines.len(), 5, "{lines:#?}");
    let parts = [
        "] INFO web tcp 127.0.0.1:",
        "] INFO 1 check: 1 up",
        "] INFO web",
        "] ERROR mail",
        "] INFO 2 checks: 1 up, 0 slow, 1 down, 0 unknown in ",
    ];
    for (line, part) in lines.iter().zip(parts) {
        assert!(line.starts_with('[') && line.contains(part), "{line}");
    }
    // The collector stores.
    assert!(!fs::exists(setup.path("state/waiting")).unwrap());
}

#[test]
fn faults_of_the_caller_have_a_status_each() {
    let (_held, open, _) = ports();
    let setup = Setup::new("", &[("web", open)]);
    setup.assert_status(&["--nothing"], 64);
    setup.assert_status(&["shop"], 64);
    setup.assert_status(&["--help"], 0);
    let faulty = Setup::new("", &[("web", open), ("web", open)]);
    let said = faulty.assert_status(&[], 78);
    assert!(said.contains("health.check"), "{said}");
    // A folder stands where the log should be.
    fs::create_dir(setup.path("log")).unwrap();
    setup.assert_status(&[], 74);
}

#[test]
fn a_second_run_leaves() {
    let (_held, _, closed) = ports();
    let setup = Setup::new("", &[("mail", closed)]);
    fs::create_dir(setup.path("state")).unwrap();
    let lock = fs::File::create(setup.path("state/lock")).unwrap();
    lock.lock().unwrap();
    setup.assert_status(&[], 0);
    assert_eq!(setup.log(), Vec::<String>::new());
    drop(lock);
    setup.assert_status(&[], 2);
}

/// The head of a configuration that leads to a database.
fn head(database: &Database) -> String {
    let target = database.target();
    let host = match &target.host {
        Host::Socket(path) => path.display().to_string(),
        other => format!("{other:?}"),
    };
    head_of(
        Path::new(&host),
        target.port,
        &target.database,
        &target.user,
    )
}

fn head_of(host: &Path, port: u16, name: &str, user: &str) -> String {
    let host = host.display();
    format!("[database]\nhost = \"{host}\"\nport = {port}\nname = \"{name}\"\nuser = \"{user}\"\n")
}

#[tokio::test]
async fn results_are_stored_once() {
    let (_held, open, closed) = ports();
    let database = testkit::migrated().await.unwrap();
    let setup = Setup::new(&head(&database), &[("web", open), ("mail", closed)]);
    let waiting = setup.path("state/waiting");
    let stored = async || {
        database
            .number("SELECT count(*) FROM collector.health_checks_raw")
            .await
            .unwrap()
    };

    // The host is not known yet: its results wait.
    let said = setup.assert_status(&[], 2);
    assert!(said.contains("not registered"), "{said}");
    assert_eq!(
        (
            fs::read_to_string(&waiting).unwrap().lines().count(),
            stored().await
        ),
        (2, 0)
    );

    let identity = collect::host_identity(
        &collect::Roots::default(),
        &collect::IdentityFiles::default(),
    );
    let sql = format!(
        "INSERT INTO collector.hosts (machine_id, hostname) VALUES ('{}', 'one')",
        identity.machine_id
    );
    database.sql(&sql).await.unwrap();
    database
        .sql("SELECT collector.ensure_partition('health_checks_raw', (now() AT TIME ZONE 'UTC')::date + n) FROM generate_series(-1, 1) n")
        .await
        .unwrap();
    let earlier = fs::read(&waiting).unwrap();
    setup.assert_status(&[], 2);
    assert_eq!(stored().await, 4);
    assert!(!fs::exists(&waiting).unwrap());

    // As after a crash between the transaction and the removal of the file.
    fs::write(&waiting, earlier).unwrap();
    setup.assert_status(&["web"], 0);
    assert_eq!(stored().await, 5);
    let states = "SELECT string_agg(DISTINCT check_name || ' ' || kind || ' ' || state || ' ' || attempts, ', ' ORDER BY check_name || ' ' || kind || ' ' || state || ' ' || attempts) FROM collector.health_checks_raw";
    let rows = database.sql(states).await.unwrap();
    assert_eq!(
        format!("{rows:?}")
            .matches("mail tcp down 1, web tcp up 1")
            .count(),
        1,
        "{rows:?}"
    );
}

#[test]
fn without_a_database_results_wait() {
    let (_held, open, _) = ports();
    let nowhere = tempfile::tempdir().unwrap();
    let head = head_of(nowhere.path(), 5432, "nothing", "nobody");
    let setup = Setup::new(&head, &[("web", open)]);
    for run in 1..=3 {
        setup.assert_status(&[], 0);
        let waiting = fs::read_to_string(setup.path("state/waiting")).unwrap();
        assert_eq!(waiting.lines().count(), run);
    }
}
