//! What came of each turn of customer service, and the counts that tell how good it is. It never holds a text.

use kernel::{AppId, ConversationId, MessageId, Result, Subject, Time};

use crate::Store;
use crate::handoff::conversation_app;
use crate::message::words;
use crate::value::{Value, values};

words! {
    /// What came of a turn.
    Outcome {
        /// A model answered, held to the documents.
        Answered = "answered",
        /// The documents were quoted.
        Quoted = "quoted",
        /// The documents hold no answer.
        Nothing = "none",
        /// A person was asked for.
        HandOff = "hand_off",
        /// A greeting or thanks.
        Talk = "talk",
        /// A person has the conversation.
        Person = "person",
    }
}

/// Counts of a span of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Quality {
    /// Questions: turns that were answered, quoted or found nothing.
    pub questions: u64,
    /// Those that were answered from the documents.
    pub answered: u64,
    /// Those that the documents hold no answer to.
    pub refused: u64,
    /// Conversations with at least one turn.
    pub conversations: u64,
    /// Conversations in which a person was asked for.
    pub handed_off: u64,
    /// Conversations that count as resolved: answered at least once, never handed off, nothing rated down, and the
    /// last question was answered.
    pub resolved: u64,
    /// Answers rated up.
    pub up: u64,
    /// Answers rated down.
    pub down: u64,
}

impl Store {
    /// Takes note of what came of a turn. `not_found` when the conversation has gone.
    pub async fn note_outcome(
        &self,
        owner: &Subject,
        conversation: ConversationId,
        message: MessageId,
        outcome: Outcome,
    ) -> Result<()> {
        let now = self.inside.ambient.now();
        let (owner, conversation, message) =
            (owner.to_string(), conversation.to_string(), message.to_string());
        self.write("outcome.note", Vec::new(), move |tx| {
            Box::pin(async move {
                let app = conversation_app(tx, &owner, &conversation).await?;
                tx.run(
                    "INSERT INTO outcomes (message_id, conversation_id, owner, app, outcome, created_at) \
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (message_id) DO UPDATE SET outcome = excluded.outcome",
                    values![message, conversation, owner, app, outcome.as_str(), now],
                )
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// The counts of an app since a moment.
    pub async fn quality(&self, app: &AppId, since: Time) -> Result<Quality> {
        let mut reader = self.read("quality.read").await?;
        let values = || -> Vec<Value> { values![app.as_str(), since] };
        let mut quality = Quality::default();
        let sql =
            "SELECT outcome, COUNT(*) FROM outcomes WHERE app = $1 AND created_at >= $2 GROUP BY outcome";
        for row in reader.all(sql, values()).await? {
            let count = u64::try_from(row.int(1)?).unwrap_or(0);
            match Outcome::parse(&row.text(0)?) {
                Some(Outcome::Answered | Outcome::Quoted) => quality.answered += count,
                Some(Outcome::Nothing) => quality.refused += count,
                _ => {}
            }
        }
        quality.questions = quality.answered + quality.refused;
        let sql = "SELECT rating, COUNT(*) FROM feedback WHERE app = $1 AND updated_at >= $2 GROUP BY rating";
        for row in reader.all(sql, values()).await? {
            let count = u64::try_from(row.int(1)?).unwrap_or(0);
            if row.text(0)? == "up" { quality.up = count } else { quality.down = count }
        }
        let one = "SELECT COUNT(DISTINCT conversation_id) FROM outcomes WHERE app = $1 AND created_at >= $2";
        let handed =
            "SELECT COUNT(DISTINCT conversation_id) FROM hand_offs WHERE app = $1 AND created_at >= $2";
        // The last question of each conversation has the greatest id among its questions: ids follow time.
        let resolved = "SELECT COUNT(*) FROM (SELECT conversation_id, MAX(message_id) AS last FROM outcomes \
             WHERE app = $1 AND created_at >= $2 AND outcome IN ('answered', 'quoted', 'none') GROUP BY conversation_id) q \
             JOIN outcomes o ON o.message_id = q.last WHERE o.outcome IN ('answered', 'quoted') \
             AND NOT EXISTS (SELECT 1 FROM hand_offs h WHERE h.conversation_id = q.conversation_id) \
             AND NOT EXISTS (SELECT 1 FROM feedback f WHERE f.conversation_id = q.conversation_id AND f.rating = 'down')";
        for (sql, count) in [
            (one, &mut quality.conversations),
            (handed, &mut quality.handed_off),
            (resolved, &mut quality.resolved),
        ] {
            if let Some(row) = reader.one(sql, values()).await? {
                *count = u64::try_from(row.int(0)?).unwrap_or(0);
            }
        }
        Ok(quality)
    }
}
