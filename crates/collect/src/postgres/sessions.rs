//! Sessions worth a look, and who blocks whom.
//!
//! The server names for each waiting session those directly before it: holders of the lock and those
//! that queue ahead. From that a tree is grown breadth first from the roots, which wait for nobody, so
//! that each session stands at its shortest distance below a root and is looked at once, however many
//! paths lead to it. Sessions that wait for each other in a circle (a deadlock not found yet) have no
//! root; they keep the first that blocks them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schema::tables::SessionSample;
use tokio_postgres::Row;

use super::text::text;

/// Characters of a statement that are kept.
const QUERY_CHARS: usize = 1000;
/// How the lock manager names a prepared transaction, which has no process.
const PREPARED: i32 = 0;

/// Where a session stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    root: Option<i32>,
    blocked_by: Option<i32>,
    depth: i32,
    victims: i64,
}

/// Reads the sessions in these rows, secrets removed, with their places in the tree.
///
/// # Errors
/// When a value cannot be read.
pub(super) fn read(
    instance: &str,
    rows: &[Row],
) -> Result<Vec<SessionSample>, tokio_postgres::Error> {
    let mut blockers = BTreeMap::new();
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let pid = row.try_get("pid")?;
        let before: Vec<i32> = row.try_get("blockers")?;
        if !before.is_empty() {
            blockers.insert(pid, before);
        }
        found.push(SessionSample {
            instance: instance.to_owned(),
            pid,
            database: text(row, "database")?,
            role: text(row, "role")?,
            application: redact::text(&text(row, "application")?),
            state: row.try_get("state")?,
            wait: row.try_get("wait")?,
            query_secs: row.try_get("query_secs")?,
            xact_secs: row.try_get("xact_secs")?,
            query: shortened(&text(row, "query")?, QUERY_CHARS),
            ..SessionSample::default()
        });
    }
    let places = places(&blockers);
    if places.contains_key(&PREPARED) {
        found.push(SessionSample {
            instance: instance.to_owned(),
            pid: PREPARED,
            state: "prepared transaction".to_owned(),
            ..SessionSample::default()
        });
    }
    for session in &mut found {
        let place = places.get(&session.pid).copied().unwrap_or_default();
        session.root_pid = place.root;
        session.blocked_by = place.blocked_by;
        session.depth = place.depth;
        session.victims = place.victims;
    }
    Ok(found)
}

/// Returns a statement without its constants, cut.
pub(super) fn shortened(statement: &str, chars: usize) -> String {
    let mut clean = redact::sql(statement);
    if let Some((end, _)) = clean.char_indices().nth(chars) {
        clean.truncate(end);
    }
    clean
}

/// Finds the places of all that wait and all that are waited for.
fn places(blockers: &BTreeMap<i32, Vec<i32>>) -> BTreeMap<i32, Place> {
    let mut below: BTreeMap<i32, BTreeSet<i32>> = BTreeMap::new();
    for (&pid, before) in blockers {
        for &blocker in before {
            below.entry(blocker).or_default().insert(pid);
        }
    }
    let mut places: BTreeMap<i32, Place> = BTreeMap::new();
    let mut queue: VecDeque<i32> = below
        .keys()
        .copied()
        .filter(|pid| !blockers.contains_key(pid))
        .collect();
    for &root in &queue {
        places.insert(root, Place::default());
    }
    while let Some(pid) = queue.pop_front() {
        let above = places.get(&pid).copied().unwrap_or_default();
        for &victim in below.get(&pid).into_iter().flatten() {
            places.entry(victim).or_insert_with(|| {
                queue.push_back(victim);
                Place {
                    root: Some(above.root.unwrap_or(pid)),
                    blocked_by: Some(pid),
                    depth: above.depth + 1,
                    victims: 0,
                }
            });
        }
    }
    for (&pid, before) in blockers {
        places.entry(pid).or_insert(Place {
            blocked_by: before.first().copied(),
            ..Place::default()
        });
    }
    for (&pid, place) in &mut places {
        place.victims = victims(&below, pid);
    }
    places
}

/// Counts how many wait for this one, directly or not; itself, in a circle, is none of them.
fn victims(below: &BTreeMap<i32, BTreeSet<i32>>, pid: i32) -> i64 {
    let mut seen = BTreeSet::new();
    let mut open = vec![pid];
    while let Some(next) = open.pop() {
        for &victim in below.get(&next).into_iter().flatten() {
            if victim != pid && seen.insert(victim) {
                open.push(victim);
            }
        }
    }
    i64::try_from(seen.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree(edges: &[(i32, &[i32])]) -> BTreeMap<i32, Place> {
        places(&edges.iter().map(|(pid, by)| (*pid, by.to_vec())).collect())
    }

    #[test]
    fn each_session_stands_nearest_to_its_root() {
        // 1 holds; 2 waits for it; 3 for both; 4 for 3. A prepared transaction holds up 5.
        let places = tree(&[(2, &[1]), (3, &[1, 2]), (4, &[3]), (5, &[0])]);
        let expected = [
            (0, None, None, 0, 1),
            (1, None, None, 0, 3),
            (2, Some(1), Some(1), 1, 2),
            (3, Some(1), Some(1), 1, 1),
            (4, Some(1), Some(3), 2, 0),
            (5, Some(0), Some(0), 1, 0),
        ];
        assert_eq!(places.len(), expected.len());
        for (pid, root, blocked_by, depth, victims) in expected {
            let place = Place {
                root,
                blocked_by,
                depth,
                victims,
            };
            assert_eq!(places[&pid], place, "{pid}");
        }
    }

    #[test]
    fn a_circle_has_no_root_and_ends() {
        let places = tree(&[(1, &[2]), (2, &[1])]);
        assert_eq!(places[&1].root, None);
        assert_eq!(places[&1].blocked_by, Some(2));
        assert_eq!(places[&2].victims, 1);
    }

    #[test]
    fn a_long_queue_is_walked_once() {
        let edges = (1..200).map(|pid| (pid, (0..pid).collect())).collect();
        assert_eq!(places(&edges)[&0].victims, 199);
    }

    proptest! {
        #[test]
        fn whoever_is_below_a_root_reaches_it(
            edges in prop::collection::btree_map(0..20_i32, prop::collection::vec(0..20_i32, 1..4), 0..20)
        ) {
            let places = places(&edges);
            for (pid, place) in &places {
                prop_assert!(place.victims < 20);
                if let Some(root) = place.root {
                    let mut at = *pid;
                    for _ in 0..place.depth {
                        at = places[&at].blocked_by.unwrap();
                    }
                    prop_assert_eq!(at, root);
                }
            }
        }
    }
}
