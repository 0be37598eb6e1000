//! What a password must be: long enough, not one of those that are tried first, and not made of what everybody knows
//! about the account. Length counts; there are no rules about kinds of characters (NIST SP 800-63B-4, section 3.1.1.2).
//! It never hashes and never keeps a password.

use std::collections::BTreeSet;

use kernel::{Fault, Result, Secret};
use unicode_normalization::UnicodeNormalization as _;
use zxcvbn::matching::patterns::MatchPattern;
use zxcvbn::zxcvbn;

/// The most characters of a password.
pub const MOST_CHARS: usize = 256;
/// How many characters the estimator gets at once. Its time grows steeply (20 characters: 0.2 ms on average, 35 ms at
/// worst; 100 characters: up to 260 ms), and beyond 24 its numbers overflow on long walks over the keyboard.
const WINDOW: usize = 20;
/// A window that is guessed within a million attempts, written as a power of ten, is one that is tried first.
const WEAK: f64 = 6.0;
/// Fewer different letters than this beside known words are decoration.
const OWN_LETTERS: usize = 4;
/// Known words shorter than this say nothing, and more or longer ones than these are not looked at.
const SHORTEST_WORD: usize = 3;
const LONGEST_WORD: usize = 64;
const MOST_WORDS: usize = 64;

/// How long a password must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Least {
    /// It is all that protects the account: 15 characters.
    Alone,
    /// A second factor is asked for as well: 8 characters.
    WithSecondFactor,
}

impl Least {
    /// The least number of characters.
    pub const fn chars(self) -> usize {
        match self {
            Least::Alone => 15,
            Least::WithSecondFactor => 8,
        }
    }
}

/// What everybody knows about the owner of the password.
#[derive(Clone, Copy, Default, Debug)]
pub struct About<'a> {
    /// The address.
    pub email: &'a str,
    /// The name.
    pub name: &'a str,
}

/// Judges new passwords.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Words of the server: its name, its apps, its hosts.
    words: BTreeSet<String>,
}

impl Policy {
    /// With the words of this server beside its own name.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Policy {
        let mut known = BTreeSet::new();
        for word in std::iter::once("stoa").chain(words) {
            learn(&mut known, word);
        }
        Policy { words: known }
    }

    /// Whether this may become the password of somebody. If not: `invalid_input` with the field `password` and a
    /// sentence that says what to do. Takes a millisecond or less, 100 ms in the worst case: not for the event loop.
    pub fn judge(&self, password: &Secret<String>, about: About<'_>, least: Least) -> Result<()> {
        // Four bytes a character and the expansion of NFC: anything longer has more than the most characters.
        if password.expose().len() > MOST_CHARS * 12 {
            return Err(too_long());
        }
        let chars: Secret<Vec<char>> = Secret::new(password.expose().nfc().collect());
        let chars = chars.expose().as_slice();
        match chars.len() {
            0 => return Err(Fault::invalid("password", "missing", "a password is needed")),
            short if short < least.chars() => return Err(too_short(least)),
            long if long > MOST_CHARS => return Err(too_long()),
            _ => {}
        }
        let mut words = self.words.clone();
        learn(&mut words, about.email);
        learn(&mut words, about.name);
        if is_made_of(chars, &words) {
            return Err(Fault::invalid(
                "password",
                "too_common",
                "the password is made of your name, your address or a name of this server; choose words that have \
                 nothing to do with them",
            ));
        }
        if is_tried_first(chars, &words) {
            return Err(Fault::invalid(
                "password",
                "too_common",
                "the password is one of the first that attackers try; choose four or more words that do not belong \
                 together, or let a password manager make one",
            ));
        }
        Ok(())
    }
}

fn too_short(least: Least) -> Fault {
    let say = match least {
        Least::Alone => {
            "the password needs at least 15 characters; four or five words in a row are easy to keep in mind"
        }
        Least::WithSecondFactor => "the password needs at least 8 characters",
    };
    Fault::invalid("password", "too_short", say)
}

fn too_long() -> Fault {
    Fault::invalid("password", "too_long", "the password may have at most 256 characters")
}

/// Adds a text and the words that it is made of: `Ann.Example@mail.example.com` gives `ann`, `example`, `mail`, …
fn learn(known: &mut BTreeSet<String>, text: &str) {
    let lower: String = text.chars().take(LONGEST_WORD * 4).collect::<String>().to_lowercase();
    let lower: String = lower.nfkc().collect();
    let joined = |part: &str| part.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    // The part in front of the `@` as a whole, then everything between the marks.
    let whole = lower.split('@').map(joined);
    let parts = lower.split(|c: char| !c.is_alphanumeric()).map(str::to_owned);
    for word in whole.chain(parts) {
        let length = word.chars().count();
        if (SHORTEST_WORD..=LONGEST_WORD).contains(&length) && known.len() < MOST_WORDS {
            known.insert(word);
        }
    }
}

/// Nothing but known words, digits, marks and repetitions: read as it stands, and with digits read as the letters that
/// they look like.
fn is_made_of(password: &[char], words: &BTreeSet<String>) -> bool {
    let plain: String = password.iter().collect::<String>().to_lowercase().nfkc().collect();
    let read: String = plain.chars().map(looks_like).collect();
    [plain, read].into_iter().any(|text| {
        let mut rest: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
        let before = rest.len();
        let mut longest_first: Vec<&String> = words.iter().collect();
        longest_first.sort_by_key(|word| std::cmp::Reverse(word.len()));
        for word in longest_first {
            // The gap keeps what is left and right of a word from forming another one.
            rest = rest.replace(word.as_str(), " ");
        }
        let own: BTreeSet<char> = rest.chars().filter(|c| c.is_alphabetic()).collect();
        // Without any word this is a matter of the estimator: a password of digits can be a good one.
        rest.len() < before && own.len() < OWN_LETTERS && digits_are_decoration(rest.chars())
    })
}

/// A dozen and more digits that are no mere run or repetition are not decoration any more.
fn digits_are_decoration(text: impl Iterator<Item = char>) -> bool {
    let digits: Vec<char> = text.filter(char::is_ascii_digit).collect();
    let different = digits.iter().collect::<BTreeSet<_>>().len();
    digits.len() < 12 || different < 6
}

const fn looks_like(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        '9' => 'g',
        other => other,
    }
}

/// One of the passwords that everybody tries first, also when it is decorated, repeated or typed along the keyboard.
fn is_tried_first(password: &[char], words: &BTreeSet<String>) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let unit = unit(password);
    let core = trimmed(unit, |c| c.is_alphabetic());
    if !core.is_empty()
        && core.len() <= WINDOW
        && digits_are_decoration(unit.iter().copied())
        && is_listed(core, &words)
    {
        return true;
    }
    // Marks at the ends are decoration while they are the lesser part.
    let bare = trimmed(unit, |c| !c.is_ascii_punctuation() && !c.is_whitespace());
    let bare = if bare.len() * 2 < unit.len() { unit } else { bare };
    // What is long is weak only when every part of it is.
    bare.chunks(WINDOW).all(|window| {
        let window: Secret<String> = Secret::new(window.iter().collect());
        zxcvbn(window.expose(), &words).guesses_log10() < WEAK
    })
}

/// The shortest text that makes the password when it is repeated, the last time perhaps not to its end.
fn unit(password: &[char]) -> &[char] {
    let period = (1..=password.len().div_ceil(2))
        .find(|period| password.iter().zip(password.iter().skip(*period)).all(|(one, two)| one == two));
    password.get(..period.unwrap_or(password.len())).unwrap_or(password)
}

/// Without what is not kept at both ends.
fn trimmed(text: &[char], keep: impl Fn(char) -> bool) -> &[char] {
    let from = text.iter().position(|c| keep(*c)).unwrap_or(text.len());
    let to = text.iter().rposition(|c| keep(*c)).map_or(from, |at| at + 1);
    text.get(from..to).unwrap_or_default()
}

/// As a whole in the list of common passwords, or a known word, in any case, spelling or direction.
fn is_listed(core: &[char], words: &[&str]) -> bool {
    let core: Secret<String> = Secret::new(core.iter().collect());
    match zxcvbn(core.expose(), words).sequence() {
        [only] => matches!(only.pattern, MatchPattern::Dictionary(_)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(password: &str, least: Least) -> Result<()> {
        let policy = Policy::new(["assistant", "Customer Support", "chat.acme-corp.example"]);
        let about = About { email: "ann.miller+stoa@mail.example.com", name: "Ann-Sophie Müller" };
        policy.judge(&Secret::new(password.to_owned()), about, least)
    }

    fn code(password: &str, least: Least) -> Option<&'static str> {
        judge(password, least).err().map(|fault| {
            assert_eq!(fault.fields().len(), 1);
            assert_eq!(fault.fields()[0].field, "password");
            fault.fields()[0].code
        })
    }

    #[test]
    fn characters_are_counted_after_composition() {
        let fourteen = "vq tzjk mwhx bp";
        assert_eq!(fourteen.chars().count(), 15);
        assert_eq!(code(fourteen, Least::Alone), None);
        assert_eq!(code(&fourteen[1..], Least::Alone), Some("too_short"));
        // Seven characters of two code points each become seven; of four bytes each stay seven.
        let decomposed = "u\u{308}e\u{302}".repeat(3) + "o\u{308}";
        assert_eq!(code(&decomposed, Least::WithSecondFactor), Some("too_short"));
        assert_eq!(code("🦊🎻🧊🌵🪐🧭🥨", Least::WithSecondFactor), Some("too_short"));
        assert_eq!(code("🦊🎻🧊🌵🪐🧭🥨🛶", Least::WithSecondFactor), None);
        assert_eq!(code("", Least::WithSecondFactor), Some("missing"));
    }

    #[test]
    fn the_longest_is_256_characters() {
        let varied: String =
            (0..256_u32).map(|at| char::from_u32(0x4e00 + at * 37 % 20_000).unwrap()).collect();
        assert_eq!(code(&varied, Least::Alone), None);
        assert_eq!(code(&format!("{varied}x"), Least::Alone), Some("too_long"));
        assert_eq!(code(&"x".repeat(1_000_000), Least::Alone), Some("too_long"));
    }

    #[test]
    fn no_kind_of_character_is_asked_for_or_forbidden() {
        for password in [
            "correct horse battery staple",
            "purple monkey dishwasher lamp",
            "zwölf boxkämpfer jagen eva",
            "съешь ещё этих мягких булок",
            "いろはにほへとちりぬるをわかよたれそ",
            "829304710562839417",
            "THE TRAIN LEAVES AT DAWN",
            "tab\tand space\u{a0}inside",
        ] {
            assert_eq!(code(password, Least::Alone), None, "{password}");
        }
        for password in ["kzQp3vXa", "x7#kQ2pL", "mauve-ibex"] {
            assert_eq!(code(password, Least::WithSecondFactor), None, "{password}");
        }
    }

    #[test]
    fn common_passwords_are_refused_however_they_are_decorated() {
        for password in [
            "password",
            "Password1",
            "P@ssw0rd!",
            "12345678",
            "qwertyuiop",
            "iloveyou",
            "sunshine99",
            "Football!",
            "letmein12345",
            "11111111",
            "abcdefgh",
            "drowssap1",
            "1qaz2wsx",
            "superman2024",
            "!!trustno1!!",
        ] {
            assert_eq!(code(password, Least::WithSecondFactor), Some("too_common"), "{password}");
        }
        for password in [
            "P@ssw0rd2024!!!!",
            "passwordpassword",
            "password password password",
            "1234567890123456",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "qwertyuiopasdfgh",
            "Sommer2024Sommer2024",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "iloveyouiloveyou1",
            "2024-01-01-2024-01-01",
            "!!!!!!!!!!!!!!!!",
            &"password".repeat(30),
            &"123".repeat(80),
        ] {
            assert_eq!(code(password, Least::Alone), Some("too_common"), "{password}");
        }
    }

    #[test]
    fn what_everybody_knows_is_no_password() {
        for password in [
            "ann.miller2024",
            "AnnMiller!!!",
            "st0ast0a",
            "Stoa1234567",
            "4nnM1ll3r",
            "sophie-2023",
            "müller1990",
            "assistant",
            "Support#1",
            "acmecorp99",
            "mail.example.com",
            "annannann",
        ] {
            assert_eq!(code(password, Least::WithSecondFactor), Some("too_common"), "{password}");
        }
        for password in [
            "ann.miller+stoa@mail.example.com",
            "stoastoastoastoa",
            "AnnMillerAnnMiller1!",
            "Stoa-Assistant-2026!",
            "customersupport!!!!!",
            "chat.acme-corp.example",
            "M\u{fc}ller-M\u{fc}ller-12345",
            "Mu\u{308}llerMu\u{308}ller1990",
        ] {
            assert_eq!(code(password, Least::Alone), Some("too_common"), "{password}");
        }
        // A known word among others does no harm.
        assert_eq!(code("ann keeps bees upstairs", Least::Alone), None);
        assert_eq!(code("stoa 829304710562839417", Least::Alone), None);
    }

    #[test]
    fn the_sentence_says_what_to_do_and_never_repeats_the_password() {
        for password in ["hunter2", "hunter2hunter2hunter2", &"hunter2".repeat(99)] {
            let fault = judge(password, Least::Alone).unwrap_err();
            assert!(!format!("{fault:?}").contains("hunter"), "{fault:?}");
            assert!(fault.message().len() > 40, "{fault}");
        }
    }

    #[test]
    fn no_input_breaks_the_estimator() {
        // Walks over keyboard and keypad, look-alikes, dates: what its search branches on.
        let rows = [
            "qazwsxedcrfvtgbyhnujmikolp",
            "4@8({[<361!|0$5+7%2",
            "7410852963/*-+.",
            "01/02/2003.4-5",
            "aA4@ÄｱI l1",
        ];
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for row in rows {
            let row: Vec<char> = row.chars().collect();
            for length in [8, 15, 19, 20, 21, 39, 40, 41, 64, 255, 256] {
                let password: String = (0..length)
                    .map(|_| {
                        state ^= state << 13;
                        state ^= state >> 7;
                        state ^= state << 17;
                        row[(state % row.len() as u64) as usize]
                    })
                    .collect();
                let _ = judge(&password, Least::WithSecondFactor);
                let straight: String = row.iter().cycle().take(length).collect();
                let _ = judge(&straight, Least::WithSecondFactor);
            }
        }
    }
}
