//! Looks at what the server connects to (the database, Redis, the model providers, AWS, its own public address) and
//! at the age of its secrets.
//! Each look is bounded in time and changes nothing. What it says holds no secret.

mod apps;
mod backups;
mod certificate;
mod connections;
mod door;
mod history;
mod inside;
mod keeping;
mod machine;
mod running;
mod secrets;

pub(crate) use apps::apps;
pub(crate) use backups::backups;
pub(crate) use certificate::certificate;
pub(crate) use connections::{database, models, public_url, redis, room};
pub(crate) use door::doors;
pub(crate) use history::history;
pub(crate) use machine::{clock, disk, listener, own_certificate, permissions, proxies};
pub(crate) use running::{log, memory, running, sinks};
pub(crate) use secrets::{ages, aws, bedrock, lifetimes, secrets_manager};

use serde_json::{Value, json};

use super::paper::Mark;

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// What was looked at.
    pub(crate) name: String,
    /// How it stands.
    pub(crate) mark: Mark,
    /// What was found.
    pub(crate) say: String,
    /// What to do; empty when nothing is to be done.
    pub(crate) fix: String,
}

impl Probe {
    /// It is as it should be.
    fn good(name: &str, say: impl Into<String>) -> Probe {
        Probe { name: name.to_owned(), mark: Mark::Good, say: say.into(), fix: String::new() }
    }

    /// It is wrong.
    fn bad(name: &str, say: impl Into<String>, fix: impl Into<String>) -> Probe {
        Probe { name: name.to_owned(), mark: Mark::Bad, say: say.into(), fix: fix.into() }
    }

    /// It is worth a look.
    fn attention(name: &str, say: impl Into<String>, fix: impl Into<String>) -> Probe {
        Probe { name: name.to_owned(), mark: Mark::Attention, say: say.into(), fix: fix.into() }
    }

    /// There is nothing to look at.
    fn nothing(name: &str, say: impl Into<String>) -> Probe {
        Probe { name: name.to_owned(), mark: Mark::Nothing, say: say.into(), fix: String::new() }
    }

    /// As a JSON document.
    pub(crate) fn document(&self) -> Value {
        let outcome = match self.mark {
            Mark::Good => "ok",
            Mark::Bad => "failed",
            Mark::Attention => "warning",
            Mark::Nothing => "skipped",
        };
        json!({ "name": self.name, "outcome": outcome, "say": self.say, "fix": self.fix })
    }
}
