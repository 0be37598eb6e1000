//! Attempts at secrets, counted before anything is computed: per address, and per account. A browser or address that
//! has signed in to the account before has a count of its own there, so that strangers who fail, from however many
//! addresses, use up only what strangers have (SAFETY V12).

use guard::http::limit_key;
use guard::limits::{Claim, Rule, Verdict};
use kernel::{Actor, AuditEvent, EventType, Fault, Result, UserId};

use super::Accounts;
use crate::{AccountWrite, Context, May};

impl Accounts {
    /// The pseudonym of an address in counts and in the log: the first 64 bits of its keyed hash.
    pub(super) fn tag(&self, address: &str) -> String {
        self.parts.tags.tag(address).chars().take(16).collect()
    }

    /// Counts an attempt to sign in to the account with this tag. `user` is the account, or nobody's id: the same
    /// queries are made for both.
    pub(super) async fn count_sign_in(&self, from: &Context, tag: &str, user: UserId) -> Result<()> {
        let now = self.parts.ambient.now();
        let address = limit_key(from.peer_ip);
        let number = from.device.as_deref().and_then(|value| self.devices.recall(value, tag, now));
        let known = self.parts.store.known_addresses(user).await?;
        let whose = match number {
            Some(number) => format!("{tag}:{:032x}", u128::from_be_bytes(number)),
            None if known.iter().any(|known| limit_key(*known) == address) => format!("{tag}:{address}"),
            None => tag.to_owned(),
        };
        self.count(from, Some((&address, &whose)), Actor::Anonymous, Some(tag)).await
    }

    /// Counts an attempt that names no account: to register, to use a ticket.
    pub(super) async fn count_address(&self, from: &Context) -> Result<()> {
        self.count(from, None, Actor::Anonymous, None).await
    }

    /// Counts an attempt at a secret of one's own account while signed in: a stolen session must not become a place
    /// to guess the password at.
    pub(super) async fn count_own(&self, may: &May<AccountWrite>) -> Result<()> {
        let owner = may.owner();
        let from = Context::new(may.who().address(), true);
        let address = limit_key(from.peer_ip);
        self.count(&from, Some((&address, &owner.to_string())), Actor::Subject(owner), None).await
    }

    async fn count(
        &self,
        from: &Context,
        account: Option<(&str, &str)>,
        actor: Actor,
        tag: Option<&str>,
    ) -> Result<()> {
        let limiter = &self.parts.limiter;
        let rules: &[Rule] = &limiter.rules().sign_in;
        let address = limit_key(from.peer_ip);
        let by_address = Claim { scope: "sign_in", key: &address, rules };
        let verdict = match account {
            Some((_, whose)) => {
                limiter.admit(&[by_address, Claim { scope: "sign_in_account", key: whose, rules }]).await
            }
            None => limiter.admit(&[by_address]).await,
        };
        from.note_limits(verdict);
        if verdict.allowed {
            return Ok(());
        }
        let mut event = from
            .event(EventType::RatelimitExceeded, actor)
            .with("scope", verdict.scope)
            .with("limit", verdict.limit);
        if let Some(tag) = tag {
            event = event.with("account", tag);
        }
        self.note(event).await;
        Err(refused(&verdict))
    }

    /// Writes an event that belongs to no change. What it tells of has happened whether it can be written or not.
    pub(super) async fn note(&self, event: AuditEvent) {
        if let Err(fault) = self.parts.store.record(vec![event]).await {
            tracing::error!(code = fault.code().as_str(), "an audit event was not written");
        }
    }
}

fn refused(verdict: &Verdict) -> Fault {
    let seconds = verdict.retry_after.as_secs_f64().ceil();
    verdict.fault().say(format!(
        "at most {} attempts in {} seconds; try again in {seconds} seconds",
        verdict.limit,
        verdict.window.as_secs()
    ))
}
