//! Passwords on the command lines of programs: `mysql -phunter2`, `curl -u me:hunter2`.

/// How an option gives the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `-pSECRET`; after a lone `-p` something else follows.
    Joined,
    /// `-p SECRET` or `-pSECRET`.
    Next,
    /// `-p SECRET` alone: `-pX` would be another option.
    Apart,
    /// `-u NAME:SECRET`, joined or not; the separator.
    Pair(char),
    /// `NAME:SECRET@HOST` or `DOMAIN/NAME:SECRET`; the separator.
    Login(char),
}

/// The options of one program that take secrets.
pub(super) type Options = &'static [Option_];

/// An option and its form.
#[derive(Debug)]
pub(super) struct Option_(&'static str, Form);

use Form::{Apart, Joined, Login, Next, Pair};

/// Takes secrets by their place: see [`super::arguments`].
const NONE: Options = &[];
const MYSQL: Options = &[Option_("-p", Joined)];
const MYSQLADMIN: Options = &[
    Option_("-p", Joined),
    Option_("password", Apart),
    Option_("old-password", Apart),
];
const SNMP: Options = &[
    Option_("-A", Apart),
    Option_("-X", Apart),
    Option_("-c", Next),
];
const LITERAL: Options = &[Option_("--from-literal", Pair('='))];
const SMB: Options = &[Option_("-U", Pair('%'))];
const SMBCLIENT: Options = &[
    Option_("-U", Pair('%')),
    Option_("-hashes", Apart),
    Option_("", Login(':')),
];
/// The tools of impacket.
const IMPACKET: Options = &[
    Option_("-hashes", Apart),
    Option_("-aesKey", Apart),
    Option_("", Login(':')),
];
const PSEXEC: Options = &[
    Option_("-p", Apart),
    Option_("-hashes", Apart),
    Option_("", Login(':')),
];
/// Programs that log in to many hosts.
const SPRAY: Options = &[Option_("-p", Apart), Option_("-H", Apart)];
const ORACLE: Options = &[
    Option_("", Login('/')),
    Option_("userid=", Login('/')),
    Option_("target=", Login('/')),
    Option_("catalog=", Login('/')),
    Option_("auxiliary=", Login('/')),
    Option_("", Pair('/')),
    Option_("userid=", Pair('/')),
    Option_("target=", Pair('/')),
];
/// Programs of Oracle whose names are words of other texts, too.
const ORACLE_SHORT: Options = &[
    Option_("", Login('/')),
    Option_("userid=", Login('/')),
    Option_("userid=", Pair('/')),
];
const PUTTY: Options = &[Option_("-pw", Apart)];
const RDP: Options = &[Option_("/p:", Joined)];
const LONG_P: Options = &[Option_("-p", Next)];
const CAPITAL_P: Options = &[Option_("-P", Next)];
const CURL: Options = &[
    Option_("--user", Pair(':')),
    Option_("--proxy-user", Pair(':')),
    Option_("-u", Pair(':')),
    Option_("-U", Pair(':')),
    Option_("-b", Apart),
];
const LDAP: Options = &[Option_("-w", Next)];
const KEYTOOL: Options = &[
    Option_("-storepass", Apart),
    Option_("-keypass", Apart),
    Option_("-srcstorepass", Apart),
    Option_("-deststorepass", Apart),
];
const OPENSSL: Options = &[
    Option_("-passin", Pair(':')),
    Option_("-passout", Pair(':')),
    Option_("-pass", Pair(':')),
    Option_("-k", Apart),
    Option_("-K", Apart),
];

/// Programs by name.
#[rustfmt::skip]
const PROGRAMS: &[(&str, Options)] = &[
    ("mysql", MYSQL), ("mysqldump", MYSQL), ("mysqladmin", MYSQLADMIN), ("mysqlimport", MYSQL), ("mysqlcheck", MYSQL),
    ("mysqlshow", MYSQL), ("mysqlpump", MYSQL), ("mysqlbinlog", MYSQL), ("mysqlslap", MYSQL), ("mysqlsh", MYSQL),
    ("mariadb", MYSQL), ("mariadb-dump", MYSQL), ("mariadb-admin", MYSQLADMIN), ("mariadb-import", MYSQL), ("mariadb-check", MYSQL),
    ("mariadb-backup", MYSQL), ("mydumper", LONG_P), ("myloader", LONG_P), ("xtrabackup", LONG_P), ("innobackupex", LONG_P),
    ("sshpass", LONG_P), ("mongo", LONG_P), ("mongosh", LONG_P), ("mongodump", LONG_P), ("mongorestore", LONG_P),
    ("mongoexport", LONG_P), ("mongoimport", LONG_P), ("mongostat", LONG_P), ("7z", MYSQL), ("7za", MYSQL), ("rar", MYSQL), ("unrar", MYSQL),
    ("login", LONG_P), ("useradd", &[Option_("-p", Apart)]), ("usermod", &[Option_("-p", Apart)]),
    ("rdesktop", &[Option_("-p", Apart)]), ("ncftp", &[Option_("-p", Apart)]), ("ncftpput", &[Option_("-p", Apart)]), ("ncftpget", &[Option_("-p", Apart)]), ("racadm", &[Option_("-p", Apart)]), ("kadmin", &[Option_("-w", Apart)]), ("clickhouse-client", &[Option_("--password", Apart)]),
    ("sqlcmd", CAPITAL_P), ("bcp", CAPITAL_P), ("isql", CAPITAL_P), ("ipmitool", CAPITAL_P), ("zip", CAPITAL_P), ("unzip", CAPITAL_P),
    ("mosquitto_pub", CAPITAL_P), ("mosquitto_sub", CAPITAL_P), ("tsql", CAPITAL_P),
    ("curl", CURL), ("http", &[Option_("-a", Pair(':')), Option_("--auth", Pair(':'))]), ("lftp", &[Option_("-u", Pair(','))]),
    ("smbclient", SMBCLIENT), ("rpcclient", SMB), ("net", SMB), ("winexe", SMB), ("smbpasswd", &[Option_("-U", Pair('%')), Option_("-w", Apart)]),
    ("redis-cli", &[Option_("-a", Next)]), ("valkey-cli", &[Option_("-a", Next)]),
    ("ldapsearch", LDAP), ("ldapmodify", LDAP), ("ldapadd", LDAP), ("ldapdelete", LDAP), ("ldapwhoami", LDAP), ("ldappasswd", LDAP),
    ("keytool", KEYTOOL), ("jarsigner", KEYTOOL), ("openssl", OPENSSL),
    ("sqlplus", ORACLE), ("expdp", ORACLE), ("impdp", ORACLE), ("rman", ORACLE), ("sqlldr", ORACLE), ("dgmgrl", ORACLE), ("exp", ORACLE_SHORT), ("imp", ORACLE_SHORT),
    ("psexec", PSEXEC), ("smbexec", IMPACKET), ("wmiexec", IMPACKET), ("atexec", IMPACKET), ("dcomexec", IMPACKET), ("secretsdump", IMPACKET),
    ("mssqlclient", IMPACKET), ("lookupsid", IMPACKET), ("samrdump", IMPACKET), ("rpcdump", IMPACKET), ("addcomputer", IMPACKET), ("changepasswd", IMPACKET),
    ("getTGT", IMPACKET), ("getST", IMPACKET), ("getPac", IMPACKET), ("GetNPUsers", IMPACKET), ("GetUserSPNs", IMPACKET), ("GetADUsers", IMPACKET),
    ("netexec", SPRAY), ("nxc", SPRAY), ("crackmapexec", SPRAY), ("evil-winrm", SPRAY),
    ("snmpget", SNMP), ("snmpwalk", SNMP), ("snmpbulkwalk", SNMP), ("snmpset", SNMP), ("snmptrap", SNMP),
    ("cqlsh", LONG_P), ("influx", &[Option_("-password", Apart), Option_("-t", Apart)]), ("nmcli", &[Option_("password", Apart)]),
    ("7zr", MYSQL), ("7zz", MYSQL), ("kubectl", LITERAL), ("oc", LITERAL), ("plink", PUTTY), ("pscp", PUTTY), ("psftp", PUTTY),
    ("xfreerdp", RDP), ("wlfreerdp", RDP), ("ssh-keygen", &[Option_("-N", Apart), Option_("-P", Apart)]), ("caddy", &[Option_("--plaintext", Apart)]),
    ("aws", &[Option_("aws_secret_access_key", Apart), Option_("aws_session_token", Apart), Option_("--secret-string", Apart), Option_("--value", Apart)]),
    ("az", &[Option_("--value", Apart)]), ("gh", &[Option_("--body", Apart)]), ("jenkins-cli", &[Option_("-auth", Pair(':'))]), ("etcdctl", &[Option_("--user", Pair(':'))]),
    ("consul", NONE), ("nomad", NONE), ("fly", NONE), ("flyctl", NONE), ("doppler", NONE), ("heroku", NONE), ("dotnet", NONE), ("pulumi", NONE),
    ("htpasswd", NONE), ("mosquitto_passwd", NONE), ("mkpasswd", NONE), ("rabbitmqctl", NONE), ("ejabberdctl", NONE), ("prosodyctl", NONE),
    ("samba-tool", NONE), ("vault", NONE), ("mc", NONE), ("wpa_passphrase", NONE), ("radtest", NONE), ("ansible-vault", NONE), ("rclone", NONE),
    ("npm", NONE), ("git", NONE), ("net1", NONE), ("cryptsetup", NONE), ("kinit", NONE), ("realm", NONE),
    ("echo", NONE), ("printf", NONE), ("cat", NONE), ("chpasswd", NONE), ("passwd", NONE), ("newusers", NONE), ("pdbedit", NONE), ("vncpasswd", NONE), ("adcli", NONE),
];

/// Longest name of [`PROGRAMS`].
const LONGEST: usize = 17;

/// By the first letter of [`PROGRAMS`], a bit for each length.
static LENGTHS: [u32; 128] = {
    let mut table = [0; 128];
    let mut at = 0;
    while at < PROGRAMS.len() {
        table[PROGRAMS[at].0.as_bytes()[0] as usize] |= 1 << PROGRAMS[at].0.len();
        at += 1;
    }
    table
};

/// By the first letter of [`PROGRAMS`], a bit for each second one.
static BEGINNINGS: [u128; 128] = {
    let mut table = [0; 128];
    let mut at = 0;
    while at < PROGRAMS.len() {
        let bytes = PROGRAMS[at].0.as_bytes();
        table[bytes[0] as usize] |= 1 << bytes[1];
        at += 1;
    }
    table
};

/// Programs whose subcommand `login` takes a password.
const LOGINS: &[&str] = &[
    "docker ",
    "podman ",
    "helm ",
    "registry ",
    "az ",
    "oc ",
    "cf ",
    "skopeo ",
    "buildah ",
    "nerdctl ",
];

/// Returns the name of a program without what a distribution puts before it.
fn bare(word: &[u8]) -> &[u8] {
    word.strip_prefix(b"impacket-").unwrap_or(word)
}

/// Returns whether a word is one of [`PROGRAMS`]: its length and its first two letters decide for nearly all.
pub(super) fn is_program(word: &[u8]) -> bool {
    options(word).is_some()
}

fn options(word: &[u8]) -> Option<Options> {
    let word = bare(word);
    let [first, second, ..] = word else {
        return None;
    };
    let may_be = word.len() <= LONGEST
        && LENGTHS[usize::from(first & 127)] & (1 << word.len()) != 0
        && BEGINNINGS[usize::from(first & 127)] & (1 << (second & 127)) != 0;
    let mut programs = PROGRAMS.iter().filter(|_| may_be);
    programs
        .find(|(name, _)| name.as_bytes() == word)
        .map(|(_, options)| *options)
}

/// Returns the options that give a secret to the program whose name is the word at this place.
pub(super) fn of_program(text: &str, at: usize, end: usize) -> Option<Options> {
    let word = &text.as_bytes()[at..end];
    let options = options(word)?;
    if word == b"login" && !LOGINS.iter().any(|program| text[..at].ends_with(program)) {
        return None;
    }
    Some(options)
}

/// Returns the secret that an option gives: `at` is where its word begins.
pub(super) fn secret(options: Options, text: &str, at: usize) -> Option<(usize, usize)> {
    // `/p:` of a program that comes from Windows.
    let at = at - usize::from(text[..at].ends_with(" /"));
    // A separate argument.
    if !matches!(
        at.checked_sub(1).map(|at| text.as_bytes()[at]),
        None | Some(b' ' | b'\t' | b'"' | b'\'' | b',')
    ) {
        return None;
    }
    options.iter().find_map(|Option_(name, form)| {
        let rest = text[at..].strip_prefix(name)?;
        if let Login(separator) = form {
            return login(text, at + name.len(), *separator);
        }
        if !name.is_empty()
            && *form != Joined
            && let Some((from, to)) = super::arguments::next_of_list(text, at, at + name.len())
        {
            return match form {
                Pair(separator) => text[from..to]
                    .find(*separator)
                    .map(|at| (from + at + separator.len_utf8(), to)),
                _ => (from < to).then_some((from, to)),
            };
        }
        let joined = !rest.starts_with([' ', '\t', '=']) && !rest.is_empty();
        let value = match form {
            Joined if joined => rest,
            Next | Pair(_) if joined && !name.starts_with("--") => rest,
            Next | Apart | Pair(_) if !joined => rest
                .strip_prefix('=')
                .unwrap_or(rest)
                .trim_start_matches([' ', '\t']),
            _ => return None,
        };
        let from = text.len() - value.len();
        let (from, to) = argument(text, from);
        if let Pair(separator) = form {
            let separated = text[from..to].find(*separator)?;
            if *separator == '/' && !is_user(&text[from..from + separated]) {
                return None;
            }
            let from = from + separated + 1;
            // `NAME='SECRET'`
            return Some(if from == to {
                argument(text, to)
            } else {
                (from, to)
            });
        }
        // Another option, not a value.
        (!text[from..to].starts_with('-') && from < to).then_some((from, to))
    })
}

/// Returns whether this can be the name of a user of Oracle: not a path, nor `directory=a` before one.
fn is_user(name: &str) -> bool {
    let may_be = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '#');
    name.starts_with(|c: char| c.is_alphabetic()) && name.chars().all(may_be)
}

/// Returns the secret of the login that is the argument at this place. What the host follows is a login; without a
/// host, what a domain precedes.
fn login(text: &str, at: usize, separator: char) -> Option<(usize, usize)> {
    let (start, end) = argument(text, at);
    let quote = text[..start].chars().next_back();
    // In quotes a secret may hold blanks.
    let end = quote
        .filter(|c| matches!(c, '"' | '\''))
        .and_then(|quote| text[start..].find(quote))
        .map_or(end, |length| start + length);
    let login = &text[start..end];
    let (name, rest) = login.split_once(separator)?;
    let is_name = name.starts_with(|c: char| c.is_alphanumeric())
        && !name.contains(|c: char| c.is_whitespace() || matches!(c, '@' | '='));
    if !is_name || rest.starts_with("//") {
        return None;
    }
    let length = match rest.rsplit_once('@') {
        Some((secret, host)) if !host.is_empty() => secret.len(),
        _ if name.contains('/') => rest.len(),
        _ => return None,
    };
    let from = start + name.len() + separator.len_utf8();
    (length > 0).then_some((from, from + length))
}

/// Returns the argument that begins here, within its quotes.
fn argument(text: &str, from: usize) -> (usize, usize) {
    let rest = &text[from..];
    // A quote of a string within a string.
    let slashes = rest.bytes().take_while(|byte| *byte == b'\\').count();
    if slashes > 0 && rest[slashes..].starts_with(['"', '\'']) {
        let (open, inner) = rest.split_at(slashes + 1);
        let length = inner.find(open).unwrap_or(inner.len());
        return (from + open.len(), from + open.len() + length);
    }
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let end = rest[1..].find(quote).map_or(rest.len(), |end| end + 1);
        return (from + 1, from + end);
    }
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'))
        .unwrap_or(rest.len());
    (from, from + end)
}
