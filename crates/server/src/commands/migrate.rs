//! `stoa migrate [status|up]`: the schema of the database.

use kernel::Ambient;

use super::data::{Fresh, told, with_backups};
use super::paper::{Mark, Paper};
use crate::cli::{Global, Migrate, MigrateAction};

/// Runs the command. `false`: `status` found migrations that are missing.
pub(crate) fn run(global: &Global, migrate: &Migrate, ambient: &Ambient) -> anyhow::Result<bool> {
    with_backups(global, ambient, Fresh::Allowed, async |vault| {
        let store = &vault.store;
        let mut paper = Paper::standard();
        match migrate.action {
            MigrateAction::Up => {
                let (applied, snapshot) = vault.backups.upgrade().await.map_err(told)?;
                if let Some(snapshot) = snapshot {
                    paper.entry(Mark::Good, "snapshot", &snapshot, "")?;
                }
                for step in &applied {
                    paper.entry(Mark::Good, &format!("{:04}", step.version), &step.name, "")?;
                }
                if applied.is_empty() {
                    paper.line("The schema is up to date.")?;
                }
                Ok(true)
            }
            MigrateAction::Status => {
                let steps = store.migrations().await.map_err(told)?;
                for step in &steps {
                    let (mark, say) = match step.applied_at {
                        Some(at) => (Mark::Good, format!("{}, applied {}", step.name, at.rfc3339_seconds())),
                        None => (Mark::Attention, format!("{}, missing", step.name)),
                    };
                    paper.entry(mark, &format!("{:04}", step.version), &say, "")?;
                }
                Ok(steps.iter().all(|step| step.applied_at.is_some()))
            }
        }
    })
}
