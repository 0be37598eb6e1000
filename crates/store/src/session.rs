//! Sessions: each is one sign-in, of a browser (its cookie's digest) or of a program (a family of refresh tokens).
//! A session that is not there has ended. It never sees a token, only digests.

use std::net::IpAddr;

use kernel::{AuditEvent, Fault, Page, PageRequest, Result, SessionId, Time, UserId};

use crate::Store;

/// What holds a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum SessionKind {
    /// A browser, by its cookie.
    Browser,
    /// A program, by its tokens.
    Token,
}

impl SessionKind {
    /// The kind as a word: `browser`, `token`.
    pub const fn as_str(self) -> &'static str {
        match self {
            SessionKind::Browser => "browser",
            SessionKind::Token => "token",
        }
    }
}

/// One sign-in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Who signed in.
    pub user: UserId,
    /// What holds it.
    pub kind: SessionKind,
    /// How: `password`, `passkey`, …
    pub method: String,
    /// What the browser or program calls itself.
    pub agent: String,
    /// Where from.
    pub ip: IpAddr,
    /// When.
    pub created_at: Time,
    /// When the person last proved who they are.
    pub proven_at: Time,
    /// When it was last prolonged.
    pub extended_at: Time,
    /// When it was last used, to within some seconds.
    pub seen_at: Time,
    /// When it ends.
    pub expires_at: Time,
}

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Who signed in.
    pub user: UserId,
    /// What holds it.
    pub kind: SessionKind,
    /// The digest of the cookie's token, for a browser.
    pub digest: Option<String>,
    /// How: `password`, `passkey`, …
    pub method: String,
    /// What the browser or program calls itself, cut by the caller.
    pub agent: String,
    /// Where from.
    pub ip: IpAddr,
    /// When it ends.
    pub expires_at: Time,
    /// The first refresh token's digest and end, for a program.
    pub refresh: Option<(String, Time)>,
    /// [`User::valid_from`](crate::User::valid_from) as it was before the proof (the password's hash, say) was
    /// read. When it has moved since, the proof was one of the past: the password was changed meanwhile.
    pub valid_from: Time,
}

impl Store {
    /// Opens a session and notes the sign-in. `unauthenticated` when the account is gone or its `valid_from` has
    /// moved, `inactive` when it is.
    pub async fn open_session(&self, new: NewSession, audit: Vec<AuditEvent>) -> Result<Session> {
        let _ = (new, audit);
        Err(Fault::internal("not written yet"))
    }

    /// The session of a browser whose token has this digest, an expired one too: the caller compares.
    pub async fn session_by_digest(&self, digest: &str) -> Result<Option<Session>> {
        let _ = digest;
        Err(Fault::internal("not written yet"))
    }

    /// The session with this id, an expired one too: the caller compares.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>> {
        let _ = id;
        Err(Fault::internal("not written yet"))
    }

    /// The sessions that have not expired, of one account or of all, newest first.
    pub async fn sessions(&self, user: Option<UserId>, page: PageRequest) -> Result<Page<Session>> {
        let _ = (user, page);
        Err(Fault::internal("not written yet"))
    }

    /// How many sessions have not expired.
    pub async fn count_sessions(&self) -> Result<u64> {
        Err(Fault::internal("not written yet"))
    }

    /// The addresses that an account has signed in from, as far back as its sessions go (expired ones are kept for
    /// some days), the latest first; 100 at the most.
    pub async fn known_addresses(&self, user: UserId) -> Result<Vec<IpAddr>> {
        let _ = user;
        Err(Fault::internal("not written yet"))
    }

    /// Prolongs a session; it never becomes shorter. `not_found` when it has ended. Caches of other processes are
    /// not dropped: they must ask again before they call a session expired.
    pub async fn extend_session(&self, id: SessionId, expires_at: Time) -> Result<()> {
        let _ = (id, expires_at);
        Err(Fault::internal("not written yet"))
    }

    /// Notes that a session was used. Costs nothing now: uses are written together every few seconds.
    pub fn touch_session(&self, id: SessionId, at: Time) {
        let _ = (id, at);
    }

    /// Notes that the person has proven again who they are. `not_found` when the session has ended.
    pub async fn prove_session(&self, id: SessionId) -> Result<()> {
        let _ = id;
        Err(Fault::internal("not written yet"))
    }

    /// Ends a session, with `user` only one of that account. `not_found` when there is no such.
    pub async fn end_session(
        &self,
        user: Option<UserId>,
        id: SessionId,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let _ = (user, id, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Ends all sessions, or those of one kind, and raises the floors of what they stand for: `sessions`, `tokens`.
    /// Gives how many had not expired.
    pub async fn end_sessions(&self, kind: Option<SessionKind>, audit: Vec<AuditEvent>) -> Result<u64> {
        let _ = (kind, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Forgets sessions, and used refresh tokens, that had expired before `time`. Gives how many sessions.
    pub async fn purge_sessions(&self, time: Time) -> Result<u64> {
        let _ = time;
        Err(Fault::internal("not written yet"))
    }
}
