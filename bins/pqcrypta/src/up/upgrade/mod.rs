//! `up --upgrade-postgres`: the data of the private server go to a newer major release.
//!
//! A new server with an empty store of this version's schema is filled from the old one by COPY, so that nothing but the two servers
//! is needed: builds of PostgreSQL without `pg_upgrade` and `pg_dump` are usual. Both listen at ports of their own, so nobody else
//! finds them. Every table is counted in both before the directories are renamed:
//!
//! ```text
//! data                what serves, always complete
//! data.upgrade        what is being filled
//! data.15             what served before, complete, with its release; kept until the operator removes it
//! ```
//!
//! Until the last step the old data serve: whatever ends the upgrade, the next start removes what was being filled. The last step
//! renames two directories; ended between them, the next start names the old one back.

mod copy;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use pg::{Session, Target};
use store::failpoint;
use tokio::time::Instant;

use super::database::{self, CLOSE_WITHIN, target_at};
use super::fleet::Fleet;
use super::programs::{self, Programs};
use super::server::{self, Server};
use super::state::{PORT, State};
use copy::Contents;

/// Room that the new server needs beside what is stored: an empty one takes 40 MB, a new store and its WAL as much again.
const SPARE: u64 = 256 << 20;
/// Settings of both servers meanwhile.
const OLD: [(&str, &str); 1] = [("autovacuum", "off")];
/// What is filled needs no WAL of its own: a table that is copied within the transaction that empties it is synced when it is committed.
const NEW: [(&str, &str); 5] = [
    ("autovacuum", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("synchronous_commit", "off"),
    ("maintenance_work_mem", "256MB"),
];

/// Removes what an upgrade left that did not end, and completes or takes back its last step.
///
/// # Errors
/// When a directory cannot be renamed or removed.
pub(crate) async fn tidy(data: &Path) -> Result<()> {
    let draft = draft(data);
    if !draft.exists() {
        return Ok(());
    }
    if !data.exists()
        && let Some(kept) = newest_kept(data)
    {
        crate::say(&format!(
            "an upgrade of PostgreSQL was interrupted: the data of before, {}, serve again",
            kept.display()
        ));
        rename(&kept, data)?;
    }
    server::wait_for_orphans(&draft).await;
    remove(&draft)
}

/// Moves the data to the newest release that is installed. When that fails, they stay where they are, and the reason is said.
///
/// # Errors
/// When the state directory cannot be brought back to what it was.
pub(crate) async fn run(state: &State, fleet: &mut Fleet<'_>) -> Result<()> {
    let installed = programs::installed();
    if !state.data.join("PG_VERSION").is_file() {
        // The newest release makes them.
        return Ok(());
    }
    let old = programs::choose(installed.clone(), &state.data)?;
    let Some(new) = installed
        .into_iter()
        .next()
        .filter(|newest| newest.major > old.major)
    else {
        crate::say(&format!(
            "nothing to upgrade: the data are of PostgreSQL {}, and none newer is in /usr/lib/postgresql or in PATH",
            old.major
        ));
        return Ok(());
    };
    let (from, to) = (old.major, new.major);
    let draft = draft(&state.data);
    let kept = kept(&state.data, from);
    let begin = Instant::now();
    let filled = match fill(state, fleet, old, new, &draft, &kept).await {
        // What is renamed is complete on disk.
        Ok(()) => fleet.stop_servers().await,
        Err(error) => {
            if let Err(error) = fleet.stop_servers().await {
                crate::say(&format!("{error:#}"));
            }
            Err(error)
        }
    };
    if let Err(error) = filled.and_then(|()| switch(&state.data, &draft, &kept)) {
        server::wait_for_orphans(&draft).await;
        remove(&draft)?;
        crate::say(&format!(
            "the upgrade to PostgreSQL {to} failed, {from} goes on with its data: {error:#}"
        ));
        return Ok(());
    }
    failpoint!("upgrade.renamed_new");
    crate::say(&format!(
        "upgraded PostgreSQL {from} to {to} in {} s; the data of before are kept in {}: remove them when all is well",
        begin.elapsed().as_secs(),
        kept.display()
    ));
    Ok(())
}

/// Fills a new server from the old one and compares both.
async fn fill(
    state: &State,
    fleet: &mut Fleet<'_>,
    old: Programs,
    new: Programs,
    draft: &Path,
    kept: &Path,
) -> Result<()> {
    if kept.exists() {
        bail!(
            "{} exists, from an earlier upgrade: move it away first",
            kept.display()
        );
    }
    let (from, to) = (old.major, new.major);
    step(&format!(
        "1 of 5, PostgreSQL {from} is brought to this version's schema"
    ));
    let old = Server {
        name: "postgres-old",
        port: PORT + 1,
        settings: OLD.to_vec(),
        ..Server::of(state, old)
    };
    let new = Server {
        name: "postgres-new",
        data: draft.to_path_buf(),
        port: PORT + 2,
        settings: NEW.to_vec(),
        programs: new,
    };
    let (source, target) = (target_at(state, old.port), target_at(state, new.port));
    fleet.start_server(old).await?;
    database::prepare(&source).await?;
    let source = open(&source).await?;
    has_room(&source, draft).await?;

    step(&format!("2 of 5, an empty PostgreSQL {to} is made"));
    server::initialise(state, &new).await?;
    fleet.start_server(new).await?;
    database::prepare(&target).await?;
    let target = open(&target).await?;

    step("3 of 5, the tables are copied");
    let strangers = copy::strangers(&source.client, database::DATABASE).await?;
    if !strangers.is_empty() {
        crate::say(&format!(
            "not taken over, as they are not of this program: {}",
            strangers.join(", ")
        ));
    }
    let contents = Contents::of(&source.client).await?;
    let rows = contents.copy(&source.client, &target.client).await?;

    step(&format!("4 of 5, {rows} rows are counted in both"));
    contents.compare(&source.client, &target.client).await?;

    step("5 of 5, both servers are stopped, and the directories renamed");
    source.close(CLOSE_WITHIN).await;
    target.close(CLOSE_WITHIN).await;
    Ok(())
}

fn step(what: &str) {
    crate::say(&format!("upgrade of PostgreSQL: {what}"));
}

/// Opens a session without time-outs: a table may be large.
async fn open(target: &Target) -> Result<Session> {
    let session = database::open(target).await?;
    session
        .client
        .batch_execute(
            "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
             SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout'",
        )
        .await?;
    Ok(session)
}

/// Checks that what is stored has room a second time.
async fn has_room(source: &Session, draft: &Path) -> Result<()> {
    let stored: i64 = source
        .client
        .query_one("SELECT pg_database_size(current_database())", &[])
        .await?
        .get(0);
    let needed = u64::try_from(stored).unwrap_or_default() + SPARE;
    let place = draft.parent().unwrap_or(draft);
    let disk = rustix::fs::statvfs(place)
        .with_context(|| format!("cannot look at the disk of {}", place.display()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < needed {
        bail!(
            "{} has room for {} MB, and {} MB are needed for a copy",
            place.display(),
            free >> 20,
            needed >> 20
        );
    }
    Ok(())
}

/// Puts the new data in place of the old ones.
fn switch(data: &Path, draft: &Path, kept: &Path) -> Result<()> {
    rename(data, kept)?;
    let place = || -> Result<()> {
        failpoint!("upgrade.renamed_old");
        rename(draft, data)?;
        Ok(())
    };
    if let Err(error) = place() {
        rename(kept, data)?;
        return Err(error);
    }
    Ok(())
}

/// Renames a directory so that it is so after a crash, too.
fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to)
        .and_then(|()| match to.parent() {
            Some(parent) => fs::File::open(parent)?.sync_all(),
            None => Ok(()),
        })
        .with_context(|| format!("cannot rename {} to {}", from.display(), to.display()))
}

fn remove(draft: &Path) -> Result<()> {
    match fs::remove_dir_all(draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", draft.display()))
        }
        _ => Ok(()),
    }
}

fn draft(data: &Path) -> PathBuf {
    data.with_extension("upgrade")
}

fn kept(data: &Path, major: u32) -> PathBuf {
    data.with_extension(major.to_string())
}

/// Returns the kept data of the newest release.
fn newest_kept(data: &Path) -> Option<PathBuf> {
    let releases = fs::read_dir(data.parent()?).ok()?.flatten();
    let stem = data.file_stem()?;
    releases
        .map(|entry| entry.path())
        .filter(|path| path.file_stem() == Some(stem))
        .filter_map(|path| {
            let major: u32 = path.extension()?.to_str()?.parse().ok()?;
            Some((major, path))
        })
        .max()
        .map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes directories that tell their first name; returns where the data lie.
    fn made(dir: &Path, names: &[&str]) -> PathBuf {
        for name in names {
            fs::create_dir(dir.join(name)).unwrap();
            fs::write(dir.join(name).join("whose"), name).unwrap();
        }
        dir.join("data")
    }

    /// Returns each directory and the first name of it.
    fn left(dir: &Path) -> Vec<(String, String)> {
        let mut left: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .flatten()
            .map(|entry| {
                let whose = fs::read_to_string(entry.path().join("whose")).unwrap();
                (entry.file_name().into_string().unwrap(), whose)
            })
            .collect();
        left.sort();
        left
    }

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter()
            .map(|(name, whose)| ((*name).to_owned(), (*whose).to_owned()))
            .collect()
    }

    #[tokio::test]
    async fn wherever_it_ended_the_old_data_serve_or_all_of_the_new_do() {
        // What lies there, and what serves and is kept after the next start.
        for (found, wanted) in [
            (&["data", "data.upgrade"][..], &[("data", "data")][..]),
            (&["data.15", "data.upgrade"], &[("data", "data.15")]),
            (
                &["data.15", "data.16", "data.upgrade"],
                &[("data", "data.16"), ("data.15", "data.15")],
            ),
            (
                &["data", "data.15"],
                &[("data", "data"), ("data.15", "data.15")],
            ),
            // Removed by hand, to begin anew.
            (&["data.15"], &[("data.15", "data.15")]),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let data = made(dir.path(), found);
            tidy(&data).await.unwrap();
            assert_eq!(left(dir.path()), pairs(wanted), "{found:?}");
        }
    }

    #[test]
    fn the_last_step_keeps_what_served() {
        let dir = tempfile::tempdir().unwrap();
        let data = made(dir.path(), &["data", "data.upgrade"]);
        let wanted = pairs(&[("data", "data.upgrade"), ("data.15", "data")]);
        switch(&data, &draft(&data), &kept(&data, 15)).unwrap();
        assert_eq!(left(dir.path()), wanted);
        // Nothing is there to be put in place: what was renamed is back.
        assert!(switch(&data, &draft(&data), &kept(&data, 18)).is_err());
        assert_eq!(left(dir.path()), wanted);
    }
}
