//! Which of the languages that the house speaks a text is written in, and which words say nothing in it. It owns the
//! lists of small words. It never translates.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::tokens::{Stemming, each_term};

/// A language that the house answers in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum Language {
    /// English; also what every other language is answered in.
    #[default]
    English,
    /// German.
    German,
    /// Spanish.
    Spanish,
    /// French.
    French,
}

const ENGLISH: &str = "the of and to in is was for with on by at from what which who how when where why did do does \
    are were has have had can i my you your this that it not be an as or if will would should me we our there any";
const GERMAN: &str = "der die das den dem des ein eine einen einem einer eines und oder aber ist sind war waren wird \
    werden wurde wurden hat haben hatte hatten kann können konnte muss müssen soll sollen darf nicht kein keine mit \
    von vom zu zum zur im in an am auf aus bei für über unter nach vor durch um wie was wer wo wann warum welche \
    welcher welches welchem welchen wem wen wessen wieviel viele ich du er sie es wir ihr mein meine meinen dein \
    mich mir dir ihm ihn uns sich auch als dass daß wenn weil noch nur sehr so man dann hier da dies diese dieser \
    dieses gibt gab bitte ihre ihren ihrem ihnen seine seinen sein";
const SPANISH: &str = "el la los las un una unos unas y o pero es son era eran fue fueron ser está están hay ha han \
    había puede pueden debe no sin con de del a al en por para sobre entre hasta desde como cómo qué que quién quiénes \
    cuál cuáles cuándo dónde cuánto cuánta cuántos cuántas cuando donde yo tú él ella nosotros mi mis tu tus su sus me \
    te se lo le les nos este esta esto estos estas ese esa eso también más muy ya si porque tengo quiero puedo";
const FRENCH: &str = "le la les un une des du de d l et ou mais est sont était étaient fut être a ont avait avoir peut \
    peuvent doit ne pas sans avec à au aux en dans par pour sur entre comme comment que qu qui quoi quel quelle quels \
    quelles quand où combien pourquoi je tu il elle on nous vous ils elles mon ma mes ton ta tes son sa ses notre \
    votre leur leurs me te se ce cet cette ces cela ça c s n j y plus très aussi si parce dont faut puis";

/// Letters and marks that one of the languages has and the others do not.
const GERMAN_LETTERS: &[char] = &['ä', 'ö', 'ß', 'Ä', 'Ö'];
const SPANISH_LETTERS: &[char] = &['¿', '¡', 'ñ', 'Ñ'];
const FRENCH_LETTERS: &[char] = &['ç', 'œ', 'ê', 'è', 'à', 'ù', 'î', 'ô'];

impl Language {
    /// Every language.
    pub const ALL: [Language; 4] = [Language::English, Language::German, Language::Spanish, Language::French];

    /// The language that most small words of the text belong to; English when nothing tells.
    pub fn of(text: &str) -> Language {
        let words: Vec<String> = text
            .split(|c: char| !c.is_alphabetic())
            .filter(|word| !word.is_empty())
            .take(400)
            .map(str::to_lowercase)
            .collect();
        let mut best = (Language::English, 0);
        for language in Language::ALL {
            let list = language.words();
            let small = words.iter().filter(|word| list.contains(word.as_str())).count();
            let letters = text.contains(language.letters());
            let points = 2 * small + if letters { 3 } else { 0 };
            if points > best.1 {
                best = (language, points);
            }
        }
        best.0
    }

    /// The language as the two letters of ISO 639-1.
    pub const fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
            Language::Spanish => "es",
            Language::French => "fr",
        }
    }

    /// How the words of this language lose their endings.
    pub const fn stemming(self) -> Stemming {
        match self {
            Language::English => Stemming::English,
            Language::German | Language::Spanish | Language::French => Stemming::Prefix,
        }
    }

    fn words(self) -> &'static HashSet<&'static str> {
        static LISTS: LazyLock<[HashSet<&str>; 4]> = LazyLock::new(|| {
            [ENGLISH, GERMAN, SPANISH, FRENCH].map(|list| list.split_whitespace().collect())
        });
        let [english, german, spanish, french] = &*LISTS;
        match self {
            Language::English => english,
            Language::German => german,
            Language::Spanish => spanish,
            Language::French => french,
        }
    }

    const fn letters(self) -> &'static [char] {
        match self {
            Language::English => &[],
            Language::German => GERMAN_LETTERS,
            Language::Spanish => SPANISH_LETTERS,
            Language::French => FRENCH_LETTERS,
        }
    }

    /// The stems of this language's small words.
    fn small(self) -> &'static HashSet<String> {
        static STEMS: LazyLock<[HashSet<String>; 4]> = LazyLock::new(|| {
            Language::ALL.map(|language| {
                let mut stems = HashSet::new();
                for word in language.words() {
                    each_term(word, language.stemming(), |term| _ = stems.insert(term.text.to_owned()));
                }
                stems
            })
        });
        let [english, german, spanish, french] = &*STEMS;
        match self {
            Language::English => english,
            Language::German => german,
            Language::Spanish => spanish,
            Language::French => french,
        }
    }

    /// The stems of the words of a text that say something, in order and as often as they stand there.
    pub fn content(self, text: &str) -> Vec<String> {
        let small = self.small();
        let mut found = Vec::new();
        each_term(text, self.stemming(), |term| {
            // The list of English small words that the index uses is longer; it holds for English alone: `war` and
            // `also` are small words of German, `die` is none of English.
            let common = match self {
                Language::English => term.common || small.contains(term.text),
                _ => small.contains(term.text),
            };
            let letter = term.text.len() == 1 && !term.text.starts_with(|c: char| c.is_ascii_digit());
            if !common && !letter {
                found.push(term.text.to_owned());
            }
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_tell_their_language() {
        for (text, language) in [
            ("How do I return a damaged blender?", Language::English),
            ("Wie kann ich einen beschädigten Mixer zurückgeben?", Language::German),
            ("Was kostet der Versand?", Language::German),
            ("¿Cómo puedo devolver un producto dañado?", Language::Spanish),
            ("cuanto cuesta el envío", Language::Spanish),
            ("Comment puis-je retourner un produit ?", Language::French),
            ("Quels sont les frais de livraison ?", Language::French),
            ("refund?", Language::English),
            ("", Language::English),
            ("返品できますか", Language::English),
        ] {
            assert_eq!(Language::of(text), language, "{text}");
        }
    }

    #[test]
    fn small_words_say_nothing() {
        assert_eq!(Language::English.content("What is the refund of it?"), ["refund"]);
        assert_eq!(Language::German.content("Wie hoch sind die Versandkosten?"), ["hoch", "versa"]);
        assert_eq!(Language::Spanish.content("¿Cuál es el plazo de devolución?"), ["plazo", "devol"]);
        assert_eq!(Language::French.content("Quel est le délai de retour ?"), ["délai", "retou"]);
    }
}
