//! The emergency brake: who is kept out, what is ended, which addresses are blocked. It changes nothing that cannot
//! be put back, except what `revoke` ends for good.

use std::time::Duration;

use guard::http::AddressBlocks;
use kernel::{EventType, Fault, Result};
use store::{Block, Lockdown, Mode, Scope, SessionKind};

use super::{Administration, event};
use crate::{Admin, May};

/// The longest reason of a block, in characters.
const REASON: usize = 200;

/// What `revoke` ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// Every session of a browser.
    Sessions,
    /// Every access and refresh token, and every ID token issued before now.
    Tokens,
    /// Every API key of the database; those of the environment end with the environment.
    Keys,
    /// All of these, and the cookies of visitors.
    All,
}

impl What {
    /// Every one.
    pub const ALL: [What; 4] = [What::Sessions, What::Tokens, What::Keys, What::All];

    /// As a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            What::Sessions => "sessions",
            What::Tokens => "tokens",
            What::Keys => "keys",
            What::All => "all",
        }
    }

    /// Reads the word; any other is `invalid_input`.
    pub fn parse(text: &str) -> Result<What> {
        let unknown = || Fault::invalid("what", "unknown", "say `sessions`, `tokens`, `keys` or `all`");
        What::ALL.into_iter().find(|what| what.as_str() == text).ok_or_else(unknown)
    }
}

/// How much `revoke` ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Revoked {
    /// Sessions of browsers.
    pub sessions: u64,
    /// Sessions of programs.
    pub tokens: u64,
    /// Keys.
    pub keys: u64,
}

impl Administration {
    /// The brake as it is.
    pub async fn lockdown(&self, _: &May<Admin>) -> Result<Lockdown> {
        self.store.lockdown().await
    }

    /// Sets the brake; gives what holds now.
    pub async fn set_lockdown(&self, may: &May<Admin>, mode: Mode) -> Result<Lockdown> {
        let what = if mode == Mode::Off { EventType::LockdownOff } else { EventType::LockdownOn };
        self.store.set_lockdown(mode, vec![event(may, what).with("mode", mode.as_str())]).await?;
        self.identity.set_brake(mode);
        self.store.lockdown().await
    }

    /// Ends all of something, for everybody, the caller included.
    pub async fn revoke(&self, may: &May<Admin>, what: What) -> Result<Revoked> {
        let mut revoked = Revoked::default();
        let said = |event_type| event(may, event_type).with("revoked", what.as_str());
        let store = &self.store;
        if matches!(what, What::Sessions | What::All) {
            let audit = vec![said(EventType::SessionRevoked).with("kind", SessionKind::Browser.as_str())];
            revoked.sessions = store.end_sessions(Some(SessionKind::Browser), audit).await?;
        }
        if matches!(what, What::Tokens | What::All) {
            let audit = vec![said(EventType::SessionRevoked).with("kind", SessionKind::Token.as_str())];
            revoked.tokens = store.end_sessions(Some(SessionKind::Token), audit).await?;
            // At once in this process; the others read the floor within a second.
            self.identity.raise_tokens(store.epochs().await?.tokens);
        }
        if matches!(what, What::Keys | What::All) {
            revoked.keys = store.revoke_all_keys(vec![said(EventType::KeyRevoked)]).await?;
            self.identity.revoke_key(None);
        }
        if what == What::All {
            store
                .raise_floor(Scope::Visitors, vec![said(EventType::SessionRevoked).with("kind", "visitor")])
                .await?;
            let epochs = store.epochs().await?;
            self.identity.raise_visitors(epochs.server.saturating_add(epochs.visitors));
        }
        self.identity.forget();
        Ok(revoked)
    }

    /// The addresses and networks that are blocked now.
    pub async fn blocks(&self, _: &May<Admin>) -> Result<Vec<Block>> {
        self.store.blocks(self.ambient.now()).await
    }

    /// Blocks an address or a network, for good or for this long. `conflict` when the admin's own address is in it:
    /// nobody could lift the block from there.
    pub async fn block(
        &self,
        may: &May<Admin>,
        net: &str,
        span: Option<Duration>,
        reason: Option<&str>,
    ) -> Result<Block> {
        let net = network(net)?;
        if AddressBlocks::new([net]).contains(may.who().address()) {
            return Err(Fault::new(kernel::Code::Conflict).say("your own address is in this network"));
        }
        let reason = reason.unwrap_or_default().trim();
        if reason.chars().count() > REASON {
            return Err(Fault::invalid("reason", "too_long", "a reason has at most 200 characters"));
        }
        let now = self.ambient.now();
        let block = Block {
            net: net.to_string(),
            reason: reason.to_owned(),
            created_at: now,
            expires_at: span.map(|span| now + span),
        };
        let said = event(may, EventType::AddressBlocked)
            .to(format_args!("address:{net}"))
            .with("expires_at", block.expires_at.map(kernel::Time::rfc3339_seconds));
        self.store.add_block(block.clone(), vec![said]).await?;
        Ok(block)
    }

    /// Lifts a block. `not_found` when there is none of exactly this network.
    pub async fn unblock(&self, may: &May<Admin>, net: &str) -> Result<()> {
        let net = network(net)?;
        let event = event(may, EventType::AddressUnblocked).to(format_args!("address:{net}"));
        self.store.remove_block(&net.to_string(), vec![event]).await
    }
}

fn network(text: &str) -> Result<ipnet::IpNet> {
    AddressBlocks::parse(text.trim()).ok_or_else(|| {
        Fault::invalid("net", "invalid", "write an address or a network: 192.0.2.1, 192.0.2.0/24")
    })
}
