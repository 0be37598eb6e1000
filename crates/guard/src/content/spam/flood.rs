//! Whether a text by itself only fills the line. It remembers nothing.

use std::collections::HashMap;

use kernel::{Code, Fault, Result};

/// In a burst so many links are enough.
const HASTY_LINKS: usize = 3;

/// Lets a text pass of somebody who sends more in a moment than people write: links are what spam is sent for.
pub(super) fn check_hasty(text: &str) -> Result<()> {
    if count_links(text) > HASTY_LINKS {
        let say = "many messages with links came in a moment; wait a little, and send fewer";
        return Err(Fault::new(Code::Spam).say(say).retry_after(super::MOMENT));
    }
    Ok(())
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

fn is_link(word: &&str) -> bool {
    word.contains("://") || word.starts_with("www.")
}

fn count_links(text: &str) -> usize {
    // Words that are glued together by the scheme count each.
    text.matches("://").count().max(text.split_whitespace().filter(is_link).count())
}

fn links(text: &str) -> Option<&'static str> {
    let count = count_links(text);
    if count <= 5 {
        return None;
    }
    let inside: usize = text.split_whitespace().filter(is_link).map(str::len).sum();
    // Links with words around them are a list of sources, or code.
    let flood = inside * 10 > text.len() * if count > 10 { 5 } else { 7 };
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
