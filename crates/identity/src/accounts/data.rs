//! All of one's own data: given out, and erased with a receipt. And the family of a refresh token, ended by whoever
//! holds the token.

use kernel::{Actor, AuditEvent, Code, EventType, Fault, Result, Secret, Subject, UserId};
use store::{Erased, NewUser, Refreshed, SubjectPages, User};
use uuid::Uuid;

use super::Accounts;
use super::password::checked_name;
use crate::policy::Least;
use crate::{Context, DataErase, DataExport, May, NewAccount, email};

impl Accounts {
    /// Makes an account for somebody else, by whom `event` tells. `conflict` when the address is taken.
    pub(crate) async fn make(&self, new: NewAccount, event: AuditEvent) -> Result<User> {
        let (address, name) = (email::normal(&new.email)?, checked_name(&new.name)?);
        if self.parts.store.user_by_email(&address).await?.is_some() {
            return Err(Fault::new(Code::Conflict).say("this address has an account already"));
        }
        let password = self.parts.hasher.admit(new.password, &address, &name, Least::Alone).await?;
        let id = UserId::new(&self.parts.ambient);
        let row =
            NewUser { id, email: address, name, role: new.role, verified: true, password: Some(password) };
        self.parts.store.create_user(row, vec![event.to(Subject::User(id))]).await
    }

    /// Changes what somebody is called.
    pub(crate) async fn rename(&self, id: UserId, name: &str, event: AuditEvent) -> Result<()> {
        self.parts.store.set_name(id, &checked_name(name)?, vec![event]).await
    }

    /// Everything that is stored about the caller, in pieces.
    pub async fn export(&self, may: &May<DataExport>) -> Result<SubjectPages> {
        let owner = may.owner();
        let export = self.parts.store.export_pages(&owner).await?;
        // Acknowledged after it is written down: an export that the log does not know must not leave the house.
        self.parts.store.record(vec![own(may, EventType::DataExported)]).await?;
        Ok(export)
    }

    /// Erases the caller with everything that it holds. `conflict` for the last active admin, and while a legal hold
    /// keeps it: of that the caller is told no more than whom to ask.
    pub async fn erase(&self, may: &May<DataErase>) -> Result<Erased> {
        let erased = self.parts.store.erase(&may.owner(), vec![own(may, EventType::DataErased)]).await?;
        self.parts.identity.forget();
        Ok(erased)
    }

    /// The receipt of an erasure; `not_found` when there is none with this id.
    pub async fn receipt(&self, id: Uuid) -> Result<Erased> {
        self.parts.store.erasure(id).await
    }

    /// Ends the family of a refresh token. A token that is good for nothing (any more) is as it should be.
    pub async fn sign_out_family(&self, refresh_token: &Secret<String>, from: &Context) -> Result<()> {
        let store = &self.parts.store;
        let ambient = &self.parts.ambient;
        let next = crypto::token::digest(crypto::token::random(ambient.random()).expose());
        let old = crypto::token::digest(refresh_token.expose());
        // Rotated first: a token that was used before is a theft here too, and is recorded as one.
        let Refreshed::Rotated(session) =
            store.rotate_refresh(&old, &next, ambient.now(), Some(from.peer_ip)).await?
        else {
            self.parts.identity.forget();
            return Ok(());
        };
        let event = from
            .event(EventType::AuthLogout, Subject::User(session.user))
            .to(format_args!("session:{}", session.id));
        match store.end_session(Some(session.user), session.id, vec![event]).await {
            // Somebody else was faster; it has ended.
            Err(fault) if fault.code() == Code::NotFound => {}
            ended => ended?,
        }
        self.parts.identity.forget();
        Ok(())
    }
}

fn own<P>(may: &May<P>, what: EventType) -> AuditEvent {
    AuditEvent::new(what, Actor::Subject(may.owner())).from(may.who().address()).to(may.owner())
}
