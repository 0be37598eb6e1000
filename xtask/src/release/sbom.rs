//! The bill of materials in the form of CycloneDX 1.5: every package that is built into the program, its version, where it
//! comes from, its sum and its licence. It owns the form; `cargo metadata` and the lock file own the facts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::shell::{self, Shell};

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    repository: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

/// The document, for the program of the package `server`.
///
/// # Errors
/// When cargo cannot say what is built.
pub(crate) fn write(shell: &Shell, commit: Option<&str>) -> Result<String> {
    let host = shell::output(shell.command("rustc").arg("-vV"))?;
    let host =
        host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?.to_owned();
    let mut command = shell.command("cargo");
    command.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &host]);
    let metadata: Metadata = serde_json::from_str(&shell::output(&mut command)?)?;
    let lock = std::fs::read_to_string(shell.root.join("Cargo.lock"))?;
    let document = document(&metadata, &sums(&lock), commit)?;
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// Makes the document and looks whether it is whole.
///
/// # Errors
/// When a package has no licence, or none of the program's own packages is in it.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    let document: Value = serde_json::from_str(&write(shell, None)?)?;
    let components =
        document.get("components").and_then(Value::as_array).context("there are no components")?;
    let named =
        |name: &str| components.iter().any(|one| one.get("name").and_then(Value::as_str) == Some(name));
    for name in ["axum", "sqlx", "rustls", "ring", "tokio"] {
        ensure!(named(name), "{name} is built in and not listed");
    }
    let bare = components.iter().filter(|one| one.get("licenses").is_none());
    let bare: Vec<&str> = bare.filter_map(|one| one.get("name")?.as_str()).collect();
    ensure!(bare.is_empty(), "without a licence: {}", bare.join(", "));
    println!("{} packages are built in, each with its licence", components.len());
    Ok(())
}

fn document(
    metadata: &Metadata,
    sums: &BTreeMap<(String, String), String>,
    commit: Option<&str>,
) -> Result<Value> {
    let packages: BTreeMap<&str, &Package> =
        metadata.packages.iter().map(|one| (one.id.as_str(), one)).collect();
    let root =
        metadata.packages.iter().find(|one| one.name == "server").context("there is no package `server`")?;
    let edges: BTreeMap<&str, BTreeSet<&str>> = metadata
        .resolve
        .nodes
        .iter()
        .map(|node| {
            // What only tests and build scripts use is not in the program.
            let built = node.deps.iter().filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()));
            (node.id.as_str(), built.map(|edge| edge.pkg.as_str()).collect())
        })
        .collect();
    let mut reached = BTreeSet::from([root.id.as_str()]);
    let mut open = VecDeque::from([root.id.as_str()]);
    while let Some(id) = open.pop_front() {
        for next in edges.get(id).into_iter().flatten() {
            if reached.insert(*next) {
                open.push_back(*next);
            }
        }
    }
    let url = |one: &Package| format!("pkg:cargo/{}@{}", one.name, one.version);
    let of = |id: &&str| packages.get(id).copied();
    let mut components = Vec::new();
    for one in reached.iter().filter_map(of).filter(|one| one.id != root.id) {
        let mut component = json!({
            "type": "library", "bom-ref": url(one), "name": one.name, "version": one.version,
            "purl": url(one), "scope": "required",
        });
        let fields = component.as_object_mut().context("a component is an object")?;
        if let Some(licence) = &one.license {
            // Old manifests write `MIT/Apache-2.0`.
            fields.insert("licenses".into(), json!([{"expression": licence.replace('/', " OR ")}]));
        }
        if let Some(sum) = sums.get(&(one.name.clone(), one.version.clone())) {
            fields.insert("hashes".into(), json!([{"alg": "SHA-256", "content": sum}]));
        }
        if let (Some(_), Some(repository)) = (&one.source, &one.repository) {
            fields.insert("externalReferences".into(), json!([{"type": "vcs", "url": repository}]));
        }
        components.push(component);
    }
    let dependencies = reached.iter().filter_map(|id| {
        let on = edges.get(id)?.iter().filter_map(of).map(url).collect::<BTreeSet<_>>();
        Some(json!({"ref": url(of(id)?), "dependsOn": on}))
    });
    let mut itself = json!({
        "type": "application", "bom-ref": url(root), "name": "stoa", "version": root.version,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    });
    if let (Some(commit), Some(fields)) = (commit, itself.as_object_mut()) {
        fields.insert("properties".into(), json!([{"name": "commit", "value": commit}]));
    }
    Ok(json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": itself},
        "components": components,
        "dependencies": dependencies.collect::<Vec<_>>(),
    }))
}

/// The sum of each package, as the lock file has it.
fn sums(lock: &str) -> BTreeMap<(String, String), String> {
    let value = |block: &str, key: &str| {
        block.lines().find_map(|line| Some(line.strip_prefix(key)?.trim_matches([' ', '=', '"']).to_owned()))
    };
    let blocks = lock.split("[[package]]").skip(1);
    blocks
        .filter_map(|block| {
            Some(((value(block, "name")?, value(block, "version")?), value(block, "checksum")?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_listed_and_nothing_else() {
        let package = |name: &str, licence: &str| json!({"id": name, "name": name, "version": "1.0.0", "license": licence, "source": "registry", "repository": null});
        let edge = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata: Metadata = serde_json::from_value(json!({
            "packages": [package("server", "Apache-2.0"), package("a", "MIT/Apache-2.0"), package("b", "MIT"), package("c", "MIT"), package("d", "MIT")],
            "resolve": {"nodes": [
                {"id": "server", "deps": [edge("a", Value::Null), edge("c", json!("dev"))]},
                {"id": "a", "deps": [edge("b", Value::Null), edge("d", json!("build"))]},
                {"id": "b", "deps": []}, {"id": "c", "deps": []}, {"id": "d", "deps": []},
            ]},
        })).unwrap();
        let sums = sums("[[package]]\nname = \"b\"\nversion = \"1.0.0\"\nchecksum = \"abcd\"\n");
        let document = document(&metadata, &sums, Some("0123")).unwrap();
        let names: Vec<&str> = document["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(document["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(document["components"][1]["hashes"][0]["content"], "abcd");
        assert_eq!(document["metadata"]["component"]["properties"][0]["value"], "0123");
        assert_eq!(document["dependencies"][2]["dependsOn"], json!(["pkg:cargo/a@1.0.0"]));
    }
}
