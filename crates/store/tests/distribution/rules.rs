//! What a statement must be like so that it works on distributed tables, too, and costs one PostgreSQL nothing.
//!
//! | rule | because |
//! |---|---|
//! | only one place writes `hosts` | it is whole on every machine, so each write is a transaction of all of them |
//! | a question about many hosts starts at a table by host, and `hosts` is joined last, on the inner side | a subquery cannot depend on a table that every machine has whole |
//! | a subquery that depends on the rows around it compares `host_id` | only rows of one host lie together |
//! | rows that are written by `ctid` are of one host | another shard has other rows of the same place |
//! | an insertion names `host_id` | the row has to find its machine |
//! | `DO UPDATE` has constants, parameters, `excluded`, and functions without a clock | it runs where the shard is |
//! | no trigger | it would not run where the shard is |

use std::collections::BTreeSet;

use crate::tokens::{Token, tokens};

/// Functions that depend on nothing but their arguments.
const PURE: &[&str] = &[
    "coalesce", "greatest", "least", "nullif", "abs", "round", "left", "length",
];
/// Words before a parenthesis that are no functions.
const KEYWORDS: &[&str] = &[
    "set", "in", "and", "or", "not", "when", "then", "else", "where", "values", "any", "all",
    "row", "array", "case", "on", "as", "over", "filter", "exists", "is", "by", "using",
    "conflict", "into", "select", "from", "distinct",
];
/// Words that end a list of tables.
const ENDS: &[&str] = &[
    "where",
    "group",
    "order",
    "limit",
    "having",
    "window",
    "union",
    "except",
    "intersect",
    "for",
    "returning",
    "offset",
    "fetch",
    "loop",
    "then",
    "set",
];
/// Words that are no aliases.
const NO_ALIAS: &[&str] = &[
    "join",
    "left",
    "right",
    "full",
    "inner",
    "outer",
    "cross",
    "natural",
    "on",
    "using",
    "lateral",
    "where",
    "group",
    "order",
    "limit",
    "set",
    "values",
    "select",
    "default",
    "returning",
    "tablesample",
];

/// The tables that lie on the coordinator alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Local(pub(crate) BTreeSet<String>);

/// A table of a list.
#[derive(Clone, Debug, Default)]
struct Item<'a> {
    /// Whether rows that have no partner are kept of what stands before it, or of itself.
    keeps_left: bool,
    keeps_right: bool,
    is_lateral: bool,
    /// The name of a table of the store; `{}` where the program fills it in.
    table: Option<String>,
    group: Option<&'a [Token]>,
    alias: String,
}

/// Returns the breaches of `sql`, each in a sentence.
pub(crate) fn breaches(sql: &str, local: &Local) -> Vec<String> {
    let mut found = Vec::new();
    let all = tokens(sql);
    Check {
        local,
        found: &mut found,
    }
    .walk(&all, &[]);
    found
}

struct Check<'a> {
    local: &'a Local,
    found: &'a mut Vec<String>,
}

/// Returns the name of the table of the store at the beginning of `rest`, with the number of its tokens.
fn table_at(rest: &[Token]) -> Option<(String, usize)> {
    if !rest.first()?.is("collector") || !rest.get(1)?.is_sign(".") {
        return None;
    }
    match rest.get(2)? {
        Token::Word(name) => Some((name.clone(), 3)),
        // A place that is filled in: {} or {name} of Rust, %I of PostgreSQL.
        Token::Other(sign) if sign == "{" => {
            let end = rest.iter().position(|one| one.is_sign("}"))?;
            Some(("{}".to_owned(), end + 1))
        }
        Token::Other(sign) if sign == "%" => Some(("{}".to_owned(), 4.min(rest.len()))),
        _ => None,
    }
}

/// Returns whether a word is anywhere in the tokens.
fn mentions(all: &[Token], word: &str) -> bool {
    all.iter().any(|one| match one {
        Token::Group(inner) => mentions(inner, word),
        one => one.is(word),
    })
}

/// Returns whether `alias.column` is anywhere in the tokens.
fn refers(all: &[Token], alias: &str) -> bool {
    all.iter().enumerate().any(|(at, one)| match one {
        Token::Group(inner) => refers(inner, alias),
        one => {
            let is_first = at == 0 || !all[at - 1].is_sign(".");
            is_first && one.is(alias) && all.get(at + 1).is_some_and(|next| next.is_sign("."))
        }
    })
}

impl Check<'_> {
    fn say(&mut self, breach: String) {
        if !self.found.contains(&breach) {
            self.found.push(breach);
        }
    }

    fn is_by_host(&self, table: &str) -> bool {
        // Views and functions of visits read tables of the coordinator alone.
        table != "hosts" && !table.starts_with("web_analytics_") && !self.local.0.contains(table)
    }

    /// Returns whether rows by host are read anywhere in the tokens.
    fn reads_by_host(&self, all: &[Token]) -> bool {
        (0..all.len()).any(|at| match &all[at] {
            Token::Group(inner) => self.reads_by_host(inner),
            _ => table_at(&all[at..]).is_some_and(|(table, taken)| {
                // What has arguments is a function.
                self.is_by_host(&table) && !matches!(all.get(at + taken), Some(Token::Group(_)))
            }),
        })
    }

    /// Checks the statements of a level; `outer` has the aliases of the levels around it.
    fn walk(&mut self, all: &[Token], outer: &[String]) {
        for statement in all.split(|one| one.is_sign(";")) {
            self.check_writes(statement);
            let mut begin = 0;
            for at in 0..=statement.len() {
                let ends = statement.get(at).is_none_or(|one| {
                    ["union", "except", "intersect"]
                        .iter()
                        .any(|word| one.is(word))
                });
                if ends {
                    self.check_block(&statement[begin..at], outer);
                    begin = at + 1;
                }
            }
        }
    }

    /// Checks one SELECT, UPDATE, DELETE or INSERT with what is in it.
    fn check_block(&mut self, block: &[Token], outer: &[String]) {
        let verb = |one: &Token| {
            ["select", "update", "delete"]
                .iter()
                .any(|word| one.is(word))
        };
        let begin = block.iter().position(verb);
        let mut items = Vec::new();
        let mut before = block;
        if let Some(begin) = begin {
            let rest = &block[begin..];
            if rest[0].is("update")
                && let Some((table, taken)) = rest.get(1..).and_then(table_at)
            {
                let alias = alias_at(&rest[1 + taken..], &table);
                items.push(Item {
                    table: Some(table),
                    alias,
                    ..Item::default()
                });
            }
            let from = (1..rest.len()).find(|at| {
                let is_part = rest[at - 1].is("distinct");
                (rest[*at].is("from") || (rest[*at].is("using") && rest[0].is("delete")))
                    && !is_part
            });
            if let Some(from) = from {
                let list = &rest[from + 1..];
                let end = (0..list.len()).find(|at| {
                    let is_end = ENDS.iter().any(|word| list[*at].is(word));
                    is_end
                        || (list[*at].is("on")
                            && list.get(at + 1).is_some_and(|next| next.is("conflict")))
                });
                items.extend(items_of(&list[..end.unwrap_or(list.len())]));
            }
            before = &block[..begin];
        }
        self.check_hosts(block, &items);
        let mut known: Vec<String> = outer.to_vec();
        known.extend(items.iter().map(|item| item.alias.clone()));
        // What a WITH names does not see the tables of the statement.
        for one in before {
            self.descend(one, outer);
        }
        for one in &block[before.len().min(block.len())..] {
            self.descend(one, if begin.is_some() { &known } else { outer });
        }
    }

    fn descend(&mut self, one: &Token, outer: &[String]) {
        match one {
            Token::Group(inner) => {
                self.check_correlation(inner, outer);
                self.walk(inner, outer);
            }
            Token::Body(body) => self.walk(&tokens(body), &[]),
            Token::Other(text) if text.starts_with('\'') && text.contains("collector.") => {
                let inner = text.trim_matches('\'').replace("''", "'");
                self.walk(&tokens(&inner), &[]);
            }
            _ => {}
        }
    }

    /// Checks a subquery that depends on the rows around it.
    fn check_correlation(&mut self, inner: &[Token], outer: &[String]) {
        if !inner.iter().any(|one| one.is("select")) || !self.reads_by_host(inner) {
            return;
        }
        let own = own_aliases(inner);
        let depends = outer
            .iter()
            .find(|alias| !own.contains(*alias) && refers(inner, alias));
        if let Some(alias) = depends
            && !mentions(inner, "host_id")
        {
            self.say(format!(
                "a subquery depends on {alias} without comparing host_id"
            ));
        }
    }

    fn check_hosts(&mut self, block: &[Token], items: &[Item<'_>]) {
        let is_hosts = |item: &&Item<'_>| item.table.as_deref() == Some("hosts");
        let Some(at) = items.iter().position(|item| is_hosts(&item)) else {
            return;
        };
        let hosts = &items[at];
        let by_host = |item: &Item<'_>| match (&item.table, item.group) {
            (Some(table), _) => self.is_by_host(table),
            (None, Some(group)) => self.reads_by_host(group),
            (None, None) => false,
        };
        let mut found = Vec::new();
        let is_outer = hosts.keeps_right
            || items[at + 1..]
                .iter()
                .any(|item| item.keeps_left && by_host(item));
        if is_outer {
            found.push("hosts is on the outer side of a join".to_owned());
        }
        for item in &items[at + 1..] {
            if item.group.is_some_and(|group| refers(group, &hosts.alias)) {
                found.push("hosts is not joined last: a table after it depends on it".to_owned());
            }
        }
        let is_anchored = items.iter().enumerate().any(|(other, item)| {
            other != at && !item.keeps_left && !item.is_lateral && by_host(item)
        });
        let depends = |one: &Token| match one {
            Token::Group(inner) => {
                inner.iter().any(|one| one.is("select"))
                    && self.reads_by_host(inner)
                    && refers(inner, &hosts.alias)
            }
            _ => false,
        };
        if !is_anchored && has(block, &depends) {
            found.push("a question about many hosts starts at hosts".to_owned());
        }
        for breach in found {
            self.say(breach);
        }
    }

    /// Checks what is written, and how.
    fn check_writes(&mut self, statement: &[Token]) {
        for at in 0..statement.len() {
            let rest = &statement[at..];
            let word = |place: usize, word: &str| rest.get(place).is_some_and(|one| one.is(word));
            let target = match () {
                () if word(0, "insert") && word(1, "into") => {
                    table_at(&rest[2..]).map(|(table, taken)| (table, 2 + taken))
                }
                () if word(0, "merge") && word(1, "into") => {
                    table_at(&rest[2..]).map(|(table, taken)| (table, 2 + taken))
                }
                () if word(0, "delete") && word(1, "from") => {
                    table_at(&rest[2..]).map(|(table, taken)| (table, 2 + taken))
                }
                () if word(0, "update") || word(0, "truncate") => {
                    table_at(&rest[1..]).map(|(table, taken)| (table, 1 + taken))
                }
                () => None,
            };
            if let Some((table, taken)) = target {
                if table == "hosts" {
                    self.say("hosts is written".to_owned());
                }
                let is_found_by_place = rest.iter().any(|one| one.is("ctid"))
                    && !rest.iter().any(|one| one.is("host_id"));
                if !rest[0].is("insert") && self.is_by_host(&table) && is_found_by_place {
                    self.say(format!("rows of {table} are found by ctid without host_id"));
                }
                if rest[0].is("insert") && (self.is_by_host(&table) || table == "hosts") {
                    self.check_insertion(&table, &rest[taken..]);
                }
            }
            let is_trigger = word(1, "trigger")
                || (word(1, "constraint") && word(2, "trigger"))
                || (word(1, "or") && word(3, "trigger"));
            if word(0, "create") && is_trigger {
                self.say("a trigger is made".to_owned());
            }
        }
    }

    fn check_insertion(&mut self, table: &str, rest: &[Token]) {
        let columns = match rest {
            [Token::Group(columns), ..] => Some(columns),
            [word, Token::Word(_), Token::Group(columns), ..] if word.is("as") => Some(columns),
            _ => None,
        };
        // A list that the program fills in has the columns of a declared table, all of which have it.
        let names_host = match columns {
            Some(columns) => columns
                .iter()
                .any(|one| one.is("host_id") || one.is_sign("{") || one.is_sign("%")),
            None => !rest.first().is_some_and(|one| one.is("default")),
        };
        if table != "hosts" && !names_host {
            self.say(format!("an insertion into {table} does not name host_id"));
        }
        let Some(at) = (0..rest.len())
            .find(|at| rest[*at].is("do") && rest.get(at + 1).is_some_and(|one| one.is("update")))
        else {
            return;
        };
        let clause = &rest[at + 2..];
        let end = clause
            .iter()
            .position(|one| one.is("returning"))
            .unwrap_or(clause.len());
        self.check_update(&clause[..end]);
    }

    /// Checks what a DO UPDATE computes with.
    fn check_update(&mut self, clause: &[Token]) {
        for (at, one) in clause.iter().enumerate() {
            let Token::Group(inner) = one else { continue };
            if inner.iter().any(|one| one.is("select")) {
                self.say("DO UPDATE has a subquery".to_owned());
                continue;
            }
            let name = at.checked_sub(1).and_then(|before| clause[before].word());
            if let Some(name) = name
                && !PURE.contains(&name)
                && !KEYWORDS.contains(&name)
            {
                self.say(format!("DO UPDATE calls {name}()"));
            }
            self.check_update(inner);
        }
        for clock in [
            "current_timestamp",
            "current_date",
            "localtimestamp",
            "current_user",
        ] {
            if clause.iter().any(|one| one.is(clock)) {
                self.say(format!("DO UPDATE has {clock}"));
            }
        }
    }
}

/// Returns whether a token at any depth, outside of what is itself a match, is one that `is`.
fn has(all: &[Token], is: &impl Fn(&Token) -> bool) -> bool {
    all.iter()
        .any(|one| is(one) || matches!(one, Token::Group(inner) if has(inner, is)))
}

/// Returns the aliases of a subquery's own tables.
fn own_aliases(inner: &[Token]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for at in 0..inner.len() {
        if let Some((table, taken)) = table_at(&inner[at..]) {
            found.insert(alias_at(&inner[at + taken..], &table));
        }
        if let Token::Group(group) = &inner[at] {
            found.extend(own_aliases(group));
            if let Some(alias) = inner.get(at + 1).and_then(Token::word)
                && !NO_ALIAS.contains(&alias)
            {
                let alias = match alias {
                    "as" => inner.get(at + 2).and_then(Token::word).unwrap_or_default(),
                    alias => alias,
                };
                found.insert(alias.to_owned());
            }
        }
    }
    found
}

/// Returns the alias at the beginning of `rest`; without one the name of the table.
fn alias_at(rest: &[Token], table: &str) -> String {
    let named = match rest.first().and_then(Token::word) {
        Some("as") => rest.get(1).and_then(Token::word),
        Some(word) if !NO_ALIAS.contains(&word) && !ENDS.contains(&word) => Some(word),
        _ => None,
    };
    named.unwrap_or(table).to_owned()
}

/// Splits a list of tables.
fn items_of(list: &[Token]) -> Vec<Item<'_>> {
    let mut found: Vec<Item<'_>> = Vec::new();
    let (mut next, mut is_due, mut at) = (Item::default(), true, 0);
    while at < list.len() {
        let one = &list[at];
        match one.word() {
            Some("left") => next.keeps_left = true,
            Some("right") => next.keeps_right = true,
            Some("full") => (next.keeps_left, next.keeps_right) = (true, true),
            Some("lateral") => next.is_lateral = true,
            Some("join") => is_due = true,
            _ if one.is_sign(",") => is_due = true,
            _ if !is_due => {}
            Some("only") => {}
            _ => {
                let taken = match (table_at(&list[at..]), one) {
                    (Some((table, taken)), _) => {
                        next.table = Some(table);
                        taken
                    }
                    (None, Token::Group(group)) => {
                        let is_join = !group.iter().any(|one| one.is("select") || one.is("values"));
                        if is_join {
                            // Parentheses around a join.
                            let mut inner = items_of(group);
                            if let Some(first) = inner.first_mut() {
                                first.keeps_left |= next.keeps_left;
                                first.keeps_right |= next.keeps_right;
                            }
                            found.append(&mut inner);
                            (next, is_due, at) = (Item::default(), false, at + 1);
                            continue;
                        }
                        next.group = Some(group);
                        1
                    }
                    // A name of a WITH, or a function.
                    _ => 1 + usize::from(matches!(list.get(at + 1), Some(Token::Group(_)))),
                };
                at += taken;
                let name = next.table.clone().or_else(|| one.word().map(str::to_owned));
                next.alias = alias_at(&list[at.min(list.len())..], &name.unwrap_or_default());
                found.push(std::mem::take(&mut next));
                is_due = false;
                continue;
            }
        }
        at += 1;
    }
    found
}
