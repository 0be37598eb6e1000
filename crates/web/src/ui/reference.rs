//! The page `/docs`: the OpenAPI document as something to read, printed on the server.
//! It knows nothing about the API that the document does not say.

use askama::Template;
use kernel::Result;
use serde_json::Value;

use super::openapi::{self, Field, Group, Operation};
use super::view::AppView;
use super::{Markup, fill, markdown};

#[derive(Template)]
#[template(path = "reference.html")]
struct ReferenceTemplate<'a> {
    apps: &'a [AppView],
    title: String,
    version: String,
    intro: Markup,
    groups: Vec<Group>,
}

/// The readable page of this OpenAPI 3.1 document. `base_url` is the server's own address, for the curl examples;
/// `apps` fill the menu at the top. Parts of the document that are missing or malformed are left out.
pub fn page(document: &Value, apps: &[AppView], base_url: &str) -> Result<String> {
    let info =
        |name: &str| document.pointer(&format!("/info/{name}")).and_then(Value::as_str).unwrap_or_default();
    fill(&ReferenceTemplate {
        apps,
        title: info("title").to_owned(),
        version: info("version").to_owned(),
        intro: Markup(markdown::render(info("description"))),
        groups: openapi::groups(document, base_url),
    })
}

impl Group {
    fn prose(&self) -> Markup {
        Markup(markdown::render(&self.text))
    }
}

impl Operation {
    fn prose(&self) -> Markup {
        Markup(markdown::render(&self.text))
    }

    /// The path with places to break a line after each slash.
    fn breakable_path(&self) -> Vec<&str> {
        self.path.split_inclusive('/').collect()
    }
}

impl Field {
    fn prose(&self) -> Markup {
        Markup(markdown::render(&self.text))
    }
}
