//! What every page shows around its own content: the header with the apps and the person's menu. It owns the shape
//! of both and the small pieces (moments, initials) that many pages print; it never asks who somebody is.

use std::borrow::Cow;

use kernel::Time;

use super::Markup;
use super::view::AppView;
use crate::texts::{count, key, language, say};

/// The frame of a page.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The apps that the person may enter.
    pub apps: Vec<AppView>,
    /// Who looks at the page.
    pub viewer: Viewer,
}

/// Who looks at a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Viewer {
    /// Nobody has been asked: a page that failed before that. No menu.
    #[default]
    Unknown,
    /// Nobody is signed in; the path to come back to after signing in (empty: the start page).
    Visitor(String),
    /// Somebody is signed in.
    Person(PersonView),
}

/// A signed-in person, for the menu in the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonView {
    /// What they are called; may be empty.
    pub name: String,
    /// Their address; may be empty.
    pub email: String,
    /// Whether the admin pages are theirs.
    pub admin: bool,
}

impl PersonView {
    /// The name, else the address, else what is always true.
    pub fn label(&self) -> Cow<'_, str> {
        [self.name.as_str(), self.email.as_str()]
            .into_iter()
            .find(|text| !text.trim().is_empty())
            .map_or_else(|| say("Signed in").to_string().into(), Cow::Borrowed)
    }

    /// Up to two letters for the round picture.
    pub fn initials(&self) -> String {
        initials(&self.label())
    }
}

impl Viewer {
    /// The address of the page to sign in, from which one comes back here.
    pub fn sign_in_url(back: &str) -> String {
        if back.is_empty() || back == "/" {
            return "/sign-in".to_owned();
        }
        format!("/sign-in?return_to={}", encode(back))
    }

    /// Whether an admin looks.
    pub const fn is_admin(&self) -> bool {
        matches!(self, Viewer::Person(PersonView { admin: true, .. }))
    }
}

/// Percent-encodes a value for a query string.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Up to two letters that stand for a name or an address.
pub fn initials(label: &str) -> String {
    let local = label.split('@').next().unwrap_or(label);
    let letters: String = local
        .split(|c: char| !c.is_alphanumeric())
        .filter_map(|word| word.chars().next())
        .take(2)
        .flat_map(char::to_uppercase)
        .collect();
    if letters.is_empty() { "?".to_owned() } else { letters }
}

/// A moment: UTC for everybody, the person's own time where scripts run.
pub fn moment(at: Time) -> Markup {
    let stamp = at.rfc3339_seconds();
    let words = stamp.replace('T', " ");
    let words = words.get(..16).unwrap_or(&words);
    Markup(format!(r#"<time datetime="{stamp}" data-local>{words} UTC</time>"#))
}

/// A day: by UTC for everybody, by the person's own clock where scripts run.
pub fn day(at: Time) -> Markup {
    let stamp = at.rfc3339_seconds();
    let words = stamp.get(..10).unwrap_or(&stamp);
    Markup(format!(r#"<time datetime="{stamp}" data-local="day">{words}</time>"#))
}

/// A number of bytes, to two digits at least: `999 B`, `1.5 kB`, `20 MB`.
pub fn size(bytes: u64) -> String {
    let words = size_in_words(bytes);
    // Between words that run from the right, a number would stand behind its unit.
    match language().direction() {
        kernel::Direction::RightToLeft => format!("\u{2066}{words}\u{2069}"),
        kernel::Direction::LeftToRight => words,
    }
}

fn size_in_words(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1_000 {
        return format!("{bytes}\u{a0}B");
    }
    let mut unit: u128 = 1_000;
    for name in UNITS {
        // Tenths, rounded; whole ones from ten on. What rounds to a thousand belongs to the next unit.
        let tenths = (u128::from(bytes) * 10 + unit / 2) / unit;
        let whole = (u128::from(bytes) + unit / 2) / unit;
        if whole < 1_000 {
            let (ones, tenth) = (tenths / 10, tenths % 10);
            return match (ones, tenth) {
                (0..10, 1..) => format!("{ones}{}{tenth}\u{a0}{name}", language().decimal_mark()),
                (0..10, _) => format!("{ones}\u{a0}{name}"),
                _ => format!("{}\u{a0}{name}", grouped(u64::try_from(whole).unwrap_or(u64::MAX))),
            };
        }
        unit *= 1_000;
    }
    format!("{}\u{a0}EB", u128::from(bytes) / 1_000_000_000_000_000_000)
}

/// A number with thin spaces between its thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// How long ago something was, in the largest fitting unit.
pub fn ago(now: Time, then: Time) -> String {
    let seconds = now.since(then).as_secs();
    let words = match seconds {
        0..60 => say("just now"),
        60..3_600 => count("{count} minute ago|{count} minutes ago", seconds / 60),
        3_600..86_400 => count("{count} hour ago|{count} hours ago", seconds / 3_600),
        _ => count("{count} day ago|{count} days ago", seconds / 86_400),
    };
    words.to_string()
}

/// A service of the server as people read it.
pub(crate) fn service(name: &str) -> &str {
    match name {
        "database" => key("database"),
        "cache" => key("cache"),
        "vector_db" => key("vector search"),
        "model" => key("model"),
        other => other,
    }
}

/// The state of a service or of the server as people read it.
pub(crate) fn standing(state: &str) -> &str {
    match state {
        "healthy" => key("healthy"),
        "unhealthy" => key("unhealthy"),
        "operational" => key("operational"),
        "degraded" => key("degraded"),
        "down" => key("down"),
        "not_configured" => key("not configured"),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_come_from_names_and_addresses() {
        for (label, letters) in [
            ("Ada Lovelace", "AL"),
            ("ada.lovelace@example.com", "AL"),
            ("ada@example.com", "A"),
            ("élan vital", "ÉV"),
            ("", "?"),
            ("<script>", "S"),
        ] {
            assert_eq!(initials(label), letters, "{label}");
        }
    }

    #[test]
    fn ways_back_are_encoded() {
        assert_eq!(Viewer::sign_in_url(""), "/sign-in");
        assert_eq!(
            Viewer::sign_in_url("/apps/a?x=1&y=\"<"),
            "/sign-in?return_to=/apps/a%3Fx%3D1%26y%3D%22%3C"
        );
    }

    #[test]
    fn sizes_and_days_are_readable() {
        for (bytes, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 kB"),
            (1_549, "1.5 kB"),
            (9_960, "10 kB"),
            (20_000_000, "20 MB"),
            (999_499, "999 kB"),
            (999_500, "1 MB"),
            (1_234_567_890, "1.2 GB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(size(bytes), words.replace(' ', "\u{a0}"), "{bytes}");
        }
        let html = day(Time::from_seconds(1_000_000)).to_string();
        assert!(html.contains(">1970-01-12<") && html.contains("data-local=\"day\""), "{html}");
    }

    #[test]
    fn numbers_and_ages_are_readable() {
        assert_eq!(
            (grouped(999), grouped(1_000), grouped(1_234_567)),
            ("999".to_owned(), "1\u{202f}000".to_owned(), "1\u{202f}234\u{202f}567".to_owned())
        );
        let now = Time::from_seconds(1_000_000);
        let before = |seconds: i64| ago(now, Time::from_seconds(1_000_000 - seconds));
        assert_eq!(before(59), "just now");
        assert_eq!(before(60), "1 minute ago");
        assert_eq!(before(7_200), "2 hours ago");
        assert_eq!(before(200_000), "2 days ago");
        assert_eq!(before(-5), "just now");
        assert!(moment(now).to_string().contains("1970-01-12 13:46 UTC"));
    }
}
