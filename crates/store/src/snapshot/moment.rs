//! How it was at a moment: a copy from before it takes over what a later copy knows to be from before it too, and what
//! came after it goes. It works on copies in SQLite, never on a live database, so that live writes pay nothing for it.
//!
//! What was made is exact, by the moment of its making; what was changed counts by the moment of its last change; what
//! somebody deleted for good between the earlier copy and the moment stays away, because the audit log says when it went
//! (as long as it is kept). What retention took in between comes back and goes again with the next sweep.

use std::path::Path;

use kernel::{Fault, Result, Time};

use super::Columns;
use super::fill::columns;
use crate::Store;
use crate::connection::Sql;
use crate::dialect::{Company, Engine};
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::values;

/// Tables whose rows are not taken over: what is the server's own, and what ends with a restore in any case.
const OWN: [&str; 20] = [
    "alerts",
    "audit_cut",
    "audit_events",
    "audit_head",
    "blob_removals",
    "blocks",
    "chores",
    "data_keys",
    "epochs",
    "erasures",
    "holds",
    "idempotency",
    "measures",
    "outbox",
    "refresh_tokens",
    "revoked_subjects",
    "sessions",
    "sweeps",
    "tickets",
    "usage_days",
];

impl Store {
    /// Makes this copy what it was at `at`. `later` is another copy of the same database and schema, from after that
    /// moment; without one this copy itself is from after it.
    pub async fn as_of(&self, later: Option<&Path>, at: Time) -> Result<()> {
        let watch = self.watch("snapshot.moment");
        if self.inside.engine != Engine::Sqlite {
            return Err(Fault::internal("only copies are taken back to a moment"));
        }
        let work = async {
            if let Some(path) = later {
                let path = path.display().to_string().replace('\'', "''");
                let mut lease = self.inside.writes.take(false).await?;
                lease.connection()?.script(format!("ATTACH DATABASE '{path}' AS later")).await?;
                // The one connection of the writer: what follows runs on it.
                lease.give_back();
            }
            let mut tx = Tx::begin(&self.inside.writes, Company::Alone).await?;
            tx.script("PRAGMA defer_foreign_keys = ON".to_owned()).await?;
            let tables = columns(&mut tx).await?;
            if later.is_some() {
                take_over(&mut tx, &tables, at).await?;
                leave_out(&mut tx, at).await?;
            }
            cut(&mut tx, &tables, at).await?;
            mend(&mut tx).await?;
            tx.commit().await?;
            if later.is_some() {
                let mut lease = self.inside.writes.take(false).await?;
                lease.connection()?.script("DETACH DATABASE later".to_owned()).await?;
                lease.give_back();
            }
            Ok::<_, Trouble>(())
        };
        work.await.map_err(|trouble| watch.fault(trouble))
    }
}

fn built(text: String) -> Sql {
    Sql::Built(text.into())
}

fn has(columns: &[(String, String)], name: &str) -> bool {
    columns.iter().any(|(column, _)| column == name)
}

/// Rows that the later copy has and that are from before the moment.
async fn take_over(tx: &mut Tx, tables: &Columns, at: Time) -> Result<(), Trouble> {
    for (table, columns) in tables.iter().filter(|(table, _)| !OWN.contains(&table.as_str())) {
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(", ");
        if table == "passages" {
            tx.toil(
                built(format!(
                    "INSERT OR IGNORE INTO main.passages ({names}) SELECT {names} FROM later.passages \
                     WHERE document_id IN (SELECT id FROM main.documents)"
                )),
                values![],
            )
            .await?;
            continue;
        }
        if !has(columns, "created_at") {
            continue;
        }
        if has(columns, "updated_at") && has(columns, "id") {
            // Rows that both have count in their later form when that is from before the moment.
            tx.toil(
                built(format!(
                    "INSERT OR REPLACE INTO main.{table} ({names}) SELECT {names} FROM later.{table} l \
                     WHERE l.updated_at <= $1 AND EXISTS (SELECT 1 FROM main.{table} m WHERE m.id = l.id \
                     AND m.updated_at < l.updated_at)"
                )),
                values![at],
            )
            .await?;
        }
        if table == "messages" {
            // An answer that was being written when the earlier copy was made.
            tx.toil(
                built(format!(
                    "INSERT OR REPLACE INTO main.messages ({names}) SELECT {names} FROM later.messages l \
                     WHERE l.created_at <= $1 AND l.id IN (SELECT id FROM main.messages WHERE finish_reason IS NULL)"
                )),
                values![at],
            )
            .await?;
        }
        if table == "files" {
            tx.toil(
                "UPDATE main.files SET trashed_at = (SELECT l.trashed_at FROM later.files l WHERE l.id = files.id) \
                 WHERE id IN (SELECT l.id FROM later.files l WHERE l.trashed_at <= $1)",
                values![at],
            )
            .await?;
        }
        tx.toil(
            built(format!(
                "INSERT OR IGNORE INTO main.{table} ({names}) SELECT {names} FROM later.{table} WHERE created_at <= $1"
            )),
            values![at],
        )
        .await?;
    }
    Ok(())
}

/// What the audit log of the later copy says was deleted for good until the moment. Ids are never given twice, so an
/// event from before the earlier copy finds nothing.
async fn leave_out(tx: &mut Tx, at: Time) -> Result<(), Trouble> {
    for (table, event, word, condition) in [
        ("conversations", "data.erased", "conversation", ""),
        ("problems", "data.erased", "problem", ""),
        ("documents", "document.removed", "document", ""),
        ("files", "file.deleted", "file", " AND json_extract(details, '$.permanent')"),
    ] {
        tx.toil(
            built(format!(
                "DELETE FROM main.{table} WHERE '{word}:' || id IN \
                 (SELECT object FROM later.audit_events WHERE event_type = '{event}' AND at <= $1{condition})"
            )),
            values![at],
        )
        .await?;
    }
    Ok(())
}

/// What came after the moment goes.
async fn cut(tx: &mut Tx, tables: &Columns, at: Time) -> Result<(), Trouble> {
    for (table, columns) in tables.iter().rev().filter(|(table, _)| !OWN.contains(&table.as_str())) {
        if has(columns, "created_at") && table != "server_secret" {
            tx.toil(built(format!("DELETE FROM main.{table} WHERE created_at > $1")), values![at]).await?;
        }
    }
    tx.toil("UPDATE main.files SET trashed_at = NULL, batch = NULL WHERE trashed_at > $1", values![at])
        .await?;
    Ok(())
}

/// Rows that point at what is not there go, and what counts others is counted again.
async fn mend(tx: &mut Tx) -> Result<(), Trouble> {
    loop {
        let broken = tx.all("SELECT \"table\", rowid FROM main.pragma_foreign_key_check", values![]).await?;
        if broken.is_empty() {
            break;
        }
        for row in broken {
            let sql = format!("DELETE FROM main.{} WHERE rowid = $1", row.text(0)?);
            tx.toil(built(sql), values![row.int(1)?]).await?;
        }
    }
    for sql in [
        "UPDATE main.conversations SET \
         messages = (SELECT COUNT(*) FROM main.messages m WHERE m.conversation_id = conversations.id), \
         user_messages = (SELECT COUNT(*) FROM main.messages m WHERE m.conversation_id = conversations.id AND m.role = 'user'), \
         last_message = (SELECT m.id FROM main.messages m WHERE m.conversation_id = conversations.id ORDER BY m.position DESC LIMIT 1), \
         updated_at = MAX(created_at, COALESCE((SELECT MAX(m.created_at) FROM main.messages m WHERE m.conversation_id = conversations.id), 0)) \
         WHERE messages <> (SELECT COUNT(*) FROM main.messages m WHERE m.conversation_id = conversations.id)",
        "UPDATE main.blobs SET files = (SELECT COUNT(*) FROM main.files f WHERE f.blob = blobs.id)",
        "DELETE FROM main.blobs WHERE files = 0",
    ] {
        tx.toil(sql, values![]).await?;
    }
    Ok(())
}
