//! The page to which the `type` of every error leads: what each code means and what to do about it.

use askama::Template;
use kernel::{Code, Result};

use super::view::Frame;
use super::{Markup, fill, markdown};
use crate::texts::filters;

#[derive(Template)]
#[template(path = "errors.html")]
struct ErrorsTemplate<'a> {
    frame: &'a Frame,
    codes: Vec<Row>,
}

struct Row {
    name: &'static str,
    status: u16,
    title: &'static str,
    help: Markup,
}

/// The page `/docs/errors`. `status` gives the HTTP status of a code; `frame` fills the menus at the top.
pub fn page(frame: &Frame, status: impl Fn(Code) -> u16) -> Result<String> {
    let row = |code: &Code| Row {
        name: code.as_str(),
        status: status(*code),
        title: code.title(),
        help: Markup(markdown::render(code.help())),
    };
    fill(&ErrorsTemplate { frame, codes: Code::ALL.iter().map(row).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_anchor() {
        let html = page(&Frame::default(), |_| 418).unwrap();
        for code in Code::ALL {
            assert!(html.contains(&format!("id=\"{}\"", code.as_str())), "{}", code.as_str());
        }
        assert!(html.contains("<code>Retry-After</code>"), "the help is rendered as Markdown");
    }
}
