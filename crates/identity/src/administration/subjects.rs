//! Accounts that admins make for others, all of an account's data and its end, and how much was used.

use kernel::{Actor, AuditEvent, EventType, Result, Role, Secret, Subject, Time, UserId};
use store::{Erased, SubjectPages, Usage, UsageFilter, User};

use super::Administration;
use crate::{Admin, May};

/// An account to be made by an admin.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its address, as it was typed.
    pub email: String,
    /// What the person is called; may be empty.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Its first password.
    pub password: Secret<String>,
}

impl Administration {
    /// Makes an account that can sign in at once. `conflict` when the address is taken.
    pub async fn create_user(&self, may: &May<Admin>, new: NewAccount) -> Result<User> {
        let event = by(may, EventType::UserChanged).with("what", "created").with("role", new.role.as_str());
        let user = self.accounts.make(new, event).await?;
        self.identity.forget();
        Ok(user)
    }

    /// Changes what a person is called.
    pub async fn set_name(&self, may: &May<Admin>, id: UserId, name: &str) -> Result<()> {
        let event = about(may, EventType::UserChanged, id).with("what", "name");
        self.accounts.rename(id, name, event).await
    }

    /// Everything that is stored about an account, in pieces. That it leaves the house is recorded first.
    pub async fn export(&self, may: &May<Admin>, id: UserId) -> Result<SubjectPages> {
        self.store.user(id).await?;
        let export = self.store.export_pages(&Subject::User(id)).await?;
        self.store.record(vec![about(may, EventType::DataExported, id)]).await?;
        Ok(export)
    }

    /// Erases an account with everything that it holds. `conflict` for the last active admin, and while a legal hold
    /// keeps it.
    pub async fn erase(&self, may: &May<Admin>, id: UserId) -> Result<Erased> {
        self.refuse_held(&Subject::User(id)).await?;
        let event = about(may, EventType::DataErased, id);
        let erased = self.store.erase(&Subject::User(id), vec![event]).await?;
        self.identity.forget();
        Ok(erased)
    }

    /// How much was used from `since` until before `until`.
    pub async fn usage(
        &self,
        _: &May<Admin>,
        since: Time,
        until: Time,
        filter: &UsageFilter,
    ) -> Result<Usage> {
        self.store.usage(since, until, filter).await
    }
}

/// What an admin did.
fn by(may: &May<Admin>, what: EventType) -> AuditEvent {
    AuditEvent::new(what, Actor::Subject(may.owner())).from(may.who().address())
}

/// What an admin did to an account.
fn about(may: &May<Admin>, what: EventType, id: UserId) -> AuditEvent {
    by(may, what).to(Subject::User(id))
}
