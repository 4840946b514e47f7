use super::*;
use proptest::prelude::*;

#[test]
fn what_is_secret_goes_and_the_rest_stays() {
    let cases = [
        ("password=hunter2 user=me", "password=… user=me"),
        ("PGPASSWORD='a b' psql", "PGPASSWORD='…' psql"),
        (
            r#"{"api_key": "abc", "n": 1}"#,
            r#"{"api_key": "…", "n": 1}"#,
        ),
        (
            "postgresql://me:s3cret@h:1/d?x=1",
            "postgresql://me:…@h:1/d?x=1",
        ),
        ("postgresql://me@h/d", "postgresql://me@h/d"),
        ("https://h:8080/@me/x", "https://h:8080/@me/x"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
        ("sent Bearer abc", "sent Bearer …"),
        ("Bearer Bearer abc", "Bearer Bearer …"),
        ("key AKIAIOSFODNN7EXAMPLE here", "key … here"),
        ("token eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9abc", "token …"),
        (
            "password authentication failed for user x",
            "password authentication failed for user x",
        ),
        ("ALTER ROLE x PASSWORD 'y'", "ALTER ROLE x PASSWORD '…'"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----…-----END RSA PRIVATE KEY-----",
        ),
        ("GET /login?token=abc&x=1", "GET /login?token=…&x=1"),
        ("tokens used: 5", "tokens used: 5"),
        ("root : PWD=/root ; USER=a", "root : PWD=/root ; USER=a"),
        ("Uid=a;Pwd=/secret", "Uid=a;Pwd=…"),
        (
            "grüße=1 passwörter pass_word=x",
            "grüße=1 passwörter pass_word=…",
        ),
        ("x-api-key: abc", "x-api-key: …"),
        ("nothing to hide", "nothing to hide"),
        (
            r#"body {\"password\":\"a b\"}"#,
            r#"body {\"password\":\"…\"}"#,
        ),
        (
            r#"{\\\"password\\\":\\\"x\\\"} y"#,
            r#"{\\\"password\\\":\\\"…\\\"} y"#,
        ),
        ("<password>x</password><a/>", "<password>…</password><a/>"),
        ("mysql -uroot -phunter22 shop", "mysql -uroot -p… shop"),
        ("mysql -u root -p shop", "mysql -u root -p shop"),
        (
            "curl -u admin:swordfish1 https://x",
            "curl -u admin:… https://x",
        ),
        (
            "Authorization: Digest username=\"u\", response=\"6629fae4\"\nnext",
            "Authorization: Digest …\nnext",
        ),
        (
            "curl -H 'Cookie: a=b; c=d' https://x",
            "curl -H 'Cookie: …' https://x",
        ),
        ("OTP 482913 sent, PIN 4711.", "OTP … sent, PIN …."),
        ("verification code: 482913", "verification code: …"),
        (
            "exit code: 482913, foreign key: a",
            "exit code: 482913, foreign key: a",
        ),
        ("Пароль: секрет1 дальше", "Пароль: … дальше"),
        ("登录密码是hunter2，请保密", "登录密码是…，请保密"),
        (
            "htpasswd -b /etc/users me hunter2 && ls",
            "htpasswd -b /etc/users me … && ls",
        ),
        (
            "mysqladmin -uroot -pold1 password new1",
            "mysqladmin -uroot -p… password …",
        ),
        (
            "echo 'me:hunter2' | chpasswd; ls",
            "echo 'me:…' | chpasswd; ls",
        ),
        (
            "vault kv put secret/app a=x1 password=y1",
            "vault kv put secret/app a=… password=…",
        ),
        (
            "h.example:5432:shop:me:hunter2 x",
            "h.example:5432:shop:me:… x",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(text(line), expected, "{line}");
        assert_eq!(text(expected), expected, "again: {line}");
    }
}

#[test]
fn a_field_is_evaluated_by_its_name() {
    let cases = [
        ("password", "x", "…"),
        ("db_pass", "x", "…"),
        ("auth", "ok", "ok"),
        ("token", "null", "null"),
        ("path", "/a?token=x", "/a?token=…"),
        ("user", "me", "me"),
    ];
    for (name, content, expected) in cases {
        assert_eq!(value(name, content), expected, "{name}");
    }
}

#[test]
fn a_text_made_to_take_long_does_not() {
    let pieces = [
        "Bearer ",
        "token='",
        "a://",
        "sid=",
        "pin=“",
        "SG.",
        "digest ",
        "<pw>",
        "key=\"",
        "password is ",
        "пароль ",
        "-----BEGIN ",
        "mysql -p '-",
        "$2y$",
        "auth: ",
        "PASSWORD(",
        "密码是",
        "a://b:c",
        "\\",
        "\"name\":\"password\",",
        "vault kv put a=b ",
        "echo a:b | ",
        "chpasswd <<< ",
        "htpasswd -b '",
        "a:5432:",
        "aB1/",
    ];
    for piece in pieces {
        // Quadratic, this would be minutes; recursive, the end of the stack.
        let text = piece.repeat(4_000) + ",";
        assert!(
            super::text(&text).len() <= text.len() + 3 * 4_000,
            "{piece}"
        );
    }
}

/// Returns the text with these numbers in the places marked by `#`, one after another.
fn with_numbers(text: &str, numbers: &[String]) -> String {
    let mut numbers = numbers.iter().cycle();
    let mut out = String::new();
    for (place, piece) in text.split('#').enumerate() {
        if place > 0 {
            out.push_str(numbers.next().map_or("0", String::as_str));
        }
        out.push_str(piece);
    }
    out
}

#[test]
fn a_sentence_that_goes_on_settles_a_name() {
    for (text, expected) in [
        ("Failed password for bob from 192.0.2.7 port 5 ssh2", true),
        ("pam_unix(sshd:auth): authentication failure; uid=0", true),
        ("New session 12 of user bob.", true),
        ("Invalid user git from 192.0.2.7 port 5", true),
        ("by user git 192.0.2.7 port 5 [preauth]", true),
        ("New session 12 of user cat.", true),
        ("logname=root deploy (uid=0)", true),
        ("git config token 12", false),
        ("echo 12 | chpasswd", false),
        ("cat 12", true),
        ("mkpasswd 12", false),
        ("mysql 12", false),
        ("net use x y 12", false),
        ("password 12 for bob", false),
        ("password is 12", false),
        ("password set to 12", false),
        ("session: 12", false),
        ("pin 1 of 2", false),
        ("http://192.0.2.7 is there", false),
        ("12 password for", false),
        ("a:b:c", false),
    ] {
        assert_eq!(inspect(text).1, expected, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_settled_holds_no_secret_with_other_numbers(
        text in "(password|passwd|session|key|code|pin|otp|passcode|token|secret|auth|for|of|is|set to|reset to|user|\
            login|with|from|api|x|sshd|a1|hunter2|Bearer |Basic |identified by |AUTH PLAIN |requirepass|PWD|http:/|mysql|\
            git|config|cat|echo|vault|login|chpasswd|net|use|\
            -p|echo|AKIA|SG|…|é|[ \t=:,;()\\[\\].\"'/|\n]|[ \t,\\[(=]#[ \t,\\]);]|[ ]#[ ]|: ){1,14}",
        one in prop::collection::vec("[0-9]{1,9}(\\.[0-9]{1,3}){0,3}|[0-9]{80,110}", 1..4),
        other in prop::collection::vec("[0-9]{1,9}(\\.[0-9]{1,3}){0,3}|[0-9]{80,110}", 1..4),
    ) {
        let first = with_numbers(&text, &one);
        let (clean, is_settled) = inspect(&first);
        if is_settled {
            prop_assert_eq!(&*clean, &first);
            let second = with_numbers(&text, &other);
            prop_assert_eq!(super::text(&second), second);
        }
    }

    #[test]
    fn any_text_is_taken_and_stays_as_it_was_left(line in "\\PC{0,80}|([-'\":=/@ .a\\\\<>%{}\\[\\]]|password|token|is |Bearer |mysql |-p|：|“|”){0,40}") {
        let once = text(&line);
        prop_assert_eq!(text(&once), once);
    }

    #[test]
    fn names_of_any_script_are_taken(line in "(\\PC|пароль|密码|パスワード|：|=|:|是| ){0,40}") {
        let _clean = text(&line);
    }
}
