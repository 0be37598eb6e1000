//! The brake: a mode of the whole server. Nothing else is altered, so that releasing it restores what was.
//! It never decides whom a mode lets in.

use kernel::{AuditEvent, Fault, Result, Time};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::data_key::Refusal;
use crate::epoch::{self, Scope};
use crate::secret::Secrets;
use crate::state;
use crate::tx::Tx;
use crate::value::values;

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

/// The name of the brake among the values of the server.
const NAME: &str = "lockdown";

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

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    mode: String,
    since: Option<i64>,
    by: Option<String>,
}

impl Lockdown {
    fn read(text: &str) -> Result<Lockdown> {
        let stored: Stored =
            serde_json::from_str(text).map_err(|_| Fault::internal("the lockdown cannot be read"))?;
        let mode =
            Mode::parse(&stored.mode).map_err(|_| Fault::internal("the lockdown has no known mode"))?;
        Ok(Lockdown { mode, since: stored.since.map(Time::from_micros), by: stored.by })
    }

    fn write(&self) -> Result<String> {
        let stored = Stored {
            mode: self.mode.as_str().to_owned(),
            since: self.since.map(Time::micros),
            by: self.by.clone(),
        };
        serde_json::to_string(&stored).map_err(Fault::internal)
    }
}

impl Store {
    /// The brake as it is.
    pub async fn lockdown(&self) -> Result<Lockdown> {
        match self.get_state(NAME).await? {
            Some(text) => Lockdown::read(&text),
            None => Ok(Lockdown::default()),
        }
    }

    /// Sets the brake. Who did it is the actor of the first event; all events get `before` and `after`. A mode that
    /// holds already keeps its time and is audited all the same. Gives what was before.
    pub async fn set_lockdown(&self, mode: Mode, audit: Vec<AuditEvent>) -> Result<Lockdown> {
        self.check_key().await?;
        let store = self.clone();
        self.write_alone("lockdown.set", Vec::new(), move |tx| {
            Box::pin(async move { store.brake(tx, mode, audit).await })
        })
        .await
    }

    async fn brake(&self, tx: &mut Tx, mode: Mode, audit: Vec<AuditEvent>) -> Result<Lockdown, Refusal> {
        let ambient = &self.inside.ambient;
        let secrets: &Secrets =
            self.inside.secrets.get().ok_or_else(|| Fault::internal("the store's keys are not open"))?;
        let before = match tx.one("SELECT value FROM state WHERE name = $1", values![NAME]).await? {
            Some(row) => {
                let text = String::from_utf8(secrets.open(state::place(NAME), &row.bytes(0)?)?);
                Lockdown::read(&text.map_err(|_| Fault::internal("the lockdown is not UTF-8"))?)?
            }
            None => Lockdown::default(),
        };
        if before.mode != mode {
            let by = audit.first().map(|event| event.actor.to_string());
            let after = Lockdown { mode, since: Some(ambient.now()), by };
            let sealed = secrets.seal(state::place(NAME), after.write()?.as_bytes(), ambient);
            state::put(tx, NAME, sealed, ambient.now()).await?;
        }
        epoch::bump(tx, Scope::Lockdown).await?;
        let tell =
            |event: AuditEvent| event.with("before", before.mode.as_str()).with("after", mode.as_str());
        tx.events.extend(audit.into_iter().map(tell));
        Ok(before)
    }
}
