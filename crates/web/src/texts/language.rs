//! Which languages there are, and which one a request is answered in: the one that was chosen in the menu (a cookie),
//! else the best of those that the browser asks for, else English.

use http::header::{ACCEPT_LANGUAGE, COOKIE as COOKIES, REFERER};
use http::{HeaderMap, Method, Uri};

/// The cookie with the language that was chosen in the menu.
pub(crate) const COOKIE: &str = "stoa_language";

/// So many languages of a browser's wish are read; whoever sends more means mischief.
const MOST: usize = 32;

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    /// The language in which everything is written first.
    #[default]
    English,
    German,
    Spanish,
    French,
    Arabic,
}

/// Where lines begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    LeftToRight,
    RightToLeft,
}

impl Direction {
    /// The value of `dir`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Direction::LeftToRight => "ltr",
            Direction::RightToLeft => "rtl",
        }
    }
}

impl Language {
    /// All of them, as the menu lists them.
    pub(crate) const ALL: [Language; 5] =
        [Language::English, Language::German, Language::Spanish, Language::French, Language::Arabic];

    /// The tag of BCP 47.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
            Language::Spanish => "es",
            Language::French => "fr",
            Language::Arabic => "ar",
        }
    }

    /// What its speakers call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::German => "Deutsch",
            Language::Spanish => "Español",
            Language::French => "Français",
            Language::Arabic => "العربية",
        }
    }

    /// Where its lines begin.
    pub(crate) const fn direction(self) -> Direction {
        match self {
            Language::Arabic => Direction::RightToLeft,
            _ => Direction::LeftToRight,
        }
    }

    /// What stands before the decimals of a number.
    pub(crate) const fn decimal_mark(self) -> char {
        match self {
            Language::English | Language::Arabic => '.',
            _ => ',',
        }
    }

    /// The language of a tag, whatever country follows: `de-AT` is German.
    pub(crate) fn parse(tag: &str) -> Option<Language> {
        let primary = tag.trim().split('-').next().unwrap_or_default();
        Language::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The form for this number, of forms that stand side by side. The rules are those of CLDR 45 for whole numbers
    /// in digits; the "many" of Spanish and French, for a million in words, reads like "other" there.
    pub(crate) fn form(self, forms: &str, number: u64) -> &str {
        let place = match self {
            Language::English | Language::German | Language::Spanish => usize::from(number != 1),
            Language::French => usize::from(number > 1),
            Language::Arabic => match (number, number % 100) {
                (0..=2, rest) => usize::try_from(rest).unwrap_or(5),
                (_, 3..=10) => 3,
                (_, 11..=99) => 4,
                _ => 5,
            },
        };
        // A text without a translation has the two forms of English.
        let several = forms.split('|').count();
        let place = if several == 2 && self == Language::Arabic { usize::from(number != 1) } else { place };
        forms.split('|').nth(place).unwrap_or(forms)
    }

    /// The language of a request.
    fn of(headers: &HeaderMap) -> Language {
        chosen(headers).or_else(|| wished(headers)).unwrap_or_default()
    }
}

/// Who reads an answer.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(super) language: Language,
    /// The address that they asked for.
    pub(super) path: String,
}

impl Reader {
    /// Who sent this request.
    pub(crate) fn of(method: &Method, uri: &Uri, headers: &HeaderMap) -> Reader {
        let path = if method == Method::GET {
            uri.path_and_query().map_or_else(String::new, ToString::to_string)
        } else {
            came_from(headers).unwrap_or_default()
        };
        Reader { language: Language::of(headers), path }
    }
}

/// The page whose form was sent: an address that takes forms alone shows nothing to whoever comes back to it.
fn came_from(headers: &HeaderMap) -> Option<String> {
    let page: Uri = headers.get(REFERER)?.to_str().ok()?.parse().ok()?;
    Some(page.path_and_query()?.to_string())
}

fn chosen(headers: &HeaderMap) -> Option<Language> {
    let lines = headers.get_all(COOKIES).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).and_then(|(_, value)| Language::parse(value))
}

/// RFC 9110 section 12.5.4: the one with the greatest weight that is known, the first of equals.
fn wished(headers: &HeaderMap) -> Option<Language> {
    let lines = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|line| line.to_str().ok());
    let mut best: Option<(f32, Language)> = None;
    for wish in lines.flat_map(|line| line.split(',')).take(MOST) {
        let (tag, parameters) = wish.split_once(';').unwrap_or((wish, "q=1"));
        let weight = parameters.trim().strip_prefix("q=").and_then(|text| text.trim().parse::<f32>().ok());
        let weight = weight.filter(|weight| *weight > 0.0 && *weight <= 1.0);
        let (Some(weight), Some(language)) = (weight, Language::parse(tag)) else { continue };
        if best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}
