//! A server that is brought into the conditions of its recommendations, and out of them.

use pg::{Session, SessionOptions};
use schema::Timestamp;
use std::time::Duration;
use testkit::Server;

/// Connections that the server allows, and those that are held to use most of them.
const CONNECTIONS: &str = "40";
const HELD: usize = 30;

/// Objects of which advice follows, each on its own.
const OBJECTS: &[&str] = &[
    // Most of its rows are dead.
    "CREATE TABLE dead AS SELECT g FROM generate_series(1, 6000) g",
    "VACUUM ANALYZE dead",
    "DELETE FROM dead WHERE g % 4 <> 0",
    // Its rows are larger than all buffers together.
    "CREATE TABLE cold AS SELECT repeat(md5(g::text), 30) AS t FROM generate_series(1, 3000) g",
    "CREATE TABLE warm AS SELECT 1 AS one",
    "CREATE INDEX once ON dead (g)",
    "CREATE INDEX twice ON dead (g)",
    "CREATE TABLE referred (id int PRIMARY KEY)",
    "INSERT INTO referred VALUES (1)",
    "CREATE TABLE refers AS SELECT 1 AS of, repeat(md5(g::text), 60) AS t FROM generate_series(1, 9000) g",
    "ALTER TABLE refers ALTER t SET STORAGE PLAIN",
    "ALTER TABLE refers ADD CONSTRAINT refers_of FOREIGN KEY (of) REFERENCES referred",
    "CREATE TABLE held AS SELECT g AS id, 0 AS n FROM generate_series(1, 2) g",
    "CREATE SEQUENCE short MAXVALUE 100",
    "SELECT setval('short', 95)",
    "CREATE TABLE published (a int)",
    "CREATE PUBLICATION p FOR TABLE published",
    "CREATE DATABASE limited CONNECTION LIMIT 3",
    // Sizes are those of the last one.
    "ANALYZE refers",
];

/// What ends each.
const ENDS: &[&str] = &[
    "VACUUM ANALYZE dead",
    "DROP INDEX twice",
    "DROP INDEX failed",
    "CREATE INDEX ON refers (of)",
    "ALTER SEQUENCE short MAXVALUE 100000",
    "ALTER TABLE published REPLICA IDENTITY FULL",
    "ALTER DATABASE limited CONNECTION LIMIT -1",
    "SELECT pg_drop_replication_slot('idle')",
    "SELECT pg_drop_replication_slot('lost')",
    "ALTER SYSTEM SET archive_command = 'true'",
    "ALTER SYSTEM SET wal_keep_size = 0",
    "ALTER SYSTEM SET autovacuum = on",
    "ALTER SYSTEM SET track_io_timing = on",
    "SELECT pg_reload_conf()",
];

pub(crate) struct Database {
    pub(crate) server: Server,
    session: Session,
    /// Sessions that only exist, and their transactions.
    held: Vec<Session>,
    running: Vec<tokio::task::JoinHandle<()>>,
    /// Whether statements read what is in no buffer.
    pub(crate) is_busy: bool,
}

impl Database {
    pub(crate) async fn start() -> Self {
        let server = Server::builder()
            .setting("shared_preload_libraries", "pg_stat_statements")
            .setting("max_connections", CONNECTIONS)
            .setting("shared_buffers", "1MB")
            .setting("wal_level", "logical")
            .setting("archive_mode", "on")
            .setting("max_wal_size", "32MB")
            .setting("min_wal_size", "32MB")
            .setting("deadlock_timeout", "10ms")
            .start()
            .unwrap();
        server
            .sql("CREATE EXTENSION pg_stat_statements")
            .await
            .unwrap();
        let session = connect(&server, "postgres", "worker").await;
        // What a server is started with cannot be altered.
        for statement in [
            "ALTER SYSTEM SET archive_command = 'true'",
            "SELECT pg_reload_conf()",
        ] {
            session.client.batch_execute(statement).await.unwrap();
        }
        Self {
            server,
            session,
            held: Vec::new(),
            running: Vec::new(),
            is_busy: false,
        }
    }

    pub(crate) async fn now(&self) -> Timestamp {
        let micros = "SELECT (extract(epoch FROM now()) * 1000000)::int8";
        let row = self.session.client.query_one(micros, &[]).await.unwrap();
        Timestamp(row.get(0))
    }

    async fn run(&self, statement: &str) {
        let done = self.session.client.batch_execute(statement).await;
        done.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }

    /// Brings it into every condition.
    pub(crate) async fn begin(&mut self) {
        self.run("ALTER SYSTEM SET autovacuum = off").await;
        self.run("ALTER SYSTEM SET track_io_timing = off").await;
        self.run("ALTER SYSTEM SET archive_command = 'false'").await;
        self.run("ALTER SYSTEM SET max_slot_wal_keep_size = '16MB'")
            .await;
        self.run("SELECT pg_reload_conf()").await;
        for statement in OBJECTS {
            self.run(statement).await;
        }
        self.run("SELECT pg_create_physical_replication_slot('lost', true)")
            .await;
        for _ in 0..4 {
            self.write().await;
        }
        self.until("SELECT wal_status = 'lost' FROM pg_replication_slots")
            .await;
        // What would have kept the slot, too.
        self.run("ALTER SYSTEM SET wal_keep_size = '160MB'").await;
        self.run("SELECT pg_reload_conf()").await;
        for _ in 0..8 {
            self.write().await;
        }
        self.run("SELECT pg_create_physical_replication_slot('idle')")
            .await;
        let invalid = "CREATE UNIQUE INDEX CONCURRENTLY failed ON refers (of)";
        assert!(self.session.client.batch_execute(invalid).await.is_err());
        for _ in 0..3 {
            self.held
                .push(connect(&self.server, "limited", "limited").await);
        }
        for _ in 0..HELD - 3 {
            self.held
                .push(connect(&self.server, "postgres", "idle").await);
        }
        self.deadlock().await;
        self.wait_for_a_lock().await;
        self.sleep().await;
        self.until("SELECT count(*) > 0 FROM pg_stat_archiver WHERE failed_count > 0")
            .await;
        self.is_busy = true;
    }

    /// Brings it out of them.
    pub(crate) async fn end(&mut self) {
        self.is_busy = false;
        // A session that ends lets the others go on.
        for session in self.held.drain(..) {
            session.close(Duration::from_secs(1)).await;
        }
        self.run("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%'").await;
        for running in self.running.drain(..) {
            running.await.unwrap();
        }
        for statement in ENDS {
            self.run(statement).await;
        }
        self.write().await;
        self.until("SELECT last_archived_time > last_failed_time FROM pg_stat_archiver")
            .await;
        // What a checkpoint keeps, the next one removes.
        self.write().await;
        self.write().await;
    }

    /// Works for a minute.
    pub(crate) async fn work(&mut self) {
        let reads = match self.is_busy {
            true => "DO $$ BEGIN FOR i IN 1..12 LOOP PERFORM count(*) FROM cold; END LOOP; END $$",
            false => {
                "DO $$ BEGIN FOR i IN 1..1500 LOOP PERFORM count(*) FROM pg_am; END LOOP; END $$"
            }
        };
        self.run(reads).await;
        // What a session counted is known to others a second later, else.
        self.run("SELECT pg_stat_force_next_flush()").await;
    }

    /// Fills a segment of WAL, and checkpoints.
    async fn write(&self) {
        for statement in [
            "SELECT pg_logical_emit_message(true, 'a', 'b')",
            "SELECT pg_switch_wal()",
            "CHECKPOINT",
        ] {
            self.run(statement).await;
        }
    }

    /// Two sessions wait for each other, and one of them fails.
    async fn deadlock(&mut self) {
        let one = connect(&self.server, "postgres", "one").await;
        let other = connect(&self.server, "postgres", "other").await;
        let lock = |id: i32| format!("UPDATE held SET n = n + 1 WHERE id = {id}");
        for (session, id) in [(&one, 1), (&other, 2)] {
            session.client.batch_execute("BEGIN").await.unwrap();
            session.client.batch_execute(&lock(id)).await.unwrap();
        }
        let (first, second) = (lock(2), lock(1));
        let ends = async |session: &Session, statement: &str| {
            let done = session.client.batch_execute(statement).await;
            session.client.batch_execute("ROLLBACK").await.unwrap();
            done.is_err()
        };
        let failed = tokio::join!(ends(&one, &first), ends(&other, &second));
        assert!(failed.0 != failed.1, "{failed:?}");
    }

    /// One session waits for the lock of another one, which is held.
    async fn wait_for_a_lock(&mut self) {
        let holder = connect(&self.server, "postgres", "holder").await;
        let lock = "BEGIN; UPDATE held SET n = 1 WHERE id = 1";
        holder.client.batch_execute(lock).await.unwrap();
        self.held.push(holder);
        self.spawn("UPDATE held SET n = 2 WHERE id = 1").await;
        self.until("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted")
            .await;
    }

    /// A statement runs for longer than a query should.
    async fn sleep(&mut self) {
        self.spawn("SELECT pg_sleep(600)").await;
        self.until(
            "SELECT count(*) > 0 FROM pg_stat_activity \
             WHERE query LIKE 'SELECT pg_sleep(600)%' AND state = 'active' AND now() - query_start > '6 s'",
        )
        .await;
    }

    async fn spawn(&mut self, statement: &'static str) {
        let session = connect(&self.server, "postgres", "busy").await;
        self.running.push(tokio::spawn(async move {
            // As a whole: what is left behind would close the connection.
            let session = session;
            // It is cancelled when it has been seen.
            drop(session.client.batch_execute(statement).await);
        }));
    }

    async fn until(&self, holds: &str) {
        for _ in 0..600 {
            let row = self.session.client.query_one(holds, &[]).await.unwrap();
            if row.get::<_, Option<bool>>(0) == Some(true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("not within a minute: {holds}");
    }
}

/// Opens a session that no time-out ends.
async fn connect(server: &Server, database: &str, name: &str) -> Session {
    let mut target = server.target();
    database.clone_into(&mut target.database);
    let options = SessionOptions {
        idle_in_transaction_timeout: Duration::ZERO,
        transaction_timeout: Duration::ZERO,
        lock_timeout: Duration::ZERO,
        statement_timeout: Duration::ZERO,
        search_path: "public".to_owned(),
        ..SessionOptions::default()
    };
    pg::connect(&target, &options, name).await.unwrap()
}
