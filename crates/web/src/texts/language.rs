//! Which language a request is answered in: the one that the account has, else the one that was chosen in the menu (a
//! cookie), else the best of those that the browser asks for, else English.

use std::cell::Cell;

use http::header::{ACCEPT_LANGUAGE, COOKIE as COOKIES, REFERER};
use http::{HeaderMap, Method, Uri};
use kernel::Language;

/// The cookie with the language that was chosen in the menu.
pub(crate) const COOKIE: &str = "stoa_language";

/// So many languages of a browser's wish are read; whoever sends more means mischief.
const MOST: usize = 32;

/// Who reads an answer.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    /// Known better once it is known who they are.
    pub(super) language: Cell<Language>,
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
        Reader { language: Cell::new(asked_for(headers).unwrap_or_default()), path }
    }
}

/// The language that was chosen in the menu or that the browser asks for; `None` where neither says one that is known.
pub(crate) fn asked_for(headers: &HeaderMap) -> Option<Language> {
    chosen(headers).or_else(|| wished(headers))
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
