//! Programs without a reader, by what they call themselves.

use super::browsers::Marks;

/// Why a user agent is taken for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bot {
    /// It is empty.
    Empty,
    /// It is not text.
    Binary,
    /// It is longer than any browser's.
    TooLong,
    /// It calls itself a crawler, or has an address to complain at.
    Crawler,
    /// It is a library or a command.
    Library,
    /// It is a browser without a window.
    Headless,
    /// It does not name the engine of a browser.
    NoEngine,
}

impl Bot {
    /// Returns its name as counted.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Binary => "binary",
            Self::TooLong => "too_long",
            Self::Crawler => "crawler",
            Self::Library => "library",
            Self::Headless => "headless",
            Self::NoEngine => "no_engine",
        }
    }
}

/// Parts of a word that show a crawler.
const CRAWLER_PARTS: &[&str] = &[
    "bot",
    "crawl",
    "spider",
    "slurp",
    "scrap",
    "archiver",
    "fetcher",
    "indexer",
    "validator",
    "monitor",
    "uptime",
    "lighthouse",
    "pagespeed",
    "speedcurve",
    "gtmetrix",
    "pingdom",
    "preview",
    "externalhit",
    "mediapartners",
    "feedfetch",
    "checker",
    "inspection",
    "analyzer",
    "agent",
    "scan",
    "synthetic",
    "inspector",
    "verify",
    "favicon",
    "optimizer",
    "conversions",
    "securityheaders",
    "appinsights",
    "watchtowr",
    "watcher",
    "linktiger",
];

/// Whole words that show a crawler.
const CRAWLER_WORDS: &[&str] = &[
    "ptst",
    "chrome-lighthouse",
    "googleother",
    "google-extended",
    "google-read-aloud",
    "google-safety",
    "apis-google",
    "feedly",
    "ia_archiver",
    "embedly",
    "flipboardproxy",
    "nutch",
    "heritrix",
    "yahoo",
    "yandex.com",
    "dareboost",
    "sitelock",
    "netcraft",
    "censys",
    "nmap",
    "masscan",
    "zgrab",
    "nikto",
    "sqlmap",
    "chatgpt-user",
    "claude-user",
    "perplexity-user",
    "mistralai-user",
    "cohere-ai",
    "bytespider",
    "dataprovider",
    "datadogsynthetics",
    "catchpoint",
    "rigor",
    "site24x7",
    "statuscake",
    "newrelic",
    "dynatrace",
    "rssowl",
    "w3c_validator",
    "zoominfobot",
    "skypeuripreview",
    "whatsapp",
    "tumblr",
    "snapchat-ads",
    "vkshare",
    "outbrain",
    "quora-link-preview",
    "developers.google.com",
    "contacted",
    "crawling",
    "seo",
    "screaming",
    "sitebulb",
    "ahrefssiteaudit",
    "siteimprove",
    "duckduckgo-favicons-bot",
];

/// Whole words that show a library, a command or a device of programs.
const LIBRARY_WORDS: &[&str] = &[
    "curl",
    "wget",
    "python",
    "python-requests",
    "python-urllib",
    "aiohttp",
    "httpx",
    "urllib",
    "requests",
    "scrapy",
    "go-http-client",
    "java",
    "jakarta",
    "okhttp",
    "apache-httpclient",
    "httpclient",
    "http_request2",
    "guzzlehttp",
    "guzzle",
    "php",
    "perl",
    "libwww-perl",
    "lwp",
    "ruby",
    "faraday",
    "rest-client",
    "typhoeus",
    "node-fetch",
    "node",
    "undici",
    "axios",
    "got",
    "superagent",
    "postmanruntime",
    "insomnia",
    "httpie",
    "powershell",
    "windowspowershell",
    "winhttp",
    "cfnetwork",
    "dart",
    "reqwest",
    "hyper",
    "ureq",
    "rust",
    "deno",
    "bun",
    "colly",
    "jsoup",
    "mechanize",
    "restsharp",
    "unirest",
    "k6",
    "ab",
    "siege",
    "wrk",
    "hey",
    "vegeta",
    "jmeter",
    "gatling",
    "locust",
    "libcurl",
    "pycurl",
    "httrack",
    "webzip",
    "teleport",
    "jetty",
    "vertx",
    "netty",
    "akka-http",
    "symfony",
    "wordpress",
    "drupal",
    "joomla",
    "zend_http_client",
    "feedparser",
    "kube-probe",
    "elb-healthchecker",
    "googlehc",
    "prometheus",
    "blackbox",
    "grafana",
    "envoy",
    "traefik",
    "haproxy",
    "aria2",
];

/// Whole words that show a browser without a window.
const HEADLESS_WORDS: &[&str] = &[
    "headlesschrome",
    "headless",
    "headlessshell",
    "phantomjs",
    "slimerjs",
    "casperjs",
    "puppeteer",
    "playwright",
    "selenium",
    "webdriver",
    "jsdom",
    "htmlunit",
    "splash",
    "cypress",
    "nightmare",
    "zombie.js",
    "electron-headless",
    "prerender",
];

/// Words that contain a crawler's part and are not one: phones of Cubot, and who reads a page in translation (`via translate.google.com`).
const NOT_CRAWLERS: &[&str] = &["cubot", "cubot_", "translate.google.com"];

/// Returns why a word that no browser has shows a program.
pub(super) fn of_word(word: &str) -> Option<Bot> {
    // Numbers, and models of phones, whose letters are not words.
    let begins_with_digit = word.as_bytes().first().is_none_or(u8::is_ascii_digit);
    if word.len() < 2 || begins_with_digit && !has_letters(word) {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let is_one_of = |words: &[&str]| words.contains(&word.as_str());
    if NOT_CRAWLERS.iter().any(|phone| word.starts_with(phone)) {
        None
    } else if is_one_of(HEADLESS_WORDS) {
        Some(Bot::Headless)
    } else if is_one_of(LIBRARY_WORDS) {
        Some(Bot::Library)
    } else if is_one_of(CRAWLER_WORDS)
        || CRAWLER_PARTS.iter().any(|part| word.contains(part))
        || word.ends_with("-user")
        || is_host(&word)
    {
        Some(Bot::Crawler)
    } else {
        None
    }
}

/// Returns whether a word has five letters in a row.
fn has_letters(word: &str) -> bool {
    let mut letters = word.split(|character: char| !character.is_ascii_alphabetic());
    letters.any(|run| run.len() >= 5)
}

/// Returns whether a text has a mailbox: a name, and behind `@` a host. Apps put their version there (`android@101.0`).
fn has_mailbox(text: &str) -> bool {
    let is_part =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.');
    let mut behind = text.split('@').skip(1);
    behind.any(|rest| {
        let host = rest.split(|character| !is_part(character)).next();
        let host = host.unwrap_or_default().trim_end_matches('.');
        // Spelled out so that no program reads it: `name@ example.org`, `name[at]`.
        let end = host.rsplit_once('.').map(|(_, end)| end);
        rest.starts_with(' ')
            || end.is_some_and(|end| {
                end.len() > 1 && end.bytes().all(|byte| byte.is_ascii_alphabetic())
            })
    })
}

/// Returns whether a word, in small letters, is the host of a site: browsers name none, and programs that of their owner. The package of an app
/// begins with what a host ends in.
fn is_host(word: &str) -> bool {
    // Two letters of a country end names of phones and of apps, too.
    const ENDS: &[&str] = &["com", "net", "org", "io", "co", "ai", "dev", "app"];
    let labels: Vec<&str> = word.split('.').collect();
    let (Some(first), Some(last)) = (labels.first(), labels.last()) else {
        return false;
    };
    labels.len() > 1
        && ENDS.contains(last)
        && !ENDS.contains(first)
        && !labels.contains(&"")
        && first.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Returns why the text as a whole shows a program; it is there in parts, without the name of the device.
pub(super) fn of_text(parts: &[&str], marks: &Marks) -> Option<Bot> {
    // A page to read about the crawler, or a mailbox.
    let addresses = ["http:", "https:", "www."];
    let has_address = parts
        .iter()
        .any(|part| addresses.iter().any(|one| part.contains(one)) || has_mailbox(part));
    if has_address {
        return Some(Bot::Crawler);
    }
    (!marks.has_engine()).then_some(Bot::NoEngine)
}
