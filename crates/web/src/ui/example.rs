//! Examples for the reference page: those that the OpenAPI document gives, else made from the schema.
//! It never invents a value that looks like a secret or a person.

use serde_json::{Map, Value, json};

use super::openapi::resolve;

/// Made examples stop here: deep enough for every answer of the API, shallow enough to end a circle.
const DEEPEST: usize = 6;

/// The example of a body as text: pretty JSON, or as it stands when it is text. Empty when nothing is known.
pub(super) fn of_body(document: &Value, content_type: &str, media: &Value) -> String {
    let schema = media.get("schema").unwrap_or(&Value::Null);
    let given = media.get("example").cloned().or_else(|| {
        let first = media.get("examples")?.as_object()?.values().next()?;
        resolve(document, first).get("value").cloned()
    });
    let example = match given {
        Some(example) => example,
        None if content_type.contains("json") => of_schema(document, schema, 0),
        None => resolve(document, schema).get("example").cloned().unwrap_or_default(),
    };
    match example {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => serde_json::to_string_pretty(&other).unwrap_or_default(),
    }
}

fn of_schema(document: &Value, schema: &Value, depth: usize) -> Value {
    let target = resolve(document, schema);
    let list = |name: &str| target.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let given = [schema, target].into_iter().find_map(|place| {
        place
            .get("example")
            .or_else(|| place.get("examples")?.as_array()?.first())
            .or_else(|| place.get("default"))
    });
    if let Some(given) = given.or_else(|| target.get("const")).or_else(|| list("enum").first()) {
        return given.clone();
    }
    if depth >= DEEPEST {
        return Value::Null;
    }
    let choices = list("oneOf").iter().chain(list("anyOf"));
    if let Some(choice) = choices.into_iter().find(|choice| !is_null(choice)) {
        return of_schema(document, choice, depth + 1);
    }
    if let Some(items) = target.get("items") {
        return json!([of_schema(document, items, depth + 1)]);
    }
    let mut object = Map::new();
    for part in list("allOf") {
        if let Value::Object(fields) = of_schema(document, part, depth + 1) {
            object.extend(fields);
        }
    }
    for (name, property) in target.get("properties").and_then(Value::as_object).into_iter().flatten() {
        object.insert(name.clone(), of_schema(document, property, depth + 1));
    }
    if !object.is_empty() {
        return Value::Object(object);
    }
    of_type(target)
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

fn of_type(schema: &Value) -> Value {
    let kind = match schema.get("type") {
        Some(Value::String(one)) => one.as_str(),
        Some(Value::Array(many)) => {
            many.iter().filter_map(Value::as_str).find(|one| *one != "null").unwrap_or_default()
        }
        _ => "",
    };
    match (kind, schema.get("format").and_then(Value::as_str)) {
        ("string", Some("uuid")) => json!("01939f2e-7c4a-7b31-9d55-0a6f2c1e8b47"),
        ("string", Some("date-time")) => json!("2026-01-31T09:30:00Z"),
        ("string", _) => json!("text"),
        ("integer" | "number", _) => json!(0),
        ("boolean", _) => json!(true),
        ("array", _) => json!([]),
        ("object", _) => json!({}),
        _ => Value::Null,
    }
}
