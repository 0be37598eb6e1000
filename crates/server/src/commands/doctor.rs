//! `stoa doctor`: looks for what is wrong and says what to do. The bundle is for somebody who helps: it holds no
//! secret and no personal data. It changes nothing.

use std::path::Path;

use anyhow::Context as _;
use guard::content::Masker;
use kernel::Ambient;
use serde_json::{Value, json};

use super::check::finding_document;
use super::paper::{Mark, Paper};
use super::probe::{self, Probe};
use crate::cli::{Doctor, Global};
use crate::settings::keys::write_private;
use crate::settings::table::{self, Secrecy};
use crate::settings::{self, Inspection, Profile, Settings, Sources, vault};

/// Runs the command. `false`: something is wrong.
pub(crate) async fn run(global: &Global, doctor: &Doctor, ambient: &Ambient) -> anyhow::Result<bool> {
    let mut sources = Sources::of_process(&global.places(), global.flags());
    vault::complete(&mut sources, ambient).await;
    let inspection = settings::inspect(&sources);
    let mut probes = configuration(&inspection);
    if let Some(settings) = &inspection.settings {
        probes.extend(examine(settings, &sources, ambient).await);
    }
    let mut paper = Paper::standard();
    paper.line(&format!("stoa {}, profile {}", env!("CARGO_PKG_VERSION"), inspection.profile.as_str()))?;
    paper.line("")?;
    for probe in &probes {
        paper.entry(probe.mark, &probe.name, &probe.say, &probe.fix)?;
    }
    if let Some(path) = &doctor.bundle {
        write_bundle(path, &bundle(&inspection, &probes, ambient))?;
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
    probes.push(probe::disk(settings));
    probes.extend(probe::permissions(settings, dotenv));
    probes.push(probe::clock(settings, ambient.now()));
    probes.extend(probe::proxies(settings, &sources.environment));
    probes.extend(probe::ages(settings, ambient).await);
    probes.extend(probe::backups(settings, ambient).await);
    probes.extend(probe::aws(settings, sources, ambient).await);
    probes
}

fn write_bundle(path: &Path, bundle: &Value) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(bundle)?;
    write_private(path, &format!("{text}\n")).with_context(|| {
        format!("--bundle: `{}` cannot be made (an existing file is not overwritten)", path.display())
    })
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
        let path = folder.path().join("bundle.json");
        write_bundle(&path, &json!({})).unwrap();
        assert!(write_bundle(&path, &json!({})).is_err());
    }
}
