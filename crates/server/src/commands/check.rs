//! `stoa check`: every production rule as one line, and what the server connects to. It changes nothing, starts
//! nothing, and prints no value.

use std::io::Write;

use kernel::Ambient;
use serde_json::{Value, json};

use super::paper::{Mark, Paper, print_json};
use super::probe::{self, Probe};
use crate::cli::{Check, Global};
use crate::settings::production::{Finding, Severity};
use crate::settings::{self, Flag, Inspection, PASSED, Problem, Profile, Settings, Sources, vault};

/// What was found.
struct Outcome {
    profile: Profile,
    problems: Vec<Problem>,
    findings: Vec<Finding>,
    probes: Vec<Probe>,
}

impl Outcome {
    fn violations(&self) -> usize {
        self.problems.len() + self.findings.iter().filter(|finding| finding.refuses()).count()
    }

    fn warnings(&self) -> usize {
        self.findings.iter().filter(|finding| finding.warns()).count() + self.marked(Mark::Attention)
    }

    fn marked(&self, mark: Mark) -> usize {
        self.probes.iter().filter(|probe| probe.mark == mark).count()
    }

    fn passed(&self) -> bool {
        self.violations() == 0 && self.marked(Mark::Bad) == 0
    }
}

/// Runs the command. `false`: a rule does not hold, or something cannot be reached.
pub(crate) async fn run(global: &Global, check: &Check, ambient: &Ambient) -> anyhow::Result<bool> {
    let outcome = look(global, check, ambient).await;
    if check.json {
        print_json(&document(&outcome))?;
    } else {
        print_lines(&mut Paper::standard(), &outcome)?;
    }
    Ok(outcome.passed())
}

async fn look(global: &Global, check: &Check, ambient: &Ambient) -> Outcome {
    let mut sources = Sources::of_process(&global.places(), global.flags());
    vault::complete(&mut sources, ambient).await;
    let Inspection { profile, problems, mut findings, settings, values } = settings::inspect(&sources);
    if profile != Profile::Production {
        // The rules are those of production, so they look at what production would see, its defaults included.
        let production = Profile::Production.as_str().to_owned();
        sources.flags.push(Flag { setting: "environment", flag: "--env", text: production });
        findings = settings::inspect(&sources).findings;
    }
    let mut probes = vec![probe::lifetimes(&values)];
    probes.extend(probe::secrets_manager(&sources));
    if let Some(settings) = &settings {
        probes.extend(probe::bedrock(settings, &values));
        probes.extend(connections(settings, check.upstream, ambient).await);
        probes.extend(probe::ages(settings, ambient).await);
        probes.extend(probe::backups(settings, ambient).await);
        probes.extend(probe::apps(settings, ambient).await);
        if check.upstream {
            probes.extend(probe::aws(settings, &sources, ambient).await);
        }
    }
    Outcome { profile, problems, findings, probes }
}

async fn connections(settings: &Settings, upstream: bool, ambient: &Ambient) -> Vec<Probe> {
    let models = async { if upstream { probe::models(settings, ambient).await } else { Vec::new() } };
    let certificate = async {
        match &settings.http.public_url {
            Some(url) => Some(probe::certificate(url, ambient.now()).await),
            None => None,
        }
    };
    let (mut probes, redis, models, certificate) = tokio::join!(
        probe::database(settings, ambient),
        probe::redis(settings, ambient),
        models,
        certificate
    );
    probes.push(redis);
    if settings.listen.certificate.is_some() {
        probes.push(probe::own_certificate(settings, ambient.now()));
    }
    probes.extend(certificate);
    probes.extend(models);
    probes
}

fn print_lines<W: Write>(paper: &mut Paper<W>, outcome: &Outcome) -> std::io::Result<()> {
    match outcome.profile {
        Profile::Production => paper.line("Production validation")?,
        other => paper.line(&format!(
            "Production validation: what production would say (the profile is {}, which these rules do not stop)",
            other.as_str()
        ))?,
    }
    if !outcome.problems.is_empty() {
        paper.heading("Cannot be read")?;
        for problem in &outcome.problems {
            paper.entry(Mark::Bad, &problem.place, &problem.say, "")?;
        }
    }
    paper.heading("Rules")?;
    for finding in outcome.findings.iter().filter(|finding| !finding.warns()) {
        let mark = if finding.holds() { Mark::Good } else { Mark::Bad };
        rule(paper, mark, finding)?;
    }
    if outcome.findings.iter().any(Finding::warns) {
        paper.heading("Warnings")?;
        for finding in outcome.findings.iter().filter(|finding| finding.warns()) {
            rule(paper, Mark::Attention, finding)?;
        }
    }
    if !outcome.probes.is_empty() {
        paper.heading("Connections, lifetimes, ages")?;
        for probe in &outcome.probes {
            paper.entry(probe.mark, &probe.name, &probe.say, &probe.fix)?;
        }
    }
    paper.line("")?;
    let count =
        |number: usize, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
    let holds = outcome.findings.iter().filter(|finding| finding.holds()).count();
    paper.line(&format!(
        "{}, {}, {}, {}",
        count(outcome.violations(), "violation", "violations"),
        count(outcome.marked(Mark::Bad), "failure", "failures"),
        count(outcome.warnings(), "warning", "warnings"),
        count(holds, "rule holds", "rules hold"),
    ))?;
    if outcome.passed() {
        paper.line(PASSED)?;
    }
    Ok(())
}

fn rule<W: Write>(paper: &mut Paper<W>, mark: Mark, finding: &Finding) -> std::io::Result<()> {
    let say = match finding.places.as_slice() {
        [] => finding.say.to_owned(),
        places => format!("{}: {}", places.join(", "), finding.say),
    };
    paper.entry(mark, finding.id, &say, finding.fix)
}

fn document(outcome: &Outcome) -> Value {
    let rules: Vec<Value> = outcome.findings.iter().map(finding_document).collect();
    let problems: Vec<Value> = outcome
        .problems
        .iter()
        .map(|problem| json!({ "setting": problem.place, "say": problem.say }))
        .collect();
    json!({
        "passed": outcome.passed(),
        "profile": outcome.profile.as_str(),
        "violations": outcome.violations(),
        "warnings": outcome.warnings(),
        "problems": problems,
        "rules": rules,
        "connections": outcome.probes.iter().map(Probe::document).collect::<Vec<_>>(),
    })
}

/// A rule's answer as a JSON document.
pub(super) fn finding_document(finding: &Finding) -> Value {
    let severity = match finding.severity {
        Severity::Violation => "violation",
        Severity::Warning => "warning",
    };
    json!({
        "id": finding.id,
        "holds": finding.holds(),
        "severity": severity,
        "settings": finding.places,
        "say": finding.say,
        "fix": finding.fix,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(id: &'static str, severity: Severity, places: &[&str]) -> Finding {
        let places = places.iter().map(|place| (*place).to_owned()).collect();
        Finding { id, severity, places, say: "it is so", fix: "" }
    }

    #[test]
    fn warnings_stand_apart_and_do_not_fail() {
        let mut outcome = Outcome {
            profile: Profile::Production,
            problems: Vec::new(),
            findings: vec![
                finding("good", Severity::Violation, &[]),
                finding("warned", Severity::Warning, &["A_VARIABLE"]),
            ],
            probes: Vec::new(),
        };
        assert!(outcome.passed());
        let mut text = Vec::new();
        print_lines(&mut Paper::plain(&mut text), &outcome).unwrap();
        let text = String::from_utf8(text).unwrap();
        let warnings = text.find("Warnings").unwrap();
        assert!(text.find("warned").unwrap() > warnings && text.contains(PASSED));

        outcome.findings.push(finding("bad", Severity::Violation, &["ONE", "TWO"]));
        assert!(!outcome.passed());
        let document = document(&outcome);
        assert_eq!((&document["passed"], &document["violations"]), (&json!(false), &json!(1)));
        assert_eq!(document["rules"][2]["settings"], json!(["ONE", "TWO"]));
    }
}
