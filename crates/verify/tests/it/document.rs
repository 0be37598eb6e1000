//! The OpenAPI document of the mock.

use serde_json::{Map, Value, json};

use crate::mock::Mock;

const PUBLIC: [&str; 4] = ["/health", "/ready", "/live", "/openapi.json"];
const VISITORS: [&str; 5] = [
    "/api/v1/chat",
    "/api/v1/conversations",
    "/api/v1/conversations/{id}",
    "/v1/chat/completions",
    "/v1/models",
];

/// The document, with the planted faults.
pub(crate) fn document(mock: &Mock) -> Value {
    let mut paths = Map::new();
    let closed = ["/api/v1/admin/users", "/api/v1/keys", "/api/v1/me", "/api/v1/files/{id}"];
    for path in PUBLIC.iter().chain(&VISITORS).chain(&closed) {
        if mock.has("document-lacks-chat") && *path == "/api/v1/chat" {
            continue;
        }
        let security = match *path {
            path if PUBLIC.contains(&path) => json!([]),
            path if VISITORS.contains(&path) => json!([{}, {"key": []}]),
            _ => json!([{"key": []}]),
        };
        let method = if path.ends_with("chat") || path.ends_with("completions") { "post" } else { "get" };
        let description = if mock.has("undescribed-response") { "" } else { "It worked" };
        let schema = if mock.has("dangling-reference") {
            "#/components/schemas/No"
        } else {
            "#/components/schemas/Any"
        };
        let mut operation = json!({
            "summary": format!("What {path} does, in as many words as a person who reads it needs to use it well"),
            "security": security,
            "responses": {"200": {"description": description,
                "content": {"application/json": {"schema": {"$ref": schema}}}}}
        });
        if path.contains('{') && !mock.has("undeclared-parameter") {
            operation["parameters"] = json!([{"name": "id", "in": "path", "required": true}]);
        }
        paths.insert((*path).to_owned(), json!({method: operation}));
    }
    json!({
        "openapi": if mock.has("old-document") { "3.0.3" } else { "3.1.0" },
        "info": {"title": "Mock", "version": "1"},
        "paths": paths,
        "components": {"schemas": {"Any": {"type": "object"}}, "securitySchemes": {"key": {"type": "apiKey"}}}
    })
}
