//! What an app does about each category. It owns the actions and how they are written in the settings; it never
//! judges a text.
//!
//! | score of a category | without a rule | with a rule for it |
//! |---|---|---|
//! | from 0.85 | `block`; self-harm `support` | the rule |
//! | from 0.5 | `review` | the rule |
//! | below | `warn` | `warn`, or `allow` where the rule is that |
//!
//! Who speaks of harming themselves is answered with help: where a rule or the table says `block` for a category of
//! self-harm, the action is `support`.

use super::{Category, Finding};

/// What to do with a text. Ordered: the gravest of its findings decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// Nothing was found, or nothing that matters here.
    Allow,
    /// It passes and is noted.
    Warn,
    /// It passes and a person should look at it.
    Review,
    /// It does not pass.
    Block,
    /// The writer needs help: the answer is a text that helps, never a refusal.
    Support,
}

impl Verdict {
    /// Every verdict, the mildest first.
    pub const ALL: &'static [Verdict] =
        &[Verdict::Allow, Verdict::Warn, Verdict::Review, Verdict::Block, Verdict::Support];

    /// The name for programs and settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::Warn => "warn",
            Verdict::Review => "review",
            Verdict::Support => "support",
            Verdict::Block => "block",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Verdict> {
        Verdict::ALL.iter().copied().find(|verdict| verdict.as_str() == text)
    }
}

/// From this score on a category counts as found.
pub const FOUND: f32 = 0.5;
/// From this score on it is plain.
pub const PLAIN: f32 = 0.85;

/// The rules of an app.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Policy {
    rules: [Option<Verdict>; Category::ALL.len()],
}

impl Policy {
    /// Adds a rule as it is written in the settings: `category=action`. A category stands for those below it too
    /// (`hate` for `hate/threatening`), `all` for every one; a later rule wins. Says what is wrong with another text.
    pub fn add(&mut self, rule: &str) -> Result<(), String> {
        let form = "a rule is `category=action`";
        let (name, action) = rule.split_once('=').ok_or(form)?;
        let (name, action) = (name.trim(), action.trim());
        let action =
            Verdict::parse(action).ok_or("an action is `allow`, `warn`, `review`, `block` or `support`")?;
        if name != "all" && Category::parse(name).is_none() {
            return Err(format!("{form}, and a category is `all` or one of {}", names()));
        }
        for (slot, category) in self.rules.iter_mut().zip(Category::ALL) {
            let below = category.as_str().strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
            if name == "all" || category.as_str() == name || below {
                if action == Verdict::Support && !category.is_self_harm() && name != "all" {
                    return Err("`support` is for `self-harm` and the categories below it".to_owned());
                }
                *slot = match action {
                    Verdict::Support if !category.is_self_harm() => *slot,
                    action => Some(action),
                };
            }
        }
        Ok(())
    }

    /// What to do about a finding.
    pub fn of(&self, finding: Finding) -> Verdict {
        let rule = self.rules.get(finding.category as usize).copied().flatten();
        let action = match (rule, finding.score) {
            (Some(Verdict::Allow), _) => Verdict::Allow,
            (_, ..FOUND) => Verdict::Warn,
            (Some(rule), _) => rule,
            (None, PLAIN..) => Verdict::Block,
            (None, _) => Verdict::Review,
        };
        if action == Verdict::Block && finding.category.is_self_harm() { Verdict::Support } else { action }
    }
}

fn names() -> String {
    let names: Vec<String> =
        Category::ALL.iter().map(|category| format!("`{}`", category.as_str())).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rules: &[&str], category: Category, score: f32) -> Verdict {
        let mut policy = Policy::default();
        rules.iter().for_each(|rule| policy.add(rule).unwrap());
        policy.of(Finding { category, score })
    }

    #[test]
    fn without_rules_the_score_decides() {
        assert_eq!(of(&[], Category::Hate, 0.9), Verdict::Block);
        assert_eq!(of(&[], Category::Hate, 0.6), Verdict::Review);
        assert_eq!(of(&[], Category::Hate, 0.4), Verdict::Warn);
        assert_eq!(of(&[], Category::SelfHarmIntent, 0.9), Verdict::Support);
        assert_eq!(of(&[], Category::SelfHarmInstructions, 0.6), Verdict::Review);
    }

    #[test]
    fn rules_win_and_the_later_wins() {
        assert_eq!(of(&["sexual=allow"], Category::Sexual, 0.9), Verdict::Allow);
        assert_eq!(of(&["hate = block"], Category::HateThreatening, 0.6), Verdict::Block);
        assert_eq!(
            of(&["hate=block", "hate/threatening=review"], Category::HateThreatening, 0.9),
            Verdict::Review
        );
        assert_eq!(of(&["all=warn"], Category::Violence, 0.9), Verdict::Warn);
        assert_eq!(of(&["all=block"], Category::Violence, 0.4), Verdict::Warn);
    }

    #[test]
    fn self_harm_is_never_a_bare_block() {
        assert_eq!(of(&["all=block"], Category::SelfHarm, 0.6), Verdict::Support);
        assert_eq!(of(&["self-harm=support"], Category::SelfHarmIntent, 0.6), Verdict::Support);
        assert_eq!(of(&["self-harm=allow"], Category::SelfHarmIntent, 0.9), Verdict::Allow);
    }

    #[test]
    fn wrong_rules_say_what_is_right() {
        let mut policy = Policy::default();
        for (rule, part) in [
            ("hate", "category=action"),
            ("hate=stop", "`allow`"),
            ("hat=block", "`hate`"),
            ("hate=support", "self-harm"),
        ] {
            let said = policy.add(rule).unwrap_err();
            assert!(said.contains(part), "{rule}: {said}");
        }
        assert_eq!(policy, Policy::default());
    }
}
