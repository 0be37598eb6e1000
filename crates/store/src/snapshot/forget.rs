//! What must not come back with an old copy: the data of subjects that were erased since, mails that were to be sent,
//! sign-ins. It works inside a transaction and never commits.

use kernel::{KeyId, Result, Subject};

use crate::connection::Sql;
use crate::data_key::Refusal;
use crate::registry::Rule;
use crate::tables::TABLES;
use crate::tx::Tx;
use crate::value::values;

use super::Columns;

/// Removes the rows of a subject, as an erasure does; with an account what its keys did. Tables that an older schema
/// does not have hold nothing. Gives how many rows went.
pub(super) async fn forget(tx: &mut Tx, tables: &Columns, subject: &Subject) -> Result<u64, Refusal> {
    let mut names = Vec::new();
    if let Subject::User(id) = subject {
        for row in
            tx.all("SELECT id FROM api_keys WHERE user_id = $1 ORDER BY id", values![id.to_string()]).await?
        {
            names.push(Subject::Key(KeyId::parse(&row.text(0)?)?).to_string());
        }
    }
    names.push(subject.to_string());
    let mut count = 0;
    for table in TABLES.iter().filter(|table| tables.iter().any(|(name, _)| name == table.name)) {
        let Rule::Subject { condition, erase: true, .. } = table.rule else { continue };
        let sql = Sql::Built(format!("DELETE FROM {} WHERE {condition}", table.name).into());
        for name in &names {
            count += tx.toil(sql.clone(), values![name.as_str()]).await?;
        }
    }
    Ok(count)
}

/// Ends what must not go on from where the copy was made: sign-ins, what was about to be sent to people, and links that
/// may have been withdrawn since.
pub(super) async fn end_what_was_under_way(tx: &mut Tx, tables: &Columns) -> Result<(), Refusal> {
    for table in ["refresh_tokens", "sessions", "outbox", "leases", "shares"] {
        if tables.iter().any(|(name, _)| name == table) {
            tx.toil(Sql::Built(format!("DELETE FROM {table}").into()), values![]).await?;
        }
    }
    Ok(())
}
