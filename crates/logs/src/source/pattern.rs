//! Names by pattern: `*`, `?` and `[a-z]` as a shell reads them.

/// Returns whether `name` is matched. A leading dot is matched by a dot only.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut in_name) = (0, 0);
    // where the last `*` stands, and up to where it reaches
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, in_name));
            at += 1;
        } else if let Some(next) = one(&pattern, at, name[in_name]) {
            at = next;
            in_name += 1;
        } else if let Some((star_at, reached)) = star {
            star = Some((star_at, reached + 1));
            at = star_at + 1;
            in_name = reached + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|&c| c == '*')
}

/// Returns whether what is at `at` matches one character; where the pattern continues then.
fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match *pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => match class(pattern, at + 1, c) {
            Some((is_in, next)) => is_in.then_some(next),
            None => (c == '[').then_some(at + 1),
        },
        literal => (literal == c).then_some(at + 1),
    }
}

/// Returns a class such as `[a-f!x]` after its bracket: whether `c` is in it, and where it ends.
fn class(pattern: &[char], start: usize, c: char) -> Option<(bool, usize)> {
    let is_negated = matches!(pattern.get(start), Some('!' | '^'));
    let first = start + usize::from(is_negated);
    let mut at = first;
    let mut is_in = false;
    loop {
        let low = *pattern.get(at)?;
        if low == ']' && at > first {
            return Some((is_in != is_negated, at + 1));
        }
        match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some('-'), Some(&high)) if high != ']' => {
                is_in |= (low..=high).contains(&c);
                at += 3;
            }
            _ => {
                is_in |= low == c;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*.log", "app.log", true),
            ("*.log", ".log", false),
            (".*", ".hidden", true),
            ("postgresql-*-main.log", "postgresql-15-main.log", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("app?.log", "app1.log", true),
            ("app?.log", "app.log", false),
            ("app[0-9].log", "app7.log", true),
            ("app[!0-9].log", "app7.log", false),
            ("app[]].log", "app].log", true),
            ("app[.log", "app[.log", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("*ä*", "xäy", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
