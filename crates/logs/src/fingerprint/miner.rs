//! Grouping of the forms of one source into families.
//!
//! A *form* is the sequence of a message. A known form costs one look-up. A new one is
//! counted once for each of its words, with the place of that word open. When enough forms differ in
//! one place only, that place is a variable without a mask: the open form is the template
//! of a *family*, and every form that it matches belongs to it. The template is a form itself, in
//! canonical form again, and may open further.
//!
//! **Order.** A place opens by the set of forms that were seen, whatever their order; forms seen
//! before and after belong to the family alike, and its name is that of its widest template. A word of
//! state (*started*, *stopped*) is never counted and never matched by an open place, because such
//! words define the event. So two runs over the same messages have the same families. A message
//! keeps the name of its form, which is an alias of that of its family.
//!
//! **Bounded.** A source has at most [`MOST`] forms, at about 450 bytes with twelve words each. At the
//! limit, the half that was not seen for the longest time is dropped; when it is seen again, a form
//! has the same name, because a name is a hash of the form. A family has at most [`FORMS`] forms;
//! any other message it matches has the name of the family, so a place in which every message
//! has another word costs a cache entry and no row.
//!
//! Forms are numbered; the family is a union-find over the numbers.

mod memory;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::sequence::Sequence;
use super::token::{self, Kind, Token, WILD_HASH};
use super::words;

/// Number of different words in a place that opens it. Measured on eight logs with known templates: 3 to 6
/// are equal, 8 leaves variables unmasked.
const ENOUGH: u16 = 5;

/// The same where little else shows that two messages are similar: the first word, when one word
/// follows; and a word on its own.
const ENOUGH_FIRST: u16 = 16;
const ENOUGH_ALONE: u16 = 64;

/// Maximum number of forms of a source.
const MOST: usize = 2048;

/// Maximum number of forms of a family.
const FORMS: u16 = 64;

/// Number of places of a sequence that may open, one bit each; words beyond never open.
const PLACES: usize = 48;

/// Maximum number of templates compared with a sequence of the same beginning and length.
const COMPARED: usize = 256;

/// Slots of the cache of sequences that a template matched.
const RECENT: usize = 512;

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

/// A form, and its family if it is the root of one.
#[derive(Debug)]
struct Form {
    /// Its own name.
    name: u64,
    /// Its template, until the pattern table has a row of the name.
    text: Option<Box<str>>,
    /// The name that the row is an alias of; 0 when it is not one.
    alias: u64,
    /// Number of words that are not masked: the fewer, the wider.
    fixed: u16,
    shape: Shape,
    parent: u16,
    /// The widest form of the family, whose name is that of the family.
    lead: u16,
    /// Number of forms of the family.
    forms: u16,
    /// Hour in which the family was last seen, and whether it was seen more than once.
    seen: i32,
    again: bool,
}

/// The words of a form.
#[derive(Clone, Debug)]
struct Shape {
    /// Part of the level in the hash.
    level: u64,
    /// Hashes of its words.
    words: Box<[u64]>,
    /// Places that may open.
    openable: u64,
    /// Places that were opened.
    opened: u64,
}

impl Shape {
    fn new(level: u64, tokens: &[Token], text: &str) -> Self {
        let may_open =
            |token: &Token| token.kind == Kind::Word && !words::is_state(token.bytes(text));
        let places = tokens.iter().enumerate().take(PLACES);
        Self {
            level,
            words: tokens.iter().map(|token| token.hash).collect(),
            openable: places.fold(0, |places, (place, token)| {
                places | u64::from(may_open(token)) << place
            }),
            opened: 0,
        }
    }

    /// Returns the hash of the sequence.
    fn sequence(&self) -> u64 {
        let words = self.words.iter().enumerate();
        words.fold(self.level, |sum, (place, word)| {
            sum.wrapping_add(token::part(*word, place))
        })
    }

    /// Returns the shape with one more place open.
    fn with(&self, place: usize) -> Self {
        let mut wider = self.clone();
        wider.words[place] = WILD_HASH;
        wider.openable &= !(1 << place);
        wider.opened |= 1 << place;
        wider
    }

    /// Returns whether the template matches a form: in the places that were opened anything may stand
    /// that could have opened them.
    fn matches(&self, form: &Self) -> bool {
        self.level == form.level
            && self.words.len() == form.words.len()
            && self
                .words
                .iter()
                .zip(&form.words)
                .enumerate()
                .all(|(place, (word, other))| {
                    word == other
                        || place < PLACES && self.opened & form.openable & (1 << place) != 0
                })
    }

    /// Returns the places of a template that have to be open for it to be that of another form.
    fn opened_in(&self, form: &Self) -> u64 {
        if self.words.len() != form.words.len() {
            return 0;
        }
        let places = self.words.iter().zip(&form.words).enumerate().take(PLACES);
        places.fold(0, |opened, (place, (word, other))| {
            opened | u64::from(*word == WILD_HASH && *other != WILD_HASH) << place
        })
    }

    /// Returns the places that may open.
    fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let openable = self.openable;
        (0..PLACES).filter(move |place| openable & (1 << place) != 0)
    }

    /// Returns how many words are not masked.
    fn fixed(&self) -> u16 {
        let fixed = self.words.iter().filter(|word| **word != WILD_HASH);
        fixed.count() as u16
    }
}

/// Returns what to compare a sequence with: the templates of this length that begin like this.
fn bucket(shape: &Shape, first: u64) -> u64 {
    let length = shape.words.len() as u64;
    (first ^ shape.level).wrapping_mul(31).wrapping_add(length)
}

/// The name of a message, and the resulting changes of the pattern table.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// The name of the message.
    pub(super) name: u64,
    /// Names that the pattern table does not have a row of, with their templates.
    pub(super) templates: Vec<(u64, String)>,
    /// Names that are aliases of another from now on.
    pub(super) aliases: Vec<(u64, u64)>,
    /// Whether nothing like it was known.
    pub(super) is_new: bool,
}

/// The patterns of one source.
#[derive(Default)]
pub(super) struct Miner {
    forms: Vec<Form>,
    /// Sequence to form.
    known: Table<u16>,
    /// Sequence with one place open: how many forms differ there.
    places: Table<u16>,
    /// Those of them that were opened, with a form of the family.
    opened: Table<u16>,
    /// Templates by length and first word, with a form of the family.
    templates: Table<Vec<(Shape, u16)>>,
    /// Sequences that a template of a full family matched.
    recent: Vec<(u64, u16)>,
}

impl std::fmt::Debug for Miner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Miner")
            .field("forms", &self.forms.len())
            .finish_non_exhaustive()
    }
}

/// A message, or the template of a row of the pattern table.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    /// What its level adds to the hash of its sequence.
    pub(super) level: u64,
    pub(super) tokens: &'a [Token],
    pub(super) text: &'a str,
    pub(super) hour: i32,
    /// Names a sequence of words of the text.
    pub(super) identify: &'a dyn Fn(&[Token]) -> u64,
}

impl Miner {
    /// Returns the name of a sequence that is known.
    pub(super) fn find(&mut self, sequence: u64, hour: i32) -> Option<u64> {
        let form = match self.known.get(&sequence) {
            Some(form) => *form,
            None => match self.recent.get(sequence as usize % RECENT) {
                Some((known, form)) if *known == sequence => *form,
                _ => return None,
            },
        };
        let root = self.root(form);
        let family = &mut self.forms[usize::from(root)];
        (family.seen, family.again) = (hour, true);
        let form = &self.forms[usize::from(form)];
        // A template may be known before a message has its form.
        form.text.is_none().then_some(form.name)
    }

    /// Learns a message that [`find`](Self::find) does not know; `None` where nothing like it is known
    /// and `may_add` is false.
    pub(super) fn learn(&mut self, message: &Message<'_>, may_add: bool) -> Option<Learned> {
        let shape = Shape::new(message.level, message.tokens, message.text);
        let sequence = shape.sequence();
        let (form, is_new) = if let Some(form) = self.known.get(&sequence) {
            (*form, false)
        } else {
            let families: Vec<u16> = self.families(&shape).collect();
            let roots = families.iter().map(|form| self.root(*form));
            let full = roots
                .map(|root| &self.forms[usize::from(root)])
                .find(|family| family.forms >= FORMS)
                .map(|family| family.lead);
            if let Some(lead) = full {
                self.remember(sequence, lead);
                return Some(Learned {
                    name: self.forms[usize::from(lead)].name,
                    ..Learned::default()
                });
            } else if families.is_empty() && !may_add {
                return None;
            } else {
                if self.forms.len() >= MOST {
                    self.forget();
                }
                let form = self.add(shape, message, message.tokens);
                self.grow(form, message);
                (form, families.is_empty())
            }
        };
        let mut learned = Learned {
            name: self.forms[usize::from(form)].name,
            is_new,
            ..Learned::default()
        };
        let root = self.root(form);
        self.forms[usize::from(root)].seen = message.hour;
        self.store(form, &mut learned);
        self.store_family(root, &mut learned);
        Some(learned)
    }

    /// Reports the row of a form, when the pattern table does not have it.
    fn store(&mut self, form: u16, learned: &mut Learned) {
        let form = &mut self.forms[usize::from(form)];
        if let Some(text) = form.text.take() {
            learned.templates.push((form.name, text.into()));
        }
    }

    /// Reports the row of the family and what is an alias of it from now on.
    fn store_family(&mut self, root: u16, learned: &mut Learned) {
        let lead = self.forms[usize::from(root)].lead;
        let name = self.forms[usize::from(lead)].name;
        let members: Vec<u16> = (0..self.forms.len() as u16)
            .filter(|at| {
                let form = &self.forms[usize::from(*at)];
                *at != lead && form.text.is_none() && form.alias != name && self.root(*at) == root
            })
            .collect();
        if members.is_empty() {
            return;
        }
        self.store(lead, learned);
        for member in members {
            let member = &mut self.forms[usize::from(member)];
            member.alias = name;
            learned.aliases.push((member.name, name));
        }
    }

    /// Returns a form of each family that a template of it matches.
    fn families<'a>(&'a self, shape: &'a Shape) -> impl Iterator<Item = u16> + 'a {
        let first = shape.words.first().copied().unwrap_or_default();
        let begins = [first, WILD_HASH];
        let buckets = &begins[..if first == WILD_HASH { 1 } else { 2 }];
        let buckets: Vec<u64> = buckets.iter().map(|first| bucket(shape, *first)).collect();
        let templates = buckets
            .into_iter()
            .filter_map(|bucket| self.templates.get(&bucket))
            .flatten();
        templates
            .filter(|(template, _)| template.matches(shape))
            .map(|(_, form)| *form)
    }

    fn remember(&mut self, sequence: u64, form: u16) {
        if self.recent.is_empty() {
            self.recent.resize(RECENT, (0, 0));
        }
        self.recent[sequence as usize % RECENT] = (sequence, form);
    }

    /// Adds a form that is not known.
    fn add(&mut self, shape: Shape, message: &Message<'_>, tokens: &[Token]) -> u16 {
        let form = self.forms.len() as u16;
        let name = (message.identify)(tokens);
        let text = token::render(tokens, message.text);
        self.known.insert(shape.sequence(), form);
        self.forms.push(Form {
            name,
            text: Some(text.into()),
            alias: 0,
            fixed: shape.fixed(),
            shape,
            parent: form,
            lead: form,
            forms: 1,
            seen: message.hour,
            again: false,
        });
        form
    }

    /// Returns how many forms are in memory.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.forms.len()
    }

    fn root(&self, mut form: u16) -> u16 {
        loop {
            let parent = self.forms[usize::from(form)].parent;
            if parent == form {
                return form;
            }
            form = parent;
        }
    }

    /// Puts a new form into the families that match it, counts it for each of its words, and opens
    /// the places that varied enough; what is opened is a form that is treated the same way.
    fn grow(&mut self, form: u16, message: &Message<'_>) {
        let mut new = vec![(form, message.tokens.to_vec())];
        while let Some((form, tokens)) = new.pop() {
            let shape = self.forms[usize::from(form)].shape.clone();
            let families: Vec<u16> = self.families(&shape).collect();
            for family in families {
                self.unite(family, form);
            }
            for place in shape.places() {
                let wider = shape.with(place);
                let sequence = wider.sequence();
                if let Some(family) = self.opened.get(&sequence).copied() {
                    self.unite(family, form);
                    continue;
                }
                let count = self.places.entry(sequence).or_default();
                *count += 1;
                if *count < enough(&tokens, place) {
                    continue;
                }
                self.places.remove(&sequence);
                let mut tokens = tokens.clone();
                tokens[place] = tokens[place].opened();
                new.extend(self.open(form, wider, &tokens, message));
            }
        }
    }

    /// Opens a place of a form. `wider` is its shape with the place open, `tokens` its tokens so.
    /// Returns the template when it is a new form.
    fn open(
        &mut self,
        form: u16,
        mut wider: Shape,
        tokens: &[Token],
        message: &Message<'_>,
    ) -> Option<(u16, Vec<Token>)> {
        let members: Vec<u16> = (0..self.forms.len())
            .filter(|at| wider.matches(&self.forms[*at].shape))
            .map(|at| at as u16)
            .collect();
        for member in &members {
            wider.opened |= self.forms[usize::from(*member)].shape.opened;
            self.unite(form, *member);
        }
        self.add_template(wider.clone(), form);
        // A word that was opened may be beside another value, or in brackets.
        let canonical = canonical(tokens, message.text);
        let mut shape = Shape::new(message.level, &canonical, message.text);
        if canonical.len() == tokens.len() {
            shape.opened = wider.opened;
        }
        if let Some(known) = self.known.get(&shape.sequence()).copied() {
            self.forms[usize::from(known)].shape.opened |= shape.opened;
            self.unite(form, known);
            return None;
        }
        let template = self.add(shape, message, &canonical);
        self.unite(form, template);
        Some((template, canonical))
    }

    /// Adds a template of the family of a form.
    fn add_template(&mut self, shape: Shape, form: u16) {
        self.opened.insert(shape.sequence(), form);
        let first = shape.words.first().copied().unwrap_or_default();
        let templates = self.templates.entry(bucket(&shape, first)).or_default();
        if templates.len() < COMPARED {
            templates.push((shape, form));
        }
    }

    /// Makes one family of two, named after the wider of their templates.
    fn unite(&mut self, one: u16, other: u16) {
        let (one, other) = (self.root(one), self.root(other));
        if one == other {
            return;
        }
        let (lead, forms, seen) = {
            let other = &mut self.forms[usize::from(other)];
            other.parent = one;
            (other.lead, other.forms, other.seen)
        };
        let width = |lead: u16| {
            let lead = &self.forms[usize::from(lead)];
            (lead.fixed, lead.name)
        };
        let mine = self.forms[usize::from(one)].lead;
        let lead = if width(lead) < width(mine) {
            lead
        } else {
            mine
        };
        let family = &mut self.forms[usize::from(one)];
        family.lead = lead;
        family.forms = family.forms.saturating_add(forms);
        family.seen = family.seen.max(seen);
        family.again = true;
    }
}

/// Returns how many forms that differ in a place open it.
fn enough(tokens: &[Token], place: usize) -> u16 {
    let words = tokens.iter().filter(|token| token.kind == Kind::Word);
    match words.count() {
        0 | 1 => ENOUGH_ALONE,
        2 if place == 0 => ENOUGH_FIRST,
        _ => ENOUGH,
    }
}

/// Returns the canonical form of a sequence in which a place was opened.
fn canonical(tokens: &[Token], text: &str) -> Vec<Token> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut sequence = Sequence::new(&mut out, text.as_bytes());
    for token in tokens {
        sequence.again(*token);
    }
    out
}
