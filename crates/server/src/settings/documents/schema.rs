//! The JSON Schema of `stoa.toml`, for editors and for machines that write it.

use serde_json::{Map, Value, json};

use super::{default_words, sentences};
use crate::settings::form::Shape;
use crate::settings::table::{self, Entry, GROUPS};

/// The whole schema, draft 2020-12.
pub(crate) fn schema() -> Value {
    let mut root = object("Settings of Stoa");
    for entry in table::all() {
        place(&mut root, entry.setting().name, property(entry));
    }
    for group in GROUPS {
        let mut item = object(group.about);
        for entry in group.fields {
            place(&mut item, entry.setting().name, property(*entry));
        }
        place(&mut root, group.name, json!({ "type": "array", "description": group.about, "items": item }));
    }
    root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("title".to_owned(), json!("stoa.toml"));
    Value::Object(root)
}

fn object(about: &str) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("type".to_owned(), json!("object"));
    object.insert("description".to_owned(), json!(about));
    object.insert("additionalProperties".to_owned(), json!(false));
    object.insert("properties".to_owned(), json!({}));
    object
}

/// Puts a property at a dotted path, making the tables on the way.
fn place(object_at: &mut Map<String, Value>, path: &str, property: Value) {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let Some(Value::Object(properties)) = object_at.get_mut("properties") else { return };
    let Some(rest) = rest else {
        properties.insert(head.to_owned(), property);
        return;
    };
    let below = properties.entry(head).or_insert_with(|| Value::Object(object(head)));
    if let Value::Object(below) = below {
        place(below, rest, property);
    }
}

fn property(entry: &dyn Entry) -> Value {
    let mut property = match entry.shape() {
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole { min, max: u64::MAX } => json!({ "type": "integer", "minimum": min }),
        Shape::Whole { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Decimal { min, max } => json!({ "type": "number", "minimum": min, "maximum": max }),
        Shape::Choice(words) => json!({ "type": "string", "enum": words }),
        Shape::Text(_) => json!({ "type": "string" }),
        Shape::List(_) => json!({ "type": "array", "items": { "type": "string" } }),
    };
    if let Value::Object(fields) = &mut property {
        let about = format!(
            "{} Form: {}. Default: {}.",
            sentences(entry),
            entry.shape().words(),
            default_words(entry)
        );
        fields.insert("description".to_owned(), json!(about));
    }
    property
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_its_place() {
        let schema = schema();
        for entry in table::all() {
            let mut at = &schema;
            for part in entry.setting().name.split('.') {
                at = &at["properties"][part];
            }
            assert!(at["description"].is_string(), "{}", entry.setting().name);
        }
        assert_eq!(schema["properties"]["apps"]["items"]["properties"]["id"]["type"], "string");
        assert_eq!(schema["properties"]["identity"]["properties"]["issuers"]["type"], "array");
    }
}
