//! `pqcrypta migrate --distribute` where there is no cluster.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

const TABLES: &str =
    "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('collector')";

#[tokio::test]
async fn without_a_cluster_nothing_is_changed_and_the_remedy_is_named() {
    let database = testkit::database("bare", async |_| Ok::<_, String>(()))
        .await
        .unwrap();
    let ran = common::run(
        "migrate",
        &database.target(),
        &["--distribute", "--shards", "8"],
    );
    assert_eq!(ran.code, 69, "{ran:?}");
    assert_eq!(ran.output, "");
    assert!(
        ran.errors
            .contains("this database has no extension citus; nothing was changed."),
        "{}",
        ran.errors
    );
    assert!(
        ran.errors.contains("shared_preload_libraries"),
        "{}",
        ran.errors
    );
    assert_eq!(
        database.sql(TABLES).await.unwrap()[0][0].as_deref(),
        Some("0"),
        "not even migrated"
    );
    let alone = common::run("migrate", &database.target(), &["--shards", "8"]);
    assert_eq!(
        alone.code, 2,
        "a number of shards alone is a mistake: {alone:?}"
    );
    let stranger = format!("stranger_of_{}", database.target().database);
    database
        .sql(&format!("CREATE ROLE {stranger} LOGIN"))
        .await
        .unwrap();
    let mut target = database.target();
    let owner = std::mem::replace(&mut target.user, stranger.clone());
    for (arguments, code) in [
        (&["--owner", &owner][..], 1),
        (&["--owner", &owner, "--distribute"], 69),
    ] {
        let ran = common::run("migrate", &target, arguments);
        assert_eq!(ran.code, code, "{ran:?}");
        for words in ["cannot act as", "nothing was changed", "permission denied"] {
            assert!(ran.errors.contains(words), "{ran:?}");
        }
    }
    database
        .sql(&format!("DROP ROLE {stranger}"))
        .await
        .unwrap();
    let plain = common::run("migrate", &database.target(), &[]);
    assert_eq!(plain.code, 0, "{plain:?}");
    let ran = common::run("migrate", &database.target(), &["--distribute"]);
    assert_eq!(ran.code, 69, "{ran:?}");
}
