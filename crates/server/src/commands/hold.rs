//! `stoa hold add|remove|list`: what must be kept whatever its time. It holds on running servers at once.

use anyhow::Context as _;
use identity::hold_reason;
use kernel::{Actor, Ambient, AuditEvent, EventType, HoldId, Subject};
use serde_json::json;
use store::{Hold, HoldTarget, NewHold, Store};

use super::data::{told, with_settings};
use super::paper::{Mark, Paper, print, print_json};
use super::user;
use crate::cli;
use crate::settings::Settings;

/// Runs the command.
pub(crate) fn run(global: &cli::Global, wanted: &cli::Hold, ambient: &Ambient) -> anyhow::Result<bool> {
    with_settings(global, ambient, async |store, settings| {
        match wanted {
            cli::Hold::Add { target, reason } => {
                let target = meant(store, settings, target).await?;
                let reason = hold_reason(reason).map_err(told)?;
                let new = NewHold {
                    id: HoldId::new(ambient),
                    target,
                    reason,
                    created_by: Actor::Operator.to_string(),
                };
                let event = AuditEvent::new(EventType::HoldAdded, Actor::Operator).to(&new.target);
                let made = store.add_hold(new, vec![event]).await.map_err(told)?;
                print(&format!("{}\n", made.id))?;
                super::paper::complain(&format!(
                    "{} is on hold: retention passes it by and nobody can erase it until `stoa hold remove {}`.",
                    made.target, made.id
                ));
            }
            cli::Hold::Remove { hold } => {
                let id = find(store, settings, hold).await?;
                let event = AuditEvent::new(EventType::HoldRemoved, Actor::Operator);
                let ended = store.remove_hold(id, event).await.map_err(told)?;
                print(&format!(
                    "The hold on {} has ended; what its time has come for goes now.\n",
                    ended.target
                ))?;
            }
            cli::Hold::List { json } => list(&store.holds().await.map_err(told)?, *json)?,
        }
        Ok(true)
    })
}

/// What somebody means who types an address, a subject or an app.
async fn meant(store: &Store, settings: &Settings, text: &str) -> anyhow::Result<HoldTarget> {
    if text.contains('@') {
        return Ok(HoldTarget::Subject(Subject::User(user::find(store, text).await?.id)));
    }
    let target = HoldTarget::parse(text).map_err(|_| {
        anyhow::anyhow!(
            "`{text}` is no target; write an e-mail address, user:ID, visitor:ID, key:ID or app:ID"
        )
    })?;
    match &target {
        HoldTarget::App(app) => {
            settings.catalog.get(app).map_err(|_| anyhow::anyhow!("there is no app `{app}`"))?;
        }
        HoldTarget::Subject(Subject::User(id)) => {
            store.user(*id).await.map_err(told).with_context(|| format!("there is no account {id}"))?;
        }
        HoldTarget::Subject(Subject::Visitor(_) | Subject::Key(_)) => {}
    }
    Ok(target)
}

async fn find(store: &Store, settings: &Settings, text: &str) -> anyhow::Result<HoldId> {
    if let Ok(id) = HoldId::parse(text) {
        return Ok(id);
    }
    let target = meant(store, settings, text).await?;
    let holds = store.holds().await.map_err(told)?;
    let found = holds.into_iter().find(|hold| hold.target == target);
    found
        .map(|hold| hold.id)
        .with_context(|| format!("{target} is not on hold; `stoa hold list` shows what is"))
}

fn list(holds: &[Hold], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let row = |hold: &Hold| {
            json!({
                "id": hold.id, "target": hold.target.to_string(), "reason": hold.reason,
                "created_by": hold.created_by, "created_at": hold.created_at,
            })
        };
        return print_json(&holds.iter().map(row).collect());
    }
    let mut paper = Paper::standard();
    for hold in holds {
        let say = format!(
            "{}  since {} by {}: {}",
            hold.id,
            hold.created_at.rfc3339_seconds(),
            hold.created_by,
            hold.reason
        );
        paper.entry(Mark::Attention, &hold.target.to_string(), &say, "")?;
    }
    if holds.is_empty() {
        paper.line("Nothing is on hold.")?;
    }
    Ok(())
}
