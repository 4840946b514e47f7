//! What sshd states of logins.
//!
//! The forms are those of OpenSSH's source, of its portable version with PAM and of tcp wrappers,
//! over twenty years of releases. A line is looked up in [`FORMS`] by how it begins, after what may
//! are before has been taken off: `error: `, `fatal: `, `message repeated 3 times: [ … ]`.
//!
//! **User names, client versions and reasons are untrusted text.** So an address is never searched
//! for. Each form states where it is: right after the beginning, at the end, or after the last
//! ` from ` that a name cannot follow. `Failed password for invalid user a from 192.0.2.1 from
//! 198.51.100.7 port 22 ssh2` comes from 198.51.100.7.

use std::sync::LazyLock;

use memchr::memmem::{Finder, FinderRev};

use super::observation::{Form, Observation, Peer, What};

/// Where a form has the address and the user.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Behind the beginning: `Connection closed by ADDRESS …`.
    Next,
    /// `USER from ADDRESS [port N] [ssh2][: detail]`.
    From,
    /// `USER from ADDRESS not allowed because …`; the address may be missing.
    Because,
    /// `[invalid|authenticating] user USER ADDRESS [port N][: reason]`, or as [`Next`](Self::Next).
    Last,
    /// `NAME (ADDRESS)`.
    Parenthesis,
    /// `#N from [ADDRESS]:PORT on …`.
    Bracket,
    /// `pam_MODULE(SERVICE): … [for] user USER … [from ADDRESS]`.
    Module,
    /// `[ipv4: ]new NETWORK …` or `NETWORK: …`.
    Penalty,
    /// `… rhost=ADDRESS  user=USER`.
    Rhost,
    /// `…;Remote: ADDRESS-PORT;…`.
    Remote,
    /// Nowhere; the process has it.
    Nowhere,
}

/// A form of message.
struct MessageForm {
    /// How it begins.
    begins: &'static str,
    /// What must be after that, somewhere; a word of the daemon's own.
    holds: &'static str,
    what: What,
    place: Place,
}

const fn form(begins: &'static str, holds: &'static str, what: What, place: Place) -> MessageForm {
    MessageForm {
        begins,
        holds,
        what,
        place,
    }
}

const FAILED: What = What::Failed(Form::Failed);
const PAM: What = What::Failed(Form::Pam);
const MODULE: What = What::Failed(Form::PamModule);
const REFUSED: What = What::Failed(Form::Refused);
const ENDED: What = What::Failed(Form::Ended);

/// Every form. The first that fits holds, so what is more exact is before what is less.
const FORMS: &[MessageForm] = &[
    form("Failed ", " for ", FAILED, Place::From),
    form(
        "Invalid user ",
        "",
        What::Failed(Form::Invalid),
        Place::From,
    ),
    form(
        "Illegal user ",
        "",
        What::Failed(Form::Invalid),
        Place::From,
    ),
    form(
        "Accepted ",
        " for ",
        What::Accepted { guessable: true },
        Place::From,
    ),
    form("User ", " not allowed because ", REFUSED, Place::Because),
    form("ROOT LOGIN REFUSED FROM ", "", REFUSED, Place::Next),
    form("refused connect from ", "", REFUSED, Place::Parenthesis),
    form(
        "maximum authentication attempts exceeded for ",
        "",
        ENDED,
        Place::From,
    ),
    form(
        "Disconnecting",
        "Too many authentication failures",
        ENDED,
        Place::Last,
    ),
    form(
        "Disconnecting",
        "Change of username or service not allowed",
        ENDED,
        Place::Last,
    ),
    form(
        "PAM service(sshd) ignoring max retries",
        "",
        ENDED,
        Place::Nowhere,
    ),
    // Modules that refuse: by place or time, or after too many failures.
    form(
        "pam_access(",
        "access denied for user ",
        REFUSED,
        Place::Module,
    ),
    form(
        "pam_faillock(",
        "Consecutive login failures for user ",
        REFUSED,
        Place::Module,
    ),
    form("pam_tally", ", deny ", REFUSED, Place::Module),
    form("pam_listfile(", "Refused user ", REFUSED, Place::Module),
    form("pam_time(", "access denied", REFUSED, Place::Module),
    form(
        "Access denied for user ",
        " by PAM account configuration",
        REFUSED,
        Place::Nowhere,
    ),
    form("PAM: ", " for ", PAM, Place::From),
    form("PAM ", "authentication failure", MODULE, Place::Rhost),
    form("pam_", "authentication failure", MODULE, Place::Rhost),
    form("Received disconnect from ", "Auth fail", ENDED, Place::Next),
    form(
        "Received disconnect from ",
        "authentication methods available",
        ENDED,
        Place::Next,
    ),
    form("Received disconnect from ", "", What::Closed, Place::Next),
    form("Connection closed by ", "", What::Closed, Place::Last),
    form("Connection reset by ", "", What::Closed, Place::Last),
    form("Disconnected from ", "", What::Closed, Place::Last),
    form(
        "Did not receive identification string from ",
        "",
        What::Probe,
        Place::Next,
    ),
    form(
        "Bad protocol version identification ",
        "",
        What::Probe,
        Place::From,
    ),
    form(
        "kex_exchange_identification: ",
        "",
        What::Probe,
        Place::Nowhere,
    ),
    form("kex_protocol_error: ", "", What::Probe, Place::Nowhere),
    form(
        "Bad remote protocol version identification: ",
        "",
        What::Probe,
        Place::Nowhere,
    ),
    form(
        "Protocol major versions differ for ",
        "",
        What::Probe,
        Place::Next,
    ),
    form(
        "Protocol major versions differ: ",
        "",
        What::Probe,
        Place::Nowhere,
    ),
    form("scanned from ", " with SSH-", What::Probe, Place::Next),
    form("probed from ", " with SSH-", What::Probe, Place::Next),
    form("Bad packet length ", "", What::Probe, Place::Nowhere),
    form("Corrupted MAC on input", "", What::Probe, Place::Nowhere),
    form("padding error: ", "", What::Probe, Place::Nowhere),
    // The daemon that listens, since 8.5 of MaxStartups and since 9.8 of penalties.
    form("drop connection #", "", What::Dropped, Place::Bracket),
    form(
        "srclimit_penalise: ",
        " penalty of ",
        What::Dropped,
        Place::Penalty,
    ),
    form(
        "banner exchange: Connection from ",
        "",
        What::Probe,
        Place::Next,
    ),
    form(
        "ssh_dispatch_run_fatal: Connection from ",
        "",
        What::Probe,
        Place::Last,
    ),
    form(
        "Unable to negotiate with ",
        "no matching ",
        What::Probe,
        Place::Next,
    ),
    form(
        "Unable to negotiate a key exchange method",
        "",
        What::Probe,
        Place::Nowhere,
    ),
    form("no matching ", " found", What::Probe, Place::Nowhere),
    form("no hostkey alg", "", What::Probe, Place::Nowhere),
    form(
        "Timeout before authentication for connection from ",
        "",
        What::Dropped,
        Place::Next,
    ),
    form(
        "Timeout before authentication for ",
        "",
        What::Probe,
        Place::Next,
    ),
    form(
        "Read from socket failed: Connection reset by peer",
        "",
        What::Probe,
        Place::Nowhere,
    ),
    form(
        "Magic value check failed ",
        " on obfuscated handshake from ",
        What::Probe,
        Place::From,
    ),
    form("Connection from ", "", What::Connected, Place::Last),
    // The patches for high-performance networks log each connection like this.
    form(
        "SSH: Server;Ltype: Version;Remote: ",
        "",
        What::Connected,
        Place::Remote,
    ),
    form(
        "SSH: Server;Ltype: Kex;Remote: ",
        "",
        What::Connected,
        Place::Remote,
    ),
    form(
        "SSH: Server;Ltype: Authname;Remote: ",
        "",
        What::Connected,
        Place::Remote,
    ),
];

/// Programs whose messages are read here. Since OpenSSH 9.8 sessions are a program of their own, and
/// since 10.0 authentication is.
pub(super) const PROGRAMS: &[&str] = &["sshd", "sshd-session", "sshd-auth"];

/// Returns what a message of sshd states, if it is about a login.
pub(super) fn read(message: &str) -> Option<Observation<'_>> {
    if let Some((times, inner)) = repeated(message) {
        let seen = read_one(inner)?;
        return Some(Observation { times, ..seen });
    }
    read_one(message)
}

/// Parses `message repeated N times: [ MESSAGE]`, as rsyslog shortens.
fn repeated(message: &str) -> Option<(u32, &str)> {
    let (times, rest) = message
        .strip_prefix("message repeated ")?
        .split_once(" times: [")?;
    Some((times.parse().ok()?, rest.strip_suffix(']')?.trim_start()))
}

fn read_one(message: &str) -> Option<Observation<'_>> {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let message = message.strip_prefix("fatal: ").unwrap_or(message);
    let body = message.strip_suffix(" [preauth]");
    let (text, preauth) = (body.unwrap_or(message).trim_end(), body.is_some());
    if text.starts_with("authentication failure;") || is_more(text) {
        return Some(module(text));
    }
    let letter = text.as_bytes().first();
    let form = FORMS.iter().find(|form| {
        form.begins.as_bytes().first() == letter
            && text.starts_with(form.begins)
            && text[form.begins.len()..].contains(form.holds)
    })?;
    let rest = &text[form.begins.len()..];
    let mut seen = match form.place {
        Place::Next => Observation::of(form.what, Peer::parse(first(rest)), None),
        Place::From => from(form.what, rest),
        Place::Because => because(form.what, rest),
        Place::Last => last(form.what, rest, form.holds),
        Place::Parenthesis => {
            let inner = rest
                .rfind('(')
                .map_or_else(|| first(rest), |at| &rest[at + 1..]);
            Observation::of(form.what, Peer::parse(inner), None)
        }
        Place::Rhost => module(text),
        Place::Bracket => {
            let inner = rest.split_once(" from [").map_or("", |(_, inner)| inner);
            let address = inner.split(']').next().unwrap_or(inner);
            Observation::of(form.what, Peer::parse(address), None)
        }
        Place::Module => lockout(form.what, rest),
        Place::Penalty => {
            let network = match rest.split_once(": new ") {
                Some(("ipv4" | "ipv6", network)) => network,
                _ => rest,
            };
            Observation::of(form.what, Peer::parse(first(network)), None)
        }
        Place::Remote => {
            let field = rest.split(';').next().unwrap_or(rest);
            let (address, _) = field.rsplit_once('-').unwrap_or((field, ""));
            Observation::of(form.what, Peer::parse(address), None)
        }
        Place::Nowhere => Observation::new(form.what),
    };
    settle(&mut seen, rest, preauth)?;
    Some(seen)
}

/// Returns what the form alone does not determine.
fn settle(seen: &mut Observation<'_>, rest: &str, preauth: bool) -> Option<()> {
    let method = first(rest);
    match seen.what {
        // Clients offer one key after another; only who is not known fails with a key.
        FAILED if method == "publickey" && !rest.contains("for invalid user ") => return None,
        FAILED if method == "none" => seen.what = What::Failed(Form::None),
        What::Accepted { .. } => {
            let guessable = method == "password" || method.starts_with("keyboard-interactive");
            seen.what = What::Accepted { guessable };
        }
        // A connection that breaks off under a name, before anyone has logged in under it.
        What::Connected | What::Probe if is_authenticating(rest) => seen.what = ENDED,
        // Before a login, an end is a probe, and one with a name an attempt.
        What::Closed if preauth && seen.user.is_some() => seen.what = ENDED,
        What::Closed if preauth => seen.what = What::Probe,
        _ => {}
    }
    Some(())
}

/// Returns whether the remote end is identified by the name with which it tries to log in.
fn is_authenticating(rest: &str) -> bool {
    let mut names = ["invalid user ", "authenticating user "].iter();
    names.any(|name| rest.starts_with(name))
}

fn first(text: &str) -> &str {
    memchr::memchr(b' ', text.as_bytes()).map_or(text, |end| &text[..end])
}

/// Parses `METHOD for [invalid user] USER from ADDRESS port N ssh2: detail`.
fn from(what: What, rest: &str) -> Observation<'_> {
    let authentication = matches!(what, FAILED | What::Accepted { .. });
    let detail = authentication.then(|| before_detail(rest)).flatten();
    // A detail is about a key or a host, or of protocol 1. Behind a password there is none: what
    // looks like one is the end of a name.
    let certain = !matches!(first(rest), "password" | "none" | "unknown")
        && !first(rest).starts_with("keyboard-interactive")
        || detail.is_some_and(|head| rest[head.len()..].starts_with("ssh1"));
    let (name, peer) = origin(detail.filter(|_| certain).unwrap_or(rest));
    let user = if authentication || what == PAM {
        behind(&FOR, name)
    } else {
        Some(name).filter(|_| what != What::Probe)
    };
    let mut seen = Observation::of(what, peer, user.and_then(account));
    seen.other = detail.filter(|_| !certain).and_then(|head| origin(head).1);
    seen
}

/// Returns the line up to the protocol, if a detail may follow there.
fn before_detail(text: &str) -> Option<&str> {
    if !memchr::memchr_iter(b':', text.as_bytes()).any(|at| text[at + 1..].starts_with(' ')) {
        return None;
    }
    let marks = text
        .match_indices("ssh2: ")
        .chain(text.match_indices("ssh1: "));
    // A line has one; more are an account's name.
    marks
        .take(8)
        .map(|(at, _)| &text[..at])
        .filter(|head| {
            origin(head.trim_end())
                .1
                .is_some_and(|peer| !head.trim_end().ends_with(peer.text))
        })
        .min_by_key(|head| head.len())
}

/// Returns where the last `from ` begins.
fn last_from(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memrchr_iter(b'f', bytes).find(|at| bytes[*at..].starts_with(b"from "))
}

/// Returns what is before the last ` from ADDRESS` with nothing but a port and the protocol after, and
/// the address.
fn origin(text: &str) -> (&str, Option<Peer<'_>>) {
    let text = text.trim_end();
    let mut before = text.len();
    while let Some(at) = last_from(&text[..before]) {
        let name = &text[..at];
        let behind = &text[at + "from ".len()..];
        if (name.is_empty() || name.ends_with(' '))
            && is_end(behind)
            && let Some(peer) = Peer::parse(first(behind))
        {
            return (name.strip_suffix(' ').unwrap_or(name), Some(peer));
        }
        before = at;
    }
    (text, None)
}

/// Returns whether an address and what may follow it is all there is.
fn is_end(text: &str) -> bool {
    let (_, Some(rest)) = first_and_rest(text) else {
        return true;
    };
    match first_and_rest(rest) {
        ("port", Some(rest)) => {
            let (port, protocol) = first_and_rest(rest);
            let number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            number && matches!(protocol, None | Some("ssh1" | "ssh2"))
        }
        (word, _) => matches!(word, "via" | "ssh1" | "ssh2"),
    }
}

/// Returns the first word and what follows the blank after it.
fn first_and_rest(text: &str) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == b' ') {
        Some(end) => (&text[..end], Some(&text[end + 1..])),
        None => (text, None),
    }
}

/// Returns a user's name without what sshd puts before it.
fn account(name: &str) -> Option<&str> {
    let name = [
        "invalid user ",
        "illegal user ",
        "invalid user",
        "illegal user",
    ]
    .iter()
    .find_map(|prefix| name.strip_prefix(prefix))
    .unwrap_or(name)
    .trim();
    (!name.is_empty() && name != "<invalid username>").then_some(name)
}

/// Parses `USER from ADDRESS not allowed because …`.
fn because(what: What, rest: &str) -> Observation<'_> {
    let end = rest.rfind(" not allowed because ").unwrap_or(rest.len());
    let (name, peer) = origin(&rest[..end]);
    Observation::of(what, peer, account(name))
}

/// Parses `[invalid|authenticating] user USER ADDRESS [port N][: reason]`, or the address alone.
fn last<'a>(what: What, rest: &'a str, reason: &str) -> Observation<'a> {
    // The reason is the daemon's, so its last place in the line is the true one.
    let end = if reason.is_empty() {
        before_reason(rest)
    } else {
        rest.rfind(reason)
    };
    let head = end.map_or(rest, |end| rest[..end].trim_end_matches([' ', ':']));
    let named = ["invalid user ", "authenticating user ", "user "]
        .iter()
        .find_map(|prefix| head.trim_start().strip_prefix(prefix));
    let place = match PORT.rfind(head.as_bytes()) {
        Some(at)
            if head[at + WORD_PORT.len()..]
                .bytes()
                .all(|byte| byte.is_ascii_digit()) =>
        {
            &head[..at]
        }
        _ => head,
    };
    match named {
        Some(_) => {
            let (name, address) = place.rsplit_once(' ').unwrap_or(("", place));
            let user = ["invalid user", "authenticating user", "user"]
                .iter()
                .find_map(|prefix| name.trim_start().strip_prefix(prefix));
            Observation::of(
                what,
                Peer::parse(address),
                Some(user.unwrap_or(name).trim()),
            )
        }
        None => Observation::of(what, Peer::parse(first(head.trim_start())), None),
    }
}

/// Returns where ` port N: reason` has its colon, if the line continues so: the last such place, as what stands
/// before may be an account's name.
fn before_reason(rest: &str) -> Option<usize> {
    let mut places = PORT.rfind_iter(rest.as_bytes()).take(8).map(|at| {
        let port = &rest[at + WORD_PORT.len()..];
        let digits = port.bytes().take_while(u8::is_ascii_digit).count();
        (at + WORD_PORT.len() + digits, digits)
    });
    let is_end = |(end, digits): &(usize, usize)| {
        *digits > 0 && (*end == rest.len() || rest[*end..].starts_with(": "))
    };
    let (end, _) = places.find(is_end)?;
    (end < rest.len()).then_some(end)
}

/// Returns what a PAM module that refuses states after its name: `access denied for user `ann' from `192.0.2.7'`,
/// `user ann (1000) tally 6, deny 5`. Most do not state from where.
fn lockout(what: What, rest: &str) -> Observation<'_> {
    let text = rest.split_once("): ").map_or("", |(_, text)| text);
    let (text, peer) = origin(text);
    let user = text.split_once("user ").map(|(_, user)| first(user));
    let user = user.map(|user| user.trim_matches(['`', '\'', '"']));
    Observation::of(what, peer, user.and_then(account))
}

/// Returns whether the text is `2 more authentication failures; …`, with or without `PAM` before it.
fn is_more(text: &str) -> bool {
    text.starts_with(|c: char| c == '+' || c.is_ascii_digit())
        && text.split_once(' ').is_some_and(|(times, rest)| {
            times.parse::<u32>().is_ok() && rest.starts_with("more authentication failure")
        })
}

/// Parses `pam_unix(sshd:auth): authentication failure; logname= uid=0 … ruser= rhost=ADDRESS  user=USER`.
fn module(text: &str) -> Observation<'_> {
    let mut seen = Observation::new(MODULE);
    let text = text.strip_prefix("PAM ").unwrap_or(text);
    if is_more(text) {
        seen.times = first(text).parse().unwrap_or(1);
    }
    if let Some(remote) = behind(&RHOST, text) {
        seen.peer = Peer::parse(first(remote));
        seen.user = behind(&USER, remote)
            .map(str::trim)
            .filter(|user| !user.is_empty());
    }
    seen
}

/// Words that are searched for in every line; their searchers are made once.
const WORD_PORT: &str = " port ";
static PORT: LazyLock<FinderRev<'static>> = LazyLock::new(|| FinderRev::new(WORD_PORT));
static FOR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(" for "));
static RHOST: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(" rhost="));
static USER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(" user="));

/// Returns what follows the first place of these words.
fn behind<'a>(words: &Finder<'_>, text: &'a str) -> Option<&'a str> {
    let at = words.find(text.as_bytes())?;
    text.get(at + words.needle().len()..)
}
