//! Conversations whose time is over: those in which nothing is younger go whole; of those that live on, the old messages
//! go with what was made from them. An answer that is being written is never cut: its conversation waits for it. What was
//! used is counted by day before it goes.

use kernel::Result;

use crate::blob::{list, with_list};
use crate::data_key::Refusal;
use crate::hold::unheld;
use crate::sweep::{SweepOrder, Swept, app_held, note};
use crate::tx::Tx;
use crate::value::{Value, values};

/// Conversations that go in one transaction, and about how many messages: a statement must not take long.
const BATCH: i64 = 50;
const MESSAGES: i64 = 4_000;

/// Conversations of an app in which nothing was said since, and nothing is being said.
pub(crate) const WHOLE: &str = concat!(
    "SELECT c.id, c.owner, c.messages FROM conversations c WHERE c.app = $1 AND c.created_at < $2 AND c.updated_at < $2 \
     AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id AND m.finish_reason IS NULL) AND ",
    unheld!("c.owner"),
    " ORDER BY c.created_at LIMIT $3"
);

/// Conversations that live on and hold a message from before.
pub(crate) const PARTS: &str = concat!(
    "SELECT c.id, c.owner, c.messages FROM conversations c WHERE c.app = $1 AND c.created_at < $2 AND c.updated_at >= $2 \
     AND EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id AND m.created_at < $2 \
     AND m.finish_reason IS NOT NULL) AND ",
    unheld!("c.owner"),
    " ORDER BY c.created_at LIMIT $3"
);

/// What belongs to a conversation and has no other time.
const BELONGINGS: [(&str, &str); 5] = [
    ("attempts", "DELETE FROM attempts WHERE conversation_id IN"),
    ("conversation_tags", "DELETE FROM conversation_tags WHERE conversation_id IN"),
    ("hand_offs", "DELETE FROM hand_offs WHERE conversation_id IN"),
    ("shares", SHARES),
    ("reviews", "DELETE FROM reviews WHERE conversation_id IN"),
];

/// Texts that came with appeals belong to no conversation: they go when they are as old.
pub(crate) const APPEALS: &str = concat!(
    "SELECT r.id FROM reviews r WHERE r.app = $1 AND r.created_at < $2 AND r.conversation_id IS NULL AND ",
    unheld!("r.owner"),
    " LIMIT $3"
);
const OLD_APPEALS: &str = concat!(
    "DELETE FROM reviews WHERE id IN (SELECT r.id FROM reviews r WHERE r.app = $1 AND r.created_at < $2 \
     AND r.conversation_id IS NULL AND ",
    unheld!("r.owner"),
    " LIMIT $3)"
);

/// What points at messages that are gone.
const REVIEWED: &str = "DELETE FROM reviews WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = message_id) AND conversation_id IN";

/// What the index of the search knows of these is taken out soon.
const FORGOTTEN: (&str, &str) = (
    "INSERT INTO search_gone (conversation_id, owner) SELECT id, owner FROM conversations WHERE searched > 0 AND id IN",
    " ON CONFLICT (conversation_id) DO NOTHING",
);
/// Links to what was said: a copy must not outlive any of its messages.
const SHARES: &str = "DELETE FROM shares WHERE conversation_id IN";

/// What has a time of its own where the app says so.
const QUALITY: [(&str, &str); 3] = [
    ("feedback", "DELETE FROM feedback WHERE conversation_id IN"),
    ("outcomes", "DELETE FROM outcomes WHERE conversation_id IN"),
    ("gaps", "DELETE FROM gaps WHERE conversation_id IN"),
];

/// The beginning of the statement that counts what was used, before it goes; the condition on messages follows.
const COUNTED: &str = "INSERT INTO usage_days (id, day, app, owner, requests, conversations, input_tokens, output_tokens, failed) \
     SELECT CAST(m.created_at / 86400000000 AS text) || ' ' || c.app || ' ' || c.owner, m.created_at / 86400000000, c.app, \
     c.owner, SUM(CASE WHEN m.role = 'user' THEN 1 ELSE 0 END), SUM(CASE WHEN m.position = 1 THEN 1 ELSE 0 END), \
     SUM(COALESCE(m.input_tokens, 0)), SUM(COALESCE(m.output_tokens, 0)), \
     SUM(CASE WHEN m.finish_reason IN ('error', 'interrupted') THEN 1 ELSE 0 END) \
     FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE ";

const ADDED: &str = " GROUP BY m.created_at / 86400000000, c.app, c.owner ON CONFLICT (id) DO UPDATE SET \
     requests = usage_days.requests + excluded.requests, conversations = usage_days.conversations + excluded.conversations, \
     input_tokens = usage_days.input_tokens + excluded.input_tokens, \
     output_tokens = usage_days.output_tokens + excluded.output_tokens, failed = usage_days.failed + excluded.failed";

/// Removes one batch.
pub(crate) async fn sweep(tx: &mut Tx, order: &SweepOrder) -> Result<Swept, Refusal> {
    let mut swept = Swept::default();
    if app_held(tx, &order.app).await? {
        return Ok(swept);
    }
    let mut owners = Vec::new();
    for (whole, sql) in [(true, WHOLE), (false, PARTS)] {
        let rows = tx.all(sql, values![order.app.as_str(), order.before, BATCH]).await?;
        swept.more |= rows.len() as i64 == BATCH;
        let (mut ids, mut messages) = (Vec::new(), 0);
        for row in &rows {
            messages += row.int(2)?;
            if !ids.is_empty() && messages > MESSAGES {
                swept.more = true;
                break;
            }
            ids.push(row.text(0)?);
            owners.push(row.text(1)?);
        }
        if let ([only], true) = (ids.as_slice(), messages > MESSAGES)
            && shorten(tx, order, only, &mut swept).await?
        {
            continue;
        }
        if ids.is_empty() {
            continue;
        }
        if whole {
            remove_whole(tx, order, &ids, &mut swept).await?;
        } else {
            remove_old(tx, order, &ids, &mut swept).await?;
        }
    }
    let appeals = tx.run(OLD_APPEALS, values![order.app.as_str(), order.before, BATCH]).await?;
    swept.more |= i64::try_from(appeals).is_ok_and(|count| count == BATCH);
    swept.add("reviews", appeals);
    owners.sort_unstable();
    owners.dedup();
    if !owners.is_empty() {
        // Answers that are kept to be repeated hold the same words. They belong to no conversation, so that all of these
        // callers that are as old go; a request that is repeated after that is a new one.
        let head = "DELETE FROM idempotency WHERE claimed_at < ? AND status IS NOT NULL AND owner IN";
        let sql = with_list(tx.engine(), head, 1, owners.len(), "");
        swept.add("idempotency", tx.run(sql, before(order, &owners)).await?);
    }
    note(tx, order.app.as_str(), &swept).await?;
    Ok(swept)
}

/// The time of the order in front of these ids.
fn before(order: &SweepOrder, ids: &[String]) -> Vec<Value> {
    std::iter::once(Value::from(order.before)).chain(list(ids)).collect()
}

/// Takes the oldest messages of a conversation that is too long to go at once. Gives whether there were any to take; the
/// next batch goes on.
async fn shorten(tx: &mut Tx, order: &SweepOrder, id: &str, swept: &mut Swept) -> Result<bool, Refusal> {
    let sql = "SELECT position FROM messages WHERE conversation_id = $1 AND created_at < $2 \
               AND finish_reason IS NOT NULL ORDER BY position LIMIT 1 OFFSET $3";
    let Some(row) = tx.one(sql, values![id, order.before, MESSAGES]).await? else { return Ok(false) };
    let until = row.int(0)?;
    const OLD: &str = "created_at < ? AND finish_reason IS NOT NULL AND position < ? AND conversation_id IN";
    let engine = tx.engine();
    let row = || values![order.before, until, id];
    let counted = format!(
        "{COUNTED} m.created_at < ? AND m.finish_reason IS NOT NULL AND m.position < ? AND m.conversation_id IN"
    );
    tx.run(with_list(engine, &counted, 2, 1, ADDED), row()).await?;
    tx.run(with_list(engine, FORGOTTEN.0, 0, 1, FORGOTTEN.1), values![id]).await?;
    let sql = with_list(engine, &format!("DELETE FROM messages WHERE {OLD}"), 2, 1, "");
    swept.add("messages", tx.run(sql, row()).await?);
    swept.add("shares", tx.run(with_list(engine, SHARES, 0, 1, ""), values![id]).await?);
    swept.add("reviews", tx.run(with_list(engine, REVIEWED, 0, 1, ""), values![id]).await?);
    swept.more = true;
    Ok(true)
}

async fn remove_whole(
    tx: &mut Tx,
    order: &SweepOrder,
    ids: &[String],
    swept: &mut Swept,
) -> Result<(), Refusal> {
    let engine = tx.engine();
    let counted = format!("{COUNTED} m.conversation_id IN");
    tx.run(with_list(engine, &counted, 0, ids.len(), ADDED), list(ids)).await?;
    let quality = QUALITY.iter().filter(|_| !order.spare_quality);
    for (table, head) in BELONGINGS.iter().chain(quality) {
        swept.add(table, tx.run(with_list(engine, head, 0, ids.len(), ""), list(ids)).await?);
    }
    tx.run(with_list(engine, FORGOTTEN.0, 0, ids.len(), FORGOTTEN.1), list(ids)).await?;
    let head = "DELETE FROM messages WHERE conversation_id IN";
    swept.add("messages", tx.run(with_list(engine, head, 0, ids.len(), ""), list(ids)).await?);
    let head = "DELETE FROM conversations WHERE id IN";
    swept.add("conversations", tx.run(with_list(engine, head, 0, ids.len(), ""), list(ids)).await?);
    Ok(())
}

async fn remove_old(
    tx: &mut Tx,
    order: &SweepOrder,
    ids: &[String],
    swept: &mut Swept,
) -> Result<(), Refusal> {
    const OLD: &str = "created_at < ? AND finish_reason IS NOT NULL AND conversation_id IN";
    let engine = tx.engine();
    let counted =
        format!("{COUNTED} m.created_at < ? AND m.finish_reason IS NOT NULL AND m.conversation_id IN");
    tx.run(with_list(engine, &counted, 1, ids.len(), ADDED), before(order, ids)).await?;
    tx.run(with_list(engine, FORGOTTEN.0, 0, ids.len(), FORGOTTEN.1), list(ids)).await?;
    let sql = with_list(engine, &format!("DELETE FROM messages WHERE {OLD}"), 1, ids.len(), "");
    swept.add("messages", tx.run(sql, before(order, ids)).await?);
    swept.add("shares", tx.run(with_list(engine, SHARES, 0, ids.len(), ""), list(ids)).await?);
    swept.add("reviews", tx.run(with_list(engine, REVIEWED, 0, ids.len(), ""), list(ids)).await?);
    if !order.spare_quality {
        const ORPHAN: &str =
            "WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = message_id) AND conversation_id IN";
        for table in ["feedback", "outcomes"] {
            let sql = with_list(engine, &format!("DELETE FROM {table} {ORPHAN}"), 0, ids.len(), "");
            swept.add(table, tx.run(sql, list(ids)).await?);
        }
        let head = "DELETE FROM gaps WHERE created_at < ? AND conversation_id IN";
        swept.add("gaps", tx.run(with_list(engine, head, 1, ids.len(), ""), before(order, ids)).await?);
    }
    let head = "DELETE FROM hand_offs WHERE updated_at < ? AND state NOT IN ('waiting', 'claimed') AND conversation_id IN";
    swept.add("hand_offs", tx.run(with_list(engine, head, 1, ids.len(), ""), before(order, ids)).await?);
    // A title is made from the first words; what follows something that is gone follows nothing; and where the talk stood
    // at something that is gone, it stands at the newest that is left.
    let head = "UPDATE conversations SET title = NULL, topic = NULL, last_message = COALESCE(\
                (SELECT m.id FROM messages m WHERE m.id = conversations.last_message), \
                (SELECT m.id FROM messages m WHERE m.conversation_id = conversations.id ORDER BY m.position DESC LIMIT 1)) \
                WHERE id IN";
    tx.run(with_list(engine, head, 0, ids.len(), ""), list(ids)).await?;
    let head = "UPDATE messages SET parent_id = NULL WHERE parent_id IS NOT NULL \
                AND NOT EXISTS (SELECT 1 FROM messages p WHERE p.id = messages.parent_id) AND conversation_id IN";
    tx.run(with_list(engine, head, 0, ids.len(), ""), list(ids)).await?;
    Ok(())
}
