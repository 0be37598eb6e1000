//! The brake: a mode of the whole server. Nothing else is altered, so that releasing it restores what was.
//! It never decides whom a mode lets in.

use kernel::{AuditEvent, Fault, Result, Time};

use crate::Store;

/// Who is kept out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum Mode {
    /// Nobody.
    #[default]
    Off,
    /// Accounts that are no admins, and all API keys.
    Users,
    /// Everybody but admins.
    AdminOnly,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Mode; 3] = [Mode::Off, Mode::Users, Mode::AdminOnly];

    /// The mode as a word: `off`, `users`, `admin-only`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Users => "users",
            Mode::AdminOnly => "admin-only",
        }
    }

    /// Reads the word; any other is `invalid_input`.
    pub fn parse(text: &str) -> Result<Mode> {
        Mode::ALL
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| Fault::invalid("mode", "unknown", "a mode is `users`, `admin-only` or `off`"))
    }
}

/// The brake as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lockdown {
    /// Who is kept out.
    pub mode: Mode,
    /// Since when; `None` when it was never pulled.
    pub since: Option<Time>,
    /// Who set it so, as the audit log names them.
    pub by: Option<String>,
}

impl Store {
    /// The brake as it is.
    pub async fn lockdown(&self) -> Result<Lockdown> {
        Err(Fault::internal("not written yet"))
    }

    /// Sets the brake. Who did it is the actor of the first event; all events get `before` and `after`. A mode that
    /// holds already keeps its time and is audited all the same. Gives what was before.
    pub async fn set_lockdown(&self, mode: Mode, audit: Vec<AuditEvent>) -> Result<Lockdown> {
        let _ = (mode, audit);
        Err(Fault::internal("not written yet"))
    }
}
