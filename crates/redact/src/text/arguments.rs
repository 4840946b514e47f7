//! Secrets that stand among the arguments of a program by their place, or that a shell feeds to it:
//! `htpasswd -b FILE USER SECRET`, `echo USER:SECRET | chpasswd`.
//!
//! A command is read once, when the name of its program is met, up to [`MOST_BYTES`]: as a shell reads
//! it, as a list (`["htpasswd", "-b", …]`), or as audit records it (`a0="htpasswd" a1="-b" …`). What it
//! passes as secrets is taken out when the scan arrives there; everything between is still scanned for
//! secrets of other kinds.

use super::Range;
use super::names::{self, LITERALS, STATES, Strength};

/// Bytes of a command that are read.
const MOST_BYTES: usize = 2048;
/// Arguments of a command that are read.
const MOST_ARGUMENTS: usize = 48;
/// Bytes before a command in which the quote that holds it is searched for.
const MOST_BEFORE: usize = 256;

/// Which arguments are secrets. Arguments are those that are neither an option nor its value, after the
/// words of the subcommand.
#[derive(Clone, Copy, Debug)]
enum Which {
    /// Those at these places, counted from 1.
    At(&'static [usize]),
    /// The last one.
    Last,
    /// Of each `NAME:SECRET` what follows the separator.
    Pairs(char),
    /// What follows the name of a secret: `set NAME SECRET`.
    Named,
}

/// A command that takes secrets as arguments.
#[derive(Debug)]
struct Command {
    program: &'static str,
    /// Words that are first among the arguments: `kv put`.
    subcommand: &'static [&'static str],
    /// A letter of an option without which there is no secret: `b` of `-nb`.
    letter: Option<char>,
    /// Options that take a value of their own.
    valued: &'static [&'static str],
    secrets: Which,
}

/// Returns a row of [`COMMANDS`].
const fn command(
    program: &'static str,
    subcommand: &'static [&'static str],
    valued: &'static [&'static str],
    secrets: Which,
) -> Command {
    Command {
        program,
        subcommand,
        letter: None,
        valued,
        secrets,
    }
}

use Which::{At, Last, Named, Pairs};

/// Commands, the more special before the less. A program also is in `PROGRAMS` of
/// [`super::commands`].
#[rustfmt::skip]
const COMMANDS: &[Command] = &[
    Command { letter: Some('b'), ..command("htpasswd", &[], &["-C", "-r"], Last) },
    Command { letter: Some('b'), ..command("mosquitto_passwd", &[], &["-H", "-I"], Last) },
    command("openssl", &["passwd"], &["-salt", "-in", "-rand", "-writerand", "-provider"], Last),
    command("mkpasswd", &[], &["-m", "-S", "-R", "-P", "--method", "--salt", "--rounds"], At(&[1])),
    command("smbpasswd", &[], &["-c", "-D", "-r", "-R", "-U"], At(&[2])),
    command("rabbitmqctl", &["add_user"], RABBIT, At(&[2])),
    command("rabbitmqctl", &["change_password"], RABBIT, At(&[2])),
    command("rabbitmqctl", &["authenticate_user"], RABBIT, At(&[2])),
    command("ejabberdctl", &["register"], &[], At(&[3])),
    command("ejabberdctl", &["change_password"], &[], At(&[3])),
    command("prosodyctl", &["register"], &[], At(&[3])),
    command("net", &["user", "add"], NET, At(&[2])),
    command("net1", &["user"], NET, At(&[2])),
    command("net", &["user", "delete"], NET, At(&[])),
    command("net", &["user", "info"], NET, At(&[])),
    command("net", &["user"], NET, At(&[2])),
    command("net", &["use"], NET, At(&[3])),
    command("net", &["rpc", "user", "add"], NET, At(&[2])),
    command("net", &["rpc", "password"], NET, At(&[2])),
    command("samba-tool", &["user", "create"], NET, At(&[2])),
    command("samba-tool", &["user", "add"], NET, At(&[2])),
    command("vault", &["login"], &["-method", "-path"], At(&[1])),
    command("vault", &["kv", "put"], VAULT, Pairs('=')),
    command("vault", &["kv", "patch"], VAULT, Pairs('=')),
    command("vault", &["write"], VAULT, Pairs('=')),
    command("vault", &["unwrap"], VAULT, At(&[1])),
    command("vault", &["operator", "unseal"], VAULT, At(&[1])),
    command("etcdctl", &["user", "add"], ETCD, Pairs(':')),
    command("etcdctl", &["put"], ETCD, At(&[2])),
    command("etcdctl", &["set"], ETCD, At(&[2])),
    command("etcdctl", &["mk"], ETCD, At(&[2])),
    command("consul", &["kv", "put"], CONSUL, At(&[2])),
    command("nomad", &["var", "put"], VAULT, Pairs('=')),
    command("fly", &["secrets", "set"], &["-a", "--app"], Pairs('=')),
    command("flyctl", &["secrets", "set"], &["-a", "--app"], Pairs('=')),
    command("doppler", &["secrets", "set"], &["-p", "-c", "--project", "--config"], Pairs('=')),
    command("heroku", &["config:set"], &["-a", "--app", "-r", "--remote"], Pairs('=')),
    command("dotnet", &["user-secrets", "set"], &["-p", "--project", "--id"], At(&[2])),
    command("pulumi", &["config", "set"], &["-s", "--stack", "-C", "--cwd"], Named),
    command("mc", &["alias", "set"], &[], At(&[4])),
    command("mc", &["config", "host", "add"], &[], At(&[4])),
    command("wpa_passphrase", &[], &[], At(&[2])),
    command("radtest", &[], &["-t", "-P"], At(&[2, 5])),
    command("ansible-vault", &["encrypt_string"], &["-n", "--name", "--vault-id", "--vault-password-file"], At(&[1])),
    command("rclone", &["obscure"], &[], At(&[1])),
    command("redis-cli", &["auth"], REDIS, Last),
    command("redis-cli", &["config", "set"], REDIS, Named),
    command("valkey-cli", &["auth"], REDIS, Last),
    command("valkey-cli", &["config", "set"], REDIS, Named),
    command("aws", &["configure", "set"], &["--profile", "--region"], Named),
    command("npm", &["config", "set"], &[], Named),
    command("git", &["config"], &["-f", "--file"], Named),
    command("isql", &[], &[], At(&[3])),
];

const RABBIT: &[&str] = &[
    "-n",
    "--node",
    "-p",
    "--vhost",
    "-t",
    "--timeout",
    "--formatter",
];
const NET: &[&str] = &["-S", "-I", "-U", "-w", "-W", "-n", "-p"];
const REDIS: &[&str] = &["-h", "-p", "-n", "-s", "-a", "-u", "--user"];
const VAULT: &[&str] = &["-mount", "-namespace", "-address", "-cas", "-format"];
const ETCD: &[&str] = &[
    "--endpoints",
    "--cacert",
    "--cert",
    "--key",
    "--user",
    "--lease",
    "--ttl",
];
const CONSUL: &[&str] = &[
    "-token",
    "-http-addr",
    "-datacenter",
    "-namespace",
    "-partition",
    "-ca-file",
    "-flags",
    "-modify-index",
    "-session",
];

/// How a command takes a secret from its standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fed {
    /// The whole text.
    Whole,
    /// `NAME:SECRET`.
    Pair,
}

/// Programs that read a secret from their standard input, and what must stand among their arguments;
/// any program where none is named.
#[rustfmt::skip]
const FED: &[(&str, &str, Fed)] = &[
    ("chpasswd", "", Fed::Pair), ("newusers", "", Fed::Pair), ("passwd", "", Fed::Whole), ("sudo", "-S", Fed::Whole),
    ("sudo", "-kS", Fed::Whole), ("sudo", "--stdin", Fed::Whole), ("su", "", Fed::Whole), ("smbpasswd", "", Fed::Whole),
    ("pdbedit", "", Fed::Whole), ("htpasswd", "", Fed::Whole), ("openssl", "passwd", Fed::Whole), ("openssl", "stdin", Fed::Whole),
    ("mkpasswd", "", Fed::Whole), ("cryptsetup", "", Fed::Whole), ("kinit", "", Fed::Whole), ("kadmin", "", Fed::Whole),
    ("vncpasswd", "", Fed::Whole), ("pass", "insert", Fed::Whole), ("rclone", "obscure", Fed::Whole), ("realm", "join", Fed::Whole),
    ("adcli", "", Fed::Whole), ("ansible-vault", "", Fed::Whole), ("", "--password-stdin", Fed::Whole), ("", "--with-token", Fed::Whole),
    ("", "--passphrase-fd", Fed::Whole), ("", "--stdin-password", Fed::Whole), ("", "secret create", Fed::Whole),
];

/// Returns the secrets that the command passes whose program is the word from `at` to `end`, the last first.
pub(super) fn secrets(text: &str, at: usize, end: usize) -> Vec<Range> {
    let mut found = match &text[at..end] {
        "echo" | "printf" => fed(text, at, end),
        "cat" => here_document(text, at, end).unwrap_or_else(|| fed(text, at, end)),
        program => {
            let mut found = here_string(text, at, end)
                .or_else(|| here_document(text, at, end))
                .unwrap_or_default();
            if COMMANDS.iter().any(|command| command.program == program)
                && (program != "net" || is_command(text, at))
            {
                found.extend(passed(text, program, &arguments(text, at, end)));
            }
            found
        }
    };
    found.retain(|(from, to)| {
        let word = &text[*from..*to];
        from < to && !names::holds(STATES, word) && !names::holds(LITERALS, word) && word != "*"
    });
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}

/// Returns whether [`secrets`] finds none whatever the numbers of the text are: nothing is fed to a command, and
/// the first argument, which may be a number, is none of those before a secret.
pub(super) fn is_settled(text: &str, at: usize, end: usize) -> bool {
    let rest = &text[end..];
    if rest.contains(['<', '>', '|']) {
        return false;
    }
    let first = match rest.as_bytes() {
        [b' ', argument @ ..] => {
            let ends = argument.iter().position(|byte| *byte == b' ');
            &rest[1..][..ends.unwrap_or(argument.len())]
        }
        [b'\t' | b'"' | b'\'', ..] => return false,
        _ if rest.starts_with(".exe") => return false,
        _ => "",
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
    let begins = |command: &Command| {
        let word = command.subcommand.first();
        word.is_none_or(|word| word.eq_ignore_ascii_case(first))
    };
    let mut commands = COMMANDS.iter();
    // Of several blanks the argument is behind the last.
    (first.is_empty() != rest.starts_with(' '))
        && first.bytes().all(plain)
        && !commands.any(|command| command.program == &text[at..end] && begins(command))
}

/// Returns whether a word that sentences hold too begins a command: no word is before it but one that runs
/// others.
fn is_command(text: &str, at: usize) -> bool {
    let Some(before) = text[..at].strip_suffix(' ') else {
        return true;
    };
    let word = before
        .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .next()
        .unwrap_or_default();
    word.is_empty()
        || word.bytes().any(|byte| byte.is_ascii_uppercase())
        || names::holds(&["sudo", "exec", "env", "then", "do", "-c", "run"], word)
}

/// Returns what the arguments of a program pass.
fn passed(text: &str, program: &str, arguments: &[Range]) -> Vec<Range> {
    let word = |range: &Range| &text[range.0..range.1];
    for command in COMMANDS.iter().filter(|known| known.program == program) {
        let lettered = command.letter.is_none_or(|letter| {
            let given = |argument: &Range| {
                let name = word(argument);
                name.starts_with('-') && !name.starts_with("--") && name.contains(letter)
            };
            arguments.iter().any(given)
        });
        let mut places = places(text, arguments, command.valued);
        if program.starts_with("net") {
            places.retain(|range| !word(range).starts_with('/'));
        }
        let begins = |(range, known): (&Range, &&str)| word(range).eq_ignore_ascii_case(known);
        let count = command.subcommand.len();
        if !lettered || places.len() < count || !places.iter().zip(command.subcommand).all(begins) {
            continue;
        }
        let places = &places[count..];
        return match command.secrets {
            At(numbers) => numbers
                .iter()
                .filter_map(|number| places.get(number - 1).copied())
                .collect(),
            Last => places.last().copied().into_iter().collect(),
            Pairs(separator) => places
                .iter()
                .filter_map(|range| second(text, *range, separator))
                .collect(),
            Named => places
                .windows(2)
                .filter(|pair| names::strength(word(&pair[0])) == Some(Strength::Strong))
                .map(|pair| pair[1])
                .collect(),
        };
    }
    Vec::new()
}

/// Returns the arguments that are neither an option nor the value of one.
fn places(text: &str, arguments: &[Range], valued: &[&str]) -> Vec<Range> {
    let mut places = Vec::with_capacity(arguments.len());
    let mut is_value = false;
    for range in arguments {
        let word = &text[range.0..range.1];
        if std::mem::take(&mut is_value) {
            continue;
        }
        if word.len() > 1 && word.starts_with('-') {
            // The last letter of several takes the value: `-bBC 10`.
            let last = word.chars().next_back();
            let short = |name: &&&str| name.len() == 2 && name.chars().next_back() == last;
            is_value = valued.contains(&word)
                || !word.starts_with("--")
                    && word.len() <= 6
                    && valued.iter().any(|name| short(&name));
            continue;
        }
        places.push(*range);
    }
    places
}

/// Returns what follows the separator of a pair.
fn second(text: &str, (from, to): Range, separator: char) -> Option<Range> {
    let at = text[from..to].find(separator)?;
    Some((from + at + separator.len_utf8(), to))
}

/// Returns what `echo` or `printf` feeds to a command that reads a secret.
fn fed(text: &str, at: usize, end: usize) -> Vec<Range> {
    let limit = limit(text, end);
    let line = &text[end..limit];
    let line = &line[..line.find('\n').unwrap_or(line.len())];
    let Some((pipe, fed)) = line
        .rmatch_indices('|')
        .find_map(|(pipe, _)| Some((pipe, consumer(&line[pipe + 1..])?)))
    else {
        return Vec::new();
    };
    let mut arguments = read(text, at, end, end + pipe);
    let word = |range: &Range| &text[range.0..range.1];
    // Another command is between; within brackets it may feed the same one.
    if let Some(last) = arguments
        .iter()
        .position(|range| word(range).ends_with(';'))
    {
        let next = arguments.get(last + 1).map(word);
        if !matches!(next, Some("echo" | "printf" | "}" | ")")) {
            return Vec::new();
        }
        arguments.truncate(last + 1);
        if let Some(argument) = arguments.last_mut() {
            argument.1 -= 1;
        }
    }
    if text[at..end] == *"cat" {
        let here = text[end..end + pipe].find("<<<");
        arguments = here.map_or_else(Vec::new, |here| {
            let from = end + here + "<<<".len();
            read(text, from, from, end + pipe)
        });
    }
    let is_option =
        |range: &Range| matches!(word(range), "-n" | "-e" | "-ne" | "-en" | "-E" | "--");
    arguments.retain(|range| !is_option(range));
    let format = arguments.len() > 1
        && text[at..end] == *"printf"
        && arguments
            .first()
            .is_some_and(|range| word(range).contains('%'));
    if format {
        // The name stays, what follows it does not.
        let kept = if fed == Fed::Pair { 2 } else { 1 };
        return arguments.into_iter().skip(kept).collect();
    }
    match fed {
        Fed::Whole => arguments,
        Fed::Pair => arguments
            .into_iter()
            .filter_map(|range| second(text, range, ':'))
            .collect(),
    }
}

/// Returns how the command that a text begins with reads a secret, if it does.
fn consumer(text: &str) -> Option<Fed> {
    const NEAR: usize = 160;
    let mut near = text.len().min(NEAR);
    while !text.is_char_boundary(near) {
        near -= 1;
    }
    let command = text[..near].split(['|', ';', '\n']).next()?;
    // Of `sudo -u me /usr/sbin/chpasswd` each word may be the program.
    let mut words = command
        .split([' ', '\t', '\'', '"', '`', '\\', ')'])
        .filter(|word| !word.is_empty());
    let is_sudo = words.clone().next() == Some("sudo");
    let most = if is_sudo { 5 } else { 1 };
    let name = |word: &'static str, known: &str| known.rsplit('/').next() == Some(word);
    let mut programs = words.by_ref().take(most);
    let all: Vec<&str> = programs.by_ref().collect();
    FED.iter()
        .find(|(program, argument, _)| {
            (program.is_empty() || all.iter().any(|word| name(program, word)))
                && command.contains(argument)
        })
        .map(|(_, _, fed)| *fed)
}

/// Parses `chpasswd <<< USER:SECRET`.
fn here_string(text: &str, at: usize, end: usize) -> Option<Vec<Range>> {
    let limit = limit(text, end);
    let line = &text[end..limit];
    let line = &line[..line.find('\n').unwrap_or(line.len())];
    let here = line.find("<<<")?;
    let fed = consumer(&text[at..end + here])?;
    let from = end + here + "<<<".len();
    let argument = *read(text, from, from, limit).first()?;
    Some(match fed {
        Fed::Whole => vec![argument],
        Fed::Pair => second(text, argument, ':').into_iter().collect(),
    })
}

/// How a line ends in a log: as it is, as a string of a program has it, and as syslog writes it.
const LINE_ENDS: &[&str] = &["\n", "\\n", "#012"];

/// Parses `chpasswd <<END`, lines of `USER:SECRET`, `END`; where the log has it in one line, words stand for lines.
fn here_document(text: &str, at: usize, end: usize) -> Option<Vec<Range>> {
    let limit = limit(text, end);
    let line = &text[end..limit];
    let here = line[..line.find('\n').unwrap_or(line.len())].find("<<")?;
    let before = end + here;
    let rest = text[before + "<<".len()..limit]
        .trim_start_matches('-')
        .trim_start_matches([' ', '\\', '"', '\'']);
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let delimiter = &rest[..rest.find(|c| !letters(c)).unwrap_or(rest.len())];
    let after = limit - rest.len() + delimiter.len();
    let rest = &text[after..limit];
    let rest = ["\\\"", "\\'", "\"", "'"]
        .iter()
        .find_map(|quote| rest.strip_prefix(quote))
        .unwrap_or(rest);
    let after = limit - rest.len();
    if delimiter.is_empty() {
        return None;
    }
    let ends = LINE_ENDS
        .iter()
        .filter_map(|end| Some((rest.find(end)?, *end)));
    let (command, separator, body) = match ends.min() {
        Some((at, end)) => (&rest[..at], end, after + at + end.len()),
        None => (rest, " ", after),
    };
    let piped = command.split_once('|').map(|(_, next)| next);
    let fed = consumer(&text[at..before]).or_else(|| consumer(piped?))?;
    let (mut found, mut from) = (Vec::new(), body);
    // In one line, the words of the command that reads the text come first.
    let mut is_command = separator == " " && piped.is_some();
    for piece in text[body..limit].split(separator) {
        let word = piece.trim();
        let start = from + piece.len() - piece.trim_start().len();
        from += piece.len() + separator.len();
        if word.trim_end_matches(|c| !letters(c)) == delimiter {
            break;
        }
        if is_command {
            is_command = matches!(word, "" | "|" | "sudo") || word.starts_with('-');
            continue;
        }
        let range = (start, start + word.len());
        match fed {
            Fed::Whole => found.push(range),
            Fed::Pair => found.extend(second(text, range, ':')),
        }
    }
    Some(found)
}

/// Returns where reading a command ends at the latest.
fn limit(text: &str, from: usize) -> usize {
    let mut limit = (from + MOST_BYTES).min(text.len());
    while !text.is_char_boundary(limit) {
        limit -= 1;
    }
    limit
}

/// Returns the arguments of the command whose program is the word from `at` to `end`.
fn arguments(text: &str, at: usize, end: usize) -> Vec<Range> {
    let end = end
        + if text[end..].starts_with(".exe") {
            4
        } else {
            0
        };
    if !text[end..].starts_with([' ', '\t', '"', '\'']) {
        return Vec::new();
    }
    read(text, at, end, limit(text, end))
}

/// Returns the argument that follows the one from `at` to `end` in a list, each of which has its own quotes.
pub(super) fn next_of_list(text: &str, at: usize, end: usize) -> Option<Range> {
    let quote = text[..at].chars().next_back()?;
    let listed = matches!(quote, '"' | '\'') && text[end..].starts_with(quote);
    listed.then(|| read(text, at, end, limit(text, end)).first().copied())?
}

/// Reads arguments from `from` to `limit`. The command begins at `at`.
fn read(text: &str, at: usize, from: usize, limit: usize) -> Vec<Range> {
    let quote = |c: &char| matches!(c, '"' | '\'');
    let before = text[..at].chars().next_back().filter(quote);
    // `"htpasswd", "-b"`: each argument has its own quotes.
    let listed = before.filter(|quote| text[from..].starts_with(*quote));
    let outer = if listed.is_some() {
        None
    } else {
        outer(text, at)
    };
    let mut found = Vec::new();
    let mut at = from + usize::from(listed.is_some());
    while found.len() < MOST_ARGUMENTS && at < limit {
        let rest = &text[at..limit];
        let blank = rest.len()
            - rest
                .trim_start_matches(|c: char| {
                    matches!(c, ' ' | '\t') || listed.is_some() && c == ','
                })
                .len();
        at += blank;
        let mut rest = &text[at..limit];
        if let Some(quote) = listed {
            let named = audit_name(rest);
            at += named;
            rest = &rest[named..];
            if !rest.starts_with(quote) {
                break;
            }
        }
        // What ends a command, or takes its output elsewhere.
        if rest.is_empty() || rest.starts_with(['\n', ';', '|', '&', '>', '<', ')']) {
            break;
        }
        let slashes = rest.bytes().take_while(|byte| *byte == b'\\').count();
        let opens = rest[slashes..].chars().next().filter(quote);
        if let Some(quote) = opens.filter(|quote| Some(*quote) != outer || slashes > 0) {
            let open = slashes + quote.len_utf8();
            let inner = &rest[open..];
            let length = inner.find(&rest[..open]).unwrap_or(inner.len());
            found.push((at + open, at + open + length));
            at = (at + open + length + open).min(limit);
            continue;
        }
        let length = bare(rest, outer);
        if length == 0 {
            break;
        }
        // `2>&1`
        let redirects = rest[length..].starts_with('>');
        if !redirects {
            found.push((at, at + length));
        }
        at += length;
        if text[at..limit].starts_with(['"', '\'', '\\', '>', '`']) {
            break;
        }
    }
    found
}

/// Returns the length of the name of an argument in a record of audit, `a1=`; 0 if there is none.
fn audit_name(text: &str) -> usize {
    text.strip_prefix('a').map_or(0, |name| {
        let digits = name.bytes().take_while(u8::is_ascii_digit).count();
        if name[digits..].starts_with('=') {
            digits + 2
        } else {
            0
        }
    })
}

/// Returns the quote that holds the command: the last one of its line that was not closed.
fn outer(text: &str, at: usize) -> Option<char> {
    let mut from = at.saturating_sub(MOST_BEFORE);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = &text[from..at];
    let before = &before[before.rfind('\n').map_or(0, |line| line + 1)..];
    let mut open = None;
    for c in before.chars().filter(|c| matches!(c, '"' | '\'')) {
        match open {
            None => open = Some(c),
            Some(known) if known == c => open = None,
            Some(_) => {}
        }
    }
    open
}

/// Bytes of an argument without quotes around it; it may hold quoted pieces.
fn bare(text: &str, outer: Option<char>) -> usize {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            // sudo writes a blank within an argument so.
            '\\' if text[at + 1..].starts_with(' ') => {
                chars.next();
            }
            '\\' => {
                let slashes = text[at..].bytes().take_while(|byte| *byte == b'\\').count();
                let behind = &text[at + slashes..];
                // A quote, or the end of a line, of a string within a string.
                if behind.starts_with(['"', '\'']) || outer == Some('"') && behind.starts_with('n')
                {
                    return at;
                }
                for _ in 1..slashes {
                    chars.next();
                }
            }
            '"' | '\'' if Some(c) == outer => return at,
            '"' | '\'' => match text[at + 1..].find(c) {
                Some(length) => while chars.next().is_some_and(|(next, _)| next <= at + length) {},
                None => return at,
            },
            '`' | '\n' => return at,
            '>' if text[..at].bytes().all(|byte| byte.is_ascii_digit()) => return at,
            c if c.is_whitespace() => return at,
            _ => {}
        }
    }
    text.len()
}
