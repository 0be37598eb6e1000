//! The end of a subject's data, with a receipt that outlives it. The receipt holds counts and a pseudonymous id, nothing
//! else; whoever holds its own id, which cannot be guessed, may read it.

use std::collections::BTreeMap;

use kernel::{AuditEvent, Code, Fault, Result, Subject, Time};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Store;

/// What an erasure took away.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Erased {
    /// Names the receipt.
    pub id: Uuid,
    /// Whose data it was.
    pub subject: String,
    /// When it was erased.
    pub erased_at: Time,
    /// How many rows went from each table; those that held nothing are left out.
    pub counts: BTreeMap<String, u64>,
}

fn place(id: Uuid) -> String {
    format!("erasure:{id}")
}

impl Store {
    /// Erases a subject with everything that it holds. `conflict` for the last active admin, `not_found` for an
    /// account that does not exist.
    pub async fn erase(&self, subject: &Subject, audit: Vec<AuditEvent>) -> Result<Erased> {
        if let Subject::User(id) = subject {
            self.user(*id).await?;
            // Inactive first: the rule of the last admin is asked in the same way as ever, and nothing of the account
            // can be used while it goes.
            self.set_active(*id, false, Vec::new()).await?;
        }
        let counts = self.erase_subject(subject, audit).await?;
        self.keep_receipt(subject, counts).await
    }

    async fn keep_receipt(&self, subject: &Subject, counts: Vec<(&'static str, u64)>) -> Result<Erased> {
        let ambient = &self.inside.ambient;
        let mut random = [0; 16];
        ambient.random().fill(&mut random);
        let erased = Erased {
            // 122 random bits: an id like all others, and a secret.
            id: uuid::Builder::from_random_bytes(random).into_uuid(),
            subject: subject.to_string(),
            erased_at: ambient.now(),
            counts: counts
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .map(|(table, count)| (table.to_owned(), count))
                .collect(),
        };
        let text = serde_json::to_string(&erased).map_err(Fault::internal)?;
        self.set_state(&place(erased.id), &text, Vec::new()).await?;
        Ok(erased)
    }

    /// The receipt with this id; `not_found` when there is none.
    pub async fn erasure(&self, id: Uuid) -> Result<Erased> {
        let text = self.get_state(&place(id)).await?.ok_or_else(|| Fault::new(Code::NotFound))?;
        serde_json::from_str(&text).map_err(Fault::internal)
    }
}
