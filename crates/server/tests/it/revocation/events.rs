//! What happens, and what becomes of every credential then.

use serde_json::json;

use super::Cell::{self, Dead, NotApplicable, Stands};
use super::credentials::{Held, Of, Probe};
use crate::world::{Answer, PASSWORD, World};

/// What happens at the first replica, or at the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The browser signs out on the page.
    SignOut,
    /// The program signs out with its access token.
    LogOut,
    /// The program signs out with its refresh token alone.
    LogOutByRefresh,
    /// Another browser of the person ends the session of the first from the list.
    EndedFromTheList,
    SignOutEverywhere,
    IntroducedSignsOut,
    PasswordChanged,
    PasswordSetByOperator,
    EndedByAdmin,
    SignedOutByAdmin,
    Deactivated,
    DeactivatedByOperator,
    Deleted,
    RoleLost,
    GrantLost,
    GrantLostByOperator,
    UsersKeyRevoked,
    UsersKeyRotated,
    UsersKeyRevokedByAdmin,
    OperatorsKeyRevoked,
    OperatorsKeyRotated,
    LockdownUsers,
    LockdownAdminOnly,
    RevokeSessions,
    RevokeTokens,
    RevokeKeys,
    RevokeAll,
}
use Event::*;

/// An event with what becomes of every credential and of the stream that was opened with it.
pub struct Row {
    pub event: Event,
    pub cells: Of<(Cell, Cell)>,
}

const STREAMLESS: Cell = NotApplicable("a refresh token opens no stream");
const STANDS: (Cell, Cell) = (Stands, Stands);
const REFRESHES: (Cell, Cell) = (Stands, STREAMLESS);
const ENDED: (Cell, Cell) = (Dead(401), Dead(401));
const KEPT_OUT: (Cell, Cell) = (Dead(403), Dead(403));

/// Nothing happens to anybody.
const ALL_STAND: Of<(Cell, Cell)> = Of {
    session: STANDS,
    access: STANDS,
    refresh: REFRESHES,
    id_token: STANDS,
    users_key: STANDS,
    operators_key: STANDS,
    environment_key: STANDS,
    visitor: STANDS,
};

/// Every sign-in of the person has ended.
const SIGNED_OUT: Of<(Cell, Cell)> =
    Of { session: ENDED, access: ENDED, refresh: (Dead(401), STREAMLESS), ..ALL_STAND };

/// The person may not come in by any way.
const INACTIVE: Of<(Cell, Cell)> = Of {
    session: KEPT_OUT,
    access: KEPT_OUT,
    refresh: (Dead(403), STREAMLESS),
    id_token: KEPT_OUT,
    users_key: KEPT_OUT,
    ..ALL_STAND
};

/// Everybody with an account who is no admin, and every key.
const LOCKED: Of<(Cell, Cell)> = Of { operators_key: KEPT_OUT, environment_key: KEPT_OUT, ..INACTIVE };

/// Events that concern one account.
pub fn one_account() -> Vec<Row> {
    let row = |event, cells| Row { event, cells };
    let token_alone = Of { access: ENDED, refresh: (Dead(401), STREAMLESS), ..ALL_STAND };
    let key_alone = Of { users_key: ENDED, ..ALL_STAND };
    let grantless =
        Of { session: KEPT_OUT, access: KEPT_OUT, id_token: KEPT_OUT, users_key: KEPT_OUT, ..ALL_STAND };
    vec![
        row(SignOut, Of { session: ENDED, ..ALL_STAND }),
        row(LogOut, token_alone),
        row(LogOutByRefresh, token_alone),
        row(EndedFromTheList, Of { session: ENDED, ..ALL_STAND }),
        row(SignOutEverywhere, SIGNED_OUT),
        // A token of another issuer has no session here: whoever signs out with it has signed out everywhere.
        row(IntroducedSignsOut, Of { id_token: ENDED, ..ALL_STAND }),
        row(PasswordChanged, SIGNED_OUT),
        row(PasswordSetByOperator, SIGNED_OUT),
        row(EndedByAdmin, Of { session: ENDED, ..ALL_STAND }),
        row(SignedOutByAdmin, Of { id_token: ENDED, ..SIGNED_OUT }),
        row(Deactivated, INACTIVE),
        row(DeactivatedByOperator, INACTIVE),
        // The issuer goes on vouching for the person; what it said before the account was erased is dead.
        row(Deleted, Of { id_token: ENDED, users_key: ENDED, ..SIGNED_OUT }),
        row(
            RoleLost,
            Of {
                // Admins may enter every app; nobody granted them this one.
                session: KEPT_OUT,
                access: KEPT_OUT,
                id_token: KEPT_OUT,
                // A key is never an admin; but the app that the role opened to it is closed, with everything in it.
                users_key: (Dead(404), Dead(403)),
                ..ALL_STAND
            },
        ),
        row(GrantLost, grantless),
        row(GrantLostByOperator, grantless),
        row(UsersKeyRevoked, key_alone),
        row(UsersKeyRotated, key_alone),
        row(UsersKeyRevokedByAdmin, key_alone),
        row(OperatorsKeyRevoked, Of { operators_key: ENDED, ..ALL_STAND }),
        row(OperatorsKeyRotated, Of { operators_key: ENDED, ..ALL_STAND }),
    ]
}

/// Events that concern everybody.
pub fn everybody() -> Vec<Row> {
    let row = |event, cells| Row { event, cells };
    let tokens = Of { access: ENDED, refresh: (Dead(401), STREAMLESS), id_token: ENDED, ..ALL_STAND };
    let keys = Of { users_key: ENDED, operators_key: ENDED, ..ALL_STAND };
    vec![
        row(LockdownUsers, LOCKED),
        row(LockdownAdminOnly, Of { visitor: KEPT_OUT, ..LOCKED }),
        row(RevokeSessions, Of { session: ENDED, ..ALL_STAND }),
        row(RevokeTokens, tokens),
        // Those of the environment end with the environment.
        row(RevokeKeys, keys),
        // A visitor's cookie that counts no more makes a new visitor, to whom nothing of the old one is known.
        row(
            RevokeAll,
            Of {
                session: ENDED,
                users_key: ENDED,
                operators_key: ENDED,
                visitor: (Dead(404), Dead(404)),
                ..tokens
            },
        ),
    ]
}

impl Event {
    /// What the credentials are tried at.
    pub fn probe(self) -> Probe {
        match self {
            RoleLost => Probe::Admin,
            GrantLost | GrantLostByOperator => Probe::Lab,
            _ => Probe::Own,
        }
    }

    /// Whether the person must be an admin first.
    pub fn needs_admin(self) -> bool {
        self == RoleLost
    }

    /// Whether it can be taken back.
    pub fn is_lockdown(self) -> bool {
        matches!(self, LockdownUsers | LockdownAdminOnly)
    }

    /// Makes it happen.
    pub async fn happen(self, world: &World, held: &Held) {
        let admin = &held.admin;
        let both = [&held.user, &held.introduced];
        let user = |rest: &str| both.map(|user| format!("/api/v1/admin/users/{user}{rest}"));
        let done = |answer: Answer| assert!(answer.status < 400, "{self:?}: {answer:?}");
        let operator = async |arguments: &[&str]| {
            let output = world.stoa(arguments).await;
            assert!(output.success(), "{self:?}: {output:?}");
        };
        match self {
            SignOut => {
                let origin = format!("http://{}", held.session.address());
                done(held.session.post("/sign-out").header("origin", &origin).send().await);
            }
            LogOut => done(held.token.post("/api/v1/auth/logout").send().await),
            LogOutByRefresh => {
                let body = json!({"refresh_token": held.refresh_token()});
                done(world.anonymous().post("/api/v1/auth/logout").json(&body).send().await);
            }
            EndedFromTheList => {
                let id = session_of(&held.session).await;
                done(held.elsewhere.delete(&format!("/api/v1/me/sessions/{id}")).send().await);
            }
            SignOutEverywhere => done(held.elsewhere.post("/api/v1/auth/logout-all").send().await),
            IntroducedSignsOut => done(held.id_token.post("/api/v1/auth/logout").send().await),
            PasswordChanged => {
                let body =
                    json!({"current_password": PASSWORD, "new_password": "violet engine turns 21 wheels"});
                done(held.elsewhere.put("/api/v1/me/password").json(&body).send().await);
            }
            PasswordSetByOperator => operator(&["user", "password", &held.email]).await,
            EndedByAdmin => {
                let id = session_of(&held.session).await;
                done(admin.delete(&format!("/api/v1/admin/sessions/{id}")).send().await);
            }
            SignedOutByAdmin => {
                for path in user("/sessions") {
                    done(admin.delete(&path).send().await);
                }
            }
            Deactivated => {
                for path in user("") {
                    done(admin.put(&path).json(&json!({"active": false})).send().await);
                }
            }
            DeactivatedByOperator => {
                for user in both {
                    operator(&["user", "disable", user]).await;
                }
            }
            Deleted => {
                for path in user("") {
                    done(admin.delete(&path).send().await);
                }
            }
            RoleLost => {
                for path in user("") {
                    done(admin.put(&path).json(&json!({"role": "user"})).send().await);
                }
            }
            GrantLost => {
                for path in user("/grants/lab") {
                    done(admin.delete(&path).send().await);
                }
            }
            GrantLostByOperator => {
                for user in both {
                    operator(&["grant", "remove", user, "lab"]).await;
                }
            }
            UsersKeyRevoked => {
                done(held.elsewhere.delete(&format!("/api/v1/keys/{}", held.users_key)).send().await)
            }
            UsersKeyRotated => {
                done(held.elsewhere.post(&format!("/api/v1/keys/{}/rotate", held.users_key)).send().await);
            }
            UsersKeyRevokedByAdmin => {
                done(admin.delete(&format!("/api/v1/admin/keys/{}", held.users_key)).send().await);
            }
            OperatorsKeyRevoked => operator(&["key", "revoke", &held.operators_key]).await,
            OperatorsKeyRotated => operator(&["key", "rotate", &held.operators_key]).await,
            LockdownUsers => operator(&["lockdown", "users"]).await,
            LockdownAdminOnly => operator(&["lockdown", "admin-only"]).await,
            RevokeSessions => operator(&["revoke", "sessions"]).await,
            RevokeTokens => operator(&["revoke", "tokens"]).await,
            RevokeKeys => operator(&["revoke", "keys"]).await,
            RevokeAll => operator(&["revoke", "all"]).await,
        }
    }
}

async fn session_of(caller: &crate::world::Caller) -> String {
    caller.get("/api/v1/whoami").send().await.json()["principal"]["session_id"].as_str().unwrap().to_owned()
}
