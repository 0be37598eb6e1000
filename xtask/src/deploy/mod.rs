//! The files of a deployment, held against the rules that matter: what runs as nobody, reads secrets from files, is asked
//! by the right probes, stops slowly enough, and names only settings and metrics that exist. Each file is also given to
//! the tool of its kind where that is installed. It owns the rules; it starts nothing of a deployment.

mod compose;
mod ecs;
mod image;
mod kubernetes;
mod metrics;
mod tools;
mod unit;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

use crate::shell::Shell;

pub(crate) use metrics::live;

/// What is wrong: the file, and what to do about it.
type Faults = Vec<String>;

/// Everything that the rules look at.
struct Place {
    folder: PathBuf,
    /// Every variable that is a setting, and `NAME_FILE` of each secret.
    variables: BTreeSet<String>,
    /// Every metric of the server.
    metrics: BTreeSet<String>,
}

impl Place {
    fn text(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.folder.join(name)).with_context(|| format!("deploy/{name} cannot be read"))
    }

    /// The documents of a YAML file.
    fn yaml(&self, name: &str) -> Result<Vec<Value>> {
        yaml(&self.text(name)?).with_context(|| format!("deploy/{name}"))
    }

    /// A variable that the server would not know is a setting that does nothing.
    fn unknown_variable(&self, name: &str) -> bool {
        !self.variables.contains(name)
    }
}

/// A rule: what it looks at, and how.
type Rule = fn(&Place) -> Result<Faults>;

const RULES: &[(&str, Rule)] = &[
    ("image", image::rules),
    ("compose", compose::rules),
    ("kubernetes", kubernetes::rules),
    ("ecs", ecs::rules),
    ("systemd", unit::rules),
    ("metrics", metrics::rules),
];

/// Looks at all of them and prints every fault.
///
/// # Errors
/// When there is one, or a file cannot be read.
pub(crate) fn run(shell: &Shell) -> Result<()> {
    let place = read(&shell.root)?;
    let mut count = 0;
    for (name, rule) in RULES {
        let faults = rule(&place)?;
        println!("{name}: {}", if faults.is_empty() { "as it should be" } else { "faults" });
        for fault in &faults {
            println!("  {fault}");
        }
        count += faults.len();
    }
    count += tools::run(shell)?;
    ensure!(count == 0, "{count} faults");
    Ok(())
}

fn read(root: &Path) -> Result<Place> {
    let settings = fs::read_to_string(root.join("docs/settings.md"))?;
    let metrics = fs::read_to_string(root.join("crates/ops/src/metrics/mod.rs"))?;
    Ok(Place {
        folder: root.join("deploy"),
        variables: variables(&settings),
        metrics: metrics::named(&metrics),
    })
}

/// The variables of the table of settings: the second cell of each row. Every secret is accepted as `NAME_FILE`.
fn variables(document: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for row in document.lines().filter(|line| line.starts_with("| `")) {
        for name in row.split('|').nth(2).unwrap_or_default().split('`').skip(1).step_by(2) {
            names.insert(name.to_owned());
            names.insert(format!("{name}_FILE"));
        }
    }
    names
}

/// YAML as JSON, because the rules ask by pointers.
fn yaml(text: &str) -> Result<Vec<Value>> {
    Ok(YamlLoader::load_from_str(text)?.iter().map(json).collect())
}

fn json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::String(text) => Value::String(text.clone()),
        Yaml::Integer(number) => Value::from(*number),
        Yaml::Real(text) => text.parse::<f64>().map_or_else(|_| Value::String(text.clone()), Value::from),
        Yaml::Boolean(value) => Value::Bool(*value),
        Yaml::Array(items) => items.iter().map(json).collect(),
        Yaml::Hash(fields) => {
            let fields = fields.iter().map(|(key, value)| {
                let key =
                    key.as_str().map(str::to_owned).or_else(|| key.as_i64().map(|number| number.to_string()));
                (key.unwrap_or_default(), json(value))
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}

/// The text at a JSON pointer; empty when it is not there.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list at a JSON pointer.
fn items<'a>(value: &'a Value, pointer: &str) -> Vec<&'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten().collect()
}

/// Adds a fault unless `holds`.
fn want(faults: &mut Faults, holds: bool, say: impl Into<String>) {
    if !holds {
        faults.push(say.into());
    }
}

/// Whether the name of a variable is that of a secret.
fn is_secret(name: &str) -> bool {
    ["SECRET", "PASSWORD", "TOKEN", "API_KEY", "ENCRYPTION_KEY", "DATABASE_URL", "REDIS_URL", "_DSN"]
        .iter()
        .any(|word| name.contains(word))
}

/// A place of the tests with a file of these texts.
#[cfg(test)]
fn scratch(files: &[(&str, &str)]) -> (crate::running::Folder, Place) {
    let folder = crate::running::Folder::new("deploy").unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let variables = ["ENVIRONMENT", "API_PORT", "SESSION_SECRET", "SESSION_SECRET_FILE", "DATABASE_URL_FILE"];
    let place = Place {
        folder: folder.path().to_owned(),
        variables: variables.map(str::to_owned).into(),
        metrics: ["stoa_http_requests_total".to_owned()].into(),
    };
    (folder, place)
}

/// Plants a fault in a file that is as it should be, and wants it found in these words.
#[cfg(test)]
fn plant(file: &str, rule: Rule, faults: &[(&str, &str, &str)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let place = read(root).unwrap();
    let right = place.text(file).unwrap();
    assert_eq!(rule(&place).unwrap(), Faults::new());
    for (from, to, word) in faults {
        assert!(right.contains(from), "{file} does not hold `{from}`");
        let wrong = right.replacen(from, to, 1);
        let (_folder, mut scratch) = scratch(&[(file, &wrong)]);
        (scratch.variables, scratch.metrics) = (place.variables.clone(), place.metrics.clone());
        copy_beside(&place, &scratch, file);
        let found = rule(&scratch).unwrap();
        assert!(
            found.iter().any(|fault| fault.contains(word)),
            "`{to}` should be found as `{word}`: {found:?}"
        );
    }
}

/// The other files, so that a rule finds what it compares with.
#[cfg(test)]
fn copy_beside(from: &Place, to: &Place, but: &str) {
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(from.folder.join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if from.folder.join(&path).is_dir() {
                fs::create_dir_all(to.folder.join(&path)).unwrap();
                open.push(path);
            } else if path.to_str() != Some(but) {
                fs::copy(from.folder.join(&path), to.folder.join(&path)).unwrap();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_those_of_the_table() {
        let names = variables(
            "| setting | variables |\n| `server.port` | `API_PORT`, `PORT` | `8080` |\n| `x` |  | none |",
        );
        assert_eq!(
            names.iter().map(String::as_str).collect::<Vec<_>>(),
            ["API_PORT", "API_PORT_FILE", "PORT", "PORT_FILE"]
        );
    }

    #[test]
    fn yaml_is_read_as_json() {
        let read = yaml("a: [1, x, true]\nb: &it {c: 1.5}\nd: *it\n---\ne: null\n").unwrap();
        assert_eq!(read[0], serde_json::json!({"a": [1, "x", true], "b": {"c": 1.5}, "d": {"c": 1.5}}));
        assert_eq!(read.len(), 2);
        assert!(yaml("a: [1").is_err());
    }
}
