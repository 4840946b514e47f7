//! Whether a cluster can take the store: what is missing, and how to get it.

use tokio_postgres::Client;

use super::DistributeError;
use crate::migrations;

/// The oldest version of Citus that was tried; PostgreSQL 18 needs the other, which no longer knows 15.
const OLDEST: (u32, u32) = (13, 2);
const OF_18: (u32, u32) = (14, 0);
/// By how much the free space of the workers must exceed what is stored: while a table is copied it is there twice.
const ROOM: f64 = 1.5;

/// Why a cluster cannot take the store. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; nothing was changed. {remedy}")]
pub struct Refusal {
    /// What is missing.
    pub problem: String,
    /// What to do about it, in a sentence.
    pub remedy: String,
}

impl Refusal {
    fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}

/// What a worker says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Its address.
    pub address: String,
    /// Its version of Citus, `max_prepared_transactions` and free bytes, separated by blanks; or why it does not answer.
    pub answer: Result<String, String>,
}

/// What a cluster says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// The major version of PostgreSQL.
    pub server: i32,
    /// Why this program may not work with the schema.
    pub schema: Option<String>,
    /// The role that acts.
    pub role: String,
    /// The owner of the schema.
    pub owner: String,
    /// The version of Citus in this database.
    pub extension: Option<String>,
    /// Whether this is the coordinator.
    pub is_coordinator: bool,
    /// Active workers that take shards.
    pub workers: i64,
    /// `max_prepared_transactions` here.
    pub prepared: i64,
    /// What is stored, bytes.
    pub stored: i64,
    /// The workers.
    pub nodes: Vec<Worker>,
}

/// Returns the first two numbers of a version: `13.2-1`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', '-']);
    let first = parts.next()?.parse().ok()?;
    Some((
        first,
        parts.next().and_then(|part| part.parse().ok()).unwrap_or(0),
    ))
}

impl Cluster {
    /// Reads what the cluster says of itself, as far as it is one.
    ///
    /// # Errors
    /// When a question fails.
    pub async fn read(client: &Client) -> Result<Self, DistributeError> {
        let failed = || DistributeError::failed("asking the cluster");
        let schema = migrations::check(client).await.err();
        let row = client
            .query_one(include_str!("server.sql"), &[])
            .await
            .map_err(failed())?;
        let mut cluster = Self {
            schema: schema.map(|error| error.to_string()),
            server: row.get("server"),
            role: row.get("role"),
            owner: row.get("owner"),
            extension: row.get("extension"),
            prepared: row.get("prepared"),
            stored: row.get("stored"),
            ..Self::default()
        };
        // Older versions lack what is asked next.
        if cluster.check_version().is_err() {
            return Ok(cluster);
        }
        let row = client
            .query_one(include_str!("cluster.sql"), &[])
            .await
            .map_err(failed())?;
        cluster.is_coordinator = row.get("is_coordinator");
        cluster.workers = row.get("workers");
        if cluster.is_coordinator {
            let rows = client
                .query(include_str!("workers.sql"), &[])
                .await
                .map_err(failed())?;
            cluster.nodes = rows
                .iter()
                .map(|row| {
                    let text: String = row.get("answer");
                    Worker {
                        address: row.get("address"),
                        answer: if row.get("success") {
                            Ok(text)
                        } else {
                            Err(text)
                        },
                    }
                })
                .collect();
        }
        Ok(cluster)
    }

    fn check_version(&self) -> Result<(), Refusal> {
        let Some(version) = &self.extension else {
            return Err(Refusal::new(
                "this database has no extension citus",
                "Install Citus on every machine, put citus first into shared_preload_libraries, restart, and run \
                 CREATE EXTENSION citus in this database of each; docs/OPERATIONS.md has the steps.",
            ));
        };
        let found = numbers(version);
        let is_of_15 = self.server == 15 && found.is_some_and(|found| found >= OF_18);
        let oldest = if self.server >= 18 { OF_18 } else { OLDEST };
        if is_of_15 || found.is_none_or(|found| found < oldest) {
            let (wanted, word) = match self.server {
                15 => ("13.2", "to be exact"),
                16 | 17 => ("13.2", "or a newer one"),
                _ => ("14.0", "or a newer one"),
            };
            return Err(Refusal::new(
                format!("Citus {version} does not fit PostgreSQL {}", self.server),
                format!(
                    "Install Citus {wanted} {word} on every machine and run ALTER EXTENSION citus UPDATE."
                ),
            ));
        }
        Ok(())
    }

    /// Checks whether the cluster can take the store.
    ///
    /// # Errors
    /// What is missing first, and how to get it.
    pub fn check(&self) -> Result<(), Refusal> {
        self.check_version()?;
        if !self.is_coordinator {
            return Err(Refusal::new(
                "this is a worker of the cluster",
                "Connect to the coordinator: section [database], or DATABASE_URL.",
            ));
        }
        if let Some(schema) = &self.schema {
            return Err(Refusal::new(
                schema.clone(),
                "Bring the schema to this version first: pqcrypta migrate.",
            ));
        }
        if self.role != self.owner {
            let problem = format!("the schema belongs to {}, not to {}", self.owner, self.role);
            let remedy = format!("Act as its owner: --owner {}.", self.owner);
            return Err(Refusal::new(problem, remedy));
        }
        if self.workers == 0 {
            return Err(Refusal::new(
                "the cluster has no active worker that takes shards",
                "Run SELECT citus_set_coordinator_host('NAME', 5432), then SELECT citus_add_node('NAME', 5432) for each worker.",
            ));
        }
        check_prepared("the coordinator", self.prepared)?;
        let mut free = 0;
        for node in &self.nodes {
            free += self.check_worker(node)?;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "bytes of disks are far below 2^53"
        )]
        let (needed, free) = (self.stored as f64 * ROOM, free as f64);
        if free < needed {
            let gib = |bytes: f64| bytes / f64::from(1 << 30);
            return Err(Refusal::new(
                format!(
                    "the workers have {:.1} GiB free and {:.1} GiB are needed",
                    gib(free),
                    gib(needed)
                ),
                "Add workers or disks, or shorten the retention and wait until the oldest days are gone.",
            ));
        }
        Ok(())
    }

    /// Checks a worker; returns its free bytes.
    fn check_worker(&self, worker: &Worker) -> Result<i64, Refusal> {
        let name = format!("worker {}", worker.address);
        let text = match &worker.answer {
            Ok(text) => text,
            Err(error) => {
                let role = &self.owner;
                return Err(Refusal::new(
                    format!("{name} does not let {role} in: {}", error.trim()),
                    format!(
                        "Run ALTER ROLE {role} LOGIN there (on the coordinator it may stay without) and let it in by pg_hba.conf."
                    ),
                ));
            }
        };
        let mut parts = text.split(' ');
        let version = parts.next().unwrap_or_default();
        let ours = self.extension.as_deref().unwrap_or_default();
        if version != ours {
            return Err(Refusal::new(
                format!("{name} has Citus {version} and the coordinator {ours}"),
                "Install the same version on every machine and run ALTER EXTENSION citus UPDATE.",
            ));
        }
        let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok());
        check_prepared(&name, number().unwrap_or(0))?;
        Ok(number().unwrap_or(0))
    }
}

fn check_prepared(name: &str, prepared: i64) -> Result<(), Refusal> {
    if prepared > 0 {
        return Ok(());
    }
    Err(Refusal::new(
        format!("max_prepared_transactions of {name} is 0, so no transaction can span machines"),
        "Set it to max_connections in its postgresql.conf and restart it.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Cluster {
        let worker = |address: &str| Worker {
            address: address.to_owned(),
            answer: Ok("13.2-1 200 5000000000".to_owned()),
        };
        Cluster {
            server: 17,
            schema: None,
            role: "pqcrypta_owner".to_owned(),
            owner: "pqcrypta_owner".to_owned(),
            extension: Some("13.2-1".to_owned()),
            is_coordinator: true,
            workers: 2,
            prepared: 200,
            stored: 6_000_000_000,
            nodes: vec![worker("db1:5432"), worker("db2:5432")],
        }
    }

    #[test]
    fn a_whole_cluster_is_taken() {
        assert_eq!(whole().check(), Ok(()));
        for (server, version) in [(15, "13.2-1"), (16, "14.0-1"), (17, "13.3"), (18, "14.1-1")] {
            let mut cluster = whole();
            cluster.server = server;
            cluster.extension = Some(version.to_owned());
            for node in &mut cluster.nodes {
                node.answer = Ok(format!("{version} 200 5000000000"));
            }
            assert_eq!(cluster.check(), Ok(()), "{server} {version}");
        }
    }

    #[test]
    fn what_is_missing_is_named_with_its_remedy() {
        type Change = fn(&mut Cluster);
        let cases: [(Change, &str, &str); 14] = [
            (
                |c| c.extension = None,
                "no extension citus",
                "shared_preload_libraries",
            ),
            (
                |c| c.extension = Some("12.1-1".to_owned()),
                "Citus 12.1-1 does not fit PostgreSQL 17",
                "Citus 13.2 or",
            ),
            (
                |c| c.extension = Some("13.1".to_owned()),
                "Citus 13.1 does not fit",
                "ALTER EXTENSION citus UPDATE",
            ),
            (
                |c| c.server = 18,
                "Citus 13.2-1 does not fit PostgreSQL 18",
                "Citus 14.0",
            ),
            (
                |c| {
                    c.server = 15;
                    c.extension = Some("14.0-1".to_owned());
                },
                "Citus 14.0-1 does not fit PostgreSQL 15",
                "Citus 13.2 to be exact",
            ),
            (
                |c| c.extension = Some("x".to_owned()),
                "Citus x does not fit",
                "13.2",
            ),
            (
                |c| c.is_coordinator = false,
                "this is a worker",
                "coordinator",
            ),
            (
                |c| c.schema = Some("the schema is older".to_owned()),
                "the schema is older",
                "pqcrypta migrate",
            ),
            (
                |c| c.role = "me".to_owned(),
                "belongs to pqcrypta_owner, not to me",
                "--owner pqcrypta_owner",
            ),
            (|c| c.workers = 0, "no active worker", "citus_add_node"),
            (
                |c| c.prepared = 0,
                "of the coordinator is 0",
                "max_connections",
            ),
            (
                |c| c.nodes[1].answer = Err("role is not permitted to log in".to_owned()),
                "worker db2:5432 does not let pqcrypta_owner in: role is not permitted to log in",
                "ALTER ROLE pqcrypta_owner LOGIN",
            ),
            (
                |c| c.nodes[0].answer = Ok("13.1-1 200 1".to_owned()),
                "db1:5432 has Citus 13.1-1",
                "same version",
            ),
            (
                |c| c.nodes[0].answer = Ok("13.2-1 0 1".to_owned()),
                "of worker db1:5432 is 0",
                "restart",
            ),
        ];
        for (change, problem, remedy) in cases {
            let mut cluster = whole();
            change(&mut cluster);
            let refusal = cluster.check().unwrap_err();
            assert!(refusal.problem.contains(problem), "{refusal}");
            assert!(refusal.remedy.contains(remedy), "{refusal}");
        }
        let mut cluster = whole();
        cluster.stored = 7_000_000_000;
        let refusal = cluster.check().unwrap_err();
        assert_eq!(
            refusal.problem,
            "the workers have 9.3 GiB free and 9.8 GiB are needed"
        );
    }
}
