//! Statements and what is left of them.

use super::*;
use proptest::prelude::*;

#[test]
fn constants_and_comments_are_gone_and_the_rest_stays() {
    let cases = [
        ("select 1 + $1", "select … + $1"),
        (
            "select t1.a, 1.5e-7, 0x1f, 1_000, -3 from t2 limit 5",
            "select t1.a, …, …, …, -… from t2 limit …",
        ),
        (
            "select * from t where a = \"x y\" and \"b\" = \"c\".\"d\"",
            "select * from t where a = \"…\" and \"b\" = \"c\".\"d\"",
        ),
        (
            "alter role r password geheim login",
            "alter role r password … login",
        ),
        ("alter role app PASSWORT geheim", "alter role app … …"),
        (
            "create user a in role b, c valid until 'x'",
            "create user a in role b, c valid until '…'",
        ),
        ("alter role r rename to s", "alter role r rename to s"),
        (
            "alter role r set search_path to a, b",
            "alter role r set search_path to a, b",
        ),
        (
            "create user mapping for a server s options (user 'x', password 'y')",
            "create user mapping for a server s options (user '…', password '…')",
        ),
        (
            "select * from t where a = 'x' and b = ''",
            "select * from t where a = '…' and b = ''",
        ),
        (
            "create role r password 'Top''Secret1' login",
            "create role r password '…' login",
        ),
        (
            "alter role r PASSWORD E'a\\'b' valid until 'x'",
            "alter role r PASSWORD E'…' valid until '…'",
        ),
        (
            "do $$ begin perform 'x'; end $$; select 2",
            "do '…'; select …",
        ),
        ("do $b$ x $$ y $b$", "do '…'"),
        ("select \"it's\", 'x'", "select \"it's\", '…'"),
        ("select 1 -- token=abc\n, 2", "select …  \n, …"),
        ("select 1 /* a /* b */ 'c' */, 2", "select …  , …"),
        ("select a in ($1 /*, ... */)", "select a in ($1 /*, ... */)"),
        ("select 'open", "select '…'"),
        ("select 'C:\\', 'secret'", "select '…'"),
        ("select a$b, c", "select a$b, c"),
        (
            "create subscription s connection 'host=h password=p' publication p",
            "create subscription s connection '…' publication p",
        ),
        ("set app.api_token = abc123", "set app.api_token = …"),
        (
            "select token = t.token from t",
            "select token = t.token from t",
        ),
    ];
    for (statement, expected) in cases {
        assert_eq!(sql(statement), expected, "{statement}");
        assert_eq!(sql(expected), expected, "again: {statement}");
    }
}

#[test]
fn a_quoted_statement_ends_where_its_quote_does() {
    // Text, quote, statement, bytes.
    let cases = [
        ("select 'x'\"\nPL/pgSQL", "\"", "select '…'", 10),
        (
            "select \"a\"\nfrom t where b = 'x\"\n'\"",
            "\"",
            "select \"a\"\nfrom t where b = '…'",
            33,
        ),
        (
            "select \"a\" from \"t\"\"\nx",
            "\"",
            "select \"a\" from \"t\"",
            19,
        ),
        ("select 'x' »", "»", "select '…'", 10),
        ("select 'x'« b", "«", "select '…'« b", 14),
    ];
    for (text, quote, expected, bytes) in cases {
        assert_eq!(
            quoted_sql(text, quote),
            (expected.to_owned(), bytes),
            "{text}"
        );
    }
}

#[test]
fn constants_are_reported_as_written() {
    let found = constants(
        "select 'a''b', E'c', $$d$$, $t$e$t$, 42, t1 from x where y = \"z\" and v = 'cut",
    );
    assert_eq!(found, ["a''b", "c", "d", "e", "42", "z", "cut"]);
}

#[test]
fn a_statement_is_recognised_by_its_first_word() {
    for text in [
        "SELECT 1",
        " (select 1)",
        "/* a */ x",
        "-- a",
        "alter role x",
        "copy t from stdin",
        "begin",
    ] {
        assert!(is_sql(text), "{text}");
    }
    for text in [
        "selected",
        "No such file",
        "set_config",
        "1",
        "",
        "wanted 24",
    ] {
        assert!(!is_sql(text), "{text}");
    }
}

/// Returns a constant holding `secret` in each of the ways that SQL has.
fn quoted(secret: &str) -> Vec<String> {
    vec![
        format!("'{secret}'"),
        format!("'it''s {secret}'"),
        format!("E'\\'{secret}\\\\'"),
        format!("$${secret}$$"),
        format!("$t$ ' {secret} $$ $t$"),
        format!("/* {secret} /* ' */ */ 1"),
        format!("-- {secret} '\n 2"),
    ]
}

proptest! {
    #[test]
    fn no_way_of_quoting_lets_a_secret_through(
        ways in prop::collection::vec(0..7_usize, 1..6),
        cut in 0..400_usize,
    ) {
        let secret = "S3cretValue";
        let parts: Vec<String> = ways.iter().map(|way| quoted(secret)[*way].clone()).collect();
        let mut statement = format!("alter role \"o'dd\" set x = {}", parts.join(", "));
        // Views cut texts at any place.
        let end = cut.min(statement.len());
        if statement.is_char_boundary(end) && cut > 50 {
            statement.truncate(end);
        }
        let clean = sql(&statement);
        prop_assert!(!clean.contains("S3c"), "{statement} became {clean}");
    }

    #[test]
    fn any_text_is_taken(text in "\\PC{0,80}|['\"$/*\\\\a -]{0,40}") {
        let _clean = sql(&text);
    }
}
