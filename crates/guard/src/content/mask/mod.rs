//! Takes personal data and credentials out of a text. It owns the recognisers and the walk over the text.
//! It never logs, stores or sends anything, and it keeps nothing of a text that it has seen.
//!
//! | kind | mask | recognised by | taken out |
//! |---|---|---|---|
//! | `email` | `[EMAIL]` | local part, `@` or `%40`, domain with a top level of letters | always |
//! | `phone` | `[PHONE]` | E.164 with `+` or `00`; national shapes; bare digits beside a word such as `phone` | always |
//! | `card` | `[CARD]` | issuer prefix, length, Luhn | always |
//! | `iban` | `[IBAN]` | country, length, check modulo 97 | always |
//! | `ssn` | `[SSN]` | issued ranges; without hyphens only beside a word such as `ssn` | always |
//! | `ip` | `[IP]` | IPv4, IPv6; not loopback, unspecified, broadcast, not after `version` | always |
//! | `mac` | `[MAC]` | six pairs | always |
//! | `secret` | `[SECRET]` | known prefixes, JWT, private keys, `Bearer`, `Basic`, values of `password=` and the like | always |
//! | `url_credentials` | `[URL_CREDENTIALS]` | what stands before `@` in a URL | always |
//! | `url` | `[URL]` | `scheme://…`, `www.…` | by [`Masker::everything`] alone |
//! | `name`, `address`, `date`, `age` | `[NAME]`, … | how words are written and what stands around them | by [`mask_broadly`] alone |
//!
//! Left alone: times of RFC 3339, dates, UUIDs, trace ids, hashes, durations, versions. In a JSON document a masked
//! number becomes `0`, a masked text keeps its quotes; the document stays valid. Digits of other scripts (full-width,
//! Arabic-Indic) are not folded.
//!
//! Why hand-written recognisers and not a union of regular expressions: each decision knows whether it looked past
//! the end of the text, which makes the stream exact at every split; nothing is compiled at start; and digits with
//! separators need code in any case.

mod address;
mod broad;
mod card;
mod context;
mod email;
mod iban;
mod kind;
mod number;
mod pair;
mod phone;
mod scan;
mod secret;
mod shape;
mod ssn;
mod stream;
#[cfg(test)]
mod tests;
mod token;
mod url;
mod view;
mod words;

use std::borrow::Cow;
use std::ops::Range;

pub use broad::{find_broadly, mask_broadly};
pub use kind::PiiKind;
pub use stream::StreamMasker;

use scan::{Hit, Memory, Step, Wanted, step};
use view::View;

/// A place with personal data or a credential.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// What it is.
    pub kind: PiiKind,
    /// Where it is, in bytes.
    pub range: Range<usize>,
}

/// Takes personal data and credentials out of texts. Cheap to copy; holds no state.
#[derive(Clone, Copy)]
pub struct Masker {
    wanted: Wanted,
}

static STANDARD: Masker = Masker { wanted: Wanted { url: false } };
static EVERYTHING: Masker = Masker { wanted: Wanted { url: true } };

impl Masker {
    /// The mask of the log: everything but whole URLs.
    pub fn standard() -> &'static Masker {
        &STANDARD
    }

    /// Whole URLs too.
    pub fn everything() -> &'static Masker {
        &EVERYTHING
    }

    /// The text with each find replaced by its mask; the text itself, borrowed, when nothing was found.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut masked = String::new();
        let mut copied = 0;
        for hit in self.walk(text) {
            if masked.is_empty() {
                masked.reserve(text.len());
            }
            masked.push_str(text.get(copied..hit.start).unwrap_or_default());
            masked.push_str(hit.mask());
            copied = hit.end;
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        masked.push_str(text.get(copied..).unwrap_or_default());
        Cow::Owned(masked)
    }

    /// Every find, in the order of the text; none overlap.
    pub fn find(&self, text: &str) -> Vec<Found> {
        self.walk(text).map(|hit| Found { kind: hit.kind, range: hit.start..hit.end }).collect()
    }

    /// A mask for a text that comes in pieces.
    pub fn stream(&self) -> StreamMasker {
        StreamMasker::new(self.wanted)
    }

    fn walk<'t>(&self, text: &'t str) -> Walk<'t> {
        Walk { view: View::new(text.as_bytes()), at: 0, wanted: self.wanted, memory: Memory::default() }
    }
}

struct Walk<'t> {
    view: View<'t>,
    at: usize,
    wanted: Wanted,
    memory: Memory,
}

impl Iterator for Walk<'_> {
    type Item = Hit;

    fn next(&mut self) -> Option<Hit> {
        while self.at < self.view.len() {
            match step(&self.view, self.at, self.wanted, &mut self.memory) {
                Step::Pass(next) => self.at = next,
                Step::Mask(hit) => {
                    self.at = hit.end;
                    return Some(hit);
                }
            }
        }
        None
    }
}
