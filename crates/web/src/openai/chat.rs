//! `POST /v1/chat/completions`: a turn in the words of the OpenAI protocol. The caller tells the talk so far;
//! its last message and the answer are stored like any other turn.

use std::sync::Arc;

use apps::{Ask, Brought, ChatMessage, ChatRole, Options, StreamEvent, Subscription, Target};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use identity::Converse;
use kernel::{AppId, Code, Fault, Result};
use serde_json::{Value, json};

use super::image;
use super::wire::{
    Choice, Completion, CompletionRequest, Content, MessageIn, MessageOut, Usage, finish_reason,
};
use crate::Site;
use crate::api::problems::Compatible;
use crate::api::view::EventView;
use crate::body::Json;
use crate::failure::{self, Outcome};
use crate::who::Who;

/// Answers the last message of a talk.
#[utoipa::path(post, path = "/v1/chat/completions", operation_id = "createChatCompletion", tag = "openai", security(("key" = []), ("bearer" = [])), request_body = CompletionRequest, responses(
    (status = 200, description = "The completion; with `stream` a stream of `chat.completion.chunk`", content((Completion = "application/json"), (EventView = "text/event-stream"))),
    Compatible,
))]
pub(crate) async fn create(
    State(site): State<Site>,
    who: Who,
    Json(request): Json<CompletionRequest>,
) -> Outcome<Response> {
    let may = who.may(&site, Converse(model_app(&site, &request.model)?))?;
    let include_usage = request.stream_options.as_ref().is_some_and(|options| options.include_usage);
    let (model, stream) = (request.model.clone(), request.stream);
    let ask = ask(request)?;
    if stream {
        let reader = Box::pin(site.hall.stream(&may, ask)).await?;
        return chunks(reader, model, include_usage).await;
    }
    let answer = Box::pin(site.hall.answer(&may, ask)).await?;
    let message = answer.message;
    Ok(axum::Json(Completion {
        id: format!("chatcmpl-{}", message.id),
        object: "chat.completion",
        created: message.created_at.seconds(),
        model,
        usage: Usage::of(&message),
        choices: vec![Choice {
            index: 0,
            finish_reason: finish_reason(message.finish_reason),
            message: MessageOut { role: "assistant", content: message.content, refusal: None },
            logprobs: None,
        }],
    })
    .into_response())
}

/// The app that a model name means; an unknown one is `not_found`, as clients expect.
fn model_app(site: &Site, model: &str) -> Result<AppId> {
    AppId::parse(model).and_then(|app| site.hall.known(app)).map_err(|_| {
        let shown: String = model.chars().take(40).collect();
        Fault::new(Code::NotFound).say(format!("there is no model `{shown}`; `GET /v1/models` lists them"))
    })
}

fn ask(request: CompletionRequest) -> Result<Ask> {
    if request.n.is_some_and(|n| n != 1) {
        return Err(Fault::invalid("n", "unsupported", "one answer at a time: `n` must be 1"));
    }
    if request.temperature.is_some_and(|t| !(0.0..=2.0).contains(&t)) {
        return Err(Fault::invalid("temperature", "out_of_range", "the temperature lies between 0 and 2"));
    }
    let max_tokens = request.max_completion_tokens.or(request.max_tokens);
    if max_tokens == Some(0) {
        return Err(Fault::invalid("max_tokens", "out_of_range", "at least one token"));
    }
    let mut messages = request.messages.into_iter().map(told).collect::<Result<Vec<_>>>()?;
    let last = messages
        .pop()
        .ok_or_else(|| Fault::invalid("messages", "missing", "at least one message is needed"))?;
    if last.role != ChatRole::User {
        return Err(Fault::invalid("messages", "wrong_order", "the last message must be the user's"));
    }
    Ok(Ask {
        target: Target::New,
        content: last.content,
        field: "messages",
        options: Options { max_tokens, temperature: request.temperature, history: Some(messages) },
        brought: Brought { files: None, images: last.images },
        resumable: false,
    })
}

fn told(message: MessageIn) -> Result<ChatMessage> {
    let role = match message.role.as_str() {
        "user" => ChatRole::User,
        "assistant" => ChatRole::Assistant,
        "system" | "developer" => ChatRole::System,
        _ => {
            return Err(Fault::invalid(
                "messages.role",
                "unsupported",
                "a role is user, assistant, system or developer",
            ));
        }
    };
    let mut told = ChatMessage::new(role, String::new());
    match message.content {
        None => {}
        Some(Content::Text(text)) => told.content = text,
        Some(Content::Parts(parts)) => {
            let mut texts = Vec::new();
            for part in parts {
                match (part.r#type.as_str(), part.text, part.image_url) {
                    ("text", Some(text), None) => texts.push(text),
                    ("image_url", None, Some(image)) if role == ChatRole::User => {
                        told.images.push(image::read(image.url())?);
                    }
                    ("image_url", None, Some(_)) => {
                        return Err(unsupported("images come with messages of the user alone"));
                    }
                    _ => return Err(unsupported("parts are of type `text` or `image_url`")),
                }
            }
            told.content = texts.join("\n");
        }
    }
    Ok(told)
}

fn unsupported(say: &'static str) -> Fault {
    Fault::invalid("messages.content", "unsupported", say)
}

/// The stream. A failure before the first piece of text is still an HTTP error, so that clients can retry.
async fn chunks(mut reader: Subscription, model: String, include_usage: bool) -> Outcome<Response> {
    let mut first = Vec::new();
    while first.iter().all(|(_, event)| matches!(event, StreamEvent::Message { .. })) {
        match reader.next().await {
            Some(events) => first.extend(events),
            None => break,
        }
    }
    if let Some(StreamEvent::Error { code, detail, .. }) =
        first.iter().map(|(_, event)| event).find(|event| !matches!(event, StreamEvent::Message { .. }))
    {
        return Err(Fault::new(*code).say(detail.to_string()).into());
    }
    let begun = first.iter().find_map(|(_, event)| match event {
        StreamEvent::Message { message, .. } => Some(message.created_at.seconds()),
        _ => None,
    });
    let id = format!("chatcmpl-{}", reader.message());
    let chunk = Arc::new(Chunk { id, created: begun.unwrap_or_default(), model, include_usage });
    let begin = Some((reader, Some(first)));
    let pieces = stream::unfold(begin, move |state| {
        let chunk = Arc::clone(&chunk);
        async move {
            let (mut reader, ready) = state?;
            let events = match ready {
                Some(events) => events,
                None => reader.next().await?,
            };
            let text: String = events.iter().map(|(_, event)| chunk.encode(event)).collect();
            Some((Ok::<_, std::convert::Infallible>(Bytes::from(text)), Some((reader, None))))
        }
    });
    let headers =
        [(CONTENT_TYPE, "text/event-stream; charset=utf-8"), (CACHE_CONTROL, "no-store, no-transform")];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// What all pieces of one stream share.
struct Chunk {
    id: String,
    created: i64,
    model: String,
    include_usage: bool,
}

impl Chunk {
    fn encode(&self, event: &StreamEvent) -> String {
        match event {
            StreamEvent::Message { .. } => self.line(json!({"role": "assistant", "content": ""}), None),
            StreamEvent::Delta(text) => self.line(json!({ "content": text.as_ref() }), None),
            StreamEvent::Citation(_) => String::new(),
            StreamEvent::Done(message) => {
                let mut text = self.line(json!({}), Some(finish_reason(message.finish_reason)));
                if self.include_usage {
                    text.push_str(&self.data(json!([]), Some(Usage::of(message))));
                }
                text.push_str("data: [DONE]\n\n");
                text
            }
            StreamEvent::Error { code, detail, .. } => {
                let fault = Fault::new(*code).say(detail.to_string());
                format!("data: {}\n\n", failure::openai(&fault))
            }
        }
    }

    fn line(&self, delta: Value, finish: Option<&str>) -> String {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish, "logprobs": null});
        self.data(json!([choice]), None)
    }

    fn data(&self, choices: Value, usage: Option<Usage>) -> String {
        let mut object = json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model,
            "choices": choices,
        });
        if let (Some(usage), Some(fields)) = (usage, object.as_object_mut()) {
            fields.insert("usage".to_owned(), json!(usage));
        }
        format!("data: {object}\n\n")
    }
}
