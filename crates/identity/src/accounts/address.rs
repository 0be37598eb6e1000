//! Another address for one's own account. With mail it holds once its owner has opened the link that went there; the
//! old address is told before and after. Nobody learns from an answer whether an address has an account.

use guard::limits::Claim;
use kernel::{Code, EventType, Result, Secret, Subject};
use store::{Purpose, Template, Ticket, User};

use super::Accounts;
use super::join::no_ticket;
use super::mail::{self, lost};
use super::password::stale;
use super::second::changed;
use crate::{AccountWrite, Context, May, email};

impl Accounts {
    /// Asks for another address. Takes the password, and the code of an account with a second factor, unless the
    /// person has proven within 15 minutes who they are. With mail a link goes to the new address, and the change is
    /// made when it is opened; without, at once. An address that another account has gets the same answer and changes
    /// nothing; its owner is told by mail.
    pub async fn change_email(
        &self,
        may: &May<AccountWrite>,
        email: &str,
        password: Option<&Secret<String>>,
        code: Option<&str>,
    ) -> Result<()> {
        let address = email::normal(email)?;
        if self.is_recent(may) {
            // A session must not become a place to ask for addresses at.
            self.count_own(may).await?;
        } else {
            self.prove(may, password.ok_or_else(stale)?, code).await?;
        }
        let user = self.own(may).await?;
        if user.email == address {
            return Ok(());
        }
        if !self.config.mail {
            let event = changed(may, "address");
            return match self.parts.store.set_email(user.id, &address, false, vec![event]).await {
                // Who has it is nobody's business; the account shows which address it has.
                Err(fault) if fault.code() == Code::Conflict => Ok(()),
                done => {
                    self.parts.identity.forget();
                    done
                }
            };
        }
        self.note(changed(may, "address change asked")).await;
        let accounts = self.clone();
        // After the answer, which is the same whoever has the address and whatever comes of it.
        self.parts.tasks.spawn(async move { accounts.offer_address(&user, &address).await });
        Ok(())
    }

    /// Sends the link, not more often to one address, nor for one account, than people sign in.
    async fn offer_address(&self, user: &User, address: &str) {
        let rules = &self.parts.limiter.rules().sign_in;
        let (there, whose) = (self.tag(address), user.id.to_string());
        let claims = [("address_change", &there), ("address_change_account", &whose)];
        let claims = claims.map(|(scope, key)| Claim { scope, key, rules });
        if !self.parts.limiter.admit(&claims).await.allowed {
            return;
        }
        match self.parts.store.user_by_email(address).await {
            Ok(None) => {
                self.tell(user, Template::AddressChangeAsked, [("path", "/account/security")]).await;
                self.send_new_address(user, address).await;
            }
            Ok(Some(holder)) => {
                // The owner of the account sees the same as for an address that is free.
                self.tell(user, Template::AddressChangeAsked, [("path", "/account/security")]).await;
                self.tell(&holder, Template::AccountExists, [("path", "/sign-in")]).await;
            }
            Err(fault) => lost(Err(fault)),
        }
    }

    async fn send_new_address(&self, user: &User, address: &str) {
        let sent = async {
            let ticket =
                self.ticket(Purpose::Change, Some(user.id), address, None, mail::VERIFY, Vec::new()).await?;
            let link = mail::link("/verify", &ticket, mail::VERIFY);
            let to = mail::Reader { email: address, ..mail::Reader::of(user) };
            self.post(to, Template::ConfirmNewAddress, link, mail::VERIFY).await
        };
        lost(sent.await);
    }

    /// The link that went to the new address came back: the account has it now.
    pub(super) async fn take_address(&self, ticket: Ticket, from: &Context) -> Result<()> {
        let id = ticket.user.ok_or_else(no_ticket)?;
        let before = self.parts.store.user(id).await?;
        let event = from
            .event(EventType::UserChanged, Subject::User(id))
            .to(Subject::User(id))
            .with("what", "address")
            .with("account", self.tag(&ticket.email));
        match self.parts.store.set_email(id, &ticket.email, true, vec![event]).await {
            // Somebody else has taken it meanwhile.
            Err(fault) if fault.code() == Code::Conflict => return Err(no_ticket()),
            done => done?,
        }
        self.parts.identity.forget();
        self.tell(&before, Template::AddressChanged, [("path", "/sign-in")]).await;
        Ok(())
    }
}
