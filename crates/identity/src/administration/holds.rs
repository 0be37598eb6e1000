//! Legal holds: placed, listed and ended by admins. While one is there, nothing of its subject or app is removed by time
//! and nobody erases it.

use kernel::{EventType, Fault, HoldId, Result, Subject};
use store::{Hold, HoldTarget, NewHold};

use super::{Administration, event};
use crate::{Admin, May};

/// The longest reason, in characters.
const REASON: usize = 500;

impl Administration {
    /// Every hold, the newest first.
    pub async fn holds(&self, _: &May<Admin>) -> Result<Vec<Hold>> {
        self.store.holds().await
    }

    /// Places a hold on `user:…`, `visitor:…`, `key:…` or `app:…`. `conflict` when there is one already, `not_found` for
    /// an account or app that does not exist.
    pub async fn add_hold(&self, may: &May<Admin>, target: &str, reason: &str) -> Result<Hold> {
        let target = self.hold_target(target).await?;
        let reason = hold_reason(reason)?;
        let event = event(may, EventType::HoldAdded).to(&target);
        let new =
            NewHold { id: HoldId::new(&self.ambient), target, reason, created_by: may.owner().to_string() };
        self.store.add_hold(new, vec![event]).await
    }

    /// Ends a hold; gives what it was.
    pub async fn remove_hold(&self, may: &May<Admin>, id: HoldId) -> Result<Hold> {
        self.store.remove_hold(id, event(may, EventType::HoldRemoved)).await
    }

    /// Refuses when a hold is in the way, with words for those who may know of it.
    pub(super) async fn refuse_held(&self, subject: &Subject) -> Result<()> {
        match self.store.hold_on(subject).await? {
            None => Ok(()),
            Some(hold) => Err(Fault::new(kernel::Code::Conflict).say(format!(
                "the legal hold {} keeps this data (on {}, since {}); end the hold first",
                hold.id,
                hold.target,
                hold.created_at.rfc3339_seconds()
            ))),
        }
    }

    async fn hold_target(&self, text: &str) -> Result<HoldTarget> {
        let target = HoldTarget::parse(text.trim()).map_err(|_| {
            let say = "say `user:` and an id, `visitor:` and an id, `key:` and an id, or `app:` and the id of an app";
            Fault::invalid("target", "malformed", say)
        })?;
        match &target {
            HoldTarget::Subject(Subject::User(id)) => self.store.user(*id).await.map(drop)?,
            HoldTarget::Subject(Subject::Key(_) | Subject::Visitor(_)) => {}
            HoldTarget::App(app) => {
                if !self.identity.has_app(app) {
                    return Err(Fault::invalid("target", "unknown", "there is no app with this id"));
                }
            }
        }
        Ok(target)
    }
}

/// Why, as the list shows it: not empty, of one line, and of a length that can be read.
pub fn hold_reason(text: &str) -> Result<String> {
    let text = text.trim();
    let wrong = |code, say: String| Err(Fault::invalid("reason", code, say));
    if text.is_empty() {
        return wrong("required", "say why: a case number, say".to_owned());
    }
    if text.chars().count() > REASON {
        return wrong("too_long", format!("the reason has at most {REASON} characters"));
    }
    if text.chars().any(char::is_control) {
        return wrong("malformed", "the reason must not hold control characters".to_owned());
    }
    Ok(text.to_owned())
}
