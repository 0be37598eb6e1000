//! `stoa doctor`: looks for what is wrong and says what to do. The bundle is for somebody who helps: it holds no
//! secret and no personal data. It changes nothing.

use std::path::Path;

use anyhow::Context as _;
use guard::content::Masker;
use kernel::Ambient;
use serde_json::{Value, json};

use super::archive;
use super::check::finding_document;
use super::paper::{Mark, Paper};
use super::probe::{self, Probe};
use crate::cli::{Doctor, Global};
use crate::known;
use crate::settings::keys::{write_private, write_private_bytes};
use crate::settings::table::{self, Secrecy};
use crate::settings::{self, Inspection, Profile, Settings, Sources, vault};

/// Runs the command. `false`: something is wrong.
pub(crate) async fn run(global: &Global, doctor: &Doctor, ambient: &Ambient) -> anyhow::Result<bool> {
    let mut sources = Sources::of_process(&global.places(), global.flags());
    vault::complete(&mut sources, ambient).await;
    let inspection = settings::inspect(&sources);
    let mut probes = configuration(&inspection);
    let mut seen = Seen::default();
    if let Some(settings) = &inspection.settings {
        probes.extend(examine(settings, &sources, ambient).await);
        let running = probe::running(settings).await;
        probes.extend(running.probes);
        (seen.health, seen.metrics) = (running.health, running.metrics);
        if let Some((probe, lines)) = probe::log(settings) {
            probes.push(probe);
            seen.lines = lines;
        }
        if doctor.bundle.is_some() {
            (seen.migrations, seen.kept) = probe::history(settings, ambient).await;
        }
    }
    let mut paper = Paper::standard();
    paper.line(&format!("stoa {}, profile {}", env!("CARGO_PKG_VERSION"), inspection.profile.as_str()))?;
    paper.line("")?;
    for probe in &probes {
        paper.entry(probe.mark, &probe.name, &probe.say, &probe.fix)?;
    }
    if let Some(path) = &doctor.bundle {
        write_bundle(path, &bundle(&inspection, &probes, ambient), &seen, ambient)?;
        paper.line("")?;
        paper.line(&format!(
            "`{}` holds what was found, without secrets and personal data.",
            path.display()
        ))?;
    }
    let wrong = probes.iter().filter(|probe| probe.mark == Mark::Bad).count();
    paper.line("")?;
    paper.line(&match wrong {
        0 => "Nothing is wrong that can be seen from here.".to_owned(),
        1 => "1 thing is wrong.".to_owned(),
        many => format!("{many} things are wrong."),
    })?;
    Ok(wrong == 0)
}

/// What the configuration itself says.
fn configuration(inspection: &Inspection) -> Vec<Probe> {
    let probe = |mark, name: &str, say: String, fix: &str| Probe {
        name: name.to_owned(),
        mark,
        say,
        fix: fix.to_owned(),
    };
    let mut probes: Vec<Probe> = inspection
        .problems
        .iter()
        .map(|problem| probe(Mark::Bad, "configuration", problem.to_string(), ""))
        .collect();
    if inspection.profile == Profile::Production {
        for finding in inspection.findings.iter().filter(|finding| !finding.holds()) {
            let mark = if finding.refuses() { Mark::Bad } else { Mark::Attention };
            let say = format!("{}: {}", finding.places.join(", "), finding.say);
            probes.push(probe(mark, finding.id, say, finding.fix));
        }
    }
    if probes.is_empty() {
        probes.push(probe(Mark::Good, "configuration", "everything can be read".to_owned(), ""));
    }
    probes
}

async fn examine(settings: &Settings, sources: &Sources, ambient: &Ambient) -> Vec<Probe> {
    let certificate = async {
        match &settings.http.public_url {
            Some(url) => Some(probe::certificate(url, ambient.now()).await),
            None => None,
        }
    };
    let (database, redis, models, public_url, certificate) = tokio::join!(
        probe::database(settings, ambient),
        probe::redis(settings, ambient),
        probe::models(settings, ambient),
        probe::public_url(settings),
        certificate,
    );
    let dotenv = sources.dotenv.as_ref().map(|file| file.path.as_path());
    let mut probes = vec![probe::listener(settings), probe::own_certificate(settings, ambient.now())];
    probes.extend(probe::secrets_manager(sources));
    probes.extend(database);
    probes.push(redis);
    probes.extend(models);
    probes.push(public_url);
    probes.extend(certificate);
    probes.extend(probe::sinks(settings).await);
    probes.push(probe::disk(settings));
    probes.push(probe::memory(settings));
    probes.extend(probe::permissions(settings, dotenv));
    probes.push(probe::clock(settings, ambient.now()));
    probes.extend(probe::proxies(settings, &sources.environment));
    probes.extend(probe::doors(settings, &sources.environment));
    probes.extend(probe::ages(settings, ambient).await);
    probes.extend(probe::backups(settings, ambient).await);
    probes.extend(probe::aws(settings, sources, ambient).await);
    probes
}

/// What the running server and its database said.
#[derive(Default)]
struct Seen {
    health: Option<Value>,
    metrics: Option<String>,
    /// The newest lines of the log file that somebody should look at.
    lines: Vec<String>,
    /// The same as the server keeps them in its database, where there is no file.
    kept: Vec<String>,
    migrations: Vec<Value>,
}

impl Seen {
    /// Each as a file of the archive. Everything has passed the mask once more.
    fn files(&self) -> Vec<(String, String)> {
        let lines = if self.lines.is_empty() { &self.kept } else { &self.lines };
        let masked = |text: &str| Masker::standard().mask(text).into_owned();
        let document = |value: &Value| {
            let mut value = value.clone();
            mask(&mut value);
            serde_json::to_string_pretty(&value).unwrap_or_default()
        };
        let log: Vec<String> = lines.iter().map(|line| masked(line)).collect();
        let metrics =
            self.metrics.as_deref().unwrap_or("# no server answered, or METRICS_TOKEN is not set\n");
        vec![
            ("health.json".to_owned(), self.health.as_ref().map_or("null".to_owned(), document)),
            ("errors.jsonl".to_owned(), log.join("\n")),
            ("metrics.txt".to_owned(), masked(metrics)),
            ("migrations.json".to_owned(), document(&Value::Array(self.migrations.clone()))),
        ]
    }
}

/// One archive; a name that ends in `.json` gets one document.
fn write_bundle(path: &Path, bundle: &Value, seen: &Seen, ambient: &Ambient) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(bundle)?;
    let told =
        || format!("--bundle: `{}` cannot be made (an existing file is not overwritten)", path.display());
    if path.extension().is_some_and(|end| end == "json") {
        let mut whole = bundle.clone();
        if let Some(fields) = whole.as_object_mut() {
            fields.extend(seen.files().into_iter().map(|(name, text)| {
                let parsed = serde_json::from_str(&text).unwrap_or(Value::String(text));
                (name.split('.').next().unwrap_or(&name).to_owned(), parsed)
            }));
        }
        return write_private(path, &format!("{}\n", serde_json::to_string_pretty(&whole)?))
            .with_context(told);
    }
    let mut files = vec![("stoa-bundle/doctor.json".to_owned(), text.into_bytes())];
    files.extend(
        seen.files().into_iter().map(|(name, text)| (format!("stoa-bundle/{name}"), text.into_bytes())),
    );
    let packed = archive::pack(&files, ambient.now().seconds())?;
    write_private_bytes(path, &packed).with_context(told)
}

/// What was found, for somebody who helps. Secrets and addresses that may hold one are only `set`; everything else
/// has passed the mask.
fn bundle(inspection: &Inspection, probes: &[Probe], ambient: &Ambient) -> Value {
    let settings: Vec<Value> = table::all()
        .map(|entry| {
            let setting = entry.setting();
            let shown = inspection.values.shown(entry);
            let value = shown.as_ref().map(|(value, _)| match setting.secrecy {
                Secrecy::Open => value.as_str(),
                Secrecy::Address | Secrecy::Secret => "set",
            });
            let origin = shown.as_ref().map(|(_, origin)| origin.to_string());
            json!({ "name": setting.name, "value": value, "origin": origin })
        })
        .collect();
    let found: Vec<Value> = inspection.findings.iter().map(finding_document).collect();
    let mut bundle = json!({
        "made_at": ambient.now().rfc3339_seconds(),
        "version": env!("CARGO_PKG_VERSION"),
        "packages": known::packages().0,
        "network_packages": known::packages().1,
        "built_at": known::built().map(kernel::Time::rfc3339_seconds),
        "system": { "os": std::env::consts::OS, "architecture": std::env::consts::ARCH,
            "processors": std::thread::available_parallelism().map_or(0, usize::from) },
        "profile": inspection.profile.as_str(),
        "settings": settings,
        "problems": inspection.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "rules": found,
        "looks": probes.iter().map(Probe::document).collect::<Vec<_>>(),
    });
    mask(&mut bundle);
    bundle
}

fn mask(value: &mut Value) {
    match value {
        Value::String(text) => *text = Masker::standard().mask(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(fields) => fields.values_mut().for_each(mask),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Document;

    #[test]
    fn the_bundle_holds_no_secret_and_no_personal_data() {
        let dotenv = "SESSION_SECRET=q7Qz0VfWm2Lr9XcNb4TgYh6JpS1dUeAoK3vR8tMxE5w\nALERT_EMAIL=jane.doe@acme.test\n\
            DATABASE_URL=postgresql://janedoe:hunter2hunter2@db.acme.test/x\nTRUSTED_PROXIES=203.0.113.7\n\
            OPENAI_API_KEY=sk-proj-8f2LqWz91xVbN4\nREDIS_URL=redis://:hunter2hunter2@cache.acme.test\n";
        let sources = Sources {
            dotenv: Some(Document { path: ".env".into(), text: dotenv.to_owned() }),
            ..Sources::default()
        };
        let inspection = settings::inspect(&sources);
        let text = bundle(&inspection, &configuration(&inspection), &crate::nature::ambient()).to_string();
        for secret in ["q7Qz0", "jane", "hunter2", "203.0.113.7", "sk-proj"] {
            assert!(!text.contains(secret), "{secret}");
        }
        assert!(text.contains("\"server.port\"") && text.contains("8080"));
    }

    #[test]
    fn an_existing_file_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let ambient = crate::nature::ambient();
        for name in ["bundle.json", "bundle.tar.gz"] {
            let path = folder.path().join(name);
            write_bundle(&path, &json!({}), &Seen::default(), &ambient).unwrap();
            assert!(write_bundle(&path, &json!({}), &Seen::default(), &ambient).is_err());
        }
    }

    /// 002.79: whatever the server said, nothing of a person and no secret is in the archive.
    #[test]
    fn what_the_server_said_is_masked_again() {
        let seen = Seen {
            health: Some(json!({"status": "degraded", "note": "ada@example.org"})),
            metrics: Some("stoa_x{who=\"ada@example.org\"} 1\n".to_owned()),
            lines: vec![
                r#"{"level":"ERROR","message":"from 203.0.113.7 with sk-proj-8f2LqWz91xVbN4aaaaaaaaaa"}"#
                    .to_owned(),
            ],
            kept: Vec::new(),
            migrations: vec![json!({"version": 1})],
        };
        let all: String = seen.files().into_iter().map(|(_, text)| text).collect();
        for secret in ["ada@", "203.0.113.7", "8f2LqWz91xVbN4"] {
            assert!(!all.contains(secret), "{secret}: {all}");
        }
        assert!(
            all.contains("degraded") && all.contains("stoa_x") && all.contains("\"version\": 1"),
            "{all}"
        );
    }
}
