//! Signing out: here, there, everywhere. Whatever ends is dead at the next request, on every replica.

use kernel::{AuditEvent, Code, EventType, Page, PageRequest, Result, SessionId};
use store::Session;

use super::Accounts;
use crate::{AccountRead, AccountWrite, May};

impl Accounts {
    /// Signs out: the session of this request ends. Gives the `Set-Cookie` value that takes the browser's cookie
    /// away. An ID token of another issuer has no session to end, so it is ended together with everything else that
    /// the account holds.
    pub async fn sign_out(&self, may: &May<AccountWrite>, https: bool) -> Result<String> {
        let user = may.who().user().ok_or(Code::Forbidden)?;
        match may.who().session() {
            Some(session) => {
                let event = logout(may).to(format_args!("session:{session}"));
                match self.parts.store.end_session(Some(user), session, vec![event]).await {
                    // Signed out at the same moment elsewhere: that is what was wanted.
                    Err(fault) if fault.code() == Code::NotFound => {}
                    other => other?,
                }
            }
            None => {
                let event = logout(may).with("everywhere", true);
                self.parts.store.sign_out_everywhere(user, None, vec![event]).await?;
            }
        }
        self.parts.identity.forget();
        Ok(self.parts.identity.cookie.clear(https))
    }

    /// Ends every session of the account, and every token from before; `keep_current` keeps the one of this request.
    pub async fn sign_out_everywhere(&self, may: &May<AccountWrite>, keep_current: bool) -> Result<u64> {
        let user = may.who().user().ok_or(Code::Forbidden)?;
        let keep = may.who().session().filter(|_| keep_current);
        let event = logout(may).with("everywhere", true).with("kept_current", keep.is_some());
        let ended = self.parts.store.sign_out_everywhere(user, keep, vec![event]).await?;
        self.parts.identity.forget();
        Ok(ended)
    }

    /// One's own sessions, newest first.
    pub async fn sessions(&self, may: &May<AccountRead>, page: PageRequest) -> Result<Page<Session>> {
        let user = may.who().user().ok_or(Code::Forbidden)?;
        self.parts.store.sessions(Some(user), page).await
    }

    /// Ends one of one's own sessions; `not_found` for any other.
    pub async fn end_session(&self, may: &May<AccountWrite>, id: SessionId) -> Result<()> {
        let user = may.who().user().ok_or(Code::Forbidden)?;
        let event = AuditEvent::new(EventType::SessionRevoked, may.owner())
            .from(may.who().address())
            .to(format_args!("session:{id}"));
        self.parts.store.end_session(Some(user), id, vec![event]).await?;
        self.parts.identity.forget();
        Ok(())
    }

    /// The `Set-Cookie` value that takes a session cookie away, whoever it was of.
    pub fn clear_cookie(&self, https: bool) -> String {
        self.parts.identity.cookie.clear(https)
    }
}

fn logout(may: &May<AccountWrite>) -> AuditEvent {
    AuditEvent::new(EventType::AuthLogout, may.owner()).from(may.who().address())
}
