//! Accounts: made, found, listed. Addresses, names and passwords are sealed with the account's own data key; an
//! address is found by its keyed tag. Whatever changes an account runs alone, so that two changes never cross.
//! It never checks a password and never decides who may sign in.

use std::sync::Arc;

use crypto::Place;
use kernel::{
    AuditEvent, Code, Cursor, Fault, Language, Page, PageRequest, Result, Role, Secret, Subject, Time, UserId,
};

use crate::Store;
use crate::connection::Sql;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::epoch::{self, Scope};
use crate::ticket::Purpose;
use crate::tx::Tx;
use crate::value::{Row, Value, values};

/// An account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its address; empty when it has none.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Since when it is inactive.
    pub disabled_at: Option<Time>,
    /// When the address was proven.
    pub verified_at: Option<Time>,
    /// It has a password.
    pub has_password: bool,
    /// When the password was set.
    pub password_at: Option<Time>,
    /// Since when codes of an authenticator are asked for.
    pub totp_at: Option<Time>,
    /// Stateless credentials from before this moment are refused. Moves with every change of the password and
    /// every sign-out everywhere, and is never the same twice.
    pub valid_from: Time,
    /// When it was made.
    pub created_at: Time,
    /// When somebody last signed in.
    pub last_sign_in_at: Option<Time>,
    /// How many passkeys it has.
    pub passkeys: u32,
    /// The language in which it is spoken to, where one was chosen.
    pub language: Option<Language>,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Its id.
    pub id: UserId,
    /// Its address, normalised; empty for none.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// The address is proven.
    pub verified: bool,
    /// The hash of the password (a PHC string).
    pub password: Option<Secret<String>>,
}

/// Which accounts are wanted; an absent part allows everything.
#[derive(Clone, Default, Debug)]
pub struct UserFilter {
    /// Of this role.
    pub role: Option<Role>,
    /// With exactly this address, normalised.
    pub q: Option<String>,
    /// Active ones, or inactive ones.
    pub active: Option<bool>,
}

/// The place of a sealed column of an account.
pub(crate) const fn place<'a>(column: &'static str, id: &'a str) -> Place<'a> {
    Place { table: "users", column, row: id }
}

const SELECT: &str = "SELECT u.id, u.email, u.name, u.role, u.disabled_at, u.verified_at, u.password_at, u.totp_at, \
     u.valid_from, u.created_at, u.last_sign_in_at, \
     (SELECT COUNT(*) FROM passkeys p WHERE p.user_id = u.id), \
     (SELECT MAX(s.created_at) FROM sessions s WHERE s.user_id = u.id), k.wrapped, u.language \
     FROM users u JOIN data_keys k ON k.subject = 'user:' || u.id";

fn select(condition: &str) -> Sql {
    Sql::Built(format!("{SELECT} WHERE {condition}").into())
}

/// The role in a column.
pub(crate) fn role(row: &Row, index: usize) -> Result<Role> {
    Role::parse(&row.text(index)?).map_err(|_| Fault::internal("an account has no known role"))
}

fn read(store: &Store, row: &Row) -> Result<User> {
    let id = row.text(0)?;
    let key = store.row_key(&id, &row.bytes(13)?)?;
    let password_at = row.maybe_time(6)?;
    Ok(User {
        email: key.open_text(place("email", &id), &row.bytes(1)?)?,
        name: key.open_text(place("name", &id), &row.bytes(2)?)?,
        id: UserId::parse(&id)?,
        role: role(row, 3)?,
        disabled_at: row.maybe_time(4)?,
        verified_at: row.maybe_time(5)?,
        has_password: password_at.is_some(),
        password_at,
        totp_at: row.maybe_time(7)?,
        valid_from: row.time(8)?,
        created_at: row.time(9)?,
        // The moment of the row is written some seconds later, the session with the sign-in.
        last_sign_in_at: row.maybe_time(10)?.max(row.maybe_time(12)?),
        passkeys: row.count(11)?,
        language: row.maybe_text(14)?.as_deref().and_then(Language::parse),
    })
}

/// An account that is sealed and ready to be written.
pub(crate) struct SealedUser {
    id: String,
    email_tag: Option<String>,
    email: Vec<u8>,
    /// The empty address, for when the other is taken.
    no_email: Vec<u8>,
    name: Vec<u8>,
    role: Role,
    verified: bool,
    password: Option<Vec<u8>>,
    now: Time,
}

impl SealedUser {
    /// Leaves the address out when another account has it. Whoever calls this runs alone.
    pub(crate) async fn yield_address(&mut self, tx: &mut Tx) -> Result<(), Refusal> {
        let Some(tag) = &self.email_tag else { return Ok(()) };
        let sql = "SELECT id FROM users WHERE email_tag = $1";
        if tx.one(sql, values![tag.as_str()]).await?.is_some() {
            self.email_tag = None;
            self.verified = false;
            self.email = std::mem::take(&mut self.no_email);
        }
        Ok(())
    }

    /// Writes the account. A taken address is `conflict`, by the unique index.
    pub(crate) async fn write(self, tx: &mut Tx, key: &SubjectKey) -> Result<(), Refusal> {
        data_key::hold_one(tx, key).await?;
        let verified_at = self.verified.then_some(self.now);
        let password_at = self.password.is_some().then_some(self.now);
        let row = values![
            self.id,
            self.email_tag,
            self.email,
            self.name,
            self.role.as_str(),
            verified_at,
            self.password,
            password_at,
            self.now
        ];
        tx.run(
            "INSERT INTO users (id, email_tag, email, name, role, verified_at, password, password_at, totp_step, \
             valid_from, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9)",
            row,
        )
        .await?;
        epoch::bump(tx, Scope::Users).await
    }
}

impl Store {
    /// The tag under which an address is found; nobody is found by the empty one.
    pub(crate) async fn email_tag(&self, email: &str) -> Result<Option<String>> {
        if email.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.secrets().await?.blind.tag(&format!("email\n{email}"))))
    }

    /// Seals an account with its key.
    pub(crate) fn seal_user(&self, new: &NewUser, email_tag: Option<String>, key: &SubjectKey) -> SealedUser {
        let id = new.id.to_string();
        let seal = |column, text: &str| key.seal(self, place(column, &id), text.as_bytes());
        SealedUser {
            email: seal("email", &new.email),
            no_email: seal("email", ""),
            name: seal("name", &new.name),
            password: new.password.as_ref().map(|hash| seal("password", hash.expose())),
            email_tag,
            role: new.role,
            verified: new.verified && !new.email.is_empty(),
            now: self.inside.ambient.now(),
            id,
        }
    }

    /// Makes an account. `conflict` when the address or the id is taken.
    pub async fn create_user(&self, new: NewUser, audit: Vec<AuditEvent>) -> Result<User> {
        let tag = self.email_tag(&new.email).await?;
        self.with_subject_key(&Subject::User(new.id), |key: Arc<SubjectKey>| {
            let sealed = self.seal_user(&new, tag.clone(), &key);
            self.write_sealed_alone("user.create", audit.clone(), move |tx| {
                Box::pin(async move { sealed.write(tx, &key).await })
            })
        })
        .await?;
        self.user(new.id).await
    }

    /// Makes the first admin with the set-up ticket of this digest, all in one transaction: of any number of
    /// claims one succeeds. `conflict` when there is an admin already or the address is taken, `not_found` when
    /// there is no such ticket. The role of `new` is not looked at.
    pub async fn claim_server(
        &self,
        new: NewUser,
        ticket_digest: &str,
        audit: Vec<AuditEvent>,
    ) -> Result<User> {
        let new = NewUser { role: Role::Admin, ..new };
        let tag = self.email_tag(&new.email).await?;
        self.with_subject_key(&Subject::User(new.id), |key: Arc<SubjectKey>| {
            let sealed = self.seal_user(&new, tag.clone(), &key);
            let (digest, now) = (ticket_digest.to_owned(), sealed.now);
            self.write_sealed_alone("user.claim", audit.clone(), move |tx| {
                Box::pin(async move {
                    if tx.one("SELECT id FROM users WHERE role = 'admin' LIMIT 1", values![]).await?.is_some()
                    {
                        return Err(Fault::new(Code::Conflict)
                            .say("This server has an admin already.")
                            .into());
                    }
                    let sql = "DELETE FROM tickets WHERE digest = $1 AND purpose = $2 AND expires_at > $3";
                    let purpose = Purpose::Setup.as_str();
                    if tx.run(sql, values![digest, purpose, now]).await? == 0 {
                        return Err(Fault::new(Code::NotFound).into());
                    }
                    tx.run("DELETE FROM tickets WHERE purpose = $1", values![purpose]).await?;
                    sealed.write(tx, &key).await
                })
            })
        })
        .await?;
        self.user(new.id).await
    }

    /// The account with this id; `not_found` when there is none.
    pub async fn user(&self, id: UserId) -> Result<User> {
        let row = self.read("user.get").await?.one(select("u.id = $1"), values![id.to_string()]).await?;
        read(self, &row.ok_or(Code::NotFound)?)
    }

    /// The account with this address, which the caller has normalised. Nobody has the empty one.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let Some(tag) = self.email_tag(email).await? else { return Ok(None) };
        let row = self.read("user.email").await?.one(select("u.email_tag = $1"), values![tag]).await?;
        row.map(|row| read(self, &row)).transpose()
    }

    /// Accounts, newest first.
    pub async fn users(&self, filter: UserFilter, page: PageRequest) -> Result<Page<User>> {
        let (at, tie) = match page.after {
            Some(cursor) => (cursor.key, cursor.tie),
            None => (i64::MAX, String::new()),
        };
        let active = filter.active.map(i64::from);
        let mut values =
            values![at, tie, filter.role.map(Role::as_str), page.limit.saturating_add(1), active];
        let state = "CASE WHEN u.disabled_at IS NULL THEN 1 ELSE 0 END";
        let rest = format!(
            "u.created_at <= $1 AND (u.created_at < $1 OR u.id < $2) AND u.role = COALESCE($3, u.role) \
             AND {state} = COALESCE($5, {state})"
        );
        let order = "ORDER BY u.created_at DESC, u.id DESC LIMIT $4";
        let sql = match filter.q {
            None => select(&format!("{rest} {order}")),
            Some(email) => {
                // No account has no tag at all, so an empty address finds nobody.
                let tag = self.email_tag(&email).await?.unwrap_or_default();
                values.push(Value::from(tag));
                select(&format!("u.email_tag = $6 AND {rest} {order}"))
            }
        };
        let rows = self.read("user.list").await?.all(sql, values).await?;
        let users: Result<Vec<User>> = rows.iter().map(|row| read(self, row)).collect();
        Ok(Page::cut(users?, page.limit, |user| Cursor {
            key: user.created_at.micros(),
            tie: user.id.to_string(),
        }))
    }

    /// How many accounts there are, and how many of them are admins, inactive ones included.
    pub async fn count_users(&self) -> Result<(u64, u64)> {
        let sql = "SELECT COUNT(*), COUNT(CASE WHEN role = 'admin' THEN 1 END) FROM users";
        let row = self.read("user.count").await?.one(sql, values![]).await?;
        let row = row.ok_or_else(|| Fault::internal("a count without a row"))?;
        Ok((u64::from(row.count(0)?), u64::from(row.count(1)?)))
    }
}
