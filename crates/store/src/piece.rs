//! What an answer says while it is being written: pieces, each stored before a reader is shown it, so that whatever
//! happens to the process that writes, nothing that was seen is missing. With the end of the answer they are gathered
//! into its content. It never changes an answer that has ended.

use std::collections::HashMap;
use std::sync::Arc;

use crypto::Place;
use kernel::{Code, ConversationId, Fault, MessageId, Result, Subject};
use tokio::sync::oneshot;

use crate::Store;
use crate::blob::{list, with_list};
use crate::bulk::{self, Rows, Verb};
use crate::data_key::{self, Refusal, SubjectKey};
use crate::message::{FinishReason, Role};
use crate::reader::Reader;
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::{Row, values};
use crate::writer::Order;

/// More of an answer that this process writes.
#[derive(Clone, Debug)]
pub struct AnswerPiece {
    /// Whose conversation it is.
    pub owner: Subject,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The answer.
    pub message_id: MessageId,
    /// The bytes of the answer before this piece.
    pub began: usize,
    /// The text.
    pub text: String,
}

/// A piece on its way into the database.
pub(crate) struct PieceOrder {
    key: Arc<SubjectKey>,
    conversation: String,
    message: String,
    writer: Arc<str>,
    id: String,
    began: i64,
    content: Vec<u8>,
    pub(crate) outcome: Result<(), Refusal>,
    reply: oneshot::Sender<Result<(), Refusal>>,
}

impl PieceOrder {
    pub(crate) fn answer(self) {
        // The caller may have gone; what was written stays written.
        let _ = self.reply.send(self.outcome);
    }
}

const OPEN: &str = "SELECT p.id, p.conversation_id, c.owner, p.finish_reason, p.writer FROM messages p \
     JOIN conversations c ON c.id = p.conversation_id WHERE p.id IN";
const PIECES: Rows = Rows {
    verb: Verb::Insert(
        "INSERT INTO message_pieces (id, message_id, began, content)",
        // Said again when nobody heard that it was stored.
        " ON CONFLICT (id) DO UPDATE SET content = excluded.content",
    ),
    width: 4,
};
const GATHERED: &str = "DELETE FROM message_pieces WHERE message_id IN";

const fn place(id: &str) -> Place<'_> {
    Place { table: "message_pieces", column: "content", row: id }
}

/// Adds pieces; the outcome of each is set. `not_found` for an answer that is unknown or somebody else's, `conflict` for
/// one that has ended or that another process writes.
pub(crate) async fn add(tx: &mut Tx, orders: &mut [PieceOrder]) -> Result<(), Trouble> {
    let keys: Vec<&SubjectKey> = orders.iter().map(|order| order.key.as_ref()).collect();
    let stale = data_key::check(tx, &keys).await?;
    let mut open = HashMap::with_capacity(orders.len());
    for row in bulk::find(tx, OPEN, "", orders.iter().map(|order| order.message.clone()).collect()).await? {
        let ours = (row.maybe_text(3)?, row.maybe_text(4)?);
        open.insert(row.text(0)?, (row.text(1)?, row.text(2)?, ours));
    }
    let mut rows = Vec::with_capacity(orders.len() * PIECES.width);
    for order in orders.iter_mut() {
        let known = open.get(&order.message);
        let owned =
            known.filter(|(talk, owner, _)| *talk == order.conversation && *owner == order.key.subject);
        order.outcome = match owned {
            _ if stale.contains(&order.key.subject) => Err(Refusal::StaleKey),
            None => Err(Fault::new(Code::NotFound).into()),
            Some((.., (None, Some(writer)))) if **writer == *order.writer => {
                rows.extend(values![
                    order.id.as_str(),
                    order.message.as_str(),
                    order.began,
                    order.content.clone(),
                ]);
                Ok(())
            }
            Some(_) => Err(Fault::new(Code::Conflict).into()),
        };
    }
    PIECES.run(tx, rows).await?;
    Ok(())
}

/// The pieces of these answers go: their content holds all of it now.
pub(crate) async fn gathered(tx: &mut Tx, messages: &[String]) -> Result<(), Trouble> {
    for some in messages.chunks(crate::blob::MOST) {
        tx.run(with_list(tx.engine(), GATHERED, 0, some.len(), ""), list(some)).await?;
    }
    Ok(())
}

/// Pieces as they are stored, by the answer they belong to.
#[derive(Default)]
pub(crate) struct Pieces(HashMap<String, Vec<(usize, String, Vec<u8>)>>);

impl Pieces {
    /// Those of these answers.
    pub(crate) async fn read(store: &Store, reader: &mut Reader, messages: &[String]) -> Result<Pieces> {
        let mut pieces = Pieces::default();
        for some in messages.chunks(crate::blob::MOST) {
            let head = "SELECT message_id, began, id, content FROM message_pieces WHERE message_id IN";
            let sql = with_list(store.inside.engine, head, 0, some.len(), " ORDER BY message_id, began");
            for row in reader.all(sql, list(some)).await? {
                pieces.0.entry(row.text(0)?).or_default().push((
                    began(&row, 1)?,
                    row.text(2)?,
                    row.bytes(3)?,
                ));
            }
        }
        Ok(pieces)
    }

    /// Adds to the content of an answer what its pieces say beyond it.
    pub(crate) fn complete(&self, message: &str, content: &mut String, key: &SubjectKey) -> Result<()> {
        for (began, id, sealed) in self.0.get(message).into_iter().flatten() {
            extend(content, *began, &key.open_text(place(id), sealed)?);
        }
        Ok(())
    }
}

fn began(row: &Row, column: usize) -> Result<usize> {
    usize::try_from(row.int(column)?).map_err(|_| Fault::internal("a piece begins before its answer"))
}

/// Puts a text that begins at `began` behind another one, of which it may know the end already.
fn extend(content: &mut String, began: usize, text: &str) {
    if let Some(more) = content.len().checked_sub(began).and_then(|known| text.get(known..)) {
        content.push_str(more);
    }
}

/// Whether the content of a stored message may go on in pieces: it has no end yet, or one that another process than its
/// writer gave it.
pub(crate) fn may_go_on(role: &str, finish_reason: Option<&str>) -> bool {
    let ends = [FinishReason::Interrupted.as_str(), FinishReason::Cancelled.as_str()];
    role == Role::Assistant.as_str() && finish_reason.is_none_or(|reason| ends.contains(&reason))
}

impl Store {
    /// Adds to an answer that this process writes. Returns when it is stored. `not_found` for an answer that is unknown or
    /// somebody else's, `conflict` for one that has ended, or that another process has taken over.
    pub async fn add_piece(&self, piece: AnswerPiece) -> Result<()> {
        let watch = self.watch("piece.add");
        let AnswerPiece { owner, conversation_id, message_id, began, text } = piece;
        let (conversation, message) = (conversation_id.to_string(), message_id.to_string());
        let id = format!("{message} {began}");
        let began = i64::try_from(began).map_err(Fault::internal)?;
        let added = self
            .with_subject_key(&owner, |key: Arc<SubjectKey>| {
                let content = key.seal(self, place(&id), text.as_bytes());
                let (conversation, message, id) = (conversation.clone(), message.clone(), id.clone());
                let writer = Arc::clone(&self.inside.me);
                self.inside.writer.order(move |reply| {
                    let outcome = Ok(());
                    let order =
                        PieceOrder { key, conversation, message, writer, id, began, content, outcome, reply };
                    Order::Piece(Box::new(order))
                })
            })
            .await;
        drop(watch);
        added
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_adds_what_is_not_known_yet() {
        for (began, text, whole) in [
            (0, "Grü", "Grüße"),
            (0, "Grüße, W", "Grüße, W"),
            (4, "ße, W", "Grüße, W"),
            (7, ", W", "Grüße, W"),
            (9, "a hole", "Grüße"),
        ] {
            let mut content = "Grüße".to_owned();
            extend(&mut content, began, text);
            assert_eq!(content, whole, "{began} {text}");
        }
    }

    #[test]
    fn only_an_answer_without_an_end_of_its_writer_goes_on() {
        let of = |reason| may_go_on("assistant", reason);
        assert!(of(None) && of(Some("interrupted")) && of(Some("cancelled")));
        assert!(!of(Some("stop")) && !of(Some("length")) && !of(Some("error")) && !may_go_on("user", None));
    }
}
