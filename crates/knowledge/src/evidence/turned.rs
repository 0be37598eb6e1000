//! Whether a sentence says the opposite of what it is held against: a `not` on one side alone, `before` for `after`.
//! It compares clause with clause: what is denied in one half of a sentence is not denied in the other.

use std::collections::HashSet;

use crate::language::Language;

/// Words that deny, in the languages of the house.
const NOT: &[&str] = &[
    "not",
    "no",
    "never",
    "cannot",
    "without",
    "none",
    "neither",
    "nor",
    "nothing",
    "unable",
    "impossible",
    "isn",
    "aren",
    "don",
    "doesn",
    "didn",
    "won",
    "can't",
    "couldn",
    "wouldn",
    "shouldn",
    "wasn",
    "weren",
    "hasn",
    "haven",
    "nicht",
    "kein",
    "keine",
    "keinen",
    "keiner",
    "keinem",
    "nie",
    "niemals",
    "ohne",
    "weder",
    "nichts",
    "unmöglich",
    "nunca",
    "jamás",
    "sin",
    "tampoco",
    "nada",
    "imposible",
    "ne",
    "pas",
    "jamais",
    "sans",
    "aucun",
    "aucune",
    "impossible",
    "forbidden",
    "prohibited",
    "verboten",
    "prohibido",
    "interdit",
    "excluded",
    "ausgeschlossen",
];

/// Words that begin another clause.
const TURNS: &[&str] = &[
    "but",
    "however",
    "except",
    "unless",
    "although",
    "while",
    "whereas",
    "aber",
    "sondern",
    "außer",
    "jedoch",
    "pero",
    "sino",
    "excepto",
    "salvo",
    "mais",
    "sauf",
    "cependant",
];

/// Words of which one is the opposite of the other.
const OPPOSITES: &[(&str, &str)] = &[
    ("before", "after"),
    ("more", "less"),
    ("more", "fewer"),
    ("minimum", "maximum"),
    ("least", "most"),
    ("above", "below"),
    ("over", "under"),
    ("open", "closed"),
    ("opens", "closes"),
    ("includes", "excludes"),
    ("included", "excluded"),
    ("allowed", "forbidden"),
    ("always", "never"),
    ("increase", "decrease"),
    ("increases", "decreases"),
    ("first", "last"),
    ("earlier", "later"),
    ("enable", "disable"),
    ("enabled", "disabled"),
    ("enables", "disables"),
    ("inside", "outside"),
    ("required", "optional"),
    ("vor", "nach"),
    ("mehr", "weniger"),
    ("mindestens", "höchstens"),
    ("über", "unter"),
    ("geöffnet", "geschlossen"),
    ("immer", "nie"),
    ("antes", "después"),
    ("más", "menos"),
    ("mínimo", "máximo"),
    ("abierto", "cerrado"),
    ("avant", "après"),
    ("plus", "moins"),
    ("minimum", "maximal"),
    ("ouvert", "fermé"),
];

/// Of a clause this share of content words must stand in another for opposites in the two to be about the same.
const SAME: f32 = 0.5;

struct Clause {
    words: Vec<String>,
    terms: HashSet<String>,
}

impl Clause {
    fn denies(&self) -> bool {
        self.words.iter().any(|word| NOT.contains(&word.as_str()))
    }

    /// The share of its content words that another clause has.
    fn shares(&self, other: &Clause) -> f32 {
        self.terms.intersection(&other.terms).count() as f32 / self.terms.len().max(1) as f32
    }

    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|own| own == word)
    }
}

/// Whether `sentence` turns round what `quote` says. A clause that affirms may not take a word from where it is denied
/// alone; one that denies needs a denial in the quote that shares a word with it.
pub(super) fn round(language: Language, sentence: &str, quote: &str) -> bool {
    let known = clauses(language, quote);
    clauses(language, sentence).iter().any(|said| {
        if said.terms.is_empty() || !known.iter().any(|clause| said.shares(clause) > 0.0) {
            return false;
        }
        let turned = if said.denies() {
            !known.iter().any(|clause| clause.denies() && said.shares(clause) > 0.0)
        } else {
            said.terms.iter().any(|term| {
                let mut with = known.iter().filter(|clause| clause.terms.contains(term)).peekable();
                with.peek().is_some() && with.all(Clause::denies)
            })
        };
        let best = known.iter().map(|clause| said.shares(clause)).fold(SAME, f32::max);
        let mut near = known.iter().filter(|clause| said.shares(clause) >= best).peekable();
        turned || (near.peek().is_some() && near.all(|clause| opposed(said, clause)))
    })
}

fn opposed(said: &Clause, known: &Clause) -> bool {
    OPPOSITES.iter().any(|(one, other)| {
        let only = |a: &str, b: &str| said.has(a) && !said.has(b) && known.has(b) && !known.has(a);
        only(one, other) || only(other, one)
    })
}

fn clauses(language: Language, text: &str) -> Vec<Clause> {
    let lower = text.to_lowercase().replace('\u{2019}', "'");
    let mut pieces: Vec<Vec<&str>> = vec![Vec::new()];
    // A comma between digits is part of a number.
    let parts = lower.split([';', ':', '(', ')', '–', '—', '.', '!', '?']);
    for part in parts.flat_map(|part| part.split(", ")) {
        pieces.push(Vec::new());
        for word in part.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()) {
            if TURNS.contains(&word) {
                pieces.push(Vec::new());
            }
            if let Some(piece) = pieces.last_mut() {
                piece.push(word);
            }
        }
    }
    pieces
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let terms: HashSet<String> = language
                .content(&piece.join(" "))
                .into_iter()
                .filter(|term| !NOT.contains(&term.as_str()))
                .collect();
            // `don't` denies as `not` does.
            let words = piece
                .iter()
                .map(|word| if word.ends_with("n't") { "not".to_owned() } else { (*word).to_owned() });
            Clause { words: words.collect(), terms }
        })
        .collect()
}
