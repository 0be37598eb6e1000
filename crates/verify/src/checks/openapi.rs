//! The OpenAPI document is a valid 3.1 document that a person and a generator can use.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::answer::text_at;
use crate::deployment::Deployment;
use crate::verdict::{Verdict, ensure, fail};

/// What every deployment serves, whatever its apps.
const PROMISED: [&str; 7] = [
    "/health",
    "/ready",
    "/live",
    "/api/v1/chat",
    "/api/v1/conversations",
    "/v1/chat/completions",
    "/v1/models",
];
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// One operation of the document.
pub(super) struct Operation<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) body: &'a Map<String, Value>,
    shared: Option<&'a Value>,
}

/// Every operation of the document, in its order.
pub(super) fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut all = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        for (method, body) in item.as_object().into_iter().flatten() {
            if let (true, Some(body)) = (METHODS.contains(&method.as_str()), body.as_object()) {
                all.push(Operation { method, path, body, shared: item.get("parameters") });
            }
        }
    }
    all
}

/// The document is there, is 3.1, and holds together.
pub(crate) async fn document(deployment: &Deployment) -> Verdict {
    let document = deployment.document().await?;
    let version = text_at(document, "/openapi", "the document")?;
    ensure(version.starts_with("3.1"), || format!("the document is OpenAPI {version}, not 3.1"))?;
    for field in ["/info/title", "/info/version"] {
        text_at(document, field, "the document")?;
    }
    let operations = operations(document);
    let missing = PROMISED.iter().filter(|path| operations.iter().all(|operation| operation.path != **path));
    let missing = missing.copied().collect::<Vec<_>>();
    ensure(missing.is_empty(), || format!("the document does not hold {}", missing.join(", ")))?;
    let mut ids = BTreeSet::new();
    for operation in &operations {
        check_operation(operation, document, &mut ids)?;
    }
    check_references(document, document)?;
    let docs = deployment.client.get("/docs").send().await?;
    docs.expect(&[200, 301, 302, 303, 307, 308])?;
    Ok(format!("OpenAPI {version}, {} operations, each described", operations.len()))
}

fn check_operation(operation: &Operation<'_>, document: &Value, ids: &mut BTreeSet<String>) -> Verdict<()> {
    let name = format!("{} {}", operation.method.to_uppercase(), operation.path);
    let has_text = |value: &Map<String, Value>, field: &str| {
        value.get(field).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty())
    };
    ensure(has_text(operation.body, "summary") || has_text(operation.body, "description"), || {
        format!("{name} has neither summary nor description")
    })?;
    if let Some(id) = operation.body.get("operationId").and_then(Value::as_str) {
        ensure(ids.insert(id.to_owned()), || format!("operationId `{id}` stands there twice"))?;
    }
    let responses = operation.body.get("responses").and_then(Value::as_object);
    ensure(responses.is_some_and(|all| !all.is_empty()), || format!("{name} has no responses"))?;
    for (status, response) in responses.into_iter().flatten() {
        let response = resolve(document, response)?;
        ensure(response.as_object().is_some_and(|response| has_text(response, "description")), || {
            format!("{name}: response {status} has no description")
        })?;
    }
    for wanted in operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let own = operation.body.get("parameters");
        let mut declared = false;
        for parameter in own.into_iter().chain(operation.shared).filter_map(Value::as_array).flatten() {
            let parameter = resolve(document, parameter)?;
            declared |= parameter.get("name").and_then(Value::as_str) == Some(wanted);
        }
        ensure(declared, || format!("{name} does not declare the parameter `{wanted}`"))?;
    }
    Ok(())
}

/// Every `$ref` leads to something inside the document.
fn check_references(value: &Value, document: &Value) -> Verdict<()> {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                if fields.get("$ref").is_some_and(Value::is_string) {
                    resolve(document, value)?;
                }
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    Ok(())
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> Verdict<&'a Value> {
    let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return Ok(value) };
    let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
    target.ok_or_else(|| fail(format!("`{reference}` leads nowhere")))
}
