//! The page `/docs`: the OpenAPI document as something to read, printed on the server.
//! It knows nothing about the API that the document does not say.

use askama::Template;
use kernel::Result;
use serde_json::Value;

use super::openapi::{self, Field, Group, Operation};
use super::view::Frame;
use super::{Markup, fill, markdown};
use crate::texts::filters;

#[derive(Template)]
#[template(path = "reference.html")]
struct ReferenceTemplate<'a> {
    frame: &'a Frame,
    title: String,
    version: String,
    intro: Markup,
    groups: Vec<Group>,
}

/// The readable page of this OpenAPI 3.1 document. `base_url` is the server's own address, for the curl examples;
/// `frame` fills the menus at the top. Parts of the document that are missing or malformed are left out.
pub fn page(document: &Value, frame: &Frame, base_url: &str) -> Result<String> {
    let info =
        |name: &str| document.pointer(&format!("/info/{name}")).and_then(Value::as_str).unwrap_or_default();
    fill(&ReferenceTemplate {
        frame,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_document_becomes_a_page() {
        let document = json!({
            "info": {"title": "T", "version": "1", "description": "Some *words*."},
            "tags": [{"name": "Second"}, {"name": "First", "description": "<b>x"}],
            "paths": {"/api/v1/things/{id}": {
                "parameters": [{"$ref": "#/components/parameters/Id"}],
                "put": {
                    "tags": ["First"], "summary": "Change a thing",
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "responses": {"200": {"description": "Changed"}, "404": {"description": "Gone"}},
                },
            }, "/x": {"get": {"responses": {}}}},
            "components": {
                "parameters": {"Id": {"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}}},
                "schemas": {"Thing": {
                    "type": "object", "required": ["name"],
                    "properties": {
                        "name": {"type": "string", "example": "it's"},
                        "rating": {"enum": ["up", "down"]},
                        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                        "parent": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Thing"}]},
                    },
                }},
            },
        });
        let html = page(&document, &Frame::default(), "http://127.0.0.1:8080").unwrap();
        for part in [
            "Some <em>words</em>.",
            "id=\"put-api-v1-things-id\"",
            "string (uuid)",
            "list of Thing",
            "null or Thing",
            "parts[].name",
            "curl -X PUT http://127.0.0.1:8080/api/v1/things/{id}",
            "it&#39;\\&#39;&#39;s",
            "Other",
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        assert!(!html.contains("<b>x") && !html.contains(">Second<"));
    }

    #[test]
    fn nonsense_is_left_out() {
        let circle = json!({"paths": {"/a": {"get": {"requestBody": {"$ref": "#/components/a"}}}}, "components": {"a": {"$ref": "#/components/b"}, "b": {"$ref": "#/components/a"}}});
        for document in [
            json!(null),
            json!([]),
            json!({"paths": 3, "tags": {}}),
            json!({"paths": {"/": {"get": null}}}),
            circle,
        ] {
            assert!(page(&document, &Frame::default(), "").is_ok());
        }
    }
}
