//! The files that rotation leaves beside a log: which they are, and in which order they were written.
//!
//! Names are recognised by their form: the log's name and a number or a date, at its end or before its
//! ending, perhaps with the ending of a compressed file: `app.log.1`, `app.log-20261122.gz`,
//! `app.2026-11-22.log`, `app.log.old`. Numbers count backwards in time. All others are in the order
//! of their last change, which renaming and compressing keep.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::packed::{Packing, split_ending};
use super::position::Identity;
use super::stat::Stat;

/// A file beside the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rotated {
    pub path: PathBuf,
    pub stat: Stat,
    pub packing: Option<Packing>,
    /// How many rotations ago it was the log.
    pub number: Option<u32>,
}

const SECOND: i64 = 1_000_000_000;

impl Rotated {
    /// Returns whether it was written last at `mtime` or later. Some programs that compress keep whole seconds
    /// only.
    pub(super) fn is_since(&self, mtime: i64) -> bool {
        self.stat.mtime >= mtime || self.stat.mtime == self.rounded(mtime)
    }

    /// Returns whether it was written last at `mtime`.
    pub(super) fn is_of(&self, mtime: i64) -> bool {
        self.stat.mtime == mtime || self.stat.mtime == self.rounded(mtime)
    }

    fn rounded(&self, mtime: i64) -> i64 {
        if self.packing.is_some() {
            mtime - mtime.rem_euclid(SECOND)
        } else {
            mtime
        }
    }
}

/// Returns the rotated files of the log at `path`, oldest first. `links_to` is where the path leads when it
/// is a link: then files named like its target, but for digits, are meant. Files that are renamed
/// while the directory is read would be missed, so it is read until it twice names the same files;
/// `false` when it did not come to rest.
pub(super) fn list(path: &Path, links_to: Option<&Path>) -> (Vec<Rotated>, bool) {
    let mut last = list_once(path, links_to);
    for _ in 0..8 {
        let again = list_once(path, links_to);
        // What is still written to has another size each time.
        let names = |list: &[Rotated]| -> Vec<(PathBuf, u64)> {
            let name = |one: &Rotated| (one.path.clone(), one.stat.ino);
            list.iter().map(name).collect()
        };
        if names(&again) == names(&last) {
            return (again, true);
        }
        last = again;
    }
    (last, false)
}

/// The inode of each number of a series that counts backwards in time.
pub(super) type Series = BTreeMap<u32, u64>;

/// Returns the numbered files among these; nothing if their times show that the numbers mean something else.
pub(super) fn series(rotated: &[Rotated]) -> Series {
    let mut numbered: Vec<&Rotated> = rotated.iter().filter(|one| one.number.is_some()).collect();
    numbered.sort_by_key(|one| one.number);
    // whole seconds, as some programs keep them that compress
    let second = |one: &Rotated| one.stat.mtime.div_euclid(SECOND);
    if !numbered.is_sorted_by(|newer, older| second(newer) >= second(older)) {
        return Series::new();
    }
    (numbered.iter())
        .filter_map(|one| Some((one.number?, one.stat.ino)))
        .collect()
}

/// Returns whether one that was rotated after number `from` is missing. Most programs begin with 1; whether one
/// that begins with 0 lacks it cannot be known.
pub(super) fn lacks(series: &Series, from: u32) -> bool {
    series.contains_key(&from) && (1..from).any(|number| !series.contains_key(&number))
}

/// Returns the file that was the log before it was rotated the last time, if it is this one: it needs no list of
/// the directory, which takes long where there are thousands of logs. Nothing is between it and the log
/// unless numbers begin with 0.
pub(super) fn first(path: &Path, identity: &Identity) -> Option<Rotated> {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    let stat = Stat::of(&numbered(1)).ok()?;
    let is_it = stat.is_regular() && identity.is(&stat);
    let has_none_after = Stat::of(&numbered(0)).is_err();
    (is_it && has_none_after).then(|| Rotated {
        path: numbered(1),
        stat,
        packing: None,
        number: Some(1),
    })
}

fn list_once(path: &Path, links_to: Option<&Path>) -> Vec<Rotated> {
    let mut found = Vec::new();
    for (place, is_target) in [(Some(path), false), (links_to, true)] {
        if let Some((dir, base)) = place.and_then(split)
            && let Ok(entries) = std::fs::read_dir(dir)
        {
            for entry in entries.flatten() {
                let name = entry.file_name();
                let Some(name) = name.to_str() else { continue };
                let (stem, packing) = split_ending(name);
                let form = match form(base, stem) {
                    None if is_target && without_digits(stem) == without_digits(base) => {
                        Some(Form::default())
                    }
                    None if packing.is_some() && stem == base => Some(Form::default()),
                    form => form,
                };
                let (Some(form), Ok(stat)) = (form, Stat::of(&entry.path())) else {
                    continue;
                };
                if stat.is_regular() {
                    found.push(Rotated {
                        path: entry.path(),
                        stat,
                        packing,
                        number: form.number,
                    });
                }
            }
        }
    }
    order(&mut found);
    found
}

fn order(found: &mut Vec<Rotated>) {
    // While a file is compressed both are there, and the new one is not whole yet.
    let plain: Vec<PathBuf> = (found.iter().filter(|one| one.packing.is_none()))
        .map(|one| one.path.clone())
        .collect();
    found.retain(|one| {
        one.packing.is_none()
            || !one.path.to_str().is_some_and(|path| {
                plain
                    .iter()
                    .any(|plain| plain.as_os_str() == split_ending(path).0)
            })
    });
    if found.iter().all(|one| one.number.is_some()) {
        found.sort_by_key(|one| (Reverse(one.number), one.stat.mtime));
    } else {
        // File systems keep times in steps of some milliseconds: of one instant a higher number is older.
        let key = |one: &Rotated| (one.stat.mtime, one.number.map(Reverse), natural(&one.path));
        found.sort_by_cached_key(key);
    }
    // one file under two names, or seen twice while it was renamed
    let mut seen = Vec::with_capacity(found.len());
    found.retain(|one| {
        let is_new = !seen.contains(&(one.stat.dev, one.stat.ino));
        seen.push((one.stat.dev, one.stat.ino));
        is_new
    });
}

/// Number or date in the name of a rotated file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Form {
    /// How many rotations ago; `None` for dates.
    number: Option<u32>,
}

/// Reads the name of a rotated file of `base`.
fn form(base: &str, name: &str) -> Option<Form> {
    if let Some(stamp) = name.strip_prefix(base).filter(|stamp| !stamp.is_empty()) {
        return match stamp {
            ".old" | ".prev" => Some(Form { number: Some(0) }),
            _ => stamp_form(stamp),
        };
    }
    let (stem, ending) = base.rsplit_once('.')?;
    let middle = (name.strip_prefix(stem)?.strip_suffix(ending)?).strip_suffix('.')?;
    stamp_form(middle)
}

/// Returns a separator, then a small number after a dot, or what a date is made of.
fn stamp_form(text: &str) -> Option<Form> {
    let stamp = text.strip_prefix(['.', '-', '_'])?;
    let fits = stamp.bytes().any(|byte| byte.is_ascii_digit())
        && (stamp.bytes()).all(|byte| byte.is_ascii_digit() || b"-_.:+TZ".contains(&byte));
    fits.then(|| Form {
        number: (text.starts_with('.') && stamp.len() <= 3)
            .then(|| stamp.parse().ok())
            .flatten(),
    })
}

/// Returns the logs of which a file could be a rotated one, by its name alone.
pub(super) fn possible_logs(name: &OsStr) -> Vec<String> {
    let Some(name) = name.to_str() else {
        return Vec::new();
    };
    let stem = split_ending(name).0;
    let mut logs = Vec::new();
    if stem != name {
        logs.push(stem.to_owned());
    }
    for (at, _) in stem
        .match_indices(['.', '-', '_'])
        .filter(|(at, _)| *at > 0)
    {
        let base = &stem[..at];
        if form(base, stem).is_some() {
            logs.push(base.to_owned());
        }
        for (end, _) in stem.match_indices('.').filter(|(end, _)| *end > at) {
            let base = format!("{base}{}", &stem[end..]);
            if form(&base, stem).is_some() {
                logs.push(base);
            }
        }
    }
    logs
}

/// Returns whether the name has the number of rotations; new logs never have such a name.
pub(super) fn is_numbered(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    possible_logs(OsStr::new(name)).iter().any(|base| {
        form(base, name).is_some_and(|form| form.number.is_some())
            // the last part of a date
            && possible_logs(OsStr::new(base)).is_empty()
    })
}

fn split(path: &Path) -> Option<(&Path, &str)> {
    Some((path.parent()?, path.file_name()?.to_str()?))
}

fn without_digits(name: &str) -> String {
    let mut bare = String::with_capacity(name.len());
    for c in name.chars() {
        match c.is_ascii_digit() {
            true if bare.ends_with('#') => {}
            true => bare.push('#'),
            false => bare.push(c),
        }
    }
    bare
}

/// Returns a key that sorts numbers within names by their value.
fn natural(path: &Path) -> Vec<(String, u64)> {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let mut key: Vec<(String, u64)> = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let digits = &rest[text..];
        let digits = &digits[..digits
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(digits.len())];
        key.push((rest[..text].to_owned(), digits.parse().unwrap_or(0)));
        rest = &rest[text + digits.len()..];
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_files_are_recognised_by_their_names() {
        let date = Some(Form { number: None });
        let number = |n| Some(Form { number: Some(n) });
        for (base, name, expected) in [
            ("app.log", "app.log.1", number(1)),
            ("app.log", "app.log-12", date),
            ("app.log", "app.1.log", number(1)),
            ("app.log", "app.log.old", number(0)),
            ("app.log", "app.log-20261122", date),
            ("app.log", "app.log-20261122-1790000000", date),
            ("app.log", "app-20261122.log", date),
            ("app.log", "app.2026-11-22.log", date),
            ("app.log", "app.log.2026-11-22T13:15:00Z", date),
            ("syslog", "syslog.1", number(1)),
            ("app.log", "app.log", None),
            ("app.log", "app.log.bak", None),
            ("app.log", "app.log~", None),
            ("app.log", "app.log.swp", None),
            ("app.log", "app-error.log", None),
            ("app.log", "application.log", None),
            ("app.log", "app.logs", None),
            ("app.log", "app.log.", None),
        ] {
            assert_eq!(form(base, name), expected, "{name} of {base}");
        }
    }

    /// Returns a file of `number` whose last line is of second `at`.
    fn numbered(number: u32, at: i64) -> Rotated {
        let stat = Stat {
            mtime: at * SECOND,
            ino: u64::from(number),
            ..Stat::of(Path::new("/")).unwrap()
        };
        Rotated {
            path: PathBuf::from(format!("/app.log.{number}")),
            stat,
            packing: None,
            number: Some(number),
        }
    }

    #[test]
    fn a_missing_number_is_noticed() {
        for (files, from, expected) in [
            (&[(3, 1), (2, 2), (1, 3)][..], 3, false),
            (&[(3, 1), (1, 3)], 3, true),
            (&[(3, 1), (2, 2)], 3, true),
            (&[(3, 1)], 3, true),
            (&[(3, 1), (1, 3)], 1, false),
            (&[(9, 1), (2, 2), (1, 3)], 2, false),
            (&[(1, 1), (0, 2)], 1, false),
            (&[(0, 2)], 0, false),
        ] {
            let files: Vec<Rotated> = files.iter().map(|&(n, at)| numbered(n, at)).collect();
            assert_eq!(lacks(&series(&files), from), expected, "{files:?}");
        }
        // These count upwards.
        let upwards = series(&[numbered(8, 1), numbered(9, 2)]);
        assert!(upwards.is_empty() && !lacks(&upwards, 9));
    }

    #[test]
    fn files_of_one_instant_are_in_the_order_of_their_numbers() {
        let dated = |path: &str, ino, at| Rotated {
            path: PathBuf::from(path),
            stat: Stat {
                ino,
                ..numbered(0, at).stat
            },
            number: None,
            ..numbered(0, at)
        };
        let mut files = vec![
            numbered(0, 5),
            dated("/app-20260102.log", 21, 5),
            numbered(1, 5),
            dated("/app-20260101.log", 20, 5),
            numbered(10, 5),
            numbered(2, 6),
            dated("/app-20260103.log", 22, 4),
        ];
        order(&mut files);
        let inodes: Vec<u64> = files.iter().map(|file| file.stat.ino).collect();
        assert_eq!(inodes, [22, 20, 21, 10, 1, 0, 2]);
    }

    #[test]
    fn no_log_begins_under_a_number() {
        for (name, expected) in [
            ("app.log.1", true),
            ("app.1.log", true),
            ("app.2026.11.22", false),
            ("app.2026-11-22.log", false),
            ("app.log", false),
        ] {
            assert_eq!(is_numbered(OsStr::new(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_name_shows_of_which_logs_it_may_be() {
        for (name, expected) in [
            ("app.log", &[][..]),
            ("app.log.1", &["app.log"]),
            ("app.log.2.gz", &["app.log.2", "app.log"]),
            ("app-20261122.log", &["app.log"]),
            ("app.2026-11-22", &["app", "app.2026", "app.2026-11"]),
            ("postgresql-15-main.log", &[]),
        ] {
            assert_eq!(possible_logs(OsStr::new(name)), expected, "{name}");
        }
    }
}
