//! What people look at of what the content rules found: messages that were marked, refusals that their writers call a
//! mistake, and what admins decide. A marked message is pointed at; its words are shown to an admin on demand alone, and
//! that is written into the audit log. It never judges a text itself.

mod appeal;
mod export;

use guard::content::Finding;
use identity::{Admin, May};
use kernel::{
    AuditEvent, Code, ConversationId, EventType, Fault, MessageId, Page, PageRequest, Result, ReviewId,
};
use store::{Decision, Message, NewReview, Review, ReviewFilter, ReviewReason, ReviewSource, Weight};

use crate::plan::Check;
use crate::turn::Opened;
use crate::{Hall, attached};

pub use export::ReviewExport;

/// Longest note and longest words of an appeal, in characters.
const REMARK_CHARS: usize = 2_000;

/// What was found, as the store keeps it.
pub(crate) fn weights(findings: &[Finding]) -> Vec<Weight> {
    let weight = |finding: &Finding| Weight {
        category: finding.category.as_str().to_owned(),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        hundredths: (finding.score.clamp(0.0, 1.0) * 100.0).round() as u8,
    };
    findings.iter().map(weight).collect()
}

impl Hall {
    /// Puts a message of a stored turn before people. The turn stands whatever comes of it: the audit log says too that
    /// somebody should look.
    pub(crate) async fn mark(
        &self,
        opened: &Opened,
        message: (ConversationId, MessageId),
        source: ReviewSource,
        reason: ReviewReason,
        findings: &[Finding],
    ) {
        let new = NewReview {
            owner: opened.owner,
            app: opened.app.id.clone(),
            message: Some(message),
            source,
            reason,
            findings: weights(findings),
        };
        match self.rooms.store.mark_for_review(new).await {
            Ok(true) => {
                metrics::counter!("stoa_reviews_total", "source" => source.as_str()).increment(1);
            }
            Ok(false) => {}
            Err(fault) if fault.code() == Code::NotFound => {}
            Err(fault) => {
                tracing::warn!(code = fault.code().as_str(), "what a person should look at was not queued");
            }
        }
    }

    /// Puts what was noticed about the user's message of a stored turn before people.
    pub(crate) async fn mark_admitted(&self, opened: &Opened, conversation_id: ConversationId) {
        let (admitted, message) = (&opened.admitted, (conversation_id, opened.user.id));
        if !admitted.review.is_empty() {
            let reason = ReviewReason::Review;
            Box::pin(self.mark(opened, message, ReviewSource::Message, reason, &admitted.review)).await;
        } else if !opened.marked_files.is_empty() {
            let (source, reason) = (ReviewSource::File, ReviewReason::Review);
            Box::pin(self.mark(opened, message, source, reason, &opened.marked_files)).await;
        } else if admitted.burst {
            let (source, reason) = (ReviewSource::Message, ReviewReason::Burst);
            Box::pin(self.mark(opened, message, source, reason, &[])).await;
        }
    }

    /// Puts a stored answer before people: one that was withheld, and one about which a rule says so.
    pub(crate) async fn mark_answer(&self, opened: &Opened, answer: &Message, check: &dyn Check) {
        let (reason, findings) = match (check.refused(), check.marked()) {
            ([], []) => return,
            ([], marked) => (ReviewReason::Review, marked),
            (refused, _) => (ReviewReason::Withheld, refused),
        };
        if reason == ReviewReason::Review {
            self.rooms.audit.note(crate::admit::flagged(opened, answer, findings));
        }
        let message = (answer.conversation_id, answer.id);
        Box::pin(self.mark(opened, message, ReviewSource::Answer, reason, findings)).await;
    }

    /// The queue, newest first. The words that came with appeals are left out: lists are read over shoulders.
    pub async fn reviews(
        &self,
        may: &May<Admin>,
        filter: &ReviewFilter,
        page: PageRequest,
    ) -> Result<Page<Review>> {
        self.rooms.audit.note(event(may, EventType::DataRead).with("what", "reviews"));
        let found = self.rooms.store.reviews(filter, page).await?;
        Ok(found.map(|review| Review { text: None, appeal: None, note: None, ..review }))
    }

    /// How many wait, and how many of those are appeals.
    pub async fn open_reviews(&self, _: &May<Admin>) -> Result<(u64, u64)> {
        self.rooms.store.open_reviews().await
    }

    /// One of them with its words. That they were read is written down, with whose they are.
    pub async fn review(&self, may: &May<Admin>, id: ReviewId) -> Result<(Review, String)> {
        let review = self.rooms.store.review(id).await?;
        let text = self.words_of(&review).await?;
        let read = event(may, EventType::DataRead).to(about(&review)).with("what", "review");
        self.rooms.audit.note(read.with("review", id.to_string()).with("owner", review.owner.to_string()));
        Ok((review, text))
    }

    /// Decides what is right about one. Of several admins at once one decides; the others hear `conflict`.
    pub async fn decide(
        &self,
        may: &May<Admin>,
        id: ReviewId,
        decision: Decision,
        note: Option<String>,
    ) -> Result<Review> {
        let note = remark("note", note)?;
        let known = self.rooms.store.review(id).await?;
        let audit = event(may, EventType::DataWritten)
            .to(about(&known))
            .with("what", "review")
            .with("review", id.to_string())
            .with("decision", decision.as_str());
        let decided = self.rooms.store.decide_review(id, may.owner(), decision, note, audit).await?;
        tracing::info!(app = %decided.app, decision = decision.as_str(), "a review was decided");
        Ok(Review { text: None, ..decided })
    }

    /// The words that one is about. A message that has gone has none.
    async fn words_of(&self, review: &Review) -> Result<String> {
        let Some((conversation, message)) = review.message else {
            return Ok(review.text.clone().unwrap_or_default());
        };
        match self.rooms.store.message(&review.owner, conversation, message).await {
            Ok(message) if review.source == ReviewSource::File => {
                let texts: Vec<String> =
                    attached::of(&message.details).into_iter().map(|file| file.text).collect();
                Ok(texts.join("\n\n"))
            }
            Ok(message) => Ok(message.content),
            Err(fault) if fault.code() == Code::NotFound => Ok(String::new()),
            Err(fault) => Err(fault),
        }
    }
}

/// What is said beside; nothing where there are only spaces.
fn remark(field: &'static str, text: Option<String>) -> Result<Option<String>, Fault> {
    let text = text.filter(|text| !text.trim().is_empty());
    text.as_deref().map(|text| guard::content::validate::message(field, text, REMARK_CHARS)).transpose()?;
    Ok(text)
}

/// What the audit log calls the thing.
fn about(review: &Review) -> String {
    match review.message {
        Some((conversation, _)) => format!("conversation:{conversation}"),
        None => format!("app:{}", review.app),
    }
}

fn event(may: &May<Admin>, what: EventType) -> AuditEvent {
    AuditEvent::new(what, may.owner()).from(may.who().address())
}
