//! A form as it is shown again after it was refused: what was typed, but never a secret, and what is wrong with it.

/// What a form shows besides its labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormView {
    values: Vec<(String, String)>,
    errors: Vec<(String, String)>,
    /// What is wrong with the whole of it.
    pub problem: Option<String>,
}

/// Names of fields whose values are never printed into a page.
const SECRET: [&str; 4] = ["password", "code", "token", "proof"];

impl FormView {
    /// An empty form.
    pub fn new() -> FormView {
        FormView::default()
    }

    /// With this value in a field; secrets are left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> FormView {
        if !SECRET.iter().any(|secret| name.contains(secret)) {
            self.values.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// With this said about a field.
    #[must_use]
    pub fn wrong(mut self, name: &str, detail: &str) -> FormView {
        self.errors.push((name.to_owned(), detail.to_owned()));
        self
    }

    /// With this said about the whole.
    #[must_use]
    pub fn say(mut self, problem: &str) -> FormView {
        self.problem = Some(problem.to_owned());
        self
    }

    /// The value of a field; empty when there is none.
    pub fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// Whether a box with this value was ticked.
    pub fn ticked(&self, name: &str, value: &str) -> bool {
        self.values.iter().any(|(field, found)| field == name && found == value)
    }

    /// What is wrong with a field.
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|(field, _)| field == name).map(|(_, detail)| detail.as_str())
    }

    /// Whether the form was sent with this field; secrets count as sent.
    pub fn holds(&self, name: &str) -> bool {
        name == "code" || name.ends_with("password") || self.values.iter().any(|(field, _)| field == name)
    }

    /// Whether nothing has been refused.
    pub const fn is_fine(&self) -> bool {
        self.errors.is_empty() && self.problem.is_none()
    }

    /// Whether this field is where the person should go on: the first that is wrong.
    pub fn begins_at(&self, name: &str) -> bool {
        self.errors.first().is_some_and(|(field, _)| field == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown_again() {
        let form = FormView::new()
            .with("email", "a@example.com")
            .with("password", "hunter2")
            .with("new_password", "hunter2")
            .with("proof_code", "123456")
            .wrong("password", "too short");
        assert_eq!(form.value("email"), "a@example.com");
        assert!(!format!("{form:?}").contains("hunter2") && !format!("{form:?}").contains("123456"));
        assert!(form.begins_at("password") && !form.is_fine());
        assert_eq!(form.error("password"), Some("too short"));
    }
}
