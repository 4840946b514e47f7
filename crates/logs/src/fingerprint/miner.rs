//! The patterns of one source: which sequences are alike.
//!
//! A sequence that was seen before is one look-up. A new one is registered once for each of its
//! words, with the place of that word open. When [`ENOUGH`] sequences differ in one place only, what
//! stands there is a variable that no mask knows: the open form becomes the template of the oldest
//! of them, and the others become its aliases. A place that a word of state was seen in
//! (*started*, *stopped*) never opens, because such words are what the event is.
//!
//! Patterns are numbered; aliases are a union-find over the numbers whose root is the oldest.
//!
//! Memory: [`MOST`] patterns at about 400 bytes, measured with twelve words each. When they are used
//! up, the half that was not seen for the longest time is forgotten; seen again, a pattern gets the
//! same name, since a name is a hash of what it names.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::token::{self, Kind, Token, WILD_HASH};
use super::words;

/// Other words seen in a place that open it. Measured on eight logs with known templates: 3 to 6
/// are equal, 8 leaves variables unmasked.
const ENOUGH: usize = 5;

/// Most patterns of a source.
const MOST: usize = 2048;

/// Places of a sequence that may open: words beyond stay as they are.
const PLACES: usize = 48;

/// Open templates that are compared with a sequence of the same beginning and length.
const COMPARED: usize = 64;

/// Slots of the memory for sequences that an open template matched.
const RECENT: usize = 512;

/// Marks a place that never opens; no pattern has this number.
const CLOSED: u16 = u16::MAX;

/// The keys are hashes already.
#[derive(Default)]
pub(super) struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

type Table<V> = HashMap<u64, V, BuildHasherDefault<Same>>;

#[derive(Debug)]
struct Pattern {
    parent: u16,
    /// Hour it was last seen in, and whether it was seen more than once.
    seen: i32,
    again: bool,
    /// Its names, one for each level; 0 where it has none.
    names: [u64; 4],
}

/// A template with a place that was opened.
#[derive(Debug)]
struct Open {
    /// Hashes of its words.
    words: Box<[u64]>,
    pattern: u16,
}

/// Another name of a pattern came to be an alias, or its template is wider now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The first name is an alias of the second from now on.
    Merged(u64, u64),
    /// The name stands for this template from now on. Level by its place in `Level::ALL`.
    Wider(usize, u64, String),
}

/// The patterns of one source.
#[derive(Default)]
pub(super) struct Miner {
    patterns: Vec<Pattern>,
    /// Sequence to pattern.
    known: Table<u16>,
    /// Sequence with one place open to the patterns that differ there; zero is none, so the numbers
    /// are one higher.
    places: Table<[u16; ENOUGH - 1]>,
    /// Open templates by length and first word.
    open: Table<Vec<Open>>,
    /// Sequences that an open template matched.
    recent: Vec<(u64, u16)>,
}

impl std::fmt::Debug for Miner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Miner")
            .field("patterns", &self.patterns.len())
            .finish_non_exhaustive()
    }
}

impl Miner {
    /// The pattern of a sequence that is known, or that an open template matches.
    pub(super) fn find(
        &mut self,
        tokens: &[Token],
        text: &str,
        sequence: u64,
        hour: i32,
    ) -> Option<u16> {
        let pattern = match self.known.get(&sequence) {
            Some(pattern) => *pattern,
            None => self.find_open(tokens, text, sequence)?,
        };
        let root = self.root(pattern);
        let seen = &mut self.patterns[usize::from(root)];
        (seen.seen, seen.again) = (hour, true);
        Some(root)
    }

    fn find_open(&mut self, tokens: &[Token], text: &str, sequence: u64) -> Option<u16> {
        if self.open.is_empty() {
            return None;
        }
        let slot = sequence as usize % RECENT;
        if let Some((known, pattern)) = self.recent.get(slot)
            && *known == sequence
        {
            return Some(*pattern);
        }
        let open = self.matching(tokens, text)?;
        let pattern = open.pattern;
        if self.recent.is_empty() {
            self.recent.resize(RECENT, (0, 0));
        }
        self.recent[slot] = (sequence, pattern);
        Some(pattern)
    }

    fn matching(&self, tokens: &[Token], text: &str) -> Option<&Open> {
        self.open.get(&bucket(tokens))?.iter().find(|open| {
            open.words.iter().zip(tokens).all(|(word, token)| {
                *word == token.hash
                    || *word == WILD_HASH
                        && token.kind == Kind::Word
                        && !words::is_state(token.bytes(text))
            })
        })
    }

    /// Opens the places of a sequence that are open in the template that matches it.
    pub(super) fn widen(&self, tokens: &mut [Token], text: &str) {
        if let Some(open) = self.matching(tokens, text) {
            for (word, token) in open.words.iter().zip(tokens) {
                if *word == WILD_HASH {
                    token.open();
                }
            }
        }
    }

    /// A new pattern for a sequence that [`find`](Self::find) does not find.
    pub(super) fn add(&mut self, sequence: u64, hour: i32) -> u16 {
        if self.patterns.len() >= MOST {
            self.forget();
        }
        let pattern = self.patterns.len() as u16;
        self.patterns.push(Pattern {
            parent: pattern,
            seen: hour,
            again: false,
            names: [0; 4],
        });
        self.known.insert(sequence, pattern);
        pattern
    }

    /// The pattern a sequence is known as.
    pub(super) fn known(&self, sequence: u64) -> Option<u16> {
        self.known.get(&sequence).map(|pattern| self.root(*pattern))
    }

    /// How many patterns are in memory.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.patterns.len()
    }

    pub(super) fn root(&self, mut pattern: u16) -> u16 {
        loop {
            let parent = self.patterns[usize::from(pattern)].parent;
            if parent == pattern {
                return pattern;
            }
            pattern = parent;
        }
    }

    /// The name of a pattern for a level; 0 when it has none.
    pub(super) fn name(&self, pattern: u16, level: usize) -> u64 {
        self.patterns[usize::from(pattern)].names[level]
    }

    pub(super) fn set_name(&mut self, pattern: u16, level: usize, name: u64) {
        self.patterns[usize::from(pattern)].names[level] = name;
    }

    /// Registers a new sequence for each of its words, and opens the places that varied enough.
    pub(super) fn register(
        &mut self,
        tokens: &mut [Token],
        text: &str,
        pattern: u16,
        changes: &mut Vec<Change>,
    ) {
        let mut sequence = token::sum(tokens);
        let mut place = 1;
        while place < tokens.len().min(PLACES) {
            let token = tokens[place];
            if token.kind == Kind::Word {
                let opened = sequence
                    .wrapping_sub(token.part(place))
                    .wrapping_add(token.wild_part(place));
                let state = words::is_state(token.bytes(text));
                if let Some(members) = self.differ(opened, pattern, state) {
                    tokens[place].open();
                    sequence = opened;
                    self.open(tokens, text, opened, pattern, &members, changes);
                    // The wider sequence is new itself: from the beginning.
                    place = 0;
                }
            }
            place += 1;
        }
    }

    /// Notes that `pattern` is one more that differs in one place; the others when they are enough.
    fn differ(&mut self, opened: u64, pattern: u16, state: bool) -> Option<[u16; ENOUGH - 1]> {
        let members = self.places.entry(opened).or_default();
        if state {
            *members = [CLOSED, pattern + 1, 0, 0];
        }
        if members[0] == CLOSED {
            return None;
        }
        match members.iter().position(|member| *member == 0) {
            Some(free) => {
                members[free] = pattern + 1;
                None
            }
            None => Some(members.map(|member| member - 1)),
        }
    }

    fn open(
        &mut self,
        tokens: &[Token],
        text: &str,
        opened: u64,
        pattern: u16,
        members: &[u16],
        changes: &mut Vec<Change>,
    ) {
        self.places.remove(&opened);
        let natural = self.known.get(&opened).copied();
        let all = || members.iter().copied().chain(natural).chain([pattern]);
        let root = all()
            .map(|member| self.root(member))
            .min()
            .unwrap_or(pattern);
        for member in all() {
            self.merge(root, member, changes);
        }
        self.known.insert(opened, root);
        let bucket = self.open.entry(bucket(tokens)).or_default();
        if bucket.len() < COMPARED {
            let words = tokens.iter().map(|token| token.hash).collect();
            bucket.push(Open {
                words,
                pattern: root,
            });
        }
        let template = token::render(tokens, text);
        for (level, name) in self.patterns[usize::from(root)]
            .names
            .into_iter()
            .enumerate()
        {
            if name != 0 {
                changes.push(Change::Wider(level, name, template.clone()));
            }
        }
    }

    /// Makes a pattern an alias of an older one, whose names stay.
    fn merge(&mut self, old: u16, new: u16, changes: &mut Vec<Change>) {
        let new = self.root(new);
        if old == new {
            return;
        }
        let (seen, names) = (
            self.patterns[usize::from(new)].seen,
            self.patterns[usize::from(new)].names,
        );
        self.patterns[usize::from(new)].parent = old;
        let pattern = &mut self.patterns[usize::from(old)];
        (pattern.seen, pattern.again) = (pattern.seen.max(seen), true);
        for (kept, name) in pattern.names.iter_mut().zip(names) {
            if *kept == 0 {
                *kept = name;
            } else if name != 0 && name != *kept {
                changes.push(Change::Merged(name, *kept));
            }
        }
    }

    /// Makes `alias` an alias of `root`, whichever is older: so the database says.
    pub(super) fn join(&mut self, alias: u16, root: u16) {
        let (alias, root) = (self.root(alias), self.root(root));
        self.patterns[usize::from(alias)].parent = root;
    }

    /// Takes a template of the database whose open places were opened here.
    pub(super) fn restore_open(&mut self, tokens: &[Token], pattern: u16) {
        let bucket = self.open.entry(bucket(tokens)).or_default();
        if bucket.len() < COMPARED {
            let words = tokens.iter().map(|token| token.hash).collect();
            bucket.push(Open { words, pattern });
        }
    }

    /// Forgets the half of the patterns that was not seen for the longest time. Of those seen in the
    /// same hour, what was seen more than once and what is older stays.
    fn forget(&mut self) {
        let count = self.patterns.len();
        let mut order: Vec<u16> = (0..count as u16)
            .filter(|id| self.root(*id) == *id)
            .collect();
        order.sort_by_key(|id| {
            let pattern = &self.patterns[usize::from(*id)];
            (std::cmp::Reverse(pattern.seen), !pattern.again, *id)
        });
        order.truncate(MOST / 2);
        order.sort_unstable();
        let mut moved = vec![CLOSED; count];
        let mut kept = Vec::with_capacity(MOST);
        for (new, old) in order.iter().enumerate() {
            moved[usize::from(*old)] = new as u16;
            let old = &self.patterns[usize::from(*old)];
            kept.push(Pattern {
                parent: new as u16,
                ..*old
            });
        }
        let place = |id: u16| moved[usize::from(self.root(id))];
        let (mut known, mut places, mut open) =
            (Table::default(), Table::default(), Table::default());
        // Aliases of a pattern that stays are found through its open template.
        for (sequence, id) in &self.known {
            if place(*id) != CLOSED && (self.root(*id) == *id || known.len() < MOST) {
                known.insert(*sequence, place(*id));
            }
        }
        for (opened, members) in &self.places {
            let closed = members[0] == CLOSED;
            let mut left = [0; ENOUGH - 1];
            let mut free = left.iter_mut();
            if let (true, Some(first)) = (closed, free.next()) {
                *first = CLOSED;
            }
            let members = members
                .iter()
                .skip(usize::from(closed))
                .filter(|member| **member != 0);
            let mut any = false;
            for (member, free) in members
                .map(|member| place(member - 1))
                .filter(|id| *id != CLOSED)
                .zip(free)
            {
                *free = member + 1;
                any = true;
            }
            if any {
                places.insert(*opened, left);
            }
        }
        for (key, forms) in &self.open {
            let forms: Vec<Open> = forms
                .iter()
                .map(|form| Open {
                    pattern: place(form.pattern),
                    words: form.words.clone(),
                })
                .filter(|form| form.pattern != CLOSED)
                .collect();
            if !forms.is_empty() {
                open.insert(*key, forms);
            }
        }
        (self.patterns, self.known, self.places, self.open) = (kept, known, places, open);
        self.recent.clear();
    }
}

fn bucket(tokens: &[Token]) -> u64 {
    let first = tokens.first().map_or(0, |token| token.hash);
    first.wrapping_mul(31).wrapping_add(tokens.len() as u64)
}
