//! Users, their grants, sessions and keys, as admins see and change them.

use kernel::{
    AppId, AuditEvent, Code, EventType, Fault, KeyId, Level, Page, PageRequest, Result, Role, Secret,
    SessionId, Subject, UserId,
};
use store::{ApiKey, Grant, Session, User, UserFilter};

use super::{Administration, event};
use crate::{Admin, May, email};

impl Administration {
    /// Accounts, newest first; `filter.q` is an address in any way of writing.
    pub async fn users(&self, _: &May<Admin>, filter: UserFilter, page: PageRequest) -> Result<Page<User>> {
        let q = filter.q.as_deref().map(str::trim).filter(|q| !q.is_empty());
        let q = match q.map(email::normal) {
            // What is no address is nobody's: an empty list, not a fault.
            Some(Err(_)) => return Ok(Page { items: Vec::new(), next: None }),
            other => other.transpose()?,
        };
        self.store.users(UserFilter { q, ..filter }, page).await
    }

    /// How many accounts there are, and how many of them are admins.
    pub async fn count_users(&self, _: &May<Admin>) -> Result<(u64, u64)> {
        self.store.count_users().await
    }

    /// One account.
    pub async fn user(&self, _: &May<Admin>, id: UserId) -> Result<User> {
        self.store.user(id).await
    }

    /// Invites to an address, whatever registration is open to others; gives the secret of the link, which is also
    /// sent there when mail is configured. `conflict` when the address has an account.
    pub async fn invite(&self, may: &May<Admin>, email: &str, role: Role) -> Result<Secret<String>> {
        let address = email::normal(email)?;
        if self.store.user_by_email(&address).await?.is_some() {
            return Err(Fault::new(Code::Conflict).say("this address has an account already"));
        }
        let event = event(may, EventType::UserChanged).with("what", "invited").with("role", role.as_str());
        self.accounts.send_invitation(&address, role, may.who().language(), vec![event]).await
    }

    /// Changes the role. `conflict` for the last active admin.
    pub async fn set_role(&self, may: &May<Admin>, id: UserId, role: Role) -> Result<User> {
        self.store
            .set_role(id, role, vec![about(may, EventType::PermissionChanged, id).with("what", "role")])
            .await?;
        self.changed(id).await
    }

    /// Makes an account active or inactive. An inactive one keeps everything and may use nothing; becoming active
    /// again ends the sessions from before. `conflict` for the last active admin.
    pub async fn set_active(&self, may: &May<Admin>, id: UserId, active: bool) -> Result<User> {
        let what = if active { "activated" } else { "deactivated" };
        self.store
            .set_active(id, active, vec![about(may, EventType::UserChanged, id).with("what", what)])
            .await?;
        self.changed(id).await
    }

    /// Ends every session of an account. Gives how many.
    pub async fn sign_out_user(&self, may: &May<Admin>, id: UserId) -> Result<u64> {
        let ended =
            self.store.sign_out_everywhere(id, None, vec![about(may, EventType::SessionRevoked, id)]).await?;
        self.identity.forget();
        Ok(ended)
    }

    /// Removes the second factor of somebody who has lost it. They sign in with the password alone then, so the
    /// admin should know who is asking.
    pub async fn remove_second_factor(&self, may: &May<Admin>, id: UserId) -> Result<User> {
        let event = about(may, EventType::UserChanged, id).with("what", "totp removed");
        self.store.user(id).await?;
        self.store.remove_totp(id, vec![event]).await?;
        self.changed(id).await
    }

    /// The grants of an account, by app.
    pub async fn grants(&self, _: &May<Admin>, user: UserId) -> Result<Vec<(AppId, Level)>> {
        self.store.user(user).await?;
        self.store.grants(user).await
    }

    /// All grants, newest first.
    pub async fn all_grants(&self, _: &May<Admin>, page: PageRequest) -> Result<Page<Grant>> {
        self.store.grants_page(page).await
    }

    /// Grants an app, or changes what the grant allows. `not_found` for an app or account that there is not.
    pub async fn set_grant(&self, may: &May<Admin>, user: UserId, app: &AppId, level: Level) -> Result<()> {
        if !self.identity.has_app(app) {
            return Err(Fault::new(Code::NotFound));
        }
        let event = granting(may, user, app);
        self.store.set_grant(user, app, level, vec![event]).await?;
        self.identity.forget();
        Ok(())
    }

    /// Takes a grant away; also of an app that is not configured any more. `not_found` when there is none.
    pub async fn remove_grant(&self, may: &May<Admin>, user: UserId, app: &AppId) -> Result<()> {
        self.store.remove_grant(user, app, vec![granting(may, user, app)]).await?;
        self.identity.forget();
        Ok(())
    }

    /// Sessions that have not expired, of one account or of all, newest first.
    pub async fn sessions(
        &self,
        _: &May<Admin>,
        user: Option<UserId>,
        page: PageRequest,
    ) -> Result<Page<Session>> {
        self.store.sessions(user, page).await
    }

    /// Ends anybody's session.
    pub async fn end_session(&self, may: &May<Admin>, id: SessionId) -> Result<()> {
        let event = event(may, EventType::SessionRevoked).to(format_args!("session:{id}"));
        self.store.end_session(None, id, vec![event]).await?;
        self.identity.forget();
        Ok(())
    }

    /// Keys, oldest first, of one account or all.
    pub async fn keys(
        &self,
        _: &May<Admin>,
        user: Option<UserId>,
        page: PageRequest,
    ) -> Result<Page<ApiKey>> {
        self.store.keys(user, page).await
    }

    /// Ends anybody's key for good.
    pub async fn revoke_key(&self, may: &May<Admin>, id: KeyId) -> Result<()> {
        let event = event(may, EventType::KeyRevoked).to(format_args!("key:{id}"));
        self.store.revoke_key(None, id, vec![event]).await?;
        self.identity.revoke_key(Some(id));
        Ok(())
    }

    async fn changed(&self, id: UserId) -> Result<User> {
        self.identity.forget();
        self.store.user(id).await
    }
}

fn about(may: &May<Admin>, what: EventType, user: UserId) -> AuditEvent {
    event(may, what).to(Subject::User(user))
}

fn granting(may: &May<Admin>, user: UserId, app: &AppId) -> AuditEvent {
    about(may, EventType::PermissionChanged, user).with("what", "grant").with("app", app.as_str())
}
