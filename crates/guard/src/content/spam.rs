//! Refuses what only fills the line: the same text again and again, and texts of one repeated thing.
//! It owns a bounded memory of short hashes per caller, never of texts. It never judges what a text means.
//!
//! | rule | refused when |
//! |---|---|
//! | repeats | the same text (without case, spaces and signs) comes a 4th time within 60 s from one caller; below 20 letters a 6th time; up to 12 letters (`yes`, `ok`, `next please`) a 31st time |
//! | near repeats | from 60 letters on a text counts as the same when few words, numbers or codes in it differ (`near.rs`) |
//! | bursts | more than 20 texts come within 10 s from one caller: nobody writes so fast |
//! | one character | a character but space, line, `-`, `=`, `_`, `*`, `.`, `#` comes more than 200 times in a row, or fills over 80 % of a text of more than 200 characters |
//! | one word | a text of more than 50 words of which one word makes over 80 %, or of more than 200 words with fewer than 4 % different ones |
//! | links | more than 10 links, or more than 5 that make over 70 % of the text |
//! | gibberish | a word of more than 100 letters in a row without a vowel, or a text of more than 300 letters of which fewer than 8 % are vowels, in text of the Latin alphabet without digits and signs of code |
//!
//! Memory: 64 shards of at most 448 callers with 8 hashes each, about 10 MB when full; the callers that were quiet
//! longest are forgotten first. The rule of repeats is for people: a program may well ask the same again and again,
//! so for keys [`check`] (the rules about a text by itself) is enough.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use kernel::{Code, Fault, Result, Time};
use parking_lot::Mutex;

use super::near;
use super::normal::normalise;

const SHARDS: usize = 64;
/// What a hash table of 512 slots holds without growing.
const CALLERS: usize = 448;
const REMEMBERED: usize = 8;
/// How long a text is remembered.
const SPAN: Duration = Duration::from_secs(60);

/// More texts than this within [`BURST`] are not written by a person.
const BURST_TEXTS: u32 = 20;
const BURST: Duration = Duration::from_secs(10);

/// Longest text, in letters, that is a short answer.
const SHORT: usize = 12;
/// From so many letters on a text is a long one.
const LONG: usize = 20;

/// Keeps spam out. One for the process; share it by reference.
pub struct SpamGuard {
    shards: Vec<Mutex<Shard>>,
    // Keyed by chance, so that nobody can choose texts or names that collide.
    hasher: RandomState,
}

#[derive(Default)]
struct Shard {
    callers: HashMap<u64, Caller>,
}

/// What one caller sent lately.
struct Caller {
    last: Time,
    /// The texts since `burst`.
    lately: u32,
    burst: Time,
    texts: [Seen; REMEMBERED],
}

/// A text and how often it came.
#[derive(Clone, Copy, Default)]
struct Seen {
    hash: u64,
    sketch: Option<u64>,
    times: u32,
    since: Time,
}

/// How often a text came within the span, and how many texts came lately.
struct Counted {
    times: u32,
    lately: u32,
}

impl Default for SpamGuard {
    fn default() -> SpamGuard {
        SpamGuard::new()
    }
}

impl SpamGuard {
    /// A guard that has seen nothing.
    pub fn new() -> SpamGuard {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        SpamGuard { shards, hasher: RandomState::new() }
    }

    /// Lets a text of a caller pass, or says why it looks like spam (`Code::Spam`).
    pub fn admit(&self, who: &str, text: &str, now: Time) -> Result<()> {
        check(text)?;
        let normal = normalise(text).text;
        let letters = normal.bytes().filter(|byte| !matches!(byte, b' ' | b'.')).count();
        let allowed = match letters {
            // Nothing but signs: too little to compare by, so compare the text itself.
            0 => 30,
            _ if letters <= SHORT => 30,
            _ if letters < LONG => 5,
            _ => 3,
        };
        let hash = if letters == 0 { self.hasher.hash_one(text) } else { self.hasher.hash_one(&normal) };
        let caller = self.hasher.hash_one(who);
        let shard = usize::try_from(caller % SHARDS as u64).unwrap_or(0);
        let Some(shard) = self.shards.get(shard) else { return Ok(()) };
        let sketch = near::sketch(&normal, &self.hasher);
        let Counted { times, lately } = shard.lock().count(caller, hash, sketch, now);
        if lately > BURST_TEXTS {
            let sentence = "so many messages came within seconds; wait a moment before the next";
            return Err(Fault::new(Code::Spam).say(sentence).retry_after(BURST));
        }
        if times > allowed {
            let sentence = "the same message came several times within a minute; say it once, or change it";
            return Err(Fault::new(Code::Spam).say(sentence).retry_after(SPAN));
        }
        Ok(())
    }

    /// How many callers are remembered.
    pub fn callers(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().callers.len()).sum()
    }
}

impl Shard {
    /// Counts a text of a caller, and what is nearly the same as it.
    fn count(&mut self, caller: u64, hash: u64, sketch: Option<u64>, now: Time) -> Counted {
        if self.callers.len() >= CALLERS && !self.callers.contains_key(&caller) {
            self.forget(now);
        }
        let caller = self.callers.entry(caller).or_insert(Caller {
            last: now,
            lately: 0,
            burst: now,
            texts: [Seen::default(); REMEMBERED],
        });
        caller.last = now;
        if now.since(caller.burst) >= BURST {
            (caller.burst, caller.lately) = (now, 0);
        }
        caller.lately = caller.lately.saturating_add(1);
        let lately = caller.lately;
        let fresh = |seen: &Seen| seen.times > 0 && now.since(seen.since) < SPAN;
        let alike = |seen: &Seen| match (seen.sketch, sketch) {
            (Some(one), Some(other)) => near::is_near(one, other),
            _ => seen.hash == hash,
        };
        if let Some(seen) = caller.texts.iter_mut().find(|seen| fresh(seen) && alike(seen)) {
            seen.times = seen.times.saturating_add(1);
            return Counted { times: seen.times, lately };
        }
        if let Some(oldest) = caller.texts.iter_mut().min_by_key(|seen| seen.since) {
            *oldest = Seen { hash, sketch, times: 1, since: now };
        }
        Counted { times: 1, lately }
    }

    /// Forgets the callers that were quiet for the span; when there are none, half of them, the quietest.
    fn forget(&mut self, now: Time) {
        self.callers.retain(|_, caller| now.since(caller.last) < SPAN);
        if self.callers.len() >= CALLERS {
            let mut times: Vec<Time> = self.callers.values().map(|caller| caller.last).collect();
            let middle = times.len() / 2;
            let (_, median, _) = times.select_nth_unstable(middle);
            let median = *median;
            self.callers.retain(|_, caller| caller.last > median);
        }
    }
}

/// Lets a text pass that is no spam by itself, or says why it is (`Code::Spam`). Remembers nothing.
pub fn check(text: &str) -> Result<()> {
    match flood(text) {
        Some(sentence) => Err(Fault::new(Code::Spam).say(sentence)),
        None => Ok(()),
    }
}

/// Why a text by itself is spam.
fn flood(text: &str) -> Option<&'static str> {
    // Nothing below is smaller than this.
    if text.len() <= 50 {
        return None;
    }
    one_character(text).or_else(|| links(text)).or_else(|| one_word(text)).or_else(|| gibberish(text))
}

/// Characters that people draw lines and indent with.
fn draws(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '=' | '_' | '*' | '.' | '#' | '~' | '─' | '═' | '━' | '│' | '░' | '█')
}

fn one_character(text: &str) -> Option<&'static str> {
    let (mut last, mut run, mut longest, mut total) = ('\0', 0_usize, 0_usize, 0_usize);
    let mut counts = [0_usize; 128];
    for c in text.chars() {
        run = if c == last { run + 1 } else { 1 };
        last = c;
        total += 1;
        if !draws(c) {
            longest = longest.max(run);
            if let Some(slot) = counts.get_mut(c as usize) {
                *slot += 1;
            }
        }
    }
    let most = counts.iter().max().copied().unwrap_or(0);
    let filled = total > 200 && most * 5 > total * 4;
    (longest > 200 || filled).then_some("the message is one character again and again; say it in words")
}

fn links(text: &str) -> Option<&'static str> {
    let is_link = |word: &&str| word.contains("://") || word.starts_with("www.");
    // Words that are glued together by the scheme count each.
    let count = text.matches("://").count().max(text.split_whitespace().filter(is_link).count());
    if count <= 5 {
        return None;
    }
    let inside: usize = text.split_whitespace().filter(is_link).map(str::len).sum();
    let flood = count > 10 || inside * 10 > text.len() * 7;
    flood.then_some("the message holds too many links; send a few, with words about them")
}

fn one_word(text: &str) -> Option<&'static str> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut total = 0_usize;
    for word in text.split_whitespace() {
        total += 1;
        *counts.entry(word).or_default() += 1;
    }
    let most = counts.values().max().copied().unwrap_or(0);
    let flood = (total > 50 && most * 5 > total * 4) || (total > 200 && counts.len() * 25 < total);
    flood.then_some("the message is the same words again and again; say it once")
}

fn gibberish(text: &str) -> Option<&'static str> {
    let (mut letters, mut vowels, mut signs, mut run, mut longest) =
        (0_usize, 0_usize, 0_usize, 0_usize, 0_usize);
    for byte in text.bytes() {
        match byte.to_ascii_lowercase() {
            b'a' | b'e' | b'i' | b'o' | b'u' | b'y' => {
                (letters, vowels, run) = (letters + 1, vowels + 1, 0);
            }
            b'a'..=b'z' => {
                (letters, run) = (letters + 1, run + 1);
                longest = longest.max(run);
            }
            b' ' | b'\n' | b',' | b'.' => run = 0,
            _ => (signs, run) = (signs + 1, 0),
        }
    }
    // Code, encoded data and other alphabets are not judged by their vowels.
    if signs * 20 > text.len() {
        return None;
    }
    let mashed = longest > 100 || (letters > 300 && vowels * 100 < letters * 8);
    mashed.then_some("the message cannot be read; say it in words")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_seconds(1_795_000_000 + seconds)
    }

    fn spam(text: &str) -> bool {
        match SpamGuard::new().admit("visitor:1", text, at(0)) {
            Ok(()) => false,
            Err(fault) => {
                assert_eq!(fault.code(), Code::Spam);
                true
            }
        }
    }

    #[test]
    fn the_same_text_again_and_again_is_spam() {
        let guard = SpamGuard::new();
        let text = "Buy my wonderful watches today";
        assert!(guard.admit("a", text, at(0)).is_ok());
        assert!(guard.admit("a", "BUY my  wonderful watches, today!!", at(1)).is_ok());
        assert!(guard.admit("a", text, at(2)).is_ok());
        let fault = guard.admit("a", text, at(3)).unwrap_err();
        assert_eq!(fault.code(), Code::Spam);
        assert!(fault.retry().is_some());
        assert!(guard.admit("b", text, at(2)).is_ok(), "another caller");
        assert!(guard.admit("a", text, at(61)).is_ok(), "a minute later");
    }

    #[test]
    fn short_answers_may_repeat() {
        let guard = SpamGuard::new();
        for second in (0..60).step_by(2) {
            for text in ["yes", "ok", "👍", "next please"] {
                assert!(guard.admit("a", text, at(second)).is_ok());
            }
        }
        assert!(guard.admit("a", "yes", at(59)).is_err());
    }

    #[test]
    fn texts_that_vary_a_little_are_the_same() {
        let guard = SpamGuard::new();
        let offer = |number: i64| {
            format!(
                "Only today: our wonderful watches for {number} dollars, write to the number 555 {number} with the code q{number}x"
            )
        };
        for second in 0..3 {
            assert!(guard.admit("a", &offer(second), at(second)).is_ok());
        }
        assert_eq!(guard.admit("a", &offer(3), at(3)).unwrap_err().code(), Code::Spam);
        assert!(guard.admit("b", &offer(4), at(4)).is_ok(), "another caller");
    }

    #[test]
    fn nobody_writes_so_fast() {
        let guard = SpamGuard::new();
        let words = ["apple", "river", "stone", "cloud", "lamp", "chair", "train", "glass"];
        let text = |n: usize| format!("{} and {} number {n}", words[n % 8], words[n / 8 % 8]);
        for n in 0..20 {
            assert!(guard.admit("a", &text(n), at(n as i64 / 5)).is_ok(), "{n}");
        }
        assert!(guard.admit("a", &text(21), at(5)).unwrap_err().retry().is_some());
        assert!(guard.admit("a", &text(22), at(15)).is_ok(), "seconds later");
    }

    #[test]
    fn floods_are_spam() {
        let many = |text: &str, times: usize| text.repeat(times);
        assert!(spam(&many("a", 5_000)));
        assert!(spam(&many("🔥", 500)));
        assert!(spam(&many("buy now ", 300)));
        assert!(spam(&many("spam ", 60)));
        assert!(spam(&many("https://example.com/x ", 11)));
        assert!(spam(&many("https://example.com/x", 11)));
        assert!(spam(&many("sdfghjklqwrtzpxcvbnm", 20)));
    }

    #[test]
    fn ordinary_texts_pass() {
        let code = "fn main() {\n    let x = vec![0_u8; 128];\n    println!(\"{x:?}\");\n}\n".repeat(3);
        let table = "| a | b |\n|---|---|\n".to_owned() + &"| 1 | 2 |\n".repeat(30);
        let story = "It was a bright cold day and the clocks were striking. ".repeat(2);
        for text in [
            "",
            "aaaaaaah!!!!!",
            "hahahahahahahahahahahahahahahahahahahahahahahahahahahahahaha",
            &"-".repeat(500),
            &code,
            &table,
            &story,
            "see https://a.example and https://b.example",
            &"語".repeat(60),
        ] {
            assert!(!spam(text), "{text:.60}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let guard = SpamGuard::new();
        for caller in 0..200_000 {
            assert!(guard.admit(&format!("visitor:{caller}"), "hello there", at(caller / 10_000)).is_ok());
        }
        assert!(guard.callers() <= SHARDS * CALLERS);
    }
}
