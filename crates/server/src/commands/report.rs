//! `stoa report …`: what happened in a day, a week or a month, from the data alone. It changes nothing.

use kernel::Ambient;
use ops::report::{Period, Tone, gather};

use super::data::{sources, told, with_settings};
use super::paper::{Mark, Paper, print_json};
use crate::cli::{Global, Report};
use crate::{ages, known};

/// Runs the command. The report is an answer, whatever it says: it never fails for what it found.
pub(crate) fn run(global: &Global, report: &Report, ambient: &Ambient) -> anyhow::Result<bool> {
    let sources = sources(global, global.flags(), ambient)?;
    with_settings(global, ambient, async |store, settings| {
        let now = ambient.now();
        let secrets = ages::of_secrets(store, &settings.secrets, now).await.map_err(told)?;
        let secrets = secrets.into_iter().map(|age| (age.name, age.days)).collect();
        let known = known::known(&sources, secrets);
        let period = report.period.period();
        let made = gather(store, period, &known, now).await.map_err(told)?;
        if report.json {
            print_json(&serde_json::to_value(&made)?)?;
            return Ok(true);
        }
        let mut paper = Paper::standard();
        paper.line(&format!(
            "Stoa {} report, {} to {}",
            Period::as_str(period),
            made.since.rfc3339_seconds(),
            made.until.rfc3339_seconds()
        ))?;
        for section in &made.sections {
            paper.heading(section.title)?;
            for item in &section.items {
                let mark = match item.tone {
                    Tone::Ok => Mark::Good,
                    Tone::Look => Mark::Attention,
                    Tone::Wrong => Mark::Bad,
                    Tone::Nothing => Mark::Nothing,
                };
                paper.entry(mark, &item.name, &item.value, "")?;
            }
        }
        Ok(true)
    })
}
