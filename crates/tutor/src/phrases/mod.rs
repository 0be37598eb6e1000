//! What the tutor says by itself: sentences with places for the learner's words and the problem's quantities.
//! Every sentence asks exactly one question; none holds an answer.

mod de;
mod en;

use crate::policy::Language;
use crate::state::QuestionType;

/// What a sentence is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Use {
    /// The first question.
    Open,
    /// On the way, about the problem.
    Probe,
    /// About a claim of the learner.
    Claim,
    /// About a topic without a problem.
    Topic,
    /// After a wrong answer.
    Wrong,
    /// About a sum that does not hold.
    Slip,
    /// A hint on this rung.
    Hint(u8),
    /// Whether the idea carries.
    Transfer,
    /// Whether the idea carries, asked again.
    TransferAgain,
    /// To sum up.
    Summary,
    /// At the end.
    Close,
    /// Of several answers one is wanted.
    Commit,
    /// Back to the matter.
    Return,
    /// More words are wanted.
    Clarify,
    /// Reasons are wanted for an answer.
    Explain,
    /// After the answer was handed over.
    Reveal,
}

/// A sentence.
pub(crate) struct Phrase {
    pub(crate) for_use: Use,
    pub(crate) kind: QuestionType,
    pub(crate) text: &'static str,
}

/// What may stand before a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lead {
    /// The answer is not handed over.
    Refusal,
    /// Help comes.
    Help,
    /// Something is not right yet.
    Doubt,
    /// Something was right.
    Praise,
    /// The answer was right.
    Right,
    /// Nothing in particular.
    Plain,
}

/// The sentences of a language.
pub(crate) fn phrases(language: Language) -> &'static [Phrase] {
    match language {
        Language::En => en::PHRASES,
        Language::De => de::PHRASES,
    }
}

/// The beginnings of a language.
pub(crate) fn leads(language: Language, lead: Lead) -> &'static [&'static str] {
    match language {
        Language::En => en::leads(lead),
        Language::De => de::leads(lead),
    }
}

/// Said once, with the first answer, where no model speaks.
pub(crate) fn introduction(language: Language) -> &'static str {
    match language {
        Language::En => {
            "I am a rule engine, not a language model: I ask, check sums exactly, and hand over no answers."
        }
        Language::De => {
            "Ich bin ein Regelwerk, kein Sprachmodell: Ich frage, prüfe Rechnungen genau und verrate keine Lösungen."
        }
    }
}

/// How far a summary covers the rubric.
pub(crate) fn coverage(language: Language, covered: u32, all: u32) -> String {
    match language {
        Language::En => format!("Your summary covers {covered} of {all} points."),
        Language::De => format!("Deine Zusammenfassung enthält {covered} von {all} Punkten."),
    }
}

/// Hands the answer over, where the app allows it.
pub(crate) fn revealed(language: Language, tries: u32, answer: &str) -> String {
    match language {
        Language::En => {
            format!("You tried {tries} times and your teacher allows it: the answer is {answer}.")
        }
        Language::De => format!(
            "Du hast es {tries}-mal versucht, und deine Lehrkraft erlaubt es: Die Antwort ist {answer}."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_asks_once_and_is_short() {
        for language in [Language::En, Language::De] {
            for phrase in phrases(language) {
                assert_eq!(phrase.text.matches('?').count(), 1, "{}", phrase.text);
                assert!(phrase.text.split_whitespace().count() <= 24, "{}", phrase.text);
                assert!(
                    !phrase.text.replace("{q2}", "").contains(|c: char| c.is_ascii_digit()),
                    "{}",
                    phrase.text
                );
            }
            for lead in [Lead::Refusal, Lead::Help, Lead::Doubt, Lead::Praise, Lead::Right, Lead::Plain] {
                assert!(leads(language, lead).iter().all(|lead| !lead.contains('?')));
            }
        }
    }
}
