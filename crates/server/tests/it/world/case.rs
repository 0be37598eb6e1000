//! A case is a row: who asks, what, which status comes, what the answer must hold and what it must not.

use super::Request;

/// A row.
pub struct Case {
    request: Request,
    what: String,
    status: u16,
    code: &'static str,
    holds: Vec<String>,
    lacks: Vec<String>,
}

impl Case {
    /// This request gives this status.
    pub fn new(request: Request, status: u16) -> Case {
        let what = format!("{} {}", request.method, request.path);
        Case { request, what, status, code: "", holds: Vec::new(), lacks: Vec::new() }
    }

    /// With this stable code.
    pub fn code(mut self, code: &'static str) -> Case {
        self.code = code;
        self
    }

    /// The body holds this text.
    pub fn holds(mut self, text: &str) -> Case {
        self.holds.push(text.to_owned());
        self
    }

    /// The body does not hold this text.
    pub fn lacks(mut self, text: &str) -> Case {
        self.lacks.push(text.to_owned());
        self
    }
}

/// Asks all of them and reports every row that is not as it should be.
pub async fn check(cases: impl IntoIterator<Item = Case>) {
    let mut wrong = Vec::new();
    for case in cases {
        let answer = case.request.send().await;
        let text = answer.text();
        if answer.status != case.status || answer.code() != case.code {
            wrong.push(format!("{}: wanted {} {}, got {answer:?}", case.what, case.status, case.code));
        }
        for text in case.holds.iter().filter(|wanted| !text.contains(wanted.as_str())) {
            wrong.push(format!("{}: the answer lacks `{text}`: {answer:?}", case.what));
        }
        for text in case.lacks.iter().filter(|never| text.contains(never.as_str())) {
            wrong.push(format!("{}: the answer holds `{text}`: {answer:?}", case.what));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
