//! The words of a text whose words and values nothing distinguishes, as far as a closed list has them.
//!
//! A secret that is a word cannot be distinguished from other words by its shape, so shape decides nothing here: a word is kept
//! because it is one of [`WORDS`], which are those of errors and of business in general, chosen without names of
//! persons, places, illnesses or anything else that states who or what. A value that happens to be one of them is
//! kept, too; it shows no more than a list that everyone can read. Everything else is replaced, whatever it is: numbers,
//! addresses, words in quotes, words of other languages.

use redact::MARK;

/// Kept words of a text at least; less is not a sentence but what another language has in common.
const LEAST: usize = 2;

/// Marks of quotation, each with the one that closes it.
const QUOTES: &[(char, char)] = &[
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('“', '”'),
    ('„', '“'),
    ('‘', '’'),
    ('«', '»'),
    ('»', '«'),
];

/// Returns the text with one mark in place of every run of words that are not listed.
pub(super) fn keep(text: &str) -> String {
    let mut out = String::new();
    let (mut kept, mut is_masked) = (0, false);
    let mut closing = None;
    for word in text.split_whitespace() {
        let is_first = out.is_empty() || !is_masked && out.ends_with('.');
        let is_quoted = closing.is_some();
        closing = quoted(word, closing);
        if !is_quoted && closing.is_none() && is_listed(word, is_first) {
            push(&mut out, word);
            (kept, is_masked) = (kept + 1, false);
        } else if !is_masked {
            push(&mut out, MARK);
            is_masked = true;
        }
    }
    if kept < LEAST {
        return MARK.to_owned();
    }
    out
}

fn push(out: &mut String, word: &str) {
    if !out.is_empty() {
        out.push(' ');
    }
    out.push_str(word);
}

/// Returns the mark that closes the quotation in which a text is after this word. One that begins within a word is
/// the apostrophe of `can't`.
fn quoted(word: &str, mut closing: Option<char>) -> Option<char> {
    let mut before = ' ';
    for c in word.chars() {
        match closing {
            Some(close) if c == close => closing = None,
            Some(_) => {}
            None if before.is_alphanumeric() => {}
            None => {
                closing = QUOTES
                    .iter()
                    .find(|(open, _)| *open == c)
                    .map(|(_, close)| *close)
            }
        }
        before = c;
    }
    closing
}

/// Returns whether a word is listed, with the punctuation of sentences around it: in small letters, or with a capital
/// as the first of a sentence.
fn is_listed(word: &str, is_first: bool) -> bool {
    const BEFORE: &[char] = &['('];
    const AFTER: &[char] = &['.', ',', ':', ';', '!', '?', ')'];
    let word = word.trim_start_matches(BEFORE).trim_end_matches(AFTER);
    let is_capital = word.starts_with(|c: char| c.is_ascii_uppercase());
    let Some(rest) = word.get(1..).filter(|_| is_first || !is_capital) else {
        return false;
    };
    let first = word.to_ascii_lowercase();
    first.ends_with(rest) && WORDS.binary_search(&first.as_str()).is_ok()
}

/// Words that are kept, in order.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "a", "abort", "aborted", "about", "above", "accept", "accepted", "access", "account", "accounts", "across",
    "action", "activate", "activated", "active", "add", "added", "adding", "address", "adjust", "adjusted",
    "adjustment", "affected", "after", "again", "against", "agreement", "all", "allocate", "allocated", "allocation",
    "allow", "allowed", "allows", "along", "already", "also", "although", "always", "amount", "amounts", "an", "and",
    "another", "any", "application", "applied", "apply", "approval", "approve", "approved", "archive", "archived",
    "are", "aren't", "argument", "arguments", "as", "assign", "assigned", "assignment", "at", "attempt", "attempted",
    "attempts", "attribute", "attributes", "auth", "authenticated", "authentication", "authorization", "authorized",
    "available", "backup", "bad", "balance", "balances", "batch", "be", "because", "been", "before", "begin", "begins",
    "being", "below", "between", "beyond", "block", "blocked", "body", "booked", "booking", "both", "broken", "budget",
    "buffer", "busy", "but", "by", "call", "called", "can", "can't", "cancel", "canceled", "cancelled", "cannot",
    "capacity", "cart", "case", "catalog", "category", "change", "changed", "changes", "changing", "channel", "charge",
    "charged", "check", "checked", "checking", "checks", "child", "children", "circular", "class", "clean", "cleaned",
    "clear", "client", "clients", "close", "closed", "code", "codes", "column", "columns", "commit", "committed",
    "company", "complete", "completed", "condition", "conditions", "configuration", "configured", "confirm",
    "confirmed", "conflict", "conflicting", "connect", "connected", "connection", "constraint", "contact", "contain",
    "contained", "contains", "content", "context", "contract", "contracts", "conversion", "convert", "converted",
    "copied", "copy", "correct", "corrupt", "corrupted", "cost", "could", "couldn't", "count", "counter", "create",
    "created", "creating", "creation", "credit", "criteria", "currency", "current", "currently", "customer",
    "customers", "cycle", "cyclic", "daily", "damaged", "data", "database", "date", "dates", "day", "days",
    "deactivated", "deadline", "debit", "debt", "decimal", "declined", "default", "deferred", "define", "defined",
    "delay", "delayed", "delete", "deleted", "deleting", "deletion", "delivered", "delivery", "denied", "department",
    "depend", "dependency", "dependent", "depends", "deposit", "deprecated", "detail", "details", "detected", "device",
    "did", "didn't", "differ", "difference", "different", "differs", "digits", "directory", "disabled", "disallowed",
    "discount", "do", "document", "documents", "does", "doesn't", "don't", "done", "down", "draft", "due", "duplicate",
    "duplicated", "duplicates", "duration", "during", "each", "edit", "edited", "either", "else", "email", "employee",
    "empty", "enable", "enabled", "end", "ended", "ending", "ends", "enough", "enter", "entered", "entries", "entry",
    "equal", "error", "errors", "event", "events", "every", "exceed", "exceeded", "exceeds", "except", "exception",
    "exchange", "exclusive", "exist", "existing", "exists", "expected", "expire", "expired", "expires", "external",
    "extra", "fail", "failed", "failing", "fails", "failure", "feature", "fee", "few", "field", "fields", "file",
    "files", "filter", "find", "finish", "finished", "first", "fixed", "folder", "following", "for", "forbidden",
    "foreign", "form", "format", "found", "free", "from", "full", "function", "functions", "future", "generate",
    "generated", "get", "given", "goods", "group", "groups", "had", "handle", "handled", "has", "hash", "hasn't",
    "have", "haven't", "having", "header", "held", "here", "hint", "history", "hold", "host", "hour", "hours", "how",
    "however", "id", "identifier", "identifiers", "ids", "if", "illegal", "image", "implemented", "import", "imported",
    "impossible", "in", "inactive", "include", "included", "including", "incomplete", "inconsistent", "incorrect",
    "index", "indexes", "information", "initialized", "input", "insert", "inserted", "inside", "installed", "instead",
    "insufficient", "integer", "integrity", "internal", "into", "invalid", "inventory", "invoice", "invoices", "is",
    "isn't", "issue", "it", "item", "items", "its", "job", "jobs", "join", "journal", "just", "keep", "kept", "key",
    "keys", "kind", "known", "large", "last", "later", "least", "ledger", "left", "length", "less", "level", "license",
    "limit", "limits", "line", "lines", "link", "linked", "list", "load", "loaded", "loading", "loan", "location",
    "lock", "locked", "locks", "log", "logged", "login", "logs", "long", "longer", "lookup", "lost", "low", "lower",
    "make", "management", "mandatory", "manual", "many", "mapping", "match", "matched", "matches", "matching",
    "maximum", "mean", "means", "member", "members", "membership", "memory", "message", "messages", "method",
    "migration", "minimum", "minus", "minute", "minutes", "mismatch", "missing", "mode", "model", "modified", "modify",
    "module", "month", "months", "more", "most", "move", "moved", "much", "multiple", "must", "mustn't", "name",
    "named", "names", "need", "needed", "needs", "negative", "neither", "never", "new", "next", "no", "node", "non",
    "none", "nor", "not", "nothing", "now", "null", "number", "numbers", "numeric", "object", "objects", "obsolete",
    "of", "off", "offer", "office", "offset", "old", "on", "once", "only", "onto", "open", "opened", "operation",
    "operations", "option", "optional", "or", "order", "ordered", "orders", "organization", "original", "other",
    "otherwise", "our", "out", "outdated", "outside", "outstanding", "over", "overdue", "overflow", "overlap",
    "overlapping", "overlaps", "owned", "owner", "package", "page", "paid", "parameter", "parameters", "parent", "part",
    "partial", "partition", "partitions", "pass", "password", "path", "pattern", "payment", "payments", "pending",
    "per", "percent", "perform", "performed", "period", "permission", "permissions", "permitted", "person", "phone",
    "place", "plan", "please", "point", "policies", "policy", "position", "positive", "possible", "posted", "posting",
    "precision", "prefix", "present", "prevent", "prevented", "previous", "price", "prices", "primary", "privilege",
    "privileges", "problem", "procedure", "process", "processed", "processing", "product", "products", "profile",
    "prohibited", "project", "property", "protected", "provide", "provided", "purchase", "quantities", "quantity",
    "query", "queue", "quota", "range", "rate", "rates", "rather", "rating", "reach", "reached", "read", "reading",
    "ready", "reason", "receipt", "receive", "received", "recipient", "record", "records", "recursive", "reduce",
    "reference", "referenced", "references", "refresh", "refund", "refunded", "refused", "register", "registered",
    "registration", "reject", "rejected", "related", "relation", "release", "released", "remaining", "remove",
    "removed", "removing", "rename", "renamed", "repeat", "replace", "replaced", "report", "reports", "request",
    "requested", "requests", "require", "required", "requires", "reservation", "reserved", "reset", "resource",
    "resources", "respond", "response", "restored", "restricted", "restriction", "result", "results", "retry", "return",
    "returned", "returns", "reverse", "reversed", "revoked", "right", "rights", "role", "roles", "rollback", "row",
    "rows", "rule", "rules", "run", "running", "runs", "sale", "sales", "same", "save", "saved", "schedule",
    "scheduled", "schema", "scope", "search", "second", "seconds", "secret", "section", "select", "selected", "send",
    "sender", "sending", "sent", "sequence", "serial", "server", "service", "services", "session", "sessions", "set",
    "sets", "setting", "settings", "several", "shared", "shipment", "shipped", "shipping", "short", "should",
    "shouldn't", "sign", "signature", "signed", "since", "single", "size", "sizes", "skip", "skipped", "smaller", "so",
    "some", "source", "specified", "specify", "split", "stale", "start", "started", "starting", "starts", "state",
    "statement", "states", "status", "step", "steps", "still", "stock", "stop", "stopped", "storage", "store", "stored",
    "string", "structure", "submitted", "subscription", "succeeded", "success", "successful", "successfully", "such",
    "sum", "supplied", "supplier", "supply", "support", "supported", "suspended", "sync", "synchronized", "syntax",
    "system", "table", "tables", "target", "task", "tasks", "tax", "template", "temporary", "tenant", "terminated",
    "text", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "though",
    "through", "ticket", "tickets", "time", "timeout", "timestamp", "title", "to", "token", "too", "total", "totals",
    "transaction", "transactions", "transfer", "transferred", "transfers", "transition", "trial", "trigger", "triggers",
    "try", "trying", "twice", "type", "types", "unable", "unavailable", "unchanged", "undefined", "under", "unexpected",
    "unique", "unit", "units", "unknown", "unless", "unpaid", "unsupported", "until", "unused", "up", "upcoming",
    "update", "updated", "updates", "updating", "upload", "uploaded", "upon", "url", "us", "usage", "use", "used",
    "user", "users", "uses", "using", "valid", "validate", "validated", "validation", "value", "values", "vendor",
    "verified", "verify", "version", "versions", "very", "via", "view", "violated", "violates", "violation", "visible",
    "void", "wait", "waiting", "warehouse", "warning", "was", "wasn't", "we", "week", "weeks", "were", "what", "when",
    "where", "whether", "which", "while", "who", "whose", "why", "with", "withdraw", "withdrawal", "within", "without",
    "won't", "work", "worker", "workflow", "works", "would", "wouldn't", "write", "writing", "written", "wrong", "year",
    "years", "yet", "you", "your", "zero",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_words_are_kept_and_nothing_else() {
        for (text, expected) in [
            (
                "customer 12345 Jane Doe is blocked",
                "customer … is blocked",
            ),
            (
                "Insufficient balance: 12.50 on account DE12",
                "Insufficient balance: … on account …",
            ),
            (
                "order 7 cannot be cancelled. It was shipped",
                "order … cannot be cancelled. It was shipped",
            ),
            ("customer Price is blocked", "customer … is blocked"),
            ("user 'not found' is invalid", "user … is invalid"),
            ("value \"is used by jane", "…"),
            ("the value \"is used by jane", "the value …"),
            (
                "value «a b» isn't allowed (limit 5)",
                "value … isn't allowed (limit …",
            ),
            (
                "the users' list can't be empty",
                "the … list can't be empty",
            ),
            ("password hunter2 is wrong", "password … is wrong"),
            (
                "mail to jane@example.com failed: code=5",
                "… to … failed: …",
            ),
            ("ERROR IN ORDER", "…"),
            ("der Kunde 5 ist in Wien", "…"),
            ("клиент заблокирован", "…"),
            ("is,is is-is a/the", "…"),
            ("", "…"),
        ] {
            assert_eq!(keep(text), expected, "{text}");
        }
    }

    #[test]
    fn words_are_in_order_and_plain() {
        assert_eq!(WORDS.windows(2).find(|pair| pair[0] >= pair[1]), None);
        let is_plain = |word: &&str| {
            word.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'\'')
        };
        assert!(WORDS.iter().all(is_plain));
    }
}
