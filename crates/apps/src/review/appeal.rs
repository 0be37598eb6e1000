//! "This was a mistake", said by whoever was refused. Only what the rules do refuse can be appealed, so that nobody fills
//! the queue: the text of a refusal is judged again, a withheld answer says itself that it was.

use guard::content::{self, Finding, Verdict};
use identity::{ConversationRate, Converse, May};
use kernel::{AuditEvent, Code, ConversationId, EventType, Fault, MessageId, Result};
use store::{Appealed, FinishReason, NewReview, ReviewReason, ReviewSource, Role, Weight};

use super::{remark, weights};
use crate::{Hall, kind};

/// The name of what is no harm and only fills the line.
pub(super) const SPAM: &str = "spam";

impl Hall {
    /// Appeals against the refusal of a text in this app. The text is kept with the appeal, sealed: it is stored nowhere
    /// else. `conflict` when the app does not refuse it.
    pub async fn appeal_refused(
        &self,
        may: &May<Converse>,
        text: String,
        words: Option<String>,
    ) -> Result<Appealed> {
        let app = self.rooms.catalog.get(&may.what().0)?;
        if !kind::converses(app.kind) {
            return Err(Fault::invalid("app", "wrong_kind", "this app holds files; nobody talks in it"));
        }
        content::validate::message("text", &text, app.max_input_chars as usize)?;
        let words = remark("comment", words)?;
        let spam = content::spam::check(&text).is_err();
        let judged = content::judge(&text, &app.policy);
        let blocked = app.moderation && judged.blocked();
        if !spam && !blocked {
            return Err(nothing("this app does not refuse this text; send it as a message"));
        }
        let blocks = |one: &Finding| app.policy.of(*one) == Verdict::Block;
        let mut findings = weights(&judged.categories.into_iter().filter(blocks).collect::<Vec<_>>());
        if spam {
            findings.insert(0, Weight { category: SPAM.to_owned(), hundredths: 100 });
        }
        let new = NewReview {
            owner: may.owner(),
            app: app.id.clone(),
            message: None,
            source: ReviewSource::Refused,
            reason: ReviewReason::Block,
            findings,
        };
        let audit = AuditEvent::new(EventType::DataWritten, may.owner())
            .from(may.who().address())
            .to(format_args!("app:{}", app.id))
            .with("what", "appeal");
        self.rooms.store.appeal(new, Some(text), words, audit).await
    }

    /// Appeals against what became of an answer in one's own conversation: withheld, or replaced by words that help.
    /// `conflict` when it is neither.
    pub async fn appeal_answer(
        &self,
        may: &May<ConversationRate>,
        id: ConversationId,
        message: MessageId,
        words: Option<String>,
    ) -> Result<Appealed> {
        let owner = may.owner();
        let conversation = self.rooms.store.conversation(&owner, id).await?;
        may.inside(&conversation.app)?;
        let app = self.rooms.catalog.get(&conversation.app)?;
        let words = remark("comment", words)?;
        let answer = self.rooms.store.message(&owner, id, message).await?;
        let (target, source, reason, findings) = match (answer.role, answer.finish_reason) {
            (Role::Assistant, Some(FinishReason::Blocked)) => {
                (message, ReviewSource::Answer, ReviewReason::Withheld, Vec::new())
            }
            (Role::Assistant, _) => {
                let asked = answer.parent_id.ok_or(Fault::new(Code::NotFound))?;
                let said = self.rooms.store.message(&owner, id, asked).await?;
                let judged = content::judge(&said.content, &app.policy);
                if !app.moderation || !judged.support() {
                    return Err(nothing("nothing of this answer was withheld; rate it instead"));
                }
                (asked, ReviewSource::Message, ReviewReason::Support, judged.categories)
            }
            (Role::User | Role::System, _) => {
                return Err(nothing("name the answer that was withheld, not the question"));
            }
        };
        let new = NewReview {
            owner,
            app: conversation.app.clone(),
            message: Some((id, target)),
            source,
            reason,
            findings: weights(&findings),
        };
        let audit = AuditEvent::new(EventType::DataWritten, owner)
            .from(may.who().address())
            .to(format_args!("conversation:{id}"))
            .with("what", "appeal");
        self.rooms.store.appeal(new, None, words, audit).await
    }
}

fn nothing(say: &'static str) -> Fault {
    Fault::new(Code::Conflict).say(say)
}
