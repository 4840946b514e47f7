use super::*;

/// Returns a message, its statement, what is stored.
fn summary(text: &str, statement: &str) -> String {
    let parts = [("statement", statement.to_owned())];
    message(
        redact::clean,
        text,
        if statement.is_empty() { &[] } else { &parts },
    )
}

#[test]
fn constants_of_messages_go_and_names_stay() {
    let cases = [
        (
            "duplicate key value violates unique constraint \"orders_pkey\"",
            "",
            "duplicate key value violates unique constraint \"orders_pkey\"",
        ),
        (
            "doppelter Schlüsselwert verletzt Unique-Constraint »kunden_email_key«",
            "",
            "doppelter Schlüsselwert verletzt Unique-Constraint »kunden_email_key«",
        ),
        (
            "invalid input syntax for type integer: \"a \"b\" c\" at character 8",
            "",
            "invalid input syntax for type integer: \"…\" at character 8",
        ),
        (
            "ungültige Eingabesyntax für Typ integer: »Schwertfisch«",
            "",
            "ungültige Eingabesyntax für Typ integer: »…«",
        ),
        (
            "syntaxe en entrée invalide pour le type integer : « abc »",
            "",
            "syntaxe en entrée invalide pour le type integer : « … »",
        ),
        (
            "la valeur d'une clé dupliquée rompt la contrainte unique « k »",
            "",
            "la valeur d'une clé dupliquée rompt la contrainte unique « k »",
        ),
        ("\"x\"型の入力構文が不正です: \"y\"", "", "\"…\""),
        (
            "重複したキー値は一意性制約\"k\"違反となります",
            "",
            "重複したキー値は一意性制約\"k\"違反となります",
        ),
        (
            "syntax error at or near \"selec\" at character 1",
            "selec 1",
            "syntax error at or near \"selec\" at character 1",
        ),
        (
            "error de sintaxis en o cerca de «'clave-77'» en carácter 33",
            "ALTER ROLE app PASSWORT 'clave-77'",
            "error de sintaxis en o cerca de «…» en carácter 33",
        ),
        (
            "syntax error at or near \"geheim\"",
            "ALTER ROLE app PASSWORD geheim",
            "syntax error at or near \"…\"",
        ),
        (
            "role \"hunter\" does not exist",
            "set role 'hunter'",
            "role \"…\" does not exist",
        ),
        (
            "column \"preiss\" does not exist",
            "select preiss from t",
            "column \"preiss\" does not exist",
        ),
        (
            "LOG:  Anweisung: INSERT INTO k VALUES ('4111')",
            "",
            "LOG:  Anweisung: INSERT INTO k VALUES ('…')",
        ),
        (
            "执行时间: 1.2 ms 语句: SELECT 'x', 7",
            "",
            "执行时间: 1.2 ms 语句: SELECT '…', …",
        ),
        (
            "duration: 0.9 ms  execute S_1/C_2: select $1 + 7",
            "",
            "duration: 0.9 ms  execute S_1/C_2: select $1 + …",
        ),
        (
            "could not open file \"pg_wal/0001\": No such file or directory",
            "",
            "could not open file \"pg_wal/0001\": No such file or directory",
        ),
        (
            "parameter \"work_mem\" changed to \"64MB\"",
            "",
            "parameter \"work_mem\" changed to \"…\"",
        ),
        (
            "value 'x y' is bad, isn't it",
            "",
            "value '…' is bad, isn't it",
        ),
        (
            "n'a pas pu lire l'entrée de l'hôte",
            "",
            "n'a pas pu lire l'entrée de l'hôte",
        ),
        ("\tvalues (4711, 'x')", "", "\tvalues (…, '…')"),
        (
            "< 06:20:01 UTC >STATEMENT:  SELECT * FROM y WHERE card = '5555'",
            "",
            "< 06:20:01 UTC >STATEMENT:  SELECT * FROM y WHERE card = '…'",
        ),
        (
            "< 06:20 >DETAIL:  Failing row contains (1, x).",
            "",
            "< 06:20 >DETAIL:  Failing row contains (…).",
        ),
        (
            "< 06:20 >ДЕТАЛИ: Ключ (email)=(a@b) уже",
            "",
            "< 06:20 >ДЕТАЛИ: Ключ (email)=(…) уже",
        ),
        (
            "AUDIT: SESSION,1,1,READ,SELECT,,,\"select 'x', 1\",<none>",
            "",
            "AUDIT: SESSION,1,1,READ,SELECT,,,\"select '…', …\",<none>",
        ),
        (
            "duration: 7.1 ms  plan:\n{\n  \"Query Text\": \"select 'x'\"\n}",
            "",
            "duration: 7.1 ms  plan:\n{\n  \"Query Text\": \"select '…'\"\n}",
        ),
        (
            "connection authorized: user=me database=shop application_name=psql",
            "",
            "connection authorized: user=me database=shop application_name=psql",
        ),
        (
            "no pg_hba.conf entry for host \"192.0.2.1\", user \"me\", database \"shop\", no encryption",
            "",
            "no pg_hba.conf entry for host \"192.0.2.1\", user \"me\", database \"shop\", no encryption",
        ),
        (
            "automatic vacuum of table \"shop.public.orders\": index scans: 0",
            "",
            "automatic vacuum of table \"shop.public.orders\": index scans: 0",
        ),
        (
            "checkpoint complete: wrote 42 buffers (0.3%); 0 WAL file(s) added",
            "",
            "checkpoint complete: wrote 42 buffers (0.3%); 0 WAL file(s) added",
        ),
        (
            "operator does not exist: text = integer",
            "",
            "operator does not exist: text = integer",
        ),
        (
            "კოდი არასწორია: Losung77, 4711 und O'Brien",
            "select f('Losung77', 4711, 'O''Brien')",
            "კოდი არასწორია: …, … und …",
        ),
        (
            "permission denied for table orders",
            "insert into orders values ('table')",
            "permission denied for table orders",
        ),
        (
            "statement: select 'x' where (a)=(1) and f(2) > 4711",
            "",
            "statement: select '…' where (a)=(…) and f(…) > …",
        ),
        (
            "duration: 1 ms  execute \"p\": select \"a\" from t where b = 4711",
            "",
            "duration: 1 ms  execute \"…\" from t where b = …",
        ),
        (
            "statement: select 'a Query Text: secret', 1",
            "",
            "statement: select '…', …",
        ),
        ("execute 'p': select 'a', 4711", "", "execute '…', …"),
        (
            "connection authenticated: user=\"me\" method=trust",
            "",
            "connection authenticated: user=\"me\" method=trust",
        ),
        ("an open \"quote", "", "an open \"…"),
    ];
    for (text, statement, expected) in cases {
        assert_eq!(summary(text, statement), expected, "{text}");
    }
}

#[test]
fn lines_within_syslog_keep_no_constants() {
    let cases = [
        (
            "[5-1] 2026-11-29 06:20:00 UTC [7] me@shop LOG:  statement: select 'x', 7",
            "[5-1] 2026-11-29 06:20:00 UTC [7] me@shop LOG:  statement: select '…', …",
        ),
        ("[5-2] #011from t where a = 'x y", "[5-2] …"),
        (
            "[6-2] 2026-11-29 UTC [7] me@shop DETAIL:  Key (a)=(x) already exists.",
            "[6-2] 2026-11-29 UTC [7] me@shop DETAIL:  Key (a)=(…) already exists.",
        ),
        (
            "LOG:  listening on port 5432",
            "LOG:  listening on port 5432",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(embedded(text), expected, "{text}");
    }
}

#[test]
fn parts_keep_no_constants_in_any_language() {
    let cases = [
        (
            "detail",
            "Key (email)=(a) b@c) already exists.",
            "Key (email)=(…) already exists.",
        ),
        (
            "detail",
            "Schlüssel »(email)=(erika@example.org)« existiert bereits.",
            "Schlüssel »(email)=(…)« existiert bereits.",
        ),
        (
            "detail",
            "La clé « (lower(email::text))=(x) » existe déjà.",
            "La clé « (lower(email::text))=(…) » existe déjà.",
        ),
        (
            "detail",
            "键值\"(id)=(1)\" 已经存在",
            "键值\"(id)=(…)\" 已经存在",
        ),
        (
            "detail",
            "Key (owner)=(99) is not present in table \"orders\".",
            "Key (owner)=(…) is not present in table \"orders\".",
        ),
        (
            "detail",
            "Fehlgeschlagene Zeile enthält (1, erika, null).",
            "Fehlgeschlagene Zeile enthält (…).",
        ),
        (
            "detail",
            "Partition key of the failing row contains (a) = (5).",
            "Partition key of the failing row contains (a) = (…).",
        ),
        (
            "detail",
            "parameters: $1 = 'x', $2 = '7'",
            "parameters: $1 = '…', $2 = '…'",
        ),
        ("detail", "paramètres : « $1 = 'x' »", "paramètres : « … »"),
        (
            "detail",
            "Process 12 waits for ShareLock on transaction 7; blocked by process 13.\nProcess 12: update t set a = 'x'",
            "Process 12 waits for ShareLock on transaction 7; blocked by process 13.\nProcess 12: update t set a = '…'",
        ),
        (
            "detail",
            "Process 12: update t set a = (1) where (b)=(2) and c = 4711",
            "Process 12: update t set a = (…) where (b)=(…) and c = …",
        ),
        (
            "context",
            "SQL statement \"update t set a = 'x' where (b)=(2) and c = 4711\"",
            "SQL statement \"update t set a = '…' where (b)=(…) and c = …\"",
        ),
        (
            "detail",
            "Token \"Losung77\" is invalid.",
            "Token \"…\" is invalid.",
        ),
        ("detail", "კოდი არასწორია: Losung77.", "კოდი არასწორია: …"),
        (
            "detail",
            "line 1: Start tag expected, '<' not found\ngeheim<a>\n^",
            "line 1: Start tag expected, '…' not found\n…\n^",
        ),
        (
            "context",
            "SQL statement \"insert into kunde values (1,'Geheim-9',\"a\")\"\nPL/pgSQL function f() line 1 at SQL statement",
            "SQL statement \"insert into kunde values (…,'…',\"a\")\"\nPL/pgSQL function f() line 1 at SQL statement",
        ),
        (
            "context",
            "SQL-Anweisung »insert into k values ('x')«\nPL/pgSQL-Funktion f() Zeile 1 bei SQL-Anweisung",
            "SQL-Anweisung »insert into k values ('…')«\nPL/pgSQL-Funktion f() Zeile 1 bei SQL-Anweisung",
        ),
        (
            "context",
            "instruction SQL « select 'x' »\nfonction PL/pgSQL f(), ligne 1",
            "instruction SQL « select '…' »\nfonction PL/pgSQL f(), ligne 1",
        ),
        (
            "context",
            "COPY t, line 1, column email: \"a\"b\"",
            "COPY t, line 1, column email: \"…\"",
        ),
        ("context", "COPY t, Zeile 1: »1\tx«", "COPY t, Zeile 1: »…«"),
        (
            "detail",
            "Processus détenant le verrou : 12, 13. File d'attente : 14.",
            "Processus détenant le verrou : 12, 13. File d'attente : 14.",
        ),
        (
            "detail",
            "Token \"\"Canary json\" is invalid.",
            "Token \"…\" is invalid.",
        ),
        (
            "context",
            "JSON data, line 1: {\"a\": Losung77...",
            "JSON data, line 1: …",
        ),
        (
            "context",
            "JSON数据, 行 1: {\"a\": x...",
            "JSON数据, 行 1: …",
        ),
        (
            "context",
            "PL/pgSQL assignment \"x := 'y'\"\nPL/pgSQL function f() line 3",
            "PL/pgSQL assignment \"…\"\nPL/pgSQL function f() line 3",
        ),
        (
            "context",
            "unnamed portal with parameters: $1 = 'x'",
            "unnamed portal with parameters: $1 = '…'",
        ),
        (
            "context",
            "remote SQL command: SELECT 'x'",
            "remote SQL command: SELECT '…'",
        ),
        (
            "context",
            "while inserting index tuple (0,1) in relation \"t\"",
            "while inserting index tuple (0,1) in relation \"t\"",
        ),
        (
            "hint",
            "Perhaps you meant to reference the column \"orders.id\".",
            "Perhaps you meant to reference the column \"orders.id\".",
        ),
        ("statement", "select 'x', 7", "select '…', …"),
        (
            "location",
            "errorMissingColumn, parse_relation.c:3597",
            "errorMissingColumn, parse_relation.c:3597",
        ),
    ];
    for (name, text, expected) in cases {
        assert_eq!(part(name, text, &[]), expected, "{text}");
        assert!(
            part(name, expected, &[]).len() <= expected.len() + 3,
            "again: {text}"
        );
    }
}

#[test]
fn a_text_of_the_user_in_syslog_is_recognised_by_its_code() {
    let cases = [
        (
            "[5-1] 2026-11-23 00:10:49 UTC [7] ERROR:  P0001: customer Jane Doe is blocked",
            "[5-1] 2026-11-23 00:10:49 UTC [7] ERROR:  P0001: customer … is blocked",
        ),
        (
            "[5-1] ERROR:  42P01: relation \"x\" does not exist",
            "[5-1] ERROR:  42P01: relation \"x\" does not exist",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(embedded(line), expected);
    }
}
