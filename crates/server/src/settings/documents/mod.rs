//! The documents that are generated from the table of settings: `stoa.example.toml`, `docs/settings.md`, the schema.
//! They are never edited by hand, and never hold a value of a real configuration.

mod example;
mod markdown;
mod schema;

pub(crate) use example::example;
pub(crate) use markdown::markdown;
pub(crate) use schema::schema;

use super::form::Shape;
use super::profile::Profile;
use super::table::{Default, Entry, Secrecy};

/// The doc comment of a row as plain sentences, and whether it can change while the server runs.
fn sentences(entry: &dyn Entry) -> String {
    let mut words: Vec<&str> = entry.setting().doc.split_whitespace().collect();
    if entry.setting().live {
        words.push("Taken over without a restart.");
    }
    words.join(" ")
}

/// The default in words, with the values of each profile where they differ.
fn default_words(entry: &dyn Entry) -> String {
    let setting = entry.setting();
    let value = |profile| match setting.default.text(profile) {
        Some(text) => format!("`{text}`"),
        None => "none".to_owned(),
    };
    match setting.default {
        Default::None => "none".to_owned(),
        Default::Always(text) => format!("`{text}`"),
        Default::Follows(sentence) => sentence.to_owned(),
        Default::Per { .. } => {
            let [development, staging, production] = Profile::ALL.map(value);
            if staging == production {
                format!("{production}; development {development}")
            } else {
                format!("{production}; staging {staging}; development {development}")
            }
        }
    }
}

/// The variables that are accepted, those for files included.
fn variables(entry: &dyn Entry) -> Vec<String> {
    let setting = entry.setting();
    let mut names: Vec<String> = setting.variables.iter().map(|name| (*name).to_owned()).collect();
    names.extend(setting.variables.iter().filter_map(|name| setting.file_variable(name)));
    names
}

/// A value in TOML to show how the setting is written: its default, else a sample. `None` for secrets, which do not
/// belong into this file.
fn sample(entry: &dyn Entry) -> Option<String> {
    let setting = entry.setting();
    if setting.secrecy == Secrecy::Secret {
        return None;
    }
    let default =
        setting.default.text(Profile::Production).or_else(|| setting.default.text(Profile::Development));
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let list = |text: &str| {
        let items: Vec<String> = text.split(',').map(|item| quoted(item.trim())).collect();
        format!("[{}]", items.join(", "))
    };
    Some(match (entry.shape(), default) {
        (Shape::Flag | Shape::Whole { .. } | Shape::Decimal { .. }, Some(text)) => text.to_owned(),
        (Shape::Flag, None) => "true".to_owned(),
        (Shape::Whole { min, .. }, None) => min.max(10_485_760.min(min.saturating_add(1))).to_string(),
        (Shape::Decimal { min, .. }, None) => format!("{min:?}"),
        (Shape::Text(_), Some(text)) => quoted(text),
        (Shape::List(_), Some(text)) => list(text),
        (Shape::Choice(words), default) => quoted(default.or(words.first().copied()).unwrap_or_default()),
        (Shape::Text(sort), None) => quoted(sample_text(sort)),
        (Shape::List(sort), None) => list(sample_text(sort)),
    })
}

fn sample_text(sort: &str) -> &'static str {
    match sort {
        "a URL" => "https://chat.example.com",
        "a path" => "path/to/it",
        "host names" => "chat.example.com",
        "networks" => "10.0.0.0/8",
        "origins" => "https://app.example.com",
        "a URL that begins with `smtp://` or `smtps://`" => "smtp://user:password@mail.example.com",
        "a mail address" | "a mail address, or a name and a mail address" => "ops@example.com",
        "a region" => "eu-central-1",
        "a path that begins with `/`" => "/v2/credentials/1f2e3d",
        "a role's ARN" => "arn:aws:iam::123456789012:role/stoa",
        "an `s3://` URL" => "s3://bucket/stoa",
        "a URL that begins with `sqlite:` or `postgresql://`" => "sqlite:data/stoa.db",
        "a URL that begins with `redis://` or `rediss://`" => "redis://localhost:6379/0",
        "a model name" => "gpt-4o-mini",
        "a model's id or ARN" => "eu.amazon.nova-lite-v1:0",
        "names" => "bedrock,openai",
        "an app id" => "handbook",
        "`daily`, `weekly`, `monthly`" => "daily,weekly",
        _ => "name",
    }
}
