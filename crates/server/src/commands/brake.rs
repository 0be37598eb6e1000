//! `stoa lockdown` and `stoa revoke`: the emergency brake at the command line. It works beside a running server and
//! without one.

use kernel::{Actor, Ambient, AuditEvent, EventType, Time};
use serde_json::json;
use store::{Mode, Scope, SessionKind, Store};

use super::data::{told, with_store};
use super::paper::{Mark, Paper, print, print_json};
use crate::cli::{Global, Lockdown, LockdownMode, Revoke, RevokeWhat};

/// Runs `stoa lockdown`.
pub(crate) fn lockdown(global: &Global, wanted: &Lockdown, ambient: &Ambient) -> anyhow::Result<bool> {
    with_store(global, ambient, true, async |store| {
        let mode = match wanted.mode {
            LockdownMode::Users => Some(Mode::Users),
            LockdownMode::AdminOnly => Some(Mode::AdminOnly),
            LockdownMode::Off => Some(Mode::Off),
            LockdownMode::Status => None,
        };
        if let Some(mode) = mode {
            let what = if mode == Mode::Off { EventType::LockdownOff } else { EventType::LockdownOn };
            let event = AuditEvent::new(what, Actor::Operator).with("mode", mode.as_str());
            store.set_lockdown(mode, vec![event]).await.map_err(told)?;
        }
        status(store, wanted.json).await?;
        Ok(true)
    })
}

async fn status(store: &Store, as_json: bool) -> anyhow::Result<()> {
    let now = store.lockdown().await.map_err(told)?;
    if as_json {
        return print_json(&json!({ "mode": now.mode.as_str(), "since": now.since, "by": now.by }));
    }
    let (mark, say) = match now.mode {
        Mode::Off => (Mark::Good, "the brake is released: everybody is let in who may enter"),
        Mode::Users => (Mark::Attention, "accounts that are no admins, and all API keys, are refused"),
        Mode::AdminOnly => (Mark::Attention, "everybody but admins is refused, visitors too"),
    };
    let since = match (now.since, &now.by) {
        (Some(at), Some(by)) => format!("; since {} by {by}", at.rfc3339_seconds()),
        (Some(at), None) => format!("; since {}", Time::rfc3339_seconds(at)),
        (None, _) => String::new(),
    };
    Paper::standard().entry(mark, now.mode.as_str(), &format!("{say}{since}"), "")?;
    Ok(())
}

/// Runs `stoa revoke`.
pub(crate) fn revoke(global: &Global, wanted: &Revoke, ambient: &Ambient) -> anyhow::Result<bool> {
    with_store(global, ambient, true, async |store| {
        let all = wanted.what == RevokeWhat::All;
        let is = |what| all || wanted.what == what;
        let event =
            |what: EventType, of: &str| vec![AuditEvent::new(what, Actor::Operator).to(of).with("what", of)];
        let (mut sessions, mut tokens, mut keys) = (0, 0, 0);
        if is(RevokeWhat::Sessions) {
            let audit = event(EventType::SessionRevoked, "sessions");
            sessions = store.end_sessions(Some(SessionKind::Browser), audit).await.map_err(told)?;
        }
        if is(RevokeWhat::Tokens) {
            let audit = event(EventType::SessionRevoked, "tokens");
            tokens = store.end_sessions(Some(SessionKind::Token), audit).await.map_err(told)?;
        }
        if is(RevokeWhat::Keys) {
            keys = store.revoke_all_keys(event(EventType::KeyRevoked, "keys")).await.map_err(told)?;
        }
        if all {
            let audit = event(EventType::SessionRevoked, "visitors");
            store.bump_epoch(Scope::Visitors, audit).await.map_err(told)?;
        }
        if wanted.json {
            print_json(&json!({ "sessions": sessions, "tokens": tokens, "keys": keys }))?;
        } else {
            print(&format!(
                "{sessions} sessions, {tokens} families of tokens and {keys} keys have ended; running servers refuse \
                 them within a second.\n"
            ))?;
        }
        if is(RevokeWhat::Keys) && !wanted.json {
            super::paper::complain(
                "Keys of API_KEYS are not in the database: take them out of the environment and restart.",
            );
        }
        Ok(true)
    })
}
