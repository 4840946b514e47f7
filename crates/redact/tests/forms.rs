//! The forms in which secrets are in logs, generated and listed, and lines that hold none.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

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

/// One line each, in which `{v}` is the secret.
const FORMS: &[&str] = &[
    // Sentences.
    "the password is {v}",
    "PASSWORD is {v}",
    "your new password is now {v}.",
    "Password was {v}, change it",
    "login with password {v} from 192.0.2.1",
    "connecting as root using password {v}",
    "password set to '{v}'",
    "password '{v}' is wrong",
    "das Passwort lautet {v}",
    "le mot de passe est {v}",
    "la contraseña es {v}",
    "密码是{v}",
    "パスワードは{v}",
    "machine h login me password {v}",
    "IDENTIFIED BY '{v}'",
    "identified with mysql_native_password by '{v}'",
    "ALTER ROLE x PASSWORD '{v}'",
    "CREATE USER x WITH ENCRYPTED PASSWORD '{v}'",
    "SET PASSWORD = PASSWORD('{v}')",
    "requirepass {v}",
    "masterauth {v}",
    "API key: {v}",
    "access key = {v}",
    "pass phrase: {v}",
    "mot de passe : {v}",
    "tried password {v} for root",
    "api key is {v}1",
    "the token is {v}99",
    "with token {v}99",
    // Command lines.
    "mysql -uroot -p{v} shop",
    "/usr/bin/mysqldump -h h -p'{v}' shop",
    "root : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/usr/bin/mysql -uroot -p{v} shop",
    "mariadb -p\"{v}\"",
    "sshpass -p {v} ssh h",
    "sshpass -p{v} ssh h",
    "curl -u admin:{v} https://h",
    "curl -uadmin:{v} h",
    "curl --user admin:{v} h",
    "curl --proxy-user 'me:{v}' h",
    "wget --password={v} h",
    "wget --http-password {v} h",
    "redis-cli -a {v} ping",
    "redis-cli -h h -a '{v}'",
    "ldapsearch -x -D cn=admin -w {v} -b dc=x",
    "mongosh -u me -p {v} db",
    "mongodump -p{v}",
    "sqlcmd -S h -U sa -P {v}",
    "ipmitool -U a -P {v} sel",
    "smbclient //h/s -U me%{v}",
    "lftp -u me,{v} h",
    "docker login -u me -p {v} r.example",
    "unzip -P {v} a.zip",
    "7z x -p{v} a.7z",
    "keytool -list -storepass {v}",
    "openssl rsa -passin pass:{v} -in k",
    "useradd -p {v} me",
    "sqlplus scott/{v}@db",
    "PGPASSWORD={v} psql -h h",
    "mysqladmin --password={v} ping",
    "psql 'host=h password={v} dbname=d'",
    "env DB_PASS={v} ./run",
    "http -a me:{v} h",
    "snmpget -v2c -c {v} h",
    "mosquitto_pub -u me -P {v} -t t",
    "openssl enc -k {v} -in x",
    "sudo -u me sshpass -p '{v}' scp a b",
    // Arguments that are secrets by their place.
    "htpasswd -b /etc/nginx/users me {v}",
    "htpasswd -nb me {v}",
    "htpasswd -nbB me '{v}' >> /etc/nginx/users",
    "htpasswd -bBC 10 /etc/nginx/users me \"{v}\" 2>&1",
    "root : PWD=/root ; USER=root ; COMMAND=/usr/bin/htpasswd -bc /etc/users me {v}",
    "sh -c 'htpasswd -b /etc/vault/users me {v}'",
    "[\"htpasswd\", \"-b\", \"/etc/users\", \"me\", \"{v}\"]",
    "['htpasswd', '-nb', 'me', '{v}']",
    "{\"cmd\":\"sh -c \\\"htpasswd -nb me {v}\\\"\",\"n\":1}",
    "type=EXECVE msg=audit(1:2): argc=4 a0=\"htpasswd\" a1=\"-nb\" a2=\"me\" a3=\"{v}\"",
    "mosquitto_passwd -b /etc/mosquitto/users me {v}",
    "openssl passwd {v}",
    "openssl passwd -6 -salt ab {v}",
    "mkpasswd -m sha-512 {v}",
    "smbpasswd -w {v}",
    "smbpasswd -a me {v}",
    "smbpasswd -r dc1 -U me%{v}",
    "mysqladmin -u root password {v}",
    "mysqladmin -u root password '{v}'",
    "mysqladmin -uroot -pold1 password {v}",
    "rabbitmqctl add_user me {v}",
    "rabbitmqctl -n rabbit@h change_password me '{v}'",
    "rabbitmqctl authenticate_user me {v}",
    "ejabberdctl register me h.example {v}",
    "prosodyctl register me h.example {v}",
    "net user me {v} /add",
    "C:\\> net user me {v}",
    "net rpc user add me {v} -S dc1",
    "net use Z: \\\\s\\share {v} /user:me",
    "samba-tool user create me {v}",
    "vault kv put secret/app key={v} user=me",
    "vault kv put -mount=secret app user=me db={v}",
    "vault write auth/userpass/users/me pw={v}",
    "vault login {v}",
    "kubectl create secret generic app --from-literal=db={v}",
    "kubectl -n x create secret generic app --from-literal a=b --from-literal db='{v}'",
    "etcdctl user add me:{v}",
    "mc alias set s https://h.example me {v}",
    "wpa_passphrase net1 {v}",
    "radtest me {v} 192.0.2.1 0 x",
    "radtest me x 192.0.2.1 0 {v}",
    "ansible-vault encrypt_string {v} --name x",
    "7z a -p{v} a.7z b",
    "zip -P {v} a.zip b",
    "plink -pw {v} me@h",
    "xfreerdp /u:me /p:{v} /v:h",
    "ssh-keygen -t rsa -N {v} -f k",
    "aws configure set aws_secret_access_key {v}",
    "aws secretsmanager create-secret --name x --secret-string {v}",
    "caddy hash-password --plaintext {v}",
    // What a shell feeds to a program.
    "echo 'me:{v}' | chpasswd",
    "echo me:{v}|chpasswd",
    "echo me:{v} | sudo chpasswd -e",
    "root : PWD=/root ; USER=root ; COMMAND=/bin/sh -c echo me:{v} | chpasswd",
    "root : PWD=/root ; USER=root ; COMMAND=/bin/bash -c echo \"me:{v}\" | /usr/sbin/chpasswd",
    "printf 'me:{v}\\n' | chpasswd",
    "printf '%s:%s\\n' me {v} | chpasswd",
    "chpasswd <<< 'me:{v}'",
    "chpasswd <<<me:{v}",
    "echo {v} | passwd --stdin me",
    "echo {v} | sudo -S ls",
    "echo -n '{v}' | docker login -u me --password-stdin",
    "printf '%s\\n%s\\n' {v} {v} | smbpasswd -s -a me",
    "(echo {v}; echo {v}) | smbpasswd -s me",
    "echo {v} | gh auth login --with-token",
    "echo {v} | docker secret create x -",
    "echo -e \"{v}\\n{v}\" | sudo passwd me",
    "{ echo {v}; echo {v}; } | smbpasswd -s me",
    "cat <<< 'me:{v}' | chpasswd",
    "cryptsetup luksOpen /dev/sdb x <<< {v}",
    "(root) CMD (echo {v} | sudo -S ls)",
    // As lists, and by the name of a secret before it.
    "[\"sshpass\", \"-p\", \"{v}\", \"ssh\"]",
    "exec.Command(\"redis-cli\", \"-a\", \"{v}\")",
    "type=EXECVE msg=audit(1:2): argc=3 a0=\"sshpass\" a1=\"-p\" a2=\"{v}\"",
    "['curl', '-u', 'me:{v}', 'h']",
    "redis-cli -h h AUTH me {v}",
    "redis-cli config set requirepass {v}",
    "aws configure set profile.x.aws_secret_access_key {v}",
    "npm config set //r.example/:_authToken {v}",
    "net user /add me {v}",
    "C:\\Windows\\net.exe user me {v}",
    "docker login -u me -p{v}",
    "kadmin -p admin -w {v}",
    "snmpget -v2c -c{v} h",
    // Lines of .pgpass.
    "db.example:5432:shop:me:{v}",
    "*:*:*:postgres:{v}",
    "localhost:*:shop:me:{v}",
    "echo '192.0.2.1:6432:*:me:{v}' >> ~/.pgpass",
    "line 3: /run/postgresql:5432:shop:me:{v}",
    "mount -o username=me,password={v} //h/s /m",
    // Addresses and connection strings.
    "postgres://me:{v}@db:5432/shop",
    "postgresql://:{v}@h/d",
    "redis://:{v}@h:6379/0",
    "amqp://u:{v}@h/v",
    "mongodb+srv://u:{v}@h/d?w=1",
    "mysql://u:{v}@127.0.0.1/d",
    "https://me:{v}@h.example/x",
    "ftp://me:{v}@h",
    "jdbc:postgresql://h/d?user=u&password={v}",
    "Server=h;Uid=u;Pwd={v};",
    "smtps://me%40x:{v}@h:465",
    "host=h user=u password='{v}'",
    "amqps://u:{v}@[2001:db8::1]:5671/",
    "cloned https://oauth2:{v}@git.example/r.git",
    "ldap://cn=a:{v}@h.example:389",
    "https://{v}:x-oauth-basic@git.example/x",
    // Headers.
    "Authorization: Basic {v}==",
    "Authorization: Bearer {v}",
    "authorization: token {v}",
    "Proxy-Authorization: Basic {v}",
    "Authorization: Digest username=\"u\", response=\"{v}\"",
    "Authorization: AWS4-HMAC-SHA256 Credential=A/20261129, Signature={v}",
    "Authorization: ApiKey {v}",
    "Authorization: {v}",
    "Authorization: Negotiate {v}",
    "Cookie: a=1; sid={v}; b=2",
    "Set-Cookie: session={v}; Path=/; HttpOnly",
    "curl -H 'Authorization: Bearer {v}' h",
    "curl -H \"X-Api-Key: {v}\" h",
    "curl -b 'sid={v}' --cookie 'sid={v}'",
    "{\"headers\":{\"Authorization\":\"Bearer {v}\",\"Accept\":\"*/*\"}}",
    "X-Vault-Token: {v}",
    "X-Amz-Security-Token: {v}",
    "Ocp-Apim-Subscription-Key: {v}",
    "X-Shopify-Access-Token: {v}",
    "x-goog-api-key: {v}",
    "Digest username=\"u\", realm=\"r\", response=\"{v}\"",
    "sent Bearer {v}",
    "AUTH PLAIN {v}",
    "grpc-metadata-authorization: {v}",
    "X-CSRF-Token: {v}",
    "\"cookie\":\"sid={v}; a=b\"",
    // Query strings.
    "GET /cb?code=x&token={v} HTTP/1.1",
    "GET /x?access_token={v}",
    "POST /login?user=a&pass={v}",
    "/reset?password%3D{v}%26x%3D1",
    "redirect=%2Fa%3Ftoken%3D{v}%26b",
    "https://s.example/?sv=2024&sig={v}0123456789abcdef%3D",
    "GET /maps?key={v}0123456789ABCDEFabcdef",
    // Keys in PEM.
    "-----BEGIN RSA PRIVATE KEY-----\\n{v}\\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\n{v}\nabc\n-----END PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\n{v}",
    "key: |\n  -----BEGIN EC PRIVATE KEY-----\n  {v}\n  -----END EC PRIVATE KEY-----",
    "-----BEGIN ENCRYPTED PRIVATE KEY-----{v}",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{v}\n-----END PGP PRIVATE KEY BLOCK-----",
    // Others.
    "https://hooks.slack.com/services/T0/B0/{v}",
    "POST https://discord.com/api/webhooks/123/{v}",
    "{\"auths\":{\"r\":{\"auth\":\"{v}\"}}}",
    "otp=4711{v}",
    "pin: 4711, password={v}",
    "password: [\"{v}\", \"{v}\"]",
    "Config { host: \"h\", password: \"{v}\" }",
    "password => {v}",
];

#[test]
fn every_listed_form_loses_its_secret() {
    let mut leaks = Vec::new();
    for form in FORMS {
        for value in ["hunter22", "Sw0rdfishX"] {
            let line = form.replace("{v}", value);
            let clean = text(&line);
            if clean.contains(value) {
                leaks.push(format!("{line}  became  {clean}"));
            }
            assert_eq!(text(&clean), clean, "again: {line}");
        }
    }
    assert!(leaks.is_empty(), "{}:\n{}", leaks.len(), leaks.join("\n"));
}

/// Keys that their issuers mark, hashes and codes: wherever they stand.
#[test]
fn every_marked_key_is_known() {
    let hex = "0123456789abcdef0123456789abcdef";
    let mixed = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
    let keys = [
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        "ASIAIOSFODNN7EXAMPLE".to_owned(),
        format!("ghp_{mixed}"),
        format!("github_pat_11A_{mixed}"),
        format!("glpat-{}", &mixed[..20]),
        format!("sk_live_{mixed}"),
        format!("rk_test_{mixed}"),
        format!("xoxb-1234567890-{mixed}"),
        format!("xapp-1-A0-{mixed}"),
        format!("AIza{}", &mixed[..35]),
        format!("npm_{}", &mixed[..36]),
        format!("pypi-AgEIcHlwaS5vcmc{mixed}"),
        format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{mixed}"),
        format!("dop_v1_{hex}{hex}"),
        format!("SK{hex}"),
        format!("SG.{}.{mixed}", &mixed[..22]),
        format!("123456789:AAF{}", &mixed[..32]),
        format!("sk-proj-{mixed}"),
        format!("sk-ant-api03-{mixed}"),
        format!("sk-{mixed}"),
        format!("hf_{}", &mixed[..34]),
        format!("gsk_{mixed}"),
        format!("shpat_{hex}"),
        format!("glsa_{mixed}"),
        format!("hvs.{mixed}"),
        format!("dapi{hex}"),
        format!("key-{hex}"),
        format!("ya29.{mixed}"),
        format!("GOCSPX-{}", &mixed[..28]),
        format!("dckr_pat_{mixed}"),
        format!("whsec_{mixed}"),
        format!("tskey-auth-{mixed}"),
        format!("NRAK-{}", mixed[..27].to_uppercase()),
        format!("rubygems_{hex}{hex}"),
        format!("xkeysib-{hex}{hex}-{mixed}"),
        "$2y$10$abcdefghijklmnopqrstuv1234567890ABCDEFGHIJKLMNOPQRSTUV".to_owned(),
        "$6$saltsalt$abcdefghijklmnopqrstuv1234567890".to_owned(),
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG".to_owned(),
        "$apr1$abcdefgh$0123456789abcdefghijkl".to_owned(),
        "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=".to_owned(),
        "pbkdf2_sha256$260000$abcdefgh$0123456789abcdefghij=".to_owned(),
        "SCRAM-SHA-256$4096:c2FsdHNhbHQ=$0123456789abcdef:0123456789abcdef".to_owned(),
        format!("md5{hex}"),
    ];
    for key in &keys {
        for frame in [
            "{}",
            "found {} in x",
            "x=\"{}\"",
            "https://h/{}/x",
            "[{}]",
            "user:{}:1",
        ] {
            let line = frame.replace("{}", key);
            let clean = text(&line);
            let tail = &key[key.len() - 10..];
            assert!(!clean.contains(tail), "{line}  became  {clean}");
        }
    }
}

/// Lines that hold no secret and stay as they are.
const HARMLESS: &[&str] = &[
    "password authentication failed for user \"x\"",
    "Failed password for invalid user admin from 192.0.2.1 port 22 ssh2",
    "Accepted password for root from 192.0.2.1 port 4711 ssh2",
    "pass=3 fail=0",
    "pass: 12, fail: 0, skip: 1",
    "tests: 5 pass=5 failed=0",
    "auth=ok",
    "auth=failed method=plain",
    "author=me",
    "compass=north",
    "tokens: 512",
    "max_tokens=4096",
    "token_count=5",
    "password changed for x",
    "passwd: password for 'x' changed by 'root'",
    "password check failed for user (root)",
    "password expired",
    "password is incorrect",
    "Password is too short",
    "password is required",
    "token is invalid",
    "token: expired",
    "invalid token",
    "Invalid password: not found",
    "secret not found",
    "secret is not set",
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root",
    "root : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/usr/bin/mysql -u root -p shop",
    "Access denied for user 'root'@'localhost' (using password: YES)",
    "using password: NO",
    "Basic authentication failed",
    "Bearer token missing",
    "bearer of news",
    "Basic realm missing",
    "GET /password/reset HTTP/1.1",
    "GET /static/token.js HTTP/1.1",
    "GET /auth/login?next=/x HTTP/1.1",
    "connection authorized: user=a database=b application_name=psql",
    "https://h.example:8080/a@b",
    "http://[2001:db8::1]:80/x",
    "mailto:me@h.example",
    "user@h.example: no such host",
    "12:30:59 pid=47 session=3",
    "session 12 of user root",
    "session closed for user root",
    "New session 4711 of user me.",
    "key=user:1:profile",
    "key=550e8400-e29b-41d4-a716-446655440000",
    "cache key=a/b/c.txt",
    "primary_key=id foreign_key=owner",
    "exit code=1",
    "code=ENOENT errno=-2",
    "status code: 404",
    "sid=12",
    "pin=17 gpio",
    "pins: 1, 2",
    "otp=enabled",
    "spin=1",
    "Spinning=yes",
    "curl: (7) Failed to connect to h.example port 443",
    "curl -u admin https://h",
    "mysql -u root -p",
    "mysqld: ready for connections",
    "sshpass: command not found",
    "docker run -p 8080:80 nginx",
    "ssh -p 22 me@h",
    "mkdir -p /a/b",
    "cp -p a b",
    "nginx -p /etc",
    "netstat -p tcp",
    "git commit -p",
    "tar -xpzf a.tgz",
    "auth::token::Token expired",
    "std::sync::auth::Error: x",
    "let password: String",
    "password_file=/etc/x",
    "PASSWORD_MAX_AGE=90",
    "secret_name=my-app",
    "tokenizer=bpe",
    "passenger=3",
    "passwordless login",
    "credentials: include",
    "authorization failed for role x",
    "unauthorized: authentication required",
    "signature verification failed",
    "signature: invalid",
    "cookie: missing",
    "cookies accepted: 5",
    "-----BEGIN CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    "X-Request-Id: 550e8400-e29b-41d4-a716-446655440000",
    "x-cache: HIT",
    "etag: W/\"5f-abc\"",
    "sk-learn",
    "npm_config_registry_of_the_company_x",
    "SG and AG",
    "key-value store",
    "md5 mismatch",
    "md5sum: d41d8cd98f00b204e9800998ecf8427e",
    "commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "Windows SID=S-1-5-21-397955417-626881126-188441444-512",
    "took 5 ms",
    "a=b",
    "x: y",
    "ERROR:  syntax error at or near \"selec\" at character 1",
    "pass 2 of 3",
    "first pass: done",
    "one-pass",
    "pw_uid=0",
    "nopasswd",
    "user NOT in sudoers",
    "%sudo ALL=(ALL) NOPASSWD: ALL",
    "Failed none for invalid user x",
    "Received disconnect from 192.0.2.1: 11: Bye Bye [preauth]",
    "pam_faillock(sshd:auth): Consecutive login failures",
    "auth.log rotated",
    "auth: user unknown",
    "level=info msg=\"token refreshed\" user=me",
    "{\"level\":\"info\",\"msg\":\"password changed\",\"auth\":\"ok\",\"token\":null}",
    "{\"auth\":{\"method\":\"ldap\"}}",
    "password reset requested for me",
    "password policy: minimum 12",
    "Passwort falsch",
    "пароль неверный",
    "密码错误",
    "contraseña incorrecta",
    "mot de passe incorrect",
    "the key is in the drawer",
    "code is ready",
    "pin is high",
    "secret is out",
    "AUTH LOGIN",
    "AUTH PLAIN",
    "250-AUTH PLAIN LOGIN",
    "Digest mismatch",
    "digest: sha256",
    "identified by id",
    "Negotiate failed",
    "htpasswd: cannot open file /etc/users",
    "htpasswd -c /etc/users me",
    "openssl passwd -6",
    "openssl version -a",
    "the net user count grew by 3",
    "net user delete me",
    "vault login failed",
    "vault kv get secret/app",
    "vault status",
    "rabbitmqctl list_users",
    "rabbitmqctl add_vhost a",
    "mysqladmin -u root password",
    "smbpasswd -x me",
    "passwd me",
    "passwd: password for 'me' changed by 'root'",
    "echo a:b | grep a",
    "echo done | mail root",
    "echo done | grep passwd /etc/x",
    "echo a | sudo tee /etc/x",
    "git config user.name me",
    "aws configure set region eu-central-1",
    "npm config set registry https://r.example/",
    "cat a.txt | sort",
    "the git config is missing",
    "redis-cli config set maxmemory 100mb",
    "chpasswd: line 1: missing new password",
    "kubectl get secret app -o yaml",
    "kubectl apply -f a.yaml",
    "2001:1234:abcd:ef01:1:2:3:4",
    "00:1a:2b:3c:4d:5e",
    "10:22:33 app:1234: a:b:c",
    "src/main.rs:1234:12: error",
    "org.example:1234",
    "AKIA is the prefix of 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    "blob 2FD4E1C67A2D28FCED849EE1BB76E7391B93EB12 of a tree",
    "/Users/Alice1/Documents/Projects/Website1",
    "home/deploy2/releases/Current9/public/x12",
    "UserRepositoryFactoryBeanPostProcessor12 ",
    "getUserByIdAndNameOrEmailAddressFactory2 x",
    "0123456789012345678901234567890123456789",
    "id 3fa85f64-5717-4562-b3fc-2c963f66afa6 b",
    "sha1=AbCdEf0123456789abcdef0123456789abcdef01x",
];

/// Secret keys of AWS that no name is beside, drawn at random but for the first, which is that of the
/// documentation.
#[test]
fn an_unnamed_secret_key_is_known() {
    let beside = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    for line in [
        format!("AKIAIOSFODNN7EXAMPLE {beside}"),
        format!("AKIAIOSFODNN7EXAMPLE,{beside}"),
        format!("keys {beside} of ASIAIOSFODNN7EXAMPLE"),
        format!("{{\"id\":\"AKIAIOSFODNN7EXAMPLE\",\"s\":\"{beside}\"}}"),
    ] {
        assert!(!text(&line).contains("K7MDENG"), "{}", text(&line));
        assert_eq!(text(&text(&line)), text(&line));
    }
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut state, mut missed) = (1_u64, 0);
    for _ in 0..1000 {
        let key: String = (0..40)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                char::from(LETTERS[(state >> 58) as usize])
            })
            .collect();
        if text(&format!("found {key} in env")).contains(&key) {
            missed += 1;
        }
    }
    assert!(missed <= 50, "{missed} of 1000");
}

#[test]
fn a_harmless_line_stays_as_it_is() {
    let changed: Vec<String> = HARMLESS
        .iter()
        .filter(|line| text(line) != **line)
        .map(|line| format!("{line}  became  {}", text(line)))
        .collect();
    assert!(
        changed.is_empty(),
        "{} of {}:\n{}",
        changed.len(),
        HARMLESS.len(),
        changed.join("\n")
    );
}
