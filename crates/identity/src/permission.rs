//! Permission as a value: a service takes `&May<ConversationDelete>`, and only [`crate::Identity::may`] makes
//! one. An unchecked call does not compile.

use kernel::{AppId, Code, Fault, Result, Subject};

use crate::Principal;

/// Something that may be allowed.
pub trait Permission {
    /// Its name in the audit log.
    const NAME: &'static str;

    /// Whether this principal may. The default: everybody who has been resolved, on their own data.
    fn check(&self, _who: &Principal) -> Result<()> {
        Ok(())
    }
}

/// The proof that a principal may do `P`.
#[derive(Clone, Debug)]
pub struct May<P> {
    who: Principal,
    what: P,
}

impl<P: Permission> May<P> {
    pub(crate) fn check(who: &Principal, what: P) -> Result<May<P>> {
        what.check(who)?;
        Ok(May { who: who.clone(), what })
    }
}

impl<P> May<P> {
    /// Who may.
    pub const fn who(&self) -> &Principal {
        &self.who
    }

    /// Whose data it is about.
    pub const fn owner(&self) -> Subject {
        self.who.subject()
    }

    /// What is allowed.
    pub const fn what(&self) -> &P {
        &self.what
    }

    /// Fails with `not_found` when the principal may not, or may no longer, enter the app: to somebody outside
    /// it a talk in there does not exist.
    pub fn inside(&self, app: &AppId) -> Result<()> {
        if self.who.apps().contains(app) { Ok(()) } else { Err(Fault::new(Code::NotFound)) }
    }
}

macro_rules! own_data {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Permission for $name {
            const NAME: &'static str = $text;
        }
    )*};
}

own_data! {
    /// To see which apps there are for oneself.
    AppsRead = "apps.read";
    /// To read one's own conversations.
    ConversationRead = "conversation.read";
    /// To change one's own conversations.
    ConversationWrite = "conversation.write";
    /// To delete one's own conversations.
    ConversationDelete = "conversation.delete";
}

/// To talk in this app.
#[derive(Clone, Debug)]
pub struct Converse(pub AppId);

impl Permission for Converse {
    const NAME: &'static str = "converse";

    fn check(&self, who: &Principal) -> Result<()> {
        if who.apps().contains(&self.0) {
            return Ok(());
        }
        // A visitor has shown no credential: the answer is "sign in". Whoever has one is told that it is not enough.
        let code = if who.is_visitor() { Code::Unauthenticated } else { Code::Forbidden };
        Err(Fault::new(code))
    }
}
