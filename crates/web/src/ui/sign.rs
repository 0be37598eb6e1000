//! The pages of somebody who is not signed in yet, or has to prove again who they are. What they show is the same
//! whether an account exists or not.

use askama::Template;

use super::form::FormView;
use super::frame::{Frame, encode};
use crate::texts::filters;

/// `/sign-in`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign/in.html")]
pub(crate) struct SignInPage {
    pub(crate) frame: Frame,
    pub(crate) form: FormView,
    /// The local path that signing in leads to; empty: the start page.
    pub(crate) return_to: String,
    /// The password was right, and a code is wanted too.
    pub(crate) second_factor: bool,
    /// Names and labels of the issuers that can be signed in with.
    pub(crate) issuers: Vec<(String, String)>,
    /// Anybody may make an account.
    pub(crate) open: bool,
    /// There is mail, so a forgotten password can be replaced.
    pub(crate) mail: bool,
    /// What has just happened, said above the form.
    pub(crate) done: Option<&'static str>,
}

impl SignInPage {
    /// Where an account is made.
    fn up(&self) -> String {
        format!("/sign-up{}", self.back())
    }

    fn back(&self) -> String {
        if self.return_to.is_empty() {
            String::new()
        } else {
            format!("?return_to={}", encode(&self.return_to))
        }
    }
}

/// `/sign-up`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign/up.html")]
pub(crate) struct SignUpPage {
    pub(crate) frame: Frame,
    pub(crate) form: FormView,
    pub(crate) return_to: String,
    /// What may happen here.
    pub(crate) door: Door,
    /// Fewest characters of a password.
    pub(crate) least: u32,
}

/// Whether accounts can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// By anybody.
    Open,
    /// By those with an invitation.
    Invited,
    /// By nobody: invitations come from admins.
    Closed,
}

/// A page that only says something: mail is on its way, an address is verified, a link is stale.
#[derive(Clone, Debug, Template)]
#[template(path = "sign/said.html")]
pub(crate) struct SaidPage {
    pub(crate) frame: Frame,
    pub(crate) icon: &'static str,
    pub(crate) title: &'static str,
    pub(crate) text: String,
    pub(crate) hint: &'static str,
    /// Where to go on, and in which words.
    pub(crate) next: (String, &'static str),
}

/// `/forgot`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign/forgot.html")]
pub(crate) struct ForgotPage {
    pub(crate) frame: Frame,
    pub(crate) form: FormView,
    pub(crate) mail: bool,
}

/// `/reset`: the token is in the fragment or the query of the address, from where a script moves it into the form.
#[derive(Clone, Debug, Template)]
#[template(path = "sign/reset.html")]
pub(crate) struct ResetPage {
    pub(crate) frame: Frame,
    pub(crate) form: FormView,
    pub(crate) least: u32,
}

/// `/verify`: a button, as mail scanners open every link.
#[derive(Clone, Debug, Template)]
#[template(path = "sign/verify.html")]
pub(crate) struct VerifyPage {
    pub(crate) frame: Frame,
    pub(crate) form: FormView,
}

/// `/setup`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign/setup.html")]
pub(crate) struct SetupPage {
    pub(crate) frame: Frame,
    pub(crate) form: FormView,
    pub(crate) least: u32,
}

/// The page before a sensitive change: prove that it is still you, then what was asked for goes on.
#[derive(Clone, Debug, Template)]
#[template(path = "sign/prove.html")]
pub(crate) struct ProvePage {
    pub(crate) frame: Frame,
    pub(crate) form: FormView,
    pub(crate) email: String,
    /// Where the form goes: the request that waits.
    pub(crate) action: String,
    /// What that request carried; secrets are not among it.
    pub(crate) carried: Vec<(String, String)>,
    /// What the person was about to do.
    pub(crate) what: String,
    pub(crate) has_password: bool,
    pub(crate) has_second_factor: bool,
}

/// A page that asks once more before something that is hard to undo.
#[derive(Clone, Debug, Template)]
#[template(path = "sign/confirm.html")]
pub(crate) struct ConfirmPage {
    pub(crate) frame: Frame,
    pub(crate) form: FormView,
    pub(crate) title: String,
    /// What will happen, one sentence each.
    pub(crate) effects: Vec<String>,
    /// The word that has to be typed; empty: a click is enough.
    pub(crate) word: String,
    pub(crate) action: String,
    pub(crate) carried: Vec<(String, String)>,
    pub(crate) label: String,
    pub(crate) back: String,
}
