//! Reads an OpenAPI document into what the reference page prints: groups, operations, flat lists of fields.
//! It takes any JSON without failing, and follows references only so far that a circle ends.

use serde_json::{Map, Value};

use super::example;

/// Fields of nested objects are listed down to this depth; the examples show the rest.
const DEEPEST: usize = 3;
/// Most fields listed for one body.
const MOST_FIELDS: usize = 80;
/// The methods of a path, in the order of the page.
const METHODS: [&str; 5] = ["get", "post", "put", "delete", "head"];

/// The operations of one tag.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) text: String,
    pub(super) operations: Vec<Operation>,
}

/// One method of one path.
pub(super) struct Operation {
    pub(super) slug: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) text: String,
    pub(super) deprecated: bool,
    pub(super) parameters: Vec<Field>,
    pub(super) bodies: Vec<Body>,
    pub(super) answers: Vec<Answer>,
    pub(super) curl: String,
}

/// A parameter, or a field of a body.
pub(super) struct Field {
    pub(super) name: String,
    /// `path`, `query` or `header` for a parameter; empty for a field.
    pub(super) place: String,
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) text: String,
}

/// A body of one content type.
pub(super) struct Body {
    pub(super) content_type: String,
    pub(super) fields: Vec<Field>,
    pub(super) example: String,
}

/// What an operation answers with one status.
pub(super) struct Answer {
    pub(super) status: String,
    pub(super) good: bool,
    pub(super) text: String,
    pub(super) bodies: Vec<Body>,
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A list under this name, or none.
fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn entries<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(name).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

/// Words as part of an address within the page.
fn slug(words: &str) -> String {
    let mut slug = String::with_capacity(words.len());
    for c in words.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// What `$ref` points to inside the document, or the value itself.
pub(super) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut here = value;
    for _ in 0..8 {
        let target =
            here.get("$ref").and_then(Value::as_str).and_then(|to| document.pointer(to.strip_prefix('#')?));
        match target {
            Some(next) => here = next,
            None => break,
        }
    }
    here
}

/// The operations by their first tag, in the order of the document's tags, then of their appearance.
pub(super) fn groups(document: &Value, base_url: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = list(document, "tags")
        .iter()
        .map(|tag| group(&text(tag, "name"), text(tag, "description")))
        .filter(|group| !group.name.is_empty())
        .collect();
    for (path, item) in entries(document, "paths") {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let name = list(operation, "tags").first().and_then(Value::as_str).unwrap_or("Other");
            let shown = read_operation(document, base_url, path, item, method, operation);
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.operations.push(shown),
                None => groups.push(Group { operations: vec![shown], ..group(name, String::new()) }),
            }
        }
    }
    groups.retain(|group| !group.operations.is_empty());
    groups
}

fn group(name: &str, text: String) -> Group {
    Group { name: name.to_owned(), slug: slug(&format!("group {name}")), text, operations: Vec::new() }
}

fn read_operation(
    document: &Value,
    base_url: &str,
    path: &str,
    item: &Value,
    method: &str,
    operation: &Value,
) -> Operation {
    let parameters = list(item, "parameters")
        .iter()
        .chain(list(operation, "parameters"))
        .map(|parameter| read_parameter(document, resolve(document, parameter)))
        .collect();
    let request = operation.get("requestBody").map(|body| resolve(document, body)).unwrap_or(&Value::Null);
    let bodies = read_bodies(document, request);
    let answers = entries(operation, "responses")
        .map(|(status, answer)| {
            let answer = resolve(document, answer);
            Answer {
                good: status.starts_with('2'),
                status: status.clone(),
                text: text(answer, "description"),
                bodies: read_bodies(document, answer),
            }
        })
        .collect();
    Operation {
        slug: slug(&format!("{method} {path}")),
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary: text(operation, "summary"),
        text: text(operation, "description"),
        deprecated: operation.get("deprecated").and_then(Value::as_bool).unwrap_or_default(),
        curl: curl(base_url, method, path, bodies.first()),
        parameters,
        bodies,
        answers,
    }
}

fn read_parameter(document: &Value, parameter: &Value) -> Field {
    let schema = parameter.get("schema").unwrap_or(&Value::Null);
    Field {
        name: text(parameter, "name"),
        place: text(parameter, "in"),
        kind: kind(document, schema),
        required: parameter.get("required").and_then(Value::as_bool).unwrap_or_default(),
        text: described(parameter, resolve(document, schema)),
    }
}

/// The description beside a schema, else the schema's own.
fn described(outer: &Value, schema: &Value) -> String {
    let own = text(outer, "description");
    if own.is_empty() { text(schema, "description") } else { own }
}

fn read_bodies(document: &Value, holder: &Value) -> Vec<Body> {
    entries(holder, "content")
        .map(|(content_type, media)| {
            let schema = media.get("schema").unwrap_or(&Value::Null);
            let mut fields = Vec::new();
            list_fields(document, schema, "", 0, &mut fields);
            Body {
                content_type: content_type.clone(),
                fields,
                example: example::of_body(document, content_type, media),
            }
        })
        .collect()
}

/// The properties of a schema, those of nested objects with dotted names (`message.id`, `items[].id`).
fn list_fields(document: &Value, schema: &Value, prefix: &str, depth: usize, fields: &mut Vec<Field>) {
    let schema = resolve(document, schema);
    if depth >= DEEPEST {
        return;
    }
    for part in list(schema, "allOf") {
        list_fields(document, part, prefix, depth, fields);
    }
    if let Some(items) = schema.get("items") {
        list_fields(document, items, &format!("{prefix}[]"), depth + 1, fields);
    }
    // An optional object is written as "this or null".
    let choices = list(schema, "oneOf").iter().chain(list(schema, "anyOf"));
    let objects: Vec<&Value> =
        choices.filter(|choice| choice.get("type").and_then(Value::as_str) != Some("null")).collect();
    if let [only] = objects.as_slice() {
        list_fields(document, only, prefix, depth, fields);
    }
    let required = list(schema, "required");
    for (name, property) in entries(schema, "properties") {
        if fields.len() >= MOST_FIELDS {
            return;
        }
        let full = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let target = resolve(document, property);
        fields.push(Field {
            name: full.clone(),
            place: String::new(),
            kind: kind(document, property),
            required: required.iter().any(|known| known.as_str() == Some(name)),
            text: described(property, target),
        });
        list_fields(document, property, &full, depth + 1, fields);
    }
}

/// The type of a schema in words: `string (uuid)`, `list of Message`, `"up" or "down"`.
fn kind(document: &Value, schema: &Value) -> String {
    kind_within(document, schema, 0)
}

fn kind_within(document: &Value, schema: &Value, depth: usize) -> String {
    let named = schema.get("$ref").and_then(Value::as_str).and_then(|to| to.rsplit('/').next());
    let target = resolve(document, schema);
    if depth > DEEPEST {
        return "…".to_owned();
    }
    let choices: Vec<&Value> = list(target, "oneOf").iter().chain(list(target, "anyOf")).collect();
    if !choices.is_empty() {
        let mut words: Vec<String> =
            choices.into_iter().map(|choice| kind_within(document, choice, depth + 1)).collect();
        words.dedup();
        return words.join(" or ");
    }
    let values: Vec<String> =
        list(target, "enum").iter().chain(target.get("const")).map(Value::to_string).collect();
    if !values.is_empty() {
        return values.join(" or ");
    }
    if let Some(items) = target.get("items") {
        return format!("list of {}", kind_within(document, items, depth + 1));
    }
    let types: Vec<&str> = match target.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    match (types.as_slice(), named, target.get("format").and_then(Value::as_str)) {
        ([] | ["object"], Some(name), _) => name.to_owned(),
        ([], None, _) => "any".to_owned(),
        (types, _, Some(format)) => format!("{} ({format})", types.join(" or ")),
        (types, _, None) => types.join(" or "),
    }
}

/// A command that asks for this operation.
fn curl(base_url: &str, method: &str, path: &str, body: Option<&Body>) -> String {
    let mut command = String::from("curl");
    if method != "get" {
        command.push_str(" -X ");
        command.push_str(&method.to_ascii_uppercase());
    }
    command.push_str(&format!(" {base_url}{path}"));
    if path.starts_with("/api/") || path.starts_with("/v1/") {
        command.push_str(" \\\n  -H \"Authorization: Bearer $STOA_KEY\"");
    }
    if let Some(body) = body.filter(|body| body.content_type.contains("json") && !body.example.is_empty()) {
        // A quote inside a shell word in single quotes is written as '\''.
        let example = body.example.replace('\'', r"'\''");
        command.push_str(&format!(" \\\n  -H \"Content-Type: {}\" \\\n  -d '{example}'", body.content_type));
    }
    command
}
