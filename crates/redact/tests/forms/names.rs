//! Names of secrets in the shapes of data of any kind.

use redact::{MARK, text};

/// Values: a word, one with digits, one with punctuation.
const VALUES: &[&str] = &["swordfish", "hunter22", "S3cr3t-V@lue!"];

/// Names whose value is a secret wherever it stands as data.
const NAMES: &[&str] = &[
    "password",
    "PASSWORD",
    "passwd",
    "Passwort",
    "db_password",
    "DB_PASSWORD",
    "dbPassword",
    "spring.datasource.password",
    "PGPASSWORD",
    "MYSQL_PWD",
    "pass",
    "db_pass",
    "DB_PASS",
    "pw",
    "user-pw",
    "smtpAuth",
    "auth",
    "secret",
    "client_secret",
    "JWT_SECRET",
    "secret_key_base",
    "SECRET_KEY",
    "token",
    "access_token",
    "refreshToken",
    "api_key",
    "apiKey",
    "X-Api-Key",
    "X-Auth-Key",
    "x-auth-token",
    "AWS_SECRET_ACCESS_KEY",
    "private_key",
    "ENCRYPTION_KEY",
    "RAILS_MASTER_KEY",
    "passphrase",
    "credentials",
    "AccountKey",
    "session_id",
    "PHPSESSID",
    "signature",
    "contraseña",
    "пароль",
    "密码",
    "パスワード",
    "비밀번호",
];

/// What a name and its value look like in data of any kind.
const SHAPES: &[&str] = &[
    "{n}={v}",
    "{n}='{v}'",
    "{n}=\"{v}\"",
    "{n} = {v}",
    "{n} = \"{v}\"",
    "{n}: {v}",
    "{n}: \"{v}\"",
    "{n}: '{v}'",
    "{n}:{v}",
    "\"{n}\": \"{v}\"",
    "{\"{n}\":\"{v}\",\"n\":1}",
    "{'{n}': '{v}'}",
    "'{n}' => '{v}'",
    "\"{n}\" => \"{v}\"",
    ":{n} => \"{v}\"",
    "[\"{n}\"] => {v}",
    "$config['{n}'] = '{v}';",
    "[\"{n}\"]=> string(9) \"{v}\"",
    "{\\\"{n}\\\":\\\"{v}\\\"}",
    "{\\\\\\\"{n}\\\\\\\":\\\\\\\"{v}\\\\\\\"}",
    "{ {n}: Some(\"{v}\") }",
    "{n}=u'{v}'",
    "{n}:=\"{v}\"",
    "user=me {n}={v} host=h",
    "?user=me&{n}={v}&x=1",
    "export {n}=\"{v}\"",
    "- {n}: {v}",
    "{n} := {v}",
    "{n}='{v}', x",
    "&quot;{n}&quot;:&quot;{v}&quot;",
    "{\"name\":\"{n}\",\"value\":\"{v}\"}",
    "<add key=\"{n}\" value=\"{v}\"/>",
    "Data Source=h;{n}={v};Timeout=3",
    "“{n}”: “{v}”",
    "{n}：{v}",
    "{n}\t=\t{v}",
    "{n}=`{v}`",
    "({n}={v})",
];

/// What names of letters of ASCII alone look like.
const ASCII_SHAPES: &[&str] = &[
    "{n}%3D{v}",
    "%22{n}%22%3A%22{v}%22",
    "{n}%253D{v}",
    "<{n}>{v}</{n}>",
    "<ns:{n} type=\"t\">{v}</ns:{n}>",
    "&lt;{n}&gt;{v}&lt;/{n}&gt;",
    "--{n}={v}",
    "--{n} {v}",
    "java -D{n}={v} -jar x",
    "-{n} '{v}'",
    "--{n} \"{v}\" --next",
];

#[test]
fn every_name_in_every_shape_loses_its_value() {
    let (mut forms, mut leaks) = (0, Vec::new());
    for name in NAMES {
        let shapes = SHAPES
            .iter()
            .chain(if name.is_ascii() { ASCII_SHAPES } else { &[] });
        for shape in shapes {
            for value in VALUES {
                let line = format!(
                    "2026-11-29 INFO x: {}",
                    shape.replace("{n}", name).replace("{v}", value)
                );
                let clean = text(&line);
                forms += 1;
                // The one form that messages have as well: `auth: timeout`.
                let doubtful = *name == "auth"
                    && *value == "swordfish"
                    && ["{n}: {v}", "- {n}: {v}", "{n}：{v}"].contains(shape);
                if doubtful {
                    continue;
                }
                if clean.contains(value) || !clean.contains(MARK) {
                    leaks.push(format!("{line}  became  {clean}"));
                }
                assert_eq!(text(&clean), clean, "again: {line}");
            }
        }
    }
    assert!(forms > 5_000, "{forms}");
    assert!(
        leaks.is_empty(),
        "{} of {forms}:\n{}",
        leaks.len(),
        leaks.join("\n")
    );
}
