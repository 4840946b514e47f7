//! Browsers, systems and devices, by the words of a user agent.

use super::Browser;

/// Kind of device.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// A computer.
    #[default]
    Desktop,
    /// A phone.
    Mobile,
    /// A tablet.
    Tablet,
    /// A television or a console.
    Tv,
}

impl Device {
    /// Returns its name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Mobile => "mobile",
            Self::Tablet => "tablet",
            Self::Tv => "tv",
        }
    }

    /// Returns the stored name of a device; that of [`Device::Desktop`] for one that is not known.
    #[must_use]
    pub fn stored(name: &str) -> &'static str {
        let all = [Self::Mobile, Self::Tablet, Self::Tv];
        let known = all.into_iter().find(|device| device.as_str() == name);
        known.unwrap_or_default().as_str()
    }
}

/// Hints that browsers send with every request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// `Sec-CH-UA`.
    pub brands: &'a str,
    /// `Sec-CH-UA-Platform`.
    pub platform: &'a str,
    /// `Sec-CH-UA-Mobile`.
    pub mobile: &'a str,
}

/// Brands that look like Chrome in the text.
const BRANDS: &[(&str, &str)] = &[
    ("\"Brave\"", "Brave"),
    ("\"Microsoft Edge\"", "Edge"),
    ("\"Opera\"", "Opera"),
    ("\"Vivaldi\"", "Vivaldi"),
    ("\"DuckDuckGo\"", "DuckDuckGo"),
];

const PLATFORMS: &[(&str, &str)] = &[
    ("Windows", "Windows"),
    ("macOS", "macOS"),
    ("Linux", "Linux"),
    ("Android", "Android"),
    ("Chrome OS", "ChromeOS"),
    ("Chromium OS", "ChromeOS"),
    ("iOS", "iOS"),
];

impl Hints<'_> {
    /// Returns whether a brand is that of a browser without a window.
    #[must_use]
    pub fn is_headless(&self) -> bool {
        self.brands.contains("HeadlessChrome")
    }

    fn browser(&self) -> Option<&'static str> {
        let brand = BRANDS.iter().find(|(brand, _)| self.brands.contains(brand));
        brand.map(|(_, name)| *name)
    }

    fn os(&self) -> Option<&'static str> {
        let platform = self.platform.trim_matches('"');
        let known = PLATFORMS.iter().find(|(name, _)| *name == platform);
        known.map(|(_, name)| *name)
    }
}

/// Browsers in the order in which they are decided: one that is built on another names that one, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Product {
    Named(&'static str),
    WebView,
    Chrome,
    Safari,
    AndroidBrowser,
}

/// What the words of a user agent showed.
#[derive(Debug, Default)]
pub(super) struct Marks {
    mozilla: bool,
    engine: bool,
    gecko: bool,
    named: Option<&'static str>,
    chrome: Option<u32>,
    firefox: Option<u32>,
    safari: bool,
    version: bool,
    web_view: bool,
    os: Option<&'static str>,
    windows: Option<&'static str>,
    mobile: bool,
    tablet: bool,
    tv: bool,
    msie: bool,
    ios: bool,
    android: bool,
    impossible: bool,
}

impl Marks {
    /// Notes a word; returns whether browsers have it.
    pub(super) fn note(&mut self, word: &str, version: &str) -> bool {
        if matches!(word, "EdgiOS" | "CriOS" | "FxiOS") {
            // As it asks for the page of a computer it calls itself a Macintosh.
            self.os = Some("iOS");
            self.ios = true;
        }
        match word {
            "Mozilla" => self.mozilla = true,
            "AppleWebKit" | "Trident" | "Presto" | "Goanna" | "KHTML" => self.engine = true,
            "Gecko" => {
                self.gecko = true;
                self.engine |= !version.is_empty();
            }
            "like" | "X11" | "U" | "compatible" | "Win64" | "x64" | "WOW64" | "x86_64" | "i686"
            | "Intel" | "CPU" | "X" | "K" | "OS" | "Build" | "rv" | "en-us" | "en-US" | "NT"
            | "aarch64" | "armv7l" | "armv8l" => {}
            "Safari" => self.safari = true,
            "Version" => self.version = true,
            "Chrome" | "CriOS" | "Chromium" => self.chrome = Some(major(version)),
            "Firefox" | "FxiOS" => self.firefox = Some(major(version)),
            "wv" => self.web_view = true,
            // A system to browsers of old phones, which name its maker (`Java/Jbed`); a library with its version.
            "Java"
                if !version.starts_with(|first: char| first.is_ascii_digit()) && self.mozilla => {}
            "Mobile" => self.mobile = true,
            "Tablet" => self.tablet = true,
            _ => return self.note_browser(word, version) || self.note_system(word),
        }
        true
    }

    fn note_browser(&mut self, word: &str, version: &str) -> bool {
        let name = match word {
            "Edg" | "EdgA" | "EdgiOS" | "Edge" | "EdgW" => "Edge",
            "OPR" | "OPT" | "OPiOS" | "OPX" | "Opera" => "Opera",
            "SamsungBrowser" => "Samsung Internet",
            "YaBrowser" | "YaApp_Android" => "Yandex Browser",
            "Vivaldi" => "Vivaldi",
            "UCBrowser" | "UBrowser" | "UCMobile" => "UC Browser",
            "DuckDuckGo" | "Ddg" => "DuckDuckGo",
            "Brave" | "brave" => "Brave",
            "QQBrowser" | "MQQBrowser" => "QQ Browser",
            "MiuiBrowser" => "MIUI Browser",
            // `XiaoMi/MiuiBrowser/14.5`.
            "XiaoMi" if version.starts_with("MiuiBrowser") => "MIUI Browser",
            "HuaweiBrowser" => "Huawei Browser",
            "HeyTapBrowser" => "HeyTap Browser",
            "VivoBrowser" => "Vivo Browser",
            "Whale" => "Whale",
            "Silk" => "Silk",
            "Puffin" => "Puffin",
            "Ecosia" => "Ecosia",
            "OculusBrowser" => "Meta Quest Browser",
            "Maxthon" | "MxBrowser" => "Maxthon",
            "Epiphany" => "GNOME Web",
            "Falkon" => "Falkon",
            "Konqueror" | "konqueror" => "Konqueror",
            "SeaMonkey" => "SeaMonkey",
            "PaleMoon" => "Pale Moon",
            "Waterfox" => "Waterfox",
            "LibreWolf" => "LibreWolf",
            "GSA" => "Google app",
            "FBAN" | "FBAV" | "FB_IAB" => "Facebook app",
            "Instagram" => "Instagram app",
            "Line" => "Line app",
            "MicroMessenger" => "WeChat app",
            "Snapchat" => "Snapchat app",
            "Pinterest" => "Pinterest app",
            "LinkedInApp" => "LinkedIn app",
            "BytedanceWebview" | "musical_ly" | "TikTok" => "TikTok app",
            // Others that are built on it name it, too.
            "MSIE" | "IEMobile" => {
                self.msie = true;
                return true;
            }
            _ => return false,
        };
        if matches!(word, "Silk" | "OculusBrowser") {
            // Devices of its maker alone have it, whatever system they state.
            self.os = Some("Android");
            self.android = true;
        }
        self.named.get_or_insert(name);
        true
    }

    fn note_system(&mut self, word: &str) -> bool {
        let (os, mobile, tablet) = match word {
            "Windows" | "WindowsCE" => ("Windows", false, false),
            "iPhone" | "iPod" => ("iOS", true, false),
            "iOS" => ("iOS", false, false),
            "iPad" => ("iOS", false, true),
            "Macintosh" | "Mac" | "Mac_PowerPC" => ("macOS", false, false),
            "Android" => ("Android", false, false),
            "CrOS" => ("ChromeOS", false, false),
            "Linux" | "Ubuntu" | "Fedora" | "Debian" => ("Linux", false, false),
            "HarmonyOS" | "OpenHarmony" => ("HarmonyOS", false, false),
            "KAIOS" | "KaiOS" => ("KaiOS", true, false),
            "FreeBSD" => ("FreeBSD", false, false),
            "OpenBSD" => ("OpenBSD", false, false),
            "NetBSD" => ("NetBSD", false, false),
            "SunOS" => ("Solaris", false, false),
            "Tizen" => ("Tizen", false, false),
            "Web0S" | "WebOS" | "webOS" => ("webOS", false, false),
            "hpwOS" => ("webOS", false, true),
            "PlayStation" | "Xbox" | "Nintendo" => ("Console", false, false),
            "GoogleTV" => ("Android", false, false),
            "Fuchsia" => ("Fuchsia", false, false),
            "Sailfish" => ("Sailfish", true, false),
            "MeeGo" => ("MeeGo", true, false),
            "Bada" => ("Bada", true, false),
            "BB10" | "BlackBerry" => ("BlackBerry", true, false),
            "PlayBook" => ("BlackBerry", false, true),
            "Symbian" | "SymbianOS" | "Series60" | "SymbOS" => ("Symbian", true, false),
            "Series40" | "Series30Plus" => ("Series 40", true, false),
            "Phone" | "ZuneWP7" | "XBLWP7" => ("Windows Phone", true, false),
            _ => return self.note_screen(word),
        };
        self.tv |= word == "GoogleTV";
        self.ios |= os == "iOS";
        self.android |= os == "Android";
        self.mobile |= mobile;
        self.tablet |= tablet;
        self.tv |= os == "Console";
        // Android states Linux before it, iOS `Mac OS X` after it.
        let rank = |os: &str| match os {
            "Linux" => 0,
            "macOS" | "Windows" => 1,
            "Android" => 2,
            _ => 3,
        };
        if self.os.is_none_or(|known| rank(known) < rank(os)) {
            self.os = Some(os);
        }
        true
    }

    fn note_screen(&mut self, word: &str) -> bool {
        let is_tv = matches!(
            word,
            "SMART-TV"
                | "SmartTV"
                | "Smart-TV"
                | "AppleTV"
                | "BRAVIA"
                | "CrKey"
                | "HbbTV"
                | "NetCast"
                | "TV"
                | "AFTT"
                | "AFTS"
        );
        self.tv |= is_tv;
        is_tv
    }

    /// Returns whether it names itself as browsers do, and an engine.
    pub(super) fn has_engine(&self) -> bool {
        let has_engine = self.engine || self.gecko && self.firefox.is_some();
        (self.mozilla || matches!(self.named, Some("Opera"))) && has_engine
    }

    fn product(&self) -> Option<Product> {
        if let Some(name) = self.named {
            Some(Product::Named(name))
        } else if self.msie {
            Some(Product::Named("Internet Explorer"))
        } else if self.firefox.is_some() {
            Some(Product::Named("Firefox"))
        } else if self.chrome.is_some() {
            // The first ones do not say so: a browser of Android states no version before that of Chrome.
            Some(if self.web_view || self.android && self.version {
                Product::WebView
            } else {
                Product::Chrome
            })
        } else if self.safari && self.android && self.version {
            Some(Product::AndroidBrowser)
        } else if self.safari || self.ios {
            Some(Product::Safari)
        } else {
            None
        }
    }

    /// Returns the browser.
    pub(super) fn browser(&self, hints: &Hints<'_>, year: i16) -> Browser {
        let named = match self.product() {
            Some(Product::Named(name)) => name,
            Some(Product::Chrome) => hints.browser().unwrap_or("Chrome"),
            Some(Product::WebView) => "Android WebView",
            Some(Product::Safari) => "Safari",
            Some(Product::AndroidBrowser) => "Android Browser",
            None if self.engine && self.os == Some("Windows") => "Internet Explorer",
            None => "",
        };
        // Firefox of a phone that names no system is one.
        let of_firefox = (self.gecko && self.firefox.is_some() && (self.mobile || self.tablet))
            .then_some("Firefox OS");
        let os = hints.os().or(self.windows).or(self.os).or(of_firefox);
        let os = os.unwrap_or_default();
        let is_handheld = self.mobile || self.tablet;
        let device = if self.tv || matches!(os, "Tizen" | "webOS") && !is_handheld {
            Device::Tv
        } else if self.tablet {
            Device::Tablet
        } else if self.mobile || hints.mobile == "?1" {
            Device::Mobile
        } else if self.android {
            Device::Tablet
        } else {
            Device::Desktop
        };
        Browser {
            browser: named.to_owned(),
            os: os.to_owned(),
            device,
            suspect: self.impossible || self.is_too_new(year) || os.is_empty(),
        }
    }

    /// Returns whether a version is one that cannot have been released in this year. Chrome 131 came out in November 2024
    /// and Firefox 133 in the same month; both release thirteen versions a year.
    fn is_too_new(&self, year: i16) -> bool {
        /// Versions a year, and those that a slow clock or a nightly build may be ahead.
        const YEARLY: u32 = 13;
        const AHEAD: u32 = 4;
        let years = u32::try_from(i32::from(year) - 2024).unwrap_or(0);
        let newest = |at_end_of_2024: u32| at_end_of_2024 + years * YEARLY + AHEAD;
        self.chrome.is_some_and(|major| major > newest(132))
            || self.firefox.is_some_and(|major| major > newest(134))
    }
}

/// Returns the first number of a version.
fn major(version: &str) -> u32 {
    let digits = version.split('.').next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}
