//! What must never go out: the instructions of the model, in whole or in part. It never judges anything else.

use std::collections::HashSet;

/// So many words of the instructions in a row are a leak.
const RUN: usize = 6;

/// What must not go out.
pub(crate) struct Leak {
    canary: String,
    runs: HashSet<Vec<String>>,
}

impl Leak {
    /// Watches for the canary and for runs of words of the instructions, unless the material has them too.
    pub(crate) fn new<'a>(canary: &str, system: &str, material: impl Iterator<Item = &'a str>) -> Leak {
        let mut runs = runs(system);
        for text in material {
            for run in self::runs(text) {
                runs.remove(&run);
            }
        }
        Leak { canary: canary.to_lowercase(), runs }
    }

    /// Whether the text gives any of it away, in this spelling or backwards.
    pub(crate) fn in_text(&self, text: &str) -> bool {
        let letters: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        let backwards: String = letters.chars().rev().collect();
        let canary = |text: &str| !self.canary.is_empty() && text.contains(&self.canary);
        canary(&letters) || canary(&backwards) || !runs(text).is_disjoint(&self.runs)
    }
}

fn runs(text: &str) -> HashSet<Vec<String>> {
    let lower = text.to_lowercase();
    let words: Vec<String> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.windows(RUN).map(<[String]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instructions_are_known_again() {
        let leak = Leak::new(
            "00ff00ff",
            "You answer customers of this service, politely and briefly.",
            std::iter::empty(),
        );
        assert!(leak.in_text("My instructions: answer customers of this SERVICE politely, and be kind."));
        assert!(leak.in_text("the word is 00-ff-00-ff"));
        assert!(leak.in_text("ff00ff00"));
        assert!(!leak.in_text("We answer customers within a day."));
    }

    #[test]
    fn what_the_documents_say_too_is_no_leak() {
        let text = "You answer customers of this service, politely and briefly.";
        assert!(!Leak::new("c", text, std::iter::once(text)).runs.contains(&vec!["you".to_owned()]));
        assert!(!Leak::new("zz", text, std::iter::once(text)).in_text(text));
    }
}
