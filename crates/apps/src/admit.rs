//! Whether a text may begin a turn, and what the audit log is told of that: categories, scores and ids, never a word of
//! the text. It never asks a model.

use guard::content::{self, Finding, Judgement, Noticed, Verdict};
use identity::{Converse, May};
use kernel::{AuditEvent, Code, EventType, Fault, Result};
use serde_json::Value;
use store::Message;

use crate::attached::Attached;
use crate::plan::Check;
use crate::turn::{Opened, written};
use crate::{Anew, App, Ask, Hall, Target};

/// What was noticed about a text that was let in.
#[derive(Debug, Default)]
pub(crate) struct Admitted {
    /// Words that help, in the place of an answer.
    pub(crate) support: Option<String>,
    /// What a person should look at.
    pub(crate) review: Vec<Finding>,
    /// Its writer sends more in a moment than people write.
    pub(crate) burst: bool,
}

impl Hall {
    /// Lets the text in, or says why not. A refused text goes no further and is not kept.
    pub(crate) async fn admit(&self, may: &May<Converse>, app: &App, ask: &Ask) -> Result<Admitted> {
        let text = ask.content.as_str();
        content::validate::message(ask.field, text, app.max_input_chars as usize)?;
        // One key speaks for many people, who all say "hello": repeats count for people alone. Who wants another
        // answer repeats nothing.
        let again = matches!(ask.target, Target::Beside(_, Anew::Answer(_) | Anew::Further(_)));
        let mut noticed = Noticed::default();
        if may.who().is_key() || again {
            content::spam::check(text)?;
        } else {
            let spam = &self.rooms.spam;
            noticed = spam.admit(&may.owner().to_string(), text, self.rooms.ambient.now()).await?;
        }
        let passed = Admitted { burst: noticed.burst, ..Admitted::default() };
        if !app.moderation {
            return Ok(passed);
        }
        // What the caller tells of the talk so far would reach the model too. Of that, only what may not pass counts:
        // help is for who needs it now.
        let told =
            ask.options.history.iter().flatten().filter(|message| message.role != llm::Role::Assistant);
        let mut told = told.map(|message| content::judge(&message.content, &app.policy));
        let blocked = told.find(Judgement::blocked);
        let judged = content::judge(text, &app.policy);
        let judged = if judged.support() { judged } else { blocked.unwrap_or(judged) };
        let refused = || {
            AuditEvent::new(EventType::ContentBlocked, may.owner())
                .from(may.who().address())
                .to(format_args!("app:{}", app.id))
                .with("categories", named(&judged.categories))
                .with("scores", scored(&judged))
        };
        match judged.verdict {
            // Who speaks of harming themselves gets words that help, never a bare refusal.
            Verdict::Support => {
                self.rooms.audit.note(refused().with("answer", "support"));
                let words = app.support_message.as_deref().unwrap_or(content::SUPPORT);
                Ok(Admitted { support: Some(words.to_owned()), ..passed })
            }
            Verdict::Block => {
                self.rooms.audit.note(refused());
                tracing::warn!(app = %app.id, "a message was refused by the content rules");
                Err(Fault::new(Code::ContentBlocked))
            }
            Verdict::Review => {
                let wanted = |finding: &Finding| app.policy.of(*finding) == Verdict::Review;
                let review = judged.categories.into_iter().filter(wanted).collect();
                Ok(Admitted { review, ..passed })
            }
            Verdict::Allow | Verdict::Warn => Ok(passed),
        }
    }

    /// Lets in what a message brings: a text that may not pass as a message may not pass in a file. Gives what a person
    /// should look at in it.
    pub(crate) fn admit_attached(
        &self,
        may: &May<Converse>,
        app: &App,
        attached: &[Attached],
    ) -> Result<Vec<Finding>> {
        let mut marked = Vec::new();
        for one in attached.iter().filter(|_| app.moderation) {
            let judged = content::judge(&one.text, &app.policy);
            if judged.blocked() {
                self.rooms.audit.note(
                    AuditEvent::new(EventType::ContentBlocked, may.owner())
                        .from(may.who().address())
                        .to(format_args!("app:{}", app.id))
                        .with("in", "file")
                        .with("categories", named(&judged.categories))
                        .with("scores", scored(&judged)),
                );
                tracing::warn!(app = %app.id, "a file was refused by the content rules");
                return Err(Fault::new(Code::ContentBlocked));
            }
            if judged.verdict == Verdict::Review {
                marked.extend(
                    judged.categories.into_iter().filter(|one| app.policy.of(*one) == Verdict::Review),
                );
            }
        }
        marked.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut known = std::collections::HashSet::new();
        marked.retain(|one| known.insert(one.category));
        Ok(marked)
    }

    /// Writes down that an answer was withheld, and why, without a word of it.
    pub(crate) fn note_refused(&self, opened: &Opened, check: &dyn Check) {
        let refused = check.refused();
        if check.leaked() {
            tracing::warn!(app = %opened.app.id, "an answer was cut off: the instructions of the app came out");
            self.rooms.audit.note(
                AuditEvent::new(EventType::ContentBlocked, opened.owner)
                    .to(format_args!("conversation:{}", opened.conversation_id))
                    .with("app", opened.app.id.as_str())
                    .with("answer", "withheld")
                    .with("why", "instructions"),
            );
        }
        if refused.is_empty() {
            return;
        }
        let scores: Vec<Value> = refused.iter().map(|finding| hundredths(finding.score)).collect();
        tracing::warn!(app = %opened.app.id, "an answer was withheld by the content rules");
        self.rooms.audit.note(
            AuditEvent::new(EventType::ContentBlocked, opened.owner)
                .to(format_args!("conversation:{}", opened.conversation_id))
                .with("app", opened.app.id.as_str())
                .with("answer", "withheld")
                .with("categories", named(refused))
                .with("scores", scores),
        );
    }
}

/// What the audit log is told of a turn that is stored: that it was written, and that somebody should look at it.
/// Ids, categories and numbers, never a word of it.
pub(crate) fn noted(may: &May<Converse>, opened: &Opened) -> Vec<AuditEvent> {
    let mut events = vec![written(may, opened)];
    if !opened.admitted.review.is_empty() {
        let review = &opened.admitted.review;
        let score = review.iter().map(|finding| finding.score).fold(0.0, f32::max);
        events.push(
            AuditEvent::new(EventType::ContentFlagged, opened.owner)
                .from(may.who().address())
                .to(format_args!("conversation:{}", opened.conversation_id))
                .with("app", opened.app.id.as_str())
                .with("message", opened.user.id.to_string())
                .with("categories", named(review))
                .with("score", hundredths(score)),
        );
    }
    events
}

/// What the audit log is told of an answer that a person should look at.
pub(crate) fn flagged(opened: &Opened, answer: &Message, findings: &[Finding]) -> AuditEvent {
    let score = findings.iter().map(|finding| finding.score).fold(0.0, f32::max);
    AuditEvent::new(EventType::ContentFlagged, opened.owner)
        .to(format_args!("conversation:{}", answer.conversation_id))
        .with("app", opened.app.id.as_str())
        .with("message", answer.id.to_string())
        .with("in", "answer")
        .with("categories", named(findings))
        .with("score", hundredths(score))
}

fn named(findings: &[Finding]) -> Vec<Value> {
    findings.iter().map(|finding| finding.category.as_str().into()).collect()
}

fn scored(judged: &Judgement) -> Vec<Value> {
    judged.categories.iter().map(|finding| hundredths(finding.score)).collect()
}

/// A score with two digits: more would be a guess.
fn hundredths(score: f32) -> Value {
    Value::from((f64::from(score) * 100.0).round() / 100.0)
}
