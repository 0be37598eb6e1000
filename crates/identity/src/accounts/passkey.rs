//! Passkeys: enrolled by somebody who is signed in, and a whole sign-in by themselves. What a browser shows is
//! verified by the relying party in `identity::passkey`; each challenge counts once, on every replica.

use kernel::{AuditEvent, Code, EventType, Fault, PasskeyId, Result, Secret};
use serde_json::Value;
use store::{NewPasskey, NewTicket, Passkey, Purpose, Template};

use super::password::checked_name;
use super::second::changed;
use super::{Accounts, Verified};
use crate::passkey::{Known, Owner, Party, Refusal, Spent};
use crate::{AccountRead, AccountWrite, Context, May};

/// The most passkeys of one account.
const MOST: usize = 20;

impl Accounts {
    /// Whether passkeys can be used here: they are bound to a host name, which an address without one lacks.
    pub fn has_passkeys(&self) -> bool {
        self.parts.party.is_some()
    }

    /// One's own passkeys, oldest first.
    pub async fn passkeys(&self, may: &May<AccountRead>) -> Result<Vec<Passkey>> {
        self.parts.store.passkeys(may.who().user().ok_or(Code::Forbidden)?).await
    }

    /// The argument `publicKey` of `navigator.credentials.create` and a sealed state that comes back with the
    /// answer. The password, unless the person has proven who they are within 15 minutes.
    pub async fn begin_passkey(
        &self,
        may: &May<AccountWrite>,
        password: Option<&Secret<String>>,
    ) -> Result<(Value, String)> {
        let party = self.party()?;
        let user = self.proven(may, password).await?;
        let existing = self.parts.store.passkeys(user.id).await?;
        if existing.len() >= MOST {
            return Err(Fault::new(Code::Conflict).say("there are 20 passkeys already; remove one first"));
        }
        let existing: Vec<String> = existing.into_iter().map(|passkey| passkey.credential).collect();
        let id = user.id.to_string();
        let name = if user.email.is_empty() { &id } else { &user.email };
        let display = if user.name.is_empty() { name } else { &user.name };
        let owner = Owner { user: user.id, name, display };
        Ok(party.begin_registration(&owner, &existing, &self.parts.ambient))
    }

    /// Keeps the passkey that the browser has made.
    pub async fn finish_passkey(
        &self,
        may: &May<AccountWrite>,
        state: &str,
        answer: &Value,
        name: &str,
    ) -> Result<Passkey> {
        let (party, now) = (self.party()?, self.parts.ambient.now());
        let user = self.own(may).await?;
        let name = match checked_name(name)? {
            name if name.is_empty() => "Passkey".to_owned(),
            name => name,
        };
        let made =
            party.finish_registration(user.id, state, answer, now).map_err(Refusal::at_registration)?;
        self.spend(&made.spent).await?;
        let id = PasskeyId::new(&self.parts.ambient);
        let new = NewPasskey {
            id,
            user: user.id,
            credential: made.credential,
            name,
            public_key: made.public_key,
            sign_count: made.sign_count,
        };
        let event = changed(may, "passkey added").with("passkey", id.to_string());
        let passkey = self.parts.store.add_passkey(new, vec![event]).await?;
        self.tell(&user, Template::SignInMethodAdded, [("method", "a passkey")]).await;
        Ok(passkey)
    }

    /// Removes one of one's own passkeys. `conflict` when nothing would be left to sign in with.
    pub async fn remove_passkey(
        &self,
        may: &May<AccountWrite>,
        id: PasskeyId,
        password: Option<&Secret<String>>,
    ) -> Result<()> {
        let user = self.proven(may, password).await?;
        let store = &self.parts.store;
        if !user.has_password && user.passkeys <= 1 && store.identities(user.id).await?.is_empty() {
            return Err(Fault::new(Code::Conflict)
                .say("this is the only way to sign in to the account; set a password first"));
        }
        let event = changed(may, "passkey removed").with("passkey", id.to_string());
        store.remove_passkey(user.id, id, vec![event]).await
    }

    /// The argument `publicKey` of `navigator.credentials.get` and a sealed state that comes back with the answer.
    /// It names no account, so it tells nothing of any.
    pub async fn begin_passkey_sign_in(&self, from: &Context) -> Result<(Value, String)> {
        self.count_address(from).await?;
        Ok(self.party()?.begin_sign_in(&self.parts.ambient))
    }

    /// Proves who somebody is by what their browser answered.
    pub async fn finish_passkey_sign_in(
        &self,
        state: &str,
        answer: &Value,
        from: &Context,
    ) -> Result<Verified> {
        let (party, store) = (self.party()?, &self.parts.store);
        self.count_address(from).await?;
        let assertion = match party.read_sign_in(state, answer, self.parts.ambient.now()) {
            Ok(assertion) => assertion,
            Err(refusal) => return Err(self.unproven(from, refusal).await),
        };
        let passkey = store.passkey_by_credential(assertion.credential()).await?;
        // The account before the proof: see `NewSession::valid_from`.
        let user = match &passkey {
            Some(passkey) => Some(store.user(passkey.user).await?),
            None => None,
        };
        let known = passkey.as_ref().map(|passkey| Known {
            user: passkey.user,
            public_key: &passkey.public_key,
            sign_count: passkey.sign_count,
        });
        let proof = match assertion.verify(known) {
            Ok(proof) => proof,
            Err(refusal) => return Err(self.unproven(from, refusal).await),
        };
        let (Some(passkey), Some(user)) = (passkey, user.filter(|user| user.id == proof.user)) else {
            return Err(Fault::internal("a passkey proved another account"));
        };
        self.spend(assertion.spent()).await?;
        if !store.use_passkey(passkey.id, proof.sign_count).await? {
            return Err(self.failed(from, "passkey", "counter did not grow", "", user.id).await);
        }
        self.admit(&user, from).await?;
        Ok(Verified { user, method: "passkey" })
    }

    fn party(&self) -> Result<&Party> {
        self.parts.party.as_ref().ok_or_else(|| {
            Fault::new(Code::NotFound)
                .say("passkeys need a host name: the server has no `PUBLIC_URL` with one")
        })
    }

    async fn unproven(&self, from: &Context, refusal: Refusal) -> Fault {
        metrics::counter!("stoa_auth_failures_total", "reason" => "wrong passkey").increment(1);
        let event = from
            .event(EventType::AuthFailure, kernel::Actor::Anonymous)
            .with("method", "passkey")
            .with("reason", refusal.as_str());
        self.note(event).await;
        refusal.at_sign_in()
    }

    /// Uses up a challenge: the second answer to it is refused, wherever it arrives.
    pub(super) async fn spend(&self, spent: &Spent) -> Result<()> {
        let ticket = NewTicket {
            digest: spent.digest.clone(),
            purpose: Purpose::Spent,
            user: None,
            email: String::new(),
            role: None,
            expires_at: spent.until,
        };
        match self.parts.store.issue_ticket(ticket, false, Vec::new()).await {
            Err(fault) if fault.code() == Code::Conflict => {
                let event = AuditEvent::new(EventType::SecurityViolation, kernel::Actor::Anonymous)
                    .with("reason", "a passkey's answer came twice");
                self.note(event).await;
                Err(Fault::new(Code::Unauthenticated).say("this answer was used already: try again"))
            }
            other => other,
        }
    }
}
