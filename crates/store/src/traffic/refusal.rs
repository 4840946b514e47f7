//! Why events were not counted, in words, and what the owner of a site can do.

/// A reason: its stored name, the words for it, the remedy.
type Reason = (&'static str, &'static str, &'static str);

const REASONS: &[Reason] = &[
    (
        "invalid",
        "The message is not valid",
        "Load the tracker from this server; another version or a program of your own sends what is not understood.",
    ),
    (
        "too_large",
        "The message is too large",
        "Send fewer or shorter properties: 8 KiB is the most.",
    ),
    (
        "too_slow",
        "The message did not arrive in time",
        "Nothing, as long as it stays rare: slow links are given five seconds.",
    ),
    (
        "unsupported_type",
        "The message is of another type",
        "Send text/plain or application/json, uncompressed.",
    ),
    (
        "unknown_site",
        "No such site",
        "Add it as [[analytics.site]], or correct data-site of the snippet.",
    ),
    (
        "foreign_origin",
        "The page is not one of the site's",
        "Add the host to `hosts` of the site, if it is yours.",
    ),
    (
        "rate_limited",
        "Too many messages of one address or network",
        "Behind a proxy, name it in trusted_proxies, so that visitors are told apart.",
    ),
    (
        "busy",
        "The queue on disk took no more",
        "See to the disk and the database of pqcrypta-analytics; its log says which.",
    ),
    ("bot", "A program", "Nothing: crawlers are not visitors."),
    (
        "prefetch",
        "Fetched ahead of time",
        "Nothing: it counts once it is seen.",
    ),
    (
        "own_visit",
        "Your own visit",
        "Nothing: own_visits and #pqcrypta-ignore ask for it.",
    ),
    (
        "off",
        "Counting is off",
        "Set `consent` of the site to cookieless or consented.",
    ),
    (
        "duplicate_view",
        "Counted already",
        "Nothing: it was sent twice.",
    ),
    (
        "spam_referrer",
        "A referrer known for spam",
        "Nothing, unless the file of such referrers names one of yours.",
    ),
    (
        "late_engagement",
        "Engagement of a view that is long over",
        "Nothing: the view is counted.",
    ),
    (
        "anonymous_event",
        "An event without a visit",
        "Nothing: who gave no consent has views alone.",
    ),
    (
        "lost",
        "Lost with the queue's disk",
        "See to the disk of pqcrypta-analytics.",
    ),
    (
        "unstorable",
        "Refused by the database",
        "The log of pqcrypta-analytics has the reason; please report it.",
    ),
    (
        "salt_renewed",
        "The program began anew within the day",
        "Visitors of that day are an upper bound; keep the folder of salts over restarts.",
    ),
    (
        "address_file",
        "A file of countries, networks or spam cannot be read",
        "Put a good file where country_db, asn_db or spam_referrers names one; until then the one before stays in use. The log of pqcrypta-analytics says what is wrong.",
    ),
];

fn find(name: &str) -> Option<&'static Reason> {
    REASONS.iter().find(|(known, ..)| *known == name)
}

/// Returns the words for a stored reason; one that is not known stands for itself.
#[must_use]
pub fn reason(name: &str) -> &str {
    find(name).map_or(name, |(_, words, _)| words)
}

/// Returns what can be done about a stored reason.
#[must_use]
pub fn remedy(name: &str) -> &'static str {
    find(name).map_or("", |(.., remedy)| remedy)
}
