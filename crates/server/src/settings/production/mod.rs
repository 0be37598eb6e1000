//! The production rules, as one table: each names what must hold, what to say when it does not, and the fix.
//! `serve` obeys it, `check` prints it. No line ever holds a value.

mod alerts;
mod data;
mod models;
mod monitoring;
mod secrets;
mod tls;
mod traffic;

use super::facts::Facts;
use super::table::Key;
use super::values::Values;

/// What happens when a rule does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Production refuses to start.
    Violation,
    /// Production starts and says so.
    Warning,
}

/// A rule.
pub(crate) struct Rule {
    /// Its stable name.
    pub(crate) id: &'static str,
    /// What happens when it does not hold.
    pub(crate) severity: Severity,
    /// What holds, said when it does.
    pub(crate) holds: &'static str,
    /// What is wrong, said when it does not.
    pub(crate) say: &'static str,
    /// What to do then.
    pub(crate) fix: &'static str,
    /// The variables (or other places) that break it; none when it holds.
    pub(crate) breaks: fn(&Case<'_>) -> Vec<String>,
}

/// A configuration on a machine.
pub(crate) struct Case<'a> {
    /// The effective values.
    pub(crate) values: &'a Values,
    /// The machine.
    pub(crate) facts: &'a Facts,
}

impl Case<'_> {
    fn get<T>(&self, key: &Key<T>) -> Option<T> {
        self.values.get(key)
    }

    /// The place of a setting when `broken`, for rules about one setting.
    fn place_if<T>(&self, key: &Key<T>, broken: bool) -> Vec<String> {
        if broken { vec![self.values.place(key)] } else { Vec::new() }
    }

    /// The rule is about a flag that must not have this value.
    fn must_not_be(&self, key: &Key<bool>, value: bool) -> Vec<String> {
        self.place_if(key, self.get(key) == Some(value))
    }
}

/// The rule that refuses in every profile.
const KNOWLEDGE_FOLDER: &str = "knowledge-folder";

/// Every rule, in the order in which `check` prints them.
pub(crate) fn rules() -> impl Iterator<Item = &'static Rule> {
    [secrets::RULES, traffic::RULES, tls::RULES, data::RULES, models::RULES, monitoring::RULES, alerts::RULES]
        .into_iter()
        .flatten()
}

/// What a rule says about a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The rule.
    pub(crate) id: &'static str,
    /// What happens when it does not hold.
    pub(crate) severity: Severity,
    /// The places that break it; none: it holds.
    pub(crate) places: Vec<String>,
    /// What holds, or what is wrong.
    pub(crate) say: &'static str,
    /// What to do; empty when it holds.
    pub(crate) fix: &'static str,
}

impl Finding {
    /// The rule holds.
    pub(crate) fn holds(&self) -> bool {
        self.places.is_empty()
    }

    /// The rule does not hold and production refuses.
    pub(crate) fn refuses(&self) -> bool {
        !self.holds() && self.severity == Severity::Violation
    }

    /// The rule holds in every profile: without it the server could not do what it was told.
    pub(crate) fn always(&self) -> bool {
        self.id == KNOWLEDGE_FOLDER
    }

    /// The rule does not hold and production starts anyway.
    pub(crate) fn warns(&self) -> bool {
        !self.holds() && self.severity == Severity::Warning
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.holds() {
            return write!(f, "{}: {}", self.id, self.say);
        }
        write!(f, "{}: {}: {}; {}", self.id, self.places.join(", "), self.say, self.fix)
    }
}

/// Asks every rule.
pub(crate) fn examine(values: &Values, facts: &Facts) -> Vec<Finding> {
    let case = Case { values, facts };
    rules()
        .map(|rule| {
            let places = (rule.breaks)(&case);
            let (say, fix) = if places.is_empty() { (rule.holds, "") } else { (rule.say, rule.fix) };
            Finding { id: rule.id, severity: rule.severity, places, say, fix }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_every_rule_has_its_sentences() {
        let mut seen = HashSet::new();
        for rule in rules() {
            assert!(seen.insert(rule.id), "{}", rule.id);
            assert!(rule.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", rule.id);
            assert!(!rule.holds.is_empty() && !rule.say.is_empty() && !rule.fix.is_empty(), "{}", rule.id);
        }
    }
}
