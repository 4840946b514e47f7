//! Attempts to become another user: sudo and su.
//!
//! A PAM module that fails does not decide: where accounts come from a directory the local one fails
//! before the directory's succeeds, and a mistyped password is followed by a correct one. So the failure of a
//! module is [`What::Doubted`] until the program reports the outcome.

use super::json;
use super::observation::{Observation, What};

/// Reasons of sudo for refusing, and whether a rule is missing. They are the same in its text and in its JSON.
const REASONS: &[(&str, bool)] = &[
    ("user NOT in sudoers", true),
    ("user NOT authorized on host", true),
    ("command not allowed", true),
    ("incorrect password attempt", false),
];

/// Fields that a line of sudo begins with after a success.
const FIELDS: &[&str] = &[
    "TTY=", "HOST=", "PWD=", "CHROOT=", "USER=", "GROUP=", "COMMAND=",
];

/// Reads sudo's messages: `alice : 3 incorrect password attempts ; TTY=pts/0 ; …`, the same as JSON
/// (`log_format=json`), and the lines of its PAM modules.
pub(super) fn sudo(message: &str) -> Option<Observation<'_>> {
    let message = message.trim_start();
    let object = message
        .strip_prefix("@cee:")
        .map_or(message, str::trim_start);
    if object.starts_with('{') {
        return sudo_json(object);
    }
    if let Some(seen) = module(message) {
        return Some(seen);
    }
    let (user, rest) = message.split_once(" : ")?;
    let reason = rest.split(" ;").next().unwrap_or(rest);
    let target = rest
        .split(" ; ")
        .find_map(|field| field.strip_prefix("USER="));
    if FIELDS.iter().any(|field| rest.starts_with(field)) {
        return Some(Observation::of(What::Became, None, Some(user)));
    }
    refused(reason, user, target.map(str::trim))
}

/// Reads `{"sudo":{"reject":{"reason":"command not allowed",…,"submituser":"alice","runuser":"root",…}}}`.
/// The object may be truncated after what is needed.
fn sudo_json(text: &str) -> Option<Observation<'_>> {
    let event = json::members(text).find_map(|(key, value)| (key == "sudo").then_some(value))?;
    let (kind, about) = json::members(event).next()?;
    let mut fields = [None; 3];
    for (key, value) in json::members(about) {
        let names = ["reason", "submituser", "runuser"];
        if let Some(at) = names.iter().position(|name| *name == key) {
            fields[at] = json::string(value);
        }
    }
    let [reason, user, target] = fields;
    match kind {
        "accept" => Some(Observation::of(What::Became, None, Some(user?))),
        "reject" | "alert" => refused(reason?, user?, target),
        _ => None,
    }
}

fn refused<'a>(reason: &'a str, user: &'a str, target: Option<&'a str>) -> Option<Observation<'a>> {
    let (_, forbidden) = REASONS.iter().find(|(words, _)| reason.contains(words))?;
    let what = What::Denied {
        forbidden: *forbidden,
    };
    let mut seen = Observation::of(what, None, Some(user));
    let times = reason.split(' ').next().and_then(|word| word.parse().ok());
    seen.times = times.unwrap_or(1);
    seen.detail = target;
    Some(seen)
}

/// Reads su's messages: `FAILED SU (to root) alice on pts/0`, `BAD SU alice to root on /dev/ttyp0`, and
/// the lines of its PAM modules.
pub(super) fn su(message: &str) -> Option<Observation<'_>> {
    let denied = What::Denied { forbidden: false };
    let (what, user, target) = if let Some(rest) = message.strip_prefix("FAILED SU (to ") {
        let (target, rest) = rest.split_once(") ")?;
        (denied, rest.split(' ').next()?, target)
    } else if let Some(rest) = message.strip_prefix("(to ") {
        let (target, rest) = rest.split_once(") ")?;
        (What::Became, rest.split(' ').next()?, target)
    } else if let Some(rest) = message.strip_prefix("Successful su for ") {
        let (target, user) = rest.split_once(" by ")?;
        (What::Became, user, target)
    } else if let Some(rest) = message.strip_prefix("BAD SU ") {
        let (user, rest) = rest.split_once(" to ")?;
        (denied, user, rest.split(' ').next()?)
    } else if let Some(rest) = message.strip_prefix("failed: ") {
        let (_, rest) = rest.split_once(" changing from ")?;
        let (user, target) = rest.split_once(" to ")?;
        (denied, user, target)
    } else {
        return module(message);
    };
    let mut seen = Observation::of(what, None, Some(user));
    seen.detail = Some(target);
    Some(seen)
}

/// Reads the message of a PAM module, whose name precedes it or is part of the program's:
/// `pam_unix(su:auth): authentication failure; … ruser=alice rhost=  user=root`,
/// `pam_unix(sudo:session): session opened for user root(uid=0) by alice(uid=1000)`.
fn module(message: &str) -> Option<Observation<'_>> {
    let text = match message.strip_prefix("pam_") {
        Some(rest) => rest.split_once("): ")?.1,
        None => message,
    };
    if let Some(rest) = text.strip_prefix("session opened for user ") {
        let (_, user) = rest.split_once(" by ")?;
        let user = user.split('(').next().filter(|user| !user.is_empty())?;
        return Some(Observation::of(What::Became, None, Some(user)));
    }
    let fields = text.strip_prefix("authentication failure;")?;
    let field = |name: &str| {
        let (_, behind) = fields.split_once(name)?;
        Some(behind.split(' ').next().unwrap_or(behind)).filter(|value| !value.is_empty())
    };
    let user = field(" ruser=").or_else(|| field(" logname="));
    let target = field(" user=");
    let mut seen = Observation::of(What::Doubted, None, user.or(target));
    seen.detail = target;
    Some(seen)
}
