//! Refuses what only fills the line: the same text again and again, texts of one repeated thing, and, while somebody sends
//! more in a moment than people write, what spam is sent for. It owns a bounded memory of short hashes per caller, never
//! of texts; where several processes share a Redis, they share it. It never judges what a text means.
//!
//! | rule | refused when |
//! |---|---|
//! | repeats | the same text (without case, spaces and signs) comes a 4th time within 60 s from one caller; below 20 letters a 6th time; up to 12 letters (`yes`, `ok`, `next please`) a 31st time |
//! | near repeats | from 60 letters on a text counts as the same when few words, numbers or codes in it differ (`near.rs`) |
//! | burst | a caller's 9th message within 10 s, of one who came within the last minute the 6th: while that lasts the same text a 3rd time (below 20 letters a 4th), and more than 3 links; such a burst is put before people once an hour |
//! | one character | a character but space, line, `-`, `=`, `_`, `*`, `.`, `#` comes more than 200 times in a row, or fills over 80 % of a text of more than 200 characters |
//! | one word | a text of more than 50 words of which one word makes over 80 %, or of more than 200 words with fewer than 4 % different ones |
//! | links | more than 10 links that make over half of the text, or more than 5 that make over 70 % |
//! | gibberish | a word of more than 100 letters in a row without a vowel, or a text of more than 300 letters of which fewer than 8 % are vowels, in text of the Latin alphabet without digits and signs of code |
//!
//! A burst by itself refuses nothing: how much may be sent is for the limits to say. The rules of repeats and bursts are for
//! people: a program may well ask the same again and again, so for keys [`check`] (the rules about a text by itself) is
//! enough.

mod flood;
mod near;
mod repeats;
mod shared;

use std::hash::{BuildHasher, DefaultHasher, Hasher};
use std::time::Duration;

use kernel::{Code, Fault, Result, Time};

use super::normal::normalise;
use crate::limits::Limiter;
use repeats::Repeats;
use shared::Shared;

pub use flood::check;

/// How long a text is remembered.
const SPAN: Duration = Duration::from_secs(60);
/// A burst is counted in this time.
const MOMENT: Duration = Duration::from_secs(10);
/// How long somebody is new.
const NEW: Duration = Duration::from_secs(60);
/// Texts and messages of a caller that are remembered.
const REMEMBERED: usize = 8;
/// A burst is put before people once in this time.
const TOLD: Duration = Duration::from_secs(3_600);

/// Longest text, in letters, that is a short answer.
const SHORT: usize = 12;
/// From so many letters on a text is a long one.
const LONG: usize = 20;

/// Messages within [`MOMENT`] that are no burst yet.
const MANY: u32 = 8;
/// The same of somebody who is new.
const MANY_OF_NEW: u32 = 5;

/// Keeps spam out. One for the process; share it by reference.
pub struct SpamGuard {
    memory: Repeats,
    shared: Option<Shared>,
    hasher: Keyed,
}

/// Hashes under a key, so that nobody can choose texts or names that collide.
#[derive(Clone)]
struct Keyed([u8; 32]);

impl BuildHasher for Keyed {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.0);
        hasher
    }
}

/// A message as it is remembered.
#[derive(Clone, Copy)]
struct Sent {
    caller: u64,
    hash: u64,
    sketch: Option<u64>,
}

/// How the caller of a message stands with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Standing {
    /// How often the text has come within [`SPAN`].
    times: u32,
    /// How many messages have come within [`MOMENT`].
    lately: u32,
    /// The caller came within [`NEW`].
    new: bool,
    /// People have heard of a burst of this caller within [`TOLD`].
    told: bool,
}

impl Standing {
    const fn hasty(self) -> bool {
        self.lately > if self.new { MANY_OF_NEW } else { MANY }
    }
}

/// What was noticed about a message that passes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Noticed {
    /// Its caller sends more in a moment than people write, and nobody has heard of that lately.
    pub burst: bool,
}

impl SpamGuard {
    /// A guard that has seen nothing. Those that are to know each other's hashes have the same key.
    pub fn new(key: [u8; 32]) -> SpamGuard {
        SpamGuard { memory: Repeats::default(), shared: None, hasher: Keyed(key) }
    }

    /// The same, sharing what it has seen where the limiter counts in Redis.
    pub fn shared(key: [u8; 32], limiter: &Limiter) -> SpamGuard {
        SpamGuard { shared: limiter.link().map(Shared::new), ..SpamGuard::new(key) }
    }

    /// Lets a text of a caller pass, or says why it looks like spam (`Code::Spam`). Waits for Redis at most 200 ms, and
    /// goes on with the memory of this process when it is away.
    pub async fn admit(&self, who: &str, text: &str, now: Time) -> Result<Noticed> {
        check(text)?;
        let (sent, letters) = self.sent(who, text);
        // What is counted here too is what this process goes on from when Redis is lost.
        let here = self.memory.count(sent, now);
        let standing = match &self.shared {
            Some(shared) => Box::pin(shared.count(sent)).await.unwrap_or(here),
            None => here,
        };
        judge(standing, letters, text)
    }

    /// The same by the memory of this process alone.
    pub fn admit_here(&self, who: &str, text: &str, now: Time) -> Result<Noticed> {
        check(text)?;
        let (sent, letters) = self.sent(who, text);
        judge(self.memory.count(sent, now), letters, text)
    }

    /// The message as it is remembered, and how many letters it has.
    fn sent(&self, who: &str, text: &str) -> (Sent, usize) {
        let normal = normalise(text).text;
        let letters = normal.bytes().filter(|byte| !matches!(byte, b' ' | b'.')).count();
        // Nothing but signs: too little to compare by, so compare the text itself.
        let hash = if letters == 0 { self.hasher.hash_one(text) } else { self.hasher.hash_one(&normal) };
        let (caller, sketch) = (self.hasher.hash_one(who), near::sketch(text, &self.hasher));
        (Sent { caller, hash, sketch }, letters)
    }

    /// How many callers this process remembers.
    pub fn callers(&self) -> usize {
        self.memory.callers()
    }
}

fn judge(standing: Standing, letters: usize, text: &str) -> Result<Noticed> {
    let hasty = standing.hasty();
    let allowed = match (letters <= SHORT, letters < LONG, hasty) {
        (true, ..) => 30,
        (false, true, false) => 5,
        (false, true, true) | (false, false, false) => 3,
        (false, false, true) => 2,
    };
    if standing.times > allowed {
        let sentence = "the same message came several times within a minute; say it once, or change it";
        return Err(Fault::new(Code::Spam).say(sentence).retry_after(SPAN));
    }
    if hasty {
        flood::check_hasty(text)?;
    }
    Ok(Noticed { burst: hasty && !standing.told })
}

#[cfg(test)]
mod tests;
