//! An answer that ended before it was complete is taken up where it stopped and becomes one message. The model is shown
//! what it said and asked to go on; what it says twice at the seam is left out. It never changes what was said before.

use guard::content::Finding;
use identity::{Converse, May};
use kernel::{AppKind, Code, ConversationId, Fault, MessageId, Result, Subject};
use llm::{ChatMessage, ChatRequest, Quote};
use store::{FinishReason, Message, Role};

use crate::attached::Brought;
use crate::live::StreamEvent;
use crate::plan::{Check, Closing};
use crate::turn::{Anew, Answer, Ask, Options, Target};
use crate::{App, Hall};

/// Said to the model behind its unfinished answer. It stands in the place of a user's message because every provider
/// takes those there.
const GO_ON: &str = "Your answer above was cut off. Go on from exactly where it stops, in the same language and form. \
    Repeat nothing of it and do not comment on this request.";

/// How far back from its end a text is looked at for what is said again, in bytes.
const REACH: usize = 400;

/// What is said again is left out when it is at least so long, in bytes: shorter words recur by themselves.
const LEAST: usize = 12;

impl Hall {
    /// What asks for the rest of an answer.
    pub async fn further(
        &self,
        may: &May<Converse>,
        id: ConversationId,
        message: MessageId,
        resumable: bool,
    ) -> Result<Ask> {
        let owner = may.owner();
        let answer = self.rooms.store.message(&owner, id, message).await?;
        let asked = answer.parent_id.ok_or_else(complete)?;
        let said = self.rooms.store.message(&owner, id, asked).await?;
        Ok(Ask {
            target: Target::Beside(id, Anew::Further(message)),
            content: said.content,
            field: "message",
            options: Options::default(),
            brought: Brought::default(),
            resumable,
        })
    }

    /// The answer that is to go on.
    pub(crate) async fn unfinished(
        &self,
        app: &App,
        owner: &Subject,
        id: ConversationId,
        message: MessageId,
    ) -> Result<Message> {
        let answer = self.rooms.store.message(owner, id, message).await?;
        let incomplete = answer.finish_reason.is_some_and(FinishReason::may_go_on);
        if answer.role != Role::Assistant || !incomplete {
            return Err(complete());
        }
        if app.kind != AppKind::Chat {
            return Err(Fault::new(Code::Conflict).say("answers of this app are not continued; ask again"));
        }
        Ok(answer)
    }

    /// The rest of an answer at once. It grows in the store as it comes, so that it is the same as a stream whose end is
    /// waited for.
    pub(crate) async fn answer_further(&self, may: &May<Converse>, ask: Ask) -> Result<Answer> {
        let mut reader = self.stream(may, Ask { resumable: false, ..ask }).await?;
        let ended = async {
            let mut asked = None;
            while let Some(events) = reader.next().await {
                for (_, event) in events {
                    match event {
                        StreamEvent::Message { user_message, .. } => asked = Some(user_message),
                        StreamEvent::Done(message) => {
                            let conversation_id = message.conversation_id;
                            let user_message =
                                asked.ok_or_else(|| Fault::internal("an answer without a question"))?;
                            let (user_message, message) =
                                (user_message.as_ref().clone(), message.as_ref().clone());
                            return Ok(Answer { conversation_id, user_message, message });
                        }
                        StreamEvent::Error { code, .. } => return Err(code.into()),
                        StreamEvent::Delta(_) | StreamEvent::Citation(_) => {}
                    }
                }
            }
            Err(Fault::internal("a stream without an end"))
        };
        let ended = tokio::time::timeout(self.rooms.deadline, ended).await;
        ended.unwrap_or_else(|_| Err(Code::Timeout.into()))
    }
}

fn complete() -> Fault {
    Fault::new(Code::Conflict)
        .say("only the last answer can be continued, and only when it ended before it was complete")
}

/// Shows the model what it has said.
pub(crate) fn remind(request: &mut ChatRequest, said: &str) {
    if !said.is_empty() {
        request.messages.push(ChatMessage::new(llm::Role::Assistant, said));
        request.messages.push(ChatMessage::new(llm::Role::User, GO_ON));
    }
}

/// Leaves out what the model says again before it goes on: the end of the text, or all of it.
pub(crate) struct Seam {
    inside: Box<dyn Check>,
    before: String,
    /// What may be said again, and where in `before` that would have begun.
    held: String,
    begins: Vec<usize>,
}

impl Seam {
    /// `inside` is shown what was said before, as if it passed now.
    pub(crate) fn new(mut inside: Box<dyn Check>, before: &str) -> Seam {
        inside.seen(before);
        let near = before.len().saturating_sub(REACH);
        let ends = before.char_indices().map(|(at, _)| at);
        let begins = ends.filter(|at| (*at == 0 || *at >= near) && before.len() - at >= LEAST).collect();
        Seam { inside, before: before.to_owned(), held: String::new(), begins }
    }

    /// What of the text so far is new, once that is certain.
    fn fresh(&mut self, text: &str) -> String {
        if self.begins.is_empty() {
            return text.to_owned();
        }
        self.held.push_str(text);
        let tail = |at: usize| self.before.get(at..).unwrap_or_default();
        if let Some(again) = self.begins.iter().map(|at| tail(*at)).find(|again| self.held.starts_with(again))
        {
            let fresh = self.held.get(again.len()..).unwrap_or_default().to_owned();
            self.begins.clear();
            self.held.clear();
            return fresh;
        }
        let held = &self.held;
        let still = self.begins.iter().copied().filter(|at| tail(*at).starts_with(held.as_str())).collect();
        self.begins = still;
        if self.begins.is_empty() { std::mem::take(&mut self.held) } else { String::new() }
    }
}

impl Check for Seam {
    fn pass(&mut self, text: &str) -> String {
        let fresh = self.fresh(text);
        if fresh.is_empty() { fresh } else { self.inside.pass(&fresh) }
    }

    fn close(&mut self, quotes: &[Quote]) -> Closing {
        self.begins.clear();
        let held = std::mem::take(&mut self.held);
        let passed = if held.is_empty() { held } else { self.inside.pass(&held) };
        let closing = self.inside.close(quotes);
        Closing { rest: passed + &closing.rest, ..closing }
    }

    fn refused(&self) -> &[Finding] {
        self.inside.refused()
    }

    fn marked(&self) -> &[Finding] {
        self.inside.marked()
    }

    fn leaked(&self) -> bool {
        self.inside.leaked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Open;

    /// What is shown when the model says this in pieces of `size` characters.
    fn shown(before: &str, said: &str, size: usize) -> String {
        let mut seam = Seam::new(Box::new(Open::default()), before);
        let chars: Vec<char> = said.chars().collect();
        let mut out: String =
            chars.chunks(size).map(|piece| seam.pass(&piece.iter().collect::<String>())).collect();
        out.push_str(&seam.close(&[]).rest);
        out
    }

    #[test]
    fn what_is_said_again_is_left_out_however_it_comes() {
        let before = "Die Größe der Tür beträgt zwei Meter, und die Breite";
        for size in [1, 2, 7, 100] {
            for (said, fresh) in [
                (" ist ein Meter.", " ist ein Meter."),
                ("und die Breite ist ein Meter.", " ist ein Meter."),
                ("Die Größe der Tür beträgt zwei Meter, und die Breite ist ein Meter.", " ist ein Meter."),
                // Too short to be sure: it may be meant.
                ("Breite ist", "Breite ist"),
                ("und die Breiten", "n"),
                ("und die Höhe", "und die Höhe"),
                ("", ""),
            ] {
                assert_eq!(shown(before, said, size), fresh, "{said} by {size}");
            }
            assert_eq!(shown("", "From the beginning.", size), "From the beginning.");
        }
    }

    #[test]
    fn nothing_is_held_back_for_long() {
        let mut seam = Seam::new(Box::new(Open::default()), &"word ".repeat(500));
        assert_eq!(seam.pass("wor"), "");
        assert_eq!(seam.pass("th"), "worth");
        assert_eq!(seam.pass("word word word"), "word word word", "after the seam everything passes");
    }
}
