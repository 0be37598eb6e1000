//! The one place that says whether a credential that is genuine may be used now: the account is active, and the
//! brake lets this kind of caller pass. Every kind of credential comes through here, at every request and from every
//! open stream (SAFETY V5).

use kernel::{Code, Role, Severity, Subject};
use store::{Account, Mode};

/// Why nobody was resolved: what the caller is told and what the log is told.
#[derive(Debug)]
pub(crate) struct Denial {
    pub(crate) code: Code,
    pub(crate) reason: &'static str,
    pub(crate) severity: Severity,
    /// The account or key, when it is known.
    pub(crate) subject: Option<Subject>,
    /// The failure of something that was needed, which is no failure of the caller.
    pub(crate) fault: Option<kernel::Fault>,
}

impl Denial {
    /// A credential that is none: the caller learns nothing but that.
    pub(crate) const fn unknown(reason: &'static str, severity: Severity) -> Denial {
        Denial { code: Code::Unauthenticated, reason, severity, subject: None, fault: None }
    }

    /// A credential that was good once.
    pub(crate) const fn expired(reason: &'static str) -> Denial {
        Denial { code: Code::TokenExpired, reason, severity: Severity::Low, subject: None, fault: None }
    }

    pub(crate) const fn of(mut self, subject: Subject) -> Denial {
        self.subject = Some(subject);
        self
    }
}

impl From<kernel::Fault> for Denial {
    fn from(fault: kernel::Fault) -> Denial {
        Denial {
            code: fault.code(),
            reason: "something needed is away",
            severity: Severity::Low,
            subject: None,
            fault: Some(fault),
        }
    }
}

/// Who wants to pass.
pub(crate) enum Caller<'a> {
    /// An anonymous browser.
    Visitor,
    /// An account, by whatever credential of its own.
    Account(&'a Account),
    /// A key, with the account that made it unless the operator did.
    Key(Option<&'a Account>),
}

/// Whether the caller may pass now.
pub(crate) fn standing(caller: &Caller<'_>, brake: Mode) -> Result<(), Denial> {
    let deny = |code, reason| Denial { code, reason, severity: Severity::Medium, subject: None, fault: None };
    let account = match caller {
        Caller::Visitor => None,
        Caller::Account(account) => Some(*account),
        Caller::Key(maker) => *maker,
    };
    if account.is_some_and(|account| account.disabled_at.is_some()) {
        return Err(deny(Code::Inactive, "inactive account"));
    }
    let passes = match (brake, caller) {
        (Mode::Off, _) => true,
        // Keys are stopped whoever made them: a stolen one is what the brake is for.
        (_, Caller::Key(_)) => false,
        (_, Caller::Account(account)) => account.role == Role::Admin,
        (Mode::Users, Caller::Visitor) => true,
        (Mode::AdminOnly, Caller::Visitor) => false,
    };
    if passes { Ok(()) } else { Err(deny(Code::LockedDown, "locked down")) }
}
