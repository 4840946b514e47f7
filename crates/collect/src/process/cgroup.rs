//! `/proc/PID/cgroup`: which service a process belongs to.
//!
//! The file has one line per hierarchy, `id:controllers:path`. The unified hierarchy (id 0) is
//! asked first, then systemd's own, then whichever knows a path that is not the root. Of the path
//! the deepest service, scope, socket, mount or swap unit is the answer: below it are groups that
//! the service makes for itself. Slices only group units, so that one counts only when there is
//! nothing else, and a path without any unit (a container engine of its own) is given whole.

use crate::fields::{lines, split_once};

/// What runs processes.
const UNITS: [&[u8]; 5] = [b".service", b".scope", b".socket", b".mount", b".swap"];

/// Returns the unit, else the path of the control group; `None` in the root group.
pub(crate) fn unit(text: &[u8]) -> Option<String> {
    let mut best: Option<(u8, &[u8])> = None;
    for line in lines(text) {
        let Some((id, rest)) = split_once(line, b':') else {
            continue;
        };
        let Some((controllers, path)) = split_once(rest, b':') else {
            continue;
        };
        let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
        if path.is_empty() || path == b"/" {
            continue;
        }
        let rank = match (id, controllers) {
            (b"0", b"") => 0,
            (_, b"name=systemd") => 1,
            _ => 2,
        };
        if best.is_none_or(|(found, _)| rank < found) {
            best = Some((rank, path));
        }
    }
    let (_, path) = best?;
    let deepest = |endings: &[&[u8]]| {
        path.rsplit(|&byte| byte == b'/').find(|part| {
            endings
                .iter()
                .any(|ending| part.len() > ending.len() && part.ends_with(ending))
        })
    };
    let unit = deepest(&UNITS)
        .or_else(|| deepest(&[b".slice"]))
        .unwrap_or(path);
    Some(String::from_utf8_lossy(unit).into_owned())
}
