//! The lexicon: how `lexicon.tsv` is read, and the one pass over a normalised text that finds its phrases and patterns.
//!
//! A row is `category TAB severity TAB kind TAB phrases`, phrases separated by commas:
//! - `set`: the category column names the set, the phrases are its members; `phrase*` also stands for longer words;
//! - `phrase`: each phrase is a finding;
//! - `pattern`: each entry is a row of sets (`@how @make @weapon`) that follow one another within one sentence, with
//!   at most six words between two of them;
//! - `allow`: phrases or patterns whose place is taken out before anything is judged (`kill a process`).

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::Category;
use crate::content::normal::normalise;

/// Most words between two sets of a pattern.
const GAP: u32 = 6;

/// What a phrase of the automaton means.
#[derive(Default)]
struct Phrase {
    /// What it is a finding of by itself.
    findings: Vec<(Category, u8)>,
    /// It is harmless, and so is what lies in it.
    harmless: bool,
    /// The sets that it is a member of, a bit each.
    sets: u128,
    /// The patterns that name those sets, and at which stage.
    stages: Vec<(usize, usize)>,
}

/// What a completed pattern means.
struct Pattern {
    /// Where its stages begin in the list of all stages.
    first: usize,
    stages: usize,
    /// The sets it needs, a bit each.
    sets: u128,
    result: Option<(Category, u8)>,
}

/// The gravest severity of each category.
#[derive(Default)]
pub(super) struct Severities([u8; Category::ALL.len()]);

impl Severities {
    fn raise(&mut self, category: Category, severity: u8) {
        if let Some(slot) = self.0.get_mut(category as usize) {
            *slot = severity.max(*slot);
        }
    }

    pub(super) fn merge(&mut self, other: Severities) {
        other.iter().for_each(|(category, severity)| self.raise(category, severity));
    }

    /// The categories that were found.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Category, u8)> {
        Category::ALL.iter().copied().zip(self.0).filter(|(_, severity)| *severity > 0)
    }
}

/// Phrases and patterns, ready to be looked for.
pub(super) struct Lexicon {
    automaton: Option<AhoCorasick>,
    phrases: Vec<Phrase>,
    patterns: Vec<Pattern>,
}

/// A phrase in the text.
#[derive(Clone, Copy)]
struct Place {
    phrase: usize,
    start: usize,
    end: usize,
    /// How many words and sentences stand before it.
    word: u32,
    last_word: u32,
    sentence: u32,
}

/// The rows while they are read.
#[derive(Default)]
struct Reading<'l> {
    texts: Vec<String>,
    phrases: Vec<Phrase>,
    index: HashMap<String, usize>,
    sets: HashMap<&'l str, (u128, Vec<&'l str>)>,
    patterns: Vec<Pattern>,
}

impl<'l> Reading<'l> {
    /// The phrase with this text, made when it is new.
    fn phrase(&mut self, text: &str) -> Option<&mut Phrase> {
        let (body, longer) = match text.strip_suffix('*') {
            Some(body) => (body, true),
            None => (text, false),
        };
        let words = normalise(body).text;
        let words = words.trim_end_matches(['.', ' ']);
        let key = if longer { words.to_owned() } else { format!("{words} ") };
        let next = self.texts.len();
        let slot = *self.index.entry(key.clone()).or_insert(next);
        if slot == next {
            self.texts.push(key);
            self.phrases.push(Phrase::default());
        }
        self.phrases.get_mut(slot)
    }

    fn pattern(&mut self, names: &str, result: Option<(Category, u8)>) {
        let number = self.patterns.len();
        let names: Vec<_> = names.split_whitespace().map(|name| name.trim_start_matches('@')).collect();
        let first = self.patterns.last().map_or(0, |last| last.first + last.stages);
        let mut needed = 0;
        for (stage, name) in names.iter().enumerate() {
            let (bit, members) = self.sets.get(name).cloned().unwrap_or_default();
            needed |= bit;
            for member in members {
                if let Some(phrase) = self.phrase(member) {
                    phrase.sets |= bit;
                    phrase.stages.push((number, stage));
                }
            }
        }
        self.patterns.push(Pattern { first, stages: names.len(), sets: needed, result });
    }

    fn row(&mut self, row: &'l str) {
        let mut columns = row.split('\t').map(str::trim);
        let (Some(first), Some(severity), Some(kind), Some(list)) =
            (columns.next(), columns.next(), columns.next(), columns.next())
        else {
            return;
        };
        let entries = || list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        if kind == "set" {
            // Bits run out at 127 sets; a test counts them.
            let bit = 1_u128.checked_shl(u32::try_from(self.sets.len()).unwrap_or(0)).unwrap_or(0);
            self.sets.entry(first).or_insert_with(|| (bit, Vec::new())).1.extend(entries());
            return;
        }
        let result = Category::parse(first).zip(severity.parse::<u8>().ok());
        for entry in entries() {
            match (kind, result) {
                (_, result) if entry.starts_with('@') => self.pattern(entry, result),
                ("phrase", Some(finding)) => {
                    if let Some(phrase) = self.phrase(entry) {
                        phrase.findings.push(finding);
                    }
                }
                ("allow", _) => {
                    if let Some(phrase) = self.phrase(entry) {
                        phrase.harmless = true;
                    }
                }
                _ => {}
            }
        }
    }
}

impl Lexicon {
    /// Reads the table. A row that is not well-formed is left out; a test reads every row.
    pub(super) fn read(table: &str) -> Lexicon {
        let mut reading = Reading::default();
        let rows = table.lines().filter(|row| !row.starts_with('#'));
        // Sets may stand behind the patterns that name them.
        let (sets, rest): (Vec<_>, Vec<_>) = rows.partition(|row| row.split('\t').nth(2) == Some("set"));
        sets.into_iter().chain(rest).for_each(|row| reading.row(row));
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&reading.texts)
            // Only a table of gigabytes cannot be built; then nothing is found, and the tests fail.
            .ok();
        Lexicon { automaton, phrases: reading.phrases, patterns: reading.patterns }
    }

    /// The gravest severity of each category in a normalised text.
    pub(super) fn find(&self, text: &str) -> Severities {
        let mut severities = Severities::default();
        let (places, members) = self.places(text);
        if places.is_empty() {
            return severities;
        }
        let harmless = self.harmless(&places, members);
        let mut inside = Inside::new(&harmless);
        let judged: Vec<Place> = places.into_iter().filter(|place| !inside.covers(place)).collect();
        for (category, severity) in self.phrases_of(&judged).flat_map(|(_, phrase)| &phrase.findings) {
            severities.raise(*category, *severity);
        }
        self.completed(&judged, members, |pattern, _| {
            if let Some((category, severity)) = pattern.result {
                severities.raise(category, severity);
            }
        });
        severities
    }

    /// Every phrase of the lexicon in the text, by where it begins, and the sets that occur; no phrases when together
    /// they can mean nothing.
    fn places(&self, text: &str) -> (Vec<Place>, u128) {
        let mut places = Vec::new();
        let (mut members, mut finding) = (0, false);
        for found in self.automaton.iter().flat_map(|automaton| automaton.find_overlapping_iter(text)) {
            let index = found.pattern().as_usize();
            let Some(phrase) = self.phrases.get(index) else { continue };
            members |= phrase.sets;
            finding |= !phrase.findings.is_empty();
            let end = word_end(text, found.end());
            places.push(Place {
                phrase: index,
                start: found.start(),
                end,
                word: 0,
                last_word: 0,
                sentence: 0,
            });
        }
        let possible = |pattern: &Pattern| pattern.result.is_some() && pattern.sets & !members == 0;
        if !finding && !self.patterns.iter().any(possible) {
            return (Vec::new(), members);
        }
        places.sort_unstable_by_key(|place| (place.start, place.end));
        let bytes = text.as_bytes();
        let (mut at, mut word, mut sentence) = (0, 0, 0);
        for place in &mut places {
            for byte in bytes.get(at..place.start).unwrap_or(&[]) {
                word += u32::from(*byte == b' ');
                sentence += u32::from(*byte == b'.');
            }
            at = place.start;
            (place.word, place.sentence) = (word, sentence);
            let inner = bytes.get(place.start + 1..place.end.saturating_sub(1)).unwrap_or(&[]);
            let words = inner.iter().filter(|byte| **byte == b' ').count();
            place.last_word = word + u32::try_from(words).unwrap_or(0);
        }
        (places, members)
    }

    fn phrases_of<'p>(&'p self, places: &'p [Place]) -> impl Iterator<Item = (&'p Place, &'p Phrase)> {
        places.iter().filter_map(|place| self.phrases.get(place.phrase).map(|phrase| (place, phrase)))
    }

    /// The ranges that allow phrases and patterns cover, by where they begin.
    fn harmless(&self, places: &[Place], members: u128) -> Vec<(usize, usize)> {
        let allowed = self.phrases_of(places).filter(|(_, phrase)| phrase.harmless);
        let mut ranges: Vec<_> = allowed.map(|(place, _)| (place.start, place.end)).collect();
        self.completed(places, members, |pattern, range| {
            if pattern.result.is_none() {
                ranges.push(range);
            }
        });
        ranges.sort_unstable();
        ranges
    }

    /// Tells of every pattern whose sets follow one another within a sentence, and of its range.
    fn completed(&self, places: &[Place], members: u128, mut tell: impl FnMut(&Pattern, (usize, usize))) {
        // Sets of patterns that cannot be completed here need no look.
        let possible = self.patterns.iter().filter(|pattern| pattern.sets & !members == 0);
        let useful = possible.fold(0, |sets, pattern| sets | pattern.sets);
        let stages = self.patterns.last().map_or(0, |last| last.first + last.stages);
        let mut reached = vec![None::<Reached>; stages];
        let staged = self.phrases_of(places).filter(|(_, phrase)| phrase.sets & useful != 0);
        for (place, &(number, stage)) in
            staged.flat_map(|(place, phrase)| phrase.stages.iter().map(move |at| (place, at)))
        {
            let Some(pattern) = self.patterns.get(number) else { continue };
            if pattern.sets & !members != 0 {
                continue;
            }
            let slot = pattern.first + stage;
            let began = match stage {
                0 => place.start,
                _ => match reached.get(slot - 1).and_then(Option::as_ref) {
                    Some(last) if last.leads_to(place) => last.began,
                    _ => continue,
                },
            };
            if stage + 1 == pattern.stages {
                tell(pattern, (began, place.end));
            } else if let Some(slot) = reached.get_mut(slot) {
                *slot = Some(Reached { word: place.last_word, sentence: place.sentence, began });
            }
        }
    }
}

/// Where a stage of a pattern was reached last, and where that chain began.
#[derive(Clone, Copy)]
struct Reached {
    word: u32,
    sentence: u32,
    began: usize,
}

impl Reached {
    /// Whether the place follows in the same sentence and near enough.
    fn leads_to(&self, place: &Place) -> bool {
        self.sentence == place.sentence && self.word < place.word && place.word - self.word <= GAP + 1
    }
}

/// Behind the space that ends the word in which `end` lies: a phrase for longer words ends inside of one.
fn word_end(text: &str, end: usize) -> usize {
    let bytes = text.as_bytes();
    if bytes.get(end.wrapping_sub(1)) == Some(&b' ') {
        return end;
    }
    let rest = bytes.get(end..).unwrap_or(&[]);
    end + rest.iter().position(|byte| *byte == b' ').map_or(rest.len(), |space| space + 1)
}

/// Ranges against places, both in the order of the text.
struct Inside<'r> {
    ranges: &'r [(usize, usize)],
    next: usize,
    furthest: usize,
}

impl<'r> Inside<'r> {
    fn new(ranges: &'r [(usize, usize)]) -> Inside<'r> {
        Inside { ranges, next: 0, furthest: 0 }
    }

    /// Whether the place lies in one of the ranges. Places must come by where they begin.
    fn covers(&mut self, place: &Place) -> bool {
        while let Some((start, end)) = self.ranges.get(self.next)
            && *start <= place.start
        {
            self.furthest = self.furthest.max(*end);
            self.next += 1;
        }
        place.end <= self.furthest
    }
}
